"""The kinds of data that a field of a batch can hold.  A data set states them, so no code has to guess from a shape.

Pictures  Points  Tokens  Class  Mask  Caption  Pair        the kinds, each with the shape and dtype of one sample
Description     what a system is told about its data: a name and the kind of every field
parse           a kind from its text in config.toml: "pictures 1x28x28", "class 10"
Elsewhere: the data sets themselves (base.py), how each kind is drawn (viz/samples.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import cast

import numpy as np

from ..errors import ConfigError


class Kind:
    """The base class of kinds: what one field of a batch holds, one row for each sample.

    shape: of one sample, without the batch axis.   dtype: of the field's array.
    word: the name of the kind in texts and files.   plural: the name of an array of them in `minigan sample --npz`."""

    word, plural = "kind", "samples"
    dtype: np.dtype = np.dtype(np.float32)
    shape: tuple[int, ...]

    @property
    def real(self) -> bool:
        """Are the values real numbers?  Only then do differences between samples have a meaning."""
        return self.dtype.kind == "f"

    def __str__(self) -> str:
        return f"{self.word} {'x'.join(str(size) for size in vars(self).values())}"


@dataclass(frozen=True)
class Pictures(Kind):
    """Pictures (channels, height, width), float32 in [-1, 1].

    >>> str(Pictures(1, 28, 28))
    'pictures 1x28x28'"""

    channels: int
    height: int
    width: int
    word, plural = "pictures", "images"

    @property
    def shape(self):
        return self.channels, self.height, self.width


@dataclass(frozen=True)
class Points(Kind):
    """Points with `size` coordinates, float32."""

    size: int = 2
    word, plural = "points", "points"

    @property
    def shape(self):
        return (self.size,)


@dataclass(frozen=True)
class Tokens(Kind):
    """Sequences of `length` tokens, int64, each from 0 to vocabulary - 1."""

    vocabulary: int
    length: int
    word, plural, dtype = "tokens", "tokens", np.dtype(np.int64)

    @property
    def shape(self):
        return (self.length,)


@dataclass(frozen=True)
class Caption(Tokens):
    """A text that goes with a picture, as tokens."""

    word, plural = "caption", "captions"


@dataclass(frozen=True)
class Class(Kind):
    """One of `count` classes, int64 from 0 to count - 1."""

    count: int
    word, plural, dtype = "class", "labels", np.dtype(np.int64)
    shape = ()


@dataclass(frozen=True)
class Mask(Kind):
    """A part of a picture: (1, height, width), float32, 1 inside the part and 0 outside."""

    height: int
    width: int
    word, plural = "mask", "masks"

    @property
    def shape(self):
        return 1, self.height, self.width


@dataclass(frozen=True)
class Pair(Kind):
    """Two pictures of the same size from two domains, A and B, concatenated along the channel axis.

    aligned: do both pictures show the same thing?  If not, they are unrelated.

    >>> str(Pair(Pictures(1, 28, 28), Pictures(1, 28, 28)))
    'unaligned pictures 1x28x28 and 1x28x28'"""

    a: Pictures
    b: Pictures
    aligned: bool = False
    word, plural = "pair", "images"

    @property
    def shape(self):
        return self.a.channels + self.b.channels, self.a.height, self.a.width

    def split(self, x):
        """Split an array or Tensor x (N, channels of A and B, H, W) into (N, channels of A, H, W) and (N, channels of B,
        H, W)."""
        return x[:, : self.a.channels], x[:, self.a.channels :]

    def __str__(self) -> str:
        sizes = (str(kind).partition(" ")[2] for kind in (self.a, self.b))
        return f"{'aligned' if self.aligned else 'unaligned'} pictures {' and '.join(sizes)}"


KINDS = {kind.word: kind for kind in (Pictures, Points, Tokens, Caption, Class, Mask)}


def parse(text: str) -> Kind:
    """Return the kind whose str(kind) is `text`.   Raises ConfigError for any other text.

    >>> parse("points 2")
    Points(size=2)"""
    pair = re.fullmatch(r"(un)?aligned pictures (\S+) and (\S+)", text)
    if pair:
        a, b = (cast(Pictures, parse(f"pictures {size}")) for size in pair.groups()[1:])
        return Pair(a, b, aligned=not pair[1])
    word, _, sizes = text.partition(" ")
    numbers = [int(size) for size in sizes.split("x") if size.isdigit()]
    if word in KINDS and len(numbers) == len(fields(KINDS[word])) == sizes.count("x") + 1 and min(numbers) >= 1:
        return KINDS[word](*numbers)
    raise ConfigError(f"{text!r} is no kind of data; write 'pictures 1x28x28', 'points 2', 'tokens 30x10' or 'class 10'")


@dataclass(frozen=True)
class Description:
    """What a system is told about its data before it sees any of them.

    name: of the data set.   kinds: {field of a batch: its kind}.  The field "x" is what the system learns; "labels", if there
    are any, are the classes of x."""

    name: str
    kinds: Mapping[str, Kind]

    @property
    def x(self) -> Kind:
        """The kind of x, the field that the system learns."""
        return self.kinds["x"]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample of x."""
        return self.x.shape

    @property
    def classes(self) -> int | None:
        """The number of classes, or None without labels."""
        labels = self.kinds.get("labels")
        return labels.count if isinstance(labels, Class) else None

    def words(self) -> dict[str, str]:
        """The kinds as text, for a run's config.toml: {"x": "pictures 1x28x28", "labels": "class 10"}."""
        return {field: str(kind) for field, kind in self.kinds.items()}
