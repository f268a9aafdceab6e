"""A step in a loop of one's own, in a session and captured, beside PyTorch, torch.compile and JAX, and beside the floor.

    python benchmarks/loops.py [NAME ...] [--quick] [--json] [--batch N] [--busy N] [--seconds S] [--out FOLDER]

The workloads are those of steps.py, whose errors are checked first; each side has a process of its own, and they run in turns.
own loop: the code as a user writes it, nothing set.   session: with the threads that `minigan train` chooses.   captured:
mg.capture of the same loop.   torch.compile compiles the nets; JAX, where it is installed, compiles the whole step (dense nets
only).   floor: the step's products at the rate of a large product here, and the bytes that its ops read and write at the speed
of a large copy.   --busy N: N other programs keep cores busy.   --out also draws a plot.
"""

import math
import multiprocessing
import statistics
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import SETTLE, THREADS, TURN, Minigan, Torch, _Side, best, options_of, report, torch_or_none
from steps import CONVOLUTIONS, STEPS, Training, chain, check_arrays, check_step, convolution, samples, step

import minigan as mg
from minigan.kernels.cpu.toom_cook import tiles_of

NAMES = [*STEPS, *CONVOLUTIONS, "op-chain"]
DENSE = ("mlp-gan", "vae", "wgan-gp-critic", "toy-gan")
SIDES = ("own loop", "session", "captured", "PyTorch", "torch.compile", "JAX")
COLOURS = {"own loop": "#0072B2", "session": "#56B4E9", "captured": "#009E73", "torch.compile": "#E69F00", "JAX": "#CC79A7"}


# ---- the sides -------------------------------------------------------------------------------------------------------


def made(name, batch, side, weights=None):
    """One side's function: a step, or there and back through a convolution or a chain."""
    if side == "JAX":
        return jax_step(name, batch, weights)
    if side == "torch.compile":
        return compiled(name, batch, weights)
    if name not in STEPS:
        build = convolution if name in CONVOLUTIONS else chain
        return build(name, batch, "torch" if side == "PyTorch" else "own" if side == "own loop" else "minigan", weights)
    if side in ("own loop", "captured"):
        training = Training(Minigan(), STEPS[name][0], weights)
        x, one = training.lib.tensor(samples(name, batch)), training.step
        one = mg.capture(one) if side == "captured" else one
        return lambda: one(x)
    return step(name, batch, "torch" if side == "PyTorch" else "minigan", weights)


def compiled(name, batch, weights):
    """PyTorch's step with compiled nets."""
    torch = torch_or_none()

    class Compiled(Torch):
        def load(self, net, weights):
            super().load(net, weights).compile()  # in place: the workload keeps its own net
            return net

    if name in STEPS:
        training = Training(Compiled(torch), STEPS[name][0], weights)
        x = training.lib.tensor(samples(name, batch))
        return lambda: training.step(x)
    raise KeyError(name)


