"""Module: a function with parameters.  Parameter: a tensor that training changes.

A module's attributes that are Parameters, Modules or registered buffers are found by name; `state_dict` spells them as
PyTorch does ("0.weight"), so weights travel both ways.
"""

import numpy as np

from minigan.backend import to_device
from minigan.errors import CheckpointError, ShapeError, suggestion
from minigan.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that training changes: a leaf that requires a gradient.  data: an array or a Tensor of a float dtype."""

    __slots__ = ()

    def __init__(self, data, requires_grad=True):
        super().__init__(data.data if isinstance(data, Tensor) else data)
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

    def forward(self, *inputs):
        """The module's output.  Every module writes its own."""
        raise TypeError(f"{type(self).__name__} has no forward(); a module must define one")

    def __call__(self, *inputs, **options):
        return self.forward(*inputs, **options)

    def register_buffer(self, name: str, tensor) -> None:
        """Keep a tensor that is saved with the parameters but not trained (a running mean); None keeps the place empty."""
        self.__dict__.setdefault("_buffers", {})[name] = None
        setattr(self, name, tensor)

    # ------------------------------------------------------------------------------------------ what is inside ---

    def named_children(self):
        """(name, module) for each direct submodule, in the order they were assigned."""
        for name, value in self.__dict__.items():
            if isinstance(value, Module):
                yield name, value

    def children(self):
        """The direct submodules."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix=""):
        """(dotted name, module) for this module ('') and all below it, each once."""
        return iter(_walk(self, prefix, set()))

    def modules(self):
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self):
        """(dotted name, Parameter) for all trainable tensors, each once even if shared."""
        seen = set()
        for prefix, module in self.named_modules():
            for name, value in module.__dict__.items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield _join(prefix, name), value

    def parameters(self):
        """All Parameters, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self):
        """(dotted name, Tensor) for all registered buffers that hold one."""
        for prefix, module in self.named_modules():
            for name in module.__dict__.get("_buffers", {}):
                if getattr(module, name) is not None:
                    yield _join(prefix, name), getattr(module, name)

    # ---------------------------------------------------------------------------------------- changing them all ---

    def train(self, mode=True):
        """Set training mode, here and below; returns self."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self):
        """Set evaluation mode, here and below; returns self."""
        return self.train(False)

    def requires_grad_(self, value=True):
        """Freeze (False) or unfreeze all parameters; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad = value
        return self

    def zero_grad(self):
        """Forget the gradients that backward() has summed."""
        for parameter in self.parameters():
            parameter.grad = None

    def apply(self, function):
        """Call function(module) for every module below and this one last; returns self."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    def to(self, device):
        """Move all parameters and buffers to a device, in place; returns self."""
        for tensor in self._tensors().values():
            tensor.data = to_device(tensor.data, device)
        return self

    # ------------------------------------------------------------------------------------------ saving, loading ---

    def _tensors(self) -> dict:
        """name -> Tensor, in PyTorch's order: per module its parameters, then its buffers.  A shared one under each name."""
        tensors = {}
        for prefix, module in _walk(self, "", None):
            own = {name: value for name, value in module.__dict__.items() if isinstance(value, Parameter)}
            own.update({name: getattr(module, name) for name in module.__dict__.get("_buffers", {})
                        if getattr(module, name) is not None})
            tensors.update({_join(prefix, name): value for name, value in own.items()})
        return tensors

    def state_dict(self) -> dict:
        """name -> a copy of the array of each parameter and buffer, on the CPU, with PyTorch's names."""
        return {name: np.array(to_device(tensor.data, "cpu")) for name, tensor in self._tensors().items()}

    def load_state_dict(self, state: dict) -> None:
        """Overwrite parameters and buffers, in place, with arrays of the same names and shapes.

        CheckpointError, with nothing changed, if a name is missing or unknown or a shape differs.
        """
        tensors = self._tensors()
        missing, unknown = [n for n in tensors if n not in state], [n for n in state if n not in tensors]
        if missing or unknown:
            raise CheckpointError(
                f"{type(self).__name__}: the state does not fit"
                + (f"; missing: {', '.join(missing)}" if missing else "")
                + (f"; unknown: {', '.join(unknown)}" + suggestion(unknown[0], missing or tensors) if unknown else ""))
        for name, tensor in tensors.items():
            shape = np.shape(state[name].data if isinstance(state[name], Tensor) else state[name])
            if shape != tensor.shape:
                raise ShapeError(f"{type(self).__name__}: {name} is {tensor.shape}, but the state has {shape}")
        for name, tensor in tensors.items():
            tensor.copy_(state[name])

    # -------------------------------------------------------------------------------------------------- showing ---

    def extra_repr(self) -> str:
        """What stands between the parentheses of repr(); every layer with options writes its own."""
        return ""

    def __repr__(self):
        count = sum(parameter.size for parameter in self.parameters())
        head = f"{type(self).__name__}({self.extra_repr()}"
        children = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        body = "\n" + "\n".join(children) + "\n" if children else ""
        return f"{head}{body})" + (f"  # {count:,} parameters" if count else "")


class Sequential(Module):
    """The modules one after the other: y = last(... second(first(x))).   Sequential(Linear(2, 8), Tanh(), Linear(8, 1))."""

    def __init__(self, *modules):
        super().__init__()
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def forward(self, x):
        """Each module applied to the result of the one before."""
        for module in self.children():
            x = module(x)
        return x

    def __len__(self):
        return sum(1 for _ in self.children())

    def __iter__(self):
        return self.children()

    def __getitem__(self, index):
        modules = list(self.children())
        return Sequential(*modules[index]) if isinstance(index, slice) else modules[index]


class ModuleList(Module):
    """A list of modules whose parameters are found; it has no forward of its own."""

    def __init__(self, modules=()):
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module):
        """Add a module at the end; returns self."""
        setattr(self, str(len(self)), module)
        return self

    __len__ = Sequential.__len__
    __iter__ = Sequential.__iter__

    def __getitem__(self, index):
        return list(self.children())[index]


def _join(prefix, name):
    return f"{prefix}.{name}" if prefix else name


def _walk(module, prefix, seen):
    """(dotted name, module), this one first; a module that occurs twice only once, unless seen is None."""
    if seen is not None:
        if id(module) in seen:
            return
        seen.add(id(module))
    yield prefix, module
    for name, child in module.named_children():
        yield from _walk(child, _join(prefix, name), seen)
