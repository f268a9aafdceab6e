"""Nothing is lost when minigan is killed: a few of the kills of tests/kills.py, and a proof that it notices what is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="tests/kills.py forks")
SCRIPT = Path(__file__).parents[1] / "kills.py"


def kills(*words, before=""):
    """(exit code, what it prints).   before: statements that are executed first."""
    run = f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    code = f"import runpy, sys\nsys.argv = ['kills.py', *{list(map(str, words))!r}]\n{before}\n{run}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("story", ["train", "back", "cache"])
def test_killed_anywhere_it_goes_on_as_if_nothing_had_happened(story):
    code, text = kills("--only", story, "--few", 2)
    assert code == 0 and "0 with a fault" in text, text


def test_a_file_that_is_left_behind_is_noticed():
    code, text = kills("--only", "cache", "--few", 10, before="from minigan import locks; locks.sweep = lambda *_: None")
    assert code == 1 and "the end is not the same" in text, text
