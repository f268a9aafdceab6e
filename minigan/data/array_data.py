"""Arrays as data sets: pictures or points in memory, or in a .npy or .npz file.

arrays        make a data set of arrays in memory     from_file     load the arrays of a file, or of a folder of files
samples       load generated samples, as they are
ArrayDataset  a finite set of points                  held_out      which rows are the test split
Elsewhere: pictures in files of their own (own.py), points without end (base.py, points.py)."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..schema import printable
from ..serialize import ObjectsError, check_ratio, read_array
from .base import Batch, Described, ImageDataset
from .kinds import Class, Kind, Points

X = ("images", "points", "x", "data", "arr_0")  # names for an array of pictures or points
LABELS = ("labels", "label", "y", "targets", "arr_1")
MOST_CLASSES = 10_000
MOST = 2**32  # bytes of one array, which must fit into memory


class ArrayDataset(Described):
    """A finite set of points: x (N, 2) float32, labels int64 (N,) or None.   It has `len` and rows, as an ImageDataset has.

    Raises DataError when shapes, dtypes or counts do not fit."""

    centres, std = None, None

    def __init__(self, name: str, x, labels=None, split: str = "train", info: dict | None = None, classes: int | None = None):
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != 2 or len(x) == 0 or x.dtype.kind not in "fiu":
            raise DataError(f"{name}: points are a non-empty array of numbers (N, 2), got {x.dtype} {x.shape}")
        self.x = x.astype(np.float32)
        if not np.isfinite(self.x).all():
            raise DataError(f"{name}: some points are NaN or infinite; leave them out")
        self.labels = None if labels is None else _labels(name, labels, len(x))
        classes = int(self.labels.max()) + 1 if self.labels is not None and classes is None else classes
        self.name, self.split, self.classes, self.info = name, split, classes, {} if info is None else info
        self.kinds = {"x": Points(2)}
        if classes is not None:
            self.kinds["labels"] = Class(classes)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, indices: Any) -> Batch:
        """A Batch of rows.   indices: integers (n,), a slice, or one integer (a batch of one)."""
        if isinstance(indices, int | np.integer):
            indices = [indices]
        return Batch(self.x[indices], None if self.labels is None else self.labels[indices])

    def __repr__(self) -> str:
        return f"ArrayDataset({self.name!r}, {self.split}, {len(self)} points, {self.classes} classes)"


def arrays(x, labels=None, *, test=None, name: str = "arrays") -> ImageDataset | ArrayDataset:
    """Make a data set of arrays.   It is the training split, and its attribute `test` is the test split.

    x: points (N, 2); or pictures (N, C, H, W), (N, H, W, C) or (N, H, W) that are uint8, or floats in [0, 1] or [-1, 1], which
    are rounded to 8 bits.   labels: whole numbers from 0, (N,).   test: the test split, x or (x, labels); by default one row in
    ten is held out.   Raises DataError for arrays that are none of these, or that could mean two of them.

    >>> arrays(np.zeros((50, 8, 8), np.uint8)).sample_shape
    (1, 8, 8)"""
    x, labels = _checked(name, x, labels)
    if test is None:
        out = held_out(len(x))
        parts = [(x[rows], None if labels is None else labels[rows]) for rows in (~out, out)]
    else:
        parts = [(x, labels), _checked(name, *(test if isinstance(test, tuple) else (test, None)))]
    classes = max((int(some.max()) + 1 for _, some in parts if some is not None and some.size), default=None)
    dataset: Any = _dataset(name, *parts[0], "train", {"source": "arrays"}, classes)
    if len(parts[1][0]):
        dataset.test = _dataset(name, *parts[1], "test", {"source": "arrays"}, classes)
    return dataset


def held_out(n: int) -> np.ndarray:
    """Which of n rows are the test split, bool (n,): about one in ten, spread evenly, and always the same rows.

    Row i is held out if the fractional part of i times the golden ratio is below 1/10.   At least one of two rows is."""
    fraction = (np.arange(n, dtype=np.uint64) * np.uint64(2654435769) & np.uint64(2**32 - 1)) / 2**32
    return (fraction < 0.1) & (n > 1)


def from_file(path: Path, split: str) -> ImageDataset | ArrayDataset | None:
    """Load one split of the arrays in a .npz or .npy file, or in a folder of such files.   None for a folder without any.

    The arrays are found by their names: images, points or x, and labels or y.   If the names have train and test in them
    (x_train, test_images, ...), these are the splits; otherwise one row in ten is the test split.   In a folder of .npy files
    the names are those of the files.   Nothing is unpickled.   Raises DataError for a damaged file and for unclear arrays."""
    members = _members(path)
    if not members:
        return None
    names = {name.lower(): name for name in members}
    splits = {part: (_named(names, X, part), _named(names, LABELS, part)) for part in ("", "train", "test")}
    both = splits["train"][0] and splits["test"][0]
    found = splits[split] if both else splits[""] if splits[""][0] else splits["train"]
    if not found[0] and len(members) == 1:
        found = (next(iter(members)), None)
    if not found[0]:
        raise DataError(
            f"{path}: none of its arrays ({printable(', '.join(sorted(members)))}) is called images, points or x; rename one"
        )
    x, labels = _checked(path, *(name and _array(members[name], name) for name in found))
    out = held_out(len(x)) if not both else np.full(len(x), split == "test")
    rows = out if split == "test" else ~out
    if not rows.any():
        raise DataError(f"{path}: has {len(x)} sample(s), which leaves none for the {split} split; add more")
    others = splits["train" if split == "test" else "test"][1] if both else None
    every = [some for some in (labels, _array(members[others], others) if others else None) if some is not None]
    info = {"source": str(path), "content": _content(members)}
    return _dataset(
        "folder",
        x[rows],
        None if labels is None else labels[rows],
        split,
        info,
        max((int(some.max()) + 1 for some in every), default=None),
    )


def samples(path, kind: Kind) -> tuple[np.ndarray, np.ndarray | None]:
    """The samples in a .npz or .npy file, as they are, and their labels (N,) or None.   kind: of the samples.

    The array of samples is called images, points or tokens, as the kind says, or x, samples, data, or it is the only one.
    Nothing is unpickled.   Raises DataError for a file that cannot be read, or has no such array."""
    path = Path(path).expanduser()
    if not path.is_file() or path.suffix.lower() not in (".npz", ".npy"):
        what = "is no file" if not path.is_file() else "is neither a .npz nor a .npy"
        raise DataError(f"{path}: {what}; give a file of samples, as `minigan sample RUN --npz FILE` writes it")
    members = _members(path)
    names = {name.lower(): name for name in members}
    name = _named(names, (kind.plural, "x", "samples", *X), "") or (next(iter(members)) if len(members) == 1 else None)
    if name is None:
        raise DataError(f"{path}: none of its arrays ({', '.join(sorted(members))}) is called {kind.plural}; rename one")
    labels = None if path.suffix.lower() == ".npy" else _named(names, LABELS, "")
    x, given = _array(members[name], name), None if labels is None else _array(members[labels], labels)
    if not x.ndim or (given is not None and not given.ndim):
        raise DataError(f"{path}: holds one value in the place of an array with a row for each sample")
    return x, given


def _dataset(name, x, labels, split, info, classes) -> ImageDataset | ArrayDataset:
    made = ArrayDataset if x.ndim == 2 else ImageDataset
    return made(name, x, labels, split, info, classes)


def _checked(name, x, labels) -> tuple[np.ndarray, np.ndarray | None]:
    """Return points (N, 2) or pictures uint8 (N, C, H, W), and labels int64 (N,) or None.   Raises DataError otherwise."""
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] != 2:
        x = _pictures(name, x)
    return x, None if labels is None else _labels(name, labels, len(x))


def _labels(name, labels, n: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape not in ((n,), (n, 1)) or labels.dtype.kind not in "iu" or (n and labels.min() < 0):
        raise DataError(
            f"{name}: {n} samples need as many labels, whole numbers from 0, got {labels.dtype} {labels.shape}"
            + (f" from {labels.min()}" if labels.size and labels.dtype.kind in "iuf" else "")
        )
    if n and labels.max() >= MOST_CLASSES:
        raise DataError(
            f"{name}: the largest label is {labels.max()}, and there are at most {MOST_CLASSES:,} classes; number "
            "them 0, 1, 2, ..."
        )
    return labels.reshape(-1).astype(np.int64)


def _pictures(name, x: np.ndarray) -> np.ndarray:
    """Pictures in any form that `arrays` takes, as uint8 (N, C, H, W)."""
    first, last = x.ndim == 4 and x.shape[1] in (1, 3), x.ndim == 4 and x.shape[3] in (1, 3)
    if x.ndim not in (3, 4) or 0 in x.shape or (x.ndim == 4 and not (first or last)):
        raise DataError(
            f"{name}: an array holds pictures (N, C, H, W), (N, H, W, C) or (N, H, W) with 1 or 3 channels, or "
            f"points (N, 2), got {x.shape}"
        )
    if first and last and x.shape[1] != x.shape[3]:
        raise DataError(f"{name}: the channels of {x.shape} may be axis 1 or axis 3; pass pictures that are larger than that")
    if x.ndim == 3:
        x = x[:, None]
    elif not first:
        x = x.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(x if x.dtype == np.uint8 else _bytes(name, x))


def _bytes(name, x: np.ndarray) -> np.ndarray:
    """Floats in [0, 1] or [-1, 1] as uint8.   Other floats, and those that could be meant either way, raise DataError."""
    if x.dtype.kind != "f":
        raise DataError(
            f"{name}: pictures are uint8, or floats in [0, 1] or [-1, 1], got {x.dtype}; use x.astype(np.uint8) if "
            "they go from 0 to 255"
        )
    low, high = float(x.min()), float(x.max())
    if not (low >= -1 and high <= 1):  # this refuses NaN too
        raise DataError(
            f"{name}: floats from {low:g} to {high:g}, and pictures of floats are in [0, 1] or [-1, 1]; if they go "
            "from 0 to 255, use x.round().astype(np.uint8)"
        )
    if -0.5 < low < 0 or high <= 0:
        raise DataError(
            f"{name}: floats from {low:g} to {high:g} may be meant for [0, 1] or [-1, 1]; clip them to [0, 1], or "
            "make them uint8"
        )
    return np.round((x + 1) * 127.5 if low < 0 else x * 255.0).astype(np.uint8)


# ---- files -----------------------------------------------------------------------------------------------------------


def _members(path: Path) -> dict[str, tuple[Path, str | None]]:
    """All arrays of a file or a folder: {name: (file, member of the .npz or None)}."""
    if path.is_dir():
        files = sorted(
            file for file in path.iterdir() if file.suffix.lower() in (".npy", ".npz") and not file.name.startswith(".")
        )
        packed = [file for file in files if file.suffix.lower() == ".npz"]
        if len(packed) > 1 or (packed and len(files) > 1):
            some = printable(", ".join(file.name for file in files[:4]))
            raise DataError(f"{path}: holds several files of arrays ({some}); give --data-dir the one that is meant")
        return _members(packed[0]) if packed else {file.stem: (file, None) for file in files}
    if path.suffix.lower() == ".npy":
        return {path.stem: (path, None)}
    try:
        with zipfile.ZipFile(path) as file:
            return {
                info.filename.removesuffix(".npy"): (path, info.filename)
                for info in file.infolist()
                if info.filename.endswith(".npy")
            }
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as .npz ({printable(str(error))}); write it again with np.savez") from error


def _named(names: Mapping[str, str], wanted, split: str) -> str | None:
    """The first of the wanted names that is among `names`, with the split before or after it; None if there is none."""
    ways = ("{word}_{split}", "{split}_{word}", "{split}-{word}", "{word}-{split}") if split else ("{word}",)
    spelled = [way.format(word=word, split=split) for word in wanted for way in ways]
    return next((names[text] for text in spelled if text in names), None)


def _array(member: tuple[Path, str | None], name: str) -> np.ndarray:
    """Read one array.   Its header is checked first: an array larger than MOST, or than its file, is not read."""
    path, inside = member
    try:
        if inside is None:
            with open(path, "rb") as file:
                return read_array(file, min(MOST, path.stat().st_size))
        with zipfile.ZipFile(path) as packed:
            check_ratio(packed.getinfo(inside))
            with packed.open(inside) as file:
                return read_array(file, min(MOST, packed.getinfo(inside).file_size))
    except ObjectsError as error:
        raise DataError(f"{path}: the array {printable(name)} {error}") from None
    except Exception as error:  # for a damaged file zipfile and NumPy may raise almost any error
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path}: the array {printable(name)} cannot be read ({printable(what)}); write it again with np.savez"
        ) from error


def _content(members) -> dict[str, Any]:
    """What a run remembers of the files: their number, their bytes, and a SHA-256 of all of them."""
    digest, files = hashlib.sha256(), sorted({path for path, _ in members.values()})
    for path in files:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files), "sha256": digest.hexdigest()}
