"""A DCGAN on 28x28 digits (Radford et al. 2016), as one would write it for PyTorch.

    python torch_style_gan.py digits.npz                    with PyTorch
    python -m minigan.torch torch_style_gan.py digits.npz   with minigan, unchanged

digits.npz holds `images` (N, 1, 28, 28) uint8.   All random numbers come from NumPy, so both libraries see the same ones.
"""

import argparse

import numpy as np
import torch
from torch import nn, optim

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--latent", type=int, default=32)
parser.add_argument("--channels", type=int, default=24)
parser.add_argument("--losses", help="write the losses there, as text")
options = parser.parse_args()
rng = np.random.default_rng(0)


class Generator(nn.Module):
    def __init__(self, latent, channels):
        super().__init__()
        self.channels = channels
        self.project = nn.Linear(latent, 2 * channels * 7 * 7)
        self.net = nn.Sequential(
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * channels, channels, 4, 2, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.net(self.project(z).view(z.size(0), 2 * self.channels, 7, 7))


class Discriminator(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, channels, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * channels * 7 * 7, 1),
        )

    def forward(self, x):
        return self.net(x).squeeze(1)


def start(module):
    """The weights of the paper, from NumPy."""
    if hasattr(module, "weight"):
        centre = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
        drawn = centre + 0.02 * rng.standard_normal(tuple(module.weight.shape)).astype(np.float32)
        module.weight.data.copy_(torch.from_numpy(drawn.astype(np.float32)))
        if module.bias is not None:
            module.bias.data.fill_(0)


images = np.load(options.data)["images"]
netG, netD = Generator(options.latent, options.channels), Discriminator(options.channels)
netG.apply(start)
netD.apply(start)
optimizerG = optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizerD = optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
real, fake = torch.ones(options.batch), torch.zeros(options.batch)
losses = []

for step in range(options.steps):
    rows = rng.integers(len(images), size=options.batch)
    x = torch.from_numpy(images[rows].astype(np.float32) / 127.5 - 1)
    z = torch.from_numpy(rng.standard_normal((options.batch, options.latent)).astype(np.float32))

    netD.zero_grad()
    generated = netG(z)
    lossD = criterion(netD(x), real) + criterion(netD(generated), fake)
    lossD.backward(retain_graph=True)
    optimizerD.step()

    netG.zero_grad()
    lossG = criterion(netD(generated), real)
    lossG.backward()
    optimizerG.step()

    losses.append((lossD.item(), lossG.item()))
    if step % 20 == 0:
        print(f"step {step}  loss of D {losses[-1][0]:.4f}  of G {losses[-1][1]:.4f}")

if options.losses:
    np.savetxt(options.losses, losses)
