"""Coordinate descent for convex problems: it is exact if the best value of one coordinate is a formula.

lasso                 soft thresholding                 Friedman, Hastie and Tibshirani 2010, section 2.1
logistic_regression   a Newton step per coordinate      Chang, Hsieh and Lin 2008, algorithm 3
svm_dual              clipping to a box                 Hsieh et al. 2008, algorithm 1

These are functions of NumPy arrays in float64: X (n, d), one sample per row.  Each problem has a function for its KKT residual:
the conditions of Karush, Kuhn and Tucker hold only at the minimum, and the largest absolute residual says how far a point is
from fulfilling them.  A sweep visits every coordinate once, in order.
"""

from typing import NamedTuple

import numpy as np

from minigan.errors import ConfigError, ShapeError


class Solution(NamedTuple):
    """x: the minimiser found.   objectives, residuals: the objective and the largest absolute KKT residual after 0, 1, 2, ...
    sweeps."""

    x: np.ndarray
    objectives: np.ndarray
    residuals: np.ndarray


def _descend(x, sweep, objective, residual, tolerance, sweeps):
    """Sweep until the KKT residual is at most `tolerance`, or `sweeps` times."""
    history = [(objective(), residual())]
    while history[-1][1] > tolerance and len(history) <= sweeps:
        sweep()
        history.append((objective(), residual()))
    return Solution(x, *np.array(history).T)


def _data(name, X, y, labels=False):
    X, y = np.asarray(X, np.float64), np.asarray(y, np.float64)
    if X.ndim != 2 or y.shape != X.shape[:1] or not X.size:
        raise ShapeError(f"{name}: X must be (n, d) and y (n,), got {X.shape} and {y.shape}")
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise ConfigError(f"{name}: X or y holds NaN or infinity")
    if labels and not (np.abs(y) == 1).all():
        raise ConfigError(f"{name}: y holds the labels -1 and 1, got {np.unique(y)[:5]}; from 0 and 1: 2 * y - 1")
    return X, y


def _number(name, option, value, least_allowed):
    if not (np.isfinite(value) and (value >= 0 if least_allowed else value > 0)):
        raise ConfigError(f"{name}: {option} must be a number {'>=' if least_allowed else '>'} 0, got {value}")


# --------------------------------------------------------------------------------------------------------------- lasso ---


def lasso(X, y, penalty, tolerance=1e-8, sweeps=1000) -> Solution:
    """min over w:   ||y - X w||^2 / (2 n) + penalty ||w||_1.   No intercept: centre X and y first.

    If the others are fixed, the best w_j is S(x_j' r / n + a w_j, penalty) / a, where r = y - X w, a = ||x_j||^2 / n and
    S(z, t) = sign(z) max(|z| - t, 0) is the soft threshold.
    """
    X, y = _data("lasso", X, y)
    _number("lasso", "penalty", penalty, True)
    n, d = X.shape
    w, r, squares = np.zeros(d), y.copy(), (X**2).sum(axis=0) / n

    def sweep():
        for j in np.flatnonzero(squares):
            z = X[:, j] @ r / n + squares[j] * w[j]
            new = np.sign(z) * max(abs(z) - penalty, 0.0) / squares[j]
            r[:] += X[:, j] * (w[j] - new)
            w[j] = new

    return _descend(
        w,
        sweep,
        lambda: r @ r / (2 * n) + penalty * np.abs(w).sum(),
        lambda: np.abs(lasso_kkt_residual(X, y, penalty, w)).max(),
        tolerance,
        sweeps,
    )


def lasso_kkt_residual(X, y, penalty, w):
    """(d,): how far -gradient = X'(y - X w) / n is from the subgradients of penalty ||w||_1.

    With c = -gradient: it is c_j - penalty sign(w_j) if w_j is not 0, else max(|c_j| - penalty, 0).
    """
    c = X.T @ (y - X @ w) / len(y)
    return np.where(w != 0, c - penalty * np.sign(w), np.maximum(np.abs(c) - penalty, 0.0))


