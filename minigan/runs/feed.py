"""Send batches to a GPU ahead of time, many in one transfer, so that no training step waits for its own batch."""

import numpy as np

from minigan.backend import to_device
from minigan.data import Batch

CHUNK = 2**24  # bytes of samples in one transfer, which holds at most MOST batches
MOST = 64


class Feed:
    """An iterator over a loader's batches as arrays on `device`.  `next(feed)` returns a slice of what is there already.

    check(batch): called with each batch on the host, because reading values on a GPU would wait for it.
    state_dict and load_state_dict have the loader's format and ignore the batches sent ahead, so a run can continue with or
    without a Feed.
    """

    def __init__(self, loader, device: str, check=lambda batch: None):
        self.loader, self.device, self.check = loader, device, check
        self._ready, self._states = [], []  # the coming batches, the next one last; the loader's state before each of them

    def __iter__(self) -> "Feed":
        return self

    def __next__(self) -> Batch:
        if not self._ready:
            self._fetch()
        self._states.pop()
        return self._ready.pop()

    def _fetch(self):
        batches, states, size = [], [], 0
        while not batches or (len(batches) < MOST and size + batches[0].x.nbytes <= CHUNK):
            states.append(self.loader.state_dict())
            batches.append(next(self.loader))
            self.check(batches[-1])
            size += batches[-1].x.nbytes
        columns = [
            [None] * len(batches) if field[0] is None else to_device(np.stack(field), self.device) for field in zip(*batches)
        ]  # one transfer for each field of the batches
        self._ready = [type(batches[0])(*row) for row in zip(*columns)][::-1]
        self._states = states[::-1]

    def state_dict(self) -> dict:
        """The loader's state from which the next batch comes."""
        return self._states[-1] if self._states else self.loader.state_dict()

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state."""
        self.loader.load_state_dict(state)
        self._ready, self._states = [], []
