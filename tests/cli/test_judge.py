"""evaluate, compare, tune and list: what they print, what they leave behind, and what they refuse."""

import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minigan import locks
from minigan.cli import tune
from minigan.cli.judge import figure, meanings, seeds, spread, table
from minigan.cli.tune import grid
from minigan.errors import ConfigError
from minigan.metrics import Metric, Needs, Number
from minigan.metrics.modes import MODES
from minigan.runs.folder import Run
from minigan.systems import registry
from minigan.systems.registry import systems
from minigan.train.objectives import OBJECTIVES

POINTS = ["gan", "--batch-size", "8", "--set", "latent=4", "--data", "ring8"]


# ---- evaluate --------------------------------------------------------------------------------------------------------


def test_evaluate_prints_writes_and_repeats_the_same_numbers(minigan, points_run):
    code, out, err = minigan("evaluate", points_run, "--metrics", "modes,energy")
    assert code == 0, err
    assert "gan on ring8, step 4, 2,500 samples" in out and re.search(r"reverse-kl +[\d.]+ +lower is better", out)
    assert "\nmodes: number of modes with one of 2,500 samples within 3 std" in out
    assert "reverse-kl: KL(modes of samples || uniform) [nats]" in out
    (entry,) = json.loads((points_run / "evaluation.json").read_text())["evaluations"]
    assert (entry["step"], entry["samples"]) == (4, 2500) and set(entry["metrics"]) > {"modes", "energy"}
    before = (points_run / "evaluation.json").read_bytes()
    _, again, _ = minigan("evaluate", points_run, "--metrics", "modes,energy", "--json")
    assert json.loads(again)["metrics"] == entry["metrics"]
    assert (points_run / "evaluation.json").read_bytes() == before
    assert f">{entry['metrics']['energy']:.4g}<" in (points_run / "report.html").read_text()


def test_default_stands_for_all_metrics_that_fit_as_in_the_setting(minigan, points_run):
    texts = [
        minigan("evaluate", points_run, *given, "-n", 2500, "--json")[1]
        for given in ([], ["--metrics", "default"], ["--metrics", "modes,default"])
    ]
    assert texts[0] == texts[1] == texts[2] and "reverse-kl" in texts[0]


def test_where_no_metric_fits_evaluate_says_so(refused, points_run, monkeypatch):
    from minigan.runs import evaluation

    monkeypatch.setattr(evaluation, "chosen", lambda *given: [])
    assert "no metric fits ring8, and gan has none of its own" in refused("evaluate", points_run)


def test_evaluations_are_kept_one_per_step(minigan, points_run):
    minigan("evaluate", points_run, "--metrics", "energy", "-n", 600)
    minigan("evaluate", points_run, "--metrics", "pr-points", "-n", 600)
    minigan("evaluate", points_run / "checkpoints" / "step_000002.npz", "--metrics", "energy", "-n", 600)
    entries = json.loads((points_run / "evaluation.json").read_text())["evaluations"]
    assert [entry["step"] for entry in entries] == [2, 4]
    assert list(entries[1]["metrics"]) == ["energy", "precision-points", "recall-points"]
    before = entries[1]["metrics"]
    minigan("evaluate", points_run, "--metrics", "energy", "-n", 700)  # nothing is replaced by nothing
    entry = json.loads((points_run / "evaluation.json").read_text())["evaluations"][1]
    assert entry["samples"] == 700 and entry["metrics"]["energy"] != before["energy"]
    assert entry["samples_of"] == {"precision-points": 600, "recall-points": 600}
    assert entry["metrics"]["recall-points"] == before["recall-points"]
    assert "(3 neighbours), of 600 samples" in (points_run / "report.html").read_text()
    minigan("evaluate", points_run, "--metrics", "pr-points", "-n", 700)
    assert "samples_of" not in json.loads((points_run / "evaluation.json").read_text())["evaluations"][1]


