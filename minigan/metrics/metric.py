"""What a metric is: one type says what it measures, what it needs, and in which direction its numbers are better.

Number      one number: its direction, meaning and unit        Metric      measures some numbers, and says what it needs
Needs       a condition on the data                            Evidence    the inputs of a metric of samples
Judge       what gives features, for metrics that need some
Results     the numbers, and why others could not be had       Rows        a data set's samples, read in parts
METRICS     the metrics of samples, by name                    enter       adds a metric, such as your own
find        a name that a user typed -> (Metric, Number)       evaluate    names, samples, data set -> values by number
Elsewhere: each metric stands in the file that computes it (modes.py, frechet.py, ...), or in the file of its only system.

    BRIGHTNESS = Metric("brightness", [Number("brightness", "near 1", "mean of all pixels over that of the real ones")],
                        lambda seen: {"brightness": seen.samples.mean() / seen.real.mean()}, SAMPLES, least=100)
    enter(BRIGHTNESS)
"""

import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from minigan.data import Batch, PointDataset
from minigan.data.base import Described
from minigan.data.kinds import Pair, Pictures, Points
from minigan.errors import ConfigError, MiniganError, NotFiniteError, suggestion
from minigan.metrics import checks

REAL = 10_000  # at most so many real samples; always the same ones, so that two evaluations differ only in their samples
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "near 1": "best near 1", "": ""}
# A user may leave out the end of a name: the data it is for, or its number of draws.  So fid means fid-digits.
QUALIFIER = r"(-digits|-points|-classes|-features|-\d+)?"


@dataclass(frozen=True)
class Number:
    """One number that a metric gives.

    better: "higher", "lower" or "near 1"; "" if no direction is better.   says: what it is, in one line.
    unit: such as "nats per sample"; "" for shares, counts and ratios.   ConfigError for another direction, or an empty
    `says`."""

    name: str
    better: str
    says: str
    unit: str = ""

    def __post_init__(self):
        if self.better not in DIRECTIONS or not self.says:
            raise ConfigError(
                f"number {self.name}: better is one of {', '.join(map(repr, DIRECTIONS))}, and `says` is a line "
                f"about its meaning; got {self.better!r} and {self.says!r}"
            )

    @property
    def direction(self) -> str:
        """ "higher is better", "lower is better", "best near 1", or ""."""
        return DIRECTIONS[self.better]

    @property
    def meaning(self) -> str:
        """Its meaning with its unit: "evidence lower bound on ln p(x) [nats per sample]"."""
        return self.says + (f" [{self.unit}]" if self.unit else "")

    def merit(self, value: float) -> float:
        """A number that is higher for a better value; -inf for NaN.   ConfigError if no direction is better."""
        if not self.better:
            raise ConfigError(f"{self.name}: neither more nor less of it is better; choose another metric")
        if math.isnan(value):
            return -math.inf
        return {"higher": value, "lower": -value, "near 1": -abs(value - 1)}[self.better]


@dataclass(frozen=True)
class Needs:
    """What a metric needs of the data.

    what: it in words, such as "points".   otherwise: the reason for the error message if the data does not have it.
    fits(data) -> bool: does a data set, or its data.Description, have it?  It looks at the data's kinds, not at a shape."""

    what: str
    otherwise: str
    fits: Callable = lambda data: True


