"""output_file     check the name of an output file before any work is done
tell            print a line while work goes on"""

import contextlib
from pathlib import Path

from minigan.errors import ConfigError


def output_file(path, *suffixes):
    """Return `path` as a Path.   Raises ConfigError if it does not end in one of the suffixes, is a folder, or if its folder
    does not exist."""
    path = Path(path)
    named = " or ".join(f"*{suffix}" for suffix in suffixes)
    if path.suffix not in suffixes:
        raise ConfigError(f"{path}: does not end in {' or '.join(suffixes)}; name the file {named}")
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; give the name of a file {named}")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: its folder does not exist; create it first")
    return path


def tell(text: str) -> None:
    """Print a line at once.   If nobody can read it, the work goes on; `main` tells of a full disk at the end."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)
