"""Likelihoods in nats, from arrays of log weights  ln w = ln p(x, z) - ln q(z|x),  z ~ q(z|x).

elbo                the mean of ln w                    iwae_bound      the mean of ln (mean of k weights), a tighter bound
gaussian_kl         KL(N(mean, exp(log_var)) || N(0, I))                bits_per_dimension      the same in bits
"""

import math

import numpy as np

from minigan.data.base import whole
from minigan.errors import ShapeError
from minigan.metrics.checks import matrix


def elbo(log_weights) -> float:
    """E ln w <= E ln p(x), in nats per sample.   log_weights (N, k): k draws of z for each of N samples."""
    return float(matrix(log_weights, "elbo").mean())


def iwae_bound(log_weights) -> float:
    """E ln( (1/k) sum_j w_j ) in nats per sample.   log_weights (N, k).

    It is the ELBO for k = 1, grows with k on average, and approaches E ln p(x) for k -> infinity.  So always report k with the
    value.   Burda et al. 2016, equation 8.
    """
    w = matrix(log_weights, "iwae_bound")
    return float((np.logaddexp.reduce(w, axis=1) - math.log(w.shape[1])).mean())


def gaussian_kl(mean, log_var) -> np.ndarray:
    """KL(N(mean, diag exp(log_var)) || N(0, I)) = 1/2 sum( mean^2 + exp(log_var) - 1 - log_var ),  (N, d) twice -> (N,) nats.

    Kingma & Welling 2014, appendix B.

    >>> gaussian_kl(np.zeros((1, 3)), np.zeros((1, 3)))
    array([0.])
    """
    mean, log_var = matrix(mean, "gaussian_kl: mean"), matrix(log_var, "gaussian_kl: log_var")
    if mean.shape != log_var.shape:
        raise ShapeError(f"gaussian_kl: mean {mean.shape} and log_var {log_var.shape} must have the same shape")
    with np.errstate(over="ignore"):  # exp(710) is infinite in float64, and so is the divergence
        return 0.5 * (mean**2 + np.expm1(log_var) - log_var).sum(axis=1)


def bits_per_dimension(nats: float, dimensions: int) -> float:
    """-nats / (dimensions ln 2).   nats: a log-likelihood per sample.

    For a probability it is a code length, so it is at least 0.   For a density it depends on the units of x: scaling x from
    0..255 to [-1, 1] subtracts log2(127.5).
    """
    whole("dimensions", dimensions, "bits_per_dimension")
    return -nats / (dimensions * math.log(2))
