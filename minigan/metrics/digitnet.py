"""A small digit classifier, trained once (by train_digitnet.py), that judges generated digits.

classify        pictures -> probabilities of the ten digits          digit_report    which digits are there, how surely
features        pictures -> 64 numbers each, for distances           agreement       share that is the digit asked for

It has never seen a generated picture, and shares nothing with any discriminator.  Trained on font digits and MNIST alike,
so that it can judge generators of both.  Scores that use it say so in their names: they are comparable with each other,
not with published figures that use another classifier.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minigan.errors import ShapeError
from minigan.grad_mode import no_grad
from minigan.nn import Conv2d, Flatten, Linear, ReLU, Sequential
from minigan.ops import softmax
from minigan.tensor import Tensor

WEIGHTS = Path(__file__).with_name("digitnet.npz")
SCALE = 6.5  # the features' root mean square over font digits, and over MNIST: the cubic kernel distance depends on it


def network() -> Sequential:
    """(N, 1, 28, 28) in [-1, 1] -> logits (N, 10); the layer before the last gives 64 features."""
    return Sequential(
        Conv2d(1, 8, 4, stride=2, padding=1), ReLU(),                        # 14x14
        Conv2d(8, 16, 4, stride=2, padding=1), ReLU(), Flatten(),            # 7x7
        Linear(16 * 7 * 7, 64), ReLU(), Linear(64, 10))


_loaded = []


def trained() -> Sequential:
    """The network with its trained weights, loaded once."""
    if not _loaded:
        net = network()
        with np.load(WEIGHTS) as file:
            net.load_state_dict({name: file[name].astype(np.float32) for name in file.files})
        _loaded.append(net.eval())
    return _loaded[0]


def classify(images) -> np.ndarray:
    """Probabilities (N, 10) of the digits 0..9.   images (N, 1, 28, 28) in [-1, 1], white on black.

    ShapeError for any other shape.
    """
    return probabilities(trained(), _pictures(images, "classify"))


def features(images) -> np.ndarray:
    """What the classifier's last layer sees, over SCALE: (N, 64) float32, none below 0.   images (N, 1, 28, 28) in [-1, 1].

    26 of the 64 are 0 for every digit: the network needs no more.   ShapeError for any other shape.
    """
    return _outputs(trained()[:-1], _pictures(images, "features"), 64) / SCALE


def agreement(images, labels) -> float:
    """Share of images (N, 1, 28, 28) called the digit of their label (N,).   ShapeError unless there is one label each."""
    p, labels = classify(images), np.asarray(labels)
    if labels.shape != p.shape[:1] or not len(p):
        raise ShapeError(f"agreement: {len(p)} images need as many labels, at least one, got labels {labels.shape}")
    return float((p.argmax(axis=1) == labels).mean())


def _pictures(images, what):
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or images.shape[1:] != (1, 28, 28):
        raise ShapeError(f"{what}: images must be (N, 1, 28, 28), got {images.shape}")
    return images


def probabilities(net, images) -> np.ndarray:
    """The same by any network that gives logits (N, 10)."""
    return _outputs(lambda x: softmax(net(x), 1), images, 10)


def _outputs(net, images, width):
    with no_grad():
        parts = [net(Tensor(images[i : i + 1000])).numpy() for i in range(0, len(images), 1000)]
    return np.concatenate([np.zeros((0, width), np.float32), *parts])


@dataclass
class DigitReport:
    """shares (10,): the part of the samples called each digit;  confidence: the mean probability of the digit called."""

    shares: np.ndarray
    confidence: float

    @property
    def found(self) -> int:
        """How many of the ten digits hold at least 1 % of the samples."""
        return int((self.shares >= 0.01).sum())

    def __str__(self):
        shares = " ".join(f"{digit}:{share:.0%}" for digit, share in enumerate(self.shares))
        return f"{self.found} of 10 digits, mean confidence {self.confidence:.2f}, shares {shares}"


def digit_report(images) -> DigitReport:
    """What the classifier finds among images (N, 1, 28, 28) in [-1, 1]."""
    p = classify(images)
    return DigitReport(np.bincount(p.argmax(axis=1), minlength=10) / max(1, len(p)), float(p.max(axis=1).mean()))
