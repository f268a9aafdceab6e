"""Editors and type checkers know what a Tensor can do, and what they know is true of the class as it runs."""

import ast
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from minigan import Tensor

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("user_script.py")
NONE = inspect.Parameter.empty


def declared(source: str) -> dict:
    """name -> its parameters but the first, "property" or "settable": what the text of the class Tensor says."""
    body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Tensor").body
    found = {}
    for node in [item for part in body for item in (part.body if isinstance(part, ast.If) else [part])]:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            found[node.name] = "settable" if ast.unparse(node.decorator_list[0]).endswith(".setter") else "property"
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = parameters_of(node.args)
    return found


def parameters_of(a: ast.arguments) -> list:
    """[(name, default), ...] of a definition, "*args" and "**options" with their stars, without the first."""
    defaults = [NONE] * (len(a.args) - len(a.defaults)) + [ast.literal_eval(value) for value in a.defaults]
    starred = [(stars + arg.arg, NONE) for stars, arg in (("*", a.vararg), ("**", a.kwarg)) if arg]
    return [(arg.arg, default) for arg, default in zip(a.args, defaults)][1:] + starred


def real(cls) -> dict:
    """The same of the class as it runs."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    found = {}
    for name, value in vars(cls).items():
        if isinstance(value, property):
            found[name] = "settable" if value.fset else "property"
        elif callable(value):
            parameters = list(inspect.signature(value).parameters.values())[1:]
            found[name] = [(stars.get(p.kind, "") + p.name, p.default) for p in parameters]
    return {name: value for name, value in found.items() if name != "__hash__"}  # object's own


def differences(source: str, cls) -> dict:
    """name -> (declared, real), where the two are not the same."""
    text, truth = declared(source), real(cls)
    return {name: (text.get(name), truth.get(name)) for name in text.keys() | truth.keys() if text.get(name) != truth.get(name)}


def source() -> str:
    return Path(sys.modules[Tensor.__module__].__file__).read_text()


def test_what_tensor_declares_is_what_it_has():
    assert len(declared(source())) > 80
    assert differences(source(), Tensor) == {}


@pytest.mark.parametrize(
    "old, new, name",
    [
        ("def sum(self, axis: Axis = None,", "def sum(self, axes: Axis = None,", "sum"),  # another name
        ("ddof: int = 0, keepdims: bool = False) -> Tensor", "ddof: int = 1, keepdims: bool = False) -> Tensor", "std"),
        ("def swapaxes(self, axis1: int, axis2: int)", "def swapaxes(self, axis2: int, axis1: int)", "swapaxes"),
        ("def reshape(self, *shape: Any)", "def reshape(self, shape: Any)", "reshape"),
        ("        def __rsub__(self, b: Operand) -> Tensor: ...\n", "", "__rsub__"),  # the class has more
        ("        def exp(self)", "        def sine(self) -> Tensor: ...\n        def exp(self)", "sine"),  # and less
        ("        @requires_grad.setter\n        def requires_grad(self, value: bool) -> None: ...\n", "", "requires_grad"),
    ],
)
def test_a_wrong_declaration_is_noticed(old, new, name):
    assert old in source()
    assert name in differences(source().replace(old, new), Tensor)


@pytest.mark.parametrize("checker", ["mypy", "basedpyright"])
def test_a_type_checker_agrees_with_what_a_user_writes(checker, tmp_path):
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed: pip install '.[test]'")

    def run(path):
        return subprocess.run([sys.executable, "-m", checker, str(path)], cwd=ROOT, capture_output=True, text=True)

    good = run(SCRIPT)
    assert good.returncode == 0, good.stdout + good.stderr
    wrong = tmp_path / "wrong.py"  # the checker does look: a method that is not there, and a wrong type
    wrong.write_text("import minigan as mg\nmg.zeros(3).summ()\nn: int = mg.nn.Linear(2, 2)(mg.zeros((1, 2)))\n")
    bad = run(wrong)
    assert bad.returncode == 1 and "summ" in bad.stdout and "wrong.py:3" in bad.stdout
