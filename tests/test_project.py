"""The files of the project around the code: CI on a public host runs the parts of .ci/run, and the versions agree."""

import re
import tomllib
from pathlib import Path

import pytest

import minigan

ROOT = Path(__file__).parents[1]
RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PARTS = re.search(r"then set -- (.*); fi", RUN)[1].split()


def test_every_part_of_ci_is_a_function_and_is_described():
    described = " ".join(re.findall(r"(?m)^#(.*)$", RUN))
    for part in PARTS:
        assert f"\n{part}() {{" in RUN and f" {part} " in described
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^\| `(\w+)` \|", page) == PARTS  # the table of minutes


def test_the_workflow_runs_parts_of_ci_and_nothing_else():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: pip install '.[test]'")
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))["jobs"]
    parts = []
    for job in jobs.values():
        commands = [step["run"] for step in job["steps"] if "run" in step]
        matrix = job["strategy"]["matrix"]
        assert len(commands) == 1 and commands[0].startswith("bash .ci/run ")
        given = commands[0].removeprefix("bash .ci/run ")
        parts += matrix["part"] if given == "${{ matrix.part }}" else [given]
    assert sorted(parts) == sorted(set(PARTS) - {"kernels"})  # whoever pins a kernel of OpenBLAS runs that one
    pythons = jobs["tests"]["strategy"]["matrix"]["python"]
    assert pythons[0] == PROJECT["requires-python"].removeprefix(">=") and pythons == ["3.11", "3.12", "3.13", "3.14"]


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"(?m)^version: (.*)$", citation)[1] == minigan.__version__
    assert re.search(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))[1] == minigan.__version__


def test_extras_that_messages_and_pages_name_exist():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "minigan").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        for extras in re.findall(r"pip install (?:-e )?['\"]?\.\[([\w,-]+)\]", text):
            assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"]), path
        assert "minigan[" not in text, f"{path}: minigan is on no index, so say pip install '.[...]' or the package itself"
