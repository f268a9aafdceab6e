"""A small digit classifier judges generated digits.  benchmarks/train_digitnet.py has trained it once.

classify        pictures -> probabilities of the ten digits          digit_report    which digits there are, and how clear
features        pictures -> 64 numbers each, for distances           agreement       share that is the digit asked for
DIGIT_REPORT    the metric digits                                    DIGITS          what its metrics need of the data

It has never seen a generated picture, and shares nothing with any discriminator.  It is trained on both font digits and MNIST,
so that it can judge generators of both.  The names of its metrics end in -digits or begin with digits: compare them with each
other, not with published values, which use another classifier.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minigan.data.kinds import Pictures
from minigan.errors import ShapeError
from minigan.grad_mode import no_grad
from minigan.metrics.checks import numbers, pictures
from minigan.metrics.metric import Given, Metric, Needs, Number
from minigan.nn import Conv2d, Flatten, Linear, ReLU, Sequential
from minigan.ops import softmax
from minigan.tensor import Tensor

WEIGHTS = Path(__file__).with_name("digitnet.npz")
SCALE = 6.8  # the features' root mean square, on font digits and on MNIST; the kernel distance is cubic, so scale matters


def network() -> Sequential:
    """A net: pictures (N, 1, 28, 28) in [-1, 1] -> logits (N, 10).  The last layer gets 64 features."""
    return Sequential(
        Conv2d(1, 8, 4, stride=2, padding=1),
        ReLU(),  # 14x14
        Conv2d(8, 16, 4, stride=2, padding=1),
        ReLU(),
        Flatten(),  # 7x7
        Linear(16 * 7 * 7, 64),
        ReLU(),
        Linear(64, 10),
    )


_loaded = []


def trained() -> Sequential:
    """The network with its trained weights, which are loaded at the first call only."""
    if not _loaded:
        net = network()
        with np.load(WEIGHTS) as file:
            net.load_state_dict({name: file[name].astype(np.float32) for name in file.files})
        _loaded.append(net.eval())
    return _loaded[0]


def classify(images) -> np.ndarray:
    """Probabilities (N, 10) of the digits 0..9.   images (N, 1, 28, 28) in [-1, 1], white on black.

    ShapeError for any other shape; DataError for values outside [-1, 1], NotFiniteError for NaN.
    """
    return probabilities(trained(), _pictures(images, "classify"))


def features(images) -> np.ndarray:
    """The inputs of the classifier's last layer, divided by SCALE: (N, 64) float32, none below 0.   images (N, 1, 28, 28) in
    [-1, 1].

    22 of the 64 are 0 for every digit, because the network does not need them.   Errors as for `classify`.
    """
    return _outputs(trained()[:-1], _pictures(images, "features"), 64) / SCALE


def agreement(images, labels) -> float:
    """The share of images (N, 1, 28, 28) that are classified as their label (N,).   ShapeError unless each has one label."""
    p, labels = classify(images), numbers(labels, "agreement: labels")
    if labels.shape != p.shape[:1] or not len(p):
        raise ShapeError(f"agreement: {len(p)} images need as many labels, at least one, got labels {labels.shape}")
    return float((p.argmax(axis=1) == labels).mean())


def _pictures(images, what):
    images = numbers(images, what)
    if images.shape[1:] != (1, 28, 28):
        raise ShapeError(f"{what}: images must be (N, 1, 28, 28), got {images.shape}")
    return pictures(images, what).astype(np.float32, copy=False)


def probabilities(net, images) -> np.ndarray:
    """The probabilities (N, 10) of a network that gives logits (N, 10)."""
    return _outputs(lambda x: softmax(net(x), 1), images, 10)


def _outputs(net, images, width):
    with no_grad():
        parts = [net(Tensor(images[i : i + 1000])).numpy() for i in range(0, len(images), 1000)]
    return np.concatenate([np.zeros((0, width), np.float32), *parts])


@dataclass
class DigitReport:
    """shares (10,): the share of the samples that are classified as each digit;  confidence: the mean of the samples' largest
    probabilities."""

    shares: np.ndarray
    confidence: float

    @property
    def found(self) -> int:
        """How many of the ten digits have at least 1 % of the samples."""
        return int((self.shares >= 0.01).sum())

    def __str__(self):
        shares = " ".join(f"{digit}:{share:.0%}" for digit, share in enumerate(self.shares))
        return f"{self.found} of 10 digits, mean confidence {self.confidence:.2f}, shares {shares}"


def digit_report(images) -> DigitReport:
    """The digits that the classifier sees in images (N, 1, 28, 28) in [-1, 1]."""
    p = classify(images)
    if not len(p):
        raise ShapeError("digit_report: needs at least one picture, got none")
    return DigitReport(np.bincount(p.argmax(axis=1), minlength=10) / len(p), float(p.max(axis=1).mean()))


def _digits(seen):
    report = digit_report(seen.samples)
    return {"digits": report.found, "digits-confidence": report.confidence, "digits-largest-share": report.shares.max()}


JUDGED = ("digits", "mnist")  # data sets that the classifier was trained to judge
DIGITS = Needs(
    "digits",
    f"its classifier knows the digits of {' and '.join(JUDGED)} only; for other pictures pass features of your own "
    "to the functions of minigan.metrics",
    lambda data: data.kinds["x"] == Pictures(1, 28, 28) and (data.name in JUDGED or isinstance(data, Given)),
)
DIGIT_REPORT = Metric(
    "digits",
    [
        Number("digits", "higher", "number of digits with at least 1 % of the samples"),
        Number("digits-confidence", "higher", "mean of the samples' largest class probabilities"),
        Number("digits-largest-share", "lower", "share of the most frequent digit"),
    ],
    _digits,
    DIGITS,
    least=500,
    summary="the digits that the project's classifier sees in the samples",
)
