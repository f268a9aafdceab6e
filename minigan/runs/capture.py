"""One iteration of a game, recorded once and then repeated without its Python: on a GPU as a CUDA graph, on the CPU by
mg.capture.

Captured    plays a game's iterations as game.play does, on a GPU: the first few through game.play, the others by a launch
Replayed    the same on the CPU           captured    the one that fits a game's device
refuse      raises ConfigError for a game whose iterations cannot be recorded

A graph repeats exactly the recorded work (capture/graph.py).  What must change between two launches is therefore handled on the
GPU:
  - Each batch is copied to the address that the graph reads.
  - The GPU counts random draws (from the run's streams and from the default ones, which dropout uses), the steps of Adam and
    the steps of averages (kernels/cuda/random.py, kernels/cuda/adam.py, stabilisers.py).
  - The losses stay at their address on the GPU and are read only when they are needed.
"""

import math
from itertools import islice
from typing import Any

from minigan import cuda
from minigan.backend import xp
from minigan.capture import capture
from minigan.capture.graph import Graph
from minigan.errors import ConfigError, NotFiniteError
from minigan.optim import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop
from minigan.streams import streams as layers_streams
from minigan.tensor import plain
from minigan.train.game import Game, Player, Stages, play
from minigan.train.stabilisers import Counting, MovingAverage, WeightClip

WARM_UP = 3  # iterations without a graph: they compile kernels, create library handles and set up the optimizers' state


def refuse(game: Game, schedule: str = "none") -> None:
    """Raise ConfigError, with the reason, when the iterations of this game cannot be recorded.

    schedule: the setting `schedule`, which says how the learning rates change."""
    reason, on_cpu = None, game.device == "cpu"
    rules = (SGD, Adam, RMSprop, AdamW, Adagrad, Adadelta) if on_cpu else (SGD, Adam, RMSprop)
    after = (WeightClip, MovingAverage) if on_cpu else (WeightClip, Counting)
    strangers = [player for player in game.players if not isinstance(player, Player)]
    players = [player for player in game.players if isinstance(player, Player)]
    pieces = [piece for player in players for piece in player.after if not isinstance(piece, after)]
    optimizers = [player.optimizer for player in players]
    others = [optimizer for optimizer in optimizers if type(optimizer) not in rules]
    if isinstance(game, Stages):
        reason = "it has several stages, and their iterations differ"
    elif strangers:
        reason = f"the {type(strangers[0]).__name__} {strangers[0].name} may make decisions on the host in its turn"
    elif others:
        reason = f"{type(others[0]).__name__} chooses its next step on the host; use adam, sgd or rmsprop"
    elif pieces:
        reason = f"its {type(pieces[0]).__name__} changes at every step on the host"
    elif game.step.fades:
        reason = f"its {game.step.__name__} uses the progress of the run, a number that changes on the host"
    elif not on_cpu and schedule in ("linear", "cosine", "exponential") and not all(isinstance(o, Adam) for o in optimizers):
        reason = f"schedule={schedule} changes the learning rate at every step, and only Adam reads it on the GPU; use adam"
    if reason:
        raise ConfigError(
            f"capture=true: this game cannot be recorded: {reason}{', or' if '; use' in reason else ';'} set capture=false"
        )


def captured(game: Game) -> "Captured | Replayed":
    """What plays the iterations of this game.   Raises ConfigError for a game that `refuse` refuses."""
    return Replayed(game) if game.device == "cpu" else Captured(game)


class Replayed:
    """Plays iterations of a game through mg.capture: `Replayed(game).play(...)` takes and returns what game.play does."""

    def __init__(self, game: Game):
        refuse(game)
        self.game, self.step = game, capture(self._iteration)
        self.streams: Any = None

    def play(self, batches, streams, progress: float = 0.0, read=float) -> dict[str, float]:
        """Play one iteration.   Raises NotFiniteError when a loss or gradient that is read is not finite; the message cannot
        name the op.   CaptureError if the iteration cannot be recorded, or its replay differs."""
        self.streams = streams
        losses = self.step(_next(batches, self.game), read is not None)
        return {} if read is None else _checked({name: read(scalar) for name, scalar in losses.items()})

    def _iteration(self, batches, report):
        return play(self.game, iter(batches), self.streams, read=plain if report else None)


