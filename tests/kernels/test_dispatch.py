"""The table of kernels: every row names two functions that exist and can take each other's place."""

from importlib import import_module
from inspect import isclass, signature

import pytest

from minigan.kernels import dispatch

ROWS = {name: row for name, row in vars(dispatch).items() if hasattr(row, "card")}
CARD_ONLY = {"softmax_loss": dispatch.softmax_loss, "adam": dispatch.adam, "adam_clock": dispatch.adam_clock}


def on_card(name):
    file, function = name.split(".")
    return getattr(import_module(f"minigan.kernels.cuda.{file}"), function)


def test_the_table_has_rows():
    assert len(ROWS) == 19 and {"matmul", "conv2d", "concatenate"} < set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_both_functions_of_a_row_take_the_same_number_of_arguments(name):
    card = on_card(ROWS[name].card.__name__)
    cpu = ROWS[name].__wrapped__
    if name == "concatenate":  # NumPy's has options that no op uses
        assert list(signature(card).parameters) == ["arrays", "axis"]
    else:
        assert len(signature(card).parameters) == len(signature(cpu).parameters)


@pytest.mark.parametrize("row", CARD_ONLY.values(), ids=CARD_ONLY)
def test_what_only_a_card_has_exists(row):
    assert callable(on_card(row.__name__)) and isclass(on_card(row.__name__)) == row.__name__.endswith("Clock")
