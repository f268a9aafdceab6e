"""The table of ops at order 1 and 2 on a grid of special points, against PyTorch; and in every memory layout.

Elementwise ops take each of VALUES (0, -0, tiny, 1, large, inf, nan; binary ops every pair), the others small arrays of them:
ties, infinities, NaN.  Every difference from PyTorch stands in DIFFERENT with its reason, and nothing else may stand there.
docs/edges.md has the summary.  The second part needs no PyTorch: every case of optable.py in other layouts gives the same.
"""

import math
import warnings

import numpy as np
import pytest

import minigan as mg
from minigan import optable
from minigan.nn import functional as F

INF, NAN = math.inf, math.nan
VALUES = [0.0, -0.0, 1e-30, -1e-30, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 18.0, -18.0, 1e4, -1e4, 1e8, -1e8, INF, -INF, NAN]
FEW = [0.0, -0.0, 1e-30, 1.0, -1.0, 2.0, 1e8, INF, -INF, NAN]
ROWS = [
    [1.0, 1.0, 1.0],
    [0.0, -0.0, 0.0],
    [1e8, 1e8, 1.0],
    [-1e8, 1e8, 0.0],
    [INF, 1.0, 2.0],
    [-INF, 1.0, 2.0],
    [NAN, 1.0, 2.0],
    [-INF, -INF, -INF],
    [INF, INF, 0.0],
    [1e-30, 0.0, -1e-30],
    [0.0, 2.0, 0.0],
    [0.0, 3.0, 5.0],
    [4.0, 4.0, 2.0],
]
IMAGES = (
    np.array([[0, 1, 1, 0], [1, 1, 2, 2], [INF, 1, -INF, -INF], [2, INF, -INF, -INF], [NAN, 1, 3, 3], [0, NAN, 3, 0]] * 2)
    .reshape(1, 2, 6, 4)
    .astype(float)
)

# name: (ours, torch's: a name, or a function of (torch, *tensors))
UNARY = {
    **{
        name: (getattr(mg, name), name)
        for name in (
            "negative reciprocal square sqrt exp expm1 log log1p sin cos tan arcsin arccos arctan sinh cosh tanh sign floor "
            "round abs sigmoid erf relu"
        ).split()
    },
    "softplus": (mg.softplus, lambda T, x: T.nn.functional.softplus(x, threshold=1e9)),
    "F.softplus": (F.softplus, lambda T, x: T.nn.functional.softplus(x)),
    "logsigmoid": (F.logsigmoid, lambda T, x: T.nn.functional.logsigmoid(x)),
    "silu": (mg.silu, lambda T, x: T.nn.functional.silu(x)),
    "gelu": (mg.gelu, lambda T, x: T.nn.functional.gelu(x)),
    "elu": (mg.elu, lambda T, x: T.nn.functional.elu(x)),
    "leaky_relu": (mg.leaky_relu, lambda T, x: T.nn.functional.leaky_relu(x)),
    "clip": (lambda x: mg.clip(x, -1, 1), lambda T, x: T.clamp(x, -1, 1)),
    "power 2": (lambda x: x**2, lambda T, x: x**2),
    "power 0": (lambda x: x**0, lambda T, x: x**0),
    "power 1": (lambda x: x**1, lambda T, x: x**1),
    "power -1": (lambda x: x**-1, lambda T, x: x**-1),
    "power 0.5": (lambda x: x**0.5, lambda T, x: x**0.5),
    "2 to the power": (lambda x: 2.0**x, lambda T, x: 2.0**x),
    "0 to the power": (lambda x: 0.0**x, lambda T, x: 0.0**x),
}
BINARY = {
    **{name: (getattr(mg, name), name) for name in "add subtract multiply divide maximum minimum logaddexp".split()},
    "power": (mg.power, "pow"),
    "where": (lambda a, b: mg.where(a.data > b.data, a, b), lambda T, a, b: T.where(a > b, a, b)),
    "clip at a": (lambda x, a: mg.clip(x, a), lambda T, x, a: T.clamp(x, a)),
}
REDUCED = {
    **{
        name: (lambda x, name=name: getattr(mg, name)(x, 1), lambda T, x, name=name: getattr(T, name)(x, 1))
        for name in ("sum mean prod cumsum softmax log_softmax logsumexp").split()
    },
    "max": (lambda x: mg.stack([mg.max(row) for row in x]), lambda T, x: T.stack([row.max() for row in x])),
    "min": (lambda x: mg.stack([mg.min(row) for row in x]), lambda T, x: T.stack([row.min() for row in x])),
    "norm": (lambda x: mg.norm(x, 1), lambda T, x: T.linalg.vector_norm(x, dim=1)),
    "var": (lambda x: mg.var(x, 1), lambda T, x: x.var(1, unbiased=False)),
    "std": (lambda x: mg.std(x, 1), lambda T, x: x.std(1, unbiased=False)),
    "layer_norm": (lambda x: F.layer_norm(x, 3), lambda T, x: T.nn.functional.layer_norm(x, (3,))),
    "cross_entropy": (
        lambda x: F.cross_entropy(x, np.arange(len(ROWS)) % 3, reduction="none"),
        lambda T, x: T.nn.functional.cross_entropy(x, T.arange(len(ROWS)) % 3, reduction="none"),
    ),
}
POOLS = {
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), lambda T, x: T.nn.functional.max_pool2d(x, 2)),
    "max_pool2d dilated": (lambda x: F.max_pool2d(x, 2, 1, 1, 2), lambda T, x: T.nn.functional.max_pool2d(x, 2, 1, 1, 2)),
    "max_pool2d overlapping": (lambda x: F.max_pool2d(x, 3, 2, 1), lambda T, x: T.nn.functional.max_pool2d(x, 3, 2, 1)),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2), lambda T, x: T.nn.functional.avg_pool2d(x, 2)),
}
NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
GRIDS = {
    **{name: (*pair, [VALUES]) for name, pair in UNARY.items()},
    **{name: (*pair, [np.repeat(FEW, len(FEW)), np.tile(FEW, len(FEW))]) for name, pair in BINARY.items()},
    **{name: (*pair, [ROWS]) for name, pair in REDUCED.items()},
    **{name: (*pair, [IMAGES]) for name, pair in POOLS.items()},
}

