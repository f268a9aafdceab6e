"""Hooks: functions that observe the run every n steps and may return numbers for the log.

Every       a function of the session that is called every n steps       Alarm     warns when all samples look alike
Schedule    the learning rates over the run, from the settings `schedule`, `final_lr`, `monitor`, `patience`, `factor`
A hook must not change anything: a run ends with the same bits with it and without it.  Add your own hook with
    session.hooks.append(Every(100, lambda session: {"mean": float(session.sample(100).mean())}))
The schedule changes the learning rates, so it is not a hook.   Elsewhere: when hooks are called (session.py).
"""

import math
from typing import Any

import numpy as np

from minigan.errors import ConfigError, choose
from minigan.metrics import Number, diversity
from minigan.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LinearLR, ReduceLROnPlateau, StepLR
from minigan.runs import evaluation
from minigan.runs.aside import say


class Every:
    """Calls function(session) every n steps; it returns {name: number} for the log, or None."""

    def __init__(self, n: int, function):
        self.n, self.function = n, function

    def __call__(self, session) -> dict | None:
        return self.function(session) if session.step % self.n == 0 else None


# ---- the collapse alarm ----------------------------------------------------------------------------------------------

LOOKED_AT = 256  # samples; more of them would change the diversity by a few percent only
# Measured diversities.  ring8: one mode of eight 0.01, two neighbouring modes 0.30, two opposite modes 0.80.  digits: real
# digits of one class 0.7 to 0.9, an untrained G 0.16, an MLP early in training 0.2 or more.  So below 0.15 G has collapsed.
COLLAPSED = 0.15
WARM_UP = 0.2  # fraction of the run without an alarm, because a new G draws nearly the same picture for every z


class Alarm:
    """Logs the diversity of the samples, and warns once, on stderr and in the log, when it is below COLLAPSED twice in a row.

    One low value is not enough, because a healthy G may have one.  The alarm never stops the run, and says nothing where the
    real samples do not differ.
    real: real samples to compare with.   records: the log so far, which tells whether the last value was low and whether
    the alarm was already given.
    """

    def __init__(self, real: np.ndarray, records: list[dict]):
        self.real = real if np.ptp(real, axis=0).any() else None  # diversity compares with their distances
        self.told, self.low = any("alarm" in r for r in records), False
        for record in records:
            if "diversity" in record.get("metrics", {}):
                self.low = record["metrics"]["diversity"] < COLLAPSED

    def __call__(self, session) -> dict | None:
        """Return {"diversity": value}, or None when the samples are not finite or are not real numbers (tokens), and when all
        real ones are the same."""
        if self.real is None or not session.description.x.real:
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
            say(f"\n{text}; the run continues, and report.html says what to try")
        return {"diversity": value}


# ---- learning rates --------------------------------------------------------------------------------------------------

READ_EVERY = 10  # on a GPU the plateau schedule reads every tenth loss, because reading one waits for the GPU


