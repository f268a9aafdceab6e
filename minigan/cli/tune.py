"""The verb tune: a grid search.  Every point of the grid is a normal run, which is trained and measured in its own processes.

The folder of a search holds one run folder for each point and seed, and results.json, which gets a row when a run is done.
After Ctrl-C, the same command continues with the runs that are left, and tries again those that failed.
A run's process ends when its search ends, however that ends: it watches a pipe (`watch`) that the search keeps open.
"""

import _thread
import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from minigan.cli.output import path_argument, settings_argument
from minigan.errors import ConfigError
from minigan.paths import command

MOST_RUNS = 500
WATCH = "MINIGAN_WATCH"  # an environment variable: this process belongs to a search, see `watch`


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    from minigan.cli.train import seconds, whole

    verb = verbs.add_parser(
        "tune",
        help="train a system on a grid of settings",
        allow_abbrev=False,
        description="Train a system with every combination of the values in --grid, and sort the results "
        "by a metric.  Ctrl-C stops and saves; the same command continues.",
    )
    verb.add_argument(
        "system", metavar="SYSTEM", help="name of a system (see `minigan list`), or a Python file that registers one"
    )
    verb.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="KEY=A,B",
        required=True,
        help="values of a setting, such as lr=1e-4,2e-4; if it is repeated, all combinations are tried",
    )
    verb.add_argument("--metric", required=True, metavar="M", help="metric to sort by, see `minigan list metrics`")
    verb.add_argument(
        "--seeds",
        type=_seeds,
        default=[0],
        metavar="A-B",
        help="seeds such as 0-2 or 0,3; every point is trained with each of them (default: 0)",
    )
    verb.add_argument(
        "--jobs",
        type=whole(1, 64),
        default=1,
        metavar="N",
        help="number of runs at the same time (default: 1); if there are several, each uses one thread",
    )
    verb.add_argument("--data", metavar="NAME", help="data set (default: the system's own)")
    verb.add_argument("--data-dir", type=path_argument, metavar="DIR", help="folder with the data set's files")
    verb.add_argument("--steps", type=whole(1), metavar="N", help="iterations of each run (default: the system's own)")
    verb.add_argument(
        "--seconds", type=seconds, metavar="S", help="stop each run after this time of training (default: no limit)"
    )
    verb.add_argument("--batch-size", type=whole(1), metavar="N", help="samples per step (default: the system's own)")
    settings_argument(verb, "change a setting in all runs; can be repeated")
    verb.add_argument("-n", type=whole(1), metavar="N", help="samples to measure (default: that of `minigan evaluate`)")
    verb.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:1 or auto (default: cpu)")
    verb.add_argument(
        "--out", type=path_argument, metavar="DIR", help="folder of the search (default: runs/tune-<system>-<metric>)"
    )
    verb.set_defaults(run=_tune, lasts=True)


def _seeds(text):
    import argparse

    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part.strip())
        if not match or int(match[2] or match[1]) < int(match[1]) or int(match[2] or 0) - int(match[1]) > 1000:
            raise argparse.ArgumentTypeError(f"must be numbers such as 0-2 or 0,3, got {text[:40]!r}")
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return list(dict.fromkeys(found))


