"""minigan list, data, doctor."""

from minigan.cli.output import output_file
from minigan.errors import ConfigError, suggestion

LISTS = ("systems", "datasets", "metrics", "objectives", "lessons")
# What the settings do, for `minigan list systems`; their defaults are in train/adversarial.py and systems/registry.py.
ADVERSARIAL = {
    "objective": "what the players pay; `minigan list objectives`",
    "d_steps": "turns of D for each turn of G",
    "optimizer_d": "adam, rmsprop, sgd, ... of D", "optimizer_g": "and of G",
    "lr_d": "learning rate of D", "lr_g": "of G; lr stands for both",
    "beta1": "Adam's", "beta2": "Adam's",
    "penalty": "on D's slope: none, wgan-gp, r1, r2, dragan",
    "penalty_weight": "0: as in the penalty's paper",
    "clip": "D's weights are kept in +-clip; 0: they are not",
    "spectral_norm": "divide D's weights by their largest singular value",
    "norm_g": "none, batch, layer, instance or virtual, in G", "norm_d": "in D, without virtual",
    "smoothing": "a real sample is labelled 1 - smoothing",
    "instance_noise": "standard deviation, at the start, of noise on all D sees",
    "minibatch": "D also sees how alike the samples of a batch are",
    "feature_matching": "weight, in G's loss, of the distance of D's mean features",
    "adversarial_g": "weight of the objective in G's loss; 0: feature matching alone",
    "history": "weight of the distance of all weights to their own mean over the run",
    "ema": "samples come from G's moving average with this decay; 0: from G itself",
}
LOSSES = {
    "minimax": "D: -E log s(a) - E log(1 - s(b));  G: E log(1 - s(b)), which is flat where D is sure",
    "non-saturating": "D: the same;  G: -E log s(b)",
    "least-squares": "D: E (a - 1)^2 / 2 + E b^2 / 2;  G: E (b - 1)^2 / 2",
    "hinge": "D: E max(0, 1 - a) + E max(0, 1 + b);  G: -E b",
    "wasserstein": "D: E b - E a, with a clip, a penalty or spectral norm;  G: -E b",
    "relativistic": "D: is x more real than the average G(z)?  G: the other way round",
}
EVERYWHERE = {
    "log_every": "steps from one line of log.jsonl to the next", "sample_every": "from one picture of samples to the next",
    "checkpoint_every": "from one checkpoint to the next",
    "metrics": "measured while it trains: names from `minigan list metrics` with commas, or default",
    "metrics_every": "steps from one measuring to the next",
    "schedule": "of the learning rates: none, linear, cosine, exponential, step, plateau",
    "final_lr": "the part of the learning rates that a schedule leaves at the end",
    "monitor": "plateau: a metric, or a player's name for its loss, that has to get better",
    "patience": "plateau: looks without anything better before the learning rates fall",
    "factor": "plateau: what they are multiplied by",
    "capture": "on a GPU: record a step as a CUDA graph and launch that again, instead of one kernel after the other",
}
ACTIONS = ("list", "preview", "fetch", "verify")


def add(verbs) -> None:
    """Enter the verbs of this file."""
    verb = verbs.add_parser("list", help="systems, data sets, metrics, objectives, lessons", allow_abbrev=False,
                            description="List what there is.")
    verb.add_argument("what", nargs="?", default="all", metavar="WHAT",
                      help=f"{', '.join(LISTS)} (default: systems and datasets)")
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
                            description="What this machine has, and what to do about what is wrong.")
    verb.add_argument("--json", action="store_true", help="the same as JSON")
    verb.set_defaults(run=_doctor)


def _list(options):
    if options.what not in ("all", *LISTS):
        raise ConfigError(f"there is no list of {options.what!r}{suggestion(options.what, LISTS)}")
    if options.what in ("all", "systems"):
        _systems()
    if options.what in ("all", "datasets"):
        _datasets()
    if options.what == "metrics":
        _metrics()
    if options.what == "objectives":
        _objectives()
    if options.what == "lessons":
        from minigan.cli.lesson import show

        show()


def _systems():
    from minigan.systems.registry import COMMON, recipes
    from minigan.train.adversarial import SETTINGS

    print("systems (minigan train SYSTEM --set KEY=VALUE):")
    adversarial = []
    for name, recipe in recipes().items():
        shared = SETTINGS if SETTINGS.keys() <= recipe.settings.keys() else {}
        if shared:
            adversarial.append(name)
        own = {key: value for key, value in recipe.settings.items() if key not in shared or shared[key] != value}
        print(f"  {name:<16}{recipe.summary.partition(': ')[2] or recipe.summary}")
        _wrapped(f"data {recipe.data}; {_settings(own)}", 18)
        if recipe.points:
            _wrapped(f"on 2-D points {_settings(recipe.points)}", 18)
        for dataset, settings in recipe.on.items():
            _wrapped(f"on {dataset} {_settings(settings)}", 18)
    print(f"the adversarial ones ({', '.join(adversarial)}) also have, if not said otherwise above:")
    _described(SETTINGS, ADVERSARIAL)
    print("all systems have:")
    _described(COMMON, EVERYWHERE)


