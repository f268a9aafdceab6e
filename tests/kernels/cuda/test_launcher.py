"""A wrong argument of a kernel is a clear error before the card sees it."""

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.errors import ConfigError, DeviceError, DTypeError, ShapeError
from minigan.kernels.cuda import launcher

pytestmark = pytest.mark.gpu
SOURCE = """
typedef REAL T;
extern "C" __global__ void scale(const T* x /* n */, const int* chosen /* n or null */, T* y /* n */, T factor, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && (!chosen || chosen[i])) y[i] = factor * x[i];
}"""


@pytest.fixture
def scale(card, monkeypatch, tmp_path):
    """launch, for a file of one kernel."""
    (tmp_path / "scale.cu").write_text(SOURCE)
    monkeypatch.setattr(launcher, "FOLDER", tmp_path)
    for cached in (launcher.source, launcher._plan):
        cached.cache_clear()
    yield lambda *args, **more: launcher.launch("scale", "scale", args[0].size if len(args) else 1, *args, **more)
    for cached in (launcher.source, launcher._plan):
        cached.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 255, 256, 257, 1000])
def test_python_numbers_get_the_exact_types(scale, card, dtype, size):
    x, y = card.asarray(np.arange(size, dtype=dtype)), card.empty(size, dtype)
    scale(x, None, y, 3, size)
    assert np.array_equal(to_device(y, "cpu"), 3 * np.arange(size))
    scale(x, card.asarray(np.arange(size, dtype=np.int32)), y, np.float64(0.5), np.int64(size))
    assert np.array_equal(to_device(y, "cpu"), 0.5 * np.arange(size))


def test_nothing_happens_for_no_elements(scale, card):
    scale(card.empty(0), None, card.empty(0), 3, 0)


def test_wrong_arguments_are_named(scale, card):
    x, y = card.ones(4), card.ones(4)
    for args, error, message in [
        ((x, None, y, 3), TypeError, "scale.scale: takes 5 arguments, got 4"),
        ((x, None, None, 3, 4), TypeError, "y may not be None"),
        ((x, None, np.ones(4), 3, 4), DeviceError, r"y must be an array on the GPU, got a NumPy array \(4,\)"),
        ((x, None, [1.0] * 4, 3, 4), DeviceError, "y must be an array on the GPU, got list"),
        ((x, None, y.astype("float32"), 3, 4), DTypeError, "y is float32, need float64"),
        ((x, y, y, 3, 4), DTypeError, "chosen is float64, need int32"),
        ((x.astype(int), None, y, 3, 4), DTypeError, "x is int64, need float32 or float64"),
        ((x, None, y, 3, 4.5), DTypeError, "n is int32, 4.5 does not fit"),
        ((x, None, y, 3, 2**31), DTypeError, "n is int32, 2147483648 does not fit"),
        ((x, None, y, "three", 4), DTypeError, "factor is float64, 'three' does not fit"),
        ((x, None, card.ones(8)[::2], 3, 4), ShapeError, r"y \(4,\) is not in C order"),
        ((x, None, card.ones(5), 3, 4), ShapeError, r"y has 5 elements \(5,\), need 4 \(n\)"),
        ((x, None, y, 3, 5), ShapeError, "x has 4 elements .4,., need 5"),
    ]:
        with pytest.raises(error, match=message):
            scale(*args)


def test_arrays_on_two_cards_are_refused(scale, card, monkeypatch):
    class Elsewhere:
        device, dtype = type("Device", (), {"id": 1}), np.dtype(float)

    monkeypatch.setitem(launcher.MODULES, Elsewhere, card)
    with pytest.raises(DeviceError, match="y is on cuda:1, the others on cuda:0"):
        scale(card.ones(4), None, Elsewhere(), 3, 4)


def test_an_unknown_kernel_is_refused(scale, card):
    with pytest.raises(ConfigError, match="scale.cu has no kernel 'scael'; it has scale"):
        launcher.launch("scale", "scael", 1, card.ones(1))


def test_a_file_is_compiled_once_for_each_dtype(scale, card, monkeypatch):
    compiled = []
    monkeypatch.setattr(
        card,
        "RawModule",
        lambda code, options, make=card.RawModule: compiled.append(options) or make(code=code, options=options),
    )
    for dtype in ("float32", "float64", "float32"):
        scale(card.ones(4, dtype), None, card.ones(4, dtype), 3, 4)
    assert compiled == [("-std=c++17", "-DREAL=float"), ("-std=c++17", "-DREAL=double")]
