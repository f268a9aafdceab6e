"""Exercises of lesson 13: the best D, and the distance that it measures."""

import math

import numpy as np

from minigan.exercises import Exercise


def logits(function):
    """the logits for the densities p = 0.1, 0.4, 0.2 and q = 0.3, 0.1, 0.2"""
    return [float(logit) for logit in function(np.array([0.1, 0.4, 0.2]), np.array([0.3, 0.1, 0.2]))]


def divergences(function):
    """JS of (1/2, 1/2) and (1/4, 3/4), of (1, 0) and (0, 1), and of a list with itself"""
    pairs = [([0.5, 0.5], [0.25, 0.75]), ([1, 0], [0, 1]), ([0.2, 0, 0.8], [0.2, 0, 0.8])]
    with np.errstate(divide="raise", invalid="raise"):
        return [float(function(np.array(p, float), np.array(q, float))) for p, q in pairs]


def _kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q))


_P, _Q, _R = (0.5, 0.5), (0.25, 0.75), (0.375, 0.625)
_JS = 0.5 * _kl(_P, _R) + 0.5 * _kl(_Q, _R)
_ZEROS = "a probability is 0 there, and 0 ln 0 counts as 0: leave the places out where it is 0 before you take the logarithm"

EXERCISES = [
    Exercise(
        name="13.1",
        title="The logits of the best D",
        text="The best D answers p / (p + q), where p and q are the densities of real and of generated samples.  Return its "
        "logits, that is log(D / (1 - D)).",
        start='''\
def logit_of_best(p, q):
    """The logits of the best D, for the densities p of real and q of generated samples (arrays of positive numbers)."""
    return None
''',
        through=logits,
        expected=[math.log(1 / 3), math.log(4), 0.0],
        atol=1e-9,
        usual=[
            ([0.25, 0.8], "this is D itself, a probability; the exercise asks for its logit, log(D / (1 - D))"),
            ([math.log(3), -math.log(4)], "the sign is turned: where real samples are denser, the logit is positive"),
            ([math.log(0.25), math.log(0.8)], "this is log D; the logit is log(D / (1 - D)), so divide by 1 - D first"),
            ([1 / 3, 4.0], "this is D / (1 - D); its logarithm is missing"),
            ([-0.2, 0.3], "take the difference of the logarithms of the densities, not of the densities"),
            ([math.log10(1 / 3)], "logits use the natural logarithm, np.log"),
        ],
        hints=["Write 1 - D as one fraction, then divide D by it: what cancels?", "D / (1 - D) = p / q."],
        answer="""\
def logit_of_best(p, q):
    return np.log(p) - np.log(q)
""",
        wrong=[
            "def logit_of_best(p, q):\n    return p / (p + q)\n",
            "def logit_of_best(p, q):\n    return np.log(q / p)\n",
            "def logit_of_best(p, q):\n    return np.log(p / (p + q))\n",
            "def logit_of_best(p, q):\n    return p / q\n",
            "def logit_of_best(p, q):\n    return p - q\n",
            "def logit_of_best(p, q):\n    return np.log10(p / q)\n",
        ],
    ),
    Exercise(
        name="13.2",
        title="The Jensen-Shannon divergence",
        text="Return JS(p, q) = (KL(p, r) + KL(q, r)) / 2 in nats, where r = (p + q) / 2 and KL(p, r) is the sum of "
        "p ln(p / r).  Some probabilities are 0: there p ln(p / r) counts as 0, and NumPy must not divide by zero on the way.",
        start='''\
def jensen_shannon(p, q):
    """JS in nats of the probabilities p and q (arrays of the same length, each sums to 1; zeros are allowed)."""
    return None
''',
        through=divergences,
        expected=[_JS, math.log(2), 0.0],
        atol=1e-9,
        usual=[
            ("divide by zero", _ZEROS),
            ("invalid value", _ZEROS),
            ([_kl(_P, _Q)], "this is KL(p, q); compare p and q with their middle r = (p + q) / 2"),
            ([0.5 * _kl(_P, _Q) + 0.5 * _kl(_Q, _P)], "compare p and q with their middle r, not with each other"),
            ([_kl(_P, _R)], "this is KL(p, r); take the mean of KL(p, r) and KL(q, r)"),
            ([2 * _JS], "this is the sum of the two divergences; take half of it"),
            ([_JS / math.log(2)], "this is in bits; nats need the natural logarithm, np.log"),
            ([-_JS], "the sign is turned: a divergence is never negative"),
            ([0.5 * _kl(_R, _P) + 0.5 * _kl(_R, _Q)], "r belongs below the line: KL(p, r) is the sum of p ln(p / r)"),
            ([_JS / 2], "this is a mean over the places; a divergence is a sum over them"),
        ],
        hints=[
            "Write a small function kl(a, r) first, and use it twice.",
            "With `some = a > 0`, a[some] and r[some] leave out the places where a is 0.  r is 0 only where both are.",
        ],
        answer="""\
def jensen_shannon(p, q):
    r = (p + q) / 2
    kl = lambda a: np.sum(a[a > 0] * np.log(a[a > 0] / r[a > 0]))
    return (kl(p) + kl(q)) / 2
""",
        wrong=[
            "def jensen_shannon(p, q):\n    r = (p + q) / 2\n    return np.sum(p * np.log(p / r) + q * np.log(q / r)) / 2\n",
            "def jensen_shannon(p, q):\n    some = p > 0\n    return np.sum(p[some] * np.log(p[some] / (q[some] + 1e-300)))\n",
            """def jensen_shannon(p, q):
    p, q = p + 1e-300, q + 1e-300
    return np.sum(p * np.log(p / q) + q * np.log(q / p)) / 2
""",
            "def jensen_shannon(p, q):\n    p, r = p[p > 0], ((p + q) / 2)[p > 0]\n    return np.sum(p * np.log(p / r))\n",
            """def jensen_shannon(p, q):
    p, q = p + 1e-300, q + 1e-300
    return np.sum(p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q)))
""",
            """def jensen_shannon(p, q):
    p, q = p + 1e-300, q + 1e-300
    return np.sum(p * np.log2(2 * p / (p + q)) + q * np.log2(2 * q / (p + q))) / 2
""",
            """def jensen_shannon(p, q):
    p, q = p + 1e-300, q + 1e-300
    return np.sum(p * np.log((p + q) / (2 * p)) + q * np.log((p + q) / (2 * q))) / 2
""",
            """def jensen_shannon(p, q):
    p, q = p + 1e-300, q + 1e-300
    r = (p + q) / 2
    return np.sum(r * np.log(r / p) + r * np.log(r / q)) / 2
""",
            """def jensen_shannon(p, q):
    p, q = p + 1e-300, q + 1e-300
    return np.mean(p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))) / 2
""",
        ],
    ),
]
