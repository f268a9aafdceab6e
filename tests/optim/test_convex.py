"""Exact coordinate descent against closed forms and independent solvers: 200 samples, 20 coordinates, as in the notes."""

import numpy as np
import pytest

from minigan.errors import ConfigError, ShapeError
from minigan.optim import convex


@pytest.fixture
def problem(rng):
    X = rng.standard_normal((200, 20))
    w = np.where(np.arange(20) < 5, rng.standard_normal(20), 0)
    return X, X @ w + 0.5 * rng.standard_normal(200)


@pytest.fixture
def labelled(problem):
    X, y = problem
    return X, np.where(y > 0, 1.0, -1.0)


def falls(objectives):
    return (np.diff(objectives) <= 1e-12 * np.abs(objectives).max()).all() and objectives[-1] < objectives[0]


def soft(z, t):
    return np.sign(z) * np.maximum(np.abs(z) - t, 0)


def test_lasso_reaches_the_kkt_conditions_in_20_sweeps_and_never_rises(problem):
    X, y = problem
    solution = convex.lasso(X, y, 0.1, tolerance=1e-6, sweeps=20)
    assert np.abs(convex.lasso_kkt_residual(X, y, 0.1, solution.x)).max() < 1e-6
    assert falls(solution.objectives) and len(solution.objectives) == len(solution.residuals) <= 21


def test_lasso_equals_proximal_gradient(problem):
    X, y = problem
    w, step = np.zeros(20), len(y) / np.linalg.norm(X, 2) ** 2
    for _ in range(3000):
        w = soft(w + step * X.T @ (y - X @ w) / len(y), step * 0.1)
    np.testing.assert_allclose(convex.lasso(X, y, 0.1).x, w, atol=1e-7)
    assert (w == 0).sum() > 5  # the penalty does something


def test_lasso_of_an_orthogonal_design_is_the_soft_threshold_of_least_squares_in_one_sweep(rng):
    Q = np.linalg.qr(rng.standard_normal((50, 6)))[0] * np.sqrt(50)  # X'X / n = 1
    y = rng.standard_normal(50)
    solution = convex.lasso(Q, y, 0.1, sweeps=1)
    np.testing.assert_allclose(solution.x, soft(Q.T @ y / 50, 0.1), atol=1e-12)
    assert (solution.x == 0).any() and (solution.x != 0).any()


def test_lasso_above_the_largest_correlation_is_zero_and_just_below_is_not(problem):
    X, y = problem
    largest = np.abs(X.T @ y).max() / len(y)
    assert not convex.lasso(X, y, largest * 1.0001).x.any()
    assert np.count_nonzero(convex.lasso(X, y, largest * 0.999).x) == 1


def test_lasso_without_a_penalty_is_least_squares_and_leaves_empty_columns_at_zero(problem):
    X, y = problem
    X = np.hstack([X, np.zeros((200, 1))])
    w = convex.lasso(X, y, 0.0).x
    np.testing.assert_allclose(w[:20], np.linalg.lstsq(X[:, :20], y, rcond=None)[0], atol=1e-7)
    assert w[20] == 0


def test_logistic_regression_reaches_the_kkt_conditions_in_30_sweeps_and_never_rises(labelled):
    solution = convex.logistic_regression(*labelled, 0.01, tolerance=1e-6, sweeps=30)
    assert np.abs(convex.logistic_kkt_residual(*labelled, 0.01, solution.x)).max() < 1e-6
    assert falls(solution.objectives)


def test_logistic_regression_equals_gradient_descent(labelled):
    X, y = labelled
    w = np.zeros(20)
    for _ in range(6000):
        w -= 2 * (-(X * y[:, None]).T @ (1 / (1 + np.exp(y * (X @ w)))) / 200 + 0.01 * w)
    np.testing.assert_allclose(convex.logistic_regression(X, y, 0.01).x, w, atol=1e-7)


