"""What a data set is, and how batches are drawn from one so that a stopped run resumes to the same bits.

Batch         named fields, what every loader yields          ImageDataset  pictures in memory, uint8, scaled when asked
PointDataset  a 2-D density that draws fresh points           Loader        endless shuffled batches, with a saved state
batches       one pass in order, for evaluation
Elsewhere: where the pictures come from (digits.py, mnist.py), the densities (points.py), the names (__init__.py).
No engine here: batches are NumPy arrays, and whoever trains turns them into Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import CheckpointError, ConfigError, DataError
from .kinds import Class, Description, Kind, Pair, Pictures, Points


class Batch(NamedTuple):
    """What most data sets yield: x float32, pictures (n, C, H, W) in [-1, 1] or points (n, 2); or tokens (n, T) int64.

    labels int64 (n,), None where there are none.   A data set with other fields yields a named tuple of its own; what each
    field is stands in its `kinds` (kinds.py)."""

    x: np.ndarray
    labels: np.ndarray | None = None


class Described:
    """What every data set can say about itself: `name`, `kinds` (the kind of each field of its batches), and from these
    `description`, what a system is told, and `sample_shape`, the shape of one sample of x.

    words: what each token stands for, by its number, where x are tokens and these are words; else None.
    info: what else is known of it.   test: the test split, where the data set has no name that `load` knows."""

    name: str
    kinds: dict[str, Kind]
    split: str = "train"
    info: dict = {}
    test: Any = None
    words: tuple[str, ...] | None = None

    @property
    def description(self) -> Description:
        """The name and the kinds."""
        return Description(self.name, self.kinds)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample of x."""
        return self.kinds["x"].shape


class ImageDataset(Described):
    """Pictures in memory as uint8 (N, C, H, W) in 0..255, labels int64 (N,) or None.

    classes: how many labels there are, largest label + 1 unless given; None without labels.
    kind: of the pictures, `Pictures` unless given; the other one is a `Pair`.
    info: where the pictures came from (`source`), and per-picture attributes where they are known.
    DataError when shapes, dtypes or counts do not fit."""

    def __init__(self, name: str, images, labels=None, split: str = "train", info: dict | None = None, classes=None,
                 kind: Pictures | Pair | None = None):
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or len(images) == 0:
            raise DataError(f"{name}: images must be a non-empty uint8 array (N, C, H, W), "
                            f"got {images.dtype} {images.shape}")
        if labels is not None:
            labels = np.asarray(labels)
            if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
                raise DataError(f"{name}: {len(images)} images need as many integer labels, "
                                f"got {labels.dtype} {labels.shape}")
            labels = labels.astype(np.int64)
            classes = int(labels.max()) + 1 if classes is None else classes
        kind = Pictures(*images.shape[1:]) if kind is None else kind
        if kind.shape != images.shape[1:]:
            raise DataError(f"{name}: the images are {images.shape[1:]}, but {kind} are {kind.shape}")
        self.name, self.images, self.labels, self.split, self.classes = name, images, labels, split, classes
        self.kinds = {"x": kind} if labels is None else {"x": kind, "labels": Class(classes)}
        self.info = {} if info is None else info

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: Any) -> Batch:
        """The rows asked for: integers (n,), a slice, or one integer (a batch of one).  x = images / 127.5 - 1.

        Only these rows become float32: the whole MNIST would take 188 MB, four times its bytes.  0 -> -1 and 255 -> 1
        exactly."""
        if isinstance(indices, int | np.integer):
            indices = [indices]
        x = self.images[indices].astype(np.float32)
        x /= 127.5
        x -= 1
        return Batch(x, None if self.labels is None else self.labels[indices])

    def __repr__(self) -> str:
        return (f"ImageDataset({self.name!r}, {self.split}, {len(self)} pictures {self.sample_shape}, "
                f"{self.classes} classes)")


class PointDataset(Described):
    """A density in the plane that draws fresh points without end: there is nothing to overfit.

    draw: (n, rng) -> Batch, x (n, 2) float32.  classes: number of components, None when it has none.
    centres (K, 2) float32 and std (one float, the same for all) for a mixture of Gaussians, else None: counting modes
    needs both, in the units of x."""

    def __init__(self, name: str, draw: Callable[[int, np.random.Generator], Batch], classes: int | None = None,
                 centres: np.ndarray | None = None, std: float | None = None, split: str = "train",
                 info: dict | None = None):
        self.name, self._draw, self.classes, self.split = name, draw, classes, split
        self.kinds = {"x": Points(2)} if classes is None else {"x": Points(2), "labels": Class(classes)}
        self.centres, self.std = centres, std
        self.info = {} if info is None else info

    def sample(self, n: int, rng) -> Batch:
        """n fresh points.  rng: a numpy Generator, which moves on, or an int seed.  ConfigError when n < 1."""
        _positive("n", n, self.name)
        return self._draw(n, np.random.default_rng(rng))

    def __repr__(self) -> str:
        return f"PointDataset({self.name!r}, fresh points (2,), {self.classes} classes)"


