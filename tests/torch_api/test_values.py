"""What functions and methods give for a few simple numbers, written out: tests that need no PyTorch.

    python tests/torch_api/test_values.py     writes values.json again, with what PyTorch gives; read what changes

test_methods.py compares far more, where PyTorch is installed.  The numbers of values.json are PyTorch 2.13's.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import minigan.torch as ours
from minigan.torch.names import functions

FILE = Path(__file__).with_name("values.json")
VALUES = json.loads(FILE.read_text()) if FILE.exists() else {}


def inputs(t):
    """What expressions.py calls a, b, ...: simple numbers."""
    return {
        "t": t, "np": np, "D": 1, "E": 0, "n": 2, "p": 0.25,
        "a": t.tensor([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]]), "b": t.tensor([[2.0, 1.0, -1.0], [3.0, -0.5, 4.0]]),
        "c": t.tensor([[1.0, 2.0, -1.0]]), "d": t.tensor([[1.0, 2.0, 4.0], [-1.0, 0.0, 0.5]], dtype=t.float64),
        "i": t.tensor([[1, -2, 3], [0, 2, -1]]), "j": t.tensor([[2, 1, -1], [3, -2, 1]]),
        "m": t.tensor([[True, False, True], [False, True, False]]), "s": t.tensor(2.0), "r": t.tensor(0.5, dtype=t.float64),
        "A": t.tensor([[1.0, 2.0, 0.0], [-1.0, 3.0, 1.0]]), "B": t.tensor([[1.0, 0.0], [2.0, -1.0], [0.5, 4.0]]),
        "v": t.tensor([1.0, -2.0, 0.5]), "w": t.tensor([3.0, 1.0, 2.0]),
        "P": t.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [1.0, 0.0]]]),
        "Q": t.tensor([[[2.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [-1.0, 1.0]]]),
        "S": t.tensor([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]),
        "k": t.tensor([2, 0]), "K": t.tensor([[0, 1, 2], [2, 2, 0]]),
        "x": t.tensor([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]]), "xi": t.tensor([[1, -2, 3], [0, 2, -1]]),
        "xm": t.tensor([[True, False, True], [False, True, False]]),
    }  # fmt: skip


def written(value, t):
    """A result as values.json has it."""
    if isinstance(value, t.Tensor):
        return [str(value.dtype), value.tolist()]
    if isinstance(value, (tuple, list)) and not isinstance(value, t.Size):
        return [written(part, t) for part in value]
    return value if isinstance(value, (bool, int, float, str)) else repr(value)


def assert_near(found, expected):
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_near(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5, nan_ok=True)
    else:
        assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize("expression", VALUES)
def test_it_gives_the_numbers_that_are_written_here(expression):
    with np.errstate(all="ignore"):
        assert_near(written(eval(expression, inputs(ours)), ours), VALUES[expression])


def test_there_are_values_for_every_name():
    named = functions()
    tested = {id(named[name]) for name in named if any(f".{name}(" in expression for expression in VALUES)}
    missing = {name for name, function in named.items() if id(function) not in tested}  # another name of one is that one
    assert missing == WITHOUT


# They have no numbers, or random ones.
WITHOUT = {
    "compile", "empty_like", "enable_grad", "from_numpy", "get_num_threads", "inference_mode", "manual_seed", "no_grad", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "set_default_dtype", "set_default_tensor_type",
    "set_float32_matmul_precision", "set_num_threads", "set_printoptions", "use_deterministic_algorithms",
}  # fmt: skip


def _short(value):
    """Floats with six digits, so that a person can read them."""
    if isinstance(value, list):
        return [_short(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _write():
    import torch
    from expressions import CONSTANT, IN_PLACE, NEW, SHAPE, SMOOTH, listed

    lines, seen = [], set()
    for expression in (e for table in (SMOOTH, CONSTANT, SHAPE, IN_PLACE, NEW) for e in listed(table)):
        names = {part.partition("(")[0] for part in expression.split(".")[1:] if "(" in part}
        if (
            (not names - seen and expression.count("."))
            or "numpy" in expression
            or "rand" in expression
            or "empty" in expression
        ):
            continue
        try:
            value = json.dumps(_short(written(eval(expression, inputs(torch)), torch)))
        except Exception:
            continue
        seen |= names
        lines.append(f"{json.dumps(expression)}: {value}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    _write()
