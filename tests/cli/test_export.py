"""export: a run's network in a file that other programs read."""

from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan.runs.session import Session

POINTS = ["gan", "--batch-size", "8", "--set", "latent=4", "--data", "ring8", "--steps", "2"]


def test_the_file_has_the_weights_by_their_names(minigan, run):
    G = Session.open(run).game.nets["G"]
    for file in ("G.safetensors", "G.npz"):
        code, out, err = minigan("export", run, "-o", file)
        assert code == 0, err
        assert out.startswith("G of step 4: ") and out.endswith(f" numbers, in {file}\n")
        loaded = mg.load(file)
        assert set(loaded) == set(G.state_dict())
        assert all(np.array_equal(loaded[name], array) for name, array in G.state_dict().items())
    with np.load("G.npz") as arrays:
        assert set(arrays.files) == set(G.state_dict())
    before = Path("G.safetensors").read_bytes()
    minigan("export", run, "-o", "G.safetensors")  # as `sample` does, it replaces what it wrote before
    assert Path("G.safetensors").read_bytes() == before


def test_pytorch_loads_it_and_computes_the_same(minigan, points_run):
    torch, files = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    assert minigan("export", points_run, "-o", "G.safetensors")[0] == 0
    G = Session.open(points_run).game.nets["G"]
    layers = [torch.nn.LeakyReLU(0.2) if i % 2 else torch.nn.Linear(*G[i].weight.shape[::-1]) for i in range(len(G) - 1)]
    theirs = torch.nn.Sequential(*layers)
    theirs.load_state_dict(files.load_file("G.safetensors"))
    z = np.random.default_rng(0).standard_normal((5, 4), dtype=np.float32)
    with mg.no_grad(), torch.no_grad():
        np.testing.assert_allclose(theirs(torch.from_numpy(z)).numpy(), G(mg.tensor(z)).numpy(), rtol=1e-4, atol=1e-5)
    with pytest.importorskip("safetensors").safe_open("G.safetensors", "pt") as opened:
        assert opened.metadata() == {"format": "pt", "net": "G", "system": "gan", "step": "4"}


def test_the_average_is_exported_where_it_draws_the_samples(minigan):
    assert minigan("train", *POINTS, "--set", "ema=0.9", "--out", "run")[0] == 0
    code, out, _ = minigan("export", "run", "-o", "average.npz")
    assert code == 0 and out.startswith("the average of G's weights (ema=0.9) of step 2: ")
    assert minigan("export", "run", "-o", "G.npz", "--net", "G")[1].startswith("G of step 2: ")
    nets = Session.open("run").game.nets
    for file, name in (("average.npz", "G_average"), ("G.npz", "G")):
        assert all(np.array_equal(mg.load(file)[key], array) for key, array in nets[name].state_dict().items())
    assert any(not np.array_equal(mg.load("G.npz")[key], mg.load("average.npz")[key]) for key in mg.load("G.npz"))


def test_what_cannot_be_exported_is_refused(minigan, refused, run, own_folder):
    assert "G.pt: does not end in .safetensors or .npz; name the file *.safetensors or *.npz" in refused(
        "export", run, "-o", "G.pt"
    )
    assert "its folder does not exist" in refused("export", run, "-o", "nowhere/G.npz")
    assert "gan has no network 'g'; did you mean 'G'?" in refused("export", run, "-o", "G.npz", "--net", "g")
    assert "required: -o/--out" in refused("export", run)
    assert "no such file or folder" in refused("export", "nowhere", "-o", "G.npz")
    assert minigan("train", "autoencoder", "--batch-size", 4, "--steps", 1, "--out", "auto")[0] == 0
    told = refused("export", "auto", "-o", "net.npz")
    assert "autoencoder has the networks " in told and "say which one to export, with --net" in told
    Session.start("gan", "ring8", overrides={"batch_size": 8}, out=own_folder / "young")
    assert "no checkpoint with a trained network" in refused("export", "young", "-o", "G.npz")
    assert not list(own_folder.glob("*.npz"))
