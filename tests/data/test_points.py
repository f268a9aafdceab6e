"""The densities are those of their formulas: moments, distances and labels are compared with the equations."""

import numpy as np
import pytest

import minigan.data as data


def draw(name, n=20_000, seed=0):
    return data.load(name).sample(n, np.random.default_rng(seed))


@pytest.mark.parametrize("name", ["ring8", "grid25", "swiss-roll", "two-moons"])
def test_points_are_float32_reproducible_and_fresh(name):
    dataset = data.load(name)
    a, b, c = draw(name, 500), draw(name, 500), draw(name, 500, seed=1)
    assert a.x.shape == (500, 2) and a.x.dtype == np.float32 and dataset.sample_shape == (2,)
    assert np.array_equal(a.x, b.x) and not np.isin(a.x, c.x).any()
    rng = np.random.default_rng(0)
    assert not np.isin(dataset.sample(50, rng).x, dataset.sample(50, rng).x).any()


@pytest.mark.parametrize("name, modes, std, gap", [("ring8", 8, 0.02, 4 * np.sin(np.pi / 8)), ("grid25", 25, 0.05, 2)])
def test_mixtures_know_their_centres_and_their_std(name, modes, std, gap):
    dataset = data.load(name)
    assert dataset.centres.shape == (modes, 2) and dataset.std == std and dataset.classes == modes
    between = np.linalg.norm(dataset.centres[:, None] - dataset.centres, axis=2) + 9 * np.eye(modes)
    np.testing.assert_allclose(between.min(axis=1), gap, rtol=1e-5)  # no two centres coincide, none stands alone
    np.testing.assert_allclose(dataset.centres.mean(axis=0), 0, atol=1e-6)
    x, labels = draw(name)
    offset = x - dataset.centres[labels]
    assert np.array_equal(np.linalg.norm(x[:, None] - dataset.centres, axis=2).argmin(axis=1), labels)
    np.testing.assert_allclose(offset.std(axis=0), std, rtol=0.03)
    np.testing.assert_allclose(offset.mean(axis=0), 0, atol=4 * std / np.sqrt(len(x)))
    share = len(x) / modes
    assert abs(np.bincount(labels, minlength=modes) - share).max() < 5 * np.sqrt(share)


def test_the_ring_has_radius_2_and_starts_on_the_axis():
    centres = data.load("ring8").centres
    np.testing.assert_allclose(np.hypot(*centres.T), 2, rtol=1e-6)
    np.testing.assert_allclose(centres[[0, 2, 4, 6]], [[2, 0], [0, 2], [-2, 0], [0, -2]], atol=1e-6)


def test_the_grid_is_the_lattice_of_even_numbers_from_minus_4_to_4():
    want = {(i, j) for i in (-4, -2, 0, 2, 4) for j in (-4, -2, 0, 2, 4)}
    assert {tuple(centre) for centre in data.load("grid25").centres.tolist()} == want


def test_the_swiss_roll_is_a_spiral_whose_radius_is_its_angle_over_7_5():
    x, labels = draw("swiss-roll")
    assert labels is None and data.load("swiss-roll").classes is None and data.load("swiss-roll").centres is None
    # Nearest point of the noiseless spiral, by brute force on a fine grid of t: the rest is noise of 0.25 / 7.5.
    t = np.linspace(1.5 * np.pi, 4.5 * np.pi, 4000)
    spiral = np.stack([t * np.cos(t), t * np.sin(t)], axis=1) / 7.5
    distance = np.sqrt(((x[:1500, None] - spiral) ** 2).sum(axis=2).min(axis=1))
    assert 0.9 < np.sqrt((distance**2).mean()) * 7.5 / 0.25 < 1.1  # only the noise across the curve is seen
    radius = np.hypot(*x.T)
    assert 0.5 < radius.min() < 0.66 and 1.85 < radius.max() < 2.05
    np.testing.assert_allclose(np.mean(radius), 3 * np.pi / 7.5, rtol=0.01)  # t is uniform: mean 3 pi


def test_each_moon_is_a_half_circle_of_radius_1_with_noise_of_5_hundredths():
    x, moon = draw("two-moons")
    centre = np.stack([moon, 0.5 * moon], axis=1)
    radius = np.hypot(*(x - centre).T)
    np.testing.assert_allclose(radius.mean(), 1, atol=0.005)
    np.testing.assert_allclose(radius.std(), 0.05, rtol=0.05)
    upper, lower = x[moon == 0], x[moon == 1]
    assert upper[:, 1].min() > -0.25 and lower[:, 1].max() < 0.75
    np.testing.assert_allclose(upper.mean(axis=0), [0, 2 / np.pi], atol=0.03)
    np.testing.assert_allclose(lower.mean(axis=0), [1, 0.5 - 2 / np.pi], atol=0.03)
    assert abs(moon.mean() - 0.5) < 0.02 and data.load("two-moons").classes == 2
