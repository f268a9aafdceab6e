"""Linear equations and decompositions against NumPy; their gradients at singular and repeated values; norms of every order."""

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError, ShapeError, SingularError

rng = np.random.default_rng(0)
A = rng.standard_normal((2, 4, 4))
S = A @ A.swapaxes(1, 2)


def test_values_are_numpys():
    near = lambda a, b: np.testing.assert_allclose(np.asarray(a.numpy()), b, rtol=1e-10, atol=1e-12)
    b1, b2 = rng.standard_normal(4), rng.standard_normal((2, 4, 3))
    t = mg.tensor(A)
    near(mg.inv(t), np.linalg.inv(A))
    near(mg.det(t), np.linalg.det(A))
    near(mg.solve(t, mg.tensor(b1)), np.linalg.solve(A, b1))
    near(mg.solve(t, mg.tensor(b2)), np.linalg.solve(A, b2))
    for part, expected in zip(mg.slogdet(t), np.linalg.slogdet(A)):
        near(part, expected)
    near(mg.cholesky(mg.tensor(S)), np.linalg.cholesky(S))
    w, v = mg.eigh(mg.tensor(S))
    near(w, np.linalg.eigvalsh(S))
    near(mg.matmul(v * w[:, None], v.transpose(0, 2, 1)), S)
    u, s, vh = mg.svd(mg.tensor(A[:, :3]), full_matrices=False)
    near(mg.matmul(u * s[:, None], vh), A[:, :3])
    assert mg.svd(mg.tensor(A)).S.shape == (2, 4)


@pytest.mark.parametrize("name", "solve inv det slogdet cholesky eigh svd".split())
def test_numpys_functions_take_tensors(name):
    b = [rng.standard_normal((2, 4, 1))] if name == "solve" else []
    x = mg.tensor(S, requires_grad=True)
    found, expected = getattr(np.linalg, name)(x, *map(mg.tensor, b)), getattr(np.linalg, name)(S, *b)
    found, expected = (r if isinstance(r, tuple) else (r,) for r in (found, expected))
    for a, b in zip(found, expected):
        assert isinstance(a, mg.Tensor)
        np.testing.assert_allclose(abs(a.detach().numpy()), abs(b), rtol=1e-8, atol=1e-9)  # vectors have free signs
    assert found[-1].requires_grad


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_gradient_of_det_is_the_cofactors_even_for_singular_matrices(rank):
    a = rng.standard_normal((3, rank)) @ rng.standard_normal((rank, 3))
    cofactors = np.array(
        [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(3)] for i in range(3)]
    )
    x = mg.tensor(a, requires_grad=True)
    np.testing.assert_allclose(mg.grad(mg.det(x), x)[0].numpy(), cofactors, rtol=1e-9, atol=1e-12)
    if rank == 2:
        mg.gradcheck(mg.det, a, order=2)


def test_errors_say_what_is_wrong_with_the_matrix():
    if mg.tensor([1.0]).device != "cpu":
        assert np.isnan(mg.inv(mg.zeros((2, 2))).numpy()).all()
        return
    with pytest.raises(SingularError, match="inv: singular matrix"):
        mg.inv(mg.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="cholesky: .*positive definite"):
        mg.cholesky(-mg.tensor(np.eye(2)))
    with pytest.raises(SingularError):
        mg.solve(mg.zeros((2, 2)), mg.ones(2))
    for f in (mg.inv, mg.det, mg.slogdet, mg.cholesky, mg.eigh):
        with pytest.raises(ShapeError, match=r"square matrices.*\(2, 3\)"):
            f(mg.ones((2, 3)))
    with pytest.raises(ConfigError, match="full_matrices=False"):
        mg.svd(mg.ones((2, 3)))
    with pytest.raises(ShapeError, match="the same d"):
        mg.cdist(mg.ones((2, 3)), mg.ones((2, 2)))


def test_repeated_values_give_right_gradients_or_nan_but_never_wrong_ones():
    x = mg.tensor(np.eye(3), requires_grad=True)
    w, v = mg.eigh(x)
    (g,) = mg.grad(w.sum(), x, retain_graph=True)
    np.testing.assert_allclose(g.numpy(), np.eye(3), atol=1e-12)
    (g,) = mg.grad((v * w[None] @ v.T).sum(), x)
    assert np.isnan(g.numpy()).any()
    (g,) = mg.grad(mg.svd(x).S.sum(), x)
    np.testing.assert_allclose(g.numpy(), np.eye(3), atol=1e-12)


@pytest.mark.parametrize("order", [None, 0, 1, 2, 3, 0.5, -1, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, -1])
def test_norms_of_vectors(order, axis):
    x = rng.standard_normal((3, 4))
    expected = np.linalg.norm(x, order, axis)
    np.testing.assert_allclose(np.linalg.norm(mg.tensor(x), order, axis).numpy(), expected, rtol=1e-12)
    if order is not None:
        np.testing.assert_allclose(mg.norm(mg.tensor(x), axis, ord=order).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_matrices(order, keepdims):
    x = mg.tensor(A, requires_grad=True)
    y = np.linalg.norm(x, order, (0, 2), keepdims)
    np.testing.assert_allclose(y.detach().numpy(), np.linalg.norm(A, order, (0, 2), keepdims), rtol=1e-10)
    assert y.requires_grad


def test_norms_at_zero_and_at_huge_numbers():
    for order in (1, 2, 3, 1.5, np.inf):
        x = mg.tensor([0.0, 0.0], requires_grad=True)
        assert mg.grad(mg.norm(x, ord=order), x)[0].tolist() == [0, 0]
        assert float(mg.norm(mg.tensor([1e30, -1e30]), ord=order)) == pytest.approx(1e30 * 2 ** (1 / order), rel=1e-6)
    for wrong in ("fro", True, None, np.nan):
        with pytest.raises(ConfigError, match="ord must be a number"):
            mg.norm(mg.ones(2), ord=wrong)


def test_distances_between_equal_points_have_slope_zero():
    a = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = mg.cdist(a, a)
    np.testing.assert_allclose(y.detach().numpy(), [[0, 8**0.5], [8**0.5, 0]], rtol=1e-6)
    (g,) = mg.grad(y.sum(), a)
    assert np.isfinite(g.numpy()).all()