def test_evaluate_changes_nothing_else(minigan, points_run):
    files = {path: path.read_bytes() for path in points_run.rglob("*.*") if path.suffix in (".npz", ".jsonl", ".toml")}
    minigan("evaluate", points_run, "--metrics", "energy")
    assert files and all(path.read_bytes() == data for path, data in files.items())


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["--metrics", "fdi"], "there is no metric 'fdi'; did you mean 'fid'?"),
        (["--metrics", "modes"], "modes does not fit digits"),
        (["--metrics", "fid", "-n", "100"], "fid-digits needs at least 2,000 samples, got 100"),
        (["--metrics", "iwae"], "gan has no iwae: it draws samples and gives no probability to data"),
        (
            ["--metrics", "importance-bound"],
            "a bound on the likelihood needs an encoder that says how likely each z is; see vae",
        ),
        *[
            (["--metrics", text], f"metrics {text!r}: names no metric; give a name from `minigan list metrics`, or default")
            for text in ("", ",", " , ")
        ],
        (["-n", "0"], "-n: must be a whole number from 1"),
        (["--metric", "fid"], "unknown option --metric; did you mean '--metrics'?"),
    ],
)
def test_what_cannot_be_measured_is_refused(refused, run, arguments, text):
    assert text in refused("evaluate", run, *arguments)
    assert not (run / "evaluation.json").exists()


def test_a_run_without_a_checkpoint_has_nothing_to_measure(refused, own_folder):
    from minigan.runs.session import Session

    Session.start("gan", "ring8", overrides={"batch_size": 8}, out=own_folder / "young")
    assert "no checkpoint with a trained network; train it with `minigan resume young`" in refused("evaluate", "young")


def test_one_metric_of_many_that_cannot_be_had_blocks_no_other(minigan, points_run):
    code, out, err = minigan("evaluate", points_run, "--metrics", "modes,energy,diversity", "-n", 600)
    assert code == 2 and re.search(r"energy +[\d.]+", out) and "diversity" in out and "modes:" not in out
    assert err == "warning: modes could not be measured: modes needs at least 2,500 samples, got 600\n"
    (entry,) = json.loads((points_run / "evaluation.json").read_text())["evaluations"]
    assert set(entry["metrics"]) == {"energy", "diversity"}
    code, out, _ = minigan("evaluate", points_run, "--metrics", "modes,energy", "-n", 600, "--json")
    found = json.loads(out)
    assert code == 2 and list(found["metrics"]) == ["energy"] and list(found["failed"]) == ["modes"]


def test_what_fails_leaves_what_was_measured_before(minigan, refused, points_run):
    minigan("evaluate", points_run, "--metrics", "energy", "-n", 600)
    before = (points_run / "evaluation.json").read_bytes()
    for arguments in (["--metrics", ","], ["--metrics", "modes"], ["--metrics", "fid", "-n", "5"], ["--metrics", "enrgy"]):
        refused("evaluate", points_run, "-n", 600, *arguments)
        assert (points_run / "evaluation.json").read_bytes() == before


def test_the_numbers_are_shown_even_where_they_cannot_be_saved(minigan, points_run, monkeypatch):
    from minigan.errors import CheckpointError
    from minigan.runs.folder import Run

    def full(*given):
        raise CheckpointError("evaluation.json: cannot be written: the disk is full")

    monkeypatch.setattr(Run, "note_evaluation", full)
    code, out, err = minigan("evaluate", points_run, "--metrics", "energy", "-n", 600)
    assert code == 2 and re.search(r"energy +[\d.]+", out)
    assert err == "minigan: the numbers are not saved: evaluation.json: cannot be written: the disk is full\n"


def test_a_damaged_evaluation_file_does_not_hide_the_numbers(minigan, points_run):
    (points_run / "evaluation.json").write_text("{")
    _, out, err = minigan("evaluate", points_run, "--metrics", "energy", "-n", 600)
    assert re.search(r"energy +[\d.]+", out) and "Traceback" not in err


def test_numbers_that_no_metric_gave_are_not_written(points_run):
    from minigan.runs.folder import Run

    run = Run.open(points_run)
    run.note_evaluation(4, 600, {"energy": 0.5})
    run.note_evaluation(4, 900, {})
    assert [entry["metrics"] for entry in run.evaluations()] == [{"energy": 0.5}]


FEATURES = "def plain(x):\n    return x.reshape(len(x), -1)\n\ndef one(x):\n    return x[:, :1] + x[:, 1:]\n"


