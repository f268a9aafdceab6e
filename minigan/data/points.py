"""Densities in the plane: a GAN on them trains in seconds and its failures can be seen and counted.

ring8   8 Gaussians on a circle     grid25      25 Gaussians on a square lattice: both know their centres and std
swiss-roll  a spiral with noise     two-moons   two half circles that interlock
Elsewhere: counting captured modes (minigan.metrics).  Units are those of the formulas, nothing is rescaled."""

from __future__ import annotations

import numpy as np

from .base import Batch, PointDataset


def ring8(split: str = "train") -> PointDataset:
    """x = 2 (cos a_k, sin a_k) + 0.02 e,   a_k = 2 pi k / 8,  k uniform in 0..7,  e ~ N(0, I).   labels: k.

    Radius 2 and deviation 0.02 as the toy of Gulrajani et al. 2017, without their final division by 1.414.
    The angles stop before 2 pi: with the endpoint, mode 0 would be there twice and one gap would be missing."""
    angle = 2 * np.pi * np.arange(8) / 8
    return _mixture("ring8", 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.02, split)


def grid25(split: str = "train") -> PointDataset:
    """x = 2 (i, j) + 0.05 e,   i, j uniform in -2..2,  e ~ N(0, I).   labels: 5 (i + 2) + j + 2.

    The 25 Gaussians of Gulrajani et al. 2017, without their final division by 2.828."""
    i, j = np.divmod(np.arange(25), 5)
    return _mixture("grid25", 2.0 * np.stack([i - 2, j - 2], axis=1), 0.05, split)


def swiss_roll(split: str = "train") -> PointDataset:
    """x = (t cos t + 0.25 e_1, t sin t + 0.25 e_2) / 7.5,   t = 1.5 pi (1 + 2 u),  u uniform in [0, 1).   No labels.

    The roll of Gulrajani et al. 2017: radius from 0.63 to 1.88, one and a half turns."""
    def draw(n, rng):
        t = 1.5 * np.pi * (1 + 2 * rng.random(n))
        roll = np.stack([t * np.cos(t), t * np.sin(t)], axis=1) + 0.25 * rng.standard_normal((n, 2))
        return Batch((roll / 7.5).astype(np.float32), None)
    return PointDataset("swiss-roll", draw, split=split)


def two_moons(split: str = "train") -> PointDataset:
    """x = (cos t, sin t) + 0.05 e for moon 0,  (1 - cos t, 1/2 - sin t) + 0.05 e for moon 1,   t uniform in [0, pi).

    labels: the moon, a fair coin.  The half circles are the customary ones, the noise is our choice."""
    def draw(n, rng):
        moon, t = rng.integers(2, size=n), np.pi * rng.random(n)
        side = 1 - 2 * moon                                        # 1 for the upper moon, -1 for the lower
        x = np.stack([moon + side * np.cos(t), 0.5 * moon + side * np.sin(t)], axis=1)
        return Batch((x + 0.05 * rng.standard_normal((n, 2))).astype(np.float32), moon)
    return PointDataset("two-moons", draw, classes=2, split=split)


def _mixture(name: str, centres: np.ndarray, std: float, split: str) -> PointDataset:
    """Equal Gaussians of deviation std around centres (K, 2); the label is the centre's number."""
    def draw(n, rng):
        mode = rng.integers(len(centres), size=n)
        return Batch((centres[mode] + std * rng.standard_normal((n, 2))).astype(np.float32), mode)
    return PointDataset(name, draw, classes=len(centres), centres=centres.astype(np.float32), std=std, split=split)


DENSITIES = {"ring8": ring8, "grid25": grid25, "swiss-roll": swiss_roll, "two-moons": two_moons}
