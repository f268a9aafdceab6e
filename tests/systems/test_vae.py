"""The VAE's bound against likelihoods in closed form, its gradients against differences, its training against controls."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from described import described

from minigan import data, ops
from minigan.data import Batch, Loader, PointDataset
from minigan.data.kinds import Points
from minigan.errors import ConfigError
from minigan.gradcheck import gradcheck
from minigan.metrics import iwae_bound
from minigan.nn import Linear, Sequential
from minigan.optim import Adam
from minigan.runs.session import Session
from minigan.streams import Streams
from minigan.systems import registry
from minigan.systems.latent.vae import (
    Bernoulli,
    Gaussian,
    GreyStep,
    VAEStep,
    importance_bound,
    kl,
    likelihood,
    reconstruction,
    vae,
)
from minigan.tensor import Tensor
from minigan.train.game import Normal, play

SMALL = {"width": 100, "latent": 10}


def gaussian_data(cov, n=4000, seed=1):
    """n fixed points of N(0, cov), as a data set that can be passed over and loaded."""
    x = np.random.default_rng(seed).multivariate_normal(np.zeros(len(cov)), cov, n).astype(np.float32)
    dataset = PointDataset("gaussian", lambda n, rng: Batch(x[rng.integers(len(x), size=n)], None))
    dataset.kinds = {"x": Points(len(cov))}
    return x, dataset


def linear_vae(d, latent, lr=0.02):
    encoder, decoder = Linear(d, 2 * latent), Gaussian(Sequential(Linear(latent, d)))
    return vae(encoder, decoder, Normal(latent + d), partial(Adam, lr=lr))


def exact_log_p(game, x):
    """ln N(x; c, W W' + v I) of a linear decoder, by NumPy: (N,)."""
    decoder = game.nets["decoder"]
    W, c = (p.data.astype(np.float64) for p in decoder.net.parameters())
    covariance = W @ W.T + float(np.exp(decoder.log_var.data[0])) * np.eye(len(c))
    return log_normal(x - c, covariance)


def log_normal(x, covariance):
    _, log_det = np.linalg.slogdet(covariance)
    squares = np.einsum("ni,ij,nj->n", x, np.linalg.inv(covariance), x)
    return -0.5 * (squares + log_det + len(covariance) * np.log(2 * np.pi))


def step_of(game, x, seed=0):
    return VAEStep(game, game.players[0], Batch(x, None), Streams(seed))


# ---- the bound -----------------------------------------------------------------------------------------------------------


def test_the_kl_is_what_drawing_from_q_gives_on_average(rng):
    """E_q( ln q(z) - ln p(z) ) from 200,000 draws, within 1 %."""
    mean, log_var = rng.standard_normal((2, 3, 4)).astype(np.float32)
    step = SimpleNamespace(posterior=(Tensor(mean), Tensor(log_var)))
    e = rng.standard_normal((200_000, 3, 4))
    z = mean + np.exp(0.5 * log_var) * e
    drawn = 0.5 * (z**2 - e**2 - log_var).sum(axis=2).mean()
    assert float(kl(step)) == pytest.approx(drawn, rel=0.01)
    same_as_prior = SimpleNamespace(posterior=(Tensor(np.zeros((3, 4))), Tensor(np.zeros((3, 4)))))
    assert float(kl(same_as_prior)) == 0


def test_elbo_below_importance_bound_below_exact_likelihood_and_the_gap_closes_with_k(rng):
    """A linear model whose ln p(x) is known, with an encoder that was never trained; 20 points, 30,000 draws for each."""
    x = rng.multivariate_normal(np.zeros(3), np.diag([2.0, 1.0, 0.5]), 20).astype(np.float32)
    game = linear_vae(3, 2)
    game.nets["encoder"].bias.data[2:] += 1  # wider than the exact posterior: no weight is huge
    exact = exact_log_p(game, x).mean()
    w = step_of(game, x).log_weights(30_000).detach().numpy().T
    bounds = [iwae_bound(w.reshape(-1, k)) for k in (1, 5, 50, 30_000)]
    assert bounds[0] < bounds[1] < bounds[2] < bounds[3] + 0.02
    assert bounds[2] < exact and bounds[3] == pytest.approx(exact, abs=0.03) and exact - bounds[0] > 0.3


def test_the_metric_gives_the_bounds_their_parts_and_the_active_units():
    """10,000 points of a known density; latent number 0 follows x, number 1 has forgotten it."""
    x, dataset = gaussian_data(np.diag([2.0, 1.0, 0.5]))
    game = linear_vae(3, 2)
    weight, bias = game.nets["encoder"].parameters()
    weight.data[:2], bias.data[...] = [[0.5, 0, 0], [0, 0, 0]], 0
    found = likelihood(game, dataset, np.random.default_rng(0), 20)
    assert list(found) == ["elbo", "iwae-20", "reconstruction", "kl", "active-units"]
    exact = exact_log_p(game, x).mean()
    assert found["elbo"] < found["iwae-20"] < exact + 0.05  # three standard errors of the points
    assert found["elbo"] == pytest.approx(-found["reconstruction"] - found["kl"], abs=1e-9) and found["active-units"] == 1
    _, log_var = np.split(x @ weight.data.T + bias.data, 2, axis=1)
    by_hand = 0.5 * ((0.5 * x[:, 0]) ** 2 + (np.exp(log_var) - 1 - log_var).sum(axis=1)).mean()
    assert found["kl"] == pytest.approx(by_hand, rel=0.05)
    assert found == likelihood(game, dataset, np.random.default_rng(0), 20)


def test_the_losses_are_the_bounds_that_the_metric_computes(rng):
    """On one batch with the same draws: reconstruction + kl estimates the ELBO, the bound's loss is minus the IWAE bound."""
    game = linear_vae(3, 2)
    x = rng.standard_normal((5, 3)).astype(np.float32)
    w = step_of(game, x).log_weights(7).detach().numpy().astype(np.float64)
    assert w.shape == (7, 5)
    assert float(importance_bound(7)(step_of(game, x))) == pytest.approx(-np.log(np.exp(w).mean(axis=0)).mean(), rel=1e-5)
    many = np.repeat(x, 20_000, axis=0)
    two_terms = float(reconstruction(step_of(game, many)) + kl(step_of(game, many)))
    assert two_terms == pytest.approx(-float(ops.mean(step_of(game, many, 1).log_weights(1))), abs=0.05)
    one = step_of(game, x)
    again = one.again()
    assert np.array_equal(one.z.data, again.z.data)  # the turn can be taken again


def test_log_weights_by_hand():
    """One coin pixel, one latent number: every density written out."""
    encoder, net = Linear(1, 2), Linear(1, 1)
    for p, value in zip([*encoder.parameters(), *net.parameters()], ([[0.5], [-0.4]], [0.1, 0.2], [[1.5]], [-0.3])):
        p.data[...] = value
    game = SimpleNamespace(nets={"encoder": encoder, "decoder": Bernoulli(net)}, device="cpu")
    e = np.array([[[0.7]], [[-1.2]]], np.float32)
    step = VAEStep(game, None, None, None, draws={"binarise": np.ones((1, 1), np.float32), "latent": e})
    mean, log_var = 0.5 + 0.1, -0.4 + 0.2
    std = np.exp(log_var / 2)
    z = mean + std * e.reshape(2)
    log_normal_1 = lambda t, m, s: -0.5 * ((t - m) / s) ** 2 - np.log(s) - 0.5 * np.log(2 * np.pi)
    expected = -np.log1p(np.exp(-(1.5 * z - 0.3))) + log_normal_1(z, 0, 1) - log_normal_1(z, mean, std)
    np.testing.assert_allclose(step.log_weights(2).detach().numpy()[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("loss, k", [(lambda step: reconstruction(step) + kl(step), 1), (importance_bound(3), 3)])
@pytest.mark.parametrize("kind", [Bernoulli, Gaussian])
def test_the_losses_pass_gradcheck_with_frozen_draws(loss, k, kind, order, rng):
    x = (rng.random((4, 3)) < 0.5).astype(np.float64) if kind is Bernoulli else rng.standard_normal((4, 3))
    draws = {"binarise": x, "latent": rng.standard_normal((k, 4, 2))}

    def f(encoder_weight, decoder_weight):
        decoder = kind(lambda z: ops.tanh(z) @ decoder_weight)
        decoder.double()
        game = SimpleNamespace(nets={"encoder": lambda x: x @ encoder_weight, "decoder": decoder}, device="cpu")
        return loss(VAEStep(game, None, None, None, draws=draws))

    gradcheck(f, rng.standard_normal((3, 4)), rng.standard_normal((2, 3)), order=order)


def test_pixels_are_fresh_coins_with_the_right_probability():
    """The mean over 20,000 throws is the brightness; a black and a white pixel never change; another batch, other coins."""
    x = np.tile(np.array([-1.0, -0.5, 0.0, 0.9, 1.0], np.float32), (20_000, 1))
    generator = np.random.default_rng(0)
    coins = Bernoulli(None).observe(x, generator)
    assert coins.dtype == np.float32 and set(np.unique(coins)) == {0.0, 1.0}
    np.testing.assert_allclose(coins.mean(axis=0), (x[0] + 1) / 2, atol=0.012)  # three standard errors
    assert set(coins[:, 0]) == {0.0} and set(coins[:, 4]) == {1.0}
    assert not np.array_equal(coins, Bernoulli(None).observe(x, generator))


def test_grey_pixels_are_passed_on_as_they_are():
    x = np.array([[-1.0, 0.0, 1.0]], np.float32)
    step = GreyStep(SimpleNamespace(device="cpu"), None, Batch(x, None), Streams(0))
    assert step.x.numpy().tolist() == [[0.0, 0.5, 1.0]]


# ---- training ------------------------------------------------------------------------------------------------------------


def test_a_linear_vae_reaches_the_likelihood_of_probabilistic_pca():
    """Tipping & Bishop 1999: the best W W' + v I keeps the two largest eigenvalues and averages the others; Lucas et al.
    2019: a linear VAE's ELBO has that likelihood as its maximum."""
    basis = np.linalg.qr(np.random.default_rng(2).standard_normal((5, 5)))[0]
    x, dataset = gaussian_data(basis @ np.diag([4.0, 2.0, 0.3, 0.25, 0.2]) @ basis.T)
    centred = x - x.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    v = values[:-2].mean()
    best = log_normal(centred, vectors @ np.diag([v, v, v, *values[-2:]]) @ vectors.T).mean()
    one_gaussian = log_normal(centred, values.mean() * np.eye(5)).mean()

    game, streams = linear_vae(5, 2), Streams(0)
    loader = Loader(dataset, 500, 0)
    for i in range(1500):
        game.players[0].optimizer.param_groups[0]["lr"] = 0.02 * (1 - i / 1500)
        play(game, loader, streams)
    assert exact_log_p(game, x).mean() == pytest.approx(best, abs=0.01)
    everything = PointDataset("all", lambda n, rng: Batch(np.roll(x, -int(rng.integers(len(x))), axis=0)[:n], None))
    assert likelihood(game, everything, np.random.default_rng(0), 20)["elbo"] == pytest.approx(best, abs=0.05)
    assert best - one_gaussian > 1


def train(name, folder, steps, game=None, **settings):
    """A session after so many steps, and what its metric says of 500 unseen digits, 10 draws each."""
    overrides = {**SMALL, "steps": steps, "sample_every": steps, "checkpoint_every": steps, **settings}
    session = Session.start("vae", name, seed=1, overrides=overrides, out=folder)
    if game:
        session.game = game(session.game)
    session.train()
    unseen = data.load(name, split="test", size=500) if name == "digits" else data.load(name, split="test")
    return session, likelihood(session.game, unseen, np.random.default_rng(0), 10)


@pytest.mark.slow
def test_a_vae_explains_unseen_digits_better_than_independent_pixels_do(tmp_path):
    """Control: the best model without z, the mean training picture as coins."""
    session, found = train("digits", tmp_path / "run", 600)
    p = np.clip((session.dataset[:].x.mean(axis=0, dtype=np.float64) + 1) / 2, 1e-4, 1 - 1e-4)
    q = (data.load("digits", split="test", size=500)[:].x + 1) / 2
    control = (q * np.log(p) + (1 - q) * np.log(1 - p)).sum(axis=(1, 2, 3)).mean()
    assert found["elbo"] > control + 40
    assert found["elbo"] < found["iwae-10"] < 0 and found["active-units"] > 5


@pytest.mark.slow
def test_the_mean_over_pixels_makes_the_encoder_say_nothing(tmp_path):
    """The KL then weighs 784 times too much: no latent number is used, and all digits get the same picture."""

    def averaged(game):
        game.terms[0].weight = 1 / 784
        return game

    _, summed = train("digits", tmp_path / "summed", 300)
    collapsed, found = train("digits", tmp_path / "averaged", 300, game=averaged)
    assert summed["active-units"] > 5 and summed["kl"] > 5
    assert found["active-units"] == 0 and found["kl"] < 0.1 and found["elbo"] < summed["elbo"] - 20
    assert collapsed.sample(64).std(axis=0).max() < 0.2


@pytest.mark.parametrize(
    "name, settings",
    [
        ("digits", {}),
        ("digits", {"importance": 3, "nets": "conv", "channels": 4}),
        ("digits", {"binarise": "none"}),
        ("ring8", {"importance": 2}),
    ],
)
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(name, settings, tmp_path):
    every = {**SMALL, "batch_size": 16, "checkpoint_every": 2, "sample_every": 2, **settings}
    runs = [Session.start("vae", name, seed=4, overrides={**every, "steps": 6}, out=tmp_path / f"{i}") for i in range(2)]
    runs[0].train()
    runs[1].train(4)
    resumed = Session.open(tmp_path / "1")
    assert resumed.step == 4
    resumed.train(6)
    for a, b in zip(runs[0].game.nets.values(), resumed.game.nets.values()):
        assert all(np.array_equal(p.data, q.data) for p, q in zip(a.parameters(), b.parameters()))
    shape = (3, 2) if name == "ring8" else (3, 1, 28, 28)
    samples = resumed.sample(3)
    assert samples.shape == shape and np.array_equal(samples, runs[0].sample(3))
    assert name == "ring8" or abs(samples).max() <= 1


# ---- refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings, shape, text",
    [
        ({"nets": "conv"}, (2,), "convolutions draw pictures, but ring8 holds points 2; use nets=mlp"),
        (
            {"nets": "conv"},
            (1, 30, 28),
            "multiples of 4, .* digits holds pictures 1x30x28; use pictures of 28x28 or 32x28, or nets=mlp",
        ),
        ({"nets": "cnv"}, (1, 28, 28), r"unknown nets 'cnv'; did you mean 'conv'\?"),
        ({"binarise": "dynamc"}, (1, 28, 28), r"unknown binarise 'dynamc'; did you mean 'dynamic'\?"),
        ({"binarise": "dynamic"}, (2,), "binarise=dynamic: only pixels can be binarised, not points; leave binarise at none"),
        (
            {"importance": 5, "beta": 2.0},
            (1, 28, 28),
            "importance=5: the importance-weighted bound has no KL term, so beta=2 can",
        ),
        ({"importance": 5, "binarise": "none"}, (1, 28, 28), "grey values have none; leave binarise at dynamic, or set import"),
        ({"importance": 5, "beta": 2.0}, (2,), "no KL term, so beta=2 cannot weigh it; leave beta at 1, or set importance=1"),
        ({"optimizer": "adm"}, (1, 28, 28), r"unknown optimizer 'adm'; did you mean 'adam'\?"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, shape, text):
    system = registry.get("vae")
    with pytest.raises(ConfigError, match=text):
        system.build(system.configure(settings, described(shape)), described(shape))


def test_pictures_of_other_shapes_and_colours_are_taken():
    system = registry.get("vae")
    for settings, shape in (({}, (3, 5, 7)), ({"nets": "conv", "channels": 2}, (3, 8, 12))):
        game = system.build(system.configure(settings, described(shape)), described(shape))
        x = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype(np.float32)
        assert np.isfinite(float(reconstruction(step_of(game, x)) + kl(step_of(game, x))))
        assert game.sample(game.latent(2, np.random.default_rng(0))).shape == (2, *shape)
