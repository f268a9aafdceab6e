"""Arrays as data sets: what they mean is clear or they are refused, and nothing in a file is run."""

import io
import zipfile

import numpy as np
import pytest

from minigan import data
from minigan.data import array_data
from minigan.data.kinds import Class, Pictures, Points
from minigan.errors import ConfigError, DataError

BYTES = np.random.default_rng(0).integers(256, size=(30, 6, 5), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(256, size=(30, 3, 6, 5), dtype=np.uint8)


@pytest.mark.parametrize(
    "x, images",
    [
        (BYTES, BYTES[:, None]),
        (BYTES[:, None], BYTES[:, None]),
        (BYTES[..., None], BYTES[:, None]),
        (COLOUR, COLOUR),
        (COLOUR.transpose(0, 2, 3, 1), COLOUR),
        (BYTES / 255, BYTES[:, None]),
        (np.float32(COLOUR) / 127.5 - 1, COLOUR),
    ],
)
def test_pictures_in_every_form(x, images):
    dataset = data.arrays(x, test=x)
    np.testing.assert_array_equal(dataset.images, images)
    np.testing.assert_array_equal(dataset.test.images, images)
    assert dataset.kinds == {"x": Pictures(*images.shape[1:])}


@pytest.mark.parametrize(
    "x, says",
    [
        (BYTES * 1.0, "floats from 0 to 255.*if they go from 0 to 255, use"),
        (BYTES.astype(np.int64), "got int64; use x.astype"),
        (BYTES > 5, "got bool"),
        (BYTES / 255 - 0.1, r"floats from -0.1 to 0.9 may be meant for \[0, 1\] or \[-1, 1\]; clip"),
        (BYTES / -255.0, "may be meant for"),
        (np.full((3, 4, 4), np.nan), "floats from nan"),
        (BYTES[0, 0], r"got \(5,\)"),
        (np.zeros((4, 3, 9, 1), np.uint8), r"the channels of \(4, 3, 9, 1\) may be axis 1 or axis 3"),
        (BYTES[:0], r"got \(0, 6, 5\)"),
        (np.zeros((4, 2, 9, 9), np.uint8), "with 1 or 3 channels"),
        (np.full((5, 2), np.inf), "points are NaN or infinite"),
        (np.zeros((5, 7)), r"points \(N, 2\), got \(5, 7\)"),
    ],
)
def test_what_could_mean_two_things_or_none_is_refused(x, says):
    with pytest.raises(DataError, match=says) as error:
        data.arrays(x)
    assert str(error.value).count("\n") == 0


def test_points_and_labels():
    x = np.random.default_rng(0).standard_normal((50, 2))
    dataset = data.arrays(x, np.arange(50)[:, None] % 4)
    assert dataset.kinds == {"x": Points(2), "labels": Class(4)} == dataset.test.kinds
    out = array_data.held_out(50)
    np.testing.assert_array_equal(dataset.test[:].x, x[out].astype(np.float32))
    np.testing.assert_array_equal(dataset[:].labels, (np.arange(50) % 4)[~out])
    assert dataset[3].x.shape == (1, 2) and len(dataset) + len(dataset.test) == 50
    batch = next(data.Loader(dataset, 8, 0))
    assert batch.x.shape == (8, 2) and batch.x.dtype == np.float32 and batch.labels.dtype == np.int64
    for labels in (np.arange(49), np.arange(50) / 2, np.arange(50) - 1, np.arange(50) * 1000):
        with pytest.raises(DataError, match="label"):
            data.arrays(x, labels)


@pytest.mark.parametrize("n", [2, 3, 10, 100, 10_000])
def test_a_tenth_is_held_out_and_evenly_of_classes_in_turn(n):
    out = array_data.held_out(n)
    assert 1 <= out.sum() <= n / 10 + 1 and np.array_equal(array_data.held_out(2 * n)[:n], out)
    if n >= 1000:
        assert np.abs(np.bincount(np.arange(n)[out] % 10, minlength=10) - n / 100).max() <= 0.1 * n / 100


# ------------------------------------------------------------------------------------------ files


def load(path):
    return [data.folder(path, split) for split in ("train", "test")]


@pytest.mark.parametrize("x, labels", [("images", "labels"), ("x", "y"), ("data", "targets"), ("arr_0", "arr_1")])
def test_an_npz_by_the_names_of_its_arrays(tmp_path, x, labels):
    np.savez_compressed(tmp_path / "my.npz", **{x: BYTES, labels: np.arange(30) % 3})
    for path in (tmp_path / "my.npz", tmp_path):
        train, test = load(path)
        everything = np.concatenate([train.images, test.images])
        np.testing.assert_array_equal(np.sort(everything, axis=0), np.sort(BYTES[:, None], axis=0))
        assert (train.name, train.split, test.split, train.classes) == ("folder", "train", "test", 3)
        assert train.info["content"]["files"] == 1 and train.info["content"] == test.info["content"]


@pytest.mark.parametrize(
    "names", [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")]
)
def test_an_npz_with_both_splits(tmp_path, names):
    values = BYTES, np.zeros(30, np.uint8), BYTES[:4], np.full((4, 1), 6)
    np.savez(tmp_path / "my.npz", **dict(zip(names, values)))
    train, test = load(tmp_path / "my.npz")
    assert len(train) == 30 and len(test) == 4 and train.classes == test.classes == 7


def test_npy_files(tmp_path):
    np.save(tmp_path / "cloud.npy", np.random.default_rng(0).standard_normal((40, 2)))
    assert load(tmp_path / "cloud.npy")[0].kinds == load(tmp_path)[0].kinds == {"x": Points(2)}
    (tmp_path / "cloud.npy").rename(tmp_path / "points.npy")
    np.save(tmp_path / "labels.npy", np.arange(40) % 2)
    train, _ = load(tmp_path)
    assert train.classes == 2 and train.info["content"]["files"] == 2


def test_samples_that_minigan_wrote_are_data_again(tmp_path):
    np.savez(tmp_path / "s.npz", images=np.float32(COLOUR) / 127.5 - 1, labels=np.arange(30))
    np.testing.assert_array_equal(data.folder(tmp_path / "s.npz").images, COLOUR[~array_data.held_out(30)])


def header(text, body=b""):
    text = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


LYING = "{'descr': '|u1', 'fortran_order': False, 'shape': (%s,), }"


@pytest.mark.parametrize(
    "content, says",
    [
        (header(LYING % "30, 1000000, 6"), "promises 180,000,000 bytes, and its file holds 128"),
        (header(LYING % "30, 1000000, 1000000"), "promises 30,000,000,000,000 bytes, and its file holds 128"),
        (b"\x93NUMPY\x01\x00", "cannot be read"),
        (b"hello", "cannot be read"),
        (header("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", b"x" * 50), "Python objects, which are not read"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", b"x"), r"points \(N, 2\), got \(\)"),
    ],
)
def test_an_array_that_lies_or_would_run_code(tmp_path, content, says):
    (tmp_path / "x.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "y.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", content)
    for name in ("x.npy", "y.npz"):
        with pytest.raises(DataError, match=says):
            data.folder(tmp_path / name)


def test_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    file = io.BytesIO()
    np.save(file, np.array([Trap(), Trap()], dtype=object), allow_pickle=True)
    (tmp_path / "x.npy").write_bytes(file.getvalue())
    with pytest.raises(DataError, match="unpickling can run code"):
        data.folder(tmp_path / "x.npy")
    assert not (tmp_path / "sprung").exists()


def test_files_that_are_not_clear(tmp_path):
    np.savez(tmp_path / "a.npz", weights=BYTES, bias=BYTES)
    with pytest.raises(DataError, match=r"none of its arrays \(bias, weights\) is called images, points or x"):
        data.folder(tmp_path)
    np.savez(tmp_path / "b.npz", x=BYTES, y=np.zeros(29, int))
    with pytest.raises(DataError, match=r"b.npz: 30 samples need as many labels, whole numbers from 0, got int64 \(29,\)"):
        data.folder(tmp_path / "b.npz")
    np.savez(tmp_path / "b.npz", x=BYTES)
    with pytest.raises(DataError, match=r"several files of arrays \(a.npz, b.npz\); give --data-dir the one"):
        data.folder(tmp_path)
    (tmp_path / "c.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"c.npz: cannot be read as .npz"):
        data.folder(tmp_path / "c.npz")
    with pytest.raises(ConfigError, match="holds arrays, which are taken as they are; leave out size"):
        data.folder(tmp_path / "b.npz", size=8)
