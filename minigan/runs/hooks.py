"""What happens beside the training: every so many steps somebody looks, and may say a number for the log.

Every       a function of the session, called every n steps              Alarm     says so when all samples look alike
Schedule    the learning rates over the run, from the settings `schedule`, `final_lr`, `monitor`, `patience`, `factor`
A hook looks and never touches: a run ends in the same bits with and without it.  Add one of your own with
    session.hooks.append(Every(100, lambda session: {"mean": float(session.sample(100).mean())}))
Only the schedule touches something, the learning rates, and so it is no hook.   Elsewhere: when they are called (session.py).
"""

import math
import sys
from typing import Any

import numpy as np

from minigan.errors import ConfigError, choose
from minigan.metrics import Number, diversity
from minigan.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LinearLR, ReduceLROnPlateau, StepLR


class Every:
    """function(session), called every n steps; the numbers it returns, {name: number} or None, go into the log."""

    def __init__(self, n: int, function):
        self.n, self.function = n, function

    def __call__(self, session) -> dict | None:
        return self.function(session) if session.step % self.n == 0 else None


# ---- the collapse alarm ----------------------------------------------------------------------------------------------

LOOKED_AT = 256  # samples; their diversity is then within a few percent of that of many more
# On ring8 one mode of eight gives 0.01, two neighbours 0.30, two opposite ones 0.80.  On digits 0.7 to 0.9 is what real ones
# of a single class give, an untrained G 0.16 and an MLP that still learns from 0.2 up.  So below 0.15 G draws one thing.
COLLAPSED = 0.15
WARM_UP = 0.2  # the part of the run in which it says nothing: at first G draws nearly the same picture for every z


class Alarm:
    """The samples' diversity for the log; a line on stderr and in the log, once, when it was below COLLAPSED twice in a row.

    Twice, because a healthy G may pass through one such moment.  It never stops the run.
    real: real samples to compare with.   records: of the log so far, from which it knows what it has seen and said.
    """

    def __init__(self, real: np.ndarray, records: list[dict]):
        self.real, self.told, self.low = real, any("alarm" in r for r in records), False
        for record in records:
            if "diversity" in record.get("metrics", {}):
                self.low = record["metrics"]["diversity"] < COLLAPSED

    def __call__(self, session) -> dict | None:
        """{"diversity": ...}; None for samples that are no real numbers, such as tokens, or that are not finite."""
        if not session.description.x.real:
            return None
        samples = session.sample(LOOKED_AT)
        if not np.isfinite(samples).all():
            return None
        value = diversity(samples, self.real)
        before, self.low = self.low, value < COLLAPSED
        if before and self.low and not self.told and session.step > WARM_UP * session.settings.steps:
            self.told = True
            text = f"collapse: at step {session.step} G's samples differ {value:.2f} times as much as real ones"
            session.run.log({"step": session.step, "alarm": text})
            print(f"\n{text}; the run goes on, report.html says what to try", file=sys.stderr)
        return {"diversity": value}


# ---- learning rates --------------------------------------------------------------------------------------------------

READ_EVERY = 10  # steps between two losses that a plateau on a GPU hears of: to read one waits for the card


