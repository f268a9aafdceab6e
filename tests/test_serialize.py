"""What is saved comes back exactly; what cannot be read or written says so, and never costs an earlier file."""

import errno
import io
import json
import os
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigan import serialize
from minigan.errors import CheckpointError
from minigan.serialize import DamagedCheckpoint, describe, load, replacing, save

EXAMPLE = {
    "generator": {"0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "0.bias": np.zeros(0, np.float64)},
    "step": 500,
    "optimizer": [{"m": np.float64(0.5), "t": 3}, (None, True, 0.1)],
    "random": {"state": 2**127 + 1, "inc": -(2**20000), "name": "PCG64"},  # Python prints at most 4300 digits
    "empty": {"inside": {}},
}


def same(a, b):
    """Equal to the bit and to the type, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    return a == b


def test_the_comparison_of_these_tests_sees_small_differences():
    assert same({"a": [1, np.float32(2)]}, {"a": [1, np.float32(2)]})
    for a, b in [(1, True), (1, 1.0), (0.0, -0.0), ((1,), [1]), (np.float32(1), np.float64(1)), ({}, {"a": {}})]:
        assert not same(a, b)
    assert not same(np.zeros((0, 2)), np.zeros((2, 0)))
    assert not same(np.zeros(2), np.array([0.0, -0.0]))


def test_a_state_comes_back_exactly(tmp_path):
    save(tmp_path / "x.npz", EXAMPLE)
    assert same(load(tmp_path / "x.npz"), EXAMPLE)


dtypes = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(), hnp.unicode_string_dtypes(max_len=3), hnp.datetime64_dtypes(),
)  # fmt: skip
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(2**62, 2**64) | st.integers(-(2**140), 2**140), st.floats(),
    st.text(st.characters(), max_size=5),  # lone surrogates too
    hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
    st.floats(width=32).map(np.float32), st.integers(0, 255).map(np.uint8),
)  # fmt: skip
awkward = ["a", "b", "a.b", "", "a/b", "a\\b", "a\0", "a.npy", "__minigan__", "层"]
keys = st.sampled_from(awkward) | st.text(max_size=4)
states = st.dictionaries(
    keys,
    st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(state=states)
def test_any_state_comes_back_exactly(state, tmp_path):
    save(tmp_path / "x.npz", state)
    assert same(load(tmp_path / "x.npz", "state"), state)


def test_random_generators_go_on_where_they_were(tmp_path):
    source = np.random.default_rng(0)
    source.random(3, dtype=np.float32)  # leaves half a 64-bit number behind
    for name, generator in {"PCG64": source, "MT19937": np.random.Generator(np.random.MT19937(1))}.items():
        save(tmp_path / "x.npz", generator.bit_generator.state)
        other = np.random.Generator(getattr(np.random, name)(99))
        other.bit_generator.state = load(tmp_path / "x.npz")
        assert (other.random(5) == generator.random(5)).all()


def test_any_numpy_user_reads_the_arrays_by_their_dotted_path(tmp_path):
    state = {"generator": {"0.weight": np.ones(2)}, "list": [1, np.zeros(3)], "8.bias": np.full(1, 8.0)}
    save(tmp_path / "x.npz", state)
    with np.load(tmp_path / "x.npz") as file:
        assert set(file.files) == {"generator.0.weight", "list.1", "8.bias", "__minigan__"}
        assert same(file["generator.0.weight"], np.ones(2)) and same(file["8.bias"], np.full(1, 8.0))
        assert json.loads(bytes(file["__minigan__"]))["format"] == "minigan"


def test_two_leaves_with_one_path_are_both_kept(tmp_path):
    state = {"a": {"b": np.zeros(1)}, "a.b": np.ones(2), "__minigan__": np.full(3, 3.0)}
    save(tmp_path / "x.npz", state)
    assert same(load(tmp_path / "x.npz"), state)


def test_the_same_state_gives_the_same_bytes(tmp_path):
    save(tmp_path / "a.npz", EXAMPLE, step=1)
    save(tmp_path / "b.npz", EXAMPLE, step=1)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_memory_order_and_strides_change_nothing(tmp_path):
    x = np.arange(24.0).reshape(2, 3, 4)
    state = {"fortran": np.asfortranarray(x), "strided": x[:, ::2, ::-1], "wide": np.broadcast_to(x, (2, 2, 3, 4))}
    save(tmp_path / "x.npz", state)
    for name, array in load(tmp_path / "x.npz").items():
        assert np.array_equal(array, state[name])
        array[...] = 0  # writable


class FakeTensor:
    def __init__(self, data):
        self.data = data


class FakeCupy:
    """As CuPy's arrays: `get` copies to NumPy, `data` is a pointer of no use to us, NumPy may not convert it."""

    dtype = np.dtype("f4")
    data = object()

    def get(self):
        return np.arange(3, dtype=np.float32)

    def __array__(self, *_):
        raise TypeError("implicit conversion to NumPy")


@pytest.mark.parametrize(
    "leaf", [FakeTensor(np.arange(3, dtype="f4")), FakeCupy(), FakeTensor(FakeCupy())], ids=["Tensor", "CuPy", "both"]
)
def test_tensors_and_gpu_arrays_are_saved_as_numpy(tmp_path, leaf):
    save(tmp_path / "x.npz", {"w": leaf})
    assert same(load(tmp_path / "x.npz"), {"w": np.arange(3, dtype=np.float32)})


def test_describe_tells_kind_and_facts(tmp_path):
    save(tmp_path / "x.npz", {"w": np.zeros(1)}, "run", step=500, system="gan", best=float("inf"))
    assert describe(tmp_path / "x.npz") == {
        "kind": "run",
        "version": 1,
        "about": {"step": 500, "system": "gan", "best": float("inf")},
    }
    np.savez(tmp_path / "y.npz", w=np.zeros(1))
    assert describe(tmp_path / "y.npz") == {"kind": None, "version": None, "about": {}}


# ---- what cannot be saved --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state, message",
    [
        (np.zeros(3), "takes a dict, not ndarray"),
        ({"a": {1: 2}}, "a has the key 1; keys must be strings"),
        ({"a": [0, {"b": {1, 2}}]}, "a.1.b is a set, which cannot be saved"),
        ({"a": np.array([None])}, "a is an array of Python objects"),
        ({"a": np.ma.masked_equal([1, 2], 1)}, "a is a MaskedArray"),
        ({"a": FakeTensor("text")}, "a is a FakeTensor"),
        ({"a": errno}, "a is a module"),
    ],
)
def test_what_cannot_come_back_exactly_is_refused(tmp_path, state, message):
    save(tmp_path / "x.npz", {"earlier": 1})
    with pytest.raises(CheckpointError, match=message):
        save(tmp_path / "x.npz", state)
    assert load(tmp_path / "x.npz") == {"earlier": 1}
    assert os.listdir(tmp_path) == ["x.npz"]


