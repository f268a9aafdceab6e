"""cupy.cuda.Graph: what a stream captured, to be run again."""

import numpy as np


class Graph:
    """Made by Stream.end_capture."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("Graph should not be instantiated directly; use Stream.end_capture()")

    @classmethod
    def _of(cls, recording):
        graph = object.__new__(cls)
        graph._recording = recording
        return graph

    def launch(self, stream=None):
        """All of it once more, in the same memory."""
        from cupy import _fake

        _fake.refuse_in_capture("the launch of another graph")
        with np.errstate(all="ignore"):
            for step in self._recording.steps:
                step()

    def upload(self, stream=None):
        """Nothing to do here."""
