"""Each rule finds its failure in the log of a run that really failed so, and no rule complains of a healthy run.

recorded/*.jsonl: a first line with the command that made the run and its settings, then its log, thinned.
"""

import json
import math
import re
from pathlib import Path

import pytest

from minigan.runs.diagnosis import ENOUGH, diagnose
from minigan.train.objectives import OBJECTIVES

RECORDED = Path(__file__).parent / "recorded"
HEALTHY = sorted(path.stem for path in RECORDED.glob("healthy-*.jsonl"))


def recorded(name):
    head, *lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines], json.loads(head)["settings"]


@pytest.mark.parametrize(
    "name, rules, what, advice",
    [
        (
            "minimax-d-wins",
            ["D wins"],
            r"D wins: its loss is \d\.\de-06 and G's gradient has vanished",
            "objective=non-saturating",
        ),
        ("dcgan-d-wins", ["D wins"], r"its loss is .* and G's is 1\d\.\d\d", "lr_d=1e-05, G's own rate"),
        ("hinge-tiny-d", ["G wins", "collapse"], "D never told real from fake: its loss was never below 2.08", "lr_d=0.001"),
        ("oscillation", ["oscillation"], r"take turns at winning: in the second half D's loss rose \d times", "lr=0.003"),
        ("oscillation-2", ["oscillation"], "take turns at winning", "beta1=0.5"),
        ("runaway", ["runaway"], "The losses are far too large: D's is .* but an undecided D pays only 1.39", "lr=0.1"),
        ("not-finite", ["not finite"], "at step 20 matmul: first Inf in its output", "such as --set lr=0.05"),
        (
            "wasserstein-unbounded",
            ["unbounded"],
            "D's scores grow without limit: G's loss has reached",
            "--set penalty=wgan-gp",
        ),
        ("wgan-narrow-clip", ["vanished"], "G learns nothing: its gradient is .*e-07", "a wider clip, --set clip=0.01"),
        ("collapse", ["G wins", "collapse"], "D never told real from fake", "lr_d=0.005"),
        ("collapse-hopping", ["G wins", "collapse"], "D never told", "lr_d=0.02"),
        ("scattered", ["scattered"], "times as far apart as two real ones", "lr_g=0.0001"),
        ("slow-d", ["G wins", "scattered"], "G wins: D's loss is 1.83, more than the 1.39", "lr_d=0.001, G's own rate"),
        ("vae-rising", ["rising"], "The loss rises: it was 297.10 and is 384.30", "lr=0.12"),
    ],
)
def test_a_recorded_failure_is_found_and_named(name, rules, what, advice):
    findings = diagnose(*recorded(name))
    assert [finding.name for finding in findings] == rules
    assert re.search(what, findings[0].what) and advice in findings[0].advice


def test_a_collapse_is_told_with_its_number():
    finding = diagnose(*recorded("collapse"))[-1]
    assert "two of its samples differ only 0.04 times as much as two real ones" in finding.what
    assert "--set minibatch=true" in finding.advice and "wgan-gp" in finding.advice


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_gives_no_warning(name):
    assert diagnose(*recorded(name)) == []


def test_there_are_healthy_runs_of_many_kinds():
    kinds = {recorded(name)[1].get("objective") for name in HEALTHY}
    assert len(HEALTHY) >= 10 and kinds >= {None, *OBJECTIVES}


def test_wasserstein_losses_are_not_judged_as_cross_entropies():
    """The same numbers: D wins as cross-entropy, nothing to say as scores."""
    records, settings = recorded("minimax-d-wins")
    assert diagnose(records, settings)[0].name == "D wins"
    records = [{**r, "G.gradient": 1.0} for r in records]
    assert diagnose(records, {**settings, "objective": "wasserstein", "clip": 0.01}) == []


def test_a_penalty_is_no_part_of_what_d_says():
    """D wins by its adversarial part, however large the penalty is that it pays."""
    records = [
        {"step": i, "D": 5.0, "D.adversarial": 0.01, "D.penalty": 4.99, "G": 6.0, "D.gradient": 1.0, "G.gradient": 1.0}
        for i in range(100)
    ]
    assert [f.name for f in diagnose(records, {"objective": "hinge", "penalty": "r1"})] == ["D wins"]


def test_few_records_are_not_judged():
    records, settings = recorded("minimax-d-wins")
    losses = [{k: v for k, v in r.items() if k != "metrics"} for r in records if "D" in r]
    assert diagnose(losses[: ENOUGH - 1], settings) == [] and diagnose(losses[:ENOUGH], settings) != []


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"note": 1}],
        [{"step": i, "D": None, "G": math.nan} for i in range(50)],
        [{"step": i, "metrics": {"diversity": None}} for i in range(50)],
        [{"step": i, "D": 1e300, "G": -1e300, "G.gradient": 0.0} for i in range(50)],
    ],
)
@pytest.mark.parametrize("settings", [{}, {"objective": "hinge"}, {"objective": "wasserstein", "lr": 0.1}])
def test_no_log_makes_it_fail(records, settings):
    for finding in diagnose(records, settings):
        assert finding.what and finding.advice
