"""Each stabiliser against its formula, computed beside it in NumPy."""

import copy
from functools import partial

import numpy as np
import pytest

import minigan as mg
from minigan.data import Batch
from minigan.errors import ConfigError
from minigan.nn import BatchNorm1d, LeakyReLU, Linear, Sequential
from minigan.optim import SGD
from minigan.streams import Streams
from minigan.train import stabilisers
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.game import Game, Normal, Player, play
from minigan.train.objectives import OBJECTIVES


def batches(n=6):
    rng = np.random.default_rng(3)
    while True:
        yield Batch(rng.standard_normal((n, 2)).astype(np.float32), None)


def game(terms=(), after=(), step=AdversarialStep, objective="non-saturating"):
    G, D = Linear(3, 2), Sequential(Linear(2, 4), LeakyReLU(0.2), Linear(4, 1))
    sgd = partial(SGD, lr=0.5)
    return Game(
        {"G": G, "D": D},
        [Player("D", [D], sgd, after=[make(D) for make in after]), Player("G", [G], sgd)],
        [*adversarial_terms(objective), *terms],
        Normal(3),
        step=step,
    )


def test_weight_clip_holds_every_weight_after_the_step():
    one, free = game(after=[lambda D: stabilisers.WeightClip([D], 0.05)]), game()
    play(one, batches(), Streams(0))
    play(free, batches(), Streams(0))
    largest = [max(np.abs(p.data).max() for p in g.nets["D"].parameters()) for g in (one, free)]
    assert largest[0] == np.float32(0.05) < largest[1]  # at the bound, not merely below it


def test_the_moving_average_is_its_recursion():
    net = Sequential(Linear(2, 2), BatchNorm1d(2))

    average = copy.deepcopy(net)
    piece = stabilisers.MovingAverage(net, average, 0.9)
    expected, rng = net[0].weight.data.astype(np.float64), np.random.default_rng(0)
    for t in range(200):
        net[0].weight.data[...] = rng.standard_normal((2, 2))
        net[1].running_mean.data[...] = t
        piece()
        decay = min(0.9, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * net[0].weight.data
    np.testing.assert_allclose(average[0].weight.data, expected, rtol=1e-5)
    assert (average[1].running_mean.data == 199).all()
    other = stabilisers.MovingAverage(net, average, 0.9)
    other.load_state_dict(piece.state_dict())
    assert other.t == 200


def test_historical_averaging_is_the_distance_to_the_mean_of_all_weights_so_far():
    net = Linear(2, 1)
    piece = stabilisers.HistoricalAverage([net])
    term = piece.term("D", 2.0)
    assert float(term.loss(None)) == 0 and (term.player, term.weight) == ("D", 2.0)
    history, rng = [], np.random.default_rng(0)
    for _ in range(5):
        net.weight.data[...], net.bias.data[...] = rng.standard_normal((1, 2)), rng.standard_normal(1)
        piece()
        history.append(np.concatenate([net.weight.data.reshape(-1), net.bias.data]))
    expected = ((history[-1] - np.mean(history, axis=0)) ** 2).sum()
    assert float(term.loss(None)) == pytest.approx(expected, rel=1e-5)
    (slope,) = mg.grad(term.loss(None), [net.bias])
    np.testing.assert_allclose(slope.numpy(), 2 * (history[-1] - np.mean(history, axis=0))[2:], rtol=1e-5)
    other = stabilisers.HistoricalAverage([net])
    other.load_state_dict(piece.state_dict())
    assert float(other.term("D", 1.0).loss(None)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", [name for name, objective in OBJECTIVES.items() if objective.target])
def test_smoothing_is_the_loss_with_a_softer_target(name):
    """Cross-entropy with the target 0.9; least squares to 0.9, but for a constant."""
    rng, s = np.random.default_rng(0), 0.1
    a, b = rng.standard_normal((5, 1)), rng.standard_normal((5, 1))
    step = type("S", (), {"real_logits": mg.tensor(a), "fake_logits": mg.tensor(b)})
    term = stabilisers.smoothing(s)
    found = float(OBJECTIVES[name].d(step.real_logits, step.fake_logits) + term.weight * term.loss(step))
    if name == "least-squares":
        expected = ((a - 0.9) ** 2).mean() / 2 + (b**2).mean() / 2 + (1 - 0.9**2) / 2
    else:
        p, q = 1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-b))
        expected = -(0.9 * np.log(p) + 0.1 * np.log(1 - p)).mean() - np.log(1 - q).mean()
    assert found == pytest.approx(expected, rel=1e-9)


