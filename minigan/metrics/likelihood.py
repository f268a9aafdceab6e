"""Likelihoods in nats, from arrays of log weights  ln w = ln p(x, z) - ln q(z|x),  z ~ q(z|x).

elbo                mean of ln w                        iwae_bound      mean of ln (mean of k weights): tighter
gaussian_kl         KL(N(mean, exp(log_var)) || N(0, I))                bits_per_dimension      nats in other units
"""

import math

import numpy as np

from minigan.errors import ShapeError
from minigan.metrics.distances import matrix


def elbo(log_weights) -> float:
    """E ln w, at most E ln p(x).   log_weights (N, k), k draws of z for each of N samples; in nats per sample."""
    return float(matrix(log_weights, "elbo").mean())


def iwae_bound(log_weights) -> float:
    """E ln( (1/k) sum_j w_j ), between the ELBO (k = 1) and E ln p(x) (k without end).   log_weights (N, k); nats per sample.

    Grows with k on average: name k beside the value.   Burda et al. 2016, equation 8.
    """
    w = matrix(log_weights, "iwae_bound")
    return float((np.logaddexp.reduce(w, axis=1) - math.log(w.shape[1])).mean())


def gaussian_kl(mean, log_var) -> np.ndarray:
    """KL(N(mean, diag exp(log_var)) || N(0, I)) = 1/2 sum( mean^2 + exp(log_var) - 1 - log_var ),  (N, d) twice -> (N,) nats.

    Kingma & Welling 2014, appendix B.
    """
    if np.shape(mean) != np.shape(log_var):
        raise ShapeError(f"gaussian_kl: mean {np.shape(mean)} and log_var {np.shape(log_var)} must have the same shape")
    mean, log_var = matrix(mean, "gaussian_kl: mean"), matrix(log_var, "gaussian_kl: log_var")
    return 0.5 * (mean**2 + np.expm1(log_var) - log_var).sum(axis=1)


def bits_per_dimension(nats: float, dimensions: int) -> float:
    """-nats / (dimensions ln 2), of a log-likelihood in nats per sample.

    Of a probability this is a code length and at least 0.   Of a density it depends on the units of x: scaling x from
    0..255 to [-1, 1] takes log2(127.5) off each dimension.
    """
    return -nats / (dimensions * math.log(2))
