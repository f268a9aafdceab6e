"""A run in progress: its data, game, random streams and run folder, from the first step to the last.

Session.start     a new run            Session.open      an existing run, at a checkpoint
train             from its step to the last one (loop.py)
sample, evaluate  draw samples, and measure how good they are
Elsewhere: what is refused before there is a folder (start.py), the files (folder.py), what happens every n steps (hooks.py).

A session that is killed and opened again ends with the same bits as one that was never killed: a checkpoint holds the
weights, the optimizers' state, every random stream and the position in the data.  Each session has its own streams, so
several sessions in one process do not affect each other.
"""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigan import backend, data, viz
from minigan.data.base import whole
from minigan.data.kinds import Points, Tokens
from minigan.errors import CheckpointError, ConfigError, DeviceError, NotFiniteError
from minigan.metrics import Metric, Results
from minigan.runs import changes, evaluation, hooks, loop, report, start
from minigan.runs.aside import quietly
from minigan.runs.capture import captured
from minigan.runs.feed import Feed
from minigan.runs.folder import Run, check_out
from minigan.runs.hooks import Every
from minigan.schema import Misfit, like
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.train.settings import LARGEST


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
        setup = start.read(run)
        self.run, self.step, self.stopped, self.given = run, 0, 0, given
        self.accept_changed_data, self._new_content = False, None
        self.told: set[str] = set()  # what could not be drawn or measured, see aside.py
        self._changes, self._before = {}, {}  # settings to write into config.toml; what rates were up to this step
        self.system, self.settings, self.description = setup.system, setup.settings, setup.description
        self.data_name, self.data_dir, self.sample_shape = setup.data, setup.data_dir, setup.sample_shape
        self.data_options, self.data_content = setup.data_options, setup.data_content
        self.own_data, self.own_nets = setup.own_data, setup.own_nets
        self.device, nets = device or setup.device, registry.own_nets({} if nets is None else nets)
        missing = sorted(self.own_nets - set(nets))
        if missing:
            raise CheckpointError(
                f"{run.folder}: was started with nets of its author's, {', '.join(missing)}; open it in "
                "Python with minigan.runs.open(path, nets={...})"
            )
        self.streams, self.layer_streams = Streams(run.seed), Streams(run.seed)
        with using(self.layer_streams):
            self.game = self.system.build(self.settings, self.description, **nets).to(self.device)
        if hasattr(self.game.latent, "unseen"):
            self.game.latent.unseen = self.test_dataset
        self.schedule = hooks.Schedule.of(self.settings, self.system, self.game, self.description)
        self._rates = changes.Rates(self.schedule)
        self.captured = captured(self.game) if self.settings.capture else None
        self.losses, self.seconds = {}, 0.0
        self.dataset: Any = None
        self.loader: Any = None
        self._loader_state = self._test = self._newest = None  # the last is the step of the newest checkpoint that we know
        self.hooks = []

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
        if out is not None:
            check_out(out)
        new = start.checked(system, data_name, data_dir, seed, device, overrides, nets)
        run = Run.create(new.system, seed, new.config, out)
        try:
            session = cls(run, nets=new.nets, given=new.given)
            session.attach(new.dataset)
        except BaseException:  # also Ctrl-C: a folder in which nothing was trained helps nobody
            run.discard()
            raise
        return session

    @classmethod
    def open(cls, path, device=None, nets=None, given=None, overrides=None, data_dir=None) -> "Session":
        """Open an existing run at its newest checkpoint, or at the checkpoint file that `path` names.

        A run that was killed before its first checkpoint opens at step 0.   path: of the run, or a Run.   device: the device to
        use now; the default is the one that the run was started on.   nets: as for `start`; needed when the run was started
        with your own networks.   given: the data set, if the run was started with one of your own.   overrides: {name: value}
        of settings that are different from now on: learning rates, steps, and what happens every so many steps.   data_dir:
        where the data are now.   `train` writes both into config.toml.
        Raises CheckpointError for a folder that is no run of this minigan, for a damaged checkpoint and for one of another
        run, for a setting in config.toml that cannot change during a run, or when such networks are missing; ConfigError for
        overrides that cannot be, and from a system that cannot be built with these settings; DeviceError when the run's device
        is not here.
        """
        run = path if isinstance(path, Run) else Run.open(path)
        device = device and backend.pick_device(device)
        first = run.latest_checkpoint() is None
        wanted = start.changes(run, overrides or {}, data_dir, first)
        try:
            session = cls(run, device, nets, given)
        except DeviceError as error:
            raise DeviceError(f"{run.folder}: was trained on {run.config['device']!r}; {error} (--device cpu)") from None
        session._changes = wanted
        if not (first and run.unsaved(session.settings.checkpoint_every)):
            session._restore(*run.load_checkpoint())
        session._newest = run.newest()
        return session

    def _restore(self, step, state):
        foreign = f"{self.run.checkpoint_path(step)}: is not of this run"
        try:
            game, streams, noise, self._loader_state = (state[key] for key in ("game", "streams", "noise", "loader"))
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"{foreign}: it lacks {error}") from error
        self._check_state(state, {"settings": changes.lasting(self.settings), "rates": self._rates.first}, foreign)
        # Before the weights, whose shapes follow from the settings.
        self._before = changes.changed(self.settings, state.get("settings", {}), self.run.folder / "config.toml", step)
        parts = {"game": self.game, "streams": self.streams, "noise": self.layer_streams, "schedule": self.schedule}
        self._check_state(state, {name: part.state_dict() for name, part in parts.items()}, foreign)
        try:
            self.game.load_state_dict(game)
            self.streams.load_state_dict(streams)
            self.layer_streams.load_state_dict(noise)
            if "schedule" in state:  # old checkpoints have neither this nor the next two
                self.schedule.load_state_dict(state["schedule"])
            self._rates.restore(state.get("rates"))
        except CheckpointError as error:
            raise CheckpointError(f"{foreign}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError) as error:
            if self.system.outside or self.own_nets:
                raise  # it may be an error in its author's own code
            raise CheckpointError(f"{foreign}: it lacks {error}") from error
        # A time may be missing: seconds.json was deleted, or is of an older minigan.
        self.step, self.seconds = step, max((t for at, t in self.run.seconds().items() if at <= step), default=0.0)

    def _check_state(self, state, own, foreign):
        """Raise CheckpointError if a state holds NaN, or something else than `own`, which this session would save."""
        try:
            for name in own.keys() & state.keys():
                like(state[name], own[name], name)
        except Misfit as error:
            raise CheckpointError(f"{foreign}: {error}") from None

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
        draw = quietly("no picture of samples", Session.draw, self.told)
        alarm = quietly("no diversity of samples", hooks.Alarm(self.real(hooks.LOOKED_AT), seen), self.told)
        self.hooks = [Every(self.settings.sample_every, draw), Every(self.settings.sample_every, alarm)]
        metrics = evaluation.logged(self.settings, self.system, self.game, self.dataset)
        if metrics:
            measure = quietly("no metrics", lambda session: session.evaluate(metrics), self.told)
            self.hooks.append(Every(self.settings.metrics_every, measure))

    def _load(self, split):
        """Return a split of the data set that was given, or load it by its name."""
        if self.own_data and self.given is None:
            raise ConfigError(
                f"{self.run.folder}: was trained on its author's own data set; open it in Python with "
                "minigan.runs.open(path, data=...)"
            )
        return start.split(split, self.data_name, self.given, self.data_dir, self.data_options)

    def _compare_content(self):
        """Raise CheckpointError when the contents of the data have changed since the run was started.   If the user accepts
        this, training continues with a new epoch, and the new contents are saved with the next checkpoint."""
        now = data.content(self.dataset, self.given is not None)
        if self.data_content == now:
            return
        if self.data_content is None:  # the run is older than what we remember of these data
            text = f"does not say which {self.data_name} it was trained on; they may have been others than today's"
            return warnings.warn(f"{self.run.folder}: {text}", stacklevel=2)
        if not self.accept_changed_data:
            then, has = (
                ", ".join(
                    f"recipe {value}" if key == "recipe" else f"{value:,} {key}"
                    for key, value in (content or {}).items()
                    if key != "sha256"
                )
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

    def train(self, steps=None, seconds=None, report=None) -> bool:
        """Train until the run has `steps` iterations in total (default: the setting), or for `seconds`.  Return False if
        Ctrl-C or SIGTERM ended it earlier, otherwise True.

        Only the iterations count as seconds; pictures, metrics and checkpoints do not.  At least one iteration is done.
        report(step, losses): called after every step, for a progress bar.
        Whatever happens, the run folder stays valid up to its newest checkpoint, and `Session.open` continues from there.
        Raises NotFiniteError, which names the op, when a loss or gradient is NaN or infinite; the log records this too.
        """
        return loop.train(self, steps, seconds, report)

    def begin(self) -> None:
        """Make the run folder ready to go on from this step, and write into config.toml what was changed.   Raises
        CheckpointError when another process has trained the run since it was opened here."""
        if self.run.newest() != self._newest:
            raise CheckpointError(
                f"{self.run.folder}: another process has trained this run since it was opened, up to step {self.run.newest()}; "
                "open it again"
            )
        self.run.begin(self.step)
        known = self.run.config.get("earlier", [])
        earlier = [e for e in known if e["step"] < self.step or (e["step"] == self.step and e["name"] not in self._before)]
        earlier += [{"step": self.step, "name": name, "value": value} for name, value in self._before.items()]
        if earlier != known:
            self._changes["earlier"] = earlier
        if self._changes:
            self.run.change_config(**self._changes)
        self._changes, self._before = {}, {}

    def save(self) -> None:
        """Write a checkpoint of this step.   Raises NotFiniteError when a weight is NaN or infinite; the last good checkpoint
        then stays the newest."""
        game = self.game.state_dict()
        for name, weights in game["nets"].items():
            if not all(np.isfinite(array).all() for array in weights.values()):
                self.step -= 1  # the step does not count: its loss was finite, but its update spoiled the weights
                raise NotFiniteError(f"net {name}: a weight has become NaN or infinite")
        with self.run.writing():
            self.run.save_checkpoint(
                self.step,
                {
                    "game": game,
                    "streams": self.streams.state_dict(),
                    "noise": self.layer_streams.state_dict(),
                    "loader": self.loader.state_dict(),
                    "schedule": self.schedule.state_dict(),
                    "settings": changes.lasting(self.settings),
                    "rates": self._rates.first,
                },
                seconds=self.seconds,
            )
            self._newest = self.run.newest()
        if self._new_content is not None:
            self.run.change_config(data_content=self._new_content)
            self.data_content, self._new_content = self._new_content, None

    def evaluate(self, names=None, n=None, features=None) -> Results:
        """Measure metrics and return {number: value}; see evaluation.measure.   It does not change the run.   A metric that
        cannot be measured does not block the others: a warning, and `failed` of the result, say why.

        names: which metrics, a list or "modes,energy"; by default all that fit the data.   n: how many samples, by default as
        many as they need.   features: your own function from samples (n, ...) to features (n, d), for fid-features and so
        on.   Raises ConfigError for what is no metric, and for an n below 1."""
        if n is not None:
            whole("n", n, most=LARGEST)
        given = [] if names is None or isinstance(names, str) else names
        for name in given if isinstance(given, Iterable) else [given]:
            if not isinstance(name, str | Metric):
                raise ConfigError(f'{name!r} is no metric; give names from `minigan list metrics`, such as ["diversity"]')
        if self.dataset is None:
            self.attach()
        with using(Streams(self.run.seed)):
            return evaluation.measure(self, names, n, features)

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
        """Write samples/step_<step>.png.  Every picture uses the same latent vectors, so one can see the samples change.
        Points lie on D's field: what D says of every place, if the game has a `judge`."""
        kind = self.description.x
        n = viz.shown(kind)
        real = self.real(n) if isinstance(kind, Points) else None
        field = self.game.judge and (self.game.judge[0], self._judged)
        self.picture(self.run.sample_path(self.step), n, real=real, field=field)

    def _judged(self, x):
        with using(Streams(self.run.seed)):  # a D that draws noise must not use the training's streams
            return self.game.judged(x)

    def picture(self, path, n: int, seed=None, label=None, real=None, field=None) -> None:
        """Write a picture of n samples with their labels; see `sample` and viz.draw.   real: real points to draw beneath;
        field: what D says of points."""
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
            field=field,
        )

    def words(self):
        """The word of each token, or None if the tokens are only numbers.   This loads the data."""
        return (self._load("train") if self.dataset is None else self.dataset).words

    def finish(self) -> None:
        """Write curves.png, samples.gif and report.html from the files so far; see report.rewrite."""
        report.rewrite(self.run, self.system, self.game, self.step)

    def unfinished(self) -> bool:
        """Was the process killed between the newest checkpoint and the end of `finish`?"""
        saved = self.run.checkpoint_path(self.step).stat().st_mtime_ns
        written = [self.run.sample_path(self.step), self.run.curves_path, self.run.gif_path, self.run.report_path]
        return any(not path.exists() or path.stat().st_mtime_ns < saved for path in written)
