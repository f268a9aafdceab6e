"""A row of devices.py at one size: a function of arrays, ours and PyTorch's, its result in float64, and its least work.

Elsewhere: whole training steps, which are cases too (device_steps.py), and the list of all cases (device_rows.py).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from device_sides import Side

from minigan.kernels.cpu.memory import pixels_first

TOLERANCE, TF32_TOLERANCE = 1e-4, 1e-3  # the largest error of a result, relative to its largest number
MOST_SETS, MOST_BYTES = 16, 2**30  # limits of the sets of input arrays, which the calls use in turn


@dataclass
class Case:
    """A row at one size: a function of arrays, and the least operations and bytes that it needs.

    draw(generator): the arrays.   ours(put): our function of them; put(array) moves an array that it keeps to the device.
    theirs(torch, put): PyTorch's function.   products: it contains matrix products, which TF32 changes.   images: indices of
    the arrays that are images.   per: one call does the row's work this many times.   calls: the number of calls before the
    result is checked.   kept: bytes that every call uses again.
    """

    group: str
    row: str
    size: int
    draw: Callable
    ours: Callable
    theirs: Callable
    operations: float
    bytes: float
    products: bool = False
    images: tuple = ()
    per: int = 1
    calls: int = 1
    kept: int = 0

    tolerance = TOLERANCE

    def prepare(self, side: Side, quick: bool) -> None:
        """Draw the arrays and compute the truth."""
        generator = np.random.default_rng(0)
        self.host = [self.draw(generator)]
        size = sum(a.nbytes for a in self.host[0])
        sets = 2 if quick else max(self.calls, min(MOST_SETS, -(-2 * side.cache // size), MOST_BYTES // size))
        self.host += [self.draw(generator) for _ in range(sets - 1)]
        # Input sets must take twice the size of the cache, or else parts of the next set may still be in it.  The same is true
        # of the bytes that every call uses again.
        self.is_cold = sets * size >= 2 * side.cache and not 0 < self.kept < 2 * side.cache
        self.there = [[side.put(a, i in self.images) for i, a in enumerate(arrays)] for arrays in self.host]
        exact = self.ours(lambda a: a.astype(np.float64))
        for i in range(self.calls):
            truth = exact(
                *(
                    pixels_first(a.astype(np.float64)) if k in self.images else a.astype(np.float64)
                    for k, a in enumerate(self.host[i % sets])
                )
            )
        self.truth = [np.array(a) for a in (truth if isinstance(truth, list) else [truth])]

    def modes(self, side) -> tuple:
        """The ways to run the case on this side."""
        return ("eager",)

    def build(self, side, mode):
        """(call, send): call(i) uses arrays on the device; send(i) sends arrays there first, and fetches the result."""
        function = self.ours(side.put) if side.is_ours else self.theirs(side.torch, side.put)

        def send(i):
            arrays = self.host[i % len(self.host)]
            return side.get(function(*(side.put(a, k in self.images) for k, a in enumerate(arrays))))

        results = [None] * len(self.there)  # kept alive, so that each set of inputs also has its own memory for the results

        def call(i):
            k = i % len(results)
            results[k] = function(*self.there[k])
            return results[k]

        return call, send

    def check(self, side, mode, call) -> float:
        """The largest error of a result, relative to the result's largest number.   The caller has made call(0) before.

        The result is that of another call(0), or that of the last call if `calls` is above 1.
        """
        for i in range(min(1, self.calls - 1), self.calls):
            results = call(i)
        found = side.get(results)
        assert len(found) == len(self.truth), f"{len(found)} results, not {len(self.truth)}"
        return max(float(abs(a - b).max() / max(abs(b).max(), 1e-30)) for a, b in zip(found, self.truth))
