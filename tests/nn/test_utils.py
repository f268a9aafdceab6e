"""Spectral norm against the singular values; clipping, vectors and the summary against counting by hand."""

import copy

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import ConfigError, NotFiniteError, ShapeError
from minigan.nn import utils


def draw(*shape, seed=1, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def largest(weight, dim=0):
    return np.linalg.svd(np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1).astype(np.float64), compute_uv=False)[0]


# ------------------------------------------------------------------------------------------------- spectral norm ---


@pytest.mark.parametrize(
    "make, x, dim",
    [
        (lambda: nn.Linear(7, 5), (2, 7), 0),
        (lambda: nn.Conv2d(3, 6, 3), (2, 3, 5, 5), 0),
        (lambda: nn.ConvTranspose2d(3, 6, 3), (2, 3, 4, 4), 1),
        (lambda: nn.Embedding(9, 4), None, 0),
    ],
)
def test_after_many_steps_the_largest_singular_value_is_one(make, x, dim):
    layer = utils.spectral_norm(make(), n_power_iterations=300)
    layer(np.array([0, 1]) if x is None else mg.ones(x))
    assert largest(layer.weight.data, dim) == pytest.approx(1, abs=1e-4)
    expected = layer.weight_orig.data / largest(layer.weight_orig.data, dim)
    np.testing.assert_allclose(layer.weight.data, expected, rtol=1e-3, atol=1e-5)


def test_a_training_step_is_one_step_of_the_power_method():
    layer = utils.spectral_norm(nn.Linear(4, 3).double())
    w, u = layer.weight_orig.data, layer.weight_u.data.copy()
    x = draw(2, 4, dtype=np.float64)
    v = w.T @ u / np.linalg.norm(w.T @ u)
    u = w @ v / np.linalg.norm(w @ v)
    y = layer(mg.tensor(x)).data
    np.testing.assert_allclose(y, x @ (w / (u @ w @ v)).T + layer.bias.data, rtol=1e-12)
    np.testing.assert_allclose(layer.weight_u.data, u, rtol=1e-12)
    np.testing.assert_allclose(layer.weight_v.data, v, rtol=1e-12)


def test_evaluation_does_not_move_u_and_v():
    layer = utils.spectral_norm(nn.Linear(4, 3))
    x = mg.ones((2, 4))
    layer(x)
    before = layer.state_dict()
    a, b = layer.eval()(x), layer(x)
    assert all(np.array_equal(before[name], value) for name, value in layer.state_dict().items())
    assert np.array_equal(a.data, b.data)


def test_gradients_go_through_sigma_with_u_and_v_constant():
    layer = utils.spectral_norm(nn.Linear(4, 3, bias=False).double(), n_power_iterations=2)
    x, g = draw(5, 4, dtype=np.float64), draw(5, 3, seed=2, dtype=np.float64)
    (layer(mg.tensor(x)) * mg.tensor(g)).sum().backward()
    w, u, v = layer.weight_orig.data, layer.weight_u.data, layer.weight_v.data
    sigma, dw = u @ w @ v, g.T @ x  # dw: the gradient of w / sigma;  d sigma / dw = u v^T
    expected = dw / sigma - (dw * w).sum() / sigma**2 * np.outer(u, v)
    np.testing.assert_allclose(layer.weight_orig.grad.data, expected, rtol=1e-10)


def test_two_forwards_before_one_backward_use_their_own_u_and_v():
    layer = utils.spectral_norm(nn.Linear(4, 3, bias=False).double())
    x = mg.ones((1, 4), dtype="float64")
    alone = copy.deepcopy(layer)
    first, second = layer(x).sum(), layer(x).sum()
    (first + second).backward()
    alone(x).sum().backward()
    alone(x).sum().backward()
    np.testing.assert_allclose(layer.weight_orig.grad.data, alone.weight_orig.grad.data, rtol=1e-12)


def test_what_is_saved_and_copied():
    layer = utils.spectral_norm(nn.Linear(4, 3))
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    assert [name for name, _ in layer.named_parameters()] == ["bias", "weight_orig"]
    layer(mg.ones((2, 4)))
    twin, other = copy.deepcopy(layer), utils.spectral_norm(nn.Linear(4, 3))
    other.load_state_dict(layer.state_dict())
    x = mg.ones((2, 4))
    assert np.array_equal(twin.eval()(x).data, other.eval()(x).data)
    twin.weight_orig.copy_(np.zeros((3, 4)))
    assert layer.weight_orig.data.any()
    assert not layer.weight.requires_grad  # between calls the module keeps no graph alive


