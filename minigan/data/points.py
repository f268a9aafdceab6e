"""Densities in the plane.  A GAN learns them in seconds, and its failures can be seen and counted.

ring8       8 Gaussians on a circle         grid25      25 Gaussians on a square lattice; both know their centres and std
swiss_roll  a spiral with noise             two_moons   two half circles that interlock
Elsewhere: counting captured modes (minigan.metrics).  Coordinates have the units of the formulas; they are not rescaled."""

from __future__ import annotations

import numpy as np

from .base import Batch, PointDataset


def ring8(split: str = "train") -> PointDataset:
    """x = 2 (cos a_k, sin a_k) + 0.02 e,   a_k = 2 pi k / 8,  k uniform in 0..7,  e ~ N(0, I).   labels: k.

    Radius 2 and standard deviation 0.02 are those of Gulrajani et al. 2017, without their final division by 1.414.
    The angles stop before 2 pi; an angle of 2 pi would repeat mode 0.

    >>> ring8().sample(5, 0).x.shape, ring8().centres.shape
    ((5, 2), (8, 2))"""
    angle = 2 * np.pi * np.arange(8) / 8
    return _mixture("ring8", 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.02, split)


def grid25(split: str = "train") -> PointDataset:
    """x = 2 (i, j) + 0.05 e,   i, j uniform in -2..2,  e ~ N(0, I).   labels: 5 (i + 2) + j + 2.

    These are the 25 Gaussians of Gulrajani et al. 2017, without their final division by 2.828.

    >>> grid25().classes
    25"""
    i, j = np.divmod(np.arange(25), 5)
    return _mixture("grid25", 2.0 * np.stack([i - 2, j - 2], axis=1), 0.05, split)


def swiss_roll(split: str = "train") -> PointDataset:
    """x = (t cos t + 0.25 e_1, t sin t + 0.25 e_2) / 7.5,   t = 1.5 pi (1 + 2 u),  u uniform in [0, 1).   No labels.

    This is the swiss roll of Gulrajani et al. 2017.  It has one and a half turns, and its radius grows from 0.63 to 1.88.

    >>> swiss_roll().sample(5, 0).x.dtype
    dtype('float32')"""

    def draw(n, rng):
        t = 1.5 * np.pi * (1 + 2 * rng.random(n))
        roll = np.stack([t * np.cos(t), t * np.sin(t)], axis=1) + 0.25 * rng.standard_normal((n, 2))
        return Batch((roll / 7.5).astype(np.float32), None)

    return PointDataset("swiss-roll", draw, split=split)


def two_moons(split: str = "train") -> PointDataset:
    """x = (cos t, sin t) + 0.05 e for moon 0,  (1 - cos t, 1/2 - sin t) + 0.05 e for moon 1,   t uniform in [0, pi).

    labels: the number of the moon, 0 or 1 with equal probability.  The half circles are the usual ones; we chose the noise.

    >>> two_moons().sample(5, 0).labels.shape
    (5,)"""

    def draw(n, rng):
        moon, t = rng.integers(2, size=n), np.pi * rng.random(n)
        side = 1 - 2 * moon  # 1 for the upper moon, -1 for the lower
        x = np.stack([moon + side * np.cos(t), 0.5 * moon + side * np.sin(t)], axis=1)
        return Batch((x + 0.05 * rng.standard_normal((n, 2))).astype(np.float32), moon)

    return PointDataset("two-moons", draw, classes=2, split=split)


def _mixture(name: str, centres: np.ndarray, std: float, split: str) -> PointDataset:
    """A mixture of equally likely Gaussians with centres (K, 2) and standard deviation std; labels: the index of the centre."""

    def draw(n, rng):
        mode = rng.integers(len(centres), size=n)
        return Batch((centres[mode] + std * rng.standard_normal((n, 2))).astype(np.float32), mode)

    return PointDataset(name, draw, classes=len(centres), centres=centres.astype(np.float32), std=std, split=split)


DENSITIES = {"ring8": ring8, "grid25": grid25, "swiss-roll": swiss_roll, "two-moons": two_moons}
