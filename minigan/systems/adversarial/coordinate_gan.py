"""Coordinate-descent GAN: in each of its turns G changes one layer only, the next turn the next one.

An article on coordinate descent in GANs asks for a gradient and an update of one block of G's parameters at a time; the code
beside it updates all of G at once, and D never.  Here its text is done: one layer of G in each step, by Adam's rule, and a D
that learns as ever.
"""

from minigan.systems.claims import Arm, Claim
from minigan.systems.registry import system
from minigan.train.settings import Setting

system("coordinate-gan", parent="gan", settings=[Setting("optimizer_g", "coordinate-cyclic")],
       claims=[Claim(
           "coordinate-gan", "What coordinate descent on G's layers gives, beside Adam on all of G: at as many turns, at as "
                             "many whole gradients of G (that of one of its four layers is a quarter), and at equal time",
           ["modes", "fair-modes", "high-quality", "reverse-kl"],
           {"cyclic": Arm("coordinate-gan", "ring8"),
            "random": Arm("coordinate-gan", "ring8", {"optimizer_g": "coordinate-random"}),
            "steepest": Arm("coordinate-gan", "ring8", {"optimizer_g": "coordinate-steepest"}),
            "Adam, equal turns": Arm("gan", "ring8"),
            "Adam, equal gradient evaluations": Arm("gan", "ring8", {"steps": 2500}),
            "Adam, equal time": Arm("gan", "ring8", {"steps": 10**6}, like="cyclic")})])
