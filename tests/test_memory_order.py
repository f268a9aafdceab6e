"""kernels/cpu/memory.py: reordering and working in pieces change where numbers lie and nothing else."""

import numpy as np
import pytest

import minigan as mg
from minigan.kernels.cpu import memory


def images(order):
    """(5, 3, 4, 2) with the axes in this order in memory."""
    x = np.random.default_rng(0).normal(size=(5, 3, 4, 2))
    return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (0, 2, 3, 1), (1, 0, 3, 2)])
def test_reordering_keeps_the_values_and_gives_the_order(order):
    x = images(order)
    first, last = memory.pixels_first(x), memory.images_first(x)
    assert first.transpose(2, 3, 0, 1).flags.c_contiguous and last.flags.c_contiguous
    for y in (first, last, memory.like(x, images((2, 3, 0, 1))), memory.like(x, images((3, 1, 2, 0)))):
        np.testing.assert_array_equal(y, x)
    assert memory.like(x, images((3, 1, 2, 0))).strides == images((3, 1, 2, 0)).strides
    assert memory.pixels_first(first) is first and memory.images_first(last) is last


@pytest.mark.parametrize("images", [3, 15, 16, 40])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (2, 3, 1, 0), (0, 2, 3, 1)])
def test_images_come_last_if_they_are_many(order, images):
    x = np.random.default_rng(0).normal(size=(images, 3, 4, 2))
    x = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
    last = memory.images_last(x)
    assert last == (images >= memory.MANY_IMAGES)
    first = memory.pixels_first(x)
    assert first.transpose((2, 3, 1, 0) if last else (2, 3, 0, 1)).flags.c_contiguous and memory.has_pixels_first(first)
    assert memory.pixels_first(first) is first
    for y in (first, memory.images_first(x), memory.images_first(first), memory.like(x, first)):
        np.testing.assert_array_equal(y, x)
    for given in (x, first):
        np.testing.assert_array_equal(memory.flat(given), x.reshape(images, -1))
        for shape in ((images, -1), (-1, 4), (6, images * 4)):
            np.testing.assert_array_equal(mg.ops.reshape(mg.Tensor(given), shape).data, x.reshape(shape))
    g = mg.Tensor(np.random.default_rng(1).normal(size=x.shape))
    a, b = (mg.Tensor(v).requires_grad_() for v in (x, first))
    for function in (
        lambda t: mg.ops.batch_norm(t, training=True),
        lambda t: mg.nn.functional.max_pool2d(t, (2, 1)),
        lambda t: mg.nn.functional.avg_pool2d(t, (2, 1)),
        lambda t: mg.nn.functional.leaky_relu(t, 0.2),
    ):
        found = [(y := function(t), *mg.grad(y, t, mg.Tensor(g.data[tuple(map(slice, y.shape))]))) for t in (a, b)]
        for one, other in zip(*found):
            np.testing.assert_allclose(one.data, other.data, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cut", [np.s_[:, :, ::2], np.s_[::-1], np.s_[:, 1:, :, 1:]])
def test_views_with_gaps_are_copied_not_misread(cut):
    x = images((0, 1, 2, 3))[cut]
    for y in (memory.pixels_first(x), memory.images_first(x)):
        np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (1, 3, 0, 2)])
@pytest.mark.parametrize("piece", [1, 7, 120, 10_000])
def test_pieces_give_what_the_whole_gives(order, piece, monkeypatch):
    monkeypatch.setattr(memory, "PIECE", piece)
    x, g = images((2, 3, 0, 1)), images(order)[::-1]
    for a, b in ((x, g), (g, x)):
        y = memory.mapped(lambda out, a, b: np.subtract(a, b, out=out), a, b)
        np.testing.assert_array_equal(y, a - b)
    rows = x.reshape(-1, 3)
    assert sum(memory.row_pieces(lambda s: len(rows[s]), rows)) == len(rows) == 40
    np.testing.assert_array_equal(np.concatenate(memory.row_pieces(lambda s: rows[s], rows)), rows)


def test_empty_and_scalar_arrays():
    for shape in ((), (0,), (3, 0)):
        y = memory.mapped(lambda out, x: np.negative(x, out=out), np.ones(shape))
        assert y.shape == shape and (y == -1).all()
    assert memory.row_pieces(lambda s: 1, np.ones((0, 3))) == []


def leaky(x):
    return mg.ops.leaky_relu(x, 0.2)


@pytest.mark.parametrize("function, slope", [(leaky, 0.2), (mg.ops.relu, 0.0)])
def test_gradients_in_pieces_equal_the_plain_formula_at_every_order(function, slope, monkeypatch):
    monkeypatch.setattr(memory, "PIECE", 16)
    x = mg.Tensor(images((2, 3, 0, 1))).requires_grad_()
    g = mg.Tensor(images((0, 1, 2, 3)) + 1).requires_grad_()
    (first,) = mg.grad(function(x), x, g, create_graph=True)
    plain = np.where(x.data > 0, 1.0, slope)
    np.testing.assert_allclose(first.data, g.data * plain, rtol=1e-15)
    second = mg.grad((first * first).sum(), [x, g], allow_unused=True)
    assert second[0] is None or not second[0].data.any()
    np.testing.assert_allclose(second[1].data, 2 * g.data * plain**2, rtol=1e-14)


def test_batch_norm_in_pieces_equals_its_composition(monkeypatch):
    x, g = mg.Tensor(images((0, 1, 2, 3))).requires_grad_(), images((2, 3, 0, 1))
    weight, bias = (mg.Tensor(np.arange(1.0, 4.0) * s).requires_grad_() for s in (1, -2))

    def gradients(create_graph):
        y = mg.ops.batch_norm(x, weight=weight, bias=bias, training=True)
        return [y, *mg.grad(y, [x, weight, bias], mg.Tensor(g), create_graph=create_graph)]

    composition = gradients(True)
    for piece in (1, 10, 10_000):
        monkeypatch.setattr(memory, "PIECE", piece)
        for a, b in zip(gradients(False), composition):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-13)


def test_flattening_an_image_from_pixels_first_is_numpys():
    x = images((2, 3, 0, 1))
    np.testing.assert_array_equal(mg.ops.reshape(mg.Tensor(x), (5, -1)).data, x.reshape(5, -1))
