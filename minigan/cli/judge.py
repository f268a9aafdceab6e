"""The verbs evaluate and compare: measure runs, and show them side by side."""

import math
from pathlib import Path
from types import SimpleNamespace

from minigan.cli.output import output_file, path_argument, settings_argument
from minigan.errors import CheckpointError, ConfigError
from minigan.paths import command

SAMPLES = 2000  # evaluate's default for -n; metrics that need more samples raise it


def add(verbs) -> None:
    """Add the verbs of this file to the parser."""
    from minigan.cli.train import MOST_SAMPLES, whole

    verb = verbs.add_parser(
        "evaluate",
        help="measure how good a run's samples are",
        allow_abbrev=False,
        description="Measure how good samples are: those of a run, or those in a file, --samples FILE.npz --data NAME.  The "
        "results of a run are also saved in its evaluation.json and report.html.  The same weights always give the same "
        "numbers.  A metric that cannot be measured does not block the others; the exit code is 2 if it was asked for.",
    )
    verb.add_argument("path", type=path_argument, metavar="RUN", nargs="?", help="the run folder, or one of its checkpoints")
    verb.add_argument("--metrics", metavar="A,B", help="names from `minigan list metrics`, or default: all that fit the data")
    verb.add_argument(
        "--features",
        metavar="FILE.py:FUNCTION",
        help="your own features, for fid-features and its like: a function from samples, pictures (n, C, H, W) in [-1, 1], to "
        "features (n, d)",
    )
    verb.add_argument(
        "-n",
        type=whole(1, MOST_SAMPLES),
        metavar="N",
        help=f"samples to draw (default: {SAMPLES}, or as many as the metrics need), or to take from the file (default: all)",
    )
    verb.add_argument(
        "--samples",
        type=path_argument,
        metavar="FILE",
        help="judge the samples in a .npz as `minigan sample --npz` writes it, or in a .npy, instead of a run's",
    )
    verb.add_argument(
        "--data", metavar="NAME", help="with --samples: the data set to compare with, see `minigan list datasets`"
    )
    settings_argument(verb, "with --samples: an option of --data folder, such as size=32; can be repeated")
    verb.add_argument(
        "--data-dir", type=path_argument, metavar="DIR", help="where the data are now (default: where they were at the start)"
    )
    verb.add_argument(
        "--accept-changed-data", action="store_true", help="measure even if the data have changed since the run was started"
    )
    verb.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1 or auto (default: the device used at the start)")
    verb.add_argument("--json", action="store_true", help="print the results as JSON")
    verb.set_defaults(run=_evaluate)

    verb = verbs.add_parser(
        "compare",
        help="show runs side by side",
        allow_abbrev=False,
        description="Show the results of `minigan evaluate` for several runs in a table and a plot; for a "
        "run without such results, what it logged.  Runs that differ only in the seed share "
        "one line with mean +- standard deviation.",
    )
    verb.add_argument("paths", type=path_argument, nargs="+", metavar="RUN", help="run folders")
    verb.add_argument(
        "-o",
        "--out",
        type=path_argument,
        default="compare.png",
        metavar="FILE",
        help="file for the plot, a .png (default: compare.png)",
    )
    verb.add_argument("--json", action="store_true", help="print the table as JSON, and draw no plot")
    verb.set_defaults(run=_compare)


# ---- evaluate --------------------------------------------------------------------------------------------------------


def _evaluate(options):
    from minigan.metrics.judges import from_file

    if (options.path is None) == (options.samples is None):
        raise ConfigError("evaluate takes a run, or --samples FILE.npz with --data NAME: give one of the two")
    features = from_file(options.features) if options.features else None
    return _of_run(options, features) if options.path else _of_file(options, features)