def jax_step(name, batch, weights):
    """The step of a dense workload in JAX, compiled as a whole, with the same weights and the same Adam."""
    import jax
    import jax.numpy as jnp

    nets = [[jnp.asarray(w) for w in net.values()] for net in weights]
    x = jnp.asarray(samples(name, batch))

    def mlp(ws, x, act, last=lambda y: y):
        for i in range(0, len(ws) - 2, 2):
            x = act(x @ ws[i].T + ws[i + 1])
        return last(x @ ws[-2].T + ws[-1])

    leaky = lambda y: jax.nn.leaky_relu(y, 0.2)
    act, last = (jax.nn.relu, lambda y: y) if name == "toy-gan" else (leaky, jnp.tanh)
    width = 2 if name == "toy-gan" else 100
    G = lambda ws, z: mlp(ws, z, act, last)
    D = lambda ws, y: mlp(ws, y, act)

    def of_d(d, g, x, key):
        fake = jax.lax.stop_gradient(G(g, jax.random.normal(key, (batch, width))))
        return (jax.nn.softplus(-D(d, x)) + jax.nn.softplus(D(d, fake))).mean()

    def of_g(g, d, x, key):
        return jax.nn.softplus(-D(d, G(g, jax.random.normal(key, (batch, width))))).mean()

    def of_critic(d, g, x, key):
        a, b = jax.random.split(key)
        fake = G(g, jax.random.normal(a, (batch, width)))
        u = jax.random.uniform(b, (batch, 1))
        slope = jax.grad(lambda y: D(d, y).sum())(u * x + (1 - u) * fake)
        excess = jnp.linalg.norm(slope, axis=1) - 1
        return D(d, fake).mean() - D(d, x).mean() + 10 * (excess * excess).mean()

    def of_vae(ws, _, x, key):
        encoder, mean_of, log_of, decoder = ws[:2], ws[2:4], ws[4:6], ws[6:]
        h = jax.nn.relu(x @ encoder[0].T + encoder[1])
        mean, log_var = h @ mean_of[0].T + mean_of[1], h @ log_of[0].T + log_of[1]
        z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(key, mean.shape)
        logits = mlp(decoder, z, jax.nn.relu)
        cross = jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-abs(logits)))
        return (cross.sum() - 0.5 * (1 + log_var - mean * mean - jnp.exp(log_var)).sum()) / len(x)

    def adam(ws, gs, m, v, t):
        m = [0.5 * a + 0.5 * g for a, g in zip(m, gs)]
        v = [0.999 * a + 0.001 * g * g for a, g in zip(v, gs)]
        rate = 2e-4 * jnp.sqrt(1 - 0.999**t) / (1 - 0.5**t)
        return [w - rate * a / (jnp.sqrt(b) + 1e-8) for w, a, b in zip(ws, m, v)], m, v

    turns = {"vae": [(0, of_vae)], "wgan-gp-critic": [(1, of_critic)]}.get(name, [(1, of_d), (0, of_g)])

    @jax.jit
    def one(nets, moments, t, key, x):
        nets, moments = list(nets), list(moments)
        for i, loss in turns:
            key, used = jax.random.split(key)
            other = nets[1 - i] if len(nets) > 1 else None
            gradients = jax.grad(loss)(nets[i], other, x, used)
            nets[i], *moments[i] = adam(nets[i], gradients, *moments[i], t)
        return nets, moments, t + 1, key, x

    zeros = [[[jnp.zeros_like(w) for w in net] for _ in range(2)] for net in nets]
    state = [(nets, zeros, 1.0, jax.random.PRNGKey(0), x)]

    def call():
        state[0] = one(*state[0])
        jax.block_until_ready(state[0][0])

    return call


def sides_of(name, peers):
    """The sides that this workload has here."""
    sides = ["own loop", "session", *(["captured"] if name in STEPS else [])]
    sides += ["PyTorch", *(["torch.compile"] if name in STEPS else [])] if "torch" in peers else []
    return sides + (["JAX"] if "jax" in peers and name in DENSE else [])


def installed():
    """Which peers are here."""
    import importlib.util

    return {name for name in ("torch", "jax") if importlib.util.find_spec(name)}


# ---- the floor -------------------------------------------------------------------------------------------------------


def machine():
    """(operations a second of a large product, bytes a second of a large copy), with the threads that BLAS has."""
    a = np.random.default_rng(0).standard_normal((1024, 1024)).astype(np.float32)
    source = np.zeros(1 << 21, np.float32)  # 8 MB
    target = np.empty_like(source)
    return 2 * 1024**3 / best(lambda: a @ a), 2 * source.nbytes / best(lambda: np.copyto(target, source))


def share(name):
    """The share of a convolution's products that Toom-Cook leaves, for the workloads that use it."""
    if name not in ("dcgan", *CONVOLUTIONS):
        return 1.0
    taps, out = (3, 14) if name == "conv-3x3" else (2, 7)
    points = sum(tile.m + taps - 1 for tile in (row[0] for row in tiles_of((out, out), taps)))
    return (points / (out * taps)) ** 2


