"""The lessons run, say nothing false, and draw something; the helper and the command that runs them.

What is run is the file as it stands, in a process of its own, as its reader would run it (the short run).
"""

import ast
import json
import linecache
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minigan import checkout, cli, lesson_files
from minigan.errors import ConfigError
from minigan.exercises import Exercise, exercises
from minigan.exercises.__main__ import of_file
from minigan.exercises.judge import ERRORS
from minigan.lesson import FalseClaim, Lesson

LESSONS = sorted((Path(__file__).resolve().parents[1] / "lessons").glob("[0-9]*.py"))
NAMES = [path.stem for path in LESSONS]
LONG_CELLS = {"tape-code"}  # the class that lesson 1 is about


def run(path, folder, *options, **environment):
    """The finished process of a short run of the lesson in the folder.  Warnings are errors, and so are false claims.  Only
    pyparsing's are not: it would examine the grammar of an old matplotlib."""
    environment = {"MINIGAN_FAST": "1", "MINIGAN_STRICT": "1", "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:::pyparsing", str(path), *options],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )


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
    summary = re.search(r"(\d+) claims hold(?:, (\d+) left out)?", process.stdout.splitlines()[-2])
    assert int(summary[1]) == len(written) - len(full) > 10
    assert int(summary[2] or 0) == len(full) == process.stdout.count("left out, needs the full run")
    assert all(any(k.arg == "says" for k in call.keywords) for call in written)


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_a_lesson_takes_no_more_than_ten_times_the_stated_time(path, finished):
    process, _ = finished(path)
    full, short = lesson_files.times()[path.stem]
    took = float(re.search(r"claims hold.*, ([\d.]+) s$", process.stdout, re.MULTILINE)[1])
    assert took <= 10 * short and full <= 60


def test_the_whole_course_takes_less_than_twenty_minutes():
    stated = lesson_files.times()
    assert set(stated) == set(NAMES) and sum(full for full, _ in stated.values()) < 20 * 60


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


@pytest.fixture
def planted(tmp_path):
    """Lesson 1 with one false claim in the middle, in a copy: its file."""
    true, false = "claim(grads[x1].data, 5.5, says=", "claim(grads[x1].data, 5.6, says="
    text = LESSONS[0].read_text(encoding="utf-8")
    assert text.count(true) == 1
    (tmp_path / "mine.py").write_text(text.replace(true, false), encoding="utf-8")
    return tmp_path / "mine.py"


def test_after_a_false_claim_the_lesson_goes_on_and_ends_with_1(planted, finished):
    process, (whole, _) = run(planted, planted.parent, MINIGAN_STRICT=""), finished(LESSONS[0])
    assert (process.returncode, process.stderr) == (1, "")
    lines, right = process.stdout.splitlines(), whole.stdout.splitlines()
    crossed = [line for line in lines if "✗" in line]
    assert crossed == ["  ✗  df/dx1 by one walk: the text says 5.6 within 0, but this machine computes 5.5"]
    i = lines.index(crossed[0])
    assert lines[:i] + lines[i + 1 : -2] == right[:i] + right[i + 1 : -2]  # everything else is as it was
    holds = int(re.search(r"(\d+) claims hold", right[-2])[1])
    assert f"{holds - 1} claims hold, 1 does not, " in lines[-2]


def test_in_a_strict_run_a_false_claim_stops_the_lesson(planted):
    process = run(planted, planted.parent)
    assert process.returncode == 1
    assert "FalseClaim" in process.stderr and "the text says" in process.stderr
    assert "claims hold" not in process.stdout


def test_what_breaks_in_lesson_2_is_shown_to_the_end(tmp_path):
    """The third "break it": saturating in the place of non_saturating, inside `train`."""
    text = LESSONS[NAMES.index("02_first_gan")].read_text(encoding="utf-8")
    (tmp_path / "broken.py").write_text(text.replace("loss_G = non_saturating(", "loss_G = saturating("), encoding="utf-8")
    process = run(tmp_path / "broken.py", tmp_path, MINIGAN_STRICT="")
    assert process.returncode == 1 and not process.stderr
    assert "✗ largest difference of the losses" in process.stdout.replace("✗  ", "✗ ")
    assert {file.stem for file in (tmp_path / "lesson-figures" / "02_first_gan").iterdir()} >= {"story", "collapse"}
    assert "claims hold, 1 does not" in process.stdout


