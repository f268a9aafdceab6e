"""Pooling against loops over windows written from the definition, finite differences, and torch where there is one."""

import itertools
import math

import numpy as np
import pytest

import minigan as mg
from minigan.errors import DTypeError, ShapeError
from minigan.gradcheck import gradcheck
from minigan.nn import functional as F
from minigan.ops.pool import spread_windows, sum_windows


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def distinct(shape, seed=0):
    """No two elements closer than 0.05, so that a small step changes no maximum."""
    n = math.prod(shape)
    return (np.random.default_rng(seed).permutation(n) * 0.1 - n * 0.05).reshape(shape)


def hwnc(x):
    """The same values, laid out in memory as (H, W, N, C)."""
    return np.ascontiguousarray(x.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)


def starts(n, k, s, p, d, ceil_mode):
    """Where the windows along one axis begin: each fits into the padded input, or sticks out by less than a stride."""
    reach = d * (k - 1) + 1
    allowed = s - 1 if ceil_mode else 0
    return [a - p for a in range(0, n + 2 * p - reach + allowed + 1, s) if not ceil_mode or a < n + p]


def windows(x, kernel, stride, padding, dilation, ceil_mode):
    """For every output (p, q): the list of pixels (i, j) of its window, those in the padding included, row by row."""
    kernel, padding, dilation = pair(kernel), pair(padding), pair(dilation)
    stride = kernel if stride is None else pair(stride)
    rows, columns = (starts(n, k, s, p, d, ceil_mode) for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation))
    return {
        (p, q): [(i + r * dilation[0], j + s * dilation[1]) for r in range(kernel[0]) for s in range(kernel[1])]
        for (p, i), (q, j) in itertools.product(enumerate(rows), enumerate(columns))
    }


def inside(x, pixel):
    return 0 <= pixel[0] < x.shape[2] and 0 <= pixel[1] < x.shape[3]


def naive_max(x, g, *how):
    """(the maxima, the gradient): one window at a time, the first of equals."""
    places = windows(x, *how)
    y = np.empty((*x.shape[:2], *[1 + max(place[a] for place in places) for a in (0, 1)]))
    dx = np.zeros(x.shape)
    for (p, q), pixels in places.items():
        pixels = [pixel for pixel in pixels if inside(x, pixel)]
        for n, c in np.ndindex(*x.shape[:2]):
            best = pixels[0]
            for pixel in pixels:
                if x[n, c][pixel] > x[n, c][best]:
                    best = pixel
            y[n, c, p, q] = x[n, c][best]
            if g is not None:
                dx[n, c][best] += g[n, c, p, q]
    return y, dx


def naive_mean(x, kernel, stride, padding, ceil_mode, count_include_pad):
    places = windows(x, kernel, stride, padding, 1, ceil_mode)
    kernel, padding = pair(kernel), pair(padding)
    y = np.empty((*x.shape[:2], *[1 + max(place[a] for place in places) for a in (0, 1)]))
    for (p, q), pixels in places.items():
        true = [pixel for pixel in pixels if inside(x, pixel)]
        padded = [(i, j) for i, j in pixels if i < x.shape[2] + padding[0] and j < x.shape[3] + padding[1]]
        assert len(pixels) == kernel[0] * kernel[1]
        for n, c in np.ndindex(*x.shape[:2]):
            y[n, c, p, q] = sum(x[n, c][pixel] for pixel in true) / len(padded if count_include_pad else true)
    return y


# kernel, stride, padding, dilation, ceil_mode: sizes that do not divide, overlap, gaps, padding, rounding up.
MAX = [
    (2, None, 0, 1, False),
    (3, 2, 1, 1, False),
    ((3, 2), (1, 3), (1, 0), 1, False),
    (2, 3, 0, 1, True),
    (3, 2, (0, 1), (1, 2), True),
    (1, 2, 0, 1, True),
    ((2, 5), 1, (1, 2), (3, 1), False),
]
# kernel, stride, padding, ceil_mode, count_include_pad
MEAN = [
    (kernel, stride, padding, up, include)
    for kernel, stride, padding, up in [
        (2, None, 0, False),
        (3, 2, 1, False),
        ((3, 2), (1, 3), (1, 0), False),
        (2, 3, 1, True),
        (3, 2, (0, 1), True),
        ((2, 5), 1, (1, 2), False),
    ]
    for include in (True, False)
]