def _of_run(options, features):
    from minigan.runs import evaluation, report
    from minigan.runs.session import Session

    if options.data or options.settings:
        raise ConfigError("--data and --set are for --samples: a run knows its data; leave them out, or say --data-dir")
    session = Session.open(options.path, options.device)
    run = session.run
    if session.step == 0:
        raise ConfigError(
            f"{run.folder}: has no checkpoint with a trained network; train it with `{command('resume', options.path)}`"
        )
    session.data_dir = options.data_dir or session.data_dir
    session.accept_changed_data = options.accept_changed_data
    session.attach()
    metrics = _chosen(options, session.system, session.dataset, features)
    n = options.n or int(min(max(SAMPLES, evaluation.needed(metrics)), evaluation.most_samples(session)))
    results = session.evaluate(metrics, n, features)
    trouble = None
    try:
        run.note_evaluation(session.step, n, results, features.name if features else "")
        report.write(run, session.system, session.game)
    except CheckpointError as error:  # such as a full disk: the numbers are shown all the same
        trouble = error
    about = {"run": str(run.folder), "step": session.step, "samples": n}
    _show(options, about, f"{run.system} on {session.data_name}, step {session.step}", results, run.system)
    if trouble:
        raise CheckpointError(f"the numbers are not saved: {trouble}") from trouble
    return _code(options, results)


def _of_file(options, features):
    from minigan import data
    from minigan.cli.train import pairs
    from minigan.metrics import evaluate
    from minigan.streams import Streams

    for option, value in (("--accept-changed-data", options.accept_changed_data), ("--device", options.device)):
        if value:
            raise ConfigError(f"{option} is for a run, and --samples needs none; leave it out")
    if not options.data:
        raise ConfigError("--samples needs the data set to compare with: --data NAME, see `minigan list datasets`")
    dataset = data.load(options.data, data_dir=options.data_dir, options=pairs(options.settings))
    x, labels = data.array_data.samples(options.samples, dataset.kinds["x"])
    n = options.n or len(x)
    if n > len(x):
        raise ConfigError(f"{options.samples}: holds {len(x):,} samples, so -n {n:,} cannot be taken from it; leave -n out")
    x, labels = x[:n], None if labels is None else labels[:n]
    metrics = _chosen(options, SimpleNamespace(name=f"{options.samples}", metrics=[]), dataset, features)
    results = evaluate(metrics, x, dataset, Streams(0)("metrics"), labels, features)
    about = {"file": str(options.samples), "data": options.data, "samples": n}
    _show(options, about, f"{options.samples} beside {options.data}", results, "")
    return _code(options, results)


def _chosen(options, system, dataset, features):
    from minigan.runs import evaluation

    metrics = evaluation.chosen(options.metrics, system, dataset, features)
    if not metrics:
        raise ConfigError(
            f"no metric fits {dataset.name}, and {system.name} has none of its own; name one with "
            "--metrics to see what it needs"
        )
    return metrics


def _show(options, about, title, results, system):
    """Print the numbers as JSON or as a table with their meanings."""
    import json

    from minigan.runs import evaluation

    if options.json:
        print(json.dumps({**about, "metrics": results, "failed": results.reasons(), "lines": results.lines}, indent=2))
        return
    print(f"{title}, {about['samples']:,} samples")
    if not results:
        print("  no numbers: the test split has too few samples for these metrics")
        return
    known = [evaluation.meaning(name, system) for name in results]
    print("\n".join(f"  {line}" for line in table([[one.name, figure(results[one.name]), one.direction] for one in known])))
    print("\n".join([*results.lines, *(f"{number.name}: {number.meaning}" for number in known)]))


def _code(options, results):
    """The exit code: 2 if a metric that was asked for by its name could not be measured; a warning has said why."""
    return 2 if results.failed and options.metrics not in (None, "default") else 0


# ---- compare ---------------------------------------------------------------------------------------------------------


