"""Where drawn and downloaded data are kept between runs, and how a file appears there whole or not at all.

folder   $MINIGAN_CACHE or ~/.cache/minigan      write    a temporary file beside the target, then a rename
save     arrays with their SHA-256               read     them back, or None where the file is not as it was written
Elsewhere: what is kept and how it is checked (digits.py, mnist.py); they catch OSError and go on without a cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


def folder() -> Path:
    """$MINIGAN_CACHE, else ~/.cache/minigan; it need not exist yet.  OSError when there is no home folder either."""
    if given := os.environ.get("MINIGAN_CACHE"):
        return Path(given).expanduser()
    try:
        return Path.home() / ".cache" / "minigan"
    except RuntimeError as error:
        raise OSError("no home folder, and $MINIGAN_CACHE is not set") from error


def write(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Create or replace `path` with what fill(file) writes.  OSError when that cannot be; then nothing is left behind.

    Each process writes its own temporary file and the rename is atomic: of two writers the last one wins, and a reader
    sees one whole file or the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
        os.chmod(temporary, 0o644)     # mkstemp says 0600, but a cache may be shared
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays and their SHA-256 as npz.  OSError when that is impossible."""
    write(path, lambda file: np.savez(file, sha256=np.array(_digest(arrays)), **arrays))


def read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a file of `save`, in their order; None when it is missing or damaged."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files if name != "sha256"}
            return arrays if _digest(arrays) == str(saved["sha256"]) else None
    except Exception:                  # a damaged header makes NumPy raise nearly anything, MemoryError included
        return None


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
