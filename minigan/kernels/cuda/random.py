"""Philox: a random generator that makes the same numbers on the CPU and on a GPU, on the device that needs them.

It has the names of numpy.random.Generator.  Its whole state is a seed and the number of the next draw.  On a GPU a part of that
number is in the GPU's memory, so that a step which is captured once and replayed draws new numbers each time:

    g.random(...); g.standard_normal(...)      draws number 0 and 1, counted from the number on the GPU
    g.advance()                                adds 2 to the number on the GPU; do this at the end of a captured step
"""

import math

import numpy as np

from minigan.backend import to_device, xp
from minigan.errors import CheckpointError, ConfigError, DTypeError
from minigan.kernels.cpu import philox
from minigan.kernels.cuda.launcher import launch


class Philox:
    """Random arrays on `device` from a seed (0 <= seed < 2^64).   The same seed and calls give the same numbers everywhere.

    size: an int, a tuple, or None for an array without axes.   dtype of floats: float32 or float64.
    """

    def __init__(self, seed: int, device: str = "cpu"):
        if not 0 <= seed < 2**64:
            raise ConfigError(f"Philox: the seed must be at least 0 and below 2^64, got {seed}")
        self.seed = int(seed)
        self._counter = to_device(np.zeros(1, np.uint64), device)
        self._base = 0  # a copy of the number on the GPU, so that we need not read it there
        self._ahead = 0  # how many draws were made since the number last changed
        self._moved = 0  # how much was added to the number at its last change

    def random(self, size=None, dtype=np.float64):
        """Uniform in [0, 1): every multiple of 2^-24 (float32) or 2^-53 (float64) has the same probability."""
        return self.uniform(0.0, 1.0, size, dtype)

    def uniform(self, low=0.0, high=1.0, size=None, dtype=np.float64):
        """Uniform in [low, high)."""
        return self._floats("uniform", philox.uniform, size, dtype, low, high)

    def standard_normal(self, size=None, dtype=np.float64):
        """Normal with mean 0 and variance 1."""
        return self._floats("normal", philox.normal, size, dtype)

    def normal(self, loc=0.0, scale=1.0, size=None, dtype=np.float64):
        """Normal with mean loc and standard deviation scale."""
        return self.standard_normal(size, dtype) * scale + loc

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        """Whole numbers from low up to high, without high; with endpoint, high is included.  Without high: from 0 to low.

        There may be at most 2^32 different numbers.
        """
        low, high = (0, low) if high is None else (low, high)
        low, span = int(low), int(high) - int(low) + bool(endpoint)
        if not 0 < span <= 2**32:
            raise ConfigError(f"Philox.integers: from {low} there are {span} numbers to choose from; 1 to 2^32 is possible")
        shape, draw = _shape(size), self._next()
        if isinstance(self._counter, np.ndarray):
            drawn = philox.integers(self.seed, draw, math.prod(shape), low, span)
        else:
            drawn = xp(self._counter).empty(math.prod(shape), np.int64)
            launch("random", "integers", -(-drawn.size // 2), drawn, self._counter, draw, self.seed, low, span, drawn.size)
        return drawn.reshape(shape).astype(dtype, copy=False)

    def advance(self) -> None:
        """Add the count of draws since the last time to the number on the GPU.  The next draw stays the same."""
        if isinstance(self._counter, np.ndarray):
            self._counter += np.uint64(self._ahead)
        else:
            launch("random", "advance", 1, self._counter, self._ahead, threads=1)
        self._base, self._moved, self._ahead = self._base + self._ahead, self._ahead, 0

    def repeated(self) -> None:
        """Note that a captured step was replayed once more, and has added the same count to the number on the GPU."""
        self._base += self._moved

    def state_dict(self) -> dict:
        """The seed and the number of the next draw.   This does not read from the GPU."""
        return {"seed": self.seed, "draw": self._base + self._ahead}

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state of a generator on any device.  CheckpointError if it is not such a state."""
        if set(state) != {"seed", "draw"}:
            raise CheckpointError(f"Philox: a state has 'seed' and 'draw', got {', '.join(map(repr, state))}")
        self.seed, self._base, self._ahead = int(state["seed"]), int(state["draw"]), 0
        self._counter[:] = self._base

    def _next(self):
        """The number of this draw; on a GPU, the count to add to the number there."""
        self._ahead += 1
        return self._ahead - 1 + (self._base if isinstance(self._counter, np.ndarray) else 0)

    def _floats(self, kernel, on_cpu, size, dtype, *options):
        shape, dtype, draw = _shape(size), np.dtype(dtype), self._next()
        if dtype not in (np.float32, np.float64):
            raise DTypeError(f"Philox: floats are float32 or float64, got {dtype}")
        if isinstance(self._counter, np.ndarray):
            return on_cpu(self.seed, draw, math.prod(shape), dtype, *options).reshape(shape)
        drawn = xp(self._counter).empty(math.prod(shape), dtype)
        launch("random", kernel, -(-drawn.nbytes // 16), drawn, self._counter, draw, self.seed, *options, drawn.size)
        return drawn.reshape(shape)


def _shape(size):
    return () if size is None else tuple(size) if isinstance(size, (tuple, list)) else (int(size),)
