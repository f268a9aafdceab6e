"""Names that have moved: who asks for one where it used to be is told where it is now, and gets nothing else.

MOVED       old dotted name -> new dotted name, of a module or of something in one
guard       a module that has lost a name, or a package that has lost a module, calls guard(__name__) and then answers for it
refuse      the error itself, for a module that has a __getattr__ of its own
A module that is gone has nobody to answer for it: `Finder` does, whom Python asks after all other finders.
"""

import sys
from functools import partial

from minigan.errors import MovedError

MOVED: dict[str, str] = {
    # "minigan.backend.Streams": "minigan.streams.Streams",
    # "minigan.train.session": "minigan.runs.session",
}


def refuse(module: str, name: str):
    """Raise what a module answers to a name that it does not have: MovedError if it had it once, else AttributeError."""
    old = f"{module}.{name}"
    if old in MOVED:
        raise MovedError(f"{old} has moved: it is {MOVED[old]} now")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def guard(module: str) -> None:
    """Let this module, which is being imported, answer for the names that it had once."""
    # Not written as `def __getattr__` in the module: a type checker would then believe that it has every name.
    vars(sys.modules[module])["__getattr__"] = partial(refuse, module)


class Finder:
    """The last of sys.meta_path: MovedError for a module of ours that has moved, silence for every other."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """See importlib.abc.MetaPathFinder."""
        if name in MOVED:
            raise MovedError(f"{name} has moved: it is {MOVED[name]} now")


sys.meta_path.append(Finder)
