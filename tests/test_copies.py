"""How many bytes one step copies: nets of dense, recurrent and attention layers move no numbers without need.

An op that only rearranges its input must return a view of it.  Where it returns new memory, the numbers were copied, and we
count them.  BLAS also needs operands whose rows or columns lie together; NumPy copies any other operand first, and says
nothing.
"""

from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest

import minigan as mg
from minigan import nn
from minigan.kernels.cpu import linalg
from minigan.nn import functional as F

REARRANGE = {"reshape", "transpose", "getitem", "scatter_into", "concatenate", "flip", "broadcast_to", "pad", "repeat", "tile"}
N, L, WIDE, HEADS = 3, 5, 8, 2
ROWS = 4 * N * L * WIDE  # the bytes of an array (N, L, WIDE) in float32


def copied(step):
    """{(op, phase): bytes} of what the step copies."""
    found = {}

    def look(op, phase, inputs, output, seconds, site):
        if op in REARRANGE and output is not None and not np.shares_memory(output, inputs[0]):
            found[op, phase] = found.get((op, phase), 0) + output.nbytes

    def matmul(a, b):
        size = sum(x.nbytes for x in (a, b) if x.ndim > 1 and not rows_lie_together(x))
        if size:
            found["product", "operand"] = found.get(("product", "operand"), 0) + size
        return np.matmul(a, b)

    with mg.watch(look), patch.object(linalg, "np", SimpleNamespace(matmul=matmul)):
        step()
    return found


def rows_lie_together(a):
    """Can BLAS read each matrix of a (..., R, C) where it is?"""
    return any(inner == a.itemsize and outer >= inner * n for inner, outer, n in
               ((a.strides[-1], a.strides[-2], a.shape[-1]), (a.strides[-2], a.strides[-1], a.shape[-2])))  # fmt: skip


def step_of(net, loss):
    adam = mg.optim.Adam(net.parameters())
    parameters = list(net.parameters())
    return lambda: adam.step(mg.grad(loss(), parameters))


def normal(*shape):
    return mg.tensor(np.random.default_rng(0).standard_normal(shape, np.float32))


class Block(nn.Module):
    """A layer of a GPT: attention, then a small net, each around a norm."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDE), nn.LayerNorm(WIDE)
        self.attention, self.out = nn.Linear(WIDE, 3 * WIDE), nn.Linear(WIDE, WIDE)
        self.feedforward = nn.Sequential(nn.Linear(WIDE, 4 * WIDE), nn.GELU(), nn.Linear(4 * WIDE, WIDE))

    def forward(self, x):
        q, k, v = (p.reshape(N, L, HEADS, -1).swapaxes(1, 2) for p in mg.split(self.attention(self.norm1(x)), 3, axis=-1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.swapaxes(1, 2).reshape(N, L, WIDE))
        return x + self.feedforward(self.norm2(x))


def test_a_copy_is_counted_and_a_view_is_not():
    x = normal(4, 6)
    assert copied(lambda: x.reshape(24).reshape(2, 12).swapaxes(0, 1)) == {}
    assert copied(lambda: x.swapaxes(0, 1).reshape(24)) == {("reshape", "forward"): 96}
    assert copied(lambda: mg.matmul(x[:, ::2], x[:3])) == {("product", "operand"): 48}


def test_a_gan_of_perceptrons_copies_nothing():
    G = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 6), nn.Tanh())
    D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    for net in (D, G):
        assert copied(step_of(net, lambda: mg.softplus(-D(G(normal(5, 4)))).mean())) == {}


def test_a_penalty_on_the_slope_copies_no_more_than_one_number_for_each_sample():
    D, x = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)), normal(5, 6)

    def loss():
        between = x.detach().requires_grad_()
        (slope,) = mg.grad(D(between).sum(), between, create_graph=True)
        return D(x).mean() + (mg.norm(slope, 1) - 1).mean()

    # The gradient of a mean is one number until a product needs it for every sample.
    assert sum(copied(step_of(D, loss)).values()) <= 3 * 4 * len(x)


@pytest.mark.parametrize("first", [True, False], ids=["batch first", "time first"])
def test_an_lstm_copies_its_output_and_the_gradient_of_it(first):
    net, x = nn.LSTM(WIDE, WIDE, batch_first=first), normal(*((N, L) if first else (L, N)), WIDE)
    found = copied(step_of(net, lambda: (net(x)[0] ** 2).mean()))
    assert found.pop(("getitem", "backward"), 0) <= 2 * ROWS  # h and c are one array, and only h has a gradient
    state = 4 * N * WIDE
    assert found.pop(("concatenate", "forward")) == 2 * state  # the last h and c of all layers
    assert found == ({("reshape", "forward"): ROWS} if first else {})  # its products need the steps one after the other


def test_a_layer_of_a_gpt_copies_between_heads_and_features_and_no_more():
    net, x = Block(), normal(N, L, WIDE).requires_grad_()
    found = copied(step_of(net, lambda: (net(x) ** 2).mean()))
    assert found.pop(("reshape", "forward")) == ROWS  # what leaves the heads
    assert found.pop(("reshape", "backward")) == 2 * ROWS  # the gradients of q and v; that of k has the features together
    assert found.pop(("getitem", "backward")) == 3 * ROWS  # one array for the gradients of all three
    assert found == {}