# What "Break it" tells the reader to change: lesson, old code, new code, the claims that are then false in the short run.
BREAKS = [
    (
        "03_broadcasting",
        "line[0] * mg.tensor(u) +",
        "line[0] * mg.tensor(u[:, 0]) +",
        ["targets (64, 1): slope", "targets (64,): slope"],
    ),
    ("03_broadcasting", "adjoint=lambda g: g.mean(axis=0))", "adjoint=lambda g: g[0])", ["a mean in place of the sum"]),
    ("03_broadcasting", "lambda p, t: mg.mean(", "lambda p, t: mg.sum(", ["targets (64, 1): slope", "targets (64,): slope"]),
    (
        "04_convolution",
        "len(w)] @ w for",
        "len(w)] @ w[::-1] for",
        ["(-1, 0, 1) finds the edge", "the second row", "minigan, stride 1"],
    ),
    (
        "04_convolution",
        "conv_transpose2d(g, w, None",
        "conv_transpose2d(g, w[..., ::-1, ::-1], None",
        ["largest difference in"],
    ),
    ("05_modules", "mg.relu(layers", "mg.tanh(layers", ["size after 20 layers", "and of the gradient"]),
    (
        "05_modules",
        "nn.BatchNorm1d(1), nn.Linear(1, 1))",
        "nn.Linear(1, 8), nn.LeakyReLU(0.2), nn.BatchNorm1d(8), nn.Linear(8, 1))",
        [],
    ),
    ("06_optimizers", "turn @ np.array([5.0, 1.0])", "turn @ np.array([5.0, 0.0])", ["2 / 25 = 0.08 is the border"]),
    (
        "06_optimizers",
        "0 else None, g if player == 1 else None",
        "0 else 0 * g, g if player == 1 else 0 * g",
        ["difference after 20 steps"],
    ),
    (
        "06_optimizers",
        "(SGD, lr=4 / 36, momentum=(4 / 6) ** 2), 300)",
        "(SGD, lr=4 / 36, momentum=0.95), 300)",
        ["steps down the valley"],
    ),
    (
        "07_second_derivatives",
        "mg.square(slopes(D, x))",
        "mg.square(slopes(D, x).detach())",
        ["although the slope", "penalty between"],
    ),
    ("08_two_backends", "SEND, BUS = 10e-6,", "SEND, BUS = 1e-6,", ["elements from which the card wins", "small net: batch"]),
    ("08_two_backends", "BUS = 10e-6, 32e9", "BUS = 10e-6, 3e9", ["if they must travel", "times faster for ten million"]),
    ("08_two_backends", "bits=10", "bits=7", ["1 + 2^-11", "with inputs rounded as TF32"]),
    ("10_vae", "self.decoder(mean + mg.exp(0.5 * log_var) * e)", "self.decoder(mean + mg.exp(log_var) * e)", ["both terms"]),
    ("10_vae", "self.decoder(mean + mg.exp(0.5 * log_var) * e)", "self.decoder(mean)", ["both terms"]),
    ("11_vae_scales", "PIXELS) + 1) / 2", "PIXELS) + 1) * 14", ["hidden numbers that are on for the mean over pixels"]),
    (
        "12_coordinate_descent",
        "            r += X[:, j] * (w[j] - new)\n            w[j] = new\n",
        "            w[j] = new\n        r = y - X @ w\n",
        ["the condition for weights", "ours and minigan's"],
    ),
    ("12_coordinate_descent", ", y - y.mean()\n", ", y - y.mean()\nX[:, 3] = X[:, 2]\n", ["steps of proximal gradient"]),
    (
        "12_coordinate_descent",
        "new = min(max(alpha[i] - G / (X[i] @ X[i]), 0.0), C)",
        "new = alpha[i] - G / (X[i] @ X[i])",
        ["samples with room", "the gap between"],
    ),
    (
        "13_game_in_one_dimension",
        " = play(STEPS)\n",
        " = play(STEPS, lr_D=1e-4)\n",
        ["D's loss soon falls", "mean error of D in the game"],
    ),
    ("13_game_in_one_dimension", "math.log(0.5)]", "math.log(0.01)]", ["JS at the start"]),
    ("14_saturation", 'Adam, 100, 20.0, dtype="float32")\nmoving', 'Adam, 100, 20.0, dtype="float64")\nmoving', []),
    ("14_saturation", "batch=256):", "batch=4):", ["from 6: steps until m < 1", "from 10: the same"]),
    ("14_saturation", "lr=2e-4, betas", "lr=2e-3, betas", ["ratio above 10 after"]),
    ("15_repair_a_dcgan", "bias=False), nn.BatchNorm2d(32), nn.Leaky", "bias=False), nn.Leaky", ["weights of the funnel"]),
    ("15_repair_a_dcgan", "put_back(updates=OneCounter)", "put_back(feed=lambda: lambda: real[:BATCH])", []),
    ("16_repair_an_mlp_gan", "train(SHORT, pixel_D())", "train(SHORT, nn.Sequential(nn.Flatten(), nn.Linear(784, 1)))", []),
    ("17_mode_collapse", "nn.ReLU())]", "nn.Tanh())]", []),
    ("17_mode_collapse", "for pack in (1, 2))", "for pack in (1, 4))", []),
    ("18_objectives", "np.maximum(0, 1 - scores)", "np.maximum(0, -scores)", ["hinge: only the sign", "equal bells"]),
    ("18_objectives", "activation=nn.ReLU", "activation=nn.Tanh", []),
    ("19_wgan", "log = play()\n", "log = play(turns=1)\n", []),
    ("19_wgan", "log = play()\n", "log = play(c=1.0)\n", []),
    ("19_wgan", "nn.Linear(32, 32), nn.LeakyReLU(0.2), ", "", []),
    ("20_penalties", '"real": 5,', '"real": 0.05,', []),
    ("20_penalties", "= play(False), play(True)", "= play(False, weight=0.1), play(True)", ["two-sided: G runs away"]),
    (
        "20_penalties",
        "column(u * a + (1 - u) * b)",
        "column(0.5 * a + 0.5 * b)",
        ["value over W for W = 1, 2, 3", "the penalty between"],
    ),
    ("21_dynamics", "steps=200, h=0.2", "steps=2000, h=0.02", ["at once: it grows", "momentum 0.5 drives it out"]),
    (
        "21_dynamics",
        "-of_theta.item(), of_psi.item() - gamma * psi.item()",
        "-of_theta.item() - gamma * theta.item(), of_psi.item()",
        ["minigan's J and ours"],
    ),
    ("21_dynamics", "-mg.softplus(theta * psi) -", "-theta * psi -", ["imaginary parts", "at once: it grows"]),
    ("22_conjugate_directions", "np.repeat([1.0, 10.0, 100.0], [7, 7, 6])", "np.linspace(1, 100, 20)", ["three eigenvalues"]),
    (
        "22_conjugate_directions",
        "mg.mean(mg.softplus(-a)) + mg.mean(mg.softplus(b)),",
        "mg.mean(mg.softplus(-a)) - mg.mean(mg.softplus(b)),",
        ["saturating: (G, D)", "and it is above 0.2"],
    ),
    (
        "22_conjugate_directions",
        "cg_for_D = play_on_line(cg, slow_adam, turns // 2)",
        "cg_for_D = play_on_line(slow_adam, cg, 200)",
        ["conjugate gradients for D only"],
    ),
    (
        "23_coordinate_descent_in_a_gan",
        "blocks=layers(G), rule=rule",
        "blocks=[list(G.parameters())], rule=rule",
        ["one step: which layers", "steepest has chosen"],
    ),
    ("23_coordinate_descent_in_a_gan", "(by_layer(rule)) for", "(by_layer(rule, lr=30.0)) for", ["steps that raised the loss"]),
    ("23_coordinate_descent_in_a_gan", "found.get(id(p)) for", "found.get(id(p), mg.zeros(p.shape)) for", []),
]


