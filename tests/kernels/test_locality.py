"""A value reaches the outputs that see it, and no others: a NaN, an infinity or a huge number does not spread.

Fast algorithms add terms that should cancel.  NaN does not, and what is left of a huge number hides a small one.  Whatever
the algorithm, outputs that do not see the bad value stay as near to the truth as the direct sum's, up to a factor of four.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigan as mg
from minigan.nn import functional as F

BAD = [np.nan, np.inf, -np.inf, 1e8, 1e30]
X, WEIGHT, GRADIENT = range(3)
READS = [(X, WEIGHT), (WEIGHT, GRADIENT), (X, GRADIENT)]  # the output, the gradient of x, that of the weight


def results(arrays, stride, padding, algorithm):
    """The output, the gradient of x and that of the weight, from x, the weight and the gradient that arrives."""
    before = mg.get_conv_algorithm()
    mg.set_conv_algorithm(algorithm)
    try:
        x, weight = (mg.tensor(a, requires_grad=True) for a in arrays[:2])
        y = F.conv2d(x, weight, None, stride, padding)
        return [y.data, *(g.data for g in mg.grad(y, [x, weight], mg.Tensor(arrays[GRADIENT])))]
    finally:
        mg.set_conv_algorithm(before)


def draw(size, channels, images, kernel, stride, padding, seed=0):
    """x, a weight, an arriving gradient."""
    rng = np.random.default_rng(seed)
    out = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(size, padding, kernel, stride)]
    shapes = (images, channels[0], *size), (channels[1], channels[0], *kernel), (images, channels[1], *out)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def check(arrays, which, place, value, stride, padding):
    """Write the value into arrays[which] at the place, and compare "auto" with "direct", where it is seen and where not."""
    how = stride, padding
    bad, seers = [a.copy() for a in arrays], [np.ones(a.shape) for a in arrays]
    bad[which][place], seers[which] = value, np.zeros(arrays[which].shape)
    seers[which][place] = 1
    with np.errstate(all="ignore"):
        found, direct = results(bad, *how, "auto"), results(bad, *how, "direct")
        exact = results([a.astype(np.float64) for a in bad], *how, "direct")
    for k, (a, b, c, seen) in enumerate(zip(found, direct, exact, results(seers, *how, "direct"))):
        seen = seen > 0.5
        if which not in READS[k] or not seen.any():  # such as the last row, where the stride does not fit
            continue
        np.testing.assert_array_equal(np.where(np.isfinite(a), 0, a), np.where(np.isfinite(b), 0, b))
        finite = np.isfinite(b)
        # x has a frame of zeros.  The direct sum has them too, and NaN times 0 is NaN in outputs that see only it.
        framed = which == WEIGHT or (k, which) == (2, GRADIENT)
        assert (finite | (seen.any((2, 3), keepdims=True) if framed else seen)).all()
        for part in (seen & finite, ~seen & finite):
            if part.any():
                size = np.sqrt(np.mean(c[part] ** 2))
                error, allowed = (np.abs(y[part] - c[part]).max() for y in (a, b))
                assert error <= 4 * max(allowed, np.finfo(np.float32).eps * size)


@given(st.data())
def test_one_bad_value_anywhere(data):
    taps, stride = data.draw(st.sampled_from([2, 3])), data.draw(st.sampled_from([(1, 1), (2, 2), (1, 2), (2, 1)]))
    kernel = tuple(taps * s for s in stride)
    padding = tuple(data.draw(st.integers(0, k - 1)) for k in kernel)
    size = tuple(data.draw(st.integers(max(2, k - 2 * p), 13)) for k, p in zip(kernel, padding))
    channels, seed = data.draw(st.sampled_from([(16, 16), (16, 20), (24, 16)])), data.draw(st.integers(0, 99))
    arrays, which = draw(size, channels, 16, kernel, stride, padding, seed), data.draw(st.sampled_from(range(3)))
    place = tuple(data.draw(st.sampled_from([0, n - 1]) | st.integers(0, n - 1)) for n in arrays[which].shape)
    check(arrays, which, place, data.draw(st.sampled_from(BAD)), stride, padding)


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("kernel, stride", [((3, 3), (1, 1)), ((4, 4), (2, 2))])
@pytest.mark.parametrize("which", [X, GRADIENT])
def test_one_bad_pixel_at_every_place(which, kernel, stride, value):
    """Image n has it at pixel n: so in every corner, along every edge, at every place of every tile."""
    arrays = draw((7, 8), (16, 16), 56, kernel, stride, (1, 1))
    pixels = arrays[which].shape[2:]
    n = np.arange(np.prod(pixels))
    check(arrays, which, (n, 3, *np.unravel_index(n, pixels)), value, stride, (1, 1))


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("kernel, stride", [((3, 3), (1, 1)), ((4, 4), (2, 2)), ((2, 2), (1, 1))])
def test_one_bad_weight_at_every_place(kernel, stride, value):
    """Output channel k has it at element k of the kernel."""
    arrays = draw((9, 6), (16, 16), 16, kernel, stride, (1, 1))
    k = np.arange(np.prod(kernel))
    check(arrays, WEIGHT, (k, k, *np.unravel_index(k, kernel)), value, stride, (1, 1))


@pytest.mark.parametrize("size", [(2, 2), (1, 3), (3, 1), (1, 2)])
@pytest.mark.parametrize("which", [X, WEIGHT, GRADIENT])
def test_one_bad_pixel_among_few(which, size):
    arrays = draw(size, (16, 16), 16, (3, 3), (1, 1), (1, 1))
    check(arrays, which, (0, 0, -1, -1), 1e8, (1, 1), (1, 1))


def test_pictures_of_very_different_size_and_of_zeros():
    """Pictures of very different size, as the gradients of samples are, and pictures of zeros."""
    arrays = draw((9, 9), (16, 16), 16, (3, 3), (1, 1), (1, 1))
    for k in (X, GRADIENT):
        arrays[k] *= np.float32(10) ** np.arange(-8, 8, dtype=np.float32).reshape(-1, 1, 1, 1)
        arrays[k][3] = 0
    found, direct = (results(arrays, 1, 1, name) for name in ("auto", "direct"))
    for a, b in zip(found[:2], direct):
        size = np.sqrt(np.mean(b**2, axis=(1, 2, 3)))
        assert (np.abs(a - b).max((1, 2, 3)) <= 1e-4 * size).all()
        assert not a[3].any()


@pytest.mark.parametrize("largest", [1, *np.geomspace(40, 80, 9), 1e8])  # on both sides of where the algorithm changes
def test_the_algorithm_and_the_bits_do_not_depend_on_the_memory_order(largest):
    x, weight, gradient = draw((8, 9), (16, 16), 16, (3, 3), (1, 1), (1, 1))
    x[2, 3, 4, 5] = largest
    first = results((x, weight, gradient), 1, 1, "auto")
    for order in ((2, 3, 0, 1), (0, 2, 3, 1), (3, 1, 2, 0)):
        others = [np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order)) for a in (x, weight, gradient)]
        for a, b in zip(first, results(others, 1, 1, "auto")):
            np.testing.assert_array_equal(a, b)


PER_SAMPLE = {  # ops that treat each sample alone
    "conv2d": lambda x: F.conv2d(x, np.ones((3, 4, 3, 3)), None, 1, 1),
    "conv_transpose2d": lambda x: F.conv_transpose2d(x, np.ones((4, 3, 4, 4)), None, 2, 1),
    "max_pool2d": lambda x: F.max_pool2d(x, 3, 2),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 3, 1),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, 5),
    "nearest": lambda x: F.interpolate(x, (9, 11)),
    "bilinear": lambda x: F.interpolate(x, (9, 11), mode="bilinear"),
    "unfold": lambda x: F.unfold(x, 3),
    "layer_norm": lambda x: F.layer_norm(x, (4, 6, 7)),
    "instance_norm": lambda x: F.instance_norm(x),
    "group_norm": lambda x: F.group_norm(x, 2),
    "softmax": lambda x: F.softmax(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, 1),
    "logsumexp": lambda x: mg.logsumexp(x, 1),
    "cumsum": lambda x: mg.cumsum(x, 2),
    "max": lambda x: mg.max(x, 3),
    "norm": lambda x: mg.norm(x, 1),
    "matmul": lambda x: x @ np.ones((7, 5)),
}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", PER_SAMPLE)
def test_one_bad_sample_among_others(name, value):
    """In x or in the arriving gradient: results of the other samples are finite."""
    clean = np.random.default_rng(0).standard_normal((3, 4, 6, 7))
    bad = clean.copy()
    bad[1, 2, 3, 4] = value
    with np.errstate(all="ignore"):
        for data, arriving in ((bad, 1.0), (clean, value)):
            x = mg.tensor(data, requires_grad=True)
            y = PER_SAMPLE[name](x)
            g = np.ones(y.shape)
            g[1].flat[0] = arriving
            for a in (y.data, mg.grad(y, x, mg.tensor(g))[0].data):
                assert np.isfinite(a[[0, 2]]).all()


def test_a_bad_gradient_of_max_pool_reaches_only_the_largest():
    x = mg.tensor(np.arange(16.0).reshape(1, 1, 4, 4), requires_grad=True)
    for stride in (1, 2):
        y = F.max_pool2d(x, 2, stride)
        g = np.ones(y.shape)
        g[0, 0, 0, 0] = np.nan
        np.testing.assert_array_equal(np.argwhere(np.isnan(mg.grad(y, x, mg.tensor(g))[0].data[0, 0])), [[1, 1]])
