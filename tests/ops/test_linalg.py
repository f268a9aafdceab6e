"""Products against NumPy: matmul in every broadcasting form, einsum in every spelling, dot, outer, ..."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import minigan as mg
from minigan.errors import DTypeError, ShapeError
from minigan.gradcheck import gradcheck


def normal(shape, seed=0):
    return np.asarray(np.random.default_rng([seed, *shape]).normal(size=shape))


@settings(max_examples=80)
@given(shapes=mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3))
def test_matmul_of_all_shapes_numpy_takes(shapes):
    a, b = (normal(s, i) for i, s in enumerate(shapes.input_shapes))
    y = mg.matmul(mg.tensor(a), mg.tensor(b))
    assert y.shape == shapes.result_shape
    np.testing.assert_allclose(y.numpy(), np.matmul(a, b), rtol=1e-12, atol=1e-14)
    assert gradcheck(mg.matmul, a, b, order=2).worst < 1e-6


@pytest.mark.parametrize(
    "a, b, text",
    [
        (
            (64, 100),
            (128, 32),
            r"matmul: inner sizes differ: a \(64, 100\), b \(128, 32\); need a.shape\[-1\] == b.shape\[-2\]",
        ),
        ((3,), (4,), r"matmul: inner sizes differ: a \(3,\), b \(4,\); need a.shape\[-1\] == b.shape\[0\]"),
        ((), (3,), r"matmul: operands need at least one axis, got \(\) and \(3,\); use \* for numbers"),
        ((2, 3, 4), (3, 4, 5), r"matmul: \(2, 3, 4\) and \(3, 4, 5\) do not broadcast"),
    ],
)
def test_matmul_says_what_does_not_fit(a, b, text):
    with pytest.raises(ShapeError, match=text):
        mg.matmul(mg.tensor(normal(a)), mg.tensor(normal(b)))


DOTS = [
    ((), ()),
    ((), (2, 3)),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((2, 3), (4, 3, 2)),
    ((2, 1, 3), (4, 3, 2)),
    ((0,), (0,)),
    ((2, 0), (0, 3)),
]


@pytest.mark.parametrize("a, b", DOTS)
def test_dot(a, b):
    a, b = normal(a, 1), normal(b, 2)
    np.testing.assert_allclose(mg.dot(mg.tensor(a), mg.tensor(b)).numpy(), np.dot(a, b), rtol=1e-12, atol=1e-14)
    assert gradcheck(mg.dot, a, b, order=2).worst < 1e-6


@pytest.mark.parametrize("a, b", [((3,), (2,)), ((2, 2), (3,)), ((0,), (2,)), ((), ())])
def test_outer(a, b):
    a, b = normal(a, 1), normal(b, 2)
    np.testing.assert_array_equal(mg.outer(mg.tensor(a), mg.tensor(b)).numpy(), np.outer(a, b))
    assert gradcheck(mg.outer, a, b, order=2).worst < 1e-6


@pytest.mark.parametrize(
    "a, b, axes",
    [
        ((2, 3, 4), (3, 4, 2), 2),
        ((2, 3), (4,), 0),
        ((2, 3), (3, 2), ([0, 1], [1, 0])),
        ((2, 3), (3, 2), (1, 0)),
        ((2, 3, 4), (4, 2), ([-1, 0], [0, 1])),
        ((2, 0), (0, 3), 1),
        ((2, 3), (2, 3), 2),
        ((), (2,), 0),
    ],
)
def test_tensordot(a, b, axes):
    a, b = normal(a, 1), normal(b, 2)
    np.testing.assert_allclose(
        mg.tensordot(mg.tensor(a), mg.tensor(b), axes).numpy(), np.tensordot(a, b, axes), rtol=1e-12, atol=1e-14
    )
    assert gradcheck(lambda s, t: mg.tensordot(s, t, axes), a, b, order=2).worst < 1e-6


def test_tensordot_says_what_does_not_fit():
    with pytest.raises(
        ShapeError, match=r"tensordot: sizes of the summed axes differ: a \(2, 3\) axes \(1,\), b \(2, 3\) axes \(0,\)"
    ):
        mg.tensordot(mg.tensor(normal((2, 3))), mg.tensor(normal((2, 3))), 1)
    with pytest.raises(ShapeError, match="tensordot: cannot sum over 3 axes"):
        mg.tensordot(mg.tensor(normal((2, 3))), mg.tensor(normal((2, 3))), 3)


@pytest.mark.parametrize("lead", [(), (4,), (2, 3), (0,), (2, 0)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(lead, bias):
    x, w, b = normal((*lead, 3)), normal((2, 3), 1), normal((2,), 2)
    expected = np.einsum("...i,oi->...o", x, w) + (b if bias else 0)
    arrays = (x, w, b) if bias else (x, w)
    np.testing.assert_allclose(mg.linear(*map(mg.tensor, arrays)).numpy(), expected, rtol=1e-12)
    assert gradcheck(mg.linear, *arrays, order=2).worst < 1e-6


def test_linear_says_what_does_not_fit():
    x, w = mg.tensor(normal((4, 3))), mg.tensor(normal((2, 5)))
    with pytest.raises(ShapeError, match=r"linear: x is \(4, 3\) and weight \(2, 5\); need x.shape\[-1\] == weight.shape\[1\]"):
        mg.linear(x, w)
    with pytest.raises(ShapeError, match=r"linear: bias is \(1,\), need \(2,\)"):
        mg.linear(x, w[:, :3], mg.tensor(normal((1,))))


def test_two_dtypes_are_named():
    with pytest.raises(
        DTypeError, match=r"matmul: dtypes do not mix: float32 \(2, 3\) and float64 \(3, 2\); convert one with .astype"
    ):
        mg.matmul(mg.tensor(normal((2, 3)), dtype="float32"), mg.tensor(normal((3, 2))))


# ---------------------------------------------------------------------------------------------------------- einsum ---

SPELLINGS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij->ji", (2, 3)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("i->i", (3,)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->j", (2, 2, 3)),
    ("iii->", (2, 2, 2)),
    ("ijij->ij", (2, 3, 2, 3)),
    ("i,i", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("i,j->ij", (2,), (3,)),
    ("i,j->ji", (2,), (3,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,kl->", (2, 3), (1, 2)),
    ("ij,kl->il", (2, 3), (1, 2)),
    (",ij->ij", (), (2, 3)),
    (",->", (), ()),
    ("->", ()),
    ("", ()),
    (" i j , j k -> i k ", (2, 3), (3, 1)),
    ("Za,ab->Zb", (2, 3), (3, 2)),
    ("Ba,aA", (2, 3), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("ii,ij,j->i", (2, 2), (2, 3), (3,)),
    ("nij,njk,nk->ni", (2, 2, 3), (2, 3, 2), (2, 2)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 2)),
    ("...ij,...jk->...ik", (4, 1, 2, 3), (3, 3, 2)),
    ("...,...", (2, 3), (3,)),
    ("...", (2, 3)),
    ("i...->...", (2, 3, 2)),
    ("...i->...", (2, 3)),
    ("...i->i...", (2, 3)),
    ("i...,i...->...", (2, 3), (2, 1)),
    ("...ii->...i", (2, 3, 3)),
    ("...ii", (2, 3, 3)),
    ("b...a,a->b...", (2, 4, 3), (3,)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("i,i->", (1,), (4,)),
    ("ij,jk->ik", (2, 1), (3, 2)),
    ("ij,ji->i", (1, 3), (3, 2)),
    ("i,i->i", (1,), (0,)),
    ("i,i,i->i", (1,), (2,), (1,)),
    ("ij,jk->ik", (0, 3), (3, 2)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("i,j->ij", (0,), (3,)),
    ("ij->", (0, 2)),
    ("ii->i", (0, 0)),
    ("...i,...i->...", (0, 3), (1, 3)),
]


@pytest.mark.parametrize("subscripts, shapes", [(s[0], s[1:]) for s in SPELLINGS], ids=lambda v: str(v).replace(" ", ""))
def test_einsum_spellings(subscripts, shapes):
    arrays = [normal(s, i) for i, s in enumerate(shapes)]
    expected = np.einsum(subscripts, *arrays)
    y = mg.einsum(subscripts, *map(mg.tensor, arrays))
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    assert gradcheck(lambda *t: mg.einsum(subscripts, *t), *arrays, order=2).worst < 1e-6


@settings(max_examples=80)
@given(data=st.data())
def test_einsum_of_drawn_subscripts(data):
    sizes = {c: data.draw(st.integers(0, 3), label=c) for c in "abcd"}
    terms = data.draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    output = data.draw(st.lists(st.sampled_from(sorted(set("".join(terms))) or [""]), unique=True).map("".join))
    subscripts = ",".join(terms) + data.draw(st.sampled_from(["", "->" + output]))
    arrays = [
        normal(tuple(sizes[c] if t.count(c) > 1 or data.draw(st.integers(0, 5)) else 1 for c in t), i)
        for i, t in enumerate(terms)
    ]
    expected = np.einsum(subscripts, *arrays)
    np.testing.assert_allclose(mg.einsum(subscripts, *map(mg.tensor, arrays)).numpy(), expected, rtol=1e-11, atol=1e-13)
    assert gradcheck(lambda *t: mg.einsum(subscripts, *t), *arrays, order=2).worst < 1e-6


@pytest.mark.parametrize(
    "subscripts, shapes, text",
    [
        ("ij,jk->ik", [(2, 3)], r"einsum: 'ij,jk->ik' names 2 operand\(s\), got 1"),
        ("ij->i", [(2, 3, 4)], r"einsum: 'ij' names 2 axes, but the operand is \(2, 3, 4\)"),
        ("ij,jk->ik", [(2, 3), (4, 5)], "einsum: 'j' has sizes 3 and 4"),
        ("ii->i", [(2, 3)], r"einsum: 'i' names axes of sizes 2 and 3 in \(2, 3\)"),
        ("ij->k", [(2, 3)], "einsum: the output 'k' of 'ij->k' must name letters of the operands, each once"),
        ("ij->ii", [(2, 3)], "each once"),
        ("i1->i", [(2, 3)], "must name letters"),
    ],
)
def test_einsum_says_what_does_not_fit(subscripts, shapes, text):
    with pytest.raises(ShapeError, match=text):
        mg.einsum(subscripts, *(mg.tensor(normal(s)) for s in shapes))
