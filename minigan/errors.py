"""Every error that minigan raises on purpose: it says what went wrong, with the values, and what to do.

Each class is also the built-in exception that a NumPy or PyTorch user would catch, so `except ValueError` still works.
The command line turns any MiniganError into one or two lines and exit code 2; everything else is a bug and shows its
traceback.
"""

from typing import Any

import numpy as np


class MiniganError(Exception):
    """Base of all the errors below."""


class ShapeError(MiniganError, ValueError, RuntimeError):
    """Shapes, axes or sizes do not fit each other: NumPy's ValueError, PyTorch's RuntimeError."""


class AxisError(ShapeError, IndexError):
    """There is no such axis: NumPy's and PyTorch's IndexError."""


class DTypeError(MiniganError, TypeError, RuntimeError):
    """The operation cannot use this dtype, or two dtypes do not mix: NumPy's TypeError, PyTorch's RuntimeError."""


class ArgumentError(MiniganError, TypeError):
    """An argument has another name in minigan, or has to be given in another way."""


class MissingAttribute(MiniganError, AttributeError):
    """minigan has another name for this attribute or function of PyTorch."""


class DeviceError(MiniganError, RuntimeError):
    """Arrays are on different devices, or a device cannot be used."""


class GraphError(MiniganError, RuntimeError):
    """A graph cannot give a derivative: it is freed, stale or not recorded, or a rule breaks its contract."""


class OutOfBoundsError(MiniganError, IndexError):
    """An index is outside its axis."""


class MovedName(MiniganError, AttributeError):
    """An attribute of a module or a class of minigan has moved to another place."""


class MovedImport(MiniganError, ImportError):
    """An imported name has moved.  There are two classes, because no class can be an AttributeError and an ImportError."""


class MissingName(MiniganError, AttributeError):
    """A name of PyTorch that minigan.torch does not have."""


class MissingImport(MiniganError, ImportError):
    """An imported name, or a module, of PyTorch that minigan.torch does not have."""


class CaptureError(MiniganError, RuntimeError):
    """mg.capture: a step cannot be recorded, or a replay does not do what the step does."""


class GradientMismatch(MiniganError, AssertionError):
    """gradcheck found a rule that disagrees with finite differences."""


class NotFiniteError(MiniganError, ArithmeticError):
    """A NaN or an infinity came up, and the work cannot go on."""


class SingularError(MiniganError, np.linalg.LinAlgError, RuntimeError):
    """A matrix has no inverse, or is not positive definite."""


class ConfigError(MiniganError, ValueError):
    """The user gave an option or a value that minigan does not know or cannot use."""


class DataError(MiniganError, ValueError):
    """A data set is missing, damaged, or not what its name says."""


class CheckpointError(MiniganError, ValueError):
    """A checkpoint or run folder cannot be read or written, or belongs to something else."""


# Why a graph cannot give derivatives: it is already freed, or there never was one.
FREED = "this graph was freed by an earlier backward() or grad(); pass retain_graph=True there, or compute the loss again"
CONSTANT = "it was made under no_grad() or detach(), or from tensors none of which has requires_grad=True"


def misfit(op, i, gradient, input) -> str:
    """The message for a gradient rule whose result has another shape or dtype than its input."""
    return (
        f"{op}: the rule of input {i} returned {gradient.dtype} {gradient.shape}, but the input is {input.dtype} "
        f"{input.shape}; the rule is wrong"
    )


def no_scalar(shape, argument) -> str:
    """The message for a walk that starts at more than one number."""
    return (
        f"only a scalar has one gradient and this tensor is {shape}; reduce it with .sum() or .mean(), or pass {argument} of "
        "that shape"
    )


def unused(i, shape) -> str:
    """The message for an input of `grad` on which the outputs do not depend."""
    return (
        f"grad: input {i} {shape} was not used to compute the outputs (or was used under no_grad() or after detach()); leave "
        "it out, or pass allow_unused=True to get None in its place"
    )


def stale(op: str, site: str | None, i: int, parents) -> str:
    """The error text for a saved value that was changed: input i, or the output if i is the number of inputs."""
    if i >= len(parents):
        what = "its output"
    else:
        what = f"input {i} {parents[i].shape}" if parents[i] is not None else f"input {i}"
    called = f" (called at {site})" if site else ""
    return (
        f"{op}{called}: {what}, saved for backward, was updated in place after use; run backward() or grad() before the "
        f"update (optimizer.step(), x[...] = ...), or compute the loss again"
    )


def suggestion(word: str, known) -> str:
    """'; did you mean X?' for the nearest of the known words, or the list of them when none is near."""
    import difflib

    known = list(known)
    plain = {str(name).lower().replace("_", "-"): name for name in known}  # so that case and "_" or "-" do not matter
    near = difflib.get_close_matches(word.lower().replace("_", "-"), plain, n=1)
    return f"; did you mean {plain[near[0]]!r}?" if near else f"; known: {', '.join(map(str, known))}"


def choose(what: str, name: str, table: dict) -> Any:
    """table[name]; if it is not there, ConfigError with the nearest name."""
    if not isinstance(name, str) or name not in table:
        raise ConfigError(f"unknown {what} {name!r}{suggestion(str(name), table)}")
    return table[name]


def broadcast_advice(op: str, shapes) -> str:
    """The error text for shapes that do not broadcast; it suggests the fix if one missing axis explains the problem."""
    text = f"{op}: {' and '.join(map(str, shapes))} do not broadcast"
    if len(shapes) == 2:
        for (long, short), name in ((shapes, "b"), (shapes[::-1], "a")):
            if len(short) == 1 < len(long) and long[0] == short[0]:
                return f"{text}; did you mean {name}[:, {', '.join(['None'] * (len(long) - 1))}]?"
    return f"{text}; sizes must be equal or 1, counted from the last axis"
