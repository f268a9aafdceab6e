"""A run is the same to the bit however it is interrupted, looked at or repeated; and looking changes nothing."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import minigan as mg
from minigan import viz
from minigan.errors import CheckpointError, ConfigError, DataError, DeviceError, NotFiniteError
from minigan.kernels import threads
from minigan.nn import Dropout, Linear, ReLU, Sequential
from minigan.ops.noise import dropout
from minigan.optim import Adam
from minigan.runs import hooks, loop
from minigan.runs.session import Session
from minigan.streams import streams
from minigan.systems import registry
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.game import Game, Normal, Player
from minigan.train.settings import Setting

EVERY = {"log_every": 1, "sample_every": 7, "checkpoint_every": 5}
STEPS = 12
RUNS = {  # system, data, settings: the three kinds of nets and data there are
    "gan on digits": ("gan", "digits", {"batch_size": 8, "latent": 4}),
    "dcgan on digits": ("dcgan", "digits", {"batch_size": 8, "latent": 4, "channels": 4}),
    "gan on points": ("gan", "ring8", {"batch_size": 8, "latent": 4}),
    "scheduled": (
        "gan",
        "ring8",
        {"batch_size": 8, "latent": 4, "schedule": "cosine", "metrics": "energy", "metrics_every": 4},
    ),
    "plateau": (
        "gan",
        "ring8",
        {"batch_size": 8, "latent": 4, "schedule": "plateau", "monitor": "energy", "metrics_every": 2, "patience": 1},
    ),
    "plateau of a loss": (
        "gan",
        "ring8",
        {"batch_size": 8, "latent": 4, "schedule": "plateau", "monitor": "G", "metrics_every": 2, "patience": 1},
    ),
}


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """The digits are drawn once, into a cache of this file's tests.  One thread, here and in the processes started from
    here: the nets are tiny, and two test workers with two threads each get in each other's way."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setenv("MINIGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("MINIGAN_DATA", raising=False)
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        yield


def start(kind, out, seed=3, **settings):
    system, data, own = RUNS[kind]
    return Session.start(system, data, seed=seed, overrides={**own, **EVERY, "steps": STEPS, **settings}, out=out)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """kind -> the folder of a run that nothing disturbed; each is trained once."""
    folders = {}

    def get(kind):
        if kind not in folders:
            session = start(kind, tmp_path_factory.mktemp("whole") / "run")
            assert session.train()
            folders[kind] = session.run.folder
        return folders[kind]

    return get


def final(folder, step=STEPS):
    """name -> dtype, shape and bytes of every array in the last checkpoint; the header holds all random streams."""
    with np.load(folder / "checkpoints" / f"step_{step:06d}.npz") as file:
        return {name: (file[name].dtype, file[name].shape, file[name].tobytes()) for name in file.files}


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def losses(folder):
    """The log without what the hooks saw."""
    records = [{k: v for k, v in record.items() if k not in ("metrics", "alarm")} for record in log(folder)]
    return [record for record in records if len(record) > 1]


# ---- the same bits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RUNS)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(kind, whole, tmp_path):
    reference = final(whole(kind))
    assert start(kind, tmp_path / "again").train()
    assert start(kind, tmp_path / "other", seed=4).train()
    assert len(reference) > 20 and "__minigan__" in reference
    assert final(tmp_path / "again") == reference and log(tmp_path / "again") == log(whole(kind))
    different = {name for name, value in final(tmp_path / "other").items() if value != reference[name]}
    assert {name for name in reference if name.endswith("weight") and "nets" in name} <= different


DRIVER = """
import os, signal, sys
from pathlib import Path
from minigan import serialize
from minigan.runs import loop, session

where, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
play, replace, calls = loop.play, os.replace, [0]

def dying_play(*arguments):
    calls[0] += 1
    losses = play(*arguments)        # the weights have moved, nothing of it is on the disk
    if where == "step" and calls[0] == count:
        die()
    return losses

def dying_replace(source, target):
    if where == "write" and f"step_{count:06d}.npz" in target:
        die()                        # the checkpoint is complete, under its temporary name
    replace(source, target)

loop.play, serialize.os.replace = dying_play, dying_replace
system, data, seed, settings = eval(sys.argv[4])
session.Session.start(system, data, seed=seed, overrides=settings, out=folder).train()
"""


