"""A run in progress: data, game, random streams and run folder, from the first step to the last.

Session.start     a new run            Session.open      an existing one, at a checkpoint
train             the loop around game.play: hooks, log, checkpoints, progress, Ctrl-C and SIGTERM
sample, evaluate  what it draws, and how good that is
Elsewhere: what happens in one iteration (game.py), what happens every so many (hooks.py), the files (run.py).

A session that is killed and opened again continues to the same bits: a checkpoint holds the weights, the optimizers'
state, every random stream and the place in the data.  The streams are the session's own, so several sessions in one process
do not disturb each other.
"""

import contextlib
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minigan import backend, data, viz
from minigan.data.kinds import Points, Tokens
from minigan.errors import CheckpointError, ConfigError, DeviceError, NotFiniteError
from minigan.kernels.threads import suit
from minigan.nn import Conv2d, ConvTranspose2d
from minigan.runs import capture, evaluation, hooks, report
from minigan.runs.capture import Captured
from minigan.runs.feed import Feed
from minigan.runs.folder import Run, fields
from minigan.runs.hooks import Every
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.train.game import play


def _foreign(run, error):
    """The error for a config.toml that does not describe a run of this minigan."""
    what = f"{error} is missing" if isinstance(error, KeyError) else error
    return CheckpointError(f"{run.folder / 'config.toml'}: does not describe a run of this minigan: {what}; restore it from a "
                           "copy, or start a new run")


