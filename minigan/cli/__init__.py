"""The `minigan` command: argparse in, one function per verb, and one place where errors become a line of text.

main        parse, run, return the exit code: 0, 2 for a mistake of the user's (one or two lines, no traceback), 130 Ctrl-C
The verbs: train.py (train, resume, sample), show.py (list, data, doctor).
"""

import argparse
import sys

from minigan.errors import MiniganError


class _Parser(argparse.ArgumentParser):
    """argparse, with an error of two lines instead of the whole usage."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\nsee `{self.prog} --help`\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command; every verb's file adds its own."""
    from minigan.cli import show, train

    parser = _Parser(prog="minigan", description="Train, look into and check small generative networks.", allow_abbrev=False)
    verbs = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    for module in (train, show):
        module.add(verbs)
    return parser


def main(arguments=None) -> int:
    """Run the command with these arguments (sys.argv's by default) and return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except MiniganError as error:
        print(f"minigan: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("minigan: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        sys.stderr.close()
        return 0
    except MemoryError:
        print("minigan: out of memory; use a smaller --batch-size", file=sys.stderr)
        return 2
