"""Every console: streams that are closed, full or 8-bit, odd paths, python -OO, a plotting backend that is not installed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minigan.cli import main, output

TRAIN = ["train", "gan", "--data", "ring8", "--steps", "2", "--batch-size", "8", "--set", "width=4", "--set", "latent=2"]
posix = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")


@pytest.fixture
def shell():
    """shell("minigan list >&-") -> the finished process; `minigan` is this Python's."""

    def run(line, **environment):
        script = f'minigan() {{ "{sys.executable}" -m minigan "$@"; }}\n{line}'
        return subprocess.run(["sh", "-c", script], capture_output=True, timeout=120, env={**os.environ, **environment})

    return run


def trained(folder):
    return (Path(folder) / "checkpoints" / "step_000002.npz").is_file() and (Path(folder) / "report.html").is_file()


# ---- no stdout, no stderr --------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_stops_nothing(shell, closed):
    done = shell(f"minigan list {closed}")
    assert done.returncode == 0 and done.stderr == b"" and (b"wgan-gp" in done.stdout) == (closed == "2>&-")
    assert shell(f"minigan show nope {closed}").returncode == 2
    done = shell(f"minigan {' '.join(TRAIN)} --out run {closed}")
    assert done.returncode == 0 and b"Traceback" not in done.stderr and trained("run")
    for path in Path("run").rglob("*.*"):  # nobody's output has landed in a file that got the number of a closed stream
        assert b"how good: " not in path.read_bytes() and b"steps/s" not in path.read_bytes(), path


@full
@pytest.mark.parametrize(
    ("to", "told"),
    [
        (">/dev/full", b"warning: standard output could not be written: No space left on device; the work went on\n"),
        ("2>/dev/full", b"how good: "),
        (">/dev/full 2>/dev/full", b""),
        ("| true", b""),
        ("2>&1 | head -1", b""),
    ],
)
def test_no_stream_ends_the_training(shell, to, told):
    done = shell(f"minigan {' '.join(TRAIN)} --out run {to}")
    assert done.returncode == 0 and told in done.stdout + done.stderr and b"Traceback" not in done.stderr
    assert trained("run") and b"Exception ignored" not in done.stderr


@full
def test_what_only_prints_tells_of_a_full_disk(shell):
    done = shell("minigan list >/dev/full")
    assert done.returncode == 2 and done.stderr.startswith(b"minigan: standard output: No space left on device; check")
    assert shell("minigan list >/dev/full 2>/dev/full").returncode == 2
    assert shell("minigan list 2>/dev/full").returncode == 0
    assert shell("minigan show nope 2>/dev/full").returncode == 2
    assert shell("minigan list | head -1").stdout.count(b"\n") == 1


def test_streams_are_ready_once_more(monkeypatch):
    """As under pythonw, where there is no stream at all, and in a notebook, whose streams cannot be changed."""

    class Notebook:
        def write(self, text):
            return len(text)

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Notebook())
    monkeypatch.setattr(sys, "stderr", None)
    output.ready()
    print("运行", file=sys.stderr)
    assert main(["list"]) == 0
    sys.stderr.close()


# ---- letters ---------------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "gbk:strict", "utf-8"])
def test_a_run_on_an_8_bit_console_and_its_commands_can_be_pasted(shell, encoding, own_folder):
    name, environment = "运行 it's\né", {"PYTHONIOENCODING": encoding}
    done = shell(f'minigan {" ".join(TRAIN)} --out "$NAME"', NAME=name, **environment)
    assert done.returncode == 0 and b"Traceback" not in done.stderr and trained(name), done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith(b"how good: "))
    again = shell(line.removeprefix(b"how good: ").decode(encoding.partition(":")[0]) + " --metrics modes", **environment)
    assert again.returncode == 0, again.stderr
    assert (Path(name) / "evaluation.json").is_file()


