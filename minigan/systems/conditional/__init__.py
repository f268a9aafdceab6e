"""Conditional systems: you can ask for samples with a given label."""
