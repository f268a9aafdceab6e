"""Schedules follow their formulas, plateau a script, and the alarm speaks once, when all samples look alike."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from minigan import data
from minigan.data import Description
from minigan.data.kinds import Points, Tokens
from minigan.errors import ConfigError
from minigan.metrics.modes import MODES
from minigan.nn import Linear
from minigan.optim import SGD
from minigan.runs.hooks import COLLAPSED, LOOKED_AT, Alarm, Every, Schedule
from minigan.runs.session import Session
from minigan.train.game import Game, Normal, Player, Stages, Term


def game(*names, lr=0.1):
    nets = {name: Linear(2, 2) for name in names}
    players = [Player(name, [nets[name]], lambda p, k=k: SGD(p, lr=lr * (k + 1))) for k, name in enumerate(names)]
    return Game(nets, players, [Term("loss", name, None) for name in names], Normal(2), sample=lambda z: z)


def settings(**changed):
    return SimpleNamespace(
        **{
            "schedule": "none",
            "final_lr": 0.01,
            "monitor": "loss",
            "patience": 1,
            "factor": 0.5,
            "metrics_every": 2,
            "steps": 12,
            **changed,
        }
    )


def rates(schedule, steps, losses=None, metrics=None):
    """The learning rates after each of the steps, a row for each."""
    trace = []
    for i in range(steps):
        schedule.step(losses[i] if losses else {}, metrics[i] if metrics else {})
        trace.append(list(schedule.rates().values()))
    return np.array(trace)


def test_every_calls_at_multiples_only():
    every = Every(3, lambda session: {"step": session.step})
    seen = [every(SimpleNamespace(step=step)) for step in range(1, 8)]
    assert seen == [None, None, {"step": 3}, None, None, {"step": 6}, None]


@pytest.mark.parametrize(
    "kind, formula",
    [
        ("linear", lambda t: 1 - 0.99 * t / 12),
        ("cosine", lambda t: 0.01 + 0.99 * (1 + math.cos(math.pi * t / 12)) / 2),
        ("exponential", lambda t: 0.01 ** (t / 12)),
        ("step", lambda t: 0.1 ** (t // 5)),
    ],
)
def test_a_schedule_follows_its_formula_from_the_learning_rate_to_the_part_that_is_left(kind, formula):
    trace = rates(Schedule(settings(schedule=kind), game("D", "G")), 20)
    expected = np.array([formula(min(t, 12)) for t in range(1, 21)])
    np.testing.assert_allclose(trace, 0.1 * expected[:, None] * [1, 2], rtol=1e-9)
    np.testing.assert_allclose(trace[-1], [0.001, 0.002], rtol=1e-9)


def test_without_a_schedule_nothing_changes_and_nothing_is_logged():
    schedule = Schedule(settings(), game("D", "G"))
    schedule.step({"D": 1.0}, {})
    assert schedule.rates() == {} and schedule.optimizers["D"].param_groups[0]["lr"] == 0.1


def test_every_stages_players_are_scheduled_each_once():
    last, before = game("D", "G"), game("D", "G")
    stages = Stages([(5, Game(last.nets, before.players[1:], last.terms[1:], last.latent)), (0, last)])
    schedule = Schedule(settings(schedule="linear"), stages)
    assert len(schedule.optimizers) == len(schedule.schedules) == 3
    twice = Stages([(5, Game(last.nets, last.players[1:], last.terms[1:], last.latent)), (0, last)])
    assert len(Schedule(settings(schedule="linear"), twice).optimizers) == 2


def test_plateau_halves_when_a_metric_was_not_better_for_longer_than_the_patience():
    """reverse-kl, lower is better, looked at in every second step: better, better, not, not (falls), better, not, not."""
    values = [3.0, 2.0, 2.0, 2.5, 1.0, 1.0, 1.0]
    metrics = [{} if i % 2 == 0 else {"reverse-kl": values[i // 2], "modes": 8.0} for i in range(14)]
    schedule = Schedule(settings(schedule="plateau", monitor="reverse-kl"), game("D", "G"), MODES.numbers[2])
    trace = rates(schedule, 14, metrics=metrics)[:, 0]
    np.testing.assert_allclose(trace, [0.1] * 7 + [0.05] * 6 + [0.025])


def test_plateau_knows_which_way_a_metric_is_better():
    metrics = [{"modes": float(i)} for i in range(8)]
    rising = Schedule(settings(schedule="plateau", monitor="modes"), game("D", "G"), MODES.numbers[0])
    falling = Schedule(settings(schedule="plateau", monitor="modes"), game("D", "G"), MODES.numbers[0])
    assert rates(rising, 8, metrics=metrics)[-1, 0] == 0.1
    assert rates(falling, 8, metrics=metrics[::-1])[-1, 0] < 0.1


def test_plateau_of_a_loss_takes_its_mean_over_metrics_every_steps():
    """Means 1.5, 1.4, 1.45, 1.4: the last two are no better than the second, and the patience is 1."""
    losses = [{"VAE": value} for value in (1.0, 2.0, 0.8, 2.0, 0.9, 2.0, 0.8, 2.0, 0.1, 0.1)]
    trace = rates(Schedule(settings(schedule="plateau"), game("VAE")), 10, losses=losses)[:, 0]
    np.testing.assert_allclose(trace, [0.1] * 7 + [0.05] * 3)


def test_plateau_ends_at_the_part_that_is_left():
    schedule = Schedule(settings(schedule="plateau", final_lr=0.2, metrics_every=1), game("VAE"))
    assert rates(schedule, 40, losses=[{"VAE": 1.0}] * 40)[-1, 0] == pytest.approx(0.02)


@pytest.mark.parametrize(
    "changed", [{"schedule": "cosine"}, {"schedule": "plateau", "monitor": "modes"}, {"schedule": "plateau", "monitor": "G"}]
)
def test_a_saved_schedule_goes_on_as_one_never_stopped(changed):
    losses, metrics = [{"G": float(5 - i % 3)} for i in range(12)], [{"modes": float(i % 4)} for i in range(12)]
    whole = rates(Schedule(settings(**changed), game("D", "G"), MODES.numbers[0]), 12, losses, metrics)
    first = Schedule(settings(**changed), game("D", "G"), MODES.numbers[0])
    rates(first, 5, losses, metrics)
    second = Schedule(settings(**changed), game("D", "G"), MODES.numbers[0])
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(rates(second, 7, losses[5:], metrics[5:]), whole[5:])


@pytest.mark.parametrize(
    "changed, text",
    [
        ({"schedule": "linaer"}, "unknown schedule 'linaer'; did you mean 'linear'"),
        ({"schedule": "plateau"}, "losses of D and G say who is ahead"),
        (
            {"schedule": "plateau", "monitor": "modes"},
            "monitor=modes is no player of this game .they are D, G., and no number of",
        ),
        ({"schedule": "exponential", "final_lr": 0.0}, "never reaches 0; set final_lr above 0"),
        ({"final_lr": 1.5}, "final_lr=1.5 .* final_lr must be from 0 to 1"),
        ({"factor": 0.0}, "factor=0.0: .* factor must be above 0 and below 1"),
    ],
)
def test_settings_that_make_no_schedule_are_refused(changed, text):
    with pytest.raises(ConfigError, match=text):
        Schedule(settings(**changed), game("D", "G"))


# ---- the alarm ---------------------------------------------------------------------------------------------------------

REAL = np.random.default_rng(0).normal(size=(LOOKED_AT, 2))


class Watched:
    """A session whose samples are `spread` times as wide as real ones."""

    def __init__(self, step, spread, steps=100):
        self.step, self.settings, self.run, self.records = step, SimpleNamespace(steps=steps), self, []
        self.description = Description("ring8", {"x": Points(2)})
        self.samples = spread * np.random.default_rng(1).normal(size=(LOOKED_AT, 2))

    def sample(self, n):
        return self.samples[:n]

    def log(self, record):
        self.records.append(record)


def told(capsys):
    return capsys.readouterr().err.count("collapse: ")


def test_the_alarm_tells_once_after_two_looks_at_samples_that_are_all_alike(capsys):
    alarm, heard, records = Alarm(REAL, []), [], []
    for step, spread in [(30, 0.9), (40, 0.05), (50, 0.9), (60, 0.05), (70, 0.05), (80, 0.05), (90, 0.9)]:
        session = Watched(step, spread)
        assert alarm(session)["diversity"] == pytest.approx(spread, rel=0.1)
        heard.append(told(capsys))
        records += session.records
    assert heard == [0, 0, 0, 0, 1, 0, 0]
    assert [r["step"] for r in records] == [70] and "differ 0.05 times as much as real ones" in records[0]["alarm"]


def test_the_alarm_is_silent_at_the_start_and_for_a_healthy_run(capsys):
    alarm = Alarm(REAL, [])
    for step, spread in [(5, 0.01), (10, 0.01), (20, 0.01), (30, 1.5 * COLLAPSED), (40, 1.0), (50, 3.0)]:
        alarm(Watched(step, spread))
    assert told(capsys) == 0


def test_the_alarm_of_a_resumed_run_knows_what_was_seen_and_said(capsys):
    low = {"step": 40, "metrics": {"diversity": 0.05}}
    Alarm(REAL, [low])(Watched(50, 0.05))
    assert told(capsys) == 1
    Alarm(REAL, [low, {"step": 50, "alarm": "collapse: ..."}])(Watched(60, 0.05))
    Alarm(REAL, [])(Watched(60, 0.05))
    assert told(capsys) == 0


def test_tokens_and_nan_have_no_diversity():
    session = Watched(50, 1.0)
    session.description = Description("oracle", {"x": Tokens(30, 5)})
    session.samples = np.zeros((LOOKED_AT, 5), np.int64)
    assert Alarm(REAL, [])(session) is None
    session.description = Description("ring8", {"x": Points(2)})
    session.samples = np.full((LOOKED_AT, 2), np.nan)
    assert Alarm(REAL, [])(session) is None


# ---- metrics that cannot be had --------------------------------------------------------------------------------------


def same_pictures(n=300):
    return data.arrays(np.full((n, 1, 28, 28), 200, np.uint8) // (1 + np.arange(28, dtype=np.uint8)))


@pytest.mark.parametrize(
    "dataset, metrics, text",
    [
        (
            same_pictures(),
            "diversity",
            "metric diversity cannot be measured on arrays: diversity: the .* real samples are all the same",
        ),
        (same_pictures(60), "c2st,diversity", "metric diversity cannot be measured on arrays"),
        ("ring8", ",", "metrics=',': names no metric; say none, default, or names"),
        ("ring8", "fid", "metric fid-features needs features of your own, and training has none; measure it with"),
    ],
)
def test_a_metric_that_cannot_be_had_is_refused_before_there_is_a_folder(tmp_path, dataset, metrics, text):
    with pytest.raises(ConfigError, match=text):
        Session.start("gan", dataset, overrides={"metrics": metrics, "batch_size": 8}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_of_the_default_metrics_those_that_can_be_had_are_logged(tmp_path):
    settings = {"metrics": "default", "metrics_every": 1, "batch_size": 8, "steps": 1, "latent": 2, "width": 4}
    session = Session.start("gan", same_pictures(), overrides=settings, out=tmp_path / "run")
    with pytest.warns(UserWarning, match="diversity could not be measured"):
        session.train()
    (record,) = [record for record in session.run.read_log() if "metrics" in record]
    assert "c2st" in record["metrics"]
