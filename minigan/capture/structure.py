"""Tuples, lists and dicts with arrays in them: the arguments and results of a step and of its calls."""

from collections.abc import Callable
from operator import is_
from typing import Any

import numpy as np


def mapped(function: Callable, x) -> Any:
    """x with function(item) in place of every item; x itself if no item changes."""
    if isinstance(x, (tuple, list)):
        items = [mapped(function, item) for item in x]
        if all(map(is_, items, x)):
            return x
        return type(x)(items) if type(x) in (tuple, list) else type(x)(*items)  # a NamedTuple takes its fields one by one
    if type(x) is dict:
        new = {key: mapped(function, item) for key, item in x.items()}
        return x if all(new[key] is x[key] for key in x) else new
    return function(x)


def items_in(x) -> list:
    """All items of nested tuples, lists and dicts, in order."""
    if isinstance(x, (tuple, list)):
        return [item for part in x for item in items_in(part)]
    if type(x) is dict:
        return [item for part in x.values() for item in items_in(part)]
    return [x]


def arrays_in(x, kind: type = np.ndarray) -> list:
    """The items that are arrays, or of another type."""
    return [item for item in items_in(x) if issubclass(type(item), kind)]
