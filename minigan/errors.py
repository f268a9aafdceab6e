"""Every error minigan raises on purpose: what went wrong, with the values, and what to do about it.

Each class is also the built-in exception a NumPy or PyTorch user would catch, so `except ValueError` keeps working.
The command line turns any MiniganError into one or two lines and exit code 2; everything else is a bug and shows its
traceback.
"""

from typing import Any


class MiniganError(Exception):
    """Base of all the errors below."""


class ShapeError(MiniganError, ValueError):
    """Shapes, axes or sizes that do not fit each other."""


class DTypeError(MiniganError, TypeError):
    """A dtype that the operation cannot use, or two that do not mix."""


class DeviceError(MiniganError, RuntimeError):
    """Arrays on different devices, or a device that cannot be used."""


class GraphError(MiniganError, RuntimeError):
    """A derivative that cannot be had from this graph: freed, stale, not recorded, or a rule that breaks its contract."""


class OutOfBoundsError(MiniganError, IndexError):
    """An index outside the axis it indexes."""


class MovedName(MiniganError, AttributeError):
    """An attribute that a module or a class of minigan once had, and that is elsewhere now."""


class MovedImport(MiniganError, ImportError):
    """The same of what is imported.  Two classes, since no Python class can be an AttributeError and an ImportError."""


class GradientMismatch(MiniganError, AssertionError):
    """gradcheck found a rule that disagrees with finite differences."""


class NotFiniteError(MiniganError, ArithmeticError):
    """A NaN or an infinity where training cannot go on."""


class ConfigError(MiniganError, ValueError):
    """An option or a value the user gave that minigan does not know or cannot use."""


class DataError(MiniganError, ValueError):
    """A data set that is missing, damaged, or not what its name says."""


class CheckpointError(MiniganError, ValueError):
    """A checkpoint or run folder that cannot be read, written, or belongs to something else."""


# A graph can be asked for derivatives too late, or in vain.
FREED = "this graph was freed by an earlier backward() or grad(); pass retain_graph=True there, or compute the loss again"
CONSTANT = "it was made under no_grad() or detach(), or from tensors none of which has requires_grad=True"


def stale(op: str, site: str | None, i: int, parents) -> str:
    """The text of the error for a value that an op saved and somebody changed: input i, or the output after the last."""
    if i >= len(parents):
        what = "its output"
    else:
        what = f"input {i} {parents[i].shape}" if parents[i] is not None else f"input {i}"
    called = f" (called at {site})" if site else ""
    return (f"{op}{called}: {what}, saved for backward, was updated in place after use; run backward() or grad() before the "
            f"update (optimizer.step(), x[...] = ...), or compute the loss again")


def suggestion(word: str, known) -> str:
    """'; did you mean X?' for the nearest of the known words, or the list of them when none is near."""
    import difflib

    known = list(known)
    plain = {str(name).lower().replace("_", "-"): name for name in known}  # Adam, NORM_D and d-steps are near, too
    near = difflib.get_close_matches(word.lower().replace("_", "-"), plain, n=1)
    return f"; did you mean {plain[near[0]]!r}?" if near else f"; known: {', '.join(map(str, known))}"


def choose(what: str, name: str, table: dict) -> Any:
    """table[name]; ConfigError with the nearest name if there is none."""
    if name not in table:
        raise ConfigError(f"unknown {what} {name!r}{suggestion(str(name), table)}")
    return table[name]


def broadcast_advice(op: str, shapes) -> str:
    """The text of the error for shapes that do not broadcast; with the fix, where one missing axis explains it."""
    text = f"{op}: {' and '.join(map(str, shapes))} do not broadcast"
    if len(shapes) == 2:
        for (long, short), name in ((shapes, "b"), (shapes[::-1], "a")):
            if len(short) == 1 < len(long) and long[0] == short[0]:
                return f"{text}; did you mean {name}[:, {', '.join(['None'] * (len(long) - 1))}]?"
    return f"{text}; sizes must be equal or 1, counted from the last axis"
