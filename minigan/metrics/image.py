"""How similar is a picture to the one that it should be?

psnr        compares pixels, in decibels        ssim        compares the structure in windows of 11 x 11 pixels
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minigan.errors import ConfigError, ShapeError
from minigan.metrics.checks import pair, pictures


def psnr(a, b, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """10 log10((high - low)^2 / mean (a - b)^2) of each picture in dB; infinite if they are equal.   a, b (N, C, H, W) -> (N,).

    low, high: the smallest and the largest possible value.   DataError for values beyond them.

    >>> x = np.zeros((1, 1, 8, 8), np.float32)
    >>> psnr(x, x + 0.2).round(4).tolist()  # 20 log10(2 / 0.2), because pixels lie in [-1, 1]
    [20.0]
    """
    a, b = _pictures(a, b, "psnr", low, high)
    with np.errstate(divide="ignore"):
        return 10 * np.log10((high - low) ** 2 / ((a - b) ** 2).mean(axis=(1, 2, 3)))


def ssim(a, b, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Mean over windows and channels of  (2 m_a m_b + c1)(2 s_ab + c2) / ((m_a^2 + m_b^2 + c1)(s_a^2 + s_b^2 + c2)),  <= 1.

    a, b (N, C, H, W) -> (N,).   m, s^2, s_ab: mean, variance and covariance of x - low under a Gaussian window of 11 x 11
    pixels with std 1.5, at all places where the whole window fits; c1 = (0.01 (high - low))^2, c2 = (0.03 (high - low))^2.
    low is subtracted because the means must not be negative.   ShapeError below 11 pixels.   Wang et al. 2004, equation 13.
    """
    a, b = (x - low for x in _pictures(a, b, "ssim", low, high))
    if min(a.shape[2:]) < 11:
        raise ShapeError(f"ssim: pictures must be at least 11 x 11, got {a.shape[2:]}")
    window = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window /= window.sum()

    def mean(x):
        x = sliding_window_view(x, 11, axis=2) @ window
        return sliding_window_view(x, 11, axis=3) @ window

    m_a, m_b, c1, c2 = mean(a), mean(b), (0.01 * (high - low)) ** 2, (0.03 * (high - low)) ** 2
    var_a, var_b, cov = mean(a * a) - m_a**2, mean(b * b) - m_b**2, mean(a * b) - m_a * m_b
    score = (2 * m_a * m_b + c1) * (2 * cov + c2) / ((m_a**2 + m_b**2 + c1) * (var_a + var_b + c2))
    return score.mean(axis=(1, 2, 3))


def _pictures(a, b, what, low, high):
    if not low < high:
        raise ConfigError(f"{what}: low must be below high, got {low} and {high}")
    a, b = (pictures(x, what, low, high) for x in (a, b))
    if a.shape != b.shape:
        raise ShapeError(f"{what}: comparing pictures needs equal shapes, got {a.shape} and {b.shape}")
    return (x.reshape(a.shape) for x in pair(a, b, what))
