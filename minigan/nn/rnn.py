"""Recurrent layers: one step (LSTMCell, GRUCell, RNNCell) and whole sequences (LSTM, GRU, RNN), under torch.nn's names.

The steps are made of public ops (ops/recurrent.py), so gradients of any order pass through time.  The products with the inputs
need no earlier state, so they are one large matrix product for the whole sequence.  Only the products with the state need the
step before.  A whole LSTM is one op, because its steps are many and small.

Weights are stacked by gate: weight_ih (gates * hidden, input), weight_hh (gates * hidden, hidden), in torch's order
(LSTM: input, forget, cell, output; GRU: reset, update, new).  All parameters start uniform in +-1/sqrt(hidden).
"""

import math
from typing import Any

import numpy as np

from minigan.backend import xp
from minigan.errors import ConfigError, ShapeError, choose
from minigan.nn import functional as F
from minigan.nn import init
from minigan.nn.module import Module, Parameter
from minigan.ops import concatenate, flip, stack, swapaxes
from minigan.ops.noise import dropout
from minigan.ops.recurrent import along, gru_step, lstm, lstm_step, relu_step, tanh_step
from minigan.tensor import Tensor, plain


class _Recurrent(Module):
    """The common part of cells and layers: the options, the weights of one direction of one layer, and the step."""

    step = staticmethod(lstm_step)
    gates, states = 4, 2  # how many gates the weights hold, and how many tensors a state has: LSTM (h, c), GRU (h,)

    def __init__(self, input_size, hidden_size, bias):
        super().__init__()
        if input_size < 1 or hidden_size < 1:
            raise ConfigError(
                f"{type(self).__name__}: input_size and hidden_size must be >= 1, got {input_size} and {hidden_size}"
            )
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias

    def _add_weights(self, input_size, suffix=""):
        rows = self.gates * self.hidden_size
        shapes = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, self.hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for name, shape in shapes.items():
            wanted = self.bias or not name.startswith("bias")
            setattr(self, name + suffix, Parameter(np.empty(shape, np.float32)) if wanted else None)

    def reset_parameters(self):
        """Draw new weights."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _weights(self, suffix=""):
        return (getattr(self, name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))

    def _state(self, hx, x, shape):
        """The initial state as a tuple of tensors of this shape: hx after a check, or zeros of x's dtype on its device."""
        if hx is None:
            zeros = Tensor(xp(plain(x)).zeros(shape, x.dtype))
            return (zeros,) * self.states
        state = tuple(hx) if self.states > 1 else (hx,)
        if len(state) != self.states or any(tuple(part.shape) != shape for part in state):
            wanted = "(h, c), each" if self.states > 1 else "h,"
            raise ShapeError(
                f"{type(self).__name__}: the initial state must be {wanted} of shape {shape}, "
                f"got {', '.join(str(tuple(part.shape)) for part in state)}"
            )
        return state

    def _checked(self, x, axes, what):
        if x.ndim not in axes or x.shape[-1] != self.input_size:
            raise ShapeError(f"{type(self).__name__}: x is {x.shape}, but must be {what} with input_size {self.input_size}")
        return x if isinstance(x, Tensor) else Tensor(x)


NONLINEARITIES = {"tanh": tanh_step, "relu": relu_step}


class LSTMCell(_Recurrent):
    """One step of an LSTM: x (N, input_size), (h, c) each (N, hidden_size) or None for zeros -> (h', c').

    i, f, o = sigmoid(W x + b + U h + d), g = tanh(...);  c' = f c + i g;  h' = o tanh c'.   Also without the axis N.
    Hochreiter and Schmidhuber 1997, with Gers et al.'s (2000) forget gate.   torch.nn.LSTMCell.

    >>> h, c = nn.LSTMCell(4, 8)(mg.ones((16, 4)))
    >>> h.shape
    (16, 8)
    """

    def __init__(self, input_size, hidden_size, bias=True):
        super().__init__(input_size, hidden_size, bias)
        self._add_weights(input_size)
        self.reset_parameters()

    def _advance(self, x, hx):
        x = self._checked(x, (1, 2), "(N, input_size)")
        state = self._state(hx, x, (*x.shape[:-1], self.hidden_size))
        weight_ih, weight_hh, bias_ih, bias_hh = self._weights()
        return self.step(F.linear(x, weight_ih, bias_ih), F.linear(state[0], weight_hh, bias_hh), state)

    def forward(self, x, hx=None) -> tuple[Tensor, Tensor]:
        """(h', c')."""
        return self._advance(x, hx)

    def extra_repr(self):
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class GRUCell(LSTMCell):
    """One step of a GRU: x (N, input_size), h (N, hidden_size) or None for zeros -> h'.

    r, z = sigmoid(W x + b + U h + d);  n = tanh(W x + b + r (U h + d));  h' = (1 - z) n + z h.
    Cho et al. 2014, but with the reset gate after the product, as in cuDNN and torch.nn.GRUCell.

    >>> nn.GRUCell(4, 8)(mg.ones((16, 4))).shape
    (16, 8)
    """

    step = staticmethod(gru_step)
    gates, states = 3, 1

    def forward(self, x, hx=None) -> Tensor:  # type: ignore[override]  # its state is one Tensor
        """h'."""
        return self._advance(x, hx)[0]


