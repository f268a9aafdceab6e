"""kl_divergence(p, q) = E_p (log p - log q), in closed form for pairs of the same kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigan.errors import ConfigError
from minigan.torch import core as torch
from minigan.torch.distributions.continuous import MultivariateNormal, Normal, Uniform
from minigan.torch.distributions.discrete import Bernoulli, Categorical
from minigan.torch.distributions.distribution import Distribution, Independent, summed
from minigan.torch.nn import functional as F

RULES: dict[tuple[type, type], Callable] = {}


def register_kl(p: type, q: type) -> Callable:
    """Decorate the function (p, q) -> KL for these two classes."""

    def register(rule):
        RULES[p, q] = rule
        return rule

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Any:
    """KL(p || q), of the batch's shape.   ConfigError where no closed form is known here."""
    rule = next((rule for (first, second), rule in RULES.items() if isinstance(p, first) and isinstance(q, second)), None)
    if rule is None:
        names = ", ".join(sorted({first.__name__ for first, _ in RULES}))
        raise ConfigError(
            f"kl_divergence: no closed form for {type(p).__name__} and {type(q).__name__}; both may be one of {names}, or use "
            f"(p.log_prob(x) - q.log_prob(x)).mean() with x = p.rsample((n,))"
        )
    return rule(p, q)


@register_kl(Normal, Normal)
def _normal(p, q):
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@register_kl(Uniform, Uniform)
def _uniform(p, q):
    inside = (q.low <= p.low) & (p.high <= q.high)
    value = torch.log((q.high - q.low) / (p.high - p.low))
    return torch.where(inside, value, torch.full_like(value, float("inf")))


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p, q):
    return p.probs * (p.logits - q.logits) + F.softplus(q.logits) - F.softplus(p.logits)


@register_kl(Categorical, Categorical)
def _categorical(p, q):
    return (p.probs * (p.logits - q.logits)).sum(-1)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p, q):
    d = p.event_shape[0]
    change = torch.linalg.solve(q.scale_tril, p.scale_tril)  # tr(Q^-1 P) = |L_q^-1 L_p|^2
    shift = torch.linalg.solve(q.scale_tril, (q.loc - p.loc).unsqueeze(-1)).squeeze(-1)
    return q._log_det() - p._log_det() + 0.5 * ((change**2).sum((-2, -1)) + (shift**2).sum(-1) - d)


@register_kl(Independent, Independent)
def _independent(p, q):
    return summed(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
