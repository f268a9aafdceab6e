"""The examples in docstrings (>>>) run and show what they say; the parts that people call have some."""

import doctest
import importlib
import pkgutil
import re

import numpy as np
import pytest

import minigan as mg
from minigan import nn

SOURCES = {
    module.name: importlib.util.find_spec(module.name).loader.get_source(module.name)
    for module in pkgutil.walk_packages(mg.__path__, "minigan.")
    if not module.name.startswith("minigan.lessons")
}
EXAMPLES = {name: len(re.findall(r"(?m)^ *>>> ", source)) for name, source in SOURCES.items() if ">>> " in source}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_a_module_show_what_they_say(name, tmp_path, monkeypatch):
    """They may use the names of their module, and those that users know: mg, np, nn."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(module, name, globs={**vars(module), "mg": mg, "np": np, "nn": nn}):
        mg.seed(0)
        told: list[str] = []
        runner.run(test, out=told.append)
        assert not told, "".join(told)
    assert runner.tries >= EXAMPLES[name], "an example that doctest does not see"  # more: sum is also _sum


def test_the_ops_beyond_elementwise_functions_have_an_example():
    have = {name for name in mg.ops.__all__ if ">>> " in getattr(mg.ops, name).__doc__ or hasattr(mg.ops.elementwise, name)}
    assert have == set(mg.ops.__all__)
