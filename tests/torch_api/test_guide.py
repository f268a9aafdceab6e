"""docs/take-a-script-apart.md: its script runs, and its tools find what the page says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE, SCRIPT = (DOCS / "take-a-script-apart.md").read_text(encoding="utf-8"), DOCS / "take-a-script-apart" / "shapes_gan.py"


def run(folder, *words):
    command = [sys.executable, "-m", "minigan.torch", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, encoding="utf-8")


def test_the_first_nan_is_on_the_line_that_the_page_names(tmp_path):
    done = run(tmp_path, "--nan", str(SCRIPT), "--bug", "--lr", "0.02", "--r1", "0")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] in PAGE


def test_both_losses_pass_the_check_on_the_lines_that_the_page_names(tmp_path):
    done = run(tmp_path, "--check", str(SCRIPT))
    assert done.returncode == 0, done.stderr
    checked = [line.partition(" is right")[0] for line in done.stderr.splitlines() if "is right" in line]
    assert len(checked) == 2 and all(line in PAGE for line in checked)


def test_the_same_script_has_the_same_losses_in_pytorch(tmp_path):
    pytest.importorskip("torch")
    options = [str(SCRIPT), "--steps", "3", "--losses"]
    assert run(tmp_path, *options, "ours.json").returncode == 0
    subprocess.run([sys.executable, *options, "theirs.json"], check=True, cwd=tmp_path, capture_output=True)
    ours, theirs = (json.loads((tmp_path / name).read_text()) for name in ("ours.json", "theirs.json"))
    assert ours == [pytest.approx(step, abs=1e-4) for step in theirs]
