"""Exercises of lesson 7: a Hessian-vector product, and the penalty of WGAN-GP."""

import numpy as np

import minigan as mg
from minigan.exercises import Exercise

GRAPH = "the gradient itself must be recorded: mg.grad(..., create_graph=True)"
LEFT = "stay with Tensors: after numpy(), float() or detach() there is nothing to differentiate"


def products(hessian_times):
    """H v for x^2 y + y^3 at (1, 2) with v = (1, 10), then for x y^2 at (3, 1) with v = (1, -1)."""
    numbers = []
    for f, place, v in (
        (lambda w: w[0] ** 2 * w[1] + w[1] ** 3, [1.0, 2.0], [1.0, 10.0]),
        (lambda w: w[0] * w[1] ** 2, [3.0, 1.0], [1.0, -1.0]),
    ):
        found = hessian_times(f, mg.tensor(place, dtype="float64", requires_grad=True), np.array(v))
        numbers += np.ravel(found.detach().numpy() if isinstance(found, mg.Tensor) else found).tolist()
    return numbers


def of_two_weights(slope_penalty):
    """The penalty for slopes of the lengths 0.6, 0.8, 5 and 0; its gradients by two weights (-999 stands for nan)."""
    weights = mg.tensor([1.0, 1.0], dtype="float64", requires_grad=True)
    x = mg.tensor([[0.6, 0.0], [0.0, 0.8], [3.0, 4.0], [0.0, 0.0]], dtype="float64", requires_grad=True)
    with np.errstate(all="ignore"):
        penalty = slope_penalty(lambda x: 0.5 * mg.sum(weights * mg.square(x), axis=1, keepdims=True), x)
        found = [float(penalty), *mg.grad(penalty, [weights])[0].tolist()]
    return [-999.0 if np.isnan(number) else number for number in found]


