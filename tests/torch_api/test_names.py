"""docs/names.md says the truth, and minigan's errors for PyTorch's names say what to write."""

from pathlib import Path

import numpy as np
import pytest

import minigan as mg
import minigan.torch as torch
from minigan.errors import ArgumentError, MiniganError
from minigan.names import DIFFERENT, RENAMED, instead, name_in, rows
from minigan.torch import names

ROWS = rows(DIFFERENT) + rows(RENAMED)
RANDOM = ("randn", "rand", "randint", "randperm", "randn_like")


def test_the_page_is_made_from_the_code():
    page = Path(__file__).parents[2] / "docs" / "names.md"
    assert page.read_text() == names.page(), "make it anew: python -m minigan.torch.names > docs/names.md"


def result(expression, library):
    """What an expression gives, or what x is after a statement, as arrays."""
    x = [[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]]
    given = {
        "x": x, "y": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "v": [2.0, -1.0, 0.5, 4.0, 1.5, -3.0],
        "A": [[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]], "m": [[True, False, True], [False, True, False]], "k": [1, 0],
    }  # fmt: skip
    make = {torch: torch.tensor, mg: mg.tensor, np: lambda values: mg.tensor(values).numpy()}
    here = {name: make[library](value) for name, value in given.items()} | {"np": np, "mg": mg, "torch": torch}
    try:
        value = eval(expression, here)
    except SyntaxError:
        exec(expression, here)
        value = here["x"]
    return [as_array(part) for part in value] if isinstance(value, (tuple, list)) else [as_array(value)]


def as_array(value):
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value if value is not None else 0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_three_columns_give_the_same(row):
    name = name_in(row[0])
    if name == "cuda":
        return  # needs a GPU
    columns = [result(cell, library) for cell, library in zip(row, (torch, np, mg)) if cell != "—"]
    for other in columns[1:]:
        assert len(other) == len(columns[0])
        for one, two in zip(columns[0], other):
            assert one.shape == two.shape
            if name not in RANDOM:
                np.testing.assert_allclose(one, two, rtol=1e-6)


def test_a_wrong_row_is_noticed():
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(*(result(e, lib)[0] for e, lib in (("x.std()", torch), ("x.std()", np))))


@pytest.mark.parametrize("row", rows(RENAMED), ids=lambda row: row[0])
def test_minigan_has_no_such_name_and_says_what_to_write(row):
    name = name_in(row[0])
    assert row[2] in instead(name) or name in ("zeros", "full", "sum", "to", "sigmoid", "type")
    thing, what = (mg.ones((2, 3)), "Tensor has no") if row[0].startswith(("x.", "v.", "A.")) else (mg, f"mg.{name} does")
    if not hasattr(type(thing), name) and not (thing is mg and name in mg.__all__):
        with pytest.raises(AttributeError, match=what):
            getattr(thing, name)


@pytest.mark.parametrize(
    "wrong, advice",
    [
        ("x.view(3, 2)", r"PyTorch's x\.view\(3, 2\) is x\.reshape\(3, 2\)"),
        ("x.unsqueeze(0)", r"mg\.expand_dims"),
        ("mg.cat([x, x])", r"mg\.concatenate"),
        ("x.size(0)", r"x\.size\(0\) is x\.shape\[0\]"),
        ("x.sum(dim=1)", r"sum: there is no argument 'dim'; it is called axis"),
        ("mg.mean(x, keepdim=True)", r"mean: there is no argument 'keepdim'; it is called keepdims"),
        ("x.std(bogus=1)", r"std: there is no argument 'bogus'$"),
        ("mg.zeros(2, 3)", r"the shape is one tuple, zeros\(\(2, 3\)\)"),
        ("mg.ones(2, 3, 4)", r"the shape is one tuple, ones\(\(2, 3, 4\)\)"),
        ("mg.optim.SGD([x.requires_grad_()], lr=1).step(lambda: 0)", r"SGD\.step takes gradients, not a closure"),
        ("mg.save({'x': 1}, 'state.npz')", r"save: the path comes first"),
        ("mg.nn.init.normal_(x.data)", r"normal_ fills a Tensor, not ndarray"),
        ("mg.nn.init.zeros_(x.data)", r"zeros_ fills a Tensor, not ndarray"),
    ],
)
def test_a_porters_first_lines_meet_advice(wrong, advice):
    with pytest.raises(MiniganError, match=advice):
        eval(wrong, {"mg": mg, "x": mg.ones((2, 3))})


def test_advice_does_not_change_what_exists():
    x = mg.ones((2, 3))
    assert x.size == 6 and isinstance(x.size, int) and repr(x.size) == "6"
    assert not hasattr(x, "view") and not hasattr(x, "bogus") and not hasattr(mg, "cat") and not hasattr(x, "__bogus__")
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'bogus'"):
        x.bogus  # noqa: B018
    with pytest.raises(ArgumentError):
        x.size()
