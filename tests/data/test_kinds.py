"""Kinds: what each field of a batch is, said by the data set and kept as text in a run's config.toml."""

import numpy as np
import pytest

from minigan import data
from minigan.data.kinds import KINDS, Caption, Class, Description, Mask, Pair, Pictures, Points, Tokens, parse
from minigan.errors import ConfigError, DataError

EVERY = [
    Pictures(1, 28, 28),
    Pictures(3, 32, 48),
    Points(2),
    Tokens(30, 10),
    Caption(50, 7),
    Class(10),
    Mask(28, 28),
    Pair(Pictures(1, 28, 28), Pictures(3, 28, 28)),
    Pair(Pictures(1, 8, 8), Pictures(1, 8, 8), aligned=True),
]


@pytest.mark.parametrize("kind", EVERY, ids=str)
def test_a_kind_is_read_back_from_its_text(kind):
    assert parse(str(kind)) == kind


def test_every_kind_is_tried_above():
    assert {type(kind) for kind in EVERY} == {*KINDS.values(), Pair}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pictures",
        "pictures 28x28",
        "pictures 1x28x28x1",
        "points x",
        "class 0",
        "classes 10",
        "tokens 3",
        "unaligned pictures 1x2x2",
        "pictures 1x28xa",
        "points -2",
    ],
)
def test_another_text_is_refused(text):
    with pytest.raises(ConfigError, match="is no kind of data"):
        parse(text)


@pytest.mark.parametrize("name", data.names())
def test_each_data_set_tells_the_truth_about_its_batches(name, mnist_like):
    dataset = mnist_like(name)
    batch = next(data.Loader(dataset, 4, 0))
    assert set(dataset.kinds) == {field for field, value in batch._asdict().items() if value is not None}
    for field, kind in dataset.kinds.items():
        value = getattr(batch, field)
        assert value.shape == (4, *kind.shape)
        assert value.dtype == kind.dtype
    assert dataset.sample_shape == dataset.kinds["x"].shape
    assert dataset.description == Description(name, dataset.kinds)
    assert dataset.description.classes == dataset.classes


@pytest.fixture
def mnist_like(monkeypatch):
    """data.load, with drawn pictures in the place of files."""

    def load(name):
        if name in (*data.mnist.MIRRORS, "cifar10", "folder"):
            return data.ImageDataset(name, np.zeros((8, 1, 28, 28), np.uint8), np.arange(8))
        return data.load(name, **({} if name in data.points.DENSITIES else {"size": 8}))

    return load


def test_a_pair_is_taken_apart():
    kind = Pair(Pictures(1, 2, 2), Pictures(3, 2, 2))
    x = np.arange(2 * 4 * 4, dtype=np.float32).reshape(2, *kind.shape)
    a, b = kind.split(x)
    assert a.shape == (2, 1, 2, 2) and b.shape == (2, 3, 2, 2)
    np.testing.assert_array_equal(np.concatenate([a, b], axis=1), x)


def test_two_channels_are_no_pair_unless_the_data_set_says_so():
    assert data.ImageDataset("mine", np.zeros((4, 2, 8, 8), np.uint8)).kinds == {"x": Pictures(2, 8, 8)}
    assert isinstance(data.load("filled-outline", size=4).kinds["x"], Pair)


def test_a_kind_that_does_not_fit_the_pictures_is_refused():
    with pytest.raises(DataError, match="mine: each image has the shape"):
        data.ImageDataset("mine", np.zeros((4, 1, 8, 8), np.uint8), kind=Pictures(1, 8, 9))
