"""Matrix products on a GPU, with direct calls of cuBLAS.

CuPy refuses its own cuBLAS calls during the capture of a stream, copies operands of batched products, and cannot add to its
output.  So we call the same library with ctypes: one handle for each device, and a separate workspace for each stream.

gemm          out = a b, or out += a b, for matrices that lie in memory by rows or by columns, without copies
matmul        a @ b for two matrices or two stacks of matrices, as a new array
allow_tf32    float32 products on tensor cores, with inputs of 10 bits of mantissa (an error of about 3e-4); off by default

Without libcublas these use CuPy's own products, and warn once.

cuBLAS stores matrices by columns.  A matrix by rows is the transpose of a matrix by columns, so for c = a b by rows we ask
for c^T = b^T a^T by columns: the operands change places, and no data moves.
"""

import ctypes
import math
import warnings
from ctypes import c_double, c_float, c_int, c_longlong, c_size_t, c_void_p

import numpy as np

from minigan.backend import xp
from minigan.errors import DeviceError, DTypeError, ShapeError

NOT_TRANSPOSED, TRANSPOSED = 0, 1  # cublasOperation_t
DEFAULT_MATH, TF32_MATH = 0, 3  # cublasMath_t
WORKSPACE = 2**25  # bytes; cuBLAS recommends this for Hopper, and older GPUs need less
STATUS = {
    1: "NOT_INITIALIZED",
    3: "ALLOC_FAILED",
    7: "INVALID_VALUE",
    8: "ARCH_MISMATCH",
    11: "MAPPING_ERROR",
    13: "EXECUTION_FAILED",
    14: "INTERNAL_ERROR",
    15: "NOT_SUPPORTED",
    16: "LICENSE_ERROR",
}

_handles: dict = {}  # (module of the arrays, device) -> _Handle, or None where there is no cuBLAS
_tf32 = False


def allow_tf32(allowed: bool) -> None:
    """Let float32 products use TF32, or not, from the next product on.  A captured step keeps the mode of its capture."""
    global _tf32
    _tf32 = bool(allowed)


def is_tf32_allowed() -> bool:
    """May float32 products use TF32?"""
    return _tf32


def gemm(a, b, out, accumulate: bool = False) -> None:
    """out = a b, or with accumulate out += a b.   a (M, K), b (K, N), out (M, N), float32 or float64, on one GPU.

    a and b may lie by rows or by columns, with gaps between these; out must lie by rows, and may have gaps.  Nothing is copied.
    ShapeError for shapes or strides that do not fit, DTypeError for dtypes.
    """
    if not a.ndim == b.ndim == out.ndim == 2 or a.shape[1] != b.shape[0] or out.shape != (a.shape[0], b.shape[1]):
        raise ShapeError(f"gemm: a {a.shape} b {b.shape} does not give out {out.shape}")
    _check_dtypes(a, b, out)
    (m, k), n = a.shape, b.shape[1]
    if not (m and n):
        return
    if not k:
        if not accumulate:
            out[...] = 0
        return
    (op_a, lda), (op_b, ldb), (op_out, ldc) = _by_rows("a", a), _by_rows("b", b), _by_rows("out", out)
    if op_out == TRANSPOSED:
        raise ShapeError(f"gemm: out {out.shape} lies by columns in memory; it must lie by rows")
    handle = _handle(out)
    if handle is None:
        if accumulate:
            out += a @ b
        else:
            out[...] = a @ b
        return
    kind, number = ("S", c_float) if a.dtype == np.float32 else ("D", c_double)
    handle.call(
        f"cublas{kind}gemm_v2",
        c_int(op_b),
        c_int(op_a),
        c_int(n),
        c_int(m),
        c_int(k),
        ctypes.byref(number(1)),
        _address(b),
        c_int(ldb),
        _address(a),
        c_int(lda),
        ctypes.byref(number(accumulate)),
        _address(out),
        c_int(ldc),
    )