def _tune(options):
    from minigan import locks
    from minigan.cli.train import overrides
    from minigan.runs.folder import LOCK

    points, common = grid(options.grid), overrides(options)
    metric, number, points = _check(options, points, common)
    folder = options.out or Path("runs", _folder(f"tune-{Path(options.system).stem}-{options.metric}"))
    about = {
        "system": options.system,
        "data": options.data,
        "settings": {k: str(v) for k, v in common.items()},
        "seconds": options.seconds,
        "samples": options.n,
        "metric": number.name,
    }
    _results(folder, about)  # called here for its errors, before there is a folder
    _make(folder)
    with locks.only(folder / LOCK, f"{folder}: another process is searching here"), _stopping() as stopped:
        results = _results(folder, about)
        points = _spelt(points, [*results, *os.listdir(folder)], options.system)
        jobs = [(point, seed) for point in points for seed in options.seeds]
        done = [job for job in jobs if "value" in results.get(_name(*job), {})]
        left = [job for job in jobs if job not in done]
        _write(folder, about, results)
        print(
            f"{len(jobs)} runs of {options.system}, {options.jobs} at a time, into {folder}"
            + (f"; {len(done)} are already done" if done else ""),
            flush=True,
        )
        with ThreadPoolExecutor(options.jobs) as pool:
            waiting = {pool.submit(_one, options, folder, metric, number, common, stopped, *job): job for job in left}
            try:
                for ended in as_completed(waiting):
                    name, row = _name(*waiting[ended]), ended.result()
                    if row is not None:
                        results[name] = row
                        _write(folder, about, results)
                        left.remove(waiting[ended])
                        what = row["failed"] if "failed" in row else f"{number.name} {row['value']:.4g}"
                        print(f"{len(jobs) - len(left)}/{len(jobs)}  {name}: {what}", flush=True)
            except BaseException:  # the disk is full: the other runs end too, before the error is told
                stopped(signal.SIGTERM, None)
                raise
        _show(options, folder, points, results, number)
        if left:
            from minigan.runs.aside import say

            say(f"stopped; the same command goes on with the {len(left)} runs left")
            return 128 + (stopped.number or 2)  # the convention of shells: 130 for Ctrl-C
    return 0 if all("value" in results[_name(*job)] for job in jobs) else 2


class _Stopped:
    """The signal that ended the search, and the processes that are running for it."""

    def __init__(self):
        self.number, self.children = 0, set()

    def __call__(self, number, frame):
        from minigan.runs.aside import say

        if not self.number:
            say("\nwaiting for the runs to finish their step and save; press Ctrl-C again to stop them at once")
        for child in list(self.children):
            self.end(child, bool(self.number))
        self.number = number

    def end(self, child, at_once=False):
        """Let a run's process save and end, or end at once."""
        with contextlib.suppress(OSError):
            if at_once:
                child.kill()
            else:
                child.stdin.close()  # the child sees this in `watch`


