"""The `minigan` command.  Each verb has a function, and errors become a line of text in one place, `main`.

main            parse the arguments, run the verb and return the exit code
build_parser    the argparse parser of the whole command
Exit codes: 0 for success; 2 for an error that the user can correct (one or two lines, no traceback); 130 after Ctrl-C.
The verbs: train.py (train, resume, sample), export.py (export), judge.py (evaluate, compare), tune.py (tune), show.py (list,
data, doctor), systems.py (show), check.py (gradcheck), lesson.py (lesson), exercise.py (exercise), trace.py (trace),
bench.py (bench).   Several verbs share output.py and some functions of train.py.   A verb with lasts=True goes on when its
output cannot be written.
"""

import argparse
import contextlib
import os
import re
import sys
import traceback
import warnings

from minigan import moved
from minigan.cli import output
from minigan.errors import ConfigError, MiniganError, suggestion
from minigan.version import __version__


EXAMPLES = """\
examples:
  minigan train dcgan --steps 300 --out runs/first   train a GAN on drawn digits, without a download
  minigan evaluate runs/first                        measure how good its samples are
  minigan lesson 1                                   learn how it works inside

`minigan list` shows what can be trained; `minigan VERB --help` describes a verb.
"""


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors have two lines and do not print the whole usage."""

    def error(self, message):
        choice = re.fullmatch(r"argument VERB: invalid choice: '(.*)' \(choose from (.*)\)", message)
        if choice:
            message = f"there is no verb {choice[1]!r}{suggestion(choice[1], re.findall('[a-z]+', choice[2]))}"
        self.exit(2, f"{self.prog}: {message}\nsee `{self.prog} --help`\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command; each file adds its own verbs."""
    from minigan.cli import bench, check, exercise, export, judge, lesson, report, show, systems, trace, train, tune

    # Add a new file of verbs here.
    modules = (train, export, judge, report, tune, show, systems, check, lesson, exercise, trace, bench)
    parser = _Parser(
        prog="minigan",
        description="Train, inspect and check small generative networks.",
        allow_abbrev=False,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"minigan {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", parser_class=_Parser)
    parser.set_defaults(run=lambda options: parser.print_help(), lasts=False)  # for `minigan` without a verb
    for module in modules:
        module.add(verbs)
    for verb in verbs.choices.values():
        verb.set_defaults(parser=verb)
    parser.set_defaults(parser=parser)
    return parser


def _parse(arguments):
    """Like parse_args, but for an unknown option the error names the nearest one."""
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        verb, word = options.parser, unknown[0].partition("=")[0]
        if not word.startswith("-"):
            verb.error(f"unexpected argument {word!r}; remove it")
        verb.error(f"unknown option {word}{suggestion(word, re.findall('--[a-z-]+', verb.format_usage()))}")
    return options


def main(arguments=None) -> int:
    """Run the command with these arguments (default: sys.argv[1:]) and return the exit code."""
    output.ready()
    code = 0
    try:
        options = _parse(arguments)
        if os.environ.pop("MINIGAN_WATCH", None):
            from minigan.cli.tune import watch

            watch()
        with output.lasting() if options.lasts else contextlib.nullcontext(), _plain_warnings():
            code = options.run(options) or 0
        sys.stdout.flush()  # so that a full disk or a closed pipe raises here, where it can still be reported
        return code
    except MiniganError as error:
        return _fail(f"{error}{_where(error)}")
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    except BrokenPipeError:  # the program that reads our output (head, less) has ended
        output.forget(sys.stdout)
        return code
    except MemoryError as error:
        if type(error).__module__.startswith("cupy"):
            return _fail(
                f"the GPU is out of memory ({error}); use a smaller --batch-size, -n or network, end other programs "
                f"on the GPU (nvidia-smi lists them), or use --device cpu"
            )
        return _fail(f"out of memory ({error or 'no memory is left'}); use a smaller --batch-size, -n or network")
    except OSError as error:  # files that minigan knows have their own messages; this handles all others
        output.forget(sys.stdout)
        where = "standard output" if error.filename is None else os.fsdecode(error.filename)
        return _fail(f"{where}: {error.strerror or error}; check that it can be read or written, and the space on its disk")


@contextlib.contextmanager
def _plain_warnings():
    """Inside, print each of minigan's warnings once, as one line, without the source line that Python would add."""
    seen, others = set(), warnings.showwarning

    def show(message, category, *where, **options):
        if category is not UserWarning:
            others(message, category, *where, **options)
        elif str(message) not in seen:
            seen.add(str(message))
            _tell(f"warning: {_safe(message)}")

    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning, module="minigan")
        warnings.showwarning = show
        yield


def _where(error) -> str:
    """A second line that names the place in a system's file outside the package which led to this error; "" without one."""
    places = [
        f"\n{frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").startswith("minigan_system_")
    ]  # registry.get names its module so
    return places[-1] if places else ""


def _fail(message, code=2):
    _tell(f"minigan: {_safe(message)}")
    return code


LONGEST = 4000  # characters of a message


def _safe(message) -> str:
    """A message whose control characters, which a file or a folder's name may have brought in, are escaped."""
    text = str(message)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return "".join(c if c in "\n\t" or (c >= " " and not "\x7f" <= c < "\xa0") else ascii(c)[1:-1] for c in text)


def _tell(line):
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:  # nobody can be told that standard error cannot be written
        output.forget(sys.stderr)


moved.guard(__name__)
