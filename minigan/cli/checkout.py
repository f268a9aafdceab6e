"""find: look for something that is in the repository but not in the installed package, such as the lessons."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigan.errors import ConfigError


def find(name: str, file: str, look: Callable[[Path], Any]) -> Any:
    """Return what look(folder) finds in the folder `name` beside the package (in a checkout), or else in ./name.

    file: a file of minigan/cli/.   look: returns something false if the folder does not have it, or does not exist.
    Raises ConfigError, with both places, if neither has it."""
    places = [Path(file).resolve().parents[2] / name, Path.cwd() / name]
    for place in places:
        if found := look(place):
            return found
    raise ConfigError(
        f"cannot find the {name}: they are in the repository, not in the installed package; get minigan's "
        f"repository and run this command in its folder (minigan looked in {places[0]} and {places[1]})"
    )
