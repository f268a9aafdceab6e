"""IDX files are read right or refused in one clear sentence; downloads are checked, kept, and never swapped."""

import gzip
import hashlib
import http.server
import io
import os
import threading

import numpy as np
import pytest

import minigan.data as data
from minigan.data import mnist
from minigan.errors import ConfigError, DataError

IMAGES, LABELS = mnist.FILES["train"]


class Mirror:
    """A web server on 127.0.0.1 that serves `files` (path -> bytes), and remembers what it was asked for."""

    def __init__(self):
        self.files, self.asked, self.promise = {}, [], 0
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.asked.append(self.path)
                body = mirror.files.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"") + mirror.promise))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mirror(tiny):
    mirror = Mirror()
    mirror.files = {f"/{name}.gz": gzip.compress(content) for name, content in tiny.items()}
    yield mirror
    mirror.close()


@pytest.fixture
def sha256(tiny):
    return {name: hashlib.sha256(content).hexdigest() for name, content in tiny.items()}


def message(error) -> str:
    """The error's text, which is one or two lines and says what to do."""
    text = str(error.value)
    assert text.count("\n") <= 1 and text.startswith(("mnist: ", "fashion-mnist: ", os.sep))
    return text


# ------------------------------------------------------------------------------------------ files of the user


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("dot", [False, True])
@pytest.mark.parametrize("subfolder", ["", "mnist"])
def test_every_spelling_is_read_from_the_folder_or_its_subfolder(tmp_path, write_tiny, tiny, ending, dot, subfolder):
    write_tiny(tmp_path / "d" / subfolder, ending, dot)
    for split, n, name in (("train", 5, "train"), ("test", 3, "t10k")):
        dataset = data.load("mnist", split, data_dir=tmp_path / "d")
        assert dataset.images.shape == (n, 1, 4, 3) and dataset.images.dtype == np.uint8
        assert dataset.images.tobytes() == tiny[f"{name}-images-idx3-ubyte"][16:]
        assert dataset.labels.dtype == np.int64 and dataset.labels.tolist() == list(range(n))
        assert (dataset.classes, dataset.split, dataset.name) == (10, split, "mnist")
        assert dataset.info["source"] == str(tmp_path / "d" / subfolder).rstrip("/")


def test_the_folder_named_after_the_data_set_comes_first(tmp_path, write_tiny, idx):
    write_tiny(tmp_path)
    write_tiny(tmp_path / "fashion-mnist", ending="")
    (tmp_path / "fashion-mnist" / LABELS).write_bytes(idx([9, 9, 9, 9, 9]))
    assert data.load("fashion-mnist", data_dir=tmp_path).labels.tolist() == [9] * 5
    assert data.load("mnist", data_dir=tmp_path).labels.tolist() == [0, 1, 2, 3, 4]


def test_the_environment_names_the_parent_folder(tmp_path, write_tiny, monkeypatch):
    write_tiny(tmp_path / "mnist")
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    assert data.load("mnist").info["source"] == str(tmp_path / "mnist")


def test_data_dir_goes_before_the_environment(tmp_path, write_tiny, monkeypatch):
    write_tiny(tmp_path / "env" / "mnist")
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "env"))
    assert data.load("mnist", data_dir=write_tiny(tmp_path / "arg")).info["source"] == str(tmp_path / "arg")


def test_a_gz_name_with_raw_content_is_read(tmp_path, write_tiny, tiny):
    write_tiny(tmp_path, ending="")
    (tmp_path / IMAGES).rename(tmp_path / f"{IMAGES}.gz")  # browsers unpack and keep the name
    assert len(data.load("mnist", data_dir=tmp_path)) == 5


def test_size_takes_the_first_and_classes_follow_higher_labels(tmp_path, write_tiny, idx):
    write_tiny(tmp_path, ending="")
    (tmp_path / LABELS).write_bytes(idx([4, 3, 2, 1, 25]))
    dataset = data.load("mnist", data_dir=tmp_path, size=2)
    assert dataset.labels.tolist() == [4, 3] and dataset.classes == 26
    for size in (0, 6, 1.5, True):
        with pytest.raises(ConfigError, match=r"mnist \(train\): size must be a whole number from 1 to 5"):
            data.load("mnist", data_dir=tmp_path, size=size)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(DataError) as error:
        data.load("mnist", data_dir=tmp_path / "nowhere")
    assert f"{tmp_path / 'nowhere'} does not exist; give --data-dir" in message(error)


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError) as error:
        data.load("mnist", data_dir=tmp_path / "file")
    assert f"{tmp_path / 'file'} is not a folder" in message(error)


