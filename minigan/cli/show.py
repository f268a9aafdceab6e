"""minigan list, data, doctor."""

from minigan.cli import output_file
from minigan.errors import ConfigError, suggestion

LISTS = ("systems", "datasets")
ACTIONS = ("list", "preview", "fetch", "verify")


def add(verbs) -> None:
    """Enter the verbs of this file."""
    verb = verbs.add_parser("list", help="systems and data sets", description="List what there is.", allow_abbrev=False)
    verb.add_argument("what", nargs="?", default="all", metavar="WHAT", help="systems or datasets (default: both)")
    verb.set_defaults(run=_list)

    verb = verbs.add_parser("data", help="list, preview, fetch, verify data sets", description="Look after the data sets.",
                            allow_abbrev=False)
    verb.add_argument("action", metavar="ACTION",
                      help="list: what there is; preview: draw 100 samples; fetch: download ahead; verify: are files whole?")
    verb.add_argument("name", nargs="?", metavar="NAME", help="data set, for all but list")
    verb.add_argument("--data-dir", metavar="DIR",
                      help="folder with the data set's files (default: $MINIGAN_DATA/NAME, the cache, a download)")
    verb.add_argument("-o", "--out", metavar="FILE", help="where preview writes its picture (default: NAME.png)")
    verb.set_defaults(run=_data)

    verb = verbs.add_parser("doctor", help="what this machine has", allow_abbrev=False,
                            description="What this machine has, and what to do about what is amiss.")
    verb.add_argument("--json", action="store_true", help="the same as JSON")
    verb.set_defaults(run=_doctor)


def _list(options):
    from minigan import data
    from minigan.systems.registry import COMMON, recipes

    if options.what not in ("all", *LISTS):
        raise ConfigError(f"there is no list of {options.what!r}{suggestion(options.what, LISTS)}")
    if options.what in ("all", "systems"):
        print("systems (minigan train SYSTEM):")
        for name, recipe in recipes().items():
            print(f"  {name:<14}{recipe.summary.partition(': ')[2] or recipe.summary}")
            print(f"  {'':<14}data {recipe.data}; {_settings(recipe.settings)}")
        print(f"all of them also have {_settings(COMMON)}")
    if options.what in ("all", "datasets"):
        print("data sets (--data NAME):")
        for name, description in data.DATASETS.items():
            print(f"  {name:<14}{description}")


def _settings(settings):
    return ", ".join(f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in settings.items())


def _data(options):
    from minigan import data

    if options.action == "list":
        options.what = "datasets"
        return _list(options)
    if options.action not in ACTIONS:
        raise ConfigError(f"data: there is no action {options.action!r}{suggestion(options.action, ACTIONS)}")
    if options.name is None:
        raise ConfigError(f"data {options.action} needs the name of a data set; `minigan data list` shows them")
    if options.action == "preview":
        return _preview(options)
    rows = data.fetch(options.name) if options.action == "fetch" else data.verify(options.name, options.data_dir)
    for file, status in rows or [(options.name, "ok: drawn from its formula, there is nothing to fetch")]:
        print(f"{file}: {status}")
    return 0 if all(status.startswith("ok") for _, status in rows) else 2


def _preview(options):
    import numpy as np

    from minigan import data, viz

    dataset = data.load(options.name, data_dir=options.data_dir)
    path = output_file(options.out or f"{options.name}.png", ".png")
    rng = np.random.default_rng(0)
    if len(dataset.sample_shape) == 3:
        rows = rng.choice(len(dataset), min(100, len(dataset)), replace=False)
        viz.save_png(path, viz.image_grid(dataset[rows].x, columns=10, scale=2))
        print(f"{options.name}: {len(dataset):,} pictures {dataset.sample_shape}, {len(rows)} of them in {path}")
    else:
        viz.scatter_png(path, None, dataset.sample(2000, rng).x, title=options.name)
        print(f"{options.name}: endless points, 2,000 of them in {path}")


def _doctor(options):
    import json

    from minigan.doctor import examine

    findings = examine()
    if options.json:
        print(json.dumps([vars(f) for f in findings], indent=2))
    else:
        for f in findings:
            print(f"{'ok ' if f.ok else '!! '} {f.what:<12} {f.found}" + (f"\n{'':16}{f.advice}" if f.advice else ""))
    return 0 if all(f.ok or not f.needed for f in findings) else 2