def work(name, batch, weights):
    """(operations in products, as PyTorch counts them, less what Toom-Cook saves; bytes that our ops read and write)."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    class Count(TorchDispatchMode):
        operations = 0.0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            op = function._overloadpacket
            if op in flop_registry:
                found = flop_registry[op](*args, **(kwargs or {}), out_val=out)
                self.operations += found * (share(name) if "conv" in str(op) else 1)
            return out

    theirs = made(name, batch, "PyTorch", weights)
    with Count() as count:
        theirs()
    ours = made(name, batch, "own loop", weights)
    ours()
    with mg.profile() as profile:
        ours()
    updated = 7 * 4 * sum(math.prod(w.shape) for net in weights or () for w in net.values())  # Adam: reads 4, writes 3 arrays
    return count.operations, sum(row.bytes for row in profile.rows) + updated


# ---- measuring -------------------------------------------------------------------------------------------------------


def in_turns(name, batch, sides, weights, seconds):
    """{side: (median, least) seconds}, and {side: the median ratio of its time to PyTorch's in the same turn}."""
    running = {}
    for side in sides:
        running[side] = _Side(made, (name, batch, side, weights), 0)
    turns = max(3, round(seconds / TURN / len(sides)))
    rounds = [{side: one.turn(TURN - SETTLE) for side, one in running.items()} for _ in range(turns)]
    memory = {side: one.close() for side, one in running.items()}
    times = {side: (statistics.median(r[side][0] for r in rounds), min(r[side][1] for r in rounds)) for side in sides}
    ratios = {s: statistics.median(r[s][0] / r["PyTorch"][0] for r in rounds) for s in sides} if "PyTorch" in sides else {}
    return times, ratios, memory


def _spin():
    a = np.ones((64, 64), np.float32)
    while True:
        a = np.tanh(a @ a)


def main(arguments=None):
    options = options_of(
        __doc__,
        arguments,
        seconds=12,
        names=NAMES,
        batch=(128, "samples to a batch (default 128)"),
        busy=(0, "run so many other programs that keep cores busy"),
    )
    peers, rows = installed(), []
    rate, bandwidth = (1e11, 1e10) if options.quick else machine()
    others = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(options.busy)]
    for other in others:
        other.start()
    batch = 8 if options.quick else options.batch
    for name in options.names or NAMES:
        check = check_step if name in STEPS else check_arrays(convolution if name in CONVOLUTIONS else chain)
        errors, weights = check(name, batch, ["minigan", *(["torch"] if "torch" in peers else [])])
        assert max(errors) < (2e-2 if name == "dcgan" else 1e-4), f"{name}: off by {errors} from float64"
        sides = sides_of(name, peers)
        if options.quick:
            times = {side: (best(made(name, batch, side, weights), 0),) * 2 for side in sides if side != "torch.compile"}
            ratios, memory = {}, {}
        else:
            times, ratios, memory = in_turns(name, batch, sides, weights, options.seconds)
        row = {"row": name, "ms": {side: [round(1e3 * t, 4) for t in both] for side, both in times.items()}}
        row |= {side: f"{ratio:.2f}" for side, ratio in ratios.items() if side != "PyTorch"}
        row["own ms"] = f"{1e3 * times['own loop'][0]:.3g}"
        if "PyTorch" in times:
            row["PyTorch ms"] = f"{1e3 * times['PyTorch'][0]:.3g}"
            row["least of both"] = f"{times['own loop'][1] / times['PyTorch'][1]:.2f}"
            if name != "op-chain":
                operations, moved = work(name, batch, weights)
                floor = operations / rate + moved / bandwidth
                row |= {"floor ms": f"{1e3 * floor:.3g}", "over floor": f"{times['own loop'][0] / floor:.2f}"}
        if memory:
            row["MiB"] = " / ".join(str(round(memory[side] / 2**20)) for side in ("own loop", "PyTorch") if side in memory)
        rows.append(row)
        print(f"{name}: {row}", file=sys.stderr)
    for other in others:
        other.terminate()
    columns = ["row", "own ms", "PyTorch ms", *(side for side in SIDES if side != "PyTorch"), "least of both", "floor ms"]
    remark = f"Ratios of medians to PyTorch's time (eager, {THREADS} threads), batch {batch}; in turns. "
    remark += f"Large products: {rate / 1e9:.0f} GFLOP/s, large copies: {bandwidth / 1e9:.1f} GB/s."
    remark += f" {options.busy} other programs kept cores busy." if options.busy else ""
    report("busy" if options.busy else "loops", rows, [*columns, "over floor", "MiB"], options, remark)
    if options.out and any("own loop" in row for row in rows):  # ratios, which need PyTorch
        draw(rows, Path(options.out) / ("busy.png" if options.busy else "loops.png"))


def draw(rows, path):
    """A bar for each side of each workload: its time as a multiple of PyTorch's."""
    from minigan.viz import figures

    figure = figures.new(9, 0.62 * len(rows) + 1.2)
    axes = figure.add_subplot()
    for i, row in enumerate(reversed(rows)):
        shown = [side for side in COLOURS if side in row]
        for k, side in enumerate(shown):
            height = 0.8 / len(shown)
            value = float(row[side])
            at = i + 0.4 - height * (k + 0.5)
            axes.barh(at, min(value, 2.5), height, color=COLOURS[side], label=side)
            axes.text(min(value, 2.5) + 0.02, at, f"{value:.2f}", va="center", fontsize=8)
    axes.axvline(1, color="0.3", linewidth=1)
    axes.set_yticks(range(len(rows)), [row["row"] for row in reversed(rows)])
    axes.set(xlabel="time / PyTorch's time (eager); left of the line is faster", xlim=(0, 2.7))
    handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
    axes.legend([handles[side] for side in COLOURS if side in handles], [s for s in COLOURS if s in handles], frameon=False)
    path.write_bytes(figures.png(figure))


if __name__ == "__main__":
    main()