@contextlib.contextmanager
def _stopping():
    """Inside, Ctrl-C, SIGTERM and SIGHUP end the runs, which save first."""
    stopped = _Stopped()
    numbers = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers only there
        numbers = set()
    numbers = {number for number in numbers if signal.getsignal(number) not in (None, signal.SIG_IGN)}
    before = {number: signal.signal(number, stopped) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch() -> None:
    """In the process of a run: when the search that started it has ended, and so stdin has, stop as after SIGTERM."""

    def wait():
        with contextlib.suppress(OSError):
            os.read(0, 1)  # not sys.stdin: at the end of a process nobody may be reading that
        if os.name == "nt":
            _thread.interrupt_main()
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def grid(texts) -> list[dict]:
    """All combinations of the values in the texts, as a list of {key: value}.   Raises ConfigError for a text that is not
    KEY=A,B, or a key that appears twice.

    >>> grid(["lr=1e-4,2e-4", "steps=5"])
    [{'lr': '1e-4', 'steps': '5'}, {'lr': '2e-4', 'steps': '5'}]"""
    axes = {}
    for text in texts:
        key, equals, values = text.partition("=")
        values = [value.strip() for value in values.split(",")]
        if not equals or not key.strip() or not all(values):
            raise ConfigError(f"--grid takes KEY=A,B, such as lr=1e-4,2e-4, got {text!r}")
        if key.strip() in axes:
            raise ConfigError(f"--grid {key.strip()} is given twice; put all its values into one --grid")
        axes[key.strip()] = list(dict.fromkeys(values))
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def _check(options, points, common):
    """Check everything that can be checked before the first run.   Returns the Metric and the Number to sort by, and the
    points, each once.   Raises ConfigError or DataError."""
    from minigan.runs import evaluation, start
    from minigan.systems import registry

    if len(points) * len(options.seeds) > MOST_RUNS:
        raise ConfigError(
            f"{len(points)} points and {len(options.seeds)} seeds are {len(points) * len(options.seeds)} runs, "
            f"but a search may have at most {MOST_RUNS}; use fewer values or seeds"
        )
    both = [key for key in points[0] if key in common]
    if both:
        raise ConfigError(f"{both[0]} is in --grid and also set for all runs; remove one of them")
    distinct = {}
    for point in points:
        new = start.checked(
            options.system, options.data, options.data_dir, options.seeds[0], options.device, {**common, **point}
        )
        distinct.setdefault(json.dumps(new.config, sort_keys=True), point)  # lr=1e-3 and lr=0.001 are one point
    metric, number = evaluation.found(options.metric, registry.get(options.system), new.dataset)
    metric.check(new.dataset)
    if options.n and options.n < metric.least:
        raise ConfigError(f"{metric.name} needs at least {metric.least:,} samples, got -n {options.n}")
    return metric, number, list(distinct.values())


def _spelt(points, names, system):
    """The points, each in the spelling that it has among the names of an earlier search, if it has one there."""
    from minigan.systems import registry
    from minigan.train.settings import meant

    settings = registry.get(system).settings
    full = meant(settings)

    def meaning(point):
        try:
            pairs = [(one, value) for key, value in point.items() for one in full.get(key, [key])]
            return [(one, settings[one].read(value) if one in settings else value) for one, value in pairs]
        except ConfigError:  # a name that somebody else has given
            return None

    earlier = []
    for name in names:
        point = dict(part.split("=", 1) for part in name.split(",") if "=" in part)
        point.pop("seed", None)
        earlier.append(point)
    return [
        next((old for old in earlier if list(old) == list(point) and meaning(old) == meaning(point)), point) for point in points
    ]


def _name(point, seed):
    return ",".join(f"{key}={value}" for key, value in {**point, "seed": seed}.items())


def _folder(name):
    return re.sub(r"[^\w.,=+-]", "-", name)


def _results(folder, about):
    """{name: row} of the runs that are done.   Raises ConfigError if the folder holds another search or other files."""
    from minigan.schema import Anything, Maybe, Named, Number, Record, Text, printable

    file = folder / "results.json"
    if not file.exists():
        if folder.exists() and (not folder.is_dir() or any(not name.startswith(".") for name in os.listdir(folder))):
            raise ConfigError(f"{folder}: already exists and is not a search; choose another --out")
        return {}
    try:
        saved = json.loads(file.read_bytes())
        row = Record(may={"value": Maybe(Number()), "seconds": Maybe(Number(0)), "run": Text()}, others=Anything())
        Record({"search": Named(Anything()), "runs": Named(row)}).check(saved, "the file")
        before, rows = saved["search"], saved["runs"]
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: cannot be read: {printable(str(error))}; choose another --out") from None
    for key, value in about.items():
        if before.get(key) != value:
            raise ConfigError(
                f"{folder}: holds a search with {key} {printable(str(before.get(key)))}, but this one has {value}; choose "
                "another --out"
            )
    return rows


def _make(folder):
    from minigan.serialize import write_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(str(write_error(folder, error))) from error


def _write(folder, about, results):
    from minigan.serialize import replacing

    with replacing(folder / "results.json") as file:
        file.write((json.dumps({"search": about, "runs": results}, indent=1) + "\n").encode())


ENDED = (129, 130, 143)  # exit codes of a run that a signal ended; on Windows too


def _one(options, folder, metric, number, common, stopped, point, seed):
    """Train and measure one run.  Returns {"value", "seconds", "run"}, or {"failed": why, "run"}, or None if it was stopped."""
    run = folder / _folder(_name(point, seed))
    if (run / "config.toml").exists():
        steps = ["resume", run]
    else:
        steps = ["train", options.system, "--seed", seed, "--device", options.device, "--out", run]
        for key, value in {**common, **point}.items():
            steps += ["--set", f"{key}={value}"]
        for option, value in (("--data", options.data), ("--data-dir", options.data_dir)):
            steps += [option, value] if value else []
    steps += ["--seconds", options.seconds] if options.seconds else []
    n = ["-n", options.n] if options.n else []
    code, _, told = _minigan(options.jobs, stopped, *steps)
    if code == 0 or "steps already" in told:
        code, printed, told = _minigan(options.jobs, stopped, "evaluate", run, "--metrics", metric.name, "--json", *n)
    if stopped.number or code in ENDED or code < 0:
        return None
    if code:
        return {"failed": _reason(told), "run": str(run)}
    from minigan.runs.folder import Run

    value = json.loads(printed)["metrics"][number.name]
    if value is None:
        return {"failed": f"{number.name} is not a number", "run": str(run)}
    return {"value": value, "seconds": max(Run.open(run).seconds().values(), default=None), "run": str(run)}


def _minigan(jobs, stopped, *arguments):
    """(exit code, stdout, stderr) of a command, which ends when this process ends, or when `stopped` says so."""
    from minigan.cli.train import THREADS

    environment = os.environ | {WATCH: "1"}
    if jobs > 1:  # otherwise there would be more threads than cores, and they would wait for each other
        environment |= dict.fromkeys(THREADS, "1")
    # A group of its own: the terminal sends Ctrl-C to the search only, which lets the runs save.
    apart: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        apart = {"creationflags": 0x200}  # subprocess.CREATE_NEW_PROCESS_GROUP, which other systems do not have
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        words = [sys.executable, "-m", "minigan", *map(str, arguments)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment, **apart) as child:
            stopped.children.add(child)
            if stopped.number:  # the signal came before the child was known
                stopped.end(child)
            code = child.wait()
            stopped.children.discard(child)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    return code, *texts


def _reason(text):
    """The first line of the error message, without the progress lines before it."""
    lines = [line for line in text.splitlines() if line.startswith("minigan: ")] or text.splitlines() or ["no message"]
    return lines[0].removeprefix("minigan: ")


def _show(options, folder, points, results, number):
    """Print the table, best point first.  A point counts as the mean over its seeds; points with a failed seed come last."""
    import statistics

    from minigan.cli.judge import spread, table

    rows = []
    for point in points:
        found = [results.get(_name(point, seed)) for seed in options.seeds]
        values = [row["value"] for row in found if row and "value" in row]
        failed = [row["failed"] for row in found if row and "failed" in row]
        times = [row.get("seconds") for row in found if row and "value" in row]
        worth = number.merit(statistics.fmean(values)) if values else float("-inf")
        notes = [f"failed: {failed[0]}"] if failed else []
        notes += [f"{found.count(None)} not done"] if None in found else []
        rows.append(
            (
                not failed,
                worth,
                [*point.values(), spread([*values, *[None] * len(failed)]), spread(times), "; ".join(notes)],
                values,
            )
        )
    rows.sort(key=lambda row: row[:2], reverse=True)
    print("\n".join(table([[*points[0], number.name, "seconds", ""], *(cells for _, _, cells, _ in rows)])))
    if rows[0][1] > float("-inf"):
        best = " ".join(f"--set {key}={value}" for key, value in zip(points[0], rows[0][2]))
        print(f"best ({number.name}, {number.direction}): {best}")
        counts = {len(values) for *_, values in rows if values}
        if counts != {len(options.seeds)}:
            print(f"but not every point was measured with all {len(options.seeds)} seeds, so this may change")
        top = [values for *_, values in rows[:2] if len(values) > 1]
        if len(top) == 2 and abs(statistics.fmean(top[0]) - statistics.fmean(top[1])) <= max(map(statistics.stdev, top)):
            print("but the difference is not clear: the next point differs by no more than the seeds do; try more seeds")
        print(f"compare them: {command('compare', folder)}/*seed=*")  # the shell finds the runs
