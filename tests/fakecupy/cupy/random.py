"""cupy.random: default_rng only.  Its numbers are not those of the real one; nor are those of two versions of CuPy."""

import numpy as np

from cupy import _fake
from cupy._array import own
from cupy._surface import SURFACE, check


class Generator:
    """Draws on the device.  It lacks what CuPy's lacks: normal, permutation, shuffle, choice, ..."""

    def __init__(self, bit_generator):
        self._host = np.random.default_rng(bit_generator)

    def __getattr__(self, name):
        if name not in SURFACE["cupy.random.Generator"]:
            raise AttributeError(f"'Generator' object has no attribute {name!r}")
        if name not in ("random", "standard_normal", "uniform", "integers", "standard_exponential"):
            raise NotImplementedError(f"the stand-in's Generator has no {name}, which CuPy's has: add it")

        def draw(*args, **kwargs):
            check("cupy.random.Generator", name, args, kwargs)
            _fake.refuse_in_capture("cuRAND")
            return own(lambda: getattr(self._host, name)(*args, **kwargs))

        return draw


def default_rng(seed=None):
    """A Generator."""
    _fake.transfer("h2d")
    return Generator(seed)


def __getattr__(name):
    if name not in SURFACE["cupy.random"]:
        raise AttributeError(f"module 'cupy.random' has no attribute {name!r}")
    _fake.refuse_in_capture("cuRAND")
    raise NotImplementedError(
        f"the stand-in has no cupy.random.{name}: its state cannot be saved, and its numbers change with "
        f"the version; draw on the host and upload, or use the project's own Philox"
    )
