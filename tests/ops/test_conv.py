"""Convolutions against the sum that defines them, as loops, for every stride, padding, dilation and group."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minigan as mg
from minigan.errors import ShapeError
from minigan.gradcheck import gradcheck
from minigan.kernels.cpu import conv as kernels
from minigan.ops import conv as ops_conv


def two(value):
    return value if isinstance(value, tuple) else (value, value)


def naive_conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """y[n,o,p,q] = b[o] + the sum over c,r,s of x[n, c, p stride + r dilation - padding, ...] w[o,c,r,s]."""
    (sh, sw), (ph, pw), (dh, dw) = two(stride), two(padding), two(dilation)
    n, _, height, width = x.shape
    out, per_in, kh, kw = w.shape
    per_out = out // groups
    y = np.zeros((n, out, (height + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (width + 2 * pw - dw * (kw - 1) - 1) // sw + 1))
    for o, p, q, c, r, s in itertools.product(
        range(out), range(y.shape[2]), range(y.shape[3]), range(per_in), range(kh), range(kw)
    ):
        i, j = p * sh + r * dh - ph, q * sw + s * dw - pw
        if 0 <= i < height and 0 <= j < width:
            y[:, o, p, q] += x[:, o // per_out * per_in + c, i, j] * w[o, c, r, s]
    return y if b is None else y + b[:, None, None]


def naive_conv_transpose2d(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Every x[n,c,p,q] adds x w[c,o,r,s] at (p stride + r dilation - padding, ...)."""
    (sh, sw), (ph, pw), (eh, ew), (dh, dw) = two(stride), two(padding), two(output_padding), two(dilation)
    n, channels, height, width = x.shape
    _, per_out, kh, kw = w.shape
    per_in = channels // groups
    y = np.zeros(
        (
            n,
            per_out * groups,
            (height - 1) * sh - 2 * ph + dh * (kh - 1) + eh + 1,
            (width - 1) * sw - 2 * pw + dw * (kw - 1) + ew + 1,
        )
    )
    for c, p, q, o, r, s in itertools.product(
        range(channels), range(height), range(width), range(per_out), range(kh), range(kw)
    ):
        i, j = p * sh + r * dh - ph, q * sw + s * dw - pw
        if 0 <= i < y.shape[2] and 0 <= j < y.shape[3]:
            y[:, c // per_in * per_out + o, i, j] += x[:, c, p, q] * w[c, o, r, s]
    return y if b is None else y + b[:, None, None]


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def convolutions(draw):
    """Sizes of x and w and how to convolve, where the kernel fits into the padded input."""
    groups, kernel, size = draw(st.integers(1, 2)), draw(pairs(1, 3)), draw(pairs(1, 5))
    stride, padding, dilation = draw(pairs(1, 3)), draw(pairs(0, 2)), draw(pairs(1, 2))
    per_in, per_out = draw(st.sampled_from([1, 2, 5])), draw(st.integers(1, 2))
    assume(all(n + 2 * p > d * (k - 1) for n, k, p, d in zip(size, kernel, padding, dilation)))
    x = draw(st.integers(0, 2)), per_in * groups, *size
    return (
        x,
        (per_out * groups, per_in, *kernel),
        {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
    )


@settings(max_examples=40)
@given(case=convolutions(), bias=st.booleans())
def test_conv2d_is_the_sum_it_says(case, bias):
    x_shape, w_shape, how = case
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=x_shape), rng.normal(size=w_shape)] + ([rng.normal(size=w_shape[0])] if bias else [])
    y = mg.conv2d(*map(mg.tensor, arrays), **how)
    expected = naive_conv2d(*arrays, **how)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-11, atol=1e-12)
    assert gradcheck(lambda *t: mg.conv2d(*t, **how), *arrays, order=2).worst < 1e-6


@settings(max_examples=40)
@given(case=convolutions(), extra=pairs(0, 2), bias=st.booleans())
def test_conv_transpose2d_is_the_sum_it_says_and_the_adjoint_of_conv2d(case, extra, bias):
    x_shape, w_shape, how = case
    assume(all(e < max(s, d) for e, s, d in zip(extra, how["stride"], how["dilation"])))
    rng = np.random.default_rng(1)
    u_shape = (x_shape[0], w_shape[0], *x_shape[2:])  # w (O, C/groups, kh, kw) takes O channels in
    out = [
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(x_shape[2:], how["stride"], how["padding"], how["dilation"], w_shape[2:], extra)
    ]
    assume(min(out) > 0)
    u, w = rng.normal(size=u_shape), rng.normal(size=w_shape)
    b = [rng.normal(size=w_shape[1] * how["groups"])] if bias else []
    y = mg.conv_transpose2d(*map(mg.tensor, (u, w, *b)), output_padding=extra, **how)
    expected = naive_conv_transpose2d(u, w, *b, output_padding=extra, **how)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-11, atol=1e-12)
    assert gradcheck(lambda *t: mg.conv_transpose2d(*t, output_padding=extra, **how), u, w, *b, order=2).worst < 1e-6
    if not bias and all(n + 2 * p >= d * (k - 1) + 1 for n, p, d, k in zip(out, how["padding"], how["dilation"], w_shape[2:])):
        x = rng.normal(size=y.shape)  # <conv2d(x), u'> = <x, conv_transpose2d(u')> where conv2d maps the size back
        back = naive_conv2d(x, w, **how)
        if back.shape == u.shape:
            np.testing.assert_allclose((back * u).sum(), (x * expected).sum(), rtol=1e-9, atol=1e-10)


