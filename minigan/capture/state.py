"""What a step changes: arrays of Tensors, optimizers and other objects with a state_dict, random streams.

A State remembers how these were, and `back` restores them.  So one step can be played twice from the same state.
"""

import copy
from typing import Any

import numpy as np

from minigan.capture.structure import items_in


class State:
    """How arrays, objects and streams were when they were first named to it."""

    def __init__(self):
        self.arrays: dict[int, tuple] = {}  # id of an array -> the array, the Tensors that have it, its old values
        self.objects: dict[int, tuple] = {}  # id of an object -> the object, its old state
        self.generators: dict[tuple, tuple] = {}  # (id of a Streams, name) -> the Streams, the name, the generator's old state

    def array(self, array, tensors, old=None):
        """Remember the values of an array, which these Tensors have."""
        if id(array) not in self.arrays:
            self.arrays[id(array)] = array, list(tensors), array.copy() if old is None else old

    def object(self, owner):
        """Remember the state of an object that has a state_dict."""
        if id(owner) not in self.objects and hasattr(owner, "state_dict"):
            self.objects[id(owner)] = owner, copy.deepcopy(owner.state_dict())

    def generator(self, streams, name):
        """Remember where a random stream is."""
        if (id(streams), name) not in self.generators:
            self.generators[id(streams), name] = streams, name, streams.generator(name).bit_generator.state

    def _restore(self, table, entry):
        if table is self.arrays:
            array, tensors, old = entry
            array[...] = old
            for tensor in tensors:
                tensor.data = array
        elif table is self.objects:
            owner, old = entry
            owner.load_state_dict(copy.deepcopy(old))
        else:
            streams, name, old = entry
            streams.generator(name).bit_generator.state = old

    def back(self) -> None:
        """Restore everything."""
        for table in (self.objects, self.arrays, self.generators):  # an optimizer that loads a state may move its parameters
            for entry in table.values():
                self._restore(table, entry)

    def now(self) -> "State":
        """The same arrays, objects and streams, as they are at this moment."""
        new = State()
        for array, tensors, _ in self.arrays.values():
            new.array(array, tensors, np.array(tensors[0].data))
        for owner, _ in self.objects.values():
            new.object(owner)
        for streams, name, _ in self.generators.values():
            new.generator(streams, name)
        return new

    def settle(self) -> None:
        """If Tensors have new arrays (x.data = ...), copy the values to their old arrays, which a replay uses."""
        for array, tensors, _ in self.arrays.values():
            if tensors[0].data is not array:
                array[...] = tensors[0].data
                for tensor in tensors:
                    tensor.data = array

    def differences(self, other: "State") -> list[str]:
        """What is different in another State of the same things, in words."""
        found = [
            f"a Tensor {array.shape}" for key, (array, _, old) in self.arrays.items() if not same(old, other.arrays[key][2])
        ]
        found += [
            f"the state of {type(owner).__name__}"
            for key, (owner, old) in self.objects.items()
            if not same(old, other.objects[key][1])
        ]
        found += [
            f'the random stream "{name}"'
            for key, (_, name, old) in self.generators.items()
            if not same(old, other.generators[key][2])
        ]
        return found


def same(a: Any, b: Any) -> bool:
    """Are two structures of arrays, numbers and strings equal, bit for bit?"""
    a, b = items_in(a), items_in(b)
    return len(a) == len(b) and all(map(_same_item, a, b))


def _same_item(a, b):
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and (a.shape, a.dtype) == (b.shape, b.dtype) and a.tobytes() == b.tobytes()
    return a is b or (type(a) is type(b) and bool(a == b))
