"""The systems by name.  Each has a file that calls `system(...)`, which enters it here; there is no other list.

system      enter a system: its paper, what differs from its parent, its data, claims, and the function that builds its game
System      an entered system           Paper       the source of a system
get         the system of that name, or of a file outside the package
systems     all systems         families    all systems, grouped
"""

import ast
import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import keyword
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from minigan import data as data_sets
from minigan import moved, paths
from minigan.data.kinds import KINDS, Description, Kind, Pair, Pictures, Points
from minigan.errors import ConfigError, suggestion
from minigan.metrics.metric import Metric
from minigan.nn import Module
from minigan.systems.claims import Claim
from minigan.train import settings as game_settings
from minigan.train.settings import RUN, TAKEN, Setting, meant, merged


@dataclass(frozen=True)
class Paper:
    """The source of a system.   Paper("Gulrajani et al. 2017", arxiv="1704.00028", where="algorithm 1")"""

    authors: str
    arxiv: str = ""
    where: str = ""

    @property
    def year(self) -> str:
        """The year, which is the last word of `authors`."""
        return self.authors.split()[-1]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.authors, self.arxiv and f"arXiv:{self.arxiv}", self.where) if part)


@dataclass
class System:
    """A generative system as its file declares it.   `system` makes one, and explains the fields."""

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
        """Was it entered outside the package, by a file or in a session?"""
        return not self.file or Path(__file__).parent not in Path(self.file).resolve().parents

    @property
    def place(self) -> str:
        """Its file as an error message names it."""
        return self.file or "this session"

    def check(self) -> None:
        """Raise ConfigError, which names the system, for a declaration that does not fit the parent, the data or itself."""
        try:
            self._check_types()
            self._check_parent()
            self._check_settings()
        except ConfigError as error:
            raise ConfigError(f"the system {self.name}: {error}") from None

    def _check_types(self):
        for word, values, kind in (
            ("settings", self.own, Setting),
            ("claims", self.claims, Claim),
            ("metrics", self.own_metrics, Metric),
            ("paper", [self.paper or Paper("")], Paper),
        ):
            for value in values:
                if not isinstance(value, kind):
                    raise ConfigError(f"{word} has {value!r}, which is no {kind.__name__}; write {kind.__name__}(...)")
        if self.nets is not None and not callable(self.nets):
            raise ConfigError(f"nets is {self.nets!r}; give a function nets(settings, data) -> {{name: Module}}")
        for kind in self.learns:
            if not (isinstance(kind, type) and issubclass(kind, Kind)):
                raise ConfigError(
                    f"learns has {kind!r}, which is no kind of data; name classes of minigan.data.kinds, such as "
                    "learns=[Points]"
                )

    def _check_parent(self):
        above = self
        while above.parent:
            if above.parent == self.name:
                raise ConfigError(f"parent={self.parent!r} leads back to {self.name}; name another parent")
            above = get(above.parent)
        inherited = self.ancestor.settings if self.ancestor else {}
        for name in self.without:
            if name not in inherited or name in RUN:
                raise ConfigError(
                    f"without has {name!r}, which is no setting of the parent's own"
                    f"{suggestion(str(name), inherited.keys() - RUN.keys())}"
                )

    def _check_settings(self):
        for setting in self.own:
            name = setting.name
            if name in TAKEN or not str(name).isidentifier() or keyword.iskeyword(name):
                why = "which every run has already" if name in TAKEN else "which is no Python name"
                raise ConfigError(f"a setting has the name {name!r}, {why}; choose another name")
            setting.check_default()
        for setting in self.own:
            whole = self.settings[setting.name]
            if not whole.says:
                raise ConfigError(
                    f"setting {setting.name} has no text; say in a line what it does, Setting({setting.name!r}, "
                    f'{setting.default!r}, "...")'
                )
            whole.read(whole.default)
        places = [*(kind.word for kind in self.kinds), *data_sets.names()]
        for where, values in self.on.items():
            near = difflib.get_close_matches(str(where), places, n=1, cutoff=0.8)
            # A data set of the user's own may have any name, such as my-digits, so only a typing error can be told.
            if where in KINDS.keys() - set(places) or (where not in places and near and near[0] not in where):
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(places)}"
                raise ConfigError(f"on has {where!r}, which is neither a kind of data that it learns nor a data set{hint}")
            self._check_values(f"on={{{where!r}: ...}}", values, {name: [name] for name in self.settings})
        self._check_values("tiny", self.tiny, meant(self.settings))

    def _check_values(self, where, values, names):
        for name, value in values.items():
            if name not in names:
                raise ConfigError(f"{where} has {name!r}, which is no setting of this system{suggestion(str(name), names)}")
            for full in names[name]:
                try:
                    self.settings[full].read(value, name)
                except ConfigError as error:
                    raise ConfigError(f"{where}: {error}") from None

    # ---- what a child inherits from its parent -------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The first line of the file's docstring, such as "GAN: two multilayer perceptrons play the non-saturating game."."""
        return self.doc.strip().splitlines()[0]

    @property
    def ancestor(self) -> "System | None":
        """The parent system, or None."""
        return get(self.parent) if self.parent else None

    @property
    def settings(self) -> dict[str, Setting]:
        """Every setting by name: the settings of every run, the parent's, and its own."""
        above = self.ancestor.settings if self.ancestor else RUN
        return merged({name: setting for name, setting in above.items() if name not in self.without}, self.own)

    @property
    def default_data(self) -> str:
        """The data set that it is trained on if the user names none."""
        if not self.data and not self.ancestor:
            raise ConfigError(f'the system {self.name} names no data set; say system({self.name!r}, data="digits", ...)')
        return self.data or self.ancestor.default_data  # type: ignore[union-attr]  # one of the two is there

    @property
    def kinds(self) -> tuple[type[Kind], ...]:
        """The kinds of data that it can learn."""
        return self.learns or (self.ancestor.kinds if self.ancestor else (Pictures, Points))

    @property
    def defaults(self) -> dict[str, dict]:
        """Other defaults for a kind of data ("points") or for one data set ("grid25"), including the parent's.

        If a child declares a setting again, its default holds on all data, and the parent's entries here no longer count."""
        others = KINDS.keys() - {kind.word for kind in self.kinds}
        above = {k: v for k, v in self.ancestor.defaults.items() if k not in others} if self.ancestor else {}
        named = {*self.without, *(setting.name for setting in self.own)}
        kept = {where: {k: v for k, v in values.items() if k not in named} for where, values in above.items()}
        return {where: kept.get(where, {}) | self.on.get(where, {}) for where in {**kept, **self.on}}

    @property
    def metrics(self) -> list:
        """The metrics that only this system and its parents can measure."""
        return [*(self.ancestor.metrics if self.ancestor else []), *self.own_metrics]

    @property
    def smallest(self) -> dict:
        """Settings for tests: with them it trains in a moment."""
        inherited = self.ancestor.smallest if self.ancestor else {}
        return {name: value for name, value in inherited.items() if name in self.settings} | self.tiny

    # ---- a game ------------------------------------------------------------------------------------------------------

    def configure(self, overrides: dict | None = None, data=None) -> SimpleNamespace:
        """The settings for these data, with the overrides in their places; "lr" stands for both lr_d and lr_g.

        data: a data set or its Description; None: the defaults that hold without data.   ConfigError for a
        setting that is unknown, of the wrong type or out of bounds, and for data of a kind that this system does not learn."""
        defaults = {}
        if data is not None:
            about = getattr(data, "description", data)
            self._accept(about)
            found = {name: setting.of_data(about) for name, setting in self.settings.items() if setting.of_data}
            defaults |= {name: value for name, value in found.items() if value is not None}
            defaults |= self.defaults.get(about.x.word, {}) | self.defaults.get(about.name, {})
        return game_settings.values(self.name, self.settings, defaults, overrides or {}, _elsewhere)

    @property
    def game(self) -> tuple[Callable, Callable | None]:
        """(the function that builds the game, the one that makes its nets or None), its own or the parent's.

        ConfigError for a system that has neither a function nor a parent."""
        if self.builder:
            return self.builder, self.nets
        if not self.ancestor:
            raise ConfigError(
                f"the system {self.name} has neither a parent nor a function that builds its game; put "
                f"@system({self.name!r}, ...) above one"
            )
        build, nets = self.ancestor.game
        return build, self.nets or nets

    def build(self, settings: SimpleNamespace, data, **own):
        """The game.   settings: from `configure`; data: a data set or its Description; own: the user's own nets, by the names
        that the game gives them.   ConfigError if these do not fit together."""
        about = getattr(data, "description", data)
        self._accept(about)
        build, make = self.game
        if own and make is None:
            raise ConfigError(
                f"{self.name} makes its own nets and takes none; to use {', '.join(own)}, write a system of your "
                "own and run `minigan train my_system.py`"
            )
        own = own_nets(own)
        game = build(settings, about) if make is None else build(settings, about, make(settings, about) | own)
        for name, net in own.items():
            if game.nets.get(name) is not net:
                raise ConfigError(f"{self.name} has no net {name!r}{suggestion(name, game.nets)}")
        return game

    def idle(self, settings: SimpleNamespace, given) -> list[str]:
        """A line for each given setting that changes nothing, because of the values of other settings."""
        return game_settings.idle(self.settings, settings, given)

    def _accept(self, about: Description) -> None:
        if isinstance(about.x, self.kinds):
            return
        fitting = [name for name, other in systems().items() if isinstance(about.x, other.kinds)]
        hint = f"use {' or '.join(fitting)}" if fitting else "no system here learns that"
        if about.name == "folder" and isinstance(about.x, Pictures) and Pair in self.kinds:
            hint = "name two of its sub-folders as the domains, --set domains=horses,zebras"
        words = " or ".join(kind.word for kind in self.kinds)
        raise ConfigError(f"{self.name} learns {words}; {about.name} holds {about.x}: {hint}")


