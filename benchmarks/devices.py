"""From which size does a GPU need less time than the CPU, and how far is each from the best that it can do?

    python benchmarks/devices.py [NAME ...] [--device cpu|cuda|both] [--quick] [--json] [--seconds S] [--out FOLDER]

First each device shows its ceilings: the bytes that large copies and additions move, the operations of large products.  Then
every row runs at several sizes, on sets of inputs that together are larger than the cache where that is possible.  Its result
must be within 1e-4 of the same code in float64 on the CPU, relative to the largest value; with TF32, within 1e-3.  A time that
is shorter than the ceilings allow fails the run, because then the clock is wrong.   docs/gpu.md explains each column.

Every library on every device runs in its own process, with a new process for each group of rows, so that threads and memory of
one do not disturb the next.   This file measures.  Its parts:

device_sides.py   the libraries on the devices           device_rows.py, device_steps.py   the rows, and the training steps
device_cases.py   a row at one size                      device_report.py, crossings.py    tables and plots
clocks.py         the clocks, and the ceilings of a device
"""

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent))
from clocks import HostClock, measure, single
from device_cases import TF32_TOLERANCE
from device_report import commit, crossings_of, draw, heading, milliseconds, tables
from device_rows import GROUPS
from device_sides import SIDES, Side, card, has
from harness import environment, options_of, publish

import minigan as mg
from minigan.backend import check_device
from minigan.errors import DeviceError

MARGIN = 1.05  # a rate may be so far above its ceiling, because both are measured


def run_side(library, device, threads, name, quick, seconds) -> dict:
    """Run a group of rows of one library on one device: {"rows", "failures", "card", "version"}.

    If a row has a wrong result or raises an error, it is a failure without times, and the others go on, because time on a GPU
    is expensive.
    """
    side = Side(library, device, threads)
    found = {
        "library": library,
        "device": device,
        "rows": [],
        "failures": [],
        "card": card() if side.is_ours and side.is_card else None,
        "version": None if side.is_ours else side.torch.__version__,
    }
    if name == "conv" and side.is_ours and not side.is_card:
        mg.nn.Conv2d(1, 1, 1)  # making such a layer starts the sharing of convolutions among threads; see kernels/threads.py
    for case in GROUPS[name](quick):
        if sys.stderr.isatty():
            print(f"\r{library} {device}: {case.row} {case.size:<30}", end="\r", file=sys.stderr, flush=True)
        told = f"{library} on {device}: {case.row} {case.size}"
        try:
            case.prepare(side, quick)
        except Exception as problem:  # only this row fails; the others go on
            found["failures"].append(f"{told}: {type(problem).__name__}: {problem}")
            continue
        if not side.is_ours:
            side.torch.set_num_threads(threads)  # our nets have computed the true result, and may have changed this number
        for tf32 in (False, True) if side.is_card and case.products else (False,):
            side.use_tf32(tf32)
            for mode in case.modes(side):
                try:
                    found["rows"].append(row_of(case, side, mode, tf32, quick, seconds))
                except Exception as problem:
                    how = f"{mode}, TF32" if tf32 else mode
                    found["failures"].append(f"{told}, {how}: {type(problem).__name__}: {problem}")
    return found


def row_of(case, side, mode, tf32, quick, seconds) -> dict:
    """The row of a case, with its times in seconds.   AssertionError if its result is wrong."""
    tolerance, (call, send) = TF32_TOLERANCE if tf32 else case.tolerance, case.build(side, mode)
    first = single(call, side.clock, 0)
    off = case.check(side, mode, call)
    # Not "off > tolerance", because NaN would pass that check.
    assert off <= tolerance, f"off by {off:.1e} from float64, more than {tolerance}{' with TF32' if tf32 else ''}"
    times = measure(call, side.clock, seconds, quick)
    times["with_transfers"] = measure(send, HostClock(), seconds / 2, quick)["latency"] if side.is_card else None
    for key in ("latency", "burst", "low", "high", "enqueue", "with_transfers"):
        times[key] = times[key] and times[key] / case.per
    return {
        "group": case.group,
        "row": case.row,
        "size": case.size,
        "library": side.library,
        "device": side.device,
        "mode": mode,
        "tf32": tf32,
        "operations": case.operations,
        "bytes": case.bytes,
        "is_cold": bool(case.is_cold),
        "error": off,
        "tolerance": tolerance,
        "first": first,
        **times,
    }


