"""Words and numbers inside pictures of pixels.

glyphs      a word -> (H, W) how much ink each pixel has         width       how wide a word will be
write       put a word into a picture, around or from a point
Elsewhere: who writes what (samples.py, tokens.py).  Plots have matplotlib's own letters.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

SIZE = 11  # pixels of a letter's height with its accents: the smallest in which 3, 6 and 8 are told apart at a glance


@lru_cache
def _font(size):
    import matplotlib
    from PIL import ImageFont

    # DejaVu ships with matplotlib, and all of its letters here are of one width, so numbers stand under each other.
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSansMono.ttf")), size)


def width(word: str, size: int = SIZE) -> int:
    """How many pixels wide the word is."""
    return -(-round(64 * _font(size).getlength(word)) // 64)


def height(size: int = SIZE) -> int:
    """How many pixels high every word is, from the top of an accent to the bottom of a tail."""
    return sum(_font(size).getmetrics())


@lru_cache(maxsize=8192)
def glyphs(word: str, size: int = SIZE) -> np.ndarray:
    """The word as ink, (height(size), width(word, size)) float: 0 where there is none, 1 where there is nothing else."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (max(1, width(word, size)), height(size)))
    ImageDraw.Draw(image).text((0, 0), word, 255, _font(size))
    return np.asarray(image) / 255.0


def write(picture: np.ndarray, word: str, y: float, x: float, ink=255, size: int = SIZE, centred: bool = True) -> None:
    """Write into picture (H, W, C) uint8: the word's middle is at row y; its middle, or its start, is at column x.
    What would be outside of the picture is cut off."""
    ground = glyphs(word, size)
    top, left = round(y - ground.shape[0] / 2), round(x - centred * ground.shape[1] / 2)
    cut = ground[max(0, -top) :, max(0, -left) :]
    region = picture[max(0, top) :, max(0, left) :][: cut.shape[0], : cut.shape[1]]
    cut = cut[: region.shape[0], : region.shape[1], None]
    region[...] = np.rint(region * (1 - cut) + np.asarray(ink, float) * cut).astype(np.uint8)
