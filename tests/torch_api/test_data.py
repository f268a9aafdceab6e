"""minigan.torch.utils.data: which samples a DataLoader gives, in which batches."""

import numpy as np
import pytest

import minigan.torch as torch
from minigan.torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)


class Squares(Dataset):
    def __getitem__(self, index):
        return {"x": np.float32(index), "y": (index * index, "text")}

    def __len__(self):
        return 5


def test_batches_in_order_and_the_last_one():
    rows = TensorDataset(torch.arange(5), torch.arange(5) * 10)
    assert [(a.tolist(), b.tolist()) for a, b in DataLoader(rows, 2)] == [([0, 1], [0, 10]), ([2, 3], [20, 30]), ([4], [40])]
    assert len(DataLoader(rows, 2)) == 3 and len(DataLoader(rows, 2, drop_last=True)) == 2
    assert [len(a) for a, _ in DataLoader(rows, 2, drop_last=True)] == [2, 2]


def test_samples_of_dicts_numbers_and_text_go_together_field_by_field():
    batch = next(iter(DataLoader(Squares(), batch_size=3, num_workers=4, pin_memory=True)))
    assert batch["x"].tolist() == [0.0, 1.0, 2.0] and batch["x"].dtype is torch.float32
    numbers, texts = batch["y"]
    assert numbers.tolist() == [0, 1, 4] and texts == ["text"] * 3


def test_shuffling_is_new_each_time_and_comes_from_the_seed():
    loader = DataLoader(TensorDataset(torch.arange(20)), batch_size=20, shuffle=True)
    torch.manual_seed(3)
    first, second = (next(iter(loader))[0].tolist() for _ in range(2))
    torch.manual_seed(3)
    assert next(iter(loader))[0].tolist() == first != second and sorted(first) == list(range(20))


def test_a_fast_batch_is_the_batch_of_single_samples():
    rows = TensorDataset(torch.randn(7, 3), torch.arange(7))
    fast = list(DataLoader(rows, 3))
    slow = list(DataLoader(rows, 3, collate_fn=lambda samples: default_collate(samples)))
    assert [[a.tolist() for a in batch] for batch in fast] == [[a.tolist() for a in batch] for batch in slow]


def test_parts_and_unions():
    first, second = random_split(range(10), [0.7, 0.3], generator=torch.Generator().manual_seed(0))
    assert len(first) == 7 and sorted([*first, *second]) == list(range(10))
    assert list(Subset("abcde", [3, 0])) == ["d", "a"]
    both = ConcatDataset(["ab", "cde"])
    assert [both[i] for i in range(5)] == list("abcde") and both[-1] == "e"
    with pytest.raises(ValueError, match="do not sum up to the 10 samples"):
        random_split(range(10), [3, 3])


def test_samplers():
    assert list(BatchSampler(SequentialSampler(range(3)), 2, False)) == [[0, 1], [2]]
    assert len(list(RandomSampler(range(4), replacement=True, num_samples=70))) == 70
    endless = iter(RandomSampler(range(4), replacement=True, num_samples=10**10))
    assert next(endless) in range(4)
    assert sorted(SubsetRandomSampler([5, 7])) == [5, 7]
    assert set(WeightedRandomSampler([0.0, 1.0], 20)) == {1}
    batches = list(DataLoader(range(4), batch_sampler=[[0, 3], [1]]))
    assert [batch.tolist() for batch in batches] == [[0, 3], [1]]


def test_streams_and_single_samples():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(range(5))

    assert [batch.tolist() for batch in DataLoader(Stream(), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert list(DataLoader([10, 20], batch_size=None)) == [10, 20]


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="a sampler or shuffle=True"):
        DataLoader(range(3), shuffle=True, sampler=SequentialSampler(range(3)))
    with pytest.raises(ValueError, match="batch_size must be a whole number above 0"):
        DataLoader(range(3), batch_size=0)
    with pytest.raises(ValueError, match="as many"):
        TensorDataset(torch.ones(2), torch.ones(3))
    with pytest.raises(TypeError, match="got NoneType"):
        default_collate([None])
