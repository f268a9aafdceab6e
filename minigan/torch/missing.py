"""A name of PyTorch that is not here: one line that says so, and what there is instead.

refuse_attribute    the same for a method of Tensor
missing_from    a module says `__getattr__ = missing_from(__name__)`        said_once    a note on stderr, the first time only
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from minigan.errors import MissingImport, MissingName, suggestion

# What to use instead, where no name is near.
INSTEAD = {
    "Conv3d": "minigan has Conv1d and Conv2d",
    "ConvTranspose3d": "minigan has ConvTranspose1d and ConvTranspose2d",
    "BatchNorm3d": "minigan has BatchNorm1d and BatchNorm2d",
    "fft": "minigan has no Fourier transforms; x.numpy() and numpy.fft compute them outside of graphs",
    "jit": "minigan has no compiler; run the function as it is",
    "fx": "minigan.viz.graph(loss) draws the graph behind a tensor",
    "profiler": "run the script with `python -m minigan.torch --profile`, or use minigan.profile()",
    "multiprocessing": "minigan computes in one process",
    "sparse": "minigan's tensors are dense",
    "sparse_coo_tensor": "minigan's tensors are dense",
    "complex": "minigan has no complex numbers",
    "view_as_complex": "minigan has no complex numbers; keep the real and the imaginary part in an axis of size 2",
    "view_as_real": "minigan has no complex numbers; keep the real and the imaginary part in an axis of size 2",
    "polar": "minigan has no complex numbers; use r * cos(a) and r * sin(a)",
    "quantization": "minigan computes in float32 and float64",
    "vmap": "write the function for a batch; minigan's functions take leading axes",
    "func": "minigan.grad and minigan.gradcheck differentiate functions",
    "testing": "numpy.testing.assert_allclose compares tensors, too",
    "register_hook": "use torch.autograd.grad, and change what it gives",
    "stride": "minigan orders memory itself",
    "storage": "minigan's tensors have an array: x.numpy()",
    "data_ptr": "minigan's tensors have an array: x.numpy()",
    "modules": "layers are in torch.nn itself, as torch.nn.Linear",
}


def told(module: str, name: str) -> str:
    """The line for a name that this module of the package does not have."""
    theirs = module.removeprefix("minigan.torch." if ".torchvision" in module else "minigan.")
    known = [word for word in vars(sys.modules[module]) if not word.startswith("_")] if module in sys.modules else []
    near = suggestion(name, known) if known else ""
    near = "" if near.startswith("; known") else near  # a list of a hundred names helps nobody
    return f"{theirs}.{name} is not in minigan.torch" + (f": {INSTEAD[name]}" if name in INSTEAD else near)


def refuse_attribute(tensor: Any, name: str) -> None:
    """Raise the error for an attribute that Tensors do not have."""
    if name.startswith("_") or name in ("base",):
        raise AttributeError(name)
    near = suggestion(name, [word for word in dir(type(tensor)) if not word.startswith("_")])
    told = f": {INSTEAD[name]}" if name in INSTEAD else "" if near.startswith("; known") else near
    raise MissingName(f"torch.Tensor.{name} is not in minigan.torch{told}")


def missing_from(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module of this package."""

    # `from module import name` hides an AttributeError.  If the module has a path, Python then asks the Finder.
    vars(sys.modules[module]).setdefault("__path__", [])

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingName(told(module, name))

    return __getattr__


class Finder:
    """The last entry of sys.meta_path: it raises MissingImport for what is not in this package, and finds nothing else."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """See importlib.abc.MetaPathFinder."""
        module, _, last = name.rpartition(".")
        if module.startswith("minigan.torch") and not last.startswith("__"):
            raise MissingImport(told(module, last), name=name)


sys.meta_path.append(Finder)

_said: set = set()


def said_once(text: str) -> None:
    """Write a line to stderr, the first time only."""
    if text not in _said:
        _said.add(text)
        print(f"minigan.torch: {text}", file=sys.stderr)
