"""PSNR and SSIM of cases that can be done by hand."""

import numpy as np
import pytest

from minigan.errors import ShapeError
from minigan.metrics import psnr, ssim


def test_psnr_of_a_constant_error():
    a = np.zeros((3, 1, 4, 4))
    b = a + np.array([0.0, 0.2, 1.0]).reshape(3, 1, 1, 1)
    np.testing.assert_allclose(psnr(a, b), [np.inf, 20, 10 * np.log10(4)])  # 10 log10(4 / 0.04)
    np.testing.assert_allclose(psnr(a[:2], b[:2] / 2, 0, 1), [np.inf, 20])


def test_ssim_of_equal_pictures_is_1_and_of_two_greys_the_luminance_term(rng):
    x = rng.uniform(-1, 1, (2, 3, 16, 12))
    np.testing.assert_allclose(ssim(x, x), 1)
    grey = lambda value: np.full((1, 1, 11, 11), value)
    c1 = 0.01**2
    np.testing.assert_allclose(ssim(grey(0.2), grey(0.6), 0, 1), (2 * 0.2 * 0.6 + c1) / (0.04 + 0.36 + c1))
    np.testing.assert_allclose(ssim(2 * grey(0.2) - 1, 2 * grey(0.6) - 1), ssim(grey(0.2), grey(0.6), 0, 1))


def test_ssim_of_a_single_window_is_its_formula(rng):
    a, b = rng.uniform(0, 1, (2, 11, 11))
    i = np.arange(11) - 5
    w = np.exp(-(i[:, None] ** 2 + i**2) / (2 * 1.5**2))
    w /= w.sum()
    m_a, m_b = (w * a).sum(), (w * b).sum()
    var_a, var_b, cov = (w * (a - m_a) ** 2).sum(), (w * (b - m_b) ** 2).sum(), (w * (a - m_a) * (b - m_b)).sum()
    c1, c2 = 1e-4, 9e-4
    want = (2 * m_a * m_b + c1) * (2 * cov + c2) / ((m_a**2 + m_b**2 + c1) * (var_a + var_b + c2))
    np.testing.assert_allclose(ssim(a[None, None], b[None, None], 0, 1), want)


def test_ssim_averages_all_places_of_the_window(rng):
    a, b = rng.uniform(0, 1, (2, 1, 1, 12, 13))
    each = [ssim(a[..., r : r + 11, c : c + 11], b[..., r : r + 11, c : c + 11], 0, 1)[0] for r in range(2) for c in range(3)]
    np.testing.assert_allclose(ssim(a, b, 0, 1)[0], np.mean(each))


def test_ssim_of_an_inverted_picture_is_negative_where_psnr_only_sees_size(rng):
    x = rng.uniform(-1, 0.7, (1, 1, 20, 20))
    assert ssim(x, -x)[0] < -0.5 and ssim(x, x + 0.3)[0] > 0.8


def test_refusals():
    x = np.zeros((2, 1, 8, 8))
    with pytest.raises(ShapeError, match="pictures must be at least 11 x 11"):
        ssim(x, x)
    with pytest.raises(ShapeError, match="needs equal shapes"):
        psnr(x, x[:1])
    with pytest.raises(ShapeError, match=r"pictures must be \(N, C, H, W\), got \(8, 8\)"):
        psnr(x[0, 0], x[0, 0])
