"""`minigan exercise`: from the list to a right answer, and everything that a reader's file can do wrong."""

import json
import re

import pytest

from minigan.cli import exercise as verb
from minigan.cli import main
from minigan.exercises import exercises, find

RIGHT = exercises()["1.2"].answer


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(here, source, capfd, *options):
    """(exit code, stdout) of the check of exercise 1.2 with this source."""
    (here / "exercise_1_2.py").write_text(source)
    capfd.readouterr()
    return main(["exercise", "check", "1.2", *options]), capfd.readouterr().out


def test_from_the_list_to_a_right_answer(here, capfd):
    assert main(["exercise"]) == 0
    out = capfd.readouterr().out
    assert "lesson 1. The tape" in out and "1.2   The rule of tanh" in out and "To begin: minigan exercise start 1.1" in out
    assert main(["exercise", "start", "1.2"]) == 0
    assert "exercise_1_2.py: complete the function in an editor, then: minigan exercise check 1.2" in capfd.readouterr().out
    file = here / "exercise_1_2.py"
    text = file.read_text()
    assert text.startswith('"""Exercise 1.2: The rule of tanh') and "return None" in text
    code, out = checked(here, text, capfd)
    assert code == 1 and "exercise 1.2: open; the function returns None" in out
    code, out = checked(here, text.replace("return None", "return g * (1 - y)"), capfd)
    assert (
        code == 1
        and "exercise 1.2: not yet; the square is missing" in out
        and "a hint: minigan exercise check 1.2 --hint" in out
    )
    code, out = checked(here, text.replace("return None", "return g * (1 - y * y)"), capfd)
    assert (code, out) == (0, "exercise 1.2: right\n")
    assert main(["exercise"]) == 0
    assert "The rule of tanh, written with its output   (right)" in capfd.readouterr().out
    progress = json.loads((here / "exercises.json").read_text())["1.2"]
    assert (progress["state"], progress["tries"]) == ("right", 2) and re.fullmatch(r"\d{4}-\d\d-\d\d", progress["first_right"])


def test_hints_come_one_after_another_and_the_answer_is_right(here, capfd):
    hints = exercises()["1.2"].hints
    for shown in (1, 2, 2):
        assert main(["exercise", "check", "1.2", "--hint"]) == 0
        lines = capfd.readouterr().out.splitlines()
        assert lines == [f"hint {i + 1} of 2: {hint}" for i, hint in enumerate(hints[:shown])]
    assert main(["exercise", "check", "1.2", "--answer"]) == 0
    assert checked(here, capfd.readouterr().out, capfd)[0] == 0


def test_a_lesson_is_started_and_checked_as_a_whole(here, capfd):
    (here / "exercise_1_2.py").write_text(RIGHT)
    assert main(["exercise", "start", "1"]) == 0
    out = capfd.readouterr().out
    assert "exercise_1_1.py: complete" in out and "exercise_1_2.py: is there already, and stays as it is" in out
    assert (here / "exercise_1_2.py").read_text() == RIGHT
    assert main(["exercise", "check", "1"]) == 1
    assert capfd.readouterr().out.endswith("exercise 1.2: right\n1 of 2 are right\n")


def test_a_class_gets_json(here, capfd):
    (here / "exercise_1_2.py").write_text(RIGHT)
    assert main(["exercise", "check", "1", "--json"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert found["ok"] is False and [one["state"] for one in found["exercises"]] == ["open", "right"]
    assert found["exercises"][0]["says"] == "not begun: minigan exercise start 1.1"
    assert main(["exercise", "check", "1.2", "exercise_1_2.py", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["ok"] is True
    assert main(["exercise", "list", "--json"]) == 0
    states = json.loads(capfd.readouterr().out)
    assert states["1.2"]["state"] == "right" and states["1.1"] == {"state": "open"}


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def tanh_rule(g, y:\n", "line 1 is no Python: '(' was never closed"),
        ("import nowhere\n", "the file ends with ModuleNotFoundError: No module named 'nowhere'"),
        ("exit(3)\n", "the file ends with SystemExit: 3"),
        ("import os\nos._exit(3)\n", "the file ended Python itself (exit code 3)"),
        ("def other(g, y):\n    return g\n", "the file has no function tanh_rule"),
        ("def tanh_rule(g):\n    return g\n", "TypeError: tanh_rule() takes 1 positional argument but 2 were given"),
        ("def tanh_rule(g, y):\n    return g * z\n", "it uses a name that does not exist here"),
        ("def tanh_rule(g, y):\n    return 'text'\n", "not yet; "),
        ("print('hello')\n" + RIGHT.replace("1 - y", "1 + y"), "a sign is wrong"),
    ],
)
def test_whatever_the_file_does_the_answer_is_a_sentence(source, sentence, here, capfd):
    code, out = checked(here, source, capfd)
    assert code == 1 and out.startswith("exercise 1.2: not yet; ") and sentence in out
    assert "hello" not in out  # it goes to standard error


def test_a_loop_without_end_is_ended(here, capfd, monkeypatch):
    monkeypatch.setattr(verb, "LIMIT", 3)
    code, out = checked(here, "while True:\n    pass\n", capfd)
    assert code == 1 and "it did not end within 3 seconds: is there a loop without an end?" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check"], "name an exercise, such as `minigan exercise check 1.1`"),
        (["check", "1.3"], "there is no exercise '1.3'; did you mean '1.2'?"),
        (["start", "99"], "there is no exercise '99'"),
        (["check", "1.1"], "exercise_1_1.py: no such file; `minigan exercise start 1.1` writes it"),
        (["check", "1", "mine.py"], "a file belongs to one exercise; name it, such as 1.1"),
        (["check", "1", "--hint"], "name one exercise, such as 1.1"),
    ],
)
def test_mistakes_get_one_line(words, message, here, capfd):
    assert main(["exercise", *words]) == 2
    assert message in capfd.readouterr().err


def test_nothing_of_the_reader_is_overwritten(here, capfd):
    (here / "exercise_1_1.py").write_text("mine")
    assert main(["exercise", "start", "1.1"]) == 2
    assert "exercise_1_1.py: is there already; delete or rename it" in capfd.readouterr().err
    for damaged in ("[", '{"1.1": {"state": "excellent"}}', "[1]"):
        (here / "exercises.json").write_text(damaged)
        assert main(["exercise"]) == 2
        assert "exercises.json: is damaged" in capfd.readouterr().err
        assert (here / "exercises.json").read_text() == damaged


def test_names_find_exercises():
    assert [one.name for one in find("1")] == ["1.1", "1.2"] and len(find("all")) == len(exercises())
    assert all(name == one.name and name.count(".") == 1 for name, one in exercises().items())