@pytest.mark.parametrize(("name", "old", "new", "false"), BREAKS)
def test_what_breaks_is_what_the_answers_say(name, old, new, false, tmp_path):
    text = LESSONS[NAMES.index(name)].read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "broken.py").write_text(text.replace(old, new), encoding="utf-8")
    environment = {**os.environ, "MINIGAN_FAST": "1", "MINIGAN_STRICT": "", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "broken.py"]  # warnings are no errors here: some changes divide by zero, and the answers say so
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", env=environment)
    crossed = [line.split("✗", 1)[1].strip() for line in process.stdout.splitlines() if "✗" in line]
    assert all(any(line.startswith(start) for line in crossed) for start in false), (crossed, process.stderr)
    assert process.returncode == bool(false)


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_cells_are_named_and_short(path):
    parts = lesson_files.cells(path)
    names = [cell.name for cell in parts]
    assert len(set(names)) == len(names)
    assert len(re.findall(r"(?m)^# %%", path.read_text(encoding="utf-8"))) == len(parts)  # no cell without a name
    for kind, name, text in parts:
        lines = [line for line in text.splitlines() if line.strip()]
        if kind == "code":
            assert len(lines) <= 25 or name in LONG_CELLS, f"{name}: {len(lines)} lines"
    assert len(re.findall(r"\*\*Predict:\*\*", path.read_text(encoding="utf-8"))) >= 6


