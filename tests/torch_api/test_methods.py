"""Every function and method on drawn shapes, against PyTorch: values, dtypes, shapes, gradients, and kinds of errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_api import expressions
from torch_api.expressions import KINDER, listed

import minigan.torch as ours

theirs = pytest.importorskip("torch")
ERRORS = (RuntimeError, IndexError, TypeError, ValueError, AttributeError)
DIFFERENTIABLE = "abcdsrABvwPQS"


@st.composite
def cases(draw):
    """A seed, a shape, and a shape that broadcasts with it."""
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=3)))
    kept = draw(st.integers(0, len(shape)))
    other = tuple(1 if draw(st.booleans()) else n for n in shape[kept:])
    return draw(st.integers(0, 999)), shape, other


def names(t, seed, shape, other, recorded):
    """What the expressions call a, b, ...: the same numbers for each library t."""
    rng = np.random.default_rng(seed)

    def floats(*size):
        return t.tensor(np.asarray(rng.standard_normal(size), np.float32), requires_grad=recorded)

    axes = len(shape)
    D, E = (int(rng.integers(-axes, axes)) if axes else 0 for _ in range(2))
    r, k, q = (int(n) for n in rng.integers(1, 4, 3))
    a = floats(*shape)
    i = t.tensor(np.asarray(rng.integers(-3, 4, shape)))
    m = t.tensor(np.asarray(rng.random(shape) < 0.5))
    root = rng.standard_normal((3, 3)).astype(np.float32)
    size = max(shape[D], 1) if axes else 1
    return {
        "t": t, "np": np, "a": a, "b": floats(*shape), "c": floats(*other), "i": i, "m": m, "D": D, "E": E,
        "j": t.tensor(np.asarray(rng.integers(1, 4, shape) * rng.choice([-1, 1], shape))),
        "d": t.tensor(np.asarray(rng.standard_normal(shape)), requires_grad=recorded), "s": floats(),
        "r": t.tensor(np.asarray(rng.standard_normal()), requires_grad=recorded), "n": int(rng.integers(1, 4)),
        "p": float(rng.random()), "A": floats(r, k), "B": floats(k, q), "v": floats(k), "w": floats(k),
        "P": floats(2, r, k), "Q": floats(2, k, q),
        "S": t.tensor(root @ root.T + 3 * np.eye(3, dtype=np.float32), requires_grad=recorded),
        "k": t.tensor(rng.integers(0, size, 2 if not axes or shape[D] else 0)),
        "K": t.tensor(np.asarray(rng.integers(0, size, shape))),
        "x": a.detach().clone(), "xi": i.clone(), "xm": m.clone(),
    }  # fmt: skip


def parts_of(value):
    """The tensors of a result, or the result itself."""
    if isinstance(value, (tuple, list)) and any(isinstance(part, (ours.Tensor, theirs.Tensor)) for part in value):
        return list(value)
    return [value]


def shown(value):
    """What two libraries must agree on: (dtype, shape, recorded, numbers) of a tensor; anything else as it prints."""
    if isinstance(value, (ours.Tensor, theirs.Tensor)):
        return str(value.dtype), tuple(value.shape), value.requires_grad, value.detach().numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return str(value.dtype), value.shape, False, value
    return "", (), False, value if isinstance(value, (bool, int, float, list)) else repr(value)


def outcome(t, expression, case, recorded):
    """All that the expression gives in library t: results, changed tensors, gradients; or the error."""
    here = names(t, *case, recorded)
    try:
        parts = parts_of(eval(expression, here))
        found = [shown(part) for part in [*parts, here["x"], here["xi"], here["xm"]]]
        if recorded:
            starts = [p for p in parts if isinstance(p, t.Tensor) and p.requires_grad]
            if starts and all(bool(t.isfinite(p.detach()).all()) for p in starts):
                sum((p * p).sum().double() + p.sum().double() for p in starts).backward()
            found += [(name, *shown(here[name].grad)) for name in DIFFERENTIABLE]
        return found
    except ERRORS as error:
        return error


def assert_same(found, expected, expression):
    if isinstance(expected, Exception):
        if expression not in KINDER:
            kinds = tuple(kind for kind in ERRORS if isinstance(expected, kind))
            assert isinstance(found, kinds), f"PyTorch: {expected!r}\nminigan: {found!r}"
        return
    assert not isinstance(found, Exception), f"PyTorch: {expected}\nminigan: {found!r}"
    assert [part[:-1] for part in found] == [part[:-1] for part in expected]
    for one, other in zip(found, expected):
        if isinstance(other[-1], (str, bool)):
            assert one[-1] == other[-1]
        else:
            np.testing.assert_allclose(one[-1], other[-1], rtol=3e-4, atol=3e-5)


TABLES = {"SMOOTH": True, "SHAPE": True, "CONSTANT": False, "IN_PLACE": False}  # are derivatives compared, too?
LINES = [(recorded, line) for table, recorded in TABLES.items() for line in listed(getattr(expressions, table))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("recorded, expression", LINES)
def test_on_drawn_shapes_it_is_what_pytorch_gives(recorded, expression):
    @settings(max_examples=8)
    @given(cases())
    def check(case):
        with np.errstate(all="ignore"):
            assert_same(outcome(ours, expression, case, recorded), outcome(theirs, expression, case, recorded), expression)

    check()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", listed(expressions.NEW))
def test_a_new_tensor_is_what_pytorch_makes(expression):
    case = 0, (3, 4), (1, 4)
    assert_same(outcome(ours, expression, case, True), outcome(theirs, expression, case, True), expression)


@pytest.mark.parametrize("expression", listed(expressions.RANDOM))
def test_a_random_change_keeps_shape_and_dtype(expression):
    for t in (ours, theirs):
        here = names(t, 0, (3, 4), (4,), False)
        eval(expression, here)
        assert str(here["x"].dtype) == "torch.float32" and tuple(here["x"].shape) == (3, 4)


def test_the_comparison_notices_a_difference():
    case = 0, (3, 4), (4,)
    with pytest.raises(AssertionError):
        assert_same(outcome(ours, "a + 1.001", case, True), outcome(theirs, "a + 1", case, True), "a + 1")
    with pytest.raises(AssertionError):
        assert_same(outcome(ours, "a.double()", case, True), outcome(theirs, "a", case, True), "a")
    with pytest.raises(AssertionError):
        assert_same(outcome(ours, "a", case, True), outcome(theirs, "a[9]", case, True), "a[9]")
