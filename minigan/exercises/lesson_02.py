"""Exercises of lesson 2: losses of the two players."""

import minigan as mg
from minigan.exercises import Exercise

GRAPH = (
    "each loss must stay a Tensor: after numpy(), float() or detach() there is no graph, and the players cannot learn from it"
)
ONE_NUMBER = "each loss is one number: take the mean over the points"


def paid(losses):
    """For four answers on each side: both losses, and the slopes of their sum by the second answers."""
    a, b = (mg.tensor(answers, requires_grad=True) for answers in ([1.0, 0.5, 2.0, 0.0], [0.0, 3.0, 1.0, -1.0]))
    of_D, of_G = losses(a, b)
    return [float(of_D), float(of_G), *(float(slope[1]) for slope in mg.grad(of_D + of_G, [a, b]))]


EXERCISES = [
    Exercise(
        name="2.1",
        title="The least-squares losses",
        text="Mao et al. 2017 (least squares GAN, equation 9) leave the logarithm out: D wants the number 1 for real points "
        "and 0 for generated ones, G wants D to say 1, and each pays half the mean square of the difference.  "
        "Use mg.mean and mg.square.",
        start='''\
def least_squares(a, b):
    """(loss of D, loss of G) for D's answers a on real and b on generated points."""
    return None
''',
        through=paid,
        expected=[1.65625, 1.125, -0.125, 1.25],
        atol=1e-6,
        parts=2,
        hints=[
            "D pays for two kinds of mistakes, so its loss has two terms: how far a is from 1, and how far b is from 0",
            "G's loss is half the mean of (b - 1)^2",
        ],
        answer="""\
def least_squares(a, b):
    return 0.5 * mg.mean(mg.square(a - 1)) + 0.5 * mg.mean(mg.square(b)), 0.5 * mg.mean(mg.square(b - 1))
""",
        usual=[
            ("needs exactly one element", ONE_NUMBER),
            ("leaves the graph", GRAPH),
            ("has no graph", GRAPH),
            ("was not used to compute the outputs", GRAPH),
            ("'float' object is not iterable", GRAPH),
            ([1.65625, 1.125], GRAPH),
            ([3.3125], "the half of D's loss is missing: each pays half the mean square"),
            ([1.65625, 2.25], "the half of G's loss is missing: each pays half the mean square"),
            ([6.625, 4.5], "these are sums over the points; take the means"),
            ([13.25, 9.0], "these are sums over the points, without the halves; take half the means"),
            ([1.125, 1.65625], "the losses are in the wrong order: D's first, then G's"),
            ([1.65625, 1.375], "G wants D to say 1 for its points, not 0"),
            ([1.65625, -1.375], "G wants D to say 1: its loss is the distance from 1, not D's loss with a minus"),
            ([1.78125], "D wants 1 for real points and 0 for generated ones; here it is the other way round"),
            ([0.2890625], "square first, then take the mean: here errors of different signs cancel"),
            ([0.2804062], "D's answers are to be near 1 and 0 themselves, so they need no sigmoid here"),
            ([0.3125], "the squares are missing: an answer far below its target would cost less than nothing"),
            ([0.28125], "D's loss has two terms; the one on the generated points is missing"),
            ([-1.09375], "D pays for both kinds of mistakes: add its two terms"),
        ],
        wrong=[
            "def least_squares(a, b):\n    return ((a - 1)**2).mean() + (b**2).mean(), 0.5 * ((b - 1)**2).mean()\n",
            "def least_squares(a, b):\n    return 0.5 * mg.square(a - 1) + 0.5 * mg.square(b), 0.5 * mg.square(b - 1)\n",
        ],
    )
]
