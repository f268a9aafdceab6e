"""Resizing and rearranging pixels against loops written from the definitions, finite differences, and torch."""

import itertools
import math

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError, DTypeError, ShapeError
from minigan.gradcheck import gradcheck
from minigan.nn import functional as F


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def hwnc(x):
    """The same values, laid out in memory as (H, W, N, C)."""
    return np.ascontiguousarray(x.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)


# ------------------------------------------------------------------------------------------------------- resizing ---


def naive_nearest(x, out):
    y = np.empty((*x.shape[:2], *out))
    for p, q in np.ndindex(*out):
        y[:, :, p, q] = x[:, :, p * x.shape[2] // out[0], q * x.shape[3] // out[1]]
    return y


def naive_bilinear(x, out, align_corners):
    """Each output by itself: where it stands between four pixels, and their mixture."""
    y = np.empty((*x.shape[:2], *out))
    for p, q in np.ndindex(*out):
        corners = []
        for i, n, o in ((p, x.shape[2], out[0]), (q, x.shape[3], out[1])):
            if align_corners:
                place = i * (n - 1) / (o - 1) if o > 1 else 0.0
            else:
                place = min(max((i + 0.5) * n / o - 0.5, 0.0), n - 1.0)
            low = min(math.floor(place), n - 1)
            corners.append([(low, 1 - (place - low)), (min(low + 1, n - 1), place - low)])
        y[:, :, p, q] = sum(a * b * x[:, :, i, j] for (i, a), (j, b) in itertools.product(*corners))
    return y


OUTS = [(1, 1), (4, 9), (5, 6), (10, 12), (10, 3), (15, 24), (3, 2)]


@pytest.mark.parametrize("layout", [np.ascontiguousarray, hwnc, np.asfortranarray])
@pytest.mark.parametrize("out", OUTS)
def test_nearest_takes_the_pixel_of_the_definition(out, layout):
    x = numbers(2, 3, 5, 6)
    assert np.array_equal(mg.interpolate(layout(x), out), naive_nearest(x, out))
    assert np.array_equal(mg.interpolate(np.ones((1, 1, 1, 1)), out), np.ones((1, 1, *out)))


@pytest.mark.parametrize("layout", [np.ascontiguousarray, hwnc, np.asfortranarray])
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("out", OUTS)
def test_bilinear_mixes_the_four_pixels_around(out, align_corners, layout):
    x = numbers(2, 3, 5, 6)
    y = mg.interpolate(layout(x), out, mode="bilinear", align_corners=align_corners)
    np.testing.assert_allclose(y, naive_bilinear(x, out, align_corners), rtol=0, atol=1e-13)


@pytest.mark.parametrize("options", [{}, {"mode": "bilinear"}, {"mode": "bilinear", "align_corners": True}])
@pytest.mark.parametrize("out", OUTS)
def test_the_derivatives_of_resizing_to_order_two(out, options):
    gradcheck(lambda x: mg.interpolate(x * x, out, **options), numbers(2, 2, 5, 6), order=2)


def test_bilinear_is_exact_on_a_plane_between_aligned_corners():
    plane = 2.0 * np.arange(4)[:, None] - 3.0 * np.arange(5)
    fine = 2.0 * np.linspace(0, 3, 7)[:, None] - 3.0 * np.linspace(0, 4, 11)
    y = mg.interpolate(plane[None, None], (7, 11), mode="bilinear", align_corners=True)
    np.testing.assert_allclose(y[0, 0], fine, rtol=0, atol=1e-13)


def test_doubling_repeats_every_pixel_and_sums_its_four_gradients():
    x = mg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], requires_grad=True)
    y = mg.interpolate(x, scale_factor=2)
    assert y.tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]]
    (dx,) = mg.grad(y, x, mg.tensor(np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)))
    assert dx.tolist() == [[[[0 + 1 + 4 + 5, 2 + 3 + 6 + 7], [8 + 9 + 12 + 13, 10 + 11 + 14 + 15]]]]


def test_a_scale_factor_gives_the_size_rounded_down():
    x = np.ones((1, 1, 5, 7))
    for mode in ("nearest", "bilinear"):
        assert mg.interpolate(x, scale_factor=1.5, mode=mode).shape == (1, 1, 7, 10)
        assert mg.interpolate(x, scale_factor=(2, 0.5), mode=mode).shape == (1, 1, 10, 3)


def test_signals_have_one_axis():
    x = numbers(2, 3, 5)
    assert np.array_equal(mg.interpolate(x, 10), np.repeat(x, 2, axis=2))
    assert np.array_equal(mg.interpolate(x, scale_factor=(3,)), np.repeat(x, 3, axis=2))
    expected = naive_bilinear(x[:, :, None], (1, 8), False)[:, :, 0]
    np.testing.assert_allclose(mg.interpolate(x, (8,), mode="linear"), expected, rtol=0, atol=1e-13)
    gradcheck(lambda x: mg.interpolate(x, 8, mode="linear"), x, order=2)


# ------------------------------------------------------------------------------------------- rearranging pixels ---


