"""The one training loop.  A Game has nets, players and terms; a VAE is a game with one player, a GAN is a game with two.

Player      updates some nets with an optimizer, once or more often per iteration; `take` is one turn
Term        one piece of one player's loss: a function of the Step
Step        what a turn sees: a batch, random draws, and the quantities that a system computes from them
Game        all of these together, and how to draw samples          play        one iteration: every player's turns
Stages      games that are played one after the other on the same nets
Elsewhere: the step of a GAN, and the GAN that settings describe (adversarial.py); the losses (objectives.py, penalties.py)
and the stabilisers (stabilisers.py).

A system writes a Step of its own, whose quantities are cached properties.  For a GAN these are G(z) and D's logits.
Gradients come from the function `grad`, for the player's own parameters only.  So nothing accumulates by accident, and no
weight gradients are computed for the other players' nets.
"""

import contextlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from typing import Any

import numpy as np

from minigan import cuda, moved
from minigan.autograd import grad
from minigan.backend import to_device, xp
from minigan.errors import CheckpointError, ConfigError, suggestion
from minigan.grad_mode import no_grad
from minigan.nn import Module
from minigan.tensor import Tensor
from minigan.watch import looking


class Normal:
    """The latent distribution N(0, I): z (n, dim) float32."""

    def __init__(self, dim: int):
        self.dim = dim

    def __call__(self, n, generator) -> np.ndarray:
        """n draws."""
        return generator.standard_normal((n, self.dim), dtype=np.float32)


class Player:
    """A player improves some nets by gradients, `steps` times per iteration.

    optimizer: a function from the parameters to an optimizer, such as partial(Adam, lr=2e-4).
    after: functions without arguments that are called after every update, such as a weight clip or a moving average
    (stabilisers.py).  If one has a state_dict, it is saved with the player.

    Nothing else in the loop knows about gradients.  So a player without them (evolution, a buffer, a fixed schedule) can be
    any object with name, nets, steps, take(step, read), state_dict() and load_state_dict(state), with or without terms.  It
    takes random numbers from step.draw; step.again() is the same turn, computed with the present weights.
    """

    def __init__(self, name: str, nets: list[Module], optimizer: Callable, steps: int = 1, after: Iterable[Callable] = ()):
        self.name, self.nets, self.steps, self.after = name, nets, steps, list(after)
        self.parameters = [p for net in nets for p in net.parameters()]
        self.optimizer = optimizer(self.parameters)

    def take(self, step, read: Callable | None = float) -> dict[str, float]:
        """Take one turn: compute the loss of the step and its gradients, then update.   See `play` for `read` and the
        result."""
        parts = step.game.parts(step)
        loss = sum(parts.values())
        gradients = self.gradients(loss)
        report = {} if read is None else self._report(step, read, parts, loss, gradients)
        if read is float and not math.isfinite(report[self.name] + report[f"{self.name}.gradient"]):
            blame(step)
        self.update(gradients, loss, partial(_retake, step))
        return report

    def _report(self, step, read, parts, loss, gradients):
        report = {self.name: read(loss), f"{self.name}.gradient": read(_norm(gradients))}
        if len(parts) > 1:
            report.update({f"{self.name}.{name}": read(part) for name, part in parts.items()})
        for term in step.game.terms:
            if term.player == self.name and term.watch:
                report.update({name: read(value) for name, value in term.watch(step).items()})
        return report

    def gradients(self, loss) -> list:
        """One gradient per parameter.  It is None for a parameter that the loss does not use, that is frozen, or that the
        optimizer's next step does not change (coordinate descent changes one block at a time)."""
        wanted = {id(p) for p in self.optimizer.wanted() if p.requires_grad}
        found = iter(grad(loss, [p for p in self.parameters if id(p) in wanted], allow_unused=True))
        return [next(found) if id(p) in wanted else None for p in self.parameters]

    def update(self, gradients, loss=None, closure=None) -> None:
        """Take one step along the gradients, one per parameter.

        loss: the loss at the present weights; closure() -> (loss, gradients) computes the same turn again at whatever weights
        the nets then have.  Only an optimizer with a line search uses these two."""
        self.optimizer.step(gradients, **({"loss": loss, "closure": closure} if self.optimizer.needs_closure else {}))
        for piece in self.after:
            piece()

    def state_dict(self) -> dict:
        """The state of the optimizer, and of the functions in `after` that have one."""
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
    """weight * loss(step): one summand of one player's loss.

    loss: a function from a Step to a scalar Tensor.   says: its formula, as objectives.py writes formulas.
    watch: a function from a Step, whose loss is computed, to {name: scalar}: numbers that are logged beside the losses
    """

    name: str
    player: str
    loss: Callable
    weight: float = 1.0
    says: str = ""
    watch: Callable | None = None

    @property
    def formula(self) -> str:
        """`says`, or the start of the loss's docstring: up to three spaces, or a period at the end of a line."""
        return self.says or re.split(r"   |[.]?$", self.loss.__doc__ or "", maxsplit=1, flags=re.MULTILINE)[0].rstrip(".,: ")


