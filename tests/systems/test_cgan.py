"""The conditional GAN: both nets depend on the label, every piece of gan.py combines with it, and asking for a digit works."""

import numpy as np
import pytest
from described import described

import minigan as mg
from minigan import data
from minigan.autograd import grad
from minigan.errors import ConfigError
from minigan.ops import mean
from minigan.streams import Streams
from minigan.systems import registry
from minigan.systems.conditional import cgan
from minigan.tensor import Tensor
from minigan.train.game import play
from minigan.train.objectives import OBJECTIVES
from minigan.train.penalties import PENALTIES

SHAPE = (1, 28, 28)
SMALL = {"width": 8, "channels": 2, "latent": 4}
MLP = {**SMALL, "nets": "mlp", "norm_g": "none", "norm_d": "none"}


def build(shape=SHAPE, **settings):
    system, about = registry.get("cgan"), described(shape)
    return system.build(system.configure({**SMALL, **settings}, about), about)


def batch(labels, shape=SHAPE):
    x = np.random.default_rng(0).standard_normal((len(labels), *shape)).astype(np.float32)
    return data.Batch(np.tanh(x), np.array(labels))


def step(game, labels=(0, 1, 2, 3), seed=0, player=0):
    return game.step(game, game.players[player], batch(labels), Streams(seed))


def test_labels_are_joined_behind_the_sample_with_mean_square_1():
    x = Tensor(np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2))
    expected = [[0, 1, 2, 3, 0, 0, 2, 0], [4, 5, 6, 7, 2, 0, 0, 0]]  # sqrt(4 classes) in column 2 and in column 0
    assert cgan.joined(x, [2, 0], 4).numpy().tolist() == expected


def test_a_label_plane_is_the_weights_of_its_class():
    layer = cgan.LabelPlane((1, 2, 2), 3)
    x = cgan.joined(Tensor(np.ones((2, 1, 2, 2), np.float32)), [0, 2], 3)
    y = layer(x).detach().numpy()
    assert y.shape == (2, 2, 2, 2) and (y[:, 0] == 1).all()
    for row, k in enumerate([0, 2]):
        assert np.allclose(y[row, 1].ravel(), np.sqrt(3) * layer.plane.weight.detach().numpy()[:, k])


@pytest.mark.parametrize("nets", ["mlp", "conv"])
def test_both_nets_answer_to_the_label(nets):
    game = build(nets=nets)
    z = game.latent(1, np.random.default_rng(0)).repeat(10, axis=0)
    pictures = game.sample(z, np.arange(10))
    scores = game.nets["D"].eval()(Tensor(pictures[:1].repeat(10, axis=0)), np.arange(10)).detach().numpy()
    assert len(np.unique(pictures.reshape(10, -1)[:, 300])) == 10 and len(np.unique(scores)) == 10


def test_labels_of_a_turn_are_those_of_the_batch_for_real_and_generated_samples():
    seen = []
    turn = step(build(**MLP))
    for net in turn.game.nets.values():
        net.forward = lambda x, labels, forward=net.forward: seen.append(list(labels)) or forward(x, labels)
    turn.game.parts(turn)
    assert seen == [[0, 1, 2, 3]] * 3  # D(x), G(z), D(fake)


def test_the_control_permutes_the_labels_by_a_draw_of_the_turn():
    labels = np.arange(10).repeat(3)
    turn = step(build(**MLP, shuffle_labels=True), labels)
    assert sorted(turn.labels) == sorted(labels) and 0 <= np.mean(turn.labels == labels) < 0.4
    assert turn.again().labels.tolist() == turn.labels.tolist()  # the same turn, taken again
    assert step(build(**MLP, shuffle_labels=True), labels, seed=1).labels.tolist() != turn.labels.tolist()
    assert step(build(**MLP), labels).labels.tolist() == labels.tolist()


@pytest.mark.parametrize(
    "settings",
    [
        *[{"objective": name, "clip": 0.1 if name == "wasserstein" else 0.0} for name in OBJECTIVES],
        *[{"penalty": name} for name in PENALTIES],
        {"feature_matching": 1.0},
        {"minibatch": True},
        {"spectral_norm": True},
        {"norm_g": "virtual"},
        {"instance_noise": 0.1},
        {"ema": 0.9},
        {"history": 0.1},
        {"smoothing": 0.1},
        {"shuffle_labels": True},
        {"nets": "conv", "norm_g": "batch", "norm_d": "layer", "penalty": "r1", "feature_matching": 1.0},
    ],
    ids=str,
)
def test_every_piece_of_a_gan_combines_with_labels(settings):
    game = build(**{**MLP, **settings})
    losses = play(game, iter([batch([0, 1, 2, 3]), batch([9, 8, 7, 6])]), Streams(0))
    assert all(np.isfinite(value) for value in losses.values()) and losses["G.gradient"] > 0 and losses["D.gradient"] > 0
    assert game.sample(game.latent(3, np.random.default_rng(0)), np.array([1, 2, 3])).shape == (3, *SHAPE)


