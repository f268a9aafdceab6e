"""DCGAN: G enlarges a picture by transposed convolutions, D reduces it by strided convolutions.

From the paper: batch norm in both nets, except at G's output and D's input; ReLU in G, LeakyReLU 0.2 in D, tanh output;
weights from N(0, 0.02^2), those of batch norm from N(1, 0.02^2).
Ours: normal z (theirs is uniform), and pictures of many sizes (theirs have 64x64): the number of convolutions follows from the
size, and the smallest maps have 4x4 pixels, as theirs.
To train in two minutes, there are fewer channels, small batches give many steps, and the learning rates are five and ten times
theirs, which are for long training.  G then jumps about, so a moving average of its weights draws the samples.  docs/results.md
has a table of what each of these gives.
"""

from minigan.data.kinds import Pictures
from minigan.systems.claims import Arm, Check, Claim
from minigan.systems.parts import convolutions
from minigan.systems.registry import Paper, system
from minigan.train.settings import Setting

BEFORE = {
    "smallest": 7,
    "channels": 32,
    "batch_size": 64,
    "lr_d": 5e-4,
    "lr_g": 1e-3,
    "ema": 0.0,
    "steps": 2500,
}  # in minigan 0.1

system(
    "dcgan",
    parent="gan",
    nets=convolutions.nets,
    learns=[Pictures],
    paper=Paper("Radford, Metz and Chintala 2016", arxiv="1511.06434", where="section 4"),
    without=["width"],
    settings=[
        *convolutions.SETTINGS,
        Setting("lr_d", 1e-3, paper=2e-4, where="section 4"),
        Setting("lr_g", 2e-3, paper=2e-4, where="section 4"),
        Setting("beta1", 0.5, paper=0.5, where="section 4"),
        Setting("batch_size", 32, paper=128, where="section 4"),
        Setting("channels", 24, paper=128, where="figure 1", of_data=convolutions.fewer),
        Setting("smallest", 4, paper=4, where="figure 1"),
        Setting("ema", 0.998),
        Setting("steps", 3900),
    ],
    tiny={"channels": 4},
    claims=[
        Claim(
            "dcgan",
            "DCGAN on MNIST has all ten digits, and a better fid-digits than the MLP GAN at equal time and than in minigan 0.1",
            ["fid-digits", "is-digits", "digits", "digits-confidence", "digits-largest-share", "recall-digits"],
            {
                "dcgan": Arm("dcgan", "mnist"),
                "as before": Arm("dcgan", "mnist", BEFORE),
                "gan, equal time": Arm("gan", "mnist", {"steps": 10**6}, like="dcgan"),
            },
            [
                Check("dcgan", "fid-digits", "below", of="gan, equal time"),
                Check("dcgan", "fid-digits", "below", of="as before"),
                Check("dcgan", "digits", "at least", 10),
                Check("dcgan", "seconds", "at most", 300),
            ],
        ),
        Claim(
            "dcgan-digits",
            "The default run draws better digits than that of minigan 0.1, in the same time",
            ["fid-digits", "digits-confidence", "digits", "digits-largest-share", "precision-digits", "recall-digits"],
            {"now": Arm("dcgan", "digits"), "as before": Arm("dcgan", "digits", BEFORE)},
            [
                Check("now", "fid-digits", "below", of="as before"),
                Check("now", "digits-confidence", "at least", 0.93),
                Check("now", "digits", "at least", 10),
                Check("now", "digits-largest-share", "at most", 0.16),
                Check("as before", "recall-digits", "below", of="now"),
            ],
        ),
    ],
)