@posix
@pytest.mark.parametrize(
    "environment", [{"LANG": "C", "LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_a_name_that_is_no_text(environment, own_folder):
    """Linux allows any bytes in a name."""
    name = b"no text \xff\xfe"
    command = [sys.executable, "-m", "minigan"]
    try:
        os.mkdir(name)
    except OSError:
        pytest.skip("this file system wants text")
    done = subprocess.run([*command, *TRAIN, "--out", name], capture_output=True, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    assert trained(os.fsdecode(name))
    line = next(line for line in done.stdout.splitlines() if line.startswith(b"more samples: "))
    script = f'minigan() {{ "{sys.executable}" -m minigan "$@"; }}\n'.encode() + line.removeprefix(b"more samples: ")
    assert subprocess.run(["sh", "-c", script], capture_output=True, env={**os.environ, **environment}).returncode == 0
    assert Path("grid.png").is_file()
    for verb in (["compare", name, "--json"], ["evaluate", name, "--metrics", "modes", "--json"]):
        done = subprocess.run([*command, *verb], capture_output=True, env={**os.environ, **environment})
        assert done.returncode == 0 and json.loads(done.stdout)


# ---- paths -----------------------------------------------------------------------------------------------------------

PATHS = [  # every argument that is a path
    ["train", "gan", "--out"],
    ["train", "gan", "--data", "mnist", "--data-dir"],
    ["resume"],
    ["resume", "RUN", "--data-dir"],
    ["sample"],
    ["sample", "RUN", "-o"],
    ["sample", "RUN", "--npz"],
    ["evaluate"],
    ["evaluate", "RUN", "--data-dir"],
    ["compare"],
    ["compare", "RUN", "-o"],
    ["tune", "gan", "--grid", "lr=1e-3", "--metric", "modes", "--out"],
    ["tune", "gan", "--grid", "lr=1e-3", "--metric", "modes", "--data-dir"],
    ["data", "preview", "digits", "-o"],
    ["data", "preview", "mnist", "--data-dir"],
    ["bench", "--out"],
]


@pytest.mark.parametrize("arguments", PATHS, ids=" ".join)
def test_no_path_may_be_empty(arguments, refused, own_folder):
    assert "is empty; give a path, or leave it out" in refused(*arguments, "")
    assert "the home folder behind the ~ is not known" in refused(*arguments, "~nobody-of-this-name/x")
    assert list(own_folder.iterdir()) == []


def test_a_home_folder_is_found_in_every_path(minigan, points_run, own_folder, monkeypatch):
    home = own_folder / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    shutil.copytree(points_run, home / "run")
    assert minigan(*TRAIN, "--out=~/new")[0] == 0 and trained(home / "new")
    assert minigan("resume", "~/run", "--steps", 5)[0] == 0
    assert minigan("sample", "~/run", "-o", "~/a.png", "--npz", "~/a.npz", "-n", 9)[0] == 0
    assert minigan("evaluate", "~/run", "--metrics", "modes")[0] == 0
    assert minigan("compare", "~/run", "~/new", "-o", "~/b.png")[0] == 0
    assert minigan("data", "preview", "ring8", "-o", "~/c.png")[0] == 0
    seen = {path.name for path in home.iterdir() if path.name[0] != "."}  # matplotlib keeps a hidden folder
    assert seen == {"run", "new", "a.png", "a.npz", "b.png", "c.png"}
    code, _, err = minigan("train", "gan", "--data", "folder", "--data-dir", "~/none")
    assert code == 2 and str(home / "none") in err
    assert {path.name for path in own_folder.iterdir()} == {"home", points_run.name}


# ---- python -OO, no home, another plotting backend -------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["list"], ["list", "objectives"], ["show", "wgan-gp"], TRAIN], ids=" ".join)
def test_without_docstrings(own_folder, arguments):
    plain, bare = (
        subprocess.run([sys.executable, *options, "-m", "minigan", *arguments], capture_output=True, text=True)
        for options in ([], ["-OO"])
    )
    assert plain.returncode == bare.returncode == 0, bare.stderr
    assert plain.stdout.count("\n") == bare.stdout.count("\n")
    assert arguments[0] == "train" or arguments[-1] == "objectives" or plain.stdout == bare.stdout


@pytest.mark.parametrize(
    "environment",
    [
        {"MPLBACKEND": "nonsense"},
        {"MPLBACKEND": "module://not_installed", "TERM": "dumb", "COLUMNS": "1"},
        {"MPLCONFIGDIR": "/proc/none", "MINIGAN_CACHE": "/proc/none", "HOME": "/proc/none"},
    ],
    ids=str,
)
def test_a_strange_environment(environment, process, own_folder):
    done = process(*TRAIN, "--out", "run", env={**os.environ, **environment})
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert trained("run") and (own_folder / "run" / "curves.png").is_file()
    assert process("--help", env={**os.environ, **environment}).returncode == 0
    assert process("data", env={**os.environ, **environment}).stdout.startswith("data sets")
