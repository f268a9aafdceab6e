"""Time two implementations of the same thing fairly: they run in turns, each in its own process, and medians are compared.

compare     runs A B A B ... and takes the ratio of each pair, so slow changes of the machine cancel
best        the least time of one call in this process
environment what the numbers depend on: processor, BLAS kernel and threads, versions      describe, report
options_of  the options that all benchmarks share             publish     print results, and write them to a folder
Minigan, Torch    give both libraries the same names, so that a workload is one function of a library

Each side has its own process, because a library's threads busy-wait for its next call, and so take cores from the other side:
in one process, beside OpenBLAS's waiting thread, PyTorch's convolution took twice its time.
"""

import argparse
import atexit
import contextlib
import json
import multiprocessing
import os
import platform
import resource
import statistics
import time
from pathlib import Path

import numpy as np

import minigan as mg
from minigan.doctor import blas
from minigan.kernels import threads as own_threads
from minigan.kernels.threads import set_num_threads
from minigan.streams import streams

THREADS = 2  # threads of each side
TURN, SETTLE = 0.3, 0.1  # seconds of a turn; the first SETTLE are not timed, because the other side's threads go to sleep


_suited = contextlib.ExitStack()
atexit.register(_suited.close)


def suit(convolutions: bool, largest: int | None = None) -> None:
    """Use the same threads as a session that trains such a net, until the next call."""
    _suited.close()
    _suited.enter_context(own_threads.suit(convolutions, largest))


def compare(build, ours, theirs, seconds: float, threads: int = 0) -> dict:
    """A row of times.   build(*ours) makes our function, build(*theirs) the peer's (None: no peer), each in its own process.

    They run in turns for about this many seconds.   Returns {"ours", "theirs": seconds, "ratio", "low", "high",
    "ratio_of_minima", "turns", "memory", "their_memory": bytes}.   A time is the median over turns of the median call; a tenth
    of the ratios lies below low, a tenth above high; memory is the process's peak.   threads: the number of ours, see
    kernels/threads.py; 0 leaves it as it is.
    """
    sides = [_Side(build, arguments, n) for arguments, n in ((ours, threads), (theirs, 0)) if arguments is not None]
    turns = max(3, round(seconds / TURN / len(sides)))
    rounds = [[side.turn(TURN - SETTLE) for side in sides] for _ in range(turns)]
    memory = [side.close() for side in sides]
    medians, minima = ([[turn[i] for turn in column] for column in zip(*rounds)] for i in (0, 1))
    row = {"ours": statistics.median(medians[0]), "ours_min": min(minima[0]), "memory": memory[0], "turns": turns}
    if theirs is not None:
        ratios = sorted(a / b for a, b in zip(*medians))
        row |= {
            "theirs": statistics.median(medians[1]),
            "theirs_min": min(minima[1]),
            "their_memory": memory[1],
            "ratio": statistics.median(ratios),
            "low": ratios[turns // 10],
            "high": ratios[-1 - turns // 10],
            "ratio_of_minima": min(minima[0]) / min(minima[1]),
        }
    return row


class _Side:
    """A process that makes one function, and runs it on request."""

    def __init__(self, build, arguments, threads):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, build, arguments, threads), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def turn(self, seconds):
        """(median, least) seconds of a call, over calls for this many seconds."""
        self.pipe.send(seconds)
        return self.pipe.recv()

    def close(self):
        """End the process.   Returns its peak memory in bytes."""
        self.pipe.send(None)
        peak = self.pipe.recv()
        self.process.join()
        return peak


def _serve(pipe, build, arguments, threads):
    if threads:
        set_num_threads(threads)
    function = build(*arguments)
    function()
    pipe.send(True)
    while (seconds := pipe.recv()) is not None:
        start = time.perf_counter()
        while time.perf_counter() < start + SETTLE:
            function()
        times, start = [_time(function)], time.perf_counter()
        while time.perf_counter() < start + seconds:
            times.append(_time(function))
        pipe.send((statistics.median(times), min(times)))
    pipe.send(_peak_memory())


def _peak_memory():
    """The peak memory of this process in bytes.  (On Linux, getrusage would include the peak of its parent.)"""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _time(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def best(function, seconds: float = 0.3) -> float:
    """The least time of one call, over calls for about this many seconds: the time that the code needs undisturbed."""
    function()
    times, end = [_time(function)], time.perf_counter() + seconds
    while time.perf_counter() < end:
        times.append(_time(function))
    return min(times)


def environment() -> dict:
    """Everything that the numbers depend on."""
    found = blas()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "minigan": mg.__version__,
        "blas": f"{found['library']} {found['version']}",
        "kernel": found["kernel"],
        "blas_threads": found["threads"],
        "pinned": os.environ.get("OPENBLAS_CORETYPE"),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def _processor():
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def describe(env: dict) -> str:
    """The environment in one line."""
    pinned = f" (pinned by OPENBLAS_CORETYPE={env['pinned']}: unset it to measure what users see)" if env["pinned"] else ""
    return (
        f"{env['processor']}, {env['cores']} cores, load {env['load']}; Python {env['python']}, NumPy {env['numpy']}; "
        f"{env['blas']}, kernel {env['kernel']}, {env['blas_threads']} threads{pinned}"
    )


def options_of(doc, arguments, seconds, names=(), **more):
    """The options that all benchmarks share, parsed.

    names: the rows that a user can choose.  more: name=(default, help) of further options with a value.
    """
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, once each: check that every row runs and is right")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--seconds", type=float, default=seconds, metavar="S", help=f"time for each row (default {seconds})")
    parser.add_argument("--out", metavar="FOLDER", help="write the results there, as JSON, Markdown and pictures")
    for name, (default, text) in more.items():
        parser.add_argument(
            f"--{name}", type=type(default), default=default, metavar="N" if type(default) is int else name.upper(), help=text
        )
    if names:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"rows: {', '.join(names)} (default: all)")
    options = parser.parse_args(arguments)
    options.environment = environment()  # read it now, because a benchmark changes its own number of threads
    if names and (unknown := [name for name in options.names if name not in names]):
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(names)}")
    return options