def test_an_empty_folder_is_not_replaced_by_a_download_or_the_cache(tmp_path, mirror, sha256, monkeypatch, write_tiny):
    mnist.fetch("mnist", mirrors=[mirror.address], sha256=sha256)
    write_tiny(tmp_path / "env" / "mnist")
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path / "env"))
    (tmp_path / "empty").mkdir()
    mirror.asked.clear()
    with pytest.raises(DataError) as error:
        mnist.load("mnist", "train", tmp_path / "empty", mirrors=[mirror.address], sha256=sha256)
    assert f"neither {tmp_path / 'empty'} nor its subfolder mnist has {IMAGES} and {LABELS}" in message(error)
    assert "leave --data-dir out" in message(error) and mirror.asked == []


@pytest.mark.parametrize("gone", [IMAGES, LABELS])
def test_one_file_of_two(tmp_path, write_tiny, gone, monkeypatch):
    (write_tiny(tmp_path / "mnist") / f"{gone}.gz").unlink()
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    for folder in (tmp_path, None):
        with pytest.raises(DataError, match=f"only one of the two train files, {gone} is missing; put it there"):
            data.load("mnist", data_dir=folder)
    assert len(data.load("mnist", "test", data_dir=tmp_path)) == 3


def page(content):
    return b"<!DOCTYPE html><html><title>404</title></html>"


