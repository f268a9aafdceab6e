"""Module with PyTorch's behaviour: three dicts of what was assigned, a state_dict that shares memory, hooks, printing.

minigan's own Module looks for Parameters among its attributes each time.  PyTorch's registers them when they are assigned, in
`_parameters`, `_buffers` and `_modules`; scripts read and change those dicts, so this one has them, too.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigan as mg
from minigan.errors import ConfigError
from minigan.torch.tensor import Parameter, Tensor

IncompatibleKeys = namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])


class Module:
    """Base of all networks and layers: write `forward`, and assign Parameters and Modules as attributes in __init__.

    >>> import minigan.torch as torch
    >>> class Twice(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = torch.nn.Linear(2, 2, bias=False)
    ...
    ...     def forward(self, x):
    ...         return self.layer(self.layer(x))
    >>> net = Twice()
    >>> [name for name, _ in net.named_parameters()], net(torch.ones(3, 2)).shape
    (['layer.weight'], torch.Size([3, 2]))
    """

    training: bool

    def __init__(self, *args: Any, **options: Any):
        vars(self).update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
            _forward_pre_hooks={},
            _forward_hooks={},
        )

    # ------------------------------------------------------------------------------------- attributes and dicts ---

    def __getattr__(self, name: str) -> Any:
        """A parameter, buffer or module; Python asks here only if there is no ordinary attribute of that name."""
        own = vars(self)
        for kind in ("_parameters", "_buffers", "_modules"):
            if kind in own and name in own[kind]:
                return own[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            return self.register_parameter(name, value)
        if isinstance(value, Module):
            return self.register_module(name, value)
        own = vars(self)
        for kind, needed in (("_parameters", Parameter), ("_modules", Module), ("_buffers", Tensor)):
            if name in own.get(kind, ()):
                if value is not None and not isinstance(value, needed):
                    raise TypeError(
                        f"cannot assign {type(value).__name__!r} as {name!r} of {type(self).__name__}: assign a "
                        f"{needed.__name__} or None, or delete the old one first"
                    )
                own[kind][name] = value
                return None
        return object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in vars(self).get(kind, ()):
                del vars(self)[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self):
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _register(self, kind, name, value):
        own = vars(self)
        if kind not in own:
            raise AttributeError(f"{type(self).__name__}: call super().__init__() before you assign {name!r}")
        if not isinstance(name, str) or "." in name or not name:
            raise KeyError(f"{type(self).__name__}: {name!r} is no name for an attribute; it must be text without a dot")
        for place in ("_parameters", "_buffers", "_modules"):  # a name stands for one thing
            if place != kind:
                own[place].pop(name, None)
        own.pop(name, None)
        own[kind][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a Parameter; None keeps the place, as a layer without bias does."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter: {name!r} must be a Parameter or None, got {type(param).__name__}")
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that moves with the module but is not trained; persistent: state_dict has it."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: {name!r} must be a Tensor or None, got {type(tensor).__name__}")
        if hasattr(self, name) and name not in self._buffers:
            raise KeyError(f"register_buffer: {type(self).__name__} already has an attribute {name!r}")
        self._register("_buffers", name, tensor)
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a submodule."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{name!r} must be a Module or None, got {type(module).__name__}")
        self._register("_modules", name, module)

    add_module = register_module

    # ------------------------------------------------------------------------------------------------- the call ---

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The module's output.  Every module writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(); a module must define one")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if not (self._forward_pre_hooks or self._forward_hooks):
            return self.forward(*inputs, **options)
        for hook in list(self._forward_pre_hooks.values()):
            changed = hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*inputs, **options)
        for hook in list(self._forward_hooks.values()):
            changed = hook(self, inputs, output)
            output = output if changed is None else changed
        return output

    def register_forward_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call hook(module, inputs) before every forward; if it returns something, that replaces the inputs."""
        return RemovableHandle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Callable) -> RemovableHandle:
        """Call hook(module, inputs, output) after every forward; if it returns something, that replaces the output."""
        return RemovableHandle(self._forward_hooks, hook)

    def register_full_backward_hook(self, hook: Callable) -> None:
        """Refused: the engine walks ops, and does not know where a module begins."""
        raise ConfigError(
            "register_full_backward_hook: minigan's backward pass knows ops, not modules; look at a parameter's .grad, "
            "or watch every gradient rule with `with minigan.watch(...)`"
        )

    register_backward_hook = register_full_backward_hook

    # ------------------------------------------------------------------------------------------- what is inside ---

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for each direct submodule."""
        return ((name, module) for name, module in self._modules.items() if module is not None)

    def children(self) -> Iterator[Module]:
        """The direct submodules."""
        return (module for _, module in self.named_children())

    def named_modules(self, memo=None, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) for this module ('') and all below it, each once unless remove_duplicate is False."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self.named_children():
            yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def _named(self, kind, prefix, recurse, remove_duplicate):
        seen = set()
        for path, module in self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]:
            for name, value in vars(module)[kind].items():
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield _join(path, name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, Parameter); one that is used in two places comes once, under its first name."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All Parameters, each once."""
        return (parameter for _, parameter in self.named_parameters("", recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, Tensor) for all registered buffers that hold one."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers("", recurse))

    def get_submodule(self, target: str) -> Module:
        """The module with this dotted name; '' is the module itself."""
        module = self
        for name in target.split(".") if target else ():
            module = getattr(module, name)
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The Parameter with this dotted name."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._parameters[name]

    # --------------------------------------------------------------------------------------- changing them all ---

    def train(self, mode: bool = True) -> Any:
        """Set training mode, here and below; returns self."""
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Any:
        """Set evaluation mode, here and below; returns self."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Freeze (False) or unfreeze all parameters; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set every .grad to None, or to zeros."""
        clear_gradients(self.parameters(), set_to_none)

    def apply(self, fn: Callable[[Module], object]) -> Any:
        """Call fn(module) for every module below and this one last; returns self."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, **options: Any) -> Any:
        """Move all parameters and buffers to a device, or convert the floats among them; returns self.

        args: a device, a float dtype, both, or a tensor that has them.  The Parameters stay the same objects.
        """
        targets = [value for value in (*args, options.get("device"), options.get("dtype")) if not isinstance(value, bool)]
        with_tensors = [
            mark for value in targets for mark in ((value.device, value.dtype) if isinstance(value, Tensor) else (value,))
        ]
        Bundle(tensor.engine for tensor in _tensors(self)).to(
            *map(engine_target, filter(lambda t: t is not None, with_tensors))
        )
        return self

    def cuda(self, device: Any = None) -> Any:
        """Move to the GPU; returns self."""
        return self.to("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)

    def cpu(self) -> Any:
        """Move to the CPU; returns self."""
        return self.to("cpu")

    def float(self) -> Any:
        """Convert all floats to float32; returns self."""
        return self.to("float32")

    def double(self) -> Any:
        """Convert all floats to float64; returns self."""
        return self.to("float64")

    def type(self, dst_type: Any) -> Any:
        """Convert all floats to this dtype; returns self."""
        return self.to(dst_type)

    def share_memory(self) -> Any:
        """Returns self.  Threads of one process share it anyway; minigan starts no other processes."""
        return self

    # --------------------------------------------------------------------------------------- saving and loading ---

    def _saved(self, prefix=""):
        """(dotted name, Tensor) of what state_dict has, in its order; shared parameters come under each of their names."""
        for path, module in self.named_modules(None, prefix, False):
            for name, value in module._parameters.items():
                if value is not None:
                    yield _join(path, name), value
            for name, value in module._buffers.items():
                if value is not None and name not in module._non_persistent_buffers_set:
                    yield _join(path, name), value

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Tensor]:
        """dotted name -> Tensor of each parameter and buffer.  As in PyTorch they share the module's memory."""
        saved = self._saved(prefix.removesuffix("."))
        return OrderedDict((name, value if keep_vars else value.detach()) for name, value in saved)

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Overwrite parameters and buffers, in place, with the values of the same names.

        strict=False ignores names that only one side has.  RuntimeError, with nothing changed, if a shape differs or, when
        strict, a name is missing or unknown.   (PyTorch changes what fits before it raises.)
        """
        own = dict(self._saved())
        missing, unexpected = [n for n in own if n not in state_dict], [n for n in state_dict if n not in own]
        new = {name: np.asarray(_array(state_dict[name])) for name in own if name in state_dict}
        faults = [f"missing: {', '.join(missing)}"] if strict and missing else []
        faults += [f"unexpected: {', '.join(map(str, unexpected))}"] if strict and unexpected else []
        faults += [
            f"{name} is {array.shape} in the state and {tuple(own[name].shape)} in the module"
            for name, array in new.items()
            if array.shape != tuple(own[name].shape)
        ]
        if faults:
            more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise RuntimeError(f"{type(self).__name__}: the state does not fit; " + "; ".join(faults[:3]) + more)
        for name, array in new.items():
            engine = own[name].engine
            engine.copy_(array.astype(engine.dtype))
        return IncompatibleKeys(missing, unexpected)

    # ------------------------------------------------------------------------------------------------- printing ---

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self) -> str:
        """The text between the parentheses of repr()."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        lines = [f"  ({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
        if not lines:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(" + "\n".join([extra, *lines]) + "\n)"


class RemovableHandle:
    """A handle for a hook, with which you can remove it; as a context manager it removes the hook at the end."""

    numbers = itertools.count()  # each registration has its own number, because a hook may be registered twice

    def __init__(self, hooks, hook):
        self.hooks, self.id = hooks, next(self.numbers)
        hooks[self.id] = hook

    def remove(self):
        """Remove the hook; a second call does nothing."""
        self.hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


class Bundle(mg.nn.Module):
    """Tensors of the engine as one of its modules: then its `to` moves them, with their gradients and their nodes."""

    def __init__(self, tensors):
        super().__init__()
        self.tensors = dict(enumerate(tensors))

    def _tensors(self):
        return self.tensors


def clear_gradients(parameters, set_to_none: bool) -> None:
    """Set the .grad of every parameter to None, or to zeros."""
    for parameter in parameters:
        engine = parameter.engine
        if set_to_none or engine.grad is None:
            engine.grad = None
        else:
            engine.grad = mg.zeros_like(engine.grad)


def engine_target(target):
    """A device or dtype as the engine names it: "cuda:0", "float32"."""
    name = str(target).removeprefix("torch.")
    return {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)


def _tensors(module):
    for part in module.modules():
        yield from (value for kind in (part._parameters, part._buffers) for value in kind.values() if value is not None)


def _array(value):
    return value.engine.detach().to("cpu").numpy() if isinstance(value, Tensor) else value


def _join(prefix, name):
    return f"{prefix}.{name}" if prefix else name
