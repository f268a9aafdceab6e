"""The verbs train, resume and sample."""

import argparse
import contextlib
import math
import os
import sys
import time
from typing import Any

import numpy as np

from minigan.cli.output import output_file, path_argument, settings_argument
from minigan.errors import CheckpointError, ConfigError, MiniganError, NotFiniteError
from minigan.paths import command

MOST_SAMPLES = 100_000  # as 28x28 pictures they take about 300 MB
SMALL = 2**16  # size of the largest parameter: true for MLPs on points and an LSTM of 32, false for networks on pictures
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # variables that set the number of BLAS threads


def whole(least, most=10**9 - 1):
    """Return an argparse type for a whole number from least to most."""

    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, got {text[:40]!r}")
        return value

    return parse


def seconds(text):
    """An argparse type: a time > 0 in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and below 1e7, got {text[:40]!r}")
    return value


def add(verbs) -> None:
    """Add the verbs of this file to the parser."""
    verb = verbs.add_parser(
        "train",
        help="train a system",
        allow_abbrev=False,
        description="Train a system and write a new run folder.  Ctrl-C stops and saves; `minigan resume` continues.",
    )
    verb.add_argument(
        "system", metavar="SYSTEM", help="name of a system (see `minigan list`), or a Python file that registers one"
    )
    verb.add_argument(
        "--data", metavar="NAME", help="data set, see `minigan list datasets` (default: the system's own, often digits)"
    )
    verb.add_argument(
        "--data-dir",
        type=path_argument,
        metavar="DIR",
        help="folder with the data set's files (default: $MINIGAN_DATA/NAME, then the cache, then a download)",
    )
    verb.add_argument("--steps", type=whole(1), metavar="N", help="number of iterations (default: the system's own)")
    verb.add_argument(
        "--seconds",
        type=seconds,
        metavar="S",
        help="stop after this time of training, pictures not counted, even if steps are left (default: no limit)",
    )
    verb.add_argument("--batch-size", type=whole(1), metavar="N", help="samples per step (default: the system's own)")
    verb.add_argument("--seed", type=whole(0), default=0, metavar="N", help="seed of all random numbers (default: 0)")
    verb.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:1 or auto (default: cpu)")
    settings_argument(
        verb,
        "change a setting, such as lr=1e-4; can be repeated; `minigan show SYSTEM` "
        "lists all settings with their defaults, `minigan data list` the options of --data folder",
    )
    verb.add_argument("--out", type=path_argument, metavar="DIR", help="run folder (default: runs/<date>-<system>-s<seed>)")
    verb.set_defaults(run=_train, lasts=True)

    verb = verbs.add_parser(
        "resume", help="continue a run", description="Continue a run from its newest checkpoint.", allow_abbrev=False
    )
    verb.add_argument("path", type=path_argument, metavar="RUN", help="the run folder, or one of its checkpoints")
    verb.add_argument("--steps", type=whole(1), metavar="N", help="iterations in total (default: the run's setting)")
    verb.add_argument("--seconds", type=seconds, metavar="S", help="stop after this time of training (default: no limit)")
    settings_argument(verb, "change a learning rate, or what happens every so many steps, from now on; can be repeated")
    verb.add_argument(
        "--data-dir", type=path_argument, metavar="DIR", help="where the data are now (default: where they were at the start)"
    )
    verb.add_argument(
        "--accept-changed-data", action="store_true", help="continue even if the data have changed since the run was started"
    )
    verb.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1 or auto (default: the device used at the start)")
    verb.set_defaults(run=_resume, lasts=True)

    verb = verbs.add_parser(
        "sample", help="draw samples from a run", description="Draw samples from a trained run.", allow_abbrev=False
    )
    verb.add_argument("path", type=path_argument, metavar="RUN", help="the run folder, or one of its checkpoints")
    verb.add_argument(
        "-n",
        type=whole(1, MOST_SAMPLES),
        default=64,
        metavar="N",
        help=f"how many samples to draw, up to {MOST_SAMPLES} (default: 64)",
    )
    verb.add_argument(
        "--seed", type=whole(0), metavar="N", help="draw other samples (default: the samples in the run's own pictures)"
    )
    verb.add_argument(
        "--label",
        type=whole(0),
        metavar="N",
        help="the class of all samples (default: 0, 1, 2, ... in turn, for a system that has classes)",
    )
    verb.add_argument(
        "-o",
        "--out",
        type=path_argument,
        metavar="FILE",
        help="file for a picture, a .png (default: grid.png, or no picture if --npz is given)",
    )
    verb.add_argument(
        "--npz",
        type=path_argument,
        metavar="FILE",
        help="file for the arrays, a .npz: images (N, C, H, W) float32 in [-1, 1], points (N, 2) or "
        "tokens (N, T); also labels (N,) if the system has classes (default: no file)",
    )
    verb.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1 or auto (default: the device used at the start)")
    verb.set_defaults(run=_sample)


def pairs(texts) -> dict:
    """{key: value} of texts KEY=VALUE.   Raises ConfigError for any other text."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set takes KEY=VALUE, such as lr=1e-4, got {text!r}")
        found[key.strip()] = value.strip()
    return found


