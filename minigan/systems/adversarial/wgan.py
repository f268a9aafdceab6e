"""WGAN: a critic with clipped weights measures how far G's samples are from the real ones.

Arjovsky, Chintala and Bottou 2017, algorithm 1.  Against gan.py: the Wasserstein objective, five critic steps, weights clipped
to +-0.01 after each, RMSprop with a learning rate of 5e-5.  All of these are theirs, for long training; for points of the
plane, where they take hours, the clip is 0.1 and the rate 5e-4 (ours).
"""

from minigan.systems.parts.choice import nets
from minigan.systems.parts.perceptrons import POINTS
from minigan.systems.registry import recipe
from minigan.train.adversarial import SETTINGS, gan
from minigan.train.game import Normal


@recipe("wgan", data="ring8", points=POINTS | {"lr_d": 5e-4, "lr_g": 5e-4, "clip": 0.1, "steps": 5000},
        **SETTINGS | {"objective": "wasserstein", "d_steps": 5, "clip": 0.01, "optimizer_d": "rmsprop",
                      "optimizer_g": "rmsprop", "lr_d": 5e-5, "lr_g": 5e-5},
        nets="mlp", steps=4000, batch_size=64, latent=100, width=128, channels=32)
def build(settings, sample_shape):
    """The game for samples of this shape."""
    return gan(*nets(settings, sample_shape), settings, Normal(settings.latent))
