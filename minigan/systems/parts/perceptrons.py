"""Multilayer perceptrons as the two nets of a GAN, for pictures and for points of the plane.

mlp         the layers of a perceptron          nets        G and D          start       their initial weights, for points
POINTS      the settings that systems share on points of the plane

For pictures the sizes are those of a tutorial's GAN: G 100-128-256-784, D 784-256-128-1, with LeakyReLU.  Its sigmoid on the
pictures is a tanh here, for pixels in [-1, 1].  For points each net has three hidden layers of 128, as the toy of Gulrajani et
al. 2017 has (with 512), and 2 latent numbers.
D ends in a logit: the sigmoid is inside the objective, where it cannot overflow.
"""

import math

from minigan.errors import ConfigError
from minigan.nn import Flatten, LeakyReLU, Linear, Sequential, Tanh, Unflatten, init
from minigan.train.adversarial import norm_layer, prepare
from minigan.train.game import Normal

# For points: what systems share on ring8, grid25, swiss-roll and two-moons.
POINTS = {"batch_size": 256, "latent": 2, "lr_d": 1e-3, "lr_g": 1e-3}


def mlp(sizes, norm="none"):
    """The layers of a perceptron: Linear, norm and LeakyReLU for every hidden size, a Linear for the last."""
    if norm == "instance":
        raise ConfigError("norm=instance: is over the pixels of a channel, and a perceptron has none; use batch or layer")
    layers = []
    for inputs, outputs in zip(sizes[:-2], sizes[1:-1]):
        layers += [Linear(inputs, outputs), *norm_layer(norm, outputs, pixels=False), LeakyReLU(0.2)]
    return [*layers, Linear(*sizes[-2:])]


def start(module):
    """He's initial weights (He et al. 2015), biases 0.  With smaller ones, all of G's first points lie together."""
    if isinstance(module, Linear):
        init.kaiming_normal_(module.weight, a=0.2)
        init.zeros_(module.bias)


def nets(settings, sample_shape):
    """G and D for samples of this shape: pictures (C, H, W), or points (2,)."""
    size, width = math.prod(sample_shape), settings.width
    pictures = len(sample_shape) > 1
    hidden = [width, 2 * width] if pictures else [width] * 3
    G = Sequential(*mlp([settings.latent, *hidden, size], settings.norm_g),
                   *([Tanh()] if pictures else []), Unflatten(1, sample_shape))  # points are not confined to [-1, 1]
    D = Sequential(Flatten(), *mlp([size, *hidden[::-1], 1], settings.norm_d))
    if not pictures:
        G.apply(start), D.apply(start)
    return prepare(G, D, settings, Normal(settings.latent))
