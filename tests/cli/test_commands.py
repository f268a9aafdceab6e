"""What the verbs do when all is well: files and text, as a user finds them."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from minigan import data
from minigan.runs import loop
from minigan.runs.session import Session
from minigan.systems import registry
from minigan.systems.registry import get
from minigan.viz import letters
from minigan.viz.samples import labelled_grid

TINY = ["gan", "--batch-size", "8", "--set", "latent=4"]
POINTS = [*TINY, "--data", "ring8"]


def pixels(path):
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image)


# ---- train and sample ------------------------------------------------------------------------------------------------


def test_train_leaves_a_run_folder(minigan, own_folder):
    code, out, err = minigan("train", *TINY, "--steps", 20, "--seed", 7, "--set", "sample_every=10", "--set", "lr=1e-3")
    assert code == 0, err
    (run,) = (own_folder / "runs").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{4}-gan-s7", run.name)
    assert sorted(os.listdir(run)) == [
        "checkpoints",
        "config.toml",
        "curves.png",
        "env.json",
        "log.jsonl",
        "report.html",
        "samples",
        "samples.gif",
        "seconds.json",
    ]
    assert sorted(os.listdir(run / "samples")) == [f"step_{n:06d}.png" for n in (0, 10, 20)]
    assert os.listdir(run / "checkpoints") == ["step_000020.npz"]
    config = (run / "config.toml").read_text()
    lines = ("seed = 7", "lr_d = 0.001", "lr_g = 0.001", "batch_size = 8", "latent = 4", "steps = 20")
    assert all(line in config for line in lines)
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records] == [10, 20] and all(0 < r["D"] < 5 and 0 < r["G"] < 5 for r in records)
    sizes = 4 * 128 + 128 + 128 * 256 + 256 + 256 * 784 + 784 + 784 * 256 + 256 + 256 * 128 + 128 + 128 + 1
    assert f"gan on digits, {sizes:,} parameters, into " in out
    assert f"minigan sample {run.relative_to(own_folder)} -n 64 -o grid.png" in out


def test_the_commands_that_train_prints_work(minigan, own_folder):
    _, out, _ = minigan("train", *TINY, "--steps", 2)
    assert minigan(*out.split("minigan ")[-1].split())[0] == 0
    assert (own_folder / "grid.png").is_file()


@pytest.mark.parametrize("system, said, threads", [(POINTS, {}, 1), (TINY, {}, 2), (POINTS, {"OMP_NUM_THREADS": "2"}, 2)])
def test_small_nets_train_with_one_blas_thread_unless_the_user_says_how_many(minigan, monkeypatch, system, said, threads):
    from threadpoolctl import threadpool_info, threadpool_limits

    def count():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    seen, train = [], Session.train
    monkeypatch.setattr(Session, "train", lambda *arguments: (seen.append(count()), train(*arguments))[1])
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with threadpool_limits(2, user_api="blas"):
        assert minigan("train", *system, "--steps", 1)[0] == 0
        assert count() == {2}  # given back
    assert seen == [{threads}]


def test_seconds_end_a_run_that_can_be_resumed(minigan, monkeypatch):
    clock = iter(range(10_000))
    with monkeypatch.context() as patch:
        patch.setattr(loop.time, "monotonic", lambda: float(next(clock)))
        code, out, _ = minigan("train", *TINY, "--seconds", 10, "--out", "run")
    steps = int(re.search(r"^step (\d+):", out, re.M)[1])
    assert code == 0 and steps == 10 and f"{4000 - steps} steps are left: `minigan resume run`" in out
    assert minigan("resume", "run", "--steps", steps + 1)[0] == 0


def test_sample_writes_a_picture_and_the_numbers(minigan, run):
    code, out, _ = minigan("sample", run, "-n", 9, "-o", "grid.png", "--npz", "samples.npz")
    assert (code, out) == (0, "9 samples of step 4: grid.png, samples.npz\n")
    with np.load("samples.npz") as file:
        assert file.files == ["images"]
        images = file["images"]
    assert images.shape == (9, 1, 28, 28) and images.dtype == np.float32 and np.abs(images).max() <= 1
    assert images.std(axis=0).max() > 0  # not nine times the same
    grid = pixels("grid.png")
    assert grid.shape == (3 * 58 + 2, 3 * 58 + 2)
    first = grid[2:58, 2:58][::2, ::2]  # each pixel is drawn 2 x 2
    assert np.abs(first - (images[0, 0] + 1) * 127.5).max() <= 0.51


def test_sample_of_points(minigan, points_run):
    assert minigan("sample", points_run, "-n", 700, "--npz", "p.npz")[0] == 0
    with np.load("p.npz") as file:
        assert file.files == ["points"] and file["points"].shape == (700, 2) and file["points"].dtype == np.float32
    assert not os.path.exists("grid.png")  # only what was asked for
    assert minigan("sample", points_run)[0] == 0 and pixels("grid.png").shape[:2] == (600, 600)


def test_sample_counts_are_64_without_n(minigan, run):
    assert "64 samples of step 4: grid.png" in minigan("sample", run)[1]
    assert pixels("grid.png").shape == (8 * 58 + 2, 8 * 58 + 2)


def test_the_seed_of_sample(minigan, run):
    samples = {}
    for name, options in {"none": [], "again": [], "1": ["--seed", 1], "1 again": ["--seed", 1], "2": ["--seed", 2]}.items():
        assert minigan("sample", run, "--npz", "x.npz", "-n", 8, *options)[0] == 0
        samples[name] = np.load("x.npz")["images"]
    assert np.array_equal(samples["none"], samples["again"]) and np.array_equal(samples["1"], samples["1 again"])
    assert not np.array_equal(samples["1"], samples["2"]) and not np.array_equal(samples["none"], samples["1"])


def test_sample_shows_what_the_runs_own_picture_shows(minigan, run):
    minigan("sample", run)
    assert np.array_equal(pixels("grid.png"), pixels(run / "samples" / "step_000004.png"))


def test_an_earlier_checkpoint_can_be_sampled_and_resumed(minigan, run):
    early = run / "checkpoints" / "step_000002.npz"
    assert "64 samples of step 2" in minigan("sample", early, "--npz", "early.npz")[1]
    minigan("sample", run, "--npz", "late.npz")
    assert not np.array_equal(np.load("early.npz")["images"], np.load("late.npz")["images"])
    assert "from step 2" in minigan("resume", early)[1]


# ---- the other verbs -------------------------------------------------------------------------------------------------


def test_list(minigan):
    systems, datasets = minigan("list")[1], minigan("list", "datasets")[1]
    assert minigan("list", "systems")[1] == systems and len(systems.splitlines()) < 50  # one screen
    for word in ("adversarial", "dcgan", "2016", "wgan-gp", "translation", "a penalty pulls the slope of the critic to 1"):
        assert word in systems
    assert all(word in datasets for word in ("digits", "fashion-mnist", "two-moons", "  size            side of the square"))
    assert "mnist" not in systems and "dcgan" not in datasets
    assert minigan("data", "list")[1] == datasets


def test_the_list_shows_every_title_in_full(minigan):
    systems = minigan("list", "systems")[1]
    assert "..." not in systems
    for one in registry.systems().values():
        assert one.title.partition(": ")[2].rstrip(".") in systems


def test_show_tells_all_about_a_system(minigan):
    shown = minigan("show", "wgan-gp")[1]
    for word in (
        "Gulrajani et al. 2017",
        "wgan_gp.py",
        "minigan train wgan-gp",
        "10.0 (section 4)",
        "rmsprop",
        "grid25",
        "modes at least 8",
        "asymmetry",
    ):
        assert word in shown, word
    code, _, err = minigan("show", "wgan-pg")
    assert code == 2 and "did you mean 'wgan-gp'?" in err


def test_every_setting_that_show_shows_can_be_set_to_what_it_shows(minigan):
    shown = re.findall(r"^  (\w+=\S*)  ", minigan("show", "gan")[1], re.M)
    assert {"latent=100", "batch_size=64", "objective=non-saturating", "log_every=10"} <= set(shown)
    assert {text.partition("=")[0] for text in shown} == set(get("gan").settings)
    settings = [word for text in shown if not text.startswith("steps") for word in ("--set", text)]
    assert minigan("train", "gan", *settings, "--steps", 1, "--out", "run")[0] == 0


def test_preview_of_pictures_and_of_points(minigan):
    assert minigan("data", "preview", "digits", "-o", "x.png")[0] == 0
    batch = data.load("digits")[np.random.default_rng(0).choice(20_000, 100, replace=False)]
    expected = labelled_grid(batch.x, batch.labels)  # in rows by class
    assert expected.shape[0] == 10 * 58 + 2 and np.array_equal(pixels("x.png"), expected[:, :, 0])
    code, out, _ = minigan("data", "preview", "ring8")
    assert code == 0 and "ring8.png" in out and pixels("ring8.png").shape[:2] == (600, 600)
    code, out, _ = minigan("data", "preview", "filled-outline", "-o", "x.png")  # a filled digit and an outline in each cell
    assert out == "filled-outline: 10,000 samples (unaligned pictures 1x28x28 and 1x28x28), 100 of them in x.png\n"
    height, width = pixels("x.png").shape
    assert height == letters.height() + 2 + 10 * 58 + 2 and (width - 2 - letters.width("0", 14) - 8) % 114 == 0
    assert minigan("data", "preview", "oracle", "-o", "x.png")[0] == 0 and pixels("x.png").shape[2] == 3


def test_samples_of_a_system_with_labels_are_shown_by_label(minigan, own_folder):
    tiny = ["--steps", 1, "--batch-size", 8, "--set", "latent=4", "--set", "width=8", "--out", "run"]
    assert minigan("train", "cgan", "--set", "nets=mlp", "--set", "norm_g=none", *tiny)[0] == 0
    first, last = (pixels(f"run/samples/step_{step:06d}.png") for step in (0, 1))
    assert first.shape == last.shape == (10 * 58 + 2, letters.width("0", 14) + 8 + 7 * 58 + 2)
    assert minigan("sample", "run", "--npz", "x.npz", "-o", "x.png")[0] == 0
    assert np.array_equal(pixels("x.png"), last)
    with np.load("x.npz") as file:
        assert np.array_equal(labelled_grid(file["images"], file["labels"])[:, :, 0], last)
    fields = tomllib.loads(Path("run/config.toml").read_text())["config"]["fields"]
    assert fields == {"x": "pictures 1x28x28", "labels": "class 10"}
    assert minigan("sample", "run", "--label", 3, "-n", 4, "-o", "x.png")[0] == 0
    assert pixels("x.png").shape == (2 * 58 + 2, letters.width("3", 14) + 8 + 2 * 58 + 2)


def test_verify_and_fetch_of_what_needs_no_file(minigan):
    for name in ("ring8", "digits"):
        for action in ("verify", "fetch"):
            code, out, _ = minigan("data", action, name)
            assert code == 0 and "ok" in out


def test_verify_mnist(minigan, monkeypatch):
    code, out, _ = minigan("data", "verify", "mnist")
    assert code == 2 and out.count(": missing") == 4


def test_doctor(minigan):
    code, out, err = minigan("doctor")
    assert (code, err) == (0, "")
    found = dict(line[4:].split(None, 1) for line in out.splitlines() if line[:2] in ("ok", "--", "!!"))
    assert list(found) == ["python", "numpy", "blas", "threads", "digits", "mnist", "cache", "disk", "cuda", "kernels"]
    assert "\n--  mnist        not on this machine\n" in out  # no fault, but not "ok" either
    assert found["numpy"] == np.__version__ and found["python"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")


def test_doctor_as_json(minigan):
    code, out, _ = minigan("doctor", "--json")
    rows = json.loads(out)
    assert code == 0 and {row["what"]: row["found"] for row in rows}["numpy"] == np.__version__
    assert all(set(row) == {"what", "found", "ok", "advice", "needed", "absent"} for row in rows)


VERBS = ["train", "resume", "sample", "list", "data", "doctor"]


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_is_readable(minigan, verb):
    code, out, err = minigan(*([verb] if verb else []), "--help")
    assert (code, err) == (0, "") and out.startswith(f"usage: minigan {verb}".rstrip())
    assert max(map(len, out.splitlines())) <= 100
    if not verb:
        assert all(re.search(rf"^ +{name} +\w", out, re.M) for name in VERBS)
        assert len(re.findall(r"^  minigan (?:train|evaluate|lesson) .* {3}\w", out, re.M)) == 3  # examples
    for name, text in re.findall(r"^  (?:-\w, )?(--[\w-]+|-n).*?  +([^-].*(?:\n {10,}.*)*)", out, re.M):
        assert len(text) > 5, name


def test_help_tells_the_defaults_and_they_are_true(minigan):
    out = " ".join(minigan("train", "--help")[1].split())
    options = dict(re.findall(r"(--[a-z-]+) [A-Z=]+ (.*?)(?= --[a-z-]+ [A-Z]|$)", out.partition("options:")[2]))
    assert set(options) == {
        "--data",
        "--data-dir",
        "--steps",
        "--seconds",
        "--batch-size",
        "--seed",
        "--device",
        "--set",
        "--out",
    }
    assert all("default" in text for text in options.values()), options
    minigan("train", "gan", "--steps", 1, "--out", "run")
    config = Path("run/config.toml").read_text()
    assert "(default: 0)" in options["--seed"] and "seed = 0" in config
    assert "(default: cpu)" in options["--device"] and 'device = "cpu"' in config


def test_the_version(minigan):
    from importlib.metadata import version

    assert minigan("--version")[:2] == (0, f"minigan {version('minigan')}\n")


def test_python_m_minigan_is_minigan(process):
    done = process("list", "datasets")
    assert done.returncode == 0 and done.stdout.startswith("data sets") and done.stderr == ""


def test_a_reader_that_leaves_early_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m minigan list | head -1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "0" and done.stderr == ""


# ---- progress --------------------------------------------------------------------------------------------------------


def test_without_a_terminal_progress_is_plain_lines(minigan, own_folder):
    _, _, err = minigan("train", *POINTS, "--steps", 40, "--out", "run")
    lines = err.splitlines()
    assert [line.split()[1] for line in lines] == [f"{n}/40" for n in range(4, 41, 4)]
    whole = r"step \d+/40  D \d\.\d{3}  G \d\.\d{3}  D\(x\) \d\.\d\d  D\(G\(z\)\) \d\.\d\d  \d+\.\d steps/s  \d+ s left"
    assert all(re.fullmatch(whole, line) for line in lines)
    _, _, err = minigan("resume", "run", "--steps", 43)
    assert err.startswith("step 41/43") or err.startswith("step 43/43") or err.startswith("step 42/43")
    assert "\r" not in err and err.splitlines()[-1].startswith("step 43/43")


def on_a_terminal(arguments, columns=100):
    """(exit code, everything the command writes on a terminal of its own, stdout and stderr together)."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([sys.executable, "-m", "minigan", *arguments], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    data = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # Linux says EIO where others say end of file
            piece = b""
        if not piece:
            break
        data += piece
    os.close(master)
    return process.wait(timeout=60), data.decode()