@moved.attributes
class Step:
    """One turn of one player: a batch and the random draws of this turn.   The base class of every system's own Step.

    A subclass adds its quantities as cached properties, so that each is computed at most once, and only if a term needs it.
    x (N, ...): the samples of the batch; labels (N,) or None; `field` returns any other field of the batch.
    progress: the part of the run that is done, from 0 to 1, for what fades over a run.  A subclass that reads it sets
    fades = True, because such a step cannot be recorded (runs/capture.py).
    """

    fades = False

    def __init__(self, game, player, batch, streams, progress=0.0, draws=None):
        self.game, self.player, self.batch, self.streams, self.progress = game, player, batch, streams, progress
        self._draws = {} if draws is None else draws

    def again(self):
        """The same turn, with the same batch and the same random draws, to be computed with the present weights."""
        return type(self)(self.game, self.player, self.batch, self.streams, self.progress, self._draws)

    @classmethod
    def check(cls, game, batch) -> None:
        """Raise ConfigError if a batch does not fit the game.  It is called while the batch is still on the host."""

    def trains(self, name) -> bool:
        """Does this turn update the net of that name?"""
        return self.game.nets[name] in self.player.nets

    def recording(self, name):
        """A context that records ops only if this turn updates that net; otherwise the results are constants."""
        return contextlib.nullcontext() if self.trains(name) else no_grad()

    def draw(self, name, function) -> Tensor:
        """A random constant of this turn: function(generator), where the generator is the run's stream of that name.

        The second call with a name returns the same array.  On a GPU the generator draws on the GPU, so nothing is sent."""
        if name not in self._draws:
            self._draws[name] = function(self.streams(name))
        return Tensor(to_device(self._draws[name], self.game.device))

    def field(self, name) -> Any:
        """The batch's field of that name (data/kinds.py) as an array on the game's device, or None if the data has none.

        ConfigError for a name that no field of the batch has."""
        if name not in self.batch._fields:
            raise ConfigError(f"step.field: a batch has no field {name!r}{suggestion(str(name), self.batch._fields)}")
        values = getattr(self.batch, name)
        return None if values is None else to_device(values, self.game.device)

    @cached_property
    def x(self):
        """The real samples, a constant."""
        return Tensor(self.field("x"))

    @cached_property
    def labels(self):
        """The labels of x (int64), or None."""
        return self.field("labels")


