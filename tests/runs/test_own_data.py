"""Data sets that are given as objects: trained on, evaluated, resumed, and told from others by their contents."""

import numpy as np
import pytest
from PIL import Image

import minigan as mg
from minigan.cli import main
from minigan.errors import CheckpointError, ConfigError

TINY = dict(batch_size=8, latent=4, width=8, quiet=True)


def points(seed=0):
    return mg.data.arrays(np.random.default_rng(seed).standard_normal((300, 2)), name="cloud")


def weights(run):
    return [array for net in run.game.state_dict()["nets"].values() for array in net.values()]


def test_points_in_an_array(tmp_path, capsys):
    run = mg.runs.train("gan", data=points(), steps=4, out=tmp_path / "run", **TINY)
    assert run.data_name == "cloud" and run.sample(5).shape == (5, 2)
    found = run.evaluate(["energy", "pr-points", "memorisation"], n=1000)
    assert len(found) == 4 and all(np.isfinite(value) for value in found.values())
    half = mg.runs.train("gan", data=points(), steps=2, out=tmp_path / "half", **TINY)
    again = mg.runs.open(half.run.folder, data=points())
    again.train(steps=4)
    assert all(np.array_equal(a, b) for a, b in zip(weights(run), weights(again)))
    assert main(["resume", str(half.run.folder), "--steps", "6"]) == 2
    assert "was trained on its author's own data set; open it in Python with" in capsys.readouterr().err
    assert main(["sample", str(half.run.folder), "-n", "4", "-o", str(tmp_path / "x.png")]) == 0
    with pytest.raises(CheckpointError, match=r"the data have changed .* \(then 270 samples; now 270 samples\)"):
        mg.runs.open(half.run.folder, data=points(1)).train(steps=6)
    other = mg.runs.open(half.run.folder, data=points(1), accept_changed_data=True)
    other.train(steps=6)
    assert mg.runs.open(half.run.folder, data=points(1)).train(steps=7)


def test_pictures_in_an_array_and_the_test_split_of_a_system_of_its_own(tmp_path):
    x = np.random.default_rng(0).integers(256, size=(60, 8, 8, 3), dtype=np.uint8)
    run = mg.runs.train("vae", data=mg.data.arrays(x), steps=3, out=tmp_path / "run", batch_size=8, latent=4, quiet=True)
    assert run.sample(2).shape == (2, 3, 8, 8) and np.isfinite(run.evaluate(["elbo"])["elbo"])
    bare = mg.data.ImageDataset("mine", x.transpose(0, 3, 1, 2))
    run = mg.runs.train("vae", data=bare, steps=1, out=tmp_path / "bare", batch_size=8, latent=4, quiet=True)
    with pytest.raises(ConfigError, match="mine: this data set has no test split; set its attribute `test`"):
        run.evaluate(["elbo"])


def test_a_folder_from_python_is_resumed_by_the_command(tmp_path):
    (tmp_path / "photos").mkdir()
    for k in range(20):
        noise = np.random.default_rng(k).integers(256, size=(9, 9), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "photos" / f"{k}.png")
    run = mg.runs.train("gan", data=mg.data.folder(tmp_path / "photos", size=8), steps=2, out=tmp_path / "run", **TINY)
    assert (run.data_name, run.data_options, run.description.shape) == ("folder", {"size": 8}, (1, 8, 8))
    assert main(["resume", str(tmp_path / "run"), "--steps", "3"]) == 0
    run = mg.runs.train("gan", data="folder", data_dir=tmp_path / "photos", size=8, steps=2, out=tmp_path / "named", **TINY)
    assert run.data_options == {"size": 8}
    with pytest.raises(ConfigError, match="folder: was given as a data set, so leave size out"):
        mg.runs.train("gan", data=mg.data.folder(tmp_path / "photos"), size=4, **TINY)
