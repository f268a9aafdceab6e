"""Module: a function with parameters.  Parameter: a tensor that training changes.

Module                                     write forward, assign Parameters and Modules as attributes
Sequential, ModuleList, ModuleDict         modules in a row, in a list, by name

A module looks for its Parameters, Modules and registered buffers among its attributes each time they are needed; nothing is
registered in secret.  `state_dict` has PyTorch's names ("0.weight"), so weights can go from one library to the other.
Elsewhere: the layers (nn/__init__.py says in which files), functions that change a module from outside (utils.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar

import numpy as np

from minigan.backend import check_device, converted, new_array, to_device
from minigan.errors import CheckpointError, ConfigError, DTypeError, suggestion
from minigan.tensor import Tensor

P = ParamSpec("P")
Y = TypeVar("Y", covariant=True)


class HasForward(Protocol[P, Y]):
    """For type checkers: a call of a module takes the arguments of its forward and returns what its forward returns."""

    def forward(self, *inputs: P.args, **options: P.kwargs) -> Y: ...


class Parameter(Tensor):
    """A Tensor that training changes: a leaf that requires a gradient.

    data: numbers, or an array or a Tensor of a float dtype; the Parameter shares the memory of an array or a Tensor.

    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(mg.ones(1))
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()([2.0, 3.0]).tolist()
    [2.0, 3.0]
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        shares = isinstance(data, Tensor)  # then it also shares the time of the last change
        super().__init__(data.data if shares else new_array(data), changed=data.changed if shares else None)
        self.requires_grad = requires_grad

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"