class Game:
    """Nets by name, players in the order of their turns, the terms of their losses, and how to draw samples.

    players: Players, or other objects that take turns; see Player.
    sample(z) -> Tensor: the samples for latent draws z, in evaluation mode; by default nets["G"](z).  A game with labels
    has the number of its `classes`, and its sample takes (z, labels).
    show(z) -> Tensor: the pictures that a run shows, by default its samples.   heads: the titles of the parts, if each
    picture consists of several parts side by side.
    judge: (text, function): what D says of samples x, each on its own, such as ("D(x)", lambda x: sigmoid(D(x))).
    step: the class of its turns, such as AdversarialStep (adversarial.py).   unit: the unit of the losses.
    undecided: D's adversarial loss if D cannot tell real from fake, for the diagnosis of a run; None if that has no level.
    ConfigError if a term is for an unknown player, or a Player has no term.
    """

    def __init__(
        self,
        nets: Mapping[str, Module],
        players: list[Player],
        terms: list[Term],
        latent: Callable,
        sample=None,
        show=None,
        step=Step,
        classes: int | None = None,
        unit: str = "",
        heads: tuple[str, ...] = (),
        undecided: float | None = None,
        judge: tuple[str, Callable] | None = None,
    ):
        self.nets, self.players, self.terms, self.latent = nets, players, terms, latent
        self.step, self.classes = step, classes
        self.device, self.unit = "cpu", unit
        self._sample: Callable = sample or (lambda z: nets["G"](z))
        self._show: Callable = show or self._sample
        self.heads, self.undecided, self.judge = heads, undecided, judge
        names = [player.name for player in players]
        for term in terms:
            if term.player not in names:
                raise ConfigError(f"term {term.name!r} is for player {term.player!r}{suggestion(term.player, names)}")
        if len(set(names)) != len(names):
            raise ConfigError(f"players must have different names, got {names}")
        for one, other in combinations(terms, 2):
            if (one.player, one.name) == (other.player, other.name):
                raise ConfigError(f"player {one.player!r} has two terms called {one.name!r}; name each differently")
        for player in players:
            if isinstance(player, Player) and not any(term.player == player.name for term in terms):
                raise ConfigError(f"player {player.name!r} has no term, so it has no loss to minimise; add a Term for it")

    def to(self, device: str) -> "Game":
        """Move the nets to a device, where turns and samples are computed from now on.   Returns self."""
        self.device = device
        for net in self.nets.values():
            net.to(device)
        return self

    def check(self, batch) -> None:
        """Raise ConfigError if a batch, on the host, does not fit the game."""
        self.step.check(self, batch)

    def parts(self, step: Step) -> dict[str, Tensor]:
        """The weighted terms of the step's player, by name."""
        return {term.name: term.weight * term.loss(step) for term in self.terms if term.player == step.player.name}

    def at(self, step: int) -> "Game":
        """The game to play in the iteration after `step`.  Here it is always this game; Stages has several."""
        return self

    def all_players(self) -> list:
        """The players of the whole run.  One that plays in two stages is here twice."""
        return list(self.players)

    def sample(self, z, labels=None, show=False) -> np.ndarray:
        """Samples for latent draws z (n, dim), as an array with one row for each.  It changes no net and draws no numbers.

        labels (n,) int: the wanted class of each sample, for a game that has classes.   show: return what the run's pictures
        show instead.
        """
        function = self._show if show else self._sample
        with self._evaluating():
            z = Tensor(to_device(z, self.device))
            return (function(z) if self.classes is None else function(z, labels)).to("cpu").numpy()

    def judged(self, x) -> np.ndarray:
        """What D says of samples x (n, ...), as an array (n,), for a game that has a `judge`; of several logits for a sample,
        the mean.  It changes no net and draws no numbers."""
        assert self.judge is not None
        with self._evaluating():
            return self.judge[1](Tensor(to_device(x, self.device))).to("cpu").numpy().reshape(len(x), -1).mean(axis=1)

    @contextlib.contextmanager
    def _evaluating(self):
        """Inside, all nets are in evaluation mode, and ops record nothing."""
        modes = {module: module.training for net in self.nets.values() for module in net.modules()}
        for net in self.nets.values():
            net.eval()
        try:
            with no_grad(), cuda.device(self.device):
                yield
        finally:
            for module, mode in modes.items():  # not net.train(): a part may be in evaluation mode on purpose
                module.training = mode

    def state_dict(self) -> dict:
        """Weights and optimizer states."""
        return {
            "nets": {name: net.state_dict() for name, net in self.nets.items()},
            "players": {player.name: player.state_dict() for player in self.players},
        }

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
    """Games that are played one after the other on the same nets, such as pretraining and then the adversarial game.

    stages: (iterations, game) pairs in their order.  The last game goes on until the run ends, whatever its number of
    iterations says.  Samples are drawn as in the last game.
    """

    def __init__(self, stages: list[tuple[int, Game]]):
        self.stages = stages
        last = stages[-1][1]
        super().__init__(
            last.nets,
            last.players,
            last.terms,
            last.latent,
            last._sample,
            last._show,
            last.step,
            last.classes,
            last.unit,
            last.heads,
        )
        for _, game in stages:
            if game.nets.keys() != self.nets.keys() or any(game.nets[name] is not net for name, net in self.nets.items()):
                raise ConfigError("Stages: every stage must have the same nets under the same names")

    def at(self, step: int) -> Game:
        """The stage that the iteration after `step` belongs to."""
        for iterations, game in self.stages[:-1]:
            if step < iterations:
                return game
            step -= iterations
        return self.stages[-1][1]

    def all_players(self) -> list:
        """The players of all stages, one stage after the other."""
        return [player for _, game in self.stages for player in game.players]

    def to(self, device: str) -> "Stages":
        """Move the nets to a device."""
        for _, game in self.stages:
            game.to(device)
        self.device = device
        return self

    def state_dict(self) -> dict:
        """Weights, and each stage's players."""
        return {
            "nets": {name: net.state_dict() for name, net in self.nets.items()},
            "stages": [game.state_dict()["players"] for _, game in self.stages],
        }

    def load_state_dict(self, state) -> None:
        """Go back to a saved state.  CheckpointError if it was saved from another game."""
        if len(state["stages"]) != len(self.stages):
            raise CheckpointError(f"the state has {len(state['stages'])} stages, this game {len(self.stages)}")
        for players, (_, game) in zip(state["stages"], self.stages):
            game.load_state_dict({"nets": state["nets"], "players": players})


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # `take` finds these cases itself, and `blame` names the op
def play(game: Game, batches, streams, progress: float = 0.0, read: Callable | None = float) -> dict[str, float]:
    """One iteration: every player takes its turns.   Returns the report of each player's last turn: its loss as "D", the
    Euclidean norm of its gradient as "D.gradient", each term, such as "D.penalty", if it has several, and what its terms watch,
    such as "D(x)".

    batches: an iterator of data.Batch; streams: the run's named random generators (streams.Streams); progress: the part
    of the run that is done, from 0 to 1.
    read: turns a scalar into a number.  On a GPU this waits for the GPU, so a run reads only every `log_every` steps.  With
    None, nothing is read, checked or returned, and a step on a GPU sends nothing and waits for nothing.
    NotFiniteError if a loss or a gradient that is read is NaN or infinite; it names the op that made it.
    """
    losses, streams = {}, streams.on(game.device)
    with cuda.device(game.device):
        for player in game.players:
            for _ in range(player.steps):
                step = game.step(game, player, next(batches), streams, progress)
                losses |= player.take(step, read)
    return losses


