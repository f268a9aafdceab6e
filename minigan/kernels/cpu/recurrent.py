"""An LSTM along a whole sequence, forward and backward: what needs no earlier step is done for all steps at once.

For each step there remain a product with the state and the gates (forward), and the gradient of the gates and a product with it
(backward).  So a step is a dozen calls of NumPy, where single ops make some fifty.
"""

import numpy as np

from minigan.kernels.cpu.activation import bell, sigmoid
from minigan.kernels.cpu.linalg import matmul


def lstm(z, weight, bias, h, c):
    """(y, a).   a[t] = z[t] + U h + bias has the parts i, f, o, to which it applies sigmoid, and g, to which it applies tanh;
    then c <- f c + i g  and  h <- o tanh c.

    z (L, N, 4 H): what the inputs give;  weight U (4 H, H), bias (4 H,) or None, h and c (N, H): the state before.
    y (2, L, N, H): h and c after every step.   a (L, N, 4 H): the gates before their sigmoid and tanh.
    """
    size = h.shape[-1]
    a, y = np.empty(z.shape, z.dtype), np.empty((2, len(z), *h.shape), z.dtype)
    turned = np.ascontiguousarray(weight.T)  # a small product with it takes half the time that it takes with a view
    i, f, g, o = (slice(k * size, (k + 1) * size) for k in range(4))
    for t, (now, h_next, c_next) in enumerate(zip(a, *y)):
        np.matmul(h, turned, out=now)
        now += z[t]
        if bias is not None:
            now += bias
        gates = sigmoid(now)
        np.multiply(gates[..., f], c, out=c_next)
        c_next += gates[..., i] * np.tanh(now[..., g])
        np.multiply(gates[..., o], np.tanh(c_next), out=h_next)
        h, c = h_next, c_next
    return y, a


def lstm_gradient(g, y, a, weight, h, c):
    """(dz, dweight, dbias, dh, dc) for y, a = lstm(z, weight, bias, h, c) and the gradient g (2, L, N, H) of y.

    With s' and t' the slopes of sigmoid and tanh:   dc += dh o t'(c),   D = (dc g s', dc c_before s', dc i t', dh tanh(c) s'),
    then  dh = D U  and  dc = dc f  for the step before.   Werbos 1990.
    """
    parts = (*a.shape[:-1], 4, a.shape[-1] // 4)
    gates, ones = sigmoid(a), np.ones(a.shape, a.dtype)
    slopes = bell(ones, a, 1, gates).reshape(parts)
    gates, inner, cell = gates.reshape(parts), a.reshape(parts)[..., 2, :], y[1]
    tanh_c, before = np.tanh(cell), [np.concatenate([start[None], states[:-1]]) for start, states in ((h, y[0]), (c, cell))]
    by_output = gates[..., 3, :] * bell(np.ones_like(cell), cell, 2, None)
    slopes[..., 0, :] *= np.tanh(inner)
    slopes[..., 1, :] *= before[1]
    slopes[..., 2, :] = gates[..., 0, :] * bell(np.ones(inner.shape, a.dtype), np.ascontiguousarray(inner), 2, None)
    slopes[..., 3, :] *= tanh_c
    dh, dc = np.zeros_like(h), np.zeros_like(c)
    for t in reversed(range(len(a))):
        dh += g[0, t]
        dc += g[1, t]
        dc += dh * by_output[t]
        d = slopes[t]  # D takes the place of its factors
        d[..., :3, :] *= dc[..., None, :]
        d[..., 3, :] *= dh
        np.matmul(d.reshape(a.shape[1:]), weight, out=dh)
        dc *= gates[t, ..., 1, :]
    dz = slopes.reshape(a.shape)
    rows = dz.reshape(-1, a.shape[-1])
    return dz, matmul(rows.T, before[0].reshape(len(rows), -1)), np.ones(len(rows), a.dtype) @ rows, dh, dc
