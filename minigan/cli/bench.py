"""The verb bench: run a benchmark of benchmarks/."""

import subprocess
import sys
from pathlib import Path

from minigan import checkout
from minigan.cli.output import path_argument
from minigan.errors import ConfigError

BENCHMARKS = {
    "steps": "one training step of each kind of system, compared with PyTorch if it is installed",
    "loops": "the same steps in a loop of one's own, in a session and captured, beside PyTorch, torch.compile, JAX and a floor",
    "kernels": "each kernel, compared with the best that this machine can do",
    "peers": "a gradient, compared with autograd, MyGrad, tinygrad and PyTorch if they are installed",
    "graph": "how the cost grows with graph length, batch, depth and channels",
    "devices": "CPU and GPU at several sizes, which shows from which size on the GPU is faster",
}


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    verb = verbs.add_parser(
        "bench",
        help="time minigan on this machine",
        allow_abbrev=False,
        description="Time minigan on this machine. " + " ".join(f"{name}: {what}." for name, what in BENCHMARKS.items()),
    )
    verb.add_argument(
        "which",
        nargs="?",
        choices=list(BENCHMARKS),
        metavar="|".join(BENCHMARKS),
        help="which benchmark to run (default: steps; with --device, devices)",
    )
    verb.add_argument("--device", choices=["cpu", "cuda", "both"], help="for the benchmark `devices` only (default: both)")
    verb.add_argument("--quick", action="store_true", help="run tiny cases once, to check the results; the times mean nothing")
    verb.add_argument("--json", action="store_true", help="print the results as JSON")
    verb.add_argument(
        "--out",
        type=path_argument,
        metavar="FOLDER",
        help="also write the results into this folder: JSON, Markdown and pictures",
    )
    verb.set_defaults(run=_bench)


def script(name: str) -> Path:
    """Return the file of a benchmark: beside the package (in a checkout), or in ./benchmarks.   Raises ConfigError if there is
    none."""

    def look(folder):
        file = folder / f"{name}.py"
        return file if file.is_file() and (folder / "harness.py").is_file() else None

    return checkout.find("benchmarks", look)


def _bench(options):
    which = options.which or ("devices" if options.device else "steps")
    if options.device and which != "devices":
        raise ConfigError(f"bench {which} runs on the CPU; --device is for `minigan bench devices`")
    given = [
        *(["--device", options.device] if options.device else []),
        *(["--quick"] if options.quick else []),
        *(["--json"] if options.json else []),
        *(["--out", options.out] if options.out else []),
    ]
    # A new process, so that nothing which the command line has imported or started affects the times.
    return subprocess.run([sys.executable, str(script(which)), *given], check=False).returncode