def test_removing_it_leaves_a_plain_layer_that_computes_the_same():
    layer = utils.spectral_norm(nn.Conv2d(2, 3, 3))
    x = mg.ones((1, 2, 4, 4))
    layer(x)
    y = layer.eval()(x).data
    assert utils.remove_spectral_norm(layer) is layer
    assert sorted(layer.state_dict()) == ["bias", "weight"] and layer.weight.requires_grad
    np.testing.assert_allclose(layer(x).data, y, rtol=1e-6)
    np.testing.assert_allclose(layer.train()(x).data, y, rtol=1e-6)


@pytest.mark.parametrize(
    "use, text",
    [
        (lambda: utils.spectral_norm(nn.Linear(2, 2), "wieght"), "did you mean 'weight'"),
        (lambda: utils.spectral_norm(nn.Sequential(nn.Linear(2, 2))), "apply it to its layers"),
        (lambda: utils.spectral_norm(utils.spectral_norm(nn.Linear(2, 2))), "already"),
        (lambda: utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0), "n_power_iterations"),
        (lambda: utils.remove_spectral_norm(nn.Linear(2, 2)), "has no spectral norm"),
    ],
)
def test_spectral_norm_where_it_cannot_be(use, text):
    with pytest.raises(ConfigError, match=text):
        use()


# ------------------------------------------------------------------------------------------------------- clipping ---


def with_grads(*grads):
    parameters = [nn.Parameter(np.zeros(np.shape(g), np.float32)) for g in grads]
    for p, g in zip(parameters, grads):
        p.grad = mg.tensor(g, dtype="float32")
    return parameters


def test_clipping_shortens_a_long_gradient_and_leaves_a_short_one():
    parameters = [*with_grads([[3.0, 0.0]], 4.0), nn.Parameter(np.ones(2, np.float32))]  # the last has none
    assert utils.clip_grad_norm_(parameters, 1.0).item() == pytest.approx(5)
    np.testing.assert_allclose(parameters[0].grad.data, [[0.6, 0]], rtol=1e-5)
    np.testing.assert_allclose(parameters[1].grad.data, 0.8, rtol=1e-5)
    assert utils.clip_grad_norm_(parameters, 2.0).item() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(parameters[1].grad.data, 0.8, rtol=1e-5)
    assert utils.clip_grad_norm_([], 1.0).item() == 0


def test_clipping_by_the_largest_element():
    parameters = with_grads([[3.0, -10.0]], 4.0)
    assert utils.clip_grad_norm_(parameters, 5.0, norm_type=float("inf")).item() == 10
    np.testing.assert_allclose(parameters[0].grad.data, [[1.5, -5]], rtol=1e-5)
    with pytest.raises(ConfigError, match="ord"):
        utils.clip_grad_norm_(parameters, 1.0, norm_type=float("nan"))


def test_clipping_refuses_nan_when_asked_to():
    parameters = with_grads([np.nan, 1.0])
    with pytest.raises(NotFiniteError, match="nan"):
        utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[0].grad.data[1] == 1


def test_clipping_a_sequence_of_gradients_returns_new_ones_that_can_be_differentiated():
    x = mg.tensor([3.0, 4.0], requires_grad=True)
    clipped, norm = utils.clip_grad_norm([x * 1.0, None], 1.0)
    assert norm.item() == pytest.approx(5) and clipped[1] is None
    np.testing.assert_allclose(clipped[0].data, [0.6, 0.8], rtol=1e-5)
    (g,) = mg.grad(clipped[0][0], [x])  # d (x0 / |x|) / dx = (x1^2, -x0 x1) / |x|^3
    np.testing.assert_allclose(g.data, [16 / 125, -12 / 125], rtol=1e-4)


def test_clip_grad_value():
    parameters = with_grads([[3.0, -0.5]], -4.0)
    utils.clip_grad_value_(parameters, 1.0)
    assert parameters[0].grad.tolist() == [[1, -0.5]] and parameters[1].grad.item() == -1


