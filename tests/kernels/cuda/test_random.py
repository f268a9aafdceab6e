"""Philox: known answers, the same numbers on the CPU and on a card, and the statistics of what is made from them."""

import math

import numpy as np
import pytest

from minigan.backend import to_device
from minigan.errors import CheckpointError, ConfigError, DTypeError
from minigan.kernels.cpu import philox
from minigan.kernels.cuda.launcher import launch
from minigan.kernels.cuda.random import Philox

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def words(card, seed, draw, count):
    """The kernel's words."""
    out = card.empty(count, np.uint32)
    launch("random", "words", -(-count // 4), out, card.zeros(1, np.uint64), draw, seed, count)
    return to_device(out, "cpu")


def test_known_answers_on_the_cpu():
    assert [f"{w:08x}" for w in philox.words(0, 0, 4)] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]


@pytest.mark.gpu
def test_known_answers_on_the_card(card):
    assert [f"{w:08x}" for w in words(card, 0, 0, 4)] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]


@pytest.mark.gpu
@pytest.mark.parametrize("seed, draw", [(0, 0), (1, 2), (2**64 - 1, 2**64 - 1), (12345678901234567890, 2**33 + 7)])
@pytest.mark.parametrize("count", [1, 3, 4, 5, 1027])
def test_the_card_makes_the_words_of_the_cpu(card, seed, draw, count):
    assert np.array_equal(words(card, seed, draw, count), philox.words(seed, draw, count))


@pytest.mark.gpu
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1001])
def test_the_card_draws_the_numbers_of_the_cpu(card, size):
    here, there = Philox(11), Philox(11, "cuda")
    for draw, tolerance in [
        (lambda g: g.random(size, np.float32), 0),
        (lambda g: g.random(size), 0),
        (lambda g: g.uniform(-0.3, 0.7, size), 0),
        (lambda g: g.uniform(-0.3, 0.7, size, np.float32), 0),
        (lambda g: g.integers(-7, 9, size), 0),
        (lambda g: g.integers(2**32, size=size), 0),
        (lambda g: g.integers(1, 6, size, np.int32, endpoint=True), 0),
        (lambda g: g.standard_normal(size, np.float32), 2e-6),
        (lambda g: g.standard_normal(size), 1e-14),
        (lambda g: g.normal(2, 3, size), 1e-14),
    ]:
        a, b = draw(here), draw(there)
        assert a.dtype == b.dtype and a.shape == b.shape == (size,)
        assert np.allclose(a, to_device(b, "cpu"), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_and_normal_numbers_have_their_moments(dtype):
    g, n = Philox(3), 100_000
    u, z = g.random(n, dtype).astype(float), g.standard_normal(n, dtype).astype(float)
    assert u.min() >= 0 and u.max() < 1 and u.dtype == float
    assert abs(u.mean() - 1 / 2) < 5 * math.sqrt(1 / 12 / n) and abs(u.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / n)
    for power, moment in enumerate([0, 1, 0, 3, 0, 15], 1):
        scale = [1, 2, 15, 96, 945, 10170][power - 1]  # the variance of z^power
        assert abs((z**power).mean() - moment) < 5 * math.sqrt(scale / n), power
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 5 / math.sqrt(n)  # the two of one pair are independent
    assert abs(np.corrcoef(u, g.random(n, dtype))[0, 1]) < 5 / math.sqrt(n)  # and so are two draws


def test_integers_are_equally_likely_and_stay_inside():
    drawn = Philox(4).integers(-2, 4, 60_000)
    counts = np.bincount(drawn + 2)
    assert len(counts) == 6 and ((counts - 10_000) ** 2 / 10_000).sum() < 30  # chi-squared, 5 degrees of freedom: p = 1e-5
    assert Philox(4).integers(5, 6, 10).tolist() == [5] * 10


@pytest.mark.parametrize("device", DEVICES)
def test_a_saved_state_goes_on_with_the_same_numbers(card, device):
    g = Philox(5, device)
    g.random(3)
    g.advance()
    g.standard_normal(4)
    state = g.state_dict()
    assert state == {"seed": 5, "draw": 2}
    expected = to_device(g.random(4), "cpu")
    for other in (g, Philox(6, device), Philox(6)):
        other.load_state_dict(state)
        assert np.array_equal(to_device(other.random(4), "cpu"), expected)
    with pytest.raises(CheckpointError, match="Philox: a state has 'seed' and 'draw', got 'seed'"):
        g.load_state_dict({"seed": 1})


@pytest.mark.parametrize("device", DEVICES)
def test_advancing_changes_nothing_in_what_is_drawn(card, device):
    plain, moved = Philox(7, device), Philox(7, device)
    for _ in range(3):
        for g in (plain, moved):
            g.random(2)
        moved.advance()
        assert plain.state_dict() == moved.state_dict()
    assert np.array_equal(to_device(plain.random(5), "cpu"), to_device(moved.random(5), "cpu"))


@pytest.mark.gpu
def test_a_replayed_draw_gives_new_numbers(card):
    """What a captured step does: the same launches, with the same arguments, again."""
    g = Philox(8, "cuda")
    eager = [to_device(g.random(6), "cpu") for _ in range(4)]
    counter, replayed = card.zeros(1, np.uint64), []
    for _ in range(2):
        for offset in range(2):
            out = card.empty(6)
            launch("random", "uniform", 3, out, counter, offset, 8, 0.0, 1.0, 6)
            replayed.append(to_device(out, "cpu"))
        launch("random", "advance", 1, counter, 2, threads=1)
    assert np.array_equal(eager, replayed)


def test_shapes_and_refusals():
    g = Philox(1)
    assert g.random().shape == () and g.random(3).shape == (3,) and g.standard_normal((2, 0, 3)).shape == (2, 0, 3)
    assert g.integers(3, size=(2, 2)).shape == (2, 2)
    for seed in (-1, 2**64):
        with pytest.raises(ConfigError, match="the seed must be at least 0 and below 2"):
            Philox(seed)
    with pytest.raises(DTypeError, match="floats are float32 or float64, got int64"):
        g.random(3, int)
    for low, high in ((3, 3), (5, 2), (0, 2**33)):
        with pytest.raises(ConfigError, match="numbers to choose from"):
            g.integers(low, high)
