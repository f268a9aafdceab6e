"""Each rule finds its failure in the log of a run that really failed so, and no rule complains of a healthy run.

recorded/*.jsonl: a first line with the command that made the run and its settings, then its log, thinned.
"""

import json
import math
import re
import shlex
import warnings
from functools import cache
from pathlib import Path

import pytest
from described import described

from minigan.cli import build_parser
from minigan.cli.train import overrides, pairs
from minigan.data import load
from minigan.errors import ConfigError
from minigan.runs import diagnosis
from minigan.runs.diagnosis import ENOUGH, diagnose
from minigan.streams import Streams, using
from minigan.systems import registry
from minigan.train.objectives import OBJECTIVES

RECORDED = Path(__file__).parent / "recorded"
HEALTHY = sorted(path.stem for path in RECORDED.glob("healthy-*.jsonl"))


@cache
def about(name):
    """The description of a data set, without its files where a description needs none."""
    return described((1, 28, 28), name) if name in ("digits", "mnist") else load(name).description


def recorded(name):
    """The records, the settings, the system and the data of a recorded run."""
    head, *lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    head = json.loads(head)
    options = build_parser().parse_args(shlex.split(head["command"])[1:])
    system = registry.get(options.system)
    data = about(options.data or system.default_data)
    settings = vars(system.configure(overrides(options), data)) | head["settings"]  # defaults may have changed since
    return [json.loads(line) for line in lines], settings, system, data


