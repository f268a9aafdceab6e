"""A feed sends batches ahead in chunks; nobody can tell but the bus."""

import numpy as np
import pytest

from minigan import data
from minigan.errors import ConfigError
from minigan.runs import feed as module
from minigan.runs.feed import Feed

rng = np.random.default_rng(0)
PICTURES = data.ImageDataset("noise", rng.integers(0, 256, (23, 1, 4, 4), np.uint8), rng.integers(0, 3, 23))
DATASETS = {"pictures": PICTURES, "points": data.load("swiss-roll")}  # with labels, and without


def feed(name, batch_size=5, **options):
    return Feed(data.Loader(DATASETS[name], batch_size, 0), "cpu", **options)


def same(one, other):
    return np.array_equal(one.x, other.x) and (
        np.array_equal(one.labels, other.labels) if one.labels is not None else other.labels is None
    )


@pytest.mark.parametrize("name", DATASETS)
def test_the_batches_are_the_loaders(name):
    loader = data.Loader(DATASETS[name], 5, 0)
    assert all(same(batch, next(loader)) for batch, _ in zip(feed(name), range(150)))


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("taken", [0, 1, 63, 64, 65])
def test_its_state_is_that_of_a_loader_that_made_nothing_ahead(name, taken):
    ahead, loader = feed(name), data.Loader(DATASETS[name], 5, 0)
    for _ in range(taken):
        next(ahead), next(loader)
    assert ahead.state_dict() == loader.state_dict()
    again = feed(name)
    next(again)
    again.load_state_dict(ahead.state_dict())
    assert all(same(next(again), next(loader)) for _ in range(70))


def test_a_chunk_is_one_transfer_each_of_samples_and_labels(monkeypatch):
    sent = []
    monkeypatch.setattr(module, "to_device", lambda array, device: sent.append(array.shape) or array)
    batches = feed("pictures")
    for _ in range(module.MOST):
        next(batches)
    assert sent == [(module.MOST, 5, 1, 4, 4), (module.MOST, 5)]
    next(batches)
    assert len(sent) == 4


def test_large_batches_go_few_at_a_time(monkeypatch):
    sent = []
    monkeypatch.setattr(module, "to_device", lambda array, device: sent.append(len(array)) or array)
    monkeypatch.setattr(module, "CHUNK", 3 * 5 * 16 * 4)
    next(feed("pictures"))
    monkeypatch.setattr(module, "CHUNK", 1)
    next(feed("pictures"))
    assert sent[::2] == [3, 1]


def test_a_batch_is_checked_before_it_is_sent():
    def check(batch):
        raise ConfigError(f"label {batch.labels.max()}")

    with pytest.raises(ConfigError, match="label 2"):
        next(feed("pictures", check=check))
