"""WGAN-GP: a penalty pulls the slope of the critic to 1, in the place of clipped weights.

D has no batch norm (their section 4).  beta1 = 0.5 is ours (theirs is 0), and so is the size of a batch.
On points of the plane the penalty's weight is that of the toy problems in the authors' code.  The rest there is ours: one
critic step, learning rates that fall to 1/100, beta2 = 0.99 and a moving average of G.  These let G's samples settle on the
modes, which is the hard part, because G is continuous and has to split one connected region into separate modes.
"""

from minigan.systems.claims import Arm, Check, Claim
from minigan.systems.registry import Paper, system
from minigan.train.settings import Setting

system(
    "wgan-gp",
    parent="wgan",
    paper=Paper("Gulrajani et al. 2017", arxiv="1704.00028", where="algorithm 1"),
    settings=[
        Setting("penalty", "wgan-gp", paper="wgan-gp", where="equation 3"),
        Setting("penalty_weight", 10.0, paper=10.0, where="section 4"),
        Setting("clip", 0.0, paper=0.0, where="algorithm 1"),
        Setting("optimizer_d", "adam", paper="adam", where="algorithm 1"),
        Setting("optimizer_g", "adam", paper="adam", where="algorithm 1"),
        Setting("d_steps", 5, paper=5, where="algorithm 1"),
        Setting("lr_d", 1e-4, paper=1e-4, where="algorithm 1"),
        Setting("lr_g", 1e-4, paper=1e-4, where="algorithm 1"),
        Setting("beta1", 0.5, paper=0.0, where="algorithm 1"),
        Setting("beta2", 0.9, paper=0.9, where="algorithm 1"),
        Setting("batch_size", 64),
    ],
    on={
        "points": {
            "lr_d": 1e-3,
            "lr_g": 2e-3,
            "penalty_weight": 0.1,
            "beta2": 0.99,
            "ema": 0.999,
            "schedule": "linear",
            "d_steps": 1,
            "steps": 25_000,
        },
        "grid25": {"steps": 80_000},
    },
    claims=[
        Claim(
            "ring8",
            "WGAN-GP finds all 8 modes of ring8 within 2 minutes, with 80 % of its samples within 3 standard "
            "deviations of one; the non-saturating GAN is known to be worse",
            ["modes", "fair-modes", "high-quality", "reverse-kl"],
            {"wgan-gp": Arm("wgan-gp", "ring8"), "gan (non-saturating)": Arm("gan", "ring8")},
            [
                Check("wgan-gp", "modes", "at least", 8),
                Check("wgan-gp", "high-quality", "at least", 0.8),
                Check("wgan-gp", "seconds", "at most", 120),
                Check("gan (non-saturating)", "seconds", "at most", 60),
            ],
        ),
        Claim(
            "grid25",
            "WGAN-GP finds at least 24 of the 25 modes of grid25 within 5 minutes, with 80 % of its samples "
            "within 3 standard deviations of one; control: the GAN for as long",
            ["modes", "fair-modes", "high-quality", "reverse-kl"],
            {"wgan-gp": Arm("wgan-gp", "grid25"), "gan, equal time": Arm("gan", "grid25", {"steps": 10**6}, like="wgan-gp")},
            [
                Check("wgan-gp", "modes", "at least", 24),
                Check("wgan-gp", "high-quality", "at least", 0.8),
                Check("wgan-gp", "seconds", "at most", 300),
            ],
        ),
    ],
)
