"""Linear equations, and matrices as products of simpler ones; NumPy's numpy.linalg, for stacks of matrices (..., n, n).

solve, inv     A x = b, and A^-1                     det, slogdet   the determinant, and the logarithm of its size
cholesky       A = L L^T                             eigh           A = V diag(w) V^T for a symmetric A
svd            A = U diag(s) V^T                     cdist          all distances between two sets of points

The rules are written in public ops, so they can be differentiated again.  Giles 2008 derives them ("An extended collection of
matrix derivative results"); Murray 2016 (arXiv:1602.07527) derives that of cholesky.  A matrix that is not invertible, or not
positive definite, is a SingularError on the CPU, and gives NaN on a GPU.
"""

from typing import NamedTuple

import numpy as np

from minigan.autograd import primitive
from minigan.backend import kept_beside, xp
from minigan.errors import ConfigError, ShapeError, SingularError
from minigan.ops.elementwise import kept, where
from minigan.ops.index import take
from minigan.ops.linalg import matmul
from minigan.ops.reduce import norm
from minigan.ops.shape import expand_dims, reshape, stack, swapaxes, tril
from minigan.tensor import Tensor, plain


class Slogdet(NamedTuple):
    """What slogdet returns."""

    sign: Tensor
    logabsdet: Tensor


class Eigh(NamedTuple):
    """What eigh returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVD(NamedTuple):
    """What svd returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _square(op, a):
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{op}: needs square matrices (..., n, n), got {a.shape}")


def _of_numpy(op, a, *args, **options):
    """numpy.linalg's function of that name, with an error that says what is wrong with the matrix.

    On a GPU nobody looks, because that would make the CPU wait: the result of a singular matrix is NaN or infinite.
    """
    try:
        return getattr(xp(a).linalg, op)(a, *args, **options)
    except np.linalg.LinAlgError as error:
        raise SingularError(f"{op}: {str(error)[:1].lower()}{str(error)[1:]}; a has the shape {a.shape}") from None


def _t(x):
    return swapaxes(x, -1, -2)


# ------------------------------------------------------------------------------------------------------- equations ---


