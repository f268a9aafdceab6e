"""The one training loop.  A Game is nets, players and terms; a VAE is a game with one player, a GAN has two.

Player      who updates which nets, with which optimizer, how often per iteration
Term        one piece of one player's loss: a function of the Step
Step        what a turn sees (x, z, fake, a = D(x), b = D(fake)), computed once, when first asked for
Game        all of these together, and how to draw samples          play        one iteration: every player's turns

Gradients come from the functional `grad`, for the player's own parameters only: nothing accumulates by accident, and a net
that is not the player's costs no weight gradients.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from minigan.autograd import grad, no_grad
from minigan.backend import to_device
from minigan.errors import CheckpointError, ConfigError, suggestion
from minigan.nn import Module
from minigan.tensor import Tensor
from minigan.train.objectives import OBJECTIVES, Objective


class Normal:
    """The latent distribution: z (n, dim) float32, independent standard normal numbers."""

    def __init__(self, dim: int):
        self.dim = dim

    def __call__(self, n, generator) -> np.ndarray:
        """n draws."""
        return generator.standard_normal((n, self.dim), dtype=np.float32)


class Player:
    """Somebody who improves some nets, `steps` times per iteration.

    optimizer: a function of the parameters, such as partial(Adam, lr=2e-4); the player owns what it returns.
    """

    def __init__(self, name: str, nets: list[Module], optimizer: Callable, steps: int = 1):
        self.name, self.nets, self.steps = name, nets, steps
        self.parameters = [p for net in nets for p in net.parameters()]
        self.optimizer = optimizer(self.parameters)

    def gradients(self, loss) -> list:
        """One gradient per parameter; None for those that the loss does not use and those that are frozen."""
        free = [p for p in self.parameters if p.requires_grad]
        found = iter(grad(loss, free, allow_unused=True))
        return [next(found) if p.requires_grad else None for p in self.parameters]

    def update(self, gradients) -> None:
        """Take one step along the gradients, one per parameter."""
        self.optimizer.step(gradients)


@dataclass
class Term:
    """weight * loss(step): one additive piece of one player's loss.   loss: a function of a Step, to a scalar Tensor."""

    name: str
    player: str
    loss: Callable
    weight: float = 1.0


def adversarial(objective: str | Objective) -> list[Term]:
    """The terms of D and G for an objective, given itself or by its name in OBJECTIVES."""
    if isinstance(objective, str):
        if objective not in OBJECTIVES:
            raise ConfigError(f"unknown objective {objective!r}{suggestion(objective, OBJECTIVES)}")
        objective = OBJECTIVES[objective]
    return [Term("adversarial", "D", lambda step: objective.d(step.a, step.b)),
            Term("adversarial", "G", lambda step: objective.g(step.b))]


class Step:
    """One turn of one player: a batch, fresh noise, and what the nets make of them, each computed once when asked for.

    x (N, ...) real samples; labels (N,) or None; z (N, dim); fake = G(z); a = D(x), b = D(fake): logits.
    """

    def __init__(self, game, player, batch, streams):
        self.game, self.player, self.batch, self.streams = game, player, batch, streams

    def trains(self, name) -> bool:
        """Does this turn update the net of that name?"""
        return self.game.nets[name] in self.player.nets

    @cached_property
    def x(self):
        """The real samples, a constant."""
        return Tensor(to_device(self.batch.x, self.game.device))

    @cached_property
    def labels(self):
        """The labels of x (int64), or None."""
        return self.batch.labels

    @cached_property
    def z(self):
        """As many draws from the latent distribution as x has samples."""
        z = self.game.latent(len(self.batch.x), self.streams("latent"))
        return Tensor(to_device(z, self.game.device))

    @cached_property
    def fake(self):
        """G(z).  In D's turn a constant: G is not asked for derivatives."""
        with contextlib.nullcontext() if self.trains("G") else no_grad():
            return self.game.nets["G"](self.z)

    @cached_property
    def a(self):
        """D(x)."""
        return self.game.nets["D"](self.x)

    @cached_property
    def b(self):
        """D(fake)."""
        return self.game.nets["D"](self.fake)


