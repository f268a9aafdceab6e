"""report.html stands alone, says what was run so that it can be run again, and tells the diagnosis in words."""

import re
import shlex

import numpy as np
import pytest
from described import described
from PIL import Image

from minigan.cli import build_parser
from minigan.cli.train import overrides
from minigan.runs import report
from minigan.runs.folder import Run
from minigan.systems import registry


def made(folder, system="gan", changed=None, seed=0, data="ring8", shape=(2,)):
    settings = vars(registry.get(system).configure(changed, described(shape, data)))
    return Run.create(
        system, seed, {"data": data, "data_dir": "", "sample_shape": list(shape), "device": "cpu", **settings}, out=folder
    )


def page(run):
    return report.page(run, registry.get(run.system))


@pytest.fixture
def run(tmp_path):
    run = made(tmp_path / "run")
    for step in range(10, 610, 10):
        run.log({"step": step, "D": 0.001, "G": 9.0, "D.gradient": 1.0, "G.gradient": 2.0})
    for step in range(0, 900, 100):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(run.sample_path(step))
    return run


def test_it_needs_nothing_else(run):
    report.write(run, registry.get(run.system))
    text = run.report_path.read_text()
    sources = re.findall(r'(?:src|href|action)="([^"]*)"', text)
    assert len(sources) == 6 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"<script|<link|<iframe|https?:|url\(|@import", text)
    assert text.startswith("<!DOCTYPE html>") and text.count("<h2>") == text.count("</h2>") == 6
    for tag in ("table", "tr", "td", "div", "p", "figure", "code", "small", "body", "html"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>")


def test_it_tells_the_diagnosis_and_what_to_try(run):
    text = page(run)
    assert "D wins: its loss is 1.0e-03 and G&#x27;s is 9.00" in text and "<p>Try --set lr_d=0.00025" in text
    assert "Nothing in the curves points to a failure" not in text


def test_a_healthy_run_is_told_so_and_a_short_one_that_nothing_can_be_said(tmp_path):
    healthy, short = made(tmp_path / "healthy"), made(tmp_path / "short")
    for step in range(100):
        healthy.log({"step": step, "D": 1.2, "G": 0.9, "D.gradient": 1.0, "G.gradient": 2.0})
    short.log({"step": 1, "D": 0.0, "G": 0.9})
    assert "Nothing in the curves points to a failure" in page(healthy)
    assert "The log has too few steps to say anything" in page(short)


def test_metrics_come_with_what_they_mean(run):
    run.note_evaluation(300, 2500, {"modes": 7.0, "reverse-kl": 0.25})
    run.note_evaluation(600, 2500, {"modes": 8.0, "own": None})
    text = page(run)
    assert "Step 600, 2,500 samples" in text and ">8<" in text and "higher is better" in text
    assert "number of modes with one of 2,500 samples within 3 std" in text
    assert ">7<" in text  # an earlier step


def test_metrics_that_were_logged_stand_in_for_an_evaluation(run):
    run.log({"step": 600, "metrics": {"diversity": 0.9}})
    assert "They are not measured yet" in page(run)  # every run logs its diversity
    for step in (300, 600):
        run.log({"step": step, "metrics": {"modes": step / 100, "diversity": 0.9}})
    text = page(run)
    assert "Step 600, as logged during training" in text and ">6<" in text and "not measured yet" not in text
    run.note_evaluation(600, 2500, {"modes": 8.0})
    assert "Step 600, 2,500 samples" in page(run)


@pytest.mark.parametrize(
    "system, changed, seed, data, shape",
    [
        ("gan", None, 0, "digits", (1, 28, 28)),
        ("gan", {"lr": 3e-5, "spectral_norm": True, "steps": 77, "batch_size": 5}, 12, "ring8", (2,)),
        ("wgan-gp", {"schedule": "plateau", "monitor": "modes", "penalty_weight": 1 / 3}, 1, "ring8", (2,)),
        ("wgan-gp", {"nets": "conv"}, 0, "digits", (1, 28, 28)),
    ],
)
def test_the_command_repeats_the_run(tmp_path, system, changed, seed, data, shape):
    run = made(tmp_path / "run", system, changed, seed, data, shape)
    words = shlex.split(report.command(run, registry.get(system)))
    assert words[0] == "minigan"
    options = build_parser().parse_args(words[1:])
    again = registry.get(options.system)
    assert (options.system, options.seed, options.data or again.default_data) == (system, seed, data)
    repeated = vars(again.configure(overrides(options), described(shape, data)))
    assert repeated == {key: run.config[key] for key in repeated}


def test_names_are_text_and_no_markup(tmp_path):
    run = made(tmp_path / "run")
    run.config["data"] = "<b>&amp;\"'"
    text = page(run)
    assert "<b>" not in text and "&lt;b&gt;&amp;amp;&quot;&#x27;" in text


def test_a_folder_with_nothing_in_it_yet_has_a_report(tmp_path):
    run = made(tmp_path / "run")
    (run.folder / "env.json").unlink()
    text = page(run)
    assert "There are no samples yet" in text and "They are not measured yet" in text and "env.json cannot be read" in text
