"""Recurrent layers against the textbook's loop, one gate at a time."""

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import ConfigError, ShapeError


def draw(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def parts(module, suffix, gates):
    """W, U, b, d of one direction of one layer, one entry per gate."""
    arrays = [getattr(module, name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    zeros = np.zeros(arrays[0].shape[0])
    return [np.split(zeros if a is None else a.data, gates) for a in arrays]


def lstm_step(x, h, c, module, suffix=""):
    W, U, b, d = parts(module, suffix, 4)
    i, f, g, o = (W[k] @ x + b[k] + U[k] @ h + d[k] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, h, _, module, suffix=""):
    W, U, b, d = parts(module, suffix, 3)
    r, z = (sigmoid(W[k] @ x + b[k] + U[k] @ h + d[k]) for k in range(2))
    n = np.tanh(W[2] @ x + b[2] + r * (U[2] @ h + d[2]))
    return (1 - z) * n + z * h, None


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("make, step", [(nn.LSTMCell, lstm_step), (nn.GRUCell, gru_step)])
def test_a_cell_is_its_equations(make, step, bias):
    cell = make(3, 4, bias=bias).double()
    x, h, c = draw(2, 3), draw(2, 4, seed=2), draw(2, 4, seed=3)
    is_lstm = make is nn.LSTMCell
    y = cell(mg.tensor(x), (mg.tensor(h), mg.tensor(c)) if is_lstm else mg.tensor(h))
    for n in range(2):
        expected_h, expected_c = step(x[n], h[n], c[n], cell)
        np.testing.assert_allclose((y[0] if is_lstm else y).data[n], expected_h, rtol=1e-12)
        if is_lstm:
            np.testing.assert_allclose(y[1].data[n], expected_c, rtol=1e-12)
    start = cell(mg.tensor(x))
    zero, _ = step(x[1], np.zeros(4), np.zeros(4), cell)
    np.testing.assert_allclose((start[0] if is_lstm else start).data[1], zero, rtol=1e-12)
    single = cell(mg.tensor(x[1]))
    np.testing.assert_allclose((single[0] if is_lstm else single).data, zero, rtol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_layers": 2},
        {"bidirectional": True, "bias": False},
        {"num_layers": 3, "bidirectional": True, "batch_first": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("make, step", [(nn.LSTM, lstm_step), (nn.GRU, gru_step)])
def test_a_sequence_is_a_loop_over_time_layer_by_layer_and_back(make, step, given, options):
    length, batch, hidden = 5, 2, 4
    net = make(3, hidden, **options).double()
    directions = 2 if net.bidirectional else 1
    x = draw(length, batch, 3)
    count = net.num_layers * directions
    h0 = draw(count, batch, hidden, seed=2) if given else np.zeros((count, batch, hidden))
    c0 = draw(count, batch, hidden, seed=3) if given else np.zeros((count, batch, hidden))
    layer_in, h_n, c_n = x, np.zeros_like(h0), np.zeros_like(c0)
    for layer in range(net.num_layers):
        layer_out = np.zeros((length, batch, hidden * directions))
        for way in range(directions):
            k = layer * directions + way
            for n in range(batch):
                h, c = h0[k, n], c0[k, n]
                for t in range(length)[::-1] if way else range(length):
                    h, c = step(layer_in[t, n], h, c, net, f"_l{layer}" + ("_reverse" if way else ""))
                    layer_out[t, n, way * hidden : (way + 1) * hidden] = h
                h_n[k, n], c_n[k, n] = h, 0 if c is None else c
        layer_in = layer_out
    is_lstm = make is nn.LSTM
    state = None if not given else (mg.tensor(h0), mg.tensor(c0)) if is_lstm else mg.tensor(h0)
    y, end = net(mg.tensor(x.swapaxes(0, 1) if net.batch_first else x), state)
    np.testing.assert_allclose(y.data.swapaxes(0, 1) if net.batch_first else y.data, layer_out, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose((end[0] if is_lstm else end).data, h_n, rtol=1e-10, atol=1e-12)
    if is_lstm:
        np.testing.assert_allclose(end[1].data, c_n, rtol=1e-10, atol=1e-12)


def test_a_sequence_without_a_batch_axis_is_a_batch_of_one():
    net, x = nn.LSTM(3, 4, 2, bidirectional=True), mg.tensor(draw(5, 3), dtype="float32")
    y, (h, c) = net(x)
    y1, (h1, c1) = net(x.reshape(5, 1, 3))
    for single, batch in ((y, y1), (h, h1), (c, c1)):
        np.testing.assert_allclose(single.data, batch.data[:, 0], atol=1e-6)
    assert y.shape == (5, 8) and c.shape == (4, 4)


def test_parameters_are_uniform_within_one_over_the_root_of_hidden():
    net = nn.GRU(50, 64, num_layers=2)
    for name, p in net.named_parameters():
        assert abs(p.data).max() <= 1 / 8, name
        if p.size > 5000:
            assert p.data.var() == pytest.approx((1 / 8) ** 2 / 3, rel=0.05), name


def test_dropout_acts_between_layers_in_training_only():
    net, x = nn.LSTM(3, 16, 2, dropout=0.5), mg.tensor(draw(4, 2, 3), dtype="float32")
    a, b = net(x)[0].data, net(x)[0].data
    assert not np.array_equal(a, b)
    net.eval()
    assert np.array_equal(net(x)[0].data, net(x)[0].data)
    one = nn.LSTM(3, 16, 1, dropout=0.5)
    assert np.array_equal(one(x)[0].data, one(x)[0].data)


def test_gradients_pass_through_a_long_sequence():
    net = nn.LSTM(1, 2)
    x = mg.tensor(draw(300, 1, 1), dtype="float32", requires_grad=True)
    net(x)[0][-1].sum().backward()
    assert np.isfinite(x.grad.data).all() and x.grad.data[-1].any()


@pytest.mark.parametrize(
    "use, error, text",
    [
        (lambda: nn.LSTM(3, 4)(mg.ones((5, 2, 2))), ShapeError, r"\(5, 2, 2\).*input_size 3"),
        (lambda: nn.LSTM(3, 4)(mg.ones((0, 2, 3))), ShapeError, "empty"),
        (lambda: nn.LSTM(3, 4)(mg.ones((5, 2, 3)), (mg.ones((1, 2, 4)), mg.ones((1, 2, 5)))), ShapeError, r"\(1, 2, 5\)"),
        (lambda: nn.GRU(3, 4)(mg.ones((5, 2, 3)), mg.ones((2, 4))), ShapeError, r"h, of shape \(1, 2, 4\)"),
        (lambda: nn.GRUCell(3, 4)(mg.ones((2, 2))), ShapeError, "GRUCell"),
        (lambda: nn.LSTM(3, 0), ConfigError, "hidden_size"),
        (lambda: nn.LSTM(3, 4, num_layers=0), ConfigError, "num_layers"),
    ],
)
def test_what_does_not_fit_says_why(use, error, text):
    with pytest.raises(error, match=text):
        use()
