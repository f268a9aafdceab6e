"""How long does one training step take, compared with PyTorch's, with the same nets, batch and cores?

    python benchmarks/steps.py [NAME ...] [--quick] [--json] [--batch N] [--threads N] [--seconds S] [--out FOLDER]

A workload is written once, as a function of a library (harness.py), and runs on minigan and on PyTorch: with the same layers,
losses, weights and data, gradients of the updated net only, and Adam.  Before the timing, losses and gradients of the first
step are compared with the same code in float64.  Without PyTorch it prints only our own time.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import Minigan, Torch, best, compare, options_of, report, suit, torch_or_none

import minigan as mg
from minigan.kernels.cpu.memory import pixels_first


@dataclass
class Turn:
    """One update of a net by loss(x, *noise).   noise: the kinds and widths of fresh draws, such as ("normal", 100)."""

    loss: Callable
    net: object
    noise: list


def mlp_gan(lib, net):
    """A GAN of two perceptrons on 784 pixels: D's turn and G's turn."""
    nn = lib.nn
    G = net(
        nn.Sequential(
            nn.Linear(100, 128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.LeakyReLU(0.2), nn.Linear(256, 784), nn.Tanh()
        )
    )
    D = net(nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)))
    return adversaries(lib, G, D, 100)


def adversaries(lib, G, D, latent):
    """The turns of the non-saturating game."""

    def d_loss(x, z):
        with lib.no_grad():
            fake = G(z)
        return lib.softplus(-D(x)).mean() + lib.softplus(D(fake)).mean()

    def g_loss(x, z):
        return lib.softplus(-D(G(z))).mean()

    return [Turn(d_loss, D, [("normal", latent)]), Turn(g_loss, G, [("normal", latent)])]


def vae(lib, net):
    """A VAE 784-400-20-400-784 (Kingma and Welling 2014) with Bernoulli pixels."""
    nn = lib.nn

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU())
            self.mean, self.log_var = nn.Linear(400, 20), nn.Linear(400, 20)
            self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

        def forward(self, x, noise):
            h = self.encoder(x)
            mean, log_var = self.mean(h), self.log_var(h)
            return self.decoder(mean + (0.5 * log_var).exp() * noise), mean, log_var

    model = net(VAE())

    def loss(x, noise):
        logits, mean, log_var = model(x, noise)
        divergence = -0.5 * (1 + log_var - mean * mean - log_var.exp()).sum()
        return (lib.F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + divergence) / len(x)

    return [Turn(loss, model, [("normal", 20)])]


def wgan_gp(lib, net):
    """One step of WGAN-GP's critic (Gulrajani et al. 2017); its penalty needs second derivatives."""
    nn = lib.nn
    G = net(
        nn.Sequential(
            nn.Linear(100, 128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.LeakyReLU(0.2), nn.Linear(256, 784), nn.Tanh()
        )
    )
    D = net(nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)))

    def loss(x, z, u):
        with lib.no_grad():
            fake = G(z)
        between = (u * x + (1 - u) * fake).detach().requires_grad_()
        (slope,) = lib.grad(D(between).sum(), between, create_graph=True)
        excess = lib.norm(slope, 1) - 1
        return D(fake).mean() - D(x).mean() + 10 * (excess * excess).mean()

    return [Turn(loss, D, [("normal", 100), ("uniform", 1)])]


def toy_gan(lib, net):
    """A GAN on points of the plane: D's turn and G's turn."""
    nn = lib.nn
    G = net(nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)))
    D = net(nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)))
    return adversaries(lib, G, D, 2)


def dcgan(lib, net, channels=64):
    """A DCGAN on pictures of 28x28 (Radford et al. 2016): D's turn and G's turn."""
    nn, wide = lib.nn, 2 * channels
    G = net(
        nn.Sequential(
            nn.Linear(100, wide * 49),
            nn.BatchNorm1d(wide * 49),
            nn.ReLU(),
            nn.Unflatten(1, (wide, 7, 7)),
            nn.ConvTranspose2d(wide, channels, 4, 2, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, 1, 4, 2, 1),
            nn.Tanh(),
        )
    )
    D = net(
        nn.Sequential(
            nn.Conv2d(1, channels, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, wide, 4, 2, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(wide * 49, 1),
        )
    )
    return adversaries(lib, G, D, 100)


def gpt(lib, net):
    """A small GPT (Radford et al. 2018): 4 layers of 4 heads, 128 wide, that predict the next of 64 tokens of a text."""
    nn, heads, wide, context, tokens = lib.nn, 4, 128, 64, 65

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(wide), nn.LayerNorm(wide)
            self.attention, self.out = nn.Linear(wide, 3 * wide), nn.Linear(wide, wide)
            self.feedforward = nn.Sequential(nn.Linear(wide, 4 * wide), nn.GELU(), nn.Linear(4 * wide, wide))

        def forward(self, x):
            n, t, _ = x.shape
            both = self.attention(self.norm1(x))
            q, k, v = (
                both[..., i * wide : (i + 1) * wide].reshape(n, t, heads, wide // heads).swapaxes(1, 2) for i in range(3)
            )
            y = lib.F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.swapaxes(1, 2).reshape(n, t, wide))
            return x + self.feedforward(self.norm2(x))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(tokens, wide), nn.Embedding(context, wide)
            self.blocks = nn.Sequential(*(Block() for _ in range(4)))
            self.norm, self.head = nn.LayerNorm(wide), nn.Linear(wide, tokens, bias=False)

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.tokens(x) + self.places(lib.tensor(np.arange(context))))))

    model = net(GPT())

    def loss(x):
        return lib.F.cross_entropy(model(x[:, :-1]).reshape(-1, tokens), x[:, 1:].reshape(-1))

    return [Turn(loss, model, [])]


