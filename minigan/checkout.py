"""find: look for something that is in the repository beside the package, such as the benchmarks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigan.errors import ConfigError

PACKAGE = Path(__file__).resolve().parent


def find(name: str, look: Callable[[Path], Any]) -> Any:
    """Return what look(folder) finds in the folder `name` beside the package (in a checkout), in the package (an installed one
    has the lessons), or in the current folder.

    look: returns something false if the folder does not have it, or does not exist.
    Raises ConfigError, with the places, if none has it."""
    places = [PACKAGE.parent / name, PACKAGE / name, Path.cwd() / name]
    for place in places:
        if found := look(place):
            return found
    raise ConfigError(
        f"cannot find the {name}: they are in the repository, not in the installed package; get minigan's "
        f"repository and run this command in its folder (minigan looked in {places[0]} and {places[-1]})"
    )