def killed(kind, folder, where, count):
    """A run in a process of its own that is killed (-9) in its step `count`, or while it writes that checkpoint."""
    system, data, own = RUNS[kind]
    arguments = (system, data, 3, {**own, **EVERY, "steps": STEPS})
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, where, str(count), str(folder), repr(arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return folder


@pytest.mark.parametrize(
    "kind, where, count, resumed_from",
    [
        ("gan on digits", "step", 9, 5),
        ("dcgan on digits", "step", 9, 5),
        ("gan on points", "step", 9, 5),
        ("scheduled", "step", 9, 5),
        ("plateau", "step", 9, 5),
        ("plateau of a loss", "step", 9, 5),
        ("gan on digits", "step", 3, 0),  # before the first checkpoint
        ("gan on digits", "write", 5, 0),  # while the first is written
        ("gan on digits", "write", 10, 5),
    ],
)
def test_a_run_killed_and_resumed_ends_in_the_bits_of_one_never_killed(kind, where, count, resumed_from, whole, tmp_path):
    folder = killed(kind, tmp_path / "run", where, count)
    before = log(folder)
    assert len(before) == (count - 1 if where == "step" else count)
    session = Session.open(folder)
    assert session.step == resumed_from
    assert session.train() and session.step == STEPS
    assert final(folder) == final(whole(kind))
    assert [record["step"] for record in log(folder)] == list(range(1, STEPS + 1))
    assert log(folder) == log(whole(kind)) and log(folder)[: len(before)] == before
    assert (folder / "samples" / f"step_{STEPS:06d}.png").read_bytes() == (
        whole(kind) / "samples" / f"step_{STEPS:06d}.png"
    ).read_bytes()
    assert not list(folder.rglob("*.tmp"))


def test_the_same_with_two_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "_chosen", False)  # by another test: a session of convolutions takes BLAS's threads over
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with threadpool_limits(2):
        used = set()
        start("dcgan on digits", tmp_path / "whole", batch_size=32, channels=8).train(
            8, report=lambda step, losses: used.add(threads.get_num_threads())
        )
        assert used == {2} and threads.get_num_threads() == 1
    monkeypatch.setitem(RUNS, "dcgan on digits", ("dcgan", "digits", {"batch_size": 32, "latent": 4, "channels": 8}))
    folder = killed("dcgan on digits", tmp_path / "run", "step", 7)
    with threadpool_limits(2):
        Session.open(folder).train(8)
    assert final(folder, 8) == final(tmp_path / "whole", 8)


def test_it_may_be_killed_any_number_of_times(whole, tmp_path):
    folder = killed("gan on digits", tmp_path / "run", "step", 7)
    for steps in (6, 8, 11, STEPS):
        assert Session.open(folder).train(steps)
    assert final(folder) == final(whole("gan on digits")) and log(folder) == log(whole("gan on digits"))


def test_going_back_to_an_earlier_checkpoint_takes_the_same_way(whole, tmp_path):
    session = start("gan on digits", tmp_path / "run")
    session.train()
    early = Session.open(tmp_path / "run" / "checkpoints" / "step_000005.npz")
    assert early.step == 5
    early.train()
    assert final(tmp_path / "run") == final(whole("gan on digits")) and log(tmp_path / "run") == log(whole("gan on digits"))


def test_a_resumed_run_that_lost_its_random_streams_is_told_apart(whole, tmp_path):
    """The comparison above can fail: with the latent stream at another place the bits differ."""
    folder = killed("gan on digits", tmp_path / "run", "step", 9)
    session = Session.open(folder)
    session.streams("latent").random()
    session.train()
    assert final(folder) != final(whole("gan on digits"))


@pytest.mark.parametrize("kind", RUNS)
def test_looking_more_often_changes_no_bit(kind, whole, tmp_path):
    session = start(kind, tmp_path / "run", sample_every=2, log_every=3)
    looks = []
    session.train(report=lambda step, losses: looks.append(session.sample(3, seed=step)))
    assert len(looks) == STEPS
    assert final(tmp_path / "run") == final(whole(kind))
    assert losses(tmp_path / "run") == [record for record in losses(whole(kind)) if record["step"] % 3 == 0]


