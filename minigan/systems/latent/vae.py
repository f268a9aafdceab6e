"""VAE: an encoder and a decoder maximise a lower bound on the probability of the pictures.

The encoder gives a Gaussian over z for each picture, the decoder gives the picture's probability.  The bound of one picture, in
nats:

    ELBO = E ln p(x|z) - KL(q(z|x) || p(z)) <= ln p(x),   p(z) = N(0, I),  q(z|x) = N(mean, exp(log_var)),  z ~ q

importance=k above 1 maximises a tighter bound: E ln (1/k) sum_j p(x|z_j) p(z_j) / q(z_j|x).
Pixels are Bernoulli variables, drawn anew for every batch.  With binarise=none the grey values themselves stand in the
Bernoulli formula.  This loss is lower but it is no likelihood, because the formula is no density on [0, 1] (Loaiza-Ganem and
Cunningham 2019).
The loss is the sum over pixels and the mean over pictures.  With the mean over 784 pixels the KL would weigh 784 times too
much, and q(z|x) would no longer depend on x.
The size 784-400-20 and Adam's learning rate are those of PyTorch's example.  For points of the plane the decoder is Gaussian
with one learned variance.
"""

import math
from functools import cached_property

import numpy as np

from minigan import ops
from minigan.backend import to_device
from minigan.data import PointDataset, batches
from minigan.data.kinds import Points
from minigan.errors import ConfigError
from minigan.grad_mode import no_grad
from minigan.metrics.likelihood import elbo, gaussian_kl, iwae_bound
from minigan.metrics.metric import Metric, Needs, Number
from minigan.nn import Module, Parameter
from minigan.systems.claims import Arm, Check, Claim
from minigan.systems.parts.coders import FAMILIES, SETTINGS, per_sample
from minigan.systems.registry import Paper, system
from minigan.tensor import Tensor
from minigan.train.asymmetry import ASYMMETRY
from minigan.train.game import Game, Normal, Player, Step, Term
from minigan.train.optimizers import optimizer
from minigan.train.settings import Setting


