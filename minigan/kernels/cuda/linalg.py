"""Products of matrices on a GPU: every form of NumPy's matmul is one call of cuBLAS (gemm.py)."""

import math

import numpy as np

from minigan.backend import xp
from minigan.kernels.cuda import gemm


def matmul(a, b):
    """a @ b, as NumPy defines it: vectors as rows or columns, leading axes broadcast."""
    m = xp(a, b)
    if a.dtype != b.dtype or a.dtype not in (np.float32, np.float64):
        return m.matmul(a, b)
    left, right = a if a.ndim > 1 else a[None, :], b if b.ndim > 1 else b[:, None]
    lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    if right.ndim == 2 and left.ndim > 2:  # so that there is one product, and not one for each leading index
        y = gemm.matmul(left.reshape(math.prod(left.shape[:-1]), left.shape[-1]), right)
    else:
        y = gemm.matmul(*(x if x.shape[:-2] == lead else m.broadcast_to(x, lead + x.shape[-2:]) for x in (left, right)))
    return y.reshape(lead + a.shape[-2:-1] + b.shape[max(b.ndim - 1, 1) :])
