"""The settings of a system: each is described once, beside the code that reads it.

Setting     a name with its default, type, bounds or choices, a line of text, and the paper's value
merged      a child's settings over its parent's       values       every setting with its value, some given by a user
RUN         the settings that every run has, whatever its system
The error messages at --set, `minigan show SYSTEM`, the report's table and docs/systems.md all come from these descriptions.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from numbers import Number
from types import SimpleNamespace
from typing import Any

from minigan.errors import ConfigError, choose, suggestion
from minigan.schema import NAME, Truth, Whole
from minigan.schema import Number as Real

# A setting cannot have these names: they are keys of a run's config.toml, or arguments of minigan.runs.train.
TAKEN = (
    "system",
    "seed",
    "data",
    "data_dir",
    "data_options",
    "data_content",
    "own_data",
    "device",
    "sample_shape",
    "fields",
    "file",
    "own_nets",
    "earlier",
    "seconds",
    "out",
    "quiet",
)
LARGEST = 10**9 - 1  # the greatest value of any number: a larger one is probably a typing error


@dataclass(frozen=True)
class Setting:
    """One setting.   Setting("clip", 0.0, "D's weights are clipped to [-clip, clip]", paper=0.01, where="algorithm 1")

    name        the name that --set takes
    default     its value if the user gives none: a bool, int, float or str.  All other values have the same type
    says        what it does, in one line
    least, most   bounds that are allowed values;   above, below   bounds that are not.   If none is given, a whole number
                is at least 1, and any other number is at least 0
    choices     the allowed words: a collection of names, or a dict whose keys are the names
    depends     (another setting's name, a function of its value): does this setting change anything then?
    of_data     a function of the data's Description that gives the default for these data, or None for the usual one
    paper       the value in the system's paper;   where   its place in the paper, such as "section 4"

    A child system's setting takes from its parent's what it leaves out, but never paper and where: the child has another
    paper.  Nor of_data: the default that a child states holds on all data.
    """

    name: str
    default: bool | int | float | str
    says: str = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    choices: Collection[str] | None = None
    depends: tuple[str, Callable[[Any], bool]] | None = None
    of_data: Callable[[Any], Any] | None = None
    paper: bool | int | float | str | None = None
    where: str = ""

    def over(self, parent: "Setting") -> "Setting":
        """This setting, with everything that it leaves out taken from the parent's.   ConfigError if the types differ."""
        if type(self.default) is not type(parent.default):
            raise ConfigError(
                f"setting {self.name} is {type(parent.default).__name__} in the parent system, and "
                f"{type(self.default).__name__} here; give a default of the parent's type"
            )
        kept = {
            key: getattr(parent, key)
            for key in ("least", "most", "above", "below", "choices", "depends")
            if getattr(self, key) is None
        }
        return replace(self, says=self.says or parent.says, **kept)

    def check_default(self) -> None:
        """Raise ConfigError if the default has no type that a setting can have."""
        if type(self.default) not in _TYPES:
            raise ConfigError(f"setting {self.name} has the default {self.default!r}; give a number, a word, True or False")

    @property
    def kind(self) -> type:
        """The type of the values."""
        return type(self.default)

    def read(self, value, name=None):
        """A value, perhaps a string from the command line, converted to the type of the default.

        name: the name that the user wrote.   ConfigError if the value cannot be converted, is out of bounds, or is not one of
        the choices."""
        name = name or self.name
        try:
            if not isinstance(value, str | Number) or (isinstance(value, bool) and self.kind in (int, float)):
                raise TypeError
            result = _TYPES[self.kind](value)
        except (ValueError, TypeError, KeyError, OverflowError):
            words = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
            raise ConfigError(
                f"setting {name} must be {words[self.kind]} such as {word(self.default)}, got {value!r}"
            ) from None
        if self.choices is not None:
            choose(name.removesuffix("_d").removesuffix("_g"), result, dict.fromkeys(self.choices))
        elif self.kind in (int, float):
            least, most = self.bounds
            inside = least <= result <= most if self.above is None else self.above < result <= most  # also refuses NaN
            if not inside or (self.below is not None and result >= self.below):
                raise ConfigError(f"setting {name} must be {self.range}, got {value}")
        return result

    @property
    def stored(self):
        """The field (schema.py) of its values in a file."""
        if self.kind in (int, float):
            return (Whole if self.kind is int else Real)(*self.bounds)
        return Truth() if self.kind is bool else NAME

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest allowed value of a number."""
        least = self.least if self.least is not None else int(self.kind is int)
        return least, self.most if self.most is not None else LARGEST

    @property
    def range(self) -> str:
        """The allowed values in words: "from 1 to 1024", "true or false", or the choices."""
        if self.choices is not None:
            return ", ".join(self.choices)
        if self.kind in (bool, str):
            return "true or false" if self.kind is bool else "a word"
        least, most = self.bounds
        low = f"from {least:g}" if self.above is None else f"above {self.above:g}"
        return f"{low} to {most}" if self.below is None else f"{low} and below {self.below:g}"


def _whole(value):
    if float(value) != int(float(value)):  # 1e3 is a whole number too
        raise ValueError
    return int(float(value))


def _truth(value):
    return {"true": True, "false": False}[str(value).lower()]


_TYPES = {int: _whole, float: float, bool: _truth, str: str}


def word(value) -> str:
    """A value in the spelling of --set and of the report: true, 0.5, adam."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def merged(parent: dict[str, Setting], own: Iterable[Setting]) -> dict[str, Setting]:
    """The parent's settings by name, with the child's in their places; the child's new settings come last."""
    settings = dict(parent)
    for setting in own:
        settings[setting.name] = setting.over(settings[setting.name]) if setting.name in settings else setting
    return settings


def meant(settings: dict[str, Setting]) -> dict[str, list[str]]:
    """Each name that a user may write, with the settings that it stands for: "lr" means both lr_d and lr_g, if both exist."""
    stems = {name[:-2] for name in settings if name.endswith("_d") and f"{name[:-2]}_g" in settings}
    return {stem: [f"{stem}_d", f"{stem}_g"] for stem in stems} | {name: [name] for name in settings}


def values(
    system: str, settings: dict[str, Setting], defaults: dict, given: dict, elsewhere=lambda name, cutoff: ""
) -> SimpleNamespace:
    """Every setting with its value, from `given`, else from `defaults`, else its own default.

    ConfigError for a value that does not fit, and for an unknown name; the message has the nearest name, and
    elsewhere(name, cutoff), which tells of other systems' settings that are so much alike."""
    found = {name: setting.default for name, setting in settings.items()}
    found.update({name: settings[name].read(value) for name, value in defaults.items()})
    names = meant(settings)
    for name, value in given.items():
        if name not in names:
            hint, plain = suggestion(str(name), names), str(name).replace("-", "_").lower()
            near = "did you mean" in hint
            other = "" if plain in (own.lower() for own in names) else elsewhere(name, 1.0 if near else 0.6)
            raise ConfigError(f"{system} has no setting {name!r}{other}{hint if near or not other else ''}")
        for full in names[name]:
            found[full] = settings[full].read(value, name)
    return SimpleNamespace(**found)


def idle(settings: dict[str, Setting], values: SimpleNamespace, given: Iterable[str]) -> list[str]:
    """A line for each given setting that changes nothing, because of the values of other settings."""
    lines, names = [], meant(settings)
    for name in given:
        for setting in (settings[full] for full in names[name]):
            if setting.depends is None:
                continue
            other, used = setting.depends
            found = {k: v for k, v in vars(values).items() if k in (other, f"{other}_d", f"{other}_g")}
            if found and not any(map(used, found.values())):
                lines.append(
                    f"{name}={word(getattr(values, setting.name))}: changes nothing with "
                    f"{', '.join(f'{k}={word(v)}' for k, v in found.items())}"
                )
    return sorted(set(lines))


def needed(setting: Setting, settings: dict[str, Setting]) -> str:
    """The condition under which a setting has an effect, in words: "with schedule=plateau"; "" if it always has one."""
    if setting.depends is None:
        return ""
    other, used = setting.depends
    of = next((settings[name] for name in (other, f"{other}_d") if name in settings), None)
    if of is None:
        return ""
    if of.choices is None:
        return f"with {other} above 0"
    yes, no = [c for c in of.choices if used(c)], [c for c in of.choices if not used(c)]
    return f"with {other}={' or '.join(yes)}" if len(yes) <= len(no) else f"unless {other}={' or '.join(no)}"


def _scheduled(name):
    return name != "none"


def _plateau(name):
    return name == "plateau"


# runs/ reads these.  A system may give them other defaults.
RUN = {
    setting.name: setting
    for setting in (
        Setting("steps", 1000, "iterations of the game"),
        Setting("batch_size", 64, "samples in a batch", most=100_000),
        Setting("log_every", 10, "steps from one line of log.jsonl to the next"),
        Setting("sample_every", 100, "steps from one picture of samples to the next"),
        Setting("checkpoint_every", 250, "steps from one checkpoint to the next"),
        Setting(
            "metrics", "none", "metrics to measure during training: names from `minigan list metrics` with commas, or default"
        ),
        Setting("metrics_every", 500, "steps from one measurement to the next"),
        Setting(
            "schedule",
            "none",
            "how all learning rates change over the run",
            choices=("none", "linear", "cosine", "exponential", "step", "plateau"),
        ),
        Setting(
            "final_lr",
            0.01,
            "the share of a learning rate that is left at the end of the run",
            most=1,
            depends=("schedule", _scheduled),
        ),
        Setting(
            "monitor",
            "loss",
            "the number that must improve, or the rates fall: a metric, or a player's name for its loss",
            depends=("schedule", _plateau),
        ),
        Setting(
            "patience",
            5,
            "looks at the monitor without improvement before the rates fall",
            least=0,
            depends=("schedule", _plateau),
        ),
        Setting("factor", 0.5, "factor by which the rates fall on a plateau", above=0, below=1, depends=("schedule", _plateau)),
        Setting(
            "capture",
            False,
            "record one iteration, and repeat it without its Python: on a GPU as a CUDA graph, on the CPU for small nets",
        ),
    )
}
