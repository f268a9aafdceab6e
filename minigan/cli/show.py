"""The verbs list, data and doctor: show what there is, look after data sets, and examine the machine."""

from minigan.cli.output import output_file, path_argument, settings_argument
from minigan.errors import ConfigError, suggestion

LISTS = ("systems", "datasets", "metrics", "objectives", "lessons")
ACTIONS = ("list", "preview", "fetch", "verify")


def add(verbs) -> None:
    """Add the verbs of this file to the parser."""
    verb = verbs.add_parser(
        "list",
        help="list systems, data sets, metrics, objectives or lessons",
        allow_abbrev=False,
        description="List all systems, data sets, metrics, objectives or lessons.",
    )
    verb.add_argument("what", nargs="?", default="systems", metavar="WHAT", help=f"{', '.join(LISTS)} (default: systems)")
    verb.add_argument("--markdown", action="store_true", help="print the systems as a Markdown page, docs/systems.md")
    verb.set_defaults(run=_list)

    verb = verbs.add_parser(
        "data",
        help="list, preview, fetch or verify data sets",
        allow_abbrev=False,
        description="List, preview, fetch or verify data sets.",
    )
    verb.add_argument(
        "action",
        nargs="?",
        default="list",
        metavar="ACTION",
        help="list (default): show all data sets; preview: draw samples as a picture; fetch: download the files now; "
        "verify: check that the files are complete",
    )
    verb.add_argument("name", nargs="?", metavar="NAME", help="name of the data set, for every action except list")
    verb.add_argument(
        "--data-dir",
        type=path_argument,
        metavar="DIR",
        help="folder with the data set's files (default: $MINIGAN_DATA/NAME, then the cache, then a download)",
    )
    verb.add_argument(
        "-o", "--out", type=path_argument, metavar="FILE", help="file for the picture of preview (default: NAME.png)"
    )
    settings_argument(verb, "an option of --data folder, such as size=32; can be repeated; `minigan data list` lists them")
    verb.set_defaults(run=_data)

    verb = verbs.add_parser(
        "doctor",
        help="examine this machine",
        allow_abbrev=False,
        description="Show what minigan finds on this machine, and what to do if something is wrong.",
    )
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")
    verb.set_defaults(run=_doctor)


def _list(options):
    if options.what not in LISTS:
        raise ConfigError(f"there is no list of {options.what!r}{suggestion(options.what, LISTS)}")
    if options.what == "systems":
        from minigan.cli import systems

        print(systems.markdown() if options.markdown else systems.listing(), end="" if options.markdown else "\n")
    if options.what == "datasets":
        _datasets()
    if options.what == "metrics":
        _metrics()
    if options.what == "objectives":
        _objectives()
    if options.what == "lessons":
        from minigan.cli.lesson import show

        show()


def _datasets():
    from minigan import data

    print("data sets (--data NAME):")
    for name, description in data.DATASETS.items():
        print(f"  {name:<16}{description}")
    print("how pictures of --data folder look (--set KEY=VALUE):")
    for name, description in data.pictures.OPTIONS.items():
        print(f"  {name:<16}{description}")


def _metrics():
    from minigan.metrics import METRICS
    from minigan.runs.evaluation import owners

    print("metrics (minigan evaluate RUN --metrics A,B; minigan tune SYSTEM --metric M):")
    shown = set()  # a number that stands beside several metrics is described once
    for metric in METRICS.values():
        _metric(metric, f"for {metric.needs.what}, at least {metric.least:,} samples", shown)
    print("metrics that only some systems can measure, on the test split:")
    for metric, systems in owners().items():
        _metric(metric, f"of {', '.join(systems)}", shown)


def _metric(metric, whose, shown):
    _wrapped(f"{metric.name:<16}{whose}" + (f": {metric.summary}" if metric.summary else ""), 2, 18)
    numbers = [number for number in metric.numbers if number not in shown]
    shown.update(numbers)
    for number in numbers:
        _wrapped(f"{number.name:<22}{number.meaning}" + (f"; {number.direction}" if number.better else ""), 6, 28)


def _objectives():
    from minigan.train.objectives import OBJECTIVES
    from minigan.train.penalties import PENALTIES

    print("objectives (--set objective=NAME); s is the sigmoid, a = D(x), b = D(G(z)):")
    for name, objective in OBJECTIVES.items():
        print(f"  {name:<16}{objective.says}")
        print(f"  {'':<16}in {objective.unit}" + ("; takes smoothing" if objective.target else ""))
    print("penalties on D's slope (--set penalty=NAME), with their weights:")
    for name, penalty in PENALTIES.items():
        what = (penalty.loss.__doc__ or name).partition("   ")[0].rstrip(",. ")  # python -OO has no docstrings
        print(f"  {name:<16}{penalty.weight:g} times {what}")


def _wrapped(text, indent, then=None):
    import textwrap

    print(
        textwrap.fill(
            text,
            120,
            initial_indent=" " * indent,
            subsequent_indent=" " * (then or indent),
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _data(options):
    from minigan import data

    if options.action == "list":
        return _datasets()
    if options.action not in ACTIONS:
        raise ConfigError(f"data: there is no action {options.action!r}{suggestion(options.action, ACTIONS)}")
    if options.name is None:
        raise ConfigError(f"data {options.action} needs the name of a data set; `minigan data list` shows them")
    if options.action == "preview":
        return _preview(options)
    fetching = options.action == "fetch"
    rows = data.fetch(options.name) if fetching else data.verify(options.name, options.data_dir, _looks(options))
    for file, status in rows or [(options.name, "ok: drawn from its formula, there is nothing to fetch")]:
        print(f"{file}: {status}")
    if any(status == "missing" for _, status in rows):
        print(f"files are missing: download them with `minigan data fetch {options.name}`, or give their folder as --data-dir")
    return 0 if all(status.startswith("ok") for _, status in rows) else 2


def _looks(options):
    from minigan.cli.train import pairs

    return pairs(options.settings)


def _preview(options):
    import numpy as np

    from minigan import data, viz

    dataset = data.load(options.name, data_dir=options.data_dir, options=_looks(options))
    path = output_file(options.out or f"{options.name}.png", ".png")
    rng = np.random.default_rng(0)
    if hasattr(dataset, "sample"):
        batch, there = dataset.sample(2000, rng), "endless"
    else:
        batch, there = dataset[rng.choice(len(dataset), min(100, len(dataset)), replace=False)], f"{len(dataset):,}"
    kind = dataset.kinds["x"]
    viz.draw(path, kind, None, labels=batch.labels, real=batch.x, title=options.name, words=dataset.words)
    print(f"{options.name}: {there} samples ({kind}), {len(batch.x):,} of them in {path}")


def _doctor(options):
    import json

    from minigan.doctor import examine

    findings = examine()
    if options.json:
        print(json.dumps([vars(f) for f in findings], indent=2))
    else:
        for f in findings:
            mark = "!!" if not f.ok else "--" if f.absent else "ok"
            print(f"{mark}  {f.what:<12} {f.found}" + (f"\n{'':16}{f.advice}" if f.advice else ""))
    return 0 if all(f.ok or not f.needed for f in findings) else 2
