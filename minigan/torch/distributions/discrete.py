"""Distributions over whole numbers: Bernoulli and Categorical, from probabilities or from logits."""

from __future__ import annotations

from typing import Any

from minigan.errors import ConfigError
from minigan.torch import core as torch
from minigan.torch.distributions.distribution import Distribution
from minigan.torch.nn import functional as F


def _one_of(name, probs, logits):
    if (probs is None) == (logits is None):
        raise ConfigError(f"{name}: give either probs or logits")
    given = logits if probs is None else probs
    return given if isinstance(given, torch.Tensor) else torch.tensor(given, dtype=torch.float32)


class Bernoulli(Distribution):
    """1 with probability p, else 0; the logits are log(p / (1 - p))."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        given = _one_of("Bernoulli", probs, logits)
        self._probs, self._logits = (given, None) if logits is None else (None, given)
        super().__init__(given.shape)

    @property
    def probs(self) -> Any:
        """p."""
        return torch.sigmoid(self._logits) if self._probs is None else self._probs

    @property
    def logits(self) -> Any:
        """log(p / (1 - p)), with p at least the machine's epsilon away from 0 and 1, as in PyTorch."""
        if self._logits is not None:
            return self._logits
        eps = torch.finfo(self._probs.dtype).eps
        p = self._probs.clamp(eps, 1 - eps)
        return torch.log(p) - torch.log1p(-p)

    @property
    def mean(self) -> Any:
        """p."""
        return self.probs

    @property
    def variance(self) -> Any:
        """p (1 - p)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        """0.0 or 1.0, without gradients."""
        with torch.no_grad():
            p = self.probs
            return (torch.rand(self._shape(sample_shape), dtype=p.dtype, device=p.device) < p).to(p.dtype)

    def log_prob(self, value: Any) -> Any:
        """value log p + (1 - value) log(1 - p)."""
        logits, value = torch.broadcast_tensors(self.logits, value)
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Any:
        """-p log p - (1 - p) log(1 - p)."""
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")


class Categorical(Distribution):
    """k with probability probs[..., k]; probs are divided by their sum.   logits: logs of probabilities, up to a constant."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        given = _one_of("Categorical", probs, logits)
        if logits is None:
            self.probs = given / given.sum(-1, keepdim=True)
            eps = torch.finfo(given.dtype).eps
            self.logits = torch.log(self.probs.clamp(eps, 1 - eps))
        else:
            self.logits = F.log_softmax(given, -1)
            self.probs = torch.exp(self.logits)
        super().__init__(given.shape[:-1])

    def sample(self, sample_shape: Any = ()) -> Any:
        """Indices, int64."""
        count, shape = 1, self._shape(sample_shape)
        for n in sample_shape:
            count *= n
        rows = self.probs.detach().reshape(-1, self.probs.shape[-1])
        return torch.multinomial(rows, count, True).transpose(0, 1).reshape(shape)

    def log_prob(self, value: Any) -> Any:
        """logits[..., value]."""
        value = value.long().unsqueeze(-1)
        value, logits = torch.broadcast_tensors(value, self.logits)
        return logits.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Any:
        """- the sum of p log p."""
        return -(self.probs * self.logits).sum(-1)
