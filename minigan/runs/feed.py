"""Batches on their way to a GPU: many in one transfer, ahead of time, so that no step of training waits for its own."""

import numpy as np

from minigan.backend import to_device
from minigan.data import Batch

CHUNK = 2**24  # bytes of samples sent at a time, at most MOST batches of them
MOST = 64


class Feed:
    """The batches of a loader, as arrays of a device; `next(feed)` is a slice of what was sent there already.

    check(batch): called with each batch while it is still on the host, where it can be looked at without waiting.
    state_dict and load_state_dict are those of the loader as if it had made no batch ahead, so that a run may go on on
    either device.
    """

    def __init__(self, loader, device: str, check=lambda batch: None):
        self.loader, self.device, self.check = loader, device, check
        self._ready, self._states = [], []  # batches to come, the next one last, and the loader's state before each

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
        columns = [[None] * len(batches) if field[0] is None else to_device(np.stack(field), self.device)
                   for field in zip(*batches)]  # one transfer for each field, whatever the fields are
        self._ready = [type(batches[0])(*row) for row in zip(*columns)][::-1]
        self._states = states[::-1]

    def state_dict(self) -> dict:
        """Where the next batch comes from, as the loader tells it."""
        return self._states[-1] if self._states else self.loader.state_dict()

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state."""
        self.loader.load_state_dict(state)
        self._ready, self._states = [], []
