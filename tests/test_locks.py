"""One process at a time holds a lock, a killed one holds none, and its half-written files go."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from minigan import locks, serialize
from minigan.data import cache
from minigan.errors import CheckpointError

HOLD = """
import sys, time
from minigan import locks, serialize
with {what} as file:
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder():
    """holder("locks.only(...)"): a process that is inside this `with`; it is killed in the end."""
    processes = []

    def hold(what):
        process = subprocess.Popen([sys.executable, "-c", HOLD.format(what=what)], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in processes:
        process.kill()
        process.communicate()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_second_process_is_refused_and_told_who_has_it_until_that_one_is_killed(holder, tmp_path):
    path = tmp_path / ".lock"
    process = holder(f"locks.only({str(path)!r}, 'x')")
    with (
        pytest.raises(CheckpointError, match=rf"x: busy: process {process.pid} \('.*', since \d{{4}}-") as error,
        locks.only(path, "x: busy"),
    ):
        pass
    assert "wait until it has ended, or stop it" in str(error.value) and "\n" not in str(error.value)
    kill(process)
    assert path.exists()  # what a killed process leaves behind stands in nobody's way
    with locks.only(path, "x: busy"):
        assert path.exists()
    assert not path.exists()


def test_one_process_cannot_have_it_twice_and_a_lock_is_given_back_after_an_error(tmp_path):
    path = tmp_path / ".lock"
    with pytest.raises(ZeroDivisionError), locks.only(path, "x"):
        with pytest.raises(CheckpointError, match="x: this process itself"), locks.only(path, "x"):
            pass
        raise ZeroDivisionError
    with locks.only(path, "x"):
        pass


def test_of_many_at_once_one_at_a_time_has_it(tmp_path):
    inside = []

    def work(_):
        with locks.only(tmp_path / ".lock", "x", wait=60):
            inside.append(1)
            assert len(inside) == 1
            time.sleep(0.001)
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert os.listdir(tmp_path) == []


def test_a_folder_where_nothing_can_be_written_says_so(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere: cannot be written: No such file"):
        with locks.only(tmp_path / "nowhere" / ".lock", "x"):
            pass


def test_a_file_system_without_locks_lets_everybody_write(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(locks.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", none)
    with locks.only(tmp_path / ".lock", "x"), locks.only(tmp_path / ".lock", "x"):
        serialize.save(tmp_path / "x.npz", {})
    assert os.listdir(tmp_path) == ["x.npz"]


class FakeWindows:
    """msvcrt's locks as Windows describes them: a byte of a file belongs to one open file at a time."""

    LK_NBLCK = 2

    def __init__(self):
        self.taken = {}

    def locking(self, descriptor, mode, count):
        here = os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR)
        for file, (owner, identity) in list(self.taken.items()):
            try:
                if os.fstat(owner).st_ino != identity:
                    raise OSError
            except OSError:
                del self.taken[file]  # closed: Windows gives the lock up
        if here in self.taken and self.taken[here][0] != descriptor:  # the same number: the old one was closed
            raise PermissionError(13, "Permission denied")
        self.taken[here] = descriptor, here[0]


def test_windows_locks_a_byte_that_nobody_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", FakeWindows(), raising=False)
    path = tmp_path / ".lock"
    with locks.only(path, "x"):
        assert path.stat().st_size < 1000  # the byte is behind the end
        with pytest.raises(CheckpointError, match="x: this process itself"), locks.only(path, "x"):
            pass
    with locks.only(path, "x"):
        pass
    assert not path.exists()
    old, young = tmp_path / ".x.npz.1.tmp", tmp_path / ".x.npz.2.tmp"
    old.touch(), young.touch()
    os.utime(old, (0, 0))
    serialize.save(tmp_path / "x.npz", {})
    assert sorted(os.listdir(tmp_path)) == [".x.npz.2.tmp", "x.npz"]


def test_the_half_written_file_of_a_killed_process_goes_with_the_next_write_and_a_living_ones_stays(holder, tmp_path):
    path = tmp_path / "x.npz"
    living, dead = (holder(f"serialize.replacing({str(path)!r})") for _ in range(2))
    assert len(os.listdir(tmp_path)) == 2
    serialize.save(path, {"step": 1})
    assert len(os.listdir(tmp_path)) == 3  # both are writing
    kill(dead)
    serialize.save(path, {"step": 2})
    assert len(os.listdir(tmp_path)) == 2 and serialize.load(path) == {"step": 2}
    kill(living)
    locks.sweep(tmp_path)
    assert os.listdir(tmp_path) == ["x.npz"]


def test_a_file_that_was_swept_before_it_was_claimed_is_made_again(tmp_path, monkeypatch):
    """Between the creation of a file and its lock another process may sweep."""
    claim, calls = locks.claim, []

    def late(file, path):
        calls.append(path)
        if len(calls) == 1:
            locks.sweep(tmp_path)
        return claim(file, path)

    monkeypatch.setattr(locks, "claim", late)
    serialize.save(tmp_path / "x.npz", {"step": 1})
    assert len(calls) == 2 and os.listdir(tmp_path) == ["x.npz"]


def test_the_cache_too_is_swept(tmp_path):
    (tmp_path / ".a.npz.0a1b.tmp").touch()
    cache.save(tmp_path / "a.npz", {})
    assert os.listdir(tmp_path) == ["a.npz"]
    with pytest.raises(OSError):
        cache.save(tmp_path / "a.npz" / "b.npz", {})
