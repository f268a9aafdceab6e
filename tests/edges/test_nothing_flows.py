"""Where a rule lets nothing through the gradient is 0, also when what arrives is inf or NaN: 0 * inf would be NaN."""

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.nn import functional as F

X = np.array([-3.0, 0.0, 2.0, 5.0])
OPEN = np.array([1.0, 2.0, 3.0, 4.0])  # what arrives where something flows
IMAGE = np.array([[1.0, 2.0, 0.0, 3.0], [0.0, 5.0, 1.0, 1.0]]).reshape(1, 1, 2, 4)
IDS = np.array([0, 2, 1, 2])

# name: (call, x, the places of x that nothing reaches)
CLOSED = {
    "relu": (mg.relu, X, X <= 0),
    "clip": (lambda x: mg.clip(x, -1, 3), X, [True, False, False, True]),
    "clip at tensors": (lambda x: mg.clip(x, np.full(4, -1, x.dtype), np.full(4, 3, x.dtype)), X, [True, False, False, True]),
    "clip's bound": (lambda low: mg.clip(X.astype(low.dtype), low), np.ones(4), [False, False, True, True]),
    "maximum": (lambda x: mg.maximum(x, 1.0), X, X < 1),
    "maximum's other": (lambda x: mg.maximum(1.0, x), X, X < 1),
    "minimum": (lambda x: mg.minimum(x, 1.0), X, X > 1),
    "max": (lambda x: mg.max(x.reshape(2, 2), 1), X, [True, False, True, False]),
    "min": (lambda x: mg.min(x.reshape(2, 2), 1), X, [False, True, False, True]),
    "where": (lambda x: mg.where(X > 1, x, 0.0), X, X <= 1),
    "where's other": (lambda x: mg.where(X > 1, 0.0, x), X, X > 1),
    "abs": (mg.abs, X, X == 0),
    "norm": (lambda x: mg.norm(x.reshape(2, 2), 1), np.array([0.0, 0.0, 3.0, 4.0]), [True, True, False, False]),
    "std": (lambda x: mg.std(x.reshape(2, 2), 1), np.array([1.0, 1.0, 3.0, 4.0]), [True, True, False, False]),
    "max_pool2d": (lambda x: mg.max_pool2d(x, 2), IMAGE, IMAGE < 3),
    "max_pool2d, overlapping": (lambda x: mg.max_pool2d(x, (2, 3), 1), IMAGE, IMAGE < 5),
    "embedding": (lambda w: mg.embedding(IDS, w, padding_idx=2), np.ones((3, 2)), [[False] * 2, [False] * 2, [True] * 2]),
    "tril": (lambda x: mg.tril(x.reshape(2, 2)), X, [False, True, False, False]),
    "power's exponent at 0": (lambda b: mg.power(np.zeros(4, b.dtype), b), np.array([0.0, 1.0, 2.0, 0.5]), [True] * 4),
    "getitem": (lambda x: x[1:3], X, [True, False, False, True]),
    "pad": (lambda x: mg.pad(x, 1)[:2], X, [False, True, True, True]),
}


@pytest.mark.parametrize("arriving", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nothing_flows_means_0(name, create_graph, dtype, arriving):
    f, x, closed = CLOSED[name]
    x, closed = mg.tensor(x, dtype=dtype, requires_grad=True), np.asarray(closed)
    y = f(x)
    v = mg.tensor(np.full(y.shape, arriving), dtype=dtype)
    (g,) = mg.grad(y, x, v, create_graph=create_graph)
    g = g.detach().numpy()
    assert (g[closed] == 0).all(), g
    if not closed.all():
        assert not np.isfinite(g[~closed]).any(), g  # and elsewhere what arrives goes on


def test_the_root_of_a_relu():
    """sqrt is infinitely steep at 0, and relu lets nothing of it through."""
    x = mg.tensor([-1.0, 4.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        assert mg.grad(mg.sqrt(mg.relu(x)).sum(), x)[0].tolist() == [0.0, 0.25]
        assert mg.grad(mg.sqrt(mg.clip(x, 0, 9)).sum(), x)[0].tolist() == [0.0, 0.25]
        assert mg.grad(mg.sqrt(mg.maximum(x, 0.0)).sum(), x)[0].tolist() == [0.0, 0.25]


def test_the_slope_of_a_prelu_learns_nothing_from_an_infinite_input_above_0():
    layer = nn.PReLU()
    x = mg.tensor([np.inf, 2.0, -3.0], requires_grad=True)
    y = layer(x)
    y.backward(mg.tensor([np.inf, np.inf, 1.0]))
    assert y.tolist() == [np.inf, 2.0, -0.75] and layer.weight.grad.tolist() == [-3.0]


def test_a_dropped_infinity_is_dropped():
    x = mg.tensor(np.full(1000, np.inf, np.float32), requires_grad=True)
    y = F.dropout(x, 0.5)
    (g,) = mg.grad(y, x, mg.tensor(np.full(1000, np.inf, np.float32)))
    dropped = y.detach().numpy() == 0
    assert 300 < dropped.sum() < 700 and np.isinf(y.detach().numpy()[~dropped]).all()
    assert np.array_equal(g.numpy() == 0, dropped)


def test_a_second_derivative_through_a_mask():
    x = mg.tensor(np.array([-1.0, 0.0, 4.0]), requires_grad=True)
    for f in (mg.relu, lambda x: mg.clip(x, 0.5, 9), lambda x: mg.maximum(x, 0.5), lambda x: mg.where(x.data > 0.5, x, 1.0)):
        (g,) = mg.grad((f(x) ** 3).sum(), x, create_graph=True)
        (h,) = mg.grad(g, x, mg.tensor(np.array([np.inf, np.inf, 1.0])))
        assert h.tolist() == [0.0, 0.0, 24.0]