# ------------------------------------------------------------------------------------------------- logistic regression ---


def logistic_regression(X, y, penalty, tolerance=1e-8, sweeps=1000) -> Solution:
    """min over w:   mean over i of log(1 + exp(-y_i x_i w)) + penalty / 2 ||w||^2.   y (n,) of -1 and 1; no intercept.

    The objective as a function of one coordinate has the derivatives g_j and h_j; the coordinate takes one Newton step
    -g_j / h_j.  The step is halved until the objective falls by at least 1 % of step times slope, so no sweep can raise it.
    """
    X, y = _data("logistic_regression", X, y, labels=True)
    _number("logistic_regression", "penalty", penalty, False)
    n, d = X.shape
    Z = X * y[:, None]  # margins are Z w
    w, margins = np.zeros(d), np.zeros(n)
    loss = lambda m, w: np.logaddexp(0.0, -m).mean() + penalty / 2 * (w @ w)

    def sweep():
        for j in range(d):
            wrong = np.exp(-np.logaddexp(0.0, margins))  # the probability of the other label
            g = -(Z[:, j] @ wrong) / n + penalty * w[j]
            h = Z[:, j] ** 2 @ (wrong * (1 - wrong)) / n + penalty
            step, before = -g / h, loss(margins, w)
            for _ in range(30):
                trial = w.copy()
                trial[j] += step
                if loss(margins + step * Z[:, j], trial) <= before + 0.01 * step * g:
                    margins[:] += step * Z[:, j]
                    w[:] = trial
                    break
                step /= 2

    return _descend(
        w, sweep, lambda: loss(margins, w), lambda: np.abs(logistic_kkt_residual(X, y, penalty, w)).max(), tolerance, sweeps
    )


def logistic_kkt_residual(X, y, penalty, w):
    """(d,): the gradient, which is 0 at the minimum."""
    wrong = np.exp(-np.logaddexp(0.0, y * (X @ w)))
    return -X.T @ (y * wrong) / len(y) + penalty * w


# ------------------------------------------------------------------------------------------------------------ SVM, dual ---


def svm_dual(X, y, C, tolerance=1e-8, sweeps=10000) -> Solution:
    """min over alpha (n,) in [0, C]:   ||w||^2 / 2 - sum of alpha,   w = sum over i of alpha_i y_i x_i.

    This is the dual of min over w: ||w||^2 / 2 + C sum of max(0, 1 - y_i x_i w), with a linear kernel and no bias (for a bias
    add a column of ones to X; it is then penalised too).  If the others are fixed, the best alpha_i is alpha_i - G / ||x_i||^2,
    clipped to [0, C], where G = y_i x_i w - 1.   y (n,) of -1 and 1.   The classifier is sign(x w) with w = X' (alpha * y).
    """
    X, y = _data("svm_dual", X, y, labels=True)
    _number("svm_dual", "C", C, False)
    Z, squares = X * y[:, None], (X**2).sum(axis=1)
    alpha = np.where(squares > 0, 0.0, C)  # for a sample at the origin G = -1 for every w, so C is best
    w = np.zeros(X.shape[1])

    def sweep():
        for i in np.flatnonzero(squares):
            new = min(max(alpha[i] - (Z[i] @ w - 1) / squares[i], 0.0), C)
            w[:] += (new - alpha[i]) * Z[i]
            alpha[i] = new

    return _descend(
        alpha, sweep, lambda: w @ w / 2 - alpha.sum(), lambda: np.abs(svm_kkt_residual(X, y, C, alpha)).max(), tolerance, sweeps
    )


def svm_kkt_residual(X, y, C, alpha):
    """(n,): the projected gradient: G_i = y_i x_i w - 1, but min(G_i, 0) if alpha_i = 0, and max(G_i, 0) if alpha_i = C."""
    Z = X * y[:, None]
    G = Z @ (Z.T @ alpha) - 1
    return np.where(alpha <= 0, np.minimum(G, 0), np.where(alpha >= C, np.maximum(G, 0), G))
