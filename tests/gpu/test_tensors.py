"""Tensors on the card: NumPy's functions, operators in place, masks; an array of the card on the left of an operator."""

import numpy as np
import pytest

import minigan as mg
from minigan.backend import to_device
from minigan.errors import DeviceError, DTypeError, GraphError, ShapeError

A = np.array([[0.5, 1.5, 2.5], [1.0, -2.0, 4.0]], np.float32)


def there(array, **options):
    return mg.tensor(array, device="cuda", **options)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, axis=0),
        lambda x: np.exp(x),
        lambda x: np.concatenate([x, x], 1),
        lambda x: np.where(x > 1, x, 0.0),
        lambda x: np.linalg.norm(x, axis=1),
        lambda x: np.maximum(x, 1.0),
        lambda x: np.tile(x, (2, 1)),
        lambda x: x % 2.0,
    ],
)
def test_numpys_functions_run_there_and_are_differentiable(card, call):
    x = there(A, requires_grad=True)
    y = call(x)
    assert y.device == "cuda:0" and y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), call(A), rtol=1e-6)
    here = mg.tensor(A, requires_grad=True)
    np.testing.assert_allclose(mg.grad(y.sum(), x)[0].numpy(), mg.grad(call(here).sum(), here)[0].numpy(), rtol=1e-6)


def test_an_array_of_the_card_on_the_left_leaves_the_operator_to_the_tensor(card):
    x, array = there(A, requires_grad=True), to_device(A, "cuda")
    for y in (array + x, array * x, array @ x.T, array / x):
        assert isinstance(y, mg.Tensor) and y.requires_grad
    assert isinstance(array < x, mg.Tensor)
    with pytest.raises(DeviceError, match="different devices"):
        A + x
    with pytest.raises(GraphError, match="leaves the graph"):
        np.asarray(x)
    with pytest.raises(DeviceError, match="bring it to the CPU"):
        np.asarray(x.detach())


def test_changes_in_place_stay_there(card):
    x = there(A)
    memory = x.data
    x += 1.0
    x *= x
    x[0] = [7.0, 8.0, 9.0]
    x[x < 2] = 0.0
    assert x.data is memory
    want = (A + 1) ** 2
    want[0] = [7, 8, 9]
    want[want < 2] = 0
    np.testing.assert_array_equal(x.numpy(), want)
    with pytest.raises(ShapeError, match="several elements of this tensor are one place"):
        mg.broadcast_to(x[:1], (2, 3))[0] = 1.0
    with pytest.raises(DeviceError, match="different devices"):
        x[0] = A[0]
    for make in (lambda: mg.tile(there(A[:1, :1]), (3, 1)), lambda: mg.repeat(there(A[:1, :1]), 3, 0)):
        y = make()
        y[0] = 5.0
        assert y.tolist() == [[5], [0.5], [0.5]]


def test_masks_and_questions(card):
    x = there(A)
    mask = ((x > 0) & ~(x > 2)) | (x == 4.0)
    assert mask.device == "cuda:0" and mask.tolist() == [[True, True, False], [True, False, True]]
    assert x.isfinite().all() and not x.isnan().any() and mask.any(1).tolist() == [True, True]
    assert 4.0 in x and 3.0 not in x and round(x).tolist()[0] == [0, 2, 2]
    with pytest.raises(DTypeError, match="need booleans or integers"):
        x & mask


def test_copies_and_views_there(card):
    x, w = there(A), there(A, requires_grad=True)
    loss = (w * x).sum()
    for copied in (x[[0, 1]], x[x > 0], x.T.reshape(-1), mg.take(x, [0], 1)):
        copied[...] = 9.0
    np.testing.assert_array_equal(mg.grad(loss, w, retain_graph=True)[0].numpy(), A)
    x.reshape(3, 2)[0] = 9.0
    with pytest.raises(GraphError, match="updated in place"):
        loss.backward()


def test_a_move_between_forward_and_grad_brings_the_gradient_along(card):
    net = mg.nn.Linear(3, 1)
    loss = net(mg.tensor(A)).sum()
    net.to("cuda")
    (g, _) = mg.grad(loss, net.parameters(), retain_graph=True)
    assert g.device == "cuda:0"
    loss.backward()
    assert net.weight.grad.device == "cuda:0"
    np.testing.assert_allclose(net.weight.grad.numpy(), A.sum(0, keepdims=True), rtol=1e-6)
