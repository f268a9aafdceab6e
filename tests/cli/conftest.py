"""Run the command: in this process (`minigan`, `refused`) or as a user does (`process`), each test in a folder of its own."""

import os
import shutil
import subprocess
import sys

import pytest
from threadpoolctl import threadpool_limits

from minigan.cli import main

TINY = ["gan", "--batch-size", "8", "--set", "latent=4"]


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """One cache for this folder's tests: the digits are drawn once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Here and in the processes started from here: the nets are tiny, and more threads would wait for each other."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        yield


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch, shared_cache):
    """An empty working folder, no data folder, and output that is buffered as it is for a user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIGAN_CACHE", str(shared_cache))
    for name in ("MINIGAN_DATA", "PYTHONUNBUFFERED", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def minigan(capsys):
    """minigan("list", "systems") -> exit code, stdout, stderr."""

    def run(*arguments):
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse's
            code = end.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def is_a_refusal():
    """is_a_refusal(code, out, err): asserts exit code 2 and one or two readable lines."""

    def check(code, out, err):
        assert code == 2, (code, out, err)
        lines = err.splitlines()
        assert 1 <= len(lines) <= 2 and all(lines), err
        assert lines[0].startswith("minigan") and "Traceback" not in err and max(map(len, lines)) < 400, err
        return True

    return check


@pytest.fixture
def refused(minigan, is_a_refusal):
    """refused("train", "gna") -> what the user reads, after a look that it is a line or two and the exit code is 2."""

    def run(*arguments):
        code, out, err = minigan(*arguments)
        assert is_a_refusal(code, out, err)
        return err

    return run


@pytest.fixture
def process():
    """process("list") -> the finished process of the real command, started anew."""

    def run(*arguments, **options):
        command = [sys.executable, "-m", "minigan", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    return run


def _train(folder, cache, *arguments):
    environment = {**os.environ, "MINIGAN_CACHE": str(cache), "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("MINIGAN_DATA", None)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "minigan",
            "train",
            *arguments,
            "--steps",
            "4",
            "--set",
            "checkpoint_every=2",
            "--set",
            "log_every=1",
            "--out",
            str(folder),
        ],
        env=environment,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory, shared_cache):
    """Two finished runs of 4 steps, with checkpoints at 2 and 4: digits and points.  For reading only."""
    root = tmp_path_factory.mktemp("runs")
    return {
        "digits": _train(root / "digits", shared_cache, *TINY),
        "points": _train(root / "points", shared_cache, *TINY, "--data", "ring8"),
    }


@pytest.fixture
def run(trained_once, own_folder):
    """A copy of the finished run on digits, to be spoilt."""
    return shutil.copytree(trained_once["digits"], own_folder / "run")


@pytest.fixture
def points_run(trained_once, own_folder):
    """A copy of the finished run on points."""
    return shutil.copytree(trained_once["points"], own_folder / "points")
