"""What the engine says of any op: shapes that do not broadcast, dtypes that do not mix, rules that are wrong."""

import numpy as np
import pytest

import minigan as mg
from minigan.backend import is_array
from minigan.errors import DTypeError, GraphError, ShapeError

ELEMENTWISE = ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "logaddexp"]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_shapes_that_do_not_broadcast_are_named_with_the_likely_fix(name):
    a, b, c = (mg.tensor(np.ones(s)) for s in ((8, 3), (8,), (8, 3, 2)))
    op = getattr(mg, name)
    with pytest.raises(ShapeError, match=rf"^{name}: \(8, 3\) and \(8,\) do not broadcast; did you mean b\[:, None\]\?$"):
        op(a, b)
    with pytest.raises(ShapeError, match=rf"^{name}: \(8,\) and \(8, 3\) do not broadcast; did you mean a\[:, None\]\?$"):
        op(b, a)
    with pytest.raises(ShapeError, match=r"did you mean b\[:, None, None\]\?"):
        op(c, b)
    with pytest.raises(
        ShapeError, match=r"\(8, 3\) and \(8, 3, 2\) do not broadcast; sizes must be equal or 1, counted from the last axis"
    ):
        op(a, c)
    with pytest.raises(ShapeError, match=r"did you mean b\[:, None\]"):
        op(a, np.ones(8))


def test_where_names_all_three_shapes():
    x = mg.tensor(np.ones((8, 3)))
    with pytest.raises(ShapeError, match=r"where: \(8,\) and \(8, 3\) and \(\) do not broadcast"):
        mg.where(np.ones(8, bool), x, 0.0)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "concatenate"])
def test_dtypes_that_do_not_mix_are_named(name):
    a, b = mg.tensor(np.ones((2, 3)), dtype="float32"), mg.tensor(np.ones((2, 3)))
    op = (lambda a, b: mg.concatenate([a, b])) if name == "concatenate" else getattr(mg, name)
    text = rf"{name}: dtypes do not mix: float32 \(2, 3\) and float64 \(2, 3\); convert one with .astype"
    for right in (b, b.data):
        with pytest.raises(DTypeError, match=text):
            op(a, right)


def test_only_floats_have_derivatives():
    with pytest.raises(DTypeError, match=r"requires_grad needs a float dtype, got int64; .*use .astype\(\'float32\'\)"):
        mg.tensor([1, 2], requires_grad=True)


@pytest.mark.parametrize(
    "rule, text",
    [
        (lambda g, y, x: g[:1], r"returned float64 \(1, 2\), but the input is float64 \(3, 2\); the rule is wrong"),
        (lambda g, y, x: g.astype(np.float32), r"returned float32 \(3, 2\), but the input is float64 \(3, 2\)"),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_rule_that_breaks_its_contract_is_named(rule, text, create_graph):
    odd = mg.primitive(lambda x: 2 * x, rule, name="odd")
    x = mg.tensor(np.ones((3, 2)), requires_grad=True)
    with pytest.raises(GraphError, match=f"odd: the rule of input 0 {text}"):
        mg.grad(odd(x).sum(), x, create_graph=create_graph)


def test_a_number_that_is_two_outputs_at_once_has_an_array_as_gradient():
    x = mg.tensor(np.array(2.0), requires_grad=True)
    (g,) = mg.grad([x, x], x)
    assert is_array(g.data) and g.item() == 2.0