def test_arrays_do_not_belong_about_the_state(tmp_path):
    with pytest.raises(CheckpointError, match=r"mean is an array; arrays belong in the state"):
        save(tmp_path / "x.npz", {}, mean=np.zeros(3))


# ---- what cannot be written ------------------------------------------------------------------------------------------


def one_line(error):
    return "\n" not in str(error.value) and len(str(error.value)) < 400


def full_disk(monkeypatch, after=200):
    """Every file opened by serialize takes `after` bytes and then no more, as a full disk does."""

    class Full(io.FileIO):
        written = 0

        def write(self, data):
            Full.written += len(data)
            if Full.written > after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    real = open
    monkeypatch.setattr(
        serialize, "open", lambda path, mode: Full(path, "x") if "x" in mode else real(path, mode), raising=False
    )


@pytest.mark.parametrize("earlier", [True, False])
def test_a_full_disk_leaves_the_earlier_file(tmp_path, monkeypatch, earlier):
    path = tmp_path / "x.npz"
    if earlier:
        save(path, {"earlier": 1})
    full_disk(monkeypatch)
    with pytest.raises(CheckpointError, match=r"x\.npz: cannot be written: the disk is full; free some space") as error:
        save(path, {"w": np.zeros(1000)})
    assert one_line(error)
    assert os.listdir(tmp_path) == ["x.npz"] * earlier
    assert not earlier or load(path) == {"earlier": 1}


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_last_moment_leaves_the_earlier_file(tmp_path, monkeypatch, call):
    save(tmp_path / "x.npz", {"earlier": 1})

    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        with pytest.raises(CheckpointError, match="Input/output error; choose another") as error:
            save(tmp_path / "x.npz", {"w": np.zeros(1000)})
    assert one_line(error)
    assert os.listdir(tmp_path) == ["x.npz"] and load(tmp_path / "x.npz") == {"earlier": 1}


