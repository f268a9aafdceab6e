"""Coordinate-descent GAN: in each of its turns G changes one layer only, the next turn the next one.

Seed text 002: cycle over blocks of G's parameters, a gradient and an update for one block at a time.  Its code updates all of
G at once and D never, from a loss that no data enters; here the text is done.  Against gan.py one setting differs: G's
optimizer takes one layer per step, by Adam's rule (coordinate-cyclic; also -random and -steepest).  D learns as ever.
What it gives, against Adam on all of G at once, is measured in docs/results.md.
"""

from minigan.systems.parts.perceptrons import POINTS, nets
from minigan.systems.registry import recipe
from minigan.train.adversarial import SETTINGS, gan
from minigan.train.game import Normal


@recipe("coordinate-gan", points=POINTS | {"steps": 10_000}, **SETTINGS | {"optimizer_g": "coordinate-cyclic"},
        steps=4000, batch_size=64, latent=100, width=128)
def build(settings, sample_shape):
    """The game for samples of this shape."""
    return gan(*nets(settings, sample_shape), settings, Normal(settings.latent))