@pytest.mark.parametrize("kind", ["gan on digits", "gan on points"])
def test_measuring_during_training_changes_no_bit(kind, whole, tmp_path):
    metrics = {"gan on digits": "c2st,diversity", "gan on points": "default"}[kind]
    start(kind, tmp_path / "run", metrics=metrics, metrics_every=5).train()
    assert final(tmp_path / "run") == final(whole(kind)) and losses(tmp_path / "run") == losses(whole(kind))
    seen = {record["step"]: record["metrics"] for record in log(tmp_path / "run") if "metrics" in record}
    assert list(seen) == [5, 7, 10] and "diversity" in seen[7]
    assert set(seen[5]) >= {"gan on digits": {"c2st", "c2st-p", "diversity"}, "gan on points": {"modes", "reverse-kl"}}[kind]


def test_a_hook_of_ones_own_sees_the_session_and_writes_into_the_log(whole, tmp_path):
    session = start("gan on points", tmp_path / "run")
    seen = []
    session.hooks.append(hooks.Every(5, lambda s: seen.append(s.step)))
    session.hooks.append(hooks.Every(4, lambda s: {"spread": float(s.sample(50).std()), "loss": s.losses["D"]}))
    session.train()
    assert seen == [5, 10]
    records = {record["step"]: record for record in log(tmp_path / "run")}
    assert [step for step, r in records.items() if "spread" in r.get("metrics", {})] == [4, 8, 12]
    assert all(records[step]["metrics"]["loss"] == records[step]["D"] for step in (4, 8, 12))
    assert final(tmp_path / "run") == final(whole("gan on points"))


def test_evaluating_changes_no_state_and_gives_the_same_numbers_again(tmp_path):
    session = start("gan on points", tmp_path / "run")
    session.train(3)
    before = everything(session)
    numbers = session.evaluate()
    assert {"modes", "high-quality"} <= set(numbers) and everything(session) == before
    assert Session.open(tmp_path / "run").evaluate() == numbers
    assert session.evaluate(["energy"], n=600) != session.evaluate(["energy"], n=700)


def test_the_learning_rates_are_logged_and_follow_the_schedule_of_every_player(whole):
    for record in losses(whole("scheduled")):
        expected = 1e-3 * (0.01 + 0.99 * (1 + math.cos(math.pi * record["step"] / STEPS)) / 2)
        assert record["D.lr"] == pytest.approx(expected, rel=1e-9) and record["G.lr"] == record["D.lr"]
    assert "D.lr" not in losses(whole("gan on points"))[0]


def test_a_schedule_stays_at_its_end_when_the_run_goes_on(tmp_path):
    session = start("scheduled", tmp_path / "run", steps=4, metrics="none")
    session.train(6)
    assert [r["G.lr"] for r in losses(tmp_path / "run")][3:] == pytest.approx([1e-5] * 3)
    session = Session.open(tmp_path / "run")
    session.settings.steps = 8
    session.train(8)
    assert losses(tmp_path / "run")[-1]["G.lr"] == pytest.approx(1e-5)


def test_a_diverging_run_names_the_op_and_keeps_its_last_good_checkpoint(tmp_path):
    session = start("gan on points", tmp_path / "run", lr=1e8, objective="least-squares", steps=50)
    with pytest.raises(NotFiniteError, match="first (NaN|Inf) in its output"):
        session.train()
    died = log(tmp_path / "run")[-1]
    assert set(died) == {"step", "not finite"} and died["step"] == session.step + 1
    assert "The run diverged: at step" in (tmp_path / "run" / "report.html").read_text()
    assert (tmp_path / "run" / "curves.png").exists()


@pytest.mark.parametrize("every", [1, 10])
def test_a_checkpoint_never_holds_a_weight_that_is_not_finite(tmp_path, every):
    """The gradient is finite, and the update it makes is not: no op has made the NaN."""
    session = start("gan on points", tmp_path / "run", steps=3, checkpoint_every=every)
    session.attach()
    weight = next(session.game.nets["G"].parameters()).data
    session.hooks.append(hooks.Every(1, lambda session: weight.fill(np.nan) if session.step == 2 else None))
    with pytest.raises(NotFiniteError, match="net G: a weight has become NaN or infinite" if every == 1 else "first NaN"):
        session.train()
    assert log(tmp_path / "run")[-1]["step"] == session.step + 1 == (2 if every == 1 else 3)
    assert [path.name for path in session.run.checkpoints()] == ["step_000001.npz"] * (every == 1)
    assert "The run diverged: at step" in (tmp_path / "run" / "report.html").read_text()


