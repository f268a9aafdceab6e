"""Paths that people give, and commands that a shell reads back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

import minigan as mg
from minigan.errors import CheckpointError, ConfigError, MiniganError
from minigan.paths import command, path

ODD = [
    "my runs",
    "it's",
    'a "b" c',
    "$HOME",
    "`id`",
    "*",
    "a\\b",
    "%s",
    "运行",
    "a\nb",
    "a\nb\n",
    "é",
    "a\u00a0b",
    "\u202eabc",
    "#",
    "!!",
]
BYTES = os.fsdecode(b"no text \xff %d '\\")


def shells():
    return [shell for shell in ("sh", "bash", "zsh", "dash", "busybox") if shutil.which(shell)]


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell reads it")
@pytest.mark.parametrize("name", [*ODD, BYTES], ids=ascii)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_a_shell_reads_a_printed_command_back(name, encoding, monkeypatch):
    class Console:
        pass

    Console.encoding = encoding
    monkeypatch.setattr(sys, "stdout", Console())
    text = command("resume", Path(name), "--steps", 5)
    text.encode(encoding)  # it can be shown
    assert "\n" not in text or name.endswith("\n")
    for shell in shells():
        script = f"minigan() {{ printf '%s\\0' \"$@\"; }}; {text}"
        words = subprocess.run([shell, *(["sh"] if shell == "busybox" else []), "-c", script], capture_output=True, check=True)
        assert words.stdout.split(b"\0")[:-1] == [b"resume", os.fsencode(name), b"--steps", b"5"]


def test_plain_words_stay_as_they_are():
    assert command("resume", PurePosixPath("runs/2026-11-20_1512-gan-s0"), "-n", 64) == (
        "minigan resume runs/2026-11-20_1512-gan-s0 -n 64"
    )
    assert command("evaluate", Path("-x")) == "minigan evaluate ./-x"  # -x would be an option
    assert command("evaluate", Path("~")) in ("minigan evaluate './~'", "minigan evaluate ./~")  # ~ would be expanded


def test_on_windows_a_command_is_quoted_as_windows_reads_it(monkeypatch):
    monkeypatch.setattr(os, "name", "nt")
    assert command("resume", r"C:\my runs\a", "--steps", 5) == r'minigan resume "C:\my runs\a" --steps 5'


def test_a_path_may_be_text_bytes_or_any_path(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    class Own:
        def __fspath__(self):
            return "~/a"

    for given in ("~/a", b"~/a", Path("~/a"), Own()):
        assert path(given, "out") == tmp_path / "a"
    assert path("./~", "out") == Path("~") and path("a/", "out") == Path("a")
    assert os.fsencode(path(b"\xff", "out")) == b"\xff"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "out is empty; give a path, or leave it out"),
        (b"", "out is empty"),
        (None, "out takes a path, got None"),
        (3, "out takes a path, got 3"),
        (["a"], r"out takes a path, got \['a'\]"),
        ("a\0b", "has a NUL character"),
        ("~nobody-of-this-name/x", "the home folder behind the ~ is not known"),
        ("x" * 5000, r"out: x{40}\.\.\. \(5000 letters\) is too long"),
        ("a/" + "x" * 300, r"\(302 letters\) is too long"),
    ],
)
def test_an_impossible_path_is_refused(given, says):
    with pytest.raises(ConfigError, match=says):
        path(given, "out")
    with pytest.raises(CheckpointError, match=says):
        path(given, "out", CheckpointError)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mg.save("", {}),
        lambda: mg.load(""),
        lambda: mg.runs.open(""),
        lambda: mg.runs.train("gan", "ring8", out=""),
        lambda: mg.runs.train("gan", "mnist", data_dir=""),
        lambda: mg.data.folder("", size=8),
        lambda: mg.data.load("cifar10", data_dir=""),
        lambda: mg.viz.scatter_png("", np.zeros((3, 2))),
        lambda: mg.viz.save_gif("", [np.zeros((3, 2), np.uint8)]),
    ],
)
def test_no_path_in_python_may_be_empty(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MiniganError, match="is empty; give a path, or leave it out"):
        call()
    assert list(tmp_path.iterdir()) == []


def test_a_home_folder_is_found_in_python(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    mg.save(b"~/a.npz", {"x": np.ones(2)})
    assert (tmp_path / "a.npz").is_file() and mg.load(Path("~/a.npz"))["x"].tolist() == [1, 1]