class Module:
    """Base of all networks and layers: write `forward`, and assign Parameters and Modules as attributes in __init__.

    training: True after train(), False after eval(); dropout and batch norm behave accordingly.
    """

    training = True

    def __init__(self):
        self._buffers = {}

    if TYPE_CHECKING:  # buffers and the members of a Sequential become attributes by name

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute.  DTypeError if that would silently replace a Parameter, module or buffer by something else."""
        old, buffers = self.__dict__.get(name), self.__dict__.get("_buffers", {})
        if isinstance(value, Parameter):
            buffers.pop(name, None)
        elif value is not None:
            needed = (
                Parameter
                if isinstance(old, Parameter)
                else Module
                if isinstance(old, Module)
                else Tensor
                if name in buffers
                else object
            )
            if not isinstance(value, needed):
                kind, what = needed.__name__, getattr(value, "__name__", type(value).__name__)
                place = "buffer" if needed is Tensor else kind
                raise DTypeError(
                    f"cannot assign {what} over the {place} {name!r} of {type(self).__name__}, which would be "
                    f"lost: assign a {kind} or None"
                    + ("" if needed is Module else f", or change it in place: `with mg.no_grad(): module.{name}[...] = value`")
                )
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.get("_buffers", {}).pop(name, None)
        super().__delattr__(name)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The module's output.  Every module writes its own."""
        raise TypeError(f"{type(self).__name__} has no forward(); a module must define one")

    def __call__(self: HasForward[P, Y], *inputs: P.args, **options: P.kwargs) -> Y:
        given: Any = inputs
        hooks = self.__dict__.get("_forward_pre_hooks")
        for hook in list(hooks.values()) if hooks else ():
            changed = hook(self, given)
            if changed is not None:
                given = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*given, **options)
        hooks = self.__dict__.get("_forward_hooks")
        for hook in list(hooks.values()) if hooks else ():
            changed = hook(self, given, output)
            output = output if changed is None else changed
        return output

    def register_buffer(self, name: str, tensor: Any) -> None:
        """Add a tensor that is saved but not trained, such as a running mean; None leaves the place empty.

        ConfigError if something else has the name.
        """
        buffers = self.__dict__.setdefault("_buffers", {})
        if name not in buffers and hasattr(self, name):
            raise ConfigError(
                f"register_buffer: {type(self).__name__} already has an attribute {name!r}; choose another name "
                f"or delete it first"
            )
        buffers[name] = None
        setattr(self, name, tensor if tensor is None or isinstance(tensor, Tensor) else Tensor(new_array(tensor)))

    def register_forward_pre_hook(self, hook: Callable) -> Handle:
        """Call hook(module, inputs) before every forward; if it returns something, that replaces the inputs."""
        return Handle(self, "_forward_pre_hooks", hook)

    def register_forward_hook(self, hook: Callable) -> Handle:
        """Call hook(module, inputs, output) after every forward; if it returns something, that replaces the output."""
        return Handle(self, "_forward_hooks", hook)

    # ------------------------------------------------------------------------------------------ what is inside ---

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for each direct submodule, in the order of assignment."""
        for name, value in self.__dict__.items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        """The direct submodules."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """(dotted name, module) for this module ('') and all below it, each once."""
        return iter(_walk(self, prefix, set()))

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, Parameter) for all trainable tensors, each once even if shared."""
        seen = set()
        for prefix, module in self.named_modules():
            for name, value in module.__dict__.items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield _join(prefix, name), value

    def parameters(self) -> Iterator[Parameter]:
        """All Parameters, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, Tensor) for all registered buffers that hold one."""
        for prefix, module in self.named_modules():
            for name in module.__dict__.get("_buffers", {}):
                if getattr(module, name) is not None:
                    yield _join(prefix, name), getattr(module, name)

    # ---------------------------------------------------------------------------------------- changing them all ---

    def train(self, mode: bool = True) -> Self:
        """Set training mode, here and below; returns self."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode, here and below; returns self."""
        return self.train(False)

    def requires_grad_(self, value: bool = True) -> Self:
        """Freeze (False) or unfreeze all parameters; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad = value
        return self

    def zero_grad(self) -> None:
        """Set every .grad, where backward() sums gradients, to None."""
        for parameter in self.parameters():
            parameter.grad = None

    def apply(self, function: Callable[[Module], object]) -> Self:
        """Call function(module) for every module below and this one last; returns self."""
        for child in list(self.children()):
            child.apply(function)
        function(self)
        return self

    def to(self, *targets: Any) -> Self:
        """Move all parameters, their gradients and buffers to a device, or convert the floats among them; returns self.

        targets: a device ("cpu", "cuda", "cuda:1"), a float dtype, or both.  The Parameters stay the same objects, so
        optimizers keep them.  DeviceError for a device that cannot be used, DTypeError for a dtype that is not a float.
        """
        moves = [_move(target) for target in targets]
        for tensor in self._tensors().values():
            for move in moves:
                for x in (tensor,) if tensor.grad is None else (tensor, tensor.grad):
                    before, x.data = x.dtype, move(x.data)
                    if x.node is not None and x.dtype != before:  # a leaf's node has its dtype, so the leaf needs a new node
                        x.requires_grad_(False).requires_grad_()
        return self

    def float(self) -> Self:
        """Convert all floats to float32; returns self."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Convert all floats to float64; returns self."""
        return self.to(np.float64)

    # ------------------------------------------------------------------------------------------ saving, loading ---

    def _tensors(self) -> dict[str, Tensor]:
        """name -> Tensor, in PyTorch's order: each module's parameters, then its buffers.  Shared ones come under each name."""
        tensors: dict[str, Tensor] = {}
        for prefix, module in _walk(self, "", None):
            own: dict[str, Tensor] = {name: value for name, value in module.__dict__.items() if isinstance(value, Parameter)}
            own.update(
                {
                    name: getattr(module, name)
                    for name in module.__dict__.get("_buffers", {})
                    if getattr(module, name) is not None
                }
            )
            tensors.update({_join(prefix, name): value for name, value in own.items()})
        return tensors

    def state_dict(self) -> dict[str, np.ndarray]:
        """name -> a copy of the array of each parameter and buffer, on the CPU, with PyTorch's names."""
        return {name: np.array(to_device(tensor.data, "cpu")) for name, tensor in self._tensors().items()}

    def load_state_dict(self, state: dict, strict: bool = True) -> tuple[list[str], list[str]]:
        """Overwrite parameters and buffers, in place, with values of the same names and shapes; dtypes are converted.

        state: name -> array, Tensor or torch tensor.  strict=False ignores names that only one side has.
        Returns (missing names, unknown names).  CheckpointError, with nothing changed, if a shape differs, if a value is not
        real numbers or can't be converted (3.7 to an integer, 1e300 to float32) or, when strict, a name is missing or unknown.
        """
        if not hasattr(state, "keys"):
            raise CheckpointError(f"{type(self).__name__}: a state is a dict of arrays by name, got {type(state).__name__}")
        own = self._tensors()
        missing, unknown = [n for n in own if n not in state], [n for n in state if n not in own]
        faults = []
        if strict and missing:
            faults.append(f"missing: {', '.join(missing)}")
        if strict and unknown:
            faults.append(f"unknown: {', '.join(map(str, unknown))}" + suggestion(str(unknown[0]), missing or own))
        new = {}
        for name in (name for name in own if name in state):
            try:
                new[name] = _loadable(state[name], own[name])
            except (ValueError, TypeError) as error:
                faults.append(f"{name} {error}")
        if faults:
            more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise CheckpointError(f"{type(self).__name__}: the state does not fit; " + "; ".join(faults[:3]) + more)
        for name, array in new.items():
            own[name].copy_(array)
        return missing, unknown

    # -------------------------------------------------------------------------------------------------- showing ---

    def extra_repr(self) -> str:
        """The text between the parentheses of repr(); every layer with options writes its own."""
        return ""

    def __repr__(self):
        count = sum(parameter.size for parameter in self.parameters())
        head = f"{type(self).__name__}({self.extra_repr()}"
        children = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        body = "\n" + "\n".join(children) + "\n" if children else ""
        return f"{head}{body})" + (f"  # {count:,} parameters" if count else "")


