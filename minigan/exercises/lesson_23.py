"""Exercises of lesson 23: the block with the longest gradient, and the price of one layer's gradient."""

import numpy as np

from minigan.exercises import Exercise

GRADIENTS = [np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([4.0]), np.array([-2.0, -2.0, -2.0, -2.0, -2.0]), np.array([4.2])]


def chosen(longest):
    """The block that is chosen for five sets of blocks of the same four gradients."""
    sets = ([[0, 1], [2], [3]], [[0], [1], [2], [3]], [[2], [0, 1]], [[0], [1], [2, 3]], [[3], [1], [0]])
    return [int(longest([g.copy() for g in GRADIENTS], [list(block) for block in blocks])) for blocks in sets]


def prices(price):
    """The price in a net 2-3-5-7 of the layers 0, 1 and 2, then in a net 4-6 of its only layer."""
    return [float(price(list(sizes), k)) for sizes, k in (((2, 3, 5, 7), 0), ((2, 3, 5, 7), 1), ((2, 3, 5, 7), 2), ((4, 6), 0))]


EXERCISES = [
    Exercise(
        name="23.1",
        title="The longest gradient",
        text="The number of the block whose gradient, as one vector, is longest.  gradients: arrays of any shapes; blocks: "
        "lists of places in this list.",
        start='''\
def longest(gradients, blocks):
    """The number of the block with the longest gradient.   gradients: arrays; blocks: lists of places in gradients."""
    return None
''',
        through=chosen,
        expected=[0, 2, 1, 2, 0],
        hints=[
            "for each block, add the squares of all numbers of all its gradients",
            "sum((gradients[i] ** 2).sum() for i in block) is the square of the length; np.argmax finds the largest",
        ],
        answer="""\
def longest(gradients, blocks):
    return int(np.argmax([sum((gradients[i] ** 2).sum() for i in block) for block in blocks]))
""",
        usual=[
            ([1, 2, 0, 2, 0], "this adds absolute values; the length of a vector comes from the squares"),
            ([2, 3, 1, 2, 0], "this looks at the largest number of a block; its length comes from all numbers"),
            ([0, 3], "negative numbers must not cancel positive ones: square before you add"),
            ([2, 2, 2], "this is a place in the list of gradients; the number of a *block* was asked for"),
            ([2, 0, 0, 0, 2], "this is the shortest one"),
            ([2, 3], "do not divide by the number of weights: the length of the whole block counts"),
        ],
        wrong=[
            f"def longest(gradients, blocks):\n    return {wrong}\n"
            for wrong in (
                "int(np.argmax([sum(np.abs(gradients[i]).sum() for i in block) for block in blocks]))",
                "int(np.argmax([max(np.abs(gradients[i]).max() for i in block) for block in blocks]))",
                "int(np.argmax([(g ** 2).sum() for g in gradients]))",
                "int(np.argmax([sum(gradients[i].sum() for i in block) for block in blocks]))",
                "int(np.argmin([sum((gradients[i] ** 2).sum() for i in block) for block in blocks]))",
                "int(np.argmax([np.mean([(gradients[i] ** 2).mean() for i in block]) for block in blocks]))",
            )
        ],
    ),
    Exercise(
        name="23.2",
        title="The price of one layer",
        text="The gradient by the output of a net with these sizes is known.  How many multiplications per sample lead from it "
        "to the gradient of the weights of layer k?  A layer a-b needs a*b to pass a gradient to its inputs, and a*b for its "
        "weights.",
        start='''\
def price(sizes, k):
    """Multiplications per sample, back from the output to the weights of layer k (0 is the first), and no further."""
    return None
''',
        through=prices,
        expected=[56, 50, 35, 24],
        hints=[
            "every layer after k must pass the gradient on to its inputs; layer k computes the gradient of its weights only",
            "layer j needs sizes[j] * sizes[j + 1]; add them for j = k, k + 1, ... to the last layer",
        ],
        answer="""\
def price(sizes, k):
    return sum(sizes[j] * sizes[j + 1] for j in range(k, len(sizes) - 1))
""",
        usual=[
            ([6, 15, 35, 24], "the layers behind k are missing: the gradient has to come through them first"),
            ([6, 21], "count from layer k to the *end* of the net: backward starts at the output"),
            ([50, 35, 0, 0], "layer k itself is missing: the gradient of its weights costs a*b as well"),
            ([62, 65], "layer k need not pass the gradient on to its own inputs: nobody before it is asked"),
            ([106, 85], "the later layers only pass the gradient on: nobody asks for the gradients of their weights"),
            ([56, 56], "it stops at layer k: the layers before it do nothing"),
            ([112, 100], "each layer does one thing only: the later ones pass on, layer k computes its weights"),
        ],
        wrong=[
            f"def price(sizes, k):\n    work = [a * b for a, b in zip(sizes, sizes[1:])]\n    return {wrong}\n"
            for wrong in (
                "work[k]",
                "sum(work[: k + 1])",
                "sum(work[k + 1 :])",
                "sum(work[k:]) + work[k]",
                "2 * sum(work[k + 1 :]) + work[k]",
                "sum(work)",
                "2 * sum(work[k:])",
            )
        ],
    ),
]
