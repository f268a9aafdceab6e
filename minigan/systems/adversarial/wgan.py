"""WGAN: a critic with clipped weights measures the distance between G's samples and the real ones.

All values are the paper's, which are for long training.  On points of the plane they would take hours, so there clip and
learning rates are ours.
"""

from minigan.systems.parts import choice, convolutions
from minigan.systems.registry import Paper, system
from minigan.train.settings import Setting

system(
    "wgan",
    parent="gan",
    nets=choice.nets,
    data="ring8",
    paper=Paper("Arjovsky, Chintala and Bottou 2017", arxiv="1701.07875", where="algorithm 1"),
    settings=[
        Setting("objective", "wasserstein", paper="wasserstein", where="algorithm 1"),
        Setting("d_steps", 5, paper=5, where="algorithm 1"),
        Setting("clip", 0.01, paper=0.01, where="algorithm 1"),
        Setting("optimizer_d", "rmsprop", paper="rmsprop", where="algorithm 1"),
        Setting("optimizer_g", "rmsprop", paper="rmsprop", where="algorithm 1"),
        Setting("lr_d", 5e-5, paper=5e-5, where="algorithm 1"),
        Setting("lr_g", 5e-5, paper=5e-5, where="algorithm 1"),
        Setting("batch_size", 64, paper=64, where="algorithm 1"),
        choice.NETS,
        convolutions.CHANNELS,
        convolutions.SMALLEST,
    ],
    on={"points": {"batch_size": 256, "lr_d": 5e-4, "lr_g": 5e-4, "clip": 0.1, "steps": 5000, "checkpoint_every": 1000}},
    tiny={"channels": 4},
)
