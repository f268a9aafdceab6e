"""Sequences of tokens from a random language model that can be asked how likely any sequence is.

Oracle  an LSTM whose weights are drawn once and never trained      TokenDataset    sequences of tokens, and who wrote them
load    the data set "oracle"
The test bed of Yu et al. 2017 (SeqGAN), section 4.1, made small: 30 tokens and length 10, where theirs has 5,000 and 20.
Real text has no such judge: here the likelihood of what a generator writes is known, not guessed.
Every likelihood is in nats per token: theirs is the mean over sequences of the mean over tokens as well."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from .base import Batch, Described
from .kinds import Tokens

VOCABULARY, LENGTH, HIDDEN = 30, 10, 32
SIZES = {"train": 10_000, "test": 5_000}   # 10,000 as in the paper
SEED = 1609_05473                          # of the oracle's weights


class Oracle:
    """p(y) = prod_t p(y_t | y_1 ... y_{t-1}),   p(. | ...) = softmax(W h_t + b),   h_t from an LSTM over the tokens before.

    Embedding and state have `hidden` numbers each, and every weight and bias is drawn from N(0, 1), as in the paper's code.
    The first input is the embedding of a start token, number `vocabulary`, which is never written.  All in float64."""

    def __init__(self, vocabulary: int = VOCABULARY, length: int = LENGTH, hidden: int = HIDDEN, seed: int = SEED):
        self.vocabulary, self.length, self.hidden = vocabulary, length, hidden
        rng = np.random.default_rng(seed)
        self.embedding = rng.standard_normal((vocabulary + 1, hidden))
        self.weight = rng.standard_normal((4 * hidden, 2 * hidden))    # input, forget, cell, output gate; of (input, state)
        self.bias = rng.standard_normal(4 * hidden)
        self.out, self.out_bias = rng.standard_normal((vocabulary, hidden)), rng.standard_normal(vocabulary)

    def _step(self, tokens, h, c):
        """log p of the next token (n, vocabulary), and the state after reading tokens (n,)."""
        gates = np.concatenate([self.embedding[tokens], h], axis=1) @ self.weight.T + self.bias
        i, f, g, o = np.split(gates, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        logits = h @ self.out.T + self.out_bias
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), h, c

    def sample(self, n: int, rng) -> np.ndarray:
        """n sequences, (n, length) int64.   rng: a numpy Generator, which moves on, or an int seed.

        A uniform number u picks the first token whose cumulative probability is above u."""
        uniform = np.random.default_rng(rng).random((n, self.length))
        h = c = np.zeros((n, self.hidden))
        tokens = [np.full(n, self.vocabulary)]
        for u in uniform.T:
            log_p, h, c = self._step(tokens[-1], h, c)
            below = (np.cumsum(np.exp(log_p), axis=1) <= u[:, None]).sum(axis=1)
            tokens.append(np.minimum(below, self.vocabulary - 1))      # rounding may leave the last sum under u
        return np.stack(tokens[1:], axis=1)

    def nll(self, sequences) -> np.ndarray:
        """-(1/T) log p(y) of each sequence, in nats per token.   (n, T) integers -> (n,) float64.

        DataError for anything but tokens 0 .. vocabulary - 1."""
        y = np.asarray(sequences)
        if y.ndim != 2 or y.dtype.kind not in "iu" or y.size == 0 or y.min() < 0 or y.max() >= self.vocabulary:
            raise DataError(f"oracle: sequences must be integers (n, T) from 0 to {self.vocabulary - 1}, got {y.dtype} "
                            f"{y.shape}" + (f" from {y.min()} to {y.max()}" if y.size else ""))
        h = c = np.zeros((len(y), self.hidden))
        before, total = np.full(len(y), self.vocabulary), np.zeros(len(y))
        for token in y.T:
            log_p, h, c = self._step(before, h, c)
            total -= log_p[np.arange(len(y)), token]
            before = token
        return total / y.shape[1]

    @cached_property
    def entropy(self) -> tuple[float, float]:
        """-(1/T) E log p(y) in nats per token, and its standard error: over 20,000 of its own sequences, the same each time.

        No source of sequences can have a lower mean nll and be as varied as the oracle."""
        nll = self.nll(self.sample(20_000, 0))
        return float(nll.mean()), float(nll.std() / np.sqrt(len(nll)))


class TokenDataset(Described):
    """Sequences of tokens in memory, int64 (N, T), numbers from 0 to vocabulary - 1.

    oracle: the model that wrote them, if it is known.  DataError when tokens are not integers (N, T) in that range."""

    classes = None

    def __init__(self, name: str, tokens, vocabulary: int, split: str = "train", oracle: Oracle | None = None,
                 info: dict | None = None):
        tokens = np.asarray(tokens)
        if tokens.ndim != 2 or tokens.dtype.kind not in "iu" or tokens.size == 0:
            raise DataError(f"{name}: tokens must be a non-empty integer array (N, T), got {tokens.dtype} {tokens.shape}")
        if tokens.min() < 0 or tokens.max() >= vocabulary:
            raise DataError(f"{name}: tokens must be from 0 to {vocabulary - 1}, got {tokens.min()} to {tokens.max()}")
        self.name, self.tokens, self.vocabulary, self.split = name, tokens.astype(np.int64), vocabulary, split
        self.kinds = {"x": Tokens(vocabulary, tokens.shape[1])}
        self.oracle, self.info = oracle, {} if info is None else info

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, indices: Any) -> Batch:
        """The rows asked for: integers (n,), a slice, or one integer (a batch of one).   x (n, T) int64."""
        return Batch(self.tokens[np.atleast_1d(indices) if isinstance(indices, int | np.integer) else indices])

    def __repr__(self) -> str:
        return (f"TokenDataset({self.name!r}, {self.split}, {len(self)} sequences {self.sample_shape} of "
                f"{self.vocabulary} tokens)")


def load(split: str = "train", seed: int = 0, size: int | None = None) -> TokenDataset:
    """Sequences of the one oracle, 10,000 for training and 5,000 others for testing, or `size`.   seed: which ones.

    ConfigError for a size below 1."""
    size = SIZES[split] if size is None else size
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ConfigError(f"oracle: the size must be a whole number of at least 1, got {size!r}")
    oracle = Oracle()
    tokens = oracle.sample(size, np.random.default_rng([seed, list(SIZES).index(split)]))
    return TokenDataset("oracle", tokens, oracle.vocabulary, split, oracle)


def _sigmoid(x):
    """1 / (1 + exp(-x)), written so that nothing overflows."""
    return 0.5 * (1 + np.tanh(0.5 * x))
