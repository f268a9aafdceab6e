"""Systems with an encoder and a decoder around a latent code."""
