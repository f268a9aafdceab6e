"""Methods that make the training of a GAN more stable.  Each is a few lines, and they can be combined.

run after a player's update               WeightClip, MovingAverage, HistoricalAverage
terms of a loss                           smoothing, feature_matching, HistoricalAverage.term
a step in which D sees changed samples    instance_noise
Elsewhere: layers (nn/adversarial.py: minibatch discrimination, virtual batch norm; nn/utils.py: spectral norm), penalties
on D's slope (penalties.py), the combinations that make no sense (adversarial.py).
"""

from typing import Any

import numpy as np

from minigan.backend import to_device, xp
from minigan.errors import ConfigError
from minigan.nn import Module, Sequential
from minigan.ops import mean, square
from minigan.ops import sum as total
from minigan.tensor import Tensor
from minigan.train.game import Term
from minigan.watch import again


class WeightClip:
    """After every update: w <- min(max(w, -c), c) for every parameter.   Arjovsky et al. 2017, algorithm 1, line 7."""

    def __init__(self, nets: list[Module], c: float):
        self.parameters, self.c = [p for net in nets for p in net.parameters()], c

    def __call__(self):
        for p in self.parameters:
            p.data.clip(-self.c, self.c, out=p.data)
            p.touch()


class Counting:
    """Base class: counts updates in t.  When steps are recorded (runs/capture.py), the count is kept on the GPU too."""

    t = 0
    parameters: list  # the subclass sets these
    _on_card: Any = None

    def count(self):
        """The number of this update, from 1: an int, or an array of shape () if the count is on the GPU."""
        self.t += 1
        if self._on_card is None:
            return self.t
        self._on_card += 1
        return self._on_card

    def count_on_card(self) -> None:
        """Count on the GPU from now on."""
        self._on_card = xp(self.parameters[0].data).full((), self.t, np.float32)

    def repeated(self, times: int) -> None:
        """Count updates that the GPU made by itself, when it launched a recorded step this many times."""
        self.t += times


class MovingAverage(Counting):
    """After every update: w' <- decay w' + (1 - decay) w.   w' are the weights of `average`, a copy of `net` that draws the
    samples.

    Buffers (the running statistics of a batch norm) are copied.  The decay of update number t is at most t/(9 + t), so that
    the initial weights are soon forgotten.   Yazici et al. 2019.
    """

    def __init__(self, net: Module, average: Module, decay: float):
        self.net, self.average, self.decay, self.parameters = net, average, decay, list(net.parameters())

    @again(changes=lambda self: [*self.average.parameters(), *(buffer for _, buffer in self.average.named_buffers())])
    def __call__(self):
        t = self.count()
        decay = min(t / (9 + t), self.decay) if isinstance(t, int) else xp(t).minimum(t / (9 + t), self.decay)
        for mean_p, p in zip(self.average.parameters(), self.parameters):
            mean_p.data *= decay
            mean_p.data += (1 - decay) * p.data
            mean_p.touch()
        for (_, copied), (_, buffer) in zip(self.average.named_buffers(), self.net.named_buffers()):
            copied.data[...] = buffer.data
            copied.touch()

    def state_dict(self):
        """The number of updates.  The averaged weights are saved elsewhere, as a net of the game."""
        return {"t": self.t}

    def load_state_dict(self, state):
        """Go back to a saved state."""
        self.t, self._on_card = int(state["t"]), None


class HistoricalAverage(Counting):
    """|w - mean of all w so far|^2, where every update adds its w to the mean.   Salimans et al. 2016, section 3.3."""

    def __init__(self, nets: list[Module]):
        self.parameters = [p for net in nets for p in net.parameters()]
        self.means = None  # not copied here, because the weights may still move to another device

    def __call__(self):
        t = self.count()
        if self.means is None:
            self.means = [p.data.copy() for p in self.parameters]
        for m, p in zip(self.means, self.parameters):
            m += (p.data - m) / t

    def term(self, player: str, weight: float) -> Term:
        """The term in a player's loss; it is 0 before the first update."""

        def distance(step):
            means = [p.data for p in self.parameters] if self.means is None else self.means
            return sum(total(square(p - Tensor(m))) for p, m in zip(self.parameters, means))

        return Term("history", player, distance, weight, "|w - mean of all w so far|^2")

    def state_dict(self):
        """The means, and the number of updates that they are taken over."""
        return {"t": self.t, "means": [np.array(to_device(m, "cpu")) for m in self.means or ()]}

    def load_state_dict(self, state):
        """Go back to a saved state."""
        self.t, self._on_card = int(state["t"]), None
        self.means = [to_device(np.array(m), p.device) for m, p in zip(state["means"], self.parameters)] or None


def smoothing(amount: float) -> Term:
    """One-sided label smoothing: real samples count as real with probability 1 - amount.   Salimans et al. 2016, 3.4.

    Let a be the logit of a real sample, and s the amount.  Then -(1 - s) log D(x) - s log(1 - D(x)) = softplus(-a) + s a, so
    the term is s E[a].  For least squares it is the same: (a - (1 - s))^2 / 2 = (a - 1)^2 / 2 + s a + constant.
    """
    return Term("smoothing", "D", lambda step: mean(step.real_logits), amount, "E a")


def instance_noise(step: type, std: float) -> type:
    """A subclass of the AdversarialStep `step`: D sees all samples with noise N(0, s^2); s falls from std to 0 over the run.

    With noise the real and the generated distribution overlap, so D can hardly be perfect.   Sonderby et al. 2017; Arjovsky
    and Bottou 2017, section 3.
    """

    class InstanceNoise(step):
        fades = True

        def view(self, samples, name):
            samples = super().view(samples, name)
            noise = self.draw(f"instance noise {name}", lambda g: g.standard_normal(samples.shape, dtype=np.float32))
            return samples + std * (1 - self.progress) * noise

    return InstanceNoise


def feature_matching(D: Module, weight: float) -> Term:
    """|E f(x) - E f(G(z))|^2 in G's loss; f(x) is the input of D's last layer.   Salimans et al. 2016, section 3.1.

    ConfigError unless D is a Sequential of two layers or more.
    """
    if not isinstance(D, Sequential) or len(D) < 2:
        raise ConfigError(
            "feature_matching needs a D that is a Sequential of two layers or more, since it takes the input of "
            "D's last layer; pass such a D, or set feature_matching=0"
        )
    features = D[:-1]
    return Term(
        "features",
        "G",
        lambda step: total(
            square(mean(step.score(step.real_seen, features), axis=0) - mean(step.score(step.fake_seen, features), axis=0))
        ),
        weight,
        "|E f(x) - E f(G(z))|^2, where f is D without its last layer",
    )
