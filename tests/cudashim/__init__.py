"""Runs CUDA C on the CPU: a .cu source compiled by g++ with a small header (cuda.h), for tests without a card.

    module = load(source, ("-DREAL=float",))
    module.get_function("scale")(grid, block, args)       # grid and block: up to three ints; as cupy.RawModule is called

args: NumPy scalars of the exact C types, NumPy arrays, and objects whose .data.ptr is an address.  Stricter than a card,
which reads garbage: a wrong number, type or dtype of arguments raises TypeError.  A barrier that only some threads reach
raises RuntimeError.  `order("reverse")` runs the threads, and the blocks, backwards.

Built libraries are kept in a folder for temporary files, named by the hash of everything that went into them.
"""

import contextlib
import ctypes
import hashlib
import os
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from minigan.kernels.cuda.signature import TYPES, signatures

HEADER = Path(__file__).with_name("cuda.h")
FLAGS = ("-std=c++17", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-w")
SANITIZE = ("-fsanitize=address", "-g", "-fno-omit-frame-pointer")

_reverse = False


@contextlib.contextmanager
def order(name: str):
    """Inside `with order("reverse"):` the last thread of the last block runs first; "forward" is what is usual."""
    global _reverse
    before, _reverse = _reverse, {"forward": False, "reverse": True}[name]
    try:
        yield
    finally:
        _reverse = before


def load(source: str, options: tuple = ()) -> "Module":
    """The compiled source.  RuntimeError with g++'s message if it does not compile.

    options: as for NVRTC; -D... and -I... count, others are ignored.  $CUDASHIM_SANITIZE=1 adds the address sanitizer; the
    process must then have been started with libasan preloaded.
    """
    return _load(source, tuple(options), bool(os.environ.get("CUDASHIM_SANITIZE")))


@cache
def _load(source, options, sanitize):
    options = tuple(o for o in options if o.startswith(("-D", "-I")))
    kernels = signatures(source)
    code = f'#include "{HEADER}"\n#line 1 "kernel.cu"\n{source}\n' + _launchers(source, kernels)
    flags = (*FLAGS, *(SANITIZE if sanitize else ()), *options)
    digest = hashlib.sha256("\0".join([code, HEADER.read_text(), *flags]).encode()).hexdigest()[:32]
    folder = Path(tempfile.gettempdir()) / f"minigan-cudashim-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    library = folder / f"{digest}.so"
    if not library.exists():
        _compile(code, flags, library)
    of_t = next((TYPES[o.removeprefix("-DREAL=")] for o in options if o.startswith("-DREAL=")), None)
    return Module(ctypes.PyDLL(str(library)), kernels, of_t)  # PyDLL: one launch at a time


def _compile(code, flags, library):
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:  # renamed when whole: other processes build too
        path = Path(folder) / "kernel.cpp"
        path.write_text(code)
        done = subprocess.run(["g++", *flags, "-o", f"{folder}/kernel.so", str(path)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the kernel does not compile:\n{done.stderr}")
        os.replace(f"{folder}/kernel.so", library)


def _launchers(source, kernels):
    """For every kernel a C function that takes its arguments as 8-byte slots."""
    text = ""
    for name, parameters in kernels.items():
        slots = ", ".join(f"*({p.type}{'*' if p.pointer else ''}*)&shim_slots[{i}]" for i, p in enumerate(parameters))
        text += (
            f"static const uint64_t* shim_slots_{name};\n"
            f"static void call_{name}() {{ const uint64_t* shim_slots = shim_slots_{name}; {name}({slots}); }}\n"
            f'extern "C" int launch_{name}(const int* geometry, int reverse, const uint64_t* slots) {{\n'
            f"    shim_slots_{name} = slots;\n"
            f"    return shim::run(geometry, {int(_has_barrier(source, name))}, reverse, call_{name});\n}}\n"
        )
    return text


def _has_barrier(source, name):
    """Does the function, or one that it calls, contain __syncthreads?"""
    bodies = {}
    for start in re.finditer(r"\b(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*\{", source):
        depth, end = 1, start.end()
        while depth and end < len(source):
            depth += {"{": 1, "}": -1}.get(source[end], 0)
            end += 1
        bodies.setdefault(start[1], source[start.end() : end])
    seen, todo = set(), [name]
    while todo:
        body = bodies[todo.pop()]
        if "__syncthreads" in body:
            return True
        called = {other for other in bodies if re.search(rf"\b{other}\s*[(<]", body)} - seen
        seen |= called
        todo += called
    return False


class Module:
    """A compiled source, like cupy.RawModule."""

    def __init__(self, library, kernels, of_t):
        self.library, self.kernels, self.of_t, self.functions = library, kernels, of_t, {}

    def get_function(self, name: str) -> "Function":
        """The kernel of that name.  KeyError if there is none."""
        if name not in self.functions:
            self.functions[name] = Function(self.library[f"launch_{name}"], name, self.kernels[name], self.of_t)
        return self.functions[name]


class Function:
    """A kernel: f(grid, block, args)."""

    def __init__(self, launch, name, parameters, of_t):
        self.launch, self.name = launch, name
        self.parameters = [(p, p.dtype(of_t)) for p in parameters]
        self.slots = (ctypes.c_uint64 * max(1, len(parameters)))()
        self.geometry = (ctypes.c_int * 6)()

    def __call__(self, grid, block, args, shared_mem=0):
        """Run it.  grid: blocks; block: threads per block."""
        if shared_mem:
            raise RuntimeError(f"{self.name}: the shim has no dynamic shared memory")
        if len(args) != len(self.parameters):
            raise TypeError(f"{self.name}: takes {len(self.parameters)} arguments, got {len(args)}")
        for i, (arg, (parameter, dtype)) in enumerate(zip(args, self.parameters)):
            self.slots[i] = self._pointer(arg, parameter, dtype) if parameter.pointer else self._scalar(arg, parameter, dtype)
        grid, block = (*grid, 1, 1)[:3], (*block, 1, 1)[:3]
        if min(*grid, *block) < 1 or block[0] * block[1] * block[2] > 1024:
            raise RuntimeError(f"{self.name}: a card can't launch grid {grid} with block {block}")
        self.geometry[:] = [int(n) for n in (*grid, *block)]
        line = self.launch(self.geometry, _reverse, self.slots)
        if line:
            raise RuntimeError(f"{self.name}: not all threads of a block reach the __syncthreads of line {line}")

    def _scalar(self, arg, parameter, dtype):
        if not isinstance(arg, np.generic) or arg.dtype != dtype:
            raise TypeError(f"{self.name}: {parameter.name} is {dtype}, got {type(arg).__name__}")
        return int.from_bytes(arg.tobytes(), "little")

    def _pointer(self, arg, parameter, dtype):
        if isinstance(arg, np.uintp):  # null
            return int(arg)
        found = getattr(arg, "dtype", dtype)
        if found != dtype or isinstance(arg, np.generic):
            raise TypeError(f"{self.name}: {parameter.name} points at {dtype}, got {type(arg).__name__} of {found}")
        return arg.ctypes.data if isinstance(arg, np.ndarray) else int(arg.data.ptr)