def apart(function, *arguments):
    """function(*arguments) in its own process, so that the threads and memory of other libraries do not disturb it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def survive(start, library, device, threads, name, *how) -> dict:
    """The result of run_side; if its process was killed, no rows and one failure."""
    try:
        return start(run_side, library, device, threads, name, *how)
    except BrokenProcessPool:
        return {
            "library": library,
            "device": device,
            "rows": [],
            "card": None,
            "version": None,
            "failures": [
                f"{library} on {device}: all of {name}: its process was killed, perhaps because it took too much memory"
            ],
        }


def ceilings_of(library, device, threads, quick, seconds) -> dict:
    """The ceilings of the device, measured with this library."""
    return Side(library, device, threads).ceilings(threads, seconds, quick)


def largest(ceilings: list[dict]) -> dict:
    """The largest value of each ceiling."""
    return {key: max(c[key] for c in ceilings if c.get(key)) for key in {k for c in ceilings for k, v in c.items() if v}}


def hold(rows: list[dict], ceilings: dict) -> list[dict]:
    """Add floor, share and bound to every row.   Returns the rows whose share is above MARGIN.

    floor: the longer of two times, for the row's operations and for its bytes, at the ceilings of its device.   bound: which
    of the two.   share: floor / measured time.
    """
    above = []
    for row in rows:
        known = ceilings[row["device"]]
        floors = {
            "product": row["operations"] / known["product, TF32" if row["tf32"] else "product"],
            "memory": row["bytes"] / known["memory" if row["is_cold"] else "cache"],
        }
        if row["row"].startswith(("conv", "dcgan")) and (row["library"] == "PyTorch" or row["device"] == "cpu"):
            floors["product"] = 0.0  # their algorithms need fewer multiplications (ours is kernels/cpu/toom_cook.py)
        bound = max(floors, key=floors.get)
        row |= {"floor": floors[bound], "bound": bound, "share": floors[bound] / row["burst"]}
        if row["share"] > MARGIN:
            above.append(row)
    return above


def main(arguments=None) -> int:
    options = options_of(__doc__, arguments, seconds=0.4, names=list(GROUPS), device=("both", "cpu, cuda or both (default)"))
    chosen = {"cpu": ["cpu"], "cuda": ["cuda"], "both": ["cpu", "cuda"]}.get(options.device)
    try:
        if chosen is None:
            raise DeviceError(f"unknown device {options.device!r}; use cpu, cuda or both")
        if "cuda" in chosen:
            check_device("cuda")
    except DeviceError as problem:
        print(f"minigan: {problem}", file=sys.stderr)
        return 2
    env = environment() | {"commit": commit()}
    if options.quick:
        threadpool_limits(1)  # a second thread does not help tiny products, which may wait for it on a busy machine
    threads, start = 1 if options.quick else max(1, env["blas_threads"]), (lambda f, *a: f(*a)) if options.quick else apart
    sides = [(library, device) for library, device in SIDES if device in chosen and has(library, device)]
    how = options.quick, options.seconds
    seen = [(device, start(ceilings_of, library, device, threads, *how)) for library, device in sides]
    ceilings = {device: largest([c for place, c in seen if place == device]) for device in chosen}
    found = [survive(start, *side, threads, name, *how) for name in options.names or list(GROUPS) for side in sides]
    rows, failures = ([x for f in found for x in f[key]] for key in ("rows", "failures"))
    above = hold(rows, ceilings)
    if above and not options.quick:  # something may have disturbed the ceilings, so measure them again
        for side in sides:
            ceilings[side[1]] = largest([ceilings[side[1]], start(ceilings_of, *side, threads, *how)])
        above = hold(rows, ceilings)
    if not options.quick:
        failures += [
            f"{r['library']} on {r['device']}: {r['row']} {r['size']}{' with TF32' if r['tf32'] else ''}: "
            f"{milliseconds(r['burst'])} ms is less than its floor, {milliseconds(r['floor'])} ms at the ceiling of "
            f"{r['bound']}: the clock is wrong"
            for r in above
        ]
    result = {
        "benchmark": "devices",
        "environment": env,
        "device": options.device,
        "quick": options.quick,
        "threads": threads,
        "card": next((f["card"] for f in found if f["card"]), None),
        "peers": [
            dict(zip(("library", "device", "version"), peer))
            for peer in dict.fromkeys((f["library"], f["device"], f["version"]) for f in found if f["version"])
        ],
        "ceilings": ceilings,
        "rows": rows,
        "crossings": crossings_of(rows),
        "failures": failures,
    }
    as_json = json.dumps(result, indent=2)
    as_text = heading(result) + "".join(f"\n\n## {title}\n\n{table}" for title, table in tables(result).items())
    publish("devices", as_json, as_text, options)
    if options.out:
        draw(result, Path(options.out))
    for failure in failures:
        print(f"minigan bench devices: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