def test_pixel_shuffle_is_its_definition_and_unshuffle_its_inverse():
    x, r = numbers(2, 12, 3, 4), 2
    y = mg.pixel_shuffle(x, r)
    assert y.shape == (2, 3, 6, 8)
    for c, i, j, h, w in np.ndindex(3, r, r, 3, 4):
        assert np.array_equal(y[:, c, h * r + i, w * r + j], x[:, c * r * r + i * r + j, h, w])
    assert np.array_equal(mg.pixel_unshuffle(y, r), x)
    assert np.array_equal(mg.pixel_shuffle(x[0], r), y[0])
    assert np.array_equal(mg.pixel_shuffle(hwnc(x), r), y)
    gradcheck(lambda x: mg.pixel_shuffle(x * x, r), numbers(1, 8, 2, 3), order=2)
    gradcheck(lambda x: mg.pixel_unshuffle(x * x, r), numbers(1, 2, 4, 6), order=2)


# kernel, dilation, padding, stride
WINDOWS = [(2, 1, 0, 1), (3, 1, 1, 2), ((3, 2), (1, 2), (2, 0), (2, 1)), (1, 1, 1, 3), ((1, 3), 2, (0, 3), 1)]


def naive_unfold(x, kernel, dilation, padding, stride):
    kernel, dilation, padding, stride = (v if isinstance(v, tuple) else (v, v) for v in (kernel, dilation, padding, stride))
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    columns = []
    for i in range(0, padded.shape[2] - dilation[0] * (kernel[0] - 1), stride[0]):
        for j in range(0, padded.shape[3] - dilation[1] * (kernel[1] - 1), stride[1]):
            window = padded[
                :,
                :,
                i : i + dilation[0] * (kernel[0] - 1) + 1 : dilation[0],
                j : j + dilation[1] * (kernel[1] - 1) + 1 : dilation[1],
            ]
            columns.append(window.reshape(x.shape[0], -1))
    return np.stack(columns, axis=2)


@pytest.mark.parametrize("how", WINDOWS)
def test_unfold_lists_the_windows_and_fold_is_its_adjoint(how):
    x = numbers(2, 3, 6, 5)
    y = mg.unfold(x, *how)
    assert np.array_equal(y, naive_unfold(x, *how))
    assert np.array_equal(mg.unfold(hwnc(x), *how), y)
    u = numbers(*y.shape, seed=1)
    assert (y * u).sum() == pytest.approx((x * mg.fold(u, (6, 5), *how)).sum(), rel=1e-12)
    assert np.array_equal(mg.unfold(x[0], *how), y[0])
    np.testing.assert_array_equal(mg.fold(u[0], (6, 5), *how), mg.fold(u, (6, 5), *how)[0])


@pytest.mark.parametrize("how", WINDOWS)
def test_the_derivatives_of_unfold_and_fold_to_order_two(how):
    x = numbers(1, 2, 5, 4)
    gradcheck(lambda x: mg.square(mg.unfold(x, *how)), x, order=2)
    gradcheck(lambda u: mg.square(mg.fold(u, (5, 4), *how)), numbers(*naive_unfold(x, *how).shape), order=2)


