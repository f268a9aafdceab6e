"""find: look for something that is in the repository beside the package, such as the benchmarks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigan.errors import ConfigError


def find(name: str, file: str, look: Callable[[Path], Any]) -> Any:
    """Return what look(folder) finds in the folder `name` beside the package (in a checkout), in the package (an installed one
    has the lessons), or in the current folder.

    file: a file of minigan/cli/.   look: returns something false if the folder does not have it, or does not exist.
    Raises ConfigError, with the places, if none has it."""
    package = Path(file).resolve().parents[1]
    places = [package.parent / name, package / name, Path.cwd() / name]
    for place in places:
        if found := look(place):
            return found
    raise ConfigError(
        f"cannot find the {name}: they are in the repository, not in the installed package; get minigan's "
        f"repository and run this command in its folder (minigan looked in {places[0]} and {places[-1]})"
    )