def _step(optimizer, steps, end):
    return StepLR(optimizer, steps // 3 + 1, math.sqrt(end))


SCHEDULES = {  # optimizer, steps of the run, the part of the learning rate that is left at its end
    "linear": lambda optimizer, steps, end: LinearLR(optimizer, 1.0, end, steps),
    "cosine": lambda optimizer, steps, end: CosineAnnealingLR(optimizer, steps, end * optimizer.param_groups[0]["lr"]),
    "exponential": lambda optimizer, steps, end: ExponentialLR(optimizer, end ** (1 / steps)),
    "step": _step,  # two falls, after each third of the run
}


class Schedule:
    """The learning rates of every player, as the settings say.  step(...) after every iteration.

    linear, cosine, exponential, step: from the learning rate to `final_lr` times it, at the last step of the settings; they
    stay there if the run is made longer.
    plateau: times `factor` when `monitor` was not better than its best so far for more than `patience` looks in a row, down
    to `final_lr` times what it was.  monitor: a player's name, for the mean of its loss over `metrics_every` steps; "loss" is
    the only player's; or else a metric, of which `number` is looked at whenever it is measured (evaluation.monitored).
    ConfigError for a setting that is unknown or out of range, and for "loss" where two players' losses say nothing.
    """

    def __init__(self, settings, game, number: Number | None = None):
        self.kind, self.steps, self.player, self.number = settings.schedule, settings.steps, None, number
        self.t, self.sum, self.count = 0, 0.0, 0
        self.every, end = settings.metrics_every, settings.final_lr
        choose("schedule", self.kind, dict.fromkeys(["none", *SCHEDULES, "plateau"]))
        if end > 1 or not 0 < settings.factor < 1:
            raise ConfigError(f"final_lr is from 0 to 1 and factor between 0 and 1: both are parts of a learning rate; "
                              f"got {end} and {settings.factor}")
        if end == 0 and self.kind in ("exponential", "step"):
            raise ConfigError(f"schedule={self.kind}: multiplies, and never reaches 0; set final_lr above 0, such as 0.01")
        players = [player for _, stage in getattr(game, "stages", [(0, game)]) for player in stage.players]
        self.optimizers = {}
        for player in players:  # a player of two stages, once; one that needs no gradient has no learning rate
            if hasattr(player, "optimizer") and all(player.optimizer is not other for other in self.optimizers.values()):
                name = player.name if player.name not in self.optimizers else f"{player.name}{len(self.optimizers)}"
                self.optimizers[name] = player.optimizer
        if self.kind == "plateau":
            self._monitor(settings.monitor, [player.name for player in players])
            make = lambda o: ReduceLROnPlateau(o, "max", settings.factor, settings.patience, 0.0, "abs",
                                               min_lr=end * o.param_groups[0]["lr"], eps=0.0)
        elif self.kind != "none":
            make = lambda o: SCHEDULES[self.kind](o, self.steps, end)
        self.schedules: list[Any] = [make(o) for o in self.optimizers.values()] if self.kind != "none" else []

    def _monitor(self, name, players):
        if name == "loss":
            if len(set(players)) > 1:
                raise ConfigError(f"schedule=plateau: the losses of {' and '.join(dict.fromkeys(players))} say who is ahead, "
                                  "not how good the samples are; set monitor to a metric, such as monitor=fid-digits, or to "
                                  "a player")
            name = players[0]
        self.player = name if name in players else None

    def reads(self, step: int) -> bool:
        """On a GPU: is this step's loss read for the schedule?  However often others look, at the same steps."""
        return self.kind == "plateau" and self.player is not None and step % READ_EVERY == 0

    def step(self, losses: dict, metrics: dict) -> None:
        """After an iteration: its losses, nothing if they were not read; and the metrics measured in it, if any."""
        self.t += 1
        if self.kind == "plateau":
            self._look(losses, metrics)
        elif self.t <= self.steps:
            for schedule in self.schedules:
                schedule.step()

    def _look(self, losses, metrics):
        value = None
        if self.player is None:
            value = self.number.merit(metrics[self.number.name]) if self.number.name in metrics else None
        else:
            if self.player in losses:
                self.sum, self.count = self.sum + losses[self.player], self.count + 1
            if self.t % self.every == 0 and self.count:
                value, self.sum, self.count = -self.sum / self.count, 0.0, 0
        if value is not None:
            for schedule in self.schedules:
                schedule.step(value)

    def rates(self) -> dict[str, float]:
        """{"D.lr": ..., "G.lr": ...}, nothing without a schedule."""
        if self.kind == "none":
            return {}
        return {f"{name}.lr": float(optimizer.param_groups[0]["lr"]) for name, optimizer in self.optimizers.items()}

    def state_dict(self) -> dict:
        """What `step` has come to."""
        return {"t": self.t, "sum": self.sum, "count": self.count, "steps": self.steps,
                "schedules": [s.state_dict() for s in self.schedules]}

    def load_state_dict(self, state) -> None:
        """Go back to a saved state."""
        self.t, self.sum, self.steps = int(state["t"]), float(state["sum"]), int(state["steps"])
        self.count = int(state.get("count", self.t % self.every))  # not in those of before there were GPUs
        for schedule, saved in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(saved)
