"""The lessons run, say nothing false, and draw something; the helper and the command that runs them.

What is run is the file as it stands, in a process of its own, as its reader would run it (the short run).
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import cli
from minigan.cli import lesson as verb
from minigan.errors import ConfigError
from minigan.lesson import FalseClaim, Lesson

LESSONS = sorted((Path(__file__).resolve().parents[1] / "lessons").glob("[0-9]*.py"))
NAMES = [path.stem for path in LESSONS]
LONG_CELLS = {"tape-code"}  # the class that lesson 1 is about


def run(path, folder, **environment):
    """The finished process of a short run of the lesson in the folder.  Warnings are errors, except those of pyparsing, which
    would examine the grammar of an old matplotlib."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:::pyparsing", str(path)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "MINIGAN_FAST": "1", "PYTHONIOENCODING": "utf-8", **environment},
    )


def cells(path):
    """(kind, id, text) of every cell of a lesson."""
    parts = re.split(r'(?m)^# %%( \[markdown\])? id="([\w-]+)"\n', path.read_text(encoding="utf-8"))
    assert parts[0] == "", f"{path.name} must begin with a cell"
    return [("markdown" if kind else "code", name, text) for kind, name, text in zip(*[iter(parts[1:])] * 3)]


def calls(path, name):
    """The calls of a function of this name in a lesson."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """name -> (process, folder) of each lesson's short run, run once."""
    done = {}

    def of(path):
        if path not in done:
            folder = tmp_path_factory.mktemp(path.stem)
            done[path] = run(path, folder), folder
        return done[path]

    return of


def test_there_are_lessons():
    assert NAMES[:2] == ["01_tape", "02_first_gan"]


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_every_claim_that_is_written_is_reached(path, finished):
    process, _ = finished(path)
    assert process.returncode == 0, process.stderr
    written = calls(path, "claim")
    full = [call for call in written if any(k.arg == "full" and k.value.value is True for k in call.keywords)]
    summary = re.search(r"(\d+) claims hold(?:, (\d+) left out)?", process.stdout.splitlines()[-1])
    assert int(summary[1]) == len(written) - len(full) > 10
    assert int(summary[2] or 0) == len(full) == process.stdout.count("left out, needs the full run")
    assert all(any(k.arg == "says" for k in call.keywords) for call in written)


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_every_figure_is_drawn(path, finished):
    from matplotlib.image import imread

    process, folder = finished(path)
    names = [call.args[0].value for call in calls(path, "figure")]
    drawn = {file.stem: imread(file) for file in (folder / "lesson-figures" / path.stem).iterdir()}
    assert sorted(drawn) == sorted(names) and names, process.stderr
    for name, pixels in drawn.items():
        ink = (pixels[..., :3].min(axis=-1) < 0.95).mean()
        assert ink > 0.02, f"{name} is blank"
    assert [entry.name for entry in folder.iterdir()] == ["lesson-figures"]  # and nothing else is left behind