def _compare(options):
    import json

    from minigan import viz
    from minigan.runs.folder import Run

    picture = None if options.json else output_file(options.out, ".png")
    runs = once([Run.open(path) for path in options.paths])
    groups, known = grouped(runs), {run: facts(run) for run in runs}
    if options.json:
        print(json.dumps([{"group": name, **known[run]} for name, members in groups.items() for run in members], indent=2))
        return 0
    _warn(known.values())
    for name, members in groups.items():
        _warn_of_seeds(name.rstrip(), members)
    found = {name: [known[run] for run in members] for name, members in groups.items()}
    labels = list(found)
    if max(map(len, labels)) > 20:  # too wide for a column's heading
        labels = [str(i + 1) for i in range(len(found))]
    rows = [["", "run" if labels == list(found) else "system and what differs", "data", "seed", "steps", "seconds"]]
    for label, (name, members) in zip(labels, found.items()):
        rows.append(
            [
                label if label != name else "",
                name,
                members[0]["data"],
                seeds([f["seed"] for f in members]),
                spread([f["step"] for f in members]),
                spread([f["seconds"] for f in members]),
            ]
        )
    print("\n".join(table(rows if labels != list(found) else [row[1:] for row in rows])))
    metrics = meanings(known.values())
    if metrics:
        rows = [["", *labels, ""]]
        for metric in metrics:
            values = [spread([f["metrics"].get(metric) for f in members]) for members in found.values()]
            rows.append([metric, *values, metrics[metric].direction if metrics[metric] else "different numbers of one name"])
        print()
        print("\n".join(table(rows)))
    missing = [about["run"] for about in known.values() if not about["metrics"]]
    if missing:
        print("not measured yet: " + "; ".join(command("evaluate", Path(path)) for path in missing))
    series = {label: [history(run) for run in members] for label, members in zip(labels, groups.values())}
    title = "runs compared" if labels == list(found) else "\n".join(f"{i}: {name}" for i, name in zip(labels, found))
    viz.compare_png(picture, series, {name: number.better for name, number in metrics.items() if number}, title)
    print(f"plot: {picture}")
    return 0


def _warn(known):
    import warnings

    data = {about["data"] for about in known}
    if len(data) > 1:
        warnings.warn(
            f"these runs use different data ({', '.join(sorted(data))}), so their metrics measure different things "
            "and cannot be compared",
            stacklevel=2,
        )
    features = {about["features"] for about in known if any(name.endswith("-features") for name in about["metrics"])}
    if len(features) > 1:
        warnings.warn(
            f"the numbers ending in -features come from different features ({', '.join(sorted(features))}), so they measure "
            "different things",
            stacklevel=2,
        )
    counts = {count for about in known for count in about["counts"]} - {None}
    if len(counts) > 1:
        warnings.warn(
            f"these runs were measured with different numbers of samples ({', '.join(map(str, sorted(counts)))}), "
            "and fid-digits and other metrics depend on it; evaluate all runs with the same -n",
            stacklevel=2,
        )
    # Seconds also depend on what else the machine does, and few of them say nothing.
    for what, name, factor, least in (("steps", "step", 1.1, 1), ("seconds of training", "seconds", 1.5, 5)):
        values = [about[name] for about in known if about[name]]
        if values and max(values) > factor * min(values) and max(values) - min(values) >= least:
            warnings.warn(
                f"these runs have from {min(values):,.0f} to {max(values):,.0f} {what}: a longer training alone can explain a "
                "better number",
                stacklevel=2,
            )


def _warn_of_seeds(name, members):
    import warnings

    seen = [run.seed for run in members]
    twice = sorted({seed for seed in seen if seen.count(seed) > 1})
    if twice:
        warnings.warn(
            f"{name}: several runs have the seed {', '.join(map(str, twice))}, so their numbers are not independent, and the "
            "standard deviation is too small",
            stacklevel=2,
        )


def once(runs) -> list:
    """The runs without those that are there already: the same folder by any path, or a copy, with the same seconds."""
    import warnings

    same = lambda run: (run.system, run.seed, run.config, run.read_log(), run.seconds())
    kept: list = []
    for run in runs:
        for other in kept:
            if run.folder.resolve() == other.folder.resolve():
                warnings.warn(f"{other.folder} is given more than once, and counts once", stacklevel=2)
                break
            if run.seconds() and same(run) == same(other):
                warnings.warn(
                    f"{run.folder} and {other.folder} have the same settings, seed, log and times: they are one run, and count "
                    "once",
                    stacklevel=2,
                )
                break
        else:
            kept.append(run)
    return kept


