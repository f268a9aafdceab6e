"""Exercises of lesson 12: best values of one coordinate."""

import numpy as np

from minigan.exercises import Exercise


def elastics(elastic):
    """The best w for (a, z, t, s) = (2, 4, 1, 1), (2, -4, 1, 1), (2, 0.5, 1, 1), (2, 4, 0, 0)."""
    cases = ((2.0, 4.0, 1.0, 1.0), (2.0, -4.0, 1.0, 1.0), (2.0, 0.5, 1.0, 1.0), (2.0, 4.0, 0.0, 0.0))
    return [float(elastic(*case)) for case in cases]


def alphas(new_alpha):
    """The new alpha of four samples with |x|^2 = 4 and C = 1: one inside the box, one at each wall, one with y = -1."""
    x, C = np.array([2.0, 0.0]), 1.0
    cases = ((0.2, 1.0, 0.3), (0.2, 1.0, 2.0), (0.9, 1.0, -1.0), (0.2, -1.0, 0.3))  # alpha, y, the first number of w
    return [float(new_alpha(alpha, x, y, np.array([first, 5.0]), C)) for alpha, y, first in cases]


EXERCISES = [
    Exercise(
        name="12.1",
        title="The elastic net",
        text="Which w minimises a w^2 / 2 - z w + t |w| + s w^2 / 2?  All are numbers, a > 0, t >= 0, s >= 0.",
        start='''\
def elastic(a, z, t, s):
    """The w that minimises a w^2 / 2 - z w + t |w| + s w^2 / 2, for numbers a > 0, t >= 0, s >= 0."""
    return None
''',
        through=elastics,
        expected=[1.0, -1.0, 0.0, 2.0],
        atol=1e-9,
        hints=[
            "the two squares are one square: (a + s) w^2 / 2",
            "so it is the lasso's coordinate with a + s in the place of a: S(z, t) / (a + s)",
        ],
        answer="""\
def elastic(a, z, t, s):
    return np.sign(z) * max(abs(z) - t, 0.0) / (a + s)
""",
        usual=[
            ([1.5, -1.5, 0.0], "s makes the parabola narrower: divide by a + s"),
            ([1.0, -5 / 3], "a negative z must be pulled towards 0 as well: work with |z|, and put the sign back at the end"),
            ([1.0, 0.0], "for a negative z the best w is negative: work with |z|, and put the sign back at the end"),
            ([1.0, 1.0], "the sign of z is lost: put it back at the end"),
            ([1.0, -1.0, -1 / 6], "if |z| is below t the best w is 0, not a weight of the other sign"),
            ([4 / 3, -4 / 3], "the penalty t |w| must pull w towards 0: subtract t from |z|"),
            ([5 / 3, -5 / 3], "t pulls w towards 0, so |z| becomes smaller, not larger"),
            ([3.0, -3.0], "S(z, t) is the slope at 0; divide it by the curvature a + s"),
            ([2 / 3, -2 / 3], "s belongs to the square, so it goes below the line; only t is subtracted"),
        ],
        wrong=[
            f"def elastic(a, z, t, s):\n    return {wrong}\n"
            for wrong in (
                "np.sign(z) * max(abs(z) - t, 0.0) / a",
                "(z - t) / (a + s) if abs(z) > t else 0.0",
                "max(z - t, 0.0) / (a + s)",
                "max(abs(z) - t, 0.0) / (a + s)",
                "np.sign(z) * (abs(z) - t) / (a + s)",
                "z / (a + s) if abs(z) > t else 0.0",
                "np.sign(z) * (abs(z) + t) / (a + s)",
                "np.sign(z) * max(abs(z) - t, 0.0)",
                "np.sign(z) * max(abs(z) - t - s, 0.0) / (a + s)",
            )
        ],
    ),
    Exercise(
        name="12.2",
        title="A step of the dual SVM",
        text="One coordinate of the dual support vector machine: the best alpha in [0, C] of a sample, with the alphas of the "
        "other samples fixed.  w is the sum of alpha_i y_i x_i over all samples, this one included.",
        start='''\
def new_alpha(alpha, x, y, w, C):
    """The best alpha in [0, C] of one sample x (d,) with y = -1 or 1.   w (d,): the sum over all samples, this one included."""
    return None
''',
        through=alphas,
        expected=[0.3, 0.0, 1.0, 0.6],
        atol=1e-9,
        hints=[
            "the slope of the dual loss by alpha is G = y (x w) - 1, its curvature is |x|^2 = x @ x",
            "a parabola's lowest point is at alpha - G / curvature; then clip it to [0, C]",
        ],
        answer="""\
def new_alpha(alpha, x, y, w, C):
    G = y * (x @ w) - 1
    return min(max(alpha - G / (x @ x), 0.0), C)
""",
        usual=[
            ([0.3, -0.55], "alpha must stay in its box: not below 0, and not above C"),
            ([0.3, 0.0, 1.65], "alpha must not be larger than C"),
            ([0.1, 0.95], "the sign of the step is wrong: the new alpha is alpha - G / |x|^2"),
            ([0.6], "the curvature is missing: divide G by |x|^2"),
            ([0.4], "divide by the square of the length, x @ x, not by the length"),
            ([0.05], "G is y (x w) - 1: the margin that is wanted is 1"),
            ([0.3, 0.0, 1.0, 0.3], "y is missing in G: for y = -1 the sample wants x w to be negative"),
            ([0.1, 0.0, 0.75], "the old alpha is missing: the step starts from it"),
            ([0.1, -0.75], "this is the step; add it to the old alpha, then clip"),
        ],
        wrong=[
            f"def new_alpha(alpha, x, y, w, C):\n    G = y * (x @ w) - 1\n    return {wrong}\n"
            for wrong in (
                "alpha - G / (x @ x)",
                "max(alpha - G / (x @ x), 0.0)",
                "min(max(alpha + G / (x @ x), 0.0), C)",
                "min(max(alpha - G, 0.0), C)",
                "min(max(alpha - G / np.sqrt(x @ x), 0.0), C)",
                "min(max(alpha - (G + 1) / (x @ x), 0.0), C)",
                "min(max(alpha - (x @ w - 1) / (x @ x), 0.0), C)",
                "min(max(-G / (x @ x), 0.0), C)",
                "-G / (x @ x)",
            )
        ],
    ),
]