def _inv(a):
    """y = a^-1.   dy: -a^-T g a^-T.   a (..., n, n).   SingularError if a matrix has no inverse.

    >>> mg.inv(mg.tensor([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    _square("inv", a)
    return _of_numpy("inv", a)


inv = primitive(_inv, lambda g, y, a: -matmul(matmul(_t(y), g), _t(y)), name="inv", saves="output")


def _solve(a, b):
    _square("solve", a)
    if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
        raise ShapeError(f"solve: a is {a.shape} and b is {b.shape}; b needs one row for each column of a")
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])  # CuPy does not broadcast
    a, b = (xp(x).broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b))
    return _of_numpy("solve", a, b)


_solve = primitive(
    _solve,
    lambda g, y, a, b: -matmul(_solve(_t(a), g), _t(y)),
    lambda g, y, a, b: _solve(_t(a), g),
    name="solve",
    broadcasts=True,
)


def solve(a, b) -> Tensor:
    """x with a x = b.   With h = a^-T g:  dx/da: -h x^T, dx/db: h.

    a (..., n, n), b (n,) or (..., n, k)  ->  the shape of b; leading axes broadcast.   SingularError if a has no inverse.

    >>> mg.solve(mg.tensor([[2.0, 0.0], [0.0, 4.0]]), mg.tensor([2.0, 2.0])).tolist()
    [1.0, 0.5]
    """
    if b.ndim == 1:  # as in NumPy 2: one vector, and else matrices
        y = _solve(a, expand_dims(b, 1))
        return reshape(y, y.shape[:-1])
    return _solve(a, b)


def _det(a):
    """y = the determinant of a (..., n, n).   dy: y a^-T, the cofactors, which exist for singular matrices, too.

    >>> float(mg.det(mg.tensor([[1.0, 2.0], [3.0, 4.0]]))) == -2.0
    True
    """
    _square("det", a)
    return xp(a).asarray(xp(a).linalg.det(a), a.dtype)


def _d_det(g, y, a):
    g, array = reshape(g, (*g.shape, 1, 1)), plain(a)
    sizes = xp(array).linalg.svd(array, compute_uv=False)
    nearly = sizes[..., -1:] <= np.sqrt(np.finfo(a.dtype).eps) * sizes[..., :1]  # then the inverse has few right digits
    return g * (_cofactors(a) if nearly.any() else reshape(y, (*y.shape, 1, 1)) * _t(inv(a)))


def _cofactors(a):
    """(-1)^(i+j) times the determinant without row i and column j, at (i, j): slow, and right for singular matrices."""
    n = a.shape[-1]
    if n == 1:
        return a * 0 + 1
    others = [kept_beside(np.delete(np.arange(n), i), plain(a)) for i in range(n)]
    minor = lambda i, j: take(take(a, others[i], -2), others[j], -1)
    return stack([stack([(-1) ** (i + j) * det(minor(i, j)) for j in range(n)], -1) for i in range(n)], -2)


det = primitive(_det, _d_det, name="det")


def _logabsdet(a):
    return xp(a).asarray(_of_numpy("slogdet", a)[1], a.dtype)


_logabsdet = primitive(_logabsdet, lambda g, y, a: reshape(g, (*g.shape, 1, 1)) * _t(inv(a)), name="logabsdet", saves="inputs")


def slogdet(a) -> Slogdet:
    """(sign, ln |det a|), which neither overflow nor vanish for large matrices.   d ln |det a|: a^-T; the sign is constant.

    a (..., n, n).   For a singular matrix they are 0 and -inf, and the derivative is a SingularError.

    >>> mg.slogdet(mg.tensor([[0.0, -1.0], [1.0, 0.0]])).logabsdet.tolist()
    0.0
    """
    _square("slogdet", a)
    array = plain(a)
    sign = xp(array).asarray(xp(array).linalg.slogdet(array)[0], array.dtype)
    return Slogdet(Tensor(sign) if isinstance(a, Tensor) else sign, _logabsdet(a))


# --------------------------------------------------------------------------------------------------- decompositions ---


def _cholesky(a):
    """L, lower triangular with a positive diagonal, with L L^T = a.   a (..., n, n), symmetric and positive definite.

    Only the lower triangle of a is read.  The gradient is symmetric: with P = L^T g, its upper triangle 0 and its diagonal
    halved, it is the symmetric part of L^-T P L^-1.   SingularError if a is not positive definite.

    >>> mg.cholesky(mg.tensor([[4.0, 2.0], [2.0, 2.0]])).tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    _square("cholesky", a)
    return _of_numpy("cholesky", a)


def _d_cholesky(g, y, a):
    p = tril(matmul(_t(y), g))
    p = p - 0.5 * p * _identity(p)
    s = _solve(_t(y), _t(_solve(_t(y), _t(p))))
    return 0.5 * (s + _t(s))


def _identity(x):
    return xp(plain(x)).eye(x.shape[-1], dtype=x.dtype)


cholesky = primitive(_cholesky, _d_cholesky, name="cholesky", saves="output")


def _eigh(a):
    """The eigenvalues as a first row, and under it the eigenvectors as columns: (..., n + 1, n)."""
    w, v = _of_numpy("eigh", a)
    return xp(a).concatenate([w[..., None, :], v], -2)


def _gaps(values, *vectors):
    """1 / (x[j] - x[i]) at (i, j), and 0 on the diagonal.

    Where two x are equal, the gradients of their vectors have no finite formula: NaN, unless those of all vectors are 0.
    """
    gaps = expand_dims(values, -2) - expand_dims(values, -1)
    equal = plain(gaps) == 0
    found = kept(1 / where(equal, 1.0, gaps), ~equal)
    apart = equal & ~xp(equal).eye(equal.shape[-1], dtype=bool)
    needed = any((plain(v) != 0).any() for v in vectors)
    return where(apart, np.nan, found) if needed and apart.any() else found


def _d_eigh(g, y, a):
    w, v, dw, dv = y[..., 0, :], y[..., 1:, :], g[..., 0, :], g[..., 1:, :]
    inner = _gaps(w, dv) * matmul(_t(v), dv) + expand_dims(dw, -2) * _identity(v)
    found = matmul(matmul(v, inner), _t(v))
    return 0.5 * (found + _t(found))


_eigh = primitive(_eigh, _d_eigh, name="eigh", saves="output")


