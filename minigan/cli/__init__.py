"""The `minigan` command: argparse in, one function per verb, and one place where errors become a line of text.

main            parse, run, return the exit code: 0; 2 for what the user can mend (one or two lines, no traceback); 130 Ctrl-C
The verbs: train.py (train, resume, sample), judge.py (evaluate, compare), tune.py (tune), show.py (list, data, doctor),
systems.py (show), check.py (gradcheck), lesson.py (lesson), bench.py (bench).   What several share: output.py, and options
of train.py.
"""

import argparse
import contextlib
import os
import re
import sys
import warnings

from minigan import moved
from minigan.errors import ConfigError, MiniganError, suggestion
from minigan.version import __version__


class _Parser(argparse.ArgumentParser):
    """argparse, with an error of two lines instead of the whole usage."""

    def error(self, message):
        choice = re.fullmatch(r"argument VERB: invalid choice: '(.*)' \(choose from (.*)\)", message)
        if choice:
            message = f"there is no verb {choice[1]!r}{suggestion(choice[1], re.findall('[a-z]+', choice[2]))}"
        self.exit(2, f"{self.prog}: {message}\nsee `{self.prog} --help`\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command; every verb's file adds its own."""
    from minigan.cli import bench, check, judge, lesson, show, systems, train, tune

    modules = (train, judge, tune, show, systems, check, lesson, bench)  # a new file of verbs enters here
    parser = _Parser(prog="minigan", description="Train, look into and check small generative networks.", allow_abbrev=False,
                     epilog="Start with `minigan train dcgan`; `minigan VERB --help` tells more about a verb.")
    parser.add_argument("--version", action="version", version=f"minigan {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", parser_class=_Parser)
    parser.set_defaults(run=lambda options: parser.print_help())  # of the command alone
    for module in modules:
        module.add(verbs)
    for verb in verbs.choices.values():
        verb.set_defaults(parser=verb)
    parser.set_defaults(parser=parser)
    return parser


def _parse(arguments):
    """parse_args, with the nearest name for an option that there is not."""
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        verb, word = options.parser, unknown[0].partition("=")[0]
        if not word.startswith("-"):
            verb.error(f"{word!r} is one argument too many")
        verb.error(f"unknown option {word}{suggestion(word, re.findall('--[a-z-]+', verb.format_usage()))}")
    return options


def main(arguments=None) -> int:
    """Run the command with these arguments (sys.argv's by default) and return the exit code."""
    try:
        options = _parse(arguments)
        with _plain_warnings():
            code = options.run(options) or 0
        sys.stdout.flush()  # here a full disk or a closed pipe can still be told, at the interpreter's end it cannot
        return code
    except MiniganError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        _forget_stdout()
        return 0
    except MemoryError as error:
        if type(error).__module__.startswith("cupy"):
            return _fail(f"the GPU is out of memory ({error}); use a smaller --batch-size, -n or network, end what else runs "
                         f"on the card (nvidia-smi lists it), or --device cpu")
        return _fail(f"out of memory ({error or 'no more to be had'}); use a smaller --batch-size, -n or network")
    except OSError as error:  # every file we know of has its own message; this is the rest
        _forget_stdout()
        where = "standard output" if error.filename is None else os.fsdecode(error.filename)
        return _fail(f"{where}: {error.strerror or error}; check that it can be read or written, and the space on its disk")


@contextlib.contextmanager
def _plain_warnings():
    """What minigan warns the user of is one line, once, without the source line that Python would show."""
    seen, others = set(), warnings.showwarning

    def show(message, category, *where, **options):
        if category is not UserWarning:
            others(message, category, *where, **options)
        elif str(message) not in seen:
            seen.add(str(message))
            print(f"warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning, module="minigan")
        warnings.showwarning = show
        yield


def _fail(message, code=2):
    print(f"minigan: {message}", file=sys.stderr)
    return code


def _forget_stdout():
    """Send what is still to be printed nowhere, or Python would fail once more when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # not a real file: a notebook's, or a test's
        pass


moved.guard(__name__)