def overrides(options) -> dict:
    """{setting: value} of --set, --steps and --batch-size."""
    given = {"steps": options.steps, "batch_size": options.batch_size}
    return pairs(options.settings) | {key: value for key, value in given.items() if value is not None}


def _train(options):
    from minigan.runs.session import Session

    session = Session.start(
        options.system, options.data, options.data_dir, options.seed, options.device, overrides(options), options.out
    )
    nets = [net for player in session.game.players for net in player.nets]  # averages of networks are not counted
    size = sum({id(p): p.size for net in nets for p in net.parameters()}.values())
    print(f"{options.system} on {session.data_name}, {size:,} parameters, into {session.run.folder}", flush=True)
    return _go_on(session, session.settings.steps, options.seconds)


def _resume(options):
    from minigan.runs.folder import Run
    from minigan.runs.session import Session

    run = Run.open(options.path)
    given = pairs(options.settings) | ({} if options.steps is None else {"steps": options.steps})
    with run.writing():
        session = Session.open(run, options.device, overrides=given, data_dir=options.data_dir)
        steps, folder = session.settings.steps, run.folder
        session.accept_changed_data = options.accept_changed_data
        if steps <= session.step:
            if options.steps is None and session.unfinished():  # it was killed after its last checkpoint
                session.attach()
                session.begin()
                session.draw()
                session.finish()
                return _results(session, steps)
            raise ConfigError(
                f"{folder}: has {session.step} of {steps} steps already; "
                f"go further with `{command('resume', options.path, '--steps', 2 * session.step)}`"
            )
        session.attach()
        print(f"{run.system} on {session.data_name}, from step {session.step}, in {folder}", flush=True)
        return _go_on(session, steps, options.seconds)


def _go_on(session, steps, seconds):
    """Train with a progress bar.  At the end, print where the results are; after a stop, print how to continue."""
    from minigan.runs import diagnosis
    from minigan.runs.aside import say

    run = session.run
    # A run that went back to an earlier checkpoint, and has no newer one yet, is still the one that it was.
    again = lambda: f"`{command('resume', run.folder if run.fork is None else run.checkpoint_path(run.fork))}`"
    try:
        with _progress(session, steps, seconds) as report, _threads(session.game):
            done = session.train(steps, seconds, report)
    except CheckpointError as error:  # most likely the disk is full
        saved = _saved(session)
        then = f"then {again()} goes on from step {saved}"
        if saved >= steps:
            then = f"all {saved} steps are done and saved, only this file is missing; then {again()} writes it"
        raise CheckpointError(f"{error}\n{then}") from error
    except NotFiniteError as error:
        advice = next(one.advice for one in diagnosis.of(run, session.system) if one.name == "not finite")
        kept = f"{run.folder} has no checkpoint yet, `{command('resume', run.folder, '--set', 'KEY=VALUE')}` starts it again"
        if saved := run.latest_checkpoint():
            kept = f"{saved} is the last good checkpoint"
        raise NotFiniteError(f"step {session.step + 1}: {error}\n{kept}; in a new run, {advice}") from error
    except MiniganError as error:
        raise type(error)(f"step {session.step + 1}: {error}\n{again()} goes on from step {_saved(session)}") from error
    except KeyboardInterrupt:
        say(f"stopped at once; {again()} goes on from step {_saved(session)}")
        return 130
    if not done:
        say(f"stopped at step {session.step} and saved; continue with {again()}")
        return 128 + session.stopped  # the convention of shells: 130 for Ctrl-C
    return _results(session, steps)


