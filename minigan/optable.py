"""Every op with inputs to try: the table that `minigan gradcheck` and the tests share.

check_op    compares one op with finite differences, on all its cases        check_all   does it for several, or all ops
table       the results as text, in columns                                  missing     public ops that have no row

A row has an op's name, the numbers for which it is defined and smooth, and its cases.  A case is a call, and the shapes of the
arrays that it takes; some sizes are 0 and 1.  To add an op, add its row: a test fails until the op has a row, or a reason in
NOT_DIFFERENTIABLE.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from minigan import ops
from minigan.backend import kept_beside
from minigan.errors import ConfigError, GradientMismatch, suggestion
from minigan.gradcheck import gradcheck
from minigan.tensor import Tensor, plain

# ------------------------------------------------------------------------------------------ numbers to try ops on ---

ANY = lambda rng, shape: rng.normal(size=shape)
POSITIVE = lambda rng, shape: rng.uniform(0.5, 2.0, shape)
UNIT = lambda rng, shape: rng.uniform(-0.9, 0.9, shape)  # inside (-1, 1), because arcsin is not defined outside
OFF_ZERO = lambda rng, shape: rng.uniform(0.2, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
OFF_HALF = lambda rng, shape: rng.integers(-3, 3, shape) + rng.uniform(0.1, 0.4, shape)  # away from jumps of floor, round


def DISTINCT(rng, shape):
    """Two elements differ by at least 0.1, so the largest one stays the largest when an element moves a little."""
    n = math.prod(shape)
    return (0.2 * rng.permutation(n) - 0.1 * n + rng.uniform(0.0, 0.1, n)).reshape(shape)


@dataclass
class Op:
    """A row.  cases: (call, shape, shape, ...), one shape per differentiated array.  numbers: one of the functions above.

    smooth: the op has derivatives of every order, not only piecewise (the tests check three orders).
    """

    name: str
    cases: list
    numbers: Callable = ANY
    smooth: bool = True


TABLE: dict[str, Op] = {}

# Public functions that have no derivative to check, and the reason.
NOT_DIFFERENTIABLE = {
    "argmax": "returns integers",
    "argmin": "returns integers",
    "argsort": "returns integers",
    "searchsorted": "returns integers",
    "one_hot": "takes and returns constants",
    "round_straight_through": "its rule is 1 on purpose, where the derivative is 0",
}


def row(name, *cases, numbers=ANY, smooth=True):
    """Add an op to the table, or replace its cases."""
    TABLE[name] = Op(name, list(cases), numbers, smooth)


def rows(names, *shapes, numbers=ANY, smooth=True):
    """Add elementwise ops, called on arrays of these shapes; a list of shapes stands for several inputs."""
    for name in names.split():
        row(name, *((getattr(ops, name), *(s if isinstance(s, list) else [s])) for s in shapes), numbers=numbers, smooth=smooth)


# A table: one entry, one line, so the formatter leaves it alone.
# fmt: off
# ------------------------------------------------------------------------------------------------- elementwise ---

ONE = (), (3,), (2, 1, 3), (0, 2)
TWO = [(3,), (3,)], [(2, 3), (3,)], [(2, 1), (1, 3)], [(), (2, 2)], [(1,), (4,)], [(0, 3), (3,)], [(2, 1, 3), (4, 1)]

rows("exp expm1 sin cos sinh cosh tanh arctan sigmoid softplus silu square negative erf gelu", *ONE)
rows("log sqrt log1p", *ONE, numbers=POSITIVE)
rows("arcsin arccos tan", *ONE, numbers=UNIT)
rows("reciprocal", *ONE, numbers=OFF_ZERO)
rows("abs relu sign leaky_relu elu", *ONE, numbers=OFF_ZERO, smooth=False)
rows("floor round", *ONE, numbers=OFF_HALF, smooth=False)
row("round", *TABLE["round"].cases, (lambda x: ops.round(x / 10, 1), (3,)), numbers=OFF_HALF, smooth=False)
rows("add subtract multiply logaddexp", *TWO)
rows("floor_divide remainder", *TWO, numbers=OFF_HALF, smooth=False)
row("remainder", *TABLE["remainder"].cases, (lambda x: x % 1, (3,)), (lambda x: x % -1.0, (2, 2)), (lambda x: 2.25 % x, (3,)),
    numbers=OFF_HALF, smooth=False)
rows("divide", *TWO, numbers=OFF_ZERO)
rows("maximum minimum", *TWO, numbers=ANY, smooth=False)
row("power", *((ops.power, *shapes) for shapes in TWO), (lambda x: x**2.5, (3,)), (lambda x: x**3, (2, 2)),
    (lambda x: x**-1, (3,)), (lambda x: x**0, (3,)), (lambda x: 2.0**x, (3,)), numbers=POSITIVE)
row("gelu", *TABLE["gelu"].cases, (lambda x: ops.gelu(x, "tanh"), (2, 3)))
row("leaky_relu", *TABLE["leaky_relu"].cases, (lambda x: ops.leaky_relu(x, 0.3), (2, 3)),
    (lambda x: ops.leaky_relu(x, 1.5), (4,)), (lambda x: ops.leaky_relu(x, -0.5), (4,)), numbers=OFF_ZERO, smooth=False)
row("elu", *TABLE["elu"].cases, (lambda x: ops.elu(x, 1.7), (2, 3)), numbers=OFF_ZERO, smooth=False)
row("clip", (lambda x: ops.clip(x, -0.5, 0.7), (3, 4)), (lambda x: ops.clip(x, max=0.1), (5,)),
    (lambda x: ops.clip(x, min=0.1), (5,)), (lambda x: ops.clip(x, 0, 1), (0, 2)),
    (ops.clip, (2, 3), (3,), (2, 1)), (lambda x, high: ops.clip(x, max=high), (3,), (2, 3)), smooth=False)
MASK = np.array([[True, False, True], [False, False, True]])
row("where", (lambda a, b: ops.where(MASK, a, b), (2, 3), (2, 3)), (lambda a, b: ops.where(MASK, a, b), (3,), (2, 1)),
    (lambda a: ops.where(MASK, a, 0.5), (2, 3)), (lambda b: ops.where(MASK, 1, b), ()),
    (lambda a, b: ops.where(True, a, b), (2,), (2,)), (lambda a, b: ops.where(MASK[:0], a, b), (3,), (1,)))

rows("ceil trunc", *ONE, numbers=OFF_HALF, smooth=False)
rows("log2 log10", *ONE, numbers=POSITIVE)
rows("fmod", *TWO, numbers=OFF_HALF, smooth=False)
rows("hypot arctan2", *TWO, numbers=OFF_ZERO)
row("lerp", (lambda a, b: ops.lerp(a, b, 0.3), (2, 3), (3,)), (lambda a, b: ops.lerp(a, b, 0.8), (), (2,)),
    (ops.lerp, (2, 3), (3,), (2, 1)), (ops.lerp, (0, 3), (3,), ()))

# -------------------------------------------------------------------------------------------------- reductions ---


def _constant(x, *numbers):
    """Numbers that are not differentiated, as a Tensor of x's dtype on x's device."""
    return Tensor(kept_beside(np.array(numbers, x.dtype), plain(x)))


def over_axes(f, shapes=((), (3,), (2, 3), (2, 1, 4))):
    """The usual cases of a reduction: all axes, the last, the first kept, two at once."""
    return (
        *((f, s) for s in shapes), (lambda x: f(x, axis=-1), (2, 3)), (lambda x: f(x, axis=0, keepdims=True), (3, 2)),
        (lambda x: f(x, axis=(0, -1)), (2, 3, 2)), (lambda x: f(x, axis=1), (0, 3)), (lambda x: f(x, axis=()), (2, 2)))


row("sum", *over_axes(ops.sum), (ops.sum, (0, 2)))
row("mean", *over_axes(ops.mean))
row("max", *over_axes(ops.max), numbers=DISTINCT, smooth=False)
row("min", *over_axes(ops.min), numbers=DISTINCT, smooth=False)
row("prod", *over_axes(ops.prod), (ops.prod, (7,)), (lambda x: ops.prod(x, axis=0), (0, 2)))
row("logsumexp", *over_axes(ops.logsumexp))
row("norm", *over_axes(ops.norm), numbers=OFF_ZERO)
row("var", *over_axes(ops.var), (lambda x: ops.var(x, axis=1, ddof=1), (2, 4)))
row("std", *over_axes(ops.std, ((3,), (2, 3)))[:5], (lambda x: ops.std(x, axis=1, ddof=1), (2, 4)), numbers=DISTINCT)
ALONG = (3,), (2, 3), (0, 3), (2, 1)
for _name in ("softmax", "log_softmax"):
    _f = getattr(ops, _name)
    row(_name, *((_f, s) for s in ALONG), (lambda x, f=_f: f(x, axis=0), (3, 2)), (lambda x, f=_f: f(x, 1), (2, 3, 2)))
row("cumsum", (ops.cumsum, (4,)), (ops.cumsum, (2, 3)), (lambda x: ops.cumsum(x, 0), (3, 2)),
    (lambda x: ops.cumsum(x, -1), (2, 0)), (lambda x: ops.cumsum(x, axis=1), (2, 3, 1)))

row("cumprod", (ops.cumprod, (4,)), (ops.cumprod, (2, 3)), (lambda x: ops.cumprod(x, 0), (5, 2)),
    (lambda x: ops.cumprod(x, -1), (2, 0)), (lambda x: ops.cumprod(x * _array(x, [1, 0, 1, 1]), 0), (4,)), (ops.cumprod, ()))
row("norm", *TABLE["norm"].cases, *((lambda x, p=p: ops.norm(x, 1, ord=p),
    (2, 3)) for p in (1, 3, 1.5, 0.5, -2, np.inf, -np.inf, 4)),
    (lambda x: ops.norm(x, (0, -1), True, 3), (2, 2, 2)), numbers=TABLE["norm"].numbers, smooth=TABLE["norm"].smooth)

# ----------------------------------------------------------------------------------------------------------- order ---

row("sort", (ops.sort, (4,)), (ops.sort, (2, 3)), (lambda x: ops.sort(x, 0), (3, 2)), (lambda x: ops.sort(x, None), (2, 3)),
    (ops.sort, (2, 0)), numbers=DISTINCT, smooth=False)
row("topk", (lambda x: ops.topk(x, 2)[0], (2, 4)), (lambda x: ops.topk(x, 1, 0, largest=False)[0], (3, 2)),
    (lambda x: ops.topk(x, 0)[0], (3,)), numbers=DISTINCT, smooth=False)
row("median", *over_axes(ops.median, ((), (3,), (4,), (2, 3), (2, 1, 4)))[:-2], numbers=DISTINCT, smooth=False)
row("quantile", (lambda x: ops.quantile(x, 0.3), (5,)), (lambda x: ops.quantile(x, [0.0, 0.7, 1.0], 1, True), (2, 4)),
    (lambda x: ops.quantile(x, 0.9, (0, 2)), (2, 3, 2)), (lambda x: ops.quantile(x, 0.5), ()), numbers=DISTINCT, smooth=False)

# ------------------------------------------------------------------------------------------------------- shape ---

row("reshape", (lambda x: ops.reshape(x, (3, 2)), (2, 3)), (lambda x: ops.reshape(x, (-1,)), (2, 1, 2)),
    (lambda x: ops.reshape(x, (0, 5)), (0, 3)), (lambda x: ops.reshape(x, ()), (1, 1)))
row("ravel", (ops.ravel, (2, 3)), (ops.ravel, ()), (ops.ravel, (0, 2)))
row("transpose", (ops.transpose, (2, 3)), (lambda x: ops.transpose(x, (2, 0, 1)), (2, 3, 4)),
    (lambda x: ops.transpose(x, (0, -1, 1)), (1, 3, 2)), (ops.transpose, (0, 2)), (ops.transpose, ()))
row("swapaxes", (lambda x: ops.swapaxes(x, 0, -1), (2, 3, 4)), (lambda x: ops.swapaxes(x, 1, 1), (2, 3)))
row("moveaxis", (lambda x: ops.moveaxis(x, 0, -1), (2, 3, 4)), (lambda x: ops.moveaxis(x, (0, 1), (-1, 0)), (2, 3, 1)))
row("expand_dims", (lambda x: ops.expand_dims(x, 0), (3,)), (lambda x: ops.expand_dims(x, (0, -1)), (2, 3)),
    (lambda x: ops.expand_dims(x, 0), ()))
row("squeeze", (ops.squeeze, (1, 3, 1)), (lambda x: ops.squeeze(x, -1), (2, 1)), (ops.squeeze, (1, 0)))
row("broadcast_to", (lambda x: ops.broadcast_to(x, (2, 3)), (3,)), (lambda x: ops.broadcast_to(x, (4, 2, 3)), (2, 1)),
    (lambda x: ops.broadcast_to(x, (0, 3)), (1, 3)), (lambda x: ops.broadcast_to(x, (2, 2)), ()))
row("sum_to", (lambda x: ops.sum_to(x, (3,)), (2, 3)), (lambda x: ops.sum_to(x, (2, 1)), (4, 2, 3)),
    (lambda x: ops.sum_to(x, ()), (2, 2)), (lambda x: ops.sum_to(x, (1, 3)), (0, 3)))
row("concatenate", (lambda a, b: ops.concatenate([a, b]), (2, 3), (1, 3)), (lambda a: ops.concatenate([a]), (3,)),
    (lambda a, b, c: ops.concatenate([a, b, c], -1), (2, 1), (2, 0), (2, 3)),
    (lambda a, b: ops.concatenate([a, b], None), (2, 2), (3,)), (lambda a: ops.concatenate([a, a], 0), (2, 2)))
row("stack", (lambda a, b: ops.stack([a, b]), (3,), (3,)), (lambda a, b: ops.stack([a, b], -1), (2, 3), (2, 3)),
    (lambda a, b: ops.stack([a, b], 1), (2, 0), (2, 0)), (lambda a, b: ops.stack([a, b]), (), ()))
row("split", (lambda x: ops.split(x, 2), (4, 3)), (lambda x: ops.split(x, [1, 1, 3], -1), (2, 4)),
    (lambda x: ops.split(x, 3), (0, 2)))
row("pad", (lambda x: ops.pad(x, 1), (2, 3)), (lambda x: ops.pad(x, ((0, 2), (1, 0)), constant_values=3.0), (2, 3)),
    (lambda x: ops.pad(x, ((1, 2), (2, 0)), "edge"), (2, 3)), (lambda x: ops.pad(x, (2, 1), "reflect"), (4,)),
    (lambda x: ops.pad(x, ((1, 1), (2, 2)), "reflect"), (2, 3)), (lambda x: ops.pad(x, 2), (0, 1)),
    (lambda x: ops.pad(x, ((1, 2), (0, 4)), "wrap"), (2, 3)))
row("flip", (ops.flip, (2, 3)), (lambda x: ops.flip(x, 0), (3, 2)), (lambda x: ops.flip(x, (0, -1)), (2, 1, 3)),
    (ops.flip, (0, 2)))
row("roll", (lambda x: ops.roll(x, 2), (2, 3)), (lambda x: ops.roll(x, -1, 1), (2, 3)),
    (lambda x: ops.roll(x, (1, 2), (0, 1)), (3, 4)), (lambda x: ops.roll(x, 1), (0,)))
row("repeat", (lambda x: ops.repeat(x, 2), (2, 3)), (lambda x: ops.repeat(x, 3, 1), (2, 2)),
    (lambda x: ops.repeat(x, [1, 0, 2], -1), (2, 3)), (lambda x: ops.repeat(x, 0, 0), (2, 2)))
row("tile", (lambda x: ops.tile(x, 2), (3,)), (lambda x: ops.tile(x, (2, 3)), (2, 1)),
    (lambda x: ops.tile(x, (2, 1, 2)), (2,)), (lambda x: ops.tile(x, (0, 2)), (2, 3)),
    (lambda x: ops.tile(x, 2), (2, 3)))
row("tril", (ops.tril, (3, 3)), (lambda x: ops.tril(x, -1), (2, 3, 4)), (lambda x: ops.tril(x, 1), (0, 2)))
row("triu", (ops.triu, (3, 3)), (lambda x: ops.triu(x, 1), (2, 3, 4)), (lambda x: ops.triu(x, -1), (3, 1)))
row("astype", (lambda x: ops.astype(x, "float64"), (2, 3)), (lambda x: ops.astype(x, np.float64), (0,)))

row("vstack", (lambda a, b: ops.vstack([a, b]), (3,), (2, 3)), (lambda a: ops.vstack([a, a]), ()),
    (lambda a: ops.vstack([a]), (2, 2)))
row("hstack", (lambda a, b: ops.hstack([a, b]), (3,), (2,)), (lambda a: ops.hstack([a, a]), ()),
    (lambda a, b: ops.hstack([a, b]), (2, 1), (2, 3)))
row("meshgrid", (lambda a, b: ops.meshgrid(a, b), (3,), (2,)), (lambda a, b, c: ops.meshgrid(a, b, c, indexing="ij"), (2,),
    (1,), (3,)),
    (lambda a: ops.meshgrid(a), (2,)), (lambda a, b: ops.meshgrid(a, b), (), (2,)))
row("diag", (ops.diag, (3,)), (lambda x: ops.diag(x, 1), (2,)), (lambda x: ops.diag(x, -2), (2,)), (ops.diag, (2, 3)),
    (lambda x: ops.diag(x, -1), (3, 2)), (ops.diag, (0,)))

# ------------------------------------------------------------------------------------------------------- index ---

TWICE = np.array([[2, 0], [2, 1]])  # it has one index twice
row("getitem", (lambda x: x[1], (3, 2)), (lambda x: x[..., ::-2], (2, 5)), (lambda x: x[TWICE], (3, 2)),
    (lambda x: x[MASK], (2, 3)), (lambda x: x[:, None, [0, 2, 2]], (2, 3)), (lambda x: x[0, :, [0, 1]], (2, 3, 2)),
    (lambda x: x[np.ix_([0, 2], [1, 1])], (3, 2)), (lambda x: x[[]], (3, 2)), (lambda x: x[()], ()),
    (lambda x: x[1:1], (2, 2)))
row("scatter_into", (lambda x: ops.scatter_into(x, (3, 2), TWICE), (2, 2, 2)),
    (lambda x: ops.scatter_into(x, (4,), slice(1, 3)), (2,)), (lambda x: ops.scatter_into(x, (2, 3), MASK), (3,)))
row("scatter_add", (lambda x, v: ops.scatter_add(x, TWICE[0], v), (3, 2), (2, 2)),
    (lambda x, v: ops.scatter_add(x, [1, 1, 0], v, axis=1), (2, 2), (2, 3)))
row("take", (lambda x: ops.take(x, TWICE), (2, 3)), (lambda x: ops.take(x, TWICE, 1), (2, 3)),
    (lambda x: ops.take(x, 1, -1), (2, 3)), (lambda x: ops.take(x, [], 0), (3, 2)))
row("take_along_axis", (lambda x: ops.take_along_axis(x, np.array([[0, 2, 2], [1, 0, 0]]), 1), (2, 3)),
    (lambda x: ops.take_along_axis(x, np.array([[1, 0, 1]]), 0), (2, 3)))
row("embedding", (lambda w: ops.embedding(TWICE, w), (4, 3)), (lambda w: ops.embedding(np.zeros((0,), int), w), (4, 3)))
row("diagonal", (ops.diagonal, (3, 3)), (lambda x: ops.diagonal(x, 1), (2, 4)),
    (lambda x: ops.diagonal(x, -1, 2, 0), (2, 3, 4)), (lambda x: ops.diagonal(x, 5), (2, 2)))
row("trace", (ops.trace, (3, 3)), (lambda x: ops.trace(x, -1, 1, 2), (2, 3, 2)))

# -------------------------------------------------------------------------------------------------------- linalg ---

row("matmul", *((ops.matmul, *s) for s in (
    [(2, 3), (3, 4)], [(3,), (3,)], [(2, 3), (3,)], [(3,), (3, 2)], [(4, 2, 3), (3, 2)], [(4, 2, 3), (4, 3, 2)],
    [(1, 2, 3), (4, 3, 1)], [(2, 3), (4, 3, 2)], [(3,), (4, 3, 2)], [(4, 2, 3), (3,)], [(2, 1, 2, 3), (4, 3, 1)],
    [(0, 3), (3, 2)], [(2, 0), (0, 3)], [(0, 2, 3), (3, 2)], [(2, 2, 0), (0, 3)], [(3,), (0, 3, 2)])))
row("dot", *((ops.dot, *s) for s in (
    [(3,), (3,)], [(2, 3), (3, 4)], [(2, 3), (3,)], [(), (2, 2)], [(2, 3), (4, 3, 2)], [(3,), (2, 3, 1)],
    [(0,), (0,)])))
row("outer", (ops.outer, (3,), (2,)), (ops.outer, (2, 2), (3,)), (ops.outer, (0,), (3,)), (ops.outer, (), (2,)))
row("inner", *((ops.inner, *s) for s in ([(3,), (3,)], [(2, 3), (4, 3)], [(2, 2, 3), (3,)], [(), (2, 2)], [(0,), (0,)])))
row("kron", (ops.kron, (2, 3), (2, 2)), (ops.kron, (2,), (3,)), (ops.kron, (2, 2), (3,)), (ops.kron, (), (2,)),
    (ops.kron, (0,), (2,)))
row("tensordot", (ops.tensordot, (2, 3, 4), (3, 4, 2)), (lambda a, b: ops.tensordot(a, b, 0), (2,), (3,)),
    (lambda a, b: ops.tensordot(a, b, ([0, 2], [1, 0])), (2, 3, 4), (4, 2)),
    (lambda a, b: ops.tensordot(a, b, ([-1], [0])), (2, 0), (0, 3)), (lambda a, b: ops.tensordot(a, b, 1), (3,), (3,)))
row("linear", *((ops.linear, *s) for s in (
    [(4, 3), (2, 3), (2,)], [(2, 4, 3), (2, 3), (2,)], [(3,), (2, 3), (2,)], [(0, 3), (2, 3)], [(2, 3), (1, 3)])))


def _spelled(subscripts, *shapes):
    return lambda *operands: ops.einsum(subscripts, *operands), *shapes



# --------------------------------------------------------------------------------------------------- decompositions ---

def _array(x, numbers):
    """Numbers as an array of x's dtype on x's device."""
    return kept_beside(np.array(numbers, x.dtype), plain(x))


def _plus(x, matrix):
    return x + _array(x, matrix)


SOLVABLE = lambda x: _plus(x, 3.0 * np.eye(x.shape[-1]))    # far from a singular matrix
DEFINITE = lambda x: _plus(ops.matmul(x, ops.swapaxes(x, -1, -2)), np.eye(x.shape[-2]) * 0.5)
SPREAD = lambda x: _plus(0.5 * (x + ops.swapaxes(x, -1, -2)), np.diag(4.0 * np.arange(x.shape[-1])))  # its eigenvalues differ


def _one(*parts):
    return ops.concatenate([ops.ravel(part) for part in parts])


def _rebuilt(parts):
    """What does not depend on the signs of the vectors: the values, and a product that uses vectors and values."""
    w, v = parts
    return _one(w, ops.matmul(v * ops.exp(0.3 * w)[..., None, :], ops.swapaxes(v, -1, -2)))


def _of_svd(parts):
    u, s, vt = parts
    return _one(s, ops.matmul(u * (s * s)[..., None, :], vt), ops.matmul(u, vt))


row("inv", (lambda x: ops.inv(SOLVABLE(x)), (3, 3)), (lambda x: ops.inv(SOLVABLE(x)), (2, 2, 2)),
    (lambda x: ops.inv(SOLVABLE(x)), (1, 1)),
    (ops.inv, (0, 0)))
row("solve", (lambda a, b: ops.solve(SOLVABLE(a), b), (3, 3), (3,)), (lambda a, b: ops.solve(SOLVABLE(a), b), (3, 3), (3, 2)),
    (lambda a, b: ops.solve(SOLVABLE(a), b), (2, 2, 2), (2, 1)), (lambda a, b: ops.solve(SOLVABLE(a), b), (2, 2), (3, 2, 2)),
    (lambda a, b: ops.solve(SOLVABLE(a), b), (2, 2, 2), (2,)))
row("det", (ops.det, (3, 3)), (ops.det, (2, 2, 2)), (ops.det, (1, 1)), (lambda x: ops.det(x * _array(x, [[1], [0], [1]])),
    (3, 3)))
row("slogdet", (lambda x: ops.slogdet(x)[1], (3, 3)), (lambda x: ops.slogdet(SOLVABLE(x))[1], (2, 2, 2)))
row("cholesky", (lambda x: ops.cholesky(DEFINITE(x)), (3, 3)), (lambda x: ops.cholesky(DEFINITE(x)), (2, 2, 2)),
    (lambda x: ops.cholesky(DEFINITE(x)), (1, 1)))
row("eigh", (lambda x: _rebuilt(ops.eigh(SPREAD(x))), (3, 3)), (lambda x: _rebuilt(ops.eigh(SPREAD(x))), (2, 2, 2)),
    (lambda x: ops.eigh(SPREAD(x))[0], (1, 1)))
row("svd", (lambda x: _of_svd(ops.svd(_plus(x, 4 * np.diag([1.0, 2, 3])))), (3, 3)),
    (lambda x: _of_svd(ops.svd(_plus(x, np.eye(3, 2) * [3.0, 6]), False)), (3, 2)),
    (lambda x: _of_svd(ops.svd(_plus(x, np.eye(2, 4) * 3 * np.array([[1.0], [2]])), full_matrices=False)), (2, 4)),
    (lambda x: ops.svd(x, full_matrices=False)[1], (2, 3, 1)))
row("cdist", (ops.cdist, (3, 2), (4, 2)), (lambda a, b: ops.cdist(a, b, 1), (2, 3), (1, 3)),
    (lambda a, b: ops.cdist(a, b, 3.0), (2, 2, 2), (3, 2)),
    (ops.cdist, (0, 2), (3, 2)))

row("einsum", _spelled("ij,jk->ik", (2, 3), (3, 4)), _spelled("ij,jk", (2, 3), (3, 1)), _spelled("ba", (2, 3)),
    _spelled("ii", (3, 3)), _spelled("ii->i", (3, 3)), _spelled("iji->j", (2, 3, 2)), _spelled("ij->", (2, 3)),
    _spelled("ij->j", (2, 3)), _spelled("i,i->", (3,), (3,)), _spelled("ij,ij->i", (1, 3), (2, 3)),
    _spelled("ij,kl->ik", (2, 3), (4, 2)), _spelled("nij,njk,nk->ni", (2, 2, 3), (2, 3, 2), (2, 2)),
    _spelled("...", (2, 3)), _spelled("...ij,...jk->...ik", (4, 2, 3), (3, 2)),
    _spelled("i...,i...->...", (2, 3), (2, 1)), _spelled("i,j->ij", (0,), (2,)), _spelled("ij,ij->", (2, 0), (2, 0)))

row("scaled_dot_product_attention", (ops.scaled_dot_product_attention, (3, 2), (4, 2), (4, 3)),
    (lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, is_causal=True), (2, 3, 2), (2, 3, 2), (2, 3, 2)),
    (lambda q, k, v, m: ops.scaled_dot_product_attention(q, k, v, m, scale=0.5), (3, 2), (2, 2), (2, 1), (3, 2)),
    (lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, np.array([[True, False], [False, False]])), (2, 2), (2, 2),
    (2, 2)))
row("rms_norm", (lambda x: ops.rms_norm(x, 3), (2, 3)), (lambda x, w: ops.rms_norm(x, (2, 3), w, 1e-3), (2, 2, 3), (2, 3)))
row("conv_transpose1d", (ops.conv_transpose1d, (2, 3, 4), (3, 2, 3)),
    (lambda x, w, b: ops.conv_transpose1d(x, w, b, 2, 1, 1), (2, 2, 3), (2, 3, 4), (3,)))
UNPOOLED = np.array([[[[0, 3], [9, 10]]]])
row("max_unpool2d", (lambda x: ops.max_unpool2d(x, UNPOOLED, 2), (1, 1, 2, 2)),
    (lambda x: ops.max_unpool2d(x, UNPOOLED[0], 2, output_size=(4, 5)), (1, 2, 2)))
ONE_OR_MINUS = np.array([1.0, -1.0, 1.0])
row("hinge_embedding_loss", *((lambda x, how=how: ops.hinge_embedding_loss(x, ONE_OR_MINUS, 5.0, how),
    (3,)) for how in ("mean", "sum", "none")))
row("cosine_similarity", (lambda a, b: ops.cosine_similarity(a, b, -1), (2, 3), (3,)), (ops.cosine_similarity, (2, 3),
    (2, 3)), numbers=OFF_ZERO)
row("pairwise_distance", (ops.pairwise_distance, (2, 3), (2, 3)),
    (lambda a, b: ops.pairwise_distance(a, b, 1.0, keepdim=True), (2, 3), (3,)))
row("cosine_embedding_loss", (lambda a, b: ops.cosine_embedding_loss(a, b, ONE_OR_MINUS, -0.9), (3, 2), (3, 2)),
    (lambda a, b: ops.cosine_embedding_loss(a, b, np.array(1)), (2,), (2,)))
row("triplet_margin_loss", (lambda a, b, c: ops.triplet_margin_loss(a, b, c, 5.0), (3, 2), (3, 2), (3, 2)),
    (lambda a, b, c: ops.triplet_margin_loss(a, b, c, 9.0, 3, swap=True, reduction="none"), (2, 2), (2, 2), (2, 2)))
row("poisson_nll_loss", (lambda x, t: ops.poisson_nll_loss(x, t), (3,), (3,)),
    (lambda x: ops.poisson_nll_loss(x, [1.0, 3.0], False, True), (2,)),
    numbers=POSITIVE)

# --------------------------------------------------------------------------------------------------- convolution ---


def _conv(f, x, w, *bias, **how):
    return lambda *arrays: f(*arrays, **how), x, w, *bias


row("conv2d", _conv(ops.conv2d, (2, 2, 4, 5), (3, 2, 3, 2), (3,)),
    _conv(ops.conv2d, (1, 2, 5, 4), (2, 2, 3, 3), stride=2, padding=1),
    _conv(ops.conv2d, (1, 4, 6, 5), (4, 2, 2, 3), (4,), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
    _conv(ops.conv2d, (1, 2, 4, 4), (2, 2, 2, 2), padding="same"),
    _conv(ops.conv2d, (1, 3, 4, 4), (3, 1, 3, 3), padding="same", groups=3),
    _conv(ops.conv2d, (1, 1, 1, 1), (1, 1, 1, 1), (1,)), _conv(ops.conv2d, (0, 2, 3, 3), (2, 2, 2, 2)),
    _conv(ops.conv2d, (1, 9, 3, 3), (2, 9, 2, 2), padding=1))
row("conv_transpose2d", _conv(ops.conv_transpose2d, (2, 2, 2, 3), (2, 3, 3, 2), (3,)),
    _conv(ops.conv_transpose2d, (1, 2, 3, 2), (2, 2, 3, 3), stride=2, padding=1, output_padding=1),
    _conv(ops.conv_transpose2d, (1, 4, 2, 3), (4, 2, 2, 3), (4,), stride=(2, 3), padding=(1, 0),
          output_padding=(0, 2), groups=2, dilation=(2, 1)),
    _conv(ops.conv_transpose2d, (1, 1, 1, 1), (1, 1, 1, 1)), _conv(ops.conv_transpose2d, (0, 2, 3, 3), (2, 2, 2, 2)),
    _conv(ops.conv_transpose2d, (1, 2, 2, 2), (2, 9, 2, 2), stride=2))
row("conv1d", _conv(ops.conv1d, (2, 2, 6), (3, 2, 3), (3,)),
    _conv(ops.conv1d, (1, 4, 7), (2, 2, 2), stride=2, padding=2, dilation=2, groups=2),
    _conv(ops.conv1d, (1, 2, 5), (2, 2, 2), padding="same"))

# ------------------------------------------------------------------------------------------------- normalisation ---


row("batch_norm", (lambda x, w, b: ops.batch_norm(x, None, None, w, b, True), (4, 3), (3,), (3,)),
    (lambda x, w, b: ops.batch_norm(x, None, None, w, b, True), (2, 3, 2, 3), (3,), (3,)),
    (lambda x: ops.batch_norm(x, training=True), (3, 2, 2)),
    (lambda x, w: ops.batch_norm(x, weight=w, training=True), (3, 2), (2,)),
    (lambda x, b: ops.batch_norm(x, bias=b, training=True), (3, 2), (2,)),
    (lambda x, w, b: ops.batch_norm(x, _constant(x, 0.1, -0.2), _constant(x, 1.5, 0.5), w, b), (2, 2, 3), (2,), (2,)),
    (lambda x: ops.batch_norm(x, _constant(x, 0.1, -0.2), _constant(x, 1.5, 0.5)), (0, 2, 3)))
row("layer_norm", (lambda x, w, b: ops.layer_norm(x, 4, w, b), (3, 4), (4,), (4,)),
    (lambda x, w, b: ops.layer_norm(x, (2, 3), w, b), (2, 2, 3), (2, 3), (2, 3)),
    (lambda x: ops.layer_norm(x, 4), (0, 4)))
row("instance_norm", (ops.instance_norm, (2, 2, 3), (2,), (2,)), (ops.instance_norm, (1, 2, 2, 2)))
row("group_norm", (lambda x, w, b: ops.group_norm(x, 2, w, b), (2, 4, 3), (4,), (4,)),
    (lambda x: ops.group_norm(x, 1), (2, 3)), (lambda x: ops.group_norm(x, 2), (1, 4, 2, 1)))

# ------------------------------------------------------------------------------------------- pooling and images ---

row("max_pool2d", (lambda x: ops.max_pool2d(x, 2), (2, 2, 4, 5)),
    (lambda x: ops.max_pool2d(x, (3, 2), 1, (1, 0), (1, 2)), (1, 2, 4, 5)),
    (lambda x: ops.max_pool2d(x, 2, ceil_mode=True), (2, 3, 3)), (lambda x: ops.max_pool2d(x, 2), (0, 1, 2, 2)),
    numbers=DISTINCT, smooth=False)
row("max_pool1d", (lambda x: ops.max_pool1d(x, 3, 2, 1), (2, 2, 6)), numbers=DISTINCT, smooth=False)
row("adaptive_max_pool2d", (lambda x: ops.adaptive_max_pool2d(x, (2, 3)), (1, 2, 5, 4)), numbers=DISTINCT, smooth=False)
row("avg_pool2d", (lambda x: ops.avg_pool2d(x, 2), (2, 2, 4, 5)),
    (lambda x: ops.avg_pool2d(x, (3, 2), (1, 2), 1), (1, 2, 4, 4)),
    (lambda x: ops.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False), (1, 1, 6, 5)),
    (lambda x: ops.avg_pool2d(x, 2), (0, 1, 2, 2)))
row("avg_pool1d", (lambda x: ops.avg_pool1d(x, 3, 2, 1), (2, 2, 6)))
row("adaptive_avg_pool2d", (lambda x: ops.adaptive_avg_pool2d(x, (2, 3)), (1, 2, 5, 4)),
    (lambda x: ops.adaptive_avg_pool2d(x, 1), (2, 1, 3, 1)))
row("interpolate", (lambda x: ops.interpolate(x, scale_factor=2), (2, 2, 2, 3)),
    (lambda x: ops.interpolate(x, (3, 5)), (1, 1, 4, 2)),
    (lambda x: ops.interpolate(x, (5, 3), mode="bilinear"), (1, 2, 3, 4)),
    (lambda x: ops.interpolate(x, scale_factor=1.5, mode="bilinear", align_corners=True), (2, 1, 4, 2)),
    (lambda x: ops.interpolate(x, 5, mode="linear"), (1, 2, 3)), (lambda x: ops.interpolate(x, (2, 3), mode="area"),
    (1, 1, 4, 5)),
    (lambda x: ops.interpolate(x, (7, 3), mode="bicubic"), (1, 2, 4, 5)),
    (lambda x: ops.interpolate(x, scale_factor=2, mode="bicubic", align_corners=True), (1, 1, 2, 3)))
row("pixel_shuffle", (lambda x: ops.pixel_shuffle(x, 2), (2, 8, 2, 3)),
    (lambda x: ops.pixel_shuffle(x, 1), (1, 1, 1, 1)))
row("pixel_unshuffle", (lambda x: ops.pixel_unshuffle(x, 2), (2, 1, 4, 2)),
    (lambda x: ops.pixel_unshuffle(x, 3), (1, 2, 3, 3)))
row("unfold", (lambda x: ops.unfold(x, 2), (2, 2, 3, 4)),
    (lambda x: ops.unfold(x, (2, 3), (2, 1), (1, 0), (1, 2)), (1, 2, 4, 5)))
row("fold", (lambda x: ops.fold(x, (3, 4), 2), (2, 8, 6)),
    (lambda x: ops.fold(x, (4, 5), (2, 3), (2, 1), (1, 0), (1, 2)), (1, 12, 8)))

# -------------------------------------------------------------------------------------------------------- losses ---

LABELS = np.array([2, 0, 1, 2])
WEIGHTS = 0.5, 1.0, 2.0
PROBABILITY = lambda rng, shape: rng.uniform(0.1, 0.9, shape)

row("mse_loss", (ops.mse_loss, (2, 3), (2, 3)), (lambda a, b: ops.mse_loss(a, b, "none"), (3,), (3,)),
    (ops.mse_loss, (), ()))
for _name in ("l1_loss", "huber_loss", "smooth_l1_loss"):
    _f = getattr(ops, _name)
    row(_name, (_f, (2, 3), (2, 3)), (lambda a, b, f=_f: f(a, b, reduction="sum"), (3,), (3,)), smooth=False)
row("cross_entropy", (lambda a: ops.cross_entropy(a, LABELS), (4, 3)),
    (lambda a, t: ops.cross_entropy(a, t), (2, 3), (2, 3)),
    (lambda a: ops.cross_entropy(a, LABELS, _constant(a, *WEIGHTS), 1, "sum", 0.1), (4, 3)),
    (lambda a: ops.cross_entropy(a, LABELS.reshape(2, 2), reduction="none"), (2, 3, 2)),
    (lambda a, t: ops.cross_entropy(a, t, label_smoothing=0.2), (3,), (3,)))
row("nll_loss", (lambda a: ops.nll_loss(a, LABELS), (4, 3)),
    (lambda a: ops.nll_loss(a, LABELS, _constant(a, *WEIGHTS)), (4, 3)))
row("binary_cross_entropy_with_logits", (ops.binary_cross_entropy_with_logits, (2, 3), (2, 3)),
    (lambda a, t: ops.binary_cross_entropy_with_logits(a, t, _constant(a, *WEIGHTS), "sum", _constant(a, *WEIGHTS)),
     (2, 3), (2, 3)))
row("binary_cross_entropy", (ops.binary_cross_entropy, (2, 3), (2, 3)),
    (lambda p, t: ops.binary_cross_entropy(p, t, _constant(p, *WEIGHTS), "none"), (2, 3), (2, 3)), numbers=PROBABILITY)
row("kl_div", (ops.kl_div, (2, 3), (2, 3)),
    (lambda a, t: ops.kl_div(a, t, "batchmean", log_target=True), (2, 3), (2, 3)), numbers=POSITIVE)
row("gaussian_nll_loss", (ops.gaussian_nll_loss, (2, 3), (2, 3), (2, 3)),
    (lambda a, t, v: ops.gaussian_nll_loss(a, t, v, full=True, reduction="sum"), (2, 3), (2, 3), (2, 1)),
    numbers=POSITIVE)


# ----------------------------------------------------------------------------------------------- using the table ---


@dataclass
class Result:
    """The check of one op.  error: the worst relative error of all its cases; failure: "" or gradcheck's message."""

    op: str
    order: int
    error: float
    shapes: str
    skipped: int = 0
    failure: str = ""
