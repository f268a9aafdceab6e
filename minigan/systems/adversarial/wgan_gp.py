"""WGAN-GP: a critic held to slope 1 by a penalty.

Gulrajani et al. 2017, algorithm 1.  Against wgan.py: the penalty takes the place of the clip, Adam that of RMSprop.  Five
critic steps and beta1, beta2 are theirs, and for points of the plane their toy's penalty weight, 0.1; for points beta2 = 0.99,
learning rates that fall to 1/100 and a moving average of G are ours: with them G's samples come to rest on the modes.
For points there is one critic step, and G's rate is twice D's.  What is hard there is G's: it has to tear one sheet of points
into modes, and its slope between two of them grows with its updates.  Seen with seed 0, as the share of samples within 3
standard deviations of a mode: on ring8, two minutes each, 0.77 with five critic steps, 0.79 with three, 0.93 with one; on
grid25 with one 0.69 after 40,000 steps, 0.80 after 60,000 with G's rate doubled, 0.84 after 80,000.
D has no batch norm (their section 4).
"""

from minigan.systems.parts.choice import nets
from minigan.systems.parts.perceptrons import POINTS
from minigan.systems.registry import recipe
from minigan.train.adversarial import SETTINGS, gan
from minigan.train.game import Normal


@recipe("wgan-gp", data="ring8",
        points=POINTS | {"penalty_weight": 0.1, "beta2": 0.99, "ema": 0.999, "schedule": "linear", "d_steps": 1,
                         "lr_g": 2e-3, "steps": 25_000, "batch_size": 64},
        on={"grid25": {"steps": 80_000}},
        **SETTINGS | {"objective": "wasserstein", "d_steps": 5, "penalty": "wgan-gp", "beta1": 0.5, "beta2": 0.9,
                      "lr_d": 1e-4, "lr_g": 1e-4},
        nets="mlp", steps=4000, batch_size=64, latent=100, width=128, channels=32)
def build(settings, sample_shape):
    """The game for samples of this shape."""
    return gan(*nets(settings, sample_shape), settings, Normal(settings.latent))
