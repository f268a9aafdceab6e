"""Bounds on likelihoods whose true values are known, and the KL of Gaussians against Monte Carlo."""

import math

import numpy as np
import pytest

from minigan.errors import ShapeError
from minigan.metrics import bits_per_dimension, elbo, gaussian_kl, iwae_bound


def log_normal(x, mean, var):
    return -0.5 * (math.log(2 * math.pi * var) + (x - mean) ** 2 / var)


def log_weights(q_mean, q_var, k, N=4000):
    """z ~ N(0, 1), x = 1 | z ~ N(z, 1): p(x) = N(x; 0, 2), posterior N(x / 2, 1 / 2)."""
    z = q_mean + math.sqrt(q_var) * np.random.default_rng(0).standard_normal((N, k))
    return log_normal(z, 0, 1) + log_normal(1.0, z, 1) - log_normal(z, q_mean, q_var)


TRUE = log_normal(1.0, 0, 2)


def test_both_bounds_are_exact_with_the_true_posterior():
    w = log_weights(0.5, 0.5, k=3)
    assert elbo(w) == pytest.approx(TRUE) and iwae_bound(w) == pytest.approx(TRUE)


def test_the_elbo_misses_the_truth_by_the_kl_and_more_weights_close_the_gap():
    gap = 0.5 * (1 / 0.5 + 0.25 / 0.5 - 1 + math.log(0.5))  # KL(N(0, 1) || N(1/2, 1/2))
    w = log_weights(0.0, 1.0, k=100)
    assert elbo(w) == pytest.approx(TRUE - gap, abs=0.02)
    bounds = [iwae_bound(w[:, :k]) for k in (1, 5, 100)]
    assert bounds == sorted(bounds) and bounds[0] == pytest.approx(elbo(w[:, :1]))
    assert bounds[-1] == pytest.approx(TRUE, abs=0.01)


def test_the_mean_of_weights_is_taken_per_sample_and_without_overflow():
    assert iwae_bound([[-1000 + math.log(1), -1000 + math.log(3)]]) == pytest.approx(-1000 + math.log(2))
    assert iwae_bound([[math.log(4)] * 2, [math.log(16)] * 2]) == pytest.approx(math.log(8))


def test_gaussian_kl_is_0_for_the_normal_and_known_by_hand():
    np.testing.assert_allclose(gaussian_kl(np.zeros((2, 3)), np.zeros((2, 3))), [0, 0])
    np.testing.assert_allclose(gaussian_kl([[2.0]], [[math.log(4)]]), [0.5 * (4 + 4 - 1 - math.log(4))])


def test_gaussian_kl_agrees_with_monte_carlo(rng):
    mean, log_var = np.array([[0.5, -1, 0.2]]), np.array([[0.3, -0.7, 0.0]])
    z = mean + np.exp(log_var / 2) * rng.standard_normal((200_000, 3))
    q = -0.5 * (log_var + (z - mean) ** 2 / np.exp(log_var))
    np.testing.assert_allclose((q + 0.5 * z**2).sum(axis=1).mean(), gaussian_kl(mean, log_var)[0], rtol=0.01)


def test_a_fair_coin_per_pixel_costs_one_bit():
    assert bits_per_dimension(784 * math.log(0.5), 784) == pytest.approx(1)


def test_refusals():
    with pytest.raises(ShapeError, match=r"mean \(2, 3\) and log_var \(2, 1\) must have the same shape"):
        gaussian_kl(np.zeros((2, 3)), np.zeros((2, 1)))
    with pytest.raises(ShapeError, match=r"iwae_bound: needs one row per sample, \(N, d\), got \(5,\)"):
        iwae_bound(np.zeros(5))
