"""The calls of cuBLAS against NumPy, through a library that does what the manual of cuBLAS says."""

import itertools

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.errors import DeviceError, DTypeError, ShapeError
from minigan.kernels.cuda import gemm as blas

pytestmark = pytest.mark.gpu


def host(x):
    return to_device(x, "cpu")


def laid_out(card, x, how):
    """x by rows, by columns, or the same with gaps, NaN in the gaps."""
    if how == "rows":
        return card.asarray(x)
    if how == "columns":
        return card.asarray(np.ascontiguousarray(x.T)).T
    wide = card.empty((x.shape[0], x.shape[1] + 3) if how == "rows with gaps" else (x.shape[1], x.shape[0] + 3), x.dtype)
    view = wide[:, 1:-2] if how == "rows with gaps" else wide[:, 1:-2].T
    view[...] = card.asarray(x)
    return view


LAYOUTS = ["rows", "columns", "rows with gaps", "columns with gaps"]
SIZES = [(1, 1, 1), (2, 3, 4), (5, 1, 3), (1, 4, 2), (4, 3, 1), (7, 7, 7)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m, k, n", SIZES)
def test_every_layout_gives_the_product(card, cublas, rng, m, k, n, dtype):
    a, b, c = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n), (m, n)))
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    for how_a, how_b, how_out in itertools.product(LAYOUTS, LAYOUTS, ["rows", "rows with gaps"]):
        out = laid_out(card, np.full_like(c, np.nan), how_out)
        blas.gemm(laid_out(card, a, how_a), laid_out(card, b, how_b), out)
        assert np.abs(host(out) - a @ b).max() < tolerance * k * 10, (how_a, how_b, how_out)
        out = laid_out(card, c, how_out)
        blas.gemm(laid_out(card, a, how_a), laid_out(card, b, how_b), out, accumulate=True)
        assert np.abs(host(out) - (c + a @ b)).max() < tolerance * k * 10, (how_a, how_b, how_out)
        if how_out == "rows with gaps":
            assert np.isnan(host(out.base)[:, [0, -2, -1]]).all()  # nothing was written beside it
    assert cublas.calls == {f"cublas{'S' if dtype == 'float32' else 'D'}gemm_v2": 64}


@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_matmul_of_stacks(card, cublas, rng, lead, dtype):
    a, b = rng.standard_normal((*lead, 4, 5)).astype(dtype), rng.standard_normal((*lead, 5, 3)).astype(dtype)
    for flip_a, flip_b in itertools.product((False, True), repeat=2):
        left, right = (
            card.asarray(np.ascontiguousarray(x.swapaxes(-1, -2))).swapaxes(-1, -2) if flip else card.asarray(x)
            for x, flip in ((a, flip_a), (b, flip_b))
        )
        found = blas.matmul(left, right)
        assert found.flags.c_contiguous and found.dtype == dtype
        assert np.abs(host(found) - a @ b).max() < 1e-5
    name = f"cublas{'S' if dtype == 'float32' else 'D'}gemm{'StridedBatched' if lead else '_v2'}"
    assert cublas.calls == {name: 4}


def test_matmul_copies_what_cublas_cannot_read(card, rng):
    x, y = rng.standard_normal((6, 8)), rng.standard_normal((2, 6, 8))
    dx, dy = card.asarray(x), card.asarray(y)
    assert np.allclose(host(blas.matmul(dx[::2, ::2], dx[:4, :5])), x[::2, ::2] @ x[:4, :5])
    assert np.allclose(host(blas.matmul(dy[:, ::2, ::2], dy[:, :4, :5])), y[:, ::2, ::2] @ y[:, :4, :5])


def test_empty_products(card):
    out = card.empty((2, 3))
    blas.gemm(card.empty((2, 0)), card.empty((0, 3)), out)
    assert not host(out).any()
    out[...] = 1
    blas.gemm(card.empty((2, 0)), card.empty((0, 3)), out, accumulate=True)
    assert (host(out) == 1).all()
    assert host(blas.matmul(card.empty((2, 0)), card.empty((0, 3)))).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert blas.matmul(card.empty((0, 2, 4)), card.empty((0, 4, 3))).shape == (0, 2, 3)
    assert not host(blas.matmul(card.empty((2, 2, 0)), card.empty((2, 0, 3)))).any()


def test_tf32_is_off_until_asked_for(card, cublas, monkeypatch):
    monkeypatch.setattr(blas, "_tf32", False)
    a, out = card.ones((2, 2), "float32"), card.empty((2, 2), "float32")
    blas.gemm(a, a, out)
    assert not blas.is_tf32_allowed() and cublas.mode == blas.DEFAULT_MATH
    blas.allow_tf32(True)
    blas.gemm(a, a, out)
    assert blas.is_tf32_allowed() and cublas.mode == blas.TF32_MATH
    blas.allow_tf32(False)
    blas.gemm(a, a, out)
    assert cublas.mode == blas.DEFAULT_MATH


