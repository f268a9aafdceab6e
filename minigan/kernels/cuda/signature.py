"""The parameters of the kernels in a .cu file, read from the source, so that they are written in one place only.

A kernel is written as `extern "C" __global__ void name(parameters) {`.  After a pointer, a comment gives the number of
elements that the array must have, in terms of the integer parameters, and whether the pointer may be null:

    extern "C" __global__ void scale(const T* x /* n */, const T* weight /* channels or null */, T* y /* n */,
                                     T factor, int channels, long long n)

The launcher compares every call with that, and so does the tests' stand-in for a GPU.
"""

import re
from typing import NamedTuple

import numpy as np

from minigan.errors import ConfigError

# C's types and NumPy's.  T is the type for which the file is compiled (-DREAL=float or -DREAL=double).
TYPES = {
    "float": np.float32,
    "double": np.float64,
    "int": np.int32,
    "unsigned int": np.uint32,
    "long long": np.int64,
    "unsigned long long": np.uint64,
    "unsigned char": np.uint8,
    "bool": np.bool_,
}
KERNEL = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\s*\('
    r"((?:/\*.*?\*/|[^)/])*)\)\s*\{",
    re.DOTALL,
)
PARAMETER = re.compile(
    r"(?P<const>const\s+)?(?P<type>[a-z][a-z ]*?|T)\s*(?P<pointer>\*)?\s*(?:__restrict__\s+)?"
    r"\b(?P<name>\w+)\s*(?:/\*(?P<note>.*?)\*/)?\s*",
    re.DOTALL,
)


class Parameter(NamedTuple):
    """One parameter: its C type ("T" for the file's), and for a pointer the number of elements, and whether it may be null."""

    name: str
    type: str
    pointer: bool
    const: bool
    count: str  # type: ignore[assignment]  # not tuple.count
    optional: bool

    def dtype(self, of_t):
        """The NumPy dtype of the parameter, where T is of_t."""
        return np.dtype(of_t if self.type == "T" else TYPES[self.type])


def signatures(source: str) -> dict:
    """{kernel name: [Parameter, ...]} of a .cu file.   ConfigError for a parameter that is not understood."""
    found = {}
    for name, parameters in KERNEL.findall(source):
        found[name] = [_parameter(name, text) for text in _split(parameters)]
    return found


def _split(text):
    """The parameters between the commas, without commas inside comments."""
    return [part.strip() for part in re.split(r",(?![^/]*\*/)", text) if part.strip()]


def _parameter(kernel, text):
    match = PARAMETER.fullmatch(text)
    if match is None or (match["type"] != "T" and match["type"].strip() not in TYPES):
        raise ConfigError(
            f"kernel {kernel}: the parameter {text!r} is not understood; its type must be T, {', '.join(TYPES)}, "
            f"or a pointer to one"
        )
    count, *rest = (match["note"] or "").strip().partition(" or null")
    return Parameter(
        match["name"], match["type"].strip(), bool(match["pointer"]), bool(match["const"]), count.strip(), bool(rest[0])
    )