def test_fold_of_unfold_counts_the_windows_over_each_pixel():
    x = np.ones((1, 1, 3, 3))
    assert mg.fold(mg.unfold(x, 2), 3, 2)[0, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_a_convolution_is_a_matrix_product_with_the_columns():
    x, w = numbers(2, 3, 6, 5), numbers(4, 3, 3, 2, seed=1)
    y = (w.reshape(4, -1) @ mg.unfold(x, (3, 2), 1, 1, 2)).reshape(2, 4, 3, 3)
    np.testing.assert_allclose(mg.conv2d(x, w, stride=2, padding=1), y, rtol=0, atol=1e-12)


# --------------------------------------------------------------------------------------- dtypes, sizes, mistakes ---

CALLS = [
    lambda x: mg.interpolate(x, 3),
    lambda x: mg.interpolate(x, scale_factor=2),
    lambda x: mg.pixel_unshuffle(x, 2),
    lambda x: mg.interpolate(x, 3, mode="bilinear"),
    lambda x: mg.unfold(x, 2, padding=1),
    lambda x: mg.fold(mg.unfold(x, 2), x.shape[2:], 2),
    lambda x: mg.pixel_shuffle(mg.pixel_unshuffle(x, 2), 2),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays_and_empty_batches_pass(call, dtype):
    for shape in ((2, 1, 4, 4), (0, 3, 4, 6), (1, 1, 2, 2)):
        x = mg.ones(shape, dtype=dtype, requires_grad=True)
        y = call(x)
        assert y.dtype == dtype and y.shape[0] == shape[0]
        (dx,) = mg.grad(y.sum(), x)
        assert dx.dtype == dtype and dx.shape == shape
        assert type(call(x.detach().numpy())) is np.ndarray


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda x: mg.interpolate(x), ConfigError, "size or scale_factor, and not both; got size=None"),
        (lambda x: mg.interpolate(x, 2, 2), ConfigError, "size or scale_factor, and not both; got size=2"),
        (lambda x: mg.interpolate(x, 2, mode="biliner"), ConfigError, "'biliner'; did you mean 'bilinear'"),
        (lambda x: mg.interpolate(x, 2, align_corners=True), ConfigError, "align_corners is for 'bilinear' and 'bicubic'"),
        (lambda x: mg.interpolate(x[0], 2, mode="bilinear"), ConfigError, r"\(1, 4, 6\) has one spatial axis"),
        (lambda x: mg.interpolate(x[0, 0], 2), ShapeError, r"\(N, C, H, W\) or \(N, C, L\), got \(4, 6\)"),
        (lambda x: mg.interpolate(x, 0), ShapeError, "size must be an int >= 1"),
        (lambda x: mg.interpolate(x, scale_factor=0.2), ShapeError, "cannot resize 4x6 to 0x1"),
        (lambda x: mg.interpolate(x, scale_factor=-1), ShapeError, "scale_factor must be a number > 0"),
        (lambda x: mg.interpolate(x.astype(int), 2, mode="bilinear"), DTypeError, "needs a float dtype, got int64"),
        (lambda x: mg.pixel_shuffle(x, 2), ShapeError, "1 channels .* do not divide into blocks of 2x2"),
        (lambda x: mg.pixel_unshuffle(x, 4), ShapeError, "4x6 pixels .* do not divide into blocks of 4x4"),
        (lambda x: mg.pixel_unshuffle(x, 0), ShapeError, "downscale_factor must be an int >= 1, got 0"),
        (lambda x: mg.unfold(x, 5), ShapeError, r"kernel \(5, 5\) .* exceeds the image of 4x6"),
        (lambda x: mg.unfold(x[0, 0], 2), ShapeError, "unfold: x is"),
        (lambda x: mg.fold(x[0], 3, 2), ShapeError, r"x is \(1, 4, 6\), need \(N, C \* 4, 4\): a 2x2 kernel has 2x2"),
    ],
)
def test_mistakes_are_named(call, error, text):
    with pytest.raises(error, match=text):
        call(np.ones((1, 1, 4, 6)))


# ---------------------------------------------------------------------------------------------------------- torch ---


def agree_with_torch(torch, name, x, *options, **more):
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    for dtype, value, gradient in ((np.float32, 1e-5, 1e-4), (np.float64, 1e-10, 1e-10)):
        a = mg.tensor(x.astype(dtype), requires_grad=True)
        b = torch.tensor(x.astype(dtype), requires_grad=True)
        y, t = ours(a, *options, **more), theirs(b, *options, **more)
        assert y.shape == tuple(t.shape) and y.dtype == dtype
        np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=value, atol=value)
        g = numbers(*y.shape, seed=1).astype(dtype)
        np.testing.assert_allclose(
            mg.grad(y, a, mg.tensor(g))[0].numpy(),
            torch.autograd.grad(t, b, torch.tensor(g))[0].numpy(),
            rtol=gradient,
            atol=gradient,
        )


@pytest.mark.parametrize("shape", [(7, 6), (1, 4), (8, 8)])
def test_resizing_is_torchs_over_a_grid(shape):
    torch = pytest.importorskip("torch")
    x = numbers(2, 3, *shape)
    how = [{"size": size} for size in (1, (4, 9), (7, 6), 13, (14, 12))]
    how += [{"scale_factor": factor} for factor in (1, 2, 2.0, 3, 1.5, (2.3, 1.1), (1, 0.7), 2.1)]
    for more in how:
        agree_with_torch(torch, "interpolate", x, **more)
        for align_corners in (False, True):
            agree_with_torch(torch, "interpolate", x, mode="bilinear", align_corners=align_corners, **more)
    agree_with_torch(torch, "interpolate", x[:, :, 0], scale_factor=2)
    agree_with_torch(torch, "interpolate", x[:, :, 0], size=9, mode="linear")


def test_nearest_means_the_same_pixel_as_in_torch_for_every_size():
    torch = pytest.importorskip("torch")
    for n in range(1, 25):
        x = np.arange(n, dtype=np.float64).reshape(1, 1, 1, n)
        for o in range(1, 60):
            assert np.array_equal(F.interpolate(x, (1, o)), torch.nn.functional.interpolate(torch.tensor(x), (1, o)))
        for factor in (1.1, 1.3, 1.7, 2.1, 2.5, 3.3, 7 / 3):
            theirs = torch.nn.functional.interpolate(torch.tensor(x), scale_factor=(1, factor))
            assert np.array_equal(F.interpolate(x, scale_factor=(1, factor)), theirs)


@pytest.mark.parametrize("how", WINDOWS)
def test_windows_and_shuffled_pixels_are_torchs(how):
    torch = pytest.importorskip("torch")
    x = numbers(2, 4, 6, 8)
    agree_with_torch(torch, "unfold", x, *how)
    agree_with_torch(torch, "fold", numbers(*naive_unfold(x, *how).shape), (6, 8), *how)
    agree_with_torch(torch, "pixel_shuffle", x, 2)
    agree_with_torch(torch, "pixel_unshuffle", x, 2)
