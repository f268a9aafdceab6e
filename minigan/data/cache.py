"""The cache folder, which keeps drawn and downloaded data.  A file appears there complete or not at all.

folder   $MINIGAN_CACHE or ~/.cache/minigan      write    write a temporary file beside the target, then rename it
save     write arrays with their SHA-256         read     read them; None if the file is missing or damaged
Elsewhere: what is cached and how it is checked (digits.py, mnist.py).  Those files catch OSError and continue without a
cache."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .. import paths, serialize
from ..errors import CheckpointError
from ..serialize import check_ratio, read_array


def folder() -> Path:
    """$MINIGAN_CACHE if it is set, otherwise ~/.cache/minigan; the folder may not exist yet.   Raises OSError when the variable
    is not set and there is no home folder."""
    if given := os.environ.get("MINIGAN_CACHE"):
        return paths.path(given, "$MINIGAN_CACHE", OSError)
    try:
        return Path.home() / ".cache" / "minigan"
    except RuntimeError as error:
        raise OSError("no home folder, and $MINIGAN_CACHE is not set") from error


def write(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Create or replace `path` with what fill(file) writes.   Raises OSError when this is impossible; then no file is left.

    Each process writes its own temporary file, and the rename is atomic: if two processes write, the last one wins, and a
    reader always sees one complete file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with serialize.replacing(path) as file:
            fill(file)
    except CheckpointError as error:
        raise error.__cause__ if isinstance(error.__cause__, OSError) else OSError(str(error)) from error


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays and their SHA-256 to an .npz file.   Raises OSError when this is impossible."""
    write(path, lambda file: np.savez(file, sha256=np.array(_digest(arrays)), **arrays))


def read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays in a file that `save` wrote, or None when it is missing or damaged."""
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as saved:
            for info in saved.infolist():
                check_ratio(info)
                with saved.open(info) as file:
                    arrays[info.filename.removesuffix(".npy")] = read_array(file, info.file_size)
        return arrays if str(arrays.pop("sha256")) == _digest(arrays) else None
    except Exception:  # for a damaged header NumPy may raise almost any error, even MemoryError
        return None


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of the names, dtypes, shapes and bytes."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
