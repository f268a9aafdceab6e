"""Weights that travel: .npz for any NumPy user, .safetensors for PyTorch's tools, state_dicts between the two engines."""

import json

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.errors import CheckpointError


def net():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))


def test_a_state_dict_is_an_npz_that_numpy_reads(tmp_path):
    state = net().state_dict()
    mg.save(tmp_path / "w.npz", state)
    with np.load(tmp_path / "w.npz") as file:
        np.testing.assert_array_equal(file["0.weight"], state["0.weight"])
    other = net()
    other.load_state_dict(mg.load(tmp_path / "w.npz"))
    for name, array in other.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


def test_an_npz_that_numpy_wrote_is_read(tmp_path):
    state = net().state_dict()
    np.savez(tmp_path / "w.npz", **state)
    net().load_state_dict(mg.load(tmp_path / "w.npz"))


def test_safetensors_round_trip_and_its_errors(tmp_path):
    state = net().state_dict()
    mg.save(tmp_path / "w.safetensors", state)
    loaded = mg.load(tmp_path / "w.safetensors")
    assert set(loaded) == set(state)
    for name in state:
        np.testing.assert_array_equal(loaded[name], state[name])
        assert loaded[name].shape == state[name].shape  # also (), of a counter
    net().load_state_dict(loaded)
    (tmp_path / "bad.safetensors").write_bytes((tmp_path / "w.safetensors").read_bytes()[:100])
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        mg.load(tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError, match="cannot be read"):
        mg.load(tmp_path / "none.safetensors")


def test_safetensors_need_no_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    mg.save(tmp_path / "w.safetensors", net().state_dict())
    net().load_state_dict(mg.load(tmp_path / "w.safetensors"))


ANY = {
    **{f"{code}": np.arange(6).reshape(2, 3).astype(code) for code in "? u1 i1 <u2 >i2 u4 <i4 u8 >i8 f2 >f4 f8".split()},
    "empty": np.zeros((0, 3), np.float32),
    "scalar": np.array(2.5),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "Größe \u8fd0": np.ones(1, np.float32),
}


def test_the_formats_own_library_reads_ours_and_we_read_its(tmp_path):
    theirs = pytest.importorskip("safetensors.numpy")
    mg.save(tmp_path / "ours.safetensors", ANY, net="G")
    found = theirs.load_file(tmp_path / "ours.safetensors")
    assert set(found) == set(ANY)
    for name, array in ANY.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("="), name
    theirs.save_file(
        {name: np.asarray(x, x.dtype.newbyteorder("="), order="C") for name, x in ANY.items()}, tmp_path / "its.safetensors"
    )
    back = mg.load(tmp_path / "its.safetensors")
    assert set(back) == set(ANY) and all(np.array_equal(back[name], ANY[name]) and back[name].flags.writeable for name in ANY)
    backwards = dict(reversed(ANY.items()))
    mg.save(tmp_path / "again.safetensors", backwards, net="G")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "ours.safetensors").read_bytes()


def test_bfloat16_of_pytorch_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    x = torch.tensor([1.0, -2.5, 3e38, 1e-40]).bfloat16()
    files.save_file({"x": x}, tmp_path / "b.safetensors")
    np.testing.assert_array_equal(mg.load(tmp_path / "b.safetensors")["x"], x.float().numpy())


U8 = '{"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}'


def header(text, values=b""):
    text = text.encode() if isinstance(text, str) else text
    return len(text).to_bytes(8, "little") + text + values


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        (2**63).to_bytes(8, "little") + b"{}",
        header("[]"),
        header("{"),
        header(b"\xff\xfe"),
        header('{"a": 1}'),
        header('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'),
        header('{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', bytes(4)),
        header('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}', bytes(4)),
        header('{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', bytes(4)),
        header('{"a": {"dtype": "F32", "shape": [1e0], "data_offsets": [0, 4]}}', bytes(4)),
        header('{"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}', bytes(4)),
        header('{"a": {"dtype": [], "shape": [4], "data_offsets": [0, 4]}}', bytes(4)),
        header('{"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}', bytes(5)),
        header('{"a": {"dtype": "U8", "shape": [4294967296, 4294967296], "data_offsets": [0, 0]}}'),
        header(f'{{"a": {U8}, "b": {U8}}}', bytes(4)),
        header(json.dumps({"\x1b[31m" + "n" * 10_000: {"dtype": "U8" * 999, "shape": [4] * 9999, "data_offsets": [0, 4]}})),
        header("[" * 100_000),
    ],
)
def test_damaged_safetensors_are_refused_in_one_line(tmp_path, content):
    (tmp_path / "bad.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="not a readable safetensors file: .*; use a copy") as told:
        mg.load(tmp_path / "bad.safetensors")
    assert str(told.value).isprintable() and len(str(told.value)) < 400


@pytest.mark.parametrize(
    "state, text",
    [
        ({"a": np.zeros(2, complex)}, "a has the dtype complex128, which it does not have"),
        ({"a": {"b": np.zeros(2)}}, "a is a dict, which cannot be saved"),
        ({"__metadata__": np.zeros(2)}, "__metadata__ is taken"),
        ({1: np.zeros(2)}, "the key 1 is no text"),
        ([np.zeros(2)], "it is a list, no dict"),
    ],
)
def test_what_safetensors_cannot_hold_is_refused(tmp_path, state, text):
    with pytest.raises(CheckpointError, match=text):
        mg.save(tmp_path / "w.safetensors", state)
    assert not list(tmp_path.iterdir())


def test_pytorch_loads_ours_and_we_load_pytorchs(tmp_path):
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    ours = net().eval()
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 2)
    ).eval()
    x = np.random.default_rng(0).standard_normal((3, 1, 8, 8)).astype(np.float32)
    mg.save(tmp_path / "ours.safetensors", ours.state_dict())
    theirs.load_state_dict(files.load_file(tmp_path / "ours.safetensors"))
    with torch.no_grad():
        y = theirs(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours(mg.tensor(x)).detach().numpy(), y, atol=1e-5)
    files.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    fresh = net().eval()
    fresh.load_state_dict(mg.load(tmp_path / "theirs.safetensors"))
    np.testing.assert_allclose(fresh(mg.tensor(x)).detach().numpy(), y, atol=1e-5)
