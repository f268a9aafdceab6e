"""Distributions with a density: Normal, Uniform, MultivariateNormal."""

from __future__ import annotations

import math
from typing import Any

from minigan.errors import ConfigError
from minigan.torch import core as torch
from minigan.torch.distributions.distribution import HALF_LOG_TWO_PI, Distribution, broadcast


class Normal(Distribution):
    """Density e^(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi))."""

    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast(loc, scale)
        if not bool((self.scale > 0).all()):
            raise ValueError("Normal: scale must be > 0 everywhere")
        super().__init__(self.loc.shape)

    @property
    def mean(self) -> Any:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Any:
        """scale^2."""
        return self.scale**2

    def rsample(self, sample_shape: Any = ()) -> Any:
        """loc + scale times standard normal noise."""
        noise = torch.randn(self._shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + noise * self.scale

    def log_prob(self, value: Any) -> Any:
        """The log of the density."""
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - self.scale.log() - HALF_LOG_TWO_PI

    def cdf(self, value: Any) -> Any:
        """The probability of a number up to value."""
        return 0.5 * (1 + torch.erf((value - self.loc) / (self.scale * math.sqrt(2))))

    def entropy(self) -> Any:
        """1/2 + log(scale sqrt(2 pi))."""
        return 0.5 + HALF_LOG_TWO_PI + self.scale.log()


class Uniform(Distribution):
    """Density 1 / (high - low) from low up to high, where high itself is outside."""

    has_rsample = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None):
        self.low, self.high = broadcast(low, high)
        if not bool((self.low < self.high).all()):
            raise ValueError("Uniform: needs low < high everywhere")
        super().__init__(self.low.shape)

    @property
    def mean(self) -> Any:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> Any:
        """(high - low)^2 / 12."""
        return (self.high - self.low) ** 2 / 12

    def rsample(self, sample_shape: Any = ()) -> Any:
        """low + (high - low) times noise in [0, 1)."""
        noise = torch.rand(self._shape(sample_shape), dtype=self.low.dtype, device=self.low.device)
        return self.low + noise * (self.high - self.low)

    def log_prob(self, value: Any) -> Any:
        """The log of the density: -inf outside."""
        inside = (self.low <= value) & (value < self.high)
        return torch.where(inside, -torch.log(self.high - self.low), torch.tensor(-math.inf, dtype=self.low.dtype))

    def entropy(self) -> Any:
        """log(high - low)."""
        return torch.log(self.high - self.low)


class MultivariateNormal(Distribution):
    """Normal vectors with mean loc (..., d) and a covariance matrix (..., d, d), its inverse (precision_matrix) or its Cholesky
    factor L (scale_tril), of which exactly one is given."""

    has_rsample = True

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ):
        if sum(given is not None for given in (covariance_matrix, precision_matrix, scale_tril)) != 1:
            raise ConfigError("MultivariateNormal: give one of covariance_matrix, precision_matrix and scale_tril")
        if precision_matrix is not None:
            covariance_matrix = torch.inverse(precision_matrix)
        L = torch.linalg.cholesky(covariance_matrix) if scale_tril is None else scale_tril
        batch = torch.broadcast_shapes(loc.shape[:-1], L.shape[:-2])
        self.loc, self.scale_tril = loc.expand(*batch, loc.shape[-1]), L.expand(*batch, *L.shape[-2:])
        super().__init__(batch, loc.shape[-1:])

    @property
    def covariance_matrix(self) -> Any:
        """L L^T."""
        return self.scale_tril @ self.scale_tril.transpose(-1, -2)

    @property
    def mean(self) -> Any:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Any:
        """The diagonal of the covariance."""
        return (self.scale_tril**2).sum(-1)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """loc + L times standard normal noise."""
        noise = torch.randn(self._shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + (self.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _log_det(self):
        return torch.diagonal(self.scale_tril, dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Any) -> Any:
        """The log of the density: -(d log(2 pi) + |L^-1 (value - loc)|^2) / 2 - log det L."""
        difference = (value - self.loc).unsqueeze(-1)
        z = torch.linalg.solve(self.scale_tril.expand(*difference.shape[:-1], difference.shape[-2]), difference).squeeze(-1)
        return -self.event_shape[0] * HALF_LOG_TWO_PI - 0.5 * (z**2).sum(-1) - self._log_det()

    def entropy(self) -> Any:
        """d (1 + log(2 pi)) / 2 + log det L."""
        return self.event_shape[0] * (0.5 + HALF_LOG_TWO_PI) + self._log_det()
