"""The data sets, by their names.  `load("digits")` needs no download.

load    a data set by name        DATASETS  {name: description}             names            the list of names
fetch   download ahead of time    verify    check that files are complete   Loader, batches  draw batches from a data set
folder  your own pictures         arrays    your own arrays                 content  what a run remembers of its data
take_options    separate the options of a data set from the settings of a system
Elsewhere: base.py (data sets and loaders), kinds.py (what each field of a batch is), digits.py, mnist.py, cifar.py,
oracle.py, pairs.py, points.py, own.py, pictures.py, array_data.py (where the samples come from).
Batches are NumPy arrays: this folder does not import the engine.  matplotlib is imported only when digits are drawn."""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
from __future__ import annotations

import hashlib
from typing import Any, Literal, overload

import numpy as np

from ..errors import ConfigError, suggestion
from . import cifar, digits, kinds, mnist, oracle, own, pairs, pictures, points
from .array_data import ArrayDataset, arrays
from .base import Batch, ImageDataset, Loader, PointDataset, batches
from .kinds import Description
from .oracle import TokenDataset
from .own import folder
from .pictures import OPTIONS

__all__ = ["DATASETS", "ArrayDataset", "Batch", "Description", "ImageDataset", "Loader", "PointDataset", "TokenDataset",
           "arrays", "batches", "content", "fetch", "folder", "kinds", "load", "names", "take_options", "verify"]
# fmt: on


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
    "folder": "your own pictures, sub-folders are classes, or arrays: --data-dir DIR, --set size=32 (and colour, fit)",
    "kmnist": "28x28 handwritten hiragana in 10 classes, IDX files; 60,000 train, 10,000 test",
    "emnist-letters": "28x28 handwritten letters in 26 classes, IDX files of your own; 124,800 train, 20,800 test",
    "emnist-digits": "28x28 handwritten digits, IDX files of your own; 240,000 train, 40,000 test",
    "emnist-balanced": "28x28 digits and letters in 47 classes, IDX files of your own; 112,800 train, 18,800 test",
    "qmnist": "28x28 handwritten digits, MNIST made again with all of its test set; IDX files of your own; 60,000 each",
    "cifar10": "32x32 photographs in colour, 10 classes, binary files of your own; 50,000 train, 10,000 test",
}
SPLITS = ("train", "test")
DRAWN = {"digits": digits.load, "filled-outline": pairs.load}


def names() -> list[str]:
    """All names that `load` accepts; DATASETS describes each of them."""
    return list(DATASETS)


@overload
def load(
    name: Literal["digits", "mnist", "fashion-mnist", "filled-outline"],
    split: str = "train",
    data_dir=None,
    seed: int = 0,
    size: int | None = None,
) -> ImageDataset: ...
@overload
def load(
    name: Literal["ring8", "grid25", "swiss-roll", "two-moons"],
    split: str = "train",
    data_dir=None,
    seed: int = 0,
    size: int | None = None,
) -> PointDataset: ...
@overload
def load(
    name: Literal["oracle"], split: str = "train", data_dir=None, seed: int = 0, size: int | None = None
) -> TokenDataset: ...
@overload
def load(
    name: str,
    split: str = "train",
    data_dir=None,
    seed: int = 0,
    size: int | None = None,
    options: dict[str, Any] | None = None,
) -> Any: ...
def load(
    name: str,
    split: str = "train",
    data_dir=None,
    seed: int = 0,
    size: int | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """Load a data set: its split "train" or "test".

    data_dir: the folder with the files, for data sets that are read from files.   size: how many pictures or sequences; for
    files, the first ones.   seed: decides which digits or sequences are drawn; files ignore it, and points use the Loader's
    random generator instead.   Both splits of a point data set draw fresh points from the same density.
    options: {"size": 32, ...}, the options of a folder of pictures (see `folder`); there, size is the side of a picture.
    Raises ConfigError for an unknown name or split, a size or seed that is impossible, and a data_dir, size or
    option that this data set cannot use; DataError when the data are missing, damaged or cannot be downloaded.

    >>> load("ring8").sample(5, 0).x.shape
    (5, 2)"""
    _known(name)
    if split not in SPLITS:
        raise ConfigError(f"{name}: unknown split {split!r}{suggestion(str(split), SPLITS)}")
    if name == "folder":
        if size is not None:
            raise ConfigError("folder: has all of its pictures; for their side in pixels use minigan.data.folder(dir, size=32)")
        return own.load(split, data_dir, options)
    if options:
        raise ConfigError(f"{name} has no options; leave {' and '.join(options)} out")
    if name in mnist.MIRRORS:
        return mnist.load(name, split, data_dir, size)
    if name == "cifar10":
        return cifar.load(split, data_dir, size)
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
    if name == "cifar10":
        return cifar.fetch()
    if name == "folder":
        raise ConfigError("folder: your own pictures are where you keep them, there is nothing to fetch")
    if name in DRAWN:  # all drawn data sets are made from the same digits
        return [(f"digits {split}", f"ok: {digits.load(split).info['cache']}") for split in SPLITS]
    return []


def verify(name: str, data_dir=None, options: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """Check the files of a data set and return (file, status) for each; a file whose status starts with "ok" can be used."""
    _known(name)
    if name == "folder":
        return own.verify(data_dir, options)
    if options:
        raise ConfigError(f"{name} has no options; leave {' and '.join(options)} out")
    if name in mnist.MIRRORS:
        return mnist.verify(name, data_dir)
    if name == "cifar10":
        return cifar.verify(data_dir)
    _no_folder(name, data_dir)
    if name in DRAWN:
        return digits.verify()
    return [(name, "ok: drawn from its formula, there is no file")]


def take_options(name: str, given: dict[str, Any], settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Separate what a user set into the options of the data set and the rest, which are settings of a system.

    settings: the names that the system knows; these are never options.   Raises ConfigError for an option of other data."""
    options = {key: value for key, value in given.items() if key in OPTIONS and key not in settings}
    if options and name != "folder":
        raise ConfigError(f"{name} has no option {next(iter(options))!r}: it is one of --data folder; leave it out")
    for key in given if name == "folder" else ():
        if key not in OPTIONS and key not in settings and "did you mean" in (near := suggestion(key, OPTIONS)):
            raise ConfigError(f"folder has no option {key!r}{near}")
    return own.read_options(options), {key: value for key, value in given.items() if key not in options}


def content(dataset, compute: bool = False) -> dict[str, Any] | None:
    """What a run remembers of a data set: the number of its files or samples and a SHA-256 of them, or None if its info has no
    `content`.   compute: in this case, make it from all samples; endless points still give None."""
    if "content" in dataset.info or not compute or not hasattr(dataset, "__len__"):
        return dataset.info.get("content")
    digest = hashlib.sha256()
    for start in range(0, len(dataset), 1000):
        for field in dataset[start : start + 1000]:
            digest.update(b"" if field is None else np.ascontiguousarray(field).data)
    return {"samples": len(dataset), "sha256": digest.hexdigest()}


def _known(name: str) -> None:
    if name not in DATASETS:
        raise ConfigError(f"unknown data set {name!r}{suggestion(str(name), DATASETS)}")


def _no_folder(name: str, data_dir) -> None:
    if data_dir is not None:
        raise ConfigError(
            f"{name}: is drawn, not read from files; leave --data-dir out, or name the data set that is in the "
            "folder (mnist, fashion-mnist; folder, for your own pictures)"
        )