class Session:
    """The objects of one run.  Make it with `Session.start` or `Session.open`.

    run: the folder; settings: every setting by name; game; step: iterations done; losses: of the last one;
    description: of the data, their name and the kind of each field: the config has it, so it is known without the data;
    streams: what the loader and the game's turns draw from; layer_streams: what layers draw from;
    given: the data set, where it was given as an object and has no name that `data.load` knows; else None;
    dataset, loader, hooks: made by `attach`, which `train` calls where it was not called before; hooks is a list to add to;
    stopped: the signal that ended `train`, 0 if none did.
    """

    def __init__(self, run: Run, device=None, nets=None, given=None):
        self.run, self.step, self.stopped, self.given = run, 0, 0, given
        self.accept_changed_data, self._new_content = False, None
        self._read_config(run)
        self.device, nets = device or self.device, nets or {}
        self.layer_streams = Streams(run.seed)
        with using(self.layer_streams):
            self.game = self.system.build(self.settings, self.description, **nets).to(self.device)
        self.schedule = hooks.Schedule(self.settings, self.game)
        self.captured = Captured(self.game) if self.settings.capture and self.device != "cpu" else None
        self.losses, self.seconds = {}, run.seconds().get(0, 0.0)
        self.dataset: Any = None
        self.loader: Any = None
        self._loader_state = self._test = None
        self.hooks = []

    def _read_config(self, run):
        """What config.toml says.   CheckpointError where it is not of this minigan; nothing is built here, so that an error in
        a system's own code is never taken for one in the file."""
        try:
            config, seed = dict(run.config), int(run.seed)
            self.streams = Streams(seed)
            self.data_name, self.data_dir = config.pop("data"), config.pop("data_dir", None) or None
            self.description = data.Description(self.data_name, fields(run.config))
            self.sample_shape, self.device = tuple(config.pop("sample_shape")), config.pop("device")
            file = config.pop("file", "")
            self.data_options, self.data_content = config.pop("data_options", {}), config.pop("data_content", None)
            self.own_data = config.pop("own_data", False)
            config.pop("fields", None), config.pop("own_nets", None)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _foreign(run, error) from error
        if file and not Path(file).is_file():
            raise CheckpointError(f"{run.folder}: its system stands in {file}, which is not there; put the file back, or write "
                                  "where it is now into config.toml, as file")
        self.system = registry.get(run.system) if not file or registry.has(run.system, file) else registry.get(file)
        try:
            self.settings = self.system.configure(config, self.description)
        except ConfigError as error:
            raise _foreign(run, error) from error

    @classmethod
    def start(cls, system: str, data_name=None, data_dir=None, seed=0, device="cpu", overrides=None, out=None,
              nets=None) -> "Session":
        """A new run of a system, given by its name or by a file that enters one.   data_name: of a data set, or a data set.
        overrides: settings to change, and options of the data set, by name.   out: the run folder, by default a new one.
        nets: some of your own, by the names that the game has for them.

        ConfigError or DataError, before any folder is made, for a system, data set, setting or device that is not there.
        """
        made_by, nets = registry.get(system), nets or {}
        given: Any = None if data_name is None or isinstance(data_name, str) else data_name
        data_name = data_name if given is None else given.name
        data_name = data_name or made_by.default_data
        options, overrides = data.take_options(data_name, overrides or {}, made_by.settings)
        made_by.configure(overrides)  # complains of a setting before any data is fetched
        if not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise ConfigError(f"seed must be a whole number from 0 to 2^63 - 1, got {seed}")
        device = backend.pick_device(device)
        if given is not None and (options or data_dir):
            raise ConfigError(f"{data_name}: was given as a data set, so leave {', '.join(options) or 'data_dir'} out")
        dataset = data.load(data_name, data_dir=data_dir, options=options) if given is None else given
        if given is not None and "recipe" in given.info and given.split == "train":  # of data.folder: the command loads it too
            given, (data_dir, options) = None, given.info["recipe"].values()
        settings = made_by.configure(overrides, dataset)
        batch = next(data.Loader(dataset, settings.batch_size, 0))  # complains of a batch that does not fit
        with using(Streams(seed)):
            game = made_by.build(settings, dataset, **nets).to(device)  # complains of data that does not fit
        game.check(batch)  # ... and of labels
        if settings.capture:
            capture.refuse(game, settings.schedule)
        hooks.Schedule(settings, game)
        evaluation.logged(settings, made_by, game, dataset)
        for line in made_by.idle(settings, overrides or {}):
            warnings.warn(line, stacklevel=2)
        folder = str(Path(data_dir).expanduser().absolute()) if data_dir else ""  # `resume` may be called from elsewhere
        config = {"data": data_name, "data_dir": folder, "sample_shape": list(dataset.sample_shape), "device": device,
                  **({"file": made_by.file} if made_by.outside else {}), **({"own_nets": list(nets)} if nets else {}),
                  **({} if given is None else {"own_data": True}), **vars(settings), "fields": dataset.description.words(),
                  **({"data_options": options} if options else {}),
                  **({"data_content": content} if (content := data.content(dataset, given is not None)) else {})}
        session = cls(Run.create(made_by.name, seed, config, out), nets=nets, given=given)
        session.attach(dataset)
        return session

    @classmethod
    def open(cls, path, device=None, nets=None, given=None) -> "Session":
        """An existing run, as it was at its newest checkpoint, or at the checkpoint file given.

        A run that was killed before its first checkpoint is at step 0.   device: instead of the one it was started on;
        nets, given: as for start, for a run that was started with nets or a data set of your own.
        CheckpointError for what is no run of this minigan, a damaged checkpoint, or one of another run.
        """
        run = Run.open(path)
        device = device and backend.pick_device(device)
        missing = set(run.config.get("own_nets", ())) - set(nets or {})
        if missing:
            raise ConfigError(f"{run.folder}: was started with nets of its author's, {', '.join(sorted(missing))}; open it in "
                              "Python with minigan.runs.open(path, nets={...})")
        try:
            session = cls(run, device, nets, given)
        except DeviceError as error:
            raise DeviceError(f"{run.folder}: was trained on {run.config['device']!r}; {error} (--device cpu)") from None
        except ConfigError as error:  # what the build says of these settings and data
            raise _foreign(run, error) from error
        last = max((r["step"] for r in run.read_log() if isinstance(r.get("step"), int)), default=0)
        if run.latest_checkpoint() is None and last <= session.settings.checkpoint_every:
            return session  # killed before there was one; the seed alone gives the same weights again
        session._restore(*run.load_checkpoint())
        return session

    def _restore(self, step, state):
        try:
            self.game.load_state_dict(state["game"])
            self.streams.load_state_dict(state["streams"])
            self.layer_streams.load_state_dict(state["noise"])
            self._loader_state = state["loader"]
            if "schedule" in state:  # not in those of before there were schedules
                self.schedule.load_state_dict(state["schedule"])
        except CheckpointError as error:
            raise CheckpointError(f"{self.run.checkpoint_path(step)}: is not of this run: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"{self.run.checkpoint_path(step)}: is not of this run: it lacks {error}") from error
        self.step, self.seconds = step, self.run.seconds().get(step, 0.0)

    def attach(self, dataset=None) -> None:
        """Load the training data (or take it), go to the place in it where the checkpoint was written, set up the hooks."""
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
        if waited_for := evaluation.monitored(self.settings, self.system, self.game, self.dataset):
            self.schedule.number = waited_for[1]

    def _load(self, split):
        """A split of the data: loaded by their name, or of the data set that was given."""
        if self.given is not None:
            found = self.given if split == "train" else self.given.test
            if found is None:
                raise ConfigError(f"{self.data_name}: this data set has no {split} split; set its attribute `{split}` to one")
            return found
        if self.own_data:
            raise ConfigError(f"{self.run.folder}: was trained on a data set of its author's; open it in Python with "
                              "minigan.runs.open(path, data=...)")
        return data.load(self.data_name, split, data_dir=self.data_dir, options=self.data_options)

    def _compare_content(self):
        """CheckpointError where the run remembers other contents of its data, unless the change is accepted: then training
        goes on with a new epoch, and the next checkpoint remembers the new contents."""
        now = data.content(self.dataset, self.given is not None)
        if self.data_content in (None, now):
            return
        if not self.accept_changed_data:
            then, has = (", ".join(f"{value:,} {key}" for key, value in (content or {}).items() if key != "sha256")
                         for content in (self.data_content, now))
            where = f" in {self.data_dir}" if self.data_dir else ""
            raise CheckpointError(f"{self.run.folder}: the data{where} have changed since the run was started (then {then}; "
                                  f"now {has or 'others'});\nput them back, or go on with what is there: --accept-changed-data")
        kept, found = self.description.classes or 0, self.dataset.description.classes or 0
        if found != kept:
            raise CheckpointError(f"{self.run.folder}: the run was trained on {kept} classes, {self.data_name} now has {found}")
        self._new_content, self._loader_state = now, None

    def real(self, n: int) -> np.ndarray:
        """n real samples, the same ones each time."""
        if hasattr(self.dataset, "sample"):
            return self.dataset.sample(n, np.random.default_rng(0)).x
        rows = np.random.default_rng(0).permutation(len(self.dataset))[:n]
        return self.dataset[rows].x

    def test_dataset(self):
        """The data set's test split, loaded once."""
        if self._test is None:
            self._test = self._load("test")
        return self._test

    # ----------------------------------------------------------------------------------------------------- the loop ---

    def train(self, steps=None, seconds=None, report=None) -> bool:
        """Play until `steps` iterations are done in all (by default those of the settings), or for `seconds`; False if Ctrl-C
        or SIGTERM ended it before.

        report(step, losses): called after every step, for a progress bar.
        Whatever happens, the run folder is whole up to its newest checkpoint, and `Session.open` goes on from there.
        NotFiniteError, which names the op, when a loss or gradient is NaN or infinite; the log then says so too.
        """
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
                # The log before the checkpoint: a run killed between the two writes that line again, and never lacks it.
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
        """Are the losses of the next step read?  On the CPU always; on a GPU that waits for the card, so only where somebody
        looks at them, and in the first step, for the progress bar."""
        following = self.step + 1
        return (self.device == "cpu" or self.step == start_step or following % self.settings.log_every == 0
                or following % self.settings.checkpoint_every == 0 or self.schedule.reads(following))

    @contextlib.contextmanager
    def _noting_divergence(self):
        """A NotFiniteError goes into the log and the report before it goes on."""
        try:
            yield
        except NotFiniteError as error:
            self.run.log({"step": self.step + 1, "not finite": str(error)})
            self.finish()
            raise

    def _look(self, losses) -> dict:
        """What the hooks have to say of this step, whose losses are given if they were read; the learning rates of the next."""
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
        """Write a checkpoint of this step.   NotFiniteError where a weight is NaN or infinite: the last good one stays."""
        game = self.game.state_dict()
        for name, weights in game["nets"].items():
            if not all(np.isfinite(array).all() for array in weights.values()):
                self.step -= 1  # this one is not done: a loss may be finite, and what the update made of the weights not
                raise NotFiniteError(f"net {name}: a weight has become NaN or infinite")
        self.run.save_checkpoint(self.step, {
            "game": game, "streams": self.streams.state_dict(), "noise": self.layer_streams.state_dict(),
            "loader": self.loader.state_dict(), "schedule": self.schedule.state_dict()})
        self.run.note_seconds(self.step, self.seconds)
        if self._new_content is not None:
            self.run.change_config(data_content=self._new_content)
            self.data_content, self._new_content = self._new_content, None

    def evaluate(self, names=None, n=None) -> dict[str, float]:
        """{number: value} of the metrics named, by default of all that fit; see evaluation.measure.   Changes nothing."""
        if self.dataset is None:
            self.attach()
        with using(Streams(self.run.seed)):
            return evaluation.measure(self, names, n)

    def sample(self, n: int, seed=None, label=None, show=False) -> np.ndarray:
        """n samples, an array.  The same ones for the same weights: drawn from a stream of their own (or a given seed).

        label: the class of all of them, for a system that has classes; by default see `labels`.  ConfigError if it has
        none, or not this one.   show: what a picture of the run shows, instead of the samples.
        """
        own = Streams(self.run.seed if seed is None else seed)
        labels = self.labels(n, label)
        z = self.game.latent(n, own("eval" if seed is None else "sample"))
        with using(own):  # a net that draws noise in evaluation mode too takes none from the training
            parts = [self.game.sample(z[i : i + 500], None if labels is None else labels[i : i + 500], show)
                     for i in range(0, n, 500)]
        return np.concatenate(parts)

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """What the run has logged so far: {name: (steps, values)} of losses, gradients, learning rates and metrics."""
        rows: dict[str, list] = {}
        for record in self.run.read_log():
            for name, value in (record | (record.get("metrics") or {})).items():
                if name != "step" and isinstance(value, int | float) and isinstance(record.get("step"), int):
                    rows.setdefault(name, []).append((record["step"], value))
        return {name: (np.array([step for step, _ in pairs]), np.array([value for _, value in pairs]))
                for name, pairs in rows.items()}

    def _repr_html_(self) -> str:
        """What a notebook shows of the run."""
        from minigan.runs import notebook

        return notebook.page(self)

    def labels(self, n: int, label=None) -> np.ndarray | None:
        """The classes of n samples, int64: all `label`, or 0, 1, 2, ... in turn; None for a system without classes."""
        classes = self.game.classes
        if label is not None and not (classes and 0 <= label < classes):
            raise ConfigError(f"{self.run.system} cannot draw label {label}: "
                              + (f"its labels are 0 to {classes - 1}" if classes else "it has no labels; see cgan"))
        if classes is None:
            return None
        return np.full(n, label) if label is not None else np.arange(n) % classes

    def draw(self) -> None:
        """Write samples/step_<step>.png: the same latent draws every time, so that one sees them change."""
        kind = self.description.x
        n = viz.shown(kind)
        self.picture(self.run.sample_path(self.step), n, real=self.real(n) if isinstance(kind, Points) else None)

    def picture(self, path, n: int, seed=None, label=None, real=None) -> None:
        """Write a picture of n samples, those of `sample`, with their labels; see viz.draw.   real: points beneath them."""
        words = self.words() if isinstance(self.description.x, Tokens) else None
        viz.draw(path, self.description.x, self.sample(n, seed, label, True), self.labels(n, label), real,
                 f"{self.run.system}, step {self.step}", self.game.heads, words=words)

    def words(self):
        """What the tokens stand for, None if they are mere numbers.   Loads the data."""
        return (self._load("train") if self.dataset is None else self.dataset).words

    def finish(self) -> None:
        """Draw curves.png and samples.gif from what the run has so far, and write report.html."""
        viz.curves_png(self.run.curves_path, self.run.read_log(), f"{self.run.system} on {self.data_name}",
                       unit=self.game.unit)
        frames = [path for path in self.run.samples() if int(path.stem.partition("_")[2]) <= self.step]
        if frames:
            viz.save_gif(self.run.gif_path, frames)
        report.write(self.run, self.system)

    @contextlib.contextmanager
    def _interruptible(self):
        """The first Ctrl-C or SIGTERM lets the step finish and everything be saved; the next one stops at once."""
        self.stopped, previous = 0, {}

        def stop(number, frame):
            self.stopped = number
            restore()
            with contextlib.suppress(RuntimeError):  # it came in the middle of another print
                print("\nfinishing this step and saving; once more stops at once", file=sys.stderr)

        def restore():
            for number, handler in previous.items():
                signal.signal(number, handler)

        if threading.current_thread() is threading.main_thread():  # only there may handlers be set
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (None, signal.SIG_IGN):  # ignored: a job of nohup or of a shell's "&"
                    previous[number] = signal.signal(number, stop)
        try:
            yield
        finally:
            restore()
