"""Every test here has its own empty cache and no data folder: none depends on what this machine has downloaded."""

import gzip
import os

import numpy as np
import pytest

REAL = os.environ.get("MINIGAN_DATA")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder; no $MINIGAN_DATA; no proxy between us and the servers of the tests."""
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def real_data():
    """The folder with the real MNIST in its subfolder mnist; skips where there is none."""
    if not REAL or not os.path.isdir(os.path.join(REAL, "mnist")):
        pytest.skip("MINIGAN_DATA/mnist is not there: the real MNIST is needed")
    return os.path.abspath(REAL)


@pytest.fixture
def idx():
    """array -> the bytes of an IDX file, written here from the description of the format, not by minigan."""

    def encode(array):
        array = np.asarray(array, np.uint8)
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()

    return encode


@pytest.fixture
def tiny(idx):
    """file name -> IDX bytes of a data set of 5 and 3 pictures of 4 x 3 pixels."""
    rng = np.random.default_rng(0)
    return {
        f"{split}-{kind}-{form}-ubyte": idx(array)
        for split, n in (("train", 5), ("t10k", 3))
        for kind, form, array in (("images", "idx3", rng.integers(256, size=(n, 4, 3))), ("labels", "idx1", np.arange(n) % 10))
    }


@pytest.fixture
def write_tiny(tiny):
    """write_tiny(folder, spelling) puts the four files there; spelling: with {} for the name."""

    def write(folder, ending=".gz", dot=False):
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in tiny.items():
            name = name.replace("-idx", ".idx") if dot else name
            (folder / (name + ending)).write_bytes(gzip.compress(data) if ending == ".gz" else data)
        return folder

    return write
