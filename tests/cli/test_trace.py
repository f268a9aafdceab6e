"""`minigan trace` of a lesson, a script and a run."""

import pytest

from minigan.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_lesson(here, capsys):
    assert main(["trace", "1", "-o", "one.html"]) == 0
    assert capsys.readouterr().out.endswith("one.html\n")
    page = (here / "one.html").read_text(encoding="utf-8")
    assert "1. The tape: derivatives by bookkeeping" in page and "multiply hands 1 × 5 = 5 to u1" in page


def test_a_script_and_which_of_its_gradients(here, capsys):
    (here / "mine.py").write_text(
        "import sys\nimport minigan as mg\nprint(sys.argv)\nweight = mg.tensor(2.0, requires_grad=True)\n"
        "for k in (3, 4):\n    (weight * k).backward()\nprint('done')\n"
    )
    assert main(["trace", "mine.py", "--number", "2"]) == 0
    assert capsys.readouterr().out == "['mine.py']\ntrace.html\n"
    assert "weight is given: 2" in (here / "trace.html").read_text(encoding="utf-8")
    assert main(["trace", "mine.py", "--number", "3"]) == 2
    assert "mine.py: it asked for 2 gradients; give --number from 1 to that" in capsys.readouterr().err


def test_the_next_step_of_a_run_which_stays_as_it_is(here, capsys):
    words = ["--set", "batch_size=8", "--set", "width=8", "--set", "latent=2", "--steps", "2"]
    assert main(["train", "gan", "--data", "ring8", *words, "--out", "run"]) == 0
    before = {path: path.read_bytes() for path in (here / "run").rglob("*") if path.is_file()}
    for number, player, first in (("1", "D", 1), ("2", "G", 0)):
        assert main(["trace", "run", "--number", number, "-o", f"{player}.html"]) == 0
        page = (here / f"{player}.html").read_text(encoding="utf-8")
        assert "gan on ring8, after step 2" in page and f"{player}.{first}.weight" in page
    assert before == {path: path.read_bytes() for path in (here / "run").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["99"], "there is no lesson 99"),
        (["no.py"], "no.py: no such file"),
        (["nowhere"], "nowhere"),
        (["1", "-o", "page.txt"], "does not end in .html"),
    ],
)
def test_mistakes_get_one_line(words, message, here, capsys):
    assert main(["trace", *words]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) <= 2
