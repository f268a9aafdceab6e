"""Pairwise distances against plain loops, the energy distance against its closed forms, diversity against collapse."""

import math

import numpy as np
import pytest

from minigan import data
from minigan.errors import NotFiniteError, ShapeError
from minigan.metrics import distances, diversity, energy_distance
from minigan.metrics.distances import mean_distance, nearest


def table(a, b):
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2))


@pytest.mark.parametrize("block", [1, 50, 8_000_000])
def test_nearest_and_mean_are_those_of_the_full_table_whatever_the_block(rng, monkeypatch, block):
    monkeypatch.setattr(distances, "BLOCK", block)
    a, b = rng.standard_normal((23, 4)), rng.standard_normal((31, 4)) + 1000  # far from 0, where digits are easily lost
    a += 1000
    found, which = nearest(a, b, 3)
    np.testing.assert_allclose(found, np.sort(table(a, b), axis=1)[:, :3], rtol=1e-9)
    assert np.array_equal(which, np.argsort(table(a, b), axis=1)[:, :3])
    own = table(a, a)
    np.testing.assert_allclose(nearest(a, a, 2, skip_self=True)[0], np.sort(own, axis=1)[:, 1:3], rtol=1e-9)
    np.testing.assert_allclose(mean_distance(a, b), table(a, b).mean(), rtol=1e-9)
    np.testing.assert_allclose(mean_distance(a), own[~np.eye(23, dtype=bool)].mean(), rtol=1e-9)


def test_a_block_of_distances_stays_small():
    a = np.zeros((10_000, 2))
    assert max(squared.nbytes for _, squared in distances.blocks(a, a)) <= 64_000_000


def test_energy_distance_of_two_spots_is_twice_their_distance():
    np.testing.assert_allclose(energy_distance(np.zeros((5, 2)), np.tile([3.0, 4.0], (7, 1))), 10)


def test_energy_distance_of_two_gaussians_is_its_closed_form(rng):
    # x - y ~ N(m, 2), x - x' ~ N(0, 2); E|N(m, s^2)| = s sqrt(2/pi) exp(-m^2/2s^2) + m erf(m / s sqrt 2)
    m, s = 1.5, math.sqrt(2)
    between = s * math.sqrt(2 / math.pi) * math.exp(-(m**2) / (2 * s**2)) + m * math.erf(m / (s * math.sqrt(2)))
    want = 2 * between - 2 * s * math.sqrt(2 / math.pi)
    a, b = rng.standard_normal((4000, 1)), m + rng.standard_normal((4000, 1))
    np.testing.assert_allclose(energy_distance(a, b), want, rtol=0.05)
    np.testing.assert_allclose(energy_distance(b, a), energy_distance(a, b))


def test_energy_distance_in_one_dimension_is_twice_the_area_of_the_squared_difference_of_distributions(rng):
    a, b = rng.standard_normal((300, 1)), rng.uniform(0, 1, (400, 1))
    grid = np.sort(np.concatenate([a, b]).ravel())
    F, G = ((np.searchsorted(np.sort(x.ravel()), grid[:-1], side="right") / len(x)) for x in (a, b))
    area = 2 * ((F - G) ** 2 * np.diff(grid)).sum()
    biased = 2 * mean_distance(a, b) - mean_distance(a) * 299 / 300 - mean_distance(b) * 399 / 400  # with the pairs x, x
    np.testing.assert_allclose(biased, area, rtol=1e-9)
    np.testing.assert_allclose(energy_distance(a, b), biased - mean_distance(a) / 300 - mean_distance(b) / 400)


def test_energy_distance_is_0_on_average_for_one_density_and_grows_when_half_is_missing():
    moons = data.load("two-moons")
    same = [energy_distance(moons.sample(200, i).x, moons.sample(200, 100 + i).x) for i in range(40)]
    assert abs(np.mean(same)) < 3 * np.std(same) / math.sqrt(40) and min(same) < 0
    batch = moons.sample(400, 7)
    assert energy_distance(batch.x[batch.labels == 0], moons.sample(200, 8).x) > 20 * np.std(same)


def test_diversity_is_1_for_fresh_samples_0_for_one_point_and_scales(rng):
    real = rng.standard_normal((500, 1, 4, 4))
    np.testing.assert_allclose(diversity(rng.standard_normal((500, 1, 4, 4)), real), 1, atol=0.03)
    np.testing.assert_allclose(diversity(0.25 * real, real), 0.25)
    assert diversity(np.full((50, 1, 4, 4), 0.3), real) == 0


def test_refusals():
    x = np.zeros((4, 2))
    with pytest.raises(ShapeError, match="the 4 real samples are all the same"):
        diversity(x, x)
    with pytest.raises(ShapeError, match="energy_distance: needs at least 2 samples, got 1"):
        energy_distance(x, x[:1])
    with pytest.raises(ShapeError, match=r"one row per sample, \(N, d\), got \(4,\); for N single numbers pass x\[:, None\]"):
        energy_distance(x[:, 0], x[:, 0])
    with pytest.raises(ShapeError, match="4 neighbours of each need at least 5 samples, got 4"):
        nearest(x, x, 4, skip_self=True)
    with pytest.raises(NotFiniteError, match="1 of 8 values are NaN or infinite"):
        energy_distance(x, np.where(np.arange(8).reshape(4, 2) == 3, np.inf, 0))
