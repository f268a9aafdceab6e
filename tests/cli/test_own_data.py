"""Pictures of one's own, as a user trains on them: from a folder of files to samples, numbers and a resumed run."""

import json
import re
import shutil
import tomllib

import numpy as np
import pytest
from PIL import Image

TINY = ["--batch-size", "8", "--set", "latent=4", "--steps", "2"]


@pytest.fixture
def photos(own_folder):
    """40 small colour pictures of two classes, of different sizes and formats."""
    rng = np.random.default_rng(0)
    for k in range(40):
        path = own_folder / "photos" / ("cat" if k % 2 else "dog") / f"{k}.{('png', 'jpg', 'webp', 'bmp')[k % 4]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(256, size=(34, 32 + k % 5, 3), dtype=np.uint8)).save(path)
    return own_folder / "photos"


FOLDER = ["--data", "folder", "--data-dir", "photos", "--set", "size=32"]


@pytest.mark.parametrize("system", ["gan", "vae", "autoencoder"])
def test_it_trains_on_a_folder_of_colour_pictures(minigan, photos, system, own_folder):
    latent = [] if system == "autoencoder" else ["--set", "latent=4"]
    code, _, err = minigan("train", system, *FOLDER, "--batch-size", 8, *latent, "--steps", 3, "--out", "run")
    assert code == 0, err
    assert minigan("sample", "run", "-n", 4, "--npz", "s.npz")[0] == 0
    assert np.load("s.npz")["images"].shape == (4, 3, 32, 32)
    config = tomllib.loads((own_folder / "run" / "config.toml").read_text())["config"]
    assert config["data_options"] == {"size": 32} and config["data_content"]["files"] == 40
    assert config["fields"] == {"x": "pictures 3x32x32", "labels": "class 2"}
    report = re.sub("<[^>]*>", "", (own_folder / "run" / "report.html").read_text())
    assert "--data folder --data-dir" in report
    assert "--set size=32" in (own_folder / "run" / "report.html").read_text()


def test_from_the_folder_to_numbers_and_back_after_the_data_changed(minigan, refused, photos, own_folder):
    assert minigan("train", "gan", *FOLDER, *TINY, "--out", "run")[0] == 0
    whole = minigan("train", "gan", *FOLDER, *TINY[:-1], 4, "--out", "whole")
    assert whole[0] == 0 and minigan("resume", "run", "--steps", 4)[0] == 0
    one, other = (np.load(own_folder / name / "checkpoints" / "step_000004.npz") for name in ("run", "whole"))
    assert all(np.array_equal(one[key], other[key]) for key in one.files if one[key].dtype.kind == "f")
    code, out, err = minigan("evaluate", "run", "-n", 1000)
    assert code == 0 and all(word in out for word in ("c2st", "diversity", "duplicates", "memorisation")), err
    shutil.copytree(photos, own_folder / "moved")  # the same pictures elsewhere are the same data
    assert minigan("resume", "run", "--steps", 5, "--data-dir", "moved")[0] == 0
    photos = own_folder / "moved"  # the run remembers it
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(photos / "cat" / "new.png")
    for command in (["resume", "run", "--steps", 6], ["evaluate", "run"]):
        text = refused(*command)
        assert "have changed since the run was started (then 40 files, " in text and "; now 41 files, " in text
        assert "continue with the data as they are: --accept-changed-data" in text
    assert minigan("evaluate", "run", "--accept-changed-data", "--metrics", "diversity")[0] == 0
    assert "have changed" in refused("resume", "run", "--steps", 6)
    assert minigan("resume", "run", "--steps", 6, "--accept-changed-data")[0] == 0
    assert minigan("resume", "run", "--steps", 7)[0] == 0
    for path in (photos / "dog").iterdir():
        path.rename(photos / "cat" / f"was-{path.name}")
    assert "was trained on 2 classes, folder now has 0" in refused("resume", "run", "--steps", 8, "--accept-changed-data")


def test_the_labels_of_few_test_pictures_are_measured_as_far_as_they_go(minigan, photos):
    assert minigan("train", "cgan", *FOLDER[:-1], "size=28", "--batch-size", 8, "--steps", 1, "--out", "run")[0] == 0
    for names in ("diversity,label-accuracy", "label-accuracy"):
        code, out, err = minigan("evaluate", "run", "-n", 500, "--metrics", names)
        assert code == 0 and "cgan on folder, step 1" in out, err


