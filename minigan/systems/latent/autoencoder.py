"""Autoencoder: an encoder reduces a picture to a few numbers, and a decoder rebuilds it from them.

These numbers are its code.  Nets and optimizer are those of the VAE, but the encoder gives the code itself: no noise in it, no
KL.

    loss = sum over pixels of d(x, decoder(encoder(x + noise e))), mean over the batch,   e ~ N(0, I)

An autoencoder is no generative model, because it does not say how its codes are distributed.  To draw samples anyway, we decode
draws from a Gaussian with the mean and covariance of the training codes (Ghosh et al. 2020, section 4, their simplest density).
Compare these samples with the VAE's, whose KL term pulls the codes towards the distribution that z is drawn from.
"""

from functools import cached_property

import numpy as np

from minigan import ops
from minigan.backend import device_of, to_device
from minigan.data import PointDataset, batches
from minigan.data.kinds import Pictures
from minigan.errors import ConfigError
from minigan.grad_mode import no_grad
from minigan.metrics.image import psnr
from minigan.metrics.metric import Metric, Needs, Number
from minigan.nn import Module, Sequential
from minigan.systems.parts.coders import FAMILIES, SETTINGS, per_sample
from minigan.systems.registry import Paper, system
from minigan.tensor import Tensor, plain
from minigan.train.game import Game, Normal, Player, Step, Term
from minigan.train.optimizers import optimizer
from minigan.train.settings import Setting


class CodeGaussian(Module):
    """y = x.  In training it also keeps running means of the mean m and covariance C of the rows of x (N, d):
    m <- m + 0.1 (m of the batch - m), and the same for C.

    buffers: mean (d,), covariance (d, d); they start at 0 and I.
    """

    def __init__(self, d):
        super().__init__()
        self.register_buffer("mean", Tensor(np.zeros(d, np.float32)))
        self.register_buffer("covariance", Tensor(np.eye(d, dtype=np.float32)))

    def forward(self, x):
        """x."""
        if self.training:
            codes = plain(x)
            from_mean = codes - codes.mean(axis=0)
            covariance = ops.matmul(from_mean.T, from_mean) / len(codes)
            for buffer, now in ((self.mean, codes.mean(axis=0)), (self.covariance, covariance)):
                buffer.data += 0.1 * (now - buffer.data)
        return x

    def place(self, z) -> Tensor:
        """mean + z L', where L L' = covariance: turns standard normal rows z (N, d) into rows with this mean and covariance."""
        covariance = self.covariance.to("cpu").numpy()
        factor = np.linalg.cholesky(covariance + 1e-6 * np.trace(covariance) * np.eye(len(covariance), dtype=np.float32))
        return self.mean + z @ Tensor(to_device(factor.T, device_of(plain(z))))


class Decoder(Module):
    """a = net(code); for pictures tanh(a / 2) = 2 sigmoid(a) - 1, which is in [-1, 1]."""

    def __init__(self, net, pictures):
        super().__init__()
        self.net, self.pictures = net, pictures

    def forward(self, code):
        """code (N, latent) -> samples."""
        a = self.net(code)
        return ops.tanh(0.5 * a) if self.pictures else a


class AutoencoderStep(Step):
    """The quantities of one turn: `seen`, which is x as the encoder sees it, and its code."""

    noise = 0.0

    @cached_property
    def seen(self):
        """x, with noise if the setting `noise` is above 0."""
        if not self.noise:
            return self.x
        return self.x + self.noise * self.draw("corruption", lambda g: g.standard_normal(self.x.shape, dtype=np.float32))

    @cached_property
    def code(self):
        """encoder(seen), (N, latent)."""
        return self.game.nets["encoder"](self.seen)


def mse(step):
    """|x - decoder(code)|^2: the sum over pixels, and the mean over the batch."""
    return ops.mean(per_sample(ops.square(step.x - step.game.nets["decoder"](step.code))))


