"""Toom-Cook convolutions are the direct ones with fewer multiplications: equal in float64, nearly so in float32."""

from itertools import chain

import numpy as np
import pytest

import minigan as mg
from minigan.errors import ConfigError
from minigan.kernels.cpu import conv, toom_cook


@pytest.fixture
def algorithm():
    """set_conv_algorithm, undone at the end."""
    before = mg.get_conv_algorithm()
    yield mg.set_conv_algorithm
    mg.set_conv_algorithm(before)


# kernel, stride, padding, size of x: kernels of two and of three strides; sizes of one tile, of several, of uneven ones, and
# where the stride does not fit
CASES = [
    ((4, 4), (2, 2), (1, 1), (14, 14)),
    ((4, 4), (2, 2), (1, 1), (28, 12)),
    ((4, 4), (2, 2), (0, 2), (9, 5)),
    ((2, 2), (1, 1), (0, 0), (2, 7)),
    ((6, 2), (3, 1), (2, 0), (17, 3)),
    ((3, 3), (1, 1), (1, 1), (14, 5)),
    ((3, 3), (1, 1), (0, 0), (3, 4)),
    ((6, 6), (2, 2), (2, 2), (11, 16)),
    ((4, 4), (2, 2), (3, 1), (4, 6)),
    ((5, 5), (2, 2), (2, 1), (11, 14)),  # a little shorter than three strides
    ((3, 3), (2, 2), (1, 1), (9, 12)),  # and than two
    ((5, 6), (2, 2), (0, 3), (13, 8)),
    ((3, 3), (1, 1), (1, 1), (17, 17)),
]


