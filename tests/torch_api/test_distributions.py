"""minigan.torch.distributions: closed forms, PyTorch's values, and the moments of draws."""

import math

import numpy as np
import pytest

import minigan.torch as torch
from minigan.errors import ConfigError
from minigan.torch import distributions as D

COVARIANCE = [[2.0, 0.5], [0.5, 1.0]]
# name: (the distribution for either library, a value to ask log_prob for)
KINDS = {
    "normal": (lambda t: t.distributions.Normal(t.tensor([0.0, 1.0]), t.tensor([1.0, 2.0])), [0.3, -1.0]),
    "uniform": (lambda t: t.distributions.Uniform(t.tensor(-1.0), t.tensor(3.0)), [0.0, 2.9]),
    "bernoulli": (lambda t: t.distributions.Bernoulli(t.tensor([0.2, 0.9])), [1.0, 0.0]),
    "bernoulli logits": (lambda t: t.distributions.Bernoulli(logits=t.tensor([-3.0, 0.5])), [1.0, 0.0]),
    "categorical": (lambda t: t.distributions.Categorical(t.tensor([[1.0, 3.0], [2.0, 2.0]])), [1, 0]),
    "multivariate": (lambda t: t.distributions.MultivariateNormal(t.zeros(2), t.tensor(COVARIANCE)), [[0.3, -1.0], [1.0, 1.0]]),
    "independent": (
        lambda t: t.distributions.Independent(t.distributions.Normal(t.zeros(3, 2), t.ones(3, 2)), 1),
        [[0.3, -1.0], [1.0, 1.0], [0.0, 0.0]],
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_log_prob_and_entropy_are_pytorchs(name):
    theirs = pytest.importorskip("torch")
    make, value = KINDS[name]
    a, b = make(torch), make(theirs)
    np.testing.assert_allclose(a.log_prob(torch.tensor(value)).numpy(), b.log_prob(theirs.tensor(value)).numpy(), rtol=1e-5)
    np.testing.assert_allclose(a.entropy().numpy(), b.entropy().numpy(), rtol=1e-5)
    assert tuple(a.batch_shape) == tuple(b.batch_shape) and tuple(a.event_shape) == tuple(b.event_shape)
    assert a.sample((4,)).shape == tuple(b.sample((4,)).shape)


def test_written_out_values():
    assert D.Normal(0.0, 1.0).log_prob(torch.tensor(0.0)).item() == pytest.approx(-0.5 * math.log(2 * math.pi))
    assert D.Categorical(torch.tensor([1.0, 3.0])).log_prob(torch.tensor(1)).item() == pytest.approx(math.log(0.75))
    assert D.Bernoulli(torch.tensor(0.5)).entropy().item() == pytest.approx(math.log(2))
    assert D.Uniform(0.0, 2.0).log_prob(torch.tensor([1.0, 3.0])).tolist() == [pytest.approx(-math.log(2)), -math.inf]


@pytest.mark.parametrize("name", ["normal", "uniform", "bernoulli", "multivariate"])
def test_draws_have_the_mean_and_the_variance(name):
    p = KINDS[name][0](torch)
    x = p.sample((4000,))
    np.testing.assert_allclose(x.mean(0).numpy(), p.mean.numpy(), atol=0.15)
    np.testing.assert_allclose(x.var(0).numpy(), p.variance.numpy(), rtol=0.15)


def test_rsample_carries_gradients_and_sample_none():
    scale = torch.tensor(2.0, requires_grad=True)
    p = D.Normal(torch.tensor(1.0), scale)
    x = p.rsample((3,))
    x.sum().backward()
    assert scale.grad.item() == pytest.approx(((x - 1) / 2).sum().item(), rel=1e-5)
    assert not p.sample().requires_grad
    with pytest.raises(NotImplementedError, match="use sample"):
        D.Bernoulli(torch.tensor(0.5)).rsample()


def test_the_gradient_of_a_policy():
    logits = torch.tensor([0.0, 0.0], requires_grad=True)
    p = D.Categorical(logits=logits)
    (-p.log_prob(torch.tensor(1))).backward()
    assert logits.grad.tolist() == [0.5, -0.5]


PAIRS = {
    "normal": lambda t: (t.distributions.Normal(0.0, 1.0), t.distributions.Normal(1.0, 2.0)),
    "bernoulli": lambda t: tuple(t.distributions.Bernoulli(t.tensor(p)) for p in (0.2, 0.7)),
    "categorical": lambda t: tuple(t.distributions.Categorical(t.tensor(p)) for p in ([0.2, 0.8], [0.5, 0.5])),
    "uniform": lambda t: (t.distributions.Uniform(0.0, 1.0), t.distributions.Uniform(-1.0, 3.0)),
    "multivariate": lambda t: (
        t.distributions.MultivariateNormal(t.zeros(2), t.tensor(COVARIANCE)),
        t.distributions.MultivariateNormal(t.ones(2), t.eye(2)),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_kl_is_pytorchs(name):
    theirs = pytest.importorskip("torch")
    found, expected = (t.distributions.kl_divergence(*PAIRS[name](t)) for t in (torch, theirs))
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)


def test_mistakes_are_told():
    with pytest.raises(ConfigError, match="no closed form for Normal and Uniform"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Uniform(0.0, 1.0))
    with pytest.raises(ConfigError, match="either probs or logits"):
        D.Bernoulli()
    with pytest.raises(ValueError, match="scale must be > 0"):
        D.Normal(0.0, -1.0)
    with pytest.raises(ConfigError, match="give one of covariance_matrix"):
        D.MultivariateNormal(torch.zeros(2))
