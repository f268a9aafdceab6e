"""Data sets scale only what is asked; a Loader that is stopped and resumed yields the same bits."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigan.data as data
from minigan.data import Batch, ImageDataset, Loader, PointDataset, batches
from minigan.errors import CheckpointError, ConfigError, DataError


def pictures(n=10, split="train"):
    """n pictures of 1 x 2 x 3 pixels, picture i with label i and every pixel i."""
    images = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 1, 2, 3)).copy()
    return ImageDataset("toy", images, np.arange(n), split=split)


def test_every_byte_maps_to_the_nearest_float32_of_x_over_127_5_minus_1():
    bytes_ = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1)
    x, labels = ImageDataset("bytes", bytes_)[:]
    assert x.dtype == np.float32 and labels is None
    assert x[0].item() == -1 and x[255].item() == 1
    np.testing.assert_allclose(x.ravel(), np.arange(256) / 127.5 - 1, rtol=0, atol=1.2e-7)  # one ulp at 2
    assert np.array_equal(np.rint((x.ravel() + 1) * 127.5), np.arange(256))


@pytest.mark.parametrize(
    "indices, expected",
    [(slice(2, 5), [2, 3, 4]), ([7, 0, 7], [7, 0, 7]), (3, [3]), (-1, [9]), (np.array([1, 8]), [1, 8]), (np.int64(4), [4])],
)
def test_a_batch_holds_the_rows_asked_for_with_their_labels(indices, expected):
    batch = pictures()[indices]
    assert isinstance(batch, Batch) and batch.x.shape == (len(expected), 1, 2, 3)
    assert batch.labels.dtype == np.int64 and batch.labels.tolist() == expected
    np.testing.assert_allclose(batch.x[:, 0, 1, 2], np.array(expected) / 127.5 - 1, atol=1.2e-7)


def test_a_batch_may_be_changed_without_changing_the_data():
    dataset = pictures()
    batch = dataset[2:4]
    batch.x[:] = 0
    assert dataset.images[2].max() == 2 and dataset[2:4].x[0, 0, 0, 0] < 0


def test_what_a_data_set_says_of_itself():
    dataset = pictures()
    assert (len(dataset), dataset.sample_shape, dataset.classes, dataset.split) == (10, (1, 2, 3), 10, "train")
    assert ImageDataset("toy", dataset.images).classes is None
    assert ImageDataset("toy", dataset.images, np.zeros(10, int), classes=7).classes == 7
    assert "toy" in repr(dataset) and "10" in repr(dataset) and len(repr(dataset)) < 120


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (np.zeros((3, 1, 2, 2), np.float32), None, "uint8 array .* got float32"),
        (np.zeros((3, 2, 2), np.uint8), None, r"\(3, 2, 2\)"),
        (np.zeros((0, 1, 2, 2), np.uint8), None, "a uint8 array .* that is not empty"),
        (np.zeros((3, 1, 2, 2), np.uint8), np.zeros(2, int), "3 images need 3 integer labels"),
        (np.zeros((3, 1, 2, 2), np.uint8), np.zeros(3), "integer labels, got float64"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(images, labels, message):
    with pytest.raises(DataError, match=message):
        ImageDataset("toy", images, labels)


def test_each_epoch_yields_every_row_once_in_a_new_order_and_drops_the_rest():
    loader = Loader(pictures(11), 3, np.random.default_rng(0))
    epochs = [np.concatenate([next(loader).labels for _ in range(3)]) for _ in range(20)]
    assert all(len(set(epoch)) == 9 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 20
    assert set(np.concatenate(epochs)) == set(range(11))  # the two left out are not always the same


def test_an_epoch_that_the_batch_size_divides_drops_nothing():
    loader = Loader(pictures(12), 4, 0)
    for _ in range(5):
        assert sorted(np.concatenate([next(loader).labels for _ in range(3)])) == list(range(12))


def test_a_batch_as_large_as_the_data_is_a_permutation_of_it():
    loader = Loader(pictures(6), 6, 0)
    assert sorted(next(loader).labels) == sorted(next(loader).labels) == list(range(6))


def test_all_orders_of_three_rows_are_equally_likely():
    loader = Loader(pictures(3), 3, 0)
    orders, counts = np.unique([next(loader).labels for _ in range(6000)], axis=0, return_counts=True)
    assert len(orders) == 6 and abs(counts - 1000).max() < 5 * np.sqrt(1000 * 5 / 6)


def test_pictures_and_labels_stay_together():
    for _, batch in zip(range(10), Loader(pictures(20), 7, 1)):
        np.testing.assert_allclose(batch.x[:, 0, 0, 0], batch.labels / 127.5 - 1, atol=1.2e-7)


def test_a_seed_and_a_generator_of_that_seed_are_the_same():
    a, b = Loader(pictures(), 4, 5), Loader(pictures(), 4, np.random.default_rng(5))
    assert all(np.array_equal(next(a).labels, next(b).labels) for _ in range(7))
    assert not np.array_equal(next(Loader(pictures(), 10, 6)).labels, next(Loader(pictures(), 10, 7)).labels)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 12), batch_size=st.integers(1, 12), before=st.integers(0, 25), seed=st.integers(0, 9))
def test_resuming_gives_the_same_bits_as_never_stopping(n, batch_size, before, seed):
    batch_size = min(batch_size, n)
    straight = Loader(pictures(n), batch_size, seed)
    for _ in range(before):
        next(straight)
    state = json.loads(json.dumps(straight.state_dict()))  # what a checkpoint does to it
    resumed = Loader(pictures(n), batch_size, 12345)
    next(resumed)  # whatever it did before is forgotten
    resumed.load_state_dict(state)
    for _ in range(2 * n + 2):
        want, got = next(straight), next(resumed)
        assert np.array_equal(want.labels, got.labels) and np.array_equal(want.x, got.x)
    assert resumed.state_dict() == straight.state_dict()


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64, np.random.MT19937])
@pytest.mark.parametrize("dataset", [pictures(9), data.load("ring8"), data.load("swiss-roll")], ids=lambda d: d.name)
def test_resuming_works_for_points_too_and_for_every_generator_of_numpy(dataset, kind):
    straight = Loader(dataset, 4, np.random.Generator(kind(1)))
    for _ in range(5):
        next(straight)
    state = json.loads(json.dumps(straight.state_dict()))
    resumed = Loader(dataset, 4, np.random.Generator(kind(2)))
    assert not np.array_equal(next(resumed).x, next(straight).x)
    resumed.load_state_dict(state)
    straight.load_state_dict(state)
    assert all(np.array_equal(next(straight).x, next(resumed).x) for _ in range(10))


def test_a_state_is_a_snapshot_that_later_batches_do_not_change():
    loader = Loader(pictures(), 3, np.random.Generator(np.random.MT19937(0)))
    next(loader)
    state = loader.state_dict()
    before = json.dumps(state)
    for _ in range(10):
        next(loader)
    assert json.dumps(state) == before


def test_taking_a_state_does_not_disturb_the_order():
    a, b = Loader(pictures(), 4, 0), Loader(pictures(), 4, 0)
    for _ in range(9):
        a.state_dict()
        assert np.array_equal(next(a).labels, next(b).labels)


@pytest.mark.parametrize(
    "other, message",
    [
        (lambda: Loader(pictures(9), 3, 0), "has size 10, this loader 9"),
        (lambda: Loader(pictures(), 4, 0), "has batch_size 3, this loader 4"),
        (lambda: Loader(data.load("ring8"), 3, 0), "has dataset 'toy', this loader 'ring8'"),
        (lambda: Loader(pictures(), 3, np.random.Generator(np.random.Philox(0))), "does not fit a Philox generator"),
    ],
)
def test_a_state_of_something_else_is_refused(other, message):
    loader = Loader(pictures(), 3, 0)
    next(loader)
    with pytest.raises(CheckpointError, match=message):
        other().load_state_dict(loader.state_dict())


def test_a_state_with_a_missing_part_names_it():
    loader = Loader(pictures(), 3, 0)
    state = loader.state_dict()
    del state["rng"]
    with pytest.raises(CheckpointError, match="lacks rng"):
        loader.load_state_dict(state)


def test_a_batch_larger_than_the_data_is_refused_with_both_numbers():
    with pytest.raises(ConfigError, match=r"toy: a batch of 11 is too large, the test split has 10 .* at most 10"):
        Loader(pictures(10, split="test"), 11, 0)


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "8", None])
def test_a_batch_size_that_is_not_a_positive_whole_number_is_refused(size):
    for make in (
        lambda: Loader(pictures(), size, 0),
        lambda: batches(pictures(), size),
        lambda: data.load("ring8").sample(size, 0),
    ):
        with pytest.raises(ConfigError, match="whole number of at least 1"):
            make()


def test_one_pass_keeps_the_order_and_the_last_partial_batch():
    got = list(batches(pictures(10), 4))
    assert [len(batch.x) for batch in got] == [4, 4, 2]
    assert np.concatenate([batch.labels for batch in got]).tolist() == list(range(10))


def test_there_is_no_pass_over_a_density():
    with pytest.raises(ConfigError, match=r"ring8: .*dataset\.sample"):
        batches(data.load("ring8"), 4)


def test_a_loader_of_points_draws_fresh_ones_from_its_generator():
    loader = Loader(data.load("grid25"), 64, 3)
    a, b = next(loader), next(loader)
    assert a.x.shape == (64, 2) and a.x.dtype == np.float32 and a.labels.dtype == np.int64
    assert not np.isin(a.x, b.x).any()
    assert np.array_equal(a.x, data.load("grid25").sample(64, np.random.default_rng(3)).x)


def test_a_point_data_set_has_no_length():
    assert isinstance(data.load("ring8"), PointDataset)
    with pytest.raises(TypeError):
        len(data.load("ring8"))
