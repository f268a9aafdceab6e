"""`minigan bench`: the benchmarks run, their results are checked, and a copy without them says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from minigan import checkout
from minigan.cli import bench, main
from minigan.errors import ConfigError


def quick(*arguments):
    """What a quick run prints, as text."""
    command = [sys.executable, "-m", "minigan", "bench", *arguments, "--quick"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("which", ["kernels", "graph", "loops"])
def test_every_row_runs_and_the_results_are_written(which, tmp_path):
    found = json.loads(quick(which, "--json", "--out", str(tmp_path)))
    assert found["benchmark"] == which and found["environment"]["kernel"] and len(found["rows"]) >= 8
    assert json.loads((tmp_path / f"{which}.json").read_text()) == found
    assert found["environment"]["kernel"] in (tmp_path / f"{which}.md").read_text()
    assert len(list(tmp_path.glob("*.png"))) == (which != "loops")  # which needs the times of a peer


def test_every_training_step_agrees_with_float64():
    found = json.loads(quick("--json"))
    rows = {row["row"]: row for row in found["rows"]}
    assert set(rows) == {
        "mlp-gan",
        "vae",
        "wgan-gp-critic",
        "toy-gan",
        "dcgan",
        "gpt",
        "conv-4x4-stride-2",
        "conv-3x3",
        "op-chain",
    }
    # In a DCGAN rounding flips an activation or two at the kink of a ReLU.
    assert all(float(row["error"]) < (2e-2 if name == "dcgan" else 1e-4) for name, row in rows.items())


def test_a_column_that_no_row_has_is_left_out():
    sys.path.insert(0, str(bench.script("steps").parent))
    from harness import markdown

    assert markdown([{"row": "a", "ours ms": 1}, {"row": "b"}], ["row", "ours ms", "theirs ms"]).splitlines() == [
        "| row | ours ms |",
        "| --- | ------- |",
        "| a   | 1       |",
        "| b   |         |",
    ]
    assert markdown([], ["row"]) == ""


def test_a_wrong_result_stops_the_benchmark(monkeypatch):
    sys.path.insert(0, str(bench.script("steps").parent))
    import steps

    monkeypatch.setattr(steps, "check_arrays", lambda build: lambda name, batch, sides: ([0.01] * len(sides), None))
    with pytest.raises(AssertionError, match=r"op-chain: off by \[0.01.* from float64"):
        steps.main(["op-chain", "--quick"])
    with pytest.raises(SystemExit):
        steps.main(["op-chian", "--quick"])


def test_the_folder_beside_the_package_goes_before_one_in_the_current_folder(monkeypatch, tmp_path):
    here = tmp_path / "here"
    monkeypatch.setattr(checkout, "PACKAGE", tmp_path / "copy" / "minigan")
    for parent in (tmp_path / "copy", here):
        (parent / "things").mkdir(parents=True)
    monkeypatch.chdir(here)
    assert checkout.find("things", Path.is_dir) is True
    assert checkout.find("things", lambda folder: folder.parent.name) == "copy"
    (tmp_path / "copy" / "things").rmdir()
    (tmp_path / "copy" / "minigan" / "things").mkdir(parents=True)  # in the package itself, as the wheel has the lessons
    assert checkout.find("things", lambda folder: folder.is_dir() and folder.parent.name) == "minigan"
    (tmp_path / "copy" / "minigan" / "things").rmdir()
    assert checkout.find("things", lambda folder: folder.is_dir() and folder) == here / "things"
    with pytest.raises(ConfigError, match=r"cannot find the others: .* \(minigan looked in .*copy.others and .*here.others\)"):
        checkout.find("others", Path.is_dir)


def test_a_copy_without_the_benchmarks_says_where_they_are(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(checkout, "PACKAGE", tmp_path / "site" / "minigan")
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "graph"]) == 2
    assert "get minigan's repository" in capsys.readouterr().err
    assert not list(Path(tmp_path).iterdir())
