"""Every metric by name: what it measures, what it needs, which way is better.

evaluate            names, samples, data set -> numbers by name         METRICS     the table
default_metrics     the names that fit these samples and data           resolve     the full name of `fid`, or a refusal
samples_needed      how many samples these metrics need                 find        a metric and one number of it, for tuning
merit               a number turned so that more is better          OF_SYSTEMS  what only some systems can measure themselves
Names that end in -digits use the project's own digit classifier: comparable with each other, not with published figures.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from minigan.data import ImageDataset, PointDataset
from minigan.errors import ConfigError, NotFiniteError, suggestion
from minigan.metrics.digitnet import DigitReport, classify, digit_report, features
from minigan.metrics.distances import diversity, energy_distance
from minigan.metrics.frechet import frechet_distance
from minigan.metrics.inception import inception_score
from minigan.metrics.kernel import kernel_distance
from minigan.metrics.modes import mode_report
from minigan.metrics.neighbours import duplicates, memorisation, precision_recall
from minigan.metrics.two_sample import two_sample_test

REAL = 10_000  # real pictures compared with; the same ones each time, so that two evaluations differ by the samples only
DIGITS = ("digits", "mnist")  # data sets that the digit classifier was trained to judge


class Evidence:
    """Samples and real ones, with what several metrics share: each is computed once, when first asked for."""

    def __init__(self, samples, dataset, rng):
        self.dataset = dataset if hasattr(dataset, "sample_shape") else np.asarray(dataset)
        self.samples, self.rng = samples, np.random.default_rng(rng)

    @cached_property
    def real(self) -> np.ndarray:
        """Fresh points, as many as there are samples; or pictures of the data set, at most REAL, drawn once and for all."""
        if isinstance(self.dataset, PointDataset):
            return self.dataset.sample(len(self.samples), self.rng).x
        count = len(self.dataset)
        return _rows(self.dataset, np.random.default_rng(0).permutation(count)[:REAL] if count > REAL else slice(None))

    @cached_property
    def features(self) -> np.ndarray:
        """(N, 64), of the samples."""
        return features(self.samples)

    @cached_property
    def real_features(self) -> np.ndarray:
        """(M, 64), of the real pictures."""
        return features(self.real)


def _rows(dataset, rows):
    return dataset[rows].x if isinstance(dataset, ImageDataset) else dataset[rows]


@dataclass(frozen=True)
class Metric:
    """measure: Evidence -> a value for each of `numbers`, in their order.

    numbers: name -> which is better: "higher", "lower" or "near 1"; the first is the one meant by the metric's own name
    needs: a key of NEEDS;   least: the fewest samples;   summary: one line with the unit
    """

    numbers: dict[str, str]
    needs: str
    least: int
    summary: str
    measure: Callable[[Evidence], tuple]


def _modes(e):
    # Counts grow with the samples, so always as many as in the papers.
    r = mode_report(e.samples[:2500], e.dataset.centres, e.dataset.std)
    return r.captured, r.high_quality, r.reverse_kl, r.fair


def _digits(e):
    r: DigitReport = digit_report(e.samples)
    return r.found, r.confidence, r.shares.max()


def _two_sample(e):
    r = two_sample_test(e.real, e.samples, rng=e.rng)
    return r.accuracy, r.p_value


METRICS: dict[str, Metric] = {
    "modes": Metric(
        {"modes": "higher", "high-quality": "higher", "reverse-kl": "lower", "fair-modes": "higher"}, "a mixture", 2500,
        "modes with a sample within 3 std, among 2,500; share of such samples; KL(modes of samples || uniform) in nats; "
        "modes with 1/4 of their fair share", _modes),
    "energy": Metric(
        {"energy": "lower"}, "points", 500,
        "energy distance to fresh real points, in the units of x; 0 is perfect, noise may take it below",
        lambda e: (energy_distance(e.samples, e.real),)),
    "pr-points": Metric(
        {"precision-points": "higher", "recall-points": "higher"}, "points", 500,
        "precision and recall (3 neighbours) among as many fresh real points, shares from 0 to 1",
        lambda e: precision_recall(e.real, e.samples)),
    "is-digits": Metric(
        {"is-digits": "higher"}, "digits", 1000,
        "Inception Score of the project's digit classifier, from 1 to 10, one split",
        lambda e: inception_score(classify(e.samples), rng=e.rng)[:1]),
    "fid-digits": Metric(
        {"fid-digits": "lower"}, "digits", 2000,
        "Frechet distance of the project's 64 digit features to at most 10,000 real ones; shrinks with more samples",
        lambda e: (frechet_distance(e.features, e.real_features),)),
    "kid-digits": Metric(
        {"kid-digits": "lower"}, "digits", 1000,
        "unbiased kernel distance of the same features (20 subsets of 1,000); 0 is perfect, noise may take it below",
        lambda e: kernel_distance(e.features, e.real_features, rng=e.rng)[:1]),
    "pr-digits": Metric(
        {"precision-digits": "higher", "recall-digits": "higher"}, "digits", 1000,
        "precision and recall (3 neighbours) of the same features among as many real ones, shares from 0 to 1",
        lambda e: precision_recall(e.real_features[: len(e.features)], e.features[: len(e.real_features)])),
    "digits": Metric(
        {"digits": "higher", "digits-confidence": "higher", "digits-largest-share": "lower"}, "digits", 500,
        "digits that hold at least 1 % of the samples; mean probability of the digit called; share of the commonest digit",
        _digits),
    "c2st": Metric(
        {"c2st": "lower", "c2st-p": "higher"}, "samples", 500,
        "held-out accuracy of a nearest-neighbour vote, real or generated, on raw values: 0.5 undecided, 1 always right; "
        "its p-value", _two_sample),
    "diversity": Metric(
        {"diversity": "near 1"}, "samples", 100,
        "mean distance between two samples over that of two real ones, the first 1,000: 1 is healthy, 0 all the same",
        lambda e: (diversity(e.samples[:1000], e.real[:1000]),)),
    "duplicates": Metric(
        {"duplicates": "lower"}, "samples", 500,
        "share of samples nearer to another sample than all but 5 % of real ones are: 0.05 is healthy, 1 all repeated",
        lambda e: (duplicates(e.samples, e.real),)),
    "memorisation": Metric(
        {"memorisation": "lower"}, "a training set", 100,
        "share of the first 1,000 samples nearer to the training data, in pixels, than all but 5 % of its own: "
        "0.05 is healthy, 1 copies",
        lambda e: (memorisation(e.samples[:1000], _rows(e.dataset, slice(None)), rng=e.rng),)),
}



def _numbers(dataset):
    return not hasattr(dataset, "vocabulary")



@dataclass(frozen=True)
class Own:
    """A number that a system measures itself, on the test split.   metric: its name in Game.metrics;   better: as above, ""
    where neither is;   summary: one line with the unit."""

    metric: str
    better: str
    summary: str


OF_SYSTEMS: dict[str, Own] = {
    "elbo": Own("likelihood", "higher", "evidence lower bound on ln p(x), in nats per sample"),
    "iwae-100": Own("likelihood", "higher", "importance-weighted bound on ln p(x) from 100 draws, in nats per sample"),
    "reconstruction": Own("likelihood", "lower", "-E ln p(x|z), in nats per sample"),
    "kl": Own("likelihood", "", "KL(q(z|x) || p(z)), in nats per sample"),
    "active-units": Own("likelihood", "", "latent numbers whose mean varies with the sample (variance above 0.01)"),
    "mse": Own("error", "lower", "mean squared error of a reconstructed number; a pixel is in [-1, 1]"),
    "psnr": Own("error", "higher", "peak signal-to-noise ratio of reconstructed pictures, in dB"),
    "label-accuracy": Own("label-accuracy", "higher", "share of samples that a judge calls what was asked for"),
    "diversity-within": Own("label-accuracy", "near 1", "diversity among samples of one class, over that of real ones"),
    "label-kept": Own("pairs", "higher", "share of translations read as the digit they were made of"),
    "label-kept-back": Own("pairs", "higher", "the same of translations back"),
    "label-kept-truth": Own("pairs", "", "the same of true translations: the judge's own ceiling"),
    "pair-l1": Own("pairs", "lower", "mean distance of a pixel to the hidden true translation, a pixel's range counted as 1"),
    "identity-l1": Own("pairs", "", "the same of the untranslated picture"),
    "blank-l1": Own("pairs", "", "the same of an empty page"),
    "cycle-l1": Own("pairs", "lower", "mean distance of a pixel after there and back"),
    "correlation": Own("pairs", "higher", "of the pixels with the true translation's; below 0 the colours are inverted"),
    "asymmetry": Own("asymmetry", "", "|u'Jw - w'Ju| over |u'Jw| + |w'Ju|, J the Jacobian of all players' gradients: 0 for one "
                     "loss, 1 for a pure rotation"),
    "nll-oracle": Own("oracle", "lower", "-ln p under the oracle, of the samples, nats per token; below its entropy: collapse"),
    "nll-test": Own("oracle", "lower", "-ln p under the generator, of unseen sequences, in nats per token"),
    "kl-oracle": Own("oracle", "lower", "KL(generator || oracle), in nats per token"),
    "nll-cool": Own("oracle", "", "nll-oracle of samples at temperature 0.8: how far it falls without any learning"),
    "distinct": Own("oracle", "higher", "share of different sequences among the samples"),
    "entropy": Own("oracle", "", "of the oracle, in nats per token: what both nlls of a perfect generator are"),
    "collapsed": Own("oracle", "lower", "1 if nll-oracle is below the entropy"),
}

# What the data must be; why not, when it is not.
NEEDS = {
    "samples": (lambda shape, dataset: _numbers(dataset), "tokens are names, so their differences say nothing"),
    "points": (lambda shape, dataset: len(shape) == 1 and _numbers(dataset),
               "it compares points, as ring8 or swiss-roll has them"),
    "a mixture": (lambda shape, dataset: getattr(dataset, "centres", None) is not None,
                  "it counts the modes of a mixture with known centres, ring8 or grid25"),
    "digits": (lambda shape, dataset: shape == (1, 28, 28) and getattr(dataset, "name", DIGITS[0]) in DIGITS,
               f"its classifier knows the digits of {' and '.join(DIGITS)} only; for other pictures pass features of your own "
               "to the functions of minigan.metrics"),
    "a training set": (lambda shape, dataset: not isinstance(dataset, PointDataset) and _numbers(dataset),
                       "it looks for copies of training pictures; fresh points have none, and tokens no distances"),
}


def resolve(name: str, sample_shape: tuple = ()) -> str:
    """The name in METRICS: itself, or with -digits, or with -points where the samples are points.

    ConfigError with the nearest names if there is none.
    """
    for full in (name, f"{name}-points" if len(sample_shape) == 1 else name, f"{name}-digits"):
        if full in METRICS:
            return full
    raise ConfigError(f"there is no metric {name!r}{suggestion(name, METRICS)}")


def find(name: str, sample_shape: tuple = ()) -> tuple[str, str]:
    """(metric, number) of a metric's name (its first number is meant) or of a number's: "pr" or "recall-digits".

    ConfigError with the nearest names if there is none.
    """
    for metric, row in METRICS.items():
        if name in row.numbers:
            return metric, name
    try:
        metric = resolve(name, sample_shape)
    except ConfigError:
        known = [*METRICS, *(number for row in METRICS.values() for number in row.numbers)]
        raise ConfigError(f"there is no metric {name!r}{suggestion(name, dict.fromkeys(known))}") from None
    return metric, next(iter(METRICS[metric].numbers))


def merit(number: str, value: float) -> float:
    """value turned so that more is better, as the tables say for this number; -inf for NaN.

    ConfigError for a number of which neither more nor less is better."""
    known = {name: better for row in METRICS.values() for name, better in row.numbers.items()}
    better = known.get(number) or OF_SYSTEMS[number].better
    if not better:
        raise ConfigError(f"{number}: neither more nor less of it is better; choose another metric")
    if math.isnan(value):
        return -math.inf
    return {"higher": value, "lower": -value, "near 1": -abs(value - 1)}[better]


def default_metrics(sample_shape, dataset) -> list[str]:
    """The metrics that say most about such samples: modes, or else energy and pr-points; those with -digits for digits; for
    other pictures the ones on raw values; none for sequences of tokens."""
    for names in (["modes"], ["energy", "pr-points"], ["is-digits", "fid-digits", "kid-digits", "pr-digits", "digits"],
                  ["c2st", "diversity", "duplicates"]):
        if all(_fits(METRICS[name], sample_shape, dataset) for name in names):
            return names
    return []


def samples_needed(names, sample_shape: tuple = ()) -> int:
    """The fewest samples with which all these metrics can be had."""
    return max((METRICS[resolve(name, sample_shape)].least for name in names), default=0)


def evaluate(names, samples, dataset, rng: int | np.random.Generator = 0) -> dict[str, float]:
    """Each number of each metric named.   samples (N, *sample_shape), pictures in [-1, 1].

    dataset: what they should be like: an ImageDataset, a PointDataset, or an array of real samples (M, *sample_shape).
    rng: a Generator or a seed, for fresh points and random subsets.
    ConfigError, before anything is computed, for a metric that is unknown, does not fit the data, or needs more samples;
    NotFiniteError for samples with NaN.
    """
    samples = np.asarray(samples)
    shape = samples.shape[1:]
    expected = tuple(dataset.sample_shape if hasattr(dataset, "sample_shape") else np.shape(dataset)[1:])
    if shape != expected:
        raise ConfigError(f"evaluate: the samples have shape {shape}, the real ones {expected}; they must be the same")
    if not np.isfinite(samples).all():
        raise NotFiniteError("evaluate: samples contain NaN or infinity: the generator has diverged")
    chosen = [resolve(name, shape) for name in names]
    for name in chosen:
        metric = METRICS[name]
        if not _fits(metric, shape, dataset):
            raise ConfigError(f"{name} does not fit {getattr(dataset, 'name', 'this data')}, samples of shape {shape}: "
                              f"{NEEDS[metric.needs][1]}")
        if len(samples) < metric.least:
            raise ConfigError(f"{name} needs at least {metric.least:,} samples, got {len(samples):,}")
    evidence, results = Evidence(samples, dataset, rng), {}
    for name in chosen:
        values = METRICS[name].measure(evidence)
        results |= {number: float(value) for number, value in zip(METRICS[name].numbers, values, strict=True)}
    return results


def _fits(metric, shape, dataset) -> bool:
    return NEEDS[metric.needs][0](tuple(shape), dataset)
