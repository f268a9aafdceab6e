"""Change files of a run at random, and call every verb that reads them: no traceback, no hang, no code that runs.

    python tests/mutated_files.py [--full] [--seed 0] [N]      N changed files, 3,000 with --full, else 60

A run is trained once.  For each change its folder is copied, one file is changed, and the verbs are called in this process,
within limits of time and memory.  A verb may succeed, or it ends with exit code 2 and a short message.
tests/test_mutated_files.py runs a few of these.
"""

import argparse
import contextlib
import io
import json
import pickle
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from minigan import serialize
from minigan.cli import main
from minigan.runs.config import toml

SECONDS = 20  # of one verb
MEMORY = 4 * 2**30  # bytes of address space beyond what this process has
SHORT = 1500  # characters of a message
FILES = ("config.toml", "log.jsonl", "seconds.json", "evaluation.json", "env.json", "checkpoint")
VALUES = [
    *(None, True, False, 0, -1, 1, 2, 10**9, 10**30, -(10**30), 10**400, 0.5, -0.5, 1e-300, 1e308, float("nan"), float("inf")),
    *(
        "",
        "abc",
        "cpu",
        "gan\x1b[2J\x07",
        "x" * 100_000,
        "a\nb",
        "../../etc",
        "\u202e",
        [],
        {},
        [[]],
        [1, [2, [3]]],
        {"a": {"b": {}}},
    ),
    *([0] * 1000, ["x"], {"\x1b[31m": 1}, {"x": None}),
]


class Marker:
    """If it is unpickled, it leaves a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.write_text, (Path(self.path), "code ran")


# ---- changes ---------------------------------------------------------------------------------------------------------


def bytes_changed(content: bytes, rng) -> bytes:
    """Flip, cut, repeat or insert bytes."""
    content, kind = bytearray(content), rng.choice(["flip", "cut", "extend", "insert", "drop", "zero", "empty", "nested"])
    at = rng.randrange(len(content) + 1)
    if kind == "flip":
        for _ in range(rng.choice([1, 1, 3, 50])):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del content[at:]
    elif kind == "extend":
        content += rng.choice([bytes(content), b"\0" * 1000, b"}" * 5, b"\xff\xfe", b"[" * 100_000, b'{"step": 1}\n' * 50])
    elif kind == "insert":
        content[at:at] = rng.choice([b"\0", b"\xff", b'"', b"\n", b"[[", b"\x1b[2J", b"9" * 5000, bytes(rng.randbytes(20))])
    elif kind == "drop":
        del content[at : at + rng.choice([1, 10, 100])]
    elif kind == "zero":
        content[at : at + 100] = bytes(len(content[at : at + 100]))
    else:
        content = bytearray(b"" if kind == "empty" else b"[" * 200_000)
    return bytes(content)


def places(value, path=()):
    """The paths of all parts of a nested value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def replaced(value, rng, values=VALUES):
    """One part of a nested value is another value, is gone, or has another name."""
    *above, last = rng.choice([path for path in places(value) if path] or [("x",)])
    parent = value
    for key in above:
        parent = parent[key]
    if not isinstance(parent, dict | list):  # a tuple
        return value
    kind = rng.choice(["value", "value", "value", "gone", "name"])
    if kind == "gone":
        parent.pop(last)
    elif kind == "name" and isinstance(parent, dict):
        parent[rng.choice(["", "abc", "\x1b[2J", "x" * 1000, "-1", "1e9"])] = parent.pop(last)
    else:
        parent[last] = rng.choice(values)
    return value


def without_none(value):
    """The value without what TOML cannot hold."""
    if isinstance(value, dict):
        return {str(key): without_none(item) for key, item in value.items() if item is not None}
    return [without_none(item) for item in value if item is not None] if isinstance(value, list) else value


def change(run: Path, other: Path, name: str, rng, marker: Path) -> str:
    """Change one file of a run, and say how."""
    files = sorted((run / "checkpoints").glob("*.npz")) if name == "checkpoint" else [run / name]
    file, kind = files[-1], rng.choice(["bytes", "field", "field", "field", "swap"])
    if kind == "swap":
        theirs = sorted((other / "checkpoints").glob("*.npz")) if name == "checkpoint" else [other / rng.choice(FILES[:-1])]
        shutil.copy(rng.choice([*theirs, *files[:-1]]), file)
    elif kind == "bytes":
        file.write_bytes(bytes_changed(file.read_bytes(), rng))
    elif name == "config.toml":
        with contextlib.suppress(ValueError):  # a value that TOML cannot hold
            file.write_text(toml(without_none(replaced(tomllib.loads(file.read_text()), rng))), encoding="utf-8")
    elif name == "log.jsonl":
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps(line) + "\n" for line in replaced(lines, rng)))
    elif name != "checkpoint":
        file.write_text(json.dumps(replaced(json.loads(file.read_text()), rng)))
    else:
        kind = checkpoint_changed(file, rng, marker)
    return kind


