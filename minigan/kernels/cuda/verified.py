"""Which files of this folder have run on a real GPU since their last change: it reads and writes gpu-verified.json.

states     {file: a sentence}, for every file             record     write down that all of them have just passed on a GPU
`python -m minigan.kernels.cuda.verified` prints the table of docs/gpu.md.

The GPU's test suite, `MINIGAN_BACKEND=cupy pytest -m gpu`, calls record at the end of a whole run without a failure.
"""

import datetime
import hashlib
import json
from pathlib import Path

FOLDER = Path(__file__).parent
RECORD = FOLDER / "gpu-verified.json"
NEVER = "never run on a GPU"


def files() -> list[str]:
    """The names of the files that a GPU must have run: all kernels, and all Python files around them except this one."""
    return sorted(
        path.name
        for kind in ("*.cu", "*.py")
        for path in FOLDER.glob(kind)
        if path.name not in ("__init__.py", Path(__file__).name)
    )


def digest(name: str) -> str:
    """SHA-256 of a file of this folder."""
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


def states() -> dict[str, str]:
    """For every file: "verified on ...", "changed since it was verified on ...", or "never run on a GPU"."""
    found = json.loads(RECORD.read_text())
    return {name: _state(name, found.get(name)) for name in files()}


def _state(name, entry):
    if entry is None:
        return NEVER
    where = f"{entry['card']}, {entry['date']} ({', '.join(f'{k} {v}' for k, v in entry['versions'].items())})"
    return f"verified on {where}" if entry["sha256"] == digest(name) else f"changed since it was verified on {where}"


def record(card: str, versions: dict) -> None:
    """Write down that all files have passed on this GPU today.   versions: {"CuPy": "14.2.0", ...}."""
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    entries = {name: {"sha256": digest(name), "card": card, "date": date, "versions": versions} for name in files()}
    RECORD.write_text(json.dumps(entries, indent=1) + "\n")


def this_card() -> tuple[str, dict]:
    """The name of the GPU in use, and the versions of CuPy, CUDA and the driver's CUDA."""
    import cupy

    runtime = cupy.cuda.runtime
    name = runtime.getDeviceProperties(cupy.cuda.Device().id)["name"]
    cuda, driver = (f"{v // 1000}.{v % 1000 // 10}" for v in (runtime.runtimeGetVersion(), runtime.driverGetVersion()))
    name = name.decode() if isinstance(name, bytes) else name
    return name, {"CuPy": cupy.__version__, "CUDA": cuda, "driver for CUDA": driver}


def table() -> str:
    """The states as a Markdown table."""
    return "\n".join(["| file | state |", "| --- | --- |", *(f"| `{name}` | {state} |" for name, state in states().items())])


if __name__ == "__main__":
    print(table())
