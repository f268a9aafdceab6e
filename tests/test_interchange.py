"""Weights that travel: .npz for any NumPy user, .safetensors for PyTorch's tools, state_dicts between the two engines."""

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
    pytest.importorskip("safetensors")
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


def test_without_the_package_safetensors_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(CheckpointError, match="pip install safetensors"):
        mg.save(tmp_path / "w.safetensors", net().state_dict())


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