SYSTEMS: dict[str, System] = {}
F = TypeVar("F", bound=Callable)  # what builds a game: the decorator gives it back


def system(
    name: str,
    *,
    family: str = "",
    paper: Paper | None = None,
    parent: str | None = None,
    data: str | None = None,
    learns: Iterable[type[Kind]] = (),
    settings: Iterable[Setting] = (),
    without: Iterable[str] = (),
    on: Mapping[str, dict] | None = None,
    claims: Iterable[Claim] = (),
    metrics: Iterable[Any] = (),
    tiny: dict | None = None,
    nets: Callable | None = None,
) -> Callable[[F], F]:
    """Enter a system under a name.   Use it as a decorator of build(settings, data) -> Game, which builds the system's game;
    without one, the parent's function builds it.   The first line of the module's docstring describes the system.

    family      its group in `minigan list`; by default its folder
    paper       the paper that it comes from
    parent      another system; this call states only the differences from it
    data        the data set that it is trained on by default
    learns      the kinds of data that it can learn (data/kinds.py); by default the parent's, else pictures and points
    settings    its settings (train/settings.py): new ones, and other defaults for the parent's
    without     names of the parent's settings that this system does not have
    on          {"points": {...}, "grid25": {...}}: other defaults for a kind of data or for one data set
    claims      what it reaches, with controls (claims.py)
    metrics     metrics that only this system can measure
    tiny        settings for tests: with them it trains in a moment
    nets        nets(settings, data) -> {name: Module}: the nets for build(settings, data, nets); users can replace them

    ConfigError for a declaration that does not fit itself, its parent or the data, and for the name of another file's system.
    To enter a system again, from the same file or in the same session, replaces it.
    """
    module = sys._getframe(1).f_globals
    file = module.get("__file__", "")
    doc = (module.get("__doc__") or _written(file)).strip() if file else ""  # a notebook has a docstring of its own
    group = family or (Path(file).parent.name if file else "your own")
    entered = System(
        name,
        group,
        doc or f"{name}: a system of its own.",
        file,
        paper,
        parent,
        data,
        tuple(learns),
        list(settings),
        tuple(without),
        dict(on or {}),
        list(claims),
        list(metrics),
        dict(tiny or {}),
        nets,
    )
    if str(parent).endswith(".py"):
        entered.parent = get(str(parent)).name
    if entered.outside:  # a test checks those of the package; here they may not all be loaded yet
        same = systems().get(name)
        if same and not has(name, file):
            raise ConfigError(
                f"{entered.place}: enters the system {name!r}, but there is one of that name already, from "
                f"{same.place}; choose another name"
            )
        entered.check()
    SYSTEMS[name] = entered

    def enter(build: F) -> F:
        entered.builder = build
        return build

    return enter