def meanings(known) -> dict:
    """{name of a metric: its Number}; the value is None if two systems use this name for different numbers.   known: the
    `facts` of the runs."""
    from minigan.runs import evaluation

    found = {}
    for about in known:
        for name in about["metrics"]:
            found.setdefault(name, set()).add(evaluation.meaning(name, about["system"]))
    return {name: numbers.pop() if len(numbers) == 1 else None for name, numbers in found.items()}


def facts(run) -> dict:
    """What compare shows of a run: its config, its last step and time, and its last evaluation or logged metrics."""
    found, timed = run.measurements(), run.seconds()
    last = found[-1] if found else {"samples": None, "metrics": {}}
    step = found[-1]["step"] if found else max(timed, default=0)
    return {
        "run": str(run.folder),
        "system": run.system,
        "data": run.config.get("data"),
        "seed": run.seed,
        "step": step,
        "seconds": timed.get(step, max(timed.values(), default=None)),
        "samples": last["samples"],
        "counts": sorted({last["samples"], *last.get("samples_of", {}).values()} - {None}),
        "features": last.get("features", ""),
        "metrics": last["metrics"],
    }


def history(run) -> dict:
    """{metric: [(step, value), ...]} from the evaluations and from the log."""
    found = {}
    asked = {name for entry in run.measurements() for name in entry["metrics"]}
    for entry in [*run.logged_metrics(), *run.evaluations()]:
        for name, value in entry["metrics"].items():
            if name in asked:
                found.setdefault(name, {})[entry["step"]] = value
    return {name: sorted(values.items()) for name, values in found.items()}


def grouped(runs) -> dict:
    """{name: runs that differ only in the seed}; the name is the system and the settings in which its groups differ."""
    from minigan.runs.config import DATA
    from minigan.train.settings import RUN, word

    # These keys do not change the results, or repeat what other keys say.
    silent = {"data_dir", "device", "fields", "metrics", *(key for key in RUN if key.endswith("_every"))}

    def key(run):
        return run.system, *sorted((k, word(v)) for k, v in run.config.items() if k not in silent)

    keys = list(dict.fromkeys(map(key, runs)))
    groups = {}
    for one in keys:
        others = [dict(other[1:]) for other in keys if other[0] == one[0]]
        own = [f"{k}={v}" for k, v in one[1:] if k not in DATA and any(other.get(k) != v for other in others)]
        if "steps" in dict(one[1:]) and len(own) > 1:
            own = [text for text in own if not text.startswith("steps=")]  # the table has a column for the steps
        name = " ".join([one[0], *own])
        while name in groups:
            name += " "  # the settings are the same, but the data differ
        groups[name] = [run for run in runs if key(run) == one]
    return groups


# ---- numbers and tables ----------------------------------------------------------------------------------------------


def figure(value) -> str:
    """A number with four significant digits; "-" for None.

    >>> figure(0.123456), figure(8.0), figure(None)
    ('0.1235', '8', '-')"""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-" if value is None else str(value)
    return str(round(value)) if value == round(value) and abs(value) < 1e6 else f"{value:.4g}"


def spread(values) -> str:
    """One value as "12.3", several as "12.3 +- 0.4": their mean and standard deviation (with n - 1).  If some are None, the
    text ends with how many are not, as in "(2 of 3)".

    >>> spread([1.0, 2.0, None])
    '1.5 +- 0.71 (2 of 3)'"""
    import numpy as np

    known = [v for v in values if v is not None]
    if not known:
        return "-"
    of = f" ({len(known)} of {len(values)})" if len(known) < len(values) else ""
    if len(known) == 1 or len(set(known)) == 1:
        return figure(known[0]) + of
    return f"{figure(float(np.mean(known)))} +- {float(np.std(known, ddof=1)):.2g}{of}"


def seeds(values) -> str:
    """Seeds as text: consecutive ones as "0-4", others as "0,3,7"."""
    values = sorted(values)
    if len(values) > 2 and values == list(range(values[0], values[-1] + 1)):
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))


def table(rows) -> list[str]:
    """Rows of cells as lines with aligned columns, two spaces apart: words are left-aligned, numbers right-aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    numeric = [all(row[i][:1] in "-0123456789" for row in rows[1:] or rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(row, widths, numeric)).rstrip()
        for row in rows
    ]
