"""capture=true on the CPU: the run has the bits of the run without, or is refused before there is a folder."""

import numpy as np
import pytest

from minigan.errors import ConfigError, NotFiniteError
from minigan.runs.session import Session

TINY = {"batch_size": 4, "steps": 12, "sample_every": 100, "checkpoint_every": 6, "log_every": 5, "metrics": "none"}
RUNS = {
    "gan": ("gan", "ring8", {"width": 8}),
    "gan of pictures, batch norm": ("gan", "digits", {"width": 8, "norm_g": "batch"}),
    "average, spectral norm, r1, schedule": (
        "gan",
        "ring8",
        {"width": 8, "ema": 0.9, "spectral_norm": True, "penalty": "r1", "optimizer_d": "sgd", "optimizer_g": "rmsprop"}
        | {"schedule": "linear"},
    ),
    "wgan": ("wgan", "ring8", {"width": 8}),
    "wgan-gp": ("wgan-gp", "ring8", {"width": 8}),
    "dcgan": ("dcgan", "digits", {"channels": 4}),
    "cgan": ("cgan", "digits", {"channels": 4}),
    "vae": ("vae", "digits", {"width": 8}),
    "autoencoder": ("autoencoder", "digits", {"width": 8, "noise": 0.1}),
    "hinge, minibatch, feature matching, dropout": (
        "gan",
        "digits",
        {"width": 8, "objective": "hinge", "minibatch": True, "feature_matching": 1.0},
    ),
}


def start(folder, system, data, settings):
    return Session.start(system, data, out=folder, overrides=TINY | settings)


def bits(state):
    return {key: (value.dtype, value.shape, value.tobytes()) for key, value in state.items()}


@pytest.mark.parametrize("name", RUNS)
def test_a_replayed_run_has_the_bits_of_the_run(tmp_path, name):
    system, data, settings = RUNS[name]
    eager = start(tmp_path / "eager", system, data, settings)
    replayed = start(tmp_path / "replayed", system, data, settings | {"capture": True})
    eager.train(), replayed.train()
    for net, expected in eager.game.nets.items():
        assert bits(replayed.game.nets[net].state_dict()) == bits(expected.state_dict()), net
    assert [r.get("D") for r in replayed.run.read_log()] == [r.get("D") for r in eager.run.read_log()]
    assert replayed.streams.state_dict() == eager.streams.state_dict()
    assert next(iter(replayed.captured.step.recordings.values())).times > 4
    Session.open(tmp_path / "replayed").train(steps=20), Session.open(tmp_path / "eager").train(steps=20)
    weights = [Session.open(tmp_path / run).game.nets for run in ("eager", "replayed")]
    for net in weights[0]:
        assert bits(weights[0][net].state_dict()) == bits(weights[1][net].state_dict())


@pytest.mark.parametrize(
    "settings, reason",
    [
        ({"instance_noise": 0.1}, "its InstanceNoise uses the progress of the run"),
        ({"history": 0.1}, "its HistoricalAverage changes at every step"),
        ({"optimizer_g": "polak-ribiere"}, "ConjugateGradient chooses its next step on the host"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_a_folder_is_made(tmp_path, settings, reason):
    with pytest.raises(ConfigError, match=f"capture=true: this game cannot be recorded: .*{reason}"):
        start(tmp_path / "run", "gan", "ring8", settings | {"capture": True})
    assert not (tmp_path / "run").exists()


def test_a_replay_that_goes_wrong_says_what_to_do(tmp_path):
    session = start(
        tmp_path / "run",
        "gan",
        "ring8",
        {"capture": True, "optimizer_d": "sgd", "lr_d": 9e8, "optimizer_g": "sgd", "lr_g": 9e8, "steps": 40},
    )
    with np.errstate(all="ignore"), pytest.raises(NotFiniteError, match=r"cannot name the op; .* write capture = false"):
        session.train()
