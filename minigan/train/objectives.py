"""The losses of the two players of a GAN, as functions of the logits a = D(x) of real and b = D(G(z)) of generated samples.

Only this file uses the letters a and b; a step calls them real_logits and fake_logits (adversarial.py).
D minimises d(a, b) and G minimises g(a, b).  Both are scalars, means over the batch; cross-entropies are in nats.
D gives logits, not probabilities, because log sigmoid(a) = -softplus(-a) cannot overflow.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from minigan.ops import mean, relu, sigmoid, softplus, square


class Objective(NamedTuple):
    """d(a, b): D's loss.   g(a, b): G's loss.   says_d, says_g: their formulas, where s is the sigmoid and E a mean.

    paired: G's loss uses the real samples' logits too; otherwise it gets a = None, and they are not computed.
    target: D's loss has a label for a real sample, which can be smoothed (see stabilisers.smoothing).
    undecided: d(0, 0), or d(1/2, 1/2) for least squares, which D pays if it cannot tell real from fake; None if a loss has no
    level, because only differences between logits count.
    unit: the unit of the losses.
    probability: is s(a) the probability that D gives to "x is real"?   If not, a is only a score.
    """

    d: Callable
    g: Callable
    paired: bool = False
    target: bool = False
    undecided: float | None = None
    unit: str = "score"
    probability: bool = False
    says_d: str = ""
    says_g: str = ""

    @property
    def says(self) -> str:
        """Both formulas in one line."""
        return f"D: {self.says_d};  G: {self.says_g}"

    def opinion(self, real, fake) -> dict:
        """What D says of a batch, as two scalars, from arrays of its outputs a and b.   {"D(x)": E s(a), "D(G(z))": E s(b)} if
        these are probabilities, as in pytorch/examples' dcgan; else {"score(x)": E a, "score(G(z))": E b}."""
        if self.probability:
            return {"D(x)": mean(sigmoid(real)), "D(G(z))": mean(sigmoid(fake))}
        return {"score(x)": mean(real), "score(G(z))": mean(fake)}


OBJECTIVES = {
    "minimax": Objective(  # Goodfellow et al. 2014, equation 1
        d=lambda a, b: mean(softplus(-a)) + mean(softplus(b)),  # -E log D(x) - E log(1 - D(G(z)));  2 ln 2 at a = b = 0
        g=lambda a, b: -mean(softplus(b)),  # E log(1 - D(G(z)));  slope at b = -10 is -0.00005
        target=True,
        undecided=2 * math.log(2),
        unit="nats",
        probability=True,
        says_d="-E log s(a) - E log(1 - s(b))",
        says_g="E log(1 - s(b)), which is flat where D is sure",
    ),
    "non-saturating": Objective(  # Goodfellow et al. 2014, section 3
        d=lambda a, b: mean(softplus(-a)) + mean(softplus(b)),
        g=lambda a, b: mean(softplus(-b)),  # -E log D(G(z));  slope at b = -10 is -1.0
        target=True,
        undecided=2 * math.log(2),
        unit="nats",
        probability=True,
        says_d="-E log s(a) - E log(1 - s(b))",
        says_g="-E log s(b)",
    ),
    "least-squares": Objective(  # Mao et al. 2017, equation 9: a = 0, b = c = 1
        d=lambda a, b: 0.5 * mean(square(a - 1)) + 0.5 * mean(square(b)),
        g=lambda a, b: 0.5 * mean(square(b - 1)),
        target=True,
        undecided=0.25,
        unit="squared score",
        says_d="E (a - 1)^2 / 2 + E b^2 / 2",
        says_g="E (b - 1)^2 / 2",
    ),
    "hinge": Objective(  # Lim and Ye 2017; Miyato et al. 2018, equation 16
        d=lambda a, b: mean(relu(1 - a)) + mean(relu(1 + b)),
        g=lambda a, b: -mean(b),
        undecided=2.0,
        says_d="E max(0, 1 - a) + E max(0, 1 + b)",
        says_g="-E b",
    ),
    "wasserstein": Objective(  # Arjovsky et al. 2017, algorithm 1
        d=lambda a, b: mean(b) - mean(a),  # D's slope must be bounded
        g=lambda a, b: -mean(b),
        says_d="E b - E a, with a clip, a penalty or spectral norm",
        says_g="-E b",
    ),
    "relativistic": Objective(  # Jolicoeur-Martineau 2019, equations 7 and 8 (RaSGAN):
        d=lambda a, b: mean(softplus(mean(b) - a)) + mean(softplus(b - mean(a))),  # is x more real than the average fake?
        g=lambda a, b: mean(softplus(mean(a) - b)) + mean(softplus(a - mean(b))),  # is G(z) more real than the average x?
        paired=True,
        undecided=2 * math.log(2),
        unit="nats",
        says_d="-E log s(a - E b) - E log(1 - s(b - E a))",
        says_g="-E log s(b - E a) - E log(1 - s(a - E b))",
    ),
}
