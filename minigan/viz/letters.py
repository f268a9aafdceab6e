"""Write words and numbers into arrays of pixels.

glyphs      a word -> (H, W), how much ink each pixel has        width, height   the size of a word in pixels
write       write a word into a picture, centred on a point or starting at it
Elsewhere: what is written (samples.py, tokens.py).  Plots use matplotlib's own text.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from minigan.viz import figures

SIZE = 11  # font size in pixels: the smallest at which 3, 6 and 8 are easy to tell apart


@lru_cache
def _font(size):
    from PIL import ImageFont

    matplotlib = figures.ready()

    # matplotlib ships this font.  All its letters have the same width, so numbers in different rows line up.
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSansMono.ttf")), size)


def width(word: str, size: int = SIZE) -> int:
    """The width of a word in pixels."""
    return -(-round(64 * _font(size).getlength(word)) // 64)


def height(size: int = SIZE) -> int:
    """The height of every word in pixels, from the top of an accent to the bottom of a "g"."""
    return sum(_font(size).getmetrics())


@lru_cache(maxsize=8192)
def glyphs(word: str, size: int = SIZE) -> np.ndarray:
    """The word as ink, (height(size), width(word, size)) float64: 0 is no ink, 1 is full ink."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (max(1, width(word, size)), height(size)))
    ImageDraw.Draw(image).text((0, 0), word, 255, _font(size))
    return np.asarray(image) / 255.0


def write(picture: np.ndarray, word: str, y: float, x: float, ink=255, size: int = SIZE, centred: bool = True) -> None:
    """Write a word into a picture (H, W, C) uint8, in place.  Row y is its middle; column x is its middle if `centred`,
    otherwise its start.  Parts outside the picture are cut off.   ink: 0 (black) to 255 (white), or one value per channel."""
    ground = glyphs(word, size)
    top, left = round(y - ground.shape[0] / 2), round(x - centred * ground.shape[1] / 2)
    cut = ground[max(0, -top) :, max(0, -left) :]
    region = picture[max(0, top) :, max(0, left) :][: cut.shape[0], : cut.shape[1]]
    cut = cut[: region.shape[0], : region.shape[1], None]
    region[...] = np.rint(region * (1 - cut) + np.asarray(ink, float) * cut).astype(np.uint8)
