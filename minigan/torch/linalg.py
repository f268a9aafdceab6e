"""torch.linalg, as far as minigan has it."""

from __future__ import annotations

from typing import Any

import minigan as mg
from minigan.errors import SingularError
from minigan.torch.missing import missing_from
from minigan.torch.reductions import norm as _norm
from minigan.torch.shapes import diagonal as _diagonal
from minigan.torch.shapes import movedim, stack, unbind
from minigan.torch.tables import over
from minigan.torch.tensor import wrap

inv, det, slogdet, cholesky, eigh, svd, solve = (
    over(getattr(mg, name), name) for name in ("inv", "det", "slogdet", "cholesky", "eigh", "svd", "solve")
)
LinAlgError = SingularError


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices, as the last axis."""
    return _diagonal(A, offset, dim1, dim2)


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """(the sum of |x|^ord)^(1/ord)."""
    return _norm(x, ord, dim, keepdim)


def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False) -> Any:
    """A norm of matrices: "fro" is the length of all elements; 2 the largest singular value, "nuc" the sum of them."""
    if ord == "fro":
        return _norm(A, 2, dim, keepdim)
    if ord in (2, "nuc"):
        values = svdvals(movedim(A, tuple(dim), (-2, -1)))
        y = values.amax(-1) if ord == 2 else values.sum(-1)
    else:  # 1: the largest sum of a column; inf: of a row
        y = A.abs().sum(dim[0] if ord == 1 else dim[1], keepdim=True).amax(tuple(dim))
    for axis in sorted(d % A.ndim for d in dim) if keepdim else ():
        y = y.unsqueeze(axis)
    return y


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Any:
    """vector_norm; with an order, and two axes, matrix_norm."""
    if ord is not None and (len(dim) == 2 if isinstance(dim, (tuple, list)) else dim is None and A.ndim == 2):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim)


def svdvals(A: Any) -> Any:
    """The singular values."""
    return wrap(mg.svd(A.engine)[1])


def eigvalsh(A: Any) -> Any:
    """The eigenvalues of a symmetric matrix."""
    return wrap(mg.eigh(A.engine)[0])


def multi_dot(tensors: Any) -> Any:
    """The product of matrices, from left to right."""
    y = tensors[0]
    for x in tensors[1:]:
        y = y @ x
    return y


def matrix_power(A: Any, n: int) -> Any:
    """A A ... A, n times; n < 0: of the inverse."""
    if n == 0:
        return wrap(mg.eye(A.shape[-1], dtype=A.engine.dtype)).expand_as(A).clone()
    return multi_dot([inv(A) if n < 0 else A] * abs(n))


def cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors of three numbers."""
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(f"cross: dim {dim} must have size 3, got {tuple(input.shape)} and {tuple(other.shape)}")
    a, b = unbind(input, dim), unbind(other, dim)
    return stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]], dim)


__getattr__ = missing_from(__name__)
