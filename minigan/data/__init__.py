"""The data sets, by their names.  `load("digits")` needs no download.

load    a data set by name        DATASETS  {name: description}             names            the list of names
fetch   download ahead of time    verify    check that files are complete   Loader, batches  draw batches from a data set
Elsewhere: base.py (data sets and loaders), kinds.py (what each field of a batch is), digits.py, mnist.py, oracle.py,
pairs.py, points.py (where the samples come from).
Batches are NumPy arrays: this folder does not import the engine.  matplotlib is imported only when digits are drawn."""

from __future__ import annotations

from typing import Any, Literal, overload

from ..errors import ConfigError, suggestion
from . import digits, kinds, mnist, oracle, pairs, points
from .base import Batch, ImageDataset, Loader, PointDataset, batches
from .kinds import Description
from .oracle import TokenDataset

__all__ = ["DATASETS", "Batch", "Description", "ImageDataset", "Loader", "PointDataset", "TokenDataset", "batches", "fetch",
           "kinds", "load", "names", "verify"]


def __dir__():
    return __all__


DATASETS = {
    "digits": "28x28 digits drawn from fonts with random jitter, no download; 20,000 train, 2,000 test or any size",
    "mnist": "28x28 handwritten digits, IDX files; 60,000 train, 10,000 test",
    "fashion-mnist": "28x28 pictures of clothes in 10 classes, IDX files; 60,000 train, 10,000 test",
    "filled-outline": "28x28 filled font digits and outlines of others, unpaired, two channels; 10,000 train, 1,000 test",
    "ring8": "points: 8 Gaussians on a circle of radius 2, std 0.02",
    "grid25": "points: 25 Gaussians on a lattice with spacing 2, std 0.05",
    "swiss-roll": "points: a spiral with noise",
    "two-moons": "points: two half circles that interlock",
    "oracle": "sequences of 10 of 30 tokens, written by a random LSTM; 10,000 train, 5,000 test",
}
SPLITS = ("train", "test")
DRAWN = {"digits": digits.load, "filled-outline": pairs.load}


def names() -> list[str]:
    """All names that `load` accepts; DATASETS describes each of them."""
    return list(DATASETS)


@overload
def load(name: Literal["digits", "mnist", "fashion-mnist", "filled-outline"], split: str = "train", data_dir=None,
         seed: int = 0, size: int | None = None) -> ImageDataset: ...
@overload
def load(name: Literal["ring8", "grid25", "swiss-roll", "two-moons"], split: str = "train", data_dir=None, seed: int = 0,
         size: int | None = None) -> PointDataset: ...
@overload
def load(name: Literal["oracle"], split: str = "train", data_dir=None, seed: int = 0,
         size: int | None = None) -> TokenDataset: ...
@overload
def load(name: str, split: str = "train", data_dir=None, seed: int = 0, size: int | None = None) -> Any: ...
def load(name: str, split: str = "train", data_dir=None, seed: int = 0, size: int | None = None) -> Any:
    """Load a data set: its split "train" or "test".

    data_dir: the folder with the IDX files of mnist or fashion-mnist.   size: how many pictures or sequences; for files, the
    first ones.   seed: decides which digits or sequences are drawn; files ignore it, and points use the Loader's random
    generator instead.   Both splits of a point data set draw fresh points from the same density.
    Raises ConfigError for an unknown name or split, a size or seed that is impossible, and a data_dir or size that this data
    set cannot use; DataError when the data are missing, damaged or cannot be downloaded.

    >>> load("ring8").sample(5, 0).x.shape
    (5, 2)"""
    _known(name)
    if split not in SPLITS:
        raise ConfigError(f"{name}: unknown split {split!r}{suggestion(str(split), SPLITS)}")
    if name in mnist.MIRRORS:
        return mnist.load(name, split, data_dir, size)
    _no_folder(name, data_dir)
    if name in DRAWN:
        return DRAWN[name](split, seed, size)
    if name == "oracle":
        return oracle.load(split, seed, size)
    if size is not None:
        raise ConfigError(f"{name}: draws fresh points without end, so it has no size; leave size out")
    return points.DENSITIES[name](split)


def fetch(name: str) -> list[tuple[str, str]]:
    """Download or draw a data set now, so that it can be used offline later.  Returns (file, status) for each file, [] for
    points and sequences.   Raises DataError when it fails, and ConfigError for an unknown name."""
    _known(name)
    if name in mnist.MIRRORS:
        return mnist.fetch(name)
    if name in DRAWN:  # all drawn data sets are made from the same digits
        return [(f"digits {split}", f"ok: {digits.load(split).info['cache']}") for split in SPLITS]
    return []


def verify(name: str, data_dir=None) -> list[tuple[str, str]]:
    """Check the files of a data set and return (file, status) for each; a file whose status starts with "ok" can be used."""
    _known(name)
    if name in mnist.MIRRORS:
        return mnist.verify(name, data_dir)
    _no_folder(name, data_dir)
    if name in DRAWN:
        return digits.verify()
    return [(name, "ok: drawn from its formula, there is no file")]


def _known(name: str) -> None:
    if name not in DATASETS:
        raise ConfigError(f"unknown data set {name!r}{suggestion(str(name), DATASETS)}")


def _no_folder(name: str, data_dir) -> None:
    if data_dir is not None:
        raise ConfigError(f"{name}: is drawn, not read from files; leave --data-dir out, or name the data set that is in the "
                          "folder (mnist, fashion-mnist)")
