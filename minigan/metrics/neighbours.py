"""Nearest neighbours measure quality and variety separately, and find out whether a generator only repeats samples.

precision_recall    share of samples among the real ones, and share of real ones among the samples
density_coverage    the same two questions, less sensitive to outliers
memorisation        do samples repeat the training data?      duplicates      do they repeat each other?
support_size        how many different samples are there?     (the birthday paradox)
INSIDE (pr-digits, pr-classes, pr-features), PR_POINTS, DUPLICATES, MEMORISATION      the metrics
Distances are Euclidean.  Use features in which similar pictures are near each other, or pixels to find copies.
"""

import math

import numpy as np

from minigan.data.base import whole
from minigan.errors import ShapeError
from minigan.metrics.checks import matrix, numbers, pair, share
from minigan.metrics.distances import BLOCK, blocks, nearest
from minigan.metrics.judges import JUDGES
from minigan.metrics.metric import POINTS, SAMPLES, TRAINING_SET, Judge, Metric, Number, Rows


def precision_recall(real, fake, k: int = 3) -> tuple[float, float]:
    """precision: share of fake inside the real set; recall: share of real inside the fake set.

    A set is the union of balls around its members; the radius of a ball is the distance to the k-th nearest neighbour in the
    set.   real (N, d), fake (M, d).   Low precision means bad samples; low recall means that some kinds of samples are missing.
    Even for two samples of one density both are below 1, and they depend on N and k: compare only values with the same N and k.
    Kynkaanniemi et al. 2019, equations 1 and 2.

    >>> x = np.random.default_rng(0).normal(size=(300, 2))
    >>> precision_recall(x, x)
    (1.0, 1.0)
    """
    whole("k", k, "precision_recall")
    real, fake = pair(real, fake, "precision_recall", least=k + 1)
    return _inside(fake, real, k), _inside(real, fake, k)


def _inside(points, members, k) -> float:
    radii = nearest(members, members, k, skip_self=True)[0][:, -1] ** 2
    return sum(int((squared <= radii).any(axis=1).sum()) for _, squared in blocks(points, members)) / len(points)


def density_coverage(real, fake, k: int = 5) -> tuple[float, float]:
    """density: the mean number of real samples' balls that a fake sample lies in, divided by k; coverage: the share of real
    balls that contain a fake sample.

    real (N, d), fake (M, d); the radius of a ball is the distance to the k-th nearest neighbour.   For equal densities both are
    near 1 (density may be above 1; coverage has the mean 1 - 2^-k for large N = M).   Naeem et al. 2020, equations 3 and 4.
    """
    whole("k", k, "density_coverage")
    real, fake = pair(real, fake, "density_coverage", least=k + 1)
    radii = nearest(real, real, k, skip_self=True)[0][:, -1] ** 2
    count, covered = 0, np.zeros(len(real), bool)
    for _, squared in blocks(fake, real):
        count += int(np.count_nonzero(squared <= radii))
        covered |= (squared <= radii).any(axis=0)
    return count / (k * len(fake)), float(covered.mean())


def memorisation(samples, training, real=None, quantile: float = 0.05, rng: int | np.random.Generator = 0) -> float:
    """The share of samples that are nearer to the training data than nearly all real samples are.   It is near `quantile` if
    the generator does not copy, and 1 if it only copies.

    samples (N, d), training (M, d): an array, or the `Rows` of a data set, which are read in parts.   "Nearer" means: below the
    `quantile` of the distances from fresh real samples, `real`, to their nearest training sample; without `real`, from at most
    1,000 training samples to their nearest other one.
    In pixels, blurred samples are near to everything.  So a low value excludes copying, but a high value does not prove it:
    look at the pairs.
    """
    share(quantile, "memorisation", "quantile")
    samples = numbers(samples, "memorisation")
    training = training if isinstance(training, Rows) else numbers(training, "memorisation")
    if len(training) < (2 if real is None else 1):
        raise ShapeError(f"memorisation: needs more than {len(training)} training sample(s), to know how far apart they are")
    if real is None:
        rows = np.random.default_rng(rng).permutation(len(training))[:1000]
        # k = 2, because the nearest training row is the row itself.
        usual = _kth(training[rows], training, 2)
    else:
        usual = _kth(real, training, 1)
    return float((_kth(samples, training, 1) <= np.quantile(usual, quantile)).mean())


