"""A run folder: its names, its log and its checkpoints survive kills, full disks and resumes."""

import datetime
import errno
import io
import json
import math
import os
import re
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigan import doctor, serialize
from minigan.errors import CheckpointError, ConfigError
from minigan.runs import folder as run_module
from minigan.runs import log as log_module
from minigan.runs.config import toml
from minigan.runs.environment import environment
from minigan.runs.folder import Run, step_of

CONFIG = {"lr": 1e-4, "betas": [0.0, 0.9], "D": {"steps": 5, "spectral": True}, "data": "ring8"}


@pytest.fixture
def run(tmp_path):
    return Run.create("wgan-gp", 0, CONFIG, out=tmp_path / "run")


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(run_module, "now", lambda: datetime.datetime(2026, 11, 20, 15, 12, tzinfo=datetime.UTC))


def one_line(error):
    return "\n" not in str(error.value) and len(str(error.value)) < 400


# ---- creating and opening --------------------------------------------------------------------------------------------


def test_the_folder_is_named_by_date_system_and_seed(tmp_path, clock):
    names = [Run.create("wgan-gp", 3, {}, root=tmp_path / "runs").folder.name for _ in range(3)]
    assert names == [f"2026-11-20_1512-wgan-gp-s3{suffix}" for suffix in ("", "-2", "-3")]
    assert Run.create("a/../b c", 0, {}, root=tmp_path / "runs").folder.parent == tmp_path / "runs"


def test_a_new_run_opens_as_it_was_made(run):
    again = Run.open(run.folder)
    assert (again.system, again.seed, again.config, again.step) == ("wgan-gp", 0, CONFIG, None)
    assert again.config == run.config and again.read_log() == [] and again.samples() == []


def test_a_new_run_sees_the_config_as_a_resumed_one_will(tmp_path):
    run = Run.create("gan", 0, {"betas": (0.5, np.float64(0.9)), "n": np.int32(3)}, out=tmp_path / "run")
    assert run.config == {"betas": [0.5, 0.9], "n": 3} == Run.open(run.folder).config
    assert type(run.config["n"]) is int


@pytest.mark.parametrize("step", [0, 7, 500, 1_234_567])
def test_the_step_of_a_picture_or_checkpoint_is_read_from_its_name(run, step):
    assert step_of(run.sample_path(step)) == step_of(run.checkpoint_path(step)) == step
    for name in ("step_.png", "step_5.gif", "curves.png", "my_step_5.png", "step_-5.npz", ".step_000005.npz.tmp"):
        assert step_of(run.folder / name) is None


def test_any_file_of_a_run_leads_to_it_and_a_checkpoint_also_to_its_step(run, monkeypatch):
    for step in (100, 200):
        run.save_checkpoint(step, {"step": step})
    for file in ("config.toml", "env.json", "checkpoints"):
        assert Run.open(run.folder / file if file != "checkpoints" else run.folder).step is None
    again = Run.open(run.folder / "checkpoints" / "step_000100.npz")
    assert again.folder == run.folder and again.step == 100
    assert again.load_checkpoint() == (100, {"step": 100})
    assert again.load_checkpoint(200) == (200, {"step": 200})
    monkeypatch.chdir(run.folder / "checkpoints")
    assert Run.open("step_000200.npz").load_checkpoint() == (200, {"step": 200})


def test_an_out_that_holds_files_is_refused(run, tmp_path):
    remedy = f"choose another --out, or continue it with `minigan resume {run.folder}`"
    with pytest.raises(ConfigError, match=f"already holds a run; {re.escape(remedy)}"):
        Run.create("gan", 0, {}, out=run.folder)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("...")
    with pytest.raises(ConfigError, match=r"already holds files; choose another --out$"):
        Run.create("gan", 0, {}, out=tmp_path / "thesis")
    with pytest.raises(ConfigError, match="is a file, not a folder"):
        Run.create("gan", 0, {}, out=tmp_path / "thesis" / "chapter1.tex")
    assert os.listdir(tmp_path / "thesis") == ["chapter1.tex"]


def test_an_empty_out_and_a_nested_new_one_are_used(tmp_path):
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "empty", tmp_path / "a" / "b"):
        assert Run.create("gan", 0, {}, out=out).folder == out


@pytest.mark.parametrize("out", ["file/run", None])
def test_a_folder_that_cannot_be_made_is_a_config_error(tmp_path, out):
    (tmp_path / "file").touch()
    options = {"root": tmp_path / "file"} if out is None else {"out": tmp_path / out}
    with pytest.raises(ConfigError, match=r"cannot be written: .*; choose another") as error:
        Run.create("gan", 0, {}, **options)
    assert one_line(error)


