"""The steps of recurrent layers, and a whole LSTM as one op: what nn/rnn.py puts weights to."""

import numpy as np

from minigan.autograd import fused
from minigan.kernels.cpu import recurrent
from minigan.ops.elementwise import relu, sigmoid, tanh
from minigan.ops.linalg import linear
from minigan.ops.shape import split, stack
from minigan.tensor import Tensor, plain


def lstm_step(from_input, from_state, state):
    """i, f, o = sigmoid, g = tanh of the four parts of from_input + from_state;   c' = f c + i g,   h' = o tanh c'."""
    i, f, g, o = split(from_input + from_state, 4, axis=-1)
    c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_step(from_input, from_state, state):
    """r, z = sigmoid of the first parts;   n = tanh(n_input + r n_state), bias included;   h' = (1 - z) n + z h."""
    (ri, zi, ni), (rh, zh, nh) = split(from_input, 3, axis=-1), split(from_state, 3, axis=-1)
    z = sigmoid(zi + zh)
    n = tanh(ni + sigmoid(ri + rh) * nh)
    return (n + z * (state[0] - n),)


def tanh_step(from_input, from_state, state):
    """h' = tanh(from_input + from_state)."""
    return (tanh(from_input + from_state),)


def relu_step(from_input, from_state, state):
    """h' = relu(from_input + from_state)."""
    return (relu(from_input + from_state),)


def along(step, z, weight, bias, state):
    """(the states after every step, each stacked along the time, the last state) of a step with these inputs z (L, N, ...)."""
    states = []
    for from_input in _steps(z):
        state = step(from_input, linear(state[0], weight, bias), state)
        states.append(state)
    return [stack(parts) for parts in zip(*states)], state


def _steps(x):
    """[x[0], x[1], ...], from x cut into halves again and again.

    With create_graph, the gradient of a cut is as large as the array that was cut, so L single cuts would cost L^2.  Halving
    costs L log L.
    """
    half = x.shape[0] // 2
    return _steps(x[:half]) + _steps(x[half:]) if half else [x[0]]


def _lstm_forward(z, weight, bias, h, c):
    y, a = recurrent.lstm(z, weight, bias, h, c)
    return y, (y, a)


def _lstm_backward(g, needed, kept, z, weight, bias, h, c):
    y, a = kept
    gradients = recurrent.lstm_gradient(g, y, a, weight, h, c)
    return [d if need else None for d, need in zip(gradients, needed)]


_lstm_forward.__name__ = "lstm"
_lstm = fused(_lstm_forward, _lstm_backward, lambda z, weight, bias, h, c: stack(along(lstm_step, z, weight, bias, (h, c))[0]))


def lstm(z, weight, bias, state) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """(h after every step, the last (h, c)) of an LSTM.   z (L, ..., 4 H): what the inputs give;  the rest as in lstm_step."""
    if not isinstance(plain(z), np.ndarray):
        (y, _), last = along(lstm_step, z, weight, bias, state)
        return y, last
    h, c = state
    y = _lstm(z, weight, bias, h, c)
    return y[0], (y[0, -1], y[1, -1])
