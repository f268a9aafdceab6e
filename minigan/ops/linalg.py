"""Products of matrices.  All of them arrange axes and then call matmul, which uses BLAS; einsum calls NumPy's.

matmul   every form of NumPy's, with broadcasting              einsum   every explicit and implicit form
dot, outer, tensordot                                          linear   x W^T + b, the dense layer
"""

import math
import string
from typing import Any

from minigan.arguments import shown, whole
from minigan.autograd import primitive
from minigan.backend import xp
from minigan.errors import ShapeError
from minigan.kernels import dispatch
from minigan.ops.elementwise import multiply
from minigan.ops.index import diagonal
from minigan.ops.shape import axes_of, broadcast_to, expand_dims, reshape, swapaxes, transpose
from minigan.tensor import Tensor


def _matmul(a, b):
    """y[..., i, k] = the sum over j of a[..., i, j] b[..., j, k].   dy/da: g b^T, dy/db: a^T g.

    a (..., n, m), b (..., m, p) -> (..., n, p); leading axes broadcast.  A 1-D operand is a row on the left and a column on
    the right, and the result does not have the added axis.  ShapeError unless the inner sizes agree.

    >>> mg.matmul([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist()
    [3.0, 7.0]
    """
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: operands need at least one axis, got {a.shape} and {b.shape}; use * for numbers")
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ShapeError(
            f"matmul: inner sizes differ: a {a.shape}, b {b.shape}; need a.shape[-1] == b.shape[{-2 if b.ndim > 1 else 0}]"
        )
    xp(a, b)  # DeviceError unless both are on one device
    return dispatch.matmul(a, b)


def _as_matrices(g, a, b):
    """g, a and b with the axes that matmul adds to 1-D operands and removes from the result."""
    if a.ndim == 1:
        a, g = expand_dims(a, 0), expand_dims(g, -1 if b.ndim == 1 else -2)
    if b.ndim == 1:
        b, g = expand_dims(b, 1), expand_dims(g, -1)
    return g, a, b


def _d_left(g, y, a, b):
    if b.ndim == 2 and a.ndim > 2:  # so that there is one matrix product, and not one per leading index
        rows = math.prod(g.shape[:-1])
        return reshape(matmul(reshape(g, (rows, g.shape[-1])), transpose(b)), a.shape)
    g, matrix, b = _as_matrices(g, a, b)
    return _back_to(matmul(g, swapaxes(b, -1, -2)), a, matrix)


def _d_right(g, y, a, b):
    if b.ndim == 2 and a.ndim > 2:
        rows = math.prod(a.shape[:-1])
        return matmul(transpose(reshape(a, (rows, a.shape[-1]))), reshape(g, (rows, g.shape[-1])))
    g, a, matrix = _as_matrices(g, a, b)
    return _back_to(matmul(swapaxes(a, -1, -2), g), b, matrix)


def _back_to(h, x, matrix):
    """The gradient of x from h, the gradient of `matrix` after broadcasting."""
    return reshape(h.sum(axis=tuple(range(h.ndim - 2))), x.shape) if x.ndim == 1 else h


matmul = primitive(_matmul, _d_left, _d_right, name="matmul", broadcasts=True, saves="inputs")