DAMAGE = {
    "a gzip cut short": (".gz", lambda c: gzip.compress(c)[:-12], "gzip data are cut short or damaged"),
    "a gzip cut after two bytes": (".gz", lambda c: gzip.compress(c)[:2], "gzip data are cut short or damaged"),
    "a gzip with a wrong checksum": (".gz", lambda c: gzip.compress(c)[:-8] + b"\0" * 8, "cut short or damaged .*CRC"),
    "a gzip with damaged data": (".gz", lambda c: gzip.compress(c)[:10] + b"\xff" * 40, "cut short or damaged"),
    "a web page called gz": (".gz", page, "is a web page, not IDX data"),
    "a web page in a gzip": (".gz", lambda c: gzip.compress(page(c)), "is a web page, not IDX data"),
    "a web page after white space": ("", lambda c: b"\n\n  " + page(c), "is a web page, not IDX data"),
    "an empty file": ("", lambda c: b"", "starts with nothing, but the magic number of IDX images is 00000803"),
    "another magic number": ("", lambda c: b"\0\0\x08\x04" + c[4:], "starts with 00000804, but the magic number"),
    "floats": ("", lambda c: b"\0\0\x0d\x03" + c[4:], "starts with 00000d03"),
    "a PNG": ("", lambda c: b"\x89PNG\r\n", "starts with 89504e47"),
    "little-endian": ("", lambda c: b"\x03\x08\0\0" + c[4:], "starts with 03080000"),
    "a header cut short": ("", lambda c: c[:10], "is cut short: .* 5 x 0 x 0, which is 16 bytes in all, but it has 10"),
    "a raw file cut short": ("", lambda c: c[:-1], "is cut short: .* 5 x 4 x 3, which is 76 bytes in all, but it has 75"),
    "bytes left over": ("", lambda c: c + b"\0", "is too long: .* 5 x 4 x 3, which is 76 bytes in all, but it has 77"),
    "a header whose product is 0 in 64 bits": (
        "",
        lambda c: c[:4] + b"\x80\0\0\0" * 2 + b"\0\0\0\4",
        "cut short: .* 18446744073709551632 bytes in all",
    ),
    "a header of 2**96 bytes": ("", lambda c: c[:4] + b"\xff" * 12 + c[16:], "cut short: .*4294967295 x 4294967295"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_with_what_is_wrong_and_what_to_do(tmp_path, write_tiny, tiny, damage):
    ending, harm, says = DAMAGE[damage]
    file = write_tiny(tmp_path, ending) / (IMAGES + ending)
    file.write_bytes(harm(tiny[IMAGES]))
    for read in (lambda: data.load("mnist", data_dir=tmp_path), lambda: mnist.read_idx(file)):
        with pytest.raises(DataError, match=says) as error:
            read()
        assert message(error).startswith(f"{file}: ") and "get the file again" in message(error)
    [status] = [status for name, status in data.verify("mnist", tmp_path) if name == str(file)]
    assert status.startswith("damaged: ")
    assert len(data.load("mnist", "test", data_dir=tmp_path)) == 3  # the other split is whole


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        mnist.read_idx(tmp_path)
    with pytest.raises(DataError, match=r"absent: cannot be read \(No such file"):
        mnist.read_idx(tmp_path / "absent")


def test_counts_that_differ(tmp_path, write_tiny, idx):
    (write_tiny(tmp_path, "") / LABELS).write_bytes(idx([1, 2, 3]))
    with pytest.raises(DataError) as error:
        data.load("mnist", data_dir=tmp_path)
    assert f"5 images but 3 labels in {tmp_path}; put" in message(error)


def test_images_and_labels_swapped(tmp_path, write_tiny, tiny):
    write_tiny(tmp_path, "")
    (tmp_path / IMAGES).write_bytes(tiny[LABELS])
    with pytest.raises(DataError, match=r"holds labels \(magic number 00000801\) under the name of images"):
        data.load("mnist", data_dir=tmp_path)
    (tmp_path / IMAGES).write_bytes(tiny[IMAGES])
    (tmp_path / LABELS).write_bytes(tiny[IMAGES])
    with pytest.raises(DataError, match=r"holds images \(magic number 00000803\) under the name of labels"):
        data.load("mnist", data_dir=tmp_path)


@pytest.mark.parametrize("n, side", [(0, 28), (5, 0)])
def test_no_picture_at_all(tmp_path, write_tiny, idx, n, side):
    write_tiny(tmp_path, "")
    (tmp_path / IMAGES).write_bytes(idx(np.zeros((n, side, side))))
    (tmp_path / LABELS).write_bytes(idx(np.zeros(n)))
    with pytest.raises(DataError, match="holds no picture"):
        data.load("mnist", data_dir=tmp_path)


# ------------------------------------------------------------------------------------------ downloads


def test_a_download_is_read_kept_and_not_repeated(mirror, sha256, tiny, own_cache):
    first = mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    assert first.images.tobytes() == tiny[IMAGES][16:] and first.info["source"].startswith(mirror.address)
    assert sorted(mirror.asked) == [f"/{IMAGES}.gz", f"/{LABELS}.gz"]
    second = mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    assert np.array_equal(first.images, second.images) and second.info["source"].startswith(str(own_cache))
    assert len(mirror.asked) == 2
    assert sorted(path.name for path in own_cache.rglob("*.*")) == [f"{IMAGES}.gz", f"{LABELS}.gz"]


def test_a_download_makes_no_noise_when_stderr_is_no_terminal(mirror, sha256, capfd):
    mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    assert capfd.readouterr() == ("", "")


def test_a_digest_of_the_gz_file_is_as_good_as_one_of_the_content(mirror):
    of_files = {path[1:-3]: hashlib.sha256(body).hexdigest() for path, body in mirror.files.items()}
    assert len(mnist.load("fashion-mnist", mirrors=[mirror.address], sha256=of_files)) == 5


@pytest.mark.parametrize(
    "wrong, says",
    [
        (None, "HTTP Error 404"),
        (page(None), "is a web page, not IDX data"),
        (gzip.compress(b"\0\0\x08\x03", mtime=0)[:-4], "cut short or damaged"),
        (gzip.compress(bytes([0, 0, 8, 3, *3 * [0, 0, 0, 1], 7]), mtime=0), "SHA-256 is not that of the published"),
    ],
)
def test_the_next_mirror_is_asked_when_one_gives_nothing_good(mirror, sha256, tiny, own_cache, wrong, says):
    bad = Mirror()
    try:
        bad.files = dict(mirror.files)
        bad.files[f"/{IMAGES}.gz"] = wrong
        good = mnist.load("mnist", mirrors=[bad.address, mirror.address], sha256=sha256)
        assert good.images.tobytes() == tiny[IMAGES][16:]
        assert f"/{IMAGES}.gz" in bad.asked and mirror.asked == [f"/{IMAGES}.gz"]
        for path in own_cache.rglob("*.gz"):
            path.unlink()
        with pytest.raises(DataError) as error:
            mnist.load("mnist", mirrors=[bad.address], sha256=sha256)
        assert says in message(error) and f"{bad.address}{IMAGES}.gz" in message(error)
        assert list(own_cache.rglob("*.*")) == []  # nothing bad is kept
    finally:
        bad.close()


def test_a_connection_that_breaks_off_is_a_failure_of_that_mirror(mirror, sha256):
    mirror.promise = 1000  # more bytes promised than sent
    with pytest.raises(DataError, match=r"cut short or damaged|IncompleteRead") as error:
        mirror.files = {path: body[:-20] for path, body in mirror.files.items()}
        mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    assert mirror.address in message(error)


def test_an_https_address_that_leads_to_http_is_a_failure_of_that_mirror(sha256, monkeypatch):
    """urllib follows redirects; what arrives from the second address was not protected on its way."""

    class Answer(io.BytesIO):
        headers: dict = {}

        def geturl(self):
            return "http://mirror.example/file.gz"

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer(b"anything"))
    with pytest.raises(DataError, match="it leads to an address that is not https"):
        mnist.load("mnist", mirrors=["https://mirror.example/"], sha256=sha256)


def test_offline_says_where_it_looked_and_what_to_do(mirror, sha256, own_cache, monkeypatch, tmp_path):
    mirror.close()  # nobody listens at this address now
    for given, shown in ((None, "$MINIGAN_DATA (not set)"), (str(tmp_path), f"$MINIGAN_DATA ({tmp_path / 'mnist'})")):
        monkeypatch.delenv("MINIGAN_DATA", raising=False)
        if given:
            monkeypatch.setenv("MINIGAN_DATA", given)
        with pytest.raises(DataError) as error:
            mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
        text = message(error)
        assert f"cannot find or download {IMAGES}" in text and shown in text
        assert f"the cache {own_cache / 'mnist' / IMAGES}.gz" in text
        assert f"{mirror.address}{IMAGES}.gz: " in text and "refused" in text
        assert "--data-dir DIR" in text and "--data digits, which needs no download" in text


def test_an_address_that_is_none_is_a_failure_of_that_mirror(sha256):
    with pytest.raises(DataError, match="nonsense"):
        mnist.load("mnist", mirrors=["nonsense/"], sha256=sha256)


@pytest.mark.parametrize(
    "harm",
    [
        lambda raw: raw[:-5],
        lambda raw: b"",
        lambda raw: page(raw),
        lambda raw: gzip.compress(gzip.decompress(raw)[:-1] + b"\1"),
    ],
)
def test_a_damaged_file_in_the_cache_is_noticed_and_fetched_again(mirror, sha256, own_cache, harm, monkeypatch):
    want = mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    file = own_cache / "mnist" / f"{IMAGES}.gz"
    file.write_bytes(harm(file.read_bytes()))
    [status] = [status for name, status in mnist.verify("mnist", sha256=sha256) if name == str(file)]
    assert status.startswith("damaged: ")
    with pytest.raises(DataError, match=r"the cache \(.*train-images"):
        mnist.load("mnist", mirrors=[], sha256=sha256)  # not used when there is no other
    again = mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    assert np.array_equal(again.images, want.images)
    assert len(mnist.load("mnist", mirrors=[], sha256=sha256)) == 5


def test_an_unwritable_cache_still_gives_the_data_and_is_mentioned(mirror, sha256, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "file" / "below"))
    dataset = mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    assert len(dataset) == 5 and dataset.info["cache"].startswith("not written: ")
    with pytest.raises(DataError, match=r"could not be saved .*set \$MINIGAN_CACHE"):
        mnist.fetch("mnist", mirrors=[mirror.address], sha256=sha256)


