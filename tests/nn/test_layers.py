"""Layers against loops and closed forms, written out here and nowhere else."""

import math

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import ConfigError, DTypeError, ShapeError


def draw(*shape, seed=1, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def out(layer, x):
    """The layer's output for a float64 array, as an array; and the same for a plain array as for a Tensor."""
    return layer.double()(mg.tensor(x)).data


# ------------------------------------------------------------------------------------------------- dense, lookup ---


@pytest.mark.parametrize("lead", [(), (4,), (2, 3), (0,)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_a_weighted_sum_for_each_output(lead, bias):
    layer, x = nn.Linear(3, 2, bias=bias).double(), draw(*lead, 3)
    expected = np.zeros((*lead, 2))
    for place in np.ndindex(*lead):
        for o in range(2):
            expected[(*place, o)] = sum(x[(*place, i)] * layer.weight.data[o, i] for i in range(3))
            expected[(*place, o)] += layer.bias.data[o] if bias else 0
    np.testing.assert_allclose(out(layer, x), expected, rtol=1e-12)
    assert (layer.bias is None) == (not bias)


def test_linear_names_the_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"\(4, 5\).*\(2, 3\)"):
        nn.Linear(3, 2)(mg.ones((4, 5)))


def test_embedding_looks_rows_up_and_its_padding_row_stays_zero():
    layer = nn.Embedding(5, 3, padding_idx=-1)
    index = np.array([[0, 4], [2, 0]])
    y = layer(index)
    assert np.array_equal(y.data, np.stack([[layer.weight.data[i] for i in row] for row in index]))
    assert not layer.weight.data[4].any() and layer.padding_idx == 4
    y.sum().backward()
    assert layer.weight.grad.data[:, 0].tolist() == [2, 0, 1, 0, 0]
    with pytest.raises(ShapeError, match="padding_idx 5"):
        nn.Embedding(5, 3, padding_idx=5)


# ------------------------------------------------------------------------------------------------- convolutions ---


def correlate(x, w, b, stride, padding, dilation, groups, pad_mode="constant"):
    """conv2d by six loops."""
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), mode=pad_mode)
    (n, _, height, width), (o, c, kh, kw) = x.shape, w.shape
    oh, ow = (height - dh * (kh - 1) - 1) // sh + 1, (width - dw * (kw - 1) - 1) // sw + 1
    y = np.zeros((n, o, oh, ow))
    for i, k, p, q in np.ndindex(*y.shape):
        first = k // (o // groups) * c
        for r in range(kh):
            for s in range(kw):
                y[i, k, p, q] += x[i, first : first + c, p * sh + r * dh, q * sw + s * dw] @ w[k, :, r, s]
    return y if b is None else y + b[:, None, None]


def spread(x, w, b, stride, padding, output_padding, dilation, groups):
    """conv_transpose2d by loops: every pixel is added into the output, which is cut out of a larger one at the end."""
    (sh, sw), (ph, pw), (dh, dw), (eh, ew) = stride, padding, dilation, output_padding
    (n, c, height, width), (_, o, kh, kw) = x.shape, w.shape
    full = np.zeros((n, o * groups, (height - 1) * sh + dh * (kh - 1) + 1 + eh, (width - 1) * sw + dw * (kw - 1) + 1 + ew))
    for i, k, p, q in np.ndindex(*x.shape):
        first = k // (c // groups) * o
        for r in range(kh):
            for s in range(kw):
                full[i, first : first + o, p * sh + r * dh, q * sw + s * dw] += x[i, k, p, q] * w[k, :, r, s]
    y = full[:, :, ph : full.shape[2] - ph, pw : full.shape[3] - pw]
    return y if b is None else y + b[:, None, None]


CONVS = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)},
    {"groups": 2, "bias": False},
    {"padding": 1, "padding_mode": "reflect"},
    {"padding": (2, 1), "padding_mode": "replicate"},
    {"dilation": 2, "padding": 2},
]


