"""Adversarial systems: a generator and a discriminator play against each other."""
