"""Frechet distance: how far apart are two sets of features, if each is described by a Gaussian?

frechet_distance        from features          gaussian_distance       from means and covariances
FRECHET     the metrics fid-digits, fid-classes, fid-features
"""

import numpy as np

from minigan.errors import ShapeError
from minigan.metrics.checks import numbers, pair
from minigan.metrics.judges import JUDGES
from minigan.metrics.metric import Judge, Metric, Number


def frechet_distance(a, b) -> float:
    """|mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) of features a (N, d), b (M, d); 0 for equal means and covariances.

    The estimate is too large by about (2 d + d (d + 1) / 2) / N for two sets of N samples of one N(0, I).  So compare only
    values with the same N and features.   With Inception features it is the published FID (Heusel et al. 2017, equation 6).
    ShapeError for fewer than 2 d rows: near N = d the covariance is singular, and the distance depends more on N than on the
    samples.

    >>> x = np.random.default_rng(0).normal(size=(1000, 2))
    >>> round(frechet_distance(x, x + [3.0, 0.0]), 6)
    9.0
    """
    a, b = pair(a, b, "frechet_distance", least=2)
    d = a.shape[1]
    if min(len(a), len(b)) < 2 * d:
        raise ShapeError(
            f"frechet_distance: {d} features need at least {2 * d} samples on both sides, got {len(a)} and "
            f"{len(b)}; pass more samples, since with fewer the covariance is (almost) singular"
        )
    return gaussian_distance(a.mean(axis=0), np.cov(a, rowvar=False), b.mean(axis=0), np.cov(b, rowvar=False))


def gaussian_distance(mean_a, cov_a, mean_b, cov_b) -> float:
    """The same for N(mean_a, cov_a) and N(mean_b, cov_b): the squared 2-Wasserstein distance.   means (d,), covariances (d, d).

    tr (S_a S_b)^(1/2) is the sum of the square roots of the eigenvalues of R^T S_b R, where S_a = R R^T.  This matrix is
    symmetric, so its eigenvalues are real, and rounding makes them at most a little negative.  A general matrix square root
    can have complex entries.

    >>> gaussian_distance([0.0], [[1.0]], [3.0], [[4.0]])  # 3^2 + (2 - 1)^2
    10.0
    """
    mean_a, mean_b = (numbers(np.atleast_1d(x), "gaussian_distance") for x in (mean_a, mean_b))
    cov_a, cov_b = (numbers(np.atleast_2d(x), "gaussian_distance") for x in (cov_a, cov_b))
    d = mean_a.size
    if not (mean_a.shape == mean_b.shape == (d,) and cov_a.shape == cov_b.shape == (d, d) and d):
        raise ShapeError(
            f"gaussian_distance: means are (d,) and covariances (d, d), got {mean_a.shape}, {cov_a.shape}, {mean_b.shape} and "
            f"{cov_b.shape}"
        )
    values, vectors = np.linalg.eigh(cov_a)
    root = vectors * np.sqrt(np.maximum(values, 0))
    product = np.maximum(np.linalg.eigvalsh(root.T @ cov_b @ root), 0)
    shift = np.asarray(mean_a, np.float64) - mean_b
    return max(0.0, float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(product).sum()))


def frechet(judge: Judge) -> Metric:
    """The metric fid-NAME of a judge."""
    name = f"fid-{judge.name}"
    says = f"Frechet distance of {judge.whose} to those of at most 10,000 real ones; falls with more samples"
    measure = lambda seen: {name: frechet_distance(*judge.both(seen))}
    return judge.metric(name, [Number(name, "lower", says)], measure, least=2000)


FRECHET = [frechet(judge) for judge in JUDGES]