@pytest.mark.parametrize("options", CONVS, ids=str)
def test_conv2d_is_six_loops(options):
    layer, x = nn.Conv2d(4, 6, (3, 2), **options).double(), draw(2, 4, 6, 7)
    b = None if layer.bias is None else layer.bias.data
    mode = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}[layer.padding_mode]
    expected = correlate(x, layer.weight.data, b, layer.stride, layer.padding, layer.dilation, layer.groups, mode)
    np.testing.assert_allclose(out(layer, x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mode, numpys", [("zeros", "constant"), ("reflect", "reflect"), ("replicate", "edge")])
def test_same_padding_keeps_the_size_and_puts_the_odd_one_behind(mode, numpys):
    layer, x = nn.Conv2d(2, 3, (3, 2), padding="same", padding_mode=mode).double(), draw(1, 2, 5, 5)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 1)), mode=numpys)
    expected = correlate(padded, layer.weight.data, layer.bias.data, (1, 1), (0, 0), (1, 1), 1)
    np.testing.assert_allclose(out(layer, x), expected, rtol=1e-10, atol=1e-12)
    assert out(layer, x).shape[2:] == (5, 5)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1, "dilation": 2}, {"groups": 2, "bias": False}, {"padding": 1, "padding_mode": "reflect"}],
    ids=str,
)
def test_conv1d_is_conv2d_with_one_row(options):
    layer, x = nn.Conv1d(4, 6, 3, **options).double(), draw(2, 4, 9)
    b = None if layer.bias is None else layer.bias.data
    mode = "constant" if layer.padding_mode == "zeros" else "reflect"
    padded = np.pad(x, ((0, 0), (0, 0), (layer.padding[0],) * 2), mode=mode)
    expected = correlate(
        padded[:, :, None], layer.weight.data[:, :, None], b, (1, *layer.stride), (0, 0), (1, *layer.dilation), layer.groups
    )[:, :, 0]
    np.testing.assert_allclose(out(layer, x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1},
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"groups": 2, "bias": False},
        {"stride": (1, 3), "padding": (2, 0), "output_padding": (0, 2), "dilation": (2, 1)},
    ],
    ids=str,
)
def test_conv_transpose2d_spreads_every_pixel(options):
    layer, x = nn.ConvTranspose2d(4, 6, (3, 2), **options).double(), draw(2, 4, 4, 3)
    b = None if layer.bias is None else layer.bias.data
    expected = spread(x, layer.weight.data, b, layer.stride, layer.padding, layer.output_padding, layer.dilation, layer.groups)
    np.testing.assert_allclose(out(layer, x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ShapeError, "groups=2 must divide in_channels=3"),
        (lambda: nn.Conv2d(3, 4, 3, stride=0), ShapeError, "stride"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="wrap"), ConfigError, "zeros, reflect, replicate, circular"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), ConfigError, "zeros, not 'reflect'"),
        (lambda: nn.Conv1d(3, 4, (3, 3)), ShapeError, "kernel_size"),
        (lambda: nn.Conv2d(3, 4, 3)(mg.ones((2, 5, 8, 8))), ShapeError, "5 channels, weight expects 3"),
        (lambda: nn.Dropout(1.5), ConfigError, "1.5"),
        (lambda: nn.MaxPool1d(2, return_indices=True), ConfigError, "return_indices"),
        (lambda: nn.ReflectionPad2d((1, 2)), ShapeError, "left, right, top, bottom"),
        (lambda: nn.MSELoss("average"), ConfigError, "'average'"),
        (lambda: nn.Flatten(2, 1)(mg.ones((2, 3, 4))), ShapeError, "behind"),
        (lambda: nn.Unflatten(1, (2, 4))(mg.ones((3, 6))), ShapeError, "size 6"),
        (lambda: nn.Unflatten(1, (4, -1))(mg.ones((3, 6))), ShapeError, "size 6"),
        (lambda: nn.PReLU(3)(mg.ones((2, 4))), ShapeError, "3 slopes"),
    ],
)
def test_what_cannot_be_says_why(make, error, text):
    with pytest.raises(error, match=text):
        make()


# -------------------------------------------------------------------------------------------------- activations ---

POINTS = [-30.0, -2.5, -0.5, 0.0, 0.3, 1.7, 30.0]


