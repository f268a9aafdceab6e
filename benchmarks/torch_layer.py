"""What does a training step cost more under PyTorch's names?   `python benchmarks/torch_layer.py [--steps N]`

Two GANs, an MLP and a DCGAN, are written once; the same lines run with minigan's own modules and with minigan.torch's.  Both
sides start from the same weights and batches and take turns step by step, in one thread.  The table has the median processor
time of a step.  The losses of the two sides must be equal in every bit, or it fails.
"""

import argparse
import statistics
import time

import numpy as np

import minigan as mg
from minigan import torch


def mlp(nn):
    """PyTorch-GAN's sizes: noise of 100 numbers, pictures of 28 x 28."""
    G = nn.Sequential(
        nn.Linear(100, 128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.LeakyReLU(0.2),
        nn.Linear(256, 512), nn.BatchNorm1d(512), nn.LeakyReLU(0.2), nn.Linear(512, 784), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1), nn.Sigmoid()
    )
    return G, D, (784,)


def dcgan(nn):
    """A small DCGAN of 28 x 28."""
    G = nn.Sequential(
        nn.Linear(100, 64 * 7 * 7), nn.BatchNorm1d(64 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 1), nn.Sigmoid(),
    )  # fmt: skip
    return G, D, (1, 28, 28)


class Side:
    """One of the two: its modules, optimizers, and how it makes a tensor of an array."""

    def __init__(self, build, library, tensor):
        self.tensor = tensor
        self.G, self.D, self.shape = build(library.nn)
        self.loss = library.nn.BCELoss()
        self.optimizers = [library.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (self.G, self.D)]

    def step(self, images, noise):
        """G's turn and D's turn; returns (seconds of the processor, both losses)."""
        start = time.process_time()
        images, noise = self.tensor(images), self.tensor(noise)
        real, fake = self.tensor(np.ones((len(noise), 1), np.float32)), self.tensor(np.zeros((len(noise), 1), np.float32))
        for_G, for_D = self.optimizers
        for_G.zero_grad()
        made = self.G(noise)
        loss_G = self.loss(self.D(made), real)
        loss_G.backward()
        for_G.step()
        for_D.zero_grad()
        loss_D = (self.loss(self.D(images), real) + self.loss(self.D(made.detach()), fake)) * 0.5
        loss_D.backward()
        for_D.step()
        return time.process_time() - start, (loss_G.item(), loss_D.item())


def compare(build, steps, batch=64):
    """(median of the engine's own step, median of the step through the layer), in seconds."""
    engine, layer = Side(build, mg, mg.Tensor), Side(build, torch, torch.from_numpy)
    for ours, theirs in ((engine.G, layer.G), (engine.D, layer.D)):
        theirs.load_state_dict(ours.state_dict())
    rng, times = np.random.default_rng(0), ([], [])
    for k in range(steps + 3):
        images = rng.standard_normal((batch, *engine.shape), np.float32)
        noise = rng.standard_normal((batch, 100), np.float32)
        turns = [(0, engine), (1, layer)][:: 1 if k % 2 else -1]  # who begins has the colder caches
        found = {i: side.step(images, noise) for i, side in turns}
        if found[0][1] != found[1][1]:
            raise SystemExit(f"step {k}: the losses differ: {found[0][1]} and {found[1][1]}")
        if k >= 3:
            for i in (0, 1):
                times[i].append(found[i][0])
    return [statistics.median(side) for side in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    mg.set_num_threads(1)
    print(f"{'net':<8}{'engine ms':>12}{'layer ms':>12}{'ratio':>8}")
    for build in (mlp, dcgan):
        own, through = compare(build, options.steps)
        print(f"{build.__name__:<8}{1e3 * own:>12.3f}{1e3 * through:>12.3f}{through / own:>8.3f}")


if __name__ == "__main__":
    main()
