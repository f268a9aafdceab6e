"""What the command writes: its standard streams on every console, and the names of its output files.

ready               standard streams that are there and can take every letter
lasting             while this context lasts, a stream that cannot be written does not end the work
path_argument       an argparse type: a path
output_file         check the name of an output file before any work is done
settings_argument   --set KEY=VALUE of a verb
show                open a page in a browser
"""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from minigan.errors import ConfigError
from minigan.paths import path as given


def ready() -> None:
    """Give this process a standard output and a standard error that take every text.

    A letter that the console cannot show is written as \\u8fd0.  Where a stream was closed (`>&-`), nothing is written, and its
    number is taken: otherwise the next file that is opened would get it, and what others print would land in that file."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere(number))
        elif hasattr(stream, "reconfigure"):  # a notebook's has no such method, and takes every letter
            stream.reconfigure(errors="backslashreplace")


def _nowhere(number):
    try:
        os.fstat(number)
    except OSError:
        _forget(number)
    return open(os.devnull, "w", encoding="utf-8")


def _forget(number):
    """Let what is written to this file descriptor vanish."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


class _Lasting:
    """A stream that writes what it can, and after an error nothing more.   error: that error."""

    def __init__(self, stream):
        self.stream, self.error = stream, None

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        self._try(self.stream.write, text)
        return len(text)

    def flush(self):
        self._try(self.stream.flush)

    def _try(self, call, *arguments):
        if self.error is None:
            try:
                call(*arguments)
            except (OSError, ValueError) as error:  # ValueError: it was closed
                self.error = error
                forget(self.stream)


@contextlib.contextmanager
def lasting():
    """For work that writes files: it goes on when standard output or error cannot be written (a full disk, or `head`, which has
    ended).   At the end, standard error says so of standard output."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Lasting(out), _Lasting(err)
    try:
        yield
        sys.stdout.flush()
        lost = sys.stdout.error
        if lost is not None and not isinstance(lost, BrokenPipeError):
            reason = getattr(lost, "strerror", None) or lost
            print(f"warning: standard output could not be written: {reason}; the work went on", file=sys.stderr)
    finally:
        sys.stdout, sys.stderr = out, err


def forget(stream) -> None:
    """Discard what is still in the buffer of a stream; otherwise Python would raise the same error again when it exits."""
    with contextlib.suppress(OSError, ValueError):  # not a real file, as in a notebook or a test
        _forget(stream.fileno())


def path_argument(text: str) -> Path:
    """An argparse type: a path, with "~" expanded.   ArgumentTypeError for an empty or impossible one."""
    try:
        return given(text, "the path")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def output_file(path, *suffixes) -> Path:
    """Return `path` as a Path.   Raises ConfigError if it does not end in one of the suffixes, is a folder, or if its folder
    does not exist."""
    path = given(path, "the file")
    named = " or ".join(f"*{suffix}" for suffix in suffixes)
    if path.suffix not in suffixes:
        raise ConfigError(f"{path}: does not end in {' or '.join(suffixes)}; name the file {named}")
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; give the name of a file {named}")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: its folder does not exist; create it first")
    return path


def settings_argument(verb, says: str) -> None:
    """Add --set KEY=VALUE, which can be repeated, to a verb."""
    verb.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help=says)


def show(page: Path) -> None:
    """Open a page in the browser, or say that none could be started."""
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        print("no browser could be started; open the file yourself")
