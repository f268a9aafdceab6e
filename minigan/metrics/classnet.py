"""A small net that is trained on the data's own classes judges pictures that no published classifier fits, such as your own.

class_net       the net for a data set: trained at the first call, then read from the cache          ClassNet    such a net
class_report    which classes there are, and how clear          CLASSES, CLASS_JUDGE    its metric, and what others ask of it

The net sees nine in ten of the training pictures; the others show how often it is right (`accuracy`).  It has never seen a
generated picture, and shares nothing with any discriminator.  The names of its metrics end in -classes or begin with classes:
they can be compared only for one data set, and say little if the accuracy is low, so `classes-accuracy` stands beside each.
Two machines may train nets that differ in the last digits; the net in the cache stays the same.
"""

import hashlib
import math
import weakref
from dataclasses import dataclass

import numpy as np

from minigan.autograd import grad
from minigan.data import cache
from minigan.data.array_data import held_out
from minigan.data.kinds import Pictures
from minigan.errors import CheckpointError, ConfigError, DataError, ShapeError
from minigan.grad_mode import no_grad
from minigan.kernels.threads import suit
from minigan.metrics.checks import numbers, pictures
from minigan.metrics.metric import Judge, Needs, Number
from minigan.nn import BatchNorm2d, Conv2d, Flatten, Linear, Module, ReLU, Sequential
from minigan.nn.functional import cross_entropy
from minigan.ops import softmax
from minigan.optim import Adam
from minigan.streams import Streams, using
from minigan.tensor import Tensor

RECIPE = 1  # increase it when the same pictures give another net, so that old ones in the cache are not read
FEATURES = 64
LEAST = 50  # training pictures
BATCH_SIZE, LEARNING_RATE = 64, 2e-3
PICTURES_SEEN, EPOCHS, STEPS = 120_000, 30, 200  # at most so many pictures and epochs, but at least so many steps
ASKED = 5000  # held-out pictures that the accuracy is measured on


def network(shape: tuple[int, ...], classes: int) -> Sequential:
    """A net: pictures (N, *shape) in [-1, 1] -> logits (N, classes).   The last layer gets FEATURES features.

    shape: (channels, height, width).   The sides are halved until the smaller one is below 8 pixels; the first halving has 16
    channels, the second 32, the others 64."""
    layers: list[Module] = []
    wide, height, width = shape
    for out in (16, 32, 64, 64, 64, 64, 64, 64):
        if min(height, width) < 8:
            break
        layers += [Conv2d(wide, out, 4, stride=2, padding=1, bias=False), BatchNorm2d(out), ReLU()]
        height, width, wide = height // 2, width // 2, out
    return Sequential(*layers, Flatten(), Linear(wide * height * width, FEATURES), ReLU(), Linear(FEATURES, classes))


class ClassNet:
    """A trained net.   shape: of a picture;  names: of the classes;  accuracy: the share of held-out pictures that it is right
    for.   The features' root mean square over real pictures is 1, because the kernel distance is cubic."""

    def __init__(self, net: Sequential, shape, names, accuracy: float, scale: float):
        self.net, self.shape, self.names, self.accuracy, self.scale = net.eval(), shape, names, accuracy, scale

    def probabilities(self, images) -> np.ndarray:
        """The probabilities (N, K) of the classes.   images (N, C, H, W) in [-1, 1].   ShapeError for pictures of another size,
        DataError for values outside [-1, 1], NotFiniteError for NaN."""
        return self._of(lambda x: softmax(self.net(x), 1), images, len(self.names))

    def features(self, images) -> np.ndarray:
        """The inputs of the last layer, (N, 64) float32, none below 0.   images and errors as for `probabilities`."""
        return self._of(self.net[:-1], images, FEATURES) / self.scale

    def _of(self, function, images, width):
        images = pictures(images, "the net of the classes").astype(np.float32, copy=False)
        if images.shape[1:] != self.shape:
            raise ShapeError(f"the net of the classes judges pictures {self.shape}, got {images.shape[1:]}")
        with no_grad():
            parts = [function(Tensor(images[i : i + 500])).numpy() for i in range(0, len(images), 500)]
        return np.concatenate([np.zeros((0, width), np.float32), *parts])


