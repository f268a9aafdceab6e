"""Nets of convolutions, for pictures of many sizes: how often a picture is halved, and the two nets of a GAN.

levels      how often pictures are halved, and the channels after each halving; all nets of convolutions follow it
check       refuses data that cannot be halved
generator, discriminator    G enlarges a picture by transposed convolutions, D reduces it by strided ones (Radford et al. 2016)
start                       their initial weights           nets        both nets, for the settings of a system
SETTINGS                    their sizes, and batch norm in both

Every convolution has stride 2.  With kernel 4 it halves the sides of a picture, or doubles them; with kernel 3 it halves an odd
side and rounds up:

    28 <-> 14 <-> 7 <-> 4               16 <-> 8 <-> 4                   48 <-> 24 <-> 12 <-> 6
    32 <-> 16 <-> 8 <-> 4               64 <-> 32 <-> 16 <-> 8 <-> 4     32x48 <-> 16x24 <-> 8x12 <-> 4x6

The last maps must be small, because only the Linear beside them sees a digit as a whole.  With maps of 7x7 each number of D's
last maps depends on 10x10 pixels, and D adds them up, so it accepts a digit whose upper half does not fit to the lower one.
"""

import math

from minigan.data.kinds import Pair, Pictures
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

LEAST = 4  # pixels: a side is not halved below this
LARGE = 32  # pixels: nets for larger pictures have fewer channels
MOST = 8  # the smallest maps have at most so many times the channels of the largest


def fewer(about):
    """The default of `channels` for large pictures, so that training takes minutes; None for others."""
    return 16 if max(about.shape[1:], default=0) > LARGE else None


CHANNELS = Setting(
    "channels",
    32,
    "channels of the largest feature maps, which double at each halving, up to eight times; by default 16 for pictures above "
    f"{LARGE} pixels",
    most=1024,
    of_data=fewer,
)
SMALLEST = Setting("smallest", LEAST, "convolutions: sides are halved as long as so many pixels are left", least=LEAST)
SETTINGS = (CHANNELS, SMALLEST, Setting("norm_g", "batch"), Setting("norm_d", "batch"))


def levels(channels: int, height: int, width: int, smallest: int = LEAST, odd: bool = False):
    """The channels after each halving of a picture, and the (height, width) that is left after the last.

    Both sides are halved as long as at least `smallest` pixels are left.   odd: go on when a side is odd, and round up.   The
    channels double each time, but at most to eight times `channels`.

    >>> levels(32, 28, 28), levels(16, 64, 64)
    (([32, 64], (7, 7)), ([16, 32, 64, 128], (4, 4)))
    >>> levels(32, 28, 28, odd=True)
    ([32, 64, 128], (4, 4))"""
    maps: list[int] = []
    while (odd or height % 2 == width % 2 == 0) and (min(height, width) + 1) // 2 >= smallest:
        height, width = (height + 1) // 2, (width + 1) // 2
        maps.append(channels * min(2 ** len(maps), MOST))
    return maps, (height, width)


def kernels(height: int, width: int, count: int) -> list[tuple[int, int]]:
    """The kernel of each of `count` halvings of a picture: 4 along an even side, 3 along an odd one.

    >>> kernels(28, 32, 3)
    [(4, 4), (4, 4), (3, 4)]"""
    found = []
    for _ in range(count):
        found.append((4 - height % 2, 4 - width % 2))
        height, width = (height + 1) // 2, (width + 1) // 2
    return found


def generator(latent, channels, shape, norm="batch", smallest=LEAST):
    """z (N, latent) -> pictures (N, *shape) in [-1, 1].   shape: (C, H, W); smallest: see levels."""
    out, height, width = shape
    maps, small = levels(channels, height, width, smallest, odd=True)
    maps, (*inner, last) = maps[::-1], kernels(height, width, len(maps))[::-1]
    size = maps[0] * small[0] * small[1]
    layers = [Linear(latent, size), *norm_layer(norm, size, False), ReLU(), Unflatten(1, (maps[0], *small))]
    for inputs, outputs, kernel in zip(maps, maps[1:], inner):
        layers += [
            ConvTranspose2d(inputs, outputs, kernel, stride=2, padding=1, bias=False),
            *norm_layer(norm, outputs, True),
            ReLU(),
        ]
    return Sequential(*layers, ConvTranspose2d(maps[-1], out, last, stride=2, padding=1), Tanh())


def discriminator(channels, shape, norm="batch", smallest=LEAST):
    """Pictures (N, *shape) -> logits (N, 1).   shape: (C, H, W); smallest: see levels."""
    inputs, height, width = shape
    maps, small = levels(channels, height, width, smallest, odd=True)
    first, *others = kernels(height, width, len(maps))
    layers = [Conv2d(inputs, maps[0], first, stride=2, padding=1), LeakyReLU(0.2)]
    for inputs, outputs, kernel in zip(maps, maps[1:], others):
        layers += [
            Conv2d(inputs, outputs, kernel, stride=2, padding=1, bias=False),
            *norm_layer(norm, outputs, True),
            LeakyReLU(0.2),
        ]
    return Sequential(*layers, Flatten(), Linear(maps[-1] * small[0] * small[1], 1))


def start(module):
    """The paper's initial weights (section 4).  It does not state the biases; here they start at 0."""
    if isinstance(module, (Linear, Conv2d, ConvTranspose2d)):
        init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            init.zeros_(module.bias)
    elif isinstance(module, (BatchNorm1d, BatchNorm2d)):
        init.normal_(module.weight, 1.0, 0.02)


def check(data, settings) -> None:
    """Raise ConfigError, with the nearest sizes, unless the data are pictures (or pairs) whose sides are
    multiples of 4, from 8 on."""
    if not isinstance(data.x, Pictures | Pair):
        raise ConfigError(f"nets of convolutions draw pictures, but {data.name} holds {data.x}; use nets=mlp")
    sides, least = data.shape[1:], 2 * LEAST
    low, high = ([max(least, 4 * step(side / 4)) for side in sides] for step in (math.floor, math.ceil))
    if [*sides] in (low, high):
        return
    near = list(dict.fromkeys(f"{height}x{width}" for height, width in (low, high)))
    option = " or ".join(f"size={side}" for side in dict.fromkeys((max(low), max(high))))
    ways = [f"use pictures of {' or '.join(near)}" + (f" (from files: --set {option})" if data.name == "folder" else "")]
    if hasattr(settings, "nets"):
        ways.append("nets=mlp")
    elif isinstance(data.x, Pictures):
        ways.append("the system gan, whose nets are perceptrons")
    raise ConfigError(
        f"nets of convolutions halve pictures, so both sides must be multiples of 4, and at least {least}; "
        f"{data.name} holds {data.x}; {', or '.join(ways)}"
    )


def nets(settings, data) -> dict:
    """G and D by name, for pictures.   ConfigError for data that they cannot draw."""
    check(data, settings)
    G = generator(settings.latent, settings.channels, data.shape, settings.norm_g, settings.smallest)
    D = discriminator(settings.channels, data.shape, settings.norm_d, settings.smallest)
    G.apply(start), D.apply(start)
    return prepare(G, D, settings, Normal(settings.latent))