def test_a_diverged_run_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    session = start("gan on points", tmp_path / "run")
    real = loop.play

    def dying(*arguments):
        if session.step == 7:
            raise NotFiniteError("exp: first Inf in its output")
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "play", dying)
        with pytest.raises(NotFiniteError):
            session.train()
    assert log(tmp_path / "run")[-1] == {"step": 8, "not finite": "exp: first Inf in its output"}
    again = Session.open(tmp_path / "run")
    assert again.step == 5 and again.train() and [r["step"] for r in losses(tmp_path / "run")] == list(range(1, STEPS + 1))


def test_seconds_of_training_add_up_over_resumes(tmp_path, monkeypatch):
    ticks = iter(range(10**6))
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(ticks)))
    session = start("gan on points", tmp_path / "run")
    session.train(5)
    first = session.run.seconds()[5]
    assert first > 0
    session = Session.open(tmp_path / "run")
    session.train(10)
    assert list(session.run.seconds()) == [5, 10] and session.run.seconds()[10] == pytest.approx(2 * first, abs=2)


def test_only_iterations_count_as_seconds_and_one_is_always_done(tmp_path, monkeypatch):
    """A clock that moves by 1 in every iteration, and by 1,000 while a picture is drawn, a metric measured or a file saved."""
    now = [0.0]

    def slow(function, by):
        def called(*arguments, **options):
            now[0] += by
            return function(*arguments, **options)

        return called

    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(loop, "play", slow(loop.play, 1.0))
    for name in ("draw", "save", "evaluate", "finish"):
        monkeypatch.setattr(Session, name, slow(getattr(Session, name), 1000.0))
    session = start("gan on points", tmp_path / "run", metrics="energy", metrics_every=2, sample_every=1, checkpoint_every=1)
    assert session.train(seconds=4) and session.step == 4
    assert list(session.run.seconds().values()) == [1.0, 2.0, 3.0, 4.0]
    assert session.train(seconds=0.01) and session.step == 5
    assert Session.open(tmp_path / "run").train(seconds=1) and Session.open(tmp_path / "run").step == 6


# ---- two sessions in one process -------------------------------------------------------------------------------------

SETTINGS = {**EVERY, "steps": STEPS, "batch_size": 8}


@pytest.fixture
def noisy(monkeypatch):
    """A system whose nets draw noise wherever they can: initial weights, dropout in D's turns, in G's and in samples."""

    def build(settings, sample_shape):
        G = Sequential(Linear(2, 8), ReLU(), Always(0.3), Linear(8, 2))
        D = Sequential(Linear(2, 8), ReLU(), Dropout(0.5), Linear(8, 1))
        adam = partial(Adam, lr=0.01)
        return Game(
            {"G": G, "D": D},
            [Player("D", [D], adam), Player("G", [G], adam)],
            adversarial_terms("hinge"),
            Normal(2),
            step=AdversarialStep,
        )

    class Always(Dropout):
        """Dropout in evaluation mode too, as in pix2pix."""

        def forward(self, x):
            return dropout(x, self.p)

    monkeypatch.setattr(viz, "scatter_png", lambda *what: None)  # samples are drawn from G, but no pictures
    monkeypatch.setattr(Session, "finish", lambda session: None)
    monkeypatch.setattr(registry, "SYSTEMS", dict(registry.systems()))
    registry.system("noisy", data="ring8", settings=[Setting("steps", STEPS), Setting("batch_size", 8)])(build)
    return lambda out, seed: Session.start("noisy", seed=seed, overrides=SETTINGS, out=out)


@pytest.fixture
def alone(noisy, tmp_path):
    """The folders of two runs, each trained with nobody beside it."""
    folders = []
    for seed in (3, 4):
        assert noisy(tmp_path / f"alone{seed}", seed).train()
        folders.append(tmp_path / f"alone{seed}")
    assert final(folders[0]) != final(folders[1])
    return folders


