"""What docs/take-a-script-apart.md says of its script."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "torch_style_gan.py").read_text(encoding="utf-8")
SMALL = ["--channels", "4", "--batch", "8", "--losses", "losses.txt"]


@pytest.fixture
def here(tmp_path):
    """A folder with some digits."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "digits.npz", images=rng.integers(256, size=(50, 1, 28, 28), dtype=np.uint8))
    return tmp_path


def run(here, text, *options, words=(), small=SMALL, start=("-m", "minigan.torch")):
    (here / "mine.py").write_text(text, encoding="utf-8")
    command = [sys.executable, *start, *options, "mine.py", "digits.npz", *small, *words]
    return subprocess.run(command, cwd=here, capture_output=True, text=True, encoding="utf-8")


def changed(*pairs):
    text = TEXT
    for old, new in pairs:
        assert text.count(old) >= 1
        text = text.replace(old, new)
    return text


FIXED = changed(("netD(generated), fake", "netD(generated.detach()), fake"), ("backward(retain_graph=True)", "backward()"))


def calls(table, op):
    """{phase: calls} of an op in a profile."""
    return {phase: int(n) for phase, n in re.findall(rf"(?m)^{op} +(forward|backward) +(\d+)", table)}


def test_the_profile_shows_the_fault_and_the_mended_script_has_the_same_losses(here):
    found = {}
    for text, backward in ((TEXT, 16), (FIXED, 8)):
        done = run(here, text, "--profile", words=["--steps", "4"])
        assert done.returncode == 0, done.stderr
        assert calls(done.stdout, "conv_transpose2d") == {"forward": 8, "backward": backward}
        found[backward] = np.loadtxt(here / "losses.txt")
    assert np.array_equal(found[16], found[8])


@pytest.mark.parametrize(("text", "parameters"), [(TEXT, 12), (FIXED, 7)])
def test_the_check_counts_the_parameters_of_d_s_loss(here, text, parameters):
    done = run(here, text, "--check")
    assert done.returncode == 0, done.stderr
    assert f"of {parameters} parameters is right: worst relative error" in done.stderr.splitlines()[0]


def test_the_first_nan_is_named(here):
    log = "-(label * torch.log(torch.sigmoid(logit)) + (1 - label) * torch.log(1 - torch.sigmoid(logit))).mean()"
    text = changed(("nn.BCEWithLogitsLoss()", f"lambda logit, label: {log}"), ("lr=2e-4", "lr=0.5"))
    done = run(here, text, "--nan", words=["--steps", "60"])
    assert done.returncode == 1 and re.search(r"NotFiniteError: log: first (Inf|NaN) in its output", done.stderr)


def test_the_losses_are_those_of_pytorch(here):
    pytest.importorskip("torch")
    theirs = run(here, TEXT, start=(), words=["--steps", "20"])
    assert theirs.returncode == 0, theirs.stderr
    expected = np.loadtxt(here / "losses.txt")
    assert run(here, TEXT, words=["--steps", "20"]).returncode == 0  # four channels: the convolutions are direct
    assert np.allclose(np.loadtxt(here / "losses.txt"), expected, rtol=1e-5)