EXERCISES = [
    Exercise(
        name="7.1",
        title="The Hessian times a vector",
        text="Write the Hessian-vector product for a function of one vector: differentiate (gradient of f) . v once more.  "
        "mg.grad returns a tuple, also for one input, so take its only part.",
        start='''\
def hessian_times(f, w, v):
    """H v for the Hessian H of f at the Tensor w; f returns one number, v is an array of w's shape."""
    return None
''',
        through=products,
        expected=[24.0, 122.0, -2.0, -4.0],
        atol=1e-6,
        hints=[
            "(g,) = mg.grad(f(w), [w], create_graph=True) is the gradient, recorded",
            "mg.sum(g * v) is one number; its gradient by w is H v",
        ],
        answer="""\
def hessian_times(f, w, v):
    (g,) = mg.grad(f(w), [w], create_graph=True)
    return mg.grad(mg.sum(g * v), [w])[0]
""",
        usual=[
            ("has no graph", GRAPH),
            ("leaves the graph", LEFT),
            (
                "only a scalar has one gradient",
                "multiply the gradient by v and add up, then differentiate: only one number can be differentiated",
            ),
            ([4.0, 130.0], "this is the gradient times v; it must be differentiated once more"),
            ([4.0, 13.0], "this is the gradient; multiply it by v, add up, and differentiate once more"),
            ([6.0, 14.0], "v is missing: this is the Hessian times (1, 1)"),
            ([6.0, 140.0], "v must be inside, before the second derivative: each number of H v uses all numbers of v"),
            ([4.0, 120.0], "this uses only the diagonal of the Hessian"),
        ],
        wrong=[
            "def hessian_times(f, w, v):\n    (g,) = mg.grad(f(w), [w])\n    return mg.grad(mg.sum(g * v), [w])[0]\n",
            "def hessian_times(f, w, v):\n    (g,) = mg.grad(f(w), [w])\n    return g * v\n",
            """\
def hessian_times(f, w, v):
    (g,) = mg.grad(f(w), [w], create_graph=True)
    return mg.grad(mg.sum(g), [w])[0] * v
""",
            """\
def hessian_times(f, w, v):
    (g,) = mg.grad(f(w), [w], create_graph=True)
    return mg.grad(mg.sum(g), [w])[0]
""",
            """\
def hessian_times(f, w, v):
    (g,) = mg.grad(f(w), [w], create_graph=True)
    return mg.grad(g * v, [w])[0]
""",
            """\
def hessian_times(f, w, v):
    (g,) = mg.grad(f(w), [w], create_graph=True)
    return mg.grad(np.sum(g.numpy() * v), [w])[0]
""",
            "def hessian_times(f, w, v):\n    return mg.grad(f(w), [w])[0]\n",
            """\
def hessian_times(f, w, v):
    (g,) = mg.grad(f(w), [w], create_graph=True)
    return np.array([float(mg.grad(g[i], [w], retain_graph=True)[0][i]) * v[i] for i in range(len(v))])
""",
        ],
    ),
    Exercise(
        name="7.2",
        title="The penalty of WGAN-GP",
        text="Write the penalty of Gulrajani et al. 2017 (equation 3, without the weight), for a D and points x (N, features) "
        "that require gradients: the mean over the samples of (|slope| - 1)^2, where the slope is the gradient of D by "
        "that sample.  Put 1e-12 under the root.",
        start='''\
def slope_penalty(D, x):
    """The penalty, one number that can be differentiated by the weights of D."""
    return None
''',
        through=of_two_weights,
        expected=[4.3, 3.48, 6.32],
        atol=1e-5,
        hints=[
            "(s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True) holds one slope in each row",
            "the length of each row: mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12)",
        ],
        answer="""\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.mean(mg.square(mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12) - 1))
""",
        usual=[
            ("has no graph", GRAPH),
            ("leaves the graph", LEFT),
            ("only a scalar has one gradient", "D gives one number per sample: add them up, and differentiate the sum"),
            ([(26**0.5 - 1) ** 2], "this is one norm over the whole batch; each sample has its own (axis=1)"),
            ([4.3, -999.0], "the fourth sample has the slope 0, where the root has no derivative: put 1e-12 under the root"),
            ([144.3848], "the root is missing: this punishes the square of the slope for not being 1"),
            ([17.2], "this is the sum over the samples; take the mean"),
            ([6.5], "the distance from 1 is missing: this is the mean square of the slopes, as in R1"),
            ([1.987258], "the length of a slope is the root of the *sum* of its squares, not of their mean"),
            ([0.60625], "differentiate the sum of D's outputs; their mean makes each slope N times too small"),
            ([2.15], "take the length of each slope first, then its distance from 1"),
            ([0.36], "the mean comes last: each sample has its own distance from 1, and its own square"),
        ],
        wrong=[
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x])
    return mg.mean(mg.square(mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12) - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.square(mg.sqrt(mg.sum(mg.square(s)) + 1e-12) - 1)
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.mean(mg.square(mg.sqrt(mg.sum(mg.square(s), axis=1)) - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.mean(mg.square(mg.sum(mg.square(s), axis=1) - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.sum(mg.square(mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12) - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.mean(mg.sum(mg.square(s), axis=1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(D(x), [x], create_graph=True)
    return mg.mean(mg.square(mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12) - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return np.mean((np.linalg.norm(s.numpy(), axis=1) - 1) ** 2)
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.mean(mg.square(mg.sqrt(mg.mean(mg.square(s), axis=1) + 1e-12) - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.mean(D(x)), [x], create_graph=True)
    return mg.mean(mg.square(mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12) - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.mean(mg.square(s - 1))
""",
            """\
def slope_penalty(D, x):
    (s,) = mg.grad(mg.sum(D(x)), [x], create_graph=True)
    return mg.square(mg.mean(mg.sqrt(mg.sum(mg.square(s), axis=1) + 1e-12)) - 1)
""",
        ],
    ),
]
