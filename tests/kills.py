"""Kill minigan at every operation on a file, and at random moments: is anything lost, and can it always go on?

    python tests/kills.py                 a few kills of each kind, some seconds; the test suite runs this
    python tests/kills.py --full          every operation of every story, and 300 random moments: some minutes
    python tests/kills.py --only train    one story

A story is what a user does: train, resume, go back to an earlier checkpoint, tune, evaluate, fill the cache.  A child process
(a fork, so that nothing is imported again) lives it and dies at its n-th operation: before a file is opened, renamed, deleted
or forced to the disk; or after a random time, by SIGKILL.  At fsync the file is also cut in half, as by a power failure.  Then
the story is told again, with the commands that a user has, and must end as if nothing had happened: the same bits in the last
checkpoint, every line of the log once, the same numbers, and no file that does not belong there."""

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from minigan import serialize, viz
from minigan.cli import main, tune
from minigan.data import cache
from minigan.runs.folder import Run
from minigan.runs.session import Session

STEPS = 9
SETTINGS = {"batch_size": 8, "latent": 2, "width": 8, "depth": 1, "log_every": 1, "sample_every": 4, "checkpoint_every": 4}
STRANGE = (".tmp", ".lock", ".back")
OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def command(*words) -> int:
    """Run the command in this process and return its exit code; what it prints is of no interest."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return main([str(word) for word in words])


def quick_curves(path, *_, **__):
    """In the place of viz.curves_png, which takes most of the time of such short runs: it writes in the same way."""
    with serialize.replacing(path) as file:
        file.write(b"curves")


def start(folder):
    """`minigan train`, which is what a user types again if there is no run."""
    given = [word for key, value in SETTINGS.items() if key in KNOWN for word in ("--set", f"{key}={value}")]
    return command("train", "gan", "--data", "ring8", "--steps", STEPS, *given, "--out", folder)


def go_on(folder):
    """What a user does after a kill: resume; if that is no run yet, train.   A run that is complete says so with code 2."""
    if not (folder / "config.toml").exists():
        return start(folder)
    return command("resume", folder)


# ---- stories: (what is there before, what is killed, what is done afterwards, what must be true) ---------------------------


def bits(folder, step=STEPS):
    with np.load(folder / "checkpoints" / f"step_{step:06d}.npz") as file:
        return {name: file[name].tobytes() for name in file.files}


def story(folder):
    """All that a run holds, without what depends on the time."""
    run = Run.open(folder)
    seconds = [value for _, value in sorted(run.seconds().items())]
    assert seconds == sorted(seconds) and all(value > 0 for value in seconds), f"seconds go back: {seconds}"
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    strange = [name for name in names if any(word in name for word in STRANGE)]
    assert not strange, f"left behind: {strange}"
    return bits(folder), run.read_log(), run.evaluations(), [n for n in names if "checkpoints" not in n], len(seconds)


class Train:
    def before(self, folder): ...

    def live(self, folder):
        start(folder / "run")

    def again(self, folder):
        go_on(folder / "run")

    def check(self, folder):
        return story(folder / "run")


class Resume(Train):
    def before(self, folder):
        session = Session.start("gan", "ring8", overrides=OVERRIDES, out=folder / "run")
        session.train(6)
        for path in session.run.checkpoints()[1:]:  # as after a kill in step 7: the checkpoint of step 4 is the newest
            path.unlink()

    def live(self, folder):
        command("resume", folder / "run")


class GoBack(Train):
    """From step 9 to step 4 and on to step 9; killed, the run is what it was, or what it becomes."""

    def before(self, folder):
        start(folder / "run")
        command("evaluate", folder / "run", "--metrics", "energy", "-n", 500)

    def live(self, folder):
        command("resume", folder / "run" / "checkpoints" / "step_000004.npz")

    def again(self, folder):
        run = Run.open(folder / "run")
        steps, newest = [record["step"] for record in run.read_log()], run.newest()
        assert steps[:newest] == list(range(1, newest + 1)), f"step {newest} is saved, the log has {steps}"
        if newest == STEPS and run.evaluations():  # nothing has changed yet
            self.live(folder)
        go_on(folder / "run")


class Evaluate(Train):
    def before(self, folder):
        start(folder / "run")

    def live(self, folder):
        command("evaluate", folder / "run", "--metrics", "energy", "-n", 500)

    again = live


class Tune(Train):
    def before(self, folder):
        tune._minigan = self._here

    def _here(self, jobs, stopped, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in words])
        return code, out.getvalue(), err.getvalue()

    def live(self, folder):
        words = [word for key, value in OVERRIDES.items() for word in ("--set", f"{key}={value}")]
        assert not command(
            *("tune", "gan", "--data", "ring8", "--metric", "energy", "--grid", "lr=1e-3,2e-3", *words),
            *("-n", 500, "--out", folder / "search"),
        )

    again = live

    def check(self, folder):
        rows = json.loads((folder / "search" / "results.json").read_text())["runs"]
        runs = [path for path in (folder / "search").iterdir() if path.is_dir()]
        return {name: row["value"] for name, row in rows.items()}, [story(path) for path in sorted(runs)]


class Cache(Train):
    def live(self, folder):
        for name in ("a.npz", "b.npz"):
            if cache.read(folder / name) is None:
                cache.save(folder / name, {"x": np.arange(1000)})

    again = live

    def check(self, folder):
        return sorted(os.listdir(folder)), [cache.read(folder / name)["x"].sum() for name in ("a.npz", "b.npz")]


STORIES = {"train": Train, "resume": Resume, "back": GoBack, "evaluate": Evaluate, "tune": Tune, "cache": Cache}


# ---- killing -------------------------------------------------------------------------------------------------------------


def child(what, live, folder, at=None, cut=False) -> int:
    """Let a fork live the story.   at: die before this operation in `folder`.   Returns the number of its operations, or -1 if
    it was killed.   what: a function of the child's number, called beside it."""
    reading, writing = os.pipe()
    number = os.fork()
    if not number:
        os.close(reading)
        count, root = 0, str(folder)

        def operation(file=None):
            nonlocal count
            if count == at:
                if cut and file is not None:
                    os.ftruncate(file, os.fstat(file).st_size // 2)
                os._exit(99)
            count += 1

        def hook(event, arguments):
            writes = event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if event in OPERATIONS and writes and str(arguments[0]).startswith(root):
                operation()

        fsync = os.fsync
        os.fsync = lambda file: (operation(file), fsync(file))[1]
        sys.addaudithook(hook)
        code = 1
        try:
            live(folder)
            os.write(writing, str(count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    what(number)
    with os.fdopen(reading) as file:
        text = file.read()
    _, status = os.waitpid(number, 0)
    died = os.waitstatus_to_exitcode(status)
    assert text or died in (99, -signal.SIGKILL), f"the story ended by itself, with code {died}"
    return int(text) if text else -1


def tell(story, place, killer):
    """One kill and what comes after it.   Returns what is true at the end."""
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        story.before(folder)
        ended = killer(story.live, folder)
        if ended < 0 or isinstance(story, (Evaluate, Cache)):
            story.again(folder)
        return story.check(folder)
    finally:
        shutil.rmtree(folder)


def report(name, texts):
    print(f"{name}: {texts}", flush=True)


def run(few: int | None, only=None, seed=0) -> int:
    """All stories, each with so many kills (None: every operation, and 50 moments).   Returns the number of kills after which
    something was wrong."""
    rng, wrong, place = random.Random(seed), 0, tempfile.mkdtemp(prefix="kills-")
    nobody = lambda number: None
    try:
        for name, kind in STORIES.items():
            if only not in (None, name):
                continue
            story, began, counts = kind(), time.monotonic(), []

            def to_the_end(live, folder, counts=counts):
                counts.append(child(nobody, live, folder))
                return counts[0]

            expected = tell(story, place, to_the_end)
            took, operations = time.monotonic() - began, counts[0]
            chosen = range(operations) if few is None else sorted(rng.sample(range(operations), min(few, operations)))
            kills = [(f"operation {n}", lambda live, f, n=n: child(nobody, live, f, n, n % 2)) for n in chosen]

            def later(delay):
                def kill(number):
                    time.sleep(delay)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(number, signal.SIGKILL)

                return kill

            for _ in range(50 if few is None else 1):
                delay = rng.uniform(0, took)
                kills.append((f"after {delay:.3f} s", lambda live, f, d=delay: child(later(d), live, f)))
            bad = 0
            for where, killer in kills:
                try:
                    found = tell(story, place, killer)
                    assert found == expected, "the end is not the same"
                except Exception as error:
                    bad += 1
                    report(name, f"killed at {where}: {type(error).__name__}: {error}")
            wrong += bad
            report(name, f"{len(kills)} kills ({len(list(chosen))} of {operations} operations), {bad} with a fault")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=4, metavar="N", help="so many operations of each story (default: 4)")
    parser.add_argument("--full", action="store_true", help="every operation, and 50 random moments")
    parser.add_argument("--only", choices=STORIES)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from minigan.systems import registry

    viz.curves_png = quick_curves
    KNOWN = registry.get("gan").settings
    OVERRIDES = {key: value for key, value in SETTINGS.items() if key in KNOWN} | {"steps": STEPS}
    sys.exit(run(None if options.full else options.few, options.only, options.seed) > 0)
