"""The adversarial game: a generator and a discriminator."""
