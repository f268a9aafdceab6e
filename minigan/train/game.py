"""The one training loop.  A Game is nets, players and terms; a VAE is a game with one player, a GAN has two.

Player      who updates which nets, with which optimizer, how often per iteration
Term        one piece of one player's loss: a function of the Step
Step        what a turn sees (x, z, fake, a = D(x), b = D(fake)), computed once, when first asked for
Game        all of these together, and how to draw samples          play        one iteration: every player's turns
Stages      games one after the other on the same nets
Elsewhere: what the players pay (objectives.py, penalties.py), what steadies them (stabilisers.py), the GAN that settings
describe (gan.py).

A system that needs more than x, z, fake, a and b writes a Step of its own, with its quantities as cached properties.
Gradients come from the functional `grad`, for the player's own parameters only: nothing accumulates by accident, and a net
that is not the player's costs no weight gradients.
"""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations

import numpy as np

from minigan.autograd import grad
from minigan.backend import cuda, to_device, xp
from minigan.errors import CheckpointError, ConfigError, choose, suggestion
from minigan.grad_mode import no_grad
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
    after: functions without arguments, called after every update, such as a weight clip or a moving average
    (stabilisers.py); one with a state_dict is saved with the player.
    """

    def __init__(self, name: str, nets: list[Module], optimizer: Callable, steps: int = 1, after=()):
        self.name, self.nets, self.steps, self.after = name, nets, steps, list(after)
        self.parameters = [p for net in nets for p in net.parameters()]
        self.optimizer = optimizer(self.parameters)

    def gradients(self, loss) -> list:
        """One gradient per parameter; None for those that the loss does not use, those that are frozen, and those that
        the optimizer's next step leaves alone (a coordinate descent updates one block at a time)."""
        wanted = {id(p) for p in self.optimizer.wanted() if p.requires_grad}
        found = iter(grad(loss, [p for p in self.parameters if id(p) in wanted], allow_unused=True))
        return [next(found) if id(p) in wanted else None for p in self.parameters]

    def update(self, gradients, loss=None, closure=None) -> None:
        """Take one step along the gradients, one per parameter.

        loss: the loss here; closure() -> (loss, gradients) takes the turn again with the weights of then.  Both are for
        an optimizer that searches along a line, and reads the loss as a number."""
        self.optimizer.step(gradients, **({"loss": loss, "closure": closure} if self.optimizer.needs_closure else {}))
        for piece in self.after:
            piece()

    def state_dict(self) -> dict:
        """The optimizer's state, and that of what comes after it."""
        return {"optimizer": self.optimizer.state_dict(), "after": [piece.state_dict() for piece in self._remembering()]}

    def load_state_dict(self, state) -> None:
        """Go back to a saved state."""
        self.optimizer.load_state_dict(state["optimizer"])
        for piece, saved in zip(self._remembering(), state["after"], strict=True):
            piece.load_state_dict(saved)

    def _remembering(self):
        return [piece for piece in self.after if hasattr(piece, "state_dict")]


@dataclass
class Term:
    """weight * loss(step): one additive piece of one player's loss.   loss: a function of a Step, to a scalar Tensor."""

    name: str
    player: str
    loss: Callable
    weight: float = 1.0


def adversarial(objective: str | Objective, g_weight: float = 1.0) -> list[Term]:
    """The terms of D and G for an objective, given itself or by its name in OBJECTIVES.   g_weight: of G's term."""
    if isinstance(objective, str):
        objective = choose("objective", objective, OBJECTIVES)
    terms = [Term("adversarial", "D", lambda step: objective.d(step.a, step.b)),
             Term("adversarial", "G", lambda step: objective.g(step.a if objective.paired else None, step.b), g_weight)]
    return terms if g_weight else terms[:1]