@pytest.mark.parametrize("existed", [True, False])
def test_a_disk_full_at_the_start_leaves_no_half_run(tmp_path, monkeypatch, existed):
    if existed:
        (tmp_path / "run").mkdir()
    replace = os.replace

    def no_room_for_the_second(source, target):
        if target.endswith("config.toml"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", no_room_for_the_second)
    with pytest.raises(ConfigError, match=r"config\.toml: cannot be written: the disk is full") as error:
        Run.create("gan", 0, {}, out=tmp_path / "run")
    assert one_line(error)
    assert os.listdir(tmp_path) == ["run"] * existed
    assert not existed or os.listdir(tmp_path / "run") == []


def test_what_is_no_run_is_named_with_what_is_missing(tmp_path, run):
    with pytest.raises(CheckpointError, match="no such file or folder; give a run"):
        Run.open(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"not a run, config\.toml is missing; give the folder that `minigan"):
        Run.open(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.npz").touch()
    with pytest.raises(CheckpointError, match=r"x\.npz: its folder: not a run, config\.toml is missing"):
        Run.open(tmp_path / "deep" / "x.npz")
    (run.folder / "config.toml").write_text("seed = 0\n[config]\n")
    with pytest.raises(CheckpointError, match="the entry 'system' is missing"):
        Run.open(run.folder)
    for text in (b"seed = = 0", b"\xff\xfe"):
        (run.folder / "config.toml").write_bytes(text)
        with pytest.raises(CheckpointError, match=r"config\.toml: not valid TOML") as error:
            Run.open(run.folder)
        assert one_line(error)


def test_the_environment_names_versions_and_no_person_or_path(run, monkeypatch):
    env = json.loads((run.folder / "env.json").read_text())
    assert env["numpy"] == np.__version__ and env["python"].count(".") == 2
    assert {"date", "minigan", "platform", "machine", "processors", "blas", "simd"} <= set(env)
    assert env["blas"].get("kernel", "unknown") == doctor.blas()["kernel"]  # what runs, not what NumPy was built with
    texts = [str(value) for value in (*env.values(), *env["blas"].values())]
    assert not any("/" in text or "\\" in text for text in texts)
    assert os.path.basename(os.path.expanduser("~")) not in texts
    assert datetime.datetime.fromisoformat(environment()["date"]).tzinfo is not None


# ---- TOML ------------------------------------------------------------------------------------------------------------

keys = st.text(st.characters(codec="utf-8"), max_size=5)
scalars = (
    st.text(st.characters(codec="utf-8"), max_size=8) | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    | st.booleans()
)  # fmt: skip
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(keys, v, max_size=3), max_leaves=6)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(keys, values, max_size=5))
def test_any_config_comes_back_from_toml(config):
    assert typed(tomllib.loads(toml(config))) == typed(config)


