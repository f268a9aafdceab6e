"""Run a script in which `torch` and `torchvision` mean this package.

answer     let `import torch` and `import torchvision`, with all their submodules, find this package
run        the script, as `python script.py` would run it; what went wrong is the script's own traceback
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import minigan as mg
from minigan import torch
from minigan.errors import GradientMismatch, MiniganError, MissingImport, MissingName
from minigan.torch.check import loss_check
from minigan.torch.missing import told
from minigan.watch import calling_line

_PACKAGE = os.path.dirname(os.path.dirname(__file__))  # minigan's own files, which a script's traceback leaves out


class Finder:
    """Finds nothing; for a module of torch or torchvision that is not in this package, it raises MissingImport."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """See importlib.abc.MetaPathFinder."""
        if name.partition(".")[0] in ("torch", "torchvision"):
            module, _, last = name.rpartition(".")
            raise MissingImport(told(_ours(module), last), name=name)


def _ours(name):
    """This package's name of a module of torch or torchvision."""
    return f"minigan.torch.{name}" if name.startswith("torchvision") else f"minigan.{name}"


def answer() -> None:
    """From now on `torch` and `torchvision` are this package."""
    for name, module in list(sys.modules.items()):
        if name == "minigan.torch" or name.startswith("minigan.torch."):
            sys.modules[name.removeprefix("minigan.torch.") if ".torchvision" in name else name.removeprefix("minigan.")] = (
                module
            )
    sys.meta_path.insert(0, Finder)


def run(script: str, arguments: list[str], profile: bool = False, nan: bool = False, check: bool = False) -> int:
    """Run the script; returns the exit code.

    profile: print a table of all ops at the end.   nan: stop at the first op that makes a NaN or an infinity, and name it.
    check: gradcheck the losses of the first step, and stop after it.
    """
    answer()
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    with contextlib.ExitStack() as stack:
        table = stack.enter_context(mg.profile()) if profile else None
        if nan:
            stack.enter_context(mg.debug())
        checks = stack.enter_context(_checked_losses()) if check else None
        code = _run(script)
    if table is not None:
        print(table)
    if nan and code == 0:
        print("--nan: no op made a NaN or an infinity", file=sys.stderr)
    if checks is not None and not checks and code == 0:
        print("--check: the script called no backward(), so no loss was checked", file=sys.stderr)
    return code


def _run(script):
    try:
        runpy.run_path(script, run_name="__main__")
    except _Checked:
        return 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        _show(error, os.path.abspath(script))
        return 2 if isinstance(error, (MissingName, MissingImport)) else 1
    return 0


def _show(error, script):
    """A missing name in one line; anything else with the script's own lines."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if os.path.abspath(frame.filename) == script), None)
    shown = frames[first:] if first is not None else []
    if isinstance(error, MiniganError):  # it says itself what the script did wrong
        while shown and shown[-1].filename.startswith(_PACKAGE):
            shown.pop()
    if isinstance(error, (MissingName, MissingImport)) and shown:
        print(f"{shown[-1].filename}:{shown[-1].lineno}: {error}", file=sys.stderr)
        return
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(shown)] if shown else []
    print("".join([*lines, *traceback.format_exception_only(error)]), end="", file=sys.stderr)


class _Checked(Exception):
    """All losses of the first step are checked."""


@contextlib.contextmanager
def _checked_losses() -> Iterator[list]:
    """Inside the block, each backward() call is checked until one of them comes again; then the script is stopped."""
    backward, seen = torch.Tensor.backward, []

    def checked(tensor, *args, **options):
        site = calling_line()
        if site in seen:
            print(f"--check: checked {len(seen)} loss(es), one step; the script is stopped here", file=sys.stderr)
            raise _Checked
        seen.append(site)
        try:
            report, coordinates, parameters = loss_check(tensor.engine)
        except GradientMismatch as error:
            print(f"--check: {site}: {error}", file=sys.stderr)
            raise
        skipped = f", {report.skipped} comparison(s) on a kink skipped" if report.skipped else ""
        print(
            f"--check: {site}: the gradient by {coordinates} coordinates of {parameters} parameters is right: "
            f"worst relative error {report.worst:.1e}{skipped}",
            file=sys.stderr,
        )
        return backward(tensor, *args, **options)

    torch.Tensor.backward = checked  # type: ignore[method-assign, assignment]  # until the end of the block
    try:
        yield seen
    finally:
        torch.Tensor.backward = backward  # type: ignore[method-assign]