def eigh(a) -> Eigh:
    """(w, V) with a = V diag(w) V^T: the eigenvalues in ascending order, (..., n), and the eigenvectors as columns, (..., n,
    n).

    a (..., n, n), symmetric; only its lower triangle is read.  The gradient is symmetric: with F[i, j] = 1 / (w[j] - w[i]) it
    is the symmetric part of V (diag(dw) + F * (V^T dV)) V^T.  An eigenvector may be multiplied by -1, so only what does not
    depend on that has a derivative.  Where two eigenvalues are equal, F is infinite: the gradient of the vectors is NaN
    there, and that of the eigenvalues is right.

    >>> mg.eigh(mg.tensor([[2.0, 0.0], [0.0, 1.0]]))[0].tolist()
    [1.0, 2.0]
    """
    _square("eigh", a)
    found = _eigh(a)
    return Eigh(found[..., 0, :], found[..., 1:, :])


def _svd(a):
    """U, s and V^T, flattened, one after the other: (..., m k + k + k n) with k = min(m, n)."""
    u, s, vt = _of_numpy("svd", a, full_matrices=False)
    lead = a.shape[:-2]
    return xp(a).concatenate([u.reshape(*lead, -1), s, vt.reshape(*lead, -1)], -1)


def _parts(packed, a):
    """U (..., m, k), s (..., k), V^T (..., k, n) from what _svd made."""
    *lead, m, n = a.shape
    k = min(m, n)
    u, s, vt = packed[..., : m * k], packed[..., m * k : m * k + k], packed[..., m * k + k :]
    return reshape(u, (*lead, m, k)), s, reshape(vt, (*lead, k, n))


def _d_svd(g, y, a):
    (u, s, vt), (du, ds, dvt) = _parts(y, a), _parts(g, a)
    f, rows, columns = _gaps(s * s, du, dvt), expand_dims(s, -1), expand_dims(s, -2)
    zero = plain(s) == 0
    inverse = kept(1 / where(zero, 1.0, s), ~zero)
    left, right = matmul(_t(u), du), matmul(vt, _t(dvt))
    inner = (f * (left - _t(left))) * columns + rows * (f * (right - _t(right))) + expand_dims(ds, -2) * _identity(left)
    found = matmul(matmul(u, inner), vt)
    if a.shape[-2] > a.shape[-1]:  # U is not square: a part of dU is orthogonal to it
        found = found + matmul((du - matmul(u, left)) * expand_dims(inverse, -2), vt)
    if a.shape[-1] > a.shape[-2]:
        found = found + matmul(u, expand_dims(inverse, -1) * (dvt - matmul(_t(right), vt)))
    return found


_svd = primitive(_svd, _d_svd, name="svd")


def svd(a, full_matrices=True) -> SVD:
    """(U, s, V^T) with a = U diag(s) V^T, s >= 0 in descending order.

    a (..., m, n)  ->  (..., m, k), (..., k), (..., k, n) with k = min(m, n).  Like eigh's, the columns of U and V have signs,
    and mixtures for equal s, that are chosen; the derivative exists for what does not depend on them.   ConfigError for
    full_matrices=True unless m = n: the added columns are not determined by a.  Where two s are equal, the gradient of the
    vectors is NaN.

    >>> mg.svd(mg.tensor([[0.0, 3.0], [2.0, 0.0]]))[1].tolist()
    [3.0, 2.0]
    """
    if a.ndim < 2:
        raise ShapeError(f"svd: needs matrices (..., m, n), got {a.shape}")
    if full_matrices and a.shape[-1] != a.shape[-2]:
        raise ConfigError(
            f"svd: full_matrices=True has no derivative for matrices {a.shape[-2:]}, not square; pass full_matrices=False"
        )
    return SVD(*_parts(_svd(a), a))


# -------------------------------------------------------------------------------------------------------- distances ---


def cdist(a, b, p: float = 2.0) -> Tensor:
    """y[..., i, j] = |a[..., i] - b[..., j]|_p, the distances between two sets of points.   dy: 0 where two points are equal.

    a (..., n, d), b (..., m, d)  ->  (..., n, m); leading axes broadcast.   torch.cdist.

    >>> mg.cdist(mg.tensor([[0.0, 0.0]]), mg.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist()
    [[5.0, 1.0]]
    """
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"cdist: needs points (..., n, d) and (..., m, d) with the same d, got {a.shape} and {b.shape}")
    return norm(expand_dims(a, -2) - expand_dims(b, -3), -1, ord=p)
