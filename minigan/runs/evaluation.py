"""How good is a run?  The metrics that fit its samples, and those that only its system can measure.

measure     names -> {number: value} for a session's weights of now        chosen     which metrics names mean, or a refusal
found       the metric and the number that one name means
logged      the metrics that the settings want in the log                  meaning    what a number is, which way is better
needed      how many samples they take                                      most_samples      how many can be different
Elsewhere: the metrics themselves (metrics/table.py; a game's own in its system's file), where the numbers are kept (run.py).

General metrics compare with the training set: memorisation can only be seen there, and it is the larger one.  A game's own
get the test set: a likelihood of pictures that the net has seen says little.
"""

import math

from minigan.errors import ConfigError, suggestion
from minigan.metrics import METRICS, OF_SYSTEMS, default_metrics, evaluate, find, samples_needed
from minigan.metrics.table import NEEDS
from minigan.streams import Streams

# What people ask of any model, and only those that have a likelihood can answer.
LIKELIHOODS = ("elbo", "iwae", "importance", "nll", "likelihood", "bits")


def chosen(names, system, game, dataset) -> tuple[list[str], list[str]]:
    """(general metrics, the game's own) that are meant; names None: all that fit.

    ConfigError with the nearest names for what is none of them, and with the reason for a likelihood of a GAN.
    """
    own, shape = game.metrics, tuple(dataset.sample_shape)
    if names is None:
        return default_metrics(shape, dataset) if _numbers(dataset) else [], list(own)
    general, mine = [], []
    for name in names:
        if name in own or (name in OF_SYSTEMS and OF_SYSTEMS[name].metric in own):
            mine.append(name if name in own else OF_SYSTEMS[name].metric)
            continue
        if any(word in name.lower() for word in LIKELIHOODS):
            if "likelihood" in own:  # asked for one of its numbers
                mine.append("likelihood")
                continue
            has = f"; it has {', '.join(own)}" if own else ""
            raise ConfigError(f"{system} has no {name}: it draws samples and gives no probability to data; a bound on the "
                              f"likelihood needs an encoder, as the system vae has one{has}")
        try:
            general.append(find(name, shape)[0])
        except ConfigError:
            known = dict.fromkeys([*METRICS, *own, *(full.removesuffix("-digits") for full in METRICS)])  # fid will do
            raise ConfigError(f"there is no metric {name!r}{suggestion(name, known)}; `minigan list metrics` "
                              "describes them") from None
    return list(dict.fromkeys(general)), list(dict.fromkeys(mine))


def _numbers(dataset):
    """Are the samples real numbers, not tokens?"""
    one = dataset.sample(1, 0) if hasattr(dataset, "sample") else dataset[:1]
    return one.x.dtype.kind == "f"


def logged(settings, system, game, dataset) -> list[str]:
    """The metrics to be measured during training: those of the settings `metrics` and `monitor`.

    "none", "default" (all that fit) or names with commas between them.   ConfigError for one that is not there or does not
    fit the data.
    """
    names = [name.strip() for name in settings.metrics.split(",") if name.strip() not in ("", "none")]
    if names == ["default"]:
        general, own = chosen(None, system, game, dataset)
    else:
        general, own = chosen(names, system, game, dataset)
    if settings.schedule == "plateau" and settings.monitor not in ("loss", *(player.name for player in game.players)):
        general += [name for name in chosen([settings.monitor], system, game, dataset)[0] if name not in general]
    for name in general:
        fits, why = NEEDS[METRICS[name].needs]
        if not fits(tuple(dataset.sample_shape), dataset):
            raise ConfigError(f"metric {name} does not fit {dataset.name}: {why}")
    return general + own


def needed(names, session) -> int:
    """The fewest samples with which these metrics can be had."""
    return samples_needed(chosen(names, session.run.system, session.game, session.dataset)[0], session.sample_shape)


def most_samples(session) -> float:
    """How many samples can be different: where they are made of the pictures of a data set, as many as that has."""
    latent = session.game.latent
    return len(latent) if hasattr(latent, "__len__") else math.inf


def measure(session, names=None, n: int | None = None) -> dict[str, float]:
    """{number: value} of the metrics named; names None: all that fit.   n: samples, by default as many as they need.

    The same weights give the same numbers: samples and random subsets come from streams of their own, made anew each time,
    and training goes on as if nobody had looked.
    ConfigError for a metric that is unknown, does not fit the samples, or needs more than n.
    """
    general, own = chosen(names, session.run.system, session.game, session.dataset)
    results = {}
    if general:
        n, most = n or needed(names, session), most_samples(session)
        if n > most:
            raise ConfigError(f"{session.run.system} makes its samples of the {most:,} pictures of the test split, so {n:,} "
                              f"would repeat; measure at most {most:,}")
        results = evaluate(general, session.sample(n), session.dataset, Streams(session.run.seed)("metrics"))
    for name in own:
        results |= session.game.metrics[name](session.game, session.test_dataset(), Streams(session.run.seed)("metrics"))
    return {name: float(value) for name, value in results.items()}


def found(name, system, game, dataset) -> tuple[str, str]:
    """(metric, number) that a name means for these samples: to sort runs by.   ConfigError as `chosen`, and for a metric of
    a system with several numbers, of which one must be named."""
    general, mine = chosen([name], system, game, dataset)
    if general:
        return find(name, tuple(dataset.sample_shape))
    numbers = [number for number, row in OF_SYSTEMS.items() if row.metric == mine[0] and row.better]
    if name in OF_SYSTEMS and name not in numbers:
        raise ConfigError(f"{name}: neither more nor less of it is better; choose another metric")
    if name not in numbers and len(numbers) != 1:
        raise ConfigError(f"{name} gives several numbers; name one of them: {', '.join(numbers)}")
    return mine[0], name if name in numbers else numbers[0]


def meaning(number: str) -> tuple[str, str]:
    """(which is better, what it measures) of a number; ("", "") for an unknown one."""
    for metric in METRICS.values():
        if number in metric.numbers:
            return metric.numbers[number], metric.summary
    own = OF_SYSTEMS.get(number)
    return (own.better, own.summary) if own else ("", "")