def test_the_bytes_are_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append(("fsync", os.fstat(fd).st_size)), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append(("replace", os.path.getsize(a))), replace(a, b)))
    save(tmp_path / "x.npz", EXAMPLE)
    size = (tmp_path / "x.npz").stat().st_size
    assert order[:2] == [("fsync", size), ("replace", size)]


def test_an_interrupt_leaves_no_rubbish(tmp_path):
    save(tmp_path / "x.npz", {"earlier": 1})
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "x.npz") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["x.npz"] and load(tmp_path / "x.npz") == {"earlier": 1}


def test_a_folder_without_permission_says_so(tmp_path, monkeypatch):
    def refuse(path, mode):  # the tests may run as root, whom no permission stops
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(serialize, "open", refuse, raising=False)
    with pytest.raises(CheckpointError, match=r"x\.npz: cannot be written: no permission to write there; choose"):
        save(tmp_path / "x.npz", {})


def test_a_folder_that_is_missing_says_so(tmp_path):
    with pytest.raises(CheckpointError, match="its folder does not exist; create it first"):
        save(tmp_path / "no" / "x.npz", {})
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot be written"):
        save(tmp_path / "file" / "x.npz", {})


def test_folders_and_devices_are_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # stands for /dev/null, which a failing test would destroy
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(CheckpointError, match="a folder or a device, not a file"):
            save(path, {})
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.npz").symlink_to(tmp_path / "x.npz")
    save(tmp_path / "link.npz", {"a": 1})
    save(tmp_path / "link.npz", {"a": 2})
    assert (tmp_path / "link.npz").is_symlink() and load(tmp_path / "x.npz") == {"a": 2}


def test_a_new_file_has_the_usual_permissions(tmp_path):
    save(tmp_path / "x.npz", {})
    (tmp_path / "usual").touch()
    assert (tmp_path / "x.npz").stat().st_mode == (tmp_path / "usual").stat().st_mode


# ---- what cannot be read ---------------------------------------------------------------------------------------------


def refused(path, message, kind=None, error_type=CheckpointError):
    with pytest.raises(CheckpointError, match=message) as error:
        load(path, kind)
    assert type(error.value) is error_type and one_line(error) and str(path) in str(error.value)


def test_a_missing_file(tmp_path):
    refused(tmp_path / "x.npz", "no such file; check the path")
    save(tmp_path / "x.npz", {})
    refused(tmp_path / "x", r"no such file; did you mean .*x\.npz\?")
    refused(tmp_path, "a folder, not a file")


def test_files_of_other_formats(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"loss,step\n")
    refused(path, "not an .npz file; give a file written by")
    np.save(tmp_path / "x.npy", np.zeros(3))
    refused(tmp_path / "x.npy", "one .npy array, not an .npz; read it with np.load")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    refused(path, "a zip, not an .npz .*'notes.txt'")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02}.")
    refused(path, "a PyTorch file, not an .npz .*in PyTorch: np.savez")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "x.npz", w=np.array([{"a": 1}], dtype=object))
    refused(tmp_path / "x.npz", "w holds pickled objects, which can run any code")


