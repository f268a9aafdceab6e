"""Exercises of lesson 18: the hinge, and scores that are compared with a mean."""

import math

import minigan as mg
from minigan.exercises import Exercise

GRAPH = (
    "the losses must stay Tensors: after numpy(), float() or detach() there is no graph, and the players cannot learn from them"
)
ONE_NUMBER = "each loss is one number: take the mean over the samples"


def paid(losses):
    """Both losses for a = 2, 0.5, -1 and b = -3, 0.25, 1, and the slopes of their sum by a[1] and b[1]"""
    a, b = (mg.tensor(scores, dtype="float64", requires_grad=True) for scores in ([2.0, 0.5, -1.0], [-3.0, 0.25, 1.0]))
    of_D, of_G = losses(a, b)
    return [float(of_D), float(of_G), *(float(slope[1]) for slope in mg.grad(of_D + of_G, [a, b]))]


_LOSS = "def relativistic_losses(a, b):\n    loss = lambda a, b: "  # the first and the last line of wrong answers
_BOTH = "    return loss(a, b), loss(b, a)\n"
_soft = lambda t: math.log1p(math.exp(t))
_A, _B = (2.0, 0.5, -1.0), (-3.0, 0.25, 1.0)
_mean = lambda values: sum(values) / 3
_a, _b = _mean(_A), _mean(_B)
_s = lambda t: 1 / (1 + math.exp(-t))
_turn = lambda t: (_s(t) - _s(-t)) / 3  # the slope of (softplus(t) + softplus(-t)) / 3
_SLOPES = (_turn(_A[1] - _b) + _mean([_turn(_a - x) for x in _B]), _turn(_B[1] - _a) + _mean([_turn(_b - x) for x in _A]))
_D = _mean([_soft(_b - x) for x in _A]) + _mean([_soft(x - _a) for x in _B])
_G = _mean([_soft(_a - x) for x in _B]) + _mean([_soft(x - _b) for x in _A])

