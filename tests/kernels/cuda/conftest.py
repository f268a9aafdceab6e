"""A card for the tests of the kernels: CuPy's stand-in, whose kernels and matrix products run on the CPU.

With MINIGAN_BACKEND=cupy the same tests run on a real card; with MINIGAN_NO_POOL too, each array in memory of its own from the
driver, so that compute-sanitizer sees its bounds.
"""

import contextlib
import os

import pytest
from cudashim.cublas import FakeCublas

from minigan import backend
from minigan.kernels.cuda import gemm, launcher

REAL = os.environ.get("MINIGAN_BACKEND") == "cupy"
if REAL and os.environ.get("MINIGAN_NO_POOL"):
    backend.load_cupy().cuda.set_allocator(None)
# One order is enough for a real card, which has its own, and for the address sanitizer: the addresses are the same in both.
ORDERS = ["forward"] if REAL or os.environ.get("CUDASHIM_SANITIZE") else ["forward", "reverse"]


@pytest.fixture(params=ORDERS)
def card(request, monkeypatch):
    """The module cupy, on the stand-in with threads in each of the two orders."""
    if REAL:
        order = contextlib.nullcontext()
    else:
        import cudashim
        from cupy import _fake

        monkeypatch.setattr(_fake.machine, "cards", 1)
        order = cudashim.order(request.param)
    monkeypatch.setattr(launcher, "_modules", {})
    with order:
        yield backend.load_cupy()


@pytest.fixture
def cublas(monkeypatch):
    """A fake cuBLAS of this test's own."""
    library = FakeCublas()
    monkeypatch.setattr(gemm, "load_library", lambda: library)
    monkeypatch.setattr(gemm, "_handles", {})
    return library


def pytest_collection_modifyitems(items):
    """On a real card leave out what looks into the stand-in."""
    if REAL:
        for item in items:
            if "cublas" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason="about the fake cuBLAS"))