def test_an_npz_from_elsewhere_is_a_flat_dict_and_no_checkpoint(tmp_path):
    weights = {"0.weight": np.ones((2, 2), np.float32), "0.bias": np.zeros(2, ">f8")}
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "x.npz", **weights)
        assert same(load(tmp_path / "x.npz"), weights)
        refused(tmp_path / "x.npz", r"minigan did not write, so not a 'run'; mg\.load", kind="run")


def test_another_kind_is_refused(tmp_path):
    save(tmp_path / "x.npz", {"a": 1}, "weights")
    assert load(tmp_path / "x.npz") == load(tmp_path / "x.npz", "weights") == {"a": 1}
    refused(tmp_path / "x.npz", "holds a 'weights', not a 'run'", kind="run")


def test_a_newer_format_is_refused_and_not_called_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr(serialize, "VERSION", 2)
    save(tmp_path / "x.npz", {"a": 1})
    monkeypatch.undo()
    refused(tmp_path / "x.npz", r"written by a newer minigan \(format 2, this one reads 1\); upgrade it")


def test_a_file_cut_at_any_byte_is_damaged(tmp_path):
    path = tmp_path / "x.npz"
    save(path, {"w": np.arange(4), "n": 1})
    data = path.read_bytes()
    for length in (0, 1, 4, 50, len(data) // 2, len(data) - 30, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"damaged or cut short|empty|not an \.npz"):
            load(path)
    path.write_bytes(data[: len(data) // 2])
    refused(path, "damaged or cut short .*; restore it from a copy", error_type=DamagedCheckpoint)
    for zeros in (0, len(data)):
        path.write_bytes(bytes(zeros))
        refused(path, "empty, no data in it", error_type=DamagedCheckpoint)


def test_no_changed_byte_goes_unnoticed(tmp_path):
    """Every single byte of the file, inverted: the state comes back exactly, or the damage is reported."""
    path, state = tmp_path / "x.npz", {"w": np.arange(3, dtype=np.float32), "n": 2**70}
    save(path, state)
    data = path.read_bytes()
    reported = 0
    for i in range(len(data)):
        path.write_bytes(data[:i] + bytes([data[i] ^ 0xFF]) + data[i + 1 :])
        try:
            assert same(load(path, "state"), state), f"byte {i} changed the state in silence"
        except CheckpointError:
            reported += 1
    assert reported > len(data) / 2


def test_a_changed_weight_is_called_damage(tmp_path):
    path = tmp_path / "x.npz"
    save(path, {"w": np.full(100, 7.0)})
    data = path.read_bytes()
    at = data.index(struct.pack("<d", 7.0) * 3) + 100
    path.write_bytes(data[:at] + b"\x01" + data[at + 1 :])
    refused(path, "damaged or cut short .*CRC", error_type=DamagedCheckpoint)


def test_a_changed_shape_that_still_makes_sense_is_damage_too(tmp_path):
    path = tmp_path / "x.npz"
    save(path, {"w": np.full(100_000, 7.0)})
    data = path.read_bytes()
    assert data.count(b"(100000,)") == 1
    path.write_bytes(data.replace(b"(100000,)", b"(90000,) "))
    refused(path, "damaged or cut short .*CRC", error_type=DamagedCheckpoint)


@pytest.mark.parametrize(
    "header",
    [
        b"{}", b"not json", b"[1]", b'{"version": "x"}', b"\xff",
        b'{"version": 1, "kind": "state", "tree": {"array": "missing"}}',
        b'{"version": 1, "kind": "state", "tree": {"unknown": 1}}',
        b'{"version": 1, "kind": "state", "tree": {"dict": {"a": {"int": "0xg"}}}}',
        b'{"version": 1, "kind": "state", "tree": {"dict": {"a": {"float": "00"}}}}',
    ],
)  # fmt: skip
def test_a_header_that_makes_no_sense_is_damage(tmp_path, header):
    np.savez(tmp_path / "x.npz", __minigan__=np.frombuffer(header, np.uint8))
    refused(tmp_path / "x.npz", "damaged or cut short", kind="state", error_type=DamagedCheckpoint)
