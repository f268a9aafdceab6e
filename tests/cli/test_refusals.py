"""Everything a user can get wrong ends with one or two lines that say what, where and what to do, and exit code 2."""

import errno
import gzip
import io
import os
import pickle
import shutil
import sys

import numpy as np
import pytest

from minigan import serialize
from minigan.cli.train import MOST_SAMPLES
from minigan.runs import log as log_module
from minigan.runs.session import Session

TINY = ["gan", "--batch-size", "8", "--set", "latent=4"]


def made(folder):
    """The names in a folder, hidden ones too."""
    return sorted(os.listdir(folder))


# ---- words that are not known ------------------------------------------------------------------------------------------

WORDS = [
    (["trian"], "no verb 'trian'; did you mean 'train'?"),
    (["train"], "required: SYSTEM"),
    (["train", "gna"], "unknown system 'gna'; did you mean 'gan'?"),
    (["train", "zzz"], "unknown system 'zzz'; known: autoencoder, "),
    (["train", "gan", "--data", "mnits"], "unknown data set 'mnits'; did you mean 'mnist'?"),
    (["train", "gan", "--stepz", "5"], "unknown option --stepz; did you mean '--steps'?"),
    (["train", "gan", "--step=5"], "unknown option --step; did you mean '--steps'?"),
    (["train", "gan", "dcgan"], "unexpected argument 'dcgan'; remove it"),
    (["train", "gan", "--steps"], "--steps: expected one argument"),
    (["train", "gan", "--set", "lr"], "--set takes KEY=VALUE, such as lr=1e-4, got 'lr'"),
    (["train", "gan", "--set", "=3"], "--set takes KEY=VALUE, such as lr=1e-4, got '=3'"),
    (["train", "gan", "--set", "lrr=3"], "gan has no setting 'lrr'; did you mean 'lr'?"),
    (["train", "gan", "--set", "sample_evry=3"], "did you mean 'sample_every'?"),
    (["train", "gan", "--set", "objective=hing"], "unknown objective 'hing'; did you mean 'hinge'?"),
    (["train", "gan", "--device", "gpu"], "unknown device 'gpu'; use 'cpu', 'cuda'"),
    (["train", "gan", "--data-dir", "."], "digits: is drawn, not read from files; leave --data-dir out"),
    (["train", "dcgan", "--data", "ring8"], "dcgan learns pictures; ring8 holds points 2: use autoencoder or cgan"),
    (["list", "sytems"], "no list of 'sytems'; did you mean 'systems'?"),
    (["data", "verfy"], "no action 'verfy'; did you mean 'verify'?"),
    (["train", "cgan", "--set", "classes=3"], "classes=3 allows only 0 to 2; set classes to"),
    (["data", "preview"], "data preview needs the name of a data set"),
    (["data", "preview", "digitz"], "unknown data set 'digitz'; did you mean 'digits'?"),
    (["data", "verify", "mnits"], "unknown data set 'mnits'"),
    (["doctor", "--jsn"], "unknown option --jsn; did you mean '--json'?"),
]


@pytest.mark.parametrize("arguments, text", WORDS, ids=[" ".join(a) or "nothing" for a, _ in WORDS])
def test_an_unknown_word_is_named_with_the_nearest_known_one(refused, own_folder, arguments, text):
    assert text in refused(*arguments)
    assert made(own_folder) == []


# ---- numbers ---------------------------------------------------------------------------------------------------------

NUMBERS = [
    *[(f"--steps={n}", "must be a whole number from 1 to 999999999") for n in ("0", "-1", "1.5", "1e99", "nan", "", "x")],
    *[(f"--batch-size={n}", "must be a whole number from 1 to") for n in ("0", "-1", "1000000000")],
    ("--batch-size=20001", "a batch of 20001 is too large, the train split has 20000 samples"),
    *[(f"--seed={n}", "must be a whole number from 0 to 999999999") for n in ("-1", "nan", "1e3", "1000000000")],
    *[(f"--seconds={n}", "must be a number above 0 and below 1e7") for n in ("0", "-1", "nan", "inf", "1e99", "soon")],
    *[(f"--set=lr={n}", "setting lr must be from 0 to 999999999") for n in ("-1", "nan", "inf", "1e99")],
    ("--set=lr=fast", "setting lr must be a number such as 0.0002, got 'fast'"),
    ("--set=beta1=1", "setting beta1 must be from 0 and below 1, got 1"),
    *[(f"--set=latent={n}", "setting latent must be from 1 to 10000") for n in ("0", "-3", "1e9")],
    *[(f"--set=latent={n}", "setting latent must be a whole number such as 100") for n in ("2.5", "nan", "inf", "many")],
    ("--set=batch_size=100001", "setting batch_size must be from 1 to 100000"),
    ("--set=checkpoint_every=0", "setting checkpoint_every must be from 1"),
]


