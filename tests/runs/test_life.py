"""The life of a run: nothing beside the training ends it, one process writes it, it can go back, and it can be finished."""

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import minigan as mg
from minigan import viz
from minigan.cli import main
from minigan.data import digits
from minigan.errors import CheckpointError, ConfigError, ShapeError
from minigan.metrics import Metric, Number, metric
from minigan.metrics.metric import SAMPLES
from minigan.runs import loop
from minigan.runs.folder import Run
from minigan.runs.hooks import Every
from minigan.runs.session import Session

TINY = {"batch_size": 8, "latent": 2, "log_every": 1, "sample_every": 2, "checkpoint_every": 4, "steps": 8}
WORDS = [word for key, value in TINY.items() if key != "steps" for word in ("--set", f"{key}={value}")]


@pytest.fixture(autouse=True)
def quick(tmp_path, monkeypatch):
    """Each test in a folder of its own.   matplotlib takes most of the time of a short run, so here it draws nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(viz, "draw", lambda path, *_, **__: Image.new("L", (4, 4)).save(path))
    monkeypatch.setattr(viz, "curves_png", lambda path, *_, **__: path.write_bytes(b"curves"))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def start(out="run", data="ring8", **settings):
    return Session.start("gan", data, overrides={**TINY, **settings}, out=out)


def minigan(*words):
    return main([str(word) for word in words])


def steps(run):
    """The steps in the log, as they stand in the file."""
    return [json.loads(line)["step"] for line in (run.folder / "log.jsonl").read_text().splitlines()]


def going_back(step=4):
    """A session at an earlier checkpoint that has taken two steps and drawn a picture, and is then killed."""
    session = Session.open(f"run/checkpoints/step_{step:06d}.npz")
    session.attach()
    with session.run.writing():
        session.begin()
        for later in (step + 1, step + 2):
            session.run.log({"step": later, "D": -1.0})
        session.run.sample_path(step + 2).write_bytes(b"another way")
    return session


# ---- beside the training ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 300])
def test_pictures_that_are_all_the_same_are_learned_without_a_word(count, capsys):
    pictures = np.full((count, 1, 8, 8), 77, np.uint8)
    session = start(data=mg.data.arrays(pictures), batch_size=1)
    assert session.train() and capsys.readouterr().err == ""
    assert not any("metrics" in record for record in session.run.read_log())


def test_a_picture_that_cannot_be_drawn_is_told_once_and_training_goes_on(monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(viz, "draw", full)
    session = start()
    assert session.train() and steps(session.run) == list(range(1, 9))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["warning: no picture of samples: [Errno 28] No space left on device; training goes on"]


@pytest.fixture
def fussy(monkeypatch):
    """A metric that can be measured on nothing."""

    def measure(seen):
        raise ShapeError("fussy: these samples are not good enough")

    monkeypatch.setattr(metric, "METRICS", dict(metric.METRICS))
    metric.enter(Metric("fussy", [Number("fussy", "lower", "nothing")], measure, SAMPLES, least=10))


@pytest.mark.filterwarnings("ignore:fussy could not be measured")
def test_a_metric_that_fails_during_training_ends_nothing_and_blocks_no_other(fussy, capsys):
    session = start(metrics="fussy,diversity", metrics_every=3)
    assert session.train()
    assert [r["step"] for r in session.run.logged_metrics() if "diversity" in r["metrics"]] == [2, 3, 4, 6, 8]
    assert start("other", metrics="fussy", metrics_every=3).train()
    assert "no metrics: fussy: these samples are not good enough; training goes on" in capsys.readouterr().err


def test_a_metric_that_the_data_do_not_allow_is_refused_before_there_is_a_folder(fussy, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (40, 1, 8, 8), np.uint8)
    with pytest.raises(
        ConfigError, match="metric fussy cannot be measured on .*: fussy: these samples are not good enough; leave"
    ):
        start(data=mg.data.arrays(pictures), metrics="fussy")
    with pytest.raises(ConfigError, match="metric diversity cannot be measured on .*all the same"):
        start(data=mg.data.arrays(np.zeros((40, 1, 8, 8), np.uint8)), metrics="diversity")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("beside", ["hook", "report"])
def test_an_error_of_the_users_beside_the_training_comes_after_the_step_was_saved(beside):
    session = start()
    session.attach()

    def broken(*_):
        if session.step == 3:
            raise ZeroDivisionError("mine")

    if beside == "hook":
        session.hooks.append(Every(1, broken))
    with pytest.raises(ZeroDivisionError, match="mine"):
        session.train(report=broken)
    assert session.run.newest() == 3 and steps(session.run) == [1, 2, 3]
    again, whole = Session.open("run"), start("whole")
    assert again.train() and whole.train()
    assert again.run.read_log() == whole.run.read_log()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_a_terminal_that_hangs_up_twice_lets_the_run_save(monkeypatch, capsys):
    real, count = loop.play, [0]

    def play(*arguments):
        count[0] += 1
        if count[0] == 3:
            signal.raise_signal(signal.SIGHUP), signal.raise_signal(signal.SIGHUP)
        return real(*arguments)

    monkeypatch.setattr(loop, "play", play)
    before = signal.getsignal(signal.SIGHUP)
    assert minigan("train", "gan", "--data", "ring8", "--steps", 8, *WORDS, "--out", "my run") == 129
    assert "stopped at step 3 and saved; continue with `minigan resume 'my run'`" in capsys.readouterr().err
    assert Run.open("my run").newest() == 3 and signal.getsignal(signal.SIGHUP) is before


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("where", ["2>/dev/full >/dev/full", "2>&1 | true", "2>&- >&-"])
def test_a_run_is_trained_even_if_nobody_can_read_about_it(where):
    words = " ".join([sys.executable, "-m minigan train gan --data ring8 --steps 8 --out run", *WORDS])
    subprocess.run(f"{words} {where}", shell=True, timeout=120, check=False)
    assert Run.open("run").newest() == 8 and (Run.open("run").report_path).exists()


# ---- one writer ------------------------------------------------------------------------------------------------------


def test_a_run_that_is_being_trained_is_trained_by_nobody_else(capsys):
    session, reached, go = start(), threading.Event(), threading.Event()

    def report(step, losses):
        reached.set()
        assert go.wait(60)

    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(session.train, report=report)
        assert reached.wait(60)
        for other in (lambda: Session.open("run").train(), lambda: start("run")):
            with pytest.raises(
                (CheckpointError, ConfigError), match="run: (another process is writing this run: this process itself|already)"
            ):
                other()
        assert minigan("resume", "run") == 2 and "another process is writing this run" in capsys.readouterr().err
        Run.open("run").note_evaluation(0, 10, {"energy": 1.0})  # to measure is allowed
        go.set()
        assert training.result()
    assert steps(session.run) == list(range(1, 9)) and Run.open("run").evaluations()


def test_of_two_that_make_one_folder_one_wins():
    def make(number):
        try:
            return Run.create("gan", number, {}, out="run").seed
        except ConfigError as error:
            assert "already holds a run" in str(error) or "another process is making a run here" in str(error)
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [seed for seed in pool.map(make, range(8)) if seed is not None]
    assert len(made) == 1 and Run.open("run").seed == made[0]


def test_a_session_whose_run_was_trained_elsewhere_meanwhile_is_refused():
    session = start()
    session.train(4)
    Session.open("run").train(8)
    with pytest.raises(
        CheckpointError, match="another process has trained this run since it was opened, up to step 8; open it"
    ):
        session.train(8)
    assert Run.open("run").newest() == 8


# ---- going back ------------------------------------------------------------------------------------------------------


def test_a_run_that_goes_back_and_is_killed_before_its_first_save_is_where_it_was():
    session = start()
    session.train()
    picture = (session.run.folder / "samples" / "step_000006.png").read_bytes()
    log = session.run.log_path.read_bytes()
    inside = going_back()
    assert [r["step"] for r in inside.run.read_log()] == [1, 2, 3, 4, 5, 6]  # what it sees itself
    assert session.run.log_path.read_bytes() == log and Run.open("run").newest() == 8
    assert (session.run.folder / "samples" / "step_000006.png").read_bytes() == picture
    again = Session.open("run")
    assert again.step == 8 and again.train(10) and steps(again.run) == list(range(1, 11))
    assert not (again.run.folder / ".back").exists() and all(r.get("D") != -1 for r in again.run.read_log())


def test_nothing_of_the_abandoned_steps_is_shown_once_the_run_has_gone_another_way():
    session = start()
    session.train()
    session.run.note_evaluation(4, 10, {"energy": 4.0})
    session.run.note_evaluation(8, 10, {"energy": 8.0})
    early = Session.open("run/checkpoints/step_000004.npz")
    early.train(6)
    run = Run.open("run")
    assert [entry["step"] for entry in run.evaluations()] == [4] and list(run.seconds()) == [4, 6]
    assert steps(run) == [1, 2, 3, 4, 5, 6] and run.newest() == 6
    assert [path.name for path in run.samples()] == [f"step_{n:06d}.png" for n in (0, 2, 4, 6)]
    assert "8 of 8 steps" not in run.report_path.read_text()


def test_seconds_never_go_back():
    session = start()
    session.train()
    before = session.run.seconds()
    (session.run.folder / "seconds.json").write_text(json.dumps({"4": before[4]}))  # the line of step 8 is missing
    again = Session.open("run")
    assert again.seconds == before[4]
    again.train(9)
    assert sorted(again.run.seconds().values()) == list(again.run.seconds().values())


def edit(old, new):
    text = Run.open("run").folder / "config.toml"
    assert old in text.read_text()
    text.write_text(text.read_text().replace(old, new))


@pytest.mark.parametrize("schedule", ["none", "linear", "cosine", "exponential", "step", "plateau"])
def test_a_rate_that_was_changed_in_the_config_is_the_rate_that_is_used(schedule):
    session = start(schedule=schedule, **({"monitor": "G"} if schedule == "plateau" else {}))
    session.train(4)
    rates = {name: o.param_groups[0]["lr"] for name, o in session.schedule.optimizers.items()}
    edit("lr_g = 0.001", "lr_g = 0.004")
    again = Session.open("run")
    assert {n: o.param_groups[0]["lr"] for n, o in again.schedule.optimizers.items()} == pytest.approx(
        {"D": rates["D"], "G": 4 * rates["G"]}
    )
    again.train()
    if schedule in ("linear", "cosine", "exponential"):
        last = again.run.read_log()[-1]
        assert last["G.lr"] == pytest.approx(4 * last["D.lr"]) and last["D.lr"] == pytest.approx(1e-5, rel=1e-3)
    assert Run.open("run").config["earlier"] == [{"step": 4, "name": "lr_g", "value": 0.001}]
    assert "lr_g was 0.001 up to step 4" in again.run.report_path.read_text()
    assert Session.open("run").train(10) and len(Run.open("run").config["earlier"]) == 1  # noted once


def test_the_same_rates_give_the_same_bits():
    whole, session = start("whole"), start()
    whole.train(), session.train(4)
    edit("lr_g = 0.001", "lr_g = 1e-3")
    again = Session.open("run")
    again.train()
    assert again.run.read_log() == whole.run.read_log() and "earlier" not in again.run.config


def test_steps_and_every_so_many_may_change_and_what_would_be_a_lie_is_refused(capsys):
    start().train(4)
    edit("log_every = 1", "log_every = 2")
    edit("steps = 8", "steps = 6")
    session = Session.open("run")
    assert session.train() and steps(session.run) == [1, 2, 3, 4, 6]
    edit("latent = 2", "latent = 3")
    with pytest.raises(
        CheckpointError, match=r"config.toml: latent is 3, and was 2 up to step 6; it cannot change during a run"
    ):
        Session.open("run")
    edit("latent = 3", "latent = 2")
    edit("objective_d" if "objective_d" in Run.open("run").config else 'objective = "non-saturating"', 'objective = "hinge"')
    assert (
        minigan("resume", "run", "--steps", 9) == 2 and "objective is hinge, and was non-saturating" in capsys.readouterr().err
    )


def test_resume_takes_settings_and_a_data_folder_and_remembers_them(tmp_path, capsys):
    start().train(4)
    assert minigan("resume", "run", "--set", "lr=1e-4", "--set", "log_every=2", "--data-dir", "elsewhere") == 2
    assert "ring8" in capsys.readouterr().err and "lr_g = 0.001" in (tmp_path / "run" / "config.toml").read_text()
    assert minigan("resume", "run", "--set", "lr=1e-4", "--set", "log_every=2") == 0
    config = Run.open("run").config
    assert (config["lr_d"], config["lr_g"], config["log_every"]) == (1e-4, 1e-4, 2) and steps(Run.open("run"))[-2:] == [6, 8]
    assert minigan("resume", "run", "--steps", 9, "--set", "latent=3") == 2
    assert "latent cannot change during a run (learning rates, steps and every-so-many can)" in capsys.readouterr().err
    assert minigan("resume", "run", "--steps", 9, "--set", "lrr=3") == 2
    assert "gan has no setting 'lrr'; did you mean 'lr'?" in capsys.readouterr().err
    session = mg.runs.open("run", lr=3e-4)
    session.train(9)
    assert Run.open("run").config["lr_g"] == 3e-4


def test_a_data_folder_that_has_moved_is_remembered(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(9):
        Image.fromarray(np.full((8, 8), 25 * i, np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    given = ["--data", "folder", "--data-dir", "photos", "--set", "size=8", "--steps", 4]
    assert minigan("train", "gan", *given, *WORDS, "--out", "run") == 0
    (tmp_path / "photos").rename(tmp_path / "moved")
    assert minigan("resume", "run", "--steps", 6, "--data-dir", "moved") == 0
    assert Run.open("run").config["data_dir"] == str(tmp_path / "moved") and minigan("resume", "run", "--steps", 7) == 0


# ---- it can be finished ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["report.html", "samples.gif", "curves.png", "samples/step_000008.png"])
def test_a_run_killed_after_its_last_checkpoint_is_finished_by_resume(missing, capsys):
    start().train()
    path = Run.open("run").folder / missing
    path.unlink()
    assert minigan("resume", "run") == 0 and path.exists() and "step 8: see" in capsys.readouterr().out
    assert minigan("resume", "run") == 2 and "has 8 of 8 steps already; go further with `minigan" in capsys.readouterr().err


@pytest.mark.parametrize(
    "left", [[], [".lock"], [".env.json.0a1b2c3d.tmp"], [".lock", "env.json"], ["env.json", ".config.toml.00.tmp"]]
)
def test_a_run_killed_while_it_was_made_is_made_by_the_command_that_the_message_names(left, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    for name in left:
        (tmp_path / "run" / name).write_text("{")
    assert minigan("resume", "run") == 2
    assert "make one there with `minigan train SYSTEM --out run`, or delete the folder" in capsys.readouterr().err
    start().train(1)
    assert not [path for path in (tmp_path / "run").rglob("*") if path.name.startswith(".")]
    assert json.loads((tmp_path / "run" / "env.json").read_text())["python"]


def test_a_run_that_lost_its_env_json_gets_one_again():
    start().train(4)
    (Run.open("run").folder / "env.json").unlink()
    Session.open("run").train()
    assert (Run.open("run").folder / "env.json").exists()


def test_a_run_killed_before_its_first_checkpoint_starts_again_whatever_changes_then(tmp_path):
    session = start(checkpoint_every=100, steps=50)
    for step in range(1, 31):
        session.run.log({"step": step})
    edit("checkpoint_every = 100", "checkpoint_every = 4")
    again = Session.open("run", overrides={"latent": 3, "steps": 6})  # nothing was trained, so everything may change
    assert again.step == 0 and again.train() and steps(again.run) == list(range(1, 7))
    assert Run.open("run").config["latent"] == 3


def test_what_cannot_take_its_first_step_leaves_no_folder(tmp_path, capsys):
    assert minigan("train", "dcgan", "--batch-size", 1, "--out", "run", "--set", "channels=4") == 2
    assert "batch_norm: training needs more than one value" in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_an_interruption_between_the_folder_and_the_first_step_leaves_no_folder(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "attach", interrupted)
    assert minigan("train", "gan", "--data", "ring8", "--out", "run") == 130 and not (tmp_path / "run").exists()


def test_a_run_that_diverged_before_its_first_checkpoint_starts_again_as_its_message_says(capsys):
    given = ["--data", "ring8", "--steps", 8, "--set", "objective=least-squares", "--set", "lr=1e8"]
    assert minigan("train", "gan", *given, "--out", "run") == 2
    message = capsys.readouterr().err
    assert (
        "run has no checkpoint yet, `minigan resume run --set KEY=VALUE` starts it again; in a new run, try" in message
        and Run.open("run").newest() is None
    )
    assert minigan("resume", "run", "--set", "lr=1e-3") == 0 and Run.open("run").newest() == 8


@pytest.mark.parametrize("out, says", [("", "--out is empty"), ("~/here", None)])
def test_where_a_run_may_go(out, says, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    if says:
        with pytest.raises(ConfigError, match=says):
            start(out)
    else:
        assert start(out).run.folder == tmp_path / "here"


def test_half_written_files_of_dead_processes_are_swept(tmp_path):
    start().train(4)
    left = [f"{folder}/.x.{n}.tmp" for n, folder in enumerate(["run", "run/samples", "run/checkpoints"])]
    for name in left:
        (tmp_path / name).touch()
    Session.open("run").train(5)
    assert not list((tmp_path / "run").rglob("*.tmp"))


# ---- files that hold something else ----------------------------------------------------------------------------------


def changed(path, change):
    """Change the arrays of a checkpoint in place."""
    with np.load(path) as saved:
        arrays = {name: saved[name] for name in saved.files}
    change(arrays)
    with open(path, "wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused_everywhere(number, capsys):
    start(steps=4).train()

    def spoil(arrays):
        name = next(name for name in arrays if name.endswith("weight"))
        arrays[name].flat[0] = number

    changed("run/checkpoints/step_000004.npz", spoil)
    for words in (["sample", "run"], ["evaluate", "run"], ["resume", "run", "--steps", 8], ["export", "run", "-o", "g.npz"]):
        capsys.readouterr()
        assert minigan(*words) == 2
        error = capsys.readouterr().err
        assert "step_000004.npz" in error and len(error.splitlines()) <= 2, error


def test_a_checkpoint_of_another_seed_is_refused(capsys):
    start(steps=4).train()
    other = Session.start("gan", "ring8", seed=1, overrides={**TINY, "steps": 4}, out="other")
    other.train()
    path = other.run.checkpoint_path(4)
    path.replace("run/checkpoints/step_000004.npz")
    assert minigan("resume", "run", "--steps", 8) == 2
    assert "seed" in capsys.readouterr().err


def test_a_byte_order_mark_in_the_config_changes_nothing(capsys):
    session = start(steps=4)
    session.train()
    file = session.run.folder / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert minigan("resume", "run", "--steps", 8) == 0


def test_damaged_lines_of_the_log_are_kept_aside(capsys):
    session = start(steps=4)
    session.train()
    log = session.run.folder / "log.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines[:2], "{damaged\n", *lines[2:]]))
    assert minigan("resume", "run", "--steps", 8) == 0
    assert "log.jsonl: line 3 is damaged" in capsys.readouterr().err
    assert (session.run.folder / "log.damaged.jsonl").read_text() == "{damaged\n"
    assert steps(session.run) == list(range(1, 9))


def test_digits_that_were_drawn_otherwise_are_told(monkeypatch, capsys):
    monkeypatch.setitem(digits.SIZES, "train", 40)
    monkeypatch.setitem(digits.SIZES, "test", 20)
    session = start(data="digits", steps=2)
    session.train()
    file = session.run.folder / "config.toml"
    text = file.read_text()
    assert f"recipe = {digits.RECIPE}\n" in text
    file.write_text(text.replace(f"recipe = {digits.RECIPE}\n", "recipe = 1\n"))
    assert minigan("resume", "run", "--steps", 4) == 2
    error = capsys.readouterr().err
    assert f"then 40 samples, recipe 1; now 40 samples, recipe {digits.RECIPE}" in error and "--accept-changed-data" in error
    file.write_text(text[: text.index("[config.data_content]")])  # as minigan wrote it before it remembered this
    assert minigan("resume", "run", "--steps", 4) == 0
    assert "does not say which digits it was trained on" in capsys.readouterr().err