@pytest.mark.parametrize("layout", [np.ascontiguousarray, hwnc, np.asfortranarray])
@pytest.mark.parametrize("how", MAX)
def test_max_pooling_is_the_loop_over_windows_in_any_memory_order(how, layout):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4, (2, 3, 7, 6)).astype(np.float64)  # few values: every window has ties
    x = mg.tensor(values, requires_grad=True)
    x.data = layout(values)
    y = mg.max_pool2d(x, *how)
    g = rng.normal(size=y.shape)
    expected, dx = naive_max(values, g, *how)
    assert np.array_equal(y.detach().numpy(), expected)
    (found,) = mg.grad(y, x, mg.tensor(layout(g)))
    np.testing.assert_allclose(found.numpy(), dx, rtol=0, atol=1e-14)
    assert np.array_equal(x.data, values)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, hwnc, np.asfortranarray])
@pytest.mark.parametrize("how", MEAN)
def test_average_pooling_is_the_loop_over_windows_in_any_memory_order(how, layout):
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 6))
    np.testing.assert_allclose(mg.avg_pool2d(layout(x), *how), naive_mean(x, *how), rtol=0, atol=1e-14)


@pytest.mark.parametrize("how", MAX)
def test_the_derivatives_of_max_pooling_to_order_two(how):
    gradcheck(lambda x: mg.max_pool2d(x, *how), distinct((2, 2, 7, 6)), order=2)
    gradcheck(lambda x: mg.max_pool2d(x * x, *how), distinct((1, 2, 7, 6)) / 3 + 0.02, order=2)


def test_the_third_derivatives_of_max_pooling():
    gradcheck(lambda x: mg.max_pool2d(mg.exp(x), 2, 1), distinct((1, 1, 3, 4)) / 2, order=3)


@pytest.mark.parametrize("how", MEAN)
def test_the_derivatives_of_average_pooling_to_order_two(how):
    gradcheck(lambda x: mg.square(mg.avg_pool2d(x, *how)), np.random.default_rng(0).normal(size=(2, 2, 7, 6)), order=2)


def test_of_equal_maxima_the_first_of_the_rows_gets_all():
    x = mg.tensor([[[[1.0, 3.0, 3.0, 3.0], [3.0, 3.0, 3.0, 0.0]]]], requires_grad=True)
    (dx,) = mg.grad(mg.max_pool2d(x, 2).sum(), x)
    assert dx.tolist() == [[[[0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]


def test_of_a_picture_of_one_colour_each_window_returns_its_gradient_once():
    x = mg.tensor(np.zeros((1, 1, 5, 5)), requires_grad=True)
    (dx,) = mg.grad(mg.max_pool2d(x, 3, 1, 1).sum(), x)
    assert dx.numpy().sum() == 25.0
    assert dx.numpy()[0, 0, 0, 0] == 4.0  # the corner is the first pixel of four windows


def test_a_nan_stays_in_its_windows_and_takes_their_gradient():
    values = np.arange(16.0).reshape(1, 1, 4, 4)
    values[0, 0, 0, 1] = np.nan
    x = mg.tensor(values, requires_grad=True)
    y = mg.max_pool2d(x, 2)
    assert np.isnan(y.detach().numpy()).tolist() == [[[[True, False], [False, False]]]]
    (dx,) = mg.grad(y, x, mg.tensor([[[[5.0, 6.0], [7.0, 8.0]]]], dtype=np.float64))
    assert dx.numpy()[0, 0, 0, 1] == 5.0 and dx.numpy().sum() == 26.0


def test_padding_never_wins_even_against_minus_infinity():
    values = np.full((1, 1, 2, 2), -np.inf)
    x = mg.tensor(values, requires_grad=True)
    y = mg.max_pool2d(x, 3, 1, 1)
    assert (y.detach().numpy() == -np.inf).all()
    (dx,) = mg.grad(y.sum(), x)
    assert dx.tolist() == [[[[4.0, 0.0], [0.0, 0.0]]]]


def test_average_pooling_of_one_colour_is_darker_at_the_border_only_if_padding_counts():
    x = np.ones((1, 1, 4, 4))
    assert mg.avg_pool2d(x, 2, 2, 1)[0, 0].tolist() == [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]]
    assert (mg.avg_pool2d(x, 2, 2, 1, count_include_pad=False) == 1).all()


@pytest.mark.parametrize(
    "kernel, stride, padding", [((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 3), (1, 0)), ((2, 4), (3, 1), (1, 2))]
)
def test_spreading_windows_is_the_adjoint_of_summing_them(kernel, stride, padding):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 8, 7))
    out = tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip((8, 7), kernel, stride, padding))
    u = rng.normal(size=(2, 3, *out))
    left = (sum_windows(x, kernel, stride, padding, out) * u).sum()
    assert left == pytest.approx((x * spread_windows(u, kernel, stride, padding, (8, 7))).sum(), rel=1e-12)


