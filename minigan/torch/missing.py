"""A name of PyTorch that is not here: one line that says so, and what there is instead.

missing_from    a module says `__getattr__ = missing_from(__name__)`        said_once    a note on stderr, the first time only
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from minigan.errors import MissingImport, MissingName, suggestion

# What to use instead, where no name is near.
INSTEAD = {
    "Conv3d": "minigan has Conv1d and Conv2d",
    "ConvTranspose3d": "minigan has ConvTranspose1d and ConvTranspose2d",
    "BatchNorm3d": "minigan has BatchNorm1d and BatchNorm2d",
}


def told(module: str, name: str) -> str:
    """The line for a name that this module of the package does not have."""
    theirs = module.removeprefix("minigan.torch." if ".torchvision" in module else "minigan.")
    known = [word for word in vars(sys.modules[module]) if not word.startswith("_")] if module in sys.modules else []
    near = suggestion(name, known) if known else ""
    near = "" if near.startswith("; known") else near  # a list of a hundred names helps nobody
    return f"{theirs}.{name} is not in minigan.torch" + (f": {INSTEAD[name]}" if name in INSTEAD else near)


def missing_from(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module of this package."""

    # `from module import name` hides an AttributeError.  If the module has a path, Python then asks the Finder.
    vars(sys.modules[module]).setdefault("__path__", [])

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingName(told(module, name))

    return __getattr__


class Finder:
    """The last entry of sys.meta_path: it raises MissingImport for what is not in this package, and finds nothing else."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """See importlib.abc.MetaPathFinder."""
        module, _, last = name.rpartition(".")
        if module.startswith("minigan.torch") and not last.startswith("__"):
            raise MissingImport(told(module, last), name=name)


sys.meta_path.append(Finder)

_said: set = set()


def said_once(text: str) -> None:
    """Write a line to stderr, the first time only."""
    if text not in _said:
        _said.add(text)
        print(f"minigan.torch: {text}", file=sys.stderr)
