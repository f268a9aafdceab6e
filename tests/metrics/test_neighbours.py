"""Precision, recall, copies and duplicates: by hand, and on samples with one known fault each."""

import math

import numpy as np
import pytest

from minigan import data
from minigan.errors import ShapeError
from minigan.metrics import density_coverage, duplicates, memorisation, precision_recall, support_size, two_sample_test


def grid(N=1500, seed=0):
    return data.load("grid25").sample(N, seed)


def test_precision_and_recall_by_hand():
    real, fake = np.array([[0.0], [1], [3]]), np.array([[0.5], [1.5], [9]])
    # k = 1: real balls [-1, 1], [0, 2], [1, 5]; fake balls [-0.5, 1.5], [0.5, 2.5], [1.5, 16.5]
    assert precision_recall(real, fake, k=1) == (2 / 3, 1)
    # Real balls that hold a fake one: all three.  Fake ones in real balls: 0.5 in two, 1.5 in two, 9 in none.
    assert density_coverage(real, fake, k=1) == (4 / 3, 1)


def test_equal_sets_have_precision_and_recall_1():
    x = grid().x
    assert precision_recall(x, x) == (1, 1)
    assert density_coverage(x, x)[1] == 1


def test_a_dropped_mode_lowers_recall_only():
    real, (x, labels) = grid(2000), grid(4000, 1)
    whole, dropped = precision_recall(real.x, x[:2000]), precision_recall(real.x, x[labels < 15][:2000])
    assert whole[0] > 0.93 and whole[1] > 0.93
    assert dropped[0] > 0.93 and dropped[1] < 0.65  # 15 of 25 modes: 0.6 of the real are reached
    assert density_coverage(real.x, x[labels < 15][:2000])[1] < 0.65


def test_noise_lowers_precision_and_not_recall(rng):
    real, x = grid(2000).x, grid(2000, 1).x
    precision, recall = precision_recall(real, x + 0.3 * rng.standard_normal(x.shape))
    assert precision < 0.4 and recall > 0.9


def test_coverage_of_equal_densities_is_1_minus_2_to_the_minus_k(rng):
    density, coverage = density_coverage(*rng.standard_normal((2, 3000, 2)), k=3)
    assert density == pytest.approx(1, abs=0.05) and coverage == pytest.approx(1 - 2**-3, abs=0.02)


def test_one_outlier_among_the_real_inflates_precision_but_hardly_density(rng):
    real, fake = np.append(rng.standard_normal((500, 2)), [[30.0, 30]], axis=0), 10 + rng.standard_normal((500, 2))
    assert precision_recall(real, fake)[0] == 1 and density_coverage(real, fake)[0] < 0.4


def test_memorisation_flags_a_copier_and_clears_an_honest_generator(rng):
    training, fresh, honest = rng.standard_normal((3, 1500, 6))
    copies = training[rng.integers(1500, size=800)] + 1e-3 * rng.standard_normal((800, 6))
    half = np.concatenate([copies[:400], honest[:400]])
    for real in (fresh, None):  # the distances of training samples to each other say the same
        assert memorisation(honest, training, real) == pytest.approx(0.05, abs=0.03)
        assert memorisation(copies, training, real) == 1
        assert memorisation(half, training, real) == pytest.approx(0.525, abs=0.03)


def test_memorisation_looks_into_every_part_of_the_training_data(rng):
    training = rng.standard_normal((25_000, 3))
    assert memorisation(training[::500], training) == 1


def test_duplicates_flags_a_generator_that_repeats_itself(rng):
    real, fresh = rng.standard_normal((2, 1000, 6))
    few = fresh[rng.integers(50, size=1000)] + 1e-3 * rng.standard_normal((1000, 6))
    assert duplicates(fresh, real) == pytest.approx(0.05, abs=0.03)
    assert duplicates(few, real) == 1


@pytest.mark.parametrize("samples, real", [(300, 3000), (3000, 300)])
def test_duplicates_compares_equal_numbers_since_neighbours_are_nearer_among_more(rng, samples, real):
    assert duplicates(rng.standard_normal((samples, 2)), rng.standard_normal((real, 2))) < 0.11


def test_support_size_counts_by_the_birthday_paradox(rng):
    different = rng.standard_normal((300, 8))
    samples = different[rng.integers(300, size=1000)] + 1e-4 * rng.standard_normal((1000, 8))
    assert support_size(samples, 0.01) == pytest.approx(300, rel=0.1)
    assert support_size(different, 0.01) == math.inf
    assert support_size(np.zeros((5, 2)), 0.1) == 1
    with pytest.raises(ShapeError, match="the threshold must be positive, since distances are rounded, got 0"):
        support_size(samples, 0)


# Classifier two-sample test


def test_nobody_can_tell_equal_densities_and_p_is_below_5_percent_in_5_percent_of_cases(rng):
    results = [two_sample_test(*rng.standard_normal((2, 200, 2)), rng=rng) for _ in range(300)]
    assert np.mean([r.accuracy for r in results]) == pytest.approx(0.5, abs=0.01)
    assert 0.02 < np.mean([r.p_value < 0.05 for r in results]) < 0.09


def test_everybody_can_tell_what_is_far_apart(rng):
    far = two_sample_test(rng.standard_normal((100, 2)), 50 + rng.standard_normal((150, 2)))
    assert far.accuracy == 1 and far.p_value < 1e-20


def test_samples_sorted_by_mode_are_shuffled_before_they_teach(rng):
    ring, (x, labels) = data.load("ring8"), data.load("ring8").sample(1000, 3)
    sorted_by_mode = x[np.argsort(labels)]  # else modes 0..3 teach and 4..7 are judged
    assert two_sample_test(ring.sample(1000, 4).x, sorted_by_mode).accuracy == pytest.approx(0.5, abs=0.06)


def test_accuracy_is_near_the_best_possible_between_two_shifted_gaussians(rng):
    # The best rule cuts at m / 2: accuracy Phi(m / 2) = 0.841 for m = 2.
    r = two_sample_test(rng.standard_normal((4000, 1)), 2 + rng.standard_normal((4000, 1)))
    assert r.accuracy == pytest.approx(0.8413, abs=0.02)


def test_the_vote_sees_what_a_linear_classifier_cannot(rng):
    inner, angle = rng.standard_normal((500, 2)) * 0.1, rng.uniform(0, 2 * np.pi, 500)  # equal means
    assert two_sample_test(inner, np.stack([np.cos(angle), np.sin(angle)], axis=1)).accuracy > 0.95


def test_p_value_by_hand(rng):
    real, fake = np.zeros((8, 1)), np.full((8, 1), 5.0)
    r = two_sample_test(real, fake, k=1)
    # 8 are held out: z = (1 - 1/2) / sqrt(1 / 32) = sqrt 8, and P(Z > z) = erfc(z / sqrt 2) / 2
    assert r.accuracy == 1 and r.p_value == pytest.approx(math.erfc(2) / 2)
    with pytest.raises(ShapeError, match="k must be odd and at most 8, the number of teachers, got 4"):
        two_sample_test(real, fake, k=4)