def test_sessions_in_turns_give_the_bits_that_each_gives_alone(noisy, alone, tmp_path):
    one, two = noisy(tmp_path / "one", 3), noisy(tmp_path / "two", 4)  # both are built before either is trained
    for step in range(1, STEPS + 1):
        mg.seed(step)
        one.train(step), two.train(step)
        one.sample(3), two.evaluate(["energy"])
    assert [final(tmp_path / name) for name in ("one", "two")] == [final(folder) for folder in alone]


def test_a_session_inside_another_gives_the_bits_of_each(noisy, alone, tmp_path):
    two = noisy(tmp_path / "two", 4)
    one = noisy(tmp_path / "one", 3)
    assert one.train(report=lambda step, losses: two.train(step))
    assert [final(tmp_path / name) for name in ("one", "two")] == [final(folder) for folder in alone]


def test_sessions_in_two_threads_at_once_give_the_bits_that_each_gives_alone(noisy, alone, tmp_path):
    """Neither takes a step before the other has come to the same one."""
    meet = threading.Barrier(2, timeout=60)

    def train(name, seed):
        session = noisy(tmp_path / name, seed)
        return session.train(report=lambda step, losses: meet.wait())

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(train, ("one", "two"), (3, 4)))
    assert [final(tmp_path / name) for name in ("one", "two")] == [final(folder) for folder in alone]


def test_a_run_with_noise_in_its_nets_resumes_to_the_same_bits_and_samples_change_nothing(noisy, alone, tmp_path):
    session = noisy(tmp_path / "run", 3)
    session.train(5)
    mg.seed(99)
    session = Session.open(tmp_path / "run")
    looks = [session.sample(3) for _ in range(2)]
    assert np.array_equal(*looks)
    session.train()
    assert final(tmp_path / "run") == final(alone[0])


def test_a_session_leaves_the_streams_of_the_process_alone(noisy, tmp_path):
    mg.seed(7)
    before = streams.state_dict()
    session = noisy(tmp_path / "run", 3)
    session.train(2), session.sample(2), session.evaluate(["energy"]), Session.open(tmp_path / "run")
    assert streams.state_dict() == before


# ---- sampling --------------------------------------------------------------------------------------------------------


def everything(session):
    """All that training depends on: arrays, random streams, the place in the data, training flags."""
    state = {
        "game": session.game.state_dict(),
        "streams": session.streams.state_dict(),
        "noise": session.layer_streams.state_dict(),
        "loader": session.loader.state_dict(),
        "training": [m.training for net in session.game.nets.values() for m in net.modules()],
        "asked": [p.requires_grad for net in session.game.nets.values() for p in net.parameters()],
        "gradients": [p.grad for net in session.game.nets.values() for p in net.parameters()],
    }
    return json.dumps(state, default=lambda array: [str(array.dtype), array.shape, array.tobytes().hex()])


@pytest.mark.parametrize("kind", RUNS)
def test_sampling_changes_no_state_at_all(kind, tmp_path):
    session = start(kind, tmp_path / "run")
    session.train(3)
    before = everything(session)
    if kind.startswith("dcgan"):
        assert "running_mean" in before
    session.sample(10)
    session.sample(10, seed=5)
    session.draw()
    assert everything(session) == before
    session.train(4)
    assert everything(session) != before


def test_samples_depend_on_the_seed_and_the_weights_only(tmp_path):
    session = start("gan on points", tmp_path / "run")
    session.train(2)
    one, two = session.sample(600, seed=1), session.sample(600, seed=2)
    assert one.shape == (600, 2) and one.dtype == np.float32 and not np.array_equal(one, two)
    np.testing.assert_array_equal(Session.open(tmp_path / "run").sample(600, seed=1), one)
    np.testing.assert_allclose(session.sample(20, seed=1), one[:20], rtol=1e-4, atol=1e-6)  # fewer are the first of more
    session.train(3)
    assert not np.array_equal(session.sample(600, seed=1), one)


def test_pictures_are_in_range(whole):
    images = Session.open(whole("dcgan on digits")).sample(5)
    assert images.shape == (5, 1, 28, 28) and images.dtype == np.float32 and np.abs(images).max() <= 1


# ---- opening and starting --------------------------------------------------------------------------------------------


