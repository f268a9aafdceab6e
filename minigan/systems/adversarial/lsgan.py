"""LSGAN: D learns by least squares to give 1 for real and 0 for generated samples.

There is no sigmoid in its loss, which would saturate where D is sure of itself.
"""

from minigan.data.kinds import Pictures, Points
from minigan.systems.parts import choice, perceptrons
from minigan.systems.registry import Paper, system
from minigan.train.settings import Setting

system(
    "lsgan",
    parent="dcgan",
    nets=choice.nets,
    learns=[Pictures, Points],
    paper=Paper("Mao et al. 2017", arxiv="1611.04076", where="equation 9"),
    settings=[
        Setting("objective", "least-squares", paper="least-squares", where="equation 9"),
        *perceptrons.SETTINGS,
        choice.NETS,
        Setting("nets", "conv"),
    ],
    on={"points": perceptrons.POINTS | {"steps": 10_000, "nets": "mlp", "norm_g": "none", "norm_d": "none", "ema": 0.0}},
)
