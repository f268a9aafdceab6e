"""How good is a run?  This file measures the metrics that fit its samples, and those that only its own system can measure.

measure         names -> {number: value} for the current weights of a session
chosen          the metrics that a list of names means
found           the one metric and number to sort runs by
logged          the metrics that the settings ask for in the log
monitored       the metric that the "plateau" schedule waits for
owners          which systems measure which metrics of their own
needed          the smallest number of samples that some metrics need
most_samples    the largest number of samples before they repeat
meaning         the Number, with its description, that a logged name stands for
Elsewhere: what a metric is, and how it is found by its name (metrics/metric.py); where the numbers are kept (folder.py).

Metrics of samples use the training set: only there can memorisation be seen, and it is the larger one.  A system's own
metrics use the test set, because the likelihood of pictures that the network has seen says little.
"""

import math
from functools import cache, partial

from minigan.errors import ConfigError
from minigan.metrics import METRICS, Metric, Number, default_metrics, find
from minigan.metrics.judges import Brought, own_metrics
from minigan.metrics.metric import Evidence, Results, first
from minigan.streams import Streams
from minigan.systems import registry


def chosen(names, system, dataset, features=None) -> list[Metric]:
    """Return the metrics with these names, each once.

    names: a text such as "fid,digits", or a list of names and Metric objects.  The name "default" stands for all metrics that
    fit the data, and so does None.   system: a System (systems/registry.py).   features: a function that the user brings; with
    it, "fid" means fid-features, and "default" has its metrics too.
    Raises ConfigError for a text without a name, and for an unknown name, with the nearest names; for a metric that only
    another system can measure, the message says why this one cannot.
    """
    if isinstance(names, str):
        text, names = names, [name.strip() for name in names.split(",") if name.strip()]
        if not names:
            raise ConfigError(f"metrics {text!r}: names no metric; give a name from `minigan list metrics`, or default")
    metrics, brought = [], own_metrics() if features is not None else []
    for name in ["default"] if names is None else names:
        if name == "default":
            own = (metric for metric in system.metrics if metric.needs.fits(dataset))
            metrics += [*brought, *default_metrics(dataset), *own]
        else:
            metrics.append(name if isinstance(name, Metric) else _find(name, system, dataset, brought)[0])
    return list(dict.fromkeys(metrics))


def _find(name, system, dataset, brought=()):
    """Call `find`; if it finds nothing, the error names other systems that measure this metric."""
    try:
        return find(name, dataset, [*brought, *system.metrics])
    except ConfigError as error:
        others = {metric: names for metric, names in owners().items() if metric not in system.metrics}
        metric, _ = first(name, others) or (None, None)
        if metric is None and "did you mean" not in str(error):
            metric = next((other for other in others if other.about(name)), None)
        if metric is None:
            raise ConfigError(f"{error}; `minigan list metrics` describes them") from None
        own = f"; {system.name} itself measures {', '.join(one.name for one in system.metrics)}" if system.metrics else ""
        raise ConfigError(
            f"{system.name} has no {name}: {metric.needs.otherwise}; see {', '.join(others[metric])}{own}"
        ) from None


def owners() -> dict[Metric, list[str]]:
    """{metric: names of the systems that measure it themselves}."""
    found = {}
    for name, system in registry.systems().items():
        for metric in system.metrics:
            found.setdefault(metric, []).append(name)
    return found


def found(name, system, dataset) -> tuple[Metric, Number]:
    """Return the (metric, number) with this name, to sort runs by.

    Raises ConfigError as `chosen` does; also for a metric that gives several numbers, because one of them must be named, for
    a number that is neither better when higher nor better when lower, and for a metric of features that the user brings."""
    metric, number = _find(name, system, dataset)
    if number is None:
        directed = ", ".join(number.name for number in metric.numbers if number.better)
        raise ConfigError(f"{name} gives several numbers; name one of them: {directed}")
    number.merit(0.0)  # raises if this number has no better direction
    _refuse_brought(metric)
    return metric, number


