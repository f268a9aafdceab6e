"""Where drawn and downloaded data are kept between runs, and how a file appears there whole or not at all.

folder   $MINIGAN_CACHE or ~/.cache/minigan      write    a temporary file beside the target, then a rename
Elsewhere: what is kept and how it is checked (digits.py, mnist.py); they catch OSError and go on without a cache."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


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