class Handle:
    """A handle for a hook on a module, with which you can remove the hook."""

    numbers = itertools.count()  # each registration has its own number, because a hook may be registered twice

    def __init__(self, module, kind, hook):
        self.hooks, self.number = module.__dict__.setdefault(kind, {}), next(self.numbers)
        self.hooks[self.number] = hook

    def remove(self):
        """Remove the hook; a second call does nothing."""
        self.hooks.pop(self.number, None)


class Sequential(Module):
    """Calls the modules one after the other: y = last(... second(first(x))).   Sequential(Linear(2, 8), Tanh(), Linear(8, 1))

    A single dict gives them names: Sequential({"hidden": Linear(2, 8), "act": Tanh()}).

    >>> net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> net(mg.ones((5, 2))).shape, sorted(net.state_dict())
    ((5, 1), ['0.bias', '0.weight', '2.bias', '2.weight'])
    """

    def __init__(self, *modules: Module | dict[str, Any]):
        super().__init__()
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], dict) else enumerate(modules)
        for name, module in named.items() if isinstance(named, dict) else named:
            if not isinstance(module, Module):
                raise TypeError(f"Sequential takes modules, got {type(module).__name__}; write Sequential(*layers) for a list")
            setattr(self, str(name), module)

    def forward(self, x: Any) -> Tensor:
        """Apply each module to the result of the previous one."""
        for module in self.children():
            x = module(x)
        return x

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __getitem__(self, index: int | slice) -> Any:
        modules = list(self.children())
        return Sequential(*modules[index]) if isinstance(index, slice) else modules[index]


class ModuleList(Module):
    """A list of modules, whose parameters belong to the network; it has no forward of its own.

    >>> layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] = ()):
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns self."""
        setattr(self, str(len(self)), module)
        return self

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __getitem__(self, index: int) -> Any:
        return list(self.children())[index]


class ModuleDict(Module):
    """Modules by name, whose parameters belong to the network; it has no forward of its own.

    >>> nets = nn.ModuleDict({"G": nn.Linear(2, 2), "D": nn.Linear(2, 1)})
    >>> list(nets), nets["D"].out_features
    (['G', 'D'], 1)
    """

    def __init__(self, modules: Any = ()):
        super().__init__()
        for name, module in dict(modules).items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        if hasattr(Module, name):
            raise KeyError(f"ModuleDict: {name!r} is a method of every module; choose another name")
        setattr(self, name, module)

    def __getitem__(self, name: str) -> Any:
        return dict(self.named_children())[name]

    def __contains__(self, name: str) -> bool:
        return name in dict(self.named_children())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def keys(self) -> KeysView[str]:
        """The names."""
        return dict(self.named_children()).keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return dict(self.named_children()).values()

    def items(self) -> ItemsView[str, Module]:
        """(name, module) pairs."""
        return dict(self.named_children()).items()


def _move(target):
    """The function array -> array that Module.to applies: a move to a device, or a conversion of floats to a dtype."""
    if isinstance(target, str) and not target.startswith("float"):
        device = check_device(target)
        return lambda array: to_device(array, device)
    dtype = np.dtype(target)
    if dtype.kind != "f":
        raise DTypeError(f"Module.to: parameters are floats, got {dtype}; use a device, 'float32' or 'float64'")
    return lambda array: array.astype(dtype) if array.dtype.kind == "f" and array.dtype != dtype else array


def _loadable(value, tensor):
    """A saved value (an array, our Tensor or torch's) as an array of the tensor's dtype; see backend.converted."""
    value = value.detach() if hasattr(value, "detach") else value
    return converted(value.data if isinstance(value, Tensor) else value, tensor.shape, tensor.dtype)


def _join(prefix, name):
    return f"{prefix}.{name}" if prefix else name


def _walk(module, prefix, seen):
    """(dotted name, module), this module first; a module that occurs twice comes only once, unless seen is None."""
    if seen is not None:
        if id(module) in seen:
            return
        seen.add(id(module))
    yield prefix, module
    for name, child in module.named_children():
        yield from _walk(child, _join(prefix, name), seen)
