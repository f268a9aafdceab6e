"""Scores of features and probabilities: Inception Score, Frechet and kernel distance against their closed forms."""

import math

import numpy as np
import pytest

from minigan.errors import ShapeError
from minigan.metrics import frechet_distance, gaussian_distance, inception_score, kernel_distance, polynomial_mmd

# Inception Score


def one_hot(labels):
    return np.eye(10)[labels]


def test_is_of_ten_equal_certain_classes_is_10_and_of_one_class_1():
    assert inception_score(one_hot(np.arange(1000) % 10)) == pytest.approx((10, 0))
    assert inception_score(one_hot(np.zeros(100, int))) == pytest.approx((1, 0))
    assert inception_score(np.full((100, 10), 0.1)) == pytest.approx((1, 0))


def test_is_of_a_case_done_by_hand():
    # p(y) = (1/2, 1/2): each row's KL is 0.9 ln 1.8 + 0.1 ln 0.2
    p = [[0.9, 0.1], [0.1, 0.9]]
    assert inception_score(p)[0] == pytest.approx(math.exp(0.9 * math.log(1.8) + 0.1 * math.log(0.2)))


def test_is_sums_over_classes_where_a_known_tutorial_takes_their_mean(rng):
    # With the mean over K classes the KL is K times too small, and every score is about 1.
    p = one_hot(np.arange(1000) % 10)
    wrong = np.exp(np.mean(np.where(p > 0, p * np.log(np.maximum(p, 1e-30) / p.mean(0)), 0)))
    assert wrong == pytest.approx(10**0.1) and wrong < 1.3
    assert inception_score(p)[0] == pytest.approx(wrong**10)


def test_is_does_not_depend_on_the_order_because_rows_are_shuffled_before_they_are_split(rng):
    p = one_hot(np.sort(np.arange(2000) % 10))
    mean, std = inception_score(p, splits=10, rng=0)
    assert 9.5 < mean <= 10 and 0 < std < 0.3  # unshuffled, each split holds one class: 1
    assert inception_score(p, 10, rng=0) == inception_score(p, 10, rng=0)


def test_is_stays_between_1_and_the_number_of_classes(rng):
    for sharpness in (0.1, 1, 10):
        logits = sharpness * rng.standard_normal((200, 10))
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert 1 <= inception_score(p)[0] <= 10


def test_is_refuses_logits_and_too_many_splits():
    with pytest.raises(ShapeError, match="sums from 0 to 0; pass logits through softmax first"):
        inception_score(np.zeros((5, 3)))
    with pytest.raises(ShapeError, match="5 samples cannot be split into 6"):
        inception_score(np.full((5, 2), 0.5), splits=6)


# Frechet distance


def test_gaussian_distance_of_diagonal_covariances_is_the_distance_of_means_and_of_standard_deviations():
    a, b = np.array([1.0, 4, 9]), np.array([4.0, 4, 1])
    # |mu|^2 = 5; (1-2)^2 + 0 + (3-1)^2 = 5
    assert gaussian_distance([0, 1, 0], np.diag(a), [2, 0, 0], np.diag(b)) == pytest.approx(10)


def test_gaussian_distance_of_commuting_covariances_turned_into_any_position(rng):
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    a, b = rng.uniform(0, 3, 6), rng.uniform(0, 3, 6)
    got = gaussian_distance(np.zeros(6), turn * a @ turn.T, np.ones(6), turn * b @ turn.T)
    assert got == pytest.approx(6 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum())


def test_gaussian_distance_agrees_with_newton_s_square_root_where_nothing_commutes(rng):
    a, b = (x @ x.T + np.eye(5) for x in rng.standard_normal((2, 5, 5)))
    root, inverse = a @ b, np.eye(5)
    for _ in range(50):  # Denman & Beavers 1976
        root, inverse = (root + np.linalg.inv(inverse)) / 2, (inverse + np.linalg.inv(root)) / 2
    np.testing.assert_allclose(root @ root, a @ b, rtol=1e-8)
    want = np.trace(a) + np.trace(b) - 2 * np.trace(root)
    assert gaussian_distance(np.zeros(5), a, np.zeros(5), b) == pytest.approx(want)
    assert gaussian_distance(np.zeros(5), b, np.zeros(5), a) == pytest.approx(want)


