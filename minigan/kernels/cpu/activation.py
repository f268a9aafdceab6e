"""Bias, leaky relu, softplus and sigmoid: array expressions that keep the memory order of their input."""

import numpy as np

from minigan.kernels.cpu.memory import mapped


def add_bias(x, bias):
    """x + bias, one number for each channel.   x (N, C, ...), bias (C,)."""
    return x + bias.reshape(1, -1, *[1] * (x.ndim - 2))


def bias_gradient(g):
    """The sum of g (N, C, ...) over everything but the channels: (C,)."""
    return g.sum(axis=(0, *range(2, g.ndim)))


def leaky_relu(x, slope):
    """x where x > 0, else slope x, for 0 <= slope <= 1.   Any shape."""
    def piece(out, x):
        np.multiply(x, slope, out=out) if slope else out.fill(0)
        np.maximum(x, out, out=out)  # of two arrays: half the time of an array and a number

    return mapped(piece, x)


def leaky_relu_gradient(g, x, slope):
    """g where x > 0, else slope g.   g, x of one shape; x may be the output instead."""

    def piece(out, x, g):
        np.greater(x, 0, out=out)  # straight into floats: a boolean array, and a choice by it, would take longer
        if slope:
            out *= 1 - slope
            out += slope
        out *= g

    return mapped(piece, x, g)


def softplus(x):
    """log(1 + e^x), as max(x, 0) + log1p(e^-|x|)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x):
    """1 / (1 + e^-x), as (1 + tanh(x/2)) / 2, which cannot overflow."""
    return 0.5 * np.tanh(0.5 * x) + 0.5
