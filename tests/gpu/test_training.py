"""Training on a card: nothing is sent and nobody waits inside a step, runs change devices, a recorded step is the step."""

import numpy as np
import pytest

import minigan as mg
from minigan import data
from minigan.errors import ConfigError, NotFiniteError
from minigan.ops.noise import dropout
from minigan.runs.capture import WARM_UP, Captured
from minigan.runs.feed import Feed
from minigan.runs.session import Session
from minigan.streams import Streams
from minigan.systems import registry
from minigan.train.game import play

TINY = {"batch_size": 4, "steps": 100}
NARROW = TINY | {"channels": 4}
SYSTEMS = {  # what is trained, on what, with which settings
    "gan": ("gan", "digits", TINY | {"width": 8}),
    "gan of points": ("gan", "ring8", TINY | {"width": 8}),
    "dcgan": ("dcgan", "digits", NARROW),
    "wgan": ("wgan", "ring8", TINY),
    "wgan-gp": ("wgan-gp", "ring8", TINY),
    "r1, spectral norm, average, two rules": (
        "gan",
        "ring8",
        TINY | {"width": 8, "penalty": "r1", "spectral_norm": True, "ema": 0.9, "optimizer_d": "sgd", "optimizer_g": "rmsprop"},
    ),
    "dragan, history, noise, smoothing": (
        "gan",
        "digits",
        TINY | {"width": 8, "penalty": "dragan", "history": 0.1, "instance_noise": 0.1, "smoothing": 0.1},
    ),
    "hinge, features, minibatch, virtual": (
        "gan",
        "digits",
        TINY | {"width": 8, "objective": "hinge", "feature_matching": 1.0, "minibatch": True, "norm_g": "virtual"},
    ),
    "vae": ("vae", "digits", TINY | {"width": 8}),
    "vae of points, importance": ("vae", "ring8", TINY | {"width": 8, "importance": 3}),
    "autoencoder": ("autoencoder", "digits", TINY | {"width": 8, "noise": 0.1}),
    "cgan": ("cgan", "digits", NARROW | {"shuffle_labels": True}),
    "cyclegan": ("cyclegan", "filled-outline", NARROW | {"buffer": 6}),
    "cyclegan, ten pictures": ("cyclegan", "filled-outline", NARROW | {"buffer": 2, "batch_size": 10}),
    "coordinate-gan": ("coordinate-gan", "ring8", TINY | {"width": 8}),
}


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def game(system, data_name, settings, device="cuda"):
    """(game, its batches, its streams), on the device."""
    made_by, dataset = registry.get(system), data.load(data_name)
    settings = made_by.configure(settings, dataset)
    built, streams = made_by.build(settings, dataset).to(device), Streams(0)
    loader = data.Loader(dataset, settings.batch_size, streams("data"))
    return built, loader if device == "cpu" else Feed(loader, device, built.check), streams


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_step_sends_nothing_and_waits_for_nothing(card, name):
    built, batches, streams = game(*SYSTEMS[name])
    for _ in range(3):
        losses = play(built, batches, streams)
    assert losses and all(np.isfinite(list(losses.values())))
    card.counts.reset()
    assert play(built, batches, streams, read=None) == {}
    assert (card.counts.h2d, card.counts.d2h, card.counts.sync) == (0, 0, 0), card.counts
    play(built, batches, streams)  # the control: reading is seen
    assert card.counts.sync > 0


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_every_stage_of_seqgan_neither(card, stage):
    whole, batches, streams = game("seqgan", "oracle", NARROW | {"mle_steps": 2, "d_pretrain": 2, "hidden": 4, "rollouts": 2})
    for _ in range(2):
        play(whole.at(2 * stage), batches, streams)
    card.counts.reset()
    play(whole.at(2 * stage), batches, streams, read=None)
    assert (card.counts.h2d, card.counts.d2h, card.counts.sync) == (0, 0, 0), card.counts


@pytest.mark.parametrize(
    "settings, most",
    [
        ({"optimizer_g": "coordinate-steepest"}, 30),
        ({"optimizer_g": "polak-ribiere"}, 4),
        ({"optimizer_g": "polak-ribiere-search"}, 100),
    ],
)
def test_rules_that_decide_on_the_host_wait_for_the_numbers_they_decide_by(card, settings, most):
    built, batches, streams = game("gan", "ring8", TINY | {"width": 8} | settings)
    for _ in range(3):
        play(built, batches, streams)
    card.counts.reset()
    play(built, batches, streams, read=None)
    assert 0 < card.counts.sync <= most and card.counts.h2d == 0, card.counts


