"""im2col and col2im against loops, and the three convolutions on a card against those on the CPU."""

import itertools

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.kernels.cpu import conv as cpu
from minigan.kernels.cuda import conv as cuda
from minigan.kernels.cuda.launcher import launch

pytestmark = pytest.mark.gpu
# channels, images, size, kernel, stride, padding, dilation
HOWS = [
    (1, 1, (1, 1), (1, 1), (1, 1), (0, 0), (1, 1)),
    (3, 2, (7, 5), (3, 2), (2, 1), (1, 0), (1, 2)),
    (2, 3, (8, 9), (4, 4), (2, 2), (1, 1), (1, 1)),
    (5, 1, (11, 6), (2, 3), (3, 3), (2, 2), (2, 1)),
]


def output_size(size, kernel, stride, padding, dilation):
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, stride, padding, dilation))


def pairs(size, kernel, stride, padding, dilation, out):
    """((r, s, p, q), (i, j)) for every element of a column and the pixel that it is, by the definition."""
    for r, s, p, q in itertools.product(*map(range, (*kernel, *out))):
        i, j = (o * st + t * d - pad for o, st, t, d, pad in zip((p, q), stride, (r, s), dilation, padding))
        if 0 <= i < size[0] and 0 <= j < size[1]:
            yield (r, s, p, q), (i, j)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("memory", ["CNHW", "NCHW"])
def test_im2col_lays_out_what_is_under_the_kernel(card, rng, how, dtype, memory):
    c, n, size, *shape = how
    out = output_size(size, *shape)
    x = rng.standard_normal((c, n, *size)).astype(dtype)
    expected = np.zeros((c, *shape[0], n, *out), dtype)
    for (r, s, p, q), (i, j) in pairs(size, *shape, out):
        expected[:, r, s, :, p, q] = x[:, :, i, j]
    columns, plane = card.empty(expected.shape, dtype), size[0] * size[1]
    given = card.asarray(x) if memory == "CNHW" else card.asarray(np.ascontiguousarray(x.transpose(1, 0, 2, 3)))
    steps = (n * plane, plane) if memory == "CNHW" else (plane, c * plane)
    launch(
        "conv",
        "im2col",
        c * n * out[0] * out[1],
        given,
        columns,
        c,
        n,
        *size,
        *steps,
        0,
        c,
        0,
        n,
        *out,
        *itertools.chain(*shape),
    )
    assert np.array_equal(to_device(columns, "cpu"), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("how", HOWS)
def test_col2im_adds_every_element_where_it_came_from(card, rng, how, dtype):
    c, n, size, *shape = how
    out = output_size(size, *shape)
    columns = rng.standard_normal((c, *shape[0], n, *out)).astype(dtype)
    expected = np.zeros((c, n, *size))
    for (r, s, p, q), (i, j) in pairs(size, *shape, out):
        expected[:, :, i, j] += columns[:, r, s, :, p, q]
    x = card.empty(expected.shape, dtype)
    launch("conv", "col2im", x.size, card.asarray(columns), x, c, n, *size, 0, c, 0, n, *out, *itertools.chain(*shape))
    assert np.abs(to_device(x, "cpu") - expected).max() < (1e-6 if dtype == "float32" else 1e-14) * shape[0][0] * shape[0][1]


# size of x, kernel, stride, padding, dilation, groups; the third has output padding, the fourth is a matrix product as it is
CONVOLUTIONS = [
    ((8, 8), (4, 4), (2, 2), (1, 1), (1, 1), 1),
    ((7, 5), (3, 2), (1, 2), (0, 1), (2, 1), 2),
    ((9, 10), (3, 3), (3, 2), (1, 2), (1, 1), 3),
    ((4, 3), (1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((4, 3), (1, 1), (1, 1), (0, 0), (1, 1), 2),
    ((4, 5), (2, 2), (3, 3), (0, 0), (1, 1), 1),
]


def both(card, rng, dtype, how, images=3, per_group=(2, 3)):
    """x, w, u on the CPU and on the card, and the arguments of the kernels."""
    size, kernel, stride, padding, dilation, groups = how
    out = output_size(size, kernel, stride, padding, dilation)
    x = rng.standard_normal((images, per_group[0] * groups, *size)).astype(dtype)
    w = rng.standard_normal((per_group[1] * groups, per_group[0], *kernel)).astype(dtype)
    u = rng.standard_normal((images, per_group[1] * groups, *out)).astype(dtype)
    return (x, w, u), tuple(card.asarray(a) for a in (x, w, u)), out, (stride, padding, dilation, groups)


def agree(found, expected):
    found = to_device(found, "cpu")
    assert found.shape == expected.shape and found.dtype == expected.dtype
    assert np.abs(found - expected).max() <= (3e-6 if found.dtype == np.float32 else 1e-14) * np.abs(expected).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("how", CONVOLUTIONS)
@pytest.mark.parametrize("at_once", ["all images", "one image"])
def test_convolutions_are_those_of_the_cpu(card, rng, monkeypatch, how, dtype, at_once):
    if at_once == "one image":
        monkeypatch.setattr(cuda, "COLUMNS", 1)
    (x, w, u), (dx, dw, du), out, rest = both(card, rng, dtype, how)
    agree(cuda.conv2d(dx, dw, out, *rest), cpu.conv2d(x, w, out, *rest))
    agree(cuda.conv2d_adjoint(du, dw, x.shape[2:], *rest), cpu.conv2d_adjoint(u, w, x.shape[2:], *rest))
    agree(cuda.conv2d_weight(dx, du, w.shape[2:], *rest), cpu.conv2d_weight(x, u, w.shape[2:], *rest))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_no_result_depends_on_the_memory_order(card, rng, order):
    how = CONVOLUTIONS[1]
    (x, w, u), device, out, rest = both(card, rng, "float64", how)
    back = np.argsort(order)
    dx, dw, du = (card.ascontiguousarray(a.transpose(order)).transpose(back) for a in device)
    agree(cuda.conv2d(dx, dw, out, *rest), cpu.conv2d(x, w, out, *rest))
    agree(cuda.conv2d_adjoint(du, dw, x.shape[2:], *rest), cpu.conv2d_adjoint(u, w, x.shape[2:], *rest))
    agree(cuda.conv2d_weight(dx, du, w.shape[2:], *rest), cpu.conv2d_weight(x, u, w.shape[2:], *rest))


def test_an_empty_batch_is_no_trouble(card, rng):
    (x, w, u), (dx, dw, du), out, rest = both(card, rng, "float32", CONVOLUTIONS[0], images=0)
    assert cuda.conv2d(dx, dw, out, *rest).shape == u.shape
    assert cuda.conv2d_adjoint(du, dw, x.shape[2:], *rest).shape == x.shape
    assert not to_device(cuda.conv2d_weight(dx, du, w.shape[2:], *rest), "cpu").any()


def test_results_lie_in_memory_with_the_channels_first(card, rng):
    _, (dx, dw, du), out, rest = both(card, rng, "float32", CONVOLUTIONS[0])
    assert cuda.conv2d(dx, dw, out, *rest).transpose(1, 0, 2, 3).flags.c_contiguous
    assert cuda.conv2d_adjoint(du, dw, dx.shape[2:], *rest).transpose(1, 0, 2, 3).flags.c_contiguous
