"""What may change in the middle of a run: the learning rates, the number of steps, and what happens every so many steps.

free        settings that change no step, so a checkpoint does not hold them
lasting     the other settings, as a checkpoint holds them
changed     what is different now, and allowed; anything else is refused
Rates       the learning rates that the settings say, to be kept when a checkpoint is loaded
A change is read from config.toml, where `minigan resume --set` writes it too, and is noted there in `earlier`.
"""

from typing import Any

from minigan.errors import CheckpointError
from minigan.train.settings import word


def free(name: str) -> bool:
    """Does a setting change neither the weights of a step nor its random draws?"""
    return name in ("steps", "metrics", "capture") or name.endswith("_every")


def rate(name: str) -> bool:
    """Is a setting a learning rate?"""
    return name == "lr" or name.startswith("lr_")


def may_change(name: str) -> bool:
    """May a setting change in the middle of a run?"""
    return free(name) or rate(name)


def lasting(settings) -> dict[str, Any]:
    """The settings that a checkpoint holds: {name: value}."""
    return {name: value for name, value in vars(settings).items() if not free(name)}


def changed(settings, saved: dict, where, step: int) -> dict[str, Any]:
    """{name: its value then} of the rates that are different now from those in a checkpoint of this step.

    saved: `lasting` in the checkpoint.   where: config.toml, for the message.   Raises CheckpointError for any other setting
    that is different."""
    now = lasting(settings)
    different = {name: value for name, value in saved.items() if name in now and now[name] != value}
    for name, value in different.items():
        if not rate(name):
            raise CheckpointError(
                f"{where}: {name} is {word(now[name])}, and was {word(value)} up to step {step}; it cannot change during a run "
                "(learning rates, steps and every-so-many can): put it back, or start a new run"
            )
    return different


class Rates:
    """The learning rates of a game's optimizers before anything was trained, as the settings say.

    optimizers: {name: optimizer}; schedules: those of hooks.Schedule, one for each optimizer or none.   Make it before a
    checkpoint is loaded."""

    def __init__(self, schedule):
        self.optimizers, self.schedules = schedule.optimizers, schedule.schedules
        self.first = {name: [group.get("lr") for group in o.param_groups] for name, o in self.optimizers.items()}

    def restore(self, saved: dict | None) -> None:
        """Keep these rates in the optimizers, which have just loaded the state of a checkpoint.

        saved: `first` in the checkpoint.   Where a schedule has changed a rate, it stays the same share of the first one."""
        schedules = dict(zip(self.optimizers, self.schedules))
        for name, optimizer in self.optimizers.items():
            if saved is None or saved.get(name) == self.first[name]:
                continue
            for i, (group, old, new) in enumerate(zip(optimizer.param_groups, saved[name], self.first[name])):
                share = group["lr"] / old if old else 1.0
                group["lr"] = new * share
                if "initial_lr" in group:
                    group["initial_lr"] = new
                if schedule := schedules.get(name):
                    for key in ("base_lrs", "min_lrs"):
                        if hasattr(schedule, key):
                            getattr(schedule, key)[i] *= new / old if old else 1.0
                    if hasattr(schedule, "eta_min"):
                        schedule.eta_min *= new / old if old else 1.0
