"""What a metric is: what it measures, what it needs, and which way its numbers are better.  One type for all of them.

Number      one number: its direction, meaning and unit        Metric      what measures some numbers, beside what it needs
Needs       what the data must be                              Evidence    what a metric of samples sees: them, and real ones
METRICS     the metrics of samples, by name                    enter       one more, of your own
find        a name that somebody typed -> (Metric, Number)     evaluate    names, samples, data set -> values by number
Elsewhere: each metric, beside what computes it (modes.py, frechet.py, ...; what only one system measures, in its file).

    BRIGHTNESS = Metric("brightness", [Number("brightness", "near 1", "mean of all pixels over that of the real ones")],
                        lambda seen: {"brightness": seen.samples.mean() / seen.real.mean()}, SAMPLES, least=100)
    enter(BRIGHTNESS)
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from minigan.data import Batch, PointDataset
from minigan.data.base import Described
from minigan.data.kinds import Pictures, Points
from minigan.errors import ConfigError, NotFiniteError, suggestion

REAL = 10_000  # real samples compared with; the same ones each time, so that two evaluations differ by the samples only
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "near 1": "best near 1", "": ""}
# What may be left out at the end of a name: the data it is for, or how many draws it takes.  fid is fid-digits.
QUALIFIER = r"(-digits|-points|-\d+)?"


@dataclass(frozen=True)
class Number:
    """One number that a metric gives.

    better: "higher", "lower" or "near 1"; "" where neither more nor less is better.   says: what it is, in one line.
    unit: "nats per sample"; "" for shares, counts and ratios.   ConfigError for another direction, or no meaning."""

    name: str
    better: str
    says: str
    unit: str = ""

    def __post_init__(self):
        if self.better not in DIRECTIONS or not self.says:
            raise ConfigError(f"number {self.name}: better is one of {', '.join(map(repr, DIRECTIONS))}, and `says` a line on "
                              f"what it is; got {self.better!r} and {self.says!r}")

    @property
    def direction(self) -> str:
        """"higher is better", "lower is better", "best near 1", or ""."""
        return DIRECTIONS[self.better]

    @property
    def meaning(self) -> str:
        """What it is, with its unit: "evidence lower bound on ln p(x) [nats per sample]"."""
        return self.says + (f" [{self.unit}]" if self.unit else "")

    def merit(self, value: float) -> float:
        """value turned so that more is better; -inf for NaN.   ConfigError where neither more nor less of it is better."""
        if not self.better:
            raise ConfigError(f"{self.name}: neither more nor less of it is better; choose another metric")
        if math.isnan(value):
            return -math.inf
        return {"higher": value, "lower": -value, "near 1": -abs(value - 1)}[self.better]


@dataclass(frozen=True)
class Needs:
    """What a metric needs.

    what: in words, "points".   otherwise: why it cannot be had without.   fits(data) -> bool: does a data set, or its
    data.Description, have it?  Asked of its kinds, never of a shape."""

    what: str
    otherwise: str
    fits: Callable = lambda data: True


SAMPLES = Needs(
    "samples", "tokens are names, so their differences say nothing",
    lambda data: data.kinds["x"].real)
POINTS = Needs(
    "points", "it compares points, as ring8 or swiss-roll has them",
    lambda data: isinstance(data.kinds["x"], Points))
TRAINING_SET = Needs(
    "a training set", "it looks for copies of training pictures; fresh points have none, and tokens no distances",
    lambda data: data.kinds["x"].real and not isinstance(data, PointDataset))


@dataclass(frozen=True, eq=False)
class Metric:
    """What measures some numbers.

    measure     of samples: Evidence -> {number: value};  of a system: (game, test data set, generator) -> {number: value}.
                It may leave out a number that the data does not allow
    least       the fewest samples that it needs; 0 for a metric of a system, which is given the game itself
    summary     a line about its numbers together, where there are several
    main        the number that is meant by the metric's own name; by default the one of that name, or the only one
    ConfigError for two numbers of one name, or a main that is none of them."""

    name: str
    numbers: Sequence[Number]
    measure: Callable
    needs: Needs
    least: int = 0
    summary: str = ""
    main: str = ""

    def __post_init__(self):
        names = [number.name for number in self.numbers]
        if not names or len(set(names)) < len(names) or self.main not in ("", *names):
            raise ConfigError(f"metric {self.name}: needs numbers with different names, one of which may be `main`; got the "
                              f"numbers {names} and main={self.main!r}")

    def match(self, pattern: str) -> tuple["Metric", Number | None] | None:
        """(this metric, the number) whose name, or whose metric's name, the pattern matches; None if it matches neither.

        The number is None where the metric's own name is meant, and it has several numbers and no main one."""
        for number in self.numbers:
            if re.fullmatch(pattern, number.name):
                return self, number
        if not re.fullmatch(pattern, self.name):
            return None
        main = [number for number in self.numbers if number.name == self.main or len(self.numbers) == 1]
        return self, main[0] if main else None

    def about(self, name: str) -> bool:
        """Are the words of an unknown name, "importance-bound", in what the metric says of itself?  For hints only."""
        text = " ".join([self.name, self.summary, *(f"{number.name} {number.says}" for number in self.numbers)])
        return set(re.findall(r"\w+", name.lower())) <= set(re.findall(r"\w+", text.lower()))

    def check(self, data) -> None:
        """ConfigError, with the reason, for data that it does not fit."""
        if not self.needs.fits(data):
            raise ConfigError(f"metric {self.name} does not fit {data.name}: {self.needs.otherwise}")

    def __call__(self, *seen) -> dict[str, float]:
        """{number: value} of what `measure` is given.   ConfigError for a number that is not one of `numbers`."""
        values = self.measure(*seen)
        unknown = set(values) - {number.name for number in self.numbers}
        if unknown:
            raise ConfigError(f"metric {self.name}: measured {', '.join(sorted(unknown))}, of which its `numbers` say nothing; "
                              "add a Number for each")
        return {name: float(value) for name, value in values.items()}


