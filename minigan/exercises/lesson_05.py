"""Exercises of lesson 5: the start of a weight, and the rule of batch norm."""

import numpy as np

from minigan.exercises import Exercise


def stds(start_std):
    """For a linear layer from 200 to 50, and for a convolution of 5 x 5 from 8 to 32 channels."""
    return [float(start_std((50, 200))), float(start_std((32, 8, 5, 5)))]


_X = np.array([[0.0, 1.0], [0.0, 2.0], [2.0, 4.0], [2.0, 5.0]])
_STD = _X.std(axis=0)  # 1 and sqrt(2.5)


def normalised(rule):
    """What the four samples of the first feature receive, then the first two of the second feature."""
    g = np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [8.0, 0.0]])
    received = np.asarray(rule(g, (_X - _X.mean(axis=0)) / _STD, _STD.copy()), float)
    return [*received[:, 0].tolist(), *received[:2, 1].tolist()]


EXERCISES = [
    Exercise(
        name="5.1",
        title="The start of a weight",
        text="With which standard deviation does a weight of this shape start before a ReLU, according to He et al. 2015, "
        "equation 10?  `shape` is that of a linear layer, (outputs, inputs), or of a convolution, (outputs, inputs, "
        "height, width).  Half of n times the variance must be 1, and n is how many products one output adds up.",
        start='''\
def start_std(shape):
    """The standard deviation of the weights before a ReLU, for a weight of this shape."""
    return None
''',
        through=stds,
        expected=[0.1, 0.1],
        atol=1e-12,
        hints=[
            "the variance is 2 / n, so the standard deviation is its square root",
            "one output of a convolution adds up inputs * height * width products: math.prod(shape[1:])",
        ],
        answer="""\
def start_std(shape):
    return math.sqrt(2 / math.prod(shape[1:]))
""",
        usual=[
            ([0.01], "this is the variance; the standard deviation is its square root"),
            ([0.2], "n is the number of inputs of one output, not the number of outputs"),
            ([0.1, 0.5], "one output of a convolution adds up the products of a whole kernel: inputs * height * width"),
            ([(1 / 200) ** 0.5], "the ReLU halves the mean square, so the variance is 2 / n, not 1 / n"),
            ([(2 / 250) ** 0.5], "this is Glorot's start, the mean of inputs and outputs; He et al. count the inputs only"),
            ([(2 / 10000) ** 0.5], "n is not the size of the whole weight: one output adds up only its own row"),
        ],
        wrong=[
            "def start_std(shape):\n    return 2 / math.prod(shape[1:])\n",
            "def start_std(shape):\n    return math.sqrt(2 / shape[0])\n",
            "def start_std(shape):\n    return math.sqrt(2 / shape[1])\n",
            "def start_std(shape):\n    return math.sqrt(1 / math.prod(shape[1:]))\n",
            "def start_std(shape):\n    return math.sqrt(2 / (shape[0] + shape[1]))\n",
            "def start_std(shape):\n    return math.sqrt(2 / math.prod(shape))\n",
        ],
    ),
    Exercise(
        name="5.2",
        title="The rule of batch norm",
        text="Let y = (x - mean) / std over the batch, for each feature.  What does x receive, if g arrives at y?  You know "
        "the first half from exercise 3.2: taking the mean away sends g - (mean of g).  The division by std, which "
        "depends on x too, takes away one more part, along y.  At the end, divide by std.",
        start='''\
def norm_rule(g, y, std):
    """What x receives for y = (x - mean) / std over the batch; g and y (N, features), std (features,); in NumPy."""
    return None
''',
        through=normalised,
        expected=[-0.5, 0.5, -2.5, 2.5, -0.45 / _STD[1], 0.65 / _STD[1]],
        atol=1e-9,
        hints=[
            "if all g are moved along y by the same factor, only the length of y would change, and y has a fixed length: so "
            "this part of g has no effect, and x receives nothing of it",
            "the part of g along y is y * (g * y).mean(axis=0), because the mean of y * y is 1",
        ],
        answer="""\
def norm_rule(g, y, std):
    return (g - g.mean(axis=0) - y * (g * y).mean(axis=0)) / std
""",
        usual=[
            ([-0.5, 0.5, -2.5, 2.5, -0.45, 0.65], "the division by std is missing at the end"),
            ([1.0, 2.0, 3.0, 8.0], "this treats mean and std as constants; both depend on x, and each takes a part away"),
            ([-2.5, -1.5, -0.5, 4.5], "this treats std as a constant: the part of g along y is still to be taken away"),
            ([3.0, 4.0, 1.0, 6.0], "the part of the mean is missing: take away g.mean(axis=0), too"),
            ([5.5, 6.5, -8.5, -3.5], "the share of one sample is missing: take the mean of g * y, not the sum"),
            ([-3.5, -3.5, -3.5, -3.5], "std depends on all samples: take the mean of g * y over the batch, then multiply by y"),
            ([-4.5, -3.5, 1.5, 6.5], "the sign of the part along y is wrong: it is taken away"),
            ([0.0459430585], "each feature has its own mean and its own std: use axis=0 in both means"),
        ],
        wrong=[
            "def norm_rule(g, y, std):\n    return g / std\n",
            "def norm_rule(g, y, std):\n    return (g - g.mean(axis=0)) / std\n",
            "def norm_rule(g, y, std):\n    return (g - g.mean(axis=0) - y * (g * y).sum(axis=0)) / std\n",
            "def norm_rule(g, y, std):\n    return g - g.mean(axis=0) - y * (g * y).mean(axis=0)\n",
            "def norm_rule(g, y, std):\n    return (g - g.mean(axis=0) - y * (g * y)) / std\n",
            "def norm_rule(g, y, std):\n    return (g - g.mean(axis=0) + y * (g * y).mean(axis=0)) / std\n",
            "def norm_rule(g, y, std):\n    return (g - y * (g * y).mean(axis=0)) / std\n",
            "def norm_rule(g, y, std):\n    return (g - g.mean() - y * (g * y).mean()) / std\n",
        ],
    ),
]