def test_fetch_gets_all_four_files_once_and_verify_agrees(mirror, sha256, own_cache):
    assert mnist.verify("mnist", sha256=sha256) == [
        (str(own_cache / "mnist" / name), "missing") for pair in mnist.FILES.values() for name in pair
    ]
    report = mnist.fetch("mnist", mirrors=[mirror.address], sha256=sha256)
    assert [file for file, _ in report] == [name for pair in mnist.FILES.values() for name in pair]
    assert all(status == f"ok: {mirror.address}{file}.gz" for file, status in report) and len(mirror.asked) == 4
    again = mnist.fetch("mnist", mirrors=[mirror.address], sha256=sha256)
    assert all(status.startswith(f"ok: {own_cache}") for _, status in again) and len(mirror.asked) == 4
    statuses = [status for _, status in mnist.verify("mnist", sha256=sha256)]
    assert statuses == [
        "ok: 5 x 4 x 3, the published file",
        "ok: 5, the published file",
        "ok: 3 x 4 x 3, the published file",
        "ok: 3, the published file",
    ]


def test_the_two_data_sets_have_their_own_places_in_the_cache(mirror, sha256):
    mnist.load("mnist", mirrors=[mirror.address], sha256=sha256)
    with pytest.raises(DataError, match="fashion-mnist: cannot find or download train-images"):
        mnist.load("fashion-mnist", mirrors=[], sha256=sha256)


