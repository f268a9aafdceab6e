"""The few hot array kernels that the ops call: plain arrays in, plain arrays out, no gradients, no checks.

cpu/     NumPy: conv.py, toom_cook.py, norm.py, ...      cuda/    the same functions on a card: *.cu, and *.py around them
conv.py, norm.py, ...    what the ops import: the arrays decide which of the two runs
"""

from functools import wraps
from importlib import import_module

import numpy as np

from minigan.backend import xp


def by_array(cpu):
    """A function that calls `cpu`, or kernels/cuda's function of that name if its arrays are on a card."""
    module = cpu.__module__.replace(".kernels.cpu.", ".kernels.cuda.")

    @wraps(cpu)
    def call(x, *args):
        if not isinstance(x, np.ndarray) and xp(x, *args) is not np:
            return getattr(import_module(module), cpu.__name__)(x, *args)
        return cpu(x, *args)

    return call
