"""A training run is a folder that holds everything needed to inspect the run, repeat it or continue it.

    runs/2026-11-20_1512-wgan-gp-s0/
        config.toml                     the system, the seed and every setting (config.py)
        env.json                        the versions and the processor that produced the numbers
        log.jsonl                       one JSON object per line: {"step": 500, "D": 0.61, "G": 1.02, "metrics": {...}}
        seconds.json                    how long training took up to each checkpoint; evaluation.json  what `evaluate` found
        samples/step_000500.png         and samples.gif, curves.png (drawn by viz/), report.html (report.py)
        checkpoints/step_000500.npz     the newest three, written by serialize.py

Run             create, open, discard; writing, begin; log, read_log; save_checkpoint, load_checkpoint; the paths of the
                pictures; seconds, note_seconds, evaluations, note_evaluation
step_of         the step in the name of a picture or checkpoint
Elsewhere: the text of each file (config.py, environment.py, log.py), what a checkpoint holds (session.py), the file format
(serialize.py), and what is on the disk at which moment, so that a run can always go on (docs/life-of-a-run.md).

Only one process at a time trains in a folder: it holds the lock `.lock` (locks.py).   A run that goes back to an earlier
checkpoint keeps its new log and pictures in `.back` until its next checkpoint; then these replace the old ones.
"""

import contextlib
import json
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

from minigan import locks, serialize
from minigan.errors import CheckpointError, ConfigError
from minigan.paths import command
from minigan.paths import path as given
from minigan.runs import log
from minigan.runs.config import DATA as DATA  # this and the next name were in this file once
from minigan.runs.config import fields as fields
from minigan.runs.config import read, toml
from minigan.runs.environment import environment, now
from minigan.schema import NAME, Many, Maybe, Named, Number, Record, Text, Whole, printable, shown
from minigan.train.settings import LARGEST

LOCK = ".lock"
_STEP = re.compile(r"step_(\d+)\.(npz|png)")
STEP = Whole(0, LARGEST)
SECONDS = Named(Number(0, 1e10), names=Text(9, str.isdecimal, "a step"))
EVALUATION = Record(
    {"step": STEP, "samples": Maybe(Whole(1)), "metrics": Named(Maybe(Number()))},
    {"samples_of": Named(Maybe(Whole(1))), "features": NAME},
)
EVALUATIONS = Record(may={"evaluations": Many(EVALUATION)})