def test_instance_noise_fades_and_both_sides_have_their_own():
    g = game(step=stabilisers.instance_noise(AdversarialStep, 0.5))
    batch = Batch(np.zeros((5000, 2), np.float32), None)
    for progress, std in ((0.0, 0.5), (0.5, 0.25), (1.0, 0.0)):
        step = g.step(g, g.players[0], batch, Streams(0), progress)
        assert step.real_seen.numpy().std() == pytest.approx(std, rel=0.03)
        noise = (step.fake_seen - step.fake).numpy()
        assert noise.std() == pytest.approx(std, rel=0.03)
        assert not std or abs(np.corrcoef(noise[:, 0], step.real_seen.numpy()[:, 0])[0, 1]) < 0.05
        again = step.again()
        assert np.array_equal(again.real_seen.numpy(), step.real_seen.numpy())


def test_feature_matching_is_the_distance_of_mean_features_and_reaches_g_only():
    g = game()
    D = g.nets["D"]
    term = stabilisers.feature_matching(D, 1.0)
    step = AdversarialStep(g, g.players[1], next(batches()), Streams(0))

    def features(x):
        h = x @ D[0].weight.data.T + D[0].bias.data
        return np.maximum(h, 0.2 * h).mean(axis=0)

    expected = ((features(step.x.numpy()) - features(step.fake.detach().numpy())) ** 2).sum()
    assert float(term.loss(step)) == pytest.approx(expected, rel=1e-5) and term.player == "G"
    with pytest.raises(ConfigError, match="a D that is a Sequential"):
        stabilisers.feature_matching(Linear(2, 1), 1.0)


def test_pieces_are_saved_with_their_player():
    """A game that goes on from a saved state takes the same steps."""
    make = lambda: game(after=[lambda D: stabilisers.HistoricalAverage([D])])
    one = make()
    one.terms.append(one.players[0].after[0].term("D", 3.0))
    data, streams = batches(), Streams(0)
    for _ in range(3):
        play(one, data, streams)
    mg.seed(1)
    other = make()
    other.terms.append(other.players[0].after[0].term("D", 3.0))
    other.load_state_dict(one.state_dict())
    twin_streams = Streams(0)
    twin_streams.load_state_dict(streams.state_dict())
    rows = [next(data) for _ in range(4)]
    for g, s in ((one, streams), (other, twin_streams)):
        play(g, iter(rows), s)
        play(g, iter(rows[2:]), s)
    for p, q in zip(one.nets["D"].parameters(), other.nets["D"].parameters()):
        assert np.array_equal(p.data, q.data)


def test_the_loss_sees_the_history_of_more_than_one_step():
    """Against a game without the term, the weights stay nearer to where they were."""

    def end(weight):
        mg.seed(0)
        g = game(after=[lambda D: stabilisers.HistoricalAverage([D])], objective="wasserstein")
        start = [p.data.copy() for p in g.nets["D"].parameters()]
        if weight:
            g.terms.append(g.players[0].after[0].term("D", weight))
        streams, data = Streams(0), batches()
        for _ in range(10):
            play(g, data, streams)
        return sum(float(((p.data - q) ** 2).sum()) for p, q in zip(g.nets["D"].parameters(), start))

    assert end(0.2) < 0.9 * end(0)