def test_features_that_the_user_brings(minigan, refused, points_run, own_folder):
    Path("mine.py").write_text(FEATURES)
    code, out, err = minigan("evaluate", points_run, "--features", "mine.py:plain", "--metrics", "fid,pr", "--json")
    assert code == 0, err
    assert list(json.loads(out)["metrics"]) == ["fid-features", "precision-features", "recall-features"]
    (entry,) = json.loads((points_run / "evaluation.json").read_text())["evaluations"]
    assert entry["features"] == "mine.py:plain"
    minigan("evaluate", points_run, "--features", "mine.py:one", "--metrics", "kid-features")  # not to be mixed
    (entry,) = json.loads((points_run / "evaluation.json").read_text())["evaluations"]
    assert entry["features"] == "mine.py:one" and list(entry["metrics"]) == ["kid-features"]
    code, out, _ = minigan("evaluate", points_run, "--features", "mine.py:plain")
    assert code == 0 and "fid-features" in out and "reverse-kl" in out
    assert "has no function 'plian'; did you mean 'plain'?" in refused("evaluate", points_run, "--features", "mine.py:plian")
    assert "features of your own are needed: --features" in refused("evaluate", points_run, "--metrics", "kid-features")


# ---- samples without a run -------------------------------------------------------------------------------------------


def test_samples_in_a_file_are_judged_without_a_run(minigan, run):
    assert minigan("sample", run, "-n", 1000, "--npz", "G.npz")[0] == 0
    code, out, err = minigan("evaluate", "--samples", "G.npz", "--data", "digits", "--metrics", "is,digits", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["file"], found["data"], found["samples"]) == ("G.npz", "digits", 1000) and found["failed"] == {}
    _, out, _ = minigan("evaluate", run, "-n", 1000, "--metrics", "is,digits", "--json")
    assert json.loads(out)["metrics"] == found["metrics"]
    code, out, err = minigan("evaluate", "--samples", "G.npz", "--data", "digits", "-n", 600)
    assert code == 0 and out.startswith("G.npz beside digits, 600 samples\n") and "digits-confidence" in out
    assert "is-digits could not be measured: is-digits needs at least 1,000 samples, got 600" in err


def test_arrays_of_any_name_and_points(minigan):
    points = np.random.default_rng(0).standard_normal((600, 2))
    np.save("p.npy", points)
    np.savez("q.npz", x=points.astype(np.float32), labels=np.zeros(600, int))
    texts = [
        minigan("evaluate", "--samples", file, "--data", "swiss-roll")[1].partition("\n")[2] for file in ("p.npy", "q.npz")
    ]
    assert "energy" in texts[0] and texts[0] == texts[1]


@pytest.mark.parametrize(
    "arrays, text",
    [
        ({"images": np.full((600, 1, 28, 28), np.nan)}, "470,400 of 470,400 values are NaN or infinite"),
        ({"images": np.full((600, 1, 28, 28), 255, np.uint8)}, "pictures are floats in [-1, 1], got uint8; use x / 127.5 - 1"),
        ({"images": np.full((600, 1, 28, 28), 255.0)}, "values from 255 to 255, and must be in [-1, 1]; use x / 127.5 - 1"),
        ({"images": np.zeros((600, 1, 8, 8))}, "the samples have shape (1, 8, 8), the real ones (1, 28, 28)"),
        ({"images": np.zeros((0, 1, 28, 28))}, "needs at least"),
        ({"images": np.zeros((1, 1, 28, 28))}, "needs at least"),
        ({"images": np.zeros(3)}, "the samples have shape ()"),
        ({"images": np.array(1.0)}, "holds one value in the place of an array"),
        ({"images": np.zeros((600, 1, 28, 28)), "labels": np.array(3)}, "holds one value in the place of an array"),
        ({"images": np.array(["a"])}, "needs real numbers, got <U1"),
        ({"images": np.array([{}])}, "holds Python objects"),
        ({"a": np.zeros(2), "b": np.zeros(2)}, "none of its arrays (a, b) is called images; rename one"),
        ({"images": np.zeros((600, 1, 28, 28)), "labels": np.zeros(5, int)}, "600 samples need as many labels"),
    ],
)
def test_samples_that_nothing_can_be_measured_of_are_refused(refused, arrays, text):
    np.savez("G.npz", **arrays)
    assert text in refused("evaluate", "--samples", "G.npz", "--data", "digits")