@pytest.mark.parametrize("option, text", NUMBERS, ids=[o for o, _ in NUMBERS])
def test_a_number_out_of_range_is_told_the_range(refused, own_folder, option, text):
    assert text in refused("train", "gan", option)
    assert made(own_folder) == []


def test_nets_too_large_for_any_machine_are_refused_before_they_are_made(refused, own_folder):
    assert "setting channels must be from 1 to 1024" in refused("train", "dcgan", "--set", "channels=1000000")
    assert "batch_size must be from 1 to 100000" in refused("train", "gan", "--data", "ring8", "--batch-size", 10**8)
    assert made(own_folder) == []


@pytest.mark.parametrize("n", ["0", "-1", "1e3", "nan", str(MOST_SAMPLES + 1), str(10**9), "9" * 5000])
def test_how_many_samples(refused, run, n):
    assert f"-n: must be a whole number from 1 to {MOST_SAMPLES}" in refused("sample", run, f"-n={n}")


def test_a_picture_of_too_many_samples_is_refused_and_the_way_out_works(refused, minigan, run):
    assert "one picture holds up to 10000 samples; use --npz FILE" in refused("sample", run, "-n", 10_001)
    assert minigan("sample", run, "-n", 10_001, "--npz", "x.npz")[0] == 0
    assert np.load("x.npz")["images"].shape == (10_001, 1, 28, 28)


def test_a_batch_too_small_for_batch_norm(refused):
    assert "batch_norm: training needs more than one value per channel" in refused(
        "train", "dcgan", "--batch-size", 1, "--set", "channels=2", "--out", "run"
    ).replace("\n", " ")


# ---- data files ------------------------------------------------------------------------------------------------------


def idx(array):
    """IDX bytes, from the description of the format."""
    array = np.asarray(array, np.uint8)
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


IMAGES, LABELS = idx(np.random.default_rng(0).integers(256, size=(12, 5, 4))), idx(np.arange(12) % 10)


@pytest.fixture
def folder(own_folder):
    """folder(images, labels) writes two files of these bytes."""
    path = own_folder / "mnist-files"
    path.mkdir()

    def write(images, labels, ending=".gz"):
        (path / f"train-images-idx3-ubyte{ending}").write_bytes(images)
        (path / f"train-labels-idx1-ubyte{ending}").write_bytes(labels)
        return path

    return write


def test_small_idx_files_train(minigan, folder):
    path = folder(gzip.compress(IMAGES), gzip.compress(LABELS))
    code, _, err = minigan("train", *TINY, "--data", "mnist", "--data-dir", path, "--steps", 2, "--out", "run")
    assert code == 0, err