def matmul(a, b):
    """a @ b as a new array in C order.   a (..., M, K), b (..., K, N), with equal leading axes, float32 or float64.

    Operands that lie neither by rows nor by columns are copied first.
    """
    if a.ndim < 2 or b.ndim < 2 or a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"matmul: needs (..., M, K) and (..., K, N) of equal leading axes, got {a.shape} and {b.shape}")
    _check_dtypes(a, b)
    out = xp(a, b).empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    if a.ndim == 2:
        gemm(_regular(a), _regular(b), out)
        return out
    (m, k), n, count = a.shape[-2:], b.shape[-1], math.prod(a.shape[:-2])
    if not out.size:
        return out
    if not k:
        out[...] = 0
        return out
    handle = _handle(out)
    if handle is None:
        return a @ b
    a, b = (_stack(x, count) for x in (a, b))
    (op_a, lda), (op_b, ldb) = _by_rows("a", a[0]), _by_rows("b", b[0])
    kind, number = ("S", c_float) if a.dtype == np.float32 else ("D", c_double)
    handle.call(
        f"cublas{kind}gemmStridedBatched",
        c_int(op_b),
        c_int(op_a),
        c_int(n),
        c_int(m),
        c_int(k),
        ctypes.byref(number(1)),
        _address(b),
        c_int(ldb),
        c_longlong(b.strides[0] // b.itemsize),
        _address(a),
        c_int(lda),
        c_longlong(a.strides[0] // a.itemsize),
        ctypes.byref(number(0)),
        _address(out),
        c_int(n),
        c_longlong(m * n),
        c_int(count),
    )
    return out


def _check_dtypes(*arrays):
    if arrays[0].dtype not in (np.float32, np.float64) or len({x.dtype for x in arrays}) > 1:
        raise DTypeError(f"gemm: needs float32 or float64 throughout, got {', '.join(str(x.dtype) for x in arrays)}")


def _by_rows(name, x):
    """(transposed?, distance between rows or columns) of a matrix.  ShapeError if it lies neither by rows nor by columns."""
    (rows, columns), (down, right) = x.shape, (s // x.itemsize for s in x.strides)
    if (right == 1 or columns == 1) and (down >= columns or rows == 1):
        return NOT_TRANSPOSED, max(down if rows > 1 else 1, columns)
    if (down == 1 or rows == 1) and (right >= rows or columns == 1):
        return TRANSPOSED, max(right if columns > 1 else 1, rows)
    raise ShapeError(f"gemm: {name} {x.shape} with strides {x.strides} lies neither by rows nor by columns; copy it first")


def _regular(x):
    """The matrix itself, or a copy by rows if cuBLAS cannot read it."""
    try:
        _by_rows("x", x)
    except ShapeError:
        return xp(x).ascontiguousarray(x)
    return x


def _stack(x, count):
    """x (..., R, S) as (count, R, S), with matrices by rows or by columns: a view if its memory allows it, else a copy."""
    if not (x.flags.c_contiguous or x.swapaxes(-1, -2).flags.c_contiguous):
        x = xp(x).ascontiguousarray(x)
    if x.flags.c_contiguous:
        return x.reshape(count, *x.shape[-2:])
    return x.swapaxes(-1, -2).reshape(count, x.shape[-1], x.shape[-2]).swapaxes(-1, -2)


def _address(x):
    return c_void_p(x.data.ptr)


class _Handle:
    """A cuBLAS handle on one device."""

    def __init__(self, library, module):
        self.library, self.module = library, module
        self.handle = c_void_p()
        self.check("cublasCreate_v2", library.cublasCreate_v2(ctypes.byref(self.handle)))
        self.stream = self.math = None
        self.workspaces = {}  # stream -> memory, because two streams may work at the same time

    def call(self, name, *args):
        """Call the function of that name on CuPy's current stream."""
        stream = self.module.cuda.get_current_stream().ptr
        if stream != self.stream:
            self.check("cublasSetStream_v2", self.library.cublasSetStream_v2(self.handle, c_void_p(stream)))
            if stream not in self.workspaces:
                # It must not come from a temporary pool, because the memory of a pool goes away with the pool.
                with self.module.cuda.using_allocator(self.module.cuda.get_default_memory_pool().malloc):
                    self.workspaces[stream] = self.module.empty(WORKSPACE, np.uint8)
            memory = self.workspaces[stream]  # cuBLAS drops the workspace when the stream is set, so we set it again
            self.check(
                "cublasSetWorkspace_v2", self.library.cublasSetWorkspace_v2(self.handle, _address(memory), c_size_t(WORKSPACE))
            )
            self.stream = stream
        math_mode = TF32_MATH if _tf32 else DEFAULT_MATH
        if math_mode != self.math:
            self.check("cublasSetMathMode", self.library.cublasSetMathMode(self.handle, c_int(math_mode)))
            self.math = math_mode
        self.check(name, getattr(self.library, name)(self.handle, *args))

    @staticmethod
    def check(name, status):
        if status:
            raise DeviceError(f"{name}: CUBLAS_STATUS_{STATUS.get(status, status)}")


def load_library():
    """libcublas, found beside CuPy's other CUDA libraries or by the system.  OSError if there is none."""
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib

        return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)
    except (ImportError, RuntimeError) as error:  # there is no pathfinder, or it has not found the library
        for name in ("libcublas.so.13", "libcublas.so.12", "libcublas.so"):
            try:
                return ctypes.CDLL(name)
            except OSError:
                pass
        raise OSError(f"libcublas was not found: {error}") from None


def _handle(array):
    """The handle for the array's device, made at the first call; None if there is no cuBLAS."""
    module, device = xp(array), array.device.id
    if (module, device) not in _handles:
        try:
            _handles[module, device] = _Handle(load_library(), module)
        except (OSError, DeviceError) as error:
            _handles[module, device] = None
            warnings.warn(
                f"matrix products go through CuPy, which is slower and can't be captured: {error}", RuntimeWarning, stacklevel=3
            )
    return _handles[module, device]
