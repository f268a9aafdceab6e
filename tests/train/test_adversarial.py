"""GANs from settings: every piece alone and with the others, what it changes, and what is refused."""

import itertools
import warnings

import numpy as np
import pytest
from described import described

import minigan as mg
from minigan import data
from minigan.data import Batch
from minigan.errors import ConfigError
from minigan.nn import BatchNorm1d, GroupNorm, MinibatchDiscrimination, VirtualBatch
from minigan.streams import Streams
from minigan.systems import registry
from minigan.train.adversarial import SETTINGS
from minigan.train.asymmetry import ASYMMETRY
from minigan.train.game import play
from minigan.train.objectives import OBJECTIVES
from minigan.train.optimizers import OPTIMIZERS
from minigan.train.penalties import PENALTIES

POINTS, PICTURES = (2,), (1, 28, 28)


def build(system="gan", shape=POINTS, **settings):
    mg.seed(0)
    small = {"latent": 4, "width": 8, "channels": 2}
    system, about = registry.get(system), described(shape)
    known = {key: value for key, value in small.items() if key in system.settings}
    return system.build(system.configure(known | settings, about), about)


def play_some(game, shape=POINTS, n=8, times=2):
    rng, streams = np.random.default_rng(0), Streams(0)
    batches = iter(lambda: Batch(np.tanh(rng.standard_normal((n, *shape))).astype(np.float32), None), None)
    for i in range(times):
        losses = play(game, batches, streams, i / times)
    return losses


PIECES = {  # each changes one thing
    "penalty": {"penalty": "r1"},
    "clip": {"clip": 0.01},
    "spectral": {"spectral_norm": True},
    "k": {"d_steps": 3},
    "smoothing": {"smoothing": 0.1},
    "noise": {"instance_noise": 0.2},
    "augment": {"augment": "all"},
    "minibatch": {"minibatch": True},
    "features": {"feature_matching": 1.0},
    "history": {"history": 0.1},
    "ema": {"ema": 0.9},
    "norm": {"norm_g": "virtual"},
    "rates": {"lr_d": 1e-3, "lr_g": 1e-4},
    "layer norm": {"norm_d": "layer"},
}


@pytest.mark.parametrize("objective, penalty", list(itertools.product(OBJECTIVES, ["none", *PENALTIES])))
def test_every_objective_plays_with_every_penalty(objective, penalty):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        losses = play_some(build(objective=objective, penalty=penalty))
    assert all(np.isfinite(value) for value in losses.values())
    assert ("D.penalty" in losses) == (penalty != "none")


@pytest.mark.parametrize("one, other", list(itertools.combinations(PIECES, 2)))
def test_pieces_combine(one, other):
    settings = PIECES[one] | PIECES[other]
    if {one, other} == {"penalty", "minibatch"}:
        pytest.skip("refused, see below")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        game = build(**settings)
    assert all(np.isfinite(value) for value in play_some(game).values())
    assert game.sample(game.latent(3, np.random.default_rng(0))).shape == (3, 2)


@pytest.mark.parametrize("system", ["dcgan", "wgan", "wgan-gp", "lsgan"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"spectral_norm": True, "ema": 0.9},
        {"norm_g": "virtual", "norm_d": "layer"},
        {"feature_matching": 0.1, "norm_g": "instance", "norm_d": "instance"},
        {"augment": "all", "instance_noise": 0.1, "norm_d": "layer", "penalty": "r1"},
    ],
)
def test_convolutions_take_the_same_settings(system, settings):
    settings = settings | ({"nets": "conv"} if system != "dcgan" else {})
    settings |= {"clip": 0.0} if system == "wgan" and "spectral_norm" in settings else {}  # both are warned of
    losses = play_some(build(system, PICTURES, **settings), PICTURES, 4, 1)
    assert all(np.isfinite(value) for value in losses.values())


@pytest.mark.parametrize("system", ["gan", "wgan", "wgan-gp", "lsgan"])
def test_the_same_system_plays_with_points_and_with_pictures(system):
    for shape in (POINTS, PICTURES):
        game = build(system, shape)
        play_some(game, shape, 4, 1)
        assert game.sample(game.latent(2, np.random.default_rng(0))).shape == (2, *shape)


def test_what_each_piece_changes():
    losses = {name: play_some(build(**settings), times=1) for name, settings in PIECES.items() if name != "clip"}
    assert {"penalty", "smoothing"} <= {key.partition(".")[2] for name in ("penalty", "smoothing") for key in losses[name]}
    assert "G.features" in losses["features"] and {"D.history", "G.history"} <= set(losses["history"])
    with pytest.warns(UserWarning, match="clip=0.01"):
        clipped = build(clip=0.01)
    play_some(clipped, times=1)
    assert max(abs(p.data).max() for p in clipped.nets["D"].parameters()) <= np.float32(0.01)
    steps = build(d_steps=3).players
    assert (steps[0].steps, steps[1].steps) == (3, 1)
    rates = build(lr_d=1e-3, lr_g=1e-4).players
    assert [player.optimizer.param_groups[0]["lr"] for player in rates] == [1e-3, 1e-4]
    both = build(lr=0.5).players
    assert [player.optimizer.param_groups[0]["lr"] for player in both] == [0.5, 0.5]
    assert isinstance(build(norm_g="virtual").nets["G"], VirtualBatch)
    kinds = {type(m) for m in build(norm_g="batch", norm_d="layer", minibatch=True).nets["D"].modules()}
    assert {GroupNorm, MinibatchDiscrimination} <= kinds and BatchNorm1d not in kinds
    assert any(name.endswith("_orig") for name, _ in build(spectral_norm=True).nets["D"].named_parameters())


