"""The shape of the project: what imports what, what an import costs, and that ARCHITECTURE.md tells the truth."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minigan"

# A file may import from its own line and from those before it.
ORDER = [
    {"errors", "version"}, {"backend"}, {"watch"}, {"tensor"}, {"arguments"}, {"autograd"}, {"kernels"}, {"ops"},
    {"methods", "checkpointing", "debug", "profile"}, {"serialize"}, {"gradcheck", "optable"}, {"nn"}, {"optim"}, {"data"},
    {"viz"}, {"metrics"}, {"train"}, {"systems"}, {"doctor", "lesson"}, {"cli"}, {"__init__", "__main__"}]
ALLOWED = {
    ("backend.py", "kernels"),                    # random numbers on a GPU are a kernel, loaded when first drawn there
    ("train/session.py", "systems"),              # a run opens the system that its config names
    ("metrics/train_digitnet.py", "__init__")}    # a script, not part of the package's insides


def part_of(module: str) -> str:
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "minigan")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "minigan":
            if node.module == "minigan":
                yield from (f"minigan.{alias.name}" for alias in node.names)
            else:
                yield node.module


def rank(part: str) -> int:
    return next(i for i, line in enumerate(ORDER) if part in line)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path):
    relative = path.relative_to(PACKAGE)
    own = relative.parts[0].removesuffix(".py")
    for module in imports(path):
        part = part_of(module)
        if (relative.as_posix(), part) not in ALLOWED:
            assert rank(part) <= rank(own), f"{relative} imports {module}, which comes after it"


def test_the_heart_stays_short():
    assert len((PACKAGE / "autograd.py").read_text().splitlines()) < 400


def loaded_by(statement: str) -> set:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_minigan_loads_nothing_heavy():
    heavy = {"matplotlib", "PIL", "tqdm", "cupy", "torch", "scipy", "threadpoolctl", "urllib.request"}
    assert not loaded_by("import minigan") & heavy
    assert "PIL" in loaded_by("import minigan, PIL") & heavy  # the test can fail


def test_every_path_that_architecture_md_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`([\w/.-]+(?:\.py|\.md|\.toml|/))`", text))
    assert len(named) > 20
    missing = [p for p in named if not ((ROOT / p).exists() or (PACKAGE / p).exists())]
    assert not missing


def test_architecture_md_names_every_part():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    parts = {p.name for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert [p for p in sorted(parts) if p.removesuffix(".py") not in text and p != "__init__.py"] == []