def test_logistic_regression_does_not_rise_where_bare_newton_steps_would():
    # After one sweep the third margin is flat; the whole Newton step there takes the objective from 0.355 to 0.661.
    X, y = np.array([[6.0, -16], [1, 0], [1, 1]]), np.ones(3)
    solution = convex.logistic_regression(X, y, 1e-3)
    assert solution.objectives[1] == pytest.approx(0.3553438162109015)  # the first sweep is Newton's own
    assert falls(solution.objectives) and solution.residuals[-1] <= 1e-8


def test_svm_dual_reaches_the_kkt_conditions_and_never_rises(labelled):
    solution = convex.svm_dual(*labelled, 0.1, tolerance=1e-6, sweeps=500)
    assert np.abs(convex.svm_kkt_residual(*labelled, 0.1, solution.x)).max() < 1e-6
    assert falls(solution.objectives)
    assert solution.x.min() == 0 and solution.x.max() == 0.1 and ((solution.x > 0) & (solution.x < 0.1)).any()


def test_svm_dual_equals_projected_gradient_and_has_no_duality_gap(labelled):
    X, y = labelled
    Z = X * y[:, None]
    alpha, step = np.zeros(200), 1 / np.linalg.norm(Z, 2) ** 2
    for _ in range(20000):
        alpha = np.clip(alpha - step * (Z @ (Z.T @ alpha) - 1), 0, 0.1)
    solution = convex.svm_dual(X, y, 0.1)
    w = Z.T @ solution.x  # alpha itself is unique only where the samples are independent
    np.testing.assert_allclose(w, Z.T @ alpha, atol=1e-6)
    primal = w @ w / 2 + 0.1 * np.maximum(0, 1 - Z @ w).sum()
    assert primal + solution.objectives[-1] == pytest.approx(0, abs=1e-6)


def test_svm_of_two_points_by_hand():
    # x = 2 with label 1 and x = -2 with label -1: the margin is 1 at w = 1/2, and w = 2 alpha_1 + 2 alpha_2.
    solution = convex.svm_dual([[2.0], [-2.0]], [1, -1], C=10.0)
    assert 2 * solution.x.sum() == pytest.approx(0.5)
    np.testing.assert_allclose(convex.svm_dual([[2.0], [-2.0]], [1, -1], C=0.05).x, 0.05)  # the box is in the way
    np.testing.assert_array_equal(convex.svm_dual([[2.0], [0.0]], [1, -1], C=3.0).x[1], 3.0)  # never further than the box


@pytest.mark.parametrize(
    "residual, solve, option",
    [
        (convex.lasso_kkt_residual, convex.lasso, 0.1),
        (convex.logistic_kkt_residual, convex.logistic_regression, 0.01),
        (convex.svm_kkt_residual, convex.svm_dual, 0.1),
    ],
)
def test_the_residual_notices_a_point_that_is_not_the_minimum(residual, solve, option, labelled):
    x = solve(*labelled, option).x
    for i in (0, 7, 13):
        moved = x.copy()
        moved[i] += -0.01 if moved[i] > 0.05 else 0.01
        assert np.abs(residual(*labelled, option, moved)).max() > 1e-4


def test_what_cannot_be_solved_is_refused(labelled):
    X, y = labelled
    with pytest.raises(ShapeError, match=r"lasso: X must be \(n, d\) and y \(n,\), got \(200, 20\) and \(20,\)"):
        convex.lasso(X, np.ones(20), 0.1)
    with pytest.raises(ConfigError, match="svm_dual: y holds the labels -1 and 1, got .*; from 0 and 1: 2 \\* y - 1"):
        convex.svm_dual(X, (y + 1) / 2, 1.0)
    with pytest.raises(ConfigError, match="logistic_regression: penalty must be a number > 0, got 0"):
        convex.logistic_regression(X, y, 0)
    with pytest.raises(ConfigError, match="lasso: X or y holds NaN"):
        convex.lasso(X * np.nan, y, 0.1)