def test_losses_are_those_of_the_cpu_for_the_same_numbers(card, monkeypatch):
    """All that differs is where random numbers come from; with the CPU's on both sides, so do the losses agree."""
    there, batches, streams = game(*SYSTEMS["wgan-gp"])
    monkeypatch.setattr(Streams, "on", lambda self, device: self)
    here, its_batches, its_streams = game(*SYSTEMS["wgan-gp"], device="cpu")
    for name, net in here.nets.items():
        there.nets[name].load_state_dict(net.state_dict())
    for _ in range(3):
        losses, expected = play(there, batches, streams), play(here, its_batches, its_streams)
        assert losses == pytest.approx(expected, rel=1e-4)


# ------------------------------------------------------------------------------------------------------ whole runs ---

WILD = {"optimizer_d": "sgd", "optimizer_g": "sgd", "lr_d": 9e8, "lr_g": 9e8}  # a few steps to infinity


def start(out, device="cuda", system="gan", data_name="ring8", **settings):
    return Session.start(
        system,
        data_name,
        device=device,
        out=out,
        overrides={
            "batch_size": 8,
            "width": 8,
            "steps": 20,
            "log_every": 10,
            "sample_every": 100,
            "checkpoint_every": 100,
            **settings,
        },
    )


def test_a_run_reads_its_losses_only_where_somebody_looks(card, tmp_path, monkeypatch):
    session = start(tmp_path / "run")
    session.attach()
    monkeypatch.setattr(session, "hooks", [])
    reads = []

    def report(step, losses):
        reads.append((step, card.counts.sync))
        card.counts.reset()

    session.train(report=report)
    assert [step for step, sync in reads if sync] == [1, 10, 20]  # the first for the progress bar, then every log_every
    assert [r["step"] for r in session.run.read_log() if "D" in r] == [10, 20]


@pytest.mark.parametrize("first, second", [("cpu", "cuda"), ("cuda", "cpu"), ("cuda", "cuda:1")])
def test_a_run_goes_on_on_another_device(card, tmp_path, monkeypatch, first, second):
    monkeypatch.setattr(card.machine, "cards", 2)
    session = start(tmp_path / "run", first)
    session.train(steps=10)
    weights = session.game.nets["G"].state_dict()
    resumed = Session.open(tmp_path / "run", second)
    assert all(np.array_equal(array, weights[name]) for name, array in resumed.game.nets["G"].state_dict().items())
    assert resumed.train(steps=20)
    assert next(iter(resumed.game.nets["G"].parameters())).device == {"cuda": "cuda:0"}.get(second, second)


def test_the_same_seed_and_a_resumed_run_give_the_same_bits(card, tmp_path):
    def last(session):
        return session.game.nets["G"].state_dict()

    whole, again, cut = (start(tmp_path / name, checkpoint_every=10) for name in ("whole", "again", "cut"))
    whole.train(), again.train(), cut.train(steps=10)
    cut = Session.open(tmp_path / "cut")
    cut.train()
    for session in (again, cut):
        assert all(np.array_equal(array, last(whole)[name]) for name, array in last(session).items())


def test_a_loss_that_is_not_finite_is_found_when_it_is_read(card, tmp_path):
    session = start(tmp_path / "run", **WILD)
    with pytest.raises(NotFiniteError):
        session.train()
    assert session.step == 9 and session.run.latest_checkpoint() is None


def test_no_checkpoint_is_written_of_weights_that_went_wrong_unread(card, tmp_path):
    session = start(tmp_path / "run", **WILD)
    with pytest.raises(NotFiniteError, match=r"net [GD]: a weight has become NaN or infinite"):
        session.train(steps=5)
    assert session.run.latest_checkpoint() is None


# ---------------------------------------------------------------------------------------------------- recorded steps ---

RECORDED = ["gan", "gan of points", "dcgan", "wgan", "wgan-gp", "vae", "autoencoder", "cgan"]
RULES = {
    "spectral norm, averages, sgd, rmsprop": (
        "gan",
        "ring8",
        TINY | {"width": 8, "spectral_norm": True, "ema": 0.9, "history": 0.1, "optimizer_d": "sgd", "optimizer_g": "rmsprop"},
    )
}


@pytest.mark.parametrize("name", [*RECORDED, *RULES])
def test_twenty_launches_are_twenty_steps(card, name):
    what = (SYSTEMS | RULES)[name]
    (one, batches, streams), (other, its_batches, its_streams) = game(*what), game(*what)
    captured = Captured(other)
    for net, twin in zip(one.nets.values(), other.nets.values()):
        twin.load_state_dict(net.state_dict())
    for i in range(WARM_UP + 20):
        expected = play(one, batches, streams)
        card.counts.reset()
        losses = captured.play(its_batches, its_streams)
        assert losses == pytest.approx(expected, rel=1e-5, abs=1e-6), i
    assert card.counts.launch == 0 and card.counts.op <= 20, card.counts  # the batch is copied, all else is in the graph
    for name, net in one.nets.items():
        for key, array in net.state_dict().items():
            np.testing.assert_allclose(other.nets[name].state_dict()[key], array, rtol=1e-5, atol=1e-6)
    assert its_streams.state_dict() == streams.state_dict()
    for player, twin in zip(one.players, other.players):
        mine, its = player.optimizer.state_dict()["state"], twin.optimizer.state_dict()["state"]
        assert all(mine[p]["step"] == its[p]["step"] for p in mine)


