"""WGAN-GP: a critic held to slope 1 by a penalty.

Gulrajani et al. 2017, algorithm 1.  Against wgan.py: the penalty takes the place of the clip, Adam that of RMSprop.  Five
critic steps and beta1, beta2 are theirs, and for points of the plane their toy's penalty weight, 0.1; for points beta2 = 0.99,
learning rates that fall to 0 and a moving average of G are ours: with them G's samples come to rest on the modes.
D has no batch norm (their section 4).
"""

from minigan.systems.gan import POINTS
from minigan.systems.nets import nets
from minigan.systems.registry import recipe
from minigan.train.game import Normal
from minigan.train.gan import SETTINGS, gan


@recipe("wgan-gp", data="ring8",
        points=POINTS | {"penalty_weight": 0.1, "beta2": 0.99, "ema": 0.999, "schedule": "linear", "steps": 12_000,
                         "batch_size": 64},
        **SETTINGS | {"objective": "wasserstein", "d_steps": 5, "penalty": "wgan-gp", "beta1": 0.5, "beta2": 0.9,
                      "lr_d": 1e-4, "lr_g": 1e-4},
        nets="mlp", steps=4000, batch_size=64, latent=100, width=128, channels=32)
def build(settings, sample_shape):
    """The game for samples of this shape."""
    return gan(*nets(settings, sample_shape), settings, Normal(settings.latent))
