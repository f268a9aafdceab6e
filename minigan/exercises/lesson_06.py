"""Exercises of lesson 6: a step of Adam, and one of Nesterov's momentum."""

import math

from minigan.exercises import Exercise


def two_steps(adam_step):
    """w, m, v after a step with the gradient 2 from 0, then after one with 1; lr 0.1, betas 0.5 and 0.75, eps 0.5."""
    state, numbers = (0.0, 0.0, 0.0), []
    for t, g in ((1, 2.0), (2, 1.0)):
        state = adam_step(state[0], g, state[1], state[2], t, 0.1, (0.5, 0.75), 0.5)
        numbers += [float(number) for number in state]
    return numbers


def along_a_parabola(nesterov_step):
    """w and b after one step and after two on 1.5 w^2, from w = 1, b = 0.5, with lr 0.1 and momentum 0.8."""
    w, b, numbers = 1.0, 0.5, []
    for _ in range(2):
        w, b = nesterov_step(w, b, lambda place: 3.0 * place, 0.1, 0.8)
        numbers += [float(w), float(b)]
    return numbers


_SECOND = 0.1 * (1 / 0.75) / (math.sqrt(1 / (1 - 0.75**2)) + 0.5)  # m = 1, v = 1 after the second step, too

EXERCISES = [
    Exercise(
        name="6.1",
        title="A step of Adam",
        text="Write one step of Adam (Kingma and Ba 2015, algorithm 1), in five lines: the two means, the two hats, the step.  "
        "t counts from 1.  Return the new w, m and v, without hats: the next step needs them as they are.",
        start='''\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    """The new (w, m, v) after step t of Adam with the gradient g; in NumPy."""
    return None
''',
        through=two_steps,
        expected=[-0.08, 1.0, 1.0, -0.08 - _SECOND, 1.0, 1.0],
        atol=1e-9,
        parts=3,
        hints=[
            "m is a mean of gradients: betas[0] * m + (1 - betas[0]) * g; v is the same with betas[1] and g**2",
            "the hats are m / (1 - betas[0]**t) and v / (1 - betas[1]**t); the step is lr * m_hat / (sqrt(v_hat) + eps)",
        ],
        answer="""\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
""",
        usual=[
            (
                "division by zero",
                "t counts from 1, so the hats need betas**t, not betas**(t - 1), which is 1 in the first step",
            ),
            ([0.08], "the sign is wrong: the step goes against the gradient"),
            ([-0.1 / 1.5], "the hats are missing: divide m by 1 - betas[0]**t, and v by 1 - betas[1]**t"),
            ([-0.2 / 1.5], "v has no hat: divide it by 1 - betas[1]**t"),
            ([-0.2 / math.sqrt(4.5)], "eps stands outside of the root"),
            ([-0.2 / 4.5], "the square root of v_hat is missing"),
            ([-0.1], "eps is missing: where a gradient has always been 0, this divides 0 by 0"),
            ([-0.2 / (math.sqrt(2) + 0.5)], "v is the mean of the *squares* of the gradients"),
            ([-0.08, 2.0, 4.0], "return m and v without their hats: the next step continues with them"),
            ([-0.08, 1.0, 1.0, -0.16], "the hats depend on t: betas**t, not betas"),
            ([1.0, 1.0, -0.08], "the parts are in the wrong order: w, m, v"),
        ],
        wrong=[
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w - lr * m / (np.sqrt(v) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w - lr * m / (1 - betas[0] ** t) / (np.sqrt(v) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = (betas[0] * m + (1 - betas[0]) * g) / (1 - betas[0] ** t)
    v = (betas[1] * v + (1 - betas[1]) * g**2) / (1 - betas[1] ** t)
    return w - lr * m / (np.sqrt(v) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w - lr * m / (1 - betas[0] ** t) / np.sqrt(v / (1 - betas[1] ** t) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g
    return w - lr * m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w - lr * m / (1 - betas[0] ** (t - 1)) / (np.sqrt(v / (1 - betas[1] ** (t - 1))) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w - lr * m / (1 - betas[0]) / (np.sqrt(v / (1 - betas[1])) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w + lr * m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return m, v, w - lr * m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w - lr * m / (1 - betas[0] ** t) / (v / (1 - betas[1] ** t) + eps), m, v
""",
            """\
def adam_step(w, g, m, v, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    return w - lr * m / (1 - betas[0] ** t) / np.sqrt(v / (1 - betas[1] ** t)), m, v
""",
        ],
    ),
    Exercise(
        name="6.2",
        title="Nesterov's momentum",
        text="As Sutskever et al. 2013 write it (equations 3 and 4): look where the momentum leads, w + momentum * b, take "
        "the gradient there, then b <- momentum * b - lr * gradient, and w <- w + b.  (Here the learning rate is inside "
        "of b.)",
        start='''\
def nesterov_step(w, b, gradient, lr, momentum):
    """The new (w, b); gradient is a function of the place."""
    return None
''',
        through=along_a_parabola,
        expected=[0.98, -0.02, 0.6748, -0.3052],
        atol=1e-9,
        parts=2,
        hints=[
            "gradient is a function: gradient(w) would be the usual momentum; Nesterov asks at another place",
            "first the new b, with the gradient at w + momentum * b; then w moves by this new b",
        ],
        answer="""\
def nesterov_step(w, b, gradient, lr, momentum):
    b = momentum * b - lr * gradient(w + momentum * b)
    return w + b, b
""",
        usual=[
            ([1.1, 0.1], "this takes the gradient at w, which is the usual momentum; take it at w + momentum * b"),
            ([0.95, -0.05], "the place to look at is w + momentum * b, not w + b"),
            ([1.82], "the sign is wrong: b goes against the gradient"),
            ([1.08], "b is to be multiplied by the momentum, too: it forgets"),
            ([1.38], "the step starts from w, not from the place that you looked at"),
            ([1.02], "b already points down: add it to w"),
            ([1.5], "w moves by the *new* b"),
            ([-2.8], "the learning rate is missing"),
            ("unsupported operand", "gradient is a function of a place: call it, gradient(w + momentum * b)"),
        ],
        wrong=[
            "def nesterov_step(w, b, gradient, lr, momentum):\n    b = momentum * b - lr * gradient(w)\n    return w + b, b\n",
            """\
def nesterov_step(w, b, gradient, lr, momentum):
    b = momentum * b - lr * gradient(w + b)
    return w + b, b
""",
            """\
def nesterov_step(w, b, gradient, lr, momentum):
    b = momentum * b + lr * gradient(w + momentum * b)
    return w + b, b
""",
            """\
def nesterov_step(w, b, gradient, lr, momentum):
    b = b - lr * gradient(w + momentum * b)
    return w + b, b
""",
            """\
def nesterov_step(w, b, gradient, lr, momentum):
    w = w + momentum * b
    b = momentum * b - lr * gradient(w)
    return w + b, b
""",
            """\
def nesterov_step(w, b, gradient, lr, momentum):
    b = momentum * b - lr * gradient(w + momentum * b)
    return w - b, b
""",
            """\
def nesterov_step(w, b, gradient, lr, momentum):
    return w + b, momentum * b - lr * gradient(w + momentum * b)
""",
            """\
def nesterov_step(w, b, gradient, lr, momentum):
    b = momentum * b - gradient(w + momentum * b)
    return w + b, b
""",
            "def nesterov_step(w, b, gradient, lr, momentum):\n    b = momentum * b - lr * gradient\n    return w + b, b\n",
        ],
    ),
]
