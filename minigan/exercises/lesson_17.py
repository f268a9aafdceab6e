"""Exercises of lesson 17: counting modes."""

import math

import numpy as np

from minigan.exercises import Exercise

_SHARES = "def reverse_kl_of(counts):\n    q = counts[counts > 0] / counts.sum()\n"  # the first lines of wrong answers
ZEROS = "some counts are 0, and 0 ln 0 counts as 0: leave these modes out before you take the logarithm"


def counts_of(captured_modes):
    """The captured modes for samples at three of four centres, for samples that are only near, and for 200 samples at one"""
    centres, std = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]]), 0.1
    good = np.array([[0.05, 0.0], [0.0, 0.1], [0.25, 0.0], [3.0, 0.2], [0.2, 3.2], [2.0, 2.0]])
    near = centres + np.array([0.25, 0.25])  # each coordinate within 3 std, but not the distance
    many = np.tile([[3.0, 3.0]], (200, 1))
    return [int(captured_modes(samples, centres, std)) for samples in (good, near, many)]


def divergences(reverse_kl_of):
    """For the counts 30, 10, 0, 0 (of 4 modes), for 5, 5 and for 7, 0"""
    with np.errstate(divide="raise", invalid="raise"):
        return [float(reverse_kl_of(np.array(counts))) for counts in ([30, 10, 0, 0], [5, 5], [7, 0])]


_entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
_kl = math.log(4) - _entropy

EXERCISES = [
    Exercise(
        name="17.1",
        title="Captured modes",
        text="Return how many centres have at least one of the samples within three standard deviations: the distance in the "
        "plane, not each coordinate.",
        start='''\
def captured_modes(samples, centres, std):
    """How many of the centres (K, d) have one of the samples (N, d) within 3 std."""
    return None
''',
        through=counts_of,
        expected=[3, 0, 1],
        hints=[
            "samples[:, None] - centres has the shape (N, K, d); np.linalg.norm(..., axis=2) gives all distances (N, K)",
            "A centre counts if any of its N distances is at most 3 * std",
        ],
        answer="""\
def captured_modes(samples, centres, std):
    distances = np.linalg.norm(samples[:, None] - centres, axis=2)
    return np.sum((distances <= 3 * std).any(axis=0))
""",
        usual=[
            (
                "operands could not be broadcast",
                "samples and centres are not equally many: samples[:, None] - centres has all differences",
            ),
            ([3, 4], "each coordinate is within 3 std, but the distance is not: take the norm of the difference"),
            ([4], "every sample counts here for its nearest centre, also a bad one: check that it is within 3 std"),
            ([5], "this is the number of good samples; count the centres that have one"),
            ([1, 0, 1], "here a sample is good within one standard deviation; it must be three"),
        ],
        wrong=[
            """def captured_modes(samples, centres, std):
    return np.sum(np.linalg.norm(samples - centres, axis=1) <= 3 * std)
""",
            """def captured_modes(samples, centres, std):
    return np.sum((np.abs(samples[:, None] - centres) <= 3 * std).all(axis=2).any(axis=0))
""",
            """def captured_modes(samples, centres, std):
    return len(set(np.linalg.norm(samples[:, None] - centres, axis=2).argmin(axis=1)))
""",
            """def captured_modes(samples, centres, std):
    return np.sum(np.linalg.norm(samples[:, None] - centres, axis=2) <= 3 * std)
""",
            """def captured_modes(samples, centres, std):
    return np.sum((np.linalg.norm(samples[:, None] - centres, axis=2) <= std).any(axis=0))
""",
        ],
    ),
    Exercise(
        name="17.2",
        title="Reverse KL",
        text="From the numbers of samples at each of K modes, compute the reverse KL in nats: with the shares q_k, the sum of "
        "q_k ln(K q_k).  Some counts are 0: there 0 ln 0 counts as 0.",
        start='''\
def reverse_kl_of(counts):
    """KL(shares, uniform) in nats, for the numbers of samples at each of K modes (an array; zeros are allowed)."""
    return None
''',
        through=divergences,
        expected=[_kl, 0.0, math.log(2)],
        atol=1e-9,
        hints=[
            "The shares are counts / counts.sum(), and K is len(counts)",
            "Keep only the shares above 0, but K stays what it is",
        ],
        answer="""\
def reverse_kl_of(counts):
    q = counts[counts > 0] / counts.sum()
    return np.sum(q * np.log(len(counts) * q))
""",
        usual=[
            ("divide by zero", ZEROS),
            ("invalid value", ZEROS),
            ([math.log(2) - _entropy], "K is the number of all modes, also of those without samples: len(counts)"),
            ([-_entropy], "K is missing: compare each share with 1 / K, so take ln(K q)"),
            ([_entropy], "this is the entropy of the shares; the reverse KL is ln K minus that"),
            ([-_kl], "the sign is turned: a divergence is never negative"),
            ([_kl / math.log(2)], "this is in bits; nats need the natural logarithm, np.log"),
            ([40 * _kl], "the weights are the shares, which sum to 1, not the counts"),
            ([_kl / 2], "a divergence is a sum over the modes, not a mean"),
        ],
        wrong=[
            "def reverse_kl_of(counts):\n    q = counts / counts.sum()\n    return np.sum(q * np.log(len(q) * q))\n",
            _SHARES + "    return np.sum(q * np.log(len(q) * q))\n",
            _SHARES + "    return np.sum(q * np.log(q))\n",
            _SHARES + "    return -np.sum(q * np.log(q))\n",
            _SHARES + "    return -np.sum(q * np.log(len(counts) * q))\n",
            _SHARES + "    return np.sum(q * np.log2(len(counts) * q))\n",
            """def reverse_kl_of(counts):
    some = counts[counts > 0]
    return np.sum(some * np.log(len(counts) * some / counts.sum()))
""",
            _SHARES + "    return np.mean(q * np.log(len(counts) * q))\n",
        ],
    ),
]
