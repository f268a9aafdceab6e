"""Run all checks and benchmarks on a machine with a GPU, in an order in which each step explains failures of the next.

    python benchmarks/first_run_on_a_gpu.py [--out FOLDER] [--from NAME] [--list]

Each step's output goes to FOLDER/NAME.txt.  If a step fails, the next one runs all the same.  At the end there is a table, and
the exit code is 1 if any step failed.   --from: begin with this step.   --list: print the commands, to type them one by one.
It takes most of an hour.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import markdown

ROOT, PYTHON = Path(__file__).resolve().parents[1], sys.executable
# The tests for a GPU, one at a time, because two would share the GPU.
CARD = [PYTHON, "-m", "pytest", "-m", "gpu", "-n", "0", "-rs"]


def steps(folder) -> list:
    """(name, what it does, command), in order."""
    bench = lambda name, *groups: (
        name,
        f"times of {', '.join(groups)}, beside ceilings and peers",
        [PYTHON, str(ROOT / "benchmarks" / "devices.py"), "--device", "both", "--out", str(folder / name), *groups],
    )
    sanitizer = lambda tool: (
        tool,
        "compute-sanitizer over the kernels' tests",
        ["compute-sanitizer", "--tool", tool, "--error-exitcode", "1", *CARD, "tests/kernels/cuda"],
    )
    return [
        ("doctor", "driver, GPU, versions", [PYTHON, "-m", "minigan", "doctor"]),
        ("parity", "every op and layer against float64 on the CPU", [PYTHON, str(ROOT / "benchmarks" / "parity.py")]),
        ("tests", "the tests for a GPU; if all pass, they write gpu-verified.json", CARD),
        *(sanitizer(tool) for tool in ("memcheck", "racecheck", "initcheck")),
        (
            "quick",
            "every row of the benchmark once, at tiny sizes, to check the results",
            [PYTHON, "-m", "minigan", "bench", "--device", "both", "--quick"],
        ),
        bench("overhead", "overhead"),  # first, because the cost of one op decides what to work on next
        bench("products", "gemm", "conv"),
        bench("memory", "elementwise", "reduction", "norm", "adam"),
        bench("steps", "steps"),
        ("suite", "the whole test suite, on the GPU's arrays", [PYTHON, "-m", "pytest", "-n", "0"]),
    ]


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", default="gpu-first-run", metavar="FOLDER", help="default: ./gpu-first-run")
    parser.add_argument("--from", dest="first", metavar="NAME", help="begin with this step")
    parser.add_argument("--list", action="store_true", help="print the commands and do nothing")
    options = parser.parse_args(arguments)
    folder = Path(options.out).resolve()
    todo = steps(folder)
    names = [name for name, _, _ in todo]
    if options.first and options.first not in names:
        parser.error(f"no step {options.first!r}; there are {', '.join(names)}")
    todo = todo[names.index(options.first) if options.first else 0 :]
    if options.list:
        for name, what, command in todo:
            print(f"# {name}: {what}\n{' '.join(f'{k}={v}' for k, v in settings(command).items())} {' '.join(command)}\n")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, what, command in todo:
        print(f"{name}: {what}", flush=True)
        start, code = time.perf_counter(), run(command, folder / f"{name}.txt")
        result = "not here" if code is None else "ok" if code == 0 else f"FAILED, exit code {code}"
        rows.append({"step": name, "result": result, "seconds": round(time.perf_counter() - start), "output": f"{name}.txt"})
    table = markdown(rows, ["step", "result", "seconds", "output"])
    (folder / "summary.md").write_text(table + "\n")
    print(f"\n{table}")
    return 1 if any(row["result"].startswith("FAILED") for row in rows) else 0


def settings(command) -> dict:
    """The environment of a command.   A sanitizer runs without a memory pool, because it checks the bounds of the driver's
    allocations, and cannot see the pieces that a pool makes of them."""
    return {"MINIGAN_BACKEND": "cupy"} | ({"MINIGAN_NO_POOL": "1"} if command[0] == "compute-sanitizer" else {})


def run(command, output) -> int | None:
    """Run a command with its output to that file.   Returns the exit code, or None if there is no such program."""
    if shutil.which(command[0]) is None:
        output.write_text(f"{command[0]} is not on this machine; it comes with the CUDA toolkit\n")
        return None
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | settings(command) | {"PYTHONPATH": path}
    with output.open("w") as file:
        return subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
