"""CycleGAN: who is trained by what, the buffer of old fakes, resuming to the same bits, figures that know right from wrong."""

import numpy as np
import pytest
from described import described

from minigan import data
from minigan.errors import ConfigError
from minigan.nn import Identity
from minigan.runs.evaluation import most_samples
from minigan.runs.session import Session
from minigan.streams import Streams
from minigan.systems import registry
from minigan.systems.translation import cyclegan
from minigan.tensor import Tensor
from minigan.train.game import play

SHAPE = (2, 28, 28)
PAIRS = described(SHAPE, "filled-outline")
SMALL = {"channels": 2, "blocks": 1, "batch_size": 4, "buffer": 6}


def build(**settings):
    system = registry.get("cyclegan")
    return system.build(system.configure({**SMALL, **settings}), PAIRS)


def batch(seed=0):
    x = np.tanh(np.random.default_rng(seed).standard_normal((4, *SHAPE)))
    return data.Batch(x.astype(np.float32), None)


def turn(game, player, seed=0):
    return game.step(game, game.players[player], batch(), Streams(seed))


def true_outline(x):
    images = np.rint((x.numpy() + 1) * 127.5).astype(np.uint8)
    return Tensor(data.pairs.outline(images).astype(np.float32) / 127.5 - 1)


def test_terms_are_those_of_the_paper():
    game, x = build(cycle=10.0, identity=5.0), batch().x
    a, b = x[:, :1], x[:, 1:]
    game.nets["AB"].forward, game.nets["BA"].forward = (lambda x: 0.5 * x), (lambda x: -1.0 * x)
    game.nets["DA"].forward, game.nets["DB"].forward = (lambda x: 2.0 * x), (lambda x: 3.0 * x)
    d, g = (game.parts(turn(game, player)) for player in (0, 1))
    squares = lambda fake_a, fake_b: (np.square(fake_a).mean() + np.square(fake_b).mean()) / 2
    assert float(d["adversarial"]) == pytest.approx(squares(2 * a - 1, 3 * b - 1) + squares(2 * -b, 3 * a / 2), rel=1e-5)
    assert float(g["adversarial"]) == pytest.approx(squares(2 * -b - 1, 3 * a / 2 - 1), rel=1e-5)
    cycle = np.abs(-a / 2 - a).mean() + np.abs(-b / 2 - b).mean()
    assert float(g["cycle"]) == pytest.approx(10 * cycle, rel=1e-5)
    identity = np.abs(b / 2 - b).mean() + np.abs(-a - a).mean()
    assert float(g["identity"]) == pytest.approx(5 * identity, rel=1e-5)


def test_each_player_trains_its_own_two_nets_only():
    game = build()
    weights = lambda: {name: np.concatenate([p.data.ravel() for p in net.parameters()]) for name, net in game.nets.items()}
    for player, own in ((0, {"DA", "DB"}), (1, {"AB", "BA"})):
        before, step = weights(), turn(game, player)
        game.players[player].update(game.players[player].gradients(sum(game.parts(step).values())))
        assert {name for name, w in weights().items() if not np.array_equal(w, before[name])} == own


def test_in_the_turn_of_d_the_translations_are_constants():
    d, g = (turn(build(), player) for player in (0, 1))
    assert d.fake["A"].node is None and d.fake["B"].node is None
    assert g.fake["A"].node is not None and g.fake["B"].node is not None


class Slots:
    """A step whose draw is what the test says."""

    def __init__(self, *slots):
        self.slots = np.array(slots)

    def draw(self, name, function):
        return Tensor(self.slots)


def pictures(*values):
    return Tensor(np.array(values, np.float32).reshape(-1, 1, 1, 1))


def test_the_buffer_fills_then_swaps_what_the_draw_names():
    buffer = cyclegan.Buffer(3)
    values = lambda shown: [float(v) for v in np.ravel(shown)]
    assert values(buffer.mix(Slots(0, 0), "A", pictures(1, 2)).numpy()) == [1, 2]
    assert values(buffer.pictures) == []  # nothing is kept before the update
    buffer()
    assert values(buffer.mix(Slots(0, 0, 5), "A", pictures(3, 4, 5)).numpy()) == [3, 1, 5]  # 3 fills; 4 takes 1's place; 5 or
    buffer()  # more than 2 swaps nothing
    assert values(buffer.pictures) == [4, 2, 3]
    assert values(buffer.mix(Slots(1, 1), "A", pictures(6, 7)).numpy()) == [2, 6]


