"""Time two ways of doing the same thing, fairly: in turns, in one process, medians of many.

compare     A B A B ... after a warm-up; the ratio is taken pair by pair, so slow drifts of the machine cancel
best        our time alone, the least of several tries
environment what the numbers depend on: processor, BLAS kernel and threads, versions      report, save   the results
Minigan, Torch    one text for both: a workload is a function of a library, and gets one of these two
"""

import itertools
import json
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np

import minigan as mg
from minigan.doctor import blas

THREADS = 2  # of the peer, and of BLAS


def compare(ours, theirs, seconds: float) -> dict:
    """A row of times: both sides in turns for about this many seconds, at least three turns each, of 20 ms or one call.

    {"ours": s, "theirs": s, "ratio", "low", "high", "ratio_of_minima", "turns", "calls"}: medians over the turns; low and
    high: a tenth of the ratios lies below, above.  theirs None: ours alone.   0 seconds: one turn.
    """
    functions = [ours] if theirs is None else [ours, theirs]
    once = [min(_time(f, 1) for _ in range(3 if seconds else 1)) for f in functions]  # warms up, too
    calls = max(1, round(0.02 / once[0])) if seconds else 1
    turns = max(3, round(seconds / sum(once) / calls)) if seconds else 1
    pairs = [[_time(f, calls) for f in functions] for _ in range(turns)]
    columns = list(zip(*pairs))
    row = {"ours": statistics.median(columns[0]), "ours_min": min(columns[0])}
    if theirs is not None:
        ratios = sorted(a / b for a, b in pairs)
        row |= {"theirs": statistics.median(columns[1]), "theirs_min": min(columns[1]), "ratio": statistics.median(ratios),
                "low": ratios[turns // 10], "high": ratios[-1 - turns // 10],
                "ratio_of_minima": min(columns[0]) / min(columns[1])}
    return row | {"turns": turns, "calls": calls}


def _time(function, calls):
    start = time.perf_counter()
    for _ in itertools.repeat(None, calls):
        function()
    return (time.perf_counter() - start) / calls


def best(function, seconds: float = 0.3) -> float:
    """The least time of one call, over tries that take about this many seconds in all: what the code needs, undisturbed."""
    once = _time(function, 1)
    return min(_time(function, 1) for _ in range(max(3, int(seconds / max(once, 1e-7)))))


def environment() -> dict:
    """What the numbers depend on."""
    found = blas()
    return {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__,
            "minigan": mg.__version__, "blas": f"{found['library']} {found['version']}", "kernel": found["kernel"],
            "blas_threads": found["threads"], "pinned": os.environ.get("OPENBLAS_CORETYPE"),
            "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None}


def _processor():
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def describe(env: dict) -> str:
    """The environment in a line."""
    pinned = f" (pinned by OPENBLAS_CORETYPE={env['pinned']}: unset it to measure what users see)" if env["pinned"] else ""
    return (f"{env['processor']}, {env['cores']} cores, load {env['load']}; Python {env['python']}, NumPy {env['numpy']}; "
            f"{env['blas']}, kernel {env['kernel']}, {env['blas_threads']} threads{pinned}")


def markdown(rows: list[dict], columns: list[str]) -> str:
    """The rows as a Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(row.get(c, "")) for c in columns) + " |" for row in rows])


def save(name: str, rows: list[dict], columns: list[str], folder) -> None:
    """Write folder/name.json (everything) and folder/name.md (the table), if there is a folder."""
    if folder is None:
        return
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    env = environment()
    (folder / f"{name}.json").write_text(json.dumps({"environment": env, "rows": rows}, indent=2) + "\n")
    (folder / f"{name}.md").write_text(f"# {name}\n\n{describe(env)}\n\n{markdown(rows, columns)}\n")


def torch_or_none():
    """PyTorch with as many threads as we have, or None where it is not installed."""
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
        self.dtype, self.generator = np.dtype(dtype), np.random.default_rng(0)

    def normal(self, *shape):
        """Draws from the normal distribution."""
        return mg.Tensor(self.generator.standard_normal(shape, self.dtype))

    def uniform(self, *shape):
        """Draws from [0, 1)."""
        return mg.Tensor(self.generator.random(shape, self.dtype))

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
        """As a NumPy array."""
        return x.detach().numpy()


class Torch:
    """PyTorch's side of a workload: eager, its default memory order, gradients only for what is updated."""

    name = "PyTorch"

    def __init__(self, torch):
        self.torch, self.nn, self.F = torch, torch.nn, torch.nn.functional
        self.no_grad, self.grad = torch.no_grad, torch.autograd.grad
        self.softplus, self.normal, self.uniform, self.zeros = self.F.softplus, torch.randn, torch.rand, torch.zeros

    def norm(self, x, axis):
        """Euclidean length along an axis."""
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
