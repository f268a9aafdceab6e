"""What the README says, runs."""

import re
import shlex
from pathlib import Path

import pytest

from minigan.cli import build_parser, main
from minigan.systems import registry

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one's own, and the systems as they were afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "SYSTEMS", dict(registry.systems()))
    return tmp_path


def test_the_python_blocks_run_one_after_the_other(folder):
    names: dict = {"__name__": "readme"}
    blocks = [text for language, text in BLOCKS if language == "python"]
    assert len(blocks) == 4
    for text in blocks:
        assert "range(2000)" in text or "for step" not in text
        text = text.replace("range(2000)", "range(20)").replace("steps=2000", "steps=3, quiet=True")
        exec(compile(text, "README.md", "exec"), names)
    assert (folder / "ring.png").stat().st_size > 1000
    assert names["run"].game.nets["G"][0].out_features == 64 and (folder / "runs/my-G/report.html").exists()


def test_the_system_of_one_s_own_trains(folder):
    (folder / "mine.py").write_text(next(text for language, text in BLOCKS if 'system("ours"' in text))
    assert main(["show", "mine.py"]) == 0
    assert main(["train", "mine.py", "--set", "hidden=8", "--steps", "2", "--out", "runs/ours"]) == 0


def test_write_your_own_gan_is_about_20_lines():
    program = next(text for language, text in BLOCKS if "range(2000)" in text)
    assert len([line for line in program.splitlines() if line.strip()]) <= 20


COMMANDS = [line.partition("#")[0].strip() for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
MINIGAN = [part.strip() for line in COMMANDS for part in line.split("&&") if part.strip().startswith("minigan ")]


@pytest.mark.parametrize("command", MINIGAN)
def test_every_minigan_command_is_one_the_parser_knows(command):
    build_parser().parse_args(shlex.split(command)[1:])


def test_the_chinese_readme_has_the_same_program_and_known_commands():
    chinese = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.zh-CN.md").read_text(encoding="utf-8"), re.DOTALL)
    (program,) = (text for language, text in chinese if language == "python")
    assert ("python", program) in BLOCKS
    lines = [line.partition("#")[0].strip() for language, text in chinese if language == "sh" for line in text.splitlines()]
    commands = [part.strip() for line in lines for part in line.split("&&") if part.strip().startswith("minigan ")]
    assert len(commands) > 10
    for command in commands:
        build_parser().parse_args(shlex.split(command)[1:])


def test_there_are_commands_to_check():
    assert len(MINIGAN) >= 7


@pytest.mark.parametrize("path", re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT))
def test_every_linked_file_exists(path):
    assert (ROOT / path).exists()
