"""`minigan doctor`: what this machine has, and what that means for minigan.

examine     a list of findings: what was found and, if something is wrong, what to do
blas        which BLAS NumPy uses, the kernel that it chose for this processor, and its threads
"""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass

import numpy as np


@dataclass
class Finding:
    """One line of the report.

    what: the thing that was examined.   found: what was found.   ok: nothing needs to be done.   advice: what to do otherwise.
    needed: minigan cannot work without it.   absent: it is missing, but it is optional."""

    what: str
    found: str
    ok: bool = True
    advice: str = ""
    needed: bool = False
    absent: bool = False


def blas() -> dict:
    """NumPy's BLAS: a dict with "library", "version", "kernel" (the processor it is made for) and "threads".  What the library
    does not tell is "unknown"; then "threads" is 0."""
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    for library in threadpool_info():
        if library["user_api"] == "blas":
            return {
                "library": library["internal_api"],
                "version": library["version"] or "unknown",
                "kernel": library.get("architecture", "unknown"),
                "threads": library["num_threads"],
            }
    return {"library": "unknown", "version": "unknown", "kernel": "unknown", "threads": 0}


def examine() -> list[Finding]:
    """All findings; the things that minigan needs come first."""
    return [_python(), _numpy(), _blas(), _threads(), _digits(), _mnist(), _cache(), _disk(), _cuda(), _kernels()]


def _python():
    ok = sys.version_info >= (3, 11)
    return Finding(
        "python",
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        ok,
        "" if ok else "minigan needs Python 3.11 or newer",
        needed=True,
    )


def _numpy():
    ok = int(np.__version__.partition(".")[0]) >= 2
    return Finding("numpy", np.__version__, ok, "" if ok else "minigan needs NumPy 2; pip install -U numpy", needed=True)


def _blas():
    found = blas()
    text = f"{found['library']} {found['version']}, kernel {found['kernel']}, {found['threads']} thread(s)"
    pinned = os.environ.get("OPENBLAS_CORETYPE")
    if not pinned:
        return Finding("blas", text)
    slower = _cost_of_pinning()
    if slower is not None and slower < 1.1:
        return Finding("blas", f"{text}; OPENBLAS_CORETYPE={pinned} pins the kernel, which costs nothing here")
    cost = "" if slower is None else f", and a matrix product takes {slower:.1f} times as long"
    return Finding(
        "blas",
        text,
        False,
        f"OPENBLAS_CORETYPE={pinned} pins the kernel{cost}; unset it, and OpenBLAS chooses the "
        "fastest kernel for this processor",
    )


def _threads():
    from minigan.kernels import threads

    return Finding(
        "threads",
        f"{threads.choice()}; a training loop chooses at its first step: large convolutions use minigan's threads, small nets "
        "one thread, others BLAS's own (set_num_threads overrules that)",
    )


_PRODUCT = """
import time, numpy as np
a = np.ones((512, 512), np.float32)
def once():
    start = time.perf_counter()
    a @ a
    return time.perf_counter() - start
print(min(once() for _ in range(20)))
"""


def _cost_of_pinning():
    """The time of a matrix product with the current OPENBLAS_CORETYPE, divided by the time without it; None if it cannot be
    measured."""
    as_it_is = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # other programs disturb one thread less than several
    free = {name: value for name, value in as_it_is.items() if name != "OPENBLAS_CORETYPE"}
    try:
        pinned, unpinned = (
            float(
                subprocess.run(
                    [sys.executable, "-c", _PRODUCT], env=env, capture_output=True, text=True, timeout=20, check=True
                ).stdout
            )
            for env in (as_it_is, free)
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return pinned / unpinned


def _digits():
    from minigan import data
    from minigan.errors import DataError

    try:
        for split in data.SPLITS:
            data.digits.draw(split, 0, 10)
    except DataError as error:  # a damaged installation
        return Finding("digits", "cannot be drawn", False, str(error))
    return Finding("digits", "can be drawn; cached: " + _summary(data.verify("digits"), "none"))


def _mnist():
    from minigan import data

    rows = data.verify("mnist")
    if all(status == "missing" for _, status in rows):
        return Finding(
            "mnist",
            "not on this machine",
            absent=True,
            advice="it is downloaded at first use; if you have the files, give --data-dir or set $MINIGAN_DATA",
        )
    bad = [f"{file}: {status}" for file, status in rows if not status.startswith("ok")]
    return Finding("mnist", _summary(rows, "none"), not bad, "; ".join(bad))


def _summary(rows, none):
    """The rows of data.verify as text: '4 file(s), ok' or '3 of 4 file(s) ok'; `none` if there are no files."""
    files = [status for file, status in rows if os.path.isfile(file) or not status.startswith("ok")]
    good = sum(status.startswith("ok") for status in files)
    if not files:
        return none
    return f"{len(files)} file(s), ok" if good == len(files) else f"{good} of {len(files)} file(s) ok"


def _cache():
    from minigan.data import cache

    advice = "without a cache, data are drawn or downloaded again each time; set $MINIGAN_CACHE to a folder that can be written"
    try:
        folder = cache.folder()
        existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    except OSError as error:
        return Finding("cache", f"none: {error}", False, advice)
    if existing.is_dir() and os.access(existing, os.W_OK):
        return Finding("cache", str(folder))
    return Finding("cache", f"{folder} cannot be written", False, advice)


def _disk():
    try:
        free = shutil.disk_usage(".").free / 2**30
    except OSError as error:
        return Finding("disk", f"this folder cannot be used: {error.strerror}", False, "change to another folder")
    return Finding(
        "disk",
        f"{free:.1f} GiB free here",
        free > 0.5,
        "" if free > 0.5 else "a run needs about 0.1 GiB; free some space, or change to another disk",
    )


def _cuda():
    from minigan.backend import check_device
    from minigan.errors import DeviceError

    try:
        device = check_device("cuda")
    except DeviceError as error:
        return Finding("cuda", "not usable", True, str(error), absent=True)
    return Finding("cuda", f"{device} can be used")


def _kernels():
    from minigan.kernels.cuda import verified

    states = verified.states().values()
    good = sum(state.startswith("verified") for state in states)
    advice = "" if good == len(states) else "to test the others, on a machine with a GPU: MINIGAN_BACKEND=cupy pytest -m gpu"
    return Finding(
        "kernels",
        f"{good} of {len(states)} GPU source files were tested on a GPU in their current form",
        True,
        advice,
        absent=good < len(states),
    )