def naive_adaptive(x, out, reduce):
    y = np.empty((*x.shape[:2], *out))
    for p, q in np.ndindex(*out):
        a, b = (math.floor(p * x.shape[2] / out[0]), math.ceil((p + 1) * x.shape[2] / out[0]))
        c, d = (math.floor(q * x.shape[3] / out[1]), math.ceil((q + 1) * x.shape[3] / out[1]))
        y[:, :, p, q] = reduce(x[:, :, a:b, c:d], axis=(2, 3))
    return y


@pytest.mark.parametrize("size, out", [(1, (1, 1)), ((2, 3), (2, 3)), ((None, 2), (6, 2)), (5, (5, 5)), ((4, 9), (4, 9))])
def test_adaptive_pooling_cuts_the_image_into_the_windows_of_the_definition(size, out):
    x = distinct((2, 3, 6, 7))
    np.testing.assert_allclose(mg.adaptive_avg_pool2d(x, size), naive_adaptive(x, out, np.mean), rtol=0, atol=1e-13)
    assert np.array_equal(mg.adaptive_max_pool2d(x, size), naive_adaptive(x, out, np.max))
    gradcheck(lambda x: mg.adaptive_avg_pool2d(x * x, size), x / 5, order=2)
    gradcheck(lambda x: mg.adaptive_max_pool2d(x, size), x, order=2)


def test_one_axis_is_one_row_of_two():
    x = distinct((2, 3, 9))
    row = x[:, :, None]
    assert np.array_equal(
        mg.max_pool1d(x, 3, 2, 1, 2, True)[:, :, None], naive_max(row, None, (1, 3), (1, 2), (0, 1), (1, 2), True)[0]
    )
    np.testing.assert_allclose(
        mg.avg_pool1d(x, (3,), 2, 1, True, False)[:, :, None],
        naive_mean(row, (1, 3), (1, 2), (0, 1), True, False),
        rtol=0,
        atol=1e-14,
    )
    assert mg.max_pool1d(x, 3).shape == (2, 3, 3)  # the stride is the kernel
    gradcheck(lambda x: mg.max_pool1d(x, 2, 1), x, order=2)


@pytest.mark.parametrize("pool", [mg.max_pool2d, mg.avg_pool2d])
def test_an_image_without_a_batch_axis_is_a_batch_of_one(pool):
    x = distinct((3, 6, 6))
    assert np.array_equal(pool(x, 2), pool(x[None], 2)[0])
    gradcheck(lambda x: pool(x, 2, 1, 1), x, order=2)


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: mg.max_pool2d(x, 3, 2, 1),
        lambda x: mg.avg_pool2d(x, 3, 2, 1),
        lambda x: mg.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        lambda x: mg.adaptive_avg_pool2d(x, 2),
        lambda x: mg.adaptive_max_pool2d(x, 2),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays_and_empty_batches_pass(pool, dtype):
    for shape in ((2, 1, 5, 5), (0, 3, 5, 5), (1, 0, 4, 7), (1, 1, 2, 2)):
        x = mg.ones(shape, dtype=dtype, requires_grad=True)
        y = pool(x)
        assert y.dtype == dtype and y.shape[:2] == shape[:2]
        (dx,) = mg.grad(y.sum(), x)
        assert dx.dtype == dtype and dx.shape == shape
    assert type(pool(np.ones((1, 1, 4, 4), dtype))) is np.ndarray


