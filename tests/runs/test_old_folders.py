"""Run folders made by earlier versions still open, and go on as they would have gone on then.

Each folder of old_folders/ was written before config.toml said what the fields of the data are.  samples.npz is what
`minigan sample -n 2` gave then, resumed.jsonl the last line of the log after `minigan resume` with a few more steps.  When the
pictures of `digits` became others, those of cyclegan, which translates them, were made anew with otherwise unchanged code.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan import data
from minigan.cli import main
from minigan.data.kinds import Class, Pair, Pictures, Points, Tokens
from minigan.errors import ConfigError
from minigan.runs.config import fields
from minigan.runs.folder import Run
from minigan.runs.session import Session
from minigan.viz import text_grid

OLD = Path(__file__).parent / "old_folders"
PICTURES = Pictures(1, 28, 28)
KINDS = {
    "gan-ring8": {"x": Points(2), "labels": Class(8)},
    "cgan-ring8": {"x": Points(2), "labels": Class(8)},
    "cyclegan": {"x": Pair(PICTURES, PICTURES), "labels": Class(10)},
    "seqgan": {"x": Tokens(30, 10)},
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The digits are drawn once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=KINDS)
def folder(request, tmp_path, monkeypatch, cache):
    """A copy of an old folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIGAN_CACHE", str(cache))
    return shutil.copytree(OLD / request.param, tmp_path / request.param)


def command(*arguments):
    assert not main([str(argument) for argument in arguments])


def test_every_old_folder_is_tried():
    assert {path.name for path in OLD.iterdir()} == set(KINDS)


def test_its_fields_are_known_without_its_data(folder):
    assert "fields" not in Run.open(folder).config
    assert Session.open(folder).description.kinds == KINDS[folder.name]


def test_samples_are_what_they_were(folder):
    command("sample", folder, "-n", 2, "--npz", folder / "now.npz", "-o", folder / "now.png")
    with np.load(folder / "samples.npz") as then, np.load(folder / "now.npz") as now:
        assert now.files == then.files
        for name in then.files:
            assert now[name].dtype == then[name].dtype and now[name] == pytest.approx(then[name], abs=1e-3)
    with Image.open(folder / "now.png") as picture:
        assert min(picture.size) >= 16


def test_it_goes_on_as_it_would_have_gone_on(folder):
    then = json.loads((folder / "resumed.jsonl").read_text())
    command("resume", folder, "--steps", then["step"])
    now = Run.open(folder).read_log()[-1]
    later = {"D(x)", "D(G(z))", "score(x)", "score(G(z))"}  # logged since then
    assert {name: value for name, value in now.items() if name not in later} == pytest.approx(then, rel=0.01)
    assert (folder / "report.html").exists() and (folder / "samples.gif").exists()


def test_it_can_be_evaluated(folder):
    command("evaluate", folder, "-n", 500, "--metrics", {"cyclegan": "pairs", "seqgan": "oracle"}.get(folder.name, "energy"))
    (measured,) = Run.open(folder).evaluations()
    assert measured["step"] == Session.open(folder).step and measured["metrics"]
    assert all(map(np.isfinite, measured["metrics"].values()))


def test_tokens_become_text_where_the_data_have_words(monkeypatch, tmp_path):
    session, words = Session.open(OLD / "seqgan"), tuple(f"word{k}" for k in range(30))
    monkeypatch.setattr(data.TokenDataset, "words", words)
    session.picture(tmp_path / "x.png", 5)
    with Image.open(tmp_path / "x.png") as picture:
        assert np.array_equal(np.asarray(picture), text_grid(session.sample(5), words)[:, :, 0])


@pytest.mark.parametrize(
    "name, shape, x, classes",
    [
        ("digits", [1, 28, 28], PICTURES, 10),
        ("mnist", [1, 5, 4], Pictures(1, 5, 4), 10),
        ("fashion-mnist", [1, 28, 28], PICTURES, 10),
        ("grid25", [2], Points(2), 25),
        ("two-moons", [2], Points(2), 2),
        ("swiss-roll", [2], Points(2), None),
    ],
)
def test_the_fields_of_every_data_set_that_old_folders_can_have(name, shape, x, classes):
    found = fields({"data": name, "sample_shape": shape})
    assert found == ({"x": x} if classes is None else {"x": x, "labels": Class(classes)})


def test_what_the_config_says_comes_first():
    config = {"data": "ring8", "sample_shape": [2], "fields": {"x": "tokens 5x7", "masks": "mask 4x4"}}
    assert fields(config)["x"] == Tokens(5, 7) and list(fields(config)) == ["x", "masks"]
    with pytest.raises(ConfigError, match="is no kind of data"):
        fields(config | {"fields": {"x": "stripes 5"}})
