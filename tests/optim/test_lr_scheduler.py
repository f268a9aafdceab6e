"""Schedules against the formulas of torch's documentation, and against torch where it is installed."""

import math

import numpy as np
import pytest

import minigan as mg
from minigan import optim
from minigan.errors import CheckpointError, ConfigError
from minigan.nn import Parameter
from minigan.optim import lr_scheduler


def make(*lrs):
    return optim.SGD([{"params": [Parameter(np.zeros(1))], "lr": lr} for lr in lrs or (0.5, 0.02)])


def walk(optimizer, schedules, steps, metrics=None):
    """The learning rates after 0, 1, 2, ... steps: (steps + 1, groups)."""
    rates = [[group["lr"] for group in optimizer.param_groups]]
    for t in range(steps):
        for schedule in schedules:
            schedule.step(*(() if metrics is None else (metrics[t],)))
        rates.append([group["lr"] for group in optimizer.param_groups])
    return np.array(rates)


FORMULAS = [
    ("StepLR", dict(step_size=3), lambda t, lr: lr * 0.1 ** (t // 3)),
    ("StepLR", dict(step_size=1, gamma=0.7), lambda t, lr: lr * 0.7**t),
    ("ExponentialLR", dict(gamma=0.9), lambda t, lr: lr * 0.9**t),
    ("LinearLR", {}, lambda t, lr: lr * (1 / 3 + 2 / 3 * min(t, 5) / 5)),
    ("LinearLR", dict(start_factor=1.0, end_factor=0.0, total_iters=7), lambda t, lr: lr * (1 - min(t, 7) / 7)),
    ("CosineAnnealingLR", dict(T_max=10), lambda t, lr: lr * (1 + math.cos(math.pi * t / 10)) / 2),
    ("CosineAnnealingLR", dict(T_max=4, eta_min=0.01), lambda t, lr: 0.01 + (lr - 0.01) * (1 + math.cos(math.pi * t / 4)) / 2),
    ("CosineAnnealingLR", dict(T_max=1), lambda t, lr: lr * (1 + math.cos(math.pi * t)) / 2),
]
name_it = lambda value: value if isinstance(value, str) else str(value) if isinstance(value, dict) else ""


@pytest.mark.parametrize("name, options, formula", FORMULAS, ids=name_it)
def test_the_rates_are_those_of_the_formula(name, options, formula):
    optimizer = make(0.5, 0.02)
    rates = walk(optimizer, [getattr(lr_scheduler, name)(optimizer, **options)], 25)
    np.testing.assert_allclose(rates, [[formula(t, 0.5), formula(t, 0.02)] for t in range(26)], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name, options", [case[:2] for case in FORMULAS], ids=name_it)
def test_the_rates_are_torchs_also_when_two_schedules_combine_and_a_person_interferes(name, options):
    torch = pytest.importorskip("torch")
    theirs = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.5, 0.02)])
    paths = []
    for optimizer, module in ((make(), lr_scheduler), (theirs, torch.optim.lr_scheduler)):
        schedules = [getattr(module, name)(optimizer, **options), module.ExponentialLR(optimizer, 0.97)]
        rates = []
        for t in range(25):
            optimizer.step()  # torch warns otherwise
            for schedule in schedules:
                schedule.step()
            if t == 6:
                optimizer.param_groups[0]["lr"] *= 3
            rates.append([group["lr"] for group in optimizer.param_groups])
        paths.append(rates)
    np.testing.assert_allclose(*paths, rtol=1e-12, atol=1e-15)


def test_a_plateau_by_hand():
    optimizer = make(1.0)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, cooldown=1, min_lr=0.2)
    metrics = [5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 4, 4, 4]
    # best 4 at step 2; bad at 3, 4, 5 -> 0.5; step 6 cools; bad at 7, 8, 9 -> 0.25; 10 cools; better at 11; bad at 12, 13, 14
    expected = [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.2]
    assert walk(optimizer, [schedule], 14, metrics)[:, 0].tolist() == expected


