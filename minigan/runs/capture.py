"""An iteration of a game as a CUDA graph: recorded once, then launched, so that neither Python nor the start of each kernel
takes time.

Captured    plays a game's iterations like game.play, the first few by it, the rest by launching what was recorded

A recorded iteration repeats the work on the card: the same kernels, at the same addresses, with the same numbers from the
host.  So a batch is copied to where the recording reads it.  Random draws and the steps of Adam and of averages are counted on
the card (kernels/cuda/random.py, kernels/cuda/adam.py, stabilisers.py); draws both from the run's streams and from the default
ones, which dropout takes.  The losses stay where the recording leaves them, and
are read when somebody looks.  Memory comes from a pool of the graph's own, since nobody else may be given it between two
launches.  What else changes from step to step on the host can't be recorded; `refuse` says what that is.
"""

import contextlib
import math
from itertools import islice
from typing import Any

from minigan import cuda
from minigan.backend import kept, xp
from minigan.errors import ConfigError, NotFiniteError
from minigan.optim import SGD, Adam, RMSprop
from minigan.streams import streams as layers_streams
from minigan.tensor import plain
from minigan.train.game import Game, Player, Stages, play
from minigan.train.stabilisers import Counting, WeightClip

WARM_UP = 3  # iterations that are played as ever: kernels are compiled, handles made, optimizers get their state


def refuse(game: Game, schedule: str = "none") -> None:
    """ConfigError, with the reason, for a game whose iterations can't be recorded.   schedule: of its learning rates."""
    reason = None
    strangers = [player for player in game.players if not isinstance(player, Player)]
    players = [player for player in game.players if isinstance(player, Player)]
    pieces = [piece for player in players for piece in player.after if not isinstance(piece, (WeightClip, Counting))]
    optimizers = [player.optimizer for player in players]
    others = [optimizer for optimizer in optimizers if type(optimizer) not in (SGD, Adam, RMSprop)]
    if game.device == "cpu":
        reason = "a recording is made on a GPU; use --device cuda"
    elif isinstance(game, Stages):
        reason = "the game is played in stages, which differ"
    elif strangers:
        reason = f"what the {type(strangers[0]).__name__} {strangers[0].name} does in its turn may be decided on the host"
    elif others:
        reason = f"{type(others[0]).__name__} decides on the host what the next step is; use adam, sgd or rmsprop"
    elif pieces:
        reason = f"its {type(pieces[0]).__name__} fills up from step to step on the host"
    elif game.step.fades:
        reason = f"its {game.step.__name__} computes with the progress of the run, a number from the host"
    elif schedule in ("linear", "cosine", "exponential") and not all(isinstance(o, Adam) for o in optimizers):
        reason = f"schedule={schedule} changes a learning rate at every step, which only Adam reads on the card; use it"
    if reason:
        raise ConfigError(f"capture=true: this game can't be recorded: {reason}, or set capture=false")


class Captured:
    """play(batches, streams, progress, read) plays one iteration of the game, as game.play does; see there.

    A changed learning rate makes a new recording.   ConfigError, from `refuse`, for a game that can't be recorded.
    """

    def __init__(self, game: Game):
        refuse(game)
        self.game, self.played = game, 0
        self.graph: Any = None

    def play(self, batches, streams, progress: float = 0.0, read=float) -> dict[str, float]:
        """One iteration.   NotFiniteError, which can't name the op, when a loss or gradient that is read is not finite."""
        self.played += 1
        with cuda.device(self.game.device), self._stream_of_its_own():
            if self.played == WARM_UP:  # the last time that a kernel may be new
                for counting, _ in self._counting():
                    counting.count_on_card()
            if self.played <= WARM_UP:
                losses = play(self.game, batches, streams, progress, read=plain)
            else:
                if self.graph is None or self.rates != self._rates():
                    self._record(batches, streams, progress)
                else:
                    self._prepare(batches, streams)
                self.graph.launch(self.stream)
                losses = self.losses
            return {} if read is None else self._checked({name: read(scalar) for name, scalar in losses.items()})

    def _prepare(self, batches, streams):
        """Put the next batches where the recording reads them; count on the host what it will count on the card."""
        for held, new in zip(self.batches, batches):
            for field, value in zip(held, new):
                if field is not None:
                    field[...] = value
        for drawn_from in (streams, layers_streams):
            drawn_from.repeated()
        for counting, times in self._counting():
            counting.repeated(times)

    @contextlib.contextmanager
    def _stream_of_its_own(self):
        """Work goes to a stream that can be recorded; it waits for the work before, and the work after waits for it."""
        if self.played == 1:
            self.cupy = xp(self.game.players[0].parameters[0].data)
            self.stream, self.pool = self.cupy.cuda.Stream(non_blocking=True), self.cupy.cuda.MemoryPool()
        outside = self.cupy.cuda.get_current_stream()
        self.stream.wait_event(outside.record())
        try:
            with self.stream:
                yield
        finally:
            outside.wait_event(self.stream.record())

    def _counting(self):
        """What counts its steps, and how many steps an iteration has."""
        for player in self.game.players:
            for piece in (player.optimizer, *player.after):
                if not isinstance(piece, WeightClip):
                    yield piece, player.steps

    def _rates(self):
        """The learning rates that the recording holds as numbers; Adam reads its own on the card."""
        return [group["lr"] for player in self.game.players if not isinstance(player.optimizer, Adam)
                for group in player.optimizer.param_groups]

    def _record(self, batches, streams, progress):
        turns = sum(player.steps for player in self.game.players)
        self.batches = [type(batch)(*(None if array is None else array.copy() for array in batch))
                        for batch in islice(batches, turns)]
        buffers = [(buffer, buffer.data) for net in self.game.nets.values() for _, buffer in net.named_buffers()]
        self.rates = self._rates()
        _advance(streams)  # the numbers of the draws that are recorded are counted from here
        for counting, _ in self._counting():
            counting.repeated(0)  # Adam takes the learning rate of now to the card
        with self.cupy.cuda.using_allocator(self.pool.malloc):
            self.stream.begin_capture()
            try:
                losses = play(self.game, iter(self.batches), streams, progress, read=plain)
                self.losses = {name: self.cupy.asarray(scalar) for name, scalar in losses.items()}
                for buffer, held in buffers:  # a buffer that was replaced, not changed, is read at its old place next time
                    if buffer.data is not held:
                        held[...], buffer.data = buffer.data, held
                _advance(streams)
            except BaseException:
                with contextlib.suppress(Exception):  # it tells only that the recording is broken, not by what
                    self.stream.end_capture()
                raise
            self.graph = self.stream.end_capture()
        self.constants = kept()  # the recording reads them where they are, whoever else lets go of them

    def _checked(self, losses):
        for name, value in losses.items():
            if not math.isfinite(value):
                raise NotFiniteError(f"{name} is {value}; a captured run can't name the op that made it; to learn "
                                     "it, put capture = false into config.toml and resume")
        return losses


def _advance(streams):
    for drawn_from in (streams, layers_streams):
        drawn_from.advance()
