"""The systems by name.  One file per system; `@recipe` enters its build function here.

recipe      decorator: name, default data set, settings with their defaults           get     the recipe of a name
COMMON      the settings that every system has besides its own                        recipes all of them
typed       a value as the command line gives it, in the type of a setting      idle    settings that change nothing
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from minigan.data import TokenDataset
from minigan.errors import ConfigError, suggestion

COMMON = {
    "log_every": 10, "sample_every": 100, "checkpoint_every": 250,  # in steps
    "metrics": "none",      # to be logged every metrics_every steps: names with commas between them, or default
    "metrics_every": 500,
    "schedule": "none",     # of all learning rates: linear, cosine, exponential, step, plateau (train/hooks.py)
    "final_lr": 0.01,       # the part of a learning rate that is left at the end
    "monitor": "loss",      # plateau: what has to get better, a metric or a player's loss
    "patience": 5,          # plateau: how many looks it may take for that
    "factor": 0.5,          # plateau: what a learning rate is multiplied by
    "capture": False,       # on a GPU: record an iteration and launch it again, instead of playing it (train/capture.py)
}
LEAST = {"patience": 0}  # of other whole numbers 1
# Beyond these a typing error is likelier than a wish, and the machine would run out of memory, not say so.
MOST = {"batch_size": 100_000, "latent": 10_000, "channels": 1024, "width": 10_000, "importance": 1000}


@dataclass(frozen=True)
class Recipe:
    """How to build a system.

    build(settings, sample_shape) -> Game.  settings: every setting with its default, whose type --set keeps.  Those every
    system declares: steps (iterations), batch_size.  points: the defaults that are others for points of the plane;
    on: those that are others for one data set, by its name.   data: default data set.   summary: a line for `minigan list`.
    """

    name: str
    build: Callable
    data: str
    settings: dict
    summary: str
    points: dict = field(default_factory=dict)
    on: dict[str, dict] = field(default_factory=dict)

    def configure(self, overrides: dict | None = None, sample_shape=None) -> SimpleNamespace:
        """The settings for samples of this shape and COMMON, some replaced; "lr" stands for lr_d and lr_g, and so on.

        ConfigError for a setting that is unknown, or of the wrong type or range."""
        own = self.settings | (self.points if sample_shape == (2,) else {})
        settings = {**self.settings, **COMMON, **own}
        stems = {key[:-2] for key in settings if key.endswith("_d")}
        meant = {stem: [stem + "_d", stem + "_g"] for stem in stems} | {key: [key] for key in settings}
        for key, value in (overrides or {}).items():
            if key not in meant:
                raise ConfigError(f"{self.name} has no setting {key!r}{_elsewhere(key, suggestion(key, meant))}")
            for name in meant[key]:
                settings[name] = typed(key, value, settings[name])
        return SimpleNamespace(**settings)

    def fit(self, dataset, overrides: dict | None = None) -> SimpleNamespace:
        """The settings for a data set (data.load), some replaced; the default of `classes` is what the data have.

        ConfigError as configure's, and for data of a kind that this system does not learn."""
        shape = tuple(dataset.sample_shape)
        if dataset.name != self.data and isinstance(dataset, TokenDataset):
            raise ConfigError(f"{self.name} learns pictures and points; {dataset.name} holds sequences of tokens, use seqgan")
        if dataset.name != self.data and len(shape) == 3 and shape[0] == 2:
            raise ConfigError(f"{self.name} learns pictures of one kind; {dataset.name} holds two kinds, use cyclegan")
        classes = {"classes": dataset.classes} if "classes" in self.settings and dataset.classes else {}
        return self.configure(classes | self.on.get(dataset.name, {}) | (overrides or {}), shape)


def _adam(name):
    return name == "adam" or name.startswith("coordinate")


# setting: the other setting on which it depends whether this one is looked at, and for which values it is.
DEPENDS = {"penalty_weight": ("penalty", lambda name: name != "none"), "final_lr": ("schedule", lambda name: name != "none"),
           **dict.fromkeys(("beta1", "beta2"), ("optimizer", _adam)),
           **dict.fromkeys(("monitor", "patience", "factor"), ("schedule", lambda name: name == "plateau"))}


def idle(settings: SimpleNamespace, given: dict) -> list[str]:
    """A line for each of the settings given that change nothing beside the others."""
    lines = []
    for key in DEPENDS.keys() & given.keys():
        other, used = DEPENDS[key]
        found = {k: v for k, v in vars(settings).items() if k in (other, f"{other}_d", f"{other}_g")}
        if found and not any(map(used, found.values())):
            lines.append(f"{key}={given[key]}: changes nothing with {', '.join(f'{k}={v}' for k, v in found.items())}")
    return sorted(lines)


def _elsewhere(key, hint):
    """The hint for an unknown setting; which systems have it, where the hint knows no near name."""
    owners = [name for name, other in recipes().items() if key in other.settings]
    if not owners or "did you mean" in hint:
        return hint
    return f": it is a setting of {', '.join(owners)}; `minigan list systems` shows those of each"


def typed(key, value, default):
    """value, perhaps a string from the command line, in the type of the default.  ConfigError if it has none of that type,
    or a number is negative, not finite, 0 where something is counted, or beyond all use."""
    kind = type(default)
    try:
        result = _TYPES[kind](value)
    except (ValueError, TypeError, KeyError, OverflowError):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
        raise ConfigError(f"setting {key} must be {words[kind]} such as {_word(default)}, got {value!r}") from None
    least, most = LEAST.get(key, int(kind is int)), MOST.get(key, 10**9 - 1)
    if kind in (int, float) and not least <= result <= most:  # "not" also refuses NaN
        raise ConfigError(f"setting {key} must be from {least} to {most}, got {value}")
    return result


def _whole(value):
    if float(value) != int(float(value)):  # 1e3 is a whole number too
        raise ValueError
    return int(float(value))


def _truth(value):
    return {"true": True, "false": False}[str(value).lower()]


_TYPES = {int: _whole, float: float, bool: _truth, str: str}


def _word(default):
    return str(default).lower() if isinstance(default, bool) else default


RECIPES: dict[str, Recipe] = {}


def recipe(name: str, data: Any = "digits", points: Any = None, on: Any = None, **settings):
    """Enter build(settings, sample_shape) -> Game under a name; the first line of its module's docstring describes it."""

    def enter(build):
        doc = importlib.import_module(build.__module__).__doc__
        RECIPES[name] = Recipe(name, build, data, settings, doc.splitlines()[0], points or {}, on or {})
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