SAMPLES = Needs("samples", "tokens are names, so their differences say nothing", lambda data: data.kinds["x"].real)
POINTS = Needs(
    "points", "it compares points, as ring8 or swiss-roll has them", lambda data: isinstance(data.kinds["x"], Points)
)
TRAINING_SET = Needs(
    "a training set",
    "it looks for copies of training samples; points have no fixed training set, and tokens no distances",
    lambda data: data.kinds["x"].real and not isinstance(data, PointDataset),
)


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric measures some numbers.

    measure     for a metric of samples: Evidence -> {number: value};  for a metric of a system: (game, test data set,
                generator) -> {number: value}.  It may leave out a number that the data does not allow
    least       the smallest number of samples that it needs; 0 for a metric of a system, which gets the game itself
    summary     if there are several numbers, a line about all of them together
    main        the number that the metric's own name stands for; by default the number of that name, or the only one
    ConfigError for two numbers with one name, or for a main that is none of them."""

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
            raise ConfigError(
                f"metric {self.name}: needs numbers with different names, one of which may be `main`; got the "
                f"numbers {names} and main={self.main!r}"
            )

    def match(self, pattern: str) -> tuple["Metric", Number | None] | None:
        """(this metric, a number) if the pattern matches the number's or the metric's name, else None.

        The number is None if the pattern matches the metric's name, and the metric has several numbers but no main one."""
        for number in self.numbers:
            if re.fullmatch(pattern, number.name):
                return self, number
        if not re.fullmatch(pattern, self.name):
            return None
        main = [number for number in self.numbers if number.name == self.main or len(self.numbers) == 1]
        return self, main[0] if main else None

    def about(self, name: str) -> bool:
        """Does the metric's description contain the words of an unknown name, such as "importance-bound"?  Only for hints."""
        if not re.search(r"[^\W\d_]{3}", name):  # a number or "of" is in many descriptions, and means none of them
            return False
        text = " ".join([self.name, self.summary, *(f"{number.name} {number.says}" for number in self.numbers)])
        return set(re.findall(r"\w+", name.lower())) <= set(re.findall(r"\w+", text.lower()))

    def check(self, data) -> None:
        """Raise ConfigError, with the reason, if the metric does not fit the data."""
        if not self.needs.fits(data):
            raise ConfigError(f"metric {self.name} does not fit {data.name}: {self.needs.otherwise}")

    def __call__(self, *seen) -> dict[str, float]:
        """Call `measure`: {number: value}.   ConfigError if it returns a number that is not one of `numbers`."""
        values = self.measure(*seen)
        unknown = set(values) - {number.name for number in self.numbers}
        if unknown:
            raise ConfigError(
                f"metric {self.name}: measured {', '.join(sorted(unknown))}, which its `numbers` do not have; "
                "add a Number for each"
            )
        return {name: float(value) for name, value in values.items()}


@dataclass(frozen=True, eq=False)
class Judge:
    """What turns samples into features for a distance, or into class probabilities.   Several metrics exist for each judge.

    name        the end of the names of its metrics, such as "digits" in fid-digits
    who, whose  the judge and its features in words: "the project's digit classifier", "the project's 64 digit features"
    needs       what it needs of the data
    features    Evidence -> a function from samples to features (N, d)
    probabilities   Evidence -> a function from samples to class probabilities (N, K); None if it knows no classes
    beside, also    numbers that stand beside each of its metrics, and what measures them, Evidence -> {number: value}"""

    name: str
    who: str
    whose: str
    needs: Needs
    features: Callable
    probabilities: Callable | None = None
    beside: Sequence[Number] = ()
    also: Callable = lambda seen: {}

    def both(self, seen: "Evidence") -> tuple[np.ndarray, np.ndarray]:
        """The features of the samples and of the real ones."""
        return seen.both(self.features(seen))

    def metric(self, name: str, numbers: Sequence[Number], measure: Callable, least: int, summary: str = "") -> Metric:
        """A metric with these numbers and the judge's own beside them.   measure: Evidence -> {number: value}."""
        both = lambda seen: {**measure(seen), **self.also(seen)}
        return Metric(name, [*numbers, *self.beside], both, self.needs, least, summary, numbers[0].name)


METRICS: dict[str, Metric] = {}


def enter(*metrics: Metric) -> None:
    """Add metrics of samples, so that every command knows them and can measure every system with them.   A metric replaces an
    earlier one of the same name.   ConfigError if another metric has another number of that name, and for a metric that takes
    no samples: a metric of a system belongs in the system's `metrics` (systems/registry.py)."""
    for metric in metrics:
        if not metric.least:
            raise ConfigError(
                f"metric {metric.name}: least=0 is for a metric of a system; set the number of samples that it "
                "needs, or name it in the metrics of a system"
            )
        for other in METRICS.values():
            same = {number.name: number for number in other.numbers}
            both = [number.name for number in metric.numbers if same.get(number.name, number) is not number]
            if both and other.name != metric.name:
                raise ConfigError(f"metric {metric.name}: {other.name} has a number {both[0]} already; name it differently")
        METRICS[metric.name] = metric


