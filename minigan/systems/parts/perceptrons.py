"""The two nets of a GAN as multilayer perceptrons, for pictures and for points of the plane.

mlp         the layers of a perceptron          nets        G and D          start       their initial weights, for points
SETTINGS    their sizes                             POINTS      the defaults that systems share on points of the plane

For pictures the sizes are those of a tutorial's MLP GAN: G 100-128-256-784, D 784-256-128-1, with LeakyReLU.  The tutorial's
G ends in a sigmoid; here it ends in a tanh, because pixels are in [-1, 1].
For points z has 2 numbers, and each net has three hidden layers of 128 units (Gulrajani et al. 2017 use three of 512).
D ends in a logit: the objective contains the sigmoid, in a form that cannot overflow.
"""

import math

from minigan.data.kinds import Pictures
from minigan.errors import ConfigError
from minigan.nn import Flatten, LeakyReLU, Linear, Sequential, Tanh, Unflatten, init
from minigan.train.adversarial import norm_layer, prepare
from minigan.train.game import Normal
from minigan.train.settings import Setting

SETTINGS = (
    Setting("latent", 100, "how many numbers z has", most=10_000),
    Setting("width", 128, "units in the narrowest hidden layer of a perceptron", most=10_000),
)
# The defaults that systems share on points of the plane: ring8, grid25, swiss-roll and two-moons.
# A step takes a few milliseconds there, so checkpoints, at which the report is written too, are farther apart in steps.
POINTS = {"batch_size": 256, "latent": 2, "lr_d": 1e-3, "lr_g": 1e-3, "checkpoint_every": 2000}


def mlp(sizes, norm="none"):
    """The layers of a perceptron: Linear, norm and LeakyReLU for every hidden size, a Linear for the last."""
    if norm == "instance":
        raise ConfigError(
            "norm=instance: instance norm averages over the pixels of a channel, and a perceptron has no pixels; "
            "use batch or layer"
        )
    layers = []
    for inputs, outputs in zip(sizes[:-2], sizes[1:-1]):
        layers += [Linear(inputs, outputs), *norm_layer(norm, outputs, pixels=False), LeakyReLU(0.2)]
    return [*layers, Linear(*sizes[-2:])]


def start(module):
    """The initial weights of He et al. 2015, and biases 0.  With smaller weights all of G's first points would be close
    together."""
    if isinstance(module, Linear):
        init.kaiming_normal_(module.weight, a=0.2)
        init.zeros_(module.bias)


def nets(settings, data) -> dict:
    """G and D for pictures or points, by name."""
    size, width, pictures = math.prod(data.shape), settings.width, isinstance(data.x, Pictures)
    hidden = [width, 2 * width] if pictures else [width] * 3
    G = Sequential(
        *mlp([settings.latent, *hidden, size], settings.norm_g), *([Tanh()] if pictures else []), Unflatten(1, data.shape)
    )  # no tanh: points may lie outside [-1, 1]
    D = Sequential(Flatten(), *mlp([size, *hidden[::-1], 1], settings.norm_d))
    if not pictures:
        G.apply(start), D.apply(start)
    return prepare(G, D, settings, Normal(settings.latent))
