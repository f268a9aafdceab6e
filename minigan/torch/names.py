"""The page of names, docs/names.md:   python -m minigan.torch.names > docs/names.md

Its first two tables are those of minigan/names.py; the lists after them are made from the functions and methods themselves.
"""

from __future__ import annotations

import numpy as np

import minigan as mg
from minigan.names import ARGUMENTS, DIFFERENT, RENAMED, name_in, rows
from minigan.torch import core
from minigan.torch.tables import METHODS
from minigan.torch.tensor import Tensor


def functions() -> dict:
    """name -> function of Tensors, for all that torch.* and Tensor have here and that don't work in place."""
    found = {name: getattr(core, name) for name in core.__all__ if getattr(core, name, None) in METHODS.values()}
    found |= {name: value for name, value in METHODS.items() if not name.startswith("_")}
    found |= {name: getattr(core, name) for name in core.__all__ if type(getattr(core, name)) is type(functions)}
    return dict(sorted(found.items()))


def in_place() -> list:
    """The methods that change the tensor."""
    return sorted(name for name in vars(Tensor) if name.endswith("_") and not name.startswith("_"))


def _table(text: str) -> list:
    lines = ["| PyTorch | NumPy | minigan | |", "| --- | --- | --- | --- |"]
    code = lambda cell: cell if cell == "—" else f"`{cell}`"
    return lines + [f"| {' | '.join(map(code, cells))} | {remark} |" for *cells, remark in rows(text)]


def _listed(names) -> str:
    return " ".join(f"`{name}`" for name in names) + "."


def page() -> str:
    """The text of docs/names.md."""
    written = {name_in(row[0]) for row in rows(DIFFERENT) + rows(RENAMED)}
    rest = [name for name in functions() if name not in written]
    same = [name for name in rest if hasattr(mg, name) or hasattr(mg.Tensor, name)]
    in_numpy = [name for name in same if hasattr(np, name) or hasattr(np.linalg, name) or hasattr(np.ndarray, name)]
    only_here = [name for name in rest if name not in same]
    lines = [
        "# Names: PyTorch, NumPy, minigan",
        "",
        "`import minigan as mg` has NumPy's names for arrays and PyTorch's for networks. `import minigan.torch as torch` has",
        "PyTorch's names with PyTorch's meanings, over the same engine: the first column works there. In minigan itself, a",
        "name of PyTorch's that it does not have raises an error that says what to write.",
        "",
        "This page is made from the code: `python -m minigan.torch.names > docs/names.md`. A test runs all three columns of",
        "the first two tables, and compares the results. `x` and `y` are 2 x 3 matrices, `v` is a vector, `A` a square matrix,",
        "`m` a mask, and `k` are indices.",
        "",
        "Random numbers of `minigan.torch` come from NumPy's generators, so a seed gives other numbers than in PyTorch.",
        "",
        "## One name, two meanings",
        "",
        *_table(DIFFERENT),
        "",
        "## One meaning, two names",
        "",
        *_table(RENAMED),
        "",
        "## Arguments",
        "",
        "| PyTorch | NumPy, minigan |",
        "| --- | --- |",
        *[f"| `{theirs}` | `{ours}` |" for theirs, ours in ARGUMENTS.items()],
        "",
        "## The same name in all three",
        "",
        "Their arguments differ as above; where PyTorch insists on a `dim` (`cumsum`), NumPy and minigan also work without.",
        "",
        _listed(in_numpy),
        "",
        "## The same name in PyTorch and minigan",
        "",
        _listed(name for name in same if name not in in_numpy),
        "",
        "Networks (`nn`), their functions (`nn.functional`), initialisers (`nn.init`) and optimizers (`optim`) have PyTorch's",
        "names, too.",
        "",
        "## In minigan.torch only",
        "",
        "minigan itself has no such function; most are a line of others.",
        "",
        _listed(only_here),
        "",
        "In place: " + _listed(in_place()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
