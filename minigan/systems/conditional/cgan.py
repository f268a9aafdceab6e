"""cGAN: both nets get the label y, so you can ask G for a digit.

    min_G max_D  E log D(x, y) + E log(1 - D(G(z, y), y))

A label becomes `classes` numbers beside the other inputs of a net: sqrt(classes) for its own class, and 0 for the others.
So their mean square is 1, as that of z.  The first Linear's weights for a class are the embedding of its label.
Generated samples get the labels of the batch.  shuffle_labels=true is a control: it gives the real pictures the labels in a
random order.  G can then learn what digits look like, but not which label means which digit.
The nets are those of dcgan; D gets the label as one more plane of the picture.  With nets=mlp they are those of gan.
"""

import math
from functools import cached_property
from typing import Any

import numpy as np

from minigan.backend import to_device
from minigan.data.kinds import Pictures, Points
from minigan.errors import ConfigError
from minigan.metrics import Metric, Needs, Number, agreement, diversity
from minigan.nn import Linear, Module, Sequential, Tanh, Unflatten
from minigan.ops import concatenate, one_hot, reshape
from minigan.systems.claims import Arm, Check, Claim
from minigan.systems.parts import choice, convolutions, perceptrons
from minigan.systems.registry import Paper, system
from minigan.tensor import Tensor
from minigan.train.adversarial import AdversarialStep, gan, prepare
from minigan.train.game import Normal
from minigan.train.settings import Setting
from minigan.watch import looking


def joined(x, labels, classes):
    """x (N, ...), flattened, followed by each label as `classes` numbers: (N, size + classes)."""
    code: Any = math.sqrt(classes) * one_hot(labels, classes)  # Any, because it is a Tensor only if the labels are
    return concatenate([reshape(x, (len(x), -1)), Tensor(to_device(code, x.device))], axis=1)


class Labelled(Sequential):
    """A Sequential that is called with (x, labels); its first layer gets both, joined."""

    def __init__(self, classes, *modules):
        super().__init__(*modules)
        self.classes = classes

    def forward(self, x, labels):
        """The layers applied to x and labels, joined."""
        return super().forward(joined(x, labels, self.classes))

    def __getitem__(self, index):
        part = super().__getitem__(index)
        return Labelled(self.classes, *part) if isinstance(index, slice) else part


class LabelPlane(Module):
    """(N, C H W + classes) -> pictures (N, C + 1, H, W): the last plane belongs to the label, and is learned for each class."""

    def __init__(self, shape, classes):
        super().__init__()
        self.shape, self.plane = shape, Linear(classes, math.prod(shape[1:]), bias=False)

    def forward(self, x):
        """The pictures with the label's plane as the last channel."""
        size = math.prod(self.shape)
        planes = reshape(self.plane(x[:, size:]), (len(x), 1, *self.shape[1:]))
        return concatenate([reshape(x[:, :size], (len(x), *self.shape)), planes], axis=1)


class LabelledStep(AdversarialStep):
    """A turn in which G and D see the labels of the batch."""

    @classmethod
    def check(cls, game, batch):
        """ConfigError for data that has no labels, or more classes than the game."""
        labels, classes = batch.labels, game.classes
        if labels is None:
            raise ConfigError(
                "cgan needs data with labels, and this data has none; use digits, mnist or ring8, or a folder whose "
                "sub-folders are the classes"
            )
        if labels.max() >= classes:
            raise ConfigError(
                f"cgan: the data has the label {labels.max()}, but classes={classes} allows only 0 to "
                f"{classes - 1}; set classes to the number of classes in the data"
            )

    @cached_property
    def labels(self):
        """The labels of the batch (int64) on the game's device.   A Feed checks labels before it sends them to a GPU."""
        labels = self.batch.labels
        if labels is None or isinstance(labels, np.ndarray):
            looking(self.check, self.game, self.batch)
        return self.field("labels")

    def generate(self, z):
        """G(z, labels)."""
        return self.game.nets["G"](z, self.labels)

    def score(self, samples, D=None):
        """D(samples, labels)."""
        return (self.game.nets["D"] if D is None else D)(samples, self.labels)


class ShuffledStep(LabelledStep):
    """The control: in this turn the labels do not belong to the real samples."""

    @cached_property
    def labels(self):
        """The labels of the batch in a random order."""
        order = self.draw("labels", lambda generator: generator.random(len(self.batch.x), dtype=np.float32).argsort())
        return super().labels[order.data]