METRICS: dict[str, Metric] = {}


def enter(*metrics: Metric) -> None:
    """Enter metrics of samples, so that every system is measured by them and every command knows them.   A metric of the
    same name takes the place of the former.   ConfigError where another metric has a number of that name, and for one that
    takes no samples: it belongs to the systems that name it (systems/registry.py)."""
    for metric in metrics:
        if not metric.least:
            raise ConfigError(f"metric {metric.name}: least=0 is for what a system measures itself; say how many samples it "
                              "needs, or name it in the metrics of a system")
        for other in METRICS.values():
            both = {number.name for number in metric.numbers} & {number.name for number in other.numbers}
            if both and other.name != metric.name:
                raise ConfigError(f"metric {metric.name}: {other.name} has a number {both.pop()} already; name it differently")
        METRICS[metric.name] = metric


def find(name: str, data, own: Sequence[Metric] = ()) -> tuple[Metric, Number | None]:
    """What a name that somebody typed means: (the metric, the number of it).   The number is None where the name is that of a
    metric with several numbers.

    data: the data set, or its Description; own: the metrics of the system that is measured, if any.   What fits the data is
    looked at first, the system's own before the others.   The end of a name may be left out, see QUALIFIER: on digits "pr" is
    pr-digits, on points pr-points.   ConfigError with the nearest names if there is none.
    """
    known = sorted([*own, *METRICS.values()], key=lambda metric: not metric.needs.fits(data))
    found = first(name, known)
    if found is None:
        raise ConfigError(f"there is no metric {name!r}{_near(name, known)}")
    return found


def first(name: str, metrics) -> tuple[Metric, Number | None] | None:
    """The first of the metrics that a name means, as `find` gives it; a whole name comes before one whose end is left out."""
    for pattern in (re.escape(name), re.escape(name) + QUALIFIER):
        for metric in metrics:
            if found := metric.match(pattern):
                return found
    return None


def _near(name, metrics):
    """The end of the error message: the nearest name of a metric or a number, or the names of all metrics."""
    names = [metric.name for metric in metrics]
    numbers = [number.name for metric in metrics for number in metric.numbers]
    everything = dict.fromkeys([*names, *numbers])
    hint = suggestion(name, dict.fromkeys([*everything, *(re.sub(QUALIFIER + "$", "", full) for full in everything)]))
    return hint if "did you mean" in hint else suggestion(name, names)


# ---- samples and real ones -------------------------------------------------------------------------------------------


class Given(Described):
    """Real samples in an array as a data set.   x (M, d) or (M, C, H, W), else ConfigError.

    An array cannot say what it holds: rows are taken for points, and pictures for those of digits, if asked about digits."""

    name = "this data"

    def __init__(self, x):
        self.x = np.asarray(x)
        kinds = {2: Points, 4: Pictures}
        if self.x.ndim not in kinds:
            raise ConfigError(f"an array of real samples is (M, d) or (M, C, H, W), got {self.x.shape}; reshape it, or pass a "
                              "data set")
        self.kinds = {"x": kinds[self.x.ndim](*self.x.shape[1:])}

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        return Batch(self.x[rows])


class Evidence:
    """What a metric of samples sees.   samples (N, ...), pictures in [-1, 1];  real: real samples to compare with;
    dataset: all of them;  rng: for random subsets."""

    def __init__(self, samples, dataset, rng):
        self.samples, self.dataset, self.rng = samples, dataset, np.random.default_rng(rng)
        self._features = {}

    @cached_property
    def real(self) -> np.ndarray:
        """Fresh points, as many as there are samples; or pictures of the data set, at most REAL, drawn once and for all."""
        if isinstance(self.dataset, PointDataset):
            return self.dataset.sample(len(self.samples), self.rng).x
        count = len(self.dataset)
        return self.dataset[np.random.default_rng(0).permutation(count)[:REAL] if count > REAL else slice(None)].x

    def both(self, features: Callable) -> tuple[np.ndarray, np.ndarray]:
        """features(samples) and features(real), each computed once, however many metrics ask."""
        if features not in self._features:
            self._features[features] = features(self.samples), features(self.real)
        return self._features[features]


def evaluate(names, samples, dataset, rng: int | np.random.Generator = 0) -> dict[str, float]:
    """Each number of each metric of samples named; a Metric may stand for its name.   samples (N, ...), pictures in [-1, 1].

    dataset: what they should be like: a data set, or an array of real samples (M, ...).   rng: a Generator or a seed, for
    fresh points and random subsets.
    ConfigError, before anything is computed, for a metric that is unknown, does not fit the data, or needs more samples;
    NotFiniteError for samples with NaN.
    """
    samples, dataset = np.asarray(samples), dataset if isinstance(dataset, Described) else Given(dataset)
    if samples.shape[1:] != dataset.sample_shape:
        raise ConfigError(f"evaluate: the samples have shape {samples.shape[1:]}, the real ones {dataset.sample_shape}; they "
                          "must be the same")
    if not np.isfinite(samples).all():
        raise NotFiniteError("evaluate: samples contain NaN or infinity: the generator has diverged")
    metrics = [name if isinstance(name, Metric) else find(name, dataset)[0] for name in names]
    for metric in metrics:
        metric.check(dataset)
        if len(samples) < metric.least:
            raise ConfigError(f"{metric.name} needs at least {metric.least:,} samples, got {len(samples):,}")
    evidence, results = Evidence(samples, dataset, rng), {}
    for metric in metrics:
        results |= metric(evidence)
    return results
