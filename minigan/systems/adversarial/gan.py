"""GAN: two multilayer perceptrons play the non-saturating game.

Goodfellow et al. 2014.  The learning rate is a tutorial's, 2e-4; beta1 = 0.5 is DCGAN's (Radford et al. 2016).
"""

from minigan.systems.parts.perceptrons import POINTS, nets
from minigan.systems.registry import recipe
from minigan.train.adversarial import SETTINGS, gan
from minigan.train.game import Normal


@recipe("gan", points=POINTS | {"steps": 10_000}, **SETTINGS, steps=4000, batch_size=64, latent=100, width=128)
def build(settings, sample_shape):
    """The game for samples of this shape."""
    return gan(*nets(settings, sample_shape), settings, Normal(settings.latent))
