"""Distances between all rows of two arrays, computed in blocks, and measures built on them.

nearest             the k nearest rows of b for every row of a        mean_distance     the mean over all pairs of rows
energy_distance     do two samples come from one density?             diversity         are the samples too similar?
ENERGY, DIVERSITY   the metrics
Everything that compares samples pair by pair (neighbours.py, two_sample.py) uses `blocks`: 10,000 x 10,000 distances take 64 MB
at a time, not 800.   Elsewhere: what a function accepts (checks.py).
"""

import numpy as np

from minigan.data.base import whole
from minigan.errors import ShapeError
from minigan.metrics.checks import pair
from minigan.metrics.metric import POINTS, SAMPLES, Metric, Number

BLOCK = 4_000_000  # so many distances, and as many numbers beside them, are in memory at a time: 64 MB
SAME = 1e-13  # distances are the difference of two sums; below this share of the sums, a difference is only rounding


def blocks(a: np.ndarray, b: np.ndarray):
    """Yield (rows, squared distances (len(rows), len(b))) for consecutive rows of a.   a (N, d), b (M, d) float64.

    Equal rows have the distance 0 exactly."""
    middle = b.mean(axis=0)  # centred, because |a|^2 + |b|^2 - 2 ab loses fewer digits near 0
    a, b = a - middle, b - middle
    squares, height = (b * b).sum(axis=1), max(1, BLOCK // len(b))
    for start in range(0, len(a), height):
        part = a[start : start + height]
        sums = (part * part).sum(axis=1)[:, None] + squares
        distances = (-2 * part) @ b.T
        distances += sums
        sums *= SAME
        distances[distances < sums] = 0
        yield np.arange(start, start + len(part)), distances


def nearest(a, b, k: int = 1, skip_self: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Distances (N, k), ascending, and indices (N, k) of the k nearest rows of b.   a (N, d), b (M, d).

    skip_self: a and b have the same rows, and a row is no neighbour of itself.   ShapeError if b has too few rows.
    """
    whole("k", k, "nearest")
    a, b = pair(a, b, "nearest")
    if len(b) < k + skip_self:
        raise ShapeError(f"nearest: {k} neighbours of each need at least {k + skip_self} samples, got {len(b)}")
    distances, indices = np.empty((len(a), k)), np.empty((len(a), k), np.int64)
    for rows, squared in blocks(a, b):
        if skip_self:
            squared[np.arange(len(rows)), rows] = np.inf
        found = np.argpartition(squared, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(squared, found, axis=1)
        order = values.argsort(axis=1)
        distances[rows] = np.sqrt(np.take_along_axis(values, order, axis=1))
        indices[rows] = np.take_along_axis(found, order, axis=1)
    return distances, indices


def mean_distance(a, b=None) -> float:
    """The mean Euclidean distance between a row of a and a row of b; without b, between two different rows of a."""
    alone = b is None
    a, b = pair(a, a if alone else b, "mean_distance", least=1 + alone)
    total = 0.0
    for rows, squared in blocks(a, b):
        if alone:
            squared[np.arange(len(rows)), rows] = 0
        total += np.sqrt(squared).sum()
    return float(total / (len(a) * (len(b) - alone)))


def energy_distance(a, b) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'|, where x, x' are from a and y, y' from b.   It is 0 on average if both come from one
    density, and has the units of x.

    a (N, d), b (M, d).   No sample is paired with itself, so the estimate is unbiased and may be a little below 0.   In one
    dimension it is twice the area under (F - G)^2.   Szekely & Rizzo 2013, section 1.

    >>> energy_distance([[0.0], [0.0]], [[1.0], [1.0]])
    2.0
    """
    a, b = pair(a, b, "energy_distance", least=2)
    return 2 * mean_distance(a, b) - mean_distance(a) - mean_distance(b)


def diversity(samples, reference) -> float:
    """The mean distance between two samples, divided by that between two real ones.   It is about 1 for a good generator, and
    0 if all samples are the same.

    samples (N, ...), reference (M, ...).   It detects a collapse to one point, but not always a collapse to a few points that
    are far apart (modes.py detects that).
    """
    samples, reference = pair(samples, reference, "diversity", least=2)
    real = mean_distance(reference)
    if real == 0:
        raise ShapeError(f"diversity: the {len(reference)} real samples are all the same; pass different ones")
    return mean_distance(samples) / real


ENERGY = Metric(
    "energy",
    [Number("energy", "lower", "energy distance to fresh real points; 0 is perfect, noise can make it negative", "units of x")],
    lambda seen: {"energy": energy_distance(seen.samples, seen.real)},
    POINTS,
    least=500,
)
DIVERSITY = Metric(
    "diversity",
    [
        Number(
            "diversity",
            "near 1",
            "mean distance between two samples over that of two real ones, among the first 1,000: 1 is "
            "good, 0 means all the same",
        )
    ],
    lambda seen: {"diversity": diversity(seen.samples[:1000], seen.real[:1000])},
    SAMPLES,
    least=100,
)
