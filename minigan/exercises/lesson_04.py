"""Exercises of lesson 4: what the input and the kernel of a convolution receive."""

import numpy as np

from minigan.exercises import Exercise

_G = np.array([1.0, 2.0, 4.0])


def of_input(rule):
    """For g = (1, 2, 4), kernel (1, 10, 100), stride 2: what 7 inputs receive, and with padding 1 what 5 and 6 receive."""
    kernel = np.array([1.0, 10.0, 100.0])
    found = [np.asarray(rule(_G.copy(), kernel.copy(), size, 2, p), float) for size, p in ((7, 0), (5, 1), (6, 1))]
    return [number for array in found for number in array.ravel().tolist()]


def of_kernel(rule):
    """For g = (1, 2, 4), stride 2: what a kernel of 3 receives from x = 1 ... 7, then from x = 1 ... 5 with padding 1."""
    found = [np.asarray(rule(_G.copy(), np.arange(1.0, n + 1), 3, 2, p), float) for n, p in ((7, 0), (5, 1))]
    return [number for array in found for number in array.ravel().tolist()]


EXERCISES = [
    Exercise(
        name="4.1",
        title="The gradient of a convolution's input",
        text="In one dimension, y[o] is the sum over r of x[o * stride + r - padding] * w[r], and x is zero in the padding.  "
        "Write what x receives, with NumPy: each g[o] lays down a stamp, the kernel times itself.  First stamp on zeros that "
        "have room for the padding, then cut the padding off.  `size` is the length of x.",
        start='''\
def input_gradient(g, w, size, stride, padding):
    """What x of this size receives for y = slide(x, w, stride, padding), where g arrives at y."""
    return None
''',
        through=of_input,
        expected=[1, 10, 102, 20, 204, 40, 400, 10, 102, 20, 204, 40, 10, 102, 20, 204, 40, 400],
        atol=1e-9,
        hints=[
            "start with np.zeros(size + 2 * padding); the stamp of g[o] begins at o * stride and has len(w) numbers",
            "stamps overlap, so add (+=); at the end return the numbers from padding to padding + size",
        ],
        answer="""\
def input_gradient(g, w, size, stride, padding):
    received = np.zeros(size + 2 * padding)
    for o in range(len(g)):
        received[o * stride : o * stride + len(w)] += g[o] * w
    return received[padding : padding + size]
""",
        usual=[
            ([1, 10, 2, 20, 4, 40, 400], "where stamps overlap they add up: use += and not ="),
            ([100, 10, 201], "the kernel is laid down backwards: input o * stride + r was used with w[r]"),
            ([1, 12], "the stamp of g[o] begins at o * stride, not at o"),
            (
                [1, 10, 102, 20, 204, 40, 400, 1, 10, 102],
                "the padding is not cut off on the left: return received[padding : padding + size]",
            ),
            ([1, 10, 101, 10, 101, 10, 100], "a stamp is the kernel times g[o]; here g[o] is missing"),
            (
                "doesn't match the broadcast shape",
                "a stamp has len(w) numbers, from o * stride to o * stride + len(w), and the zeros need room for the padding",
            ),
        ],
        wrong=[
            """\
def input_gradient(g, w, size, stride, padding):
    received = np.zeros(size + 2 * padding)
    for o in range(len(g)):
        received[o * stride : o * stride + len(w)] = g[o] * w
    return received[padding : padding + size]
""",
            """\
def input_gradient(g, w, size, stride, padding):
    received = np.zeros(size + 2 * padding)
    for o in range(len(g)):
        received[o * stride : o * stride + len(w)] += g[o] * w[::-1]
    return received[padding : padding + size]
""",
            """\
def input_gradient(g, w, size, stride, padding):
    received = np.zeros(size + 2 * padding)
    for o in range(len(g)):
        received[o : o + len(w)] += g[o] * w
    return received[padding : padding + size]
""",
            """\
def input_gradient(g, w, size, stride, padding):
    received = np.zeros(size + 2 * padding)
    for o in range(len(g)):
        received[o * stride : o * stride + len(w)] += w
    return received[padding : padding + size]
""",
            """\
def input_gradient(g, w, size, stride, padding):
    received = np.zeros(size + 2 * padding)
    for o in range(len(g)):
        received[o * stride : o * stride + len(w)] += g[o] * w
    return received
""",
            """\
def input_gradient(g, w, size, stride, padding):
    received = np.zeros(size)
    for o in range(len(g)):
        received[o * stride : o * stride + len(w)] += g[o] * w
    return received
""",
        ],
    ),
    Exercise(
        name="4.2",
        title="The gradient of a kernel",
        text="In one dimension, y[o] is the sum over r of x[o * stride + r - padding] * w[r], and x is zero in the padding.  "
        "Write what w receives, with NumPy: w[r] was used at every place o.  `size` is the length of w.",
        start='''\
def weight_gradient(g, x, size, stride, padding):
    """What a kernel w of this size receives for y = slide(x, w, stride, padding), where g arrives at y."""
    return None
''',
        through=of_kernel,
        expected=[27, 34, 41, 20, 27, 10],
        atol=1e-9,
        hints=[
            "np.pad(x, padding) puts the zeros on both sides; then place o begins at o * stride",
            "w[r] receives the sum over o of g[o] * x[o * stride + r]: these x are x[r], x[r + stride], ..., len(g) of them",
        ],
        answer="""\
def weight_gradient(g, x, size, stride, padding):
    x = np.pad(x, padding)
    return np.array([g @ x[r : r + stride * len(g) : stride][: len(g)] for r in range(size)])
""",
        usual=[
            ([41, 34, 27], "the result is backwards: w[r] was used next to x[o * stride + r]"),
            ([17, 24, 31], "place o begins at o * stride, not at o"),
            ([9, 12, 15], "g is missing: each x counts as often as its g[o] says"),
            ([9, 34 / 3, 41 / 3], "the contributions of the places add up: take the sum, not the mean"),
            ([20, 24, 28], "only the last place is kept: the contributions of all places add up (+=)"),
            (
                "mismatch in its core dimension",
                "for each r exactly len(g) numbers of x are needed, `stride` apart; pad x first",
            ),
            ("out of bounds", "o * stride + r points beyond x: pad x first"),
        ],
        wrong=[
            """\
def weight_gradient(g, x, size, stride, padding):
    x = np.pad(x, padding)
    return np.array([sum(g[o] * x[o + r] for o in range(len(g))) for r in range(size)])
""",
            """\
def weight_gradient(g, x, size, stride, padding):
    x = np.pad(x, padding)
    return np.array([sum(g[o] * x[o * stride + r] for o in range(len(g))) for r in range(size)])[::-1]
""",
            """\
def weight_gradient(g, x, size, stride, padding):
    x = np.pad(x, padding)
    return np.array([sum(x[o * stride + r] for o in range(len(g))) for r in range(size)])
""",
            """\
def weight_gradient(g, x, size, stride, padding):
    x = np.pad(x, padding)
    return np.array([np.mean([g[o] * x[o * stride + r] for o in range(len(g))]) for r in range(size)])
""",
            """\
def weight_gradient(g, x, size, stride, padding):
    x = np.pad(x, padding)
    received = np.zeros(size)
    for o in range(len(g)):
        received = g[o] * x[o * stride : o * stride + size]
    return received
""",
            """\
def weight_gradient(g, x, size, stride, padding):
    return np.array([g @ x[r : r + stride * len(g) : stride] for r in range(size)])
""",
            """\
def weight_gradient(g, x, size, stride, padding):
    return np.array([sum(g[o] * x[o * stride + r] for o in range(len(g))) for r in range(size)])
""",
        ],
    ),
]
