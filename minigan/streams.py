"""Named random streams: every random number of minigan comes from one of them, on the CPU and on a GPU.

Streams   independent generators from one seed, each with a name
streams   the streams that layers use         seed    restart them            using   layers use other streams in a block
"""

import contextlib
import zlib
from contextvars import ContextVar
from functools import partial

import numpy as np

from minigan.watch import watchers


class Streams:
    """Named, independent random generators from one seed: drawing from one never changes another.

    stream(name) is numpy's Generator for SeedSequence([seed, crc32(name)]).  state_dict and load_state_dict save and
    restore all of them, so a resumed run goes on with the very same numbers.
    """

    def __init__(self, seed: int = 0):
        self.seed = int(seed)
        self._generators: dict = {}
        self._on_gpu: dict = {}
        self._gpu_states: dict = {}  # the states with which generators that do not exist yet will start

    def __call__(self, name: str) -> "np.random.Generator":
        """The generator of that name; the first call makes it."""
        return self.generator(name) if watchers.recorder is None else watchers.recorder.draw(self, name)

    def generator(self, name: str) -> "np.random.Generator":
        """The same, also while a step is recorded (capture/), when a call gives a generator whose draws are noted."""
        if name not in self._generators:
            entropy = [self.seed, zlib.crc32(name.encode())]
            self._generators[name] = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
        return self._generators[name]

    def on(self, device: str):
        """The streams of the same names on a device: on the CPU these streams themselves, on a GPU generators that draw there.

        GPU generators draw other numbers, because NumPy's algorithms make one number after another.  On a GPU the n-th number
        depends only on the seed, the name and n (kernels/cuda/random.py).  These generators have the methods that a training
        step uses.  One Streams object works with one GPU only.
        """
        return self if device == "cpu" else partial(self._gpu_generator, device)

    def _gpu_generator(self, device, name):
        if name not in self._on_gpu:
            from minigan.kernels.cuda.random import Philox  # programs without a GPU need not import it

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
        """Note that a recorded step was launched once more, and has drawn its numbers."""
        for generator in self._on_gpu.values():
            generator.repeated()

    def state_dict(self) -> dict:
        """The seed and every generator's state, as plain numbers and strings."""
        return {
            "seed": self.seed,
            "generators": {name: g.bit_generator.state for name, g in self._generators.items()},
            # Sorted: after a resume the names are asked for in another order, and the bytes of a checkpoint stay the same.
            "gpu": dict(sorted((self._gpu_states | {name: g.state_dict() for name, g in self._on_gpu.items()}).items())),
        }

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state.

        A generator that the caller already holds stays the same object and goes back too.  A generator made after the save is
        dropped, and made again on its next use.  A run that moves to another kind of device uses the streams there.
        """
        self.seed = int(state["seed"])
        self._generators = {name: g for name, g in self._generators.items() if name in state["generators"]}
        for name, generator_state in state["generators"].items():
            self.generator(name).bit_generator.state = generator_state
        self._on_gpu, self._gpu_states = {}, dict(state.get("gpu", {}))  # states from before minigan used GPUs lack "gpu"


_of_the_process = Streams(0)
_in_use = ContextVar("streams", default=_of_the_process)  # each thread has its own


@contextlib.contextmanager
def using(own: Streams):
    """Inside the block, layers draw from these streams, in this thread only.   So each run has its own random numbers."""
    token = _in_use.set(own)
    try:
        yield own
    finally:
        _in_use.reset(token)


def in_use() -> Streams:
    """The Streams from which layers draw in this thread now."""
    return _in_use.get()


class _StreamsInUse:
    """It acts as the Streams of this thread's innermost `using` block; outside of all blocks, as those of the process."""

    def __call__(self, name):
        return in_use()(name)

    def __getattr__(self, attribute):
        return getattr(in_use(), attribute)


# Layers draw from these, unless they get a generator: from "init" for weights, from "noise" for dropout.
streams = _StreamsInUse()


def seed(value: int) -> None:
    """Restart all of minigan's default random streams from this seed (an integer >= 0).

    These streams belong to the process; a run has its own streams and seed.  Inside `using(own)` this restarts `own`."""
    streams.load_state_dict({"seed": value, "generators": {}})
