"""Encoders and decoders: the two nets of an autoencoder, as perceptrons or convolutions.

mlp, conv   make both nets for samples of a shape       FAMILIES    these two, by the names that the setting `nets` takes
per_sample  the sum over all axes but the first         SETTINGS    the nets' sizes, and the player's optimizer
"""

import math

from minigan import ops
from minigan.data.kinds import Pictures
from minigan.errors import ConfigError
from minigan.nn import Conv2d, ConvTranspose2d, Flatten, Linear, ReLU, Sequential, Unflatten
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
    """The same for pictures (C, H, W): the encoder halves height and width twice, the decoder doubles them twice."""
    if not isinstance(data.x, Pictures) or data.x.height % 4 or data.x.width % 4:
        raise ConfigError(
            f"nets=conv halves pictures twice, so their height and width must be multiples of 4; {data.name} "
            f"holds {data.x}; use nets=mlp"
        )
    channels, (out, height, width) = settings.channels, data.shape
    small = (2 * channels, height // 4, width // 4)
    return (
        Sequential(
            Conv2d(out, channels, 4, stride=2, padding=1),
            ReLU(),
            Conv2d(channels, 2 * channels, 4, stride=2, padding=1),
            ReLU(),
            Flatten(),
            Linear(math.prod(small), codes),
        ),
        Sequential(
            Linear(settings.latent, math.prod(small)),
            ReLU(),
            Unflatten(1, small),
            ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1),
            ReLU(),
            ConvTranspose2d(channels, out, 4, stride=2, padding=1),
        ),
    )


FAMILIES = {"mlp": mlp, "conv": conv}
SETTINGS = (
    Setting(
        "nets",
        "mlp",
        "mlp: perceptrons with one hidden layer; conv: two strided convolutions, and two transposed ones in the decoder",
        choices=FAMILIES,
    ),
    Setting("width", 400, "units in the hidden layer of a perceptron", most=10_000),
    Setting("channels", 32, "channels of the largest feature maps; the smaller ones have twice as many", most=1024),
    Setting("latent", 20, "numbers in the code", most=10_000),
    Setting("optimizer", "adam", "the optimizer", choices=OPTIMIZERS),
    Setting("lr", 1e-3, "learning rate"),
    Setting("beta1", 0.9, "Adam's decay of the mean gradient", below=1, depends=("optimizer", adaptive)),
    Setting("beta2", 0.999, "Adam's decay of the mean squared gradient", below=1, depends=("optimizer", adaptive)),
)


def per_sample(x):
    """The sum over all axes but the first: (N, ...) -> (N,)."""
    return ops.sum(x, tuple(range(1, x.ndim)))
