"""minigan bench."""

import subprocess
import sys
from pathlib import Path

from minigan.errors import ConfigError

BENCHMARKS = {"steps": "one training step of each kind of system, beside PyTorch's where it is installed",
              "kernels": "each kernel beside what this machine could do at best",
              "peers": "a gradient beside autograd, MyGrad, tinygrad and PyTorch, where they are installed",
              "graph": "how the cost grows with graph length, batch, depth and channels",
              "devices": "CPU against GPU, over sizes that show from where the GPU wins"}


def add(verbs) -> None:
    """Enter the verb of this file."""
    verb = verbs.add_parser("bench", help="time minigan on this machine", allow_abbrev=False,
                            description="Time minigan on this machine. " +
                                        " ".join(f"{name}: {what}." for name, what in BENCHMARKS.items()))
    verb.add_argument("which", nargs="?", choices=list(BENCHMARKS), metavar="|".join(BENCHMARKS),
                      help="default: steps; with --device, devices")
    verb.add_argument("--device", choices=["cpu", "cuda", "both"], help="of the benchmark `devices` (default: both)")
    verb.add_argument("--quick", action="store_true", help="tiny and once: checks the results, its times say nothing")
    verb.add_argument("--json", action="store_true", help="the results as JSON")
    verb.add_argument("--out", metavar="FOLDER", help="write the results there, as JSON, Markdown and pictures")
    verb.set_defaults(run=_bench)


def script(name: str) -> Path:
    """The file of a benchmark, beside the package (a checkout) or in ./benchmarks.  ConfigError if there is none."""
    places = [Path(__file__).resolve().parents[2] / "benchmarks", Path.cwd() / "benchmarks"]
    for place in places:
        if (place / f"{name}.py").is_file() and (place / "harness.py").is_file():
            return place / f"{name}.py"
    raise ConfigError("no benchmarks here: they come with the repository, not with the installed package; get minigan's "
                      "repository and run this command in its folder (looked in "
                      f"{' and '.join(str(place) for place in places)})")


def _bench(options):
    which = options.which or ("devices" if options.device else "steps")
    if options.device and which != "devices":
        raise ConfigError(f"bench {which} runs on the CPU; --device is for `minigan bench devices`")
    given = [*(["--device", options.device] if options.device else []),
             *(["--quick"] if options.quick else []), *(["--json"] if options.json else []),
             *(["--out", options.out] if options.out else [])]
    # A process of its own: nothing that the command line has loaded or started is part of the times.
    return subprocess.run([sys.executable, str(script(which)), *given], check=False).returncode