class Step:
    """One turn of one player: a batch, fresh noise, and what the nets make of them, each computed once when asked for.

    x (N, ...) real samples; labels (N,) or None; z (N, dim); fake = G(z); a = D(x), b = D(fake): logits.
    progress: the part of the run that is done, from 0 to 1, for what fades over a run.
    generate, score: how G and D are called; a conditional game passes them the labels too.
    """

    def __init__(self, game, player, batch, streams, progress=0.0, draws=None):
        self.game, self.player, self.batch, self.streams, self.progress = game, player, batch, streams, progress
        self._draws = {} if draws is None else draws

    def again(self):
        """The same turn, with the same batch and the same random draws, computed with the weights of now."""
        return type(self)(self.game, self.player, self.batch, self.streams, self.progress, self._draws)

    @classmethod
    def check(cls, game, batch) -> None:
        """ConfigError for a batch that does not fit the game; called while the batch is on the host."""

    def trains(self, name) -> bool:
        """Does this turn update the net of that name?"""
        return self.game.nets[name] in self.player.nets

    def recording(self, name):
        """A context that records only in a turn that updates that net: in the others what it makes is a constant."""
        return contextlib.nullcontext() if self.trains(name) else no_grad()

    def draw(self, name, function) -> Tensor:
        """A random constant of this turn: function(generator) -> array, from the run's stream of that name.

        On a GPU the generator is there too, and draws there: nothing is sent."""
        if name not in self._draws:
            self._draws[name] = function(self.streams(name))
        return Tensor(to_device(self._draws[name], self.game.device))

    def generate(self, z) -> Tensor:
        """G(z)."""
        return self.game.nets["G"](z)

    def score(self, samples, D=None) -> Tensor:
        """D(samples), logits.   D: another net to ask, such as a part of the game's D."""
        return (self.game.nets["D"] if D is None else D)(samples)

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
        return self.draw("latent", lambda generator: self.game.latent(len(self.batch.x), generator))

    @cached_property
    def fake(self):
        """G(z).  In D's turn a constant: G is not asked for derivatives."""
        with self.recording("G"):
            return self.generate(self.z)

    @cached_property
    def seen_x(self):
        """x as D sees it: through the game's `view`."""
        return self.game.view(self, "x", self.x)

    @cached_property
    def seen_fake(self):
        """fake as D sees it."""
        return self.game.view(self, "fake", self.fake)

    @cached_property
    def a(self):
        """D(x)."""
        return self.score(self.seen_x)

    @cached_property
    def b(self):
        """D(fake)."""
        return self.score(self.seen_fake)


class Game:
    """Nets by name, players in the order of their turns, the terms of their losses, and how to draw samples.

    sample(z) -> Tensor: what to show for latent draws z; by default nets["G"](z), in evaluation mode.  A game with labels
    says how many `classes` there are, and its sample takes (z, labels).
    show(z) -> Tensor: the pictures of a run, by default its samples.
    step: the class of its turns.   view(step, name, samples): what D sees of samples, by default the samples.
    metrics: name -> function(game, test data set, generator) -> {name: number}: what only this system can measure; the
    numbers' names and meanings are in metrics/table.py.   unit: what the losses are measured in.
    ConfigError if a term names no player, or a player has no term.
    """

    def __init__(self, nets: dict[str, Module], players: list[Player], terms: list[Term], latent: Callable, sample=None,
                 show=None, step=Step, view=None, classes: int | None = None, metrics: dict[str, Callable] | None = None,
                 unit: str = ""):
        self.nets, self.players, self.terms, self.latent = nets, players, terms, latent
        self.step, self.view, self.classes = step, view or (lambda step, name, samples: samples), classes
        self.device, self.metrics, self.unit = "cpu", metrics or {}, unit
        self._sample = sample or (lambda z: nets["G"](z))
        self._show = show or self._sample
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

    def check(self, batch) -> None:
        """ConfigError for a batch of the data, on the host, that does not fit the game."""
        self.step.check(self, batch)

    def parts(self, step: Step) -> dict[str, Tensor]:
        """The weighted terms of the step's player, by name."""
        return {term.name: term.weight * term.loss(step) for term in self.terms if term.player == step.player.name}

    def at(self, step: int) -> "Game":
        """The game to play in the iteration after `step`: this one.  See Stages."""
        return self

    def sample(self, z, labels=None, show=False) -> np.ndarray:
        """Samples for latent draws z (n, dim): an array, one row each.  Changes nothing, draws nothing.

        labels (n,) int: which class each is to be, for a game that has classes.   show: what a picture of the run shows.
        """
        function = self._show if show else self._sample
        modes = {module: module.training for net in self.nets.values() for module in net.modules()}
        for net in self.nets.values():
            net.eval()
        try:
            with no_grad(), cuda.device(self.device):
                z = Tensor(to_device(z, self.device))
                return (function(z) if self.classes is None else function(z, labels)).to("cpu").numpy()
        finally:
            for module, mode in modes.items():  # one by one: a part may be frozen in evaluation mode on purpose
                module.training = mode

    def state_dict(self) -> dict:
        """Weights and optimizer states."""
        return {"nets": {name: net.state_dict() for name, net in self.nets.items()},
                "players": {player.name: player.state_dict() for player in self.players}}

    def load_state_dict(self, state) -> None:
        """Go back to a saved state.  CheckpointError if it was saved from another game."""
        for part, own in (("nets", self.nets), ("players", [player.name for player in self.players])):
            if set(state[part]) != set(own):
                raise CheckpointError(f"the state has the {part} {', '.join(state[part])}, this game {', '.join(own)}")
        for name, net in self.nets.items():
            net.load_state_dict(state["nets"][name])
        for player in self.players:
            player.load_state_dict(state["players"][player.name])