def outer(a, b) -> Tensor:
    """y[i, j] = a[i] b[j], after both are flattened.

    >>> mg.outer([1.0, 2.0], [3.0, 4.0]).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return multiply(reshape(a, (-1, 1)), reshape(b, (1, -1)))


def tensordot(a, b, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes: axes = ([axes of a], [axes of b]), or n for a's last n and b's first n axes.

    >>> mg.tensordot(mg.ones((2, 3)), mg.ones((3, 4)), 1).shape
    (2, 4)
    """
    if not isinstance(axes, (tuple, list)):
        axes = whole("tensordot", "axes", axes, what="an int, or ([axes of a], [axes of b])")
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot: cannot sum over {axes} axes of {a.shape} and {b.shape}")
        of_a, of_b = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    elif len(axes) != 2:
        raise ShapeError(f"tensordot: axes must be an int, or ([axes of a], [axes of b]), got {shown(axes)}")
    else:
        of_a, of_b = axes_of("tensordot", axes[0], a.ndim), axes_of("tensordot", axes[1], b.ndim)
    if [a.shape[i] for i in of_a] != [b.shape[i] for i in of_b]:
        raise ShapeError(f"tensordot: sizes of the summed axes differ: a {a.shape} axes {of_a}, b {b.shape} axes {of_b}")
    keep_a = [i for i in range(a.ndim) if i not in of_a]
    keep_b = [i for i in range(b.ndim) if i not in of_b]
    inner = math.prod(a.shape[i] for i in of_a)
    left = reshape(transpose(a, [*keep_a, *of_a]), (math.prod(a.shape[i] for i in keep_a), inner))
    right = reshape(transpose(b, [*of_b, *keep_b]), (inner, math.prod(b.shape[i] for i in keep_b)))
    return reshape(matmul(left, right), (*(a.shape[i] for i in keep_a), *(b.shape[i] for i in keep_b)))


