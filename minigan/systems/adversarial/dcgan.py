"""DCGAN: G enlarges a picture by transposed convolutions, D reduces it by strided convolutions.

From the paper: batch norm in both nets, except at G's output and D's input; ReLU in G, LeakyReLU 0.2 in D, tanh output;
weights from N(0, 0.02^2), those of batch norm from N(1, 0.02^2).
Ours: normal z (theirs is uniform), and pictures of many sizes (theirs have 64x64): the number of convolutions follows from the
size.  To train in minutes, the learning rates are higher (theirs are for long training) and there are fewer channels.
"""

from minigan.data.kinds import Pictures
from minigan.systems.claims import Arm, Check, Claim
from minigan.systems.parts import convolutions
from minigan.systems.registry import Paper, system
from minigan.train.settings import Setting

system(
    "dcgan",
    parent="gan",
    nets=convolutions.nets,
    learns=[Pictures],
    paper=Paper("Radford, Metz and Chintala 2016", arxiv="1511.06434", where="section 4"),
    without=["width"],
    settings=[
        *convolutions.SETTINGS,
        Setting("lr_d", 5e-4, paper=2e-4, where="section 4"),
        Setting("lr_g", 1e-3, paper=2e-4, where="section 4"),
        Setting("beta1", 0.5, paper=0.5, where="section 4"),
        Setting("batch_size", 64, paper=128, where="section 4"),
        Setting("channels", 32, paper=128, where="figure 1", of_data=convolutions.fewer),
        Setting("steps", 2500),
    ],
    tiny={"channels": 4},
    claims=[
        Claim(
            "dcgan",
            "DCGAN on MNIST has all ten digits, and a better fid-digits than the MLP GAN at equal time",
            ["fid-digits", "is-digits", "digits", "digits-confidence"],
            {"dcgan": Arm("dcgan", "mnist"), "gan, equal time": Arm("gan", "mnist", {"steps": 10**6}, like="dcgan")},
            [
                Check("dcgan", "fid-digits", "below", of="gan, equal time"),
                Check("dcgan", "digits", "at least", 10),
                Check("dcgan", "seconds", "at most", 300),
            ],
        )
    ],
)
