"""The start of a run: everything that can be refused is refused here, before there is a folder.

checked     what a user asked for -> a Start: the config of a new run, and the data set that it was checked with
read        what the config of a run means now -> Setup
Elsewhere: the objects of a run in progress (session.py), its folder (folder.py), the text of a config (config.py).
"""

import copy
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from minigan import backend, data, paths
from minigan.data.base import whole
from minigan.errors import CheckpointError, ConfigError, MiniganError, NotFiniteError
from minigan.grad_mode import no_grad
from minigan.metrics.metric import Evidence
from minigan.runs import capture, evaluation, hooks
from minigan.runs.changes import may_change
from minigan.runs.config import fields
from minigan.runs.feed import Feed
from minigan.schema import PLAIN, Misfit, Record
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.systems.parts import convolutions
from minigan.train.adversarial import AdversarialStep
from minigan.train.game import Stages, play
from minigan.train.settings import meant

# ---- a new run -------------------------------------------------------------------------------------------------------


@dataclass
class Start:
    """A run that may be started.   system: its name.   config: for config.toml.   nets: the user's own networks.   dataset:
    loaded.   given: the data set, if it has no name by which `data.load` finds it; otherwise None."""

    system: str
    config: dict[str, Any]
    nets: dict[str, Any]
    dataset: Any
    given: Any


def checked(system: str, data_name=None, data_dir=None, seed=0, device="cpu", overrides=None, nets=None) -> Start:
    """Check what a user asked for; the arguments are those of Session.start, which names the errors.

    A game is built from the settings, takes a step, and is thrown away: so a run that cannot take its first step leaves no
    folder.  The run builds its own game, from the same seed; a step taken back could leave something behind."""
    made_by, nets = registry.get(system), registry.own_nets({} if nets is None else nets)
    given: Any = None if data_name is None or isinstance(data_name, str) else data_name
    data_name = data_name if given is None else given.name
    data_name = data_name or made_by.default_data
    options, overrides = data.take_options(data_name, overrides or {}, made_by.settings)
    made_by.configure(overrides)  # called here for its errors, before any data are downloaded
    whole("seed", seed, least=0, most=2**63 - 1)
    device = backend.pick_device(device)
    if given is not None and (options or data_dir):
        raise ConfigError(f"{data_name}: was given as a data set, so leave {', '.join(options) or 'data_dir'} out")
    dataset = data.load(data_name, data_dir=data_dir, options=options) if given is None else given
    if given is not None and "recipe" in given.info and given.split == "train":  # data.folder made it: it has a name
        given, (data_dir, options) = None, given.info["recipe"].values()
    settings = made_by.configure(overrides, dataset)
    batch = next(data.Loader(dataset, settings.batch_size, 0))  # raises if the batch size does not fit the data
    with using(Streams(seed)):
        game = made_by.build(settings, dataset, **copy.deepcopy(nets)).to(device)  # raises if the data do not fit the system
    game.check(batch)  # raises if the labels do not fit
    if hasattr(game.latent, "unseen"):  # samples are made of pictures of the test split
        if given is not None and (given.test is None or given.test.kinds["x"] != given.kinds["x"]):
            raise ConfigError(
                f"{made_by.name} makes samples of pictures of the test split; give {data_name} one of "
                f"{dataset.kinds['x']}, as its attribute `test`"
            )
        game.latent.unseen = lambda: dataset
    if nets or made_by.outside:
        _try(made_by, settings, game, dataset.description, batch, nets)
    if settings.capture:
        capture.refuse(game, settings.schedule)
    hooks.Schedule.of(settings, made_by, game, dataset)
    metrics = evaluation.logged(settings, made_by, game, dataset)
    _step(game, dataset, settings, seed, device, nets)
    _measure(metrics, settings, game, dataset, partial(split, "test", data_name, given, data_dir, options))
    for line in made_by.idle(settings, overrides or {}):
        warnings.warn(line, stacklevel=3)
    folder = (
        "" if data_dir is None else str(paths.path(data_dir, "data_dir").absolute())
    )  # `resume` may be called from elsewhere
    config = {
        "data": data_name,
        "data_dir": folder,
        "sample_shape": list(dataset.sample_shape),
        "device": device,
        **({"file": made_by.file} if made_by.outside else {}),
        **({"own_nets": list(nets)} if nets else {}),
        **({} if given is None else {"own_data": True}),
        **vars(settings),
        "fields": dataset.description.words(),
        **({"data_options": options} if options else {}),
        **({"data_content": content} if (content := data.content(dataset, given is not None)) else {}),
    }
    return Start(made_by.name, config, nets, dataset, given)