class Run:
    """One run folder.  Create it with `Run.create` or `Run.open`.

    folder   Path                               system   str
    config   dict, the table in config.toml     seed     int
    step     the step of the checkpoint that was given to `open`, or None
    fork     the step that the run has gone back to, until the next checkpoint; otherwise None

    Every write either succeeds completely or leaves the old file unchanged.  A full disk gives a CheckpointError of one line.

        run = Run.create("gan", 0, {"steps": 100}, out="my-run")
        run.log({"step": 1, "D": 1.4})
        run.read_log() == [{"step": 1, "D": 1.4}]
    """

    def __init__(self, folder, system, seed, config, step=None):
        self.folder, self.system, self.seed, self.config, self.step = Path(folder), system, seed, config, step
        self.fork: int | None = None
        self._writing = False

    # ---- making and finding ------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, system, seed, config, out=None, root="runs"):
        """Create a run in the folder `out`, or in root/<date>-<system>-s<seed> (with -2, -3, ... if that name is taken).

        config: a dict of str, int, float, bool, and of lists and dicts of these.  Raises ConfigError when a value has another
        type, when `out` already holds files, when another process is making a run there, or when the folder cannot be written.
        """
        toml(config)  # called here for its errors: before any folder is made, and with the key's name as the caller wrote it
        text = toml({"system": system, "seed": seed, "config": config})
        existed = out is not None and os.path.lexists(out)
        if out is not None:
            out = given(out, "--out")
            check_out(out)
        try:
            if out is None:
                folder = _new_folder(Path(root), f"{now():%Y-%m-%d_%H%M}-{system}-s{seed}")
            else:
                folder = out
                folder.mkdir(parents=True, exist_ok=True)
            try:
                with locks.only(folder / LOCK, f"{folder}: another process is making a run here"):
                    locks.sweep(folder)
                    check_out(folder)  # again, now that no other process can make a run here
                    try:
                        _write(folder / "env.json", _environment())
                        _write(folder / "config.toml", text)  # written last: this file makes the folder a run
                    except BaseException:
                        (folder / "env.json").unlink(missing_ok=True)
                        raise
            except BaseException:
                if not existed:
                    with contextlib.suppress(OSError):
                        folder.rmdir()
                raise
        except OSError as error:
            raise ConfigError(str(serialize.write_error(out or root, error))) from error
        except CheckpointError as error:
            raise ConfigError(str(error)) from error
        return cls.open(folder)  # read back, so that a new run and a resumed one have the same config

    def discard(self):
        """Delete a run in which nothing was trained, and its folder if nothing else is in it."""
        for name in ("config.toml", "env.json"):
            (self.folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    @classmethod
    def open(cls, path):
        """Open the run in the folder `path`, or the run that the file `path` belongs to; a checkpoint file also sets `step`.
        Raises CheckpointError when there is no run."""
        path = given(path, "path", CheckpointError)
        if not path.exists():
            raise CheckpointError(f"{path}: no such file or folder; give a run, runs/<date>-<system>-s<seed>")
        folders = [path] if path.is_dir() else [path.absolute().parent, path.absolute().parent.parent]
        folder = next((folder for folder in folders if (folder / "config.toml").is_file()), None)
        if folder is None:
            if path.is_dir() and not _contents(path):
                make = f"make one there with `{command('train', 'SYSTEM', '--out', path)}`"
                raise CheckpointError(f"{path}: not a run, config.toml is missing; {make}, or delete the folder")
            where = path if path.is_dir() else f"{path}: its folder"
            raise CheckpointError(
                f"{where}: not a run, config.toml is missing; give the folder that `minigan train` made, "
                "runs/<date>-<system>-s<seed>"
            )
        system, seed, config = read(folder / "config.toml")
        step = step_of(path) if path.suffix == ".npz" else None
        return cls(folder, system, seed, config, step)

    def __repr__(self):
        return f"Run({str(self.folder)!r}, system={self.system!r}, seed={self.seed})"

    # ---- writing -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self):
        """While the block runs, no other process trains in this folder.   Raises CheckpointError, which names the process, when
        one is training there now."""
        if self._writing:
            yield
            return
        with locks.only(self.folder / LOCK, f"{self.folder}: another process is writing this run"):
            self.system, self.seed, self.config = read(self.folder / "config.toml")  # it may have been changed before the lock
            self._writing = True
            try:
                yield
            finally:
                self._writing = False

    def begin(self, step):
        """Make the folder ready to go on from `step`; call it while `writing`.

        What a killed process has left behind is deleted: half-written files, and what it wrote after its last checkpoint.
        When there are checkpoints of later steps, the run goes back.  Then nothing of the later steps is deleted before the
        next checkpoint is safe: a run that is killed earlier is where it was."""
        for folder in (self.folder, self.folder / "samples", self.folder / "checkpoints"):
            locks.sweep(folder)
        if self.fork is not None:  # it went back in this process, and has no checkpoint since
            return
        shutil.rmtree(self._back, ignore_errors=True)
        if not (self.folder / "env.json").exists():
            _write(self.folder / "env.json", _environment())
        if any(step_of(path) > step for path in self.checkpoints()):
            kept = b"".join(log.until(self.log_path, step))
            try:
                (self._back / "samples").mkdir(parents=True)
                (self._back / "log.jsonl").write_bytes(kept)
            except OSError as error:
                raise serialize.write_error(self._back, error) from error
            self.fork = step
        else:
            self._forget(step)

    def _forget(self, step):
        """Delete what is known of later steps, except checkpoints: the run goes on from `step`."""
        for path in _numbered(self.folder / "samples", ".png"):
            if step_of(path) > step:
                path.unlink(missing_ok=True)
        with self._noting():
            if any(entry["step"] > step for entry in self.evaluations()):
                self._write_json(
                    "evaluation.json", {"evaluations": [entry for entry in self.evaluations() if entry["step"] <= step]}
                )
        if any(other > step for other in self.seconds()):
            self._write_json("seconds.json", {str(other): value for other, value in self.seconds().items() if other <= step})
        log.truncate(self.log_path, step)

    @property
    def _back(self):
        return self.folder / ".back"

    # ---- paths -------------------------------------------------------------------------------------------------------

    @property
    def log_path(self):
        return (self.folder if self.fork is None else self._back) / "log.jsonl"

    @property
    def curves_path(self):
        return self.folder / "curves.png"

    @property
    def gif_path(self):
        return self.folder / "samples.gif"

    @property
    def report_path(self):
        return self.folder / "report.html"

    def sample_path(self, step):
        """The path samples/step_000500.png (for step 500); this creates the folder, not the file."""
        return self._file(self.folder if self.fork is None else self._back, "samples", step, "png")

    def checkpoint_path(self, step):
        """The path checkpoints/step_000500.npz (for step 500); this creates the folder, not the file."""
        return self._file(self.folder, "checkpoints", step, "npz")

    def samples(self):
        """The paths of the pictures of samples so far, a list in the order of their steps."""
        old = _numbered(self.folder / "samples", ".png")
        return old if self.fork is None else [*filter(self._stays, old), *_numbered(self._back / "samples", ".png")]

    def checkpoints(self):
        """The paths of the checkpoints on disk, a list in the order of their steps."""
        return _numbered(self.folder / "checkpoints", ".npz")

    def _stays(self, path):
        return self.fork is None or step_of(path) <= self.fork

    def _file(self, folder, kind, step, suffix):
        folder = folder / kind
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise serialize.write_error(folder, error) from error
        return folder / f"step_{step:06d}.{suffix}"

    # ---- the log -----------------------------------------------------------------------------------------------------

    def log(self, record):
        """Append a record, a dict, to log.jsonl as one line; see log.append."""
        log.append(self.log_path, record)

    def read_log(self):
        """The records so far, a list of dicts.  An incomplete line, left when the process was killed, is skipped."""
        return [record for record, _ in log.records(self.log_path)]

    def truncate_log(self, step):
        """Delete the records after `step`; see log.truncate."""
        log.truncate(self.log_path, step)

    # ---- times and metrics at some steps -----------------------------------------------------------------------------

    def seconds(self):
        """{step: seconds of training up to this step}, for the steps at which a checkpoint was written."""
        found = {int(step): float(value) for step, value in self._read_json("seconds.json", SECONDS).items()}
        return {step: value for step, value in found.items() if self.fork is None or step <= self.fork}

    def note_seconds(self, step, seconds):
        """Save how long training took up to this step, and delete the times of later steps."""
        kept = {str(s): value for s, value in self.seconds().items() if s < step}
        self._write_json("seconds.json", {**kept, str(step): round(seconds, 3)})

    def evaluations(self):
        """The results of `minigan evaluate`: a list of {"step", "samples", "metrics": {name: number}}, sorted by step; see
        `note_evaluation` for what else an entry may have."""
        found = self._read_json("evaluation.json", EVALUATIONS).get("evaluations", [])
        return sorted((e for e in found if self.fork is None or e["step"] <= self.fork), key=lambda entry: entry["step"])

    def logged_metrics(self):
        """The metrics measured during training, in the format of `evaluations`; "samples" is None."""
        return [
            {"step": record["step"], "samples": None, "metrics": {k: v for k, v in record["metrics"].items() if _number(v)}}
            for record in self.read_log()
            if "metrics" in record and "step" in record
        ]

    def measurements(self):
        """`evaluations`, or `logged_metrics` when nothing was evaluated.

        Logged "diversity" is left out: every run logs it for its collapse alarm, so the user did not ask for it."""
        return self.evaluations() or [
            entry | {"metrics": asked}
            for entry in self.logged_metrics()
            if (asked := {k: v for k, v in entry["metrics"].items() if k != "diversity"})
        ]

    def note_evaluation(self, step, samples, metrics, features=""):
        """Save the metrics of this step, measured with this number of samples.   features: the name of the user's function that
        numbers ending in -features come from.

        Other metrics of the same step stay.  If they were measured with another number of samples, "samples_of" has it,
        {name: number of samples}.  Without any metrics, nothing is written."""
        if not metrics:
            return
        with self._noting():
            if step > (newest := self.newest() or step):
                raise CheckpointError(f"{self.folder}: has gone back to an earlier step meanwhile, its newest is {newest} now")
            entries = {entry["step"]: entry for entry in self.evaluations()}
            before = entries.get(step, {"samples": samples, "metrics": {}})
            features = features or before.get("features", "")
            kept = {
                name: value
                for name, value in before["metrics"].items()
                if name not in metrics and (before.get("features", features) == features or not name.endswith("-features"))
            }
            counts = {name: before.get("samples_of", {}).get(name, before["samples"]) for name in kept}
            other = {name: count for name, count in counts.items() if count != samples}
            entries[step] = {
                "step": step,
                "samples": samples,
                "metrics": log.plain({**kept, **metrics}),
                **({"samples_of": other} if other else {}),
                **({"features": features} if features else {}),
            }
            self._write_json("evaluation.json", {"evaluations": [entries[step] for step in sorted(entries)]})

    def _noting(self):
        """One process at a time changes evaluation.json; a run may be measured while another process trains it."""
        return locks.only(self.folder / ".evaluation.lock", f"{self.folder}: another process is noting an evaluation", wait=10)

    def change_config(self, **changes):
        """Change settings in `config` and in config.toml."""
        self.config.update(changes)
        _write(self.folder / "config.toml", toml({"system": self.system, "seed": self.seed, "config": self.config}))

    def _read_json(self, name, content):
        """The dict in a file; {} without the file.   content: what it may hold."""
        path = self.folder / name
        try:
            value = json.loads(path.read_bytes())
            content.check(value, "")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read: {error.strerror}; delete it to go on without it") from error
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{path}: {printable(str(error))}; correct it, or delete it to go on without it") from error
        return value

    def _write_json(self, name, value):
        _write(self.folder / name, json.dumps(value, indent=1, allow_nan=False) + "\n")

    # ---- checkpoints -------------------------------------------------------------------------------------------------

    def save_checkpoint(self, step, state, kind="run", keep=3, seconds=None):
        """Write checkpoints/step_<step>.npz and return its path; after that, delete all but the newest `keep` checkpoints.

        The log, and the seconds of training up to this step, are on the disk before it.   Checkpoints of later steps are
        deleted too: the run was resumed before them, and they would be taken for the newest.
        Raises CheckpointError when the file cannot be written.
        """
        path, about = self.checkpoint_path(step), {"step": int(step), "system": self.system, "seed": self.seed}
        log.sync(self.log_path)
        if self.fork is None:
            if seconds is not None:
                self.note_seconds(step, seconds)
            serialize.save(path, state, kind, **about)
        else:
            serialize.save(self._back / path.name, state, kind, **about)
            self._go_back(path, step, seconds)
        earlier = [other for other in self.checkpoints() if step_of(other) < step]
        later = [other for other in self.checkpoints() if step_of(other) > step]
        for old in (*earlier[: max(0, len(earlier) - (keep - 1))], *later):
            with contextlib.suppress(OSError):  # the new file is safe, and an old file that stays does no harm
                old.unlink()
        locks.sweep(path.parent)
        self.step = None  # the run now continues from its newest checkpoint, not from the one given to `open`
        return path

    def _go_back(self, path, step, seconds):
        """Let the new way, whose checkpoint is complete in `.back`, replace the old one.

        A run that is killed in here goes on from a checkpoint of the old way, or from the one it went back to, and every
        checkpoint has its log: the later ones are deleted first, the newest of them at the beginning, and the log is replaced
        when none of them is left."""
        try:
            for old in reversed(self.checkpoints()):
                if not self._stays(old):
                    old.unlink()
            fork, self.fork = self.fork, None
            self._forget(fork)
            for picture in _numbered(self._back / "samples", ".png"):
                os.replace(picture, self.sample_path(step_of(picture)))
            os.replace(self._back / "log.jsonl", self.log_path)
            if seconds is not None:
                self.note_seconds(step, seconds)
            os.replace(self._back / path.name, path)
        except OSError as error:
            raise serialize.write_error(path, error) from error
        shutil.rmtree(self._back, ignore_errors=True)

    def newest(self):
        """The step of the newest checkpoint on disk, or None if there is none."""
        return step_of(paths[-1]) if (paths := self.checkpoints()) else None

    def unsaved(self, every):
        """Was a run without checkpoints killed before its first one?   Otherwise its checkpoints were deleted, and its log is
        all that is left.   every: steps from one checkpoint to the next."""
        last = max((r["step"] for r in self.read_log() if isinstance(r.get("step"), int)), default=0)
        return last <= every or not (self.folder / "seconds.json").exists()  # which is written before the first checkpoint

    def latest_checkpoint(self):
        """The path of the checkpoint to continue from: the one given to `open`, otherwise the newest; None if there is
        none."""
        if self.step is not None:
            return self.checkpoint_path(self.step)
        return (self.checkpoints() or [None])[-1]

    def load_checkpoint(self, step=None, kind="run"):
        """Return (step, state) of the given step, or of `latest_checkpoint()`.

        A damaged file is never skipped silently: the CheckpointError names it, and the step to resume from instead.
        """
        path = self.latest_checkpoint() if step is None else self.checkpoint_path(step)
        steps = [step_of(other) for other in self.checkpoints()]
        if path is None:
            raise CheckpointError(f"{self.folder}: no checkpoint to load; start again with `minigan train` and another --out")
        if step_of(path) not in steps:
            there = f"there are steps {', '.join(map(str, steps))}" if steps else "there is none"
            raise CheckpointError(f"{path}: no checkpoint of step {step_of(path)}; {there}")
        try:
            state, about = serialize.load(path, kind), serialize.describe(path)["about"]
        except CheckpointError as error:
            damaged = isinstance(error, serialize.DamagedCheckpoint) or not zipfile.is_zipfile(path)  # e.g. overwritten
            if not damaged or not os.access(path, os.R_OK):
                raise
            good = self._newest_good(kind, before=step_of(path))
            remedy = "no earlier checkpoint can be read; start again with `minigan train`"
            if good is not None:
                remedy = f"delete it to resume from step {good}"
                bad = [str(other) for other in steps if good < other < step_of(path)]
                if bad:
                    remedy = f"delete it and step {', '.join(bad)}, also damaged, to resume from step {good}"
            what = str(error).partition(";")[0]
            raise CheckpointError(f"{what}; {remedy}") from error
        for name, own in (("system", self.system), ("seed", self.seed), ("step", step_of(path))):
            if about.get(name, own) != own:  # old checkpoints may lack one
                raise CheckpointError(
                    f"{path}: has the {name} {shown(about[name])}, and here belongs one with the {name} {shown(own)}; put it "
                    "back where it came from, and delete it here to resume from an earlier one"
                )
        return step_of(path), state

    def _newest_good(self, kind, before):
        for path in reversed(self.checkpoints()):
            if step_of(path) < before:
                with contextlib.suppress(CheckpointError):
                    serialize.load(path, kind)
                    return step_of(path)
        return None


def _number(value):
    return value is None or isinstance(value, int | float)


# ---- folders and files -----------------------------------------------------------------------------------------------


def check_out(out):
    """Raise ConfigError unless a run may be made in the folder `out`, which need not exist."""
    out = given(out, "--out")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file, not a folder; choose another --out")
    try:
        taken = out.exists() and _contents(out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be read: {error.strerror}; choose another --out") from error
    if taken:
        resume = f", or continue it with `{command('resume', out)}`" if (out / "config.toml").is_file() else ""
        raise ConfigError(f"{out}: already holds {'a run' if resume else 'files'}; choose another --out{resume}")


def _contents(folder):
    """The names in a folder, without what a process leaves there that is killed while it makes a run."""
    return [name for name in os.listdir(folder) if name not in (LOCK, "env.json") and not re.fullmatch(r"\..*\.tmp", name)]


def _environment():
    return json.dumps(environment(), indent=2) + "\n"


def _new_folder(root, name):
    """Make root/name, or name-2, name-3, ...  mkdir fails when the folder exists, so two processes never share one."""
    name = re.sub(r"[^\w.-]", "-", name)
    count = 1
    while True:
        folder = root / (name if count == 1 else f"{name}-{count}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            if not root.is_dir():  # root is a file, so no higher count would ever succeed
                raise
            count += 1


def _numbered(folder, suffix):
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if p.suffix == suffix and step_of(p) is not None), key=step_of)


def step_of(path: Path) -> Any:
    """The step of a picture or checkpoint, from its name: 500 for step_000500.png; None for any other file.

    >>> step_of(Path("samples/step_000500.png"))
    500"""
    match = _STEP.fullmatch(path.name)
    return int(match[1]) if match else None


def _write(path, text):
    with serialize.replacing(path) as file:
        file.write(text.encode("utf-8"))