def test_a_stream_gets_a_workspace_of_its_own(card, cublas, monkeypatch):
    a, out = card.ones((2, 2)), card.empty((2, 2))
    blas.gemm(a, a, out)
    first = cublas.workspace
    monkeypatch.setattr(card.cuda, "get_current_stream", lambda: type("Stream", (), {"ptr": 77}))
    blas.gemm(a, a, out)
    assert cublas.stream == 77 and cublas.workspace[0] != first[0] and cublas.workspace[1] == blas.WORKSPACE


def test_a_workspace_outlives_the_pool_of_the_first_product(card, cublas):
    a, out, pool = card.ones((2, 2)), card.empty((2, 2)), card.cuda.MemoryPool()
    with card.cuda.using_allocator(pool.malloc):
        blas.gemm(a, a, out)
    (workspace,) = blas._handle(out).workspaces.values()
    workspace[...] = 1
    del pool  # a temporary one, as of a captured step
    assert (host(workspace) == 1).all()


def test_wrong_calls_are_refused(card):
    a, b, out = card.ones((2, 3)), card.ones((3, 4)), card.ones((2, 4))
    with pytest.raises(ShapeError, match=r"gemm: a \(2, 3\) b \(2, 4\) does not give out \(2, 4\)"):
        blas.gemm(a, out, out)
    with pytest.raises(DTypeError, match="float32 or float64 throughout, got float64, float32, float64"):
        blas.gemm(a, b.astype("float32"), out)
    with pytest.raises(DTypeError, match="int64"):
        blas.gemm(a.astype(int), b.astype(int), out.astype(int))
    with pytest.raises(ShapeError, match=r"a \(2, 3\) with strides \(48, 16\) lies neither by rows nor by columns"):
        blas.gemm(card.ones((2, 6))[:, ::2], b, out)
    with pytest.raises(ShapeError, match=r"out \(2, 4\) lies by columns"):
        blas.gemm(a, b, card.empty((4, 2)).T)
    with pytest.raises(ShapeError, match="equal leading axes"):
        blas.matmul(card.ones((2, 2, 3)), card.ones((3, 3, 2)))


def test_an_error_of_cublas_is_named(card, cublas, monkeypatch):
    monkeypatch.setattr(cublas, "cublasDgemm_v2", lambda *args: 13)
    with pytest.raises(DeviceError, match="cublasDgemm_v2: CUBLAS_STATUS_EXECUTION_FAILED"):
        blas.gemm(card.ones((2, 2)), card.ones((2, 2)), card.empty((2, 2)))


def test_without_cublas_cupy_multiplies_and_says_so_once(card, monkeypatch, rng):
    def missing():
        raise OSError("libcublas was not found")

    monkeypatch.setattr(blas, "load_library", missing)
    monkeypatch.setattr(blas, "_handles", {})
    a, b, out = card.asarray(rng.standard_normal((2, 3))), card.asarray(rng.standard_normal((3, 4))), card.ones((2, 4))
    with pytest.warns(RuntimeWarning, match="matrix products go through CuPy, .* libcublas was not found"):
        blas.gemm(a, b, out, accumulate=True)
    assert np.allclose(host(out), 1 + host(a) @ host(b))
    blas.gemm(a, b, out)  # a second warning would be an error
    assert np.allclose(host(out), host(a) @ host(b))
    assert np.allclose(host(blas.matmul(a[None], b[None])[0]), host(a) @ host(b))


def test_the_fake_cublas_notices_wrong_arguments(card, cublas, rng):
    """The checker is checked: leading dimensions, sizes and flags matter to it."""
    from ctypes import byref, c_double, c_int, c_void_p

    a, b = card.asarray(rng.standard_normal((2, 3))), card.asarray(rng.standard_normal((3, 4)))
    out = card.empty((2, 4))

    def call(op_a=0, lda=4, m=4, k=3):
        return cublas.cublasDgemm_v2(
            None,
            c_int(op_a),
            c_int(0),
            c_int(m),
            c_int(2),
            c_int(k),
            byref(c_double(1)),
            c_void_p(b.data.ptr),
            c_int(lda),
            c_void_p(a.data.ptr),
            c_int(3),
            byref(c_double(0)),
            c_void_p(out.data.ptr),
            c_int(4),
        )

    assert call() == 0 and np.allclose(host(out), host(a) @ host(b))
    assert call(lda=3) == 7 and call(m=-1) == 7
    assert call(op_a=1) == 0 and not np.allclose(host(out), host(a) @ host(b))
