"""A run in progress: its data, game, random streams and run folder, from the first step to the last.

Session.start     a new run            Session.open      an existing run, at a checkpoint
train             the loop around game.play: hooks, log, checkpoints, progress, Ctrl-C and SIGTERM
sample, evaluate  draw samples, and measure how good they are
Elsewhere: what happens in one iteration (game.py), what happens every n iterations (hooks.py), the files (folder.py).

A session that is killed and opened again ends with the same bits as one that was never killed: a checkpoint holds the
weights, the optimizers' state, every random stream and the position in the data.  Each session has its own streams, so
several sessions in one process do not affect each other.
"""

import contextlib
import copy
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minigan import backend, data, viz
from minigan.data.base import whole
from minigan.data.kinds import Points, Tokens
from minigan.errors import CheckpointError, ConfigError, DeviceError, MiniganError, NotFiniteError
from minigan.grad_mode import no_grad
from minigan.kernels.threads import suit
from minigan.metrics import Metric
from minigan.nn import Conv2d, ConvTranspose2d
from minigan.runs import capture, evaluation, hooks, report
from minigan.runs.capture import Captured
from minigan.runs.feed import Feed
from minigan.runs.folder import Run, fields, step_of
from minigan.runs.hooks import Every
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.train.adversarial import AdversarialStep
from minigan.train.game import play
from minigan.train.settings import LARGEST


def _foreign(run, error):
    """The CheckpointError for a config.toml that this version of minigan cannot use."""
    what = f"{error} is missing" if isinstance(error, KeyError) else error
    return CheckpointError(
        f"{run.folder / 'config.toml'}: does not describe a run of this minigan: {what}; restore it from a "
        "copy, or start a new run"
    )


def check_limits(steps=None, seconds=None) -> None:
    """Raise ConfigError unless training can end at these limits.   None: no limit."""
    if steps is not None:
        whole("steps", steps, least=0, most=LARGEST)
    number = isinstance(seconds, int | float | np.number) and not isinstance(seconds, bool)
    if seconds is not None and not (number and seconds > 0):
        raise ConfigError(f"seconds must be a number above 0, got {seconds!r}")


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


