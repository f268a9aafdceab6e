"""Initialisers: the bounds, means and variances that their papers ask for, from large samples."""

import math

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import ConfigError, ShapeError
from minigan.nn import init


def blank(*shape):
    return mg.full(shape, np.nan)


def test_constants():
    t = blank(2, 3)
    assert init.zeros_(t) is t and not t.data.any()
    assert (init.ones_(t).data == 1).all() and (init.constant_(t, 0.25).data == 0.25).all()


# (initialiser, variance, bound or None), for a weight (300, 100, 2, 2): fan_in 400, fan_out 1200
RANDOM = [
    (lambda t: init.uniform_(t, -1, 3), 16 / 12, None),
    (lambda t: init.normal_(t, 1.0, 0.5), 0.25, None),
    (init.xavier_uniform_, 2 / 1600, math.sqrt(6 / 1600)),
    (lambda t: init.xavier_normal_(t, gain=3), 9 * 2 / 1600, None),
    (init.kaiming_uniform_, 2 / 400, math.sqrt(6 / 400)),
    (lambda t: init.kaiming_uniform_(t, a=math.sqrt(5)), 1 / 1200, 1 / 20),
    (lambda t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="tanh"), 25 / 9 / 1200, math.sqrt(25 / 9 * 3 / 1200)),
    (lambda t: init.kaiming_normal_(t, nonlinearity="relu"), 2 / 400, None),
    (lambda t: init.kaiming_normal_(t, a=0.2, mode="fan_out"), 2 / 1.04 / 1200, None),
]


@pytest.mark.parametrize("fill, variance, bound", RANDOM)
def test_variance_and_bounds(fill, variance, bound):
    t = blank(300, 100, 2, 2)
    assert fill(t) is t
    # 120,000 draws: the standard error of a variance is below half a percent
    assert t.data.var() == pytest.approx(variance, rel=0.02)
    if bound is not None:
        assert 0.999 * bound < abs(t.data).max() <= bound * (1 + 1e-6)


def test_means():
    assert init.uniform_(blank(200000), -1, 3).data.mean() == pytest.approx(1, abs=0.02)
    assert init.normal_(blank(200000), 1.0, 0.5).data.mean() == pytest.approx(1, abs=0.01)


def test_normal_has_the_tails_of_a_normal():
    z = init.normal_(blank(200000)).data
    assert (abs(z) < 1).mean() == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.005)
    assert (abs(z) < 2).mean() == pytest.approx(math.erf(2 / math.sqrt(2)), abs=0.005)


def test_truncated_normal_stays_inside_and_has_the_truncated_variance():
    t = init.trunc_normal_(blank(200000), 0.0, 1.0, -1.0, 1.0).data
    density, mass = math.exp(-0.5) / math.sqrt(2 * math.pi), math.erf(1 / math.sqrt(2))
    assert abs(t).max() <= 1 and t.var() == pytest.approx(1 - 2 * density / mass, rel=0.02)
    narrow = init.trunc_normal_(blank(1000), 0.0, 0.02, 0.0, 0.1).data
    assert narrow.min() >= 0 and narrow.max() <= 0.1
    with pytest.raises(ConfigError, match=r"0\.00%"):
        init.trunc_normal_(blank(3), 0.0, 0.02, 5.0, 6.0)


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (7, 4), (3, 2, 2, 2)])
def test_orthogonal_rows_or_columns(shape):
    q = init.orthogonal_(blank(*shape), gain=2.0).data.reshape(shape[0], -1).astype(np.float64)
    small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_orthogonal_is_not_biased_in_sign():
    corners = [init.orthogonal_(blank(2, 2)).data[0, 0] for _ in range(400)]
    assert abs(np.mean(corners)) < 0.15  # mean 0, standard deviation sqrt(1/2) over 400 draws


def test_gains():
    expected = {"linear": 1, "conv2d": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    assert {name: init.calculate_gain(name) for name in expected} == expected
    assert init.calculate_gain("leaky_relu", 0.2) == pytest.approx(math.sqrt(2 / 1.04))
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))
    with pytest.raises(ConfigError, match="did you mean 'relu'"):
        init.calculate_gain("relo")


def test_what_cannot_be_filled():
    with pytest.raises(ShapeError, match="at least two axes"):
        init.xavier_uniform_(blank(3))
    with pytest.raises(ShapeError, match="two axes"):
        init.orthogonal_(blank(3))
    with pytest.raises(ConfigError, match="fan_in"):
        init.kaiming_normal_(blank(3, 3), mode="fan")


def test_filling_notes_the_change_in_place():
    w = mg.tensor([[2.0]], requires_grad=True)
    y = (w * w).sum()
    init.zeros_(w)
    with pytest.raises(mg.errors.GraphError, match="in place"):
        y.backward()


def test_the_same_seed_gives_the_same_weights_in_every_dtype_and_a_generator_may_be_given():
    mg.seed(4)
    a = init.normal_(blank(10)).data
    mg.seed(4)
    b = init.normal_(mg.zeros((10,), dtype="float64")).data
    assert b.dtype == np.float64 and np.array_equal(a, b.astype(np.float32)) and len(set(a)) == 10
    mg.seed(4)
    first = nn.Linear(3, 3).weight.data
    mg.seed(5)
    assert not np.array_equal(nn.Linear(3, 3).weight.data, first)
    c, d = (init.uniform_(blank(10), generator=np.random.default_rng(1)).data for _ in range(2))
    assert np.array_equal(c, d)


# (layer, its fan): weight and bias uniform in +-1/sqrt(fan)
LAYERS = [
    (nn.Linear(64, 900), 64),
    (nn.Conv2d(8, 900, 3), 72),
    (nn.Conv2d(16, 900, 3, groups=2), 72),
    (nn.Conv1d(16, 900, 4), 64),
    (nn.ConvTranspose2d(900, 9, 3), 81),
    (nn.ConvTranspose2d(900, 18, 3, groups=2), 81),
]


@pytest.mark.parametrize("layer, fan", LAYERS, ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else str(v))
def test_layers_start_uniform_in_one_over_the_root_of_their_fan(layer, fan):
    bound = 1 / math.sqrt(fan)
    assert 0.999 * bound < abs(layer.weight.data).max() <= bound * (1 + 1e-6)
    assert layer.weight.data.var() == pytest.approx(bound**2 / 3, rel=0.02)
    assert 0 < abs(layer.bias.data).max() <= bound * (1 + 1e-6)


def test_bias_of_a_wide_layer_fills_its_bounds():
    b = nn.Linear(4, 20000).bias.data
    assert b.var() == pytest.approx(0.25 / 3, rel=0.03) and abs(b).max() > 0.499


def test_embedding_starts_standard_normal_and_norms_at_one_and_zero():
    assert nn.Embedding(1000, 100).weight.data.std() == pytest.approx(1, abs=0.01)
    norm = nn.BatchNorm1d(3)
    assert norm.weight.tolist() == [1, 1, 1] and norm.bias.tolist() == [0, 0, 0]
    assert norm.running_mean.tolist() == [0, 0, 0] and norm.running_var.tolist() == [1, 1, 1]


def test_reset_parameters_draws_anew():
    for layer in (nn.Linear(3, 3), nn.Conv2d(3, 3, 3), nn.Embedding(3, 3), nn.LSTM(3, 3)):
        before = [p.data.copy() for p in layer.parameters()]
        layer.reset_parameters()
        assert not any(np.array_equal(a, p.data) for a, p in zip(before, layer.parameters()))
