"""`filled-outline`: unpaired pictures of two domains, filled digits and outlines of other digits, drawn from fonts.

load    the data set            outline    the outlines of filled digits
Elsewhere: the filled digits (digits.py), the loaders (base.py)."""

from __future__ import annotations

import numpy as np

from . import digits
from .base import ImageDataset, whole
from .kinds import Pair, Pictures

SIZES = {split: size // 2 for split, size in digits.SIZES.items()}


def load(split: str = "train", seed: int = 0, size: int | None = None) -> ImageDataset:
    """Load `size` rows: images (size, 2, 28, 28) uint8, labels those of channel 0.  The default size is 10,000 for "train" and
    1,000 for "test".

    Channel 0 is a filled digit.  Channel 1 is the outline of another digit, which is filled in no row.  The two are unrelated:
    2 * size digits are shuffled; one half is shown filled, the other half as outlines.
    info: `source`, `cache` and `content` of the digits, and `outline_labels` (size,) int64 of channel 1.  The test split also
    has the correct translations, (size, 1, 28, 28) uint8: `outlines` of channel 0 and `fillings` of channel 1.
    Raises ConfigError for an impossible seed or size, and DataError when minigan's own outlines are missing."""
    size = SIZES[split] if size is None else size
    whole("size", size, "filled-outline")
    drawn = digits.load(split, seed, 2 * size)
    order = np.random.default_rng([seed, list(SIZES).index(split), 2]).permutation(len(drawn))
    filled, outlined = order[:size], order[size:]
    images = np.concatenate([drawn.images[filled], outline(drawn.images[outlined])], axis=1)
    info = {key: drawn.info[key] for key in ("source", "cache", "content")} | {"outline_labels": drawn.labels[outlined]}
    if split == "test":
        info |= {"outlines": outline(drawn.images[filled]), "fillings": drawn.images[outlined]}
    return ImageDataset(
        "filled-outline",
        images,
        drawn.labels[filled],
        split,
        info,
        classes=10,
        kind=Pair(Pictures(1, 28, 28), Pictures(1, 28, 28)),
    )


def outline(images: np.ndarray) -> np.ndarray:
    """The outlines of pictures, (N, C, H, W) uint8 -> (N, C, H, W) uint8.  A new pixel is the largest value in the 3x3 window
    around it, minus its own value.

    This is the external gradient of mathematical morphology (Serra 1982).  It is 0 on the background and inside a broad
    stroke, so only a rim, one pixel wide, is left around the stroke.

    >>> outline(np.full((1, 1, 1, 1), 255, np.uint8)).tolist(), outline(np.array([[[[0, 255]]]], np.uint8)).tolist()
    ([[[[0]]]], [[[[255, 0]]]])"""
    height, width = images.shape[2:]
    padded = np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)])
    largest = images.copy()
    for i in range(3):
        for j in range(3):
            np.maximum(largest, padded[:, :, i : i + height, j : j + width], out=largest)
    return largest - images
