"""Coordinate-descent GAN: in each of its turns G updates only one of its layers, one layer after the other.

An article on coordinate descent in GANs describes this: compute the gradient of one block of G's parameters, and update that
block.  (The article's code does something else: it updates all of G at once, and never updates D.)  This system follows the
text.  A block is one layer of G, updated by Adam; D learns as in the parent.
"""

from minigan.systems.claims import Arm, Claim
from minigan.systems.registry import system
from minigan.train.settings import Setting

system(
    "coordinate-gan",
    parent="gan",
    settings=[Setting("optimizer_g", "coordinate-cyclic")],
    claims=[
        Claim(
            "coordinate-gan",
            "What coordinate descent on G's layers gives, beside Adam on all of G: at as many turns, at as "
            "many whole gradients of G (that of one of its four layers is a quarter), and at equal time",
            ["modes", "fair-modes", "high-quality", "reverse-kl"],
            {
                "cyclic": Arm("coordinate-gan", "ring8"),
                "random": Arm("coordinate-gan", "ring8", {"optimizer_g": "coordinate-random"}),
                "steepest": Arm("coordinate-gan", "ring8", {"optimizer_g": "coordinate-steepest"}),
                "Adam, equal turns": Arm("gan", "ring8"),
                "Adam, equal gradient evaluations": Arm("gan", "ring8", {"steps": 2500}),
                "Adam, equal time": Arm("gan", "ring8", {"steps": 10**6}, like="cyclic"),
            },
        )
    ],
)