class Session:
    """The objects of one run.  Create it with `Session.start` or `Session.open`.

    run             the run folder (a Run)          settings        every setting, by its name
    game            the networks and their players  system          the System that built the game
    step            iterations done so far          losses          of the last iteration whose losses were read
    streams         random streams of the loader and of the game's turns
    layer_streams   random streams of the layers, such as dropout
    description     the name of the data set and the kind of each field; it comes from the config, so no data are loaded
    dataset, loader, hooks      made by `attach`, which `train` calls when needed; you may append to the list `hooks`
    given           the data set, if it was given as an object that `data.load` does not know by name; otherwise None
    stopped         the number of the signal that ended `train`, 0 if there was none

        run = Session.start("gan", "ring8", overrides={"steps": 300})
        run.train()
        run.sample(64).shape == (64, 2)
    """

    def __init__(self, run: Run, device=None, nets=None, given=None):
        self.run, self.step, self.stopped, self.given = run, 0, 0, given
        self.accept_changed_data, self._new_content = False, None
        self._read_config(run)
        self.device, nets = device or self.device, registry.own_nets({} if nets is None else nets)
        missing = sorted(self.own_nets - set(nets))
        if missing:
            raise CheckpointError(
                f"{run.folder}: was started with nets of its author's, {', '.join(missing)}; open it in "
                "Python with minigan.runs.open(path, nets={...})"
            )
        self.layer_streams = Streams(run.seed)
        with using(self.layer_streams):
            self.game = self.system.build(self.settings, self.description, **nets).to(self.device)
        if hasattr(self.game.latent, "unseen"):
            self.game.latent.unseen = self.test_dataset
        self.schedule = hooks.Schedule.of(self.settings, self.system, self.game, self.description)
        self.captured = Captured(self.game) if self.settings.capture and self.device != "cpu" else None
        self.losses, self.seconds = {}, run.seconds().get(0, 0.0)
        self.dataset: Any = None
        self.loader: Any = None
        self._loader_state = self._test = None
        self.hooks = []

    def _read_config(self, run):
        """Read config.toml.   Raises CheckpointError when this minigan cannot use it.   No network is built here, so an error
        in the code of a system is never reported as an error in the file."""
        try:
            config, seed = dict(run.config), int(run.seed)
            self.streams = Streams(seed)
            self.data_name, self.data_dir = config.pop("data"), config.pop("data_dir", None) or None
            self.description = data.Description(self.data_name, fields(run.config))
            self.sample_shape, self.device = tuple(config.pop("sample_shape")), config.pop("device")
            file = config.pop("file", None)  # "" for a system of a notebook
            self.data_options, self.data_content = config.pop("data_options", {}), config.pop("data_content", None)
            self.own_data, self.own_nets = config.pop("own_data", False), set(config.pop("own_nets", []))
            config.pop("fields", None)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _foreign(run, error) from error
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
            self.system = registry.get(file)
        else:
            try:
                self.system = registry.get(run.system)
            except ConfigError as error:
                raise _foreign(run, error) from error
        if self.system.name != run.system:
            raise CheckpointError(
                f"{run.folder}: is a run of the system {run.system}, and {file} now enters "
                f"{self.system.name}; give the system its old name again"
            )
        try:
            self.settings = self.system.configure(config, self.description)
        except ConfigError as error:
            if self.system.outside:
                raise CheckpointError(
                    f"{run.folder}: {self.system.place}, which defines its system, has changed: {error}; "
                    "undo the change, or start a new run"
                ) from error
            raise _foreign(run, error) from error

    @classmethod
    def start(
        cls, system: str, data_name=None, data_dir=None, seed=0, device="cpu", overrides=None, out=None, nets=None
    ) -> "Session":
        """Create a new run.

        system: the name of a system, or a Python file that registers one.   data_name: the name of a data set, or a data set;
        the default is the system's own data set.   data_dir: the folder with its files.   overrides: {name: value} of settings
        to change, and of options of the data set.   out: the run folder; the default is a new one in runs/.   nets: {name:
        network}, your own networks in place of the game's.
        Raises ConfigError, DataError or DeviceError, before it creates a folder, for an unknown or impossible system, data
        set, setting or device.
        """
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
            game = made_by.build(settings, dataset, **nets).to(device)  # raises if the data do not fit the system
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
        evaluation.logged(settings, made_by, game, dataset)
        for line in made_by.idle(settings, overrides or {}):
            warnings.warn(line, stacklevel=2)
        folder = str(Path(data_dir).expanduser().absolute()) if data_dir else ""  # `resume` may be called from elsewhere
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
        session = cls(Run.create(made_by.name, seed, config, out), nets=nets, given=given)
        session.attach(dataset)
        return session

    @classmethod
    def open(cls, path, device=None, nets=None, given=None) -> "Session":
        """Open an existing run at its newest checkpoint, or at the checkpoint file that `path` names.

        A run that was killed before its first checkpoint opens at step 0.   device: the device to use now; the default is the
        one that the run was started on.   nets: as for `start`; needed when the run was started with your own networks.
        given: the data set, if the run was started with one of your own.
        Raises CheckpointError for a folder that is no run of this minigan, for a damaged checkpoint and for one of another
        run, or when such networks are missing; ConfigError from a system that cannot be built with these settings; DeviceError
        when the run's device is not here.
        """
        run = Run.open(path)
        device = device and backend.pick_device(device)
        try:
            session = cls(run, device, nets, given)
        except DeviceError as error:
            raise DeviceError(f"{run.folder}: was trained on {run.config['device']!r}; {error} (--device cpu)") from None
        last = max((r["step"] for r in run.read_log() if isinstance(r.get("step"), int)), default=0)
        if run.latest_checkpoint() is None and last <= session.settings.checkpoint_every:
            return session  # it was killed before its first checkpoint; the seed gives the same weights again
        session._restore(*run.load_checkpoint())
        return session

    def _restore(self, step, state):
        foreign = f"{self.run.checkpoint_path(step)}: is not of this run"
        try:
            game, streams, noise, self._loader_state = (state[key] for key in ("game", "streams", "noise", "loader"))
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"{foreign}: it lacks {error}") from error
        try:
            self.game.load_state_dict(game)
            self.streams.load_state_dict(streams)
            self.layer_streams.load_state_dict(noise)
            if "schedule" in state:  # old checkpoints do not have it
                self.schedule.load_state_dict(state["schedule"])
        except CheckpointError as error:
            raise CheckpointError(f"{foreign}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if self.system.outside or self.own_nets:
                raise  # it may be an error in its author's own code
            raise CheckpointError(f"{foreign}: it lacks {error}") from error
        self.step, self.seconds = step, self.run.seconds().get(step, 0.0)

    def attach(self, dataset=None) -> None:
        """Load the training data (or use `dataset`), move to the position in the data that the checkpoint saved, and set up
        the hooks.   Raises CheckpointError when the data have changed since the run was started."""
        self.dataset = self._load("train") if dataset is None else dataset
        before, now = self.description.x, self.dataset.kinds["x"]
        if now != before:
            raise CheckpointError(f"{self.run.folder}: the run was trained on {before}, {self.data_name} now has {now}")
        self._compare_content()
        self.loader = data.Loader(self.dataset, self.settings.batch_size, self.streams("data"))
        if self.device != "cpu":
            self.loader = Feed(self.loader, self.device, self.game.check)
        if self._loader_state is not None:
            self.loader.load_state_dict(self._loader_state)
        seen = [r for r in self.run.read_log() if isinstance(r.get("step"), int) and r["step"] <= self.step]
        alarm = hooks.Alarm(self.real(hooks.LOOKED_AT), seen)
        self.hooks = [Every(self.settings.sample_every, Session.draw), Every(self.settings.sample_every, alarm)]
        metrics = evaluation.logged(self.settings, self.system, self.game, self.dataset)
        if metrics:
            self.hooks.append(Every(self.settings.metrics_every, lambda session: session.evaluate(metrics)))

    def _load(self, split):
        """Return a split of the data set that was given, or load it by its name."""
        if self.given is not None:
            found = self.given if split == "train" else self.given.test
            if found is None:
                raise ConfigError(f"{self.data_name}: this data set has no {split} split; set its attribute `{split}` to one")
            return found
        if self.own_data:
            raise ConfigError(
                f"{self.run.folder}: was trained on its author's own data set; open it in Python with "
                "minigan.runs.open(path, data=...)"
            )
        return data.load(self.data_name, split, data_dir=self.data_dir, options=self.data_options)

    def _compare_content(self):
        """Raise CheckpointError when the contents of the data have changed since the run was started.   If the user accepts
        this, training continues with a new epoch, and the new contents are saved with the next checkpoint."""
        now = data.content(self.dataset, self.given is not None)
        if self.data_content in (None, now):
            return
        if not self.accept_changed_data:
            then, has = (
                ", ".join(f"{value:,} {key}" for key, value in (content or {}).items() if key != "sha256")
                for content in (self.data_content, now)
            )
            where = f" in {self.data_dir}" if self.data_dir else ""
            raise CheckpointError(
                f"{self.run.folder}: the data{where} have changed since the run was started (then {then}; "
                f"now {has or 'others'});\nput them back, or continue with the data as they are: "
                "--accept-changed-data"
            )
        kept, found = self.description.classes or 0, self.dataset.description.classes or 0
        if found != kept:
            raise CheckpointError(f"{self.run.folder}: the run was trained on {kept} classes, {self.data_name} now has {found}")
        self._new_content, self._loader_state = now, None

    def real(self, n: int) -> np.ndarray:
        """Return n real samples, the same ones each time, as an array (n, *sample_shape)."""
        if hasattr(self.dataset, "sample"):
            return self.dataset.sample(n, np.random.default_rng(0)).x
        rows = np.random.default_rng(0).permutation(len(self.dataset))[:n]
        return self.dataset[rows].x

    def test_dataset(self):
        """Return the data set's test split, loaded at the first call."""
        if self._test is None:
            self._test = self._load("test")
        return self._test

    # ----------------------------------------------------------------------------------------------------- the loop ---

    def train(self, steps=None, seconds=None, report=None) -> bool:
        """Train until the run has `steps` iterations in total (default: the setting), or for `seconds`.  Return False if
        Ctrl-C or SIGTERM ended it earlier, otherwise True.

        report(step, losses): called after every step, for a progress bar.
        Whatever happens, the run folder stays valid up to its newest checkpoint, and `Session.open` continues from there.
        Raises NotFiniteError, which names the op, when a loss or gradient is NaN or infinite; the log records this too.
        """
        check_limits(steps, seconds)
        planned = self.settings.steps
        steps = planned if steps is None else steps
        if self.loader is None:
            self.attach()
        modules = (module for net in self.game.nets.values() for module in net.modules())
        convolutions = any(isinstance(module, (Conv2d, ConvTranspose2d)) for module in modules)
        self.run.truncate_log(self.step)
        start, start_step, before = time.monotonic(), self.step, self.seconds
        with suit(convolutions), using(self.layer_streams), self._interruptible(), self._noting_divergence():
            if self.step == 0:
                self.draw()
            while self.step < steps and not self.stopped and (seconds is None or time.monotonic() - start < seconds):
                read = float if self._reads(start_step) else None
                turn: Callable = self.captured.play if self.captured else partial(play, self.game.at(self.step))
                losses = turn(self.loader, self.streams, min(self.step / planned, 1.0), read)
                self.step += 1
                self.losses = losses or self.losses
                self.seconds = before + time.monotonic() - start
                # The log is written before the checkpoint: if the run is killed between the two, the line is written again
                # after a resume; in the other order, it would be missing.
                self._log(self._look(losses))
                if self.step % self.settings.checkpoint_every == 0:
                    self.save()
                if report:
                    report(self.step, self.losses)
            self.save()
            self.draw()
            self.finish()
        return self.step >= steps or not self.stopped

    def _reads(self, start_step) -> bool:
        """Does the next step read its losses?  On the CPU, always.  On a GPU, reading makes the CPU wait, so only where they
        are needed, and in the first step, for the progress bar."""
        following = self.step + 1
        return (
            self.device == "cpu"
            or self.step == start_step
            or following % self.settings.log_every == 0
            or following % self.settings.checkpoint_every == 0
            or self.schedule.reads(following)
        )

    @contextlib.contextmanager
    def _noting_divergence(self):
        """Write a NotFiniteError into the log and the report, and raise it again."""
        try:
            yield
        except NotFiniteError as error:
            self.run.log({"step": self.step + 1, "not finite": str(error)})
            self.finish()
            raise

    def _look(self, losses) -> dict:
        """Call the hooks and the schedule after a step, and return the hooks' metrics.   losses: {} if they were not read."""
        metrics = {}
        for hook in self.hooks:
            metrics |= hook(self) or {}
        self.schedule.step(losses if self.device == "cpu" or self.schedule.reads(self.step) else {}, metrics)
        return metrics

    def _log(self, metrics):
        record = {**self.losses, **self.schedule.rates()} if self.step % self.settings.log_every == 0 else {}
        if metrics:
            record["metrics"] = metrics
        if record:
            self.run.log({"step": self.step, **record})

    def save(self) -> None:
        """Write a checkpoint of this step.   Raises NotFiniteError when a weight is NaN or infinite; the last good checkpoint
        then stays the newest."""
        game = self.game.state_dict()
        for name, weights in game["nets"].items():
            if not all(np.isfinite(array).all() for array in weights.values()):
                self.step -= 1  # the step does not count: its loss was finite, but its update spoiled the weights
                raise NotFiniteError(f"net {name}: a weight has become NaN or infinite")
        self.run.save_checkpoint(
            self.step,
            {
                "game": game,
                "streams": self.streams.state_dict(),
                "noise": self.layer_streams.state_dict(),
                "loader": self.loader.state_dict(),
                "schedule": self.schedule.state_dict(),
            },
        )
        self.run.note_seconds(self.step, self.seconds)
        if self._new_content is not None:
            self.run.change_config(data_content=self._new_content)
            self.data_content, self._new_content = self._new_content, None

    def evaluate(self, names=None, n=None) -> dict[str, float]:
        """Measure metrics and return {number: value}; see evaluation.measure.   It does not change the run.

        names: which metrics, a list or "modes,energy"; by default all that fit the data.   n: how many samples, by default as
        many as they need.   Raises ConfigError for what is no metric, and for an n below 1."""
        if n is not None:
            whole("n", n, most=LARGEST)
        if isinstance(names, str):
            names = [name.strip() for name in names.split(",")]
        for name in [] if names is None else names if isinstance(names, Iterable) else [names]:
            if not isinstance(name, str | Metric):
                raise ConfigError(f'{name!r} is no metric; give names from `minigan list metrics`, such as ["diversity"]')
        if self.dataset is None:
            self.attach()
        with using(Streams(self.run.seed)):
            return evaluation.measure(self, names, n)

    def sample(self, n: int, seed=None, label=None, show=False) -> np.ndarray:
        """Draw n samples, an array (n, *shape of one sample).  The same weights give the same samples, because they have
        their own random stream.

        seed: another seed gives other samples.   label: one class for all samples; the default is `labels`.   show: return
        what the run's pictures show, which differs from the samples in a few systems.
        Raises ConfigError for a label that the system does not have, and for an n or a seed that is no such number.
        """
        whole("n", n, most=LARGEST)
        if seed is not None:
            whole("seed", seed, least=0, most=2**63 - 1)
        own = Streams(self.run.seed if seed is None else seed)
        labels = self.labels(n, label)
        z = self.game.latent(n, own("eval" if seed is None else "sample"))
        with using(own):  # a network that draws noise in evaluation mode must not use the training's streams
            parts = [
                self.game.sample(z[i : i + 500], None if labels is None else labels[i : i + 500], show)
                for i in range(0, n, 500)
            ]
        return np.concatenate(parts)

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Everything logged so far: {name: (steps, values)} for losses, gradients, learning rates and metrics.

        steps and values have the shape (N,), where N is how often a finite number was logged under this name."""
        rows: dict[str, list] = {}
        for record in self.run.read_log():
            for name, value in (record | (record.get("metrics") or {})).items():
                if name != "step" and isinstance(value, int | float) and isinstance(record.get("step"), int):
                    rows.setdefault(name, []).append((record["step"], value))
        return {
            name: (np.array([step for step, _ in pairs]), np.array([value for _, value in pairs]))
            for name, pairs in rows.items()
        }

    def _repr_html_(self) -> str:
        """The run as HTML, for a notebook."""
        from minigan.runs import notebook

        return notebook.page(self)

    def labels(self, n: int, label=None) -> np.ndarray | None:
        """The classes of n samples, (n,) int64: all `label`, or 0, 1, 2, ... in turn.  None for a system without classes.
        Raises ConfigError for a label that the system does not have."""
        classes = self.game.classes
        if label is not None and not (classes and 0 <= label < classes):
            raise ConfigError(
                f"{self.run.system} cannot draw label {label}: "
                + (f"its labels are 0 to {classes - 1}" if classes else "it has no labels; see cgan")
            )
        if classes is None:
            return None
        return np.full(n, label) if label is not None else np.arange(n) % classes

    def draw(self) -> None:
        """Write samples/step_<step>.png.  Every picture uses the same latent vectors, so one can see the samples change."""
        kind = self.description.x
        n = viz.shown(kind)
        self.picture(self.run.sample_path(self.step), n, real=self.real(n) if isinstance(kind, Points) else None)

    def picture(self, path, n: int, seed=None, label=None, real=None) -> None:
        """Write a picture of n samples with their labels; see `sample` and viz.draw.   real: real points to draw beneath."""
        words = self.words() if isinstance(self.description.x, Tokens) else None
        viz.draw(
            path,
            self.description.x,
            self.sample(n, seed, label, True),
            self.labels(n, label),
            real,
            f"{self.run.system}, step {self.step}",
            self.game.heads,
            words=words,
        )

    def words(self):
        """The word of each token, or None if the tokens are only numbers.   This loads the data."""
        return (self._load("train") if self.dataset is None else self.dataset).words

    def finish(self) -> None:
        """Draw curves.png and samples.gif from the files so far, and write report.html."""
        viz.curves_png(self.run.curves_path, self.run.read_log(), f"{self.run.system} on {self.data_name}", unit=self.game.unit)
        frames = [path for path in self.run.samples() if step_of(path) <= self.step]
        if frames:
            viz.save_gif(self.run.gif_path, frames)
        report.write(self.run, self.system)

    @contextlib.contextmanager
    def _interruptible(self):
        """After the first Ctrl-C or SIGTERM, finish the step and save; the second one stops at once."""
        self.stopped, previous = 0, {}

        def stop(number, frame):
            self.stopped = number
            restore()
            with contextlib.suppress(RuntimeError):  # the signal may arrive in the middle of another print
                print("\nfinishing this step and saving; press Ctrl-C again to stop at once", file=sys.stderr)

        def restore():
            for number, handler in previous.items():
                signal.signal(number, handler)

        if threading.current_thread() is threading.main_thread():  # Python allows handlers only in the main thread
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (None, signal.SIG_IGN):  # nohup and a shell's "&" ignore some signals
                    previous[number] = signal.signal(number, stop)
        try:
            yield
        finally:
            restore()
