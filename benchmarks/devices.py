"""From which size on does a GPU need less time than the CPU, and how far are both from what they could do?

    python benchmarks/devices.py [NAME ...] [--device cpu|cuda|both] [--quick] [--json] [--seconds S] [--out FOLDER]

Each device first shows its ceilings: bytes moved by large copies and additions, operations done by large products.  Then
every row runs at several sizes, on fresh numbers, more of them than the cache holds where that matters.  The result is held
against the same text in float64 on the CPU, within 1e-4 of the largest value, with TF32 within 1e-3.  A time below what the
ceilings allow fails the run: then the clock is wrong, not the kernel fast.   docs/gpu.md tells what each column means.

clocks.py measures, crossings.py draws, steps.py has the training steps.  Every library, on every device, works in a process of
its own, a new one for each group of rows: what one leaves behind (threads, their number, memory) does not change the next.
"""

import contextlib
import importlib.util
import json
import math
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent))
from clocks import CupyClock, HostClock, TorchClock, card_ceilings, host_cache, host_ceilings, measure, single, transfer_rates
from crossings import crossing, curves, roofline
from harness import Minigan, Torch, describe, environment, markdown, options_of, publish
from steps import STEPS, Training, error, samples

import minigan as mg
from minigan import ops
from minigan.backend import check_device, to_device, xp
from minigan.errors import DeviceError
from minigan.kernels.cpu.memory import pixels_first
from minigan.streams import Streams

SIDES = ("minigan", "cpu"), ("minigan", "cuda"), ("PyTorch", "cpu"), ("PyTorch", "cuda")
TOLERANCE, TF32_TOLERANCE = 1e-4, 1e-3  # of a result, relative to its largest number
# Rounding flips an activation that sits at the kink of a ReLU, and with it a whole gradient: of hundreds of thousands in a
# DCGAN there are always some, in float32 as in TF32.
KINKS = {"dcgan": 2e-2}
# TF32 flips thousands, so for training steps it is the loss that must be within TF32_TOLERANCE, and of the gradients the length
# of the whole difference: with products rounded like TF32's on a CPU that was up to 0.10 of their length at batch 2 (DCGAN),
# 0.02 at batch 128, 0.005 without convolutions.
TF32_GRADIENTS = 0.2
MARGIN = 1.05  # how far a rate may lie above its ceiling: both are measured
MOST_SETS, MOST_BYTES = 16, 2**30  # of input numbers that take turns

# ------------------------------------------------------------------------------------------------------------ sides --- #


class Ours(Minigan):
    """minigan on a device."""

    def __init__(self, device, dtype=np.float32):
        super().__init__(dtype)
        self.device, self.streams = device, Streams(0)
        self.generator = self.streams.on(device)("noise")

    def tensor(self, array, requires_grad=False):
        """A Tensor there with the values of a NumPy array."""
        return mg.Tensor(to_device(array, self.device)).requires_grad_(requires_grad)

    def load(self, net, weights):
        """Give a net these weights, and take it there."""
        return super().load(net, weights).to(self.device)

    def array(self, x):
        """As a NumPy array."""
        return to_device(x.detach().data, "cpu")


class Theirs(Torch):
    """PyTorch on a device.   captured: with an optimizer that a CUDA graph can hold."""

    def __init__(self, torch, device, captured=False):
        super().__init__(torch)
        self.device, self.captured = device, captured
        self.normal, self.uniform, self.zeros = (partial(f, device=device) for f in (torch.randn, torch.rand, torch.zeros))

    def tensor(self, array, requires_grad=False):
        """A tensor there with the values of a NumPy array."""
        return self.torch.tensor(array, device=self.device, requires_grad=requires_grad)

    def adam(self, parameters):
        """Adam with the rates of the DCGAN paper."""
        return self.torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999), capturable=self.captured)

    def load(self, net, weights):
        """Give a net these weights, and take it there."""
        return super().load(net, weights).to(self.device)

    def array(self, x):
        """As a NumPy array."""
        return x.detach().cpu().numpy()


