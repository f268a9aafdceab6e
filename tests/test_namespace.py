"""What a name gives: dir() and `import *` show the public names and no others, and a name that has moved says where to."""

import importlib
import pkgutil
import subprocess
import sys
import types

import pytest

import minigan as mg
from minigan import moved
from minigan.errors import MiniganError, MovedError

MODULES = ["minigan", "minigan.nn", "minigan.nn.functional", "minigan.optim", "minigan.data", "minigan.metrics", "minigan.viz",
           "minigan.train"]


@pytest.mark.parametrize("name", MODULES)
def test_dir_shows_the_public_names_and_each_is_there(name):
    module = importlib.import_module(name)
    assert sorted(dir(module)) == sorted(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        assert getattr(module, public) is not None


@pytest.mark.parametrize("name", ["minigan.ops", *MODULES])
def test_no_public_function_or_class_is_left_out_of_all(name):
    module = importlib.import_module(name)
    files = {part.name for part in pkgutil.iter_modules(getattr(module, "__path__", ()))}
    own = {key for key, value in vars(module).items()
           if not key.startswith("_") and key not in files and isinstance(value, (type, types.FunctionType))
           and value.__module__.startswith("minigan")}
    passed_on = {"keep_memory", "plain", "suggestion", "ConfigError", "ShapeError"}  # imported for the module's own use
    assert own - set(module.__all__) <= passed_on


def test_lazy_parts_are_in_dir_and_import_star_brings_them():
    code = ("import sys, minigan; assert 'viz' in dir(minigan) and 'minigan.viz' not in sys.modules\n"
            "from minigan import *\nassert viz.save_png and data.load and save and zeros(2).shape == (2,) and nn.Linear")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'minigan' has no attribute 'zeroes'"):
        _ = mg.zeroes
    assert not hasattr(mg, "zeroes")


# ------------------------------------------------------------------------------------------------------- moved names ---


@pytest.fixture
def table(monkeypatch):
    """Three names that moved: one of the package, one of a module, and a whole module."""
    monkeypatch.setattr(moved, "MOVED", {
        "minigan.old_zeros": "minigan.zeros", "minigan.version.number": "minigan.version.__version__",
        "minigan.train.gone": "minigan.train.run"})
    import minigan.version

    monkeypatch.setitem(vars(minigan.version), "__getattr__", None)  # so that it is taken away again
    moved.guard("minigan.version")


@pytest.mark.parametrize("statement, old, new", [
    ("minigan.old_zeros", "minigan.old_zeros", "minigan.zeros"),
    ("from minigan import old_zeros", "minigan.old_zeros", "minigan.zeros"),
    ("from minigan.version import number", "minigan.version.number", "minigan.version.__version__"),
    ("minigan.version.number", "minigan.version.number", "minigan.version.__version__"),
    ("import minigan.train.gone", "minigan.train.gone", "minigan.train.run"),
    ("from minigan.train import gone", "minigan.train.gone", "minigan.train.run"),
    ("from minigan.train.gone import Session", "minigan.train.gone", "minigan.train.run"),
])
def test_a_name_that_has_moved_says_where_it_is_now(table, statement, old, new):
    with pytest.raises(MovedError, match=f"^{old} has moved: it is {new} now$") as error:
        exec(statement, {"minigan": mg})
    assert isinstance(error.value, ImportError) and isinstance(error.value, MiniganError)


def test_a_guarded_module_still_refuses_what_it_never_had(table):
    with pytest.raises(AttributeError, match=r"module 'minigan.version' has no attribute 'nothing'"):
        _ = mg.version.nothing
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'minigan.train.never'"):
        importlib.import_module("minigan.train.never")


def test_every_new_name_of_the_table_is_there_and_no_old_one_is():
    for old, new in moved.MOVED.items():
        with pytest.raises(MovedError):
            found(old)
        assert found(new) is not None


def found(dotted):
    """The module or the value of that name."""
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        parent, _, name = dotted.rpartition(".")
        return getattr(importlib.import_module(parent), name)
