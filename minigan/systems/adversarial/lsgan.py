"""LSGAN: D is a regression to 1 for real and 0 for generated samples, without a saturating sigmoid.

Mao et al. 2017, equation 9.  Against dcgan.py (for points gan.py) only the objective changes.
"""

from minigan.systems.adversarial.dcgan import RATES
from minigan.systems.parts.choice import nets
from minigan.systems.parts.perceptrons import POINTS
from minigan.systems.registry import recipe
from minigan.train.adversarial import SETTINGS, gan
from minigan.train.game import Normal


@recipe("lsgan", points=POINTS | {"steps": 10_000, "nets": "mlp", "norm_g": "none", "norm_d": "none"},
        **SETTINGS | RATES | {"objective": "least-squares", "norm_g": "batch", "norm_d": "batch"},
        nets="conv", steps=2500, batch_size=64, latent=100, width=128, channels=32)
def build(settings, sample_shape):
    """The game for samples of this shape."""
    return gan(*nets(settings, sample_shape), settings, Normal(settings.latent))
