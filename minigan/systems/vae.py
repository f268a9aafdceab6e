"""VAE: an encoder proposes a latent Gaussian for a picture, a decoder explains the picture from it; one player, one bound.

Kingma & Welling 2014 (arXiv:1312.6114).   Maximised, per picture and in nats:

    ELBO = E ln p(x|z) - KL(q(z|x) || p(z)) <= ln p(x),   p(z) = N(0, I),  q(z|x) = N(mean, exp(log_var)),  z ~ q

beta            weight of the KL (Higgins et al. 2017); with 1 the loss is -ELBO
importance=k    k > 1 draws per picture: the tighter bound E ln (1/k) sum_j p(x|z_j) p(z_j) / q(z_j|x) (Burda et al. 2016)
binarise        dynamic: a pixel is a coin, thrown anew for every batch, that shows 1 with the pixel's brightness in [0, 1]
                none: brightnesses themselves are put into the coin's formula.  The loss is lower, and no likelihood of
                anything: the formula is no density on [0, 1] (Loaiza-Ganem & Cunningham 2019)
nets            mlp: 784-width-latent-width-784;  conv: two strided convolutions and their mirror image, at 7 times the cost

Pixels are summed and only pictures averaged: with the mean over 784 pixels the KL would weigh 784 times too much, and the
encoder would say nothing (tests/systems/test_vae.py shows it).   The size 784-400-20 and Adam's rate are those of PyTorch's
example; 12,000 steps are ours: seen on MNIST's test set, one seed, an ELBO of -99.5 nats and a bound of -94.9 with 100 draws,
in 137 s of one core (another seed, 9,000 steps: -100.5 and -95.8).   Points of the plane get a Gaussian decoder with one
learned variance.
"""

import math
from functools import cached_property

import numpy as np

from minigan import ops
from minigan.backend import to_device
from minigan.data import PointDataset, batches
from minigan.errors import ConfigError, choose
from minigan.grad_mode import no_grad
from minigan.metrics.likelihood import elbo, gaussian_kl, iwae_bound
from minigan.nn import Conv2d, ConvTranspose2d, Flatten, Linear, Module, Parameter, ReLU, Sequential, Unflatten
from minigan.systems.registry import recipe
from minigan.tensor import Tensor
from minigan.train import dynamics
from minigan.train.game import Game, Normal, Player, Step, Term
from minigan.train.optimizers import optimizer

# ------------------------------------------------------------------------------------------------------------- nets ---


def mlp(settings, sample_shape, codes):
    """Encoder, samples -> (N, codes), and decoder, (N, latent) -> samples, with one hidden layer each."""
    size = math.prod(sample_shape)
    return (Sequential(Flatten(), Linear(size, settings.width), ReLU(), Linear(settings.width, codes)),
            Sequential(Linear(settings.latent, settings.width), ReLU(), Linear(settings.width, size),
                       Unflatten(1, sample_shape)))


def conv(settings, sample_shape, codes):
    """The same for pictures (C, H, W), halved twice on the way down and doubled twice on the way up."""
    if len(sample_shape) != 3 or sample_shape[1] % 4 or sample_shape[2] % 4:
        raise ConfigError(f"nets=conv halves pictures twice, so height and width must be multiples of 4; this data is "
                          f"{tuple(sample_shape)}; use nets=mlp")
    channels, (out, height, width) = settings.channels, sample_shape
    small = (2 * channels, height // 4, width // 4)
    return (Sequential(Conv2d(out, channels, 4, stride=2, padding=1), ReLU(),
                       Conv2d(channels, 2 * channels, 4, stride=2, padding=1), ReLU(),
                       Flatten(), Linear(math.prod(small), codes)),
            Sequential(Linear(settings.latent, math.prod(small)), ReLU(), Unflatten(1, small),
                       ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1), ReLU(),
                       ConvTranspose2d(channels, out, 4, stride=2, padding=1)))


FAMILIES = {"mlp": mlp, "conv": conv}


def per_sample(x):
    """The sum over all axes but the first: (N, ...) -> (N,)."""
    return ops.sum(x, tuple(range(1, x.ndim)))