def markdown(rows: list[dict], columns: list[str]) -> str:
    """The rows as a Markdown table with aligned columns, so that it can be read as text; "" without rows.  A column that no row
    has, such as the peer's times without a peer, is left out."""
    columns = [c for c in columns if any(c in row for row in rows)]
    if not columns:
        return ""
    cells = [columns, *([str(row.get(c, "")) for c in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths)) + " |" for line in cells]
    return "\n".join([lines[0], "| " + " | ".join("-" * w for w in widths) + " |", *lines[1:]])


def report(name: str, rows: list[dict], columns: list[str], options, remark: str = "") -> None:
    """Publish the rows as a table below the environment and a remark."""
    env = options.environment
    as_json = json.dumps({"benchmark": name, "environment": env, "remark": remark, "rows": rows}, indent=2)
    publish(name, as_json, "\n\n".join(text for text in (describe(env), remark, markdown(rows, columns)) if text), options)


def publish(name: str, as_json: str, as_text: str, options) -> None:
    """Print the results, and write them to the folder --out, if one is given, as name.json and name.md."""
    print(as_json if options.json else as_text)
    if options.out:
        folder = Path(options.out)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(as_json + "\n")
        (folder / f"{name}.md").write_text(f"# {name}\n\n{as_text}\n")


def torch_or_none():
    """PyTorch with THREADS threads, or None if it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(THREADS)
    return torch


class Minigan:
    """Our side of a workload."""

    name, nn, F = "minigan", mg.nn, mg.nn.functional
    no_grad, grad = staticmethod(mg.no_grad), staticmethod(mg.grad)
    softplus, norm, tensor, zeros = (staticmethod(f) for f in (mg.ops.softplus, mg.ops.norm, mg.tensor, mg.zeros))

    def __init__(self, dtype=np.float32):
        self.dtype, self.generator = (
            np.dtype(dtype),
            None,
        )  # None: the stream, asked for at each draw, so that mg.capture sees it

    def normal(self, *shape):
        """Draws from the normal distribution."""
        return mg.Tensor((self.generator or streams("latent")).standard_normal(shape, self.dtype))

    def uniform(self, *shape):
        """Draws from [0, 1)."""
        return mg.Tensor((self.generator or streams("latent")).random(shape, self.dtype))

    def adam(self, parameters):
        """Adam with the rates of the DCGAN paper."""
        return mg.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))

    def update(self, adam, parameters, gradients):
        """One step of Adam."""
        adam.step(gradients)

    def weights(self, net):
        """A copy of the net's weights, as arrays."""
        return net.state_dict()

    def load(self, net, weights):
        """Give a net these weights, and the dtype of this side."""
        net.load_state_dict(weights)
        return net.to(self.dtype)

    def array(self, x):
        """The values as a NumPy array."""
        return x.detach().numpy()


class Torch:
    """PyTorch's side of a workload: eager mode, its default memory order, gradients only of the updated parameters."""

    name = "PyTorch"

    def __init__(self, torch):
        self.torch, self.nn, self.F = torch, torch.nn, torch.nn.functional
        self.no_grad, self.grad = torch.no_grad, torch.autograd.grad
        self.softplus, self.normal, self.uniform, self.zeros = self.F.softplus, torch.randn, torch.rand, torch.zeros

    def norm(self, x, axis):
        """The Euclidean norm along an axis."""
        return self.torch.linalg.vector_norm(x, dim=axis)

    def tensor(self, array, requires_grad=False):
        """A tensor with the values of an array."""
        return self.torch.tensor(array, requires_grad=requires_grad)

    def adam(self, parameters):
        """Adam with the rates of the DCGAN paper."""
        return self.torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))

    def update(self, adam, parameters, gradients):
        """One step of Adam."""
        for p, g in zip(parameters, gradients):
            p.grad = g
        adam.step()

    def load(self, net, weights):
        """Give a net these weights."""
        net.load_state_dict({name: self.torch.from_numpy(np.array(array)) for name, array in weights.items()})
        return net

    def array(self, x):
        """As a NumPy array."""
        return x.detach().numpy()
