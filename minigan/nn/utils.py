"""Functions that change modules and gradients from outside: those of torch.nn.utils, and a table of a network.

spectral_norm, remove_spectral_norm        divide a weight by its largest singular value: Miyato et al. 2018
clip_grad_norm_, clip_grad_value_          shrink the .grad fields          clip_grad_norm   the same, as a function
parameters_to_vector, vector_to_parameters all parameters in one vector, and back
summary                                    a table of the layers: output shapes, parameters, memory
"""

import math

import numpy as np

from minigan import ops
from minigan.backend import device_of, to_device, xp
from minigan.errors import ConfigError, NotFiniteError, ShapeError, suggestion
from minigan.grad_mode import no_grad
from minigan.nn import init
from minigan.nn.convolution import ConvTranspose2d
from minigan.nn.module import Module, Parameter
from minigan.streams import streams
from minigan.tensor import Tensor, plain

# ------------------------------------------------------------------------------------------------- spectral norm ---


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Make the module compute with weight / sigma, where sigma is the weight's largest singular value; return the module.

    So a dense layer increases no distance, which limits a discriminator.  The weight W counts as a matrix whose rows are the
    axis `dim` (the outputs: by default 0, for a ConvTranspose2d 1).  Before each forward in training, one step
    v = W^T u / |...|, u = W v / |...| of the power method improves sigma = u^T W v; one step is enough, because W changes
    slowly.  Gradients go through sigma, with u and v constant.  In evaluation u and v do not change.

    The parameter is now called <name>_orig, and the buffers <name>_u and <name>_v are saved with it.
    ConfigError if the module has no such parameter, or if it is normalised already.
    torch.nn.utils.spectral_norm; Miyato et al. 2018.   spectral_norm(nn.Linear(8, 1))

    >>> layer = nn.utils.spectral_norm(nn.Linear(8, 8), n_power_iterations=50)
    >>> _ = layer(mg.ones((1, 8)))
    >>> round(float(np.linalg.norm(layer.weight, 2)), 3)
    1.0
    """
    if n_power_iterations < 1:
        raise ConfigError(f"spectral_norm: n_power_iterations must be >= 1, got {n_power_iterations}")
    if _find(module, name) is not None:
        raise ConfigError(f"spectral_norm: {type(module).__name__}.{name} is normalised already")
    weight = module.__dict__.get(name)
    if not isinstance(weight, Parameter):
        own = [key for key, value in module.__dict__.items() if isinstance(value, Parameter)]
        raise ConfigError(
            f"spectral_norm: {type(module).__name__} has no parameter {name!r}"
            + (suggestion(name, own) if own else "; it has none of its own, apply it to its layers")
        )
    dim = int(isinstance(module, ConvTranspose2d)) if dim is None else dim
    hook = SpectralNorm(name, n_power_iterations, eps, dim)
    rows, columns = hook.matrix(weight).shape
    delattr(module, name)
    setattr(module, name + "_orig", weight)
    for suffix, size in (("_u", rows), ("_v", columns)):
        start = init.normal_(Tensor(np.empty(size, weight.dtype))).data
        module.register_buffer(name + suffix, Tensor(to_device(_unit(start, eps), weight.device)))
    hook.last = Tensor(weight.data.copy())
    setattr(module, name, hook.last)
    module.register_forward_pre_hook(hook)
    module.register_forward_hook(hook.after)
    return module


def remove_spectral_norm(module, name="weight"):
    """Make weight / sigma, with the last sigma, an ordinary parameter again; return the module."""
    hook = _find(module, name)
    if hook is None:
        raise ConfigError(f"remove_spectral_norm: {type(module).__name__}.{name} has no spectral norm")
    with no_grad():
        weight = hook.normalised(module)
    for kind, ours in (("_forward_pre_hooks", hook), ("_forward_hooks", hook.after)):
        hooks = module.__dict__[kind]
        del hooks[next(number for number, one in hooks.items() if one == ours)]
    for suffix in ("", "_orig", "_u", "_v"):
        delattr(module, name + suffix)
    setattr(module, name, Parameter(weight))
    return module


class SpectralNorm:
    """The hook that spectral_norm puts on a module."""

    def __init__(self, name, n_power_iterations, eps, dim):
        self.name, self.n_power_iterations, self.eps, self.dim = name, n_power_iterations, eps, dim
        self.last: Tensor  # the normalised weight of the last forward

    def matrix(self, weight):
        """The weight (an array or a Tensor) with axis dim as rows and all others as columns."""
        return ops.reshape(ops.moveaxis(weight, self.dim, 0), (weight.shape[self.dim], -1))

    def normalised(self, module):
        """weight / sigma."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        return weight / ops.sum(u * ops.matmul(self.matrix(weight), v))

    def __call__(self, module, inputs):
        if module.training:
            matrix = self.matrix(plain(getattr(module, self.name + "_orig")))
            u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
            for _ in range(self.n_power_iterations):  # this makes new arrays, because an earlier forward's graph needs the old
                v.data = _unit(ops.matmul(matrix.T, u.data), self.eps)
                u.data = _unit(ops.matmul(matrix, v.data), self.eps)
        setattr(module, self.name, self.normalised(module))

    def after(self, module, inputs, output):
        """Drop the reference to the graph, so that the graph lives only as long as the output."""
        self.last.data = getattr(module, self.name).data
        setattr(module, self.name, self.last)


