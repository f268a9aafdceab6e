"""The systems by name.  One file for each; `system(...)` enters it here, and there is no other list.

system      enter a system: its paper, what differs from its parent, its data, claims, and the function that builds its game
System      what was entered            Paper       where a system comes from
get         the system of a name, or of a file outside the package
systems     all of them         families    the same, grouped
"""

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from minigan import moved
from minigan.data.kinds import KINDS, Description, Kind, Pictures, Points
from minigan.errors import ConfigError, suggestion
from minigan.systems.claims import Claim
from minigan.train import settings as game_settings
from minigan.train.settings import RUN, Setting, merged


@dataclass(frozen=True)
class Paper:
    """Where a system comes from.   Paper("Gulrajani et al. 2017", arxiv="1704.00028", where="algorithm 1")"""

    authors: str
    arxiv: str = ""
    where: str = ""

    @property
    def year(self) -> str:
        """The last word of `authors`."""
        return self.authors.split()[-1]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.authors, self.arxiv and f"arXiv:{self.arxiv}", self.where) if part)


@dataclass
class System:
    """A generative system as its file declares it.   See `system` for the fields; make one with that."""

    name: str
    family: str
    doc: str
    file: str
    paper: Paper | None = None
    parent: str | None = None
    data: str | None = None
    learns: tuple[type[Kind], ...] = ()
    own: list[Setting] = field(default_factory=list)
    without: tuple[str, ...] = ()
    on: dict[str, dict] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    own_metrics: list = field(default_factory=list)
    tiny: dict = field(default_factory=dict)
    nets: Callable | None = None
    builder: Callable | None = None

    @property
    def outside(self) -> bool:
        """Is its file outside the package?"""
        return bool(self.file) and Path(__file__).parent not in Path(self.file).resolve().parents

    # ---- what a child has from its parent ------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The first line of the file's docstring, such as "WGAN-GP: a critic held to slope 1 by a penalty."."""
        return self.doc.strip().splitlines()[0]

    @cached_property
    def ancestor(self) -> "System | None":
        """The parent."""
        return get(self.parent) if self.parent else None

    @cached_property
    def settings(self) -> dict[str, Setting]:
        """Every setting by name: those of every run, the parent's, its own."""
        above = self.ancestor.settings if self.ancestor else RUN
        return merged({name: setting for name, setting in above.items() if name not in self.without}, self.own)

    @cached_property
    def default_data(self) -> str:
        """The data set that it is trained on unless told otherwise."""
        if not self.data and not self.ancestor:
            raise ConfigError(f"the system {self.name} names no data set; say system({self.name!r}, data=\"digits\", ...)")
        return self.data or self.ancestor.default_data  # type: ignore[union-attr]  # one of the two is there

    @cached_property
    def kinds(self) -> tuple[type[Kind], ...]:
        """The kinds of data that it learns."""
        return self.learns or (self.ancestor.kinds if self.ancestor else (Pictures, Points))

    @cached_property
    def defaults(self) -> dict[str, dict]:
        """The defaults that are others on a kind of data ("points") or on one data set ("grid25"), the parent's included.

        A setting that a child declares anew is that on all data, unless the child says otherwise here."""
        others = KINDS.keys() - {kind.word for kind in self.kinds}
        above = {k: v for k, v in self.ancestor.defaults.items() if k not in others} if self.ancestor else {}
        named = {*self.without, *(setting.name for setting in self.own)}
        kept = {where: {k: v for k, v in values.items() if k not in named} for where, values in above.items()}
        return {where: kept.get(where, {}) | self.on.get(where, {}) for where in {**kept, **self.on}}

    @cached_property
    def metrics(self) -> list:
        """What only this system and its parents can measure."""
        return [*(self.ancestor.metrics if self.ancestor else []), *self.own_metrics]

    @cached_property
    def smallest(self) -> dict:
        """Settings with which it is tested in a moment."""
        inherited = self.ancestor.smallest if self.ancestor else {}
        return {name: value for name, value in inherited.items() if name in self.settings} | self.tiny

    # ---- a game ------------------------------------------------------------------------------------------------------

    def configure(self, overrides: dict | None = None, data=None) -> SimpleNamespace:
        """The settings for these data, some replaced; "lr" stands for lr_d and lr_g, and so on.

        data: a data set or its Description; None: the defaults of no data in particular.   The default of `classes` is what
        the data have.   ConfigError for a setting that is unknown, of the wrong type or out of bounds, and for data of a
        kind that this system does not learn."""
        defaults = {}
        if data is not None:
            about = getattr(data, "description", data)
            self._accept(about)
            if "classes" in self.settings and about.classes:
                defaults["classes"] = about.classes
            defaults |= self.defaults.get(about.x.word, {}) | self.defaults.get(about.name, {})
        return game_settings.values(self.name, self.settings, defaults, overrides or {}, _elsewhere)

    @cached_property
    def game(self) -> tuple[Callable, Callable | None]:
        """(the function that builds the game, the one that makes its nets or None), its own or the parent's.

        ConfigError for a system that has neither a function nor a parent."""
        if self.builder:
            return self.builder, self.nets
        if not self.ancestor:
            raise ConfigError(f"the system {self.name} has neither a parent nor a function that builds its game; put "
                              f"@system({self.name!r}, ...) above one")
        build, nets = self.ancestor.game
        return build, self.nets or nets

    def build(self, settings: SimpleNamespace, data, **own):
        """The game.   settings: as `configure` gives them; data: a data set or its Description; own: nets of the user's, by
        the names that the game has for them.   ConfigError where they do not go together."""
        about = getattr(data, "description", data)
        self._accept(about)
        build, make = self.game
        if own and make is None:
            raise ConfigError(f"{self.name} makes its own nets and takes none; write a system of your own around "
                              f"{', '.join(own)}: `minigan train my_system.py`")
        game = build(settings, about) if make is None else build(settings, about, make(settings, about) | own)
        for name, net in own.items():
            if game.nets.get(name) is not net:
                raise ConfigError(f"{self.name} has no net {name!r}{suggestion(name, game.nets)}")
        return game

    def idle(self, settings: SimpleNamespace, given) -> list[str]:
        """A line for each of the settings given that change nothing beside the others."""
        return game_settings.idle(self.settings, settings, given)

    def _accept(self, about: Description) -> None:
        if isinstance(about.x, self.kinds):
            return
        fitting = [name for name, other in systems().items() if isinstance(about.x, other.kinds)]
        hint = f"use {' or '.join(fitting)}" if fitting else "no system here learns that"
        words = " or ".join(kind.word for kind in self.kinds)
        raise ConfigError(f"{self.name} learns {words}; {about.name} holds {about.x}: {hint}")


