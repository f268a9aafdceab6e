"""What a user writes, for the type checkers: test_typing.py runs them on this file, and this file.

`assert_type` says what an editor must know; at run time it does nothing.
"""

from types import SimpleNamespace
from typing import Any, assert_type

import numpy as np

import minigan as mg
from minigan import Tensor, nn
from minigan.nn import functional as F
from minigan.optim import Adam, lr_scheduler
from minigan.systems import Paper, Setting, system
from minigan.train.adversarial import gan


class Encoder(nn.Module):
    """A forward of its own, a buffer, a list of modules, two results."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Linear(2, width)
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.scale = nn.Parameter(np.ones(width, np.float32))
        self.register_buffer("calls", np.zeros(1))

    def forward(self, x: Tensor, slope: float = 0.1) -> tuple[Tensor, Tensor]:
        h = F.leaky_relu(self.first(x), slope)
        for block in self.blocks:
            h = h + block(h).tanh() * self.scale
        return h.mean(axis=1, keepdims=True), self.calls + 1


# Tensors: operators on both sides, methods, attributes, functions.
x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
assert_type(2 * x**2 - x / 3 + 1, Tensor)
assert_type(-x @ x.T, Tensor)
assert_type(np.ones((2, 2), np.float32) * x + np.ones((2, 2), np.float32), Tensor)
assert_type(np.asarray(x.detach()).ndim, int)
assert_type(x > 0, Tensor)
assert_type(x == 1, Tensor)
assert_type(x[0, ::2], Tensor)
assert_type(x.reshape(-1).sum(), Tensor)
assert_type(x.shape, tuple[int, ...])
assert_type(x.requires_grad, bool)
assert_type(x.detach().numpy().ndim, int)
assert_type(mg.concatenate([mg.zeros((1, 2)), x.clip(0, 1)], axis=0), Tensor)
assert_type(mg.sum(mg.exp(x), axis=(0, 1)), Tensor)
assert_type(mg.conv2d(mg.ones((1, 1, 4, 4)), mg.ones((1, 1, 2, 2)), stride=(2, 1)), Tensor)
(slope,) = mg.grad((x**3).sum(), x, create_graph=True)
assert_type(slope.norm(), Tensor)

# Modules: what a call returns is what forward returns.
encoder = Encoder(8).train()
assert_type(encoder, Encoder)
assert_type(encoder(x, slope=0.2), tuple[Tensor, Tensor])
net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
assert_type(net(x), Tensor)
assert_type(nn.Conv2d(1, 2, (3, 3), stride=(2, 2), padding="valid")(mg.ones((1, 1, 7, 7))), Tensor)
assert_type(net.state_dict(), dict[str, np.ndarray])
assert_type(list(net.parameters()), list[nn.Parameter])

# A training loop.
data = mg.data.load("ring8")
assert_type(data, mg.data.PointDataset)
loader, adam = mg.data.Loader(data, 64, 0), Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999))
schedule = lr_scheduler.LinearLR(adam)
for _, batch in zip(range(3), loader):
    loss = F.softplus(net(mg.tensor(batch.x))).mean()
    adam.step(mg.grad(loss, net.parameters()))
    schedule.step()
    with mg.no_grad():
        assert_type(net(x).mean().item(), Any)

# A system of one's own.
paper = Paper("Goodfellow et al. 2014", arxiv="1406.2661")
assert_type(paper.year, str)


@system(
    "mine",
    parent="gan",
    paper=paper,
    on={"points": {"units": 8}},
    settings=[Setting("units", 16, "units of the hidden layers", most=64, depends=("objective", lambda name: name != "hinge"))],
)
def build(settings: SimpleNamespace, data: Any) -> mg.train.Game:
    """Two perceptrons."""
    G = nn.Sequential(nn.Linear(settings.latent, settings.units), nn.Tanh(), nn.Linear(settings.units, 2))
    D = nn.Sequential(nn.Linear(2, settings.units), nn.Tanh(), nn.Linear(settings.units, 1))
    return gan({"G": G, "D": D}, settings)


assert_type(build(SimpleNamespace(latent=2, units=8), data), mg.train.Game)
