"""Autoencoder: the VAE without noise and KL: as few numbers as possible, from which the picture can be drawn again.

Rumelhart, Hinton and Williams 1986.   Nets and optimizer as in vae.py; the encoder gives the code itself.

    loss = sum over pixels of d(x, decoder(encoder(x + noise e))), mean over the batch,   e ~ N(0, I)

loss    mse: d is the squared difference, of pixels in [-1, 1];  bce: cross-entropy of brightnesses in [0, 1]
noise   above 0: the encoder sees x with Gaussian noise of this standard deviation, and x is asked for (denoising, Vincent et
        al. 2008)
An autoencoder is no generative model: nothing says what its codes look like.  Its samples are decoded draws from the Gaussian
with the mean and covariance of the codes seen in training (Ghosh et al. 2020, section 4, with their simplest density); what
they lack beside the VAE's is the lesson.   What it is for is measured as "mse" and "psnr" on unseen pictures.
"""

from functools import cached_property

import numpy as np

from minigan import ops
from minigan.backend import device_of, to_device
from minigan.data import PointDataset, batches
from minigan.errors import ConfigError, choose
from minigan.grad_mode import no_grad
from minigan.metrics.image import psnr
from minigan.nn import Module, Sequential
from minigan.systems.registry import recipe
from minigan.systems.vae import FAMILIES, per_sample
from minigan.tensor import Tensor, plain
from minigan.train.game import Game, Normal, Player, Step, Term
from minigan.train.optimizers import optimizer


class CodeGaussian(Module):
    """y = x, but in training mean and covariance of the rows of x (N, d) are followed: m <- m + 0.1 (batch's m - m), C alike.

    buffers: mean (d,), covariance (d, d), at first 0 and I.
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
        """mean + z L', L L' = covariance: standard normal rows z (N, d) made rows with this mean and covariance."""
        covariance = self.covariance.to("cpu").numpy()
        factor = np.linalg.cholesky(covariance + 1e-6 * np.trace(covariance) * np.eye(len(covariance), dtype=np.float32))
        return self.mean + z @ Tensor(to_device(factor.T, device_of(plain(z))))


class Decoder(Module):
    """net, and for pictures a squeeze of what it gives into [-1, 1]: tanh(a / 2) = 2 sigmoid(a) - 1."""

    def __init__(self, net, pictures):
        super().__init__()
        self.net, self.pictures = net, pictures

    def forward(self, code):
        """code (N, latent) -> samples."""
        a = self.net(code)
        return ops.tanh(0.5 * a) if self.pictures else a


class AutoencoderStep(Step):
    """What a turn sees: seen, x as the encoder sees it, and its code."""

    noise = 0.0

    @cached_property
    def seen(self):
        """x, with noise if there is to be any."""
        if not self.noise:
            return self.x
        return self.x + self.noise * self.draw("corruption", lambda g: g.standard_normal(self.x.shape, dtype=np.float32))

    @cached_property
    def code(self):
        """encoder(seen), (N, latent)."""
        return self.game.nets["encoder"](self.seen)


def mse(step):
    """|x - decoder(code)|^2 summed over pixels, mean over the batch."""
    return ops.mean(per_sample(ops.square(step.x - step.game.nets["decoder"](step.code))))


def bce(step):
    """-t ln s - (1 - t) ln(1 - s) summed over pixels, mean over the batch:  t = (x + 1) / 2, s = sigmoid(a)."""
    a = step.game.nets["decoder"].net(step.code)
    return ops.mean(per_sample(ops.binary_cross_entropy_with_logits(a, 0.5 * (step.x + 1), reduction="none")))


LOSSES = {"mse": mse, "bce": bce}


def error(game, dataset, generator) -> dict[str, float]:
    """How well unseen samples are drawn again, without noise: "mse", the mean squared difference of a number (a pixel in
    [-1, 1]); of pictures also "psnr", the mean over pictures, in dB.   All pictures, or 10,000 fresh points."""
    points = isinstance(dataset, PointDataset)
    squares, decibels = [], []
    for batch in ((dataset.sample(500, generator) for _ in range(20)) if points else batches(dataset, 500)):
        drawn = reconstruct(game, batch.x)
        squares.append(((drawn - batch.x) ** 2).reshape(len(drawn), -1).mean(axis=1, dtype=np.float64))
        decibels.append(None if points else psnr(drawn, batch.x))
    found = {"mse": float(np.concatenate(squares).mean())}
    return found if points else {**found, "psnr": float(np.concatenate(decibels).mean())}


def reconstruct(game, x) -> np.ndarray:
    """decoder(encoder(x)) for samples x (N, ...), in evaluation mode."""
    encoder, decoder = game.nets["encoder"], game.nets["decoder"]
    mode = encoder.training
    encoder.eval()  # looking does not move the followed Gaussian
    try:
        with no_grad():
            return decoder(encoder(Tensor(to_device(x, game.device)))).to("cpu").numpy()
    finally:
        encoder.train(mode)


@recipe("autoencoder", points={"latent": 1, "batch_size": 256},
        loss="mse", noise=0.0, nets="mlp", width=400, channels=32, latent=32,
        optimizer="adam", lr=1e-3, beta1=0.9, beta2=0.999, steps=3000, batch_size=128)
def build(settings, sample_shape):
    """The game of one player, "autoencoder", for pictures or points of the plane."""
    pictures = len(sample_shape) > 1
    loss = choose("loss", settings.loss, LOSSES)
    if loss is bce and not pictures:
        raise ConfigError("loss=bce: points are no brightnesses; use loss=mse")
    encoder, net = choose("family of nets", settings.nets, FAMILIES)(settings, sample_shape, settings.latent)
    codes = CodeGaussian(settings.latent)
    encoder, decoder = Sequential(*encoder, codes), Decoder(net, pictures)
    make = optimizer(settings.optimizer, [encoder, decoder], settings.lr, (settings.beta1, settings.beta2))
    return Game({"encoder": encoder, "decoder": decoder}, [Player("autoencoder", [encoder, decoder], make)],
                [Term("reconstruction", "autoencoder", loss)], Normal(settings.latent),
                sample=lambda z: decoder(codes.place(z)), step=type("NoisyStep", (AutoencoderStep,), {"noise": settings.noise}),
                metrics={"error": error})
