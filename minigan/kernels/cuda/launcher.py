"""Runs the kernels of the .cu files in this folder, and checks every call, because a GPU reads wrong memory without an error.

launch    compile a file for the arrays' dtype if that is not yet done, and run one of its kernels

CuPy (NVRTC) compiles a file once for each dtype and device, on first use.  This file gets CuPy from the arrays
(backend.MODULES) and never imports it.  The source of a kernel says which arguments it takes; see signature.py.
"""

from functools import cache
from pathlib import Path

import numpy as np

from minigan.backend import MODULES, is_array
from minigan.errors import ConfigError, DeviceError, DTypeError, ShapeError
from minigan.kernels.cuda.signature import TYPES, signatures

FOLDER = Path(__file__).parent
NAMES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
THREADS = 256  # per block; a multiple of 32
MOST_BLOCKS = 4096  # this fills any GPU many times; a loop in each kernel does the rest
NULL = np.uintp(0)

_modules: dict = {}  # (module of the arrays, device, file, dtype) -> {kernel: function}


def launch(file: str, kernel: str, size: int, *args, blocks: int | None = None, threads: int = THREADS) -> None:
    """Run a kernel of `file`.cu over `size` elements, one to a thread, or, if blocks is given, in that many blocks.

    args: one for each parameter of the kernel: an array on the GPU, in C order; a Python number, which gets the
    parameter's exact C type; or None if the source says "or null".   Nothing happens for size 0.
    TypeError for a wrong number of arguments, DeviceError, DTypeError or ShapeError for a wrong one, each naming it.
    """
    if size <= 0:
        return
    plan = _plan(file, kernel)
    if len(args) != len(plan.parameters):
        raise TypeError(f"{plan.name}: takes {len(plan.parameters)} arguments, got {len(args)}")
    of_t = module = device = None
    converted = list(args)
    for i in plan.pointers:
        array = args[i]
        if array is None:
            if not plan.parameters[i].optional:
                raise TypeError(f"{plan.name}: {plan.parameters[i].name} may not be None")
            converted[i] = NULL
            continue
        if not is_array(array) or type(array) is np.ndarray:
            raise DeviceError(f"{plan.name}: {plan.parameters[i].name} must be an array on the GPU, got {_described(array)}")
        if module is None:
            module, device = MODULES[type(array)], array.device.id
        elif array.device.id != device:
            raise DeviceError(
                f"{plan.name}: {plan.parameters[i].name} is on cuda:{array.device.id}, the others on cuda:{device}"
            )
        if plan.parameters[i].type == "T":
            of_t = of_t or array.dtype
            expected = of_t
        else:
            expected = plan.dtypes[i]
        if array.dtype != expected or (expected is of_t and of_t not in NAMES):
            raise DTypeError(
                f"{plan.name}: {plan.parameters[i].name} is {array.dtype}, need "
                f"{expected if expected in NAMES or expected is not of_t else 'float32 or float64'}"
            )
        if not array.flags.c_contiguous:
            raise ShapeError(f"{plan.name}: {plan.parameters[i].name} {array.shape} is not in C order in memory")
    if module is None:
        raise DeviceError(f"{plan.name}: needs at least one array on the GPU")
    of_t = of_t or np.dtype(np.float32)
    for i in plan.scalars:
        converted[i] = plan.scalar(i, args[i], of_t)
    for i, count in zip(plan.counted, plan.counts(*(args[k] for k in plan.integers))):
        if args[i] is not None and args[i].size != count:
            raise ShapeError(
                f"{plan.name}: {plan.parameters[i].name} has {args[i].size} elements {args[i].shape}, need "
                f"{count} ({plan.parameters[i].count})"
            )
    if blocks is None:
        blocks = min(-(-size // threads), MOST_BLOCKS)
    _function(module, device, file, kernel, of_t)((blocks,), (threads,), tuple(converted))


class _Plan:
    """The form that calls of one kernel must have; it is computed once."""

    def __init__(self, file, kernel, parameters):
        self.name, self.parameters = f"{file}.{kernel}", parameters
        self.dtypes = [None if p.type == "T" else np.dtype(TYPES[p.type]) for p in parameters]
        self.pointers = [i for i, p in enumerate(parameters) if p.pointer]
        self.scalars = [i for i, p in enumerate(parameters) if not p.pointer]
        self.counted = [i for i in self.pointers if parameters[i].count]
        self.integers = [i for i in self.scalars if self.dtypes[i] is not None and self.dtypes[i].kind in "iu"]
        names = ", ".join(parameters[i].name for i in self.integers)
        # eval is safe here: the counts are arithmetic on the kernel's own parameters, from our own source files.
        self.counts = eval(f"lambda {names}: ({''.join(parameters[i].count + ', ' for i in self.counted)})", {})

    def scalar(self, i, value, of_t):
        """A Python number in the parameter's C type."""
        dtype = self.dtypes[i] or of_t
        try:
            if dtype.kind in "iu" and value != int(value):
                raise ValueError
            return dtype.type(value)
        except (TypeError, ValueError, OverflowError):
            raise DTypeError(f"{self.name}: {self.parameters[i].name} is {dtype}, {value!r} does not fit") from None


@cache
def source(file: str) -> str:
    """The text of a .cu file."""
    return (FOLDER / f"{file}.cu").read_text()


@cache
def _plan(file, kernel):
    kernels = signatures(source(file))
    if kernel not in kernels:
        raise ConfigError(f"{file}.cu has no kernel {kernel!r}; it has {', '.join(kernels)}")
    return _Plan(file, kernel, kernels[kernel])


def _function(module, device, file, kernel, of_t):
    functions = _modules.setdefault((module, device, file, of_t), {})
    if kernel not in functions:
        if None not in functions:
            functions[None] = module.RawModule(code=source(file), options=("-std=c++17", f"-DREAL={NAMES[of_t]}"))
        functions[kernel] = functions[None].get_function(kernel)
    return functions[kernel]


def _described(x):
    return f"a NumPy array {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
