"""How much does a step cost more through minigan.torch than in minigan's own words?

    python benchmarks/torch_layer.py [--seconds S] [--json]

The same nets, weights and batches, an MLP GAN and a DCGAN with Adam, written for the engine and for PyTorch's names.  One
thread, one process, steps in turns, so that both meet the same machine; medians, and the median of the ratios of neighbours.
The losses must be equal to the last bit, otherwise the run fails.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np

import minigan as mg
import minigan.torch as torch


def mlp(nn):
    """G and D of 784 pixels."""
    G = nn.Sequential(
        nn.Linear(100, 128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.LeakyReLU(0.2), nn.Linear(256, 784), nn.Tanh()
    )
    D = nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    return G, D, (64, 784), (64, 100)


def dcgan(nn):
    """G and D of 1 x 32 x 32 pixels."""
    G = nn.Sequential(
        nn.ConvTranspose2d(64, 64, 4, 1, 0, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 4, 1, 0), nn.Flatten(),
    )  # fmt: skip
    return G, D, (32, 1, 32, 32), (32, 64, 1, 1)


def engines_step(G, D, real, noise):
    """One step of D and one of G in minigan's words; a function that takes it and returns the two losses."""
    loss = mg.nn.BCEWithLogitsLoss()
    d, g = (mg.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (D, G))
    ones, zeros = mg.ones((len(real), 1)), mg.zeros((len(real), 1))
    x, z = mg.tensor(real), mg.tensor(noise)

    def step():
        fake = G(z)
        d.zero_grad()
        d_loss = loss(D(x), ones) + loss(D(fake.detach()), zeros)
        d_loss.backward()
        d.step()
        g.zero_grad()
        g_loss = loss(D(fake), ones)
        g_loss.backward()
        g.step()
        return d_loss.item(), g_loss.item()

    return step


def layers_step(G, D, real, noise):
    """The same in PyTorch's words."""
    loss = torch.nn.BCEWithLogitsLoss()
    d, g = (torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (D, G))
    ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
    x, z = torch.from_numpy(real), torch.from_numpy(noise)

    def step():
        fake = G(z)
        d.zero_grad()
        d_loss = loss(D(x), ones) + loss(D(fake.detach()), zeros)
        d_loss.backward()
        d.step()
        g.zero_grad()
        g_loss = loss(D(fake), ones)
        g_loss.backward()
        g.step()
        return d_loss.item(), g_loss.item()

    return step


def compare(nets, seconds):
    """Medians of both in milliseconds, and the median of the ratios of steps that were taken one after the other."""
    mg.seed(0)
    own, theirs = nets(mg.nn), nets(torch.nn)
    for net, twin in zip(own[:2], theirs[:2]):
        twin.load_state_dict({name: torch.tensor(array) for name, array in net.state_dict().items()})
    rng = np.random.default_rng(0)
    batch = [rng.standard_normal(size).astype(np.float32) for size in own[2:]]
    steps = [engines_step(*own[:2], *batch), layers_step(*theirs[:2], *batch)]
    times, end, turn = [[], []], time.perf_counter() + seconds, 0
    while time.perf_counter() < end or turn < 10:
        losses = [None, None]
        for i in (turn % 2, 1 - turn % 2):  # each is first in every second turn
            start = time.process_time()
            losses[i] = steps[i]()
            times[i].append(1e3 * (time.process_time() - start))
        if losses[0] != losses[1]:
            sys.exit(f"step {turn}: the losses are {losses[0]} in minigan and {losses[1]} through minigan.torch")
        turn += 1
    engine, layer = (side[5:] for side in times)
    ratio = statistics.median(two / one for one, two in zip(engine, layer))
    return {"engine_ms": statistics.median(engine), "layer_ms": statistics.median(layer), "ratio": ratio, "steps": turn}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="time for each pair of nets")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    mg.set_num_threads(1)
    found = {nets.__name__: compare(nets, options.seconds) for nets in (mlp, dcgan)}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(
        "processor time of a step (D and G), medians: engine ms, through minigan.torch ms, ratio of neighbours (goal: <= 1.05)"
    )
    for name, row in found.items():
        print(f"{name:6} {row['engine_ms']:8.2f} {row['layer_ms']:8.2f} {row['ratio']:8.3f}   {row['steps']} steps")


if __name__ == "__main__":
    main()
