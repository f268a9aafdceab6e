"""env.json: the versions and the processor that a run's numbers may depend on.

environment     what it holds now       read    a file's contents, checked      now     the time
"""

import datetime
import json
import os
import platform
import sys

import numpy as np

from minigan.schema import PLAIN, Either, Many, Named
from minigan.version import __version__

FACTS = Named(Either((PLAIN, Many(PLAIN), Named(PLAIN)), "a number, a text, or some of them"))


def now() -> datetime.datetime:
    """The time, with its zone."""
    return datetime.datetime.now().astimezone()


def environment():
    """Everything that a run's numbers may depend on: versions, platform, processors, BLAS.  It holds no user names and no
    paths, so that a run folder can be published."""
    from threadpoolctl import threadpool_info

    facts = {
        "date": now().isoformat(timespec="seconds"),
        "minigan": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
    }
    built = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    facts["blas"] = {key: blas[key] for key in ("name", "version") if key in blas}
    kernels = [library["architecture"] for library in threadpool_info() if "architecture" in library]
    facts["blas"] |= {"kernel": kernels[0]} if kernels else {}  # what runs here; NumPy may have been built elsewhere
    facts["simd"] = built.get("SIMD Extensions", {}).get("found", [])
    if "cupy" in sys.modules:  # not imported here, because the import takes seconds
        facts["cupy"] = sys.modules["cupy"].__version__
    return facts


def read(path) -> dict:
    """The facts in an env.json.   OSError or ValueError if it cannot be read, or holds anything else."""
    try:
        facts = json.loads(path.read_bytes())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    FACTS.check(facts, "the file")
    return facts
