"""What is said about runs on a real card is what happened, and no more."""

import json
import types
from pathlib import Path

import pytest

from minigan import doctor
from minigan.kernels.cuda import verified

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of two files, and no record."""
    for name in ("adam.cu", "adam.py", "__init__.py"):
        (tmp_path / name).write_text(name)
    (tmp_path / "gpu-verified.json").write_text("{}")
    monkeypatch.setattr(verified, "FOLDER", tmp_path)
    monkeypatch.setattr(verified, "RECORD", tmp_path / "gpu-verified.json")
    return tmp_path


def test_a_file_is_verified_until_it_changes(folder):
    assert verified.states() == {"adam.cu": "never run on a GPU", "adam.py": "never run on a GPU"}
    verified.record("NVIDIA H200", {"CuPy": "14.2.0", "CUDA": "13.0"})
    state = verified.states()["adam.cu"]
    assert state.startswith("verified on NVIDIA H200, 20") and state.endswith("(CuPy 14.2.0, CUDA 13.0)")
    (folder / "adam.cu").write_text("something else")
    (folder / "new.cu").write_text("a file that nobody has run")
    states = verified.states()
    assert states["adam.cu"].startswith("changed since it was verified on NVIDIA H200, 20")
    assert states["adam.py"] == state and states["new.cu"] == "never run on a GPU"
    assert set(json.loads(verified.RECORD.read_text())["adam.py"]) == {"sha256", "card", "date", "versions"}


def test_the_docs_show_what_is_recorded():
    """If this fails: python -m minigan.kernels.cuda.verified prints the table for docs/gpu.md."""
    assert verified.table() in (ROOT / "docs" / "gpu.md").read_text()
    assert {"conv.cu", "gemm.py", "launcher.py"} <= set(verified.files()) and "verified.py" not in verified.files()


def test_the_doctor_counts_them(folder):
    assert "0 of 2 GPU source files" in doctor._kernels().found and doctor._kernels().absent
    verified.record("NVIDIA H200", {"CuPy": "14.2.0"})
    (folder / "adam.cu").write_text("something else")
    found = doctor._kernels()
    assert found.found == "1 of 2 GPU source files were tested on a GPU in their current form" and found.ok


def test_a_card_and_its_versions_have_names(card):
    name, versions = verified.this_card()
    assert name and isinstance(name, str) and set(versions) == {"CuPy", "CUDA", "driver for CUDA"}
    assert all(versions.values())


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status": 1},
        {"args_source": "ARGS"},
        {"keyword": "adam"},
        {"markexpr": ""},
        {"backend": "fakecupy"},
        {"worker": True},
        {"maxfail": True},
    ],
)
def test_only_a_whole_green_run_on_a_card_is_recorded(folder, monkeypatch, request, change):
    plugin = next(
        p
        for p in request.config.pluginmanager.get_plugins()
        if getattr(p, "__file__", "") == str(ROOT / "tests" / "conftest.py")
    )
    recorded = []
    monkeypatch.setattr(verified, "record", lambda *args: recorded.append(args))
    monkeypatch.setattr(verified, "this_card", lambda: ("a card", {}))
    monkeypatch.setattr(plugin, "BACKEND", change.get("backend", "cupy"))
    option = types.SimpleNamespace(
        keyword=change.get("keyword", ""), markexpr=change.get("markexpr", "gpu"), lf=False, failedfirst=False, deselect=None
    )
    source = types.SimpleNamespace(name=change.get("args_source", "TESTPATHS"))
    config = types.SimpleNamespace(option=option, args_source=source)
    if change.get("worker"):
        config.workerinput = {}
    session = types.SimpleNamespace(config=config, shouldstop=change.get("maxfail", False), shouldfail=False)
    plugin.pytest_sessionfinish(session, change.get("status", 0))
    assert recorded == ([] if change else [("a card", {})])
