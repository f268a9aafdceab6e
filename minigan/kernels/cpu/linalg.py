"""The product of two matrices, shared among our threads where BLAS may use only one (threads.py)."""

import numpy as np

from minigan.kernels import threads
from minigan.kernels.threads import get_num_threads, share

# A second thread pays from so many multiplications on, which take a tenth of a millisecond on one thread.
WORTH_A_THREAD = 2**22


def matmul(a, b):
    """a @ b.   Each thread computes some rows of the result, or some columns where these are more."""
    if a.ndim == b.ndim == 2 and a.shape[1] == 1:
        return a * b  # this takes a tenth of BLAS's time
    if threads.watching:
        threads.note(a.size * b.shape[-1])
    if get_num_threads() == 1 or a.ndim != 2 or b.ndim != 2:
        return np.matmul(a, b)
    (n, k), m = a.shape, b.shape[1]
    y = np.empty((n, m), a.dtype)
    if n >= m:
        share(lambda i, j: np.matmul(a[i:j], b, out=y[i:j]), n, -(-WORTH_A_THREAD // max(1, m * k)))
    else:
        share(lambda i, j: np.matmul(a, b[:, i:j], out=y[:, i:j]), m, -(-WORTH_A_THREAD // max(1, n * k)))
    return y