# ------------------------------------------------------------------------------------------ by name, and the real files


def test_verify_says_which_of_the_users_files_are_missing_or_their_own(tmp_path, write_tiny):
    write_tiny(tmp_path)
    (tmp_path / f"{LABELS}.gz").unlink()
    report = dict(data.verify("mnist", tmp_path))
    assert report[str(tmp_path / LABELS)] == "missing"
    assert report[str(tmp_path / f"{IMAGES}.gz")] == "ok: 5 x 4 x 3, not the published file, so it is your own data"
    (tmp_path / "empty").mkdir()
    assert [status for _, status in data.verify("mnist", tmp_path / "empty")] == ["missing"] * 4
    with pytest.raises(DataError, match="does not exist"):
        data.verify("mnist", tmp_path / "nowhere")


def test_names_splits_and_options_that_are_not_known():
    assert data.names() == list(data.DATASETS) and data.names()[0] == "digits"
    assert all("\n" not in line and 0 < len(line) < 110 for line in data.DATASETS.values())
    for call in (data.load, data.fetch, data.verify):
        with pytest.raises(ConfigError, match=r"unknown data set 'minst'; did you mean 'mnist'\?"):
            call("minst")
    with pytest.raises(ConfigError, match="unknown data set 'xyzzy'; known: digits, mnist, fashion-mnist, filled-outline"):
        data.load("xyzzy")
    with pytest.raises(ConfigError, match=r"digits: unknown split 'tset'; did you mean 'test'\?"):
        data.load("digits", "tset")


@pytest.mark.parametrize("name", ["digits", "ring8", "grid25", "swiss-roll", "two-moons"])
def test_a_data_dir_for_drawn_data_is_refused_not_ignored(name, tmp_path):
    for call in (data.load, data.verify):
        with pytest.raises(ConfigError, match=f"{name}: is drawn, not read from files; leave --data-dir out"):
            call(name, data_dir=tmp_path)


def test_drawn_data_need_no_fetching():
    assert data.fetch("ring8") == []
    assert data.verify("ring8") == [("ring8", "ok: drawn from its formula, there is no file")]
    with pytest.raises(ConfigError, match="ring8: draws fresh points without end, so it has no size; leave size out"):
        data.load("ring8", size=10)


def test_fetching_the_digits_draws_both_splits_into_the_cache(monkeypatch, own_cache):
    monkeypatch.setattr("minigan.data.digits.SIZES", {"train": 20, "test": 10})
    assert [status[:3] for _, status in data.fetch("digits")] == ["ok:", "ok:"]
    assert [status for _, status in data.verify("digits")] == ["ok", "ok"]
    assert len(list(own_cache.rglob("*.npz"))) == 2


def test_the_real_mnist(real_data, monkeypatch):
    assert [status for _, status in data.verify("mnist", real_data)] == [
        "ok: 60000 x 28 x 28, the published file",
        "ok: 60000, the published file",
        "ok: 10000 x 28 x 28, the published file",
        "ok: 10000, the published file",
    ]
    monkeypatch.setenv("MINIGAN_DATA", real_data)
    train, test = data.load("mnist"), data.load("mnist", "test")
    assert train.images.shape == (60000, 1, 28, 28) and test.images.shape == (10000, 1, 28, 28)
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4] and test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert abs(train.images.mean() / 255 - 0.1307) < 5e-5  # the mean everybody normalises with


def test_mnist_files_are_not_taken_for_fashion_mnist(real_data):
    with pytest.raises(DataError, match=r"fashion-mnist: the files in .*mnist belong to mnist; .*--data mnist"):
        data.load("fashion-mnist", "test", data_dir=os.path.join(real_data, "mnist"))


# ------------------------------------------------------------------------------------------ the sets made like MNIST

SHAPES = np.random.default_rng(3).integers(256, size=(6, 4, 4))


