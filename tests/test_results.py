"""docs/results.md says what docs/results.json holds, and a claim that a seed misses is called so."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minigan.systems.claims import Check

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "systems.py"


@pytest.fixture
def systems(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))  # it sets the number of BLAS threads
    spec = importlib.util.spec_from_file_location("systems_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look their annotations up
    spec.loader.exec_module(module)
    return module


def test_a_claim_says_how_many_seeds_it_means(systems):
    assert all(list(systems.seeds(claim, None)) == list(range(claim.seeds)) for claim in systems.CLAIMS.values())
    assert list(systems.seeds(None, "3")) == [3] and list(systems.seeds(None, "2-4")) == [2, 3, 4]


def test_the_page_is_that_of_the_numbers(tmp_path):
    copy = shutil.copy(ROOT / "docs" / "results.json", tmp_path)
    subprocess.run([sys.executable, SCRIPT, "--table", "--out", copy], check=True)
    assert (tmp_path / "results.md").read_text() == (ROOT / "docs" / "results.md").read_text()


def test_a_check_counts_the_seeds_that_miss_it_and_gives_their_figures(systems):
    results = {"own": {"0": {"a": 1.0, "b": 2.0}, "1": {"a": 3.0, "b": 2.5}}, "control": {"0": {"a": 0.5}, "1": {"a": 9.0}}}
    lines = {
        ("at least", 1, ""): "- own: a at least 1: met by 2 of 2 seeds",
        ("at most", 2, ""): "- own: a at most 2: **not met** by 1 of 2 seeds (3)",
        ("below", "b", ""): "- own: a below b: **not met** by 1 of 2 seeds (3 against 2.5)",
        ("below", "", "control"): "- own: a below that of control: **not met** by 1 of 2 seeds (1 against 0.5)",
    }
    for (relation, bound, of), line in lines.items():
        assert Check("own", "a", relation, bound, of).verdict(results) == line
    assert Check("own", "a", "below", of="other").verdict(results) == "- own: a below that of other: not measured"


def test_every_check_names_an_arm_and_every_arm_of_equal_time_another(systems):
    for arms, checks in ((claim.arms, claim.checks) for claim in systems.CLAIMS.values()):
        assert all(check.arm in arms and (not check.of or check.of in arms) for check in checks)
        assert all(not arm.like or arm.like in arms for arm in arms.values())


def test_the_commands_on_the_page_are_ones_that_the_parser_and_the_systems_know(systems):
    from minigan.cli import build_parser
    from minigan.cli.train import overrides
    from minigan.systems import registry

    for claim in systems.CLAIMS.values():
        for arm in claim.arms.values():
            command = arm.command().split("`")[1]
            options = build_parser().parse_args(shlex.split(command.replace("--seconds S", "--seconds 1"))[1:])
            system = registry.get(options.system)
            assert system.configure(overrides(options)) == system.configure(arm.settings)
            assert (options.system, options.data) == (arm.system, arm.data)
            assert ("--seconds" in command) == bool(arm.like)
