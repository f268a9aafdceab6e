"""How good is a run?  The metrics that fit its samples, and those that only its system can measure.

measure     names -> {number: value} for a session's weights of now        chosen     the metrics that names mean, or a refusal
found       the metric and the number that one name means, to sort by      meaning    the Number that a run has a value of
logged      the metrics that the settings want in the log                  monitored  what a plateau waits for
needed      how many samples they take                                     most_samples       how many can be different
Elsewhere: what a metric is, and how a name finds one (metrics/metric.py), where the numbers are kept (folder.py).

Metrics of samples compare with the training set: memorisation can only be seen there, and it is the larger one.  A system's
own get the test set: a likelihood of pictures that the net has seen says little.
"""

import math

from minigan.errors import ConfigError
from minigan.metrics import METRICS, Metric, Number, default_metrics, evaluate, find
from minigan.metrics.metric import first
from minigan.streams import Streams
from minigan.systems import registry


def chosen(names, system, dataset) -> list[Metric]:
    """The metrics that names mean, each once; names None: all that fit.   A Metric may stand for its name.   system: a
    System (systems/registry.py).

    ConfigError with the nearest names for what is none; for what another system measures, with the reason why not this one.
    """
    if names is None:
        return [*default_metrics(dataset), *(metric for metric in system.metrics if metric.needs.fits(dataset))]
    return list(dict.fromkeys(name if isinstance(name, Metric) else _find(name, system, dataset)[0] for name in names))


def _find(name, system, dataset):
    """`find`, and where there is nothing to be found, what other systems measure under that name."""
    try:
        return find(name, dataset, system.metrics)
    except ConfigError as error:
        others = {metric: names for metric, names in owners().items() if metric not in system.metrics}
        metric, _ = first(name, others) or (None, None)
        if metric is None and "did you mean" not in str(error):
            metric = next((other for other in others if other.about(name)), None)
        if metric is None:
            raise ConfigError(f"{error}; `minigan list metrics` describes them") from None
        own = f"; {system.name} itself measures {', '.join(one.name for one in system.metrics)}" if system.metrics else ""
        raise ConfigError(f"{system.name} has no {name}: {metric.needs.otherwise}; see {', '.join(others[metric])}"
                          f"{own}") from None


def owners() -> dict[Metric, list[str]]:
    """{metric: the systems that measure it themselves}, of all systems."""
    found = {}
    for name, system in registry.systems().items():
        for metric in system.metrics:
            found.setdefault(metric, []).append(name)
    return found


def found(name, system, dataset) -> tuple[Metric, Number]:
    """(metric, number) that a name means, to sort runs by.   ConfigError as `chosen`, for a metric with several numbers, of
    which one must be named, and for a number of which neither more nor less is better."""
    metric, number = _find(name, system, dataset)
    if number is None:
        directed = ", ".join(number.name for number in metric.numbers if number.better)
        raise ConfigError(f"{name} gives several numbers; name one of them: {directed}")
    number.merit(0.0)  # complains of one that nothing can be sorted by
    return metric, number


def logged(settings, system, game, dataset) -> list[Metric]:
    """The metrics to be measured during training: those of the settings `metrics` and `monitor`.

    "none", "default" (all that fit) or names with commas between them.   ConfigError for one that is not there or does not
    fit the data.
    """
    names = [name.strip() for name in settings.metrics.split(",") if name.strip() not in ("", "none")]
    metrics = chosen(None if names == ["default"] else names, system, dataset)
    if waited_for := monitored(settings, system, game, dataset):
        metrics = list(dict.fromkeys([*metrics, waited_for[0]]))
    for metric in metrics:
        metric.check(dataset)
    return metrics


def monitored(settings, system, game, dataset) -> tuple[Metric, Number] | None:
    """The metric and the number of it that a plateau waits for; None where it waits for a player's loss, or there is none.
    ConfigError for what is neither."""
    players = [player.name for _, stage in getattr(game, "stages", [(0, game)]) for player in stage.players]
    if settings.schedule != "plateau" or settings.monitor in ("loss", *players):
        return None
    try:
        return found(settings.monitor, system, dataset)
    except ConfigError as error:
        raise ConfigError(f"monitor={settings.monitor}: neither a player nor a metric to wait for (the players are "
                          f"{', '.join(dict.fromkeys(players))}; {error})") from None


def needed(metrics) -> int:
    """The fewest samples with which these metrics can be had."""
    return max((metric.least for metric in metrics), default=0)


def most_samples(session) -> float:
    """How many samples can be different: where they are made of the pictures of a data set, as many as that has."""
    latent = session.game.latent
    return len(latent) if hasattr(latent, "__len__") else math.inf


def measure(session, names=None, n: int | None = None) -> dict[str, float]:
    """{number: value} of the metrics named; names None: all that fit.   n: samples, by default as many as they need.   A number
    that the system measures itself takes the place of one of the same name that all systems have.

    The same weights give the same numbers: samples and random subsets come from streams of their own, made anew each time,
    and training goes on as if nobody had looked.
    ConfigError for a metric that is unknown, does not fit the samples, or needs more than n.
    """
    metrics = chosen(names, session.system, session.dataset)
    for metric in metrics:
        metric.check(session.dataset)
    of_samples, results = [metric for metric in metrics if metric.least], {}
    if of_samples:
        n, most = n or needed(of_samples), most_samples(session)
        if n > most:
            raise ConfigError(f"{session.run.system} makes its samples of the {most:,} pictures of the test split, so {n:,} "
                              f"would repeat; measure at most {most:,}")
        results = evaluate(of_samples, session.sample(n), session.dataset, Streams(session.run.seed)("metrics"))
    for metric in metrics:
        if not metric.least:
            results |= metric(session.game, session.test_dataset(), Streams(session.run.seed)("metrics"))
    return results


def meaning(number: str, system: str) -> Number:
    """The Number that a run of this system calls so; one that says nothing but its name where nobody knows it."""
    known = registry.systems().get(system)
    for metric in [*(known.metrics if known else ()), *METRICS.values()]:
        for one in metric.numbers:
            if one.name == number:
                return one
    return Number(number, "", "a number that no metric here describes")