def test_gaussian_distance_of_singular_covariances_is_finite_and_right():
    assert gaussian_distance([0, 0], np.diag([1.0, 0]), [0, 0], np.diag([0, 4.0])) == pytest.approx(5)


def test_frechet_of_a_set_with_itself_is_0_and_of_a_shifted_set_the_squared_shift(rng):
    x = rng.standard_normal((500, 8)) @ rng.standard_normal((8, 8))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + np.arange(8) / 4) == pytest.approx((np.arange(8) ** 2).sum() / 16)
    assert frechet_distance(x, 2 * x) == pytest.approx(np.cov(x, rowvar=False).trace() + (x.mean(0) ** 2).sum())


def test_frechet_finds_the_distance_of_two_known_gaussians(rng):
    a = rng.standard_normal((20_000, 3)) * [1, 2, 3]
    b = rng.standard_normal((20_000, 3)) * [2, 2, 1] + [1, 0, 0]
    assert frechet_distance(a, b) == pytest.approx(1 + 1 + 4, rel=0.03)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


@pytest.mark.parametrize("N", [200, 800])
def test_the_bias_of_frechet_is_the_documented_one(rng, N):
    d = 16
    values = [frechet_distance(rng.standard_normal((N, d)), rng.standard_normal((N, d))) for _ in range(30)]
    assert np.mean(values) == pytest.approx((2 * d + d * (d + 1) / 2) / N, rel=0.1)


def test_frechet_grows_with_noise(rng):
    x, y, noise = rng.standard_normal((3, 1000, 6))
    values = [frechet_distance(x, y + sigma * noise) for sigma in (0, 0.5, 1, 2)]
    assert values == sorted(values) and values[-1] > 20 * values[0]


def test_frechet_refuses_fewer_samples_than_twice_the_features():
    with pytest.raises(ShapeError, match="64 features need at least 128 samples on both sides, got 500 and 127"):
        frechet_distance(np.zeros((500, 64)), np.zeros((127, 64)))


def test_frechet_takes_single_features():
    assert frechet_distance(np.arange(9.0)[:, None], np.arange(9.0)[:, None] + 2) == pytest.approx(4)


# Kernel distance


def test_mmd_is_the_double_sum_over_different_pairs(rng):
    a, b = rng.standard_normal((5, 3)), rng.standard_normal((7, 3))
    k = lambda x, y: (x @ y / 3 + 1) ** 3
    want = (
        np.mean([k(a[i], a[j]) for i in range(5) for j in range(5) if i != j])
        + np.mean([k(b[i], b[j]) for i in range(7) for j in range(7) if i != j])
        - 2 * np.mean([k(x, y) for x in a for y in b])
    )
    assert polynomial_mmd(a, b) == pytest.approx(want)


def test_mmd_of_two_spots_by_hand():
    # k(0,0) = 1, k(2,2) = (4 + 1)^3, k(0,2) = 1
    assert polynomial_mmd(np.zeros((2, 1)), np.full((3, 1), 2.0)) == 1 + 125 - 2


def test_kid_is_unbiased_where_frechet_is_not(rng):
    small = [polynomial_mmd(*rng.standard_normal((2, 40, 8))) for _ in range(400)]
    assert abs(np.mean(small)) < 3 * np.std(small) / 20
    assert min(small) < 0


def test_kid_sees_a_shift_and_a_third_moment(rng):
    a = rng.standard_normal((2000, 4))
    skew = rng.exponential(size=(2000, 4)) - 1  # mean 0, variance 1, as a
    same = kernel_distance(a, rng.standard_normal((2000, 4)), subset_size=500)
    assert abs(same[0]) < 0.05
    assert kernel_distance(a, a + 0.5, subset_size=500)[0] > 0.3
    assert kernel_distance(a, skew, subset_size=500)[0] > 0.1
    assert kernel_distance(a, skew, rng=1) == kernel_distance(a, skew, rng=1) != kernel_distance(a, skew, rng=2)
