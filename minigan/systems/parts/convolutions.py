"""The two nets of a GAN as convolutions: G enlarges a picture by transposed convolutions, D reduces it by strided ones.

generator, discriminator    the nets of Radford et al. 2016 for 28x28 pixels: 7 -> 14 -> 28 and back, kernel 4, stride 2
start                       their initial weights           nets        both nets, for the settings of a system
SETTINGS                    their sizes, and batch norm in both
"""

from minigan.data.kinds import Pictures
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
from minigan.train.settings import Setting

CHANNELS = Setting("channels", 32, "channels of the largest feature maps; the smaller ones have twice as many", most=1024)
SETTINGS = (CHANNELS, Setting("norm_g", "batch"), Setting("norm_d", "batch"))


def generator(latent, channels, out, norm="batch"):
    """z (N, latent) -> pictures (N, out, 28, 28) in [-1, 1]."""
    wide = 2 * channels
    return Sequential(
        Linear(latent, wide * 7 * 7),
        *norm_layer(norm, wide * 7 * 7, False),
        ReLU(),
        Unflatten(1, (wide, 7, 7)),
        ConvTranspose2d(wide, channels, 4, stride=2, padding=1, bias=False),
        *norm_layer(norm, channels, True),
        ReLU(),  # 14x14
        ConvTranspose2d(channels, out, 4, stride=2, padding=1),
        Tanh(),
    )  # 28x28


def discriminator(channels, out, norm="batch"):
    """Pictures (N, out, 28, 28) -> logits (N, 1)."""
    wide = 2 * channels
    return Sequential(
        Conv2d(out, channels, 4, stride=2, padding=1),
        LeakyReLU(0.2),  # 14x14
        Conv2d(channels, wide, 4, stride=2, padding=1, bias=False),
        *norm_layer(norm, wide, True),
        LeakyReLU(0.2),  # 7x7
        Flatten(),
        Linear(wide * 7 * 7, 1),
    )


def start(module):
    """The paper's initial weights (section 4).  It does not state the biases; here they start at 0."""
    if isinstance(module, (Linear, Conv2d, ConvTranspose2d)):
        init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            init.zeros_(module.bias)
    elif isinstance(module, (BatchNorm1d, BatchNorm2d)):
        init.normal_(module.weight, 1.0, 0.02)


def check(data) -> None:
    """Raise ConfigError unless the data are pictures of 28x28."""
    if not isinstance(data.x, Pictures) or data.shape[1:] != (28, 28):
        raise ConfigError(
            f"nets of convolutions draw pictures of 28x28, but {data.name} holds {data.x}; use --data digits or "
            "mnist, or set nets=mlp if the system has that setting, or use the system gan"
        )


def nets(settings, data) -> dict:
    """G and D by name, for pictures (C, 28, 28).   ConfigError for other data."""
    check(data)
    G = generator(settings.latent, settings.channels, data.x.channels, settings.norm_g)
    D = discriminator(settings.channels, data.x.channels, settings.norm_d)
    G.apply(start), D.apply(start)
    return prepare(G, D, settings, Normal(settings.latent))
