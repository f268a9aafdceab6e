"""Exercises of lesson 15: pictures in another layout, and the batches of an epoch."""

import numpy as np

from minigan.exercises import Exercise

RESHAPE = "reshape keeps the order of the numbers, so the colours of different pixels are mixed; the axes must change places"


def moved(channels_first):
    """The shape for pictures (2, 4, 5, 3), and two of the numbers"""
    x = np.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
    y = np.asarray(channels_first(x))
    return [
        *y.shape,
        *(int(y[place]) if all(i < n for i, n in zip(place, y.shape)) else -1 for place in ((0, 1, 2, 3), (1, 2, 0, 1))),
    ]


def epoch(minibatches):
    """The shape of the rows for 10 numbers in rows of 3, how many are different, the largest of five epochs, and whether the
    epochs differ"""
    rng = np.random.default_rng(0)
    epochs = [np.asarray(minibatches(10, 3, rng)) for _ in range(5)]
    differ = len({rows.tobytes() for rows in epochs}) > 1
    return [*epochs[0].shape, len(np.unique(epochs[0])), int(np.max(epochs)), int(differ)]


EXERCISES = [
    Exercise(
        name="15.1",
        title="Channels first",
        text="Bring pictures (N, H, W, C), a NumPy array with the channels last, to (N, C, H, W).  Every pixel must keep its "
        "place and its colours.",
        start='''\
def channels_first(x):
    """Pictures (N, H, W, C) as (N, C, H, W), a NumPy array; every pixel keeps its place and its colours."""
    return None
''',
        through=moved,
        expected=[2, 3, 4, 5, 40, 65],
        hints=["x.transpose(...) takes the old axes in their new order", "The new axis 1 is the old axis 3"],
        answer="""\
def channels_first(x):
    return x.transpose(0, 3, 1, 2)
""",
        usual=[
            ([2, 3, 5, 4], "height and width have changed places: the pictures lie on their side"),
            ([2, 4, 3, 5], "the channels must come before the height, not between height and width"),
            ([2, 5, 3, 4], "these are the axes that lead back; which old axis is the new axis 1?"),
            ([3, 4, 5, 2], "this also turns the N pictures around: axis 0 must stay"),
            ([5, 4, 3, 2], "this turns all axes around; N stays in front"),
            ([3, 5, 4, 2], "this turns all axes around; N stays in front"),
            ([2, 3, 4, 5], RESHAPE),
        ],
        wrong=[
            "def channels_first(x):\n    return x.reshape(len(x), x.shape[3], x.shape[1], x.shape[2])\n",
            "def channels_first(x):\n    return x.transpose(0, 3, 2, 1)\n",
            "def channels_first(x):\n    return x.swapaxes(2, 3)\n",
            "def channels_first(x):\n    return x.transpose(0, 2, 3, 1)\n",
            "def channels_first(x):\n    return x.swapaxes(0, 3)\n",
            "def channels_first(x):\n    return x.T\n",
        ],
    ),
    Exercise(
        name="15.2",
        title="The batches of an epoch",
        text="Return the numbers 0 to n - 1 in a random order, cut into rows of `size`: the minibatches of one epoch.  No "
        "number appears twice.  What does not fill the last row is left out.  Draw from rng, a numpy Generator.",
        start='''\
def minibatches(n, size, rng):
    """Row numbers (n // size, size) of one epoch, shuffled by rng, a numpy Generator; none appears twice."""
    return None
''',
        through=epoch,
        expected=[3, 3, 9, 9, 1],
        hints=[
            "rng.permutation(n) gives all numbers in a random order",
            "Keep the first n // size * size of them, then reshape",
        ],
        answer="""\
def minibatches(n, size, rng):
    return rng.permutation(n)[: n // size * size].reshape(-1, size)
""",
        usual=[
            ("cannot reshape array", "10 numbers do not fill rows of 3: leave out the last one before you reshape"),
            ("inhomogeneous", "the last row is shorter than the others: leave it out"),
            (
                [3, 3, 9, 8],
                "the numbers are shuffled after the last one was left out, or not at all: number n - 1 never appears",
            ),
            ([3, 3, 9, 9, 0], "every epoch is the same: use the rng that you are given, and do not restart it"),
            ([1, 10], "this is the whole data set as one batch; cut it into rows of `size`"),
            ([1, 9], "this is the whole data set as one batch; cut it into rows of `size`"),
            ([1, 3], "this is one batch; an epoch has n // size of them"),
            ([3, 3], "some numbers appear twice, because they were drawn independently; shuffle all numbers once"),
        ],
        wrong=[
            "def minibatches(n, size, rng):\n    return rng.permutation(n).reshape(-1, size)\n",
            """def minibatches(n, size, rng):
    order = rng.permutation(n)
    return np.array([order[i : i + size] for i in range(0, n, size)])
""",
            "def minibatches(n, size, rng):\n    return np.arange(n)[: n // size * size].reshape(-1, size)\n",
            "def minibatches(n, size, rng):\n    return rng.integers(n, size=(n // size, size))\n",
            "def minibatches(n, size, rng):\n    return rng.permutation(n // size * size).reshape(-1, size)\n",
            """def minibatches(n, size, rng):
    return np.random.default_rng(0).permutation(n)[: n // size * size].reshape(-1, size)
""",
            "def minibatches(n, size, rng):\n    return rng.permutation(n)[None]\n",
            "def minibatches(n, size, rng):\n    return rng.permutation(n)[:size][None]\n",
        ],
    ),
]