# -------------------------------------------------------------------------------------------------------- vectors ---


def test_parameters_to_a_vector_and_back():
    net = nn.Linear(2, 3)
    vector = utils.parameters_to_vector(net.parameters())
    assert np.array_equal(vector.data, np.concatenate([net.weight.data.ravel(), net.bias.data]))
    (vector * vector).sum().backward()
    np.testing.assert_allclose(net.weight.grad.data, 2 * net.weight.data)
    memory = net.weight.data
    utils.vector_to_parameters(mg.arange(9.0), net.parameters())
    assert net.weight.data is memory
    assert net.weight.tolist() == [[0, 1], [2, 3], [4, 5]] and net.bias.tolist() == [6, 7, 8]
    with pytest.raises(ShapeError, match="9 elements"):
        utils.vector_to_parameters(mg.ones((8,)), net.parameters())


# -------------------------------------------------------------------------------------------------------- summary ---


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(np.ones(3, np.float32))
        self.conv = nn.Conv2d(1, 3, 3, padding=1)
        self.act = nn.ReLU()
        self.flat = nn.Flatten()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.spare = nn.Linear(1000, 2)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = self.act(self.act(self.conv(x)))
        return self.rnn(self.drop(x).reshape(x.shape[0], 3, -1).transpose(0, 2, 1) * self.scale)


def test_summary_is_this_table():
    assert nn.summary(Net(), (1, 4, 4)).splitlines() == [
        "layer    type     output shape                      parameters",
        "--------------------------------------------------------------",
        "conv     Conv2d   (2, 3, 4, 4)                              30",
        "act      ReLU     (2, 3, 4, 4) x2                            0",
        "drop     Dropout  (2, 3, 4, 4)                               0",
        "rnn      LSTM     (2, 16, 4), (1, 2, 4), (1, 2, 4)         144",
        "(model)  Net      (2, 16, 4), (1, 2, 4), (1, 2, 4)           3",
        "flat     Flatten  not used                                   0",
        "spare    Linear   not used                               2,002",
        "--------------------------------------------------------------",
        "total                                                    2,179",
        # conv and twice relu 384 bytes each, rnn 512 + 32 + 32; dropout hands its input on, the model rnn's output
        "parameters 8.5 KiB, activations 1.7 KiB for a batch of 2",
    ]


def test_summary_counts_the_memory_of_outputs_but_not_of_views():
    net = nn.Sequential(nn.Linear(256, 1024, bias=False), nn.Flatten(), nn.Tanh())
    text = nn.summary(net, 256, batch_size=512)  # 512 x 1024 x 4 bytes = 2 MiB, twice
    assert text.endswith("parameters 1.0 MiB, activations 4.0 MiB for a batch of 512")


def test_summary_leaves_modes_statistics_hooks_and_random_streams_as_they_were():
    class Noisy(nn.Module):  # draws in evaluation too, as a VAE does
        def forward(self, x):
            return nn.Dropout(0.5)(x)

    net = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5), utils.spectral_norm(nn.Linear(3, 2)), Noisy())
    net[0].eval()
    mg.seed(2)
    noise = nn.Dropout(0.5)(mg.ones((50,))).data
    mg.seed(2)
    before = net.state_dict()
    nn.summary(net, (3,))
    assert [m.training for m in net.modules()] == [True, False, True, True, True]
    assert all(np.array_equal(before[name], value) for name, value in net.state_dict().items())
    assert not net[0].__dict__.get("_forward_hooks")
    assert np.array_equal(nn.Dropout(0.5)(mg.ones((50,))).data, noise)


def test_summary_restores_modes_even_after_an_error():
    net = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(ShapeError):
        nn.summary(net, (4,))
    assert net.training and not net[0].__dict__.get("_forward_hooks")


def test_summary_takes_several_inputs_and_tensors():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.dense = nn.Embedding(10, 4), nn.Linear(4, 1)

        def forward(self, index, x):
            return self.dense(self.table(index) + x)

    text = nn.summary(Pair(), [mg.tensor([1, 2, 3]), (4,)], batch_size=3)
    assert "Embedding  (3, 4)" in text and "(3, 1)" in text