# name: the function, the shape of a sample, and our goal for the ratio to PyTorch's time
STEPS = {
    "mlp-gan": (mlp_gan, (784,), 0.55),
    "vae": (vae, (784,), 0.75),
    "wgan-gp-critic": (wgan_gp, (784,), 0.45),
    "toy-gan": (toy_gan, (2,), 0.50),
    "dcgan": (dcgan, (1, 28, 28), 0.85),
    "gpt": (gpt, (65,), 1.2),
}
# name: channels in, channels out, size, kernel, stride, and the goal
CONVOLUTIONS = {"conv-4x4-stride-2": (64, 128, 14, 4, 2, 1.0), "conv-3x3": (64, 64, 14, 3, 1, 1.4)}
CHAIN, FACTOR = 200, 0.9999
CHAINS = {"op-chain": 0.70}


class Training:
    """A workload on one library: its nets with given weights, its turns, and an Adam for each turn."""

    def __init__(self, lib, function, weights=None):
        self.lib, self.weights = lib, []
        given = iter(weights or ())

        def net(module):
            if weights is not None:
                lib.load(module, next(given))
            elif isinstance(lib, Minigan):
                self.weights.append(lib.weights(module))
            return module

        self.turns = function(lib, net)
        self.parameters = [list(turn.net.parameters()) for turn in self.turns]
        self.adams = [lib.adam(p) for p in self.parameters]

    def step(self, x):
        """Take every turn once."""
        for turn, parameters, adam in zip(self.turns, self.parameters, self.adams):
            loss = turn.loss(x, *(getattr(self.lib, kind)(len(x), n) for kind, n in turn.noise))
            self.lib.update(adam, parameters, self.lib.grad(loss, parameters))

    def first(self, x, noise):
        """The loss and the gradients of each turn as float64 arrays; nothing is updated."""
        results = []
        for turn, parameters, drawn in zip(self.turns, self.parameters, noise):
            loss = turn.loss(self.lib.tensor(x), *map(self.lib.tensor, drawn))
            found = [loss, *self.lib.grad(loss, parameters)]
            results.append([np.asarray(self.lib.array(a), np.float64) for a in found])
        return results


def error(results, truth):
    """The largest error of a loss or a gradient; gradients are relative to the largest one of their turn."""
    worst = 0.0
    for (loss, *gradients), (true_loss, *true_gradients) in zip(results, truth):
        # Not relative to each gradient itself: the bias before a batch norm has gradient 0, and its error is all rounding.
        largest = max(abs(g).max() for g in true_gradients)
        worst = max(
            worst,
            abs(loss - true_loss) / max(1, abs(true_loss)),
            *(abs(g - h).max() / largest for g, h in zip(gradients, true_gradients)),
        )
    return float(worst)


def library(side):
    """The library with the name "minigan", "exact" (minigan in float64) or "torch"."""
    return Torch(torch_or_none()) if side == "torch" else Minigan(np.float64 if side == "exact" else np.float32)


def step(name, batch, side, weights=None):
    """One side's function: a training step."""
    training = Training(library(side), STEPS[name][0], weights)
    if side != "torch":  # the same threads as in a session
        suit(name == "dcgan", batch * max(p.size for parameters in training.parameters for p in parameters))
    x = training.lib.tensor(samples(name, batch))
    return lambda: training.step(x)