def find(name: str, data, own: Sequence[Metric] = ()) -> tuple[Metric, Number | None]:
    """(the metric, its number) that a name stands for.   The number is None if the name is that of a metric with several
    numbers.

    data: the data set, or its Description; own: the metrics of the system that is measured, if any.   Metrics that fit the
    data come first, and among these the system's own.   The end of a name may be left out, see QUALIFIER: "pr" means
    pr-digits on digits, and pr-points on points.   ConfigError with the nearest names if there is no such metric.
    """
    known = sorted([*own, *METRICS.values()], key=lambda metric: not metric.needs.fits(data))
    found = first(name, known)
    if found is None:
        raise ConfigError(f"there is no metric {name!r}{_near(name, known)}")
    return found


def first(name: str, metrics) -> tuple[Metric, Number | None] | None:
    """The first of the metrics that the name fits, in the form of `find`.  A full name goes before one without its end."""
    for pattern in (re.escape(name), re.escape(name) + QUALIFIER):
        for metric in metrics:
            if found := metric.match(pattern):
                return found
    return None


def _near(name, metrics):
    """The end of the error message: the nearest name of a metric or number, or else the names of all metrics."""
    names = [metric.name for metric in metrics]
    numbers = [number.name for metric in metrics for number in metric.numbers]
    everything = dict.fromkeys([*names, *numbers])
    hint = suggestion(name, dict.fromkeys([*everything, *(re.sub(QUALIFIER + "$", "", full) for full in everything)]))
    return hint if "did you mean" in hint else suggestion(name, names)


# ---- samples and real samples ----------------------------------------------------------------------------------------


class Given(Described):
    """An array of real samples as a data set.   x (M, d) or (M, C, H, W), else ConfigError.

    An array does not say what it holds.  So rows count as points, and the digit metrics take pictures of 28x28 for digits."""

    name = "this data"

    def __init__(self, x):
        self.x = checks.numbers(x, "real samples")
        kinds = {2: Points, 4: Pictures}
        if self.x.ndim not in kinds:
            raise ConfigError(
                f"an array of real samples is (M, d) or (M, C, H, W), got {self.x.shape}; reshape it, or pass a data set"
            )
        if self.x.ndim == 4:
            self.x = checks.pictures(self.x, "real samples")
        self.kinds = {"x": kinds[self.x.ndim](*self.x.shape[1:])}

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        return Batch(self.x[rows])