def test_what_counts_as_better_and_what_as_a_reduction_by_hand():
    optimizer = make(1.0)
    for options, first, second, bad in [
        ({}, 1.0, 0.89, 0),
        ({}, 1.0, 0.91, 1),
        ({}, 1.0, float("nan"), 1),
        ({"mode": "max"}, 1.0, 1.11, 0),
        ({"mode": "max"}, 1.0, 1.09, 1),
        ({"threshold_mode": "abs"}, 5.0, 4.89, 0),
        ({"threshold_mode": "abs"}, 5.0, 4.91, 1),
    ]:
        schedule = lr_scheduler.ReduceLROnPlateau(optimizer, threshold=0.1, **options)
        schedule.step(first)
        schedule.step(second)
        assert schedule.num_bad_epochs == bad
    small = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, eps=0.6)
    assert walk(optimizer, [small], 3, [1, 2, 3])[:, 0].tolist() == [1, 1, 1, 1]  # half a unit is less than eps


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(patience=3),
        dict(mode="max", patience=2),
        dict(threshold=0.2, patience=1),
        dict(cooldown=4, patience=0),
        dict(threshold_mode="abs", threshold=0.05, patience=1, factor=0.5),
        dict(min_lr=[0.1, 0.001], patience=0),
        dict(mode="max", threshold_mode="abs", threshold=0.3, patience=1),
        dict(eps=0.05, patience=0, factor=0.6),
    ],
    ids=name_it,
)
def test_a_plateau_is_torchs(options):
    torch = pytest.importorskip("torch")
    theirs = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.5, 0.02)])
    metrics = np.random.default_rng(0).standard_normal(60).cumsum() * 0.2
    metrics[30] = np.nan
    paths = [
        walk(optimizer, [module.ReduceLROnPlateau(optimizer, **options)], 60, metrics.tolist())
        for optimizer, module in ((make(), lr_scheduler), (theirs, torch.optim.lr_scheduler))
    ]
    np.testing.assert_allclose(*paths, rtol=1e-14)
    assert paths[0][-1, 0] < 0.5


ALL = [
    ("StepLR", dict(step_size=3)),
    ("ExponentialLR", dict(gamma=0.9)),
    ("LinearLR", dict(total_iters=9)),
    ("CosineAnnealingLR", dict(T_max=5)),
    ("ReduceLROnPlateau", dict(patience=1, cooldown=2)),
]


@pytest.mark.parametrize("optimizer_first", [True, False])
@pytest.mark.parametrize("name, options", ALL)
def test_a_saved_schedule_continues_to_the_same_bits(name, options, optimizer_first, tmp_path):
    metrics = [3.0, 2.0, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 1.0, 2.0, 2.0, 2.0] if name == "ReduceLROnPlateau" else None

    def part(optimizer, schedule, ts):
        return walk(optimizer, [schedule], len(ts), metrics and [metrics[t] for t in ts])[1:]

    optimizer = make()
    schedule = getattr(lr_scheduler, name)(optimizer, **options)
    part(optimizer, schedule, range(5))
    mg.save(tmp_path / "s.npz", {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()})
    straight = part(optimizer, schedule, range(5, 12))
    saved = mg.load(tmp_path / "s.npz")
    other = make()
    if optimizer_first:
        other.load_state_dict(saved["optimizer"])
    again = getattr(lr_scheduler, name)(other, **options)
    if not optimizer_first:
        other.load_state_dict(saved["optimizer"])
    again.load_state_dict(saved["schedule"])
    np.testing.assert_array_equal(part(other, again, range(5, 12)), straight)


@pytest.mark.parametrize(
    "make_optimizer", [optim.SGD, optim.Adam, optim.RMSprop, optim.CoordinateDescent, optim.ConjugateGradient]
)
def test_a_schedule_reaches_every_optimizer(make_optimizer):
    moved = []
    for gamma in (1.0, 0.5):
        p = Parameter(np.zeros(1))
        optimizer = make_optimizer([p], lr=0.1)
        schedule = mg.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
        schedule.step()
        assert schedule.get_last_lr() == [0.1 * gamma]
        optimizer.step([np.ones(1)])
        moved.append(p.data[0])
    assert moved[1] == pytest.approx(moved[0] / 2) and moved[0] < 0