# Usual wrong answers: the exercise, what its function returns, and a part of the sentence that the reader gets.
# fmt: off
WRONG = [
    ("1.1", "g / b", "the tape cannot divide yet"),
    ("1.1", "g * 1 / b, -g * a / b**2", "the tape cannot divide yet"),
    ("1.1", "g * b**-1", "must return 2 values, with a comma between them; it returns one"),
    ("1.1", "g * b**-1, -g * a * b**-2, g", "must return 2 values, with a comma between them; it returns 3"),
    ("1.1", "g * b**-1, None", "one of the values that the function returns is None"),
    ("1.1", "g.data * b.data**-1, -g.data * a.data * b.data**-2", "leaves the tape"),
    ("1.1", "g * b.data**-1, -g * a.data * b.data**-2", "leaves the tape"),
    ("1.1", "g * b**-1, -g * a.data * b**-2", "leaves the tape"),
    ("1.1", "g * b**-1, g * a * b**-2", "the sign of what b receives"),
    ("1.1", "-g * b**-1, g * a * b**-2", "the sign of what a receives"),
    ("1.1", "b**-1, -a * b**-2", "g is missing"),
    ("1.1", "-g * a * b**-2, g * b**-1", "in the wrong order"),
    ("1.1", "g * b**-1, -g * b**-2", "depends on a too"),
    ("1.1", "g * b**-1, -g * a * b**-1", "the power of b is wrong"),
    ("1.1", "g * b, g * a", "these are the rules of a product"),
    ("1.1", "g * a, g * b", "these look like the rules of a product"),
    ("1.1", "g * math.pow(b, -1), g", "the functions of `math` know only plain numbers"),
    ("1.1", "g * b^-1, g", "in Python a power is written **"),
    ("1.1", "g * c, g", "it uses a name that does not exist here"),
    ("1.1", "g, g", "it gives [1.5, 1.5, 2, 2], and right would be [0.375, -0.28125, 0.2109375, -0.1875] (Of (a / b)^2"),
    ("1.1", "float(g), g", "`return float(g), g`: TypeError: float() argument must be"),
    ("1.2", "g * (1 - y.data**2)", "leaves the tape"),
    ("1.2", "g * (1 - y * y.data)", "leaves the tape"),
    ("1.2", "1 - y * y", "g is missing"),
    ("1.2", "g * (1 - y)", "the square is missing"),
    ("1.2", "g * y * y", "this is tanh^2"),
    ("1.2", "g * (1 + y * y)", "a sign is wrong"),
    ("1.2", "g * (y * y - 1)", "tanh grows"),
    ("1.2", "g * (1 - math.tanh(y.data) ** 2)", "y is tanh(a) already"),
    ("1.2", "g * y", "this is the rule of exp"),
    ("1.2", "g * y * (1 - y)", "this is the rule of the sigmoid"),
    ("1.2", "g * (1 - y * y), y", "must return one value, without a comma; it returns 2"),
    ("2.1", "mg.mean(mg.square(a - 1)) + mg.mean(mg.square(b)), 0.5 * mg.mean(mg.square(b - 1))", "the half of D's loss"),
    ("2.1", "0.5 * mg.mean(mg.square(a - 1)) + 0.5 * mg.mean(mg.square(b)), mg.mean(mg.square(b - 1))", "the half of G's loss"),
    ("2.1", "0.5 * mg.sum(mg.square(a - 1)) + 0.5 * mg.sum(mg.square(b)), 0.5 * mg.sum(mg.square(b - 1))", "take the means"),
    ("2.1", "mg.sum(mg.square(a - 1)) + mg.sum(mg.square(b)), mg.sum(mg.square(b - 1))", "take half the means"),
    ("2.1", "0.5 * mg.square(a - 1) + 0.5 * mg.square(b), 0.5 * mg.square(b - 1)", "each loss is one number"),
    ("2.1", "0.5 * mg.mean(mg.square(b - 1)), 0.5 * (mg.mean(mg.square(a - 1)) + mg.mean(mg.square(b)))", "in the wrong order"),
    ("2.1", "0.5 * (mg.mean(mg.square(a - 1)) + mg.mean(mg.square(b))), 0.5 * mg.mean(mg.square(b))", "G wants D to say 1 for"),
    ("2.1", "0.5 * (mg.mean(mg.square(a - 1)) + mg.mean(mg.square(b))), -0.5 * mg.mean(mg.square(b))", "with a minus"),
    ("2.1", "0.5 * (mg.mean(mg.square(a)) + mg.mean(mg.square(b - 1))), 0.5 * mg.mean(mg.square(b))", "the other way round"),
    ("2.1", "0.5 * (mg.mean(a - 1) ** 2 + mg.mean(b) ** 2), 0.5 * mg.mean(b - 1) ** 2", "square first"),
    ("2.1", "0.5 * (mg.mean(a - 1) + mg.mean(b)), 0.5 * mg.mean(b - 1)", "the squares are missing"),
    ("2.1", "0.5 * mg.mean(mg.square(a - 1)), 0.5 * mg.mean(mg.square(b - 1))", "D's loss has two terms"),
    ("2.1", "0.5 * (mg.mean(mg.square(a - 1)) - mg.mean(mg.square(b))), 0.5 * mg.mean(mg.square(b - 1))", "add its two terms"),
    ("2.1", "0.5 * mg.mean((mg.sigmoid(a) - 1)**2 + mg.sigmoid(b)**2), mg.mean((mg.sigmoid(b) - 1)**2) / 2", "no sigmoid"),
    ("2.1", "np.mean((a.numpy() - 1)**2 + b.numpy()**2) / 2, np.mean((b.numpy() - 1)**2) / 2", "must stay a Tensor"),
    ("2.1", "float(0.5 * (((a - 1)**2).mean() + (b**2).mean())), float(0.5 * ((b - 1)**2).mean())", "must stay a Tensor"),
    ("2.1", "float(0.5 * (((a - 1)**2).mean() + (b**2).mean())), 0.5 * ((b - 1)**2).mean()", "must stay a Tensor"),
    ("2.1", "0.5 * (((a - 1)**2).mean() + (b**2).mean()), float(0.5 * ((b - 1)**2).mean())", "must stay a Tensor"),
    ("2.1", "0.5 * mg.mean((a - 1)^2), 0.5 * mg.mean((b - 1)^2)", "in Python a power is written **"),
    ("2.1", "np.mean((a.detach() - 1)**2 + b.detach()**2) / 2, np.mean((b.detach() - 1)**2) / 2", "must stay a Tensor"),
    ("2.1", "0.5 * (mg.mean(mg.square(a - 1)) + mg.mean(mg.square(b)))", "must return 2 values"),
]
# fmt: on


