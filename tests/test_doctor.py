"""`minigan doctor` on machines where something is amiss."""

import collections
import gzip
import os

import numpy as np
import pytest

from minigan import doctor
from minigan.data import cache, digits
from minigan.errors import DataError


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
    for name in ("MINIGAN_DATA", "OPENBLAS_CORETYPE"):
        monkeypatch.delenv(name, raising=False)


def finding(what):
    """One of examine's findings, without the time that the others take."""
    return getattr(doctor, f"_{what}")()


def test_all_is_well_here():
    findings = doctor.examine()
    assert [f.what for f in findings] == [
        "python",
        "numpy",
        "blas",
        "threads",
        "digits",
        "mnist",
        "cache",
        "disk",
        "cuda",
        "kernels",
    ]
    assert all(f.ok for f in findings if f.needed) and {f.what for f in findings if f.needed} == {"python", "numpy"}
    assert all(f.ok or f.advice for f in findings)
    assert findings[1].found == np.__version__


def test_blas_is_named():
    found = doctor.blas()
    assert set(found) == {"library", "version", "kernel", "threads"} and found["threads"] >= 0
    assert found["library"] in finding("blas").found


def test_a_blas_that_does_not_show_itself(monkeypatch):
    import threadpoolctl

    monkeypatch.setattr(threadpoolctl, "threadpool_info", list)
    assert doctor.blas() == {"library": "unknown", "version": "unknown", "kernel": "unknown", "threads": 0}
    assert finding("blas").ok


@pytest.mark.parametrize(
    "slower, ok, text",
    [
        (
            2.04,
            False,
            "pins the kernel, and a matrix product takes 2.0 times as long; unset it, and OpenBLAS chooses the fastest",
        ),
        (1.02, True, "pins the kernel, which costs nothing here"),
        (None, False, "pins the kernel; unset it, and OpenBLAS chooses the fastest"),
    ],
)
def test_a_pinned_kernel_is_told_with_its_cost(monkeypatch, slower, ok, text):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setattr(doctor, "_cost_of_pinning", lambda: slower)
    found = finding("blas")
    assert found.ok == ok and f"OPENBLAS_CORETYPE=Prescott {text}" in found.found + found.advice


def test_the_cost_of_pinning_is_measured_in_processes_with_and_without_it(monkeypatch):
    seen = []

    def run(command, env, **_):
        seen.append(env.get("OPENBLAS_CORETYPE"))
        return collections.namedtuple("done", "stdout")("0.003\n" if seen[-1] else "0.002\n")

    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setattr(doctor.subprocess, "run", run)
    assert doctor._cost_of_pinning() == pytest.approx(1.5) and seen == ["Prescott", None]
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: collections.namedtuple("done", "stdout")("no number"))
    assert doctor._cost_of_pinning() is None


def test_an_old_numpy_is_a_needed_thing_amiss(monkeypatch):
    monkeypatch.setattr(np, "__version__", "1.26.4")
    found = finding("numpy")
    assert (found.ok, found.needed, found.found) == (False, True, "1.26.4") and "pip install" in found.advice


def test_missing_outlines_are_told(monkeypatch):
    def no_outline(*_):
        raise DataError("digits: minigan's own file general.json cannot be read; install minigan again")

    assert finding("digits").ok
    monkeypatch.setattr(digits, "_glyph", no_outline)
    found = finding("digits")
    assert not found.ok and "install minigan again" in found.advice


def test_cached_digits_are_counted_and_a_damaged_file_is_seen(monkeypatch):
    assert finding("digits").found == "can be drawn; cached: none"
    path = digits.cache_file("train", 0, 10)
    digits.save(path, digits.draw("train", 0, 10))
    assert finding("digits").found == "can be drawn; cached: 1 file(s), ok"
    path.with_name("other.npz").write_bytes(b"no")
    assert finding("digits").found == "can be drawn; cached: 1 of 2 file(s) ok"


def test_mnist_absent_whole_or_damaged(tmp_path, monkeypatch):
    found = finding("mnist")
    assert found.ok and found.absent and found.found == "not on this machine" and "$MINIGAN_DATA" in found.advice
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for split in ("train", "t10k"):
        for kind, head, size in (
            ("images-idx3", b"\0\0\x08\3" + bytes([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1]), 2),
            ("labels-idx1", b"\0\0\x08\1" + bytes([0, 0, 0, 2]), 2),
        ):
            (folder / f"{split}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + bytes(size)))
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "data"))
    assert (finding("mnist").found, finding("mnist").ok) == ("4 file(s), ok", True)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-4])
    found = finding("mnist")
    assert not found.ok and found.found == "3 of 4 file(s) ok" and str(path) in found.advice and "cut short" in found.advice


def test_a_cache_that_cannot_be_used(tmp_path, monkeypatch):
    assert finding("cache").found == str(tmp_path / "cache")
    (tmp_path / "file").touch()
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "file" / "cache"))
    found = finding("cache")
    assert not found.ok and "cannot be written" in found.found and "$MINIGAN_CACHE" in found.advice

    def homeless():
        raise OSError("no home folder, and $MINIGAN_CACHE is not set")

    monkeypatch.setattr(cache, "folder", homeless)
    found = finding("cache")
    assert not found.ok and found.found == "none: no home folder, and $MINIGAN_CACHE is not set"


def test_a_cache_without_permission(tmp_path, monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: False if mode == os.W_OK else real(path, mode))
    assert not finding("cache").ok


def test_a_full_disk_and_a_folder_that_is_gone(monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage(2**40, 2**40, 2**20))
    found = finding("disk")
    assert not found.ok and found.found == "0.0 GiB free here" and found.advice

    def gone(path):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(doctor.shutil, "disk_usage", gone)
    assert not finding("disk").ok and "No such file" in finding("disk").found


def test_without_cupy_cuda_is_no_fault():
    found = finding("cuda")
    assert found.ok and (found.found.endswith("can be used") or (found.absent and "cpu" in found.advice))