class Captured:
    """Plays iterations of a game through a CUDA graph: `Captured(game).play(...)` takes and returns what game.play does.

    When a learning rate changes, a new graph is recorded.   Raises ConfigError for a game that `refuse` refuses.
    """

    def __init__(self, game: Game):
        refuse(game)
        self.game, self.played = game, 0
        self.graph: Any = None

    def play(self, batches, streams, progress: float = 0.0, read=float) -> dict[str, float]:
        """Play one iteration.   Raises NotFiniteError when a loss or gradient that is read is not finite; the message cannot
        name the op."""
        self.played += 1
        if self.graph is None:
            self.graph = Graph(xp(self.game.players[0].parameters[0].data))
        with cuda.device(self.game.device), self.graph.its_stream():
            if self.played == WARM_UP:  # the last iteration in which a new kernel may be compiled
                for counting, _ in self._counting():
                    counting.count_on_card()
            if self.played <= WARM_UP:
                losses = play(self.game, batches, streams, progress, read=plain)
            else:
                if not self.graph.recorded or self.rates != self._rates():
                    self._record(batches, streams, progress)
                else:
                    self._prepare(batches, streams)
                self.graph.launch()
                losses = self.losses
            return {} if read is None else _checked({name: read(scalar) for name, scalar in losses.items()})

    def _prepare(self, batches, streams):
        """Copy the next batches to where the graph reads them, and keep the host's counters equal to those on the GPU."""
        for held, new in zip(self.batches, batches):
            for field, value in zip(held, new):
                if field is not None:
                    field[...] = value
        for drawn_from in (streams, layers_streams):
            drawn_from.repeated()
        for counting, times in self._counting():
            counting.repeated(times)

    def _counting(self):
        """Yield everything that counts its steps, with the number of its steps in one iteration."""
        for player in self.game.players:
            for piece in (player.optimizer, *player.after):
                if not isinstance(piece, WeightClip):
                    yield piece, player.steps

    def _rates(self):
        """The learning rates that are fixed numbers in the graph.  Adam's are not: it reads them from GPU memory."""
        return [
            group["lr"]
            for player in self.game.players
            if not isinstance(player.optimizer, Adam)
            for group in player.optimizer.param_groups
        ]

    def _record(self, batches, streams, progress):
        self.batches = [
            type(batch)(*(None if array is None else array.copy() for array in batch)) for batch in _next(batches, self.game)
        ]
        buffers = [(buffer, buffer.data) for net in self.game.nets.values() for _, buffer in net.named_buffers()]
        self.rates = self._rates()
        _advance(streams)  # the recorded draws are counted from here
        for counting, _ in self._counting():
            counting.repeated(0)  # copies Adam's current learning rate to the GPU

        def iteration():
            losses = play(self.game, iter(self.batches), streams, progress, read=plain)
            for buffer, held in buffers:  # if play replaced a buffer, the next launch still reads the old address
                if buffer.data is not held:
                    held[...], buffer.data = buffer.data, held
            _advance(streams)
            return {name: self.graph.cupy.asarray(scalar) for name, scalar in losses.items()}

        self.losses = self.graph.record(iteration)


def _next(batches, game) -> list:
    """The batches of one iteration."""
    return list(islice(batches, sum(player.steps for player in game.players)))


def _checked(losses):
    for name, value in losses.items():
        if not math.isfinite(value):
            raise NotFiniteError(
                f"{name} is {value}; with capture=true minigan cannot name the op; to find it, write "
                "capture = false into config.toml and resume"
            )
    return losses


def _advance(streams):
    for drawn_from in (streams, layers_streams):
        drawn_from.advance()
