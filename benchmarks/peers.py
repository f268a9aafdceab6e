"""How long does a gradient take in other engines that people learn from: autograd, MyGrad, tinygrad, PyTorch?

    python benchmarks/peers.py [NAME ...] [--quick] [--json] [--seconds S] [--out FOLDER]

There are two workloads, each written with the library's own functions.  "chain", 200 products of 4 numbers, measures the
engine's own time.  "mlp", the mean square of tanh(x v) w for 128 samples, 784 -> 256 -> 1, is mostly matrix products.  Both run
forward and backward and return the gradients as arrays, which are compared with minigan's in float64.  A peer that is not
installed, or cannot run here, has no row.
"""

import importlib
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import best, compare, options_of, report, torch_or_none

import minigan as mg

CHAIN, FACTOR = 200, 0.9999


def arrays(name, dtype=np.float32):
    """(the weights whose gradients are computed, the constants)."""
    rng = np.random.default_rng(0)
    draw = lambda *shape: (rng.standard_normal(shape) * 0.05).astype(dtype)
    return ([draw(4)], []) if name == "chain" else ([draw(784, 256), draw(256, 1)], [draw(128, 784)])


def loss_of(name, tanh, sum):
    """The loss as a function of tensors: the same code for all libraries."""

    def chain(y):
        for _ in range(CHAIN):
            y = y * FACTOR
        return sum(y)

    def mlp(v, w, x):
        y = tanh(x @ v) @ w
        return sum(y * y) / len(x)

    return {"chain": chain, "mlp": mlp}[name]


def minigan(name, dtype=np.float32):
    """minigan, our own engine."""
    weights, constants = arrays(name, dtype)
    weights, loss = [mg.tensor(w, requires_grad=True) for w in weights], loss_of(name, mg.ops.tanh, mg.ops.sum)
    return lambda: [g.numpy() for g in mg.grad(loss(*weights, *constants), weights)]


def torch(name):
    """PyTorch in eager mode."""
    torch = torch_or_none()
    weights, constants = ([torch.from_numpy(a) for a in group] for group in arrays(name))
    weights, loss = [w.requires_grad_() for w in weights], loss_of(name, torch.tanh, torch.sum)
    return lambda: [g.numpy() for g in torch.autograd.grad(loss(*weights, *constants), weights)]


def autograd(name):
    """HIPS autograd (Maclaurin, Duvenaud and Adams 2015), which traces NumPy."""
    from autograd import grad
    from autograd import numpy as anp

    weights, constants = arrays(name)
    loss = loss_of(name, anp.tanh, anp.sum)
    gradient = grad(lambda *w: loss(*w, *constants), tuple(range(len(weights))))
    return lambda: list(gradient(*weights))


def mygrad(name):
    """MyGrad."""
    import mygrad

    weights, constants = arrays(name)
    weights, loss = [mygrad.tensor(w) for w in weights], loss_of(name, mygrad.tanh, mygrad.sum)

    def once():
        loss(*weights, *constants).backward()
        return [w.grad for w in weights]

    return once


def tinygrad(name):
    """tinygrad, which compiles; its first call is not timed."""
    from tinygrad import Tensor

    weights, constants = arrays(name)
    weights, constants = [Tensor(w) for w in weights], [Tensor(c) for c in constants]
    loss = loss_of(name, Tensor.tanh, Tensor.sum)

    def once():
        return [g.numpy() for g in loss(*weights, *constants).gradient(*weights)]

    return once


PEERS = {"autograd": autograd, "MyGrad": mygrad, "tinygrad": tinygrad, "PyTorch": torch}
WORKLOADS = ("chain", "mlp")


def build(maker, name):
    """Make a workload; the harness calls this in a process of its own."""
    return maker(name)


def trouble(peer, name):
    """None if the peer gives the right gradients here, else the reason why it does not run."""
    truth = minigan(name, np.float64)()
    try:
        importlib.import_module(peer.__name__)
        found = peer(name)()
    except ImportError:
        return "not installed"
    except RuntimeError as error:  # tinygrad raises this without a compiler
        return f"does not run here: {error}"
    off = max(float(abs(a - b).max() / abs(b).max()) for a, b in zip(found, truth))
    assert off < 1e-4, f"{name}: off by {off} from float64, so the times would mean nothing"
    return None


def main(arguments=None):
    options = options_of(__doc__, arguments, 4, WORKLOADS)
    rows, remarks = [], []
    for name in options.names or WORKLOADS:
        assert trouble(minigan, name) is None
        for label, peer in PEERS.items():
            reason = trouble(peer, name)
            if reason:
                remarks.append(f"{label} {reason}")
                continue
            if options.quick:
                rows.append({"row": name, "peer": label, "theirs ms": round(1e3 * best(peer(name), 0), 3)})
                continue
            row = compare(build, (minigan, name), (peer, name), options.seconds)
            rows.append(
                {
                    "row": name,
                    "peer": label,
                    "ours ms": round(1e3 * row["ours"], 3),
                    "theirs ms": round(1e3 * row["theirs"], 3),
                    "ratio": round(row["ratio"], 2),
                    "from": round(row["low"], 2),
                    "to": round(row["high"], 2),
                    "seconds": row,
                }
            )
    report(
        "peers",
        rows,
        ["row", "peer", "ours ms", "theirs ms", "ratio", "from", "to"],
        options,
        "; ".join(dict.fromkeys(remarks)),
    )


if __name__ == "__main__":
    main()
