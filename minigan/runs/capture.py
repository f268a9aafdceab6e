"""One iteration of a game as a CUDA graph.  It is recorded once and then launched again and again, which saves the time that
Python and the start of each kernel would take.

Captured    plays a game's iterations as game.play does: the first few through game.play, the others by launching the graph
refuse      raises ConfigError for a game whose iterations cannot be recorded

A graph repeats exactly the recorded work: the same kernels, the same addresses, the same numbers from the host.  What must
change between two launches is therefore handled on the GPU:
  - Each batch is copied to the address that the graph reads.
  - The GPU counts random draws (from the run's streams and from the default ones, which dropout uses), the steps of Adam and
    the steps of averages (kernels/cuda/random.py, kernels/cuda/adam.py, stabilisers.py).
  - The losses stay at their address on the GPU and are read only when they are needed.
The graph has its own memory pool, because nothing else may use its memory between two launches.
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

WARM_UP = 3  # iterations without a graph: they compile kernels, create library handles and set up the optimizers' state


def refuse(game: Game, schedule: str = "none") -> None:
    """Raise ConfigError, with the reason, when the iterations of this game cannot be recorded.

    schedule: the setting `schedule`, which says how the learning rates change."""
    reason = None
    strangers = [player for player in game.players if not isinstance(player, Player)]
    players = [player for player in game.players if isinstance(player, Player)]
    pieces = [piece for player in players for piece in player.after if not isinstance(piece, (WeightClip, Counting))]
    optimizers = [player.optimizer for player in players]
    others = [optimizer for optimizer in optimizers if type(optimizer) not in (SGD, Adam, RMSprop)]
    if game.device == "cpu":
        reason = "CUDA graphs need a GPU; use --device cuda"
    elif isinstance(game, Stages):
        reason = "it has several stages, and their iterations differ"
    elif strangers:
        reason = f"the {type(strangers[0]).__name__} {strangers[0].name} may make decisions on the host in its turn"
    elif others:
        reason = f"{type(others[0]).__name__} chooses its next step on the host; use adam, sgd or rmsprop"
    elif pieces:
        reason = f"its {type(pieces[0]).__name__} changes at every step on the host"
    elif game.step.fades:
        reason = f"its {game.step.__name__} uses the progress of the run, a number that changes on the host"
    elif schedule in ("linear", "cosine", "exponential") and not all(isinstance(o, Adam) for o in optimizers):
        reason = f"schedule={schedule} changes the learning rate at every step, and only Adam reads it on the GPU; use adam"
    if reason:
        raise ConfigError(
            f"capture=true: this game cannot be recorded: {reason}{', or' if '; use' in reason else ';'} set capture=false"
        )


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
        with cuda.device(self.game.device), self._stream_of_its_own():
            if self.played == WARM_UP:  # the last iteration in which a new kernel may be compiled
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
        """Copy the next batches to where the graph reads them, and keep the host's counters equal to those on the GPU."""
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
        """Run the work inside on a stream that can be recorded.  It starts after all earlier work, and later work waits for
        it."""
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
        turns = sum(player.steps for player in self.game.players)
        self.batches = [
            type(batch)(*(None if array is None else array.copy() for array in batch)) for batch in islice(batches, turns)
        ]
        buffers = [(buffer, buffer.data) for net in self.game.nets.values() for _, buffer in net.named_buffers()]
        self.rates = self._rates()
        _advance(streams)  # the recorded draws are counted from here
        for counting, _ in self._counting():
            counting.repeated(0)  # copies Adam's current learning rate to the GPU
        with self.cupy.cuda.using_allocator(self.pool.malloc):
            self.stream.begin_capture()
            try:
                losses = play(self.game, iter(self.batches), streams, progress, read=plain)
                self.losses = {name: self.cupy.asarray(scalar) for name, scalar in losses.items()}
                for buffer, held in buffers:  # if play replaced a buffer, the next launch still reads the old address
                    if buffer.data is not held:
                        held[...], buffer.data = buffer.data, held
                _advance(streams)
            except BaseException:
                with contextlib.suppress(Exception):  # its error would hide the first one, which names the cause
                    self.stream.end_capture()
                raise
            self.graph = self.stream.end_capture()
        self.constants = kept()  # the graph reads these arrays at their addresses, so they must stay alive

    def _checked(self, losses):
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