def _try(system, settings, game, about, batch, nets) -> None:
    """Draw two samples, and let D judge a batch if it is the user's own.   It uses no random stream of the run, and no net
    remembers it.

    nets: the user's own.   ConfigError unless a sample has the shape of the data's, and D gives as many logits as the system's
    own D."""
    labels = None if game.classes is None else np.arange(2) % game.classes
    try:
        with using(Streams(0)), no_grad():
            found, wanted = game.sample(game.latent(2, np.random.default_rng(0)), labels).shape, (2, *about.shape)
            if found != wanted:
                raise ConfigError(f"{system.name} on {about.name}: two samples have the shape {found}; they must have {wanted}")
            if "D" in nets and issubclass(game.step, AdversarialStep):
                step = game.step(game, game.players[0], batch, Streams(0).on(game.device))
                own = system.game[1](settings, about)["D"].to(game.device)
                found, wanted = (step.score(step.x, D).shape for D in (copy.deepcopy(game.nets["D"]), own))
                if found != wanted:
                    raise ConfigError(f"for {len(batch.x)} samples D gives logits of the shape {found}; it must give {wanted}")
    except MiniganError as error:
        if not nets:
            raise
        raise ConfigError(f"nets: {' and '.join(nets)} cannot be used here: {error}") from error


def _step(game, dataset, settings, seed, device, nets) -> None:
    """Let the game take the first step of each of its stages.   Raises what the run's own first step would raise; but one that
    diverges is no fault of what was asked for, and is for the run to tell."""
    streams = Streams(seed)
    loader: Any = data.Loader(dataset, settings.batch_size, streams("data"))
    if device != "cpu":
        loader = Feed(loader, device, game.check)
    for stage in [stage for _, stage in game.stages] if isinstance(game, Stages) else [game]:
        try:
            with using(streams):
                play(stage, loader, streams, 0.0)
        except NotFiniteError:
            return
        except MiniganError as error:
            if not nets:
                raise
            raise ConfigError(f"nets: {' and '.join(nets)} cannot be used here: {error}") from error


def split(which, name, given, data_dir, options):
    """A split of the data set that was given, or load it by its name.   ConfigError if what was given has none."""
    if given is None:
        return data.load(name, which, data_dir=data_dir, options=options)
    found = given if which == "train" else given.test
    if found is None:
        raise ConfigError(f"{name}: this data set has no {which} split; set its attribute `{which}` to one")
    return found


FEW = 5000  # with fewer real samples a metric is tried before the run, because it may not be possible


def _measure(metrics, settings, game, dataset, load_test) -> None:
    """Raise ConfigError if one of the metrics that a run shall measure cannot be had with its data: too few, or all equal.

    The samples that each is tried with are real ones.   `metrics=default` asks for none by its name."""
    if settings.metrics.strip() == "default":
        metrics = [metric for metric in metrics if settings.schedule == "plateau" and metric.match(settings.monitor)]
    for metric in metrics:
        test = None if metric.least else load_test()
        rows: Any = dataset if metric.least else test
        if not hasattr(rows, "__len__") or len(rows) >= FEW:
            continue
        try:
            with using(Streams(0)), np.errstate(all="ignore"):
                if metric.least:
                    samples = dataset[np.arange(metric.least) % len(dataset)].x
                    found = Evidence(samples, dataset).measure(metric)
                else:
                    found = metric(game, test, Streams(0)("metrics"))
        except NotFiniteError:
            continue  # the game has not learnt anything yet
        except MiniganError as error:
            raise ConfigError(f"metric {metric.name} cannot be measured on {dataset.name}: {error}; leave it out") from error
        if not any(np.isfinite(value) for value in found.values()):
            raise ConfigError(
                f"metric {metric.name} gives no number on {dataset.name}, which has {len(rows)} samples; leave it out"
            )


# ---- a run that exists -----------------------------------------------------------------------------------------------