def label_accuracy(game, dataset, generator, samples=2000):
    """The share of samples that a judge assigns to the class asked for, and the diversity within a class over the data's own.

    The judge of digits is the project's classifier; the judge of a mixture of Gaussians is the nearest centre.  For other data
    only the diversity is returned; for pictures with classes the metric `classes` has the share, as classes-agreement.
    """
    labels = np.arange(samples) % game.classes
    fake = game.sample(game.latent(samples, generator), labels)
    real = dataset.sample(samples, generator) if hasattr(dataset, "sample") else dataset[:samples]
    several = [k for k, count in enumerate(np.bincount(real.labels)) if count > 1]  # one picture alone has no diversity
    within = [diversity(fake[labels == k], real.x[real.labels == k]) for k in several]
    result = {"diversity-within": float(np.mean(within))} if within else {}
    if dataset.name in ("digits", "mnist"):
        result["label-accuracy"] = agreement(fake, labels)
    elif getattr(dataset, "centres", None) is not None:
        called = np.square(fake[:, None] - dataset.centres).sum(axis=2).argmin(axis=1)
        result["label-accuracy"] = float(np.mean(called == labels))
    return result


LABEL_ACCURACY = Metric(
    "label-accuracy",
    [
        Number("diversity-within", "near 1", "diversity among samples of one class, over that of real ones"),
        Number("label-accuracy", "higher", "share of samples that a judge assigns to the class asked for"),
    ],
    label_accuracy,
    Needs("a class to ask for", "it cannot draw samples of a given class"),
    summary="are the samples of the class asked for, and as different from each other as real ones of that class?",
)


def perceptron(settings, data):
    """The layers of gan's G and D, with inputs for the labels."""
    size, width, classes, pictures = math.prod(data.shape), settings.width, settings.classes, isinstance(data.x, Pictures)
    hidden = [width, 2 * width] if pictures else [width, width]
    G = Sequential(
        *perceptrons.mlp([settings.latent + classes, *hidden, size], settings.norm_g),
        *([Tanh()] if pictures else []),
        Unflatten(1, data.shape),
    )
    return G, Sequential(*perceptrons.mlp([size + classes, *hidden[::-1], 1], settings.norm_d))


def convolutional(settings, data):
    """The layers of dcgan's G and D, with inputs for the labels."""
    convolutions.check(data, settings)
    channels, *sides = data.shape
    how = settings.channels, settings.smallest
    G = convolutions.generator(settings.latent + settings.classes, how[0], data.shape, settings.norm_g, how[1])
    D = convolutions.discriminator(how[0], (channels + 1, *sides), settings.norm_d, how[1])
    G.apply(convolutions.start), D.apply(convolutions.start)
    return G, Sequential(LabelPlane(data.shape, settings.classes), *D)


FAMILIES = {"mlp": perceptron, "conv": convolutional}


@system(
    "cgan",
    parent="dcgan",
    learns=[Pictures, Points],
    paper=Paper("Mirza and Osindero 2014", arxiv="1411.1784", where="equation 2"),
    settings=[
        *perceptrons.SETTINGS,
        choice.NETS,
        Setting("nets", "conv"),
        Setting("steps", 3000),
        Setting("classes", 10, "number of classes; by default that of the data", of_data=lambda about: about.classes),
        Setting("shuffle_labels", False, "the control: the labels do not belong to the real samples"),
    ],
    on={"points": perceptrons.POINTS | {"steps": 10_000, "nets": "mlp", "norm_g": "none", "norm_d": "none", "ema": 0.0}},
    metrics=[LABEL_ACCURACY],
    claims=[
        Claim(
            "cgan",
            "At least 95 % of the conditional GAN's samples are the digit asked for, after 4 minutes; about 10 % when "
            "D saw shuffled labels",
            ["label-accuracy", "diversity-within"],
            {"cgan": Arm("cgan", "digits"), "shuffled labels": Arm("cgan", "digits", {"shuffle_labels": True})},
            [
                Check("cgan", "label-accuracy", "at least", 0.95),
                Check("shuffled labels", "label-accuracy", "at most", 0.15),
                Check("cgan", "seconds", "at most", 240),
            ],
        )
    ],
)
def build(settings, data):
    """The game of two nets that see the labels."""
    classes, latent = settings.classes, Normal(settings.latent)

    def both(n, generator):
        return joined(Tensor(latent(n, generator)), generator.integers(classes, size=n), classes).numpy()

    nets = prepare(*FAMILIES[settings.nets](settings, data), settings, both)
    nets = {name: Labelled(classes, *net) if name == "D" else Labelled(classes, net) for name, net in nets.items()}
    return gan(nets, settings, latent, classes=classes, step=ShuffledStep if settings.shuffle_labels else LabelledStep)
