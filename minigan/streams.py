"""Named random streams: every random number of minigan comes from one of them, on the host and on a card.

Streams   independent generators from one seed, each with a name
streams   those that layers draw from         seed    start them anew         using   layers draw from others for a while
"""

import contextlib
import zlib
from contextvars import ContextVar
from functools import partial

import numpy as np


class Streams:
    """Named, independent random generators from one seed: drawing from one never changes another.

    stream(name) is numpy's Generator for SeedSequence([seed, crc32(name)]).  state_dict and load_state_dict save and
    restore all of them, so a resumed run goes on with the very same numbers.
    """

    def __init__(self, seed: int = 0):
        self.seed = int(seed)
        self._generators: dict = {}
        self._on_gpu: dict = {}
        self._gpu_states: dict = {}  # where generators not yet made will start

    def __call__(self, name: str) -> "np.random.Generator":
        """The generator of that name, made when first asked for."""
        if name not in self._generators:
            entropy = [self.seed, zlib.crc32(name.encode())]
            self._generators[name] = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
        return self._generators[name]

    def on(self, device: str):
        """The same names on a device: on the CPU these streams themselves, on a GPU generators that draw there.

        Those draw other numbers, since NumPy's algorithms make one number after another: on a GPU the n-th number depends on
        the seed, the name and n alone (kernels/cuda/random.py).  They have the methods that a training step uses.  One set
        of streams serves one GPU.
        """
        return self if device == "cpu" else partial(self._gpu_generator, device)

    def _gpu_generator(self, device, name):
        if name not in self._on_gpu:
            from minigan.kernels.cuda.random import Philox  # not before there is a GPU to draw on

            entropy = np.random.SeedSequence([self.seed, zlib.crc32(name.encode())])
            self._on_gpu[name] = Philox(int(entropy.generate_state(1, np.uint64)[0]), device)
            if name in self._gpu_states:
                self._on_gpu[name].load_state_dict(self._gpu_states.pop(name))
        return self._on_gpu[name]

    def advance(self) -> None:
        """End a recorded step (runs/capture.py) with this: the next launch of the step then draws the next numbers."""
        for generator in self._on_gpu.values():
            generator.advance()

    def repeated(self) -> None:
        """Note that a recorded step was launched once more, and has drawn what it draws."""
        for generator in self._on_gpu.values():
            generator.repeated()

    def state_dict(self) -> dict:
        """The seed and every generator's state, as plain numbers and strings."""
        return {
            "seed": self.seed,
            "generators": {name: g.bit_generator.state for name, g in self._generators.items()},
            "gpu": self._gpu_states | {name: g.state_dict() for name, g in self._on_gpu.items()},
        }

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state.

        A generator handed out earlier stays the same object and goes back too; one made after the save is forgotten, and
        made anew when asked for.  A run goes on on another kind of device with the streams that it has there.
        """
        self.seed = int(state["seed"])
        self._generators = {name: g for name, g in self._generators.items() if name in state["generators"]}
        for name, generator_state in state["generators"].items():
            self(name).bit_generator.state = generator_state
        self._on_gpu, self._gpu_states = {}, dict(state.get("gpu", {}))  # not in those of before there were GPUs


_of_the_process = Streams(0)
_in_use = ContextVar("streams", default=_of_the_process)  # each thread has its own


@contextlib.contextmanager
def using(own: Streams):
    """Inside the block layers draw from these streams, in this thread only.   So a run owns all its random numbers."""
    token = _in_use.set(own)
    try:
        yield own
    finally:
        _in_use.reset(token)


class _StreamsInUse:
    """The Streams of the innermost `using` of this thread, and outside of any those of the process; called and asked alike."""

    def __call__(self, name):
        return _in_use.get()(name)

    def __getattr__(self, attribute):
        return getattr(_in_use.get(), attribute)


# What layers draw from unless they are given a generator: "init" (weights) and "noise" (dropout).
streams = _StreamsInUse()


def seed(value: int) -> None:
    """Start all of minigan's default random streams anew from this seed (an integer >= 0).

    They are the process's; a run has streams of its own, which its seed starts.  Inside `using(own)`, those are meant."""
    streams.load_state_dict({"seed": value, "generators": {}})
