"""A DCGAN in PyTorch's style, on 28x28 discs, squares and rings, drawn here.   python shapes_gan.py [--steps 300] [--bug]

Nothing in it knows minigan.  The noise, the first weights and the order of the pictures come from NumPy, because from the same
seed two libraries draw different numbers.
"""

import argparse
import json

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=300)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--latent", type=int, default=64)
parser.add_argument("--lr", type=float, default=2e-4)
parser.add_argument("--r1", type=float, default=1.0, help="weight of the slope penalty on real pictures")
parser.add_argument("--losses", help="a JSON file for the losses")
parser.add_argument("--bug", action="store_true", help="take the logarithm of probabilities, as tutorials do")
options = parser.parse_args()
rng = np.random.default_rng(0)


class Shapes(Dataset):
    """Discs, squares and rings of random size and place, white on black, in [-1, 1]."""

    def __init__(self, count=2048):
        y, x = np.mgrid[0:28, 0:28]
        pictures = []
        for kind in rng.integers(3, size=count):
            (cy, cx), size = rng.uniform(10, 18, 2), rng.uniform(4, 8)
            distance = np.hypot(y - cy, x - cx) if kind != 1 else np.maximum(abs(y - cy), abs(x - cx))
            inside = abs(distance - size) - 1.5 if kind == 2 else distance - size
            pictures.append(np.clip(0.5 - inside, 0, 1) * 2 - 1)
        self.pictures = torch.from_numpy(np.stack(pictures)[:, None].astype(np.float32))

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return self.pictures[index]


class Generator(nn.Module):
    def __init__(self, latent, width=32):
        super().__init__()
        self.start = nn.Linear(latent, 2 * width * 7 * 7)
        self.body = nn.Sequential(
            nn.BatchNorm2d(2 * width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.body(self.start(z).view(z.size(0), -1, 7, 7))


class Discriminator(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Flatten(),
            nn.Linear(2 * width * 7 * 7, 1),
        )

    def forward(self, x):
        return self.body(x)


def first_weights(module):
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        weights = rng.standard_normal(tuple(module.weight.shape)).astype(np.float32)
        module.weight.data.copy_(torch.from_numpy(0.05 * weights))
        nn.init.zeros_(module.bias)


def noise(count):
    return torch.from_numpy(rng.standard_normal((count, options.latent)).astype(np.float32))


def loss_of(logits, real):
    """-log D(x) for real = True, else -log(1 - D(x))."""
    if options.bug:
        p = torch.sigmoid(logits)
        return -torch.log(p if real else 1 - p).mean()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def endless(loader):
    while True:
        yield from loader


shapes = Shapes()
order = [int(i) for _ in range(100) for i in rng.permutation(len(shapes))]
batches = endless(DataLoader(shapes, batch_size=options.batch, sampler=order, drop_last=True))
G, D = Generator(options.latent), Discriminator()
G.apply(first_weights)
D.apply(first_weights)
optimizer_G = torch.optim.Adam(G.parameters(), lr=options.lr, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(D.parameters(), lr=options.lr, betas=(0.5, 0.999))
slower = torch.optim.lr_scheduler.LambdaLR(optimizer_G, lambda step: 1 - 0.5 * step / options.steps)

losses = []
for step in range(options.steps):
    real = next(batches)

    # D: real pictures up, made pictures down, and no steep slopes at the real ones (Mescheder et al. 2018)
    real.requires_grad_()
    on_real = D(real)
    (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
    penalty = slope.pow(2).flatten(1).sum(1).mean()
    with torch.no_grad():
        fake = G(noise(options.batch))
    loss_D = loss_of(on_real, True) + loss_of(D(fake), False) + 0.5 * options.r1 * penalty
    optimizer_D.zero_grad()
    loss_D.backward()
    optimizer_D.step()

    # G: made pictures up
    loss_G = loss_of(D(G(noise(options.batch))), True)
    optimizer_G.zero_grad()
    loss_G.backward()
    optimizer_G.step()
    slower.step()

    losses.append([loss_D.item(), loss_G.item()])
    if step % 50 == 0 or step == options.steps - 1:
        print(f"step {step:4d}   D {losses[-1][0]:.4f}   G {losses[-1][1]:.4f}")

if options.losses:
    with open(options.losses, "w") as file:
        json.dump(losses, file)
torch.save(G.state_dict(), "generator.pth")
