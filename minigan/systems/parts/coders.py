"""Encoders and decoders: the two nets of an autoencoder, as perceptrons or convolutions.

mlp, conv   both nets for samples of a shape        FAMILIES    these by the name that the setting `nets` gives them
per_sample  the sum over all axes but the first
"""

import math

from minigan import ops
from minigan.errors import ConfigError
from minigan.nn import Conv2d, ConvTranspose2d, Flatten, Linear, ReLU, Sequential, Unflatten


def mlp(settings, sample_shape, codes):
    """Encoder, samples -> (N, codes), and decoder, (N, latent) -> samples, with one hidden layer each."""
    size = math.prod(sample_shape)
    return (Sequential(Flatten(), Linear(size, settings.width), ReLU(), Linear(settings.width, codes)),
            Sequential(Linear(settings.latent, settings.width), ReLU(), Linear(settings.width, size),
                       Unflatten(1, sample_shape)))


def conv(settings, sample_shape, codes):
    """The same for pictures (C, H, W), halved twice on the way down and doubled twice on the way up."""
    if len(sample_shape) != 3 or sample_shape[1] % 4 or sample_shape[2] % 4:
        raise ConfigError(f"nets=conv halves pictures twice, so height and width must be multiples of 4; this data is "
                          f"{tuple(sample_shape)}; use nets=mlp")
    channels, (out, height, width) = settings.channels, sample_shape
    small = (2 * channels, height // 4, width // 4)
    return (Sequential(Conv2d(out, channels, 4, stride=2, padding=1), ReLU(),
                       Conv2d(channels, 2 * channels, 4, stride=2, padding=1), ReLU(),
                       Flatten(), Linear(math.prod(small), codes)),
            Sequential(Linear(settings.latent, math.prod(small)), ReLU(), Unflatten(1, small),
                       ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1), ReLU(),
                       ConvTranspose2d(channels, out, 4, stride=2, padding=1)))


FAMILIES = {"mlp": mlp, "conv": conv}


def per_sample(x):
    """The sum over all axes but the first: (N, ...) -> (N,)."""
    return ops.sum(x, tuple(range(1, x.ndim)))
