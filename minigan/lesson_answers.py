"""Wrong answers that readers usually give to the exercises of the lessons, and the sentence that each of them gets.

USUAL       {exercise: pairs (what the answer gives, what to say)}          ERRORS      pairs for every exercise
What an answer gives: the first numbers that the exercise's check computes from it, or words of the error that it causes.
They do not stand in the lessons, because a reader would read there what to avoid before thinking about it.
Elsewhere: the exercises and their checks (lessons/), how an answer is judged (lesson.py).
"""

import math

TAPE = (
    "the first derivative is right, but the next one is not: `.data` or a plain number leaves the tape; compute with the Values"
)
GRAPH = (
    "each loss must stay a Tensor: after numpy(), float() or detach() there is no graph, and the players cannot learn from it"
)
ONE_NUMBER = "each loss is one number: take the mean over the points"

_t = math.tanh(0.5)

USUAL: dict[str, list] = {
    "1.1": [  # of (a / b)^2 at (3, 4): by a, by b, by b twice, by b and a
        ("operand type(s) for /", "the tape cannot divide yet, you are teaching it: write 1 / b as b**-1"),
        ([6 / 16, -18 / 64], TAPE),
        ([6 / 16, 18 / 64], "the sign of what b receives is wrong: a / b becomes smaller when b grows"),
        ([-6 / 16], "the sign of what a receives is wrong: a / b grows with a"),
        ([1 / 4, -3 / 16], "g is missing: what arrives is multiplied by the local derivative"),
        ([-18 / 64, 6 / 16], "the parts are in the wrong order: first what a receives, then what b receives"),
        ([6 / 16, -6 / 64], "what b receives depends on a too: you have differentiated 1 / b, not a / b"),
        ([6 / 16, -18 / 16], "the power of b is wrong in what b receives: the derivative of b**-1 is -b**-2"),
        ([6.0, 4.5], "these are the rules of a product; write a / b as a * b**-1 and differentiate that"),
        ([4.5, 6.0], "these look like the rules of a product; write a / b as a * b**-1 and differentiate that"),
    ],
    "1.2": [  # of 3 tanh(a) at 0.5: the first three derivatives
        ([3 * (1 - _t**2)], TAPE),
        ([1 - _t**2], "g is missing: what arrives is multiplied by the local derivative"),
        ([3 * (1 - _t)], "the square is missing: the derivative is 1 - tanh^2, not 1 - tanh"),
        ([3 * _t**2], "this is tanh^2; the derivative is 1 minus that"),
        ([3 * (1 + _t**2)], "a sign is wrong: the derivative is 1 minus tanh^2"),
        ([-3 * (1 - _t**2)], "the sign is wrong: tanh grows, so its derivative is positive"),
        ([3 * (1 - math.tanh(_t) ** 2)], "y is tanh(a) already; do not apply tanh to it again"),
        ([3 * _t], "this is the rule of exp, whose derivative is its output; the derivative of tanh is 1 - tanh^2"),
        ([3 * _t * (1 - _t)], "this is the rule of the sigmoid; the derivative of tanh is 1 - tanh^2"),
    ],
    "2.1": [  # the losses of D and of G, two slopes of their sum; a = 1, 0.5, 2, 0 and b = 0, 3, 1, -1
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
}

ERRORS = [
    ("operand type(s) for ^", "in Python a power is written **, and ^ is something else"),
    ("^ and ~ need booleans", "in Python a power is written **, and ^ is something else"),
    ("must be real number", "the functions of `math` know only plain numbers; use operators, or the functions of this lesson"),
    ("is not defined", "it uses a name that does not exist here; look for a typing mistake"),
]