def arrays(case, dtype, channels=(3, 5), batch=4):
    kernel, stride, padding, size = case
    out = tuple((n + 2 * p - k) // s + 1 for n, p, k, s in zip(size, padding, kernel, stride))
    rng = np.random.default_rng(0)
    draw = lambda *shape: (4 * rng.standard_normal(shape)).astype(dtype)
    return (draw(batch, channels[0], *size), draw(channels[1], channels[0], *kernel), draw(batch, channels[1], *out)), out


def results(case, arrays, out):
    """y, dx, dw."""
    (kernel, stride, padding, size), (x, w, u), rest = case, arrays, ((1, 1), 1)
    return (
        conv.conv2d(x, w, out, stride, padding, *rest),
        conv.conv2d_adjoint(u, w, size, stride, padding, *rest),
        conv.conv2d_weight(x, u, kernel, stride, padding, *rest),
    )


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_direct_method_in_float64(case, threads, algorithm, monkeypatch):
    given, out = arrays(case, np.float64)
    algorithm("direct")
    expected = results(case, given, out)
    used = []
    for name in ("conv2d", "conv2d_adjoint", "conv2d_weight"):
        function = getattr(toom_cook, name)
        monkeypatch.setattr(toom_cook, name, lambda *given, function=function: used.append(function(*given)) or used[-1])
    monkeypatch.setattr(toom_cook, "WORTH_A_THREAD", 1)
    algorithm("toom-cook")
    mg.set_num_threads(threads)
    try:
        found = results(case, given, out)
    finally:
        mg.set_num_threads(1)
    assert len(used) == 3 and not any(a is None for a in used)
    for a, b in zip(found, expected):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("case", [CASES[0], CASES[5], ((4, 4), (2, 2), (1, 1), (16, 16))])
def test_rounding_in_float32_is_within_ten_times_the_direct_methods(case, algorithm):
    given, out = arrays(case, np.float32, (64, 64), 16)
    algorithm("direct")
    exact = results(case, [a.astype(np.float64) for a in given], out)
    error = lambda found: [np.sqrt(np.mean((a - b) ** 2) / np.mean(b**2)) for a, b in zip(found, exact)]
    direct = error(results(case, given, out))
    algorithm("toom-cook")
    ours = error(results(case, given, out))
    for a, b in zip(ours, direct):
        assert b < a < 10 * b or a <= b
        assert a < 4e-6


@pytest.mark.parametrize("case", CASES[:7])
def test_gradients_of_first_and_second_order(case, algorithm):
    _, stride, padding, _ = case
    (x, w, u), _ = arrays(case, np.float64, (2, 2), 2)
    algorithm("toom-cook")
    mg.gradcheck(lambda x, w: mg.nn.functional.conv2d(x, w, None, stride, padding), mg.Tensor(x), mg.Tensor(w), order=2)
    mg.gradcheck(lambda u, w: mg.nn.functional.conv_transpose2d(u, w, None, stride, padding), u, w, order=2)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_gradients_from_what_was_kept_equal_the_three_kernels(case, threads, algorithm, monkeypatch):
    """In one walk over the tiles, which threads share; also if what was kept would be too large, and for one gradient alone."""
    (_, stride, padding, size), ((x, w, u), out), rest = case, arrays(case, np.float64), ((1, 1), 1)
    algorithm("direct")
    expected = results(case, (x, w, u), out)
    forward = conv.conv2d(x, w, out, stride, padding, *rest)
    algorithm("toom-cook")
    monkeypatch.setattr(toom_cook, "WORTH_A_THREAD", 1)
    near = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
    mg.set_num_threads(threads)
    try:
        for limit in (toom_cook.KEPT, 0):
            monkeypatch.setattr(toom_cook, "KEPT", limit)
            y, kept = conv.conv2d_kept(x, w, out, stride, padding, *rest)
            near(y, forward)
            back, kept_back = conv.conv2d_adjoint_kept(u, w, size, stride, padding, *rest)
            near(back, expected[1])
            assert (kept.transformed is None) == (kept_back.transformed is None) == (limit == 0)
            for needed in ((True, True), (True, False), (False, True), (False, False)):
                for found, wanted in (
                    (conv.conv2d_gradients(u, needed, kept, x, w), expected[1:]),
                    (conv.conv2d_adjoint_gradients(x, needed, kept_back, u, w), (forward, expected[2])),
                ):
                    for a, b, need in zip(found, wanted, needed):
                        assert (a is not None) == need
                        if need:
                            near(a, b)
    finally:
        mg.set_num_threads(1)


@pytest.mark.parametrize("m, r", [(1, 2), (2, 2), (3, 2), (4, 2), (1, 3), (2, 3), (3, 3)])
def test_the_three_matrices_multiply_polynomials(m, r):
    a, g, b = toom_cook.matrices(m, r, np.float64)
    x, w = np.random.default_rng(0).standard_normal(m + r - 1), np.array([2.0, -3.0, 0.5])[:r]
    np.testing.assert_allclose(a @ ((g @ w) * (b @ x)), np.correlate(x, w, "valid"), rtol=1e-12, atol=1e-12)
    longer = toom_cook.matrices(m + 1, r, np.float64)[1] if m + r < 6 else g
    np.testing.assert_array_equal(longer[: len(g)], g)


@pytest.mark.parametrize("r", [2, 3])
def test_tiles_cover_every_output_once(r):
    for n in range(1, 40):
        seen = np.zeros((n, 3), int)
        for i, m, j, l in chain(*toom_cook.tiles_of((n, 3), r)):
            assert 1 <= m <= 6 - r
            seen[i : i + m, j : j + l] += 1
        assert (seen == 1).all()


def test_names_and_kernels_that_do_not_fit(algorithm):
    with pytest.raises(ConfigError, match="winograd.*'auto', 'direct', 'toom-cook'"):
        algorithm("winograd")
    algorithm("toom-cook")
    assert mg.get_conv_algorithm() == "toom-cook"
    for kernel, stride in (((5, 5), (1, 1)), ((4, 4), (1, 1)), ((3, 4), (1, 2)), ((1, 1), (1, 1)), ((4, 4), (2, 1))):
        assert toom_cook.taps_of(kernel, stride) is None
    given = arrays(CASES[0], np.int64, (2, 2))[0][:2]  # whole numbers stay exact: B holds fractions
    whole = conv.conv2d(*given, (7, 7), (2, 2), (1, 1), (1, 1), 1)
    algorithm("direct")
    np.testing.assert_array_equal(whole, conv.conv2d(*given, (7, 7), (2, 2), (1, 1), (1, 1), 1))
    algorithm("toom-cook")
    empty = conv.conv2d(np.ones((0, 2, 4, 4)), np.ones((3, 2, 4, 4)), (2, 2), (2, 2), (1, 1), (1, 1), 1)
    assert empty.shape == (0, 3, 2, 2)


def test_auto_takes_it_for_many_images_and_channels(algorithm, monkeypatch):
    used = []
    function = toom_cook.conv2d
    monkeypatch.setattr(toom_cook, "conv2d", lambda *given: used.append(function(*given)) or used[-1])
    algorithm("auto")
    for expected, images, inside, outside in ((1, 16, 16, 16), (0, 15, 16, 16), (0, 16, 15, 16), (0, 16, 16, 15)):
        used.clear()
        conv.conv2d(
            np.ones((images, inside, 4, 4), np.float32),
            np.ones((outside, inside, 4, 4), np.float32),
            (2, 2),
            (2, 2),
            (1, 1),
            (1, 1),
            1,
        )
        assert len(used) == expected and not any(a is None for a in used)
