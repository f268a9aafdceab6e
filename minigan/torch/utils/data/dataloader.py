"""DataLoader: a data set in batches.  It makes them in this process, when they are asked for.

`num_workers`, `pin_memory`, `prefetch_factor`, `persistent_workers` and `timeout` are accepted, because scripts give them, and
change nothing: there are no worker processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from minigan.torch import core as torch
from minigan.torch.tensor import Tensor
from minigan.torch.utils.data.dataset import IterableDataset, TensorDataset
from minigan.torch.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """An iterable of the batches of a data set; each `for` goes through the data once.

    shuffle: in a new random order each time.   sampler, batch_sampler: indices, or lists of them, instead.   collate_fn: makes
    a batch from a list of samples.   batch_size=None: single samples.   drop_last: without a last batch that is smaller.

    >>> from minigan.torch.utils.data import DataLoader
    >>> [batch.tolist() for batch in DataLoader([1, 2, 3], batch_size=2)]
    [[1, 2], [3]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
    ):
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: give a sampler or shuffle=True, not both; the sampler decides the order")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "DataLoader: batch_sampler decides the batches; leave batch_size, shuffle, sampler and drop_last out"
            )
        self.dataset, self.num_workers, self.pin_memory, self.drop_last = dataset, num_workers, pin_memory, drop_last
        self.batch_size = None if batch_sampler is not None else batch_size
        self._streams = isinstance(dataset, IterableDataset)
        if sampler is None and not self._streams:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is None and batch_size is not None and not self._streams:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        single = batch_sampler is None and self.batch_size is None
        self.collate_fn = collate_fn or (default_convert if single else default_collate)

    def __iter__(self) -> Iterator[Any]:
        if self._streams:
            return self._from_stream()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        return (self._batch(indices) for indices in self.batch_sampler)

    def _batch(self, indices):
        if type(self.dataset) is TensorDataset and self.collate_fn is default_collate:
            return [tensor[list(indices)] for tensor in self.dataset.tensors]  # the same batch, without single samples
        return self.collate_fn([self.dataset[index] for index in indices])

    def _from_stream(self):
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        if not self._streams:
            indices: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
            return len(indices)
        if self.batch_size is None:
            return len(self.dataset)
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + bool(rest and not self.drop_last)


def default_collate(batch: list) -> Any:
    """One batch from a list of samples: tensors and arrays are stacked, numbers become a tensor, and what is inside tuples,
    lists and dicts goes together field by field; text stays a list."""
    first = batch[0]
    if isinstance(first, Tensor):
        return torch.stack(list(batch))
    if isinstance(first, (np.ndarray, np.generic)) and first.dtype.kind not in "US":
        return torch.as_tensor(np.stack(batch))
    if isinstance(first, float):
        return torch.tensor(batch, dtype=torch.float64)
    if isinstance(first, int):  # also bool
        return torch.tensor(batch)
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("default_collate: the samples have different numbers of fields; give a collate_fn")
        fields = [default_collate(list(field)) for field in zip(*batch)]
        return type(first)(*fields) if hasattr(first, "_fields") else fields
    raise TypeError(
        f"default_collate: a batch is made from tensors, arrays, numbers, text, and tuples, lists or dicts of them; "
        f"got {type(first).__name__}"
    )


def default_convert(sample: Any) -> Any:
    """A single sample, with its arrays as tensors."""
    return torch.as_tensor(sample) if isinstance(sample, np.ndarray) else sample


def get_worker_info() -> None:
    """None: the samples are made in the main process."""
    return
