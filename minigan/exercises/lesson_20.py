"""Exercises of lesson 20: penalties on a slope."""

import minigan as mg
from minigan.exercises import Exercise


def penalised(penalty):
    """For D(x) = w1 x1^2 + w2 x2 + x3 at (1, 0, 0), (2, 5, 0), (0, 1, 3), w = (3, 4): the penalty, its slopes by w1 and w2."""
    # Three points and three features: with two of either, a mean in the place of a sum would look like the half.
    x = mg.tensor([[1.0, 0.0, 0.0], [2.0, 5.0, 0.0], [0.0, 1.0, 3.0]], dtype="float64", requires_grad=True)
    w = mg.tensor([3.0, 4.0], dtype="float64", requires_grad=True)
    found = penalty(lambda x: w[0] * x[:, 0] ** 2 + w[1] * x[:, 1] + x[:, 2], x)
    return [float(found), *(float(slope) for slope in mg.grad(found, w)[0])]


def chosen(function):
    """For (W, weight, k) = (3, 10, 1), (2, 1, 0), (0, 5, 2) and (4, 0.5, 3)."""
    return [float(function(*given)) for given in ((3.0, 10.0, 1.0), (2.0, 1.0, 0.0), (0.0, 5.0, 2.0), (4.0, 0.5, 3.0))]


EXERCISES = [
    Exercise(
        name="20.1",
        title="R1",
        text="Half the mean over the points of the squared length of D's slope.  x (N, features) requires gradients.  The "
        "result must have a graph, because training differentiates it.",
        start='''\
def r1(D, x):
    """Half the mean squared slope of D at the points x."""
    return None
''',
        through=penalised,
        expected=[38.5, 20.0, 4.0],
        atol=1e-9,
        hints=[
            "(slope,) = mg.grad(D(x).sum(), x, create_graph=True) has the shape of x",
            "the squared length of each point's slope is (slope**2).sum(axis=1)",
        ],
        answer="""\
def r1(D, x):
    (slope,) = mg.grad(D(x).sum(), x, create_graph=True)
    return 0.5 * (slope**2).sum(axis=1).mean()
""",
        usual=[
            ("has no graph", "the penalty has no graph: ask for the slope with create_graph=True"),
            ("not used to compute", "the penalty has no graph: ask for the slope with create_graph=True"),
            ([77.0], "the half is missing"),
            ([38.5 / 3], "take the sum over the features and the mean over the points; this is a mean over both"),
            ([77 / 3], "take half of the sum over the features, and the mean over the points; this is a mean over both"),
            ([115.5], "take the mean over the points, not the sum"),
            ([231.0], "take the mean over the points, not the sum, and half of it"),
            ([72.5], "square each number of the slope before you add them up"),
            ([38.5 / 9], "ask for the slope of D(x).sum(): with a mean, each point's slope is divided by their number"),
            ([(53**0.5 + 161**0.5 + 17**0.5) / 6], "R1 takes the squared length: there is no root"),
        ],
        wrong=[
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x)\n    return 0.5 * (s**2).sum(axis=1).mean()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x, create_graph=True)\n    return (s**2).sum(axis=1).mean()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x, create_graph=True)\n    return 0.5 * (s**2).mean()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x, create_graph=True)\n    return (s**2).mean()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x, create_graph=True)\n    return 0.5 * (s**2).sum()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x, create_graph=True)\n    return (s**2).sum()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x, create_graph=True)\n"
            "    return 0.5 * (s.sum(axis=1) ** 2).mean()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).mean(), x, create_graph=True)\n"
            "    return 0.5 * (s**2).sum(axis=1).mean()\n",
            "def r1(D, x):\n    (s,) = mg.grad(D(x).sum(), x, create_graph=True)\n"
            "    return 0.5 * mg.sqrt((s**2).sum(axis=1)).mean()\n",
        ],
    ),
    Exercise(
        name="20.2",
        title="The slope that a penalised critic takes",
        text="The critic gains W s and pays weight * max(0, s - k)^2.  Which slope s is best?  Write the formula.",
        start='''\
def best_slope(W, weight, k):
    """The slope that maximises W s - weight * max(0, s - k)^2."""
    return None
''',
        through=chosen,
        expected=[1.15, 1.0, 2.0, 7.0],
        atol=1e-9,
        hints=["for W > 0 the best s is not below k, so the maximum may be left out", "set the derivative by s to 0"],
        answer="""\
def best_slope(W, weight, k):
    return k + W / (2 * weight)
""",
        usual=[
            ([1.3], "the 2 of the square is missing: the derivative of (s - k)^2 is 2 (s - k)"),
            ([1.15, 2.0], "the wanted slope is k, not always 1"),
            ([0.15, 1.0, 0.0], "this is how far the slope goes beyond k; add k"),
            ([0.85], "the sign is wrong: the critic gains by being steeper, so s is above k"),
        ],
        wrong=[
            "def best_slope(W, weight, k):\n    return k + W / weight\n",
            "def best_slope(W, weight, k):\n    return 1 + W / (2 * weight)\n",
            "def best_slope(W, weight, k):\n    return W / (2 * weight)\n",
        ],
    ),
]
