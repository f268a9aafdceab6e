"""What the README says, runs."""

import re
import shlex
from pathlib import Path

import pytest

from minigan.cli import build_parser

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)


def test_the_python_blocks_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    blocks = [text for language, text in BLOCKS if language == "python"]
    assert len(blocks) == 2
    for text in blocks:
        assert "range(2000)" in text or "for step" not in text
        exec(compile(text.replace("range(2000)", "range(20)"), "README.md", "exec"), names)
    assert (tmp_path / "ring.png").stat().st_size > 1000


def test_write_your_own_gan_is_about_20_lines():
    program = next(text for language, text in BLOCKS if language == "python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 20


COMMANDS = [line.partition("#")[0].strip() for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
MINIGAN = [part.strip() for line in COMMANDS for part in line.split("&&") if part.strip().startswith("minigan ")]


@pytest.mark.parametrize("command", MINIGAN)
def test_every_minigan_command_is_one_the_parser_knows(command):
    build_parser().parse_args(shlex.split(command)[1:])


def test_there_are_commands_to_check():
    assert len(MINIGAN) >= 7


@pytest.mark.parametrize("path", re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT))
def test_every_linked_file_exists(path):
    assert (ROOT / path).exists()