def test_what_cannot_be(refused, photos):
    train = ["train", "gan", *TINY, "--out", "run"]
    assert "needs the folder that holds your pictures; give it with --data-dir DIR" in refused(*train, "--data", "folder")
    assert "choose one size for all of them: --set size=32" in refused(*train, *FOLDER[:-2])
    assert "digits has no option 'size': it is one of --data folder; leave it out" in refused(*train, "--set", "size=32")
    assert "folder has no option 'siz'; did you mean 'size'?" in refused(*train, *FOLDER[:-1], "siz=32")
    assert "size must be a whole number of pixels from 1 to 1024, got 'big'" in refused(*train, *FOLDER[:-1], "size=big")
    assert "gan has no setting 'lrr'; did you mean 'lr'?" in refused(*train, *FOLDER, "--set", "lrr=1")


def test_broken_files_are_told_in_one_line(minigan, photos, own_folder):
    (photos / "cat" / "broken.png").write_bytes(b"\x89PNG")
    code, _, err = minigan("train", "gan", *FOLDER, *TINY, "--out", "run")
    warnings = [line for line in err.splitlines() if line.startswith("warning")]
    assert code == 0 and len(warnings) == 1
    assert warnings[0] == "warning: folder: 1 of 41 pictures are skipped: cat/broken.png is no PNG, JPEG, WebP or BMP"
    code, out, err = minigan("data", "verify", "folder", "--data-dir", "photos", "--set", "size=8")
    assert code == 2 and "cat/broken.png: skipped: it is no PNG" in out and out.count(": ok: ") == 2
    code, out, err = minigan("data", "preview", "folder", "--data-dir", "photos", "--set", "size=8", "--set", "colour=grey")
    assert code == 0 and "samples (pictures 1x8x8)" in out and (own_folder / "folder.png").exists()


def test_a_search_over_a_folder(minigan, photos):
    code, out, err = minigan(
        "tune",
        "gan",
        *FOLDER,
        "--steps",
        2,
        "--set",
        "batch_size=8",
        "--grid",
        "latent=2",
        "--metric",
        "diversity",
        "--out",
        "search",
    )
    assert code == 0 and "diversity" in out, err


def test_no_option_of_the_data_is_a_setting_of_a_system():
    from minigan.data.pictures import OPTIONS
    from minigan.systems.registry import systems
    from minigan.train.settings import meant

    assert not [(one.name, key) for one in systems().values() for key in meant(one.settings) if key in OPTIONS]


def test_pictures_with_classes_are_judged_by_a_net_of_their_own(minigan, own_folder):
    """It is trained once; a system that is asked for a class shows whether it drew that one."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = np.where(labels[:, None, None] == (np.arange(8) < 4), 200, 30)[:, None] + rng.integers(0, 50, (120, 1, 8, 8))
    np.savez("mine.npz", images=images.astype(np.uint8), labels=labels)
    data = ["--data", "folder", "--data-dir", "mine.npz"]
    assert minigan("train", "cgan", *data, "--set", "nets=mlp", "--batch-size", 8, "--steps", 2, "--out", "run")[0] == 0
    code, out, err = minigan("evaluate", "run", "--metrics", "fid,classes", "--json")
    assert code == 2 and "fid-classes could not be measured: frechet_distance: 64 features need at least 128 samples" in err
    found = json.loads(out)
    assert list(found["metrics"]) == [
        "classes",
        "classes-confidence",
        "classes-largest-share",
        "classes-agreement",
        "classes-accuracy",
    ]
    assert found["metrics"]["classes-accuracy"] == 1 and found["lines"][0].startswith("classes: ")
    code, out, _ = minigan("evaluate", "run", "--metrics", "classes", "-n", 500)
    assert code == 0 and "classes-accuracy: share of held-out real pictures" in out and "classes, mean confidence" in out
    np.savez("real.npz", images=np.resize(images / 127.5 - 1, (600, 1, 8, 8)), labels=np.resize(labels, 600))
    _, out, _ = minigan("evaluate", "--samples", "real.npz", *data, "--metrics", "classes", "--json")
    assert json.loads(out)["metrics"]["classes-agreement"] == 1 and json.loads(out)["metrics"]["classes"] == 2