@settings(max_examples=25)
@given(case=convolutions())
def test_conv1d_is_conv2d_of_height_one(case):
    (n, c, length, _), (o, per_in, k, _), how = case
    how = {name: v[0] if isinstance(v, tuple) else v for name, v in how.items()}
    rng = np.random.default_rng(2)
    x, w, b = rng.normal(size=(n, c, length)), rng.normal(size=(o, per_in, k)), rng.normal(size=o)
    flat = {name: (1 if name != "padding" else 0, v) for name, v in how.items() if name != "groups"}
    expected = naive_conv2d(x[:, :, None], w[:, :, None], b, groups=how["groups"], **flat)[:, :, 0]
    np.testing.assert_allclose(mg.conv1d(*map(mg.tensor, (x, w, b)), **how).numpy(), expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        mg.conv1d(x, w, b, (how["stride"],), (how["padding"],), (how["dilation"],), how["groups"]),
        expected,
        rtol=1e-11,
        atol=1e-12,
    )
    assert gradcheck(lambda *t: mg.conv1d(*t, **how), x, w, b, order=2).worst < 1e-6


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"stride": 2, "padding": 1},
        {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2)},
        {"groups": 2, "padding": 1},
        {"stride": 2, "dilation": 2},
    ],
    ids=str,
)
def test_the_triad_is_right_to_third_order(how, rng):
    """Each of the three is the others' rule; the weight gradient has no public name, so it is checked here."""
    groups = how.get("groups", 1)
    x, w = rng.normal(size=(2, 2, 5, 6)), rng.normal(size=(2, 2 // groups, 2, 2))
    assert gradcheck(lambda a, b: mg.conv2d(a, b, **how), x, w, order=3).worst < 1e-6
    u = rng.normal(size=naive_conv2d(x, w, **how).shape)
    full = [two(how.get("stride", 1)), two(how.get("padding", 0)), two(how.get("dilation", 1)), groups]
    assert gradcheck(lambda a, b: ops_conv._weight(a, b, (2, 2), *full), x, u, order=3).worst < 1e-6
    assert gradcheck(lambda a, b: ops_conv._adjoint(a, b, (5, 6), *full), u, w, order=3).worst < 1e-6


@pytest.mark.parametrize("kernel, dilation", [((3, 3), 1), ((2, 2), 1), ((1, 4), 1), ((2, 3), (3, 2)), ((2, 2), (1, 3))])
def test_padding_same_keeps_the_size_and_puts_the_odd_zero_last(kernel, dilation, rng):
    x, w = rng.normal(size=(1, 2, 5, 6)), rng.normal(size=(3, 2, *kernel))
    total = [d * (k - 1) for k, d in zip(kernel, two(dilation))]
    padded = np.pad(x, [(0, 0), (0, 0)] + [(t // 2, t - t // 2) for t in total])
    y = mg.conv2d(mg.tensor(x), mg.tensor(w), padding="same", dilation=dilation)
    assert y.shape == (1, 3, 5, 6)
    np.testing.assert_allclose(y.numpy(), naive_conv2d(padded, w, dilation=dilation), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(mg.conv2d(x, w, padding="valid"), naive_conv2d(x, w), rtol=1e-11, atol=1e-12)
    one = mg.conv1d(mg.tensor(x[:, :, 0]), mg.tensor(w[:, :, 0]), padding="same")
    assert one.shape == (1, 3, 6)


def test_memory_order_of_the_input_does_not_matter(rng):
    x, w = rng.normal(size=(2, 3, 5, 4)), rng.normal(size=(2, 3, 2, 2))
    hwnc = np.ascontiguousarray(x.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)
    for other in (hwnc, np.asfortranarray(x), x[:, :, ::-1].copy()[:, :, ::-1]):
        np.testing.assert_allclose(
            mg.conv2d(other, w, stride=2, padding=1), naive_conv2d(x, w, stride=2, padding=1), rtol=1e-11
        )


def t(*shape):
    return mg.tensor(np.ones(shape, np.float32))


@pytest.mark.parametrize(
    "call, text",
    [
        (
            lambda: mg.conv2d(t(2, 3, 8, 8), t(16, 4, 3, 3)),
            r"conv2d: x has 3 channels, weight expects 4 \(x \(2, 3, 8, 8\), weight \(16, 4, 3, 3\), groups=1\)",
        ),
        (lambda: mg.conv2d(t(2, 8, 8, 4), t(16, 4, 3, 3)), r"if x is \(N, H, W, C\), pass x.transpose\(0, 3, 1, 2\)"),
        (
            lambda: mg.conv2d(t(1, 1, 8, 12), t(1, 1, 5, 5), dilation=2),
            r"conv2d: kernel 5 \(dilation 2 -> 9\) exceeds the padded input of 8 .*; use more padding or a smaller kernel",
        ),
        (lambda: mg.conv2d(t(3, 8, 8), t(16, 3, 3, 3)), r"conv2d: x and weight need four axes each, got x \(3, 8, 8\)"),
        (
            lambda: mg.conv2d(t(1, 4, 8, 8), t(3, 2, 3, 3), groups=2),
            "conv2d: groups=2 must be an int >= 1 that divides 3 channels",
        ),
        (lambda: mg.conv2d(t(1, 4, 8, 8), t(3, 4, 3, 3), t(4)), r"conv2d: bias is \(4,\), need \(3,\)"),
        (lambda: mg.conv2d(t(1, 1, 4, 4), t(1, 1, 3, 3), stride=0), "conv2d: stride must be an int >= 1 or two of them, got 0"),
        (lambda: mg.conv2d(t(1, 1, 4, 4), t(1, 1, 3, 3), padding=-1), "conv2d: padding must be an int >= 0"),
        (lambda: mg.conv2d(t(1, 1, 4, 4), t(1, 1, 3, 3), padding=(1, 2, 3)), r"or two of them, got \(1, 2, 3\)"),
        (
            lambda: mg.conv2d(t(1, 1, 4, 4), t(1, 1, 3, 3), padding="same", stride=2),
            "named paddings are 'valid', and 'same' with stride 1",
        ),
        (lambda: mg.conv2d(t(1, 1, 4, 4), t(1, 1, 3, 3), padding="full"), "padding 'full'"),
        (
            lambda: mg.conv_transpose2d(t(1, 3, 4, 4), t(4, 2, 3, 3)),
            r"conv_transpose2d: x has 3 channels, weight expects 4 .*; weight is \(in, out/groups, kh, kw\)",
        ),
        (lambda: mg.conv_transpose2d(t(1, 2, 1, 1), t(2, 2, 2, 2), padding=1), "conv_transpose2d: the output would be 0x0"),
        (
            lambda: mg.conv_transpose2d(t(1, 2, 2, 2), t(2, 2, 2, 2), stride=2, output_padding=2),
            r"conv_transpose2d: output_padding \(2, 2\) must be smaller than stride \(2, 2\) or dilation \(1, 1\)",
        ),
        (lambda: mg.conv_transpose2d(t(1, 2, 2, 2), t(2, 3, 2, 2), t(2)), r"conv_transpose2d: bias is \(2,\), need \(3,\)"),
        (lambda: mg.conv1d(t(1, 2, 3, 4), t(1, 2, 3)), r"conv1d: needs x \(N, C, L\) and weight \(O, C/groups, k\)"),
    ],
)
def test_what_does_not_fit_is_said_with_the_sizes(call, text):
    with pytest.raises(ShapeError, match=text):
        call()


@pytest.mark.parametrize(
    "kernel, stride, padding, dilation, extra",
    [
        (4, 2, 1, 1, 0),
        (4, 2, 0, 1, 1),
        (4, 2, 3, 1, 0),
        (2, 2, 0, 1, 0),
        (3, 1, 1, 1, 0),
        (6, 3, 2, 1, 2),
        ((4, 3), (2, 3), (1, 2), 1, 0),
        ((2, 4), (1, 4), (0, 1), 1, (0, 3)),
        (4, 2, 5, 1, 0),
        (3, 2, 1, 1, 1),
        (4, 2, 1, 2, 1),
        (2, 3, 0, 1, 1),
        (5, 2, 2, (1, 2), 0),
    ],
)
@pytest.mark.parametrize("groups", [1, 2])
def test_the_adjoint_of_many_channels_is_the_same_sum(kernel, stride, padding, dilation, extra, groups, monkeypatch):
    monkeypatch.setattr(kernels, "FEW_CHANNELS", 1)  # as if two channels were many: gathered, not scattered
    rng = np.random.default_rng(2)
    u, w = rng.normal(size=(3, 2 * groups, 5, 6)), rng.normal(size=(2 * groups, 2, *two(kernel)))
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_padding": extra}
    expected = naive_conv_transpose2d(u, w, **how)
    np.testing.assert_allclose(mg.conv_transpose2d(mg.tensor(u), mg.tensor(w), **how).numpy(), expected, rtol=1e-11, atol=1e-12)


def test_the_adjoint_of_nothing_is_nothing(monkeypatch):
    monkeypatch.setattr(kernels, "FEW_CHANNELS", 1)
    assert mg.conv_transpose2d(mg.zeros((0, 2, 3, 3)), mg.zeros((2, 2, 4, 4)), stride=2).shape == (0, 2, 8, 8)
