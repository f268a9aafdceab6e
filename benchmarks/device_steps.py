"""Training steps as cases of devices.py: op by op, and on a GPU also recorded as a CUDA graph and launched as a whole.

Steps               a training step of steps.py at one batch size, compared with the same step in float64
graph_of_minigan, graph_of_torch        record the step        MULTIPLICATIONS        of one step, per sample
"""

import contextlib
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from device_cases import TOLERANCE, Case
from device_sides import Ours, Theirs
from harness import Minigan
from steps import STEPS, Training, error, samples

# Rounding can change the sign of a number near the kink of a ReLU, and then a whole gradient changes.  A DCGAN has hundreds of
# thousands of activations, so this always happens to some, in float32 as in TF32.
KINKS = {"dcgan": 2e-2}
# With TF32 it happens to thousands.  So for training steps the loss must be within TF32_TOLERANCE, and the length of the whole
# gradient's error within this share of the gradient's length.  With products rounded as in TF32, on a CPU, that share was up to
# 0.10 at batch 2 (DCGAN), 0.02 at batch 128, and 0.005 without convolutions.
TF32_GRADIENTS = 0.2
WARM_UP = 3  # steps before the capture, in which kernels are compiled, handles are made and optimizers get their state


def _multiplications():
    """For each workload, the multiplications of its matrix products in one step, per sample.

    A layer needs the same number for its output, for the gradient of its weights, and for the gradient of its input.  The first
    layer needs the last only if the gradient of the net's input is asked for.
    """
    g, d = (100 * 128, 128 * 256, 256 * 784), (784 * 256, 256 * 128, 128)
    G = (100 * 6272, 49 * 1024 * 128, 196 * 16 * 64)
    D = (196 * 16 * 64, 49 * 1024 * 128, 6272)
    v = (784 * 400, 2 * 400 * 20, 20 * 400, 400 * 784)
    two = lambda g, d: (sum(g) + 2 * (3 * sum(d) - d[0])) + (2 * sum(d) + 3 * sum(g) - g[0])
    # G once; the critic forward on real, fake and mixed samples; the slope; its derivative, which takes twice as much; the
    # gradients of the other two.
    critic = sum(g) + 3 * sum(d) + sum(d) + (2 * sum(d) - d[-1]) + 2 * (2 * sum(d) - d[0])
    return {
        "mlp-gan": two(g, d),
        "vae": 3 * sum(v) - v[0],
        "wgan-gp-critic": critic,
        "toy-gan": two((2 * 64, 64 * 64, 64 * 2), (2 * 64, 64 * 64, 64)),
        "dcgan": two(G, D),
    }


MULTIPLICATIONS = _multiplications()


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
        """eager: Python starts op by op; captured, on a GPU: one launch starts the whole step."""
        return ("eager", "captured") if side.is_card else ("eager",)

    def build(self, side, mode):
        """See Case; send sends the batch."""
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
        """The largest error in the first step, see steps.py; with TF32 the largest error of a loss.

        Captured: the largest difference from the weights of five eager steps, relative to the largest change of a weight; the
        five steps are three before the capture and two launches.  For PyTorch it only checks that the weights are finite.
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
    """(the error of the loss, the error of the gradients relative to their length) of one player's turn."""
    length = lambda arrays: math.sqrt(sum(float((a * a).sum()) for a in arrays))
    off = length([a - b for a, b in zip(turn[1:], true[1:])]) / max(length(true[1:]), 1e-30)
    return float(abs(turn[0] - true[0]) / max(1, abs(true[0]))), off


def graph_of_minigan(side, training, static):
    """A function that launches a CUDA graph of the training step on the batch `static`; see minigan/runs/capture.py."""
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
                with contextlib.suppress(Exception):  # it fails because the recording is broken; the row reports the cause
                    stream.end_capture()
                raise
            graph = stream.end_capture()
    stream.synchronize()
    return lambda keep=pool: graph.launch()  # keeps the pool alive, because the graph works in its memory


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
