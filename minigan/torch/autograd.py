"""torch.autograd: grad, backward, Variable, and whether ops record."""

from __future__ import annotations

from typing import Any

import minigan as mg
from minigan.errors import ConfigError
from minigan.grad_mode import is_recording, set_recording
from minigan.torch.missing import missing_from
from minigan.torch.tensor import Tensor, lift, lower


class _VariableMeta(type):
    def __instancecheck__(cls, value):
        return isinstance(value, Tensor)

    def __call__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Tensor:
        # A Variable was a Tensor with a graph; today it is a Tensor, and this function gives one of the same memory.
        return data if not requires_grad else data.detach().requires_grad_()


class Variable(metaclass=_VariableMeta):
    """A Tensor, by its old name.   Variable(x, requires_grad=True): a leaf that shares x's memory."""


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple:
    """The gradients of (the sum of) outputs by each of the inputs; create_graph: they can be differentiated again."""
    if is_grads_batched or not only_inputs:
        raise ConfigError("autograd.grad: only_inputs is always True and is_grads_batched False here")
    listed = lambda x: None if x is None else list(x) if isinstance(x, (tuple, list)) else [x]
    found = mg.grad(
        lower(listed(outputs)),
        lower(listed(inputs)),
        lower(listed(grad_outputs)),
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        allow_unused=bool(allow_unused) or materialize_grads,
    )
    if materialize_grads:
        wanted: Any = listed(inputs)
        found = tuple(mg.zeros_like(x.engine) if g is None else g for g, x in zip(found, wanted))
    return tuple(lift(g) for g in found)


def backward(tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
    """Add the gradients of these tensors to the .grad of the leaves."""
    tensors = tensors if isinstance(tensors, (tuple, list)) else [tensors]
    starts = grad_tensors if isinstance(grad_tensors, (tuple, list)) else [grad_tensors] * len(tensors)
    for i, (x, g) in enumerate(zip(tensors, starts)):
        x.backward(g, retain_graph or i < len(tensors) - 1, create_graph)


def no_grad() -> set_recording:
    """Inside the block, or the decorated function, ops record nothing."""
    return set_recording(False)


inference_mode = lambda mode=True: set_recording(not mode)


def enable_grad() -> set_recording:
    """Record again, inside a no_grad block."""
    return set_recording(True)


class set_grad_enabled(set_recording):
    """Record or not: from now on, and as a context manager until the end of the block."""

    def __init__(self, mode: bool):
        super().__init__(bool(mode))
        from minigan.grad_mode import recording

        self.before = is_recording()
        recording.set(bool(mode))

    def __exit__(self, *error):
        super().__exit__(*error)
        from minigan.grad_mode import recording

        recording.set(self.before)


is_grad_enabled = is_recording


class Function:
    """Refused: an op of your own is a minigan.primitive."""

    def __init_subclass__(cls, **options):
        raise ConfigError(
            f"{cls.__name__}: torch.autograd.Function is not in minigan.torch; write it with minigan.primitive(forward, rule), "
            f"which also has second derivatives"
        )


set_detect_anomaly = detect_anomaly = lambda mode=True: mg.debug()

__getattr__ = missing_from(__name__)
