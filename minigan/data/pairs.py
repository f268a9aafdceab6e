"""`filled-outline`: two kinds of pictures without pairs, filled digits and outlines of other digits, drawn from fonts.

load    the data set            outline    the outline of filled digits
Elsewhere: the filled digits (digits.py), the loaders (base.py)."""

from __future__ import annotations

import numpy as np

from . import digits
from .base import ImageDataset, _positive
from .kinds import Pair, Pictures

SIZES = {split: size // 2 for split, size in digits.SIZES.items()}


def load(split: str = "train", seed: int = 0, size: int | None = None) -> ImageDataset:
    """`size` rows, 10,000 or 1,000 (test) unless given: images (size, 2, 28, 28) uint8, labels those of channel 0.

    Channel 0 is a filled digit; channel 1 is the outline of another one, that no row has filled.  Nothing goes with
    anything: 2 * size digits are shuffled, one half is shown filled, the other as outlines.
    info: those of digits, `outline_labels` (size,) int64 of channel 1 and, in the test split only, what a translation
    should have given: `outlines` (size, 1, 28, 28) uint8 of channel 0, `fillings` of channel 1.
    ConfigError for a seed or size that cannot be; DataError when matplotlib lacks its fonts."""
    size = SIZES[split] if size is None else size
    _positive("size", size, "filled-outline")
    drawn = digits.load(split, seed, 2 * size)
    order = np.random.default_rng([seed, list(SIZES).index(split), 2]).permutation(len(drawn))
    filled, outlined = order[:size], order[size:]
    images = np.concatenate([drawn.images[filled], outline(drawn.images[outlined])], axis=1)
    info = {"source": drawn.info["source"], "cache": drawn.info["cache"], "outline_labels": drawn.labels[outlined]}
    if split == "test":
        info |= {"outlines": outline(drawn.images[filled]), "fillings": drawn.images[outlined]}
    return ImageDataset("filled-outline", images, drawn.labels[filled], split, info, classes=10,
                        kind=Pair(Pictures(1, 28, 28), Pictures(1, 28, 28)))


def outline(images: np.ndarray) -> np.ndarray:
    """The largest of the 3x3 pixels around each pixel, minus the pixel itself.   uint8 (N, C, H, W), the same out.

    The external gradient of mathematical morphology (Serra 1982): 0 on the paper and inside a broad stroke, so that what
    is left is a rim one pixel wide around the ink."""
    height, width = images.shape[2:]
    padded = np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)])
    largest = images.copy()
    for i in range(3):
        for j in range(3):
            np.maximum(largest, padded[:, :, i:i + height, j:j + width], out=largest)
    return largest - images