def test_what_does_not_belong_to_samples_is_refused(refused, run):
    np.savez("G.npz", images=np.zeros((600, 1, 28, 28)))
    Path("G.txt").write_text("x")
    Path("bad.npz").write_text("x")
    of = ["evaluate", "--samples", "G.npz", "--data", "digits"]
    assert "give one of the two" in refused("evaluate") and "give one of the two" in refused(*of, run)
    assert "--samples needs the data set to compare with: --data NAME" in refused("evaluate", "--samples", "G.npz")
    assert "--device is for a run" in refused(*of, "--device", "cpu")
    assert "--accept-changed-data is for a run" in refused(*of, "--accept-changed-data")
    assert "holds 600 samples, so -n 700 cannot be taken" in refused(*of, "-n", 700)
    assert "names no metric" in refused(*of, "--metrics", ",")
    assert "G.npz has no elbo" in refused(*of, "--metrics", "elbo")
    assert "nowhere.npz: is no file" in refused("evaluate", "--samples", "nowhere.npz", "--data", "digits")
    assert "is neither a .npz nor a .npy" in refused("evaluate", "--samples", "G.txt", "--data", "digits")
    assert "bad.npz: cannot be read as .npz" in refused("evaluate", "--samples", "bad.npz", "--data", "digits")
    assert "a run knows its data" in refused("evaluate", run, "--data", "mnist")


# ---- compare ---------------------------------------------------------------------------------------------------------


def judged(minigan, name, *arguments, **metrics):
    """A run of 2 steps that was measured with this result."""
    from minigan.runs.folder import Run

    assert minigan("train", *POINTS, "--steps", 2, "--out", name, *arguments)[0] == 0
    if metrics:
        Run.open(name).note_evaluation(2, 2500, metrics)
    return name


def test_compare_averages_runs_that_differ_in_the_seed_only(minigan):
    values = [4.0, 6.0, 5.0]
    runs = [
        judged(minigan, f"s{seed}", "--seed", seed, "--set", f"log_every={seed + 1}", modes=value)
        for seed, value in enumerate(values)
    ]
    other = judged(minigan, "other", "--set", "objective=hinge", "--set", "ema=0.9", modes=8.0)
    code, out, err = minigan("compare", *runs, other)
    assert code == 0 and err == ""
    assert re.search(r"1  gan ema=0.0 objective=non-saturating +ring8 +0-2 +2 ", out)
    assert re.search(r"2  gan ema=0.9 objective=hinge +ring8 +0 +2 ", out)
    assert re.search(rf"modes +5 \+- {statistics.stdev(values):.2g} +8 +higher is better", out)
    assert out.endswith("plot: compare.png\n") and Path("compare.png").read_bytes()[:4] == b"\x89PNG"
    _, text, _ = minigan("compare", *runs, other, "--json")
    rows = json.loads(text)
    assert [row["metrics"]["modes"] for row in rows] == [*values, 8.0] and len({row["group"] for row in rows}) == 2


def test_compare_warns_of_what_cannot_be_compared_and_tells_what_is_missing(minigan, run, points_run):
    code, out, err = minigan("compare", run, points_run)
    assert code == 0 and "warning: these runs use different data (digits, ring8)" in err and err.count("\n") == 1
    assert f"not measured yet: minigan evaluate {run}; minigan evaluate {points_run}" in out


def test_compare_warns_of_different_numbers_of_samples(minigan):
    from minigan.runs.folder import Run

    one, two = judged(minigan, "one", modes=1.0), judged(minigan, "two", "--seed", 1)
    Run.open(two).note_evaluation(2, 5000, {"modes": 2.0})
    assert "warning: these runs were measured with different numbers of samples (2500, 5000)" in minigan("compare", one, two)[2]


def test_compare_counts_a_run_once(minigan, own_folder):
    one, two = judged(minigan, "one", modes=1.0), judged(minigan, "two", "--seed", 1, modes=3.0)
    shutil.copytree(one, "copy")
    (own_folder / "link").symlink_to(one)
    code, out, err = minigan("compare", one, two, "./one", "link", "one/checkpoints/step_000002.npz", "copy")
    assert code == 0 and re.search(r"modes +2 \+- 1.4 ", out) and re.search(r"ring8 +0,1 ", out)
    assert err.count("one is given more than once, and counts once") == 1, err
    assert "copy and one have the same settings, seed, log and times: they are one run, and count once" in err
    assert len(json.loads(minigan("compare", one, "link", "--json")[1])) == 1