def typed(value):
    """Every scalar with its type and sign, since 1 == 1.0 == True and 0.0 == -0.0."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return [typed(item) for item in value] if isinstance(value, list) else (type(value), repr(value))


def test_toml_reads_as_a_person_would_write_it():
    config = {"system": "gan", "config": {"lr": 2e-4, "D": {"a.b": [1, 2]}, "steps": 5, "empty": {}}}
    assert toml(config) == (
        'system = "gan"\n\n[config]\nlr = 0.0002\nsteps = 5\n\n[config.D]\n"a.b" = [1, 2]\n\n[config.empty]\n'
    )
    assert math.isnan(tomllib.loads(toml({"x": math.nan}))["x"])


@pytest.mark.parametrize(
    "config, message",
    [
        ({"a": {"b": None}}, "a.b is None, which TOML cannot hold; leave it out"),
        ({"a": [np.zeros(2)]}, "a is a ndarray"),
        ({"a": {1: 2}}, "a has the key 1; keys must be strings"),
        ({"a": "\ud800"}, r"a = .* is not valid Unicode"),
    ],
)
def test_what_toml_cannot_hold_is_refused_before_a_folder_is_made(tmp_path, config, message):
    with pytest.raises(ConfigError, match=message):
        toml(config)
    with pytest.raises(ConfigError, match=f"config: {message}"):
        Run.create("gan", 0, config, out=tmp_path / "run")
    assert os.listdir(tmp_path) == []


# ---- the log ---------------------------------------------------------------------------------------------------------


class FakeTensor:
    size = 1

    def item(self):
        return 2.5


def test_records_come_back_as_plain_numbers(run):
    run.log({"step": np.int64(1), "D": np.float32(0.5), "b": np.longdouble(1), "ok": np.True_, "t": FakeTensor()})
    run.log({"step": 2, "D": math.nan, "G": np.float32("inf"), "parts": {"a": np.array([1.0, -math.inf])}, 3: (1, 2)})
    run.log({"step": 3, "odd": {1, 2} - {1}, "when": np.datetime64("2026-11-20"), "z": 1j, "text": "层\n"})
    assert run.read_log() == [
        {"step": 1, "D": 0.5, "b": 1.0, "ok": True, "t": 2.5},
        {"step": 2, "D": None, "G": None, "parts": {"a": [1.0, None]}, "3": [1, 2]},
        {"step": 3, "odd": "{2}", "when": "2026-11-20", "z": "1j", "text": "层\n"},
    ]
    assert run.log_path.read_bytes().count(b"\n") == 3


def test_a_record_is_in_the_file_as_soon_as_it_is_logged(run):
    run.log({"step": 1})
    assert run.log_path.read_text() == '{"step": 1}\n'


def test_a_torn_last_line_costs_that_line_and_no_other(run):
    for step in (1, 2, 3):
        run.log({"step": step, "D": 0.123456789})
    whole = run.log_path.read_bytes()
    for cut in range(1, len(whole) // 3):
        run.log_path.write_bytes(whole[:-cut])
        assert [r["step"] for r in run.read_log()] == ([1, 2, 3] if cut == 1 else [1, 2])
        run.log({"step": 4})
        assert [r["step"] for r in run.read_log()] == ([1, 2, 3, 4] if cut == 1 else [1, 2, 4])


def test_a_resumed_log_has_no_step_twice(run):
    run.log({"note": "no step"})
    for step in (1, 2, 3, 4):
        run.log({"step": step, "D": math.nan if step == 2 else 1 / 3})
    run.log_path.write_bytes(run.log_path.read_bytes()[:-4])
    run.truncate_log(2)
    for step in (3, 4):
        run.log({"step": step})
    assert [r.get("step") for r in run.read_log()] == [None, 1, 2, 3, 4]
    assert run.read_log()[1]["D"] == 1 / 3
    assert sorted(os.listdir(run.folder)) == ["config.toml", "env.json", "log.jsonl"]


def test_truncating_a_log_that_is_not_there_makes_none(run):
    run.truncate_log(5)
    assert not run.log_path.exists() and run.read_log() == []


def full_disk(monkeypatch, module, after):
    class Full(io.FileIO):
        def write(self, data):
            room = after - self.tell() if self.seekable() else after
            if room < len(data):
                super().write(data[: max(room, 0)])  # a full disk takes what fits
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    real = open

    def opener(path, mode="r", *rest):
        if not any(letter in mode for letter in "wxa"):
            return real(path, mode, *rest)
        buffered = io.BufferedRandom if "+" in mode else io.BufferedWriter
        return buffered(Full(path, mode.replace("b", "")))

    monkeypatch.setattr(module, "open", opener, raising=False)


def test_a_disk_that_fills_up_costs_no_record_already_logged(run, monkeypatch):
    run.log({"step": 1, "D": 0.5})
    size = run.log_path.stat().st_size
    with monkeypatch.context() as patch:
        full_disk(patch, log_module, after=size + 5)
        with pytest.raises(CheckpointError, match=r"log\.jsonl: cannot be written: the disk is full") as error:
            run.log({"step": 2, "D": 0.25})
    assert one_line(error)
    assert [r["step"] for r in run.read_log()] == [1]
    run.log({"step": 2, "D": 0.25})
    assert [r["step"] for r in run.read_log()] == [1, 2]
    with monkeypatch.context() as patch:
        full_disk(patch, serialize, after=5)
        with pytest.raises(CheckpointError, match="the disk is full"):
            run.truncate_log(1)
    assert [r["step"] for r in run.read_log()] == [1, 2]


# ---- checkpoints and samples -----------------------------------------------------------------------------------------


def names(run):
    return [path.name for path in run.checkpoints()]


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def test_a_state_comes_back_with_its_step(run):
    state = {"G": {"0.weight": np.arange(3, dtype=np.float32)}, "rng": np.random.default_rng(0).bit_generator.state}
    path = run.save_checkpoint(500, state)
    assert path == run.folder / "checkpoints" / "step_000500.npz" == run.latest_checkpoint() == run.checkpoint_path(500)
    step, again = Run.open(run.folder).load_checkpoint()
    assert step == 500 and again["rng"] == state["rng"] and np.array_equal(again["G"]["0.weight"], [0, 1, 2])
    assert serialize.describe(path) == {"kind": "run", "version": 1, "about": {"step": 500, "system": "wgan-gp", "seed": 0}}


def test_the_newest_three_are_kept_in_the_order_of_numbers(run):
    for step in (5, 999_999, 1_000_000, 2_000_000):  # as text, step_1000000 comes before step_999999
        run.save_checkpoint(step, {"step": step})
    assert names(run) == ["step_999999.npz", "step_1000000.npz", "step_2000000.npz"]
    run.save_checkpoint(3_000_000, {}, keep=1)
    assert names(run) == ["step_3000000.npz"]


def test_an_old_checkpoint_is_deleted_only_after_the_new_one_is_safe(run, monkeypatch):
    for step in (1, 2, 3):
        run.save_checkpoint(step, {"step": step})
    with monkeypatch.context() as patch:
        full_disk(patch, serialize, after=100)
        with pytest.raises(CheckpointError, match=r"step_000004\.npz: cannot be written: the disk is full") as error:
            run.save_checkpoint(4, {"w": np.zeros(1000)})
    assert one_line(error)
    assert names(run) == [f"step_00000{i}.npz" for i in (1, 2, 3)] == sorted(os.listdir(run.folder / "checkpoints"))
    assert run.load_checkpoint() == (3, {"step": 3})


def test_files_of_others_and_unfinished_ones_are_not_checkpoints(run):
    run.save_checkpoint(1, {})
    folder = run.folder / "checkpoints"
    for name in ("best.npz", "step_000009.npz.bak", "notes.txt", ".step_000002.npz.0a1b2c3d.tmp"):
        (folder / name).touch()
    assert names(run) == ["step_000001.npz"]
    for step in (2, 3, 4, 5):
        run.save_checkpoint(step, {})
    assert {"best.npz", "step_000009.npz.bak", "notes.txt"} == set(os.listdir(folder)) - set(names(run))


def test_a_run_resumed_earlier_leaves_its_old_future(run):
    for step in (800, 900, 1000):
        run.save_checkpoint(step, {"old": step})
    again = Run.open(run.checkpoint_path(800))
    assert again.load_checkpoint()[0] == 800
    again.save_checkpoint(850, {"new": 850})
    assert names(again) == ["step_000800.npz", "step_000850.npz"]
    assert again.load_checkpoint() == Run.open(run.folder).load_checkpoint() == (850, {"new": 850})


def test_a_damaged_checkpoint_is_named_with_the_step_to_go_back_to(run):
    for step in (1, 2, 3):
        run.save_checkpoint(step, {"w": np.arange(1000)})
    damage(run.checkpoint_path(3))
    with pytest.raises(CheckpointError, match=r"step_000003\.npz: damaged .*; delete it to resume from step 2$") as e:
        run.load_checkpoint()
    assert one_line(e)
    damage(run.checkpoint_path(2))
    with pytest.raises(CheckpointError, match="delete it and step 2, also damaged, to resume from step 1"):
        run.load_checkpoint()
    damage(run.checkpoint_path(1))
    with pytest.raises(CheckpointError, match=r"step_000003\.npz: .*; no earlier checkpoint can be read; start again"):
        run.load_checkpoint()
    assert len(names(run)) == 3


def test_following_the_advice_resumes(run):
    for step in (1, 2):
        run.save_checkpoint(step, {"step": step})
    run.checkpoint_path(2).write_bytes(b"")
    with pytest.raises(CheckpointError, match="empty, no data in it; delete it to resume from step 1"):
        run.load_checkpoint()
    run.checkpoint_path(2).unlink()
    assert run.load_checkpoint() == (1, {"step": 1})


def test_a_checkpoint_of_a_newer_minigan_is_not_to_be_deleted(run, monkeypatch):
    run.save_checkpoint(1, {})
    monkeypatch.setattr(serialize, "VERSION", 2)
    run.save_checkpoint(2, {})
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="newer minigan") as error:
        run.load_checkpoint()
    assert "delete" not in str(error.value)


def test_a_missing_checkpoint_says_which_there_are(run):
    with pytest.raises(CheckpointError, match="run: no checkpoint to load; start again with `minigan train`"):
        run.load_checkpoint()
    assert run.latest_checkpoint() is None
    with pytest.raises(CheckpointError, match="no checkpoint of step 7; there is none"):
        run.load_checkpoint(7)
    for step in (1, 2):
        run.save_checkpoint(step, {})
    with pytest.raises(CheckpointError, match="no checkpoint of step 7; there are steps 1, 2"):
        run.load_checkpoint(7)


def test_samples_come_in_the_order_of_their_steps(run):
    for step in (1_000_000, 500, 0):
        run.sample_path(step).touch()
    (run.folder / "samples" / "notes.png").touch()
    assert [path.name for path in run.samples()] == ["step_000000.png", "step_000500.png", "step_1000000.png"]
    assert {run.curves_path.name, run.gif_path.name, run.log_path.name} == {"curves.png", "samples.gif", "log.jsonl"}


def test_a_samples_folder_that_cannot_be_made_is_one_line(run):
    (run.folder / "samples").touch()
    with pytest.raises(CheckpointError, match="samples: cannot be written") as error:
        run.sample_path(1)
    assert one_line(error)