def _datasets():
    from minigan import data

    print("data sets (--data NAME):")
    for name, description in data.DATASETS.items():
        print(f"  {name:<16}{description}")


def _metrics():
    from minigan.metrics import METRICS, OF_SYSTEMS

    print("metrics (minigan evaluate RUN --metrics A,B; minigan tune SYSTEM --metric M):")
    words = {"higher": "higher is better", "lower": "lower is better", "near 1": "best near 1"}
    for name, metric in METRICS.items():
        print(f"  {name:<16}for {metric.needs}, at least {metric.least:,} samples")
        _wrapped(metric.summary, 18)
        _wrapped("; ".join(f"{number}: {words[better]}" for number, better in metric.numbers.items()), 18)
    print("what only some systems can measure themselves, on the test split:")
    for number, own in OF_SYSTEMS.items():
        _wrapped(f"{number}: {own.summary}" + (f"; {words[own.better]}" if own.better else ""), 2)


def _objectives():
    from minigan.train.objectives import OBJECTIVES
    from minigan.train.penalties import PENALTIES

    print("objectives (--set objective=NAME), s the sigmoid, a = D(x), b = D(G(z)):")
    for name, objective in OBJECTIVES.items():
        print(f"  {name:<16}{LOSSES.get(name, '')}")
        print(f"  {'':<16}in {objective.unit}" + ("; takes smoothing" if objective.target else ""))
    print("penalties on D's slope (--set penalty=NAME), with their weights:")
    for name, penalty in PENALTIES.items():
        print(f"  {name:<16}{penalty.weight:g} times {penalty.loss.__doc__.partition('   ')[0].rstrip(',. ')}")


def _described(settings, texts):
    width = max(len(_settings({key: value})) for key, value in settings.items())
    for key, value in settings.items():
        _wrapped(f"{_settings({key: value}):<{width}}  {texts.get(key, '')}", 2, width + 4)


def _wrapped(text, indent, then=None):
    import textwrap

    print(textwrap.fill(text, 120, initial_indent=" " * indent, subsequent_indent=" " * (then or indent),
                        break_long_words=False, break_on_hyphens=False))


def _settings(settings):
    return ", ".join(f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in settings.items())


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
    rows = data.fetch(options.name) if options.action == "fetch" else data.verify(options.name, options.data_dir)
    for file, status in rows or [(options.name, "ok: drawn from its formula, there is nothing to fetch")]:
        print(f"{file}: {status}")
    if any(status == "missing" for _, status in rows):
        print(f"what is missing: `minigan data fetch {options.name}` downloads it, or --data-dir names the folder that has it")
    return 0 if all(status.startswith("ok") for _, status in rows) else 2


def _preview(options):
    import numpy as np

    from minigan import data, viz

    dataset = data.load(options.name, data_dir=options.data_dir)
    path = output_file(options.out or f"{options.name}.png", ".png")
    rng = np.random.default_rng(0)
    if len(dataset.sample_shape) == 3:
        rows = rng.choice(len(dataset), min(100, len(dataset)), replace=False)
        pictures = dataset[rows].x
        if pictures.shape[1] == 2:  # two kinds of pictures, a channel each: side by side
            pictures = np.concatenate([pictures[:, :1], pictures[:, 1:]], axis=3)
        viz.save_png(path, viz.image_grid(pictures, columns=10, scale=2))
        print(f"{options.name}: {len(dataset):,} pictures {dataset.sample_shape}, {len(rows)} of them in {path}")
    elif isinstance(dataset, data.TokenDataset):
        rows = rng.choice(len(dataset), min(100, len(dataset)), replace=False)
        viz.save_png(path, viz.token_grid(dataset[rows].x))
        print(f"{options.name}: {len(dataset):,} sequences {dataset.sample_shape}, {len(rows)} of them in {path}")
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
            mark = "!!" if not f.ok else "--" if f.absent else "ok"
            print(f"{mark}  {f.what:<12} {f.found}" + (f"\n{'':16}{f.advice}" if f.advice else ""))
    return 0 if all(f.ok or not f.needed for f in findings) else 2
