"""Exercises of lesson 16: how often D is right, and pixels that change places."""

import numpy as np

from minigan.exercises import Exercise

SHAPE = "the pictures must keep their shape (N, 28, 28, 1); give the result the shape of x"


def shares(accuracy):
    """The share for a = 2, 0.3, -1, 4 and b = -3, 0.7; then for a = -1, 0.2 and b = -2, -3, -0.1"""
    cases = [([2.0, 0.3, -1.0, 4.0], [-3.0, 0.7]), ([-1.0, 0.2], [-2.0, -3.0, -0.1])]
    return [float(accuracy(np.array(a), np.array(b))) for a, b in cases]


def shuffled(shuffle_pixels):
    """The size of the result, whether each picture keeps its numbers, whether all pictures are shuffled alike, whether pixels
    moved, and whether x is as before"""
    pixels, pictures = np.random.default_rng(1).permutation(784), np.arange(5)
    x = (pixels + 1000 * pictures[:, None]).reshape(5, 28, 28, 1)
    y = np.asarray(shuffle_pixels(x.copy(), np.random.default_rng(0)))
    if y.shape != x.shape:
        return [y.size, -1, -1, -1, -1]
    rows, flat = y.reshape(5, -1), x.reshape(5, -1)
    kept = np.array_equal(np.sort(rows), np.sort(flat))
    alike = bool(np.all(rows - rows[:1] == 1000 * (pictures - pictures[:1])[:, None]))
    again = x.copy()
    shuffle_pixels(again, np.random.default_rng(0))
    return [y.size, int(kept), int(alike), int(np.mean(rows != flat) > 0.9), int(np.array_equal(again, x))]


EXERCISES = [
    Exercise(
        name="16.1",
        title="How often is D right?",
        text="D is right about a real picture if its logit is above 0, and about a generated one if it is below 0.  Return the "
        "share of right answers among all pictures, real and generated.",
        start='''\
def accuracy(a, b):
    """The share of right answers of D, for its logits a on real and b on generated pictures (NumPy arrays)."""
    return None
''',
        through=shares,
        expected=[4 / 6, 4 / 5],
        atol=1e-9,
        hints=["a > 0 is an array of booleans, and np.sum counts those that are true", "Divide by len(a) + len(b)"],
        answer="""\
def accuracy(a, b):
    return (np.sum(a > 0) + np.sum(b < 0)) / (len(a) + len(b))
""",
        usual=[
            ([3 / 6, 3 / 5], "logits are not probabilities: undecided is 0, not 0.5"),
            (
                [0.625],
                "this is the mean of two shares; real and generated pictures may not be equally many, so count all together",
            ),
            ([3 / 4], "this looks only at real pictures; D must also be right about the generated ones"),
            ([4.0], "this is how many answers are right; divide by the number of all pictures"),
            ([2 / 6], "this is the share of wrong answers"),
            ([1.25], "divide the sum of all right answers by the number of all pictures; here two shares are added"),
        ],
        wrong=[
            "def accuracy(a, b):\n    return (np.sum(a > 0.5) + np.sum(b < 0.5)) / (len(a) + len(b))\n",
            "def accuracy(a, b):\n    return (np.mean(a > 0) + np.mean(b < 0)) / 2\n",
            "def accuracy(a, b):\n    return np.mean(a > 0)\n",
            "def accuracy(a, b):\n    return np.sum(a > 0) + np.sum(b < 0)\n",
            "def accuracy(a, b):\n    return (np.sum(a < 0) + np.sum(b > 0)) / (len(a) + len(b))\n",
            "def accuracy(a, b):\n    return np.mean(a > 0) + np.mean(b < 0)\n",
        ],
    ),
    Exercise(
        name="16.2",
        title="Pixels change places",
        text="Return pictures x (N, 28, 28, 1) with their pixels in a random order.  The order must be the same for all "
        "pictures, and x itself must stay as it is.  Draw the order from rng, a numpy Generator.",
        start='''\
def shuffle_pixels(x, rng):
    """Pictures x (N, 28, 28, 1) with their pixels in a random order, the same for all; x itself stays as it is."""
    return None
''',
        through=shuffled,
        expected=[3920, 1, 1, 1, 1],
        hints=[
            "Make rows of 784 pixels first: x.reshape(len(x), -1)",
            "rows[:, order] takes the pixels of all rows in a new order",
        ],
        answer="""\
def shuffle_pixels(x, rng):
    rows = x.reshape(len(x), -1)
    return rows[:, rng.permutation(rows.shape[1])].reshape(x.shape)
""",
        usual=[
            ([3920, -1], SHAPE),
            ([3920, 1, 1, 0], "the pixels have not moved, or only their rows have: each of the 784 pixels needs a new place"),
            ([3920, 1, 0], "each picture is shuffled in its own way; draw one order, and use it for all"),
            ([3920, 0, 0], "numbers went from one picture to another; shuffle inside each picture"),
            ([3920, 1, 1, 1, 0], "x itself was changed; work on a copy"),
        ],
        wrong=[
            "def shuffle_pixels(x, rng):\n    rows = x.reshape(len(x), -1)\n    return rows[:, rng.permutation(784)]\n",
            "def shuffle_pixels(x, rng):\n    return rng.permuted(x.reshape(len(x), -1), axis=1).reshape(x.shape)\n",
            "def shuffle_pixels(x, rng):\n    return rng.permutation(x.reshape(-1)).reshape(x.shape)\n",
            "def shuffle_pixels(x, rng):\n    return rng.permutation(x)\n",
            "def shuffle_pixels(x, rng):\n    return x.copy()\n",
            """def shuffle_pixels(x, rng):
    rows = x.reshape(len(x), -1)
    rows[:] = rows[:, rng.permutation(784)]
    return rows.reshape(x.shape)
""",
        ],
    ),
]
