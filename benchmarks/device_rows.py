"""The rows of devices.py: GROUPS maps a group's name to a function that yields the cases of all its rows and sizes.

quick: tiny sizes, to check the results only; their times say nothing.
"""

import math
import sys
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from device_cases import Case
from device_steps import MULTIPLICATIONS, Steps

import minigan as mg
from minigan import ops


def arrays(*shapes):
    """A function that draws float32 arrays of these shapes."""
    return lambda generator: [generator.standard_normal(shape, dtype=np.float32) for shape in shapes]


# A table: one entry, one line, so the formatter leaves it alone.
# fmt: off
def products(quick):
    """Matrix products: of square matrices, and of the shapes in the DCGAN's layers."""
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
    """PyTorch's convolution of that kind, for a weight of this shape."""
    F = torch.nn.functional
    return {"forward": lambda x, w: F.conv2d(x, w, None, 2, 1), "adjoint": lambda u, w: F.conv_transpose2d(u, w, None, 2, 1),
            "weight": lambda x, u: torch.nn.grad.conv2d_weight(x, shape, u, 2, 1)}[kind]


def convolutions(quick):
    """The DCGAN's convolutions with kernel 4, stride 2, padding 1: forward, adjoint in x, gradient of the weight."""
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
    """One op, three ops in sequence, and two functions that are one kernel each on a GPU."""
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
    """Sums of all numbers, and sums over the batch."""
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
    """Adam's step on one flat vector.  The check compares weights after three steps from zero, so it sees only the steps."""
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
    """The cost of a call that computes almost nothing: at sizes that take less time than this, a device cannot be fast."""
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
    """Whole training steps, from batches too small for any device to batches that keep every device busy."""
    for name in MULTIPLICATIONS:
        for batch in (2, 4) if quick else (4, 32, 128, 1024, 4096):
            yield Steps(name, batch)


GROUPS = {"overhead": overheads, "gemm": products, "conv": convolutions, "elementwise": elementwise, "reduction": reductions,
          "norm": norms, "adam": adams, "steps": training_steps}