def test_compare_says_when_steps_or_seconds_differ_much(minigan):
    from minigan.runs.folder import Run

    runs = [judged(minigan, name, "--seed", seed, modes=1.0) for seed, name in enumerate(("one", "two", "three"))]
    for name, seconds in zip(runs, (10.0, 12.0, 30.0)):
        Run.open(name).note_seconds(2, seconds)
    assert minigan("compare", *runs[:2])[2] == ""
    assert "from 10 to 30 seconds of training: a longer training alone can explain" in minigan("compare", *runs)[2]
    assert minigan("resume", "two", "--steps", 20)[0] == 0
    Run.open("two").note_seconds(20, 12.0)
    Run.open("two").note_evaluation(20, 2500, {"modes": 8.0})
    assert "these runs have from 2 to 20 steps: a longer training alone can explain" in minigan("compare", *runs[:2])[2]


def test_compare_says_when_runs_of_a_group_have_one_seed(minigan):
    one, two = judged(minigan, "one", modes=1.0), judged(minigan, "two", modes=3.0)
    went_on_elsewhere(two)
    assert "gan: several runs have the seed 0, so their numbers are not independent" in minigan("compare", one, two)[2]


def went_on_elsewhere(name):
    """Make the log differ, as when the run went on from a checkpoint on another machine."""
    from minigan.runs.folder import Run

    Run.open(name).log({"step": 2, "D": 1.0})


def test_compare_says_when_features_differ(minigan):
    from minigan.runs.folder import Run

    one, two = judged(minigan, "one"), judged(minigan, "two", "--seed", 1)
    Run.open(one).note_evaluation(2, 2500, {"fid-features": 1.0}, "a.py:f")
    Run.open(two).note_evaluation(2, 2500, {"fid-features": 2.0}, "b.py:f")
    assert "come from different features (a.py:f, b.py:f)" in minigan("compare", one, two)[2]


def test_compare_knows_a_number_that_two_systems_call_alike(monkeypatch):
    other = Metric("other", [Number("elbo", "lower", "another thing")], None, Needs("nothing", "it cannot"))
    both = systems() | {"other": SimpleNamespace(metrics=[other])}
    monkeypatch.setattr(registry, "systems", lambda: both)
    known = [{"system": name, "metrics": {"elbo": 1.0, "fid-digits": 2.0}} for name in ("vae", "vae", "other")]
    assert [number.better for number in meanings(known[:2]).values()] == ["higher", "lower"]
    assert meanings(known[2:])["elbo"].better == "lower"
    assert meanings(known)["elbo"] is None and meanings(known)["fid-digits"].better == "lower"


def test_compare_refuses_what_is_no_run(refused, run, own_folder):
    assert "nowhere: no such file or folder" in refused("compare", run, "nowhere")
    assert "x.jpg: does not end in .png; name the file *.png" in refused("compare", run, "-o", "x.jpg")


def test_numbers_as_a_reader_wants_them():
    assert [figure(v) for v in (3, 2500.0, 0.123456, 1e-7, None, math.nan)] == ["3", "2500", "0.1235", "1e-07", "-", "nan"]
    assert spread([1.0, 3.0]) == "2 +- 1.4" and spread([None, 2.0]) == "2 (1 of 2)" and spread([None]) == "-"
    assert [seeds(v) for v in ([0], [3, 1], [2, 0, 1], [0, 5, 6])] == ["0", "1,3", "0-2", "0,5,6"]
    assert table([["", "n"], ["a", "1"], ["bb", "10"]]) == ["     n", "a    1", "bb  10"]


# ---- tune ------------------------------------------------------------------------------------------------------------


def test_grid_makes_all_combinations():
    assert grid(["lr=1e-4,2e-4", "batch_size=32,64"]) == [
        {"lr": "1e-4", "batch_size": "32"},
        {"lr": "1e-4", "batch_size": "64"},
        {"lr": "2e-4", "batch_size": "32"},
        {"lr": "2e-4", "batch_size": "64"},
    ]
    for wrong in (["lr"], ["=1"], ["lr=1,,2"], ["lr="]):
        with pytest.raises(ConfigError, match="--grid takes KEY=A,B"):
            grid(wrong)
    with pytest.raises(ConfigError, match="--grid lr is given twice; put all its values into one --grid"):
        grid(["lr=1", "lr=2"])


