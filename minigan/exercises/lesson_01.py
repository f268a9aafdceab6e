"""Exercises of lesson 1: rules for the tape."""

import inspect
import math
from types import SimpleNamespace

from minigan.exercises import Exercise
from minigan.lesson_files import definitions

TAPE = (
    "the first derivative is right, but the next one is not: `.data` or a plain number leaves the tape; compute with the Values"
)
_t = math.tanh(0.5)


def _tape(rules):
    """Value, value, gradients of the tape beside the reader's rules (in the lesson), else of the lesson's; and by(out, x):
    d out / dx as a Value, 0 if out does not depend on x."""
    beside = getattr(inspect.unwrap(rules), "__globals__", {})
    tape = SimpleNamespace(**beside) if "gradients" in beside else definitions(1, "tape-code", "walk-code")
    tape.by = lambda out, x: tape.value(tape.gradients(tape.value(out)).get(x, 0.0))
    return tape


def divided(rules):
    """Of (a / b)^2 at (3, 4): the derivatives by a, by b, by b twice, by b and a."""
    tape = _tape(rules)
    a, b = tape.Value(3.0), tape.Value(4.0)
    q = tape.Value(3 / 4, (a, b), (lambda g: rules(g, a, b)[0], lambda g: rules(g, a, b)[1]), "/")
    of_a, of_b = tape.by(q * q, a), tape.by(q * q, b)
    return [of_a.data, of_b.data, tape.by(of_b, b).data, tape.by(of_b, a).data]


def three_tanh(rule):
    """Of 3 tanh(a) at 0.5: the first three derivatives."""
    tape = _tape(rule)
    a = tape.Value(0.5)
    y = tape.Value(math.tanh(0.5), (a,), name="tanh")
    y.rules = (lambda g: rule(g, y),)
    first = tape.by(3 * y, a)
    second = tape.by(first, a)
    return [first.data, second.data, tape.by(second, a).data]


EXERCISES = [
    Exercise(
        name="1.1",
        title="Teach the tape to divide",
        text="For q = a / b: which rule sends g to a, and which one to b?  Write them with Values (*, **, -), so that the "
        "second derivative works too.  The tape itself cannot divide.",
        start='''\
def divide_rules(g, a, b):
    """The pair (what a receives, what b receives) for q = a / b."""
    return None
''',
        through=divided,
        expected=[6 / 16, -18 / 64, 54 / 256, -12 / 64],
        atol=1e-12,
        parts=2,
        hints=[
            "a / b is a * b**-1, and the tape has rules for * and for **",
            "what arrives, g, is multiplied by the local derivative: 1 / b for a, and -a / b^2 for b",
        ],
        answer="""\
def divide_rules(g, a, b):
    return g * b**-1, -(g * a * b**-2)
""",
        usual=[
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
        wrong=[
            "def divide_rules(g, a, b):\n    return g * b**-1, g * a * b**-2\n",
            "def divide_rules(g, a, b):\n    return g * b.data**-1, -g * a.data * b.data**-2\n",
            "def divide_rules(g, a, b):\n    return b**-1, -a * b**-2\n",
        ],
    ),
    Exercise(
        name="1.2",
        title="The rule of tanh, written with its output",
        text="tanh is the activation of lesson 2.  Its derivative is 1 - tanh^2: it can be written with the output alone.  "
        "Write the rule with the output y, as exp does in the lesson.",
        start='''\
def tanh_rule(g, y):
    """What a receives, for y = tanh(a)."""
    return None
''',
        through=three_tanh,
        expected=[3 * (1 - _t**2), -6 * _t * (1 - _t**2), 6 * (1 - _t**2) * (3 * _t**2 - 1)],
        atol=1e-12,
        hints=["y is tanh(a), already computed: the rule needs no tanh", "what arrives, g, is multiplied by 1 - y^2"],
        answer="""\
def tanh_rule(g, y):
    return g * (1 - y * y)
""",
        usual=[
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
        wrong=[
            "def tanh_rule(g, y):\n    return 1 - y * y\n",
            "def tanh_rule(g, y):\n    return g * (1 - y)\n",
            "def tanh_rule(g, y):\n    return g * y * (1 - y)\n",
        ],
    ),
]