def _find(module, name):
    for hook in module.__dict__.get("_forward_pre_hooks", {}).values():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            return hook
    return None


def _unit(x, eps):
    m = xp(x)
    return x / m.maximum(m.sqrt((x * x).sum()), eps)


# ------------------------------------------------------------------------------------------------------ gradients ---


def clip_grad_norm(grads, max_norm, norm_type=2.0):
    """(grads times min(1, max_norm / (total + 1e-6)), total), where total is the norm of all gradients as one vector.

    grads: Tensors, as from `grad`; None stays None.  norm_type: any p of mg.norm.  total: a 0-d Tensor.
    Pascanu, Mikolov and Bengio 2013.
    """
    grads = list(grads)
    total = _total_norm([g for g in grads if g is not None], norm_type)
    factor = ops.minimum(max_norm / (total + 1e-6), 1.0)
    return [None if g is None else g * factor for g in grads], total


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False):
    """Multiply all .grad, in place, by min(1, max_norm / (total + 1e-6)); return total, their norm before.

    parameters: a Tensor or several; those without .grad are skipped.  norm_type: any p of mg.norm.  error_if_nonfinite:
    raise NotFiniteError, and change nothing, if total is NaN or infinite.   torch.nn.utils.clip_grad_norm_.
    """
    grads = _gradients(parameters)
    total = _total_norm(grads, norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise NotFiniteError(f"clip_grad_norm_: the norm of the gradients is {total.item()}; nothing was clipped")
    factor = plain(ops.minimum(max_norm / (total + 1e-6), 1.0))
    for g in grads:
        g.data *= factor
        g.touch()
    return total


def clip_grad_value_(parameters, clip_value) -> None:
    """Limit every element of all .grad to the range from -clip_value to clip_value, in place."""
    for g in _gradients(parameters):
        xp(g.data).clip(g.data, -clip_value, clip_value, out=g.data)
        g.touch()


def _gradients(parameters):
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def _total_norm(grads, norm_type):
    if not grads:
        return Tensor(np.zeros((), np.float32))
    p = float(norm_type)
    return ops.norm(ops.stack([ops.norm(g, ord=p) for g in grads]), ord=p)


# -------------------------------------------------------------------------------------------------------- vectors ---


def parameters_to_vector(parameters):
    """All elements of all parameters, one after the other, as one Tensor (n,); derivatives pass through.

    >>> nn.utils.parameters_to_vector(nn.Linear(3, 2).parameters()).shape
    (8,)
    """
    return ops.concatenate([ops.ravel(p) for p in parameters])


def vector_to_parameters(vec, parameters) -> None:
    """Overwrite the parameters, in place, with consecutive pieces of vec (n,).  ShapeError unless they have n elements."""
    parameters, array = list(parameters), plain(vec)
    needed = sum(p.size for p in parameters)
    if array.shape != (needed,):
        raise ShapeError(f"vector_to_parameters: vec is {array.shape}, but the parameters have {needed} elements")
    start = 0
    for p in parameters:
        p.copy_(array[start : start + p.size].reshape(p.shape))
        start += p.size


# -------------------------------------------------------------------------------------------------------- summary ---


def summary(model: Module, input_shape, batch_size=2) -> str:
    """A table of the model's layers: names, types, output shapes, parameters.  It runs the model on a batch of zeros.

    input_shape: the shape of one sample, or a list of shapes for a forward with several inputs.  A Tensor in the list is
    used as it is (for example integers for an Embedding).  A layer that is used k times is marked xk, and a layer that is not
    used has no shape.  Activations: the memory of the layers' outputs without views; it does not include what forward computes
    outside its layers.  The model runs in evaluation mode under no_grad; afterwards its mode and the random streams are as
    they were.
    """
    own, at = {}, {}
    for name, module in model.named_modules():
        parameters = [p for p in module.__dict__.values() if isinstance(p, Parameter)]
        if parameters or not list(module.children()):
            at[module], own[module] = name, sum(p.size for p in parameters)
    calls, memory, seen = {}, 0, {}

    def note(module, inputs, output):
        nonlocal memory
        calls.setdefault(module, []).append(output)
        for x in _tensors(inputs):
            seen[id(x.changed)] = x.changed  # views share their `changed` cell; we keep it alive, so that no other gets its id
        for y in _tensors(output):
            if id(y.changed) not in seen:
                seen[id(y.changed)] = y.changed
                memory += y.data.nbytes

    handles = [module.register_forward_hook(note) for module in at]
    modes = {module: module.training for module in model.modules()}
    random = streams.state_dict()
    try:
        with no_grad():
            model.eval()(*_zeros(model, input_shape, batch_size))
    finally:
        streams.load_state_dict(random)
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    rows = []
    for module in [*calls, *(module for module in at if module not in calls)]:
        outputs = calls.get(module)
        shape = "not used" if not outputs else _shape(outputs[0]) + (f" x{len(outputs)}" if len(outputs) > 1 else "")
        rows.append((at[module] or "(model)", type(module).__name__, shape, f"{own[module]:,}"))
    total = sum(p.size for p in model.parameters())
    weights = sum(p.data.nbytes for p in model.parameters())
    table = _table([("layer", "type", "output shape", "parameters"), *rows], ("total", "", "", f"{total:,}"))
    return f"{table}\nparameters {_mib(weights)}, activations {_mib(memory)} for a batch of {batch_size}"


def _mib(nbytes):
    return f"{nbytes / 2**20:,.1f} MiB" if nbytes >= 2**20 else f"{nbytes / 2**10:.1f} KiB"


def _zeros(model, input_shape, batch_size):
    first = next(model.parameters(), None)
    dtype, device = (np.float32, "cpu") if first is None else (first.dtype, device_of(first.data))
    for shape in input_shape if isinstance(input_shape, list) else [input_shape]:
        if isinstance(shape, Tensor):
            yield shape
        else:
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            yield Tensor(to_device(np.zeros((batch_size, *shape), dtype), device))


def _tensors(value):
    """All Tensors in a structure of tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return []
    return [tensor for item in value for tensor in _tensors(item)]


def _shape(value):
    shapes = [str(tuple(tensor.shape)) for tensor in _tensors(value)]
    return ", ".join(shapes) if shapes else type(value).__name__


def _table(rows, last):
    """Rows of text in columns; the last column is aligned right; there is a line under the head and above the last row."""
    widths = [max(len(row[i]) for row in [*rows, last]) for i in range(len(last))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row[:-1], widths)) + "  " + row[-1].rjust(widths[-1])
        for row in [*rows, last]
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