@pytest.fixture
def answer(tmp_path):
    """(exercise, what the reader writes in place of "return None") -> the state of the exercise, and what it says."""

    def of(name, written):
        exercise = exercises()[name]
        assert exercise.start.count("    return None\n") == 1
        return said(exercise, exercise.start.replace("    return None\n", f"    {written}\n"), tmp_path / "mine.py")

    return of


def said(exercise, source, file):
    """(state, what to say) of a reader's file."""
    file.write_text("import math\nimport numpy as np\nimport minigan as mg\nfrom minigan import nn\n" + source, "utf-8")
    linecache.checkcache(str(file))
    return of_file(exercise, file)


EXERCISES = [pytest.param(one, id=one.name) for one in exercises().values()]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_is_open_its_answer_right_and_usual_wrong_answers_get_sentences(exercise, tmp_path):
    file = tmp_path / "mine.py"
    assert said(exercise, exercise.start, file)[0] == "open"
    assert said(exercise, exercise.answer, file) == ("right", "right")
    assert exercise.title and exercise.text and exercise.hints and len(exercise.wrong) >= 2
    sentences = [says for _, says in exercise.usual]
    for source in exercise.wrong:
        state, says = said(exercise, source, file)
        assert state == "wrong" and any(says.startswith(f"not yet; {sentence}") for sentence in sentences), (source, says)


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_a_lesson_shows_its_exercises(path, finished):
    """The holes in the lesson are those of minigan/exercises, and all of them are open."""
    process, _ = finished(path)
    number = path.stem[:2].lstrip("0")
    mine = [one for one in exercises().values() if one.name.partition(".")[0] == number]
    text = path.read_text(encoding="utf-8")
    shown = re.findall(r'lesson\.exercise\("([\d.]+)", (\w+)\)', text)
    assert shown == [(one.name, one.function) for one in mine] and mine
    assert all(one.start in text for one in mine)
    assert process.stdout.count(": open;") == len(mine)


