"""What is said, in one line, when a GPU is asked for and cannot be had."""

import sys

import numpy as np
import pytest

import minigan as mg
from minigan import cli, doctor
from minigan.errors import DeviceError

TINY = ["train", "gan", "--batch-size", "8", "--set", "latent=4", "--steps", "2"]


def no_cupy(monkeypatch, card):
    monkeypatch.setitem(sys.modules, "cupy", None)


def no_driver(monkeypatch, card):
    monkeypatch.setattr(card.machine, "driver", 0)


def old_driver(monkeypatch, card):
    monkeypatch.setattr(card.machine, "driver", 12040)


def no_card(monkeypatch, card):
    monkeypatch.setattr(card.machine, "cards", 0)


def no_compiler(monkeypatch, card):
    import cupy

    monkeypatch.setattr(card.machine, "nvrtc", False)
    monkeypatch.delitem(mg.backend.MODULES, cupy.ndarray, raising=False)  # as before the first use


def broken(monkeypatch, card):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "cupy":
                raise ImportError("\nlibcudart.so.13: cannot open shared object file\nmore\nlines")

    monkeypatch.delitem(sys.modules, "cupy")
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])


def no_cache(monkeypatch, card):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "cupy":
                raise PermissionError(13, "Permission denied", "/home/me/.cupy")

    monkeypatch.delitem(sys.modules, "cupy")
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])


MACHINES = [
    (no_cache, "cannot write /home/me/.cupy: Permission denied; set CUPY_CACHE_DIR to a folder that can be written"),
    (no_cupy, "needs CuPy, which is not installed; pip install 'cupy-cuda13x[ctk]'"),
    (broken, "does not load: libcudart.so.13: cannot open shared object file; reinstall it"),
    (no_driver, "this machine has no CUDA driver; install NVIDIA's driver"),
    (
        old_driver,
        "is for CUDA 13, and the driver here knows CUDA 12.4 at most; update the driver, or uninstall this CuPy and "
        "pip install 'cupy-cuda12x[ctk]'",
    ),
    (
        no_compiler,
        "finds no NVRTC, NVIDIA's compiler for kernels; pip install 'cupy-cuda13x[ctk]', or install the CUDA toolkit 13",
    ),
    (no_card, "finds no GPU here; check that nvidia-smi lists one"),
]


@pytest.mark.parametrize("machine, text", MACHINES)
def test_a_machine_without_a_gpu_says_what_it_lacks(card, monkeypatch, capsys, tmp_path, machine, text):
    machine(monkeypatch, card)
    with pytest.raises(DeviceError) as error:
        mg.ones(3).to("cuda")
    assert text in str(error.value) and str(error.value).endswith("use device 'cpu'") and "\n" not in str(error.value)
    assert not mg.cuda.is_available() and mg.backend.pick_device("auto") == "cpu"
    finding = doctor._cuda()
    assert finding.ok and finding.found == "not usable" and text in finding.advice
    monkeypatch.chdir(tmp_path)
    assert cli.main([*TINY, "--device", "cuda"]) == 2
    said = capsys.readouterr().err.strip()
    assert text in said and len(said.splitlines()) == 1 and not list(tmp_path.iterdir())


def test_a_card_is_found(card):
    assert mg.cuda.is_available() and mg.backend.pick_device("auto") == "cuda:0"
    assert doctor._cuda().found == "cuda:0 can be used"


def test_a_number_that_no_card_has(card, monkeypatch, capsys, tmp_path):
    with pytest.raises(DeviceError, match=r"'cuda:1' does not exist: this machine has 1 CUDA device\(s\), numbered from 0"):
        mg.ones(3, device="cuda:1")
    monkeypatch.chdir(tmp_path)
    assert cli.main([*TINY, "--device", "cuda:7"]) == 2
    assert "'cuda:7' does not exist" in capsys.readouterr().err


def test_a_full_card_is_one_line(card, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(card.machine, "memory", 1000)
    assert cli.main([*TINY, "--device", "cuda"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("minigan: the GPU is out of memory (Out of memory allocating ")
    assert "smaller --batch-size" in said and "--device cpu" in said


def test_a_run_of_the_card_goes_on_on_the_cpu_and_back(card, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*TINY, "--device", "cuda", "--out", "run"]) == 0
    for steps, device in (("3", "cpu"), ("4", "cuda")):
        assert cli.main(["resume", "run", "--steps", steps, "--device", device]) == 0
    assert cli.main(["sample", "run", "-n", "4", "--npz", "s.npz", "-o", "s.png"]) == 0
    with np.load("s.npz") as samples:
        assert np.isfinite(samples[samples.files[0]]).all()
    no_driver(monkeypatch, card)
    capsys.readouterr()
    assert cli.main(["sample", "run"]) == 2
    said = capsys.readouterr().err.strip()
    assert "was trained on 'cuda:0'" in said and "(--device cpu)" in said and len(said.splitlines()) == 1
