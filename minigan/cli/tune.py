"""The verb tune: a grid search.  Every point of the grid is a normal run, which is trained and measured in its own processes.

The folder of a search holds one run folder for each point and seed, and results.json, which gets a row when a run is done.
After Ctrl-C, the same command continues with the runs that are left.
"""

import itertools
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from minigan.cli.output import path_argument
from minigan.errors import ConfigError
from minigan.paths import command

MOST_RUNS = 500


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
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="change a setting in all runs; can be repeated",
    )
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
    import signal

    from minigan.cli.train import overrides

    points, common = grid(options.grid), overrides(options)
    metric, number = _check(options, points, common)
    folder = options.out or Path("runs", _folder(f"tune-{Path(options.system).stem}-{options.metric}"))
    jobs = [(point, seed) for point in points for seed in options.seeds]
    about = {
        "system": options.system,
        "data": options.data,
        "settings": {k: str(v) for k, v in common.items()},
        "seconds": options.seconds,
        "samples": options.n,
        "metric": number.name,
    }
    results = _results(folder, about)
    left = [job for job in jobs if _name(*job) not in results]
    _write(folder, about, results)
    print(
        f"{len(jobs)} runs of {options.system}, {options.jobs} at a time, into {folder}"
        + (f"; {len(jobs) - len(left)} are already done" if len(left) < len(jobs) else ""),
        flush=True,
    )
    stopped = False
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(_one, options, folder, metric, number, common, *job): job for job in left}
        try:
            for done in as_completed(waiting):
                name, row = _name(*waiting[done]), done.result()
                if row is not None:
                    results[name] = row
                    _write(folder, about, results)
                    what = row["failed"] if "failed" in row else f"{number.name} {row['value']:.4g}"
                    print(f"{len([j for j in jobs if _name(*j) in results])}/{len(jobs)}  {name}: {what}", flush=True)
        except KeyboardInterrupt:  # the terminal sends Ctrl-C to the runs too, so they save and end
            stopped = True
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            print("\nwaiting for the runs to finish their step and save", file=sys.stderr)
            for future in waiting:
                future.cancel()
    if stopped:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _show(options, folder, points, results, number)
    if stopped:
        print(
            f"stopped; the same command goes on with the {len([j for j in jobs if _name(*j) not in results])} runs left",
            file=sys.stderr,
        )
        return 130
    return 0 if any("value" in results[_name(*job)] for job in jobs) else 2


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
    """Check everything that can be checked before the first run, and return the (Metric, Number) to sort by.   Raises
    ConfigError or DataError."""
    from minigan import data
    from minigan.runs import evaluation, hooks
    from minigan.systems import registry

    if len(points) * len(options.seeds) > MOST_RUNS:
        raise ConfigError(
            f"{len(points)} points and {len(options.seeds)} seeds are {len(points) * len(options.seeds)} runs, "
            f"but a search may have at most {MOST_RUNS}; use fewer values or seeds"
        )
    both = [key for key in points[0] if key in common]
    if both:
        raise ConfigError(f"{both[0]} is in --grid and also set for all runs; remove one of them")
    system = registry.get(options.system)
    name, dataset = options.data or system.default_data, None
    for point in points:
        wanted, settings = data.take_options(name, {**common, **point}, system.settings)
        dataset = data.load(name, data_dir=options.data_dir, options=wanted)
        settings = system.configure(settings, dataset)
        data.Loader(dataset, settings.batch_size, 0)
        game = system.build(settings, dataset)
        hooks.Schedule.of(settings, system, game, dataset)
        evaluation.logged(settings, system, game, dataset)
    metric, number = evaluation.found(options.metric, system, dataset)
    metric.check(dataset)
    if options.n and options.n < metric.least:
        raise ConfigError(f"{metric.name} needs at least {metric.least:,} samples, got -n {options.n}")
    return metric, number


def _name(point, seed):
    return ",".join(f"{key}={value}" for key, value in {**point, "seed": seed}.items())


def _folder(name):
    return re.sub(r"[^\w.,=+-]", "-", name)


def _results(folder, about):
    """{name: row} of the runs that are done.   Raises ConfigError if the folder holds another search or other files."""
    file = folder / "results.json"
    if not file.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder}: already exists and is not a search; choose another --out")
        return {}
    try:
        saved = json.loads(file.read_text())
        before, rows = saved["search"], saved["runs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}; choose another --out") from None
    for key, value in about.items():
        if before.get(key) != value:
            raise ConfigError(
                f"{folder}: holds a search with {key} {before.get(key)}, but this one has {value}; choose another --out"
            )
    return rows


def _write(folder, about, results):
    from minigan.serialize import replacing, write_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(str(write_error(folder, error))) from error
    with replacing(folder / "results.json") as file:
        file.write((json.dumps({"search": about, "runs": results}, indent=1) + "\n").encode())


def _one(options, folder, metric, number, common, point, seed):
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
    trained = _minigan(options.jobs, *steps)
    if trained.returncode in (130, 143) or trained.returncode < 0:
        return None
    if trained.returncode and "steps already" not in trained.stderr:
        return {"failed": _reason(trained.stderr), "run": str(run)}
    n = ["-n", options.n] if options.n else []
    measured = _minigan(options.jobs, "evaluate", run, "--metrics", metric.name, "--json", *n)
    if measured.returncode == 130 or measured.returncode < 0:
        return None
    if measured.returncode:
        return {"failed": _reason(measured.stderr), "run": str(run)}
    from minigan.runs.folder import Run

    value = json.loads(measured.stdout)["metrics"][number.name]
    if value is None:
        return {"failed": f"{number.name} is not a number", "run": str(run)}
    return {"value": value, "seconds": max(Run.open(run).seconds().values(), default=None), "run": str(run)}


def _minigan(jobs, *arguments):
    from minigan.cli.train import THREADS

    environment = dict(os.environ)
    if jobs > 1:  # otherwise there would be more threads than cores, and they would wait for each other
        environment |= dict.fromkeys(THREADS, "1")
    return subprocess.run(
        [sys.executable, "-m", "minigan", *map(str, arguments)], capture_output=True, text=True, check=False, env=environment
    )


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
        top = [values for *_, values in rows[:2] if len(values) > 1]
        if len(top) == 2 and abs(statistics.fmean(top[0]) - statistics.fmean(top[1])) <= max(map(statistics.stdev, top)):
            print("but the difference is not clear: the next point differs by no more than the seeds do; try more seeds")
        print(f"compare them: {command('compare', folder)}/*seed=*")  # the shell finds the runs
