"""Exercises of lesson 19: the Wasserstein distance and its critic."""

import numpy as np

import minigan as mg
from minigan.exercises import Exercise

_X, _Y = np.array([0.0, 1.0, 4.0]), np.array([1.0, 2.0])


def areas(function):
    """Of {0, 1, 4} and {1, 2}; of {5, 0} and {0, 5, 5, 0}; of {2} and {-1}; and of {1, 2} and {0, 1, 4}."""
    pairs = [(_X, _Y), (np.array([5.0, 0.0]), np.array([0.0, 5.0, 5.0, 0.0])), (np.array([2.0]), np.array([-1.0])), (_Y, _X)]
    return [float(function(x.copy(), y.copy())) for x, y in pairs]


def paid(losses):
    """For scores a = (1, 3) and b = (0, -2, 5): both losses, and the slopes of the critic's by a first score of each kind."""
    a, b = (mg.tensor(scores, requires_grad=True) for scores in ([1.0, 3.0], [0.0, -2.0, 5.0]))
    of_critic, of_g = losses(a, b)
    return [float(of_critic), float(of_g), *(float(slope[0]) for slope in mg.grad(of_critic, [a, b]))]


EXERCISES = [
    Exercise(
        name="19.1",
        title="The distance of samples of any sizes",
        text="On a line, W is the area between the step functions P and Q, the shares of points to the left of a place.  "
        "Sort all places, and add up |P - Q| times the way to the next place.",
        start='''\
def any_sizes(x, y):
    """The Wasserstein distance of two samples on a line, of any sizes."""
    return None
''',
        through=areas,
        expected=[7 / 6, 0.0, 3.0, 7 / 6],
        atol=1e-9,
        hints=[
            "places = np.sort(np.concatenate([x, y])); the ways are np.diff(places)",
            "np.searchsorted(np.sort(x), places[:-1], side='right') / len(x) is the share of x up to each place",
        ],
        answer="""\
def any_sizes(x, y):
    places = np.sort(np.concatenate([x, y]))
    left = lambda sample: np.searchsorted(np.sort(sample), places[:-1], side="right") / len(sample)
    return np.sum(np.abs(left(x) - left(y)) * np.diff(places))
""",
        usual=[
            ("could not be broadcast", "the samples have different sizes, so they cannot be subtracted point by point"),
            ([1 / 6], "the absolute value is missing, so parts of the area cancel: this is only the difference of the means"),
            ([-1 / 6], "the absolute value is missing, so parts of the area cancel: this is only the difference of the means"),
            ([2.0, 5.0], "P and Q are shares: divide each count by the size of its own sample"),
            ([2 / 3, 0.0, 0.0], "at a place, its own points are already on the left: searchsorted needs side='right'"),
        ],
        wrong=[
            "def any_sizes(x, y):\n    return np.abs(np.sort(x) - np.sort(y)).mean()\n",
            "def any_sizes(x, y):\n    return np.mean(y) - np.mean(x)\n",
            "def any_sizes(x, y):\n    return np.mean(x) - np.mean(y)\n",
            "def any_sizes(x, y):\n    p = np.sort(np.concatenate([x, y]))\n"
            "    n = lambda v: np.searchsorted(np.sort(v), p[:-1], side='right')\n"
            "    return np.sum(np.abs(n(x) - n(y)) * np.diff(p))\n",
            "def any_sizes(x, y):\n    p = np.sort(np.concatenate([x, y]))\n"
            "    n = lambda v: np.searchsorted(np.sort(v), p[:-1], side='left') / len(v)\n"
            "    return np.sum(np.abs(n(x) - n(y)) * np.diff(p))\n",
        ],
    ),
    Exercise(
        name="19.2",
        title="What the critic and G minimise",
        text="The critic wants E f(real) - E f(generated) to be large, G wants high scores for its points.  Both minimise "
        "something: return these two losses, given the scores a of real and b of generated points.",
        start='''\
def wgan_losses(a, b):
    """(loss of the critic, loss of G)."""
    return None
''',
        through=paid,
        expected=[-1.0, -1.0, -0.5, 1 / 3],
        atol=1e-6,
        parts=2,
        hints=["to maximise a number is to minimise its negative", "the two samples may have different sizes: take means"],
        answer="""\
def wgan_losses(a, b):
    return b.mean() - a.mean(), -b.mean()
""",
        usual=[
            ("needs exactly one element", "each loss is one number: take the mean over the points"),
            ("do not broadcast", "the two samples have different sizes: take the mean of each first"),
            ([1.0, -1.0], "the critic's sign is wrong: to make E f(real) - E f(generated) large, minimise its negative"),
            ([-1.0, 1.0], "G's sign is wrong: it wants a high score, so it minimises the negative of it"),
            ([1.0, 1.0], "both signs are wrong: each minimises the negative of what it wants to be large"),
            ([-1.0, -3.0], "these are sums over the points; take the means"),
            ([-1.0, -1.0, -1.0], "these are sums over the points; take the means"),
            ([2.123188], "a critic gives a score, not a logit: there is no softplus and no sigmoid in its loss"),
        ],
        wrong=[
            "def wgan_losses(a, b):\n    return a.mean() - b.mean(), -b.mean()\n",
            "def wgan_losses(a, b):\n    return b.mean() - a.mean(), b.mean()\n",
            "def wgan_losses(a, b):\n    return b - a, -b\n",
            "def wgan_losses(a, b):\n    return mg.softplus(-a).mean() + mg.softplus(b).mean(), mg.softplus(-b).mean()\n",
        ],
    ),
]