def test_an_opened_run_knows_its_settings(whole):
    session = Session.open(whole("dcgan on digits"))
    assert (session.step, session.data_name, session.sample_shape, session.run.seed) == (STEPS, "digits", (1, 28, 28), 3)
    assert session.settings.channels == 4 and session.settings.sample_every == 7 and session.settings.lr_g == 2e-3


def test_a_run_that_is_done_trains_no_further(whole):
    session = Session.open(whole("gan on digits"))
    before = final(whole("gan on digits"))
    assert session.train() and session.step == STEPS and final(whole("gan on digits")) == before


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"system": "gna"}, ConfigError, "did you mean 'gan'"),
        ({"data_name": "mnits"}, ConfigError, "did you mean 'mnist'"),
        ({"data_name": "mnist", "data_dir": "nowhere"}, DataError, "does not exist"),
        ({"seed": -1}, ConfigError, "seed must be a whole number from 0"),
        ({"seed": 1.5}, ConfigError, "seed must be a whole number"),
        ({"device": "tpu"}, DeviceError, "unknown device 'tpu'"),
        ({"overrides": {"steps": 0}}, ConfigError, "steps must be from 1"),
        ({"overrides": {"batch_size": None}}, ConfigError, "batch_size must be a whole number such as 64, got None"),
        ({"overrides": {"batch_size": 10**5}}, ConfigError, "a batch of 100000 is too large"),
        ({"overrides": {"schedule": "cosin"}}, ConfigError, "unknown schedule 'cosin'; did you mean 'cosine'"),
        (
            {"overrides": {"schedule": "step", "final_lr": 0}},
            ConfigError,
            "schedule=step: multiplies the learning rate and so never reaches 0",
        ),
        ({"overrides": {"schedule": "plateau"}}, ConfigError, "the losses of D and G say who is ahead, not how good"),
        ({"overrides": {"schedule": "plateau", "monitor": "Gg"}}, ConfigError, "monitor=Gg: is neither a player nor a metric"),
        ({"overrides": {"schedule": "plateau", "monitor": "hig-quality"}}, ConfigError, r"did you mean 'high-quality'\?"),
        ({"overrides": {"schedule": "plateau", "monitor": "modes"}}, ConfigError, "metric modes does not fit digits"),
        ({"overrides": {"final_lr": 2}}, ConfigError, "setting final_lr must be from 0 to 1, got 2"),
        ({"overrides": {"factor": 1}}, ConfigError, "setting factor must be above 0 and below 1, got 1"),
        ({"overrides": {"metrics": "fdi"}}, ConfigError, "no metric 'fdi'; did you mean 'fid'"),
        (
            {"overrides": {"metrics": "modes"}},
            ConfigError,
            "metric modes does not fit digits: it counts the modes of a mixture",
        ),
        ({"overrides": {"metrics": "elbo"}}, ConfigError, "gan has no elbo: it draws samples and gives no probability to data"),
    ],
)
def test_what_cannot_be_started_leaves_no_folder(tmp_path, options, error, text):
    with pytest.raises(error, match=text):
        Session.start(**{"system": "gan", **options}, out=tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_another_device_may_be_asked_for(whole):
    assert Session.open(whole("gan on digits"), device="cpu").device == "cpu"
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        Session.open(whole("gan on digits"), device="tpu")


def test_a_run_without_its_checkpoints_does_not_lose_its_log_too(tmp_path):
    session = start("gan on digits", tmp_path / "run")
    session.train(6)
    for path in session.run.checkpoints():
        path.unlink()
    with pytest.raises(CheckpointError, match="no checkpoint to load"):
        Session.open(tmp_path / "run")
    assert len(log(tmp_path / "run")) == 6


def test_a_thread_may_train(tmp_path):
    """Only the main thread may set signal handlers; elsewhere training goes without them."""
    import threading

    session, results = start("gan on digits", tmp_path / "run"), []
    thread = threading.Thread(target=lambda: results.append(session.train(2)))
    thread.start()
    thread.join()
    assert results == [True] and session.step == 2


def test_an_error_in_training_gives_the_signal_handlers_back(tmp_path, monkeypatch):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(loop, "play", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        start("gan on digits", tmp_path / "run").train()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