def test_a_window_of_one_pixel_changes_nothing():
    x = distinct((1, 2, 1, 1))
    assert np.array_equal(mg.max_pool2d(x, 1), x) and np.array_equal(mg.avg_pool2d(x, 1), x)


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda x: mg.max_pool2d(x, 6), ShapeError, "kernel 6 .* exceeds the padded input of 4"),
        (lambda x: mg.max_pool2d(x, 3, dilation=2), ShapeError, "dilation 2 -> 5"),
        (lambda x: mg.max_pool2d(x, 2, padding=2), ShapeError, "padding 2 is more than half of the kernel 2"),
        (lambda x: mg.avg_pool2d(x, 0), ShapeError, "kernel_size must be an int >= 1"),
        (lambda x: mg.avg_pool2d(x, 2, 0), ShapeError, "stride must be an int >= 1"),
        (lambda x: mg.avg_pool2d(x, (2, 2, 2)), ShapeError, r"two of them, got \(2, 2, 2\)"),
        (lambda x: mg.max_pool2d(x[0, 0], 2), ShapeError, r"\(N, C, H, W\) or \(C, H, W\), got \(4, 4\)"),
        (lambda x: mg.max_pool2d(x.astype(np.int64), 2), DTypeError, "must be a float array, got int64"),
        (lambda x: mg.adaptive_avg_pool2d(x, 0), ShapeError, "output_size must be an int >= 1"),
        (lambda x: mg.adaptive_avg_pool2d(x[:, :, :0], 2), ShapeError, "no pixels"),
        (lambda x: mg.max_pool1d(x, 2), ShapeError, r"\(N, C, L\) or \(C, L\)"),
    ],
)
def test_mistakes_are_named(call, error, text):
    with pytest.raises(error, match=text):
        call(np.ones((1, 1, 4, 4)))


# ---------------------------------------------------------------------------------------------------------- torch ---


def agree_with_torch(torch, name, x, *options):
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    for dtype, value, gradient in ((np.float32, 1e-5, 1e-4), (np.float64, 1e-10, 1e-10)):
        a = mg.tensor(x.astype(dtype), requires_grad=True)
        b = torch.tensor(x.astype(dtype), requires_grad=True)
        y, t = ours(a, *options), theirs(b, *options)
        assert y.shape == tuple(t.shape) and y.dtype == dtype
        np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=value, atol=value)
        g = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
        np.testing.assert_allclose(
            mg.grad(y, a, mg.tensor(g))[0].numpy(),
            torch.autograd.grad(t, b, torch.tensor(g))[0].numpy(),
            rtol=gradient,
            atol=gradient,
        )


@pytest.mark.parametrize("size", [(7, 6), (1, 4)])
def test_max_and_average_pooling_are_torchs_over_a_grid(size):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 3, *size))
    compared = refused = 0
    for k, s, p, d, up in itertools.product((1, 2, (2, 3)), (None, 1, (2, 3)), (0, 1, (1, 0)), (1, 2), (False, True)):
        if d == 2 and p != 0 and min(size) == 1:
            continue  # windows of padding alone: torch's backward writes outside its arrays
        try:
            torch.nn.functional.max_pool2d(torch.tensor(x), k, s, p, d, up)
        except RuntimeError:
            with pytest.raises(ShapeError):
                F.max_pool2d(x, k, s, p, d, up)
            refused += 1
            continue
        agree_with_torch(torch, "max_pool2d", x, k, s, p, d, up)
        compared += 1
        for include in (True, False) if d == 1 else ():
            agree_with_torch(torch, "avg_pool2d", x, k, s, p, up, include)
    assert compared > 30 and refused > 10


@pytest.mark.parametrize("out", [1, 2, (None, 3), (7, 3), (12, 5)])
def test_adaptive_pooling_is_torchs(out):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 6))
    agree_with_torch(torch, "adaptive_avg_pool2d", x, out)
    agree_with_torch(torch, "adaptive_max_pool2d", x, out)