def test_half_of_what_d_sees_is_old_and_a_turn_taken_again_sees_the_same():
    buffer, step = cyclegan.Buffer(50), turn(build(), 0)
    for start in (0, 50):
        buffer.mix(step, str(start), pictures(*range(start, start + 50)))
        buffer()
    fakes = pictures(*range(1000, 2000))
    shown = buffer.mix(step, "more", fakes).numpy()
    assert 0.4 < np.mean(shown != fakes.numpy()) < 0.6
    assert np.array_equal(shown, buffer.mix(step, "more", fakes).numpy())


def test_the_discriminator_is_shown_old_fakes():
    game = build(buffer=1)
    streams, seen = Streams(0), []
    forward = game.nets["DB"].forward
    game.nets["DB"].forward = lambda x: seen.append(x.numpy()) or forward(x)
    for seed in range(6):
        step = game.step(game, game.players[0], batch(seed), streams)
        game.players[0].update(game.players[0].gradients(sum(game.parts(step).values())))
        seen[-1] = (seen[-1], step.fake["B"].numpy())
    changed = [not np.array_equal(shown, fake) for shown, fake in seen[1::2]]
    assert sum(changed) >= 4  # all four of a batch stay new in one case of sixteen


def test_a_run_stopped_and_resumed_has_the_same_bits(tmp_path):
    settings = {**SMALL, "steps": 6, "sample_every": 6, "checkpoint_every": 3}
    whole = Session.start("cyclegan", seed=3, overrides=settings, out=tmp_path / "whole")
    whole.train()
    halves = Session.start("cyclegan", seed=3, overrides=settings, out=tmp_path / "halves")
    halves.train(steps=3)
    again = Session.open(tmp_path / "halves")
    assert len(again.game.players[0].after[0].pictures) == 6  # the buffer came back, and is full
    again.train()
    one, two = whole.game.state_dict(), again.game.state_dict()
    for name in one["nets"]:
        for key, value in one["nets"][name].items():
            assert np.array_equal(value, two["nets"][name][key]), (name, key)
    for mine, other in zip(one["players"]["D"]["after"], two["players"]["D"]["after"], strict=True):
        assert np.array_equal(mine["pictures"], other["pictures"])


def test_without_its_buffer_a_resumed_run_would_differ():
    """The control of the test above: the buffer does reach the weights."""
    weights = []
    for forget in (False, True):
        game, streams = build(), Streams(0)
        for k in range(4):
            if forget and k == 3:
                for buffer in game.players[0].after:
                    buffer.pictures = []
            play(game, iter([batch(2 * k), batch(2 * k + 1)]), streams)
        weights.append(game.nets["DA"][0].weight.data.copy())
    assert not np.array_equal(*weights)


def test_samples_are_of_different_pictures_and_no_more_are_measured_than_there_are(tmp_path):
    session = Session.start("cyclegan", overrides=SMALL, out=tmp_path / "run")
    most = most_samples(session)
    assert most == len(data.load("filled-outline", "test"))
    session.game.sample = lambda z, labels, show: z  # so that one sees what they are made of
    assert len(np.unique(session.sample(most), axis=0)) == len(np.unique(data.load("filled-outline", "test")[:].x, axis=0))
    with pytest.raises(
        ConfigError, match="from the 1,000 pictures of the test split, so 1,001 samples would repeat; measure at most"
    ):
        session.evaluate(["duplicates"], most + 1)


def test_samples_are_like_the_data_and_pictures_show_there_and_back():
    game = build()
    z = game.latent(3, np.random.default_rng(0))
    unseen = data.load("filled-outline", "test")[:].x
    assert z.shape == (3, *SHAPE) and all((unseen == row).all(axis=(1, 2, 3)).any() for row in z)
    translate = lambda name, x: game.nets[name].eval()(Tensor(x)).detach().numpy()
    samples, shown = game.sample(z), game.sample(z, show=True)
    outlines, fillings = translate("AB", z[:, :1]), translate("BA", z[:, 1:])
    assert np.array_equal(samples, np.concatenate([fillings, outlines], axis=1))
    assert np.array_equal(shown, np.concatenate([z[:, :1], outlines, translate("BA", outlines)], axis=3))