_known: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # data set -> its net


def class_net(dataset) -> ClassNet:
    """The net for the classes of a data set of pictures with labels.

    It is trained at the first call, which takes up to a minute for 32x32 pixels on two cores and shows a progress bar on a
    terminal, and is kept in the cache under a checksum of the pictures and labels.   The same pictures give the same net.
    ConfigError for data without classes, or with fewer than LEAST pictures."""
    if not NEEDED.fits(dataset):
        raise ConfigError(f"{dataset.name}: {NEEDED.otherwise}")
    if len(dataset) < LEAST:
        raise ConfigError(
            f"{dataset.name}: a net for its classes needs at least {LEAST} pictures, and there are {len(dataset)}"
        )
    if dataset not in _known:
        _known[dataset] = _kept(dataset)
    return _known[dataset]


def _kept(dataset) -> ClassNet:
    """The net in the cache, or else a new one, which is put there."""
    kind, count = dataset.kinds["x"], dataset.kinds["labels"].count
    names = tuple(map(str, dataset.info.get("names") or range(count)))
    with using(Streams(0)):  # the first weights are drawn, and must not change what the caller draws next
        net = network(kind.shape, count)
    try:
        path = cache.folder() / "classes" / f"{_checksum(dataset)}.npz"
        saved = cache.read(path) or {}
        net.load_state_dict({name.removeprefix("net."): saved[name] for name in saved if name.startswith("net.")})
        return ClassNet(net, kind.shape, names, float(saved["accuracy"]), float(saved["scale"]))
    except (OSError, KeyError, CheckpointError):
        pass  # there is none, or no cache
    trained = _train(dataset, kind.shape, count, names)
    arrays = {f"net.{name}": value for name, value in trained.net.state_dict().items()}
    try:
        cache.save(path, arrays | {"accuracy": np.array(trained.accuracy), "scale": np.array(trained.scale)})
    except OSError:
        pass  # it is trained again next time
    return trained


def _checksum(dataset) -> str:
    digest = hashlib.sha256(f"{RECIPE} {dataset.kinds['x']} {dataset.kinds['labels']}".encode())
    for start in range(0, len(dataset), 1000):
        batch = dataset[start : start + 1000]
        for field in (batch.x, batch.labels):
            digest.update(np.ascontiguousarray(field).data)
    return digest.hexdigest()[:20]