class Loader:
    """Endless batches: `next(loader)` -> Batch of exactly batch_size rows.

    Pictures are shuffled anew each epoch and the last, partial batch of an epoch is dropped; points are drawn fresh.
    rng: a numpy Generator that belongs to this loader alone (or an int seed): whoever else drew from it would
    change the order of the data.
    `state_dict()` taken between two batches and given to `load_state_dict` of a new Loader on the same data makes it
    yield the same bits as the first would have.  ConfigError when batch_size is not 1..len(dataset)."""

    def __init__(self, dataset: Any, batch_size: int, rng: Any):
        _positive("batch size", batch_size, dataset.name)
        self.dataset, self.batch_size, self.rng = dataset, int(batch_size), np.random.default_rng(rng)
        self.endless = isinstance(dataset, PointDataset)
        if not self.endless and batch_size > len(dataset):
            raise ConfigError(f"{dataset.name}: a batch of {batch_size} does not fit, the {dataset.split} split has "
                              f"{len(dataset)} samples; use a batch size of at most {len(dataset)}")
        self.epoch = -1                # becomes 0 with the first batch
        self.position = 0              # rows of this epoch already yielded
        self.order: Any = None         # permutation of this epoch
        self._start = None             # state of rng before that permutation was drawn

    def __iter__(self) -> Loader:
        return self

    def __next__(self) -> Batch:
        if self.endless:
            return self.dataset.sample(self.batch_size, self.rng)
        if self.order is None or self.position + self.batch_size > len(self.dataset):
            self._shuffle(self.epoch + 1)
        rows = self.order[self.position:self.position + self.batch_size]
        self.position += self.batch_size
        return self.dataset[rows]

    def _shuffle(self, epoch: int) -> None:
        self._start = _plain(self.rng.bit_generator.state)
        self.order = self.rng.permutation(len(self.dataset))
        self.epoch, self.position = epoch, 0

    def state_dict(self) -> dict[str, Any]:
        """Where we are, in plain ints, strings, lists and dicts: JSON holds it (the ints of PCG64 have 128 bits).

        Not the permutation, which has as many numbers as the data has rows: the generator's state before it, and the
        position in it."""
        rng = _plain(self.rng.bit_generator.state) if self.order is None else self._start
        return {"dataset": self.dataset.name, "size": None if self.endless else len(self.dataset),
                "batch_size": self.batch_size, "epoch": self.epoch, "position": self.position, "rng": rng}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken.  CheckpointError when it belongs to other data, another batch size or
        another kind of generator: the bits could not be the same."""
        own = self.state_dict()
        missing = [key for key in own if key not in state]
        if missing:
            raise CheckpointError(f"loader of {self.dataset.name}: the saved state lacks {', '.join(missing)}")
        for key in ("dataset", "size", "batch_size"):
            if state[key] != own[key]:
                raise CheckpointError(f"loader of {self.dataset.name}: the saved state has {key} {state[key]!r}, "
                                      f"this loader {own[key]!r}; resume with what the run was started with")
        try:
            bits: Any = self.rng.bit_generator  # NumPy's stubs do not know that its state can be set
            bits.state = _arrays(state["rng"])
        except (ValueError, TypeError, KeyError) as error:
            raise CheckpointError(f"loader of {self.dataset.name}: the saved state does not fit a "
                                  f"{own['rng']['bit_generator']} generator ({error})") from error
        self.epoch, self.position, self.order, self._start = state["epoch"], state["position"], None, None
        if not self.endless and self.epoch >= 0:
            self._shuffle(self.epoch)
            self.position = state["position"]


def batches(dataset: ImageDataset, batch_size: int) -> Iterator[Batch]:
    """One pass over all pictures in their order, the last partial batch included; no random numbers, for evaluation.
    ConfigError for a PointDataset, which has no end: use `dataset.sample(n, rng)`."""
    _positive("batch size", batch_size, dataset.name)
    if isinstance(dataset, PointDataset):
        raise ConfigError(f"{dataset.name}: draws fresh points without end, so there is no pass over it; "
                          "use dataset.sample(n, rng)")
    return (dataset[start:start + batch_size] for start in range(0, len(dataset), batch_size))


def _positive(what: str, value, name: str) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name}: {what} must be a whole number of at least 1, got {value!r}")


def _plain(state):
    """A bit generator's state with arrays as lists and NumPy scalars as ints: Philox and MT19937 hold arrays."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


def _arrays(state):
    """_plain undone.  uint64 holds the uint32 words of MT19937 as well, which casts them itself."""
    if isinstance(state, dict):
        return {key: _arrays(value) for key, value in state.items()}
    return np.array(state, dtype=np.uint64) if isinstance(state, list) else state
