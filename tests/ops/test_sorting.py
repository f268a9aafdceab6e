"""Order: sort, topk, median and quantiles against NumPy, and what happens at equal elements, NaN and infinities."""

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError, ShapeError

rng = np.random.default_rng(0)
X = rng.standard_normal((3, 4, 5))
nan, inf = np.nan, np.inf


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_sort_and_argsort_are_numpys(axis):
    np.testing.assert_array_equal(mg.sort(mg.tensor(X), axis).numpy(), np.sort(X, axis))
    np.testing.assert_array_equal(mg.argsort(mg.tensor(X), axis).numpy(), np.argsort(X, axis))
    assert mg.argsort([3, 1, 2]).dtype == np.int64


def test_equal_elements_keep_their_order_and_nan_comes_last():
    x = mg.tensor([1.0, nan, 0.0, 1.0, -inf, 0.0], requires_grad=True)
    assert mg.argsort(x).tolist() == [4, 2, 5, 0, 3, 1]
    y = mg.sort(x)
    (g,) = mg.grad(y[[0, 2]].sum(), x)
    assert g.tolist() == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_topk(axis, largest):
    y, places = mg.topk(mg.tensor(X), 2, axis, largest)
    expected = np.sort(X, axis)
    expected = np.flip(expected, axis) if largest else expected
    np.testing.assert_array_equal(y.numpy(), np.take(expected, [0, 1], axis))
    np.testing.assert_array_equal(np.take_along_axis(X, places.numpy(), axis), y.numpy())
    found = mg.topk(mg.tensor([1.0, nan, 3.0, nan, 2.0]), 3, largest=largest)
    assert found.indices.tolist() == ([1, 3, 2] if largest else [0, 4, 2])
    assert mg.topk(mg.tensor([2, 9, 4]), 2, largest=largest).values.tolist() == ([9, 4] if largest else [2, 4])
    with pytest.raises(ShapeError, match="k=6 is more than the 5 elements along axis 2"):
        mg.topk(mg.tensor(X), 6)


@pytest.mark.parametrize("axis", [None, 0, (0, 2), -1])
@pytest.mark.parametrize("keepdims", [True, False])
def test_medians_and_quantiles_are_numpys(axis, keepdims):
    near = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
    near(mg.median(mg.tensor(X), axis, keepdims).numpy(), np.median(X, axis, keepdims=keepdims))
    for q in (0, 0.2, 1.0, [0.1, 0.5, 0.9]):
        near(mg.quantile(mg.tensor(X), q, axis, keepdims).numpy(), np.quantile(X, q, axis, keepdims=keepdims))


def test_quantiles_at_the_edges():
    at = lambda values, q: float(mg.quantile(mg.tensor(values), q))
    assert at([1.0, inf], 0.0) == 1 and at([inf, inf, 1.0], 0.75) == inf and at([-inf, -inf], 0.5) == -inf
    assert np.isnan(at([1.0, nan, 2.0], 0.1))
    x = mg.tensor([3.0, 3.0, 9.0, 3.0], requires_grad=True)
    assert mg.grad(mg.median(x), x)[0].tolist() == [0, 0.5, 0, 0.5]  # the two in the middle, in their stable order
    for q in (1.5, -0.1, nan, [[0.5]]):
        with pytest.raises(ConfigError, match=r"q must be a number in \[0, 1\]"):
            mg.quantile(mg.tensor(X), q)
    with pytest.raises(ShapeError, match="no elements"):
        mg.median(mg.zeros((0, 2)), 0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side):
    a, v = np.array([1.0, 2.0, 2.0, 5.0]), np.array([[2.0, 0.0], [9.0, 5.0]])
    np.testing.assert_array_equal(mg.searchsorted(mg.tensor(a), v, side).numpy(), np.searchsorted(a, v, side))
    with pytest.raises(ConfigError, match="'left' or 'right'"):
        mg.searchsorted(a, v, "middle")


def test_cumprod_with_zeros_has_the_right_slopes():
    x = np.array([2.0, 0.0, 3.0, 0.0, 5.0])
    mg.gradcheck(lambda t: mg.cumprod(t), x, order=2)
    for axis in (0, 1, None):
        np.testing.assert_allclose(mg.cumprod(mg.tensor(X), axis).numpy(), np.cumprod(X, axis), rtol=1e-14)


def test_rearranging_functions_are_numpys():
    a, b = np.arange(3.0), np.arange(4.0)
    for indexing in ("xy", "ij"):
        for ours, theirs in zip(mg.meshgrid(a, b, indexing=indexing), np.meshgrid(a, b, indexing=indexing)):
            np.testing.assert_array_equal(ours, theirs)
    for k in (-1, 0, 2):
        np.testing.assert_array_equal(mg.diag(a, k), np.diag(a, k))
        np.testing.assert_array_equal(mg.diag(X[0], k), np.diag(X[0], k))
    for arrays in ([a, a], [X[0], X[1]]):
        np.testing.assert_array_equal(mg.vstack(arrays), np.vstack(arrays))
        np.testing.assert_array_equal(mg.hstack(arrays), np.hstack(arrays))
    np.testing.assert_array_equal(mg.pad(a, (4, 5), "wrap"), np.pad(a, (4, 5), "wrap"))
    np.testing.assert_allclose(mg.linspace(0, 1, 4).numpy(), np.linspace(0, 1, 4, dtype="f4"))
    np.testing.assert_allclose(mg.kron(X[0], X[1, :2]), np.kron(X[0], X[1, :2]))
    np.testing.assert_allclose(mg.inner(X, X[0]), np.inner(X, X[0]), rtol=1e-13)


@pytest.mark.parametrize("name", ["arctan2", "hypot", "fmod"])
def test_new_elementwise_functions_at_special_points(name):
    points = np.array([0.0, -0.0, 1.0, -2.5, inf, -inf, nan, 1e300])
    a, b = np.meshgrid(points, points)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(getattr(mg, name)(mg.tensor(a), mg.tensor(b)).numpy(), getattr(np, name)(a, b))
    x, y = (mg.tensor([0.0], requires_grad=True) for _ in range(2))
    if name != "fmod":
        assert [g.tolist() for g in mg.grad(getattr(mg, name)(x, y).sum(), [x, y])] == [[0.0], [0.0]]


def test_lerp_hits_both_ends_exactly():
    a, b = rng.standard_normal((2, 100)) * 1e8
    np.testing.assert_array_equal(mg.lerp(a, b, np.zeros(100)), a)
    np.testing.assert_array_equal(mg.lerp(a, b, np.ones(100)), b)
    np.testing.assert_array_equal(mg.lerp(a, b, 1.0), b)
