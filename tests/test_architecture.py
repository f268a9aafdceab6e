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
    {"errors", "moved", "version"},
    {"names"},
    {"schema"},
    {"locks"},
    {"paths", "checkout"},
    {"backend"},
    {"watch"},
    {"kernels"},
    {"streams", "cuda"},
    {"grad_mode"},
    {"tensor"},
    {"leaves"},
    {"autograd"},
    {"arguments"},
    {"ops"},
    {"numpy_functions", "in_place"},
    {"methods", "checkpointing", "debug", "profile"},
    {"safetensors"},
    {"serialize"},
    {"gradcheck", "optable"},
    {"nn"},
    {"optim"},
    {"capture"},
    {"data"},
    {"viz"},
    {"metrics"},
    {"train"},
    {"systems"},
    {"runs"},
    {"doctor"},
    {"__init__"},  # the public names; what stands below uses them as a user does
    {"lesson_files"},
    {"exercises"},
    {"lesson"},
    {"site"},
    {"cli"},
    {"torch"},
    {"__main__"},
]


def name_of(path: Path) -> str:
    """The dotted name of a file's module."""
    return ".".join(("minigan", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(name: str) -> set:
    """The modules of the package that a module imports, anywhere in its text: also inside functions."""
    path, found = MODULES[name], set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = name.split(".")[: len(name.split(".")) + (path.name == "__init__.py") - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            # `from package import x` needs the file of x, if there is one, and else what the package says itself
            found |= {f"{source}.{alias.name}" if f"{source}.{alias.name}" in MODULES else source for alias in node.names}
    if name == "minigan.kernels.dispatch":  # its table has their names as text
        found |= {module for module in MODULES if module.startswith("minigan.kernels.cuda.")}
    assert {module for module in found if module.partition(".")[0] == "minigan"} <= set(MODULES)
    return found & set(MODULES) - {name}


def circle(graph: dict) -> list:
    """Nodes of a graph {node: its successors} that lead from a node back to itself, or []."""
    done = set()

    def visit(node, path):
        if node in path:
            return [*path[path.index(node) :], node]
        for successor in sorted(graph[node]) if node not in done else ():
            if found := visit(successor, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in graph if (found := visit(node, []))), [])


def rank(module: str) -> int:
    part = [*module.split("."), "__init__"][1]
    return next(i for i, line in enumerate(ORDER) if part in line)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    late = [module for module in imports(name) if rank(module) > rank(name)]
    assert not late, f"{name} imports {', '.join(late)}, which come after it"


def test_no_imports_go_in_a_circle():
    assert circle({name: imports(name) for name in MODULES}) == []


def test_a_circle_is_found_and_so_are_imports_inside_functions_and_from_the_folder():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert "minigan.kernels.cuda.random" in imports("minigan.streams")  # inside a function
    assert {"minigan.errors", "minigan.data.cache"} <= imports("minigan.data.digits")  # from ..errors, from . import cache
    assert "minigan.data.digits" in imports("minigan.data")


def test_the_heart_stays_short():
    assert len((PACKAGE / "autograd.py").read_text().splitlines()) < 400


def loaded_by(statement: str) -> set:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_minigan_loads_nothing_heavy():
    heavy = {"matplotlib", "PIL", "tqdm", "cupy", "torch", "scipy", "threadpoolctl", "urllib.request"}
    assert not loaded_by("import minigan") & heavy
    assert "PIL" in loaded_by("import minigan, PIL") & heavy  # the test can fail
    assert not {name for name in loaded_by("import minigan") if name.startswith("minigan.kernels.cuda")}
    assert "minigan.kernels.cuda.norm" in loaded_by("import minigan.kernels.cuda.norm")


def test_the_command_parses_its_words_without_loading_the_game():
    loaded = loaded_by("from minigan.cli import build_parser; build_parser()")
    assert "minigan.cli.systems" in loaded and not loaded & {"minigan.train", "minigan.systems", "minigan.runs", "minigan.data"}


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
