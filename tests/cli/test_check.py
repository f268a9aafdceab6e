"""minigan gradcheck."""

import json

import pytest

from minigan import optable
from minigan.cli import main


def test_the_table_shows_op_order_error_and_shapes(capsys):
    assert main(["gradcheck", "matmul", "exp", "--order", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["op", "order", "error", "shapes"]
    assert [line.split()[:2] for line in lines[1:3]] == [["matmul", "3"], ["exp", "3"]]
    assert all(float(line.split()[2]) < 1e-6 for line in lines[1:3])
    assert lines[3].startswith("2 ops, worst relative error")


def test_json(capsys):
    assert main(["gradcheck", "conv2d", "--order", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["op"] == "conv2d" and row["order"] == 1 and 0 < row["error"] < 1e-6 and row["failure"] == ""


def test_a_wrong_rule_is_shown_and_makes_the_exit_code_1(capsys, monkeypatch):
    import numpy as np

    import minigan as mg

    wrong = mg.primitive(lambda x: np.exp(x), lambda g, y, x: g * y * 1.001, name="exp")
    monkeypatch.setitem(optable.TABLE, "exp", optable.Op("exp", [(wrong, (3,))]))
    assert main(["gradcheck", "exp", "sin"]) == 1
    out = capsys.readouterr().out
    assert "WRONG: exp" in out and "by rule" in out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gradcheck", "matmull"], "no op is called 'matmull'; did you mean 'matmul'?"),
        (["gradcheck", "argmax"], "argmax has no derivative to check"),
        (["gradcheck", "exp", "--order", "9"], "--order 9 is too high"),
        (["gradcheck", "exp", "--order", "0"], "0"),
    ],
)
def test_mistakes_end_with_a_line_and_code_2(arguments, message, capsys):
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and message in error and "Traceback" not in error and len(error.splitlines()) <= 2