@pytest.mark.parametrize(
    "layer, f",
    [
        (nn.ReLU(inplace=True), lambda x: max(x, 0.0)),
        (nn.LeakyReLU(), lambda x: x if x > 0 else 0.01 * x),
        (nn.LeakyReLU(0.2, inplace=True), lambda x: x if x > 0 else 0.2 * x),
        (nn.PReLU(init=0.3), lambda x: x if x > 0 else float(np.float32(0.3)) * x),
        (nn.ELU(0.5), lambda x: x if x > 0 else 0.5 * (math.exp(x) - 1)),
        (nn.GELU(), lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2))),
        (nn.GELU("tanh"), lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
        (nn.SiLU(), lambda x: x / (1 + math.exp(-x))),
        (nn.Tanh(), math.tanh),
        (nn.Sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
        (nn.Softplus(), lambda x: math.log1p(math.exp(x))),
        (nn.Softplus(2.0), lambda x: math.log1p(math.exp(2 * x)) / 2),
        (nn.Identity(1, two=2), lambda x: x),
    ],
    ids=lambda v: repr(v) if isinstance(v, nn.Module) else "",
)
def test_activation_is_its_formula_and_leaves_its_input_alone(layer, f):
    x = np.array(POINTS)
    np.testing.assert_allclose(out(layer, x), [f(v) for v in POINTS], rtol=1e-10, atol=1e-12)
    assert x.tolist() == POINTS


