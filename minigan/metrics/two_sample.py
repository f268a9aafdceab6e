"""Classifier two-sample test: can a classifier tell generated samples from real ones?

two_sample_test     the held-out accuracy of a nearest-neighbour vote, and its p-value
TWO_SAMPLE  the metric c2st
"""

import math
from dataclasses import dataclass

import numpy as np

from minigan.errors import ShapeError
from minigan.metrics.checks import numbers, pair
from minigan.metrics.distances import nearest
from minigan.metrics.metric import SAMPLES, Metric, Number


@dataclass(frozen=True)
class TwoSample:
    """accuracy: 0.5 if the vote cannot tell them apart, 1 if it always can;   p_value: the probability of this accuracy or a
    higher one if the densities are equal."""

    accuracy: float
    p_value: float


def two_sample_test(real, fake, k: int | None = None, rng: int | np.random.Generator = 0) -> TwoSample:
    """Classify held-out samples as real or fake by the majority of their k nearest teachers.   One half of each set are the
    teachers, the other half are held out.

    real (N, d), fake (M, d); a random part of the larger set is used, of the size of the smaller one.   k: odd; by default the
    odd number at or just above the square root of the number of teachers.   If the densities are equal, the accuracy on n
    held-out samples is Normal(1/2, 1/(4 n)), which gives the one-sided p-value.   With enough samples the vote finds any
    difference of densities, which a linear classifier does not; in many dimensions it needs many samples.   rng: a Generator or
    a seed.   ShapeError for an even k, or for more neighbours than teachers.   Lopez-Paz & Oquab 2017, section 3.
    """
    real, fake = numbers(real, "two_sample_test"), numbers(fake, "two_sample_test")
    rng = np.random.default_rng(rng)
    if min(len(real), len(fake)) < 4:
        raise ShapeError(
            f"two_sample_test: needs at least 4 samples on both sides, got {len(real)} real ones and {len(fake)} generated ones"
        )
    half = min(len(real), len(fake)) // 2
    real, fake = (x[rng.permutation(len(x))[: 2 * half]] for x in (real, fake))
    real, fake = pair(real, fake, "two_sample_test", least=4)
    teachers, held_out = (np.concatenate([real[part], fake[part]]) for part in (slice(half), slice(half, None)))
    is_fake = np.repeat([0, 1], half)
    k = math.isqrt(2 * half) // 2 * 2 + 1 if k is None else k
    if k % 2 == 0 or k > len(teachers):
        raise ShapeError(f"two_sample_test: k must be odd and at most {len(teachers)}, the number of teachers, got {k}")
    votes = is_fake[nearest(held_out, teachers, k)[1]].mean(axis=1)
    accuracy = float(((votes > 0.5) == is_fake).mean())
    return TwoSample(accuracy, 0.5 * math.erfc((accuracy - 0.5) * math.sqrt(2 * len(held_out))))


def _told_apart(seen):
    result = two_sample_test(seen.real, seen.samples, rng=seen.rng)
    return {"c2st": result.accuracy, "c2st-p": result.p_value}


TWO_SAMPLE = Metric(
    "c2st",
    [
        Number(
            "c2st",
            "lower",
            "accuracy of a nearest-neighbour vote, real or generated, on held-out raw values: 0.5 is chance, 1 always right",
        ),
        Number("c2st-p", "higher", "its p-value: the probability of this accuracy or a higher one if the densities are equal"),
    ],
    _told_apart,
    SAMPLES,
    least=500,
    summary="can a vote of nearest neighbours tell samples from real ones?",
)