@pytest.mark.parametrize(("exercise", "returned", "sentence"), WRONG)
def test_a_usual_wrong_answer_gets_a_sentence(exercise, returned, sentence, answer):
    state, says = answer(exercise, f"return {returned}")
    assert state == "wrong" and says.startswith("not yet; ") and sentence in says


def test_every_sentence_about_wrong_answers_is_given():
    given = " ".join(sentence for *_, sentence in WRONG)
    first = [exercises()[name].usual for name in ("1.1", "1.2", "2.1")]
    for says in {says for pairs in [*first, ERRORS] for _, says in pairs}:
        assert any(sentence in says for *_, sentence in WRONG), (says, given)


@pytest.mark.parametrize(
    ("exercise", "returned"),
    [
        ("1.1", "[g * b**-1, g * -1 * a * (b * b)**-1]"),
        ("1.2", "g - g * y**2"),
        ("2.1", "((1 - a)**2).mean() / 2 + np.mean(b**2) / 2, np.mean((1 - b)**2) / 2"),
    ],
)
def test_a_right_answer_may_look_different(exercise, returned, answer):
    assert answer(exercise, f"return {returned}") == ("right", "right")


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
def test_a_false_claim_gets_a_cross_or_raises(lesson, capsys, value, expected, atol):
    lesson.claim(value, expected, atol=atol, says="so it is")
    assert re.search("  ✗  so it is: the text says .* but this machine computes", capsys.readouterr().out)
    lesson.strict = True
    with pytest.raises(FalseClaim, match="99_test: so it is: the text says .* but this machine computes"):
        lesson.claim(value, expected, atol=atol, says="so it is")
    with pytest.raises(SystemExit, match="1"):
        lesson.end()
    assert "99_test: 0 claims hold, 2 do not," in capsys.readouterr().out


@pytest.mark.parametrize("value", [None, "five", [1, [2, 3]], object(), {}])
def test_a_claim_about_what_is_no_number_is_false(lesson, capsys, value):
    lesson.claim(value, 1.0, says="one")
    assert "✗  one: the text says 1 within 0, but this machine computes " in capsys.readouterr().out


def test_claims_take_tensors(lesson):
    import minigan as mg

    lesson.claim(mg.tensor([1.0, 2.0]), [1.0, 2.0], says="a Tensor")
    lesson.claim(mg.tensor(1.0), mg.tensor(2.0), says="two")
    assert [about["state"] for about in lesson.claims] == ["true", "false"]


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
        lesson.claim(1, 2, full=True, says="only later")
        assert lesson.claims[-1]["state"] == "false"


def test_an_exercise_is_open_then_not_yet_then_right(lesson, capsys):
    for answer, state in ((None, "open"), (2.0, "wrong"), (3.05, "right")):
        lesson.exercise(Exercise("9.1", lambda f: f(1), 3.0, atol=0.1), lambda x, answer=answer: answer)
        assert lesson.exercises["9.1"]["state"] == state
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert "open" in lines[0] and "not yet; it gives 2, and right would be 3" in lines[1] and lines[2].endswith(": right")
    lesson.end()  # right in the end
    assert capsys.readouterr().out.endswith("exercises: 9.1 right\n")