def test_without_a_terminal_a_time_limit_gives_a_line_every_tenth_of_it(monkeypatch, capsys):
    """Ten seconds of a run of a million steps: no tenth of the steps is reached."""
    from minigan.cli import train

    class Session:
        step, seconds = 0, 100.0  # of earlier training

    clock = iter([0, *(0.25 * i for i in range(1, 41))])  # asked at the start, and in each of 40 steps
    monkeypatch.setattr(train.time, "monotonic", lambda: next(clock))
    with train._progress(Session, 10**6, 10) as report:
        for step in range(1, 41):
            Session.seconds += 0.25
            report(step, {"D": 1.0})
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("/")[0] for line in lines] == [f"step {step}" for step in range(4, 41, 4)]
    assert lines[0] == "step 4/1000000  D 1.000  4.0 steps/s  9 s left"


@pytest.mark.parametrize("columns", [100, 0])  # 0: a terminal that does not know, such as a container's
def test_on_a_terminal_progress_is_a_bar(columns):
    code, text = on_a_terminal(["train", *POINTS, "--steps", "60", "--out", "run"], columns)
    assert code == 0, text
    frames = [frame for frame in text.replace("\n", "\r").split("\r") if "/60" in frame]
    # steps, the bar, time left, speed, both losses, and D's probabilities of real for real and for generated samples
    whole = (
        r" *\d+/60 \|.+\| <\d\d:\d\d, +[\d.]+(step/s|s/step), "
        r"D \d\.\d{3}  G \d\.\d{3}  D\(x\) \d\.\d\d  D\(G\(z\)\) \d\.\d\d\s*"
    )
    assert re.fullmatch(whole, frames[-1]), frames
    assert "60/60" in frames[-1] and max(map(len, frames)) <= (columns or 80)
    assert len(frames) < 60  # drawn now and then, not at every step
    last = text.replace("\r\n", "\n").rpartition("60/60")[2].splitlines()
    assert last[1].startswith("step 60: see run/report.html, run/samples.gif")  # on a line of its own