def test_samples_come_from_the_moving_average():
    game = build(ema=0.99, lr=0.5)
    z = game.latent(3, np.random.default_rng(0))
    play_some(game, times=3)
    samples = game.sample(z)
    own, average = (game.nets[name](mg.tensor(z)).detach().numpy() for name in ("G", "G_average"))
    assert np.array_equal(samples, average) and not np.allclose(samples, own)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_by_name(name):
    game = build(optimizer=name, beta1=0.3)
    before = [[p.data.copy() for p in player.parameters] for player in game.players]
    assert all(np.isfinite(value) for value in play_some(game, times=1).values())
    for player, start in zip(game.players, before):
        moved = [not np.array_equal(p.data, q) for p, q in zip(player.parameters, start)]
        assert (0 < sum(moved) <= 2 < len(moved)) if name.startswith("coordinate") else all(moved)
    kinds = {"adam": mg.optim.Adam, "rmsprop": mg.optim.RMSprop, "sgd": mg.optim.SGD}
    kind = kinds.get(name, mg.optim.CoordinateDescent if name.startswith("coordinate") else mg.optim.ConjugateGradient)
    assert all(isinstance(player.optimizer, kind) for player in game.players)


def test_feature_matching_alone():
    game = build(feature_matching=1.0, adversarial_g=0)
    assert [term.name for term in game.terms if term.player == "G"] == ["features"]
    assert [term.name for term in build(history=1.0, adversarial_g=0).terms if term.player == "G"] == ["history"]
    with pytest.raises(ConfigError, match="adversarial_g=0: G has nothing to minimise; set feature_matching=1 too"):
        build(adversarial_g=0)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"objective": "hing"}, r"unknown objective 'hing'; did you mean 'hinge'\?"),
        ({"penalty": "r11"}, r"unknown penalty 'r11'; did you mean 'r1'\?"),
        ({"penalty": "gradient"}, "unknown penalty 'gradient'; known: none, wgan-gp, r1, r2, dragan"),
        ({"optimizer": "adm"}, r"unknown optimizer 'adm'; did you mean 'adam'\?"),
        ({"norm_d": "bach"}, r"unknown norm 'bach'; did you mean 'batch'\?"),
        ({"penalty": "r1", "norm_d": "batch"}, "penalty=r1: D contains BatchNorm1d, so its slope at one sample depends on"),
        (
            {"penalty": "wgan-gp", "minibatch": True},
            "D contains MinibatchDiscrimination.*set norm_d=layer, and minibatch=false",
        ),
        (
            {"objective": "hinge", "smoothing": 0.1},
            "hinge has no label to smooth; use one of minimax, non-saturating, least-squ",
        ),
        ({"smoothing": 1.0}, "setting smoothing must be from 0 and below 1, got 1.0"),
        ({"norm_g": "instance"}, "norm=instance: instance norm averages over the pixels of a channel, and a perceptron has no"),
        ({"norm_d": "instance"}, "norm=instance: instance norm averages over the pixels of a channel, and a perceptron has no"),
        ({"norm_d": "virtual"}, "norm_d=virtual: D would need a reference batch"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        build(**settings)


def test_what_rarely_works_is_warned_of():
    with pytest.warns(UserWarning, match="nothing bounds D's slope"):
        build(objective="wasserstein")
    for bound in ({"clip": 0.1}, {"penalty": "wgan-gp"}, {"spectral_norm": True}):
        build(objective="wasserstein", **bound)


def test_a_clip_beside_spectral_norm_is_warned_of():
    with pytest.warns(UserWarning, match="clip=0.01: changes nothing beside spectral_norm=true"):
        build(objective="wasserstein", clip=0.01, spectral_norm=True)


def test_minibatch_discrimination_of_a_large_batch_has_fewer_kernels():
    kernels = [
        next(
            m for m in build(minibatch=True, batch_size=n).nets["D"].modules() if isinstance(m, MinibatchDiscrimination)
        ).kernels
        for n in (64, 128, 256)
    ]
    assert kernels[0] == kernels[1] > kernels[2]


def test_every_system_here_has_every_setting():
    for name in ("gan", "dcgan", "wgan", "wgan-gp", "lsgan"):
        assert {setting.name for setting in SETTINGS} <= set(registry.get(name).settings)


@pytest.mark.parametrize("system, shape", [("gan", POINTS), ("dcgan", PICTURES)])
def test_the_asymmetry_of_a_gan_is_a_metric_that_changes_nothing(system, shape):
    game = build(system, shape)
    if shape == POINTS:
        dataset = data.load("ring8")
    else:
        pictures = np.random.default_rng(0).integers(0, 256, (80, *shape)).astype(np.uint8)
        dataset = data.ImageDataset("noise", pictures)
    before = {name: net.state_dict() for name, net in game.nets.items()}
    before = {(name, key): np.array(value) for name, state in before.items() for key, value in state.items()}
    found = ASYMMETRY(game, dataset, np.random.default_rng(0))
    assert set(found) == {"asymmetry"} and 0.05 < found["asymmetry"] <= 1
    for (name, key), value in before.items():
        assert np.array_equal(game.nets[name].state_dict()[key], value)