BAD_FILES = {
    "gzip cut short": (gzip.compress(IMAGES)[:-20], gzip.compress(LABELS), "gzip data are cut short or damaged"),
    "gzip cut to its first bytes": (gzip.compress(IMAGES)[:5], gzip.compress(LABELS), "cut short or damaged"),
    "wrong magic number": (gzip.compress(b"\x50\x4b\x03\x04" + IMAGES[4:]), gzip.compress(LABELS), "starts with 504b0304"),
    "counts differ": (gzip.compress(IMAGES), gzip.compress(idx(np.arange(11) % 10)), "12 images but 11 labels"),
    "a web page": (b"<!DOCTYPE html><html>404</html>", gzip.compress(LABELS), "a web page, not IDX data"),
    "a packed web page": (gzip.compress(b"\n<html>no</html>"), gzip.compress(LABELS), "a web page, not IDX data"),
    "swapped": (gzip.compress(LABELS), gzip.compress(IMAGES), "holds labels (magic number 00000801) under the name of"),
    "raw, cut short": (IMAGES[:-1], LABELS, "is cut short: its header says 12 x 5 x 4"),
    "empty files": (b"", b"", "starts with nothing"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_data_file_is_named_with_what_is_wrong_with_it(refused, own_folder, folder, kind):
    images, labels, text = BAD_FILES[kind]
    path = folder(images, labels)
    message = refused("train", *TINY, "--data", "mnist", "--data-dir", path)
    assert text in message and str(path) in message
    assert made(own_folder) == ["mnist-files"]


def test_a_data_folder_that_is_missing_or_empty_or_a_file(refused, own_folder):
    (own_folder / "empty").mkdir()
    (own_folder / "file").touch()
    for name, text in (("nowhere", "does not exist"), ("empty", "has train-images-idx3-ubyte and"), ("file", "not a folder")):
        for arguments in (["train", "gan", "--data", "mnist"], ["data", "preview", "mnist"]):
            message = refused(*arguments, "--data-dir", name)
            assert name in message and text in message and "--data-dir" in message
    assert made(own_folder) == ["empty", "file"]


def test_verify_fails_for_a_damaged_file_shows_all_four_and_says_what_to_do(minigan, folder):
    path = folder(gzip.compress(IMAGES)[:-9], gzip.compress(LABELS))
    code, out, err = minigan("data", "verify", "mnist", "--data-dir", path)
    *files, advice = out.splitlines()
    assert (code, err, len(files)) == (2, "", 4) and "minigan data fetch mnist" in advice
    assert "train-images-idx3-ubyte.gz: damaged" in out and "labels-idx1-ubyte.gz: ok: 12" in out and "missing" in out


# ---- run folders and checkpoints -------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["resume", "sample"])
def test_what_is_not_a_run(refused, minigan, own_folder, verb):
    (own_folder / "empty").mkdir()
    (own_folder / "notes.txt").write_text("hello")
    assert "no such file or folder; give a run" in refused(verb, "nowhere")
    assert "not a run, config.toml is missing" in refused(verb, "empty")
    assert "not a run, config.toml is missing" in refused(verb, "notes.txt")
    assert "(5000 letters) is too long for a name" in refused(verb, "x" * 5000)


CONFIGS = {
    "no TOML": ("system = = gan", "not valid TOML"),
    "no system": ("seed = 0\n[config]\n", "the entry 'system' is missing"),
    "another system": (
        'system = "gun"\nseed = 0\n[config]\ndata = "ring8"\nsample_shape = [2]\ndevice = "cpu"',
        "unknown system 'gun'",
    ),
    "no data": ('system = "gan"\nseed = 0\n[config]\n', "'data' is missing"),
    "config a word": ('system = "gan"\nseed = 0\nconfig = "abc"\n', "config: must be a table"),
    "seed a word": (
        'system = "gan"\nseed = "x"\n[config]\ndata = "ring8"\nsample_shape = [2]\ndevice = "cpu"',
        "seed: must be a whole number from 0, got 'x'",
    ),
    "shape a number": (
        'system = "gan"\nseed = 0\n[config]\ndata = "ring8"\nsample_shape = 2\ndevice = "cpu"',
        "config.sample_shape: must be a list of 1 to 4 entries, got 2",
    ),
    "no x": (
        'system = "gan"\nseed = 0\n[config]\ndata = "ring8"\nsample_shape = [2]\ndevice = "cpu"\n[config.fields]\n',
        "config.toml: config.fields: the entry 'x' is missing",
    ),
    "x of no kind": (
        'system = "gan"\nseed = 0\n[config]\ndata = "ring8"\nsample_shape = [2]\ndevice = "cpu"\n'
        '[config.fields]\nx = "stripes 5"\n',
        "'stripes 5' is no kind of data",
    ),
    "fields a word": (
        'system = "gan"\nseed = 0\n[config]\ndata = "ring8"\nsample_shape = [2]\ndevice = "cpu"\nfields = "x"\n',
        "config.toml: config.fields: must be a table of at most 100,000 names, got 'x'",
    ),
    "strange setting": (
        'system = "gan"\nseed = 0\n[config]\ndata = "ring8"\nsample_shape = [2]\ndevice = "cpu"\nlrr = 1',
        "no setting 'lrr'",
    ),
    "unknown device": (
        'system = "gan"\nseed = 0\n[config]\ndata = "ring8"\nsample_shape = [2]\ndevice = "cuda:99"',
        "--device cpu",
    ),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_config_that_describes_no_run(refused, run, kind):
    text, says = CONFIGS[kind]
    (run / "config.toml").write_text(text)
    message = refused("sample", run)
    assert says in message and "run" in message


def rebuilt(path, change):
    """Write the .npz again with its members changed by change(dict of arrays)."""
    with np.load(path) as file:
        members = {name: file[name] for name in file.files}
    change(members)
    with open(path, "wb") as file:
        np.savez(file, **members)


def with_objects(members):
    name = next(name for name in members if name.endswith("0.weight"))
    members[name] = np.array([{"run": "me"}], object)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


CHECKPOINTS = {
    "truncated": (cut, "damaged or cut short", "delete it to resume from step 2"),
    "one byte changed": (
        lambda p: p.write_bytes(p.read_bytes()[:5000] + b"\0\1\2" + p.read_bytes()[5003:]),
        "damaged",
        "delete it to resume from step 2",
    ),
    "empty": (lambda p: p.write_bytes(b""), "empty", "delete it to resume from step 2"),
    "one array": (lambda p: p.write_bytes(b"\x93NUMPY more"), "one .npy array", "delete it to resume from step 2"),
    "a text": (lambda p: p.write_text("not a checkpoint"), "not an .npz file", "delete it to resume from step 2"),
    "a pickle": (lambda p: p.write_bytes(pickle.dumps({"w": [1.0]})), "not an .npz file", "delete it to resume from step 2"),
    "an .npz of others": (lambda p: np.savez(p, w=np.zeros(3)), "minigan did not write", "mg.load(path)"),
    "pickled objects in an .npz": (lambda p: np.savez(p, w=np.array([{}], object)), "minigan did not write", ""),
    "pickled objects in ours": (lambda p: rebuilt(p, with_objects), "holds pickled objects", "plain arrays"),
    "another kind": (lambda p: serialize.save(p, {"w": np.zeros(2)}, "weights"), "holds a 'weights', not a 'run'", "choose"),
    "another state": (lambda p: serialize.save(p, {"w": np.zeros(2)}, "run"), "is not of this run", "'game'"),
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_bad_checkpoint_is_named_with_what_to_do(refused, run, kind):
    spoil, says, remedy = CHECKPOINTS[kind]
    newest = run / "checkpoints" / "step_000004.npz"
    spoil(newest)
    for arguments in (["sample", run], ["resume", run, "--steps", 6]):
        message = refused(*arguments)
        assert says in message and remedy in message and newest.name in message, message


class Evil:
    """Its unpickling leaves a file behind."""

    def __reduce__(self):
        return open, ("executed", "w")


def test_nothing_in_a_checkpoint_is_executed(refused, run, own_folder):
    def plant(members):
        name = next(name for name in members if name.endswith("0.weight"))
        members[name] = np.array([Evil()], object)

    rebuilt(run / "checkpoints" / "step_000004.npz", plant)
    assert "holds pickled objects" in refused("sample", run)
    assert "executed" not in made(own_folder)


def test_following_the_advice_for_a_damaged_checkpoint_resumes(minigan, refused, run):
    newest = run / "checkpoints" / "step_000004.npz"
    whole = newest.read_bytes()
    cut(newest)
    assert "delete it to resume from step 2" in refused("resume", run)
    newest.unlink()
    code, out, err = minigan("resume", run)
    assert code == 0 and "from step 2" in out, err
    assert newest.read_bytes() == whole


def test_a_checkpoint_of_another_system_or_of_other_nets(refused, minigan, run, points_run):
    newest = run / "checkpoints" / "step_000004.npz"
    dcgan = ["train", "dcgan", "--steps", 4, "--batch-size", 8, "--set", "channels=1", "--set", "latent=4", "--out", "other"]
    assert minigan(*dcgan)[0] == 0
    shutil.copy(os.path.join("other", "checkpoints", "step_000004.npz"), newest)
    assert "has the system 'dcgan', and here belongs one with the system 'gan'" in refused("sample", run)
    shutil.copy(points_run / "checkpoints" / "step_000004.npz", newest)  # gan too, but of points
    message = refused("sample", run)
    assert "step_000004.npz: is not of this run" in message and "(784, 256)" not in message.splitlines()[0][400:]


def test_a_checkpoint_that_is_not_there(refused, run):
    assert "no such file" in refused("sample", run / "checkpoints" / "step_000003.npz")
    shutil.rmtree(run / "checkpoints")
    config = (run / "config.toml").read_text()
    assert "checkpoint_every = 2" in config
    for verb in ("sample", "resume"):
        assert "no checkpoint to load; start again with `minigan train`" in refused(verb, run)
    assert (run / "log.jsonl").read_text().count("\n") == 4  # the log of a run that has lost its checkpoints is kept


def test_a_run_that_was_killed_before_its_first_checkpoint_has_nothing_to_sample(refused, own_folder):
    Session.start("gan", "ring8", overrides={"batch_size": 8}, out=own_folder / "young")
    assert "no checkpoint with a trained network; train it with `minigan resume" in refused("sample", "young")


def test_a_finished_run_is_told_how_to_go_further(refused, minigan, run):
    message = refused("resume", run)
    assert "has 4 of 4 steps already" in message
    advice = message.split("`")[1].split()
    assert advice[:2] == ["minigan", "resume"] and minigan(*advice[1:])[0] == 0
    assert "step_000008.npz" in made(run / "checkpoints")
    assert "has 8 of 5 steps already" in refused("resume", run, "--steps", 5)
    assert "has 8 of 8 steps already" in refused("resume", run, "--seconds", 1)


def test_data_that_have_changed_since(refused, folder, minigan):
    path = folder(IMAGES, LABELS, "")
    assert minigan("train", *TINY, "--data", "mnist", "--data-dir", path, "--steps", 2, "--out", "run")[0] == 0
    folder(idx(np.zeros((10, 5, 4))), idx(np.zeros(10)), "")
    assert "the saved state has size 12, this loader 10" in refused("resume", "run", "--steps", 4)
    folder(idx(np.zeros((12, 4, 4))), idx(np.zeros(12)), "")
    assert "was trained on pictures 1x5x4, mnist now has pictures 1x4x4" in refused("resume", "run", "--steps", 4)
    shutil.rmtree(path)
    assert "does not exist; give --data-dir" in refused("resume", "run", "--steps", 4)


def test_data_that_have_moved_are_given_by_data_dir_and_from_any_folder(minigan, folder, own_folder, monkeypatch):
    folder(IMAGES, LABELS, "")
    assert minigan("train", *TINY, "--data", "mnist", "--data-dir", "mnist-files", "--steps", 2, "--out", "run")[0] == 0
    (own_folder / "elsewhere").mkdir()
    monkeypatch.chdir(own_folder / "elsewhere")
    assert minigan("resume", "../run", "--steps", 3)[0] == 0
    (own_folder / "mnist-files").rename(own_folder / "moved")
    assert minigan("resume", "../run", "--steps", 4)[0] == 2
    code, _, err = minigan("resume", "../run", "--steps", 4, "--data-dir", "../moved")
    assert code == 0, err


# ---- where the output goes -------------------------------------------------------------------------------------------


def test_an_out_folder_that_is_taken_or_cannot_be_made(refused, run, own_folder):
    (own_folder / "thesis").mkdir()
    (own_folder / "thesis" / "chapter.tex").touch()
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    text = refused("train", *TINY, "--out", run)
    assert "already holds a run; choose another --out, or continue it with `minigan resume" in text
    assert "already holds files; choose another --out" in refused("train", *TINY, "--out", "thesis")
    assert "is a file, not a folder; choose another --out" in refused("train", *TINY, "--out", "thesis/chapter.tex")
    assert "thesis/chapter.tex/run" in refused("train", *TINY, "--out", "thesis/chapter.tex/run")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert made(own_folder / "thesis") == ["chapter.tex"]


def test_a_file_in_the_way_of_the_runs_folder(refused, own_folder):
    (own_folder / "runs").touch()
    assert "runs: cannot be written" in refused("train", *TINY)


def test_a_folder_without_permission(refused, own_folder, monkeypatch):
    real = os.mkdir

    def forbidden(path, *rest, **options):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(os, "mkdir", forbidden)
    message = refused("train", *TINY, "--out", "locked")
    assert "locked: cannot be written: no permission to write there; choose another folder" in message
    assert made(own_folder) == []


def test_where_samples_and_previews_may_go(refused, run, own_folder):
    (own_folder / "folder.png").mkdir()
    for arguments in (["sample", run, "-o"], ["data", "preview", "ring8", "-o"]):
        assert "x.jpg: does not end in .png; name the file *.png" in refused(*arguments, "x.jpg")
        assert "grid: does not end in .png; name the file *.png" in refused(*arguments, "grid")
        assert "nowhere/x.png: its folder does not exist; create it first" in refused(*arguments, "nowhere/x.png")
        assert "folder.png: is a folder; give the name of a file" in refused(*arguments, "folder.png")
    assert "x.npy: does not end in .npz; name the file *.npz" in refused("sample", run, "--npz", "x.npy")
    assert made(own_folder) == ["folder.png", "run"]


# ---- a full disk -----------------------------------------------------------------------------------------------------


def full_disk(monkeypatch, module, name):
    """From now on every file opened for writing by `module` whose path holds `name` has room for 10 bytes only."""
    real = open

    class Full(io.FileIO):
        room = 10

        def write(self, data):
            if len(data) > self.room:
                super().write(bytes(data)[: self.room])
                self.room = 0
                raise OSError(errno.ENOSPC, "No space left on device")
            self.room -= len(data)
            return super().write(data)

    def opener(path, mode="r", *rest, **options):
        if name not in os.fspath(path) or not any(letter in mode for letter in "wxa"):
            return real(path, mode, *rest, **options)
        return (io.BufferedRandom if "+" in mode else io.BufferedWriter)(Full(path, mode.replace("b", "")))

    monkeypatch.setattr(module, "open", opener, raising=False)


@pytest.mark.parametrize(
    "module, name, says, step",
    [
        (serialize, ".step_000006.npz", "step_000006.npz: cannot be written: the disk is full", 4),
        (serialize, ".curves.png", "curves.png: cannot be written: the disk is full", 7),
        (serialize, ".samples.gif", "samples.gif: cannot be written: the disk is full", 7),
        (log_module, "log.jsonl", "log.jsonl: cannot be written: the disk is full", 4),
    ],
)
def test_a_disk_that_fills_up_loses_nothing_written_before(
    minigan, is_a_refusal, trained_once, run, monkeypatch, module, name, says, step
):
    config = run / "config.toml"
    config.write_text(config.read_text().replace("sample_every = 100", "sample_every = 5"))
    before = (run / "log.jsonl").read_text()
    with monkeypatch.context() as patch:
        full_disk(patch, module, name)
        code, out, err = minigan("resume", run, "--steps", 7)
    message = err[err.index("minigan: ") :]  # after the lines of progress
    assert is_a_refusal(code, out, message) and says in message
    then = "all 7 steps are done and saved" if step == 7 else f"then `minigan resume {run}` goes on from step {step}"
    assert then in message
    assert (run / "log.jsonl").read_text().startswith(before)
    assert not [path for path in run.rglob("*") if path.suffix == ".tmp"]
    with (
        np.load(trained_once["digits"] / "checkpoints" / "step_000004.npz") as old,
        np.load(run / "checkpoints" / "step_000004.npz") as kept,
    ):
        assert all(np.array_equal(old[key], kept[key]) for key in old.files)
    code, out, err = minigan("resume", run, "--steps", 9)  # the disk has room again
    assert code == 0 and f"from step {step}" in out, err
    steps = [line.split(",")[0] for line in (run / "log.jsonl").read_text().splitlines()]
    assert steps == [f'{{"step": {n}' for n in range(1, 10)]


@pytest.mark.parametrize("option, name", [("-o", "x.png"), ("--npz", "x.npz")])
def test_a_disk_full_while_samples_are_written_keeps_the_old_file(refused, run, own_folder, monkeypatch, option, name):
    (own_folder / name).write_bytes(b"the old one")
    full_disk(monkeypatch, serialize, name)
    assert f"{name}: cannot be written: the disk is full; free some space" in refused("sample", run, option, name)
    assert (own_folder / name).read_bytes() == b"the old one" and made(own_folder) == sorted([name, "run"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_output_to_a_full_disk_is_one_line(process):
    with open("/dev/full", "w") as full:
        import subprocess

        done = subprocess.run([sys.executable, "-m", "minigan", "list"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("minigan: standard output: No space left on device") and done.stderr.count("\n") == 1


def test_any_other_file_error_is_one_line_too(refused, run, monkeypatch):
    def broken(self, *_):
        raise PermissionError(errno.EACCES, "Permission denied", "/some/file")

    monkeypatch.setattr(Session, "sample", broken)
    assert "/some/file: Permission denied; check that it can be read" in refused("sample", run)


def test_too_little_memory_is_one_line(refused, run, monkeypatch):
    monkeypatch.setattr(Session, "sample", lambda *_: np.empty((10**6, 10**6, 10**6)))
    assert "out of memory (Unable to allocate" in refused("sample", run)


# ---- the same through the real command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "gna"],
        ["train", "gan", "--steps", "0"],
        ["sample", "nowhere"],
        ["train", "gan", "--data", "mnist", "--data-dir", "nowhere"],
    ],
)
def test_as_a_user_sees_it(process, is_a_refusal, arguments):
    done = process(*arguments)
    assert is_a_refusal(done.returncode, done.stdout, done.stderr) and done.stdout == ""