EXERCISES = [
    Exercise(
        name="18.1",
        title="The hinge losses",
        text="D pays E max(0, 1 - a) + E max(0, 1 + b), and G pays -E b, for D's scores a on real and b on generated samples.  "
        "Use mg.mean and mg.relu, where relu(t) = max(0, t).",
        start='''\
def hinge(a, b):
    """(loss of D, loss of G) for D's scores a on real and b on generated samples."""
    return None
''',
        through=paid,
        expected=[5.75 / 3, 1.75 / 3, -1 / 3, 0.0],
        atol=1e-9,
        parts=2,
        hints=["relu first, then the mean", "mg.mean(mg.relu(1 - a)) is the first of D's two terms"],
        answer="""\
def hinge(a, b):
    return mg.mean(mg.relu(1 - a)) + mg.mean(mg.relu(1 + b)), -mg.mean(b)
""",
        usual=[
            ("only a scalar has one gradient", ONE_NUMBER),
            ("needs exactly one element", ONE_NUMBER),
            ("leaves the graph", GRAPH),
            ("has no graph", GRAPH),
            ("not used to compute the outputs", GRAPH),
            ("'float' object", GRAPH),
            ([5.75 / 3, 4.75 / 3], "G has no hinge: it pays -E b, the same force everywhere"),
            ([5.75 / 3, -1.75 / 3], "G wants high scores of its samples, so it pays minus their mean"),
            (
                [2.75 / 3],
                "for each sample take the maximum with 0, and then the mean: D pays nothing for a score beyond the margin",
            ),
            ([2.25 / 3], "the margin of 1 is missing: without it D pays nothing if it says 0 everywhere"),
            ([(4.5 + 4.75) / 3], "the signs are turned: D wants high scores for real samples and low ones for generated ones"),
            ([2.5 / 3], "D's loss has two terms; the one on the generated samples is missing"),
            ([5.75], "these are sums over the samples; take the means"),
            ([1.75 / 3, 5.75 / 3], "the losses are in the wrong order: D's first, then G's"),
        ],
        wrong=[
            "def hinge(a, b):\n    return mg.mean(mg.relu(1 - a)) + mg.mean(mg.relu(1 + b)), mg.mean(mg.relu(1 - b))\n",
            "def hinge(a, b):\n    return mg.mean(mg.relu(1 - a)) + mg.mean(mg.relu(1 + b)), mg.mean(b)\n",
            "def hinge(a, b):\n    return mg.mean(1 - a) + mg.mean(1 + b), -mg.mean(b)\n",
            "def hinge(a, b):\n    return mg.mean(mg.relu(-a)) + mg.mean(mg.relu(b)), -mg.mean(b)\n",
            "def hinge(a, b):\n    return mg.mean(mg.relu(1 + a)) + mg.mean(mg.relu(1 - b)), -mg.mean(b)\n",
            "def hinge(a, b):\n    return mg.mean(mg.relu(1 - a)), -mg.mean(b)\n",
            "def hinge(a, b):\n    return mg.sum(mg.relu(1 - a)) + mg.sum(mg.relu(1 + b)), -mg.sum(b)\n",
            "def hinge(a, b):\n    return -mg.mean(b), mg.mean(mg.relu(1 - a)) + mg.mean(mg.relu(1 + b))\n",
            "def hinge(a, b):\n    return mg.relu(1 - a) + mg.relu(1 + b), -b\n",
            "def hinge(a, b):\n    return float(mg.mean(mg.relu(1 - a)) + mg.mean(mg.relu(1 + b))), -float(mg.mean(b))\n",
        ],
    ),
    Exercise(
        name="18.2",
        title="Compared with the average",
        text="D compares each score with the mean score of the other side: it pays E softplus(-(a - E b)) + "
        "E softplus(b - E a).  G's loss is the same with a and b exchanged.  Use mg.mean and mg.softplus.",
        start='''\
def relativistic_losses(a, b):
    """(loss of D, loss of G): D compares each score with the mean score of the other side; G wants the opposite of D."""
    return None
''',
        through=paid,
        expected=[_D, _G, *_SLOPES],
        atol=1e-9,
        parts=2,
        hints=[
            "Inside the first softplus stands mg.mean(b) - a",
            "Write D's loss as a function of (a, b); G's is that function of (b, a)",
        ],
        answer="""\
def relativistic_losses(a, b):
    loss = lambda a, b: mg.mean(mg.softplus(mg.mean(b) - a)) + mg.mean(mg.softplus(b - mg.mean(a)))
    return loss(a, b), loss(b, a)
""",
        usual=[
            ("only a scalar has one gradient", ONE_NUMBER),
            ("needs exactly one element", ONE_NUMBER),
            ("leaves the graph", GRAPH),
            ("has no graph", GRAPH),
            ("not used to compute the outputs", GRAPH),
            ("'float' object", GRAPH),
            ([_D, -_D], "G's loss is not D's with a minus: exchange a and b"),
            ([_D, _mean([_soft(_a - x) for x in _B])], "G's loss has two terms, because it contains the real samples too"),
            ([_D, _G], "the losses are right, but not their slopes: the means must stay Tensors too"),
            (
                [_mean([_soft(-x) for x in _A]) + _mean([_soft(x) for x in _B])],
                "nothing is compared: subtract the other side's mean",
            ),
            (
                [2 * _mean([_soft(y - x) for x, y in zip(_A, _B)])],
                "compare each score with the other side's mean, not with one score",
            ),
            (
                [_mean([_soft(_a - x) for x in _A]) + _mean([_soft(x - _b) for x in _B])],
                "this compares each score with its own side",
            ),
            ([_mean([_soft(_b - x) for x in _A])], "D's loss has two terms; the one on the generated samples is missing"),
            ([_soft(_b - _a) * 2], "here the mean was taken first: take softplus for each score, and then the mean"),
            ([_G, _D], "the losses are exchanged: D wants higher scores for real samples"),
        ],
        wrong=[
            """def relativistic_losses(a, b):
    of_D = mg.mean(mg.softplus(mg.mean(b) - a)) + mg.mean(mg.softplus(b - mg.mean(a)))
    return of_D, -of_D
""",
            _LOSS + "float(mg.mean(mg.softplus(mg.mean(b) - a)) + mg.mean(mg.softplus(b - mg.mean(a))))\n" + _BOTH,
            """def relativistic_losses(a, b):
    of_D = mg.mean(mg.softplus(mg.mean(b) - a)) + mg.mean(mg.softplus(b - mg.mean(a)))
    return of_D, mg.mean(mg.softplus(mg.mean(a) - b))
""",
            _LOSS + "mg.mean(mg.softplus(float(mg.mean(b)) - a)) + mg.mean(mg.softplus(b - float(mg.mean(a))))\n" + _BOTH,
            _LOSS + "mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b))\n" + _BOTH,
            _LOSS + "mg.mean(mg.softplus(b - a)) + mg.mean(mg.softplus(b - a))\n" + _BOTH,
            _LOSS + "mg.mean(mg.softplus(mg.mean(a) - a)) + mg.mean(mg.softplus(b - mg.mean(b)))\n" + _BOTH,
            _LOSS + "mg.mean(mg.softplus(mg.mean(b) - a))\n" + _BOTH,
            _LOSS + "mg.softplus(mg.mean(b) - mg.mean(a)) + mg.softplus(mg.mean(b) - mg.mean(a))\n" + _BOTH,
            _LOSS + "mg.mean(mg.softplus(mg.mean(a) - b)) + mg.mean(mg.softplus(a - mg.mean(b)))\n" + _BOTH,
            _LOSS + "mg.softplus(mg.mean(b) - a) + mg.softplus(b - mg.mean(a))\n" + _BOTH,
        ],
    ),
]
