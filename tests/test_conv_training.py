"""A small net of convolutions trained beside PyTorch: with "direct" both see the same losses."""

import numpy as np
import pytest

import minigan as mg
from minigan import nn

torch = pytest.importorskip("torch")


def losses(ours, algorithm="direct", steps=20):
    """Two convolutions that Toom-Cook can do and one layer, on fixed numbers; plain gradient descent."""
    rng = np.random.default_rng(0)
    shapes = (16, 16, 3, 3), (32, 16, 4, 4), (1, 32 * 4 * 4)
    weights = [(rng.standard_normal(s) / np.sqrt(np.prod(s[1:]))).astype(np.float32) for s in shapes]
    x, target = rng.standard_normal((32, 16, 8, 8)).astype(np.float32), rng.standard_normal((32, 1)).astype(np.float32)
    F = nn.functional if ours else torch.nn.functional
    make = (lambda a: mg.tensor(a, requires_grad=True)) if ours else (lambda a: torch.tensor(a, requires_grad=True))
    x, target = (mg.tensor(x), mg.tensor(target)) if ours else (torch.tensor(x), torch.tensor(target))
    before, found = mg.get_conv_algorithm(), []
    mg.set_conv_algorithm(algorithm)
    try:
        for _ in range(steps):
            w = [make(a) for a in weights]
            h = F.leaky_relu(F.conv2d(x, w[0], None, 1, 1), 0.2)
            h = F.leaky_relu(F.conv2d(h, w[1], None, 2, 1), 0.2)
            loss = ((F.linear(h.reshape(32, -1), w[2]) - target) ** 2).mean()
            grads = (mg if ours else torch.autograd).grad(loss, w)
            weights = [a - np.float32(0.02) * g.detach().numpy() for a, g in zip(weights, grads)]
            found.append(float(loss.detach()))
    finally:
        mg.set_conv_algorithm(before)
    return np.array(found)


def test_direct_training_is_pytorchs():
    theirs, direct, fast = losses(False), losses(True), losses(True, "toom-cook")
    assert theirs[-1] < 0.7 * theirs[0]
    apart = [np.abs(found / theirs - 1).max() for found in (direct, fast)]
    print(f"largest relative difference of 20 losses from PyTorch's: direct {apart[0]:.1e}, Toom-Cook {apart[1]:.1e}")
    assert apart[0] < 1e-5
