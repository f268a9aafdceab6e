"""Exercises of lesson 3: adjoints of stretching and of centring."""

import numpy as np

from minigan.exercises import Exercise


def adjoint_products(unbroadcast):
    """Five numbers that arrays of the shapes (3,), (2, 1), () and (1, 2, 1) receive, then how many of 6 shapes are right."""
    gradient = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    deep = np.arange(24.0).reshape(4, 2, 3)
    asked = [(gradient, (3,)), (gradient, (2, 1)), (gradient, ()), (deep, (1, 2, 1)), (gradient, (2, 3)), (deep, (2, 1))]
    found = [np.asarray(unbroadcast(array.copy(), shape)) for array, shape in asked]
    numbers = [found[0].flat[0], found[0].flat[-1], found[1].flat[0], found[2].flat[0], found[3].flat[0]]
    return [*map(float, numbers), sum(array.shape == shape for array, (_, shape) in zip(found, asked))]


def centred(rule):
    """What the four samples of the first feature receive, then the last sample of the second feature."""
    received = np.asarray(rule(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [10.0, 8.0]])))
    return [*received[:, 0].tolist(), float(received[3, 1])]


EXERCISES = [
    Exercise(
        name="3.1",
        title="Undo broadcasting",
        text="Write the adjoint of stretching for every shape, with NumPy: `gradient` has the shape of the stretched array, "
        "`shape` is that of the original.  Two kinds of axes must be added up: those that were missing on the left, and "
        "those that had size 1.  An axis of the second kind stays, with size 1.",
        start='''\
def unbroadcast(gradient, shape):
    """What an array of this shape receives, if it was stretched to gradient.shape."""
    return None
''',
        through=adjoint_products,
        expected=[11.0, 33.0, 6.0, 66.0, 120.0, 6],
        atol=1e-12,
        hints=[
            "first the missing axes: there are gradient.ndim - len(shape) of them, and they are the first ones",
            "then the axes i with shape[i] == 1: gradient.sum(axis=..., keepdims=True) keeps them with size 1",
        ],
        answer="""\
def unbroadcast(gradient, shape):
    missing = tuple(range(gradient.ndim - len(shape)))
    gradient = gradient.sum(axis=missing)
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=stretched, keepdims=True)
""",
        usual=[
            ([5.5], "copies add up: take the sum over them, not the mean"),
            ([1.0], "this keeps one copy and forgets what arrives at the others: take the sum over all copies"),
            ([6.0], "shapes are aligned on the right: the missing axes are the first ones of gradient, not the last ones"),
            (
                [11.0, 33.0, 6.0, 66.0, 120.0],
                "the numbers are right, but not the shapes: an axis of size 1 stays (keepdims=True), a missing one goes",
            ),
            ([11.0, 33.0, 1.0], "the axes of size 1 are not added up: look at each i with shape[i] == 1"),
            ("cannot reshape array", "reshape cannot make an array smaller: add up first"),
            (
                "index out of range",
                "gradient can have more axes than shape: add up the missing ones on the left first, then count the axes",
            ),
        ],
        wrong=[
            """\
def unbroadcast(gradient, shape):
    return gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
""",
            "def unbroadcast(gradient, shape):\n    return gradient.reshape(shape)\n",
            """\
def unbroadcast(gradient, shape):
    gradient = gradient.mean(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.mean(axis=tuple(i for i, size in enumerate(shape) if size == 1), keepdims=True)
""",
            """\
def unbroadcast(gradient, shape):
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1))
""",
            """\
def unbroadcast(gradient, shape):
    while gradient.ndim > len(shape):
        gradient = gradient[0]
    return gradient.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1), keepdims=True)
""",
            """\
def unbroadcast(gradient, shape):
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=-1)
    return gradient.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1), keepdims=True)
""",
            """\
def unbroadcast(gradient, shape):
    axes = tuple(i for i in range(gradient.ndim) if shape[i] == 1)
    return gradient.sum(axis=axes, keepdims=True)
""",
        ],
    ),
    Exercise(
        name="3.2",
        title="The rule of taking the mean away",
        text="y = x - x.mean(axis=0) takes the mean of the batch away from each sample of x (N, features).  It is linear.  "
        "What does x receive, if g arrives at y?  Think of two paths: the direct one, and the one through the mean, to all "
        "samples.",
        start='''\
def centre_rule(g):
    """What x receives for y = x - x.mean(axis=0), where g (N, features) arrives at y; in NumPy."""
    return None
''',
        through=centred,
        expected=[-3.0, -2.0, -1.0, 6.0, 6.0],
        atol=1e-12,
        hints=[
            "along the direct path each sample receives its own g",
            "the mean is used by all samples with a minus, so it receives -g.sum(axis=0); each x has the share 1/N in the mean",
        ],
        answer="""\
def centre_rule(g):
    return g - g.mean(axis=0)
""",
        usual=[
            (
                [1.0, 2.0, 3.0, 10.0],
                "this is only the direct path; each x also moves the mean, which is taken away from all samples",
            ),
            ([-15.0], "the share of one sample in the mean is missing: divide the sum by N"),
            ([5.0, 6.0, 7.0], "the sign of the path through the mean is wrong: the mean is taken away"),
            ([-2.0, -1.0, 0.0, 7.0], "the mean must be taken for each feature (axis=0), not over all numbers"),
            ([0.5, 1.0, 1.5], "the mean must be taken over the samples (axis=0), not over the features"),
            (
                [0.75, 1.5, 2.25],
                "a sample moves the mean of *all* samples, so it receives a part of every g, not only of its own",
            ),
            ([-4.0], "the direct path is missing: each sample also receives its own g"),
        ],
        wrong=[
            "def centre_rule(g):\n    return g\n",
            "def centre_rule(g):\n    return g - g.sum(axis=0)\n",
            "def centre_rule(g):\n    return g + g.mean(axis=0)\n",
            "def centre_rule(g):\n    return g - g.mean()\n",
            "def centre_rule(g):\n    return g - g.mean(axis=1, keepdims=True)\n",
            "def centre_rule(g):\n    return g * (1 - 1 / len(g))\n",
            "def centre_rule(g):\n    return 0 * g - g.mean(axis=0)\n",
        ],
    ),
]
