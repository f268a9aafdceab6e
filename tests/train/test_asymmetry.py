"""The field of a game: a gradient for one player, not for two that want different things."""

from functools import partial

import numpy as np
import pytest

import minigan as mg
from minigan import ops
from minigan.data import Batch
from minigan.nn import BatchNorm1d, Linear, Parameter, Sequential, Tanh
from minigan.optim import SGD
from minigan.streams import Streams
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.asymmetry import asymmetry
from minigan.train.game import Game, Normal, Player, Term

sgd = partial(SGD, lr=0.1)


def batch(rng):
    return Batch(rng.standard_normal((16, 2)).astype(np.float32), None)


def nets(dtype=np.float64):
    G, D = Sequential(Linear(3, 8), Tanh(), Linear(8, 2)), Sequential(Linear(2, 8), Tanh(), Linear(8, 1))
    for layer in (*G, *D):
        for name, p in list(layer.named_parameters()):
            setattr(layer, name, Parameter(p.data.astype(dtype)))
    return G, D


def measured(game, rng):
    x = Batch(rng.standard_normal((16, 2)), None)
    game.latent = lambda n, generator: generator.standard_normal((n, 3))
    return asymmetry(game, x, Streams(0), rng)


def test_one_loss_has_a_symmetric_jacobian(rng):
    G, D = nets()
    loss = lambda step: ops.mean(ops.softplus(-step.fake_logits)) + ops.mean(ops.square(step.real_logits))
    game = Game({"G": G, "D": D}, [Player("both", [G, D], sgd)], [Term("loss", "both", loss)], Normal(3), step=AdversarialStep)
    assert measured(game, rng) < 1e-12


@pytest.mark.parametrize("objective", ["minimax", "non-saturating", "least-squares", "wasserstein"])
def test_a_gan_has_not(objective, rng):
    G, D = nets()
    game = Game(
        {"G": G, "D": D},
        [Player("D", [D], sgd), Player("G", [G], sgd)],
        adversarial_terms(objective),
        Normal(3),
        step=AdversarialStep,
    )
    assert measured(game, rng) > 0.1


def test_two_players_with_one_loss_do_not_play_a_game(rng):
    """It is the losses that differ, not that there are two players."""
    G, D = nets()
    loss = lambda step: ops.mean(ops.softplus(-step.fake_logits))
    game = Game(
        {"G": G, "D": D},
        [Player("D", [D], sgd), Player("G", [G], sgd)],
        [Term("loss", "D", loss), Term("loss", "G", loss)],
        Normal(3),
        step=AdversarialStep,
    )
    assert measured(game, rng) < 1e-12


def test_it_changes_nothing(rng):
    G, D = nets(np.float32)
    game = Game(
        {"G": G, "D": D},
        [Player("D", [D], sgd), Player("G", [G], sgd)],
        adversarial_terms("hinge"),
        Normal(3),
        step=AdversarialStep,
    )
    before = [p.data.copy() for net in (G, D) for p in net.parameters()]
    one, again = (asymmetry(game, batch(np.random.default_rng(1)), Streams(0), np.random.default_rng(2)) for _ in range(2))
    assert one == again
    assert all(np.array_equal(p.data, q) for p, q in zip((p for net in (G, D) for p in net.parameters()), before))


def test_running_averages_of_all_batches_go_on_as_if_nobody_had_measured(rng):
    """Batch norm with momentum None counts its batches, and must be told that its count was put back."""
    x, after = batch(rng), []
    for measures in (False, True):
        norm = BatchNorm1d(2, momentum=None)
        G, D = Sequential(Linear(3, 2)), Sequential(norm, Linear(2, 1))
        game = Game(
            {"G": G, "D": D},
            [Player("D", [D], sgd), Player("G", [G], sgd)],
            adversarial_terms("hinge"),
            Normal(3),
            step=AdversarialStep,
        )
        norm(mg.tensor(x.x))
        if measures:
            asymmetry(game, x, Streams(0), np.random.default_rng(2))
        norm(mg.tensor(x.x + 1))
        after.append(norm.state_dict())
    np.testing.assert_equal(after[1], after[0])
    assert after[0]["num_batches_tracked"] == 2