def bce(step):
    """-t ln s - (1 - t) ln(1 - s), t = (x + 1) / 2, s = sigmoid(a): the sum over pixels, and the mean over the batch."""
    a = step.game.nets["decoder"].net(step.code)
    return ops.mean(per_sample(ops.binary_cross_entropy_with_logits(a, 0.5 * (step.x + 1), reduction="none")))


LOSSES = {"mse": mse, "bce": bce}


def error(game, dataset, generator) -> dict[str, float]:
    """The reconstruction error of a data set, without noise: "mse", the mean squared error per number (a pixel is in [-1, 1]);
    for pictures also "psnr" in dB, the mean over pictures.   It uses all pictures, or 10,000 fresh points."""
    points = isinstance(dataset, PointDataset)
    squares, decibels = [], []
    for batch in (dataset.sample(500, generator) for _ in range(20)) if points else batches(dataset, 500):
        drawn = reconstruct(game, batch.x)
        squares.append(((drawn - batch.x) ** 2).reshape(len(drawn), -1).mean(axis=1, dtype=np.float64))
        if not points:
            decibels.append(psnr(drawn, batch.x))
    found = {"mse": float(np.concatenate(squares).mean())}
    return found if points else {**found, "psnr": float(np.concatenate(decibels).mean())}


ERROR = Metric(
    "error",
    [
        Number("mse", "lower", "mean squared error of a reconstructed number; a pixel is in [-1, 1]"),
        Number("psnr", "higher", "peak signal-to-noise ratio of reconstructed pictures", "dB"),
    ],
    error,
    Needs("a code without noise", "it compares a sample with its reconstruction from a code without noise"),
    summary="how well unseen samples are reconstructed",
)


def reconstruct(game, x) -> np.ndarray:
    """decoder(encoder(x)) for samples x (N, ...), in evaluation mode."""
    encoder, decoder = game.nets["encoder"], game.nets["decoder"]
    mode = encoder.training
    encoder.eval()  # so that this does not change the running mean and covariance of the codes
    try:
        with no_grad():
            return decoder(encoder(Tensor(to_device(x, game.device)))).to("cpu").numpy()
    finally:
        encoder.train(mode)


@system(
    "autoencoder",
    data="digits",
    paper=Paper("Rumelhart, Hinton and Williams 1986"),
    settings=[
        *SETTINGS,
        Setting("latent", 32),
        Setting("steps", 3000),
        Setting("batch_size", 128),
        Setting(
            "loss", "mse", "mse: squared error of pixels in [-1, 1]; bce: cross-entropy of pixels in [0, 1]", choices=LOSSES
        ),
        Setting(
            "noise",
            0.0,
            "standard deviation of the noise on the encoder's input; above 0 it learns to denoise (Vincent et al. 2008)",
        ),
    ],
    on={"points": {"latent": 1, "batch_size": 256, "checkpoint_every": 2000}},
    metrics=[ERROR],
    tiny={"batch_size": 8, "latent": 4, "width": 8, "channels": 4},
)
def build(settings, data):
    """The game of one player, "autoencoder", for pictures or points of the plane."""
    pictures, loss = isinstance(data.x, Pictures), LOSSES[settings.loss]
    if loss is bce and not pictures:
        raise ConfigError("loss=bce: cross-entropy needs numbers in [0, 1], and points have others; use loss=mse")
    encoder, net = FAMILIES[settings.nets](settings, data, settings.latent)
    codes = CodeGaussian(settings.latent)
    encoder, decoder = Sequential(*encoder, codes), Decoder(net, pictures)
    make = optimizer(settings.optimizer, [encoder, decoder], settings.lr, (settings.beta1, settings.beta2))
    return Game(
        {"encoder": encoder, "decoder": decoder},
        [Player("autoencoder", [encoder, decoder], make)],
        [Term("reconstruction", "autoencoder", loss)],
        Normal(settings.latent),
        sample=lambda z: decoder(codes.place(z)),
        step=type("NoisyStep", (AutoencoderStep,), {"noise": settings.noise}),
    )
