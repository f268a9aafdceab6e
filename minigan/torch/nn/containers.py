"""Containers: modules in a row, in a list, by name; and Parameters in a list."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any

from minigan.torch.nn.module import Module
from minigan.torch.tensor import Parameter, Tensor


class _Listed(Module):
    """The common part of Sequential, ModuleList and ParameterList: things under the names "0", "1", ... in one dict."""

    def _items(self) -> dict:
        return self._modules

    def _renumber(self, values):
        self._items().clear()
        for value in values:
            self.append(value)

    def _key(self, index):
        index, names = operator.index(index), list(self._items())
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__}: index {index} is outside its {len(names)} members")
        return names[index]

    def append(self, value: Any) -> Any:
        """Add one at the end; returns self."""
        setattr(self, str(len(self)), value)
        return self

    def extend(self, values: Iterable) -> Any:
        """Add several at the end; returns self."""
        for value in list(values):
            self.append(value)
        return self

    def insert(self, index: int, value: Any) -> Any:
        """Put one before this place; returns self."""
        values = list(self)
        values.insert(index, value)
        self._renumber(values)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take one out and return it."""
        value = self[index]
        del self[index]
        return value

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator:
        return iter(list(self._items().values()))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(list(self)[index])
        return self._items()[self._key(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), value)

    def __delitem__(self, index: Any) -> None:
        values = list(self)
        del values[index]
        self._renumber(values)

    def __add__(self, other: Iterable) -> Any:
        return self._of([*self, *other])

    def __iadd__(self, other: Iterable) -> Any:
        return self.extend(other)

    def _of(self, values):
        return type(self)(values)


class Sequential(_Listed):
    """Calls the modules one after the other: y = last(... second(first(x))).   A single dict gives them names.

    >>> from minigan.torch import nn
    >>> nn.Sequential(nn.Linear(2, 8), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=8, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *modules: Any):
        super().__init__()
        named = modules[0].items() if len(modules) == 1 and isinstance(modules[0], dict) else enumerate(modules)
        for name, module in named:
            self.register_module(str(name), module)

    def forward(self, input: Any) -> Any:
        """The output of the last module."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):  # the members keep their names
            return type(self)(dict(list(self._modules.items())[index]))
        return super().__getitem__(index)

    def _of(self, values):
        return Sequential(*values)


class ModuleList(_Listed):
    """Modules in a list; the module that holds it says in its forward how they are used."""

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        self.extend(modules or ())


class ParameterList(_Listed):
    """Parameters in a list; a Tensor that is given becomes a Parameter."""

    def __init__(self, values: Iterable[Tensor] | None = None):
        super().__init__()
        self.extend(values or ())

    def _items(self):
        return self._parameters

    def append(self, value: Any) -> Any:
        """Add one at the end; returns self."""
        return super().append(value if isinstance(value, Parameter) else Parameter(value))


class ModuleDict(Module):
    """Modules by name; the module that holds it says in its forward how they are used."""

    def __init__(self, modules: Any = None):
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Any) -> None:
        """Add the modules of a dict, or of pairs (name, module)."""
        for name, module in dict(modules).items():
            self[name] = module

    def __getitem__(self, name: str) -> Any:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.register_module(name, module)

    def __delitem__(self, name: str) -> None:
        del self._modules[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def items(self) -> Any:
        """(name, module)."""
        return self._modules.items()

    def pop(self, name: str) -> Module:
        """Take one out and return it."""
        return self._modules.pop(name)

    def clear(self) -> None:
        """Take all out."""
        self._modules.clear()