@dataclass
class Setup:
    """What the config of a run means now.   system: a System; settings: every setting, by its name; description: of the data.
    The other fields are the keys of the config."""

    system: Any
    settings: SimpleNamespace
    description: data.Description
    data: str
    data_dir: str | None
    data_options: dict
    data_content: dict | None
    sample_shape: tuple
    device: str
    own_data: bool
    own_nets: set


def read(run) -> Setup:
    """The Setup of a run.   Raises CheckpointError when this minigan cannot use its config.   No network is built here, so an
    error in the code of a system is never reported as an error in the file."""
    try:
        config, _ = dict(run.config), Streams(int(run.seed))
        name, data_dir = config.pop("data"), config.pop("data_dir", None) or None
        description = data.Description(name, fields(run.config))
        sample_shape, device = tuple(config.pop("sample_shape")), config.pop("device")
        file = config.pop("file", None)  # "" for a system of a notebook
        data_options, data_content = config.pop("data_options", {}), config.pop("data_content", None)
        own_data, own_nets = config.pop("own_data", False), set(config.pop("own_nets", []))
        config.pop("fields", None), config.pop("earlier", None)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _foreign(run, error) from error
    system = _system(run, file)
    if (
        "smallest" in system.settings and len(sample_shape) == 3
    ):  # folders of minigan 0.1 do not have it; only even sides were halved
        config.setdefault("smallest", min(convolutions.levels(1, *sample_shape[1:])[1]))
    try:
        known = system.settings
        Record(may={name: known[name].stored for name in config if name in known}, others=PLAIN).check(config, "config")
        settings = system.configure(config, description)
    except (Misfit, ConfigError) as error:
        if system.outside:
            raise CheckpointError(
                f"{run.folder}: {system.place}, which defines its system, has changed: {error}; "
                "undo the change, or start a new run"
            ) from error
        raise _foreign(run, error) from error
    return Setup(
        system, settings, description, name, data_dir, data_options, data_content, sample_shape, device, own_data, own_nets
    )


def changes(run, overrides: dict, data_dir, first: bool) -> dict[str, Any]:
    """Put what a user changes into the config of a run that exists, in memory, and return it: {key: value}.

    first: has nothing been trained yet?   Then every setting may change, otherwise those of changes.py.   Raises ConfigError
    for others, and for values that cannot be."""
    found = {} if data_dir is None else {"data_dir": str(paths.path(data_dir, "data_dir").absolute())}
    if overrides:
        system = read(run).system
        system.configure(overrides)  # called here for its errors
        names = meant(system.settings)
        for name, value in overrides.items():
            for full in names[name]:
                found[full] = system.settings[full].read(value, name)
                if not (first or may_change(full) or found[full] == run.config.get(full)):
                    raise ConfigError(
                        f"{name} cannot change during a run (learning rates, steps and every-so-many can); start a new one: "
                        f"minigan train {run.config.get('file') or run.system} --set {name}={value}"
                    )
    if found:
        run.config.update(found)
    return found


def _system(run, file):
    """The System of a run.   file: where it was defined; None for one of minigan's, "" for one of a notebook."""
    if file and not Path(file).is_file():
        raise CheckpointError(
            f"{run.folder}: its system is defined in {file}, which does not exist; put the file back, or "
            "write its new path into config.toml, as `file`"
        )
    if file == "" and not registry.has(run.system, file):
        raise CheckpointError(
            f"{run.folder}: its system {run.system} was entered in a notebook or a session, and has no "
            "file; enter it again, then open the run there with minigan.runs.open(path)"
        )
    if file and not registry.has(run.system, file):
        system = registry.get(file)
    else:
        try:
            system = registry.get(run.system)
        except ConfigError as error:
            raise _foreign(run, error) from error
    if system.name != run.system:
        raise CheckpointError(
            f"{run.folder}: is a run of the system {run.system}, and {file} now enters "
            f"{system.name}; give the system its old name again"
        )
    return system


def _foreign(run, error):
    """The CheckpointError for a config.toml that this version of minigan cannot use."""
    what = f"{error} is missing" if isinstance(error, KeyError) else error
    return CheckpointError(
        f"{run.folder / 'config.toml'}: does not describe a run of this minigan: {what}; restore it from a "
        "copy, or start a new run"
    )
