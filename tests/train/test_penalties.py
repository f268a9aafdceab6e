"""Penalties against slopes known by hand, and their gradients against finite differences."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import minigan as mg
from minigan.autograd import grad
from minigan.data import Batch
from minigan.nn import LeakyReLU, Linear, Sequential, Tanh, Unflatten
from minigan.nn import functional as F
from minigan.streams import Streams
from minigan.train import penalties
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.game import Game, Normal, Player
from minigan.train.penalties import PENALTIES


def turn(D, x, fake):
    """What a penalty sees of a step."""
    draws = {}

    def draw(name, function):
        draws.setdefault(name, function(np.random.default_rng(0)).astype(np.float64))
        return mg.tensor(draws[name])

    return SimpleNamespace(score=D, real_seen=mg.tensor(x), fake_seen=mg.tensor(fake), draw=draw)


@pytest.fixture
def samples(rng):
    return rng.standard_normal((5, 3)), rng.standard_normal((5, 3))


def linear(w):
    w = mg.tensor(np.array(w, np.float64))
    return lambda x: mg.matmul(x, w.reshape(-1, 1))


@pytest.mark.parametrize(
    "name, expected", [("wgan-gp", (5 - 1) ** 2), ("dragan", (5 - 1) ** 2), ("r1", 25 / 2), ("r2", 25 / 2)]
)
def test_a_linear_d_has_the_slope_of_its_weights(name, expected, samples):
    """D(x) = 3 x_1 - 4 x_3: the slope is 5 everywhere."""
    assert float(PENALTIES[name].loss(turn(linear([3, 0, -4]), *samples))) == pytest.approx(expected, rel=1e-6)


def test_the_norm_is_one_per_sample_not_one_per_batch(samples):
    """D(x) = |x|^2 / 2 has slope |x| at x: E (|x^| - 1)^2; a norm over the whole batch would give (|all x^| - 1)^2."""
    x, fake = samples
    u = np.random.default_rng(0).random((5, 1), dtype=np.float32)
    between = u * x + (1 - u) * fake
    step = turn(lambda x: mg.sum(x * x, axis=1) / 2, x, fake)
    expected = ((np.linalg.norm(between, axis=1) - 1) ** 2).mean()
    assert float(penalties.gradient(step)) == pytest.approx(expected, rel=1e-6)
    assert float(penalties.r1(step)) == pytest.approx((x**2).sum(axis=1).mean() / 2, rel=1e-6)
    assert float(penalties.r2(step)) == pytest.approx((fake**2).sum(axis=1).mean() / 2, rel=1e-6)


def test_dragan_stays_around_the_real_samples(samples):
    x, fake = samples
    seen = []
    step = turn(lambda points: seen.append(points.detach().numpy()) or mg.sum(points, axis=1), x, fake)
    penalties.dragan(step)
    shift = (seen[0] - x) / x.std()
    assert 0 <= shift.min() < 0.1 and 0.4 < shift.max() <= 0.5


def test_pictures_have_one_slope_per_picture(rng):
    """The same numbers as rows and as (N, 1, 2, 3) pictures give the same penalty."""
    x, fake = rng.standard_normal((4, 6)), rng.standard_normal((4, 6))
    D = lambda rows: mg.sum(mg.tanh(rows) ** 2, axis=1)
    flat = turn(D, x, fake)
    pictures = turn(lambda p: D(p.reshape(4, 6)), x.reshape(4, 1, 2, 3), fake.reshape(4, 1, 2, 3))
    for penalty in (penalties.gradient, penalties.r1, penalties.r2):
        assert float(penalty(flat)) == pytest.approx(float(penalty(pictures)), rel=1e-12)


def test_a_dead_d_has_a_finite_penalty_with_a_finite_gradient(samples):
    """Slope 0: (0 - 1)^2 = 1, and the slope of the norm there is infinite."""
    w = mg.tensor(np.zeros((3, 1)), requires_grad=True)
    loss = penalties.gradient(turn(lambda x: mg.matmul(x, w), *samples))
    (g,) = grad(loss, [w])
    assert float(loss) == pytest.approx(1, abs=1e-5) and np.isfinite(g.numpy()).all()


def dense(x, w, b, v):
    return mg.matmul(mg.tanh(F.linear(x, w, b)), v)


def convolutional(x, w, b, v):
    return mg.matmul(mg.tanh(F.conv2d(x, w, b, stride=2, padding=1)).reshape(len(x), -1), v)


@pytest.mark.parametrize(
    "net, x, weights, order",
    [(dense, (4, 3), [(4, 3), (4,), (4, 1)], 2), (convolutional, (2, 1, 4, 4), [(2, 1, 4, 4), (2,), (8, 1)], 1)],
)
@pytest.mark.parametrize("name", PENALTIES)
def test_the_gradient_of_a_penalty_is_that_of_finite_differences(name, net, x, weights, order, rng):
    """The derivative of a derivative, for every weight of D, and once more."""
    step = turn(None, rng.standard_normal(x), rng.standard_normal(x))

    def loss(*weights):
        step.score = lambda points: net(points, *weights)
        return PENALTIES[name].loss(step)

    mg.gradcheck(loss, *(0.5 * rng.standard_normal(shape) for shape in weights), order=order)


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_holds_the_slope_where_it_says(name):
    """A D trained with the penalty alone: |slope| near 1, or near 0."""
    D = Sequential(Linear(2, 32), LeakyReLU(0.2), Linear(32, 1))
    G = Sequential(Linear(2, 2), Unflatten(1, (2,)))
    game = Game(
        {"G": G, "D": D},
        [Player("D", [D], partial(mg.optim.Adam, lr=0.01))],
        [mg.train.Term("penalty", "D", PENALTIES[name].loss)],
        Normal(2),
        step=AdversarialStep,
    )
    rng, streams = np.random.default_rng(0), Streams(0)
    batches = iter(lambda: Batch(rng.standard_normal((64, 2)).astype(np.float32), None), None)
    for _ in range(150):
        mg.train.play(game, batches, streams)
    step = AdversarialStep(game, game.players[0], next(batches), streams)
    slope = np.sqrt(penalties.slopes_squared(step, step.x).detach().numpy()).mean()
    assert slope == pytest.approx(1 if name in ("wgan-gp", "dragan") else 0, abs=0.1)


def test_the_penalty_reaches_the_first_layer_but_not_g():
    D, G = Sequential(Linear(2, 4), Tanh(), Linear(4, 1)), Linear(3, 2)
    game = Game(
        {"G": G, "D": D},
        [Player("D", [D], partial(mg.optim.SGD, lr=0.1))],
        adversarial_terms("wasserstein")[:1],
        Normal(3),
        step=AdversarialStep,
    )
    step = AdversarialStep(game, game.players[0], Batch(np.ones((4, 2), np.float32), None), Streams(0))
    first, g_weight = grad(penalties.gradient(step), [D[0].weight, G.weight], allow_unused=True)
    assert np.abs(first.numpy()).max() > 0 and g_weight is None