def test_samples_of_the_moving_average_are_asked_for_by_label():
    game = build(**MLP, ema=0.5)
    for p in game.nets["G_average"].parameters():
        p.data[...] = 0
    assert not game.sample(game.latent(2, np.random.default_rng(0)), np.array([1, 2])).any()


def test_feature_matching_compares_features_of_the_same_labels():
    game = build(**MLP, feature_matching=1.0, adversarial_g=0.0)
    turn = step(game, player=1)
    features = game.nets["D"][:-1]
    means = [mean(features(x, [0, 1, 2, 3]), axis=0).detach().numpy() for x in (turn.x, turn.fake)]
    assert float(game.parts(turn)["features"]) == pytest.approx(np.square(means[0] - means[1]).sum(), rel=1e-5)


def test_a_penalty_is_taken_on_the_slope_at_the_sample_not_at_the_label():
    game = build(**MLP, penalty="r1", penalty_weight=2.0)
    turn = step(game)
    x = Tensor(turn.x.numpy())
    x.requires_grad = True
    (g,) = grad(mg.sum(game.nets["D"](x, [0, 1, 2, 3])), [x])
    assert float(game.parts(turn)["penalty"]) == pytest.approx(np.square(g.numpy()).sum() / 4, rel=1e-5)


def test_data_without_labels_is_refused():
    game = build((2,), width=8)
    turn = game.step(game, game.players[0], data.Batch(np.zeros((4, 2), np.float32), None), Streams(0))
    with pytest.raises(ConfigError, match="cgan needs data with labels, and this data has none; use digits, mnist or ring8"):
        game.parts(turn)


def test_more_classes_than_the_setting_says_are_refused():
    with pytest.raises(ConfigError, match=r"cgan: the data has the label 9, but classes=5 allows only 0 to 4; set classes to"):
        _ = step(build(**MLP, classes=5), [0, 9, 1, 2]).labels


def test_convolutions_are_for_pictures():
    with pytest.raises(ConfigError, match="nets of convolutions draw pictures, but ring8 holds points 2; use nets=mlp"):
        build((2,), nets="conv")


def test_an_unknown_family_of_nets_is_told_the_nearest():
    with pytest.raises(ConfigError, match="'con'; did you mean 'conv'"):
        build(nets="con")


class Copies:
    """A game whose samples of label k are pictures of a data set with label (k + wrong) % 10."""

    classes = 10

    def __init__(self, dataset, wrong=0, same=False):
        self.dataset, self.wrong, self.same = dataset, wrong, same

    def latent(self, n, generator):
        return np.zeros((n, 1))

    def sample(self, z, labels):
        found = [np.flatnonzero(self.dataset.labels == k) for k in range(10)]
        at = [found[(k + self.wrong) % 10][0 if self.same else i // 10 % len(found[0])] for i, k in enumerate(labels)]
        return self.dataset[np.array(at)].x


def test_the_metric_knows_right_wrong_and_identical_samples():
    test = data.load("digits", "test", size=300)
    measure = lambda **options: cgan.label_accuracy(Copies(test, **options), test, np.random.default_rng(0), samples=300)
    right, wrong, same = measure(), measure(wrong=1), measure(same=True)
    assert right["label-accuracy"] > 0.97 and right["diversity-within"] > 0.8
    assert wrong["label-accuracy"] < 0.02
    assert same["diversity-within"] == 0 and same["label-accuracy"] > 0.8


def test_on_a_mixture_the_nearest_centre_is_the_judge():
    ring = data.load("ring8")
    game = Copies(ring)
    game.classes = 8
    game.sample = lambda z, labels: ring.centres[labels] + np.float32(0.01) * np.arange(len(labels))[:, None] / len(labels)
    result = cgan.label_accuracy(game, ring, np.random.default_rng(0), samples=160)
    assert result["label-accuracy"] == 1 and 0 < result["diversity-within"] < 1


@pytest.mark.slow
def test_samples_are_the_class_asked_for_and_with_shuffled_labels_they_are_not():
    ring, share = data.load("ring8"), {}
    for shuffled in (False, True):
        game, streams = build((2,), width=64, latent=2, shuffle_labels=shuffled), Streams(0)
        loader = data.Loader(ring, 128, streams("data"))
        for _ in range(500):
            play(game, loader, streams)
        share[shuffled] = cgan.label_accuracy(game, ring, np.random.default_rng(0))["label-accuracy"]
    assert share[False] > 0.8 and share[True] < 0.3, share  # by chance 1/8
