"""Data sets and loaders.  A loader saves its state, so a run that is stopped and resumed sees the same batches.

Batch         named fields, what every loader yields          ImageDataset  pictures in memory as uint8, scaled when read
PointDataset  a 2-D density that draws fresh points           Loader        endless shuffled batches, with a state to save
batches       one pass in order, for evaluation
Elsewhere: where the pictures come from (digits.py, mnist.py), the densities (points.py), the names (__init__.py).
This file does not import the engine: batches are NumPy arrays, and the training loop converts them to Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import CheckpointError, ConfigError, DataError
from ..schema import Misfit, Whole, like, shown
from .kinds import Class, Description, Kind, Pair, Pictures, Points


class Batch(NamedTuple):
    """What most data sets yield.  x: pictures (n, C, H, W) float32 in [-1, 1], points (n, 2) float32 or tokens (n, T) int64.

    labels: (n,) int64, or None if there are none.   A data set with other fields yields its own named tuple; its `kinds` say
    what each field is (kinds.py)."""

    x: np.ndarray
    labels: np.ndarray | None = None


class Described:
    """The base class of data sets: it describes the data.

    name: of the data set.   kinds: the kind of each field of its batches.   words: the word of each token, if x are tokens that
    stand for words; otherwise None.   split: "train" or "test".   info: what else is known about the data.   test: the test
    split, for a data set that `load` does not know by its name."""

    name: str
    kinds: dict[str, Kind]
    split: str = "train"
    info: dict = {}
    test: Any = None
    words: tuple[str, ...] | None = None

    @property
    def description(self) -> Description:
        """The name and the kinds, which is what a system is told about its data."""
        return Description(self.name, self.kinds)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample of x."""
        return self.kinds["x"].shape


class ImageDataset(Described):
    """Pictures in memory as uint8 (N, C, H, W) from 0 to 255, with labels (N,) int64 or None.

    classes: the number of classes; the default is the largest label + 1, or None without labels.
    kind: `Pictures` by default; give a `Pair` if each sample holds two pictures.
    info: where the pictures came from (`source`), and attributes of each picture if they are known.
    Raises DataError when shapes, dtypes or counts do not fit.

    >>> dataset = ImageDataset("mine", np.zeros((10, 1, 8, 8), np.uint8), np.arange(10))
    >>> dataset[:4].x.shape, dataset.classes
    ((4, 1, 8, 8), 10)"""

    def __init__(
        self,
        name: str,
        images,
        labels=None,
        split: str = "train",
        info: dict | None = None,
        classes=None,
        kind: Pictures | Pair | None = None,
    ):
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or len(images) == 0:
            raise DataError(
                f"{name}: images must be a uint8 array (N, C, H, W) that is not empty, got {images.dtype} {images.shape}"
            )
        if labels is not None:
            labels = np.asarray(labels)
            if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
                raise DataError(
                    f"{name}: {len(images)} images need {len(images)} integer labels, got {labels.dtype} {labels.shape}"
                )
            labels = labels.astype(np.int64)
        kind = Pictures(*images.shape[1:]) if kind is None else kind
        if kind.shape != images.shape[1:]:
            raise DataError(f"{name}: each image has the shape {images.shape[1:]}, but {kind} have {kind.shape}; change kind")
        self.kinds = {"x": kind}
        if labels is not None:
            classes = int(labels.max()) + 1 if classes is None else classes
            self.kinds["labels"] = Class(classes)
        self.name, self.images, self.labels, self.split, self.classes = name, images, labels, split, classes
        self.info = {} if info is None else info

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: Any) -> Batch:
        """Return the rows `indices` as a Batch: integers (n,), a slice, or one integer for a batch of one.

        x = images / 127.5 - 1 in float32, so 0 becomes exactly -1 and 255 exactly 1.  Only these rows are converted, because
        float32 takes four times as much memory as uint8: 188 MB for all of MNIST."""
        if isinstance(indices, int | np.integer):
            indices = [indices]
        x = self.images[indices].astype(np.float32)
        x /= 127.5
        x -= 1
        return Batch(x, None if self.labels is None else self.labels[indices])

    def __repr__(self) -> str:
        return f"ImageDataset({self.name!r}, {self.split}, {len(self)} pictures {self.sample_shape}, {self.classes} classes)"


class PointDataset(Described):
    """A density in the plane.  It draws fresh points without end, so a model cannot overfit.

    draw: (n, rng) -> Batch with x (n, 2) float32.   classes: the number of components, or None.
    centres: (K, 2) float32 and std: float, for a mixture of K Gaussians with equal std, in the units of x; otherwise None.
    The metric `modes` needs both."""

    def __init__(
        self,
        name: str,
        draw: Callable[[int, np.random.Generator], Batch],
        classes: int | None = None,
        centres: np.ndarray | None = None,
        std: float | None = None,
        split: str = "train",
        info: dict | None = None,
    ):
        self.name, self._draw, self.classes, self.split = name, draw, classes, split
        self.kinds = {"x": Points(2)} if classes is None else {"x": Points(2), "labels": Class(classes)}
        self.centres, self.std = centres, std
        self.info = {} if info is None else info

    def sample(self, n: int, rng) -> Batch:
        """Draw n fresh points.   rng: a numpy Generator, whose state advances, or an int seed.   Raises ConfigError when
        n < 1."""
        whole("n", n, self.name)
        return self._draw(n, np.random.default_rng(rng))

    def __repr__(self) -> str:
        return f"PointDataset({self.name!r}, fresh points (2,), {self.classes} classes)"