def _kth(points, members, k):
    """Distance (N,) to the k-th nearest member.  Members are taken in parts: all of MNIST as float64 would take 376 MB."""
    height = max(1, BLOCK // max(1, math.prod(np.shape(points)[1:])))
    found = np.zeros((len(points), 0))
    for start in range(0, len(members), height):
        part = members[start : start + height]
        near = nearest(points, part, min(k, len(part)))[0]
        found = np.sort(np.concatenate([found, near], axis=1), axis=1)[:, :k]
    return found[:, k - 1]


def duplicates(samples, real, quantile: float = 0.05) -> float:
    """The share of samples that are nearer to another sample than nearly all real ones are to another real one.   It is near
    `quantile` if the samples are as varied as the real ones, and 1 if they are repeated.

    samples (N, d), real (M, d).   The same number of both is used, because in a larger set neighbours are nearer.
    """
    share(quantile, "duplicates", "quantile")
    samples, real = numbers(samples, "duplicates"), numbers(real, "duplicates")
    N = min(len(samples), len(real))
    if N < 2:
        raise ShapeError(
            f"duplicates: needs at least 2 samples on both sides, got {len(real)} real ones and {len(samples)} generated ones"
        )
    samples, real = pair(samples[:N], real[:N], "duplicates", least=2)
    own, usual = (nearest(x, x, skip_self=True)[0][:, 0] for x in (samples, real))
    return float((own <= np.quantile(usual, quantile)).mean())


def support_size(samples, threshold: float) -> float:
    """1 / P(two samples are within `threshold` of each other): the number of different samples that a generator can make, if
    all are equally likely.

    samples (N, d).   By the birthday paradox, N samples can measure numbers up to about N^2; the result is infinity if no pair
    is close.   If some are more likely than others it is a lower bound.   After Arora & Zhang 2017, section 2, who compare the
    pairs by eye.
    """
    samples = matrix(samples, "support_size", least=2)
    if not 0 < threshold < math.inf:
        raise ShapeError(f"support_size: the threshold must be positive, since distances are rounded, got {threshold}")
    N, close = len(samples), 0
    for rows, squared in blocks(samples, samples):
        squared[np.arange(len(rows)), rows] = np.inf
        close += int(np.count_nonzero(squared <= threshold**2))
    return N * (N - 1) / close if close else math.inf


def inside(judge: Judge) -> Metric:
    """The metric pr-NAME of a judge."""
    names = [f"{word}-{judge.name}" for word in ("precision", "recall")]

    def measure(seen):
        fake, real = judge.both(seen)
        return dict(zip(names, precision_recall(real[: len(fake)], fake[: len(real)])))

    return judge.metric(
        f"pr-{judge.name}",
        [
            Number(names[0], "higher", f"share of the samples that lie among the real ones in {judge.whose} (3 neighbours)"),
            Number(names[1], "higher", f"share of the real ones that lie among the samples in {judge.whose} (3 neighbours)"),
        ],
        measure,
        least=1000,
        summary=f"precision and recall in {judge.whose}, compared with as many real ones",
    )


INSIDE = [inside(judge) for judge in JUDGES]
PR_POINTS = Metric(
    "pr-points",
    [
        Number("precision-points", "higher", "share of the samples that lie among as many real points (3 neighbours)"),
        Number("recall-points", "higher", "share of the real points that lie among the samples (3 neighbours)"),
    ],
    lambda seen: dict(zip(("precision-points", "recall-points"), precision_recall(seen.real, seen.samples))),
    POINTS,
    least=500,
    main="precision-points",
    summary="precision and recall among as many fresh real points",
)
DUPLICATES = Metric(
    "duplicates",
    [
        Number(
            "duplicates",
            "lower",
            "share of samples nearer to another sample than all but 5 % of real ones are: 0.05 is good, 1 means all repeated",
        )
    ],
    lambda seen: {"duplicates": duplicates(seen.samples, seen.real)},
    SAMPLES,
    least=500,
)
MEMORISATION = Metric(
    "memorisation",
    [
        Number(
            "memorisation",
            "lower",
            "share of the first 1,000 samples nearer to the training data, in pixels, than all but 5 "
            "% of its own: 0.05 is good, 1 means copies",
        )
    ],
    lambda seen: {"memorisation": memorisation(seen.samples[:1000], Rows(seen.dataset), rng=seen.rng)},
    TRAINING_SET,
    least=100,
)
