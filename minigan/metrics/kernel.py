"""Kernel distance (KID): it compares features as the Frechet distance does, but is unbiased.

kernel_distance     the mean over random subsets    polynomial_mmd      over all pairs of two samples
KERNEL      the metrics kid-digits, kid-classes, kid-features
"""

import numpy as np

from minigan.data.base import whole
from minigan.metrics.checks import pair
from minigan.metrics.judges import JUDGES
from minigan.metrics.metric import Judge, Metric, Number


def polynomial_mmd(a, b) -> float:
    """The squared maximum mean discrepancy E k(x, x') + E k(y, y') - 2 E k(x, y), unbiased;   k(x, y) = (x . y / d + 1)^3.

    a (N, d), b (M, d), at least 2 rows each.   No sample is paired with itself, so for one density the mean is 0 for every N,
    and single values may be negative.   The cubic kernel compares the first three moments.

    >>> x = np.random.default_rng(0).normal(size=(200, 4))
    >>> polynomial_mmd(x, x[::-1]) < 0.01 < polynomial_mmd(x, x + 1)
    True
    """
    a, b = pair(a, b, "polynomial_mmd", least=2)

    def kernel(x, y):
        k = x @ y.T / a.shape[1] + 1
        return k * k * k  # k**3 takes eight times as long in NumPy

    def within(x):
        k = kernel(x, x)
        return (k.sum() - np.trace(k)) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())


def kernel_distance(
    a, b, subsets: int = 20, subset_size: int = 1000, rng: int | np.random.Generator = 0
) -> tuple[float, float]:
    """(mean, std) of polynomial_mmd over random subsets of subset_size rows, or of the smaller number of rows if that is less.

    a (N, d), b (M, d).   Its expectation does not depend on N.   Published values use 100 subsets of 1000 Inception
    features, and are often multiplied by 1000.   rng: a Generator or a seed.   Binkowski et al. 2018, section 4.
    """
    whole("subsets", subsets, "kernel_distance")
    whole("subset_size", subset_size, "kernel_distance", least=2)
    a, b = pair(a, b, "kernel_distance", least=2)
    rng = np.random.default_rng(rng)
    size = min(subset_size, len(a), len(b))
    values = [polynomial_mmd(*(rng.choice(x, size, replace=False) for x in (a, b))) for _ in range(subsets)]
    return float(np.mean(values)), float(np.std(values))


def kernel(judge: Judge) -> Metric:
    """The metric kid-NAME of a judge."""
    name = f"kid-{judge.name}"
    says = (
        f"unbiased kernel distance of {judge.whose} (20 subsets of 1,000) to those of at most 10,000 real ones; 0 is perfect, "
        "noise can make it negative"
    )
    measure = lambda seen: {name: kernel_distance(*judge.both(seen), rng=seen.rng)[0]}
    return judge.metric(name, [Number(name, "lower", says)], measure, least=1000)


KERNEL = [kernel(judge) for judge in JUDGES]