def _retake(step):
    """The step's loss and gradients with the present weights."""
    loss = sum(step.game.parts(step.again()).values())
    return float(loss), step.player.gradients(loss)


def _norm(gradients):
    """The Euclidean norm of all gradients together, a scalar.  It is NaN or infinite only if a gradient is."""
    flats = [g.data.reshape(-1) for g in gradients if g is not None]
    m = xp(*flats)
    if m is not np:  # on a GPU: float64, because a float32's square can overflow, and reading the sum to check would wait
        return m.sqrt(sum(m.square(flat, dtype=np.float64).sum() for flat in flats))
    return looking(_length, flats)


def _length(flats):
    squared = float(sum(np.dot(flat, flat) for flat in flats))
    if not math.isfinite(squared):  # 1e20 is finite in float32, but its square is not: only then pay for float64
        squared = sum(float(np.square(flat, dtype=np.float64).sum()) for flat in flats)
    return np.float64(math.sqrt(squared))


def blame(step):
    """Compute the step again under debug(), to name the op that first makes a NaN or an infinity.   Always raises
    NotFiniteError.

    Dropout draws new noise in the second pass.  If only the first noise made the value, the message cannot name the op.
    """
    from minigan.debug import debug
    from minigan.errors import NotFiniteError

    try:
        with debug():
            step.player.gradients(sum(step.game.parts(step.again()).values()))
    except NotFiniteError as error:
        raise NotFiniteError(f"player {step.player.name}: {error}") from None
    raise NotFiniteError(
        f"player {step.player.name}: the loss or gradient is not finite, but no op made it when the turn was "
        "computed again; a sum of terms has overflowed, or dropout drew other noise"
    )


moved.guard(__name__)
