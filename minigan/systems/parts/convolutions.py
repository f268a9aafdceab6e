"""Convolutions as the two nets of a GAN: G grows a picture by transposed convolutions, D shrinks it by strided ones.

generator, discriminator    the nets of Radford et al. 2016 at the size of a digit: 7 -> 14 -> 28 and back, kernel 4, stride 2
start                       their initial weights           nets        both, for the settings of a system
"""

from minigan.errors import ConfigError
from minigan.nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    LeakyReLU,
    Linear,
    ReLU,
    Sequential,
    Tanh,
    Unflatten,
    init,
)
from minigan.train.adversarial import norm_layer, prepare
from minigan.train.game import Normal


def generator(latent, channels, out, norm="batch"):
    """z (N, latent) -> pictures (N, out, 28, 28) in [-1, 1]."""
    wide = 2 * channels
    return Sequential(
        Linear(latent, wide * 7 * 7), *norm_layer(norm, wide * 7 * 7, False), ReLU(), Unflatten(1, (wide, 7, 7)),
        ConvTranspose2d(wide, channels, 4, stride=2, padding=1, bias=False), *norm_layer(norm, channels, True), ReLU(),  # 14x14
        ConvTranspose2d(channels, out, 4, stride=2, padding=1), Tanh())                                       # 28x28


def discriminator(channels, out, norm="batch"):
    """Pictures (N, out, 28, 28) -> logits (N, 1)."""
    wide = 2 * channels
    return Sequential(
        Conv2d(out, channels, 4, stride=2, padding=1), LeakyReLU(0.2),                                        # 14x14
        Conv2d(channels, wide, 4, stride=2, padding=1, bias=False), *norm_layer(norm, wide, True), LeakyReLU(0.2),  # 7x7
        Flatten(), Linear(wide * 7 * 7, 1))


def start(module):
    """The paper's initial weights (section 4); its biases are not stated, zero here."""
    if isinstance(module, (Linear, Conv2d, ConvTranspose2d)):
        init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            init.zeros_(module.bias)
    elif isinstance(module, (BatchNorm1d, BatchNorm2d)):
        init.normal_(module.weight, 1.0, 0.02)


def nets(settings, sample_shape):
    """G and D for pictures of this shape (C, 28, 28); ConfigError for any other."""
    if len(sample_shape) != 3 or sample_shape[1:] != (28, 28):
        raise ConfigError(f"dcgan draws pictures of 28x28, this data is {sample_shape}; use --data digits or mnist, "
                          f"or the system gan")
    G = generator(settings.latent, settings.channels, sample_shape[0], settings.norm_g)
    D = discriminator(settings.channels, sample_shape[0], settings.norm_d)
    G.apply(start), D.apply(start)
    return prepare(G, D, settings, Normal(settings.latent))
