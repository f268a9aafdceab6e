"""What only a card can tell: its own arithmetic, and sizes that are too large for the stand-in."""

import os

import numpy as np
import pytest

from minigan import data
from minigan.backend import to_device
from minigan.kernels.cpu import conv as cpu
from minigan.kernels.cuda import conv as cuda
from minigan.kernels.cuda import gemm
from minigan.runs.capture import WARM_UP, Captured
from minigan.runs.feed import Feed
from minigan.streams import Streams
from minigan.systems import registry
from minigan.train.game import play

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(os.environ.get("MINIGAN_BACKEND") != "cupy", reason="needs a card: MINIGAN_BACKEND=cupy pytest -m gpu"),
]


def host(x):
    return to_device(x, "cpu")


def test_products_go_through_cublas(card):
    a = card.ones((2, 2), "float32")
    gemm.gemm(a, a, card.empty((2, 2), "float32"))
    assert gemm._handle(a) is not None


@pytest.mark.parametrize("allowed, least, most", [(False, 0, 2e-6), (True, 1e-5, 1e-3)])
def test_tf32_is_used_when_allowed_and_only_then(card, rng, allowed, least, most):
    a, b = (rng.standard_normal((512, 512)).astype(np.float32) for _ in range(2))
    out = card.empty((512, 512), "float32")
    gemm.allow_tf32(allowed)
    try:
        gemm.gemm(card.asarray(a), card.asarray(b), out)
    finally:
        gemm.allow_tf32(False)
    exact = a.astype(float) @ b.astype(float)
    assert least <= np.abs(host(out) - exact).max() / np.abs(exact).max() <= most


# channels in, channels out, size in: the convolutions of DCGAN for MNIST, kernel 4, stride 2, padding 1
@pytest.mark.parametrize("inside, outside, size", [(1, 64, 28), (64, 128, 14)])
def test_the_convolutions_of_dcgan_are_those_of_float64_on_the_cpu(card, rng, inside, outside, size):
    how = ((2, 2), (1, 1), (1, 1), 1)
    x, w, u = (
        rng.standard_normal(shape)
        for shape in ((128, inside, size, size), (outside, inside, 4, 4), (128, outside, size // 2, size // 2))
    )
    dx, dw, du = (card.asarray(a.astype(np.float32)) for a in (x, w, u))
    x, w, u = (host(a).astype(float) for a in (dx, dw, du))
    for found, expected in [
        (cuda.conv2d(dx, dw, u.shape[2:], *how), cpu.conv2d(x, w, u.shape[2:], *how)),
        (cuda.conv2d_adjoint(du, dw, x.shape[2:], *how), cpu.conv2d_adjoint(u, w, x.shape[2:], *how)),
        (cuda.conv2d_weight(dx, du, (4, 4), *how), cpu.conv2d_weight(x, u, (4, 4), *how)),
    ]:
        assert np.abs(host(found) - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.skipif("MINIGAN_NO_POOL" in os.environ, reason="frees memory while it records, which only a pool may")
@pytest.mark.parametrize(
    "system, settings",
    [
        (
            "gan",
            {"width": 8, "ema": 0.9, "history": 0.1, "spectral_norm": True, "optimizer_d": "sgd", "optimizer_g": "rmsprop"},
        ),
        ("dcgan", {"channels": 4}),
        ("wgan-gp", {}),
        ("vae", {"width": 8}),
        ("cgan", {"channels": 4, "shuffle_labels": True}),
    ],
)
def test_twenty_launches_of_a_recorded_game_are_twenty_steps(card, tmp_path, monkeypatch, system, settings):
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path))
    made_by, dataset = registry.get(system), data.load("ring8" if system == "wgan-gp" else "digits")
    settings = made_by.configure({"batch_size": 16, **settings}, dataset)

    def start():
        game, streams = made_by.build(settings, dataset).to("cuda"), Streams(0)
        return game, Feed(data.Loader(dataset, settings.batch_size, streams("data")), "cuda", game.check), streams

    (one, batches, streams), (other, its_batches, its_streams) = start(), start()
    for net, twin in zip(one.nets.values(), other.nets.values()):
        twin.load_state_dict(net.state_dict())
    captured = Captured(other)
    for i in range(WARM_UP + 20):
        losses = captured.play(its_batches, its_streams)
        assert losses == pytest.approx(play(one, batches, streams), rel=1e-3, abs=1e-4), i
    assert its_streams.state_dict() == streams.state_dict()