class Bernoulli(Module):
    """p(x|z) = prod_i s_i^x_i (1 - s_i)^(1 - x_i),   s = sigmoid(net(z)).   x (N, C, H, W) of 0 and 1."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def observe(self, x, generator) -> np.ndarray:
        """Binary pixels for pixels x in [-1, 1]: 1 with probability (x + 1) / 2, else 0.   Same shape, float32."""
        return (2 * generator.random(x.shape, dtype=np.float32) - 1 < x).astype(np.float32)

    def log_p(self, x, z) -> Tensor:
        """ln p(x|z), (N,) nats."""
        return -per_sample(ops.binary_cross_entropy_with_logits(self.net(z), x, reduction="none"))

    def forward(self, z):
        """The mean of p(x|z) as grey values 2 s - 1 in [-1, 1].   z (N, latent) -> (N, C, H, W)."""
        return 2 * ops.sigmoid(self.net(z)) - 1


class Gaussian(Module):
    """p(x|z) = N(x; net(z), v I), with one learned variance v = exp(log_var), which starts at 1.   x (N, d)."""

    def __init__(self, net):
        super().__init__()
        self.net, self.log_var = net, Parameter(np.zeros(1, np.float32))

    def observe(self, x, generator) -> np.ndarray:
        """x itself: points are not binarised."""
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
    """The quantities of one turn of the VAE.   x: the observed samples (binary pixels, or points);   posterior: mean and
    log_var of q(z|x), each (N, latent);   z = mean + exp(log_var / 2) e, e ~ N(0, I), so mean and log_var get gradients."""

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
        """k draws z from q(z|x) for each sample, and the noise e that they are made of: both (k, N, latent)."""
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
    """A turn with grey values in [0, 1] instead of binary pixels."""

    @cached_property
    def x(self):
        """(x + 1) / 2, a constant."""
        return Tensor(to_device((self.batch.x + 1) / 2, self.game.device))


def reconstruction(step):
    """-E ln p(x|z): the mean over the batch, with one z for each sample."""
    return -ops.mean(step.game.nets["decoder"].log_p(step.x, step.z))


def kl(step):
    """KL(q(z|x) || N(0, I)) = 1/2 sum( mean^2 + exp(log_var) - 1 - log_var ): the mean over the batch."""
    mean, log_var = step.posterior
    return ops.mean(per_sample(0.5 * (ops.square(mean) + ops.expm1(log_var) - log_var)))


def importance_bound(k):
    """The loss -E ln (1/k) sum_j w_j, from k draws.   Burda et al. 2016, equation 8."""
    return lambda step: math.log(k) - ops.mean(ops.logsumexp(step.log_weights(k), 0))


def likelihood(game, dataset, generator, k=100) -> dict[str, float]:
    """Bounds on the likelihood of a data set, in nats per sample: "elbo", "iwae-<k>", and the two parts of the ELBO,
    "reconstruction" and "kl", where elbo = -(reconstruction + kl).   Also "active-units": how many latent numbers have a
    mean that varies over the samples with a variance above 0.01 (Burda et al. 2016, section 5.2).

    Pictures are always binarised, whatever the training did, and beta is not used, so all models can be compared.
    It uses all pictures of the data set, or 10,000 fresh points, and k draws of z for each.
    """
    points = isinstance(dataset, PointDataset)
    found = ([], [], [])
    with no_grad():
        for batch in (dataset.sample(100, generator) for _ in range(100)) if points else batches(dataset, 100):
            step = VAEStep(game, None, batch, lambda name: generator)
            for part, value in zip(found, (step.log_weights(k).T, *step.posterior)):
                part.append(value.to("cpu").numpy())
    log_weights, mean, log_var = map(np.concatenate, found)
    bound, divergence = elbo(log_weights), float(gaussian_kl(mean, log_var).mean())
    return {
        "elbo": bound,
        f"iwae-{k}": iwae_bound(log_weights),
        "reconstruction": -bound - divergence,
        "kl": divergence,
        "active-units": int((mean.var(axis=0) > 0.01).sum()),
    }


LIKELIHOOD = Metric(
    "likelihood",
    [
        Number("elbo", "higher", "evidence lower bound on ln p(x)", "nats per sample"),
        Number("iwae-100", "higher", "importance-weighted bound on ln p(x) from 100 draws", "nats per sample"),
        Number("reconstruction", "lower", "-E ln p(x|z)", "nats per sample"),
        Number("kl", "", "KL(q(z|x) || p(z))", "nats per sample"),
        Number("active-units", "", "latent numbers whose mean varies over the samples (variance above 0.01)"),
    ],
    likelihood,
    Needs(
        "an encoder",
        "it draws samples and gives no probability to data; a bound on the likelihood needs an "
        "encoder that says how likely each z is",
    ),
    summary="bounds on the likelihood of unseen data",
)


def vae(encoder, decoder, latent, optimizer, beta=1.0, importance=1, step=VAEStep) -> Game:
    """The game of one player, "VAE".   encoder: x -> (N, 2 latent), mean and log_var;   decoder: a Bernoulli or Gaussian;
    latent: the distribution of the draws that `decoder` turns into samples.   ConfigError if the settings contradict each
    other."""
    terms = [Term("reconstruction", "VAE", reconstruction), Term("kl", "VAE", kl, beta)]
    if importance > 1:
        if step is GreyStep:
            raise ConfigError(
                f"importance={importance}: the importance-weighted bound needs the likelihood of the pixels, and "
                f"grey values have none; leave binarise at dynamic, or set importance=1"
            )
        if beta != 1:
            raise ConfigError(
                f"importance={importance}: the importance-weighted bound has no KL term, so beta={beta:g} cannot "
                f"weigh it; leave beta at 1, or set importance=1"
            )
        terms = [
            Term("bound", "VAE", importance_bound(importance), says="-E ln (w_1 + ... + w_k) / k, w = p(x|z) p(z) / q(z|x)")
        ]
    return Game(
        {"encoder": encoder, "decoder": decoder},
        [Player("VAE", [encoder, decoder], optimizer)],
        terms,
        latent,
        sample=decoder,
        step=step,
        unit="nats",
    )


STEPS = {"dynamic": VAEStep, "none": GreyStep}


@system(
    "vae",
    data="digits",
    paper=Paper("Kingma and Welling 2014", arxiv="1312.6114", where="equation 10"),
    settings=[
        *SETTINGS,
        Setting("steps", 12_000),
        Setting("batch_size", 128, paper=100, where="section 5"),
        Setting("beta", 1.0, "weight of the KL (Higgins et al. 2017); with 1 the loss is -ELBO", paper=1.0),
        Setting("importance", 1, "draws of z per picture; above 1: the tighter bound of Burda et al. 2016", most=1000, paper=1),
        Setting("binarise", "dynamic", "dynamic: binary pixels, drawn anew for every batch; none: grey pixels", choices=STEPS),
    ],
    on={"points": {"latent": 2, "batch_size": 256, "binarise": "none", "checkpoint_every": 2000}},
    metrics=[LIKELIHOOD, ASYMMETRY],
    tiny={"batch_size": 8, "latent": 4, "width": 8, "channels": 4},
    claims=[
        Claim(
            "vae",
            "The VAE's test ELBO on MNIST (784-400-20, dynamic binarisation) is better than -101 nats, its "
            "importance-weighted bound tighter",
            ["elbo", "iwae-100", "active-units"],
            {"vae": Arm("vae", "mnist")},
            [
                Check("vae", "elbo", "at least", -101),
                Check("vae", "elbo", "below", "iwae-100"),
                Check("vae", "seconds", "at most", 180),
            ],
        )
    ],
)
def build(settings, data):
    """The game for pictures, or for points of the plane."""
    points = isinstance(data.x, Points)
    if points and settings.binarise != "none":
        raise ConfigError(f"binarise={settings.binarise}: only pixels can be binarised, not points; leave binarise at none")
    encoder, net = FAMILIES[settings.nets](settings, data, 2 * settings.latent)
    decoder = (Gaussian if points else Bernoulli)(net)
    latent = Normal(settings.latent + (data.x.size if points else 0))
    adam = optimizer(settings.optimizer, [encoder, decoder], settings.lr, (settings.beta1, settings.beta2))
    step = VAEStep if points else STEPS[settings.binarise]
    return vae(encoder, decoder, latent, adam, settings.beta, settings.importance, step)