class Loader:
    """An endless iterator: `next(loader)` returns a Batch of exactly batch_size rows.

    Pictures are shuffled again in every epoch, and an incomplete last batch is dropped; points are drawn fresh.
    rng: an int seed, or a numpy Generator that nothing else uses, because other draws would change the order of the data.
    A new Loader on the same data that loads this loader's `state_dict()` yields the same batches, bit for bit.
    Raises ConfigError when batch_size is below 1 or above len(dataset).

    >>> loader = Loader(ImageDataset("mine", np.zeros((10, 1, 8, 8), np.uint8)), 4, 0)
    >>> next(loader).x.shape
    (4, 1, 8, 8)"""

    def __init__(self, dataset: Any, batch_size: int, rng: Any):
        whole("batch size", batch_size, dataset.name)
        self.dataset, self.batch_size, self.rng = dataset, int(batch_size), np.random.default_rng(rng)
        self.endless = isinstance(dataset, PointDataset)
        if not self.endless and batch_size > len(dataset):
            raise ConfigError(
                f"{dataset.name}: a batch of {batch_size} is too large, the {dataset.split} split has "
                f"{len(dataset)} samples; use a batch size of at most {len(dataset)}"
            )
        self.epoch = -1  # becomes 0 with the first batch
        self.position = 0  # rows of this epoch that were already returned
        self.order: Any = None  # permutation of this epoch
        self._start = None  # state of rng before that permutation was drawn

    def __iter__(self) -> Loader:
        return self

    def __next__(self) -> Batch:
        if self.endless:
            return self.dataset.sample(self.batch_size, self.rng)
        if self.order is None or self.position + self.batch_size > len(self.dataset):
            self._shuffle(self.epoch + 1)
        rows = self.order[self.position : self.position + self.batch_size]
        self.position += self.batch_size
        return self.dataset[rows]

    def _shuffle(self, epoch: int) -> None:
        self._start = _plain(self.rng.bit_generator.state)
        self.order = self.rng.permutation(len(self.dataset))
        self.epoch, self.position = epoch, 0

    def state_dict(self) -> dict[str, Any]:
        """The loader's state as ints, strings, lists and dicts, so that JSON can hold it (PCG64's ints have 128 bits).

        It does not contain the permutation, which is as long as the data, but the generator's state before the permutation was
        drawn, and the position in it."""
        rng = _plain(self.rng.bit_generator.state) if self.order is None else self._start
        return {
            "dataset": self.dataset.name,
            "size": None if self.endless else len(self.dataset),
            "batch_size": self.batch_size,
            "epoch": self.epoch,
            "position": self.position,
            "rng": rng,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state.   Raises CheckpointError when it belongs to other data, another batch size or another
        kind of generator, because the batches would not be the same."""
        own = self.state_dict()
        missing = [key for key in own if key not in state]
        if missing:
            raise CheckpointError(f"loader of {self.dataset.name}: the saved state lacks {', '.join(missing)}")
        for key in ("dataset", "size", "batch_size"):
            if state[key] != own[key]:
                raise CheckpointError(
                    f"loader of {self.dataset.name}: the saved state has {key} {shown(state[key])}, "
                    f"this loader {own[key]!r}; use the same data and settings as when the run was started"
                )
        try:
            like(state, own, "the state")
            Whole(-1).check(state["epoch"], "epoch")
            Whole(0, own["size"] or 0).check(state["position"], "position")
            bits: Any = self.rng.bit_generator  # NumPy's stubs do not know that its state can be set
            bits.state = _arrays(state["rng"])
        except Misfit as error:
            raise CheckpointError(f"loader of {self.dataset.name}: {error}") from None
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise CheckpointError(
                f"loader of {self.dataset.name}: the saved state does not fit a "
                f"{own['rng']['bit_generator']} generator ({error})"
            ) from error
        self.epoch, self.position, self.order, self._start = state["epoch"], state["position"], None, None
        if not self.endless and self.epoch >= 0:
            self._shuffle(self.epoch)
            self.position = state["position"]


def batches(dataset: ImageDataset, batch_size: int) -> Iterator[Batch]:
    """Return an iterator over all pictures in order, including an incomplete last batch, for evaluation.
    Raises ConfigError for a PointDataset, which has no end: use `dataset.sample(n, rng)`.

    >>> [len(batch.x) for batch in batches(ImageDataset("mine", np.zeros((10, 1, 8, 8), np.uint8)), 4)]
    [4, 4, 2]"""
    whole("batch size", batch_size, dataset.name)
    if isinstance(dataset, PointDataset):
        raise ConfigError(
            f"{dataset.name}: draws fresh points without end, so there is no pass over all of them; use dataset.sample(n, rng)"
        )
    return (dataset[start : start + batch_size] for start in range(0, len(dataset), batch_size))


def whole(what: str, value, name: str = "", least: int = 1, most: int | None = None) -> None:
    """Raise ConfigError unless a value that a user gave is a whole number, of Python or NumPy, within the bounds.

    what: the value's name.   name: of the data set, if it is about one."""
    good = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least
    if not good or (most is not None and value > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ConfigError(f"{name}{': ' if name else ''}{what} must be a whole number {bounds}, got {value!r}")


def _plain(state):
    """Convert a bit generator's state: arrays to lists and NumPy scalars to ints.  Philox and MT19937 have arrays."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


def _arrays(state):
    """The inverse of _plain.  uint64 is right for MT19937 too: its words are uint32, and it converts them itself."""
    if isinstance(state, dict):
        return {key: _arrays(value) for key, value in state.items()}
    return np.array(state, dtype=np.uint64) if isinstance(state, list) else state