class Bernoulli(Module):
    """p(x|z) = prod_i s_i^x_i (1 - s_i)^(1 - x_i), s = sigmoid(net(z)): pixels are coins.   x 0 or 1, (N, C, H, W)."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def observe(self, x, generator) -> np.ndarray:
        """Coins thrown for pixels in [-1, 1]: 1 with probability (x + 1) / 2, else 0.   Same shape, float32."""
        return (2 * generator.random(x.shape, dtype=np.float32) - 1 < x).astype(np.float32)

    def log_p(self, x, z) -> Tensor:
        """ln p(x|z), (N,) nats."""
        return -per_sample(ops.binary_cross_entropy_with_logits(self.net(z), x, reduction="none"))

    def forward(self, z):
        """The mean 2 s - 1, in [-1, 1]: a picture in greys, not thrown coins.   z (N, latent) -> (N, C, H, W)."""
        return 2 * ops.sigmoid(self.net(z)) - 1


class Gaussian(Module):
    """p(x|z) = N(x; net(z), v I), with one learned variance v = exp(log_var), at first 1.   x (N, d)."""

    def __init__(self, net):
        super().__init__()
        self.net, self.log_var = net, Parameter(np.zeros(1, np.float32))

    def observe(self, x, generator) -> np.ndarray:
        """x: points are observed as they are."""
        return x

    def log_p(self, x, z) -> Tensor:
        """ln p(x|z), (N,) nats."""
        squared = ops.square(x - self.net(z)) * ops.exp(-self.log_var)
        return -0.5 * per_sample(squared + self.log_var + math.log(2 * math.pi))

    def forward(self, z):
        """A draw from p(x|z).   z (N, latent + d): the last d numbers are the noise."""
        d = z.shape[1] - self.net[0].in_features
        return self.net(z[:, :-d]) + ops.exp(0.5 * self.log_var) * z[:, -d:]


# --------------------------------------------------------------------------------------------------------- the game ---


class VAEStep(Step):
    """What a turn of the VAE sees.   x: what the decoder explains (coins, points);   posterior: mean, log_var (N, latent);
    z = mean + exp(log_var / 2) e, e ~ N(0, I), a draw that can be differentiated."""

    @cached_property
    def x(self):
        """The observed samples, a constant."""
        return self.draw("binarise", lambda generator: self.game.nets["decoder"].observe(self.batch.x, generator))

    @cached_property
    def posterior(self):
        """mean and log_var of q(z|x), each (N, latent)."""
        return ops.split(self.game.nets["encoder"](self.x), 2, axis=1)

    @cached_property
    def z(self):
        """One draw for each sample."""
        return self.draws(1)[0][0]

    def draws(self, k):
        """k draws z from q(z|x) for each sample, and the e they are made of: (k, N, latent) both."""
        mean, log_var = self.posterior
        noise = self.draw("latent", lambda generator: generator.standard_normal((k, *mean.shape), dtype=np.float32))
        return mean + ops.exp(0.5 * log_var) * noise, noise

    def log_weights(self, k):
        """ln p(x|z) + ln p(z) - ln q(z|x) for k draws of z for each sample: (k, N) nats."""
        z, noise = self.draws(k)
        prior = 0.5 * ops.sum(ops.square(noise) - ops.square(z) + self.posterior[1], -1)  # ln p(z) - ln q(z|x)
        x = ops.tile(self.x, (k, *[1] * (self.x.ndim - 1)))
        return ops.reshape(self.game.nets["decoder"].log_p(x, ops.reshape(z, (-1, z.shape[-1]))), prior.shape) + prior


class GreyStep(VAEStep):
    """Brightnesses in [0, 1] in the place of coins."""

    @cached_property
    def x(self):
        """(x + 1) / 2, a constant."""
        return Tensor(to_device((self.batch.x + 1) / 2, self.game.device))


def reconstruction(step):
    """-E ln p(x|z), mean over the batch, one draw each."""
    return -ops.mean(step.game.nets["decoder"].log_p(step.x, step.z))


def kl(step):
    """KL(q(z|x) || N(0, I)) = 1/2 sum( mean^2 + exp(log_var) - 1 - log_var ), mean over the batch."""
    mean, log_var = step.posterior
    return ops.mean(per_sample(0.5 * (ops.square(mean) + ops.expm1(log_var) - log_var)))


def importance_bound(k):
    """-E ln (1/k) sum_j w_j as a loss, from k draws.   Burda et al. 2016, equation 8."""
    return lambda step: math.log(k) - ops.mean(ops.logsumexp(step.log_weights(k), 0))


def likelihood(game, dataset, generator, k=100) -> dict[str, float]:
    """What the model makes of a data set, in nats per sample: "elbo", "iwae-<k>", and the ELBO's two parts "reconstruction"
    and "kl", elbo = -(reconstruction + kl).   Also "active-units": latent numbers whose mean varies with the sample, with
    a variance above 0.01 (Burda et al. 2016, section 5.2).

    Pictures are binarised by fresh coins, however the model was trained, so the figures of all can be compared; beta does
    not count.   All pictures of the data set, or 10,000 fresh points; k draws for each.
    """
    points = isinstance(dataset, PointDataset)
    found = ([], [], [])
    with no_grad():
        for batch in ((dataset.sample(100, generator) for _ in range(100)) if points else batches(dataset, 100)):
            step = VAEStep(game, None, batch, lambda name: generator)
            for part, value in zip(found, (step.log_weights(k).T, *step.posterior)):
                part.append(value.to("cpu").numpy())
    log_weights, mean, log_var = map(np.concatenate, found)
    bound, divergence = elbo(log_weights), float(gaussian_kl(mean, log_var).mean())
    return {"elbo": bound, f"iwae-{k}": iwae_bound(log_weights), "reconstruction": -bound - divergence, "kl": divergence,
            "active-units": int((mean.var(axis=0) > 0.01).sum())}


def vae(encoder, decoder, latent, optimizer, beta=1.0, importance=1, step=VAEStep) -> Game:
    """The game of one player, "VAE".   encoder: x -> (N, 2 latent), mean and log_var;   decoder: a Bernoulli or Gaussian;
    latent: of the draws that `decoder` turns into samples.   ConfigError where the settings contradict each other."""
    terms = [Term("reconstruction", "VAE", reconstruction), Term("kl", "VAE", kl, beta)]
    if importance > 1:
        if step is GreyStep:
            raise ConfigError(f"importance={importance}: the importance-weighted bound needs the likelihood of what is seen, "
                              f"and brightnesses have none; leave binarise at dynamic, or set importance=1")
        if beta != 1:
            raise ConfigError(f"importance={importance}: the importance-weighted bound has no KL that beta={beta:g} could "
                              f"weigh; leave beta at 1, or set importance=1")
        terms = [Term("bound", "VAE", importance_bound(importance))]
    return Game({"encoder": encoder, "decoder": decoder}, [Player("VAE", [encoder, decoder], optimizer)], terms, latent,
                sample=decoder, step=step, metrics={"likelihood": likelihood, "asymmetry": dynamics.measured},
                unit="nats")


@recipe("vae", points={"latent": 2, "batch_size": 256, "binarise": "none"},
        beta=1.0, importance=1, binarise="dynamic", nets="mlp", width=400, channels=32, latent=20,
        optimizer="adam", lr=1e-3, beta1=0.9, beta2=0.999, steps=12_000, batch_size=128)
def build(settings, sample_shape):
    """The game for pictures, or for points of the plane."""
    choose("binarise", settings.binarise, {"dynamic": VAEStep, "none": GreyStep})
    points = len(sample_shape) == 1
    if points and settings.binarise != "none":
        raise ConfigError(f"binarise={settings.binarise}: points are no pixels to throw coins for; leave it at none")
    step = GreyStep if settings.binarise == "none" and not points else VAEStep
    encoder, net = choose("family of nets", settings.nets, FAMILIES)(settings, sample_shape, 2 * settings.latent)
    decoder = (Gaussian if points else Bernoulli)(net)
    latent = Normal(settings.latent + (sample_shape[0] if points else 0))
    adam = optimizer(settings.optimizer, [encoder, decoder], settings.lr, (settings.beta1, settings.beta2))
    return vae(encoder, decoder, latent, adam, settings.beta, settings.importance, step)