def _written(file) -> str:
    """The docstring of a file; `python -OO` does not keep it."""
    with contextlib.suppress(OSError, ValueError, SyntaxError):
        return ast.get_docstring(ast.parse(Path(file).read_bytes())) or ""
    return ""


def systems() -> dict[str, System]:
    """All systems, by name."""
    for module in pkgutil.walk_packages([str(Path(__file__).parent)], f"{__package__}."):
        importlib.import_module(module.name)
    return dict(sorted(SYSTEMS.items()))


def families() -> dict[str, list[System]]:
    """All systems, grouped by family; a family is sorted by year."""
    groups: dict[str, list[System]] = {}
    for one in systems().values():
        groups.setdefault(one.family, []).append(one)
    return {
        family: sorted(members, key=lambda s: (s.paper.year if s.paper else "", s.name))
        for family, members in sorted(groups.items())
    }


def get(name: str) -> System:
    """The system of that name, or of a file that enters one: get("my_system.py").

    ConfigError, with the nearest name, if there is none.   An error that the file itself raises is passed on."""
    if str(name).endswith(".py"):
        return _from_file(paths.path(name, "the system"))
    if name in SYSTEMS:
        return SYSTEMS[name]
    known = systems()
    if name not in known:
        raise ConfigError(f"unknown system {name!r}{suggestion(name, known)}; `minigan list` describes them")
    return known[name]


