"""The cuBLAS of the stand-in: tests/cudashim's, whose products a capture records like every other piece of work."""

import ctypes

import numpy as np
from cudashim.cublas import FakeCublas


class RecordedCublas(FakeCublas):
    """FakeCublas as a library of the stand-in's card."""

    def _batched(self, name, dtype, *args):
        from cupy import _fake

        c, ldc, step, count = (getattr(x, "value", x) for x in args[-4:])
        m, n = (getattr(x, "value", x) for x in args[3:5])
        size = ((count - 1) * step + (n - 1) * ldc + m) * np.dtype(dtype).itemsize
        memory = np.frombuffer((ctypes.c_char * size).from_address(c), np.uint8)  # from the first element to the last
        status = []
        _fake.mutate(lambda: status.append(super(RecordedCublas, self)._batched(name, dtype, *args)), memory, kind="launch")
        return status[0]


def install(monkeypatch):
    """The library, found where the real one would be."""
    from minigan.kernels.cuda import gemm

    library = RecordedCublas()
    monkeypatch.setattr(gemm, "load_library", lambda: library)
    monkeypatch.setattr(gemm, "_handles", {})
    monkeypatch.setattr(gemm, "WORKSPACE", 2**10)  # filling 32 MiB takes longer than the tests
    return library