TUNE = ["tune", *POINTS, "--metric", "energy", "--steps", 6, "--out", "search", "--jobs", 2]


def test_tune_sorts_by_the_metric_and_a_diverged_run_is_a_row(minigan):
    arguments = [*TUNE, "--set", "objective=least-squares", "--grid", "lr=1e-3,1e8"]
    code, out, err = minigan(*arguments)
    assert code == 2, err  # a point failed
    lines = out[out.index("  lr  ") :].splitlines()
    assert lines[0].split()[:2] == ["lr", "energy"] and lines[1].startswith("1e-3") and lines[2].strip().startswith("1e8")
    assert "failed: step" in lines[2] and "Inf in its output" in lines[2]
    assert "best (energy, lower is better): --set lr=1e-3" in out
    rows = json.loads(Path("search/results.json").read_text())["runs"]
    assert set(rows) == {"lr=1e-3,seed=0", "lr=1e8,seed=0"} and rows["lr=1e-3,seed=0"]["value"] > 0
    run = Path("search/lr=1e-3,seed=0")
    assert (run / "report.html").exists() and minigan("evaluate", run, "--metrics", "energy")[0] == 0
    stamps = {path: path.stat().st_mtime_ns for path in run.rglob("*.npz")}
    code, again, _ = minigan(*arguments)  # only the point that failed is tried again
    assert code == 2 and "1 are already done" in again and again[again.index("  lr  ") :] == out[out.index("  lr  ") :]
    assert stamps == {path: path.stat().st_mtime_ns for path in run.rglob("*.npz")}


def test_tune_goes_on_with_what_is_left(minigan):
    arguments = [*TUNE, "--grid", "lr=1e-3", "--seeds", "0-1"]
    minigan(*arguments)
    file = Path("search/results.json")
    saved = json.loads(file.read_text())
    kept = saved["runs"].pop("lr=1e-3,seed=1")
    file.write_text(json.dumps(saved))  # as after a Ctrl-C: its run is there, its row is not
    code, out, _ = minigan(*arguments)
    assert code == 0 and "1 are already done" in out
    assert json.loads(file.read_text())["runs"]["lr=1e-3,seed=1"]["value"] == kept["value"]
    values = [row["value"] for row in json.loads(file.read_text())["runs"].values()]
    assert f"{figure(float(np.mean(values)))} +- {np.std(values, ddof=1):.2g}" in out


def test_equal_points_are_one_also_of_an_earlier_search(minigan):
    code, out, _ = minigan(*TUNE, "--grid", "lr=1e-3,0.001,.001")
    assert code == 0 and out.startswith("1 runs of gan") and os.listdir("search") == ["lr=1e-3,seed=0", "results.json"]
    code, out, _ = minigan(*TUNE, "--grid", "lr=0.001")
    assert code == 0 and "1 are already done" in out and "--set lr=1e-3" in out


def test_a_point_that_failed_is_tried_again(minigan):
    assert minigan(*TUNE, "--grid", "lr=1e-3")[0] == 0
    file = Path("search/results.json")
    saved = json.loads(file.read_text())
    row = saved["runs"]["lr=1e-3,seed=0"]
    saved["runs"]["lr=1e-3,seed=0"] = {"failed": "the disk was full", "run": row["run"]}
    file.write_text(json.dumps(saved))
    code, out, _ = minigan(*TUNE, "--grid", "lr=1e-3")
    assert code == 0 and "failed" not in out and json.loads(file.read_text())["runs"]["lr=1e-3,seed=0"] == row


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_runs_end_with_their_search_and_save(number, refused):
    command = [*TUNE, "--grid", "lr=1e-3", "--set", "log_every=1"]
    command[command.index("--steps") + 1] = 10**6
    words = [sys.executable, "-m", "minigan", *map(str, command)]
    search = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run, log = Path("search/lr=1e-3,seed=0"), Path("search/lr=1e-3,seed=0/log.jsonl")
    while not (log.exists() and log.read_text().count("\n") > 2) and search.poll() is None:
        time.sleep(0.05)
    assert re.search(r"search: another process is searching here: process \d+", refused(*map(str, command)))
    search.send_signal(number)
    _, err = search.communicate(timeout=60)
    if number == signal.SIGTERM:
        assert search.returncode == 143 and "stopped; the same command goes on with the 1 runs left" in err
    with locks.only(run / ".lock", "the run goes on", wait=60):  # its process has ended
        step = Run.open(run).newest()
    assert step and json.loads(log.read_text().splitlines()[-1])["step"] == step


