"""`python -m minigan.torch script.py [arguments]`: run an unchanged PyTorch script on minigan."""

import argparse
import os
import sys

from minigan.torch.runner import run


def main(arguments: list[str] | None = None) -> int:
    """Parse the options before the script, and run it; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m minigan.torch",
        description="Run a PyTorch script on minigan: its `import torch` and `import torchvision` find minigan.torch.",
        allow_abbrev=False,
    )
    parser.add_argument("--profile", action="store_true", help="print a table of all ops at the end, the slowest first")
    parser.add_argument("--nan", action="store_true", help="stop at the first op that makes a NaN or an infinity, and name it")
    parser.add_argument(
        "--check", action="store_true", help="compare the gradients of the first step's losses with differences"
    )
    parser.add_argument("script", help="the script; everything after it is the script's own")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not os.path.isfile(options.script):
        parser.exit(2, f"{parser.prog}: there is no script {options.script}\n")
    return run(options.script, options.arguments, options.profile, options.nan, options.check)


if __name__ == "__main__":
    sys.exit(main())
