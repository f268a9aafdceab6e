"""The data sets by name.  `load("digits")` works at once and without a network.

load    a data set by name        DATASETS  a line about each name      names            the names alone
fetch   download ahead of time    verify    are the files whole?        Loader, batches  draw from a data set
Elsewhere: base.py (data sets and loaders), kinds.py (what each field of a batch is), digits.py, mnist.py, oracle.py,
pairs.py, points.py (where the samples come from).
Batches are NumPy arrays; nothing here knows the engine, and matplotlib loads only when digits are drawn."""

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
    """Every name that `load` takes; DATASETS has a line about each."""
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
    """The data set `name`, split "train" or "test".

    data_dir: the folder of IDX files, for mnist and fashion-mnist.  size: how many pictures or sequences; the first ones of
    a file.  seed: which digits or sequences are drawn; a file has no use for it, and points take theirs from the Loader.
    Both splits of a density are the same density: its points are always fresh.
    ConfigError for an unknown name or split, or an option that this data set would have to ignore; DataError when the
    data cannot be had."""
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
        raise ConfigError(f"{name}: draws fresh points without end and has no size; leave it out")
    return points.DENSITIES[name](split)


def fetch(name: str) -> list[tuple[str, str]]:
    """Make `name` usable without a network: (file, status) for each file, none for points.  DataError when it fails."""
    _known(name)
    if name in mnist.MIRRORS:
        return mnist.fetch(name)
    if name in DRAWN:  # whatever is drawn is drawn from the same digits
        return [(f"digits {split}", f"ok: {digits.load(split).info['cache']}") for split in SPLITS]
    return []


def verify(name: str, data_dir=None) -> list[tuple[str, str]]:
    """(file, status) for each file of `name`; a status that starts with "ok" says it can be used."""
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
        raise ConfigError(f"{name}: is drawn, not read from files; leave --data-dir out, or name the data set that "
                          "the folder holds (mnist, fashion-mnist)")