def test_an_error_in_mid_training_leaves_the_bars_line(own_folder):
    code, text = on_a_terminal(
        [
            "train",
            "gan",
            "--data",
            "ring8",
            "--set",
            "lr=1e8",
            "--set",
            "objective=least-squares",
            "--steps",
            "50",
            "--out",
            "run",
        ]
    )
    lines = [line for line in text.replace("\r\n", "\n").splitlines() if line.startswith("minigan: ")]
    assert code == 2 and len(lines) == 1 and "Warning" not in text, text
    assert re.match(r"minigan: step \d+: player [DG]: \w+: first (NaN|Inf) in its (output|gradient)", lines[0]), text


def test_reporting_never_draws_by_itself(minigan, monkeypatch):
    """A bar that is drawn at every step costs more than a small step does."""
    import tqdm

    drawn = []
    real = tqdm.tqdm.display
    monkeypatch.setattr(tqdm.tqdm, "display", lambda self, *a, **k: drawn.append(self.n) or real(self, *a, **k))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    from minigan.cli.train import _progress

    class Session:
        step, seconds = 0, 0.0

    with _progress(Session, 1000, None) as report:
        start = len(drawn)
        for step in range(1, 5):
            report(step, {"D": 1.0, "G": 2.0, "D.penalty": 3.0})
        assert len(drawn) - start <= 1  # by time (ten a second), not by step
    assert drawn[-1] == 4


