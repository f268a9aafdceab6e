"""The verbs evaluate and compare: measure runs, and show them side by side."""

import math
from pathlib import Path

from minigan.cli.output import output_file, path_argument
from minigan.errors import ConfigError
from minigan.paths import command

SAMPLES = 2000  # evaluate's default for -n; metrics that need more samples raise it


def add(verbs) -> None:
    """Add the verbs of this file to the parser."""
    from minigan.cli.train import MOST_SAMPLES, whole

    verb = verbs.add_parser(
        "evaluate",
        help="measure how good a run's samples are",
        allow_abbrev=False,
        description="Measure how good a run's samples are.  The results are also saved in the run's "
        "evaluation.json and report.html.  The same weights always give the same numbers.",
    )
    verb.add_argument("path", type=path_argument, metavar="RUN", help="the run folder, or one of its checkpoints")
    verb.add_argument("--metrics", metavar="A,B", help="names from `minigan list metrics`, or default: all that fit the data")
    verb.add_argument(
        "-n",
        type=whole(1, MOST_SAMPLES),
        metavar="N",
        help=f"samples to draw (default: {SAMPLES}, or as many as the metrics need)",
    )
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
    import json

    from minigan.runs import evaluation, report
    from minigan.runs.session import Session

    session = Session.open(options.path, options.device)
    if session.step == 0:
        raise ConfigError(
            f"{session.run.folder}: has no checkpoint with a trained network; train it with `{command('resume', options.path)}`"
        )
    session.data_dir = options.data_dir or session.data_dir
    session.accept_changed_data = options.accept_changed_data
    session.attach()
    metrics = evaluation.chosen(options.metrics, session.system, session.dataset)
    if not metrics:
        raise ConfigError(
            f"no metric fits {session.data_name}, and {session.run.system} has none of its own; name one with "
            "--metrics to see what it needs"
        )
    n = options.n or max(min(SAMPLES, evaluation.most_samples(session)), evaluation.needed(metrics))
    numbers = session.evaluate(metrics, n)
    session.run.note_evaluation(session.step, n, numbers)
    report.write(session.run, session.system)
    if options.json:
        print(
            json.dumps(
                {
                    "run": str(session.run.folder),
                    "step": session.step,
                    "samples": n,
                    "metrics": {k: v if math.isfinite(v) else None for k, v in numbers.items()},
                },
                indent=2,
            )
        )
        return 0
    print(f"{session.run.system} on {session.data_name}, step {session.step}, {n:,} samples")
    if not numbers:
        print("  no numbers: the test split has too few samples for these metrics")
        return 0
    known = [evaluation.meaning(name, session.run.system) for name in numbers]
    rows = [[number.name, figure(numbers[number.name]), number.direction] for number in known]
    print("\n".join(f"  {line}" for line in table(rows)))
    print("\n".join(f"{number.name}: {number.meaning}" for number in known))
    return 0


# ---- compare ---------------------------------------------------------------------------------------------------------


def _compare(options):
    import json

    from minigan import viz
    from minigan.runs.folder import Run

    picture = None if options.json else output_file(options.out, ".png")
    runs = [Run.open(path) for path in options.paths]
    groups, known = grouped(runs), {run: facts(run) for run in runs}
    if options.json:
        print(json.dumps([{"group": name, **known[run]} for name, members in groups.items() for run in members], indent=2))
        return 0
    _warn(known.values())
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
    counts = {about["samples"] for about in known} - {None}
    if len(counts) > 1:
        warnings.warn(
            f"these runs were measured with different numbers of samples ({', '.join(map(str, sorted(counts)))}), "
            "and fid-digits and other metrics depend on it; evaluate all runs with the same -n",
            stacklevel=2,
        )


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