@pytest.fixture(scope="module")
def judged():
    """The figures of four translators from filled to outline: exact, none, exact with inverted colours, blank."""
    test, results = data.load("filled-outline", "test"), {}
    for name, function in (
        ("exact", true_outline),
        ("none", Identity()),
        ("inverted", lambda x: -1.0 * true_outline(x)),
        ("blank", lambda x: Tensor(np.full_like(x.numpy(), -1))),
    ):
        game = build()
        game.nets["AB"].forward = function
        game.nets["BA"].forward = Identity()
        results[name] = cyclegan.pairs(game, test, None)
    return results


def test_the_exact_translation_passes_and_no_translation_does_not(judged):
    exact, none = judged["exact"], judged["none"]
    assert exact["label-kept"] == exact["label-kept-truth"] > 0.95 and none["label-kept"] < 0.8
    assert exact["pair-l1"] == pytest.approx(0, abs=1e-6) and exact["correlation"] == pytest.approx(1, abs=1e-4)
    assert none["pair-l1"] == none["identity-l1"] == exact["identity-l1"] > 0.1 and none["cycle-l1"] == 0
    assert exact["cycle-l1"] == pytest.approx(exact["identity-l1"])  # BA gives back the outline


def test_inverted_colours_raise_the_alarm_and_a_blank_page_does_not_pass(judged):
    assert judged["inverted"]["correlation"] == pytest.approx(-1, abs=1e-4) and judged["exact"]["correlation"] > 0
    assert judged["blank"]["label-kept"] < 0.2
    assert judged["blank"]["pair-l1"] == judged["exact"]["blank-l1"] < judged["exact"]["identity-l1"]


def test_fillings_are_read_by_the_digit_classifier(judged):
    test, game = data.load("filled-outline", "test", size=50), build()
    game.nets["BA"].forward = lambda x: Tensor(test.info["fillings"].astype(np.float32) / 127.5 - 1)
    assert cyclegan.pairs(game, test, None)["label-kept-back"] > 0.95
    assert judged["none"]["label-kept-back"] < 0.75  # outlines as they are