class Side:
    """A library on a device: its clock, its arrays, its settings."""

    def __init__(self, library, device, threads):
        self.library, self.device = library, device
        self.is_card, self.is_ours, self.tf32 = device != "cpu", library == "minigan", False
        if not self.is_ours:
            import torch

            torch.set_num_threads(threads)
            self.torch = torch
        if not self.is_card:
            self.clock, self.cache = HostClock(), host_cache()
        elif self.is_ours:
            self.cupy = xp(to_device(np.ones(1, np.float32), "cuda"))
            self.clock, self.cache = CupyClock(), card()["cache"]
        else:
            self.clock = TorchClock(self.torch)
            self.cache = getattr(self.torch.cuda.get_device_properties(0), "L2_cache_size", 2**26)

    def put(self, array, is_image=False):
        """The NumPy array there; images in the memory order that the library's own layers hand on."""
        if not self.is_ours:
            return self.torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
        if not is_image:
            return to_device(array, self.device)
        if not self.is_card:
            return pixels_first(array)
        array = to_device(array, self.device)
        return xp(array).ascontiguousarray(array.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)

    def get(self, results) -> list:
        """Results as NumPy arrays."""
        results = results if isinstance(results, (list, tuple)) else [results]
        if self.is_ours:  # NumPy's sum of all is a number, not an array
            return [np.asarray(a) if isinstance(a, np.generic) else to_device(a, "cpu") for a in results]
        return [a.detach().cpu().numpy() for a in results]

    def use_tf32(self, allowed):
        """Let products round their float32 operands to ten bits of mantissa, or not."""
        self.tf32 = allowed
        if not self.is_card:
            return
        if self.is_ours:
            mg.cuda.allow_tf32(allowed)
        else:
            for setting in (self.torch.backends.cuda.matmul, self.torch.backends.cudnn.conv):
                setting.fp32_precision = "tf32" if allowed else "ieee"

    def product(self, n):
        """A function that multiplies two matrices of n x n."""
        draw = np.random.default_rng(0).standard_normal
        a, b = (self.put(draw((n, n), np.float32)) for _ in range(2))
        return (lambda: ops.matmul(a, b)) if self.is_ours else (lambda: a @ b)

    def ceilings(self, threads, seconds, quick) -> dict:
        """What it can do at best: {"memory", "cache": bytes per second, "product", "product, TF32": operations per second}."""
        if not self.is_card:
            return host_ceilings(threads, self.product, seconds, quick)
        found = {}
        for allowed in (True, False):
            self.use_tf32(allowed)
            found |= {"product, TF32": found.get("product")}
            lib = self.cupy if self.is_ours else self.torch
            found |= card_ceilings(lib, self.clock, self.product, self.cache, seconds, quick)
        if self.is_ours:
            found |= transfer_rates(self.cupy, 2**12 if quick else 2**27, seconds)
        return found


def card() -> dict:
    """The card that CuPy sees, and its versions."""
    cupy = xp(to_device(np.ones(1, np.float32), "cuda"))
    runtime, device = cupy.cuda.runtime, cupy.cuda.Device()
    known = runtime.getDeviceProperties(device.id)
    driver = Path("/proc/driver/nvidia/version")
    # The stand-in of the tests computes with NumPy: whoever reads its times must see that they are no card's.
    stand_in = hasattr(cupy, "_fake")
    return {"name": known["name"].decode(), "is_stand_in": stand_in, "capability": str(device.compute_capability),
            "multiprocessors": known["multiProcessorCount"], "memory": known["totalGlobalMem"],
            "cache": known.get("l2CacheSize", 2**26), "cupy": cupy.__version__, "cuda_runtime": runtime.runtimeGetVersion(),
            "cuda_driver": runtime.driverGetVersion(),
            "driver": driver.read_text().splitlines()[0] if driver.exists() and not stand_in else None,
            "tf32_override": os.environ.get("NVIDIA_TF32_OVERRIDE")}


# ------------------------------------------------------------------------------------------------------------- rows --- #


