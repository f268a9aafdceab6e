"""How far is each kernel from the best that this machine can do?

    python benchmarks/kernels.py [--quick] [--json] [--seconds S] [--out FOLDER]

Each row has the least time of one call, its floor, and the time divided by the floor.  The floor is the longer of two times:
for the multiplications and additions at the speed of a large matrix product, and for the bytes that must be read and written
at the speed of a large copy.  Both speeds are measured in the same run.  (Arrays in the cache can be faster than the second.)
Every result is compared with the same kernel in float64.  --out also draws a roofline: speed over operations per byte.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import best, options_of, report, suit

import minigan as mg
from minigan import ops
from minigan.kernels.cpu import conv
from minigan.kernels.cpu.memory import images_first, pixels_first

BATCH = 128
LAYERS = {
    "1-64 28x28 k4 s2": (1, 64, 28, 4, 2),
    "64-128 14x14 k4 s2": (64, 128, 14, 4, 2),
    "64-64 14x14 k3 s1": (64, 64, 14, 3, 1),
}


def rows(batch):
    """Yield (name, function of arrays, arrays, operations, bytes); operations and bytes are the least that it needs."""
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
    for n, m, k in ((256, 256, 256), (128, 784, 256), (6272, 1024, 128)):
        yield f"gemm {n}x{m}x{k}", np.matmul, (draw(n, m), draw(m, k)), 2 * n * m * k, 4 * (n * m + m * k + n * k)
    suit(convolutions=True)  # from here on the same threads as in a session that trains convolutions
    for name, (c, o, size, k, s) in LAYERS.items():
        out = (size + 2 - k) // s + 1
        x, u, w = pixels_first(draw(batch, c, size, size)), pixels_first(draw(batch, o, out, out)), draw(o, c, k, k)
        how, work, data = ((s, s), (1, 1), (1, 1), 1), 2 * batch * out * out * o * c * k * k, x.nbytes + u.nbytes + w.nbytes
        yield f"conv {name}", lambda x, w, how=how, out=out: conv.conv2d(x, w, (out, out), *how), (x, w), work, data
        yield (
            f"conv {name}, adjoint",
            lambda u, w, how=how, n=size: conv.conv2d_adjoint(u, w, (n, n), *how),
            (u, w),
            work,
            data,
        )
        yield f"conv {name}, weight", lambda x, u, how=how, k=k: conv.conv2d_weight(x, u, (k, k), *how), (x, u), work, data
    x, g = pixels_first(draw(batch, 64, 14, 14)), pixels_first(draw(batch, 64, 14, 14))
    n = x.size
    for name, function, per in (("tanh", ops.tanh, 10), ("sigmoid", ops.sigmoid, 12), ("softplus", ops.softplus, 20)):
        yield name, function, (x,), per * n, 8 * n
    yield "add", ops.add, (x, g), n, 12 * n
    yield "leaky_relu", lambda x: ops.leaky_relu(x, 0.2), (x,), 2 * n, 8 * n
    yield "leaky_relu, gradient", gradient(lambda x: ops.leaky_relu(x, 0.2)), (x, g), 3 * n, 20 * n
    yield "sum of all", ops.sum, (x,), n, 4 * n
    yield "sum over the batch", lambda a: ops.sum(a, 0), (draw(batch, 6272),), batch * 6272, 4 * batch * 6272
    one = np.ones(64, np.float32)
    norm = lambda x: ops.batch_norm(x, weight=one.astype(x.dtype), bias=one.astype(x.dtype), training=True)
    yield "batch_norm", norm, (x,), 7 * n, 12 * n
    yield "batch_norm, gradient", gradient(norm), (x, g), 15 * n, 28 * n
    yield "flatten pixels first", images_first, (x,), 0, 8 * n
    w, g = draw(500_000), draw(500_000)
    yield "Adam", adam, (w, g), 12 * w.size, 28 * w.size


def gradient(function):
    """A function that also runs the backward pass: (x, g) -> the gradient of x."""

    def both(x, g):
        x = mg.Tensor(x).requires_grad_()
        return mg.grad(function(x), x, mg.Tensor(g))[0].data

    return both


_optimizers = {}  # one for each dtype, made before the timed calls, so that only the step is timed


def adam(w, g):
    """A step of Adam on one vector."""
    if w.dtype not in _optimizers:
        p = mg.nn.Parameter(w.copy())
        _optimizers[w.dtype] = p, mg.optim.Adam([p])
    p, optimizer = _optimizers[w.dtype]
    optimizer.step([g])
    return p.data


def overhead():
    """The engine's own seconds for one op, forward and backward: y = y c on 4 numbers, minus the time of NumPy's products."""
    x, a = mg.ones(4, requires_grad=True), np.ones(4, np.float32)

    def ours():
        y = x
        for _ in range(200):
            y = y * 0.9999
        mg.grad(y, x, mg.ones(4))

    def bare():
        y = a
        for _ in range(400):
            y = y * 0.9999

    return (best(ours) - best(bare)) / 200


def roofline(found, flops, bandwidth, path):
    """Draw operations per second over operations per byte, under the two roofs."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5))
    x = np.logspace(-1.5, 2.5, 100)
    axes.loglog(x, np.minimum(flops, x * bandwidth) / 1e9, color="black", linewidth=1)
    for row in found:
        if row["operations"]:
            at, speed = row["operations"] / row["bytes"], row["operations"] / row["seconds"] / 1e9
            axes.plot(at, speed, "o")
            axes.annotate(row["name"], (at, speed), fontsize=6, xytext=(3, 3), textcoords="offset points")
    axes.set(xlabel="operations per byte", ylabel="GFLOP/s", title="kernels under this machine's roofs")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments=None):
    options = options_of(__doc__, arguments, seconds=0.3)
    seconds, batch = (0, 4) if options.quick else (options.seconds, BATCH)
    big = np.ones((64, 64) if options.quick else (2048, 2048), np.float32)
    flops = 2 * big.shape[0] ** 3 / best(lambda: big @ big, seconds)
    source = np.ones(1000 if options.quick else 2**24, np.float32)
    target = np.ones_like(source)
    bandwidth = 2 * source.nbytes / best(lambda: np.copyto(target, source), seconds)
    found = []
    for name, function, arrays, operations, size in rows(batch):
        exact = np.asarray(function(*(a.astype(np.float64, order="K") for a in arrays)))
        off = float(abs(np.asarray(function(*arrays)) - exact).max() / max(abs(exact).max(), 1e-30))
        assert off < 1e-4, f"{name}: off by {off} from float64, so its time would mean nothing"
        taken, floor = best(lambda f=function, a=arrays: f(*a), seconds), max(operations / flops, size / bandwidth)
        found.append(
            {
                "name": name,
                "ms": round(1e3 * taken, 3),
                "floor ms": round(1e3 * floor, 3),
                "floors": round(taken / floor, 1),
                "GFLOP/s": round(operations / taken / 1e9, 1),
                "GB/s": round(size / taken / 1e9, 1),
                "error": f"{off:.0e}",
                "seconds": taken,
                "operations": operations,
                "bytes": size,
            }
        )
    if not options.quick:
        found.append({"name": "engine, one op there and back", "ms": round(1e3 * overhead(), 5)})
    roofs = f"roofs: {flops / 1e9:.0f} GFLOP/s, {bandwidth / 1e9:.0f} GB/s; batch {batch}"
    report("kernels", found, ["name", "ms", "floor ms", "floors", "GFLOP/s", "GB/s", "error"], options, roofs)
    if options.out:
        roofline([r for r in found if "bytes" in r], flops, bandwidth, Path(options.out) / "roofline.png")


if __name__ == "__main__":
    main()