def test_losses_are_short_however_large():
    from minigan.runs.notebook import losses_text

    assert losses_text({"D": 0.69314, "D.penalty": 1.0, "G": -2.9e18}) == "D 0.693  G -2.9e+18"


def test_what_d_says_of_real_and_generated_samples_stands_behind_the_losses():
    from minigan.runs.notebook import losses_text

    losses = {"D": 0.69314, "D(x)": 0.5123, "D(G(z))": 0.4, "G": 0.7, "G.gradient": 1.0}
    assert losses_text(losses) == "D 0.693  G 0.700  D(x) 0.51  D(G(z)) 0.40"
    assert (
        losses_text({"D": 1.0, "score(x)": -1234567.0, "score(G(z))": 2.0}) == "D 1.000  score(x) -1.23e+06  score(G(z)) 2.00"
    )


# ---- Ctrl-C ----------------------------------------------------------------------------------------------------------


def interrupt_at(monkeypatch, step, number=signal.SIGINT, times=1, after=True):
    """Let the signal arrive in the middle of a step."""
    real, count = loop.play, [0]

    def play(*arguments):
        count[0] += 1
        if count[0] == step:
            for _ in range(times):
                signal.raise_signal(number)
        return real(*arguments)

    monkeypatch.setattr(loop, "play", play)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_lets_the_step_finish_saves_and_tells_how_to_resume(minigan, monkeypatch, number, code):
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3, number)
        result, out, err = minigan("train", *TINY, "--steps", 6, "--set", "log_every=1", "--out", "run")
    assert result == code and "see run/samples.gif" not in out
    assert "finishing this step and saving; press Ctrl-C again to stop at once" in err
    assert err.endswith("stopped at step 3 and saved; continue with `minigan resume run`\n")
    assert signal.getsignal(number) is before
    assert os.listdir("run/checkpoints") == ["step_000003.npz"]
    result, out, err = minigan("resume", "run")
    assert result == 0 and "from step 3" in out
    assert minigan("train", *TINY, "--steps", 6, "--set", "log_every=1", "--out", "whole")[0] == 0
    for file in ("checkpoints/step_000006.npz", "log.jsonl"):
        assert Path("run", file).read_bytes() == Path("whole", file).read_bytes()


