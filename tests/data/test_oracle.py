"""The oracle says of a sequence what it would have written: against a loop over single numbers, sums over all sequences, and
counts of what it writes."""

import itertools
import math

import numpy as np
import pytest

from minigan import data
from minigan.data import Loader, TokenDataset
from minigan.data.oracle import Oracle
from minigan.errors import ConfigError, DataError

SMALL = Oracle(vocabulary=3, length=4, hidden=5, seed=2)
EVERY = np.array(list(itertools.product(range(3), repeat=4)))  # all 81 sequences it can write


def nll_by_loops(oracle, sequence):
    """-(1/T) log p, one number at a time, by the equations of an LSTM."""
    n = oracle.hidden
    h, c, before, total = [0.0] * n, [0.0] * n, oracle.vocabulary, 0.0
    for token in sequence:
        inputs = [*oracle.embedding[before], *h]
        gate = [oracle.bias[r] + sum(w * v for w, v in zip(oracle.weight[r], inputs)) for r in range(4 * n)]
        logistic = [1 / (1 + math.exp(-v)) for v in gate]
        c = [logistic[n + j] * c[j] + logistic[j] * math.tanh(gate[2 * n + j]) for j in range(n)]
        h = [logistic[3 * n + j] * math.tanh(c[j]) for j in range(n)]
        e = [math.exp(oracle.out_bias[k] + sum(w * v for w, v in zip(oracle.out[k], h))) for k in range(oracle.vocabulary)]
        total -= math.log(e[token] / sum(e))
        before = token
    return total / len(sequence)


def test_nll_is_that_of_a_loop_over_single_numbers():
    sequences = data.load("oracle", size=3).tokens
    found = data.load("oracle", size=3).oracle.nll(sequences)
    assert found == pytest.approx([nll_by_loops(Oracle(), sequence) for sequence in sequences], rel=1e-12)


def test_the_probabilities_of_all_sequences_sum_to_one():
    assert np.exp(-4 * SMALL.nll(EVERY)).sum() == pytest.approx(1, abs=1e-12)


def chi_square(counts, p):
    """The statistic over its expectation, in standard deviations of it."""
    expected = counts.sum() * p
    return (((counts - expected) ** 2 / expected).sum() - (len(p) - 1)) / math.sqrt(2 * (len(p) - 1))


def test_it_writes_every_sequence_as_often_as_it_is_likely():
    p = np.exp(-4 * SMALL.nll(EVERY))
    counts = np.bincount(SMALL.sample(40_000, 5) @ [27, 9, 3, 1], minlength=81)
    assert chi_square(counts, p) < 4
    other = Oracle(vocabulary=3, length=4, hidden=5, seed=3)
    assert chi_square(counts, np.exp(-4 * other.nll(EVERY))) > 100  # the test can fail


def test_the_entropy_is_that_of_the_sum_over_all_sequences():
    exact = (np.exp(-4 * SMALL.nll(EVERY)) * SMALL.nll(EVERY)).sum()
    entropy, error = SMALL.entropy
    assert abs(entropy - exact) < 4 * error < 0.02 and SMALL.entropy == (entropy, error)


def test_what_it_wrote_is_likelier_than_anything_else():
    test = data.load("oracle", "test")
    entropy, error = test.oracle.entropy
    own = test.oracle.nll(test.tokens)
    assert abs(own.mean() - entropy) < 4 * math.hypot(error, own.std() / math.sqrt(len(own))) and error < 0.005
    shuffled = np.random.default_rng(0).permuted(test.tokens, axis=1)  # the same tokens in another order
    assert test.oracle.nll(shuffled).mean() > entropy + 1
    assert own.mean() < math.log(30)


def test_the_data_set_is_the_same_each_time_and_the_splits_are_not():
    train, again, test = (data.load("oracle", split, size=200) for split in ("train", "train", "test"))
    assert np.array_equal(train.tokens, again.tokens) and len(train) == 200 and train.split == "train"
    assert not (train.tokens[:, None] == test.tokens[None]).all(axis=2).any()
    assert not np.array_equal(train.tokens, data.load("oracle", size=200, seed=1).tokens)
    assert np.array_equal(train.oracle.weight, test.oracle.weight)
    assert train.tokens.dtype == np.int64 and set(np.unique(train.tokens)) == set(range(30))


def test_it_is_what_a_loader_needs():
    dataset = data.load("oracle", size=20)
    assert dataset.sample_shape == (10,) and dataset.classes is None and dataset.name == "oracle"
    assert dataset[3].x.shape == (1, 10) and np.array_equal(dataset[[3]].x, dataset[3].x) and dataset[:].labels is None
    assert repr(dataset) == "TokenDataset('oracle', train, 20 sequences (10,) of 30 tokens)"
    loader = Loader(dataset, 8, 0)
    epoch = np.concatenate([next(loader).x, next(loader).x])
    assert epoch.dtype == np.int64 and len(np.unique(epoch, axis=0)) == 16
    resumed = Loader(dataset, 8, 1)
    resumed.load_state_dict(loader.state_dict())
    assert np.array_equal(next(resumed).x, next(loader).x)


def test_it_needs_no_files():
    assert data.fetch("oracle") == [] and data.verify("oracle")[0][1].startswith("ok")
    with pytest.raises(ConfigError, match="oracle: is drawn, not read from files"):
        data.load("oracle", data_dir="x")


@pytest.mark.parametrize("size", [0, -1, 2.5, True])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(ConfigError, match="oracle: the size must be a whole number of at least 1"):
        data.load("oracle", size=size)


@pytest.mark.parametrize("seed", [-1, 0.5, "x", True])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(ConfigError, match=f"oracle: the seed must be a whole number of at least 0, got {seed!r}"):
        data.load("oracle", seed=seed, size=3)


def test_sizes_and_seeds_may_be_numpys():
    given = data.load("oracle", seed=np.int64(1), size=np.int64(3))
    assert np.array_equal(given.tokens, data.load("oracle", seed=1, size=3).tokens)


@pytest.mark.parametrize(
    "tokens, text",
    [
        (np.zeros((2, 3)), r"an integer array \(N, T\) that is not empty, got float64 \(2, 3\)"),
        (np.zeros(3, int), r"got int64 \(3,\)"),
        (np.zeros((0, 3), int), r"got int64 \(0, 3\)"),
        (np.array([[0, 5]]), "from 0 to 4, got 0 to 5"),
        (np.array([[-1, 2]]), "from 0 to 4, got -1 to 2"),
    ],
)
def test_what_are_no_tokens_is_refused(tokens, text):
    with pytest.raises(DataError, match=f"x: tokens must be .*{text}"):
        TokenDataset("x", tokens, 5)


@pytest.mark.parametrize("tokens", [np.zeros((2, 3)), np.zeros(3, int), np.array([[30]]), np.array([[-1]])])
def test_the_oracle_judges_tokens_only(tokens):
    with pytest.raises(DataError, match=r"oracle: sequences must be integers \(n, T\) from 0 to 29"):
        Oracle().nll(tokens)
