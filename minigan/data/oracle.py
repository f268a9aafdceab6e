"""Sequences of tokens from a random language model, the oracle, which can also compute the likelihood of any sequence.

Oracle  an LSTM with random weights that are never trained      TokenDataset    sequences of tokens, and their oracle if known
load    the data set "oracle"
This is the synthetic data of Yu et al. 2017 (SeqGAN), section 4.1, made smaller: 30 tokens and length 10 instead of 5,000 and
20.  For real text the likelihood of a generated sequence is unknown; here it is known exactly.
Every likelihood is in nats per token, as in the paper: the mean over tokens, then over sequences."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..errors import DataError
from .base import Batch, Described, whole
from .kinds import Tokens

VOCABULARY, LENGTH, HIDDEN = 30, 10, 32
SIZES = {"train": 10_000, "test": 5_000}  # the paper also trains on 10,000
SEED = 1609_05473  # seed of the oracle's weights; it is the paper's number on arXiv


class Oracle:
    """p(y) = prod_t p(y_t | y_1 ... y_{t-1}),   p(. | ...) = softmax(W h_t + b),   h_t: state of an LSTM after y_1 ... y_{t-1}.

    Embedding and state have `hidden` numbers each.  Every weight and bias is drawn from N(0, 1), as in the paper's code.
    The first input is the embedding of a start token, number `vocabulary`, which is never generated.  All is in float64.

    >>> oracle = Oracle()
    >>> oracle.nll(oracle.sample(5, 0)).shape
    (5,)"""

    def __init__(self, vocabulary: int = VOCABULARY, length: int = LENGTH, hidden: int = HIDDEN, seed: int = SEED):
        self.vocabulary, self.length, self.hidden = vocabulary, length, hidden
        rng = np.random.default_rng(seed)
        self.embedding = rng.standard_normal((vocabulary + 1, hidden))
        self.weight = rng.standard_normal((4 * hidden, 2 * hidden))  # rows: i, f, g, o gates; columns: input, state
        self.bias = rng.standard_normal(4 * hidden)
        self.out, self.out_bias = rng.standard_normal((vocabulary, hidden)), rng.standard_normal(vocabulary)

    def _step(self, tokens, h, c):
        """Read tokens (n,) and return log p of the next token (n, vocabulary) and the new state h, c (n, hidden)."""
        gates = np.concatenate([self.embedding[tokens], h], axis=1) @ self.weight.T + self.bias
        i, f, g, o = np.split(gates, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        logits = h @ self.out.T + self.out_bias
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), h, c

    def sample(self, n: int, rng) -> np.ndarray:
        """Draw n sequences, (n, length) int64.   rng: a numpy Generator, whose state advances, or an int seed.

        A uniform random number u selects the first token whose cumulative probability is above u."""
        uniform = np.random.default_rng(rng).random((n, self.length))
        h = c = np.zeros((n, self.hidden))
        tokens = [np.full(n, self.vocabulary)]
        for u in uniform.T:
            log_p, h, c = self._step(tokens[-1], h, c)
            below = (np.cumsum(np.exp(log_p), axis=1) <= u[:, None]).sum(axis=1)
            tokens.append(np.minimum(below, self.vocabulary - 1))  # rounding may leave even the last sum below u
        return np.stack(tokens[1:], axis=1)

    def nll(self, sequences) -> np.ndarray:
        """The negative log-likelihood -(1/T) log p(y) of each sequence, in nats per token.   (n, T) integers -> (n,) float64.

        Raises DataError when sequences are not integers (n, T) from 0 to vocabulary - 1."""
        y = np.asarray(sequences)
        if y.ndim != 2 or y.dtype.kind not in "iu" or y.size == 0 or y.min() < 0 or y.max() >= self.vocabulary:
            raise DataError(
                f"oracle: sequences must be integers (n, T) from 0 to {self.vocabulary - 1}, got {y.dtype} "
                f"{y.shape}" + (f" from {y.min()} to {y.max()}" if y.size else "")
            )
        h = c = np.zeros((len(y), self.hidden))
        before, total = np.full(len(y), self.vocabulary), np.zeros(len(y))
        for token in y.T:
            log_p, h, c = self._step(before, h, c)
            total -= log_p[np.arange(len(y)), token]
            before = token
        return total / y.shape[1]

    @cached_property
    def entropy(self) -> tuple[float, float]:
        """The entropy -(1/T) E log p(y) in nats per token, and its standard error, from 20,000 sequences that the oracle draws
        with a fixed seed.

        A generator with a lower mean nll must be less varied than the oracle."""
        nll = self.nll(self.sample(20_000, 0))
        return float(nll.mean()), float(nll.std() / np.sqrt(len(nll)))


class TokenDataset(Described):
    """Sequences of tokens in memory, (N, T) int64, with values from 0 to vocabulary - 1.

    oracle: the model that generated them, if it is known.   Raises DataError when tokens are not integers (N, T) in that range.

    >>> TokenDataset("mine", [[0, 1, 2], [2, 1, 0]], 3).sample_shape
    (3,)"""

    classes = None

    def __init__(
        self, name: str, tokens, vocabulary: int, split: str = "train", oracle: Oracle | None = None, info: dict | None = None
    ):
        tokens = np.asarray(tokens)
        if tokens.ndim != 2 or tokens.dtype.kind not in "iu" or tokens.size == 0:
            raise DataError(
                f"{name}: tokens must be an integer array (N, T) that is not empty, got {tokens.dtype} {tokens.shape}"
            )
        if tokens.min() < 0 or tokens.max() >= vocabulary:
            raise DataError(f"{name}: tokens must be from 0 to {vocabulary - 1}, got {tokens.min()} to {tokens.max()}")
        self.name, self.tokens, self.vocabulary, self.split = name, tokens.astype(np.int64), vocabulary, split
        self.kinds = {"x": Tokens(vocabulary, tokens.shape[1])}
        self.oracle, self.info = oracle, {} if info is None else info

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, indices: Any) -> Batch:
        """Return the rows `indices` as a Batch, x (n, T) int64: integers (n,), a slice, or one integer for a batch of one."""
        return Batch(self.tokens[np.atleast_1d(indices) if isinstance(indices, int | np.integer) else indices])

    def __repr__(self) -> str:
        return (
            f"TokenDataset({self.name!r}, {self.split}, {len(self)} sequences {self.sample_shape} of {self.vocabulary} tokens)"
        )


def load(split: str = "train", seed: int = 0, size: int | None = None) -> TokenDataset:
    """Draw the data set "oracle": `size` sequences, by default 10,000 for "train" and 5,000 other ones for "test".

    seed: decides which sequences are drawn; the oracle is always the same.   Raises ConfigError for an impossible seed or
    size."""
    size = SIZES[split] if size is None else size
    whole("the size", size, "oracle")
    whole("the seed", seed, "oracle", least=0)
    oracle = Oracle()
    tokens = oracle.sample(size, np.random.default_rng([seed, list(SIZES).index(split)]))
    return TokenDataset("oracle", tokens, oracle.vocabulary, split, oracle)


def _sigmoid(x):
    """1 / (1 + exp(-x)), in a form that cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))