def _results(session, steps):
    """Print where the results are, and what they say."""
    from minigan.runs import diagnosis

    folder = session.run.folder
    print(f"step {session.step}: see {folder / 'report.html'}, {folder / 'samples.gif'} and {folder / 'samples'}")
    for finding in diagnosis.of(session.run, session.system):
        print(f"{finding.what}: {finding.advice}\n  evidence: {finding.evidence}")
    print(f"how good: {command('evaluate', folder)}\nmore samples: {command('sample', folder, '-n', 64, '-o', 'grid.png')}")
    if session.step < steps:
        print(f"{steps - session.step} steps are left: `{command('resume', folder)}`")
    return 0


def _threads(game):
    """A context that limits BLAS to one thread if all matrices are small, unless the user has set the number of threads.

    With small matrices, a second thread makes training only 1.2 times as fast on an idle machine.  On a busy machine the first
    thread waits in every product until the second one can run: on ring8 this gave 6 steps per second instead of 105."""
    from threadpoolctl import threadpool_limits

    small = max(p.size for net in game.nets.values() for p in net.parameters()) <= SMALL
    said = any(os.environ.get(name) for name in THREADS)
    return threadpool_limits(1, user_api="blas") if small and not said else contextlib.nullcontext()


def _saved(session):
    """The step of the newest checkpoint, or 0 if there is none."""
    from minigan.runs.folder import step_of

    path = session.run.latest_checkpoint()
    return step_of(path) if path else 0


@contextlib.contextmanager
def _progress(session, steps, seconds):
    """A context that gives a function report(step, losses).  On a terminal it moves a progress bar; otherwise it prints a line
    after each tenth of the steps, and after each tenth of `seconds` if given."""
    from tqdm import tqdm

    from minigan.runs.notebook import BAR, losses_text

    first, start, before, tenths = session.step, time.monotonic(), session.seconds, 0
    columns = _columns()
    width = {"dynamic_ncols": bool(columns), "ncols": 80}
    bar = tqdm(total=steps, initial=first, unit="step", disable=columns is None, bar_format=BAR, **width)

    def show(step, losses):
        nonlocal tenths
        elapsed, trained = max(time.monotonic() - start, 1e-9), session.seconds - before
        passed, tenths = tenths, int(10 * trained / seconds) if seconds else 0
        if not bar.disable:
            bar.set_postfix_str(losses_text(losses), refresh=False)  # tqdm redraws at most ten times per second
            bar.update()
        elif step % max(1, steps // 10) == 0 or step == steps or tenths > passed:
            speed = (step - first) / elapsed
            left = min((steps - step) / speed, (seconds or math.inf) - trained)
            print(
                f"step {step}/{steps}  {losses_text(losses)}  {speed:.1f} steps/s  {max(left, 0):.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    heard = sys.stderr is not None

    def report(step, losses):
        nonlocal heard
        if heard:
            try:
                show(step, losses)
            except (OSError, ValueError):  # the terminal is closed, the reader has gone, or the disk is full
                heard = False

    try:
        yield report
    finally:  # after an error too, so that the message starts on a new line
        with contextlib.suppress(OSError, ValueError):
            bar.close()


def _columns():
    """The width of the terminal that stderr writes to; 0 if it is unknown, None if stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return 0


def _sample(options):
    from minigan import viz
    from minigan.runs.session import Session
    from minigan.serialize import replacing

    picture = output_file(options.out or "grid.png", ".png") if options.out or not options.npz else None
    numbers = output_file(options.npz, ".npz") if options.npz else None
    session = Session.open(options.path, options.device)
    if session.step == 0:
        again = f"`{command('resume', options.path)}`"
        raise ConfigError(f"{session.run.folder}: has no checkpoint with a trained network; train it with {again}")
    kind = session.description.x
    most = viz.most(kind)
    if picture and most and options.n > most:
        raise ConfigError(f"-n {options.n}: one picture holds up to {most} samples; use --npz FILE without -o")
    labels = session.labels(options.n, options.label)
    if picture:
        session.picture(picture, options.n, options.seed, options.label)
    if numbers:
        samples = session.sample(options.n, options.seed, options.label).astype(kind.dtype, copy=False)
        arrays: dict[str, Any] = {kind.plural: samples} | ({} if labels is None else {"labels": labels})
        with replacing(numbers) as file:
            np.savez(file, **arrays)
    print(f"{options.n} samples of step {session.step}: {', '.join(str(path) for path in (picture, numbers) if path)}")
