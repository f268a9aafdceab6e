"""filled-outline: an exact transformation of drawings, two halves that share no drawing, the same bits every time."""

import numpy as np
import pytest

import minigan.data as data
from minigan.data import pairs
from minigan.errors import ConfigError


@pytest.fixture
def drawn():
    """The 40 digits that 20 rows are made of."""
    return data.load("digits", size=40)


@pytest.fixture
def train():
    return data.load("filled-outline", size=20)


def rows(images):
    """Each picture as bytes, to be found in a set."""
    return [picture.tobytes() for picture in images]


def test_the_outline_of_a_square_is_the_rim_around_it():
    square = np.zeros((1, 1, 6, 6), np.uint8)
    square[0, 0, 2:4, 2:4] = 200
    rim = np.zeros((6, 6), np.uint8)
    rim[1:5, 1:5] = 200
    rim[2:4, 2:4] = 0
    assert np.array_equal(pairs.outline(square)[0, 0], rim)
    assert square.max() == 200 and square.sum() == 800  # the square itself is left alone


def test_the_outline_of_grey_is_its_largest_rise_and_the_border_is_no_ink():
    slope = np.array([[[[10, 10, 30], [10, 20, 30]]]], np.uint8)
    assert pairs.outline(slope).tolist() == [[[[10, 20, 0], [10, 10, 0]]]]
    assert not pairs.outline(np.full((1, 1, 4, 4), 255, np.uint8)).any()


def test_channel_0_is_filled_and_channel_1_outlines_of_the_other_half(train, drawn):
    assert train.images.shape == (20, 2, 28, 28) and train.images.dtype == np.uint8 and train.sample_shape == (2, 28, 28)
    filled, outlined = rows(train.images[:, :1]), rows(train.images[:, 1:])
    at = [rows(drawn.images).index(picture) for picture in filled]
    of = [rows(pairs.outline(drawn.images)).index(picture) for picture in outlined]
    assert sorted(at + of) == list(range(40))  # each drawing is used once: no row has what another row's outline was made of
    assert train.labels.tolist() == drawn.labels[at].tolist()
    assert train.info["outline_labels"].tolist() == drawn.labels[of].tolist()


def test_labels_of_the_two_channels_have_nothing_to_do_with_each_other():
    train = data.load("filled-outline", size=1000)
    assert abs(np.mean(train.labels == train.info["outline_labels"]) - 0.1) < 0.03  # 3 standard deviations


def test_only_the_test_split_knows_the_true_pairs(train):
    test = data.load("filled-outline", "test", size=20)
    assert np.array_equal(test.info["outlines"], pairs.outline(test.images[:, :1]))
    assert np.array_equal(pairs.outline(test.info["fillings"]), test.images[:, 1:])
    assert not {"outlines", "fillings"} & set(train.info)


def test_the_same_seed_gives_the_same_rows_and_another_gives_others(train):
    assert np.array_equal(train.images, data.load("filled-outline", size=20).images)
    assert not np.array_equal(train.images, data.load("filled-outline", size=20, seed=1).images)


def test_the_default_sizes_are_half_of_the_digits(monkeypatch):
    asked = []

    def load(split, seed, size):
        asked.append((split, seed, size))
        return data.ImageDataset(
            "digits",
            np.zeros((size, 1, 28, 28), np.uint8),
            np.zeros(size, int),
            info={"source": "", "cache": "", "content": {}},
        )

    monkeypatch.setattr(pairs.digits, "load", load)
    assert [len(data.load("filled-outline", split)) for split in data.SPLITS] == [10_000, 1_000]
    assert asked == [("train", 0, 20_000), ("test", 0, 2_000)]  # what `digits` has in its cache


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
def test_a_size_that_cannot_be_is_refused(size):
    with pytest.raises(ConfigError, match="filled-outline: size must be a whole number of at least 1, got"):
        data.load("filled-outline", size=size)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="filled-outline: is drawn, not read from files"):
        data.load("filled-outline", data_dir=tmp_path)