class Game:
    """Nets by name, players in the order of their turns, the terms of their losses, and how to draw samples.

    sample(z) -> array: what to show for latent draws z; by default nets["G"](z), in evaluation mode.
    ConfigError if a term names no player, or a player has no term.
    """

    def __init__(self, nets: dict[str, Module], players: list[Player], terms: list[Term], latent: Callable, sample=None):
        self.nets, self.players, self.terms, self.latent = nets, players, terms, latent
        self.device = "cpu"
        self._sample = sample or (lambda z: nets["G"](z))
        names = [player.name for player in players]
        for term in terms:
            if term.player not in names:
                raise ConfigError(f"term {term.name!r} is for player {term.player!r}{suggestion(term.player, names)}")
        if len(set(names)) != len(names):
            raise ConfigError(f"players need names of their own, got {names}")
        for one, other in combinations(terms, 2):
            if (one.player, one.name) == (other.player, other.name):
                raise ConfigError(f"player {one.player!r} has two terms called {one.name!r}; name each differently")
        for name in names:
            if not any(term.player == name for term in terms):
                raise ConfigError(f"player {name!r} has no term, so nothing to improve")

    def to(self, device: str) -> "Game":
        """Move the nets to a device; turns and samples are computed there.   Returns self."""
        self.device = device
        for net in self.nets.values():
            net.to(device)
        return self

    def parts(self, step: Step) -> dict[str, Tensor]:
        """The weighted terms of the step's player, by name."""
        return {term.name: term.weight * term.loss(step) for term in self.terms if term.player == step.player.name}

    def sample(self, z) -> np.ndarray:
        """Samples for latent draws z (n, dim): an array, one row each.  Changes nothing, draws nothing."""
        modes = {module: module.training for net in self.nets.values() for module in net.modules()}
        for net in self.nets.values():
            net.eval()
        try:
            with no_grad():
                return self._sample(Tensor(to_device(z, self.device))).to("cpu").numpy()
        finally:
            for module, mode in modes.items():  # one by one: a part may be frozen in evaluation mode on purpose
                module.training = mode

    def state_dict(self) -> dict:
        """Weights and optimizer states."""
        return {"nets": {name: net.state_dict() for name, net in self.nets.items()},
                "players": {player.name: player.optimizer.state_dict() for player in self.players}}

    def load_state_dict(self, state) -> None:
        """Go back to a saved state.  CheckpointError if it was saved from another game."""
        for part, own in (("nets", self.nets), ("players", [player.name for player in self.players])):
            if set(state[part]) != set(own):
                raise CheckpointError(f"the state has the {part} {', '.join(state[part])}, this game {', '.join(own)}")
        for name, net in self.nets.items():
            net.load_state_dict(state["nets"][name])
        for player in self.players:
            player.optimizer.load_state_dict(state["players"][player.name])


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what NumPy would warn of is found and named here
def play(game: Game, batches, streams) -> dict[str, float]:
    """One iteration: every player takes its turns.   Returns each player's loss, and each term where there are several.

    batches: an iterator of data.Batch; streams: the run's named random generators (backend.Streams).
    NotFiniteError, naming the op that made it, as soon as a loss or a gradient is NaN or infinite.
    """
    losses = {}
    for player in game.players:
        for _ in range(player.steps):
            step = Step(game, player, next(batches), streams)
            parts = game.parts(step)
            loss = sum(parts.values())
            gradients = player.gradients(loss)
            losses[player.name] = float(loss)
            if len(parts) > 1:
                losses.update({f"{player.name}.{name}": float(part) for name, part in parts.items()})
            if not (np.isfinite(losses[player.name]) and all(_finite(g) for g in gradients)):
                blame(game, step)
            player.update(gradients)
    return losses


def _finite(g) -> bool:
    if g is None:
        return True
    flat = g.data.reshape(-1)
    return bool(np.isfinite(np.dot(flat, flat))) or bool(np.isfinite(flat).all())  # 1e20 is finite, its square is not


def blame(game, step):
    """Take the step again, watched, to name the op that first makes a NaN or an infinity; always raises NotFiniteError.

    Dropout draws afresh, so where only that noise made the value, the message cannot name the op.
    """
    from minigan.debug import debug
    from minigan.errors import NotFiniteError

    again = Step(game, step.player, step.batch, step.streams)
    again.__dict__["z"] = step.z
    with debug():
        step.player.gradients(sum(game.parts(again).values()))
    raise NotFiniteError(f"player {step.player.name}: a loss or gradient overflowed when its terms were added")
