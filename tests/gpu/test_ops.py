"""Every op on the card: the values and gradients of NumPy, first and second order, without a transfer or a wait."""

import numpy as np
import pytest

import minigan as mg
from minigan import optable
from minigan.backend import kept, kept_beside, to_device
from minigan.tensor import Tensor, plain

# Cases whose call brings a NumPy array along, which is uploaded anew each time, as the ops say.
BRING_AN_ARRAY = {
    ("getitem", 3),
    ("getitem", 6),
    ("scatter_into", 2),
    ("embedding", 1),
    ("take_along_axis", 0),
    ("take_along_axis", 1),
    ("scaled_dot_product_attention", 3),
    ("max_unpool2d", 0),
    ("max_unpool2d", 1),
    ("hinge_embedding_loss", 0),
    ("hinge_embedding_loss", 1),
    ("hinge_embedding_loss", 2),
    ("cosine_embedding_loss", 0),
    ("poisson_nll_loss", 1),
}
# cuSOLVER waits for the GPU, and det's gradient looks whether the matrix is nearly singular.
WAIT = {"cholesky", "det", "eigh", "inv", "slogdet", "solve", "svd"}
CASES = [(name, i) for name, op in sorted(optable.TABLE.items()) for i in range(len(op.cases))]


def drawn(name, i):
    """The call of case i of that op, and its inputs."""
    op = optable.TABLE[name]
    call, *shapes = op.cases[i]
    rng = np.random.default_rng([i, *name.encode()])
    return call, [np.asarray(op.numbers(rng, shape)) for shape in shapes]


def derivatives(call, arrays, cotangents):
    """[outputs, gradients, gradients of the gradients] of a call at these inputs, as arrays; cotangents(like) -> array."""
    inputs = [Tensor(a).requires_grad_() for a in arrays]
    outputs = call(*inputs)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    first = differentiated(outputs, inputs, cotangents)
    second = differentiated(first, inputs, cotangents)
    return [[plain(t) for t in tensors] for tensors in (outputs, first, second)]


def differentiated(outputs, inputs, cotangents):
    outputs = [y for y in outputs if y is not None and y.requires_grad]
    if not outputs:
        return []
    return [
        g
        for g in mg.grad(outputs, inputs, [Tensor(cotangents(y.data)) for y in outputs], create_graph=True, allow_unused=True)
        if g is not None
    ]


def fixed(like):
    """Numbers in 1/2 .. 1 that depend on the shape alone."""
    return np.asarray(1 - 0.5 * np.random.default_rng(like.shape).random(like.shape), like.dtype)


def uploaded(made={}):  # noqa: B006 one dictionary, on purpose: what was uploaded before needs no second copy
    """`fixed` on the card, without a transfer if it was called with the same shape before."""

    def cotangent(like):
        key = like.shape, like.dtype
        if key not in made:
            made[key] = to_device(fixed(like), "cuda")
        return made[key]

    return cotangent


@pytest.mark.parametrize("name, i", CASES)
def test_every_op_is_on_the_card_what_it_is_on_the_cpu(card, name, i, monkeypatch):
    call, arrays = drawn(name, i)
    expected = derivatives(call, arrays, fixed)
    for constant in ("TWICE", "LABELS", *["MASK"] * (name == "where")):  # what a program would have put on the card once
        monkeypatch.setattr(optable, constant, to_device(getattr(optable, constant), "cuda"))
    there = [to_device(a, "cuda") for a in arrays]
    derivatives(call, there, uploaded())
    card.counts.reset()
    found = derivatives(call, there, uploaded())
    assert name in WAIT or card.counts.d2h == card.counts.sync == 0, card.counts
    assert card.counts.h2d in ((1, 2, 3, 4) if (name, i) in BRING_AN_ARRAY else (0,)), card.counts
    assert card.counts.op < 2000
    for these, those in zip(found, expected, strict=True):
        for a, b in zip(these, those, strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_allclose(to_device(a, "cpu"), b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "bool", "int32", "int64", "float32"])
def test_small_integers_add_up_as_on_the_cpu(card, dtype):
    """A card has no atomic addition of them, and CuPy refuses it; sums too large wrap around on both."""
    x, values, indices = np.array([1, 0, 100]).astype(dtype), np.array([1, 1, 100, 100]).astype(dtype), np.array([0, 0, 2, 2])
    expected = mg.scatter_add(Tensor(x), indices, Tensor(values)).data
    y = mg.scatter_add(Tensor(to_device(x, "cuda")), indices, Tensor(to_device(values, "cuda"))).data
    assert y.dtype == expected.dtype == dtype and np.array_equal(y.get(), expected)


def test_booleans_are_targets_as_on_the_cpu(card):
    a, t = np.array([0.5, -2.0, 1.0], np.float32), np.array([True, False, False])
    values = []
    for device in ("cpu", "cuda"):
        x = Tensor(to_device(a, device)).requires_grad_()
        loss = mg.binary_cross_entropy_with_logits(x, Tensor(to_device(t, device)))
        (g,) = mg.grad(loss, [x])
        values.append([loss.item(), *g.tolist()])
    np.testing.assert_allclose(values[1], values[0], rtol=1e-6)


def test_what_is_on_the_card_already_is_neither_read_nor_kept(card):
    x = to_device(np.ones(3), "cuda")
    before = len(kept())
    card.counts.reset()
    assert kept_beside(x, x) is x and len(kept()) == before and card.counts.d2h == card.counts.h2d == 0
