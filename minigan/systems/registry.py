"""The systems by name.  One file per system; `@recipe` enters its build function here.

recipe      decorator: name, default data set, settings with their defaults           get     the recipe of a name
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

from minigan.errors import ConfigError, suggestion


@dataclass(frozen=True)
class Recipe:
    """How to build a system.

    build(settings, sample_shape) -> Game.  settings: every setting with its default, whose type --set keeps.  Those every
    system has: steps (iterations), batch_size.  data: default data set.  summary: one line for `minigan list`.
    """

    name: str
    build: Callable
    data: str
    settings: dict
    summary: str

    def configure(self, overrides: dict | None = None) -> SimpleNamespace:
        """The settings with some replaced; ConfigError for one that is unknown, or of the wrong type or range."""
        settings = dict(self.settings)
        for key, value in (overrides or {}).items():
            if key not in settings:
                raise ConfigError(f"{self.name} has no setting {key!r}{suggestion(key, settings)}")
            settings[key] = typed(key, value, settings[key])
        return SimpleNamespace(**settings)


def typed(key, value, default):
    """value, perhaps a string from the command line, in the type of the default."""
    kind = type(default)
    try:
        if kind is bool:
            if str(value).lower() not in ("true", "false"):
                raise ValueError
            return str(value).lower() == "true"
        if kind is int and float(value) != int(float(value)):
            raise ValueError
        typed = int(float(value)) if kind is int else kind(value)
    except (ValueError, OverflowError):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
        raise ConfigError(f"setting {key} must be {words[kind]}, got {value!r}") from None
    if kind in (int, float) and not (0 <= typed < 1e9):  # also refuses NaN; no setting here has a use for more
        raise ConfigError(f"setting {key} must be a number from 0 to 1e9, got {value}")
    if kind is int and typed < 1:
        raise ConfigError(f"setting {key} must be at least 1, got {value}")
    return typed


RECIPES: dict[str, Recipe] = {}


def recipe(name: str, data: str = "digits", **settings):
    """Enter build(settings, sample_shape) -> Game under a name; the first line of its module's docstring describes it."""

    def enter(build):
        doc = importlib.import_module(build.__module__).__doc__
        RECIPES[name] = Recipe(name, build, data, settings, doc.splitlines()[0])
        return build

    return enter


def recipes() -> dict[str, Recipe]:
    """All systems, by name."""
    import minigan.systems as package

    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "registry":
            importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(RECIPES.items()))


def get(name: str) -> Recipe:
    """The recipe of a system; ConfigError, with the nearest name, if there is none."""
    known = recipes()
    if name not in known:
        raise ConfigError(f"unknown system {name!r}{suggestion(name, known)}; `minigan list systems` describes them")
    return known[name]
