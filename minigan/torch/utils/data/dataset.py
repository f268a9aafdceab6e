"""Data sets: anything with `__getitem__` and `__len__`, and the ones that are made from others.

Dataset   IterableDataset      the base classes           TensorDataset   rows of tensors
Subset   ConcatDataset         parts and unions           random_split    parts of given sizes, chosen at random
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from minigan.torch import core as torch


class Dataset:
    """Base of the data sets whose samples have a number: write __getitem__ and __len__."""

    def __class_getitem__(cls, item):  # annotations such as Dataset[Tensor]
        return cls

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(); a Dataset must define one")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Base of the data sets that only come one sample after the other: write __iter__."""

    def __iter__(self) -> Iterator:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__(); an IterableDataset must define one")


class TensorDataset(Dataset):
    """Sample i is (tensors[0][i], tensors[1][i], ...)."""

    def __init__(self, *tensors: Any):
        if any(len(tensor) != len(tensors[0]) for tensor in tensors):
            raise ValueError(
                f"TensorDataset: the tensors have {', '.join(str(len(t)) for t in tensors)} rows; they must have as many"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """The samples of a data set at these indices."""

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Several data sets, one after the other."""

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ConcatDataset: index {index} is outside its {len(self)} samples")
        index %= len(self)
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(dataset: Any, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """Parts of these lengths, chosen at random without overlap.   lengths: numbers of samples, or shares whose sum is 1."""
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1 + 1e-9 and any(isinstance(n, float) for n in lengths):
        sizes = [math.floor(len(dataset) * share) for share in lengths]
        for i in range(len(dataset) - sum(sizes)):  # what the rounding left over goes to the first parts
            sizes[i % len(sizes)] += 1
    else:
        sizes = [int(n) for n in lengths]
    if sum(sizes) != len(dataset):
        raise ValueError(f"random_split: the lengths {list(lengths)} do not sum up to the {len(dataset)} samples")
    order = torch.randperm(len(dataset), generator=generator).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends)]