# Where PyTorch 2.13 and we differ: (op, what) -> at which points, and why.
DIGITS = "where PyTorch takes a difference of nearly equal numbers; test_accuracy.py holds ours to the closed form"
NANS = "PyTorch has NaN, from inf * 0 or inf - inf inside its formula, and we the limit"
INPUT_NAN = "at x = NaN, where the value is NaN too: "
FIRST_NAN = "windows with two NaN: ours is the first (docs of max_pool2d), PyTorch's the last"
DIFFERENT = {
    **{(name, order): DIGITS for name in ("expm1", "tanh", "sigmoid") for order in ("order 1", "order 2")},
    **{(name, "order 2"): DIGITS for name in ("softplus", "F.softplus", "logsigmoid", "silu")},
    ("gelu", "value"): "below -2: " + DIGITS + "; at inf PyTorch's float32 is NaN",
    ("gelu", "order 1"): "below -2: " + DIGITS,
    ("softplus", "order 1"): "from 1e4 on: " + NANS,
    ("abs", "order 1"): INPUT_NAN + "NaN, PyTorch 0",
    ("sign", "value"): INPUT_NAN + "NaN as NumPy has it, PyTorch 0",
    ("relu", "order 1"): INPUT_NAN + "we let nothing through, PyTorch all",
    ("elu", "order 1"): INPUT_NAN + "NaN, PyTorch 1",
    ("elu", "order 2"): "at 0: the value from the left, e^0 = 1, PyTorch that from the right, 0; and at NaN",
    ("power 0.5", "order 1"): "at -inf: x^-0.5 is 0 in IEEE arithmetic, PyTorch has NaN",
    ("0 to the power", "order 2"): NANS,
    ("power", "order 1"): "a = NaN, b = 0: b a^(b-1) is NaN, PyTorch has 0",
    ("power", "order 2"): "a = 0: " + NANS,
    ("logaddexp", "order 2"): NANS,
    ("logsumexp", "order 1"): "1e8: y is rounded in PyTorch's e^(x - y); rows with inf: NaN, PyTorch NaN at the inf alone",
    ("logsumexp", "order 2"): "1e8: as at order 1",
    ("prod", "order 2"): "rows with inf or NaN: the product of the others, where PyTorch divides inf by inf",
    ("norm", "value"): "1e-30 in float32: PyTorch's squares vanish",
    ("norm", "order 1"): "as its value",
    ("norm", "order 2"): "at length 0: 0 (WGAN-GP needs it), PyTorch NaN",
    ("var", "order 1"): "rows with inf: x - mean is NaN for the others too, PyTorch's is inf there",
    ("std", "order 2"): "1e-30 in float32: PyTorch's variance vanishes",
    ("max_pool2d", "order 1"): FIRST_NAN,
    ("max_pool2d overlapping", "order 1"): FIRST_NAN,
}


def weights(shape, dtype):
    """What arrives at a result: not all alike, for what is summed over a row would often be 0."""
    return np.resize(np.array([1.0, 2.0, 4.0], dtype), shape)