def test_a_wrong_exercise_ends_with_1_and_an_open_one_with_0(lesson, capsys):
    lesson.exercise(Exercise("9.1", lambda f: f(), 3.0), lambda: None)
    lesson.end()
    lesson.exercise(Exercise("9.2", lambda f: f(), 3.0), lambda: 1)
    with pytest.raises(SystemExit, match="1"):
        lesson.end()
    assert capsys.readouterr().out.endswith("exercises: 9.1 open, 9.2 wrong\n")


def test_no_answer_ends_the_lesson(lesson, capsys):
    def deep():
        return deep()

    for i, function in enumerate((deep, lambda: 1 / 0, lambda: {}["x"], lambda: int("x"), lambda: object(), 3)):
        lesson.exercise(Exercise(f"9.{i}", lambda f: f() + 1, 3.0), function)
    lines = capsys.readouterr().out.splitlines()
    assert "ZeroDivisionError: division by zero" in lines[-5] and "`for i, function in" in lines[-5]
    assert all("not yet; " in line for line in lines[-6:])


def test_a_figure_that_fails_is_not_saved(lesson):
    with lesson.figure("good", width=2, height=1) as figure:
        figure.add_subplot().plot([0, 1])
    with pytest.raises(ZeroDivisionError), lesson.figure("bad"):
        raise ZeroDivisionError
    assert [file.name for file in lesson.folder.iterdir()] == ["good.png"]


def test_in_a_notebook_figures_show_and_the_end_is_no_exit(lesson, monkeypatch):
    shown = []
    shell = SimpleNamespace(kernel=object())
    image = lambda filename, metadata: (filename, metadata)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, version_info=(9, 0)))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(Image=image, display=shown.append))
    with lesson.figure("seen", width=2, height=1) as figure:
        figure.add_subplot().plot([0, 1])
    assert shown == [(str(lesson.folder / "seen.png"), {"alt": "seen"})] and (lesson.folder / "seen.png").is_file()
    lesson.claim(1, 2, says="two")
    lesson.end()  # raises no SystemExit, which a notebook would show as an error


def test_ticks_become_words_where_they_cannot_be_written(tmp_path):
    script = tmp_path / "99_test.py"
    script.write_text("from minigan.lesson import Lesson\nlesson = Lesson('99_test')\nlesson.claim(1, 1, says='one')\n")
    process = run(script, tmp_path, PYTHONIOENCODING="ascii")
    assert process.returncode == 0 and "  ok one: 1" in process.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "| head -1"])
def test_a_lesson_runs_without_standard_output(closed, tmp_path):
    script = "from minigan.lesson import Lesson\nlesson = Lesson('99_test')\n" + "lesson.claim(1, 1, says='one')\n" * 9
    (tmp_path / "99_test.py").write_text(script + "open('done', 'w').close() if lesson.claims else None\nlesson.end()\n")
    command = f"{sys.executable} 99_test.py {closed}"
    process = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0 and "Traceback" not in process.stderr
    assert closed.startswith("|") or (tmp_path / "done").exists()


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


def test_a_copy_can_be_changed_and_run(tmp_path, monkeypatch, capfd):
    folder = tmp_path / "my lessons"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert cli.main(["lesson", "1", "--copy"]) == 0
    assert "run it with `minigan lesson 01_tape.py`" in capfd.readouterr().out
    copy = folder / "01_tape.py"
    assert copy.read_bytes() == LESSONS[0].read_bytes()
    copy.write_text(
        copy.read_text("utf-8").replace("    return None", "    return g * b**-1", 1).replace("5.5, says", "5, says", 1),
        "utf-8",
    )
    assert cli.main(["lesson", "01_tape.py", "--fast"]) == 1
    output = capfd.readouterr().out
    assert "the text says 5 within 0" in output and "exercise 1.1: not yet; the function must return 2 values" in output
    assert (folder / "lesson-figures" / "01_tape" / "differences.png").is_file()
    assert cli.main(["lesson", "1", "--copy"]) == 2
    assert "01_tape.py: is there already" in capfd.readouterr().err
    assert cli.main(["lesson", "no.py"]) == 2 and "no.py: no such file" in capfd.readouterr().err


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A lesson of one's own in the current folder, with a true claim, a false one, and a wrong exercise: its file's name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        """from minigan.exercises import Exercise
from minigan.lesson import Lesson
lesson = Lesson("mine")
lesson.claim(1, 1, says="one")
lesson.claim(1, 2, says="two", full=True)
lesson.claim([2, 2], [1, 3], says="three", atol=0.5)
print("hello")
lesson.exercise(Exercise("9.1", lambda function: function(), 2), lambda: 1)
lesson.exercise(Exercise("9.2", lambda function: function(), 2), lambda: None)
lesson.end()
"""
    )
    return "mine.py"