def test_the_steps_that_resume_is_given_are_remembered(minigan, run, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        code, _, err = minigan("resume", run, "--steps", 9)
    assert code == 130 and err.endswith(f"continue with `minigan resume {run}`\n")
    assert "steps = 9" in (run / "config.toml").read_text()
    code, out, _ = minigan("resume", run)
    assert code == 0 and "step 9: see" in out


def test_the_second_ctrl_c_stops_at_once(minigan, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 5, times=2)
        code, _, err = minigan("train", *TINY, "--steps", 9, "--set", "checkpoint_every=2", "--out", "run")
    assert code == 130 and err.endswith("stopped at once; `minigan resume run` goes on from step 4\n")
    assert minigan("resume", "run")[0] == 0


def test_ctrl_c_in_the_very_last_step_is_no_stop(minigan, monkeypatch):
    interrupt_at(monkeypatch, 3)
    code, out, _ = minigan("train", *TINY, "--steps", 3, "--out", "run")
    assert code == 0 and "step 3: see" in out


def test_a_background_job_that_ignores_ctrl_c_goes_on_ignoring_it(minigan, monkeypatch):
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        interrupt_at(monkeypatch, 2)
        assert minigan("train", *TINY, "--steps", 3, "--out", "run")[0] == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)


def test_ctrl_c_before_the_training_is_one_line(minigan, monkeypatch):
    from minigan import data

    def load(*_, **__):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(data, "load", load)
    assert minigan("train", "gan") == (130, "", "minigan: stopped\n")


def test_ctrl_c_to_the_real_command(own_folder, minigan):
    command = [sys.executable, "-m", "minigan", "train", *TINY, "--steps", "1000000", "--set", "log_every=1", "--out", "run"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    log = own_folder / "run" / "log.jsonl"
    while not (log.exists() and log.read_text().count("\n") >= 3) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err, err
    step = int(re.search(r"stopped at step (\d+) and saved; continue with `minigan resume run`", err)[1])
    assert os.listdir("run/checkpoints") == [f"step_{step:06d}.npz"]
    assert json.loads(log.read_text().splitlines()[-1])["step"] == step
    assert minigan("resume", "run", "--steps", step + 2)[0] == 0
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == list(range(1, step + 3))
