"""How long does one DCGAN training step take, against PyTorch's, on the same nets, batch and cores?

    python benchmarks/steps.py [--quick] [--batch N] [--rounds N]

One step: D on real and generated pictures, then G, each with its Adam update.  Both sides start from the same weights
and see the same data; before anything is timed, their losses and gradients of the first step are compared.  Without
PyTorch (pip install torch) only our own time is printed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import compare, environment

import minigan as mg
from minigan.backend import Streams
from minigan.data import Batch
from minigan.systems import dcgan, registry
from minigan.train.game import Step, play

CHANNELS, LATENT = 64, 100


def torch_nets(torch, game):
    """The same two nets in PyTorch, with our weights."""
    nn = torch.nn
    G = nn.Sequential(
        nn.Linear(LATENT, 2 * CHANNELS * 49), nn.BatchNorm1d(2 * CHANNELS * 49), nn.ReLU(),
        nn.Unflatten(1, (2 * CHANNELS, 7, 7)),
        nn.ConvTranspose2d(2 * CHANNELS, CHANNELS, 4, 2, 1, bias=False), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
        nn.ConvTranspose2d(CHANNELS, 1, 4, 2, 1), nn.Tanh())
    D = nn.Sequential(
        nn.Conv2d(1, CHANNELS, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(CHANNELS, 2 * CHANNELS, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * CHANNELS), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(2 * CHANNELS * 49, 1))
    for net, ours in ((G, game.nets["G"]), (D, game.nets["D"])):
        net.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in ours.state_dict().items()})
    return G, D


class TorchGame:
    """The same step in PyTorch, written as its own DCGAN example does."""

    def __init__(self, torch, game, batch):
        self.torch, self.F = torch, torch.nn.functional
        self.G, self.D = torch_nets(torch, game)
        self.adams = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (self.D, self.G)]
        self.x = torch.from_numpy(batch.x)

    def d_loss(self, z):
        with self.torch.no_grad():
            fake = self.G(z)
        return self.F.softplus(-self.D(self.x)).mean() + self.F.softplus(self.D(fake)).mean()

    def g_loss(self, z):
        return self.F.softplus(-self.D(self.G(z))).mean()

    def step(self):
        for loss, net, adam in ((self.d_loss, self.D, self.adams[0]), (self.g_loss, self.G, self.adams[1])):
            value = loss(self.torch.randn(len(self.x), LATENT))
            gradients = self.torch.autograd.grad(value, list(net.parameters()))
            for p, g in zip(net.parameters(), gradients):
                p.grad = g
            adam.step()


def same(game, peer, batch, torch):
    """Largest difference of losses, and of gradients relative to the largest one, both sides from the same weights."""
    worst_loss, worst_gradient = 0.0, 0.0
    for player, loss, net in ((game.players[0], peer.d_loss, peer.D), (game.players[1], peer.g_loss, peer.G)):
        z = np.random.default_rng(1).standard_normal((len(batch.x), LATENT), dtype=np.float32)
        step = Step(game, player, batch, None)
        step.__dict__["z"] = mg.tensor(z)
        ours = sum(game.parts(step).values())
        theirs = loss(torch.from_numpy(z))
        worst_loss = max(worst_loss, abs(ours.item() - theirs.item()))
        mine = [g.numpy() for g in mg.grad(ours, player.parameters)]
        other = [g.numpy() for g in torch.autograd.grad(theirs, list(net.parameters()))]
        # Relative to the net's largest: the bias before a batch norm has gradient 0, and rounding is all one sees there.
        largest = max(abs(h).max() for h in other)
        worst_gradient = max(worst_gradient, *(float(abs(g - h).max() / largest) for g, h in zip(mine, other)))
    return worst_loss, worst_gradient


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny and once: checks that the benchmark runs and agrees")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    batch_size, rounds = (16, 1) if options.quick else (options.batch, options.rounds)
    game = dcgan.build(registry.get("dcgan").configure({"channels": CHANNELS}), (1, 28, 28))
    rng = np.random.default_rng(0)
    batch = Batch(np.tanh(rng.standard_normal((batch_size, 1, 28, 28), dtype=np.float32)), None)
    streams = Streams(0)

    def ours():
        play(game, iter([batch, batch]), streams)

    print(environment())
    try:
        import torch
    except ImportError:
        seconds, *_ = compare(ours, None, rounds)
        print(f"DCGAN step, batch {batch_size}: minigan {1e3 * seconds:.1f} ms (PyTorch is not installed: no comparison)")
        return
    torch.set_num_threads(2)
    peer = TorchGame(torch, game, batch)
    loss, gradient = same(game, peer, batch, torch)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; the same step differs by {loss:.1e} in the losses, "
          f"{gradient:.1e} in the gradients (relative to the largest)")
    assert loss < 1e-4 and gradient < 1e-2, "the two sides do not compute the same step, so their times mean nothing"
    mine, other, ratio, (low, high) = compare(ours, peer.step, rounds)
    print(f"DCGAN step, batch {batch_size}: minigan {1e3 * mine:.1f} ms, PyTorch {1e3 * other:.1f} ms; "
          f"ratio {ratio:.2f} (from {low:.2f} to {high:.2f} over {rounds} rounds)")


if __name__ == "__main__":
    main()