@pytest.mark.parametrize(
    ("name", "true", "false"),
    [
        ("01_tape", "claim(y.data, 11.652, atol=5e-4", "claim(y.data, 11.654, atol=5e-4"),
        ("02_first_gan", "claim(captured, 8, says=", "claim(captured, 7, says="),
    ],
)
def test_a_false_claim_stops_the_lesson(name, true, false, tmp_path):
    text = LESSONS[NAMES.index(name)].read_text(encoding="utf-8")
    assert text.count(true) == 1
    planted = tmp_path / f"{name}.py"
    planted.write_text(text.replace(true, false), encoding="utf-8")
    process = run(planted, tmp_path)
    assert process.returncode == 1
    assert "FalseClaim" in process.stderr and "the text says" in process.stderr
    assert "claims hold" not in process.stdout


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_cells_are_named_and_short(path):
    parts = cells(path)
    names = [name for _, name, _ in parts]
    assert len(set(names)) == len(names)
    assert len(re.findall(r"(?m)^# %%", path.read_text(encoding="utf-8"))) == len(parts)  # no cell without a name
    for kind, name, text in parts:
        lines = [line for line in text.splitlines() if line.strip()]
        if kind == "markdown":
            assert all(line.startswith("#") for line in lines), name
        else:
            assert len(lines) <= 25 or name in LONG_CELLS, f"{name}: {len(lines)} lines"
    assert len(re.findall(r"\*\*Predict:\*\*", path.read_text(encoding="utf-8"))) >= 6


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_the_answers_solve_the_exercises(path, tmp_path, finished):
    """The functions in the answers, put in the place of the holes; before that, every exercise is open."""
    process, _ = finished(path)
    number = len(re.findall(r"lesson\.exercise\(", path.read_text(encoding="utf-8")))
    assert process.stdout.count(": open;") == number > 0
    answers = next(text for _, name, text in cells(path) if name == "answers")
    code = [re.sub(r"(?m)^# ?", "", block) for block in re.findall(r"(?s)# ```python\n(.*?)# ```", answers)]
    assert len(code) == number
    text = path.read_text(encoding="utf-8")
    for block in code:
        name = re.match(r"def (\w+)\(.*\):\n", block)[0]
        hole = re.search(re.escape(name) + r'    """.*"""\n    return None\n', text)
        assert hole, f"{path.name} has no hole for {name}"
        text = text.replace(hole[0], block)
    solved = tmp_path / path.name
    solved.write_text(text, encoding="utf-8")
    process = run(solved, tmp_path)
    assert process.returncode == 0, process.stderr
    assert len(re.findall(r"exercise [\d.]+: right", process.stdout)) == number


# ------------------------------------------------------------------------------------------------------ the helper ---


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIGAN_FAST", raising=False)
    monkeypatch.setattr(sys, "argv", ["99_test.py"])
    return Lesson("99_test")


@pytest.mark.parametrize(
    ("value", "expected", "atol"),
    [(1.0, 1.0, 0), (1.05, 1.0, 0.1), ([1, 2], [1, 2], 0), (np.inf, np.inf, 0), (True, True, 0), ([[1.0]], [[1.0]], 0)],
)
def test_a_true_claim_holds(lesson, capsys, value, expected, atol):
    lesson.claim(value, expected, atol=atol, says="so it is")
    assert "so it is" in capsys.readouterr().out
    lesson.end()
    assert "99_test: 1 claims hold," in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "expected", "atol"),
    [
        (1.0, 1.1, 0.05),
        (np.nan, np.nan, 1),
        (np.nan, 0.0, np.inf),
        ([1, 2], [1, 3], 0.5),
        ([1.0], 1.0, 0),
        ([1, 1], [1, 1, 1], 0),
        (np.inf, -np.inf, 1),
        (False, True, 0),
    ],
)
def test_a_false_claim_raises(lesson, value, expected, atol):
    with pytest.raises(FalseClaim, match="99_test: so it is: the text says .* but this machine computes"):
        lesson.claim(value, expected, atol=atol, says="so it is")
    assert lesson.held == 0


def test_claims_take_tensors(lesson):
    import minigan as mg

    lesson.claim(mg.tensor([1.0, 2.0]), [1.0, 2.0], says="a Tensor")
    with pytest.raises(FalseClaim):
        lesson.claim(mg.tensor(1.0), mg.tensor(2.0), says="two")


@pytest.mark.parametrize(
    ("variable", "arguments", "fast"),
    [(None, [], False), ("0", [], False), ("", [], False), ("1", [], True), (None, ["--fast"], True)],
)
def test_the_short_run_leaves_out_what_needs_the_full_one(monkeypatch, capsys, variable, arguments, fast):
    monkeypatch.setattr(sys, "argv", ["99_test.py", *arguments])
    if variable is None:
        monkeypatch.delenv("MINIGAN_FAST", raising=False)
    else:
        monkeypatch.setenv("MINIGAN_FAST", variable)
    lesson = Lesson("99_test")
    assert lesson.fast is fast
    if fast:
        lesson.claim(1, 2, full=True, says="only later")
        lesson.end()
        output = capsys.readouterr().out
        assert "left out, needs the full run: only later" in output and "0 claims hold, 1 left out" in output
    else:
        with pytest.raises(FalseClaim):
            lesson.claim(1, 2, full=True, says="only later")