def test_a_teacher_gets_json(own, capfd):
    assert cli.main(["lesson", own, "--fast", "--json"]) == 1
    out, err = capfd.readouterr()
    assert "exercise 9.1: not yet" in err and "lesson mine, short run" in err and "hello" in err
    claim = {"says": "one", "value": "1", "expected": "1", "within": 0.0, "state": "true"}
    assert json.loads(out) == {
        "lesson": "mine",
        "run": "short",
        "ok": False,
        "finished": True,
        "error": None,
        "exercises": [
            {"name": "9.1", "state": "wrong", "says": "not yet; it gives 1, and right would be 2"},
            {
                "name": "9.2",
                "state": "open",
                "says": "open; the function returns None: write your answer in place of `return None`, and run again",
            },
        ],
        "claims": [
            claim,
            {**claim, "says": "two", "value": None, "expected": "2", "state": "left out"},
            {**claim, "says": "three", "value": "[2, 2]", "expected": "[1, 3]", "within": 0.5, "state": "false"},
        ],
    }


def test_a_strict_run_stops(own, capfd):
    assert cli.main(["lesson", own, "--strict"]) == 1
    out, err = capfd.readouterr()
    assert "FalseClaim: mine: two: the text says 2 within 0" in err and "three" not in out + err


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "from minigan.lesson import Lesson\nlesson = Lesson('a')\nlesson.claim(1, 1, says='one')\n1 / 0\n",
            "ZeroDivisionError: division by zero",
        ),
        ("1 / 0\n", "it ended before its Lesson was made"),
        ("def (:\n", "it ended before its Lesson was made"),
    ],
)
def test_a_teacher_gets_json_of_a_lesson_that_breaks_off(text, error, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(text)
    assert cli.main(["lesson", "a.py", "--json"]) == 1
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert (found["ok"], found["finished"], found["error"]) == (False, False, error) and "Error" in err


@pytest.mark.parametrize("which", ["99", "first", "-1", "²", "0"])
def test_the_command_names_the_lessons_there_are(which, capsys):
    assert cli.main(["lesson", which]) == 2
    assert f"there is no lesson {which!r}; the lessons are 1, 2" in capsys.readouterr().err


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """As if minigan were installed without its repository, and run in an empty folder."""
    monkeypatch.setattr(checkout, "PACKAGE", tmp_path / "site-packages" / "minigan")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_without_lessons_the_command_says_where_they_are(elsewhere, capsys):
    assert cli.main(["lesson"]) == 2
    assert "are in the repository, not in the installed package; get minigan" in capsys.readouterr().err
    (elsewhere / "lessons").mkdir()
    (elsewhere / "lessons" / "notes.py").touch()
    with pytest.raises(ConfigError, match="cannot find the lessons"):
        lesson_files.find()


def test_lessons_in_this_folder_are_found_and_their_failure_is_told(elsewhere, capfd):
    folder = elsewhere / "lessons"
    folder.mkdir()
    (folder / "07_fails.py").write_text('# %% [markdown] id="a"\n# # 7. Fails\n\n# %% id="b"\n1 / 0\n')
    (folder / "10_works.py").write_text("import sys\nprint(sys.argv[1:])\n")
    assert list(lesson_files.find()) == [7, 10]
    assert cli.main(["lesson"]) == 0 and "7. Fails\n  10_works" in capfd.readouterr().out
    assert cli.main(["lesson", "7"]) == 1 and "ZeroDivisionError" in capfd.readouterr().err
    assert cli.main(["lesson", "10", "--fast"]) == 0 and "['--fast']" in capfd.readouterr().out