@pytest.mark.parametrize(
    "name, labels, wanted, classes",
    [
        ("emnist-letters", [1, 26, 2, 3, 4, 5], [0, 25, 1, 2, 3, 4], 26),
        ("emnist-digits", [0, 9, 2, 3, 4, 5], [0, 9, 2, 3, 4, 5], 10),
        ("emnist-balanced", [0, 46, 2, 3, 4, 5], [0, 46, 2, 3, 4, 5], 47),
    ],
)
def test_emnist_is_turned_upright_and_its_letters_count_from_0(tmp_path, idx, name, labels, wanted, classes):
    for split in ("train", "test"):
        (tmp_path / f"{name}-{split}-images-idx3-ubyte").write_bytes(idx(SHAPES))
        (tmp_path / f"{name}-{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
        dataset = data.load(name, split, data_dir=tmp_path)
        np.testing.assert_array_equal(dataset.images[:, 0], SHAPES.transpose(0, 2, 1))
        assert dataset.labels.tolist() == wanted and dataset.classes == classes
    assert len(dataset.info.get("names", range(10))) == classes
    assert all("not checked: no published SHA-256 is known" in status for _, status in data.verify(name, tmp_path))
    if name == "emnist-letters":
        (tmp_path / f"{name}-train-labels-idx1-ubyte").write_bytes(idx([0, 1, 2, 3, 4, 5]))
        with pytest.raises(DataError, match="emnist-letters: a label in .* is 0, but its letters count from 1"):
            data.load(name, data_dir=tmp_path)


def test_qmnist_has_its_labels_in_the_first_column_of_a_table(tmp_path, idx):
    table = np.stack([np.arange(6), *[np.full(6, 70000)] * 7], axis=1).astype(">i4")
    (tmp_path / "qmnist-train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(SHAPES)))
    (tmp_path / "qmnist-train-labels-idx2-int.gz").write_bytes(
        gzip.compress(bytes([0, 0, 12, 2]) + (6).to_bytes(4, "big") + (8).to_bytes(4, "big") + table.tobytes())
    )
    dataset = data.load("qmnist", data_dir=tmp_path)
    assert dataset.labels.tolist() == list(range(6)) and np.array_equal(dataset.images[:, 0], SHAPES)


@pytest.mark.parametrize("name, folder", [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")])
def test_the_folders_of_torchvision(tmp_path, write_tiny, name, folder, monkeypatch):
    write_tiny(tmp_path / folder / "raw", ending="")
    assert data.load(name, data_dir=tmp_path).info["source"] == str(tmp_path / folder / "raw")
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    assert data.load(name).info["source"] == str(tmp_path / folder / "raw")


def test_kmnist_is_downloaded_and_checked(mirror, sha256):
    with pytest.raises(DataError, match="SHA-256 is not that of the published"):
        mnist.load("kmnist", mirrors=[mirror.address])
    assert len(mnist.load("kmnist", mirrors=[mirror.address], sha256=sha256)) == 5


@pytest.mark.parametrize("name", ["emnist-letters", "emnist-digits", "emnist-balanced", "qmnist"])
def test_what_cannot_be_checked_is_not_downloaded_and_one_is_told_where_it_is(name, tmp_path, idx, own_cache):
    with pytest.raises(DataError, match=rf"{name}: cannot find {name}.* tried .*\nGet it from https://.*knows no SHA-256"):
        data.fetch(name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=rf"neither .*empty nor its subfolder {name} has .* there, or get them from http"):
        data.load(name, data_dir=tmp_path / "empty")


def test_no_more_of_a_gzip_is_unpacked_than_its_header_promises(tmp_path, idx, monkeypatch):
    path, read, real = tmp_path / "x.gz", [], gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size=-1: read.append(size) or real(self, size))
    path.write_bytes(gzip.compress(idx(SHAPES) + bytes(10_000_000)))
    with pytest.raises(DataError, match="is too long: its header says 6 x 4 x 4, which is 112 bytes in all, but it has 113"):
        mnist.read_idx(path)
    path.write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(DataError, match="starts with 00000000"):
        mnist.read_idx(path)
    path.write_bytes(gzip.compress(b"\0\0\x08\3" + b"\0\1\0\0" * 3 + bytes(1000)))
    with pytest.raises(DataError, match="its header promises 281,474,976,710,672 bytes, more than a data set has in"):
        mnist.read_idx(path)
    assert -1 not in read and max(read) < 1000