def _step(optimizer, steps, end):
    return StepLR(optimizer, steps // 3 + 1, math.sqrt(end))


SCHEDULES = {  # arguments: optimizer, steps of the run, final learning rate as a fraction of the first
    "linear": lambda optimizer, steps, end: LinearLR(optimizer, 1.0, end, steps),
    "cosine": lambda optimizer, steps, end: CosineAnnealingLR(optimizer, steps, end * optimizer.param_groups[0]["lr"]),
    "exponential": lambda optimizer, steps, end: ExponentialLR(optimizer, end ** (1 / steps)),
    "step": _step,  # the learning rate drops twice, after each third of the run
}


class Schedule:
    """Changes the learning rate of every player, as the settings say.  Call step(...) after every iteration.

    linear, cosine, exponential, step: the learning rate falls from its first value to `final_lr` times that value at the last
    step of the settings, and stays there if the run is made longer.
    plateau: the learning rate is multiplied by `factor` when `monitor` has not improved on its best value for more than
    `patience` measurements in a row; the minimum is `final_lr` times the first value.
    monitor: a player's name stands for the mean of its loss over `metrics_every` steps, and "loss" for that of the only
    player.  A metric's name stands for `number`, which is read whenever it is measured; `of` finds it.
    Raises ConfigError for a setting that is unknown or out of range, for "loss" in a game of two players, because their losses
    do not say how good the samples are, and for a plateau that waits neither for a player nor for a number.
    """

    def __init__(self, settings, game, number: Number | None = None):
        self.kind, self.steps, self.player, self.number = settings.schedule, settings.steps, None, number
        self.t, self.sum, self.count = 0, 0.0, 0
        self.every, end = settings.metrics_every, settings.final_lr
        choose("schedule", self.kind, dict.fromkeys(["none", *SCHEDULES, "plateau"]))
        if end > 1 or not 0 < settings.factor < 1:
            raise ConfigError(
                f"final_lr={end} and factor={settings.factor}: both multiply a learning rate, so final_lr must "
                "be from 0 to 1, and factor must be above 0 and below 1"
            )
        if end == 0 and self.kind in ("exponential", "step"):
            raise ConfigError(
                f"schedule={self.kind}: multiplies the learning rate and so never reaches 0; set final_lr above 0, such as 0.01"
            )
        players = game.all_players()
        self.optimizers = {}
        for player in players:  # a player may appear in two stages; one that needs no gradient has no optimizer
            if hasattr(player, "optimizer") and all(player.optimizer is not other for other in self.optimizers.values()):
                name = player.name if player.name not in self.optimizers else f"{player.name}{len(self.optimizers)}"
                self.optimizers[name] = player.optimizer
        if self.kind == "plateau":
            self._monitor(settings.monitor, [player.name for player in players])
            make = lambda o: ReduceLROnPlateau(
                o, "max", settings.factor, settings.patience, 0.0, "abs", min_lr=end * o.param_groups[0]["lr"], eps=0.0
            )
        elif self.kind != "none":
            make = lambda o: SCHEDULES[self.kind](o, self.steps, end)
        self.schedules: list[Any] = [make(o) for o in self.optimizers.values()] if self.kind != "none" else []

    @classmethod
    def of(cls, settings, system, game, dataset) -> "Schedule":
        """The schedule of these settings, with the number that it waits for, if it waits for one.

        dataset: the data set or its Description.   Raises ConfigError also for a monitor that is no metric and no player."""
        waited_for = evaluation.monitored(settings, system, game, dataset)
        return cls(settings, game, waited_for and waited_for[1])

    def _monitor(self, name, players):
        if name == "loss":
            if len(set(players)) > 1:
                raise ConfigError(
                    f"schedule=plateau: the losses of {' and '.join(dict.fromkeys(players))} say who is ahead, "
                    "not how good the samples are; set monitor to a metric, such as monitor=fid-digits, or to "
                    "a player"
                )
            name = players[0]
        self.player = name if name in players else None
        if self.player is None and self.number is None:
            raise ConfigError(
                f"schedule=plateau: monitor={name} is no player of this game (they are "
                f"{', '.join(dict.fromkeys(players))}), and no number of a metric is given"
            )

    def reads(self, step: int) -> bool:
        """On a GPU, does the schedule read the loss of this step?  This depends on nothing else that reads losses, so that
        the learning rates do not either."""
        return self.kind == "plateau" and self.player is not None and step % READ_EVERY == 0

    def step(self, losses: dict, metrics: dict) -> None:
        """Update the learning rates after an iteration.   losses: {} if they were not read.   metrics: those measured in this
        iteration, {} if none were."""
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
        """The current learning rates, {"D.lr": ..., "G.lr": ...}; {} without a schedule."""
        if self.kind == "none":
            return {}
        return {f"{name}.lr": float(optimizer.param_groups[0]["lr"]) for name, optimizer in self.optimizers.items()}

    def state_dict(self) -> dict:
        """The state to save in a checkpoint."""
        return {
            "t": self.t,
            "sum": self.sum,
            "count": self.count,
            "steps": self.steps,
            "schedules": [s.state_dict() for s in self.schedules],
        }

    def load_state_dict(self, state) -> None:
        """Go back to a saved state."""
        self.t, self.sum, self.steps = int(state["t"]), float(state["sum"]), int(state["steps"])
        self.count = int(state.get("count", self.t % self.every))  # old checkpoints do not have it
        for schedule, saved in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(saved)
