"""Distribution: what all have.  Independent: several independent numbers as one event."""

from __future__ import annotations

import math
from typing import Any

from minigan.torch import core as torch


class Distribution:
    """batch_shape: one distribution for each place.   event_shape: the shape of one draw.

    A draw with sample(shape) is (*shape, *batch_shape, *event_shape), and its log_prob (*shape, *batch_shape).
    """

    has_rsample = False
    mean: Any
    variance: Any

    def log_prob(self, value: Any) -> Any:
        """The log of the density or the probability."""
        raise NotImplementedError(f"{type(self).__name__} has no log_prob()")

    def entropy(self) -> Any:
        """- E log_prob."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy()")

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None):
        self.batch_shape, self.event_shape = torch.Size(batch_shape), torch.Size(event_shape)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draws, without gradients."""
        with torch.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draws as a differentiable function of the parameters and of noise: Kingma and Welling 2014, section 2.4."""
        raise NotImplementedError(
            f"{type(self).__name__}: a draw is not a differentiable function of its parameters; use sample()"
        )

    def sample_n(self, n: int) -> Any:
        """sample((n,))."""
        return self.sample((n,))

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return self.variance.sqrt()

    def _shape(self, sample_shape):
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    def __repr__(self):
        shapes = f"batch_shape={tuple(self.batch_shape)}, event_shape={tuple(self.event_shape)}"
        return f"{type(self).__name__}({shapes})"


class Independent(Distribution):
    """The last axes of the batch become one event: their log_probs are added."""

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None):
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        self.has_rsample = base_distribution.has_rsample
        cut = len(base_distribution.batch_shape) - reinterpreted_batch_ndims
        batch = base_distribution.batch_shape
        super().__init__(batch[:cut], (*batch[cut:], *base_distribution.event_shape))

    @property
    def mean(self) -> Any:
        """The mean."""
        return self.base_dist.mean

    @property
    def variance(self) -> Any:
        """The variance."""
        return self.base_dist.variance

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draws, without gradients."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draws, with gradients."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Any) -> Any:
        """The log of the density or the probability."""
        return summed(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Any:
        """- E log_prob."""
        return summed(self.base_dist.entropy(), self.reinterpreted_batch_ndims)


def summed(x: Any, axes: int) -> Any:
    """x, with the last `axes` axes added up."""
    return x.sum(tuple(range(-axes, 0))) if axes else x


def broadcast(*parameters: Any) -> list:
    """Parameters, numbers or Tensors, as Tensors of one shape."""
    like = next((p for p in parameters if isinstance(p, torch.Tensor)), torch.tensor(0.0))
    tensors = [p if isinstance(p, torch.Tensor) else torch.tensor(float(p), dtype=like.dtype) for p in parameters]
    return list(torch.broadcast_tensors(*tensors))


HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
