"""Encoders and decoders: the two nets of an autoencoder, as perceptrons or convolutions.

mlp, conv   make both nets for samples of a shape       FAMILIES    these two, by the names that the setting `nets` takes
per_sample  the sum over all axes but the first         SETTINGS    the nets' sizes, and the player's optimizer
"""

import math

from minigan import ops
from minigan.nn import Conv2d, ConvTranspose2d, Flatten, Linear, ReLU, Sequential, Unflatten
from minigan.systems.parts import convolutions
from minigan.train.optimizers import OPTIMIZERS, adaptive
from minigan.train.settings import Setting


def mlp(settings, data, codes):
    """An encoder, samples -> (N, codes), and a decoder, (N, latent) -> samples, with one hidden layer each."""
    size = math.prod(data.shape)
    return (
        Sequential(Flatten(), Linear(size, settings.width), ReLU(), Linear(settings.width, codes)),
        Sequential(Linear(settings.latent, settings.width), ReLU(), Linear(settings.width, size), Unflatten(1, data.shape)),
    )


def conv(settings, data, codes):
    """The same for pictures (C, H, W), with convolutions.   `convolutions.levels` says how many, and how wide."""
    convolutions.check(data, settings)
    colours = data.x.channels
    maps, small = convolutions.levels(settings.channels, *data.shape[1:])
    small = (maps[-1], *small)
    encoder, decoder = [], []
    for inputs, outputs in zip([colours, *maps], maps):
        encoder += [Conv2d(inputs, outputs, 4, stride=2, padding=1), ReLU()]
    encoder += [Flatten(), Linear(math.prod(small), codes)]
    decoder += [Linear(settings.latent, math.prod(small)), ReLU(), Unflatten(1, small)]
    for inputs, outputs in zip(maps[::-1], maps[-2::-1]):
        decoder += [ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), ReLU()]
    return Sequential(*encoder), Sequential(*decoder, ConvTranspose2d(maps[0], colours, 4, stride=2, padding=1))


FAMILIES = {"mlp": mlp, "conv": conv}
SETTINGS = (
    Setting(
        "nets",
        "mlp",
        "mlp: perceptrons with one hidden layer; conv: strided convolutions, and transposed ones in the decoder",
        choices=FAMILIES,
    ),
    Setting("width", 400, "units in the hidden layer of a perceptron", most=10_000),
    convolutions.CHANNELS,
    Setting("latent", 20, "numbers in the code", most=10_000),
    Setting("optimizer", "adam", "the optimizer", choices=OPTIMIZERS),
    Setting("lr", 1e-3, "learning rate"),
    Setting("beta1", 0.9, "Adam's decay of the mean gradient", below=1, depends=("optimizer", adaptive)),
    Setting("beta2", 0.999, "Adam's decay of the mean squared gradient", below=1, depends=("optimizer", adaptive)),
)


def per_sample(x):
    """The sum over all axes but the first: (N, ...) -> (N,)."""
    return ops.sum(x, tuple(range(1, x.ndim)))