def checkpoint_changed(file, rng, marker) -> str:
    """Write a checkpoint again: with another value in its state, with another header, or with a member that is no array."""
    kind = rng.choice(["state", "state", "state", "weights", "about", "header", "pickle", "lie", "bomb"])
    about = serialize.describe(file)["about"]
    if kind in ("state", "weights", "about"):
        state = serialize.load(file)
        if kind == "about":
            replaced(about, rng, [v for v in VALUES if not isinstance(v, dict | list)])
        elif kind == "state":
            arrays = [np.full(3, np.nan), np.array("abc"), np.zeros(0), np.zeros((2, 3), complex), np.float32("inf")]
            replaced(state, rng, [*VALUES, *arrays])
        else:
            net = rng.choice(list(state["game"]["nets"].values()))
            net[rng.choice(list(net))].flat[0] = rng.choice([np.nan, np.inf, 1e30])
        with contextlib.suppress(ValueError, TypeError):
            serialize.save(file, state, "run", **{str(k): v for k, v in about.items()})
        return kind
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header, name = f"{serialize.HEADER}.npy", rng.choice(list(members)[1:])
    buffer = io.BytesIO()
    if kind == "header":
        text = np.lib.format.read_array(io.BytesIO(members[header])).tobytes()
        changed = json.dumps(replaced(json.loads(text), rng)).encode() if rng.random() < 0.8 else bytes_changed(text, rng)
        np.lib.format.write_array(buffer, np.frombuffer(changed, np.uint8))
        members[header] = buffer.getvalue()
    elif kind == "pickle":
        np.lib.format.write_array_header_1_0(buffer, {"descr": "|O", "fortran_order": False, "shape": (1,)})
        members[name] = buffer.getvalue() + pickle.dumps([Marker(marker)])
    else:
        shape = (10**12,) if kind == "lie" else (10**9,)
        np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
        members[name] = buffer.getvalue() + bytes(2 * 10**8 if kind == "bomb" else 100)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if kind == "bomb" else zipfile.ZIP_STORED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return kind


# ---- verbs -----------------------------------------------------------------------------------------------------------


def verbs(run: Path, scratch: Path) -> list[list[str]]:
    """The command lines that read a run."""
    here = str(run)
    return [
        ["sample", here, "-n", "4", "-o", str(scratch / "x.png")],
        ["compare", here, "--json"],
        ["compare", here, "-o", str(scratch / "y.png")],
        ["report", here],
        ["evaluate", here, "--metrics", "energy", "-n", "500"],
        ["resume", here, "--steps", "14"],
    ]


class Slow(Exception):
    """A verb took too long."""


def call(command) -> str:
    """Call a verb.   Returns what is wrong with how it ended, or ""."""

    def stop(number, frame):
        raise Slow

    out, err = io.StringIO(), io.StringIO()
    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(command)
    except SystemExit as error:
        code = error.code
    except Slow:
        return f"took more than {SECONDS} s"
    except BaseException:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    text = err.getvalue()
    told = "".join(line for line in text.splitlines(True) if line.startswith(("minigan:", "warning:")))
    if code not in (0, 2) or "Traceback" in text:
        return f"exit code {code}: {text[-2000:]}"
    if "out of memory" in text:
        return f"memory: {text[-500:]}"
    if len(told) > SHORT * max(1, told.count("\n")) or "\x1b" in text + out.getvalue():
        return f"a message is long, or not escaped: {told[:300]!r}"
    return ""


def trained(folder: Path, seed: int) -> Path:
    """A small run with all of its files."""
    settings = ["width=8", "checkpoint_every=4", "sample_every=4", "log_every=1", "metrics=energy", "metrics_every=4"]
    options = [text for setting in settings for text in ("--set", setting)]
    run = str(folder / f"run{seed}")
    quiet = contextlib.redirect_stderr(io.StringIO())
    with contextlib.redirect_stdout(io.StringIO()), quiet, warnings.catch_warnings():
        train = ["train", "gan", "--data", "ring8", "--steps", "12", "--batch-size", "8", "--seed", str(seed), *options]
        assert main([*train, "--out", run]) == 0 and main(["evaluate", run, "--metrics", "energy", "-n", "500"]) == 0
    return Path(run)


def attack(n: int, seed: int = 0, tell=lambda text: None) -> list[str]:
    """Change n files, and call the verbs on each.   Returns what went wrong, one text for each fault."""
    rng, faults = random.Random(seed), []
    with tempfile.TemporaryDirectory() as folder:
        root, marker = Path(folder), Path(folder, "marker")
        one, other = trained(root, 0), trained(root, 1)
        for i in range(n):
            run, name = root / "changed", FILES[i % len(FILES)]
            shutil.copytree(one, run)
            kind = change(run, other, name, rng, marker)
            commands = verbs(run, root)
            for command in commands if n > 500 or name == "checkpoint" else rng.sample(commands, 3):
                wrong = call(command)
                if wrong or marker.exists():
                    faults.append(f"change {i} of {name} ({kind}), {command[0]}: {'code ran' if marker.exists() else wrong}")
                    marker.unlink(missing_ok=True)
            shutil.rmtree(run)
            tell(f"{i + 1} of {n} changed files, {len(faults)} faults")
    return faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n", type=int, nargs="?")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    start = time.monotonic()
    show = lambda text: print(f"\r{text}", end="", file=sys.stderr)
    found = attack(options.n or (3000 if options.full else 60), options.seed, show)
    print(
        "\n" + "\n\n".join(found) if found else "\nno traceback, no hang, no code that ran",
        f"({time.monotonic() - start:.0f} s)",
    )
    sys.exit(bool(found))