def samples(name, batch):
    """The batch; it is the same for all libraries.  A text of 64 tokens takes the place of eight samples."""
    if name == "gpt":
        return np.random.default_rng(0).integers(65, size=(max(1, batch // 8), *STEPS[name][1]))
    return np.random.default_rng(0).random((batch, *STEPS[name][1]), dtype=np.float32)


def check_step(name, batch, sides):
    """(each side's error in the first step, compared with float64; the weights that all sides start from)."""
    function, x = STEPS[name][0], samples(name, batch)
    ours = Training(library("minigan"), function)
    draw = library("minigan")
    noise = [[getattr(draw, kind)(batch, n).numpy() for kind, n in turn.noise] for turn in ours.turns]
    exact = Training(library("exact"), function, ours.weights)
    truth = exact.first(
        x.astype(np.float64) if x.dtype.kind == "f" else x, [[a.astype(np.float64) for a in drawn] for drawn in noise]
    )
    return [error(Training(library(side), function, ours.weights).first(x, noise), truth) for side in sides], ours.weights


def convolution(name, batch, side, weights=None):
    """One side's function: a convolution forward and backward, in input and weight; returns y, dx, dw."""
    inside, outside, size, kernel, stride, _ = CONVOLUTIONS[name]
    lib, out = library(side), (size + 2 - kernel) // stride + 1
    rng = np.random.default_rng(0)
    shapes = (batch, inside, size, size), (outside, inside, kernel, kernel), (batch, outside, out, out)
    x, w, g = (rng.standard_normal(shape, dtype=np.float32) for shape in shapes)
    layer = lib.load(lib.nn.Conv2d(inside, outside, kernel, stride, 1, bias=False), {"weight": w})
    if side != "torch":  # our layers keep pixels first in memory, PyTorch's keep images first
        if side != "own":
            suit(convolutions=True)
        x, g = (mg.Tensor(pixels_first(a).astype(lib.dtype, order="K")) for a in (x, g))
    else:
        x, g = lib.tensor(x), lib.tensor(g)
    x.requires_grad_()

    def once():
        y = layer(x)
        return [lib.array(a) for a in (y, *lib.grad(y, (x, layer.weight), g))]

    return once


def chain(name, batch, side, weights=None):
    """One side's function: 200 products of 4 numbers, forward and backward, which measures the engine's own time."""
    lib = library(side)
    ones = np.ones(4, np.float64 if side == "exact" else np.float32)
    x, g = lib.tensor(ones, requires_grad=True), lib.tensor(ones)

    def once():
        y = x
        for _ in range(CHAIN):
            y = y * FACTOR
        return [lib.array(lib.grad(y, x, g)[0])]

    return once


def check_arrays(build):
    """A check such as check_step, for functions that return their results."""

    def check(name, batch, sides):
        truth = build(name, batch, "exact")()
        return [
            max(float(abs(a - b).max() / abs(b).max()) for a, b in zip(build(name, batch, side)(), truth)) for side in sides
        ], None

    return check


def kind(name):
    """(the function that makes a side's function, the function that checks all sides, the goal for the ratio)."""
    if name in STEPS:
        return step, check_step, STEPS[name][-1]
    if name in CONVOLUTIONS:
        return convolution, check_arrays(convolution), CONVOLUTIONS[name][-1]
    return chain, check_arrays(chain), CHAINS[name]


ALL = [*STEPS, *CONVOLUTIONS, *CHAINS]


def main(arguments=None):
    options = options_of(
        __doc__,
        arguments,
        seconds=6,
        names=ALL,
        batch=(128, "samples to a batch (default 128)"),
        threads=(0, "call mg.set_num_threads(N); 0: use the threads of a session (minigan/kernels/threads.py)"),
    )
    torch, rows, batch = torch_or_none(), [], 8 if options.quick else options.batch
    sides = ["minigan", "torch"] if torch else ["minigan"]
    for name in options.names or ALL:
        if sys.stderr.isatty():
            print(f"\r{name:<30}", end="\r", file=sys.stderr, flush=True)
        build, check, goal = kind(name)
        errors, weights = check(name, batch, sides)
        # Rounding can change the sign of a number near the kink of a ReLU, and then a whole gradient changes.  A DCGAN has
        # hundreds of thousands of activations, so this always happens to some, in PyTorch as here.
        tolerance = 2e-2 if name == "dcgan" else 1e-4
        assert max(errors) < tolerance, f"{name}: off by {errors} from float64, so the times would mean nothing"
        arguments = [(name, batch, side, weights) for side in sides]
        if options.quick:  # in this process, because starting two others would take most of the time
            row = {"ours": best(build(*arguments[0]), 0)}
        else:
            row = compare(build, *[*arguments, None][:2], options.seconds, options.threads)
        rows.append({"row": name, "ours ms": round(1e3 * row["ours"], 3), "error": f"{errors[0]:.0e}", "seconds": row})
        if "memory" in row:
            rows[-1]["MiB"] = round(row["memory"] / 2**20)
        if torch:
            rows[-1]["their error"] = f"{errors[1]:.0e}"
        if "theirs" in row:
            rows[-1] |= {
                "theirs ms": round(1e3 * row["theirs"], 3),
                "their MiB": round(row["their_memory"] / 2**20),
                "ratio": round(row["ratio"], 2),
                "goal": goal,
                "from": round(row["low"], 2),
                "to": round(row["high"], 2),
                "minima": round(row["ratio_of_minima"], 2),
            }
    peer = (
        f"PyTorch {torch.__version__} (eager), {torch.get_num_threads()} threads"
        if torch
        else "none, because PyTorch is not installed"
    )
    columns = "row,ours ms,theirs ms,ratio,from,to,minima,goal,error,their error,MiB,their MiB"
    report(
        "steps",
        rows,
        columns.split(","),
        options,
        f"one step, batch {batch}; our threads: {options.threads or 'as a session has them'}; peer: {peer}",
    )


if __name__ == "__main__":
    main()
