"""cuBLAS on the CPU, for tests without a card: the C functions that minigan.kernels.cuda.gemm calls, done by NumPy.

Each reads its operands from the addresses it is given, by columns, with the leading dimensions and transposes it is given, as
the manual of cuBLAS defines them.  So a wrong order, size or flag gives a wrong product here too.  Where the manual
asks for CUBLAS_STATUS_INVALID_VALUE (a leading dimension too small, a negative size), that is what comes back.
"""

import ctypes
from ctypes import c_int
from functools import partial

import numpy as np

INVALID_VALUE = 7


def _value(argument):
    return getattr(argument, "value", argument)


class FakeCublas:
    """The library; calls counts the products by name, mode is the last math mode set.

    run(function, out): called for every product, with what computes it and the matrix it writes; it may run it later.
    """

    def __init__(self, run=lambda function, out: function()):
        self.calls, self.mode, self.stream, self.workspace, self.run = {}, 0, None, None, run

    def cublasCreate_v2(self, handle):
        ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))[0] = 1
        return 0

    def cublasSetStream_v2(self, handle, stream):
        self.stream, self.workspace = _value(stream), None
        return 0

    def cublasSetWorkspace_v2(self, handle, address, size):
        self.workspace = (_value(address), _value(size))
        return 0

    def cublasSetMathMode(self, handle, mode):
        self.mode = _value(mode)
        return 0

    def cublasSgemm_v2(self, *args):
        return self._gemm("cublasSgemm_v2", np.float32, *args)

    def cublasDgemm_v2(self, *args):
        return self._gemm("cublasDgemm_v2", np.float64, *args)

    def cublasSgemmStridedBatched(self, *args):
        return self._batched("cublasSgemmStridedBatched", np.float32, *args)

    def cublasDgemmStridedBatched(self, *args):
        return self._batched("cublasDgemmStridedBatched", np.float64, *args)

    def _gemm(self, name, dtype, handle, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
        return self._batched(
            name,
            dtype,
            handle,
            op_a,
            op_b,
            m,
            n,
            k,
            alpha,
            a,
            lda,
            c_int(0),
            b,
            ldb,
            c_int(0),
            beta,
            c,
            ldc,
            c_int(0),
            c_int(1),
        )

    def _batched(
        self, name, dtype, handle, op_a, op_b, m, n, k, alpha, a, lda, step_a, b, ldb, step_b, beta, c, ldc, step_c, count
    ):
        self.calls[name] = self.calls.get(name, 0) + 1
        op_a, op_b, m, n, k, lda, step_a, ldb, step_b, ldc, step_c, count = (
            _value(v) for v in (op_a, op_b, m, n, k, lda, step_a, ldb, step_b, ldc, step_c, count)
        )
        a, b, c = (_value(v) for v in (a, b, c))
        number = ctypes.POINTER(np.ctypeslib.as_ctypes_type(dtype))
        alpha, beta = (dtype(ctypes.cast(v, number)[0]) for v in (alpha, beta))
        if min(m, n, k) < 0 or lda < max(1, k if op_a else m) or ldb < max(1, n if op_b else k) or ldc < max(1, m):
            return INVALID_VALUE
        size = np.dtype(dtype).itemsize
        for i in range(count):
            left = self._matrix(a + i * step_a * size, dtype, *((k, m) if op_a else (m, k)), lda)
            right = self._matrix(b + i * step_b * size, dtype, *((n, k) if op_b else (k, n)), ldb)
            out = self._matrix(c + i * step_c * size, dtype, m, n, ldc)
            left, right = left.T if op_a else left, right.T if op_b else right
            self.run(partial(self._product, alpha, left, right, beta, out), out)
        return 0

    @staticmethod
    def _product(alpha, left, right, beta, out):
        product = alpha * (left @ right)
        out[...] = product if beta == 0 else product + beta * out  # beta 0: what is there, even NaN, is not read

    @staticmethod
    def _matrix(address, dtype, rows, columns, leading):
        """The matrix at an address, by columns: element (i, j) is number i + j * leading."""
        count = (columns - 1) * leading + rows if rows and columns else 0
        memory = (ctypes.c_char * (count * np.dtype(dtype).itemsize)).from_address(address) if count else b""
        flat = np.frombuffer(memory, dtype)
        size = flat.itemsize
        return np.lib.stride_tricks.as_strided(flat, (rows, columns), (size, leading * size))
