"""`cifar10`: 32x32 colour photographs of 10 kinds of things, read from the files of its binary version.

load    one split as an ImageDataset        fetch, verify    check that the files are there and complete
Elsewhere: data sets in general (base.py), IDX files (mnist.py)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from .. import paths
from ..errors import DataError
from . import cache
from .base import ImageDataset, whole

FILES = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
FOLDER = "cifar-10-batches-bin"  # inside the published archive
PUBLISHER = "https://www.cs.toronto.edu/~kriz/cifar.html (the binary version, cifar-10-binary.tar.gz)"
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (3, 32, 32)
ROW = 1 + 3 * 32 * 32  # bytes of a picture: its label, then red, green and blue


def load(split: str = "train", data_dir=None, size: int | None = None) -> ImageDataset:
    """Load one split: images (N, 3, 32, 32) uint8 and labels (N,) int64.   size: keep only the first `size` of them.

    If data_dir is given, it and its subfolders cifar10 and cifar-10-batches-bin are searched; otherwise $MINIGAN_DATA and the
    cache are.   Nothing is downloaded.   info: `source`, and the `names` of the classes.
    Raises DataError when a file is missing, is too short or has a label above 9; ConfigError when size is not from 1 to N.
    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images"."""
    folder = _folder(data_dir)
    rows = np.concatenate([read(folder / file) for file in FILES[split]])
    if size is not None:
        whole("size", size, f"cifar10 ({split})", most=len(rows))
    rows = rows[:size]
    return ImageDataset(
        "cifar10",
        rows[:, 1:].reshape(-1, *SHAPE),
        rows[:, 0],
        split,
        {"source": str(folder), "names": NAMES},
        classes=len(NAMES),
    )


def read(path: Path) -> np.ndarray:
    """The rows of a file, uint8 (N, 3073); each begins with its label.   Raises DataError when it is missing or damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"cifar10: {path} is missing; get it from {PUBLISHER}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); name a file that can") from error
    if not content or len(content) % ROW:
        raise DataError(f"{path}: has {len(content)} bytes, which are not pictures of {ROW} bytes each; get the file again")
    rows = np.frombuffer(content, np.uint8).reshape(-1, ROW)
    if rows[:, 0].max() >= len(NAMES):
        raise DataError(f"{path}: has the label {rows[:, 0].max()}, and those of CIFAR-10 end at 9; get the file again")
    return rows


def fetch() -> list[tuple[str, str]]:
    """Return (file, status) for each of the six files.   Raises DataError, with the address, when one is missing."""
    report = verify()
    bad = [f"{file}: {status}" for file, status in report if not status.startswith("ok")]
    if bad:
        raise DataError(
            f"cifar10: minigan does not download it; {bad[0]}.\nGet it from {PUBLISHER}, unpack it, and use "
            "--data-dir DIR or set $MINIGAN_DATA"
        )
    return report


def verify(data_dir=None) -> list[tuple[str, str]]:
    """Return (file, status) for each of the six files; a file whose status starts with "ok" can be used."""
    folder, report = _folder(data_dir), []
    for file in (*FILES["train"], *FILES["test"]):
        try:
            status = f"ok: {len(read(folder / file))} pictures, not checked: no published SHA-256 is known here"
        except DataError as error:
            status = f"damaged: {error}" if (folder / file).exists() else "missing"
        report.append((str(folder / file), status))
    return report


def _folder(data_dir) -> Path:
    """The first folder that holds one of the files, or else the first that was searched.   Raises DataError when data_dir is
    not a folder."""
    if data_dir is not None:
        root = paths.path(data_dir, "data_dir", DataError)
        if not root.is_dir():
            wrong = "is not a folder" if root.exists() else "does not exist"
            raise DataError(f"cifar10: the data folder {root} {wrong}; give --data-dir the folder with {FILES['train'][0]}")
        folders = [root, root / FOLDER, root / "cifar10", root / "cifar10" / FOLDER]
    else:
        given, folders = os.environ.get("MINIGAN_DATA"), []
        if given:
            folders = [
                paths.path(given, "$MINIGAN_DATA", DataError) / inside for inside in ("cifar10", f"cifar10/{FOLDER}", FOLDER)
            ]
        try:
            folders += [cache.folder() / "cifar10", cache.folder() / "cifar10" / FOLDER]
        except OSError as error:
            if not folders:
                raise DataError(f"cifar10: no folder to look in ({error}); use --data-dir DIR") from error
    everything = {file for files in FILES.values() for file in files}
    return next((folder for folder in folders if any((folder / file).is_file() for file in everything)), folders[0])