class Rows:
    """The samples of a data set as rows that are read when needed: len(rows), rows[a:b], rows[indices] -> array (n, ...)."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, rows):
        return self.dataset[rows].x


class Evidence:
    """The inputs of a metric of samples.

    samples (N, ...), pictures in [-1, 1];  real: real samples to compare with;  dataset: all real samples;  rng: a generator
    for random subsets;  labels (N,): the class that was asked of each sample, or None;  features: a function that the user
    brings, or None (judges.py);  lines: a metric may append a line of text for the reader, such as a table that is no number.
    ConfigError for samples of another shape than the real ones or of wrong labels, NotFiniteError for NaN and infinity,
    DataError for pictures outside [-1, 1]."""

    def __init__(self, samples, dataset, rng: int | np.random.Generator = 0, labels=None, features=None):
        self.dataset: Any = dataset if isinstance(dataset, Described) else Given(dataset)
        self.samples, self.rng, self.lines = self._checked(samples), np.random.default_rng(rng), []
        self.labels = None if labels is None else checks.numbers(labels, "labels")
        if self.labels is not None and (self.labels.shape != self.samples.shape[:1] or self.labels.dtype.kind not in "iu"):
            raise ConfigError(
                f"{len(self.samples)} samples need as many labels, whole numbers, got {self.labels.dtype} {self.labels.shape}"
            )
        self.features: Callable | None = features
        self._features: dict[Callable, tuple[np.ndarray, np.ndarray]] = {}

    def _checked(self, samples):
        try:
            samples = checks.numbers(samples, "evaluate: samples")
        except NotFiniteError as error:
            raise NotFiniteError(f"{error}: the generator has diverged") from None
        if samples.shape[1:] != self.dataset.sample_shape:
            raise ConfigError(
                f"evaluate: the samples have shape {samples.shape[1:]}, the real ones {self.dataset.sample_shape}; "
                "they must be the same"
            )
        if isinstance(self.dataset.kinds["x"], Pictures | Pair):
            samples = checks.pictures(samples, "evaluate")
        return samples

    def measure(self, metric: Metric) -> dict[str, float]:
        """{number: value} of a metric of samples.   ConfigError if it does not fit the data, or needs more samples."""
        metric.check(self.dataset)
        if len(self.samples) < metric.least:
            raise ConfigError(f"{metric.name} needs at least {metric.least:,} samples, got {len(self.samples):,}")
        return metric(self)

    @cached_property
    def real(self) -> np.ndarray:
        """Fresh points, as many as there are samples; or at most REAL pictures of the data set, always the same ones."""
        if isinstance(self.dataset, PointDataset):
            return self.dataset.sample(len(self.samples), self.rng).x
        count = len(self.dataset)
        return self.dataset[np.random.default_rng(0).permutation(count)[:REAL] if count > REAL else slice(None)].x

    def both(self, features: Callable) -> tuple[np.ndarray, np.ndarray]:
        """features(samples) and features(real).  They are computed only once, even if several metrics need them."""
        if features not in self._features:
            self._features[features] = features(self.samples), features(self.real)
        return self._features[features]


class Results(dict[str, float]):
    """{number: value} for what could be measured.   failed: {metric: the error that stopped it};   lines: text for the reader
    that is no number, such as the share of each class."""

    def __init__(self):
        super().__init__()
        self.failed, self.lines = {}, []

    def add(self, name: str, measure: Callable[[], dict[str, float]]) -> None:
        """Enter the numbers of the metric of that name, or the error that `measure` raises, or that a number is not finite."""
        try:
            with np.errstate(all="ignore"):  # a number that overflows is entered as such
                values = measure()
        except Exception as error:
            self.failed[name] = error
            return
        for number, value in values.items():
            if math.isfinite(value):
                self[number] = value
            else:
                self.failed[name] = NotFiniteError(f"{number} is {value}")

    def checked(self) -> "Results":
        """These results, with a warning for what failed.   If nothing could be measured, the error is raised; if there are
        several, ConfigError with the first."""
        reasons = self.reasons()
        if self.failed and not self:
            first = next(iter(self.failed.values()))
            if len(set(reasons.values())) == 1:
                raise first
            names = ", ".join(reasons)
            raise ConfigError(
                f"{names} could not be measured; {next(iter(reasons))}: {next(iter(reasons.values()))}"
            ) from first
        for text in dict.fromkeys(reasons.values()):
            names = ", ".join(name for name, reason in reasons.items() if reason == text)
            warnings.warn(f"{names} could not be measured: {text}", stacklevel=3)
        return self

    def reasons(self) -> dict[str, str]:
        """{metric: why it could not be measured}."""
        own = lambda error: "" if isinstance(error, MiniganError) else f"{type(error).__name__}: "
        return {name: f"{own(error)}{error}" for name, error in self.failed.items()}


def evaluate(names, samples, dataset, rng: int | np.random.Generator = 0, labels=None, features=None) -> Results:
    """All numbers of the named metrics of samples: {number: value}.   names: strings or Metrics, or "modes,energy"; samples
    (N, ...), pictures in [-1, 1].

    dataset: the real samples, as a data set or as an array (M, ...).   rng: a Generator or a seed, for fresh points and random
    subsets.   labels (N,): the class that was asked of each sample, if there are classes.   features: a function from samples
    (n, ...) to features (n, d), for the metrics that end in -features.
    A metric that cannot be measured does not block the others: a warning says why, and so does the attribute `failed` of the
    result.  If none can be, its error is raised: ConfigError for one that does not fit the data, or needs more samples.
    ConfigError for an unknown name; and the errors of Evidence for samples that nothing can be measured of.
    """
    if isinstance(names, str):
        text, names = names, [name.strip() for name in names.split(",") if name.strip()]
        if not names:
            raise ConfigError(f"metrics {text!r}: names no metric; give a name such as those in METRICS")
    evidence = Evidence(samples, dataset, rng, labels, features)
    metrics = [name if isinstance(name, Metric) else find(name, evidence.dataset)[0] for name in names]
    results = Results()
    for metric in dict.fromkeys(metrics):
        results.add(metric.name, partial(evidence.measure, metric))
    results.lines += evidence.lines
    return results.checked()
