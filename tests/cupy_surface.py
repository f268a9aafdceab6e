"""What CuPy offers, read from the real package by introspection (no GPU needed), for the stand-in to refuse the rest.

python tests/cupy_surface.py          write fakecupy/surface.json from the installed cupy
python tests/cupy_surface.py --check  exit code 1, and the differences, if surface.json is not what is installed

surface.json: {"version": ..., "cupy": {name: parameters}, "cupy.ndarray": {...}, ...}.  Parameters are a list of names in
order, with "*" where keyword-only ones begin, "*name" and "**name" for any number; null for what is not called, for
types, and for what does not tell.
"""

import difflib
import importlib
import inspect
import json
import re
import sys
from pathlib import Path

FILE = Path(__file__).parent / "fakecupy" / "surface.json"
MODULES = "cupy", "cupy.linalg", "cupy.random", "cupy.lib.stride_tricks", "cupy.cuda", "cupy.cuda.runtime", "cupyx"
CLASSES = (
    "cupy.ndarray",
    "cupy.random.Generator",
    "cupy.cuda.Stream",
    "cupy.cuda.Event",
    "cupy.cuda.Device",
    "cupy.cuda.MemoryPool",
    "cupy.cuda.MemoryPointer",
    "cupy.cuda.PinnedMemoryPool",
    "cupy.cuda.Graph",
    "cupy.RawModule",
    "cupy.RawKernel",
    "cupy.add",
)  # add stands for all ufuncs


def parameters(thing):
    """The list described above, from the signature, or from the first line of the docstring that Cython leaves."""
    try:
        text = str(inspect.signature(thing))
    except (TypeError, ValueError):
        text = (getattr(thing, "__doc__", None) or "").strip().partition("\n")[0].replace("\\", "")
    found = re.search(r"\((.*)\)", text)
    if not callable(thing) or isinstance(thing, type) or not found:
        return None
    names = []
    for part in _split(found[1]):
        part = re.split(r"[:=]", part)[0].strip()
        names.append(part if part in ("*", "/") else part.split()[-1])
    return [name for name in names if name != "self"]


def _split(text):
    """At the commas that are in no brackets."""
    depth, parts = 0, [""]
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth:
            parts.append("")
        else:
            parts[-1] += c
    return [part for part in parts if part.strip()]


def take() -> dict:
    """The surface of the installed package."""
    cupy = importlib.import_module("cupy")
    surface = {"version": cupy.__version__}
    for name in MODULES:
        surface[name] = _public(importlib.import_module(name))
    for name in CLASSES:
        module, _, last = name.rpartition(".")
        surface[name] = _public(getattr(importlib.import_module(module), last), special=True)
    surface["ufuncs"] = {
        name: list(thing.types) for name in sorted(surface["cupy"]) if isinstance(thing := getattr(cupy, name), cupy.ufunc)
    }
    return surface


def _public(thing, special=False):
    """name -> parameters; of a class also the special methods, without parameters, that not every object has."""
    names = {n: parameters(getattr(thing, n)) for n in dir(thing) if not n.startswith("_")}
    if special:
        names.update(
            {
                n: None
                for n in dir(thing)
                if n.startswith("__")
                and n not in (*dir(object), "__dict__", "__weakref__")
                and "pyx" not in n
                and "cython" not in n
            }
        )
    return dict(sorted(names.items()))


def text(surface) -> str:
    """JSON with a line for each name, so that a new version of CuPy shows as a readable diff."""
    lines = [f'"version": {json.dumps(surface["version"])}']
    for section, names in surface.items():
        if section != "version":
            rows = ",\n".join(f"  {json.dumps(n)}: {json.dumps(p)}" for n, p in names.items())
            lines.append(f"{json.dumps(section)}: {{\n{rows}\n}}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    now = text(take())
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(now)
    else:
        kept, found = ([line for line in lines.splitlines() if '"version":' not in line] for lines in (FILE.read_text(), now))
        if kept != found:
            sys.exit("\n".join(difflib.unified_diff(kept, found, "surface.json", "installed", lineterm="", n=0)))
