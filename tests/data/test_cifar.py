"""CIFAR-10's binary files: pictures with their channels in order, found where they are, and refused when they are cut."""

import pytest

from minigan import data
from minigan.data import cifar
from minigan.data.kinds import Class, Pictures
from minigan.errors import ConfigError, DataError


@pytest.fixture
def put(tmp_path):
    """put(folder) writes the six files, 2 pictures each: label k and planes of red, green and blue."""

    def write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for k, name in enumerate((*cifar.FILES["train"], *cifar.FILES["test"])):
            rows = [bytes([label]) + b"".join(bytes([value]) * 1024 for value in (10 * k, 100, 200)) for label in (k, 9)]
            (folder / name).write_bytes(b"".join(rows))
        return folder

    return write


@pytest.mark.parametrize("inside", ["", "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin"])
def test_both_splits_from_where_they_are(tmp_path, put, inside):
    put(tmp_path / "d" / inside)
    train, test = (data.load("cifar10", split, data_dir=tmp_path / "d") for split in ("train", "test"))
    assert train.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9] and test.labels.tolist() == [5, 9]
    assert train.kinds == test.kinds == {"x": Pictures(3, 32, 32), "labels": Class(10)}
    assert train.images[2, :, 7, 9].tolist() == [10, 100, 200] and train.info["names"][9] == "truck"
    assert len(data.load("cifar10", data_dir=tmp_path / "d", size=3)) == 3
    with pytest.raises(ConfigError, match="size must be a whole number from 1 to 10"):
        data.load("cifar10", data_dir=tmp_path / "d", size=11)


def test_from_the_environment_and_the_cache(tmp_path, put, own_cache, monkeypatch):
    with pytest.raises(
        DataError, match=r"data_batch_1.bin is missing; get it from https://www.cs.toronto.edu/~kriz/cifar.html"
    ):
        data.load("cifar10")
    with pytest.raises(DataError, match=r"minigan does not download it; .*: missing.\nGet it from"):
        data.fetch("cifar10")
    put(own_cache / "cifar10")
    assert len(data.load("cifar10")) == 10 and all(status.startswith("ok: 2 pictures") for _, status in data.fetch("cifar10"))
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "mine"))
    put(tmp_path / "mine" / "cifar10")
    assert data.load("cifar10").info["source"] == str(tmp_path / "mine" / "cifar10")


@pytest.mark.parametrize(
    "harm, says",
    [
        (lambda c: c[:-1], "has 6145 bytes, which are not pictures of 3073"),
        (lambda c: b"", "has 0 bytes"),
        (lambda c: b"\x0a" + c[1:], "has the label 10"),
    ],
)
def test_a_damaged_file(tmp_path, put, harm, says):
    file = put(tmp_path) / "data_batch_3.bin"
    file.write_bytes(harm(file.read_bytes()))
    with pytest.raises(DataError, match=says):
        data.load("cifar10", data_dir=tmp_path)
    assert data.verify("cifar10", tmp_path)[2][1].startswith("damaged: ")


def test_a_folder_that_is_none(tmp_path):
    for call in (data.load, data.verify):
        with pytest.raises(DataError, match="nowhere does not exist; give --data-dir the folder with data_batch_1.bin"):
            call("cifar10", data_dir=tmp_path / "nowhere")
