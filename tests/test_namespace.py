"""What a name gives: dir() and `import *` show the public names and no others, and a name that has moved says where to."""

import importlib
import pkgutil
import subprocess
import sys
import types

import pytest

import minigan as mg
from minigan import moved
from minigan.errors import MiniganError, MovedImport, MovedName

MODULES = [
    "minigan",
    "minigan.nn",
    "minigan.nn.functional",
    "minigan.optim",
    "minigan.data",
    "minigan.metrics",
    "minigan.viz",
    "minigan.train",
    "minigan.systems",
]


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
    own = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and key not in files
        and isinstance(value, (type, types.FunctionType))
        and value.__module__.startswith("minigan")
    }
    passed_on = {"keep_memory", "plain", "suggestion", "ConfigError", "ShapeError"}  # imported for the module's own use
    assert own - set(module.__all__) <= passed_on


def test_lazy_parts_are_in_dir_and_import_star_brings_them():
    code = (
        "import sys, minigan; assert 'viz' in dir(minigan) and 'minigan.viz' not in sys.modules\n"
        "from minigan import *\nassert viz.save_png and data.load and save and zeros(2).shape == (2,) and nn.Linear"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'minigan' has no attribute 'zeroes'"):
        _ = mg.zeroes
    assert not hasattr(mg, "zeroes")


# ------------------------------------------------------------------------------------------------------- moved names ---


@pytest.fixture
def table(monkeypatch):
    """Names that moved: one of the package, one of a module, and a whole module, of which one name went elsewhere."""
    monkeypatch.setattr(
        moved,
        "MOVED",
        {
            "minigan.old_zeros": "minigan.zeros",
            "minigan.version.number": "minigan.version.__version__",
            "minigan.train.gone": "minigan.train.game",
            "minigan.train.odd": "minigan.train.game",
            "minigan.train.odd.one": "minigan.nn.one",
            "minigan.train.odd.two": "minigan.nn.two",
        },
    )
    import minigan.version

    monkeypatch.setitem(vars(minigan.version), "__getattr__", None)  # so that it is taken away again
    monkeypatch.setitem(vars(minigan.version), "__path__", [])
    moved.guard("minigan.version")


NUMBER = "minigan.version.number has moved: it is minigan.version.__version__ now"
GONE = "minigan.train.gone has moved: it is minigan.train.game now"
ODD = "minigan.train.odd has moved: it is minigan.train.game now, but its one is minigan.nn.one, its two is minigan.nn.two"
ZEROS = "minigan.old_zeros has moved: it is minigan.zeros now"


@pytest.mark.parametrize(
    "statement, error, text",
    [
        ("minigan.old_zeros", MovedName, ZEROS),
        ("from minigan import old_zeros", MovedImport, ZEROS),
        ("minigan.version.number", MovedName, NUMBER),
        ("from minigan.version import number", MovedImport, NUMBER),
        ("minigan.train.gone", MovedName, GONE),
        ("import minigan.train.gone", MovedImport, GONE),
        ("import minigan.train.gone.deeper", MovedImport, GONE),
        ("from minigan.train import gone", MovedImport, GONE),
        ("from minigan.train.gone import Session", MovedImport, GONE),
        ("from minigan.train.odd import one", MovedImport, ODD),
    ],
)
def test_a_name_that_has_moved_says_where_it_is_now(table, statement, error, text):
    with pytest.raises(error, match=f"^{text}$") as raised:
        exec(statement, {"minigan": mg})
    assert isinstance(raised.value, AttributeError if error is MovedName else ImportError)
    assert isinstance(raised.value, MiniganError)


def test_to_look_for_a_name_that_has_moved_is_no_error(table):
    assert not hasattr(mg.version, "number") and getattr(mg.train, "gone", None) is None


def test_an_attribute_that_has_moved_says_so_of_the_class_and_of_what_is_one(monkeypatch):
    class Old:
        new = 1

    monkeypatch.setattr(moved, "MOVED", {f"{__name__}.{Old.__qualname__}.{name}": "somewhere.new" for name in ("a", "b")})
    Old = moved.attributes(Old)
    for holder in (Old, Old(), type("Child", (Old,), {})()):
        with pytest.raises(MovedName, match=r"Old\.b has moved: it is somewhere.new now$"):
            _ = holder.b
        assert holder.new == 1 and not hasattr(holder, "a")
    child = type("Child", (Old,), {"a": 2})()
    child.b = 3
    assert (child.a, child.b) == (2, 3)  # a user's own attribute of the old name


def test_a_guarded_module_still_refuses_what_it_never_had(table):
    with pytest.raises(AttributeError, match=r"module 'minigan.version' has no attribute 'nothing'"):
        _ = mg.version.nothing
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'minigan.train.never'"):
        importlib.import_module("minigan.train.never")


@pytest.mark.parametrize("old, new", moved.MOVED.items())
def test_every_new_name_of_the_table_is_there_and_no_old_one_is(old, new):
    with pytest.raises(MovedName, match="has moved"):
        pkgutil.resolve_name(old)
    assert pkgutil.resolve_name(new) is not None
    parent, _, name = old.rpartition(".")
    if not parent.endswith(".Step"):  # all but an attribute of a class can be imported
        with pytest.raises(MovedImport, match="has moved"):
            exec(f"from {parent} import {name}", {})


def test_the_table_reaches_users():
    with pytest.raises(MovedImport, match=r"^minigan.train.session has moved: it is minigan.runs.session now$"):
        from minigan.train.session import Session  # noqa: F401
    with pytest.raises(MovedName, match=r"^minigan.train.session has moved: it is minigan.runs.session now$"):
        _ = mg.train.session
    with pytest.raises(MovedName, match=r"Step.a has moved: it is minigan.train.adversarial.AdversarialStep.real_logits now$"):
        _ = mg.train.AdversarialStep(None, None, None, None).a