SYSTEMS: dict[str, System] = {}
F = TypeVar("F", bound=Callable)  # what builds a game: the decorator gives it back


def system(name: str, *, family: str = "", paper: Paper | None = None, parent: str | None = None, data: str | None = None,
           learns: Iterable[type[Kind]] = (), settings: Iterable[Setting] = (), without: Iterable[str] = (),
           on: Mapping[str, dict] | None = None, claims: Iterable[Claim] = (), metrics: Iterable[Any] = (),
           tiny: dict | None = None, nets: Callable | None = None) -> Callable[[F], F]:
    """Enter a system under a name.   As a decorator of build(settings, data) -> Game it also says how its game is built;
    without one, it is built as its parent is.   The first line of the module's docstring describes it.

    family      its group in `minigan list`; by default its folder
    paper       where it comes from
    parent      the system of which only the differences are stated here
    data        the data set it is trained on by default
    learns      the kinds of data it learns (data/kinds.py): by default pictures and points
    settings    its settings (train/settings.py), new ones or other defaults for the parent's
    without     names of the parent's settings that it has not
    on          {"points": {...}, "grid25": {...}}: defaults that are others on a kind of data or on one data set
    claims      what it reaches, with controls (claims.py)
    metrics     what only this system can measure
    tiny        settings with which it is tested in a moment
    nets        nets(settings, data) -> {name: Module}: what build(settings, data, nets) is given, unless the user brings others
    """
    module = sys._getframe(1).f_globals
    file = module.get("__file__", "")
    doc = module.get("__doc__") or f"{name}: a system of its own."
    entered = System(name, family or Path(file).parent.name, doc, file, paper, parent, data, tuple(learns), list(settings),
                     tuple(without), dict(on or {}), list(claims), list(metrics), dict(tiny or {}), nets)
    SYSTEMS[name] = entered

    def enter(build: F) -> F:
        entered.builder = build
        return build

    return enter


def systems() -> dict[str, System]:
    """All systems, by name."""
    for module in pkgutil.walk_packages([str(Path(__file__).parent)], f"{__package__}."):
        importlib.import_module(module.name)
    return dict(sorted(SYSTEMS.items()))


def families() -> dict[str, list[System]]:
    """All systems, grouped by family, each family in the order of the years."""
    groups: dict[str, list[System]] = {}
    for one in systems().values():
        groups.setdefault(one.family, []).append(one)
    return {family: sorted(members, key=lambda s: (s.paper.year if s.paper else "", s.name))
            for family, members in sorted(groups.items())}


def get(name: str) -> System:
    """The system of a name, or of a file that enters one: get("my_system.py").

    ConfigError, with the nearest name, if there is none.   An error in the file itself is raised as it is."""
    if str(name).endswith(".py"):
        return _from_file(Path(name).expanduser())
    if name in SYSTEMS:
        return SYSTEMS[name]
    known = systems()
    if name not in known:
        raise ConfigError(f"unknown system {name!r}{suggestion(name, known)}; `minigan list` describes them")
    return known[name]


def has(name: str, file: str) -> bool:
    """Has this process entered the system of that name from that file already?"""
    return name in SYSTEMS and bool(file) and Path(SYSTEMS[name].file) == Path(file)


def _from_file(path: Path) -> System:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; give a Python file that enters a system, or a name from `minigan list`")
    path = path.resolve()
    module_name = f"minigan_system_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    before = dict(SYSTEMS)
    spec: Any = importlib.util.spec_from_file_location(module_name, path)
    module = sys.modules[module_name] = importlib.util.module_from_spec(spec)  # known by name: dataclasses look there
    spec.loader.exec_module(module)
    entered = [one for one in SYSTEMS.values() if one.file and Path(one.file) == path]
    if len(entered) != 1:
        SYSTEMS.clear()
        SYSTEMS.update(before)
        raise ConfigError(f"{path}: enters {len(entered)} systems; it must call minigan.systems.system(...) once")
    if before.get(entered[0].name, entered[0]).file != entered[0].file:
        SYSTEMS.clear()
        SYSTEMS.update(before)
        raise ConfigError(f"{path}: enters the system {entered[0].name!r}, and there is one of that name already; "
                          "choose another")
    return entered[0]


def _elsewhere(name):
    """Which systems have a setting that this one has not; "" if none has."""
    owners = [other.name for other in systems().values() if name in other.settings]
    return f": it is a setting of {', '.join(owners)}; `minigan show {owners[0]}` explains it" if owners else ""


moved.guard(__name__)