def _train(dataset, shape, count, names) -> ClassNet:
    from tqdm import tqdm

    out = held_out(len(dataset))
    rows, others = np.flatnonzero(~out), np.flatnonzero(out)[:ASKED]
    streams, batch_size = Streams(0), min(BATCH_SIZE, len(rows))
    rng = streams("classes")
    steps = max(STEPS, min(PICTURES_SEEN, EPOCHS * len(rows)) // batch_size)
    order = np.concatenate([rng.permutation(rows) for _ in range(math.ceil(steps * batch_size / len(rows)))])
    with using(streams), suit(True):
        net = network(shape, count)
        adam = Adam(net.parameters(), lr=LEARNING_RATE)
        for step in tqdm(range(steps), "training a net for the classes", unit="step", delay=1, leave=False, disable=None):
            adam.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
            batch = dataset[order[step * batch_size : (step + 1) * batch_size]]
            adam.step(grad(cross_entropy(net(Tensor(batch.x)), batch.labels), net.parameters()))
    judge = ClassNet(net, shape, names, 0.0, 1.0)
    unseen = dataset[others]
    judge.accuracy = float(np.mean(judge.probabilities(unseen.x).argmax(axis=1) == unseen.labels))
    judge.scale = float(np.sqrt(np.mean(np.square(judge.features(dataset[rows[:ASKED]].x))))) or 1.0
    return judge


# ---- the report and the metrics --------------------------------------------------------------------------------------


@dataclass
class ClassReport:
    """shares (K,): the share of the samples that the net assigns to each class;  confidence: the mean of the samples' largest
    probabilities;  accuracy: the share of real, held-out pictures that the net is right for;  names: of the classes;
    agreement: the share of the samples that the net assigns to the class that was asked for, None if none was."""

    shares: np.ndarray
    confidence: float
    accuracy: float
    names: tuple[str, ...]
    agreement: float | None = None

    @property
    def found(self) -> int:
        """How many classes have at least a tenth of their fair share 1 / K of the samples."""
        return int((self.shares >= 0.1 / len(self.shares)).sum())

    def __str__(self):
        order = self.shares.argsort(kind="stable")[::-1]
        shares = ", ".join(f"{self.names[k]} {self.shares[k]:.1%}" for k in order[:12])
        more = f", and {len(order) - 12} others" if len(order) > 12 else ""
        return f"{self.found} of {len(self.shares)} classes, mean confidence {self.confidence:.2f}, shares: {shares}{more}"


def class_report(images, dataset, labels=None) -> ClassReport:
    """The classes that the net of a data set sees in images (N, C, H, W) in [-1, 1].

    dataset: a data set of pictures with classes, see `class_net`.   labels (N,): the class that was asked of each image."""
    judge = class_net(dataset)
    p = judge.probabilities(images)
    if not len(p):
        raise ShapeError("class_report: needs at least one picture, got none")
    if labels is not None:
        labels = numbers(labels, "class_report: labels")
        if labels.shape != p.shape[:1]:
            raise DataError(f"class_report: {len(p)} images need as many labels, got {labels.shape}")
    called = p.argmax(axis=1)
    agreement = None if labels is None else float(np.mean(called == labels))
    shares = np.bincount(called, minlength=p.shape[1]) / len(p)
    return ClassReport(shares, float(p.max(axis=1).mean()), judge.accuracy, judge.names, agreement)


def _classes(seen):
    report = class_report(seen.samples, seen.dataset, seen.labels)
    seen.lines.append(f"classes: {report}")
    known = {} if report.agreement is None else {"classes-agreement": report.agreement}
    return {
        "classes": report.found,
        "classes-confidence": report.confidence,
        "classes-largest-share": report.shares.max(),
        **known,
    }


NEEDED = Needs(
    "pictures with classes",
    "a net for the data's classes needs pictures with labels of two classes or more; for other data use features of your own "
    "(--features FILE.py:FUNCTION)",
    lambda data: isinstance(data.kinds["x"], Pictures) and "labels" in data.kinds and data.kinds["labels"].count > 1,
)
CLASS_JUDGE = Judge(
    "classes",
    "a net trained on the data's own classes",
    "the 64 features of a net trained on the data's own classes",
    NEEDED,
    features=lambda seen: class_net(seen.dataset).features,
    probabilities=lambda seen: class_net(seen.dataset).probabilities,
    beside=[Number("classes-accuracy", "", "share of held-out real pictures that the net of the classes is right for")],
    also=lambda seen: {"classes-accuracy": class_net(seen.dataset).accuracy},
)
CLASSES = CLASS_JUDGE.metric(
    "classes",
    [
        Number("classes", "higher", "number of classes with at least a tenth of their fair share of the samples"),
        Number("classes-confidence", "higher", "mean of the samples' largest class probabilities"),
        Number("classes-largest-share", "lower", "share of the most frequent class"),
        Number("classes-agreement", "higher", "share of the samples that are of the class asked for, where one was"),
    ],
    _classes,
    least=500,
    summary="the classes that a net trained on the data's own classes sees in the samples",
)