def test_an_exercise_is_open_then_not_yet_then_right(lesson, capsys):
    assert [lesson.exercise("9.1", answer, 3.0, atol=0.1) for answer in (None, 2.0, 3.05)] == [False, False, True]
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert "open" in lines[0] and "not yet; it gives 2" in lines[1] and "right" in lines[2]


def test_a_figure_that_fails_is_not_saved(lesson):
    with lesson.figure("good", width=2, height=1) as figure:
        figure.add_subplot().plot([0, 1])
    with pytest.raises(ZeroDivisionError), lesson.figure("bad"):
        raise ZeroDivisionError
    assert [file.name for file in lesson.folder.iterdir()] == ["good.png"]


def test_ticks_become_words_where_they_cannot_be_written(tmp_path):
    script = tmp_path / "99_test.py"
    script.write_text("from minigan.lesson import Lesson\nlesson = Lesson('99_test')\nlesson.claim(1, 1, says='one')\n")
    process = run(script, tmp_path, PYTHONIOENCODING="ascii")
    assert process.returncode == 0 and "  ok one: 1" in process.stdout


# ----------------------------------------------------------------------------------------------------- the command ---


def test_the_command_lists_the_lessons(capsys):
    assert cli.main(["lesson"]) == 0
    output = capsys.readouterr().out
    assert "1. The tape: derivatives by bookkeeping" in output and "2. The first GAN" in output
    assert cli.main(["lesson", "list"]) == 0
    assert capsys.readouterr().out == output


def test_the_command_runs_a_lesson_from_anywhere(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["lesson", "1", "--fast"]) == 0
    output = capfd.readouterr().out
    assert "lesson 01_tape, short run" in output and "claims hold" in output
    assert (tmp_path / "lesson-figures" / "01_tape" / "graph.png").is_file()


@pytest.mark.parametrize("which", ["99", "first", "-1", "²", "0"])
def test_the_command_names_the_lessons_there_are(which, capsys):
    assert cli.main(["lesson", which]) == 2
    assert f"there is no lesson {which!r}; the lessons are 1, 2" in capsys.readouterr().err


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """As if minigan were installed without its repository, and run in an empty folder."""
    monkeypatch.setattr(verb, "__file__", str(tmp_path / "site-packages" / "minigan" / "cli" / "lesson.py"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_without_lessons_the_command_says_where_they_are(elsewhere, capsys):
    assert cli.main(["lesson"]) == 2
    assert "are in the repository, not in the installed package; get minigan" in capsys.readouterr().err
    (elsewhere / "lessons").mkdir()
    (elsewhere / "lessons" / "notes.py").touch()
    with pytest.raises(ConfigError, match="cannot find the lessons"):
        verb.find()


def test_lessons_in_this_folder_are_found_and_their_failure_is_told(elsewhere, capfd):
    folder = elsewhere / "lessons"
    folder.mkdir()
    (folder / "07_fails.py").write_text('# %% [markdown] id="a"\n# # 7. Fails\n\n# %% id="b"\n1 / 0\n')
    (folder / "10_works.py").write_text("import sys\nprint(sys.argv[1:])\n")
    assert list(verb.find()) == [7, 10]
    assert cli.main(["lesson"]) == 0 and "7. Fails\n  10_works" in capfd.readouterr().out
    assert cli.main(["lesson", "7"]) == 1 and "ZeroDivisionError" in capfd.readouterr().err
    assert cli.main(["lesson", "10", "--fast"]) == 0 and "['--fast']" in capfd.readouterr().out
