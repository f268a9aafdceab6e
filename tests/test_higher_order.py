"""Higher order as a feature: gradient penalties and Hessian-vector products through whole networks.

The oracle is finite differences of the *first* gradient, so nothing here trusts a second-order rule.
"""

import numpy as np
import pytest

import minigan as mg
from minigan import nn

NETS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1)), (3, 6)),
    "convolutions, kernel 3, stride 2, padding 1, even sizes": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(3, 4, 3, stride=2, padding=1),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(16, 1),
        ),
        (2, 1, 8, 8),
    ),
    "convolution, groups and dilation": (
        lambda: nn.Sequential(
            nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2), nn.Softplus(), nn.Flatten(), nn.Linear(64, 1)
        ),
        (2, 4, 4, 4),
    ),
    "transposed convolution, output padding": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(192, 1)
        ),
        (2, 2, 4, 4),
    ),
    "batch norm": (
        lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 1)),
        (4, 1, 4, 4),
    ),
    "layer norm": (lambda: nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, 1)), (3, 5)),
    "average pooling": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8, 1)),
        (2, 1, 4, 4),
    ),
    "max pooling": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 1)),
        (2, 1, 4, 4),
    ),
}


def penalty(D, x, create_graph=True):
    """WGAN-GP's: the mean over samples of (|dD/dx| - 1)^2, and the tensor x it was taken at."""
    x = mg.tensor(x, requires_grad=True)
    (slope,) = mg.grad(D(x).sum(), x, create_graph=create_graph)
    return ((mg.norm(slope.reshape(len(x), -1), 1) - 1.0) ** 2).mean()


@pytest.mark.parametrize("name", NETS)
def test_the_gradient_of_a_penalty_is_that_of_finite_differences(name):
    make, shape = NETS[name]
    mg.seed(3)
    D, x = make().double(), np.random.default_rng(4).standard_normal(shape)
    parameters = list(D.parameters())
    gradients = mg.grad(penalty(D, x), parameters, allow_unused=True)
    assert all(g is not None for g in gradients[:-1])  # only the last bias, which D's slope does not have, is unused
    rng = np.random.default_rng(5)
    for p, g in zip(parameters, gradients):
        u = rng.standard_normal(p.shape)
        values, start = [], p.data.copy()
        for h in (1e-4, -1e-4, 5e-5, -5e-5):
            p.copy_(start + h * u)
            values.append(penalty(D, x, create_graph=False).item())
        p.copy_(start)
        wide, narrow = (values[0] - values[1]) / 2e-4, (values[2] - values[3]) / 1e-4
        by_differences = (4 * narrow - wide) / 3
        by_rules = 0.0 if g is None else float((g.numpy() * u).sum())
        assert by_rules == pytest.approx(by_differences, rel=1e-6, abs=1e-8)


def test_hessian_vector_products_through_an_lstm_are_symmetric_and_right():
    mg.seed(0)
    lstm = nn.LSTM(3, 4).double()
    x = mg.tensor(np.random.default_rng(0).standard_normal((5, 2, 3)))
    parameters = list(lstm.parameters())

    def gradient(create_graph):
        return mg.grad((lstm(x)[0] ** 2).mean(), parameters, create_graph=create_graph)

    rng = np.random.default_rng(1)
    u, v = ([rng.standard_normal(p.shape) for p in parameters] for _ in range(2))
    Hv, Hu = (mg.grad(gradient(True), parameters, w) for w in (v, u))
    dot = lambda a, b: sum(float((np.asarray(s) * np.asarray(t)).sum()) for s, t in zip(a, b))
    assert dot(u, [h.numpy() for h in Hv]) == pytest.approx(dot(v, [h.numpy() for h in Hu]), rel=1e-10)
    start, sides = [p.data.copy() for p in parameters], []
    for h in (1e-5, -1e-5):
        for p, s, w in zip(parameters, start, v):
            p.copy_(s + h * w)
        sides.append([g.numpy() for g in gradient(False)])
    for plus, minus, h in zip(*sides, Hv):
        np.testing.assert_allclose(h.numpy(), (plus - minus) / 2e-5, rtol=1e-5, atol=1e-8)


def test_a_penalty_reaches_the_first_layer():
    """The classic silent failure: the penalty is computed but not differentiated, or cut at the last layer."""
    mg.seed(0)
    D = NETS["convolutions, kernel 3, stride 2, padding 1, even sizes"][0]().double()
    x = np.random.default_rng(0).standard_normal((2, 1, 8, 8))
    first = mg.grad(penalty(D, x), D[0].weight)[0].numpy()
    assert abs(first).max() > 1e-4


def test_the_norm_of_the_penalty_is_per_sample():
    D = lambda x: (x * np.array([[3.0, 4.0]])).sum(axis=1)  # slope (3, 4) at every sample: norm 5
    assert penalty(D, np.zeros((7, 2))).item() == pytest.approx(16.0)