def test_bad_options_and_states_are_refused():
    optimizer = make()
    with pytest.raises(ConfigError, match="StepLR: step_size must be a whole number above 0, got 0"):
        lr_scheduler.StepLR(optimizer, 0)
    with pytest.raises(ConfigError, match="LinearLR: needs 0 < start_factor"):
        lr_scheduler.LinearLR(optimizer, start_factor=0)
    with pytest.raises(ConfigError, match="unknown mode 'mim'; did you mean 'min'"):
        lr_scheduler.ReduceLROnPlateau(optimizer, mode="mim")
    with pytest.raises(ConfigError, match="factor must be below 1"):
        lr_scheduler.ReduceLROnPlateau(optimizer, factor=1.0)
    with pytest.raises(ConfigError, match="1 min_lr for 2 group"):
        lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=[0.1])
    with pytest.raises(ConfigError, match="the first argument is an optimizer, got float"):
        lr_scheduler.StepLR(0.1, 3)
    with pytest.raises(CheckpointError, match="of another schedule"):
        lr_scheduler.StepLR(optimizer, 3).load_state_dict(lr_scheduler.LinearLR(optimizer).state_dict())
    for state in ({}, None, [1.0]):
        with pytest.raises(CheckpointError, match="of another schedule"):
            lr_scheduler.StepLR(optimizer, np.int64(3)).load_state_dict(state)
    with pytest.raises(ConfigError, match="a whole number above 0, got True"):
        lr_scheduler.StepLR(optimizer, True)
    with pytest.raises(CheckpointError, match="has not 2 group"):
        lr_scheduler.StepLR(optimizer, 3).load_state_dict(lr_scheduler.StepLR(make(0.1), 3).state_dict())


# Schedules that follow each other: name, options, and the steps at which each takes its turn.
WARM = ("LinearLR", dict(start_factor=0.1, total_iters=5))
COSINE = ("CosineAnnealingLR", dict(T_max=6, eta_min=0.001))
CHAINS = [
    (WARM, COSINE),
    (("LinearLR", dict(start_factor=1.0, end_factor=0.0, total_iters=4)), COSINE),
    (COSINE, WARM),
    (("StepLR", dict(step_size=2)), COSINE),
    (("ExponentialLR", dict(gamma=0.8)), COSINE),
    (COSINE, COSINE),
]


def chain_rates(optimizer, module, chain, turns, made_late, steps=40, resume_at=None, fresh=None):
    """The rates after every step: the first schedule until step `turns`, then the second, or both always (turns None)."""
    make_one = lambda k, opt: getattr(module, chain[k][0])(opt, **chain[k][1])
    schedules = [make_one(0, optimizer)] + ([] if made_late else [make_one(1, optimizer)])
    rates = [[group["lr"] for group in optimizer.param_groups]]
    for t in range(steps):
        if made_late and t == turns:
            schedules.append(make_one(1, optimizer))
            rates.append([group["lr"] for group in optimizer.param_groups])
        if t == resume_at:
            states = [optimizer.state_dict(), *(schedule.state_dict() for schedule in schedules)]
            optimizer = fresh()
            schedules = [make_one(k, optimizer) for k in range(len(schedules))]
            for part, state in zip([optimizer, *schedules], states):
                part.load_state_dict(state)
        optimizer.step()
        for schedule in schedules if turns is None else schedules[t >= turns :][:1]:
            schedule.step()
        rates.append([group["lr"] for group in optimizer.param_groups])
    return np.array(rates)


@pytest.mark.parametrize("resume_at", [None, 2, 5, 9, 20])
@pytest.mark.parametrize("turns, made_late", [(5, False), (5, True), (None, False)])
@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "-".join(name for name, _ in chain))
def test_chained_schedules_are_torchs_at_every_step_and_after_a_resume(chain, turns, made_late, resume_at):
    torch = pytest.importorskip("torch")

    def theirs():
        return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.5, 0.02)])

    ours = chain_rates(make(), lr_scheduler, chain, turns, made_late, resume_at=resume_at, fresh=make)
    want = chain_rates(theirs(), torch.optim.lr_scheduler, chain, turns, made_late)
    np.testing.assert_allclose(ours, want, rtol=1e-10, atol=1e-14)


def test_after_warm_up_a_cosine_comes_back_to_the_rate_before_all_schedules():
    optimizer = make(1.0)
    warm = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=3)
    cosine = lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    assert warm.base_lrs == cosine.base_lrs == [1.0]
    walk(optimizer, [warm], 3)
    rates = walk(optimizer, [cosine], 8)[:, 0]
    np.testing.assert_allclose(rates, [(1 + math.cos(math.pi * t / 4)) / 2 for t in range(9)], atol=1e-12)


def test_a_schedule_may_be_made_before_or_after_the_optimizers_state_is_loaded():
    scheduled, plain = make(), make()
    lr_scheduler.ExponentialLR(scheduled, 0.5).step()
    fresh = make()
    fresh.load_state_dict(scheduled.state_dict())
    assert lr_scheduler.ExponentialLR(fresh, 0.5).base_lrs == [0.5, 0.02]
    other = make()
    schedule = lr_scheduler.ExponentialLR(other, 0.5)
    other.load_state_dict(plain.state_dict())
    assert schedule.base_lrs == [0.5, 0.02]