def derivatives(f, xs, grad, tensor, array):
    """The value, the gradients, and the gradients of those, as arrays; None where nothing depends on the input."""
    y = f(*xs)
    first = grad(y, xs, tensor(weights(y.shape, y_dtype(xs))), create_graph=True, allow_unused=True)
    found = {"value": [y], "order 1": first}
    linked = [g for g in first if g is not None and g.requires_grad]
    if linked:
        found["order 2"] = grad(linked, xs, [tensor(weights(g.shape, y_dtype(xs))) for g in linked], allow_unused=True)
    return {what: [None if g is None else array(g.detach()) for g in gs] for what, gs in found.items()}


def y_dtype(xs):
    return str(xs[0].dtype).removeprefix("torch.")


def ours(name, dtype):
    f, _, grid = GRIDS[name]
    with np.errstate(all="ignore"):
        return derivatives(
            f, [mg.tensor(np.array(v), dtype=dtype, requires_grad=True) for v in grid], mg.grad, mg.tensor, lambda g: g.numpy()
        )


def theirs(name, dtype):
    import torch

    _, f, grid = GRIDS[name]
    call = getattr(torch, NAMES.get(f, f)) if isinstance(f, str) else lambda *xs: f(torch, *xs)
    xs = [torch.tensor(np.array(v, dtype), requires_grad=True) for v in grid]
    return derivatives(call, xs, torch.autograd.grad, torch.tensor, lambda g: g.numpy(force=True))


def differences(name, dtype):
    """[(what, the inputs there, ours, theirs), ...] where the two disagree; no gradient counts as zeros."""
    grid, found = GRIDS[name][2], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a, b = ours(name, dtype), theirs(name, dtype)
    tolerance = 2e-5 if dtype == "float32" else 1e-11
    for what in ("value", "order 1", "order 2"):
        for p, q in zip(*(side.get(what, [None] * len(grid)) for side in (a, b))):
            shape = np.shape(p if p is not None else q if q is not None else 0)
            p, q = (np.zeros(shape) if v is None else v for v in (p, q))
            size = np.abs(q)
            if name in REDUCED and q.ndim > 1:  # sums: of the largest in the row
                size = np.where(np.isfinite(size), size, 0).max(-1, keepdims=True) + 0 * np.nan_to_num(q)
            with np.errstate(all="ignore"):
                close = (np.abs(p - q) <= tolerance * size + np.finfo(dtype).tiny) | (p == q) | (np.isnan(p) & np.isnan(q))
            for at in map(tuple, np.argwhere(~close)):
                inputs = [float(np.asarray(v, dtype)[at]) for v in grid] if np.shape(grid[0]) == shape else at
                found.append((what, inputs, float(p[at]), float(q[at])))
    return found


def test_every_difference_from_torch_is_listed_and_nothing_else_is():
    pytest.importorskip("torch")
    found = {}
    for name in GRIDS:
        for dtype in ("float32", "float64"):
            for what, inputs, our, their in differences(name, dtype):
                found.setdefault((name, what), f"{dtype}, at {inputs}: {our} here, {their} in PyTorch")
    new = {place: text for place, text in found.items() if place not in DIFFERENT}
    assert not new, "\n".join(f"{place}: {text}" for place, text in new.items())
    assert not set(DIFFERENT) - set(found), "these agree now: take them off the list"


# --------------------------------------------------------------------------------------------------- memory layouts ---

LAYOUTS = {
    "Fortran order": lambda x: np.array(x, order="F"),
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "backwards": lambda x: np.flip(np.array(np.flip(x), order="C")),
}


@pytest.mark.parametrize("name", sorted(optable.TABLE))
def test_an_op_and_its_gradient_are_the_same_in_every_memory_layout(name):
    """All cases of the table, sizes 0 and 1 among them, in float32 (gradcheck has float64)."""
    rng = np.random.default_rng(list(name.encode()))
    op = optable.TABLE[name]
    for call, *shapes in op.cases:
        arrays = [np.asarray(op.numbers(rng, s)).astype(np.float32) for s in shapes]
        if name == "astype":
            continue  # to float64, which is what its cases are about
        reference = _run(call, arrays)
        for layout, arranged in LAYOUTS.items():
            for found, right in zip(_run(call, [arranged(a) for a in arrays]), reference):
                size = max(1, np.abs(right).max(initial=0))
                np.testing.assert_allclose(found, right, rtol=0, atol=2e-5 * size, err_msg=layout)
                assert found.dtype == np.float32 and found.shape == right.shape


def _run(call, arrays):
    xs = [mg.Tensor(np.asarray(a)).requires_grad_() for a in arrays]
    ys = call(*xs)
    ys = ys if isinstance(ys, list) else [ys]
    linked = [y for y in ys if y.requires_grad]
    arriving = [mg.Tensor(weights(y.shape, "float32")) for y in linked]
    gradients = mg.grad(linked, xs, arriving, allow_unused=True) if linked else []
    return [y.detach().numpy() for y in ys] + [g.numpy() for g in gradients if g is not None]