def dot(a, b) -> Tensor:
    """NumPy's dot: numbers are multiplied; else it sums over a's last axis and b's second last (or its only axis).

    >>> float(mg.dot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    return tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


def inner(a, b) -> Tensor:
    """NumPy's inner: numbers are multiplied; else it sums over the last axis of both: y[..., i..., j...] = sum a[i..., k]
    b[j..., k].

    >>> float(mg.inner([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    return tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


def kron(a, b) -> Tensor:
    """The Kronecker product: every element of a, times all of b.   (n, m), (p, q)  ->  (n p, m q); any equal number of axes.

    >>> mg.kron(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 10.0])).tolist()
    [1.0, 10.0, 2.0, 20.0]
    """
    axes = max(a.ndim, b.ndim)
    a, b = (reshape(x, (1,) * (axes - x.ndim) + tuple(x.shape)) for x in (a, b))
    blocks = reshape(a, tuple(n for size in a.shape for n in (size, 1))) * reshape(
        b, tuple(n for size in b.shape for n in (1, size))
    )
    return reshape(blocks, tuple(n * m for n, m in zip(a.shape, b.shape)))


def linear(x, weight, bias=None) -> Tensor:
    """y = x W^T + b.   x (..., in), weight (out, in), bias (out,)  ->  (..., out).   torch.nn.functional.linear.

    >>> mg.linear(mg.ones((64, 100)), mg.ones((32, 100))).shape
    (64, 32)
    """
    if weight.ndim != 2 or x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(f"linear: x is {x.shape} and weight {weight.shape}; need x.shape[-1] == weight.shape[1] (in features)")
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ShapeError(f"linear: bias is {bias.shape}, need ({weight.shape[0]},), one for each row of weight {weight.shape}")
    if x.ndim == 2:
        return _linear(x, weight, bias)
    rows = reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
    return reshape(_linear(rows, weight, bias), (*x.shape[:-1], weight.shape[0]))


def _linear_forward(x, weight, bias):
    y = dispatch.matmul(x, weight.T)
    if bias is not None:
        y += bias
    return y


# It is one op, not three (transpose, matmul, add): so there are fewer nodes, and the weight's gradient has the weight's layout.
_linear = primitive(
    _linear_forward,
    lambda g, y, x, w, b: matmul(g, w),
    lambda g, y, x, w, b: matmul(transpose(g), x),
    lambda g, y, x, w, b: g.sum(axis=0),
    name="linear",
    saves="inputs",
)


# -------------------------------------------------------------------------------------------------------- einsum --- #


def einsum(subscripts, *operands) -> Tensor:
    """The sum of products that the subscripts describe, such as "nij,njk->nik"; every letter is an axis.

    It sums over letters that are not on the right; without "->" the letters that occur once stay, in alphabetical order.  "..."
    stands for leading axes that broadcast.  A letter that is twice in one operand takes the diagonal.  It has all of NumPy's
    string form.  A rule is an einsum too: it exchanges the subscripts of the operand and of the output.

    >>> mg.einsum("nij,njk->nik", mg.ones((5, 2, 3)), mg.ones((5, 3, 4))).shape
    (5, 2, 4)
    """
    inputs, output, operands = _parse(subscripts, operands)
    return _einsum(*operands, inputs=inputs, output=output)


def _parse(subscripts, operands):
    """Subscripts without "..." and without repeated letters in one operand, and the operands that match them."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ShapeError(f"einsum: {subscripts!r} names {len(terms)} operand(s), got {len(operands)}")
    unused = [c for c in string.ascii_letters if c not in subscripts]
    wide = 0
    for term, x in zip(terms, operands):
        named = len(term.replace("...", ""))
        if named > x.ndim or ("..." not in term and named != x.ndim):
            raise ShapeError(f"einsum: {term!r} names {named} axes, but the operand is {x.shape}")
        wide = max(wide, x.ndim - named) if "..." in term else wide
    ellipsis = "".join(unused[:wide])
    terms = [
        t.replace("...", ellipsis[wide - (x.ndim - len(t.replace("...", ""))) :] if "..." in t else "")
        for t, x in zip(terms, operands)
    ]
    letters = "".join(terms)
    if not arrow:
        once = sorted(c for c in set(letters) if letters.count(c) == 1 and c not in ellipsis)
        right = ("..." if "..." in left else "") + "".join(once)
    output = right.replace("...", ellipsis)
    if not (set(output) <= set(letters) <= set(string.ascii_letters) and len(set(output)) == len(output)):
        raise ShapeError(f"einsum: the output {right!r} of {subscripts!r} must name letters of the operands, each once")
    sizes = {}
    plain_operands, plain_terms = [], []
    for term, x in zip(terms, operands):
        for c in sorted(set(term), key=term.index):
            while term.count(c) > 1:
                i = term.index(c)
                j = term.index(c, i + 1)
                if x.shape[i] != x.shape[j]:
                    raise ShapeError(f"einsum: {c!r} names axes of sizes {x.shape[i]} and {x.shape[j]} in {x.shape}")
                x = diagonal(x, 0, i, j)
                term = term[:i] + term[i + 1 : j] + term[j + 1 :] + c
        for c, n in zip(term, x.shape):
            if sizes.setdefault(c, n) != n:
                if 1 not in (n, sizes[c]):
                    raise ShapeError(f"einsum: {c!r} has sizes {sizes[c]} and {n} in {subscripts!r}")
                sizes[c] = n if sizes[c] == 1 else sizes[c]
        plain_operands.append(x)
        plain_terms.append(term)
    # An axis of size 1 broadcasts against a longer one.  We expand it here, so that the rules need not handle it.
    plain_operands = [
        x if all(sizes[c] == n for c, n in zip(t, x.shape)) else broadcast_to(x, tuple(sizes[c] for c in t))
        for t, x in zip(plain_terms, plain_operands)
    ]
    return plain_terms, output, plain_operands


def _einsum_forward(*operands, inputs, output):
    # With optimize, pairs of operands use BLAS; without it, NumPy makes one loop over all letters.
    y = xp(*operands).einsum(",".join(inputs) + "->" + output, *operands, optimize=True)
    # NumPy returns a view if it only transposes.  We copy it, so that an in-place change of x does not change a saved y.
    return y.copy() if len(operands) == 1 and y.base is not None else y


def _d_einsum(i, g, y, *operands, inputs, output):
    others = [x for k, x in enumerate(operands) if k != i]
    terms = [t for k, t in enumerate(inputs) if k != i]
    reached = set(output).union(*terms)
    # The op sums over each letter that only this operand has, so g is repeated along that axis.
    kept = "".join(c for c in inputs[i] if c in reached)
    h = _einsum(g, *others, inputs=[output, *terms], output=kept)
    shape = tuple(n if c in reached else 1 for c, n in zip(inputs[i], operands[i].shape))
    return broadcast_to(reshape(h, shape), operands[i].shape)


_einsum = primitive(_einsum_forward, _d_einsum, name="einsum", saves="inputs", variadic=True)