@dataclass
class Case:
    """A row at one size: a function of arrays, and what it needs at least.

    draw(generator): the arrays.   ours(put): our function of them; put(array) places what it keeps.   theirs(torch, put):
    PyTorch's.   products: with matrix products, which TF32 changes.   images: which arrays are images.   per: one call does
    so many times what the row tells.   calls: so many are made before the result is checked.   kept: bytes that every call
    uses again.
    """

    group: str
    row: str
    size: int
    draw: Callable
    ours: Callable
    theirs: Callable
    operations: float
    bytes: float
    products: bool = False
    images: tuple = ()
    per: int = 1
    calls: int = 1
    kept: int = 0

    tolerance = TOLERANCE

    def prepare(self, side: Side, quick: bool) -> None:
        """Draw the arrays and compute the truth."""
        generator = np.random.default_rng(0)
        self.host = [self.draw(generator)]
        size = sum(a.nbytes for a in self.host[0])
        sets = 2 if quick else max(self.calls, min(MOST_SETS, -(-2 * side.cache // size), MOST_BYTES // size))
        self.host += [self.draw(generator) for _ in range(sets - 1)]
        # Parts of what takes turns may still be in the cache, unless it is twice as large; so may what is kept all the time.
        self.is_cold = sets * size >= 2 * side.cache and not 0 < self.kept < 2 * side.cache
        self.there = [[side.put(a, i in self.images) for i, a in enumerate(arrays)] for arrays in self.host]
        exact = self.ours(lambda a: a.astype(np.float64))
        for i in range(self.calls):
            truth = exact(*(pixels_first(a.astype(np.float64)) if k in self.images else a.astype(np.float64)
                            for k, a in enumerate(self.host[i % sets])))
        self.truth = [np.array(a) for a in (truth if isinstance(truth, list) else [truth])]

    def modes(self, side) -> tuple:
        """The ways to run it there."""
        return ("eager",)

    def build(self, side, mode):
        """(call, send): call(i) uses arrays that are there, send(i) sends them first and fetches the result."""
        function = self.ours(side.put) if side.is_ours else self.theirs(side.torch, side.put)

        def send(i):
            arrays = self.host[i % len(self.host)]
            return side.get(function(*(side.put(a, k in self.images) for k, a in enumerate(arrays))))

        results = [None] * len(self.there)  # kept, so that they take turns in memory too

        def call(i):
            k = i % len(results)
            results[k] = function(*self.there[k])
            return results[k]

        return call, send

    def check(self, side, mode, call) -> float:
        """The largest difference of a result from the truth, relative to the largest number of it, when call(0) has been made.

        The result is that of another call(0), or of the last of several.
        """
        for i in range(min(1, self.calls - 1), self.calls):
            results = call(i)
        found = side.get(results)
        assert len(found) == len(self.truth), f"{len(found)} results, not {len(self.truth)}"
        return max(float(abs(a - b).max() / max(abs(b).max(), 1e-30)) for a, b in zip(found, self.truth))


class Steps(Case):
    """A training step of steps.py, at one batch size."""

    def __init__(self, name, batch):
        self.group, self.row, self.size, self.products, self.per, self.calls = "steps", name, batch, True, 1, 1
        self.operations = 2.0 * batch * MULTIPLICATIONS[name]
        self.bytes, self.is_cold = 4 * samples(name, batch).size, False
        self.tolerance = KINKS.get(name, TOLERANCE)

    def prepare(self, side, quick):
        """The loss and gradients of the first step, in float64."""
        function, plain = STEPS[self.row][0], Minigan()
        start = Training(plain, function)
        self.weights, x = start.weights, samples(self.row, self.size)
        self.noise = [[getattr(plain, kind)(self.size, n).numpy() for kind, n in turn.noise] for turn in start.turns]
        exact = Training(Minigan(np.float64), function, self.weights)
        self.truth = exact.first(x.astype(np.float64), [[a.astype(np.float64) for a in drawn] for drawn in self.noise])
        self.host = [x, *(np.random.default_rng(i).random(x.shape, dtype=np.float32) for i in (1, 2, 3))]

    def training(self, side, captured=False):
        """The nets on this side, from the same weights."""
        lib = Ours(side.device) if side.is_ours else Theirs(side.torch, side.device, captured)
        return Training(lib, STEPS[self.row][0], self.weights)

    def modes(self, side):
        """A step as Python tells the card op by op, and, on a card, launched as a whole."""
        return ("eager", "captured") if side.is_card else ("eager",)

    def build(self, side, mode):
        """See Case; what is sent is the batch."""
        training = self.training(side, captured=mode == "captured")
        there = [training.lib.tensor(x) for x in self.host]
        if mode == "eager":
            return lambda i: training.step(there[i % 4]), lambda i: training.step(training.lib.tensor(self.host[i % 4]))
        self.recorded, static = training, training.lib.tensor(self.host[0])
        replay = (graph_of_minigan if side.is_ours else graph_of_torch)(side, training, static)

        def call(i):
            static.data[...] = there[i % 4].data
            replay()

        def send(i):
            static.data[...] = training.lib.tensor(self.host[i % 4]).data
            replay()

        return call, send

    def check(self, side, mode, call):
        """The largest difference in the first step, see steps.py; with TF32 that of a loss.

        Captured: that of the weights after five steps, three before the capture and two launches, from those of eager steps,
        relative to the largest change; of PyTorch's, that they are numbers.
        """
        training = self.training(side)
        if mode == "captured":
            call(0)
            weights = [training.lib.array(p) for parameters in self.recorded.parameters for p in parameters]
            if not side.is_ours:
                return 0.0 if all(np.isfinite(w).all() for w in weights) else math.nan
            start = [training.lib.array(p).copy() for parameters in training.parameters for p in parameters]
            for _ in range(WARM_UP + 2):
                training.step(training.lib.tensor(self.host[0]))
            eager = [training.lib.array(p) for parameters in training.parameters for p in parameters]
            change = max(float(abs(b - c).max()) for b, c in zip(eager, start))
            return max(float(abs(a - b).max()) for a, b in zip(weights, eager)) / change
        found = training.first(self.host[0], self.noise)
        if not side.tf32:
            return error(found, self.truth)
        losses, gradients = zip(*(_tf32_errors(turn, true) for turn, true in zip(found, self.truth)))
        assert max(gradients) <= TF32_GRADIENTS, f"gradients differ by {max(gradients):.1e} of their length with TF32"
        return max(losses)


def _tf32_errors(turn, true):
    """(of the loss, of the gradients by their length) of one player's turn."""
    length = lambda arrays: math.sqrt(sum(float((a * a).sum()) for a in arrays))
    off = length([a - b for a, b in zip(turn[1:], true[1:])]) / max(length(true[1:]), 1e-30)
    return float(abs(turn[0] - true[0]) / max(1, abs(true[0]))), off


WARM_UP = 3  # steps before the capture: kernels are compiled, handles made, optimizers get their state


def graph_of_minigan(side, training, static):
    """A function that takes the training step on the batch `static` again, by a CUDA graph; see minigan/train/capture.py."""
    cuda = side.cupy.cuda
    stream, pool, streams = cuda.Stream(non_blocking=True), cuda.MemoryPool(), training.lib.streams
    stream.wait_event(cuda.get_current_stream().record())
    with stream:
        for _ in range(WARM_UP):
            training.step(static)
        for adam in training.adams:
            adam.count_on_card()
        streams.advance()
        with cuda.using_allocator(pool.malloc):
            stream.begin_capture()
            try:
                training.step(static)
                streams.advance()
            except BaseException:
                with contextlib.suppress(Exception):  # that the recording is broken; the row tells by what
                    stream.end_capture()
                raise
            graph = stream.end_capture()
    stream.synchronize()
    return lambda keep=pool: graph.launch()  # the graph works in memory of that pool


def graph_of_torch(side, training, static):
    """The same with PyTorch."""
    cuda = side.torch.cuda
    stream = cuda.Stream()
    stream.wait_stream(cuda.current_stream())
    with cuda.stream(stream):
        for _ in range(WARM_UP):
            training.step(static)
    cuda.current_stream().wait_stream(stream)
    graph = cuda.CUDAGraph()
    with cuda.graph(graph):
        training.step(static)
    return graph.replay


def arrays(*shapes):
    """A function that draws float32 arrays of these shapes."""
    return lambda generator: [generator.standard_normal(shape, dtype=np.float32) for shape in shapes]


def products(quick):
    """Matrix products: square ones, and those of the DCGAN's layers."""
    def case(row, size, m, n, k):
        return Case("gemm", row, size, arrays((m, k), (k, n)), lambda put: ops.matmul, lambda torch, put: torch.matmul,
                    2 * m * n * k, 4 * (m * k + k * n + m * n), products=True)

    for n in (8, 16) if quick else (32, 64, 128, 256, 512, 1024, 2048, 4096):
        yield case("gemm n x n x n", n, n, n, n)
    for row, pixels, n, k in (("G dense", 1, 6272, 100), ("G 128-64", 49, 1024, 128), ("G 64-1", 196, 16, 64),
                              ("D 1-64", 196, 64, 16), ("D 64-128", 49, 128, 1024), ("D dense", 1, 1, 6272)):
        for batch in (1, 2) if quick else (1, 16, 128, 1024):
            yield case(f"gemm of {row}: {pixels} N x {n} x {k}", batch, pixels * batch, n, k)


OUR_CONVOLUTIONS = {"forward": lambda x, w: ops.conv2d(x, w, None, 2, 1),
                    "adjoint": lambda u, w: ops.conv_transpose2d(u, w, None, 2, 1),
                    "weight": lambda x, u: ops.conv._weight(x, u, (4, 4), (2, 2), (1, 1), (1, 1), 1)}


def torch_convolution(kind, shape, torch, put):
    """PyTorch's function of that kind, for a weight of this shape."""
    F = torch.nn.functional
    return {"forward": lambda x, w: F.conv2d(x, w, None, 2, 1), "adjoint": lambda u, w: F.conv_transpose2d(u, w, None, 2, 1),
            "weight": lambda x, u: torch.nn.grad.conv2d_weight(x, shape, u, 2, 1)}[kind]


def convolutions(quick):
    """The DCGAN's convolutions of kernel 4, stride 2, padding 1: forward, adjoint in x, gradient of the weight."""
    for c, o, size in ((2, 3, 6),) if quick else ((1, 64, 28), (64, 128, 14)):
        half = size // 2
        for kind, ours in OUR_CONVOLUTIONS.items():
            for n in (1, 2) if quick else (1, 16, 128, 1024, 4096):
                x, u, w = (n, c, size, size), (n, o, half, half), (o, c, 4, 4)
                yield Case("conv", f"conv {c}-{o} {size}-{half}, {kind}", n,
                           arrays(*{"forward": (x, w), "adjoint": (u, w), "weight": (x, u)}[kind]), lambda put, f=ours: f,
                           partial(torch_convolution, kind, w), 2 * math.prod(u) * c * 16,
                           4 * (math.prod(x) + math.prod(u) + math.prod(w)), products=True,
                           images=(0, 1) if kind == "weight" else (0,))


def elementwise(quick):
    """One op, three that go one after the other, and two that are one kernel on a card."""
    for n in (16, 64) if quick else [2**k for k in range(4, 27, 2)]:
        yield Case("elementwise", "add", n, arrays(n, n), lambda put: ops.add, lambda torch, put: torch.add, n, 12 * n)
        yield Case("elementwise", "tanh(x y + z), three ops", n, arrays(n, n, n),
                   lambda put: lambda x, y, z: ops.tanh(x * y + z),
                   lambda torch, put: lambda x, y, z: torch.tanh(x * y + z), 12 * n, 16 * n)
        yield Case("elementwise", "leaky_relu", n, arrays(n), lambda put: lambda x: ops.leaky_relu(x, 0.2),
                   lambda torch, put: lambda x: torch.nn.functional.leaky_relu(x, 0.2), 2 * n, 8 * n)
        yield Case("elementwise", "softplus", n, arrays(n), lambda put: ops.softplus,
                   lambda torch, put: torch.nn.functional.softplus, 10 * n, 8 * n)


def reductions(quick):
    """Sums of all numbers, and over the batch."""
    for n in (16, 64) if quick else [2**k for k in range(4, 27, 2)]:
        yield Case("reduction", "sum of all", n, arrays(n), lambda put: ops.sum, lambda torch, put: torch.sum, n, 4 * n)
    for n in (2, 4) if quick else (1, 16, 128, 1024, 4096):
        yield Case("reduction", "sum over the batch, N x 6272", n, arrays((n, 6272)), lambda put: lambda x: ops.sum(x, 0),
                   lambda torch, put: lambda x: x.sum(0), n * 6272, 4 * (n + 1) * 6272)


def norms(quick):
    """Batch norm of N x 64 x 14 x 14, forward and backward: y, dx, dweight, dbias."""
    def ours(x, g, w, b):
        x, w, b = (mg.Tensor(a).requires_grad_() for a in (x, w, b))
        y = ops.batch_norm(x, weight=w, bias=b, training=True)
        return [y.data, *(h.data for h in mg.grad(y, (x, w, b), mg.Tensor(g)))]

    def theirs(torch, x, g, w, b):
        x, w, b = (a.detach().requires_grad_() for a in (x, w, b))
        y = torch.nn.functional.batch_norm(x, None, None, w, b, training=True)
        return [y, *torch.autograd.grad(y, (x, w, b), g)]

    for n in (2, 3) if quick else (1, 16, 128, 1024, 4096):
        shape = (n, 3, 2, 2) if quick else (n, 64, 14, 14)
        count = math.prod(shape)
        yield Case("norm", "batch norm, there and back", n, arrays(shape, shape, shape[1], shape[1]), lambda put: ours,
                   lambda torch, put: partial(theirs, torch), 22 * count, 16 * count, images=(0, 1))


def adams(quick):
    """Adam's step on one flat vector.  Three are taken from weights of zero before the check, so that steps are all it sees."""
    def ours(put, n):
        p = mg.nn.Parameter(put(np.zeros(n, np.float32)))
        adam = mg.optim.Adam([p])
        return lambda g: (adam.step([g]), p.data)[1]

    def theirs(torch, put, n):
        p = torch.nn.Parameter(put(np.zeros(n, np.float32)))
        adam = torch.optim.Adam([p])

        def step(g):
            p.grad = g
            adam.step()
            return p

        return step

    for n in (16, 64) if quick else [2**k for k in range(6, 25, 3)]:
        yield Case("adam", "Adam", n, arrays(n), lambda put, n=n: ours(put, n), lambda torch, put, n=n: theirs(torch, put, n),
                   12 * n, 28 * n, calls=3, kept=12 * n)


def overheads(quick):
    """What a call costs when there is nothing to compute: these rows tell which sizes a device can't be fast at."""
    chain, factor = 200, 0.9999

    def recorded(x, g):
        x = y = mg.Tensor(x).requires_grad_()
        for _ in range(chain):
            y = y * factor
        return mg.grad(y, x, mg.Tensor(g))[0].data

    def theirs(torch, x, g):
        x = y = x.detach().requires_grad_()
        for _ in range(chain):
            y = y * factor
        return torch.autograd.grad(y, x, g)[0]

    yield Case("overhead", "an array op", 1, arrays(1), lambda put: lambda x: x * factor,
               lambda torch, put: lambda x: x * factor, 1, 8)
    yield Case("overhead", "a recorded op, there and back", 1, arrays(1, 1), lambda put: recorded,
               lambda torch, put: partial(theirs, torch), 2, 16, per=chain)
    yield Case("overhead", "a product of 16 x 16", 1, arrays((16, 16), (16, 16)), lambda put: ops.matmul,
               lambda torch, put: torch.matmul, 2 * 16**3, 4 * 3 * 256, products=True)


def training_steps(quick):
    """Whole training steps, from batches that fill no device to those that fill all."""
    for name in STEPS:
        for batch in (2, 4) if quick else (4, 32, 128, 1024, 4096):
            yield Steps(name, batch)


GROUPS = {"overhead": overheads, "gemm": products, "conv": convolutions, "elementwise": elementwise, "reduction": reductions,
          "norm": norms, "adam": adams, "steps": training_steps}


def _multiplications():
    """For each workload the multiplications of its matrix products in one step, for one sample.

    forward, the gradient of the weights, and that of the input (not the first layer's, unless somebody asks) take the same.
    """
    g, d = (100 * 128, 128 * 256, 256 * 784), (784 * 256, 256 * 128, 128)
    G = (100 * 6272, 49 * 1024 * 128, 196 * 16 * 64)
    D = (196 * 16 * 64, 49 * 1024 * 128, 6272)
    v = (784 * 400, 2 * 400 * 20, 20 * 400, 400 * 784)
    two = lambda g, d: (sum(g) + 2 * (3 * sum(d) - d[0])) + (2 * sum(d) + 3 * sum(g) - g[0])
    # The critic sees real, fake and between: three forward; the slope; its derivative, twice that; then the other two's.
    critic = sum(g) + 3 * sum(d) + sum(d) + (2 * sum(d) - d[-1]) + 2 * (2 * sum(d) - d[0])
    return {"mlp-gan": two(g, d), "vae": 3 * sum(v) - v[0], "wgan-gp-critic": critic,
            "toy-gan": two((2 * 64, 64 * 64, 64 * 2), (2 * 64, 64 * 64, 64)), "dcgan": two(G, D)}


MULTIPLICATIONS = _multiplications()

# -------------------------------------------------------------------------------------------------------- measuring --- #


def run_side(library, device, threads, name, quick, seconds) -> dict:
    """A group of rows of one library on one device: {"rows", "failures", "card", "version"}.

    A row that is wrong or breaks is a failure, has no times, and the others go on: time on a card is dear.
    """
    side = Side(library, device, threads)
    found = {"library": library, "device": device, "rows": [], "failures": [],
             "card": card() if side.is_ours and side.is_card else None,
             "version": None if side.is_ours else side.torch.__version__}
    if name == "conv" and side.is_ours and not side.is_card:
        mg.nn.Conv2d(1, 1, 1)  # a net with a convolution shares them among threads; see kernels/threads.py
    for case in GROUPS[name](quick):
        if sys.stderr.isatty():
            print(f"\r{library} {device}: {case.row} {case.size:<30}", end="\r", file=sys.stderr, flush=True)
        told = f"{library} on {device}: {case.row} {case.size}"
        try:
            case.prepare(side, quick)
        except Exception as problem:  # a failure of this row; the others go on
            found["failures"].append(f"{told}: {type(problem).__name__}: {problem}")
            continue
        if not side.is_ours:
            side.torch.set_num_threads(threads)  # our nets, which told what is true, may have changed the number of BLAS's
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
    # Not "off > tolerance": that would let NaN pass.
    assert off <= tolerance, f"off by {off:.1e} from float64, more than {tolerance}{' with TF32' if tf32 else ''}"
    times = measure(call, side.clock, seconds, quick)
    times["with_transfers"] = measure(send, HostClock(), seconds / 2, quick)["latency"] if side.is_card else None
    for key in ("latency", "burst", "low", "high", "enqueue", "with_transfers"):
        times[key] = times[key] and times[key] / case.per
    return {"group": case.group, "row": case.row, "size": case.size, "library": side.library, "device": side.device,
            "mode": mode, "tf32": tf32, "operations": case.operations, "bytes": case.bytes, "is_cold": bool(case.is_cold),
            "error": off, "tolerance": tolerance, "first": first, **times}


def apart(function, *arguments):
    """function(*arguments) in a process of its own: no library's threads or memory are beside another's."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def survive(start, library, device, threads, name, *how) -> dict:
    """run_side's result; of a process that was killed, no rows and a failure."""
    try:
        return start(run_side, library, device, threads, name, *how)
    except BrokenProcessPool:
        return {"library": library, "device": device, "rows": [], "card": None, "version": None, "failures": [
            f"{library} on {device}: all of {name}: its process was killed, perhaps for taking too much memory"]}


def ceilings_of(library, device, threads, quick, seconds) -> dict:
    """What this library shows the device to be able to do."""
    return Side(library, device, threads).ceilings(threads, seconds, quick)


def largest(ceilings: list[dict]) -> dict:
    """What was seen at most."""
    return {key: max(c[key] for c in ceilings if c.get(key)) for key in {k for c in ceilings for k, v in c.items() if v}}


def hold(rows: list[dict], ceilings: dict) -> list[dict]:
    """Add floor, share and bound to every row; those rows whose share of the ceiling is above 1 by more than MARGIN.

    floor: the longer of the times for the row's operations and for its bytes, at the ceilings of its device.
    """
    above = []
    for row in rows:
        known = ceilings[row["device"]]
        floors = {"product": row["operations"] / known["product, TF32" if row["tf32"] else "product"],
                  "memory": row["bytes"] / known["memory" if row["is_cold"] else "cache"]}
        if row["row"].startswith(("conv", "dcgan")) and (row["library"] == "PyTorch" or row["device"] == "cpu"):
            floors["product"] = 0.0  # these use algorithms with fewer multiplications (ours: kernels/cpu/toom_cook.py)
        bound = max(floors, key=floors.get)
        row |= {"floor": floors[bound], "bound": bound, "share": floors[bound] / row["burst"]}
        if row["share"] > MARGIN:
            above.append(row)
    return above


# -------------------------------------------------------------------------------------------------------- reporting --- #


def series(row, is_stand_in) -> str:
    """The line of the plots that a row belongs to."""
    place = "CPU" if row["device"] == "cpu" else "stand-in" if is_stand_in else "GPU"
    return ((f"PyTorch {place}" if row["library"] == "PyTorch" else place) + (", TF32" if row["tf32"] else "")
            + (", captured" if row["mode"] == "captured" else ""))


def crossings_of(rows) -> list[dict]:
    """For every row the size from which the card wins: eager, with transfers, with TF32, captured.   None: never."""
    found = []
    ours = [row for row in rows if row["library"] == "minigan"]
    for name in dict.fromkeys(row["row"] for row in ours):
        some = [row for row in ours if row["row"] == name]
        cpu = {row["size"]: row["burst"] for row in some if row["device"] == "cpu"}
        kinds = {"eager": ("burst", False, "eager"), "with transfers": ("with_transfers", False, "eager"),
                 "TF32": ("burst", True, "eager"), "captured": ("burst", False, "captured")}
        entry, known = {"row": name, "smallest": min(cpu, default=0), "largest": max(cpu, default=0)}, False
        for kind, (key, tf32, mode) in kinds.items():
            times = {row["size"]: row[key] for row in some
                     if row["device"] != "cpu" and row["tf32"] == tf32 and row["mode"] == mode and row["size"] in cpu}
            if len(times) > 1:
                known = True
                entry[kind] = crossing(list(times), [cpu[n] for n in times], list(times.values()))
        if known:
            found.append(entry)
    return found


def milliseconds(seconds) -> str:
    """As text, three digits."""
    return "" if seconds is None else f"{1e3 * seconds:.3g}"


def tables(result) -> dict:
    """Title -> Markdown table."""
    rows, stand_in = result["rows"], bool(result["card"] and result["card"]["is_stand_in"])
    there = "stand-in" if stand_in else "GPU"
    roofs = [{"device": device, "ceiling": key, "at most": f"{rate / 1e9:.4g} " + ("GFLOP/s" if "product" in key else "GB/s")}
             for device, known in result["ceilings"].items() for key, rate in sorted(known.items())]
    found = {"Ceilings": markdown(roofs, ["device", "ceiling", "at most"])}
    kinds = list(dict.fromkeys(series(row, stand_in) for row in rows))
    if len(kinds) > 1:
        lines = {}
        for row in rows:
            line = lines.setdefault((row["row"], row["size"]), {"row": row["row"], "size": row["size"]})
            line[series(row, stand_in)] = milliseconds(row["burst"])
            if row["library"] == "minigan" and row["mode"] == "eager" and not row["tf32"]:
                line["CPU s" if row["device"] == "cpu" else "GPU s"] = row["burst"]
                if row["device"] != "cpu":
                    line["with transfers"] = milliseconds(row["with_transfers"])
        for line in lines.values():
            if "CPU s" in line and "GPU s" in line:
                line[f"CPU / {there}"] = f"{line['CPU s'] / line['GPU s']:.3g}"
        extra = ["with transfers", f"CPU / {there}"] if any("with transfers" in line for line in lines.values()) else []
        found["Milliseconds of one call"] = markdown(list(lines.values()), ["row", "size", *kinds, *extra])
    if result["crossings"]:
        kinds = ("eager", "with transfers", "TF32", "captured")
        columns = ["row", "smallest", "largest", *(k for k in kinds if any(k in c for c in result["crossings"]))]
        text = lambda at, smallest: "never" if at is None else "always" if at == smallest else f"{at:.3g}"
        found[f"From which size the {there} needs less time than the CPU"] = markdown(
            [c | {k: text(c[k], c["smallest"]) for k in kinds if k in c} for c in result["crossings"]], columns)
    details = [{"row": r["row"], "size": r["size"], "on": series(r, stand_in), "first": milliseconds(r["first"]),
                "latency": milliseconds(r["latency"]), "burst": milliseconds(r["burst"]),
                "from - to": f"{milliseconds(r['low'])} - {milliseconds(r['high'])}", "enqueue": milliseconds(r["enqueue"]),
                "floor": milliseconds(r["floor"]), "share": f"{r['share']:.2f}", "bound": r["bound"],
                "GFLOP/s": f"{r['operations'] / r['burst'] / 1e9:.3g}", "GB/s": f"{r['bytes'] / r['burst'] / 1e9:.3g}",
                "error": f"{r['error']:.0e}"} for r in rows]
    found["Every row beside its ceiling (times in ms)"] = markdown(details, list(details[0]) if details else ["row"])
    return found


def heading(result) -> str:
    """Environment and remarks, in a few lines."""
    env, found = result["environment"], result["card"]
    lines = [f"{describe(env)}; commit {env['commit']}"]
    if found and found["is_stand_in"]:
        lines.append(f"NOT A GPU: a stand-in for CuPy {found['cupy']} that computes with NumPy on the CPU. Its times say "
                     "nothing about any card.")
    elif found:
        lines.append(f"{found['name']} (compute capability {found['capability']}, {found['multiprocessors']} multiprocessors, "
                     f"cache {found['cache'] / 2**20:.0f} MiB); CuPy {found['cupy']}, CUDA runtime {found['cuda_runtime']}, "
                     f"driver for CUDA {found['cuda_driver']}; {found['driver'] or 'driver version unknown'}; "
                     f"NVIDIA_TF32_OVERRIDE {found['tf32_override'] or 'not set'}")
    peers = ", ".join(f"{p['library']} {p['version']} on {p['device']}" for p in result["peers"]) or "none"
    lines.append(f"peers: {peers}; {result['threads']} threads on the CPU; TF32 off unless a column says TF32")
    if result["quick"]:
        lines.append("A quick run: tiny sizes, once each. It checks results; its times say nothing.")
    return "\n\n".join(lines)


def commit() -> str:
    """The commit of this checkout, with a + if files differ from it; "unknown" outside one."""
    git = lambda *words: subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True,
                                        check=True).stdout
    try:
        return git("rev-parse", "--short=12", "HEAD").strip() + ("+" if git("status", "--porcelain", "-uno").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def draw(result, folder):
    """The pictures."""
    stand_in = bool(result["card"] and result["card"]["is_stand_in"])
    title = ("NOT A GPU: a stand-in that computes with NumPy; its times say nothing" if stand_in else
             result["card"]["name"] + " and " + result["environment"]["processor"] if result["card"] else
             result["environment"]["processor"])
    rows = [row | {"series": series(row, stand_in)} for row in result["rows"]]
    name = "stand-in" if stand_in else "GPU"
    lines = rows + [row | {"series": f"{name}, with transfers", "burst": row["with_transfers"]} for row in rows
                    if row["series"] == name]
    lines = [row for row in lines if row["group"] != "overhead"]  # of one size only
    at = {c["row"]: c.get("eager") for c in result["crossings"]}
    for kind, some in (("kernels", [r for r in lines if r["group"] != "steps"]),
                       ("steps", [r for r in lines if r["group"] == "steps"])):
        if some:
            curves(some, at, title, folder / f"devices-{kind}.png")
    roofs = {}
    for device, known in result["ceilings"].items():
        place = "CPU" if device == "cpu" else name
        roofs[place] = known["product"], known["memory"]
        if "product, TF32" in known:
            roofs[f"{place}, TF32"] = known["product, TF32"], known["memory"]
    if rows:
        some = [r for r in rows if r["mode"] == "eager" and r["series"] in roofs and r["group"] not in ("overhead", "steps")]
        roofline(some, roofs, title, folder / "devices-roofline.png")  # of a step not all bytes are counted


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
        threadpool_limits(1)  # tiny products gain nothing from a second thread, and on a busy machine would wait for it
    threads, start = 1 if options.quick else max(1, env["blas_threads"]), (lambda f, *a: f(*a)) if options.quick else apart
    sides = [(library, device) for library, device in SIDES if device in chosen and has(library, device)]
    how = options.quick, options.seconds
    seen = [(device, start(ceilings_of, library, device, threads, *how)) for library, device in sides]
    ceilings = {device: largest([c for place, c in seen if place == device]) for device in chosen}
    found = [survive(start, *side, threads, name, *how) for name in options.names or list(GROUPS) for side in sides]
    rows, failures = ([x for f in found for x in f[key]] for key in ("rows", "failures"))
    above = hold(rows, ceilings)
    if above and not options.quick:  # perhaps something disturbed the ceilings
        for side in sides:
            ceilings[side[1]] = largest([ceilings[side[1]], start(ceilings_of, *side, threads, *how)])
        above = hold(rows, ceilings)
    if not options.quick:
        failures += [f"{r['library']} on {r['device']}: {r['row']} {r['size']}{' with TF32' if r['tf32'] else ''}: "
                     f"{milliseconds(r['burst'])} ms is less than its floor, {milliseconds(r['floor'])} ms at the ceiling of "
                     f"{r['bound']}: the clock is wrong" for r in above]
    result = {"benchmark": "devices", "environment": env, "device": options.device, "quick": options.quick,
              "threads": threads,
              "card": next((f["card"] for f in found if f["card"]), None),
              "peers": [dict(zip(("library", "device", "version"), peer)) for peer in dict.fromkeys(
                  (f["library"], f["device"], f["version"]) for f in found if f["version"])],
              "ceilings": ceilings, "rows": rows, "crossings": crossings_of(rows), "failures": failures}
    as_json = json.dumps(result, indent=2)
    as_text = heading(result) + "".join(f"\n\n## {title}\n\n{table}" for title, table in tables(result).items())
    publish("devices", as_json, as_text, options)
    if options.out:
        draw(result, Path(options.out))
    for failure in failures:
        print(f"minigan bench devices: {failure}", file=sys.stderr)
    return 1 if failures else 0


def has(library, device) -> bool:
    """Is that library here, and can it use the device?"""
    if library == "minigan":
        return True
    if importlib.util.find_spec("torch") is None:
        return False
    return device == "cpu" or _torch_has_cuda()


def _torch_has_cuda():
    import torch

    return torch.cuda.is_available()


if __name__ == "__main__":
    sys.exit(main())
