"""Exercises of lesson 14: a loss that is never flat by accident, and a slope against its noise."""

import math

import numpy as np

import minigan as mg
from minigan.exercises import Exercise

GRAPH = "the loss must stay a Tensor: after numpy(), float() or detach() there is no graph, and G cannot learn from it"
OVERFLOW = "exp(1000) is too large for any float: use mg.softplus, which never computes it"
LOG_OF_0 = "sigmoid(-1000) is 0, and its logarithm is no number: use -log sigmoid(b) = softplus(-b)"


def paid(loss):
    """The loss for the logits 2 and -1, the loss for -1000 and 1000, and its slopes by these two."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        near, far = (mg.tensor(b, dtype="float64", requires_grad=True) for b in ([2.0, -1.0], [-1000.0, 1000.0]))
        slopes = mg.grad(loss(far), [far])[0]
        return [float(loss(near)), float(loss(far)), *map(float, slopes)]


def ratios(signal):
    """The signal to noise of the slopes 1, 2, 3, 6, of the same with a minus, and of 100 slopes."""
    few = np.array([1.0, 2.0, 3.0, 6.0])
    return [float(signal(few)), float(signal(-few)), float(signal(np.tile(few, 25)))]


_soft = lambda t: math.log1p(math.exp(t))
_loss = (_soft(-2) + _soft(1)) / 2
_std = math.sqrt(3.5)  # of 1, 2, 3, 6, whose mean is 3

EXERCISES = [
    Exercise(
        name="14.1",
        title="A loss that is never flat by accident",
        text="Write the non-saturating loss of G, the mean of -log sigmoid(b) over the logits b.  It must be finite, with the "
        "right slopes, even at b = 1000 and b = -1000.",
        start='''\
def loss_of_G(b):
    """The mean of -log sigmoid(b) over the logits b, a Tensor; finite for every b."""
    return None
''',
        through=paid,
        expected=[_loss, 500.0, -0.5, 0.0],
        atol=1e-6,
        hints=[
            "Write sigmoid(b) as a fraction, take the logarithm, and look for log(1 + exp(...))",
            "-log sigmoid(b) = softplus(-b)",
        ],
        answer="""\
def loss_of_G(b):
    return mg.mean(mg.softplus(-b))
""",
        usual=[
            ("divide by zero", LOG_OF_0),
            ("invalid value", LOG_OF_0),
            ("overflow", OVERFLOW),
            ("only a scalar has one gradient", "the loss is one number: take the mean over the logits"),
            ("leaves the graph", GRAPH),
            ("has no graph", GRAPH),
            ("not used to compute the outputs", GRAPH),
            ("'float' object", GRAPH),
            ([(_soft(2) + _soft(-1)) / 2], "this is softplus(b), what D pays for generated samples; G wants the other sign"),
            ([-(_soft(2) + _soft(-1)) / 2], "this is the saturating loss, log(1 - sigmoid(b)); it is flat where D is sure"),
            ([-_loss], "the sign is turned: the loss falls when b grows"),
            ([2 * _loss], "this is the sum over the logits; take the mean"),
            ([_loss], "the loss is right for small logits, but not for those of 1000: the number for safety makes it flat"),
        ],
        wrong=[
            "def loss_of_G(b):\n    return -mg.mean(mg.log(mg.sigmoid(b)))\n",
            "def loss_of_G(b):\n    return -mg.mean(mg.log(mg.sigmoid(b) + 1e-8))\n",
            "def loss_of_G(b):\n    return mg.mean(mg.log(1 + mg.exp(-b)))\n",
            "def loss_of_G(b):\n    return mg.mean(mg.softplus(b))\n",
            "def loss_of_G(b):\n    return -mg.mean(mg.softplus(b))\n",
            "def loss_of_G(b):\n    return -mg.mean(mg.softplus(-b))\n",
            "def loss_of_G(b):\n    return mg.sum(mg.softplus(-b))\n",
            "def loss_of_G(b):\n    return mg.softplus(-b)\n",
            "def loss_of_G(b):\n    return mg.mean(mg.softplus(-b.detach()))\n",
            "def loss_of_G(b):\n    return float(mg.mean(mg.softplus(-b)))\n",
        ],
    ),
    Exercise(
        name="14.2",
        title="Signal and noise",
        text="An array holds the slopes that N single numbers give.  Return the size of their mean, divided by the standard "
        "deviation of the mean: that of a single slope, divided by the square root of N.",
        start='''\
def signal_to_noise(slopes):
    """|mean| / (standard deviation of the mean), for an array of N slopes, each from a number of its own."""
    return None
''',
        through=ratios,
        expected=[3 / _std * 2, 3 / _std * 2, 3 / _std * 10],
        atol=1e-9,
        hints=["np.mean, np.std and np.sqrt are enough", "The mean of four times as many slopes has half the noise"],
        answer="""\
def signal_to_noise(slopes):
    return abs(np.mean(slopes)) / (np.std(slopes) / np.sqrt(len(slopes)))
""",
        usual=[
            ([3 / _std * 2, -3 / _std * 2], "the size of the mean is wanted, without its sign: abs"),
            ([3 / _std], "this is the noise of one slope; that of a mean of N is smaller by the square root of N"),
            ([3 / _std * 4], "the noise of a mean falls with the square root of N, not with N"),
            ([3 / _std / 2], "the square root of N is on the wrong side: more slopes give a clearer signal"),
            ([_std / 2 / 3], "this is noise divided by signal; turn the fraction over"),
            ([3 / 3.5 * 2], "divide by the standard deviation, not by its square, the variance"),
            ([6 / math.sqrt(14 / 3)], "use np.std as it is, with N in its mean: here N - 1 was used"),
        ],
        wrong=[
            "def signal_to_noise(slopes):\n    return np.mean(slopes) / (np.std(slopes) / np.sqrt(len(slopes)))\n",
            "def signal_to_noise(slopes):\n    return abs(np.mean(slopes)) / np.std(slopes)\n",
            "def signal_to_noise(slopes):\n    return abs(np.mean(slopes)) / (np.std(slopes) / len(slopes))\n",
            "def signal_to_noise(slopes):\n    return abs(np.mean(slopes)) / (np.std(slopes) * np.sqrt(len(slopes)))\n",
            "def signal_to_noise(slopes):\n    return np.std(slopes) / np.sqrt(len(slopes)) / abs(np.mean(slopes))\n",
            "def signal_to_noise(slopes):\n    return abs(np.mean(slopes)) / (np.var(slopes) / np.sqrt(len(slopes)))\n",
            "def signal_to_noise(slopes):\n    return abs(np.mean(slopes)) / (np.std(slopes, ddof=1) / np.sqrt(len(slopes)))\n",
        ],
    ),
]