class LSTM(_Recurrent):
    """LSTMCell along a sequence, in num_layers layers on top of each other.   torch.nn.LSTM.

    x (L, N, input_size), or (N, L, input_size) if batch_first, or (L, input_size);  state (h, c), each
    (num_layers D, N, hidden_size), None for zeros;  D = 2 if bidirectional, else 1.
    -> y (L, N, D hidden_size), the last layer's h at every time;  (h, c) at the end of each layer and direction.
    dropout: between layers, in training.  Parameters: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, then
    weight_ih_l0_reverse ... of the other direction, weight_ih_l1 ... of the next layer.

    >>> y, (h, c) = nn.LSTM(4, 8, batch_first=True)(mg.ones((16, 10, 4)))
    >>> y.shape, h.shape
    ((16, 10, 8), (1, 16, 8))
    """

    def __init__(self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False):
        super().__init__(input_size, hidden_size, bias)
        if num_layers < 1 or not 0 <= dropout <= 1:
            raise ConfigError(
                f"{type(self).__name__}: need num_layers >= 1 and dropout between 0 and 1, got {num_layers} and {dropout}"
            )
        self.num_layers, self.batch_first, self.dropout = num_layers, batch_first, dropout
        self.bidirectional = bidirectional
        self._directions = ("", "_reverse") if bidirectional else ("",)
        for layer in range(num_layers):
            for direction in self._directions:
                self._add_weights(hidden_size * len(self._directions) if layer else input_size, f"_l{layer}{direction}")
        self.reset_parameters()

    def forward(self, x, hx=None) -> tuple[Tensor, Any]:
        """(y, final state); the state of an LSTM is (h, c), of a GRU h."""
        x = self._checked(x, (2, 3), "(N, L, input_size)" if self.batch_first else "(L, N, input_size)")
        batch_first = self.batch_first and x.ndim == 3
        x = swapaxes(x, 0, 1) if batch_first else x
        if not x.shape[0]:
            raise ShapeError(f"{type(self).__name__}: the sequence is empty: x is {x.shape}")
        count = self.num_layers * len(self._directions)
        starts = self._state(hx, x, (count, *x.shape[1:-1], self.hidden_size))
        ends = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = dropout(x, self.dropout, self.training)
            outputs = []
            for direction in self._directions:
                state = tuple(part[len(ends)] for part in starts)
                y, state = self._run(flip(x, 0) if direction else x, state, f"_l{layer}{direction}")
                outputs.append(flip(y, 0) if direction else y)
                ends.append(state)
            x = outputs[0] if len(outputs) == 1 else concatenate(outputs, -1)
        final = tuple(stack(parts) for parts in zip(*ends))
        return swapaxes(x, 0, 1) if batch_first else x, final if self.states > 1 else final[0]

    def _run(self, x, state, suffix):
        """(h at every time, the last state) of one direction of one layer."""
        weight_ih, weight_hh, bias_ih, bias_hh = self._weights(suffix)
        from_inputs = F.linear(x, weight_ih, bias_ih)
        if self.step is lstm_step:
            return lstm(from_inputs, weight_hh, bias_hh, state)
        (y, *_), state = along(self.step, from_inputs, weight_hh, bias_hh, state)
        return y, state

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0.0),
            ("bidirectional", False),
        ):
            text += f", {name}={getattr(self, name)}" if getattr(self, name) != usual else ""
        return text


class GRU(LSTM):
    """GRUCell along a sequence: it has LSTM's arguments and shapes, but the state is only h.   torch.nn.GRU.

    >>> y, h = nn.GRU(4, 8, batch_first=True)(mg.ones((16, 10, 4)))
    >>> y.shape, h.shape
    ((16, 10, 8), (1, 16, 8))
    """

    step = staticmethod(gru_step)
    gates, states = 3, 1


class RNN(LSTM):
    """h' = tanh(W x + b + U h + d) along a sequence ("relu" instead of tanh): LSTM's shapes, but the state is only h.

    Elman 1990.   torch.nn.RNN.
    """

    gates, states = 1, 1

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        nonlinearity="tanh",
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
    ):
        self.step = choose("nonlinearity", nonlinearity, NONLINEARITIES)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        self.nonlinearity = nonlinearity


class RNNCell(GRUCell):
    """One step of an RNN: x (N, input_size), h (N, hidden_size) or None for zeros -> h' = tanh(W x + b + U h + d), or relu."""

    gates, states = 1, 1

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh"):
        self.step = choose("nonlinearity", nonlinearity, NONLINEARITIES)
        super().__init__(input_size, hidden_size, bias)
        self.nonlinearity = nonlinearity
