"""How does the cost of a step grow with graph length, batch size, channels and depth?  Is it linear where it should be?

    python benchmarks/graph.py [--quick] [--json] [--seconds S] [--out FOLDER]

graph length: y = y * 0.9999 on 4 numbers, forward and backward, which measures the engine's own time.  batch, depth: an MLP of
256 units, forward, backward and Adam.  channels: a 3x3 convolution on 14x14, forward and backward.  Every row has the least
time, the peak of NumPy's memory, and the growth since the row before: 1.0 is linear, and 2.0 is quadratic, as for channels.
--out also draws a plot.
"""

import gc
import math
import sys
import tracemalloc
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import best, options_of, report

import minigan as mg
from minigan import nn

FACTOR = 0.9999


def chain(n):
    """A function that differentiates a chain of n products: FACTOR^n."""
    x, g = mg.ones(4, requires_grad=True), mg.ones(4)

    def once():
        y = x
        for _ in range(n):
            y = y * FACTOR
        return mg.grad(y, x, g)[0].numpy()

    np.testing.assert_allclose(once(), FACTOR**n, rtol=1e-2)
    return once


def mlp(batch, depth=4, width=256):
    """A function that takes one training step of an MLP."""
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.LeakyReLU(0.2))]
    net, x = nn.Sequential(*layers), mg.tensor(np.random.default_rng(0).standard_normal((batch, width), dtype=np.float32))
    parameters = list(net.parameters())
    adam = mg.optim.Adam(parameters, lr=1e-4)

    def once():
        loss = mg.ops.square(net(x)).mean()
        adam.step(mg.grad(loss, parameters))
        return loss.item()

    first = once()
    assert [once() for _ in range(3)][-1] < first, "the loss does not fall, so this is not a training step"
    return once


def convolution(channels, batch=32):
    """A function that computes a 3x3 convolution and its gradients."""
    layer = nn.Conv2d(channels, channels, 3, padding=1)
    x = mg.tensor(np.ones((batch, channels, 14, 14), np.float32), requires_grad=True)

    def once():
        return mg.grad(layer(x).sum(), [x, *layer.parameters()])

    np.testing.assert_allclose(once()[2].numpy(), batch * 14 * 14)  # the gradient of the bias
    return once


# what grows: (the function, its sizes, its sizes with --quick)
GROWTH = {
    "graph length": (chain, (10, 100, 1_000, 10_000, 100_000), (10, 100)),
    "batch": (mlp, (16, 32, 64, 128, 256, 512, 1024), (2, 4)),
    "depth": (lambda n: mlp(64, n), (1, 2, 4, 8, 16, 32), (1, 2)),
    "channels": (convolution, (8, 16, 32, 64, 128), (2, 4)),
}


def peak(function):
    """The most bytes that Python and NumPy held during one call, minus those that they held before it."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most - before


def draw(found, path):
    """Draw time and memory over size, with one panel for each thing that grows."""
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, len(GROWTH), figsize=(13, 6), squeeze=False)
    for column, what in enumerate(GROWTH):
        some = [row for row in found if row["what"] == what]
        for panel, key, label in zip(panels[:, column], ("ms", "MB"), ("ms", "MB")):
            panel.loglog([r["size"] for r in some], [r[key] for r in some], "o-")
            panel.set(xlabel=what, ylabel=label)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments=None):
    options = options_of(__doc__, arguments, seconds=0.3)
    found = []
    for what, (make, sizes, few) in GROWTH.items():
        last = None
        for size in few if options.quick else sizes:
            function = make(size)
            seconds, memory = best(function, 0 if options.quick else options.seconds), peak(function)
            row = {
                "what": what,
                "size": size,
                "ms": round(1e3 * seconds, 4),
                "us per size": round(1e6 * seconds / size, 2),
                "MB": round(memory / 1e6, 3),
                "seconds": seconds,
                "bytes": memory,
            }
            if last:
                row |= {
                    f"growth of {name}": round(math.log(row[key] / last[key]) / math.log(size / last["size"]), 2)
                    for name, key in (("time", "seconds"), ("memory", "bytes"))
                }
            found.append(row)
            last = row
    report("graph", found, ["what", "size", "ms", "us per size", "growth of time", "MB", "growth of memory"], options)
    if options.out:
        draw(found, Path(options.out) / "growth.png")


if __name__ == "__main__":
    main()
