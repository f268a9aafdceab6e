"""docs/capture.md tells the truth: its program runs, and its listing is what print shows."""

import re
from pathlib import Path

import minigan as mg
from minigan import nn

PAGE = (Path(__file__).parents[2] / "docs" / "capture.md").read_text(encoding="utf-8")
PROGRAM, LISTING = re.findall(r"```(?:python)?\n(.*?)```", PAGE, re.DOTALL)


def test_the_program_runs(capsys):
    exec(compile(PROGRAM, "page.py", "exec"), {})
    printed = capsys.readouterr().out
    assert "Adam.step" in printed and "float32 (256, 128)" in printed


def test_the_listing_is_what_print_shows():
    net = nn.Linear(2, 3)
    sgd = mg.optim.SGD(net.parameters(), lr=0.1)

    @mg.capture
    def step(x):
        loss = mg.square(mg.tanh(net(x))).mean()
        sgd.step(mg.grad(loss, list(net.parameters())))
        return loss

    step(mg.ones((4, 2)))
    squeezed = [re.sub(r"\(\S+\.py:\d+\)|\s+", "", line) for line in str(step).splitlines()]
    expected = [re.sub(r"\(\S+\.py:\d+\)|\s+", "", line) for line in LISTING.splitlines()]
    assert squeezed[: len(expected)] == expected
