"""Modes counted by hand, and a generator that drops modes told from one that blurs them."""

import numpy as np
import pytest

from minigan import data
from minigan.errors import NotFiniteError, ShapeError
from minigan.metrics import mode_report

CENTRES = np.array([[0, 0], [10, 0], [0, 10], [10, 10.0]])


def test_a_hand_made_case():
    # 6 samples: 3 at mode 0, 1 at mode 1 just inside 3 std, 1 at mode 1 just outside, 1 nearest to mode 2 and far from it.
    samples = np.array([[0, 0], [0.1, 0], [0, 0.1], [10, 2.99], [10, 3.01], [-5, 10]])
    report = mode_report(samples, CENTRES, std=1.0)
    assert (report.captured, report.modes, report.high_quality) == (2, 4, 4 / 6)
    np.testing.assert_allclose(report.shares, [3 / 6, 1 / 6, 0, 0])
    q = np.array([3, 2, 1]) / 6  # all samples, good or not; mode 3 adds 0 ln 0 = 0
    np.testing.assert_allclose(report.reverse_kl, (q * np.log(4 * q)).sum())
    assert report.fair == 2  # fair share 1.5, a quarter of it 0.375
    assert str(report) == "2 of 4 modes, 2 of them fairly; 66.7% high quality, reverse KL 0.37 nats"


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_the_density_itself_captures_all_modes_and_98_9_percent_within_3_std(name):
    dataset = data.load(name)
    report = mode_report(dataset.sample(20_000, 0).x, dataset.centres, dataset.std)
    assert report.captured == report.fair == len(dataset.centres)
    np.testing.assert_allclose(report.high_quality, 1 - np.exp(-4.5), atol=0.003)  # radius of 3 std in the plane
    assert report.reverse_kl < 0.003


def test_all_samples_in_one_mode_cost_ln_K():
    report = mode_report(np.zeros((50, 2)), CENTRES, 0.1)
    assert report.captured == report.fair == 1 and report.high_quality == 1
    np.testing.assert_allclose(report.reverse_kl, np.log(4))


def test_a_mode_with_one_sample_is_captured_but_not_fairly_served():
    samples = np.concatenate([np.repeat(CENTRES[:3], 33, axis=0), CENTRES[3:]])
    report = mode_report(samples, CENTRES, 0.1)
    assert (report.captured, report.fair) == (4, 3)


def test_dropped_modes_and_blur_show_in_different_numbers():
    ring = data.load("ring8")
    batch = ring.sample(2500, 1)
    dropped = mode_report(batch.x[batch.labels < 5], ring.centres, ring.std)
    blurred = mode_report(batch.x + 0.1 * np.random.default_rng(2).standard_normal((2500, 2)), ring.centres, ring.std)
    assert dropped.captured == 5 and dropped.high_quality > 0.98
    np.testing.assert_allclose(dropped.reverse_kl, np.log(8 / 5), atol=0.01)
    assert blurred.captured == 8 and blurred.high_quality < 0.25 and blurred.reverse_kl < 0.01


def test_the_count_takes_points_of_any_dimension():
    assert mode_report(np.eye(5), np.eye(5), 0.1).captured == 5


def test_refusals():
    with pytest.raises(ShapeError, match=r"\(3,\) cannot be compared with samples of \(2,\)"):
        mode_report(np.zeros((4, 3)), CENTRES, 1)
    with pytest.raises(ShapeError, match="needs at least 1 samples, got 0"):
        mode_report(np.zeros((0, 2)), CENTRES, 1)
    with pytest.raises(ShapeError, match="std must be positive, got 0"):
        mode_report(CENTRES, CENTRES, 0)
    with pytest.raises(NotFiniteError, match="1 of 2 values are NaN"):
        mode_report([[np.nan, 0]], CENTRES, 1)