@pytest.mark.parametrize(
    "name, rules, what, advice",
    [
        (
            "minimax-d-wins",
            ["D wins"],
            r"D wins: its loss is \d\.\de-06 and G's gradient has vanished",
            "objective=non-saturating",
        ),
        ("dcgan-d-wins", ["D wins"], r"its loss is .* and G's is 1\d\.\d\d", "lr_d=1e-05 (G's own rate)"),
        ("hinge-tiny-d", ["G wins", "collapse"], "D never told real from fake: its loss was never below 2.08", "lr_d=0.001"),
        (
            "oscillation",
            ["oscillation", "mode hopping"],
            r"take turns at winning: in the second half D's loss rose \d times",
            "lr=0.003",
        ),
        ("oscillation-2", ["oscillation", "mode hopping"], "take turns at winning", "beta1=0.5"),
        ("runaway", ["runaway"], "The losses are far too large: D's is .* but an undecided D pays only 1.39", "lr=0.1"),
        ("not-finite", ["not finite"], "at step 20 matmul: first Inf in its output", "such as --set lr=0.05"),
        (
            "wasserstein-unbounded",
            ["unbounded"],
            "D's scores grow without limit: G's loss has reached",
            "--set penalty=wgan-gp",
        ),
        ("wgan-narrow-clip", ["vanished"], "G learns nothing: its gradient is .*e-07", r"--set clip=0.01 (a wider clip)"),
        ("collapse", ["G wins", "collapse"], "D never told real from fake", "lr_d=0.005"),
        ("collapse-hopping", ["G wins", "collapse"], "D never told", "lr_d=0.02"),
        ("scattered", ["scattered"], "times as far apart as two real ones", "lr_g=0.0001"),
        ("slow-d", ["G wins", "scattered"], "G wins: D's loss is 1.83, more than the 1.39", "lr_d=0.001 (G's own rate)"),
        ("no-rate-g", ["no rate"], r"G's rate is 0 \(lr_g=0\), so it learns nothing", "try --set lr_g=0.001"),
        ("no-rate-d", ["no rate"], "D's rate is 0", "try --set lr_d=0.001"),
        ("mode-hopping", ["mode hopping"], "jumps between 0.34 and 1.57", "lr_g=0.0001 (D's own rate)"),
        ("vae-collapse", ["posterior collapse"], "its KL is .*beta=1000 weighs the KL", "less weight: --set beta=1"),
        ("vae-points-collapse", ["posterior collapse"], "its KL is 1.1e-05 nats", "--set beta=1"),
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
    records, settings, *_ = recorded("minimax-d-wins")
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
    records, settings, *_ = recorded("minimax-d-wins")
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
        assert finding.evidence


# ---- advice ------------------------------------------------------------------------------------------------------------

OWN = '''"""Mine: a G and a D with a loss of their own, and one rate for each."""
from minigan.nn import Linear
from minigan.ops import mean, square
from minigan.systems import Setting, system
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.game import Game, Normal, Player
from minigan.train.optimizers import optimizer
from minigan.data.kinds import Points

@system("mine", data="ring8", learns=[Points], settings=[
    Setting("lr_g", 1e-3, "G's rate", most=0.01), Setting("lr_d", 1e-3, "D's rate", most=0.01), Setting("beta", 2.0, "mine")])
def build(settings, data):
    nets = {"G": Linear(2, 2), "D": Linear(2, 1)}
    rates = {"D": settings.lr_d, "G": settings.lr_g}
    players = [Player(name, [nets[name]], optimizer("adam", [nets[name]], rate)) for name, rate in rates.items()]
    return Game(nets, players, adversarial_terms("hinge"), Normal(2), step=AdversarialStep, undecided=2.0)
'''
# What a run may log.  Between them, these make every rule speak.
GAN = {"D": 1.0, "G": 1.0, "D.gradient": 1.0, "G.gradient": 1.0}


def log(values=None, diversity=lambda i: 1.0, n=80):
    """A log of n records.   values: {name: a number, or a function of the record's index}."""
    values = {name: value if callable(value) else lambda i, v=value: v for name, value in (values or GAN).items()}
    records = [{"step": i + 1, **{name: value(i) for name, value in values.items()}} for i in range(n)]
    return [r | ({"metrics": {"diversity": diversity(i)}} if i % 5 == 0 else {}) for i, r in enumerate(records)]


LOGS = {
    "not finite": [*log(), {"step": 81, "not finite": "player D: exp: first Inf in its output"}],
    "healthy": log(),
    "unbounded": log(GAN | {"G": lambda i: -10.0 * i}),
    "runaway": log(GAN | {"D": 500.0, "G": 500.0}),
    "D wins": log(GAN | {"D": 1e-4, "G": 9.0}),
    "D wins, G's gradient vanishes": log(GAN | {"D": 1e-4, "G.gradient": lambda i: 10.0**-i}),
    "G wins": log(GAN | {"D": 2.4}),
    "undecided": log(GAN | {"D": 2.0}, lambda i: 0.5),
    "vanished": log(GAN | {"D": 0.5, "G.gradient": 1e-9}),
    "oscillation": log(GAN | {"D": lambda i: 8.0 if i // 4 % 2 else 0.3}),
    "hopping": log(diversity=lambda i: 0.2 if i // 5 % 2 else 1.5),
    "collapse": log(diversity=lambda i: 0.01),
    "scattered": log(diversity=lambda i: 70.0),
    "rising": log({"VAE": lambda i: 9 - i if i < 9 else i, "VAE.gradient": 1.0}),
    "posterior collapse": log({"VAE": 9.0, "VAE.gradient": 1.0, "VAE.kl": 1e-3}, lambda i: 0.01),
    "one player's collapse": log({"VAE": 9.0, "VAE.gradient": 1.0}, lambda i: 0.01),
}
VARIANTS = [
    {},
    {"objective": "hinge"},
    {"objective": "minimax", "lr_d": 1e-2, "lr_g": 1e-4, "instance_noise": 0.2},
    {"objective": "wasserstein", "penalty": "none", "clip": 0.0, "spectral_norm": False},
    {"penalty": "r1", "norm_d": "none", "minibatch": False},
    {"norm_d": "batch", "penalty": "none"},
    {"minibatch": True, "penalty": "none", "d_steps": 3},
    {"lr_d": 0.0},
    {"lr": 0.0},
    {"lr_g": 5e-3, "lr_d": 1e-4, "optimizer": "sgd"},
    {"beta": 100.0, "beta1": 0.9},
    {"beta": 0.5},
]


def systems(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    return {**registry.systems(), "mine": registry.get(str(tmp_path / "mine.py"))}


@pytest.fixture
def all_systems(tmp_path):
    before = dict(registry.SYSTEMS)
    yield systems(tmp_path)
    registry.SYSTEMS.clear()
    registry.SYSTEMS.update(before)


def start(system, data, settings):
    """What `minigan train` does with settings, up to the first step.   ConfigError if they are refused."""
    with warnings.catch_warnings(), using(Streams(0)):
        warnings.simplefilter("ignore")
        values = system.configure(settings, data)
        system.build(values, data)
    return vars(values)


def trials(advice):
    """The command lines in an advice, [{setting: value}, ...]."""
    return [pairs(re.findall(r"--set ([^ ,;]+)", text)) for text in re.findall(r"--set [^ ,;]+(?: --set [^ ,;]+)*", advice)]


def test_every_advice_is_accepted_by_the_system_and_changes_something(all_systems):
    """Every rule, over every system and one of the user's own, with settings of many kinds in force."""
    spoke, seen = set(), set()
    for system in all_systems.values():
        data, names = about(system.default_data), system.settings
        for variant in VARIANTS:
            known = {k: v for k, v in variant.items() if k in names or (k == "lr" and "lr_d" in names)}
            if variant and not known:
                continue
            try:
                settings = start(system, data, system.smallest | known)
            except ConfigError:
                continue
            for name, records in LOGS.items():
                if name in ("healthy", "undecided") or ("D" in records[0]) != (
                    "lr_d" in names
                ):  # the losses of another kind of game
                    continue
                for finding in diagnose(records, settings, system, data):
                    spoke.add(finding.name)
                    assert re.search(r"\d", finding.evidence), finding
                    for changes in trials(finding.advice):
                        if (trial := str((system.name, variant, changes))) in seen:
                            continue
                        seen.add(trial)
                        after = start(system, data, {k: v for k, v in settings.items() if k in names} | changes)
                        changed = {name for name in after if after[name] != settings.get(name)}
                        asked = {full for name in changes for full in ([name] if name in after else [f"{name}_d", f"{name}_g"])}
                        assert changed == asked, (system.name, finding)
    assert len(spoke) == len(diagnosis.RULES) and len(seen) > 400


def test_a_system_without_a_penalty_is_not_told_to_set_one(all_systems):
    vae = all_systems["vae"]
    findings = diagnose(LOGS["one player's collapse"], vars(vae.configure({"importance": 5})), vae, about("digits"))
    assert [f.name for f in findings] == ["collapse"] and findings[0].advice == "try --set lr=0.00025"
    mine = all_systems["mine"]
    (finding,) = diagnose(LOGS["collapse"], vars(mine.configure()), mine, about("ring8"))
    assert finding.advice == "try --set lr_g=0.00025, or the system wgan-gp"
    (finding,) = diagnose(LOGS["undecided"], vars(mine.configure({"lr_d": 0.004})), mine, about("ring8"))
    assert finding.advice.startswith("change the nets")  # lr_d=0.016 would be out of this system's bounds


def test_a_penalty_comes_with_the_norm_that_it_needs(all_systems):
    gan = all_systems["gan"]
    for in_force, advised in (({"norm_d": "batch"}, "norm_d=layer"), ({"minibatch": True}, "minibatch=false")):
        (finding,) = diagnose(LOGS["D wins"], vars(gan.configure(in_force)), gan, about("digits"))
        assert f"--set penalty=r1 --set {advised}" in finding.advice


def test_a_rate_that_the_system_itself_has_at_0_is_no_fault(all_systems):
    assert diagnose(log(), {"lr_d": 0.0, "lr_g": 0.1})[0].name == "no rate"
    gan = all_systems["gan"]
    assert not diagnose(log(), vars(gan.configure({"lr": 1e-5})), gan, about("digits"))


def test_the_level_of_a_loss_that_sums_two_games_is_known(all_systems):
    """Each of CycleGAN's two discriminators pays 1/4 when it is undecided: 0.5 together, which is no win of G."""
    cyclegan = all_systems["cyclegan"]
    settings, data = vars(cyclegan.configure()), about("filled-outline")
    assert diagnosis.Curves(log(), settings, cyclegan, data).undecided == 0.5
    assert diagnose(log(GAN | {"D": 0.45}), settings, cyclegan, data) == []
    assert [f.name for f in diagnose(log(GAN | {"D": 0.6}), settings, cyclegan, data)] == ["G wins"]


def test_the_evidence_names_curves_values_and_steps():
    (finding,) = diagnose(*recorded("mode-hopping"))
    assert finding.evidence == "diversity in the last 6 measurements, up to step 2,500: 1.57, 0.37, 0.78, 1.05, 1.14, 0.79"
    (finding,) = diagnose(*recorded("vae-collapse"))
    assert "VAE.kl: 0.56 in steps 10 to 120, 0.03 in steps 390 to 500" in finding.evidence and "(medians)" in finding.evidence
