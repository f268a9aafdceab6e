"""A card for the tests of the kernels: arrays whose kernels and matrix products run on the CPU (tests/cudashim).

`card` is an array module as the launcher sees CuPy: RawModule is the shim, cuBLAS is the fake one.  Its arrays are NumPy's
with an address and a device; how strictly CuPy differs from NumPy is the business of other tests.
"""

import types

import cudashim
import numpy as np
import pytest
from cudashim.cublas import FakeCublas

from minigan import backend
from minigan.kernels.cuda import gemm, launcher


class Array(np.ndarray):
    """An array "on the card"."""

    @property
    def data(self):
        return types.SimpleNamespace(ptr=self.ctypes.data)

    @property
    def device(self):
        return types.SimpleNamespace(id=0)


class RawModule:
    """cupy.RawModule, on the shim."""

    def __init__(self, code, options):
        self.get_function = cudashim.load(code, options).get_function


def _poisoned(shape, dtype=float, order="C"):
    """Memory as a card gives it out, at its worst: NaN, or the largest integers."""
    out = np.empty(shape, dtype, order).view(Array)
    out[...] = np.nan if out.dtype.kind == "f" else np.iinfo(out.dtype).max
    return out


MODULE = types.ModuleType("card")
vars(MODULE).update(
    ndarray=Array,
    RawModule=RawModule,
    empty=_poisoned,
    empty_like=lambda x: np.empty_like(x),
    zeros=lambda shape, dtype=float: np.zeros(shape, dtype).view(Array),
    ones=lambda shape, dtype=float: np.ones(shape, dtype).view(Array),
    ascontiguousarray=lambda x: np.ascontiguousarray(x).view(Array),
    asarray=lambda x: np.array(x).view(Array),
    uint64=np.uint64,
    cuda=types.SimpleNamespace(get_current_stream=lambda: types.SimpleNamespace(ptr=0)),
)


@pytest.fixture
def cublas(monkeypatch):
    """The fake cuBLAS, where the real one would be found."""
    library = FakeCublas()
    monkeypatch.setattr(gemm, "load_library", lambda: library)
    monkeypatch.setattr(gemm, "_handles", {})
    monkeypatch.setattr(gemm, "WORKSPACE", 2**10)  # filling 32 MiB takes longer than the tests
    return library


@pytest.fixture(params=["forward", "reverse"])
def card(request, monkeypatch, cublas):
    """The array module, with threads in each of the two orders."""
    monkeypatch.setitem(backend.MODULES, Array, MODULE)
    monkeypatch.setattr(launcher, "_modules", {})
    with cudashim.order(request.param):
        yield MODULE