def test_a_best_point_of_unequal_seeds_is_told_as_such(capsys):
    points, seeds = [{"lr": "1e-3"}, {"lr": "1e-4"}], [0, 1]
    results = {"lr=1e-3,seed=0": {"value": 8}, "lr=1e-4,seed=0": {"value": 7}, "lr=1e-4,seed=1": {"value": 7}}
    tune._show(SimpleNamespace(seeds=seeds), "search", points, results, MODES.numbers[0])
    out = capsys.readouterr().out
    assert "best (modes, higher is better): --set lr=1e-3" in out and "not every point was measured with all 2 seeds" in out


@pytest.mark.parametrize(
    "changed, text",
    [
        (["--grid", "lrr=1,2"], "gan has no setting 'lrr'; did you mean 'lr'?"),
        (["--grid", "lr=1,x"], "setting lr must be a number such as"),
        (["--grid", "lr=1", "--metric", "eneryg"], "there is no metric 'eneryg'; did you mean 'energy'?"),
        (["--grid", "lr=1", "--metric", "fid-digits"], "metric fid-digits does not fit ring8"),
        (["--grid", "lr=1", "--metric", "fid"], "metric fid-features needs features of your own, and training has none"),
        (["--grid", "latent=2,3"], "latent is in --grid and also set for all runs; remove one of them"),
        (["--grid", "lr=1", "--seeds", "3-1"], "--seeds: must be numbers such as 0-2 or 0,3"),
        (["--grid", "lr=" + ",".join(map(str, range(501)))], "are 501 runs, but a search may have at most 500; use fewer"),
        (["--grid", "lr=1", "-n", "10"], "energy needs at least 500 samples, got -n 10"),
        (["--grid", "penalty=none,dragn"], "unknown penalty 'dragn'; did you mean 'dragan'?"),
        ([], "required: --grid"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_it_starts(refused, own_folder, changed, text):
    assert text in refused(*TUNE, *changed)
    assert not (own_folder / "search").exists()


def test_a_search_is_not_mixed_with_another(minigan, refused, own_folder):
    (own_folder / "search").mkdir()
    (own_folder / "search" / "results.json").write_text('{"search": {"system": "wgan"}, "runs": {}}')
    assert "holds a search with system wgan, but this one has gan; choose another --out" in refused(*TUNE, "--grid", "lr=1")
    (own_folder / "search" / "results.json").write_text("{")
    assert "results.json: cannot be read" in refused(*TUNE, "--grid", "lr=1")
    (own_folder / "search" / "results.json").unlink()
    (own_folder / "search" / "mine.txt").write_text("x")
    assert "search: already exists and is not a search; choose another --out" in refused(*TUNE, "--grid", "lr=1")


@pytest.mark.parametrize(
    "values, clearly", [([8, 8, 5, 5], True), ([8, 6, 7, 5], False), ([8, 8, 8, 8], False), ([8, 5], True)]
)
def test_tune_says_when_the_seeds_differ_more_than_the_settings(capsys, values, clearly):
    points, seeds = [{"lr": "1e-3"}, {"lr": "1e-4"}], list(range(len(values) // 2))
    names = [tune._name(point, seed) for point in points for seed in seeds]
    results = {name: {"value": value, "seconds": 1.0} for name, value in zip(names, values)}
    tune._show(SimpleNamespace(seeds=seeds), "search", points, results, MODES.numbers[0])
    out = capsys.readouterr().out
    assert "--set lr=1e-3" in out and ("but the difference is not clear" in out) is not clearly


# ---- list, and lines about warnings and divergence ---------------------------------------------------------------------


def test_every_setting_and_objective_is_described():
    for system in systems().values():
        assert all(setting.says for setting in system.settings.values()), system.name
    assert all(objective.says_d and objective.says_g for objective in OBJECTIVES.values())


def test_the_lists_name_everything_and_fit_a_screen(minigan):
    metrics = [
        "fid-digits",
        "lower is better",
        "for points, at least 500 samples",
        "of vae: bounds on the likelihood of",
        "elbo                  evidence lower bound on ln p(x) [nats per sample]; higher is better",
    ]
    for what, words in (
        ("metrics", metrics),
        ("objectives", ["hinge", "wgan-gp", "10 times"]),
        ("lessons", ["1. "]),
        ("systems", list(systems())),
    ):
        code, out, _ = minigan("list", what)
        assert code == 0 and all(word in out for word in words)
        assert max(map(len, out.splitlines())) <= 150


def test_minigan_alone_prints_its_help(minigan):
    code, out, err = minigan()
    assert code == 0 and out.startswith("usage: minigan") and "evaluate" in out and err == ""


def test_a_warning_is_one_line_once(minigan):
    code, _, err = minigan("train", *POINTS, "--set", "objective=wasserstein", "--steps", 1, "--out", "run")
    assert code == 0 and err.count("warning: objective=wasserstein: nothing bounds D's slope") == 1
    assert "UserWarning" not in err and ".py:" not in err


def test_a_diverging_run_is_told_the_op_the_checkpoint_and_what_to_try(minigan):
    code, _, err = minigan(
        "train",
        *POINTS,
        "--set",
        "lr=1e8",
        "--set",
        "objective=least-squares",
        "--steps",
        30,
        "--set",
        "checkpoint_every=1",
        "--out",
        "run",
    )
    lines = err[err.index("minigan: ") :].splitlines()
    assert code == 2 and len(lines) == 2 and "Traceback" not in err
    assert re.match(r"minigan: step \d+: player [DG]: \w+: first (NaN|Inf) in its output", lines[0])
    assert re.match(r"run/checkpoints/step_0+\d+\.npz is the last good checkpoint|run has no checkpoint yet", lines[1])
    assert "; in a new run, try a smaller learning rate, such as --set lr=1e+07" in lines[1]
    saved = sorted(Path("run/checkpoints").glob("*.npz")) if Path("run/checkpoints").exists() else []
    if saved:
        assert saved[-1].name in lines[1] and minigan("sample", "run", "-n", 1)[0] in (0, 2)
    assert "The run diverged" in Path("run/report.html").read_text()


def test_a_command_calls_no_line_of_its_own_the_place_of_a_nan(process):
    done = process("train", *POINTS, "--set", "lr=1e8", "--set", "objective=least-squares", "--steps", 30, "--out", "run")
    assert done.returncode == 2 and "first" in done.stderr and "called at" not in done.stderr


def test_compare_takes_what_was_logged_where_nothing_was_evaluated(minigan):
    for seed in (0, 1):
        assert (
            minigan(
                "train",
                *POINTS,
                "--steps",
                2,
                "--seed",
                seed,
                "--set",
                "metrics=modes",
                "--set",
                "metrics_every=1",
                "--out",
                f"run{seed}",
            )[0]
            == 0
        )
    code, out, _ = minigan("compare", "run0", "run1")
    assert code == 0 and re.search(r"^modes +\S+", out, re.MULTILINE) and "not measured yet" not in out


def test_labels_are_drawn_and_saved(minigan, refused, run):
    assert minigan("train", "cgan", "--data", "ring8", "--batch-size", 8, "--steps", 2, "--out", "c")[0] == 0
    assert minigan("sample", "c", "-n", 5, "--label", 3, "--npz", "three.npz")[0] == 0
    assert minigan("sample", "c", "-n", 10, "--npz", "all.npz")[0] == 0
    with np.load("three.npz") as three, np.load("all.npz") as every:
        assert three["labels"].tolist() == [3] * 5 and every["labels"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]
    assert "c cannot draw" not in refused("sample", "c", "--label", 8)
    assert "cgan cannot draw label 8: its labels are 0 to 7" in refused("sample", "c", "--label", 8)
    assert "gan cannot draw label 3: it has no labels; see cgan" in refused("sample", run, "--label", 3)