@pytest.mark.parametrize(
    "settings, text",
    [
        ({"objective": "least-square"}, "did you mean 'least-squares'"),
        ({"objective": "wasserstein"}, "objective=wasserstein: nothing bounds the slope of cyclegan's discriminators"),
        ({"norm_g": "bach"}, "did you mean 'batch'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, text):
    with pytest.raises(ConfigError, match=text):
        build(**settings)


@pytest.mark.parametrize(
    "about, text",
    [
        (described((1, 28, 28)), "cyclegan learns pair; digits holds pictures 1x28x28: use autoencoder or cgan"),
        (described((2, 28, 28), "digits"), "cyclegan learns pair; digits holds pictures 2x28x28: use"),
        (
            described((2, 30, 30), "filled-outline"),
            "multiples of 4, .* filled-outline holds unaligned pictures 1x30x30 and 1x30x30; use pictures of 28x28 or 32x32$",
        ),
        (described((2,)), "cyclegan learns pair; ring8 holds points 2: use"),
    ],
)
def test_data_that_is_no_pair_of_domains_is_refused(about, text):
    system = registry.get("cyclegan")
    with pytest.raises(ConfigError, match=text):
        system.build(system.configure(), about)


def test_aligned_pairs_are_learned_too():
    known = data.load("filled-outline", "test", size=8)
    images = np.concatenate([known.images[:, :1], known.info["outlines"]], axis=1)
    grey = data.kinds.Pictures(1, 28, 28)
    aligned = data.ImageDataset("aligned", images, kind=data.kinds.Pair(grey, grey, aligned=True))
    system = registry.get("cyclegan")
    game = system.build(system.configure(SMALL, aligned), aligned)
    losses = play(game, data.Loader(aligned, 4, 0), Streams(0))
    assert all(np.isfinite(value) for value in losses.values()) and losses["G.gradient"] > 0


def test_what_is_translated_is_the_test_split_of_the_data_set_of_the_run(monkeypatch):
    """And not that of filled-outline, whatever the run learns."""
    small, load = data.load("filled-outline", "test", size=5), data.load
    monkeypatch.setattr(data, "load", lambda name, *given, **more: small if name == "mine" else load(name, *given, **more))
    system = registry.get("cyclegan")
    latent = system.build(system.configure(SMALL), data.Description("mine", small.kinds)).latent
    assert len(latent) == 5 and latent(2, np.random.default_rng(0)).shape == (2, *SHAPE)
    assert len(build().latent) == 1000


def own_pairs(a, b, side, split="train", n=8):
    """Pairs of noise: pictures of `a` channels and pictures of `b` channels."""
    images = np.random.default_rng(len(split)).integers(256, size=(n, a + b, side, side), dtype=np.uint8)
    kind = data.kinds.Pair(data.kinds.Pictures(a, side, side), data.kinds.Pictures(b, side, side))
    return data.ImageDataset("mine", images, split=split, kind=kind)


def test_grey_pictures_are_translated_into_coloured_ones_of_a_data_set_of_ones_own(tmp_path):
    given = own_pairs(1, 3, 32)
    given.test = own_pairs(1, 3, 32, "test", 5)
    session = Session.start("cyclegan", given, overrides=SMALL | {"steps": 1}, out=tmp_path / "run")
    session.train()
    again = Session.open(tmp_path / "run", given=given)
    np.testing.assert_array_equal(again.sample(5), session.sample(5))
    assert session.sample(5).shape == (5, 4, 32, 32) and most_samples(again) == 5
    shown = session.sample(5, show=True)
    assert shown.shape == (5, 3, 32, 3 * 32)
    grey = given.test[:].x[:, :1]
    assert all((grey[:, 0] == row[0, :, :32]).all(axis=(1, 2)).any() for row in shown)  # a picture of the test split


def test_data_without_pictures_to_translate_are_refused_before_anything_is_written(tmp_path):
    alone, other = own_pairs(1, 1, 16), own_pairs(1, 1, 16)
    other.test = own_pairs(1, 1, 32, "test")
    for given in (alone, other):
        with pytest.raises(ConfigError, match="cyclegan makes samples of pictures of the test split; give mine one of unali"):
            Session.start("cyclegan", given, overrides=SMALL, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "side, inner, patches", [(16, 8, 4), (28, 14, 7), (32, 16, 8), (48, 24, 12), (64, 16, 8), (128, 32, 16)]
)
def test_how_often_pictures_are_halved_follows_from_their_size(side, inner, patches):
    system, about = registry.get("cyclegan"), own_pairs(3, 3, side).description
    nets = system.build(system.configure(SMALL, about), about).nets
    seen = []
    residual = next(net for net in nets["AB"] if isinstance(net, cyclegan.Residual))
    forward = residual.forward
    residual.forward = lambda x: seen.append(x.shape[2:]) or forward(x)
    x = Tensor(np.zeros((1, 3, side, side), np.float32))
    assert nets["AB"](x).shape == x.shape and seen == [(inner, inner)]
    assert nets["DA"](x).shape == (1, 1, patches, patches)


def test_true_translations_are_of_filled_outline_only():
    with pytest.raises(
        ConfigError, match="metric pairs does not fit mine: it compares translations with the true ones, which only fi"
    ):
        cyclegan.PAIRS.check(own_pairs(1, 1, 28))


def test_pictures_of_a_folder_are_told_the_option_that_makes_pairs_of_them():
    system, about = registry.get("cyclegan"), data.Description("folder", {"x": data.kinds.Pictures(3, 32, 32)})
    with pytest.raises(ConfigError, match="pictures 3x32x32: name two of its sub-folders .* --set domains=horses,zebras"):
        system.build(system.configure(), about)


def test_data_that_hides_no_pairs_cannot_judge():
    with pytest.raises(ConfigError, match=r"pairs: filled-outline \(train\) has no true translations; use filled-out"):
        cyclegan.pairs(build(), data.load("filled-outline", size=10), None)


@pytest.mark.parametrize("objective", ["non-saturating", "hinge", "relativistic"])
def test_other_objectives_play(objective):
    losses = play(build(objective=objective), iter([batch(0), batch(1)]), Streams(0))
    assert all(np.isfinite(value) for value in losses.values()) and losses["G.gradient"] > 0


@pytest.mark.slow
def test_outlines_are_learned_without_a_pair():
    system, streams = registry.get("cyclegan"), Streams(0)
    game = system.build(system.configure(), PAIRS)
    test, loader = data.load("filled-outline", "test"), data.Loader(data.load("filled-outline"), 4, streams("data"))
    passes = lambda r: r["label-kept"] > 0.85 and r["correlation"] > 0.5 and r["pair-l1"] < min(r["blank-l1"], r["identity-l1"])
    before = cyclegan.pairs(game, test, None)
    for _ in range(150):
        play(game, loader, streams)
    after = cyclegan.pairs(game, test, None)
    assert passes(after), after
    assert not passes(before), before
