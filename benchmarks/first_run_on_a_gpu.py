"""What to run when a machine with a GPU is at hand, in an order in which each step explains a failure of the next.

    python benchmarks/first_run_on_a_gpu.py [--out FOLDER] [--from NAME] [--list]

Every step writes what it prints to FOLDER/NAME.txt, and goes on with the next if it fails; the end is a table, exit code 1 if
any failed.   --from: begin with this step.   --list: the commands, to be typed one by one.   It takes most of an hour.
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
# The suite for a card, one test at a time: two would share the card.
CARD = [PYTHON, "-m", "pytest", "-m", "gpu", "-n", "0", "-rs"]


def steps(folder) -> list:
    """(name, what it tells, command) in order."""
    bench = lambda name, *groups: (name, f"times of {', '.join(groups)}, beside ceilings and peers", [
        PYTHON, str(ROOT / "benchmarks" / "devices.py"), "--device", "both", "--out", str(folder / name), *groups])
    sanitizer = lambda tool: (tool, "compute-sanitizer over the kernels' tests", [
        "compute-sanitizer", "--tool", tool, "--error-exitcode", "1", *CARD, "tests/kernels/cuda"])
    return [
        ("doctor", "driver, card, versions", [PYTHON, "-m", "minigan", "doctor"]),
        ("parity", "every op and layer against float64 on the CPU", [PYTHON, str(ROOT / "benchmarks" / "parity.py")]),
        ("tests", "the suite for a card; green, it writes gpu-verified.json", CARD),
        *(sanitizer(tool) for tool in ("memcheck", "racecheck", "initcheck")),
        ("quick", "every row of the benchmark once, tiny: results only", [
            PYTHON, "-m", "minigan", "bench", "--device", "both", "--quick"]),
        bench("overhead", "overhead"),  # what one op costs sets the order of all further work
        bench("products", "gemm", "conv"),
        bench("memory", "elementwise", "reduction", "norm", "adam"),
        bench("steps", "steps"),
        ("suite", "the whole suite a second time, on the card's arrays", [PYTHON, "-m", "pytest", "-n", "0"]),
    ]


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="gpu-first-run", metavar="FOLDER", help="default: ./gpu-first-run")
    parser.add_argument("--from", dest="first", metavar="NAME", help="begin with this step")
    parser.add_argument("--list", action="store_true", help="print the commands and do nothing")
    options = parser.parse_args(arguments)
    folder = Path(options.out).resolve()
    todo = steps(folder)
    names = [name for name, _, _ in todo]
    if options.first and options.first not in names:
        parser.error(f"no step {options.first!r}; there are {', '.join(names)}")
    todo = todo[names.index(options.first) if options.first else 0:]
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
    """The environment of a command.   A sanitizer sees the bounds of what the driver has given out, not of a pool's pieces."""
    return {"MINIGAN_BACKEND": "cupy"} | ({"MINIGAN_NO_POOL": "1"} if command[0] == "compute-sanitizer" else {})


def run(command, output) -> int | None:
    """The exit code of a command, whose output goes to that file; None if there is no such program."""
    if shutil.which(command[0]) is None:
        output.write_text(f"{command[0]} is not on this machine; it comes with the CUDA toolkit\n")
        return None
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | settings(command) | {"PYTHONPATH": path}
    with output.open("w") as file:
        return subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