class Stages(Game):
    """Games played one after the other on the same nets: pretraining, then the adversarial game.

    stages: (iterations, game) pairs in their order; the last one goes on for as long as the run does, whatever its number.
    Samples are drawn as in the last one.
    """

    def __init__(self, stages: list[tuple[int, Game]]):
        self.stages = stages
        last = stages[-1][1]
        super().__init__(last.nets, last.players, last.terms, last.latent, last._sample, last._show, last.step, last.view,
                         last.classes, last.metrics, last.unit)
        for _, game in stages:
            if game.nets.keys() != self.nets.keys() or any(game.nets[name] is not net for name, net in self.nets.items()):
                raise ConfigError("every stage must have the same nets, under the same names")

    def at(self, step: int) -> Game:
        """The stage that the iteration after `step` belongs to."""
        for iterations, game in self.stages[:-1]:
            if step < iterations:
                return game
            step -= iterations
        return self.stages[-1][1]

    def to(self, device: str) -> "Stages":
        """Move the nets to a device."""
        for _, game in self.stages:
            game.to(device)
        self.device = device
        return self

    def state_dict(self) -> dict:
        """Weights, and each stage's players."""
        return {"nets": {name: net.state_dict() for name, net in self.nets.items()},
                "stages": [game.state_dict()["players"] for _, game in self.stages]}

    def load_state_dict(self, state) -> None:
        """Go back to a saved state.  CheckpointError if it was saved from another game."""
        if len(state["stages"]) != len(self.stages):
            raise CheckpointError(f"the state has {len(state['stages'])} stages, this game {len(self.stages)}")
        for players, (_, game) in zip(state["stages"], self.stages):
            game.load_state_dict({"nets": state["nets"], "players": players})


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what NumPy would warn of is found and named here
def play(game: Game, batches, streams, progress: float = 0.0, read: Callable | None = float) -> dict[str, float]:
    """One iteration: every player takes its turns.   Returns, of each player's last turn, its loss, the Euclidean norm of
    its gradient as "D.gradient", and each term where there are several, as "D.penalty".

    batches: an iterator of data.Batch; streams: the run's named random generators (backend.Streams); progress: the part
    of the run that is done, from 0 to 1.
    read: makes a number of a scalar.  On a GPU that waits for the card, so a run does it every so many steps only; with None
    nothing is read, checked or returned, and a step on a GPU sends and awaits nothing.
    NotFiniteError, naming the op that made it, as soon as a loss or a gradient that is read is NaN or infinite.
    """
    losses, streams = {}, streams.on(game.device)
    with cuda.device(game.device):
        for player in game.players:
            for _ in range(player.steps):
                step = game.step(game, player, next(batches), streams, progress)
                parts = game.parts(step)
                loss = sum(parts.values())
                gradients = player.gradients(loss)
                if read is not None:
                    losses[player.name], losses[f"{player.name}.gradient"] = read(loss), read(_norm(gradients))
                    if len(parts) > 1:
                        losses.update({f"{player.name}.{name}": read(part) for name, part in parts.items()})
                if read is float and not math.isfinite(losses[player.name] + losses[f"{player.name}.gradient"]):
                    blame(game, step)
                player.update(gradients, loss, partial(_retake, game, step))
    return losses


def _retake(game, step):
    """The step's loss and gradients with the weights of now."""
    loss = sum(game.parts(step.again()).values())
    return float(loss), step.player.gradients(loss)


def _norm(gradients):
    """The Euclidean norm of all gradients together, a scalar; NaN or infinite only if one of their numbers is."""
    flats = [g.data.reshape(-1) for g in gradients if g is not None]
    m = xp(*flats)
    if m is not np:  # one norm for each, nothing read, and in float64, where no square of a float32 overflows
        return m.sqrt(sum(m.square(flat, dtype=np.float64).sum() for flat in flats))
    squared = float(sum(np.dot(flat, flat) for flat in flats))
    if math.isfinite(squared):
        return math.sqrt(squared)
    return math.sqrt(sum(float(np.square(flat, dtype=np.float64).sum()) for flat in flats))  # 1e20 is finite in float32,
    # its square is not


def blame(game, step):
    """Take the step again, watched, to name the op that first makes a NaN or an infinity; always raises NotFiniteError.

    Dropout draws afresh, so where only that noise made the value, the message cannot name the op.
    """
    from minigan.debug import debug
    from minigan.errors import NotFiniteError

    try:
        with debug():
            step.player.gradients(sum(game.parts(step.again()).values()))
    except NotFiniteError as error:
        raise NotFiniteError(f"player {step.player.name}: {error}") from None
    raise NotFiniteError(f"player {step.player.name}: a loss or gradient overflowed when its terms were added")