def test_prelu_has_one_slope_for_each_channel():
    layer, x = nn.PReLU(3).double(), draw(2, 3, 2, 2)
    layer.weight.copy_([0.0, 0.5, 2.0])
    expected = np.where(x > 0, x, x * np.array([0.0, 0.5, 2.0])[:, None, None])
    np.testing.assert_allclose(out(layer, x), expected)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_sums_to_one_and_log_softmax_is_its_log(dim):
    x = draw(3, 4, 2)
    e = np.exp(x)
    np.testing.assert_allclose(out(nn.Softmax(dim), x), e / e.sum(axis=dim, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(out(nn.LogSoftmax(dim), x), np.log(e / e.sum(axis=dim, keepdims=True)), rtol=1e-12)
    assert np.isfinite(out(nn.LogSoftmax(dim), 1000 * x)).all()


# ----------------------------------------------------------------------------------------------- shapes and pixels ---


def test_flatten_and_unflatten_rearrange_in_c_order():
    x = np.arange(48.0).reshape(2, 3, 4, 2)
    assert np.array_equal(out(nn.Flatten(), x), x.reshape(2, 24))
    assert np.array_equal(out(nn.Flatten(0, 1), x), x.reshape(6, 4, 2))
    assert np.array_equal(out(nn.Flatten(2, 2), x), x)
    assert np.array_equal(out(nn.Unflatten(2, (2, 2)), x), x.reshape(2, 3, 2, 2, 2))
    assert np.array_equal(out(nn.Unflatten(-2, (-1, 2)), x), x.reshape(2, 3, 2, 2, 2))
    assert nn.Flatten()(mg.zeros((0, 3, 2))).shape == (0, 6)


@pytest.mark.parametrize(
    "layer, mode", [(nn.ZeroPad2d, "constant"), (nn.ReflectionPad2d, "reflect"), (nn.ReplicationPad2d, "edge")]
)
def test_padding_goes_left_right_top_bottom(layer, mode):
    x = draw(2, 3, 4, 5)
    assert np.array_equal(out(layer((1, 2, 3, 0)), x), np.pad(x, ((0, 0), (0, 0), (3, 0), (1, 2)), mode=mode))
    assert np.array_equal(out(layer(1), x), np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode=mode))


def test_pools_take_the_largest_and_the_mean_of_each_window():
    x = draw(2, 3, 5, 6)
    largest, average = np.zeros((2, 3, 2, 3)), np.zeros((2, 3, 2, 3))
    for n, c, p, q in np.ndindex(2, 3, 2, 3):
        window = x[n, c, 2 * p : 2 * p + 2, 2 * q : 2 * q + 2]
        largest[n, c, p, q], average[n, c, p, q] = window.max(), window.mean()
    np.testing.assert_allclose(out(nn.MaxPool2d(2), x), largest)
    np.testing.assert_allclose(out(nn.AvgPool2d(2), x), average)
    np.testing.assert_allclose(out(nn.AdaptiveAvgPool2d(1), x), x.mean(axis=(2, 3), keepdims=True))
    np.testing.assert_allclose(out(nn.AdaptiveMaxPool2d(1), x), x.max(axis=(2, 3), keepdims=True))
    assert out(nn.MaxPool2d(2, ceil_mode=True), x).shape == (2, 3, 3, 3)


def test_pool_options_reach_the_function():
    x = np.ones((1, 1, 4, 4))
    assert out(nn.AvgPool2d(3, 1, 1), x)[0, 0, 0, 0] == pytest.approx(4 / 9)
    assert out(nn.AvgPool2d(3, 1, 1, count_include_pad=False), x)[0, 0, 0, 0] == pytest.approx(1)
    ramp = np.arange(16.0).reshape(1, 1, 4, 4)
    assert out(nn.MaxPool2d(2, 1, dilation=2), ramp).tolist() == [[[[10, 11], [14, 15]]]]
    assert out(nn.MaxPool2d(3, 2, 1), ramp).tolist() == [[[[5, 7], [13, 15]]]]


def test_upsample_repeats_and_pixel_shuffle_interleaves():
    x = np.arange(8.0).reshape(1, 4, 1, 2)
    assert np.array_equal(out(nn.Upsample(scale_factor=2), x), x.repeat(2, axis=2).repeat(2, axis=3))
    assert np.array_equal(out(nn.Upsample(size=(3, 2)), x), x.repeat(3, axis=2))
    assert out(nn.PixelShuffle(2), x).tolist() == [[[[0, 2, 1, 3], [4, 6, 5, 7]]]]
    assert np.array_equal(out(nn.PixelUnshuffle(2), out(nn.PixelShuffle(2), x)), x)


def test_bilinear_upsampling_of_a_ramp_is_a_ramp():
    ramp = np.arange(4.0).reshape(1, 1, 1, 4)
    inside = out(nn.Upsample(size=(1, 7), mode="bilinear", align_corners=True), ramp)
    np.testing.assert_allclose(inside[0, 0, 0], np.arange(7) / 2)


# ------------------------------------------------------------------------------------------------------- dropout ---


def test_dropout_keeps_the_mean_and_drops_the_share_it_says():
    x = mg.ones((400, 500))
    y = nn.Dropout(0.3)(x).data
    assert np.unique(y).tolist() == [0, np.float32(1) / np.float32(0.7)]
    # 200,000 draws: the standard error of the share is 0.001
    assert abs((y == 0).mean() - 0.3) < 0.005 and abs(y.mean() - 1) < 0.01


def test_dropout_is_identity_in_evaluation_and_at_zero_and_nothing_is_left_at_one():
    x = mg.tensor(draw(3, 4))
    assert nn.Dropout(0.9).eval()(x) is x and nn.Dropout(0.0)(x) is x
    assert not nn.Dropout(1.0)(x).data.any()


def test_dropout_repeats_under_a_seed_differs_between_calls_and_does_not_disturb_initialisation():
    x, layer = mg.ones((50, 50)), nn.Dropout(0.5)
    mg.seed(3)
    a, b = layer(x).data, layer(x).data
    weight = nn.Linear(2, 2).weight.data
    mg.seed(3)
    assert np.array_equal(layer(x).data, a) and not np.array_equal(a, b)
    mg.seed(3)
    assert np.array_equal(nn.Linear(2, 2).weight.data, weight)


def test_dropout_drops_the_same_elements_in_every_dtype():
    mg.seed(1)
    a = nn.Dropout(0.5)(mg.ones((100,))).data
    mg.seed(1)
    b = nn.Dropout(0.5)(mg.ones((100,), dtype="float64")).data
    assert b.dtype == np.float64 and np.array_equal(a == 0, b == 0)


def test_dropouts_gradient_is_its_mask():
    x = mg.ones((20, 20), requires_grad=True)
    y = nn.Dropout(0.25)(x)
    (g,) = mg.grad(y.sum(), [x])
    assert np.array_equal(g.data, y.data)


def test_dropout2d_drops_whole_channels():
    y = nn.Dropout2d(0.5)(mg.ones((30, 40, 2, 3))).data
    assert np.array_equal(y, np.broadcast_to(y[:, :, :1, :1], y.shape))
    assert abs((y[:, :, 0, 0] == 0).mean() - 0.5) < 0.06  # 1200 draws: standard error 0.014
    with pytest.raises(ShapeError, match="N, C, H, W"):
        nn.Dropout2d(0.5)(mg.ones((3, 4)))


def test_dropout_refuses_integers():
    with pytest.raises(DTypeError, match="int64"):
        nn.Dropout(0.5)(mg.tensor([1, 2]))


# -------------------------------------------------------------------------------------------------------- losses ---


def test_losses_are_their_formulas():
    a, t = draw(4, 3), np.random.default_rng(2).random((4, 3))
    p, labels = 1 / (1 + np.exp(-a)), np.array([0, 2, 1, 1])
    log_p = a - np.log(np.exp(a).sum(axis=1, keepdims=True))
    d = np.abs(a - t)
    weight = np.array([1.0, 2.0, 3.0])
    picked = -log_p[np.arange(4), labels]
    A, T, L = mg.tensor(a), mg.tensor(t), mg.tensor(labels)
    cases = [
        (nn.MSELoss(), A, T, (d**2).mean()),
        (nn.MSELoss(reduction="sum"), A, T, (d**2).sum()),
        (nn.MSELoss(reduction="none"), A, T, d**2),
        (nn.L1Loss(), A, T, d.mean()),
        (nn.SmoothL1Loss(beta=0.5), A, T, np.where(d < 0.5, d * d / (2 * 0.5), d - 0.25).mean()),
        (nn.HuberLoss(delta=0.5), A, T, np.where(d < 0.5, d * d / 2, 0.5 * (d - 0.25)).mean()),
        (nn.BCEWithLogitsLoss(), A, T, -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()),
        (nn.BCEWithLogitsLoss(pos_weight=weight), A, T, -(weight * t * np.log(p) + (1 - t) * np.log(1 - p)).mean()),
        (nn.BCEWithLogitsLoss(weight=weight), A, T, -(weight * (t * np.log(p) + (1 - t) * np.log(1 - p))).mean()),
        (nn.BCELoss(), mg.tensor(p), T, -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()),
        (nn.CrossEntropyLoss(), A, L, picked.mean()),
        (nn.CrossEntropyLoss(weight), A, L, (weight[labels] * picked).sum() / weight[labels].sum()),
        (nn.CrossEntropyLoss(ignore_index=1), A, L, picked[:2].mean()),
        (nn.CrossEntropyLoss(label_smoothing=0.3), A, L, (0.7 * picked - 0.3 * log_p.mean(axis=1)).mean()),
        (nn.NLLLoss(reduction="sum"), mg.tensor(log_p), L, picked.sum()),
        (nn.KLDivLoss(), mg.tensor(log_p), T, (t * (np.log(t) - log_p)).mean()),
        (nn.KLDivLoss("batchmean"), mg.tensor(log_p), T, (t * (np.log(t) - log_p)).sum() / 4),
        (nn.KLDivLoss("sum", log_target=True), mg.tensor(log_p), mg.tensor(np.log(t)), (t * (np.log(t) - log_p)).sum()),
    ]
    for loss, x, target, expected in cases:
        np.testing.assert_allclose(loss(x, target).data, expected, rtol=1e-10, err_msg=repr(loss))


def test_the_weights_of_a_loss_are_saved_and_move_with_it():
    loss = nn.CrossEntropyLoss(weight=np.ones(3, np.float32))
    assert list(loss.state_dict()) == ["weight"] and loss.double().weight.dtype == np.float64
    assert list(nn.CrossEntropyLoss().state_dict()) == []
