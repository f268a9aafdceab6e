"""Matrix products of arrays, on whatever device they are."""

import math

import numpy as np

from minigan.backend import xp


def matmul(a, b):
    """a @ b: every form of NumPy's matmul.

    On a card through cuBLAS itself (kernels/cuda/gemm.py), which a CUDA graph can hold; stacks of matrices that repeat are
    copied there.
    """
    if isinstance(a, np.ndarray):
        return np.matmul(a, b)
    m = xp(a, b)
    if a.dtype.kind != "f" or a.dtype.itemsize < 4 or a.dtype != b.dtype:
        return m.matmul(a, b)
    from minigan.kernels.cuda.gemm import matmul as product

    if a.ndim == 1 or b.ndim == 1:
        y = matmul(a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b)
        y = y[..., 0] if b.ndim == 1 else y
        return y if a.ndim > 1 else y[..., 0] if b.ndim == 1 else y[..., 0, :]
    if b.ndim == 2:  # one product, not one for each leading index
        y = product(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) if a.ndim > 2 else a, b)
        return y.reshape(*a.shape[:-1], b.shape[-1])
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return product(*(m.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b)))
