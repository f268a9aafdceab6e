"""GAN: two multilayer perceptrons play the non-saturating game.

Goodfellow et al. 2014.  The nets are those of seed text 002: G 100-128-256-784, D 784-256-128-1, LeakyReLU, a sigmoid
on the pictures (here tanh, for pixels in [-1, 1]).  Its learning rate is 2e-4; beta1 = 0.5 is DCGAN's (Radford et al. 2016).
D ends in a logit: the sigmoid is inside the objective, where it cannot overflow.
"""

import math
from functools import partial

from minigan.nn import Flatten, LeakyReLU, Linear, Sequential, Tanh, Unflatten
from minigan.optim import Adam
from minigan.systems.registry import recipe
from minigan.train.game import Game, Normal, Player, adversarial


@recipe("gan", data="digits", steps=4000, batch_size=64, latent=100, lr=2e-4, beta1=0.5, objective="non-saturating")
def build(settings, sample_shape):
    """The game for samples of this shape: pictures (C, H, W), or points (2,)."""
    pixels = math.prod(sample_shape)
    last = [Tanh()] if len(sample_shape) > 1 else []  # points are not confined to [-1, 1]
    G = Sequential(Linear(settings.latent, 128), LeakyReLU(0.2), Linear(128, 256), LeakyReLU(0.2), Linear(256, pixels),
                   *last, Unflatten(1, sample_shape))
    D = Sequential(Flatten(), Linear(pixels, 256), LeakyReLU(0.2), Linear(256, 128), LeakyReLU(0.2), Linear(128, 1))
    adam = partial(Adam, lr=settings.lr, betas=(settings.beta1, 0.999))
    return Game({"G": G, "D": D}, players=[Player("D", [D], adam), Player("G", [G], adam)],
                terms=adversarial(settings.objective), latent=Normal(settings.latent))