def has(name: str, file: str) -> bool:
    """Has this process already entered the system of that name from that file?"""
    return name in SYSTEMS and Path(SYSTEMS[name].file) == Path(file)


def own_nets(nets) -> dict[str, Module]:
    """The user's own nets by name.   ConfigError unless each name has a network, and each another one."""
    if not isinstance(nets, Mapping):
        raise ConfigError(f'nets is a {type(nets).__name__}; give each network its name, such as nets={{"G": my_G}}')
    for name, net in nets.items():
        if not isinstance(net, Module):
            what = (
                f"the class {net.__name__}; make a network of it"
                if isinstance(net, type)
                else (f"a {type(net).__name__}, not a network; give an nn.Module")
            )
            raise ConfigError(f"nets: {name} is {what}, such as nn.Linear(2, 1)")
    for (one, net), (other, same) in combinations(nets.items(), 2):
        if net is same:
            raise ConfigError(f"nets: {one} and {other} are the same network; make one for each")
    return dict(nets)


def _from_file(path: Path) -> System:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; give a Python file that enters a system, or a name from `minigan list`")
    path = path.resolve()
    module_name = f"minigan_system_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    before = dict(SYSTEMS)
    for name in [name for name, one in before.items() if one.file and Path(one.file) == path]:
        del SYSTEMS[name]  # the file may have given its system another name since
    spec: Any = importlib.util.spec_from_file_location(module_name, path)
    module = sys.modules[module_name] = importlib.util.module_from_spec(spec)  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
        entered = [one for one in SYSTEMS.values() if one.file and Path(one.file) == path]
        if len(entered) != 1:
            raise ConfigError(f"{path}: enters {len(entered)} systems; it must call minigan.systems.system(...) once")
    except BaseException:
        SYSTEMS.clear()
        SYSTEMS.update(before)
        raise
    return entered[0]


def _elsewhere(name, cutoff):
    """A hint that names the systems that have this setting; "" if none has it.   cutoff: how alike the names must be; 1: equal
    but for capitals and dashes."""
    owners: dict[str, list[str]] = {}
    for system in systems().values():
        for setting in meant(system.settings):
            owners.setdefault(setting, []).append(system.name)
    plain = {setting.replace("_", "-").lower(): setting for setting in owners}
    near = difflib.get_close_matches(str(name).replace("_", "-").lower(), plain, n=1, cutoff=cutoff)
    if not near:
        return ""
    found = plain[near[0]]
    return (
        f": {'it' if found == name else repr(found)} is a setting of {', '.join(owners[found])}; "
        f"`minigan show {owners[found][0]}` explains it"
    )


moved.guard(__name__)