def logged(settings, system, game, dataset) -> list[Metric]:
    """Return the metrics to measure during training: those in the settings `metrics` and `monitor`.

    `metrics` is "none", "default" (all that fit the data) or names separated by commas.   Raises ConfigError for a metric that
    does not exist or does not fit the data, and for a text that names none.
    """
    names = [name.strip() for name in settings.metrics.split(",") if name.strip() not in ("", "none")]
    if not names and settings.metrics.strip() not in ("", "none"):
        raise ConfigError(
            f"metrics={settings.metrics!r}: names no metric; say none, default, or names from `minigan list metrics`"
        )
    metrics = chosen(names, system, dataset)
    if waited_for := monitored(settings, system, game, dataset):
        metrics = list(dict.fromkeys([*metrics, waited_for[0]]))
    for metric in metrics:
        metric.check(dataset)
        _refuse_brought(metric)
    return metrics


def _refuse_brought(metric):
    if metric in own_metrics():
        raise ConfigError(
            f"metric {metric.name} needs features of your own, and training has none; measure it with "
            "`minigan evaluate RUN --features FILE.py:FUNCTION`"
        )


def monitored(settings, system, game, dataset) -> tuple[Metric, Number] | None:
    """Return the (metric, number) that the "plateau" schedule waits for; None when it waits for a player's loss, or when the
    schedule is another one.   Raises ConfigError when the setting `monitor` names neither a metric nor a player."""
    players = [player.name for player in game.all_players()]
    if settings.schedule != "plateau" or settings.monitor in ("loss", *players):
        return None
    try:
        return found(settings.monitor, system, dataset)
    except ConfigError as error:
        raise ConfigError(
            f"monitor={settings.monitor}: is neither a player nor a metric; set monitor to one of them (the "
            f"players are {', '.join(dict.fromkeys(players))}; {error})"
        ) from None


def needed(metrics) -> int:
    """The smallest number of samples that all these metrics can be measured with."""
    return max((metric.least for metric in metrics), default=0)


def most_samples(session) -> float:
    """The largest number of samples before they repeat.  It is infinite, except for systems that translate the pictures of a
    data set: those can make one sample for each picture."""
    latent = session.game.latent
    return len(latent) if hasattr(latent, "__len__") else math.inf


def measure(session, names=None, n: int | None = None, features=None) -> Results:
    """Measure metrics of a session with its current weights, and return {number: value}.

    names: as in `chosen`.   n: how many samples to draw; the default is as many as the metrics need, or as there are.
    features: a function from samples (n, ...) to features (n, d), for metrics that end in -features.   If the system measures
    a number itself, that value replaces the general one of the same name.

    The same weights always give the same numbers, and training is not affected: samples and random subsets come from their own
    streams, which start anew for each call.
    A metric that cannot be measured does not block the others: a warning says why, and so does `failed` of the result.   If
    none can be, its error is raised: ConfigError if it does not fit the samples, or needs more than n of them.   ConfigError
    for an unknown metric.
    """
    features = features if features is None or isinstance(features, Brought) else Brought(features)
    metrics = chosen(names, session.system, session.dataset, features)
    most = most_samples(session)
    if n is not None and n > most:
        raise ConfigError(
            f"{session.run.system} makes its samples from the {most:,} pictures of the test split, so {n:,} "
            f"samples would repeat; measure at most {most:,}"
        )
    n = n or int(min(needed(metrics), most))
    stream = lambda: Streams(session.run.seed)("metrics")

    results = Results()

    @cache
    def evidence():
        seen = Evidence(session.sample(n), session.dataset, stream(), session.labels(n), features)
        results.lines = seen.lines
        return seen

    def of(metric):
        if metric.least:
            return evidence().measure(metric)
        metric.check(session.dataset)
        return metric(session.game, session.test_dataset(), stream())

    for metric in sorted(metrics, key=lambda metric: not metric.least):  # those of the system last: their numbers count
        results.add(metric.name, partial(of, metric))
    return results.checked()


def meaning(number: str, system: str) -> Number:
    """Return the Number that a run of this system logs under the name `number`; for an unknown name, a Number without a
    description."""
    known = registry.systems().get(system)
    for metric in [*(known.metrics if known else ()), *METRICS.values()]:
        for one in metric.numbers:
            if one.name == number:
                return one
    return Number(number, "", "a number that no metric here describes")
