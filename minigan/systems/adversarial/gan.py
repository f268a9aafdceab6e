"""GAN: two multilayer perceptrons play the non-saturating game.

The learning rate 2e-4 is that of a tutorial's MLP GAN; beta1 = 0.5 is DCGAN's (Radford et al. 2016).
"""

from minigan.systems.parts import perceptrons
from minigan.systems.registry import Paper, system
from minigan.train.adversarial import SETTINGS, gan
from minigan.train.asymmetry import ASYMMETRY
from minigan.train.settings import Setting


@system(
    "gan",
    data="digits",
    nets=perceptrons.nets,
    paper=Paper("Goodfellow et al. 2014", arxiv="1406.2661", where="section 3"),
    settings=[*SETTINGS, *perceptrons.SETTINGS, Setting("steps", 4000)],
    on={"points": perceptrons.POINTS | {"steps": 10_000}},
    metrics=[ASYMMETRY],
    tiny={"batch_size": 8, "latent": 4, "width": 8},
)
def build(settings, data, nets):
    """The game of G and D."""
    return gan(nets, settings)