@pytest.mark.parametrize("rule", ["adam", "sgd"])
def test_a_recorded_step_follows_the_learning_rate(card, rule):
    what = ("gan", "ring8", TINY | {"width": 8, "optimizer_d": rule, "optimizer_g": rule})
    (one, batches, streams), (other, its_batches, its_streams) = game(*what), game(*what)
    captured = Captured(other)
    for net, twin in zip(one.nets.values(), other.nets.values()):
        twin.load_state_dict(net.state_dict())
    for i in range(WARM_UP + 6):
        for built in (one, other):
            for player in built.players:
                player.optimizer.param_groups[0]["lr"] = 1e-3 / (1 + i // 3)
        assert captured.play(its_batches, its_streams) == pytest.approx(play(one, batches, streams), rel=1e-5, abs=1e-6), i


def test_every_launch_drops_out_anew(card):
    what = SYSTEMS["gan of points"]

    def dropping():
        built, batches, streams = game(*what)
        for player in built.players:  # the players keep the layers they have
            for net in player.nets:
                net.register_forward_hook(lambda module, inputs, output: dropout(output))
        return built, batches, streams

    (one, batches, streams), (other, its_batches, its_streams) = dropping(), dropping()
    for net, twin in zip(one.nets.values(), other.nets.values()):
        twin.load_state_dict(net.state_dict())
    mg.seed(3)
    expected = [play(one, batches, streams) for _ in range(WARM_UP + 6)]
    mg.seed(3)
    captured = Captured(other)
    for i, losses in enumerate(expected):
        assert captured.play(its_batches, its_streams) == pytest.approx(losses, rel=1e-5, abs=1e-6), i


def test_what_breaks_a_recording_is_named(card, monkeypatch):
    built, batches, streams = game(*SYSTEMS["gan of points"])
    captured, term = Captured(built), built.terms[0]
    for _ in range(WARM_UP):
        captured.play(batches, streams)
    waiting = lambda step, loss=term.loss: loss(step) * float(step.x.sum())
    monkeypatch.setattr(term, "loss", waiting)
    with pytest.raises(NotImplementedError, match="cannot be part of a CUDA graph"):
        captured.play(batches, streams)
    assert not captured.graph.recorded and card.recording is None


def test_a_launch_sends_nothing_and_waits_for_nothing(card):
    built, batches, streams = game(*SYSTEMS["dcgan"])
    captured = Captured(built)
    for _ in range(WARM_UP + 2):
        captured.play(batches, streams, read=None)
    card.counts.reset()
    assert captured.play(batches, streams, read=None) == {}
    assert (card.counts.h2d, card.counts.d2h, card.counts.sync, card.counts.launch) == (0, 0, 0, 0), card.counts


def test_a_run_with_recorded_steps_is_the_run_without(card, tmp_path):
    eager, recorded = start(tmp_path / "eager"), start(tmp_path / "recorded", capture=True)
    eager.train(), recorded.train()
    for name, array in eager.game.nets["G"].state_dict().items():
        np.testing.assert_allclose(recorded.game.nets["G"].state_dict()[name], array, rtol=1e-5, atol=1e-6)
    assert [r["step"] for r in recorded.run.read_log() if "D" in r] == [10, 20]
    Session.open(tmp_path / "recorded").train(steps=30)
    Session.open(tmp_path / "recorded", device="cpu").train(steps=40)  # mg.capture goes on there


@pytest.mark.parametrize(
    "settings, reason",
    [
        ({"instance_noise": 0.1}, "its InstanceNoise uses the progress of the run"),
        ({"optimizer_g": "polak-ribiere"}, "ConjugateGradient chooses its next step on the host"),
        ({"system": "seqgan"}, "it has several stages"),
        ({"system": "cyclegan"}, "its Buffer changes at every step"),
        ({"schedule": "linear", "optimizer_g": "sgd"}, "changes the learning rate at every step, and only Adam reads it"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_a_folder_is_made(card, tmp_path, settings, reason):
    with pytest.raises(ConfigError, match=f"capture=true: this game cannot be recorded: .*{reason}"):
        if "system" in settings:
            Session.start(settings["system"], device="cuda", out=tmp_path / "run", overrides={"capture": True})
        else:
            start(tmp_path / "run", capture=True, **settings)
    assert not (tmp_path / "run").exists()


def test_a_recorded_step_that_goes_wrong_says_what_to_do(card, tmp_path):
    session = start(tmp_path / "run", capture=True, **WILD)
    with pytest.raises(NotFiniteError, match=r"minigan cannot name the op; .* write capture = false into config.toml"):
        session.train()