# fmt: on


def missing() -> list:
    """Public functions that are neither in the table nor listed as not differentiable."""
    public = [name for name in ops.__all__ if not isinstance(getattr(ops, name), ModuleType)]
    return sorted(set(public) - set(TABLE) - set(NOT_DIFFERENTIABLE))


def entry(name) -> Op:
    """The row of that name.   ConfigError for a name that is not in the table, with the reason or the nearest name."""
    if name in TABLE:
        return TABLE[name]
    reason = NOT_DIFFERENTIABLE.get(name)
    raise ConfigError(
        f"gradcheck: {name} has no derivative to check: it {reason}"
        if reason
        else f"gradcheck: no op is called {name!r}{suggestion(name, TABLE)}"
    )


def check_op(name, order=2, seed=0) -> Result:
    """Check all cases of one op with gradcheck, up to that order.   ConfigError for a name that is not in the table.

    A wrong derivative does not raise: the message is in .failure.
    """
    op = entry(name)
    rng = np.random.default_rng([seed, *name.encode()])  # so an op gets the same numbers, whichever others are checked
    result = Result(name, order, 0.0, "")
    shapes = []
    for call, *case in op.cases:
        shapes.append(" ".join("x".join(map(str, s)) or "()" for s in case))
        try:
            report = gradcheck(call, *(np.asarray(op.numbers(rng, s)) for s in case), order=order, seed=seed, name=name)
        except GradientMismatch as error:
            result.failure = f"shapes {shapes[-1]}: {error}"
            result.error = math.inf
            break
        result.error = max(result.error, report.worst)
        result.skipped += report.skipped
    result.shapes = ", ".join(shapes)
    return result


def check_all(names=None, order=2, seed=0) -> list:
    """check_op for these names, by default for the whole table."""
    return [check_op(name, order, seed) for name in (sorted(TABLE) if names is None else names)]


def table(results) -> str:
    """The results as text: op, order, worst relative error, shapes; then the messages of the failures."""
    lines = [("op", "order", "error", "shapes")]
    lines += [(r.op, str(r.order), "WRONG" if r.failure else f"{r.error:.1e}", r.shapes) for r in results]
    wide = [max(len(line[k]) for line in lines) for k in range(3)]
    text = [f"{op:<{wide[0]}}  {order:>{wide[1]}}  {error:>{wide[2]}}  {shapes}" for op, order, error, shapes in lines]
    return "\n".join(text + [r.failure for r in results if r.failure])
