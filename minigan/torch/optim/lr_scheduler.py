"""torch.optim.lr_scheduler: minigan's schedules, which work on any optimizer with param_groups.

LRScheduler   the base of schedules that a script writes itself: get_lr() gives the rates at self.last_epoch
The others take PyTorch's `last_epoch` and `verbose`, too; of last_epoch only -1, a start from the beginning.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from minigan.errors import ConfigError
from minigan.optim import lr_scheduler as _engine
from minigan.torch.missing import missing_from


class LRScheduler:
    """Base of a schedule of your own: write get_lr(), a list with the rate of each group at self.last_epoch."""

    def __init__(self, optimizer: Any, last_epoch: int = -1, verbose: Any = None):
        self.optimizer, self.last_epoch = optimizer, last_epoch
        self.base_lrs = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]
        self.step()

    def get_lr(self) -> list:
        """The rate of each group."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr(); a schedule must define one")

    def get_last_lr(self) -> list:
        """The present rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to this one."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        for group, lr in zip(self.optimizer.param_groups, self.get_lr()):
            group["lr"] = lr

    def state_dict(self) -> dict:
        """All attributes except the optimizer."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict) -> None:
        """Go back to a saved state."""
        vars(self).update(state_dict)


_LRScheduler = LRScheduler  # its old name


def _over(kind):
    """minigan's schedule with PyTorch's two arguments that say nothing here."""

    @wraps(kind.__init__)
    def start(self, *args, last_epoch=-1, verbose=None, **options):
        if last_epoch != -1:
            raise ConfigError(f"{kind.__name__}: last_epoch is always -1 here; to go on, use load_state_dict")
        kind.__init__(self, *args, **options)

    return type(
        kind.__name__, (kind,), {"__init__": start, "__doc__": kind.__doc__.partition("\n\n    >>>")[0], "__module__": __name__}
    )


for _name in (
    "StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR", "LambdaLR", "ReduceLROnPlateau",
):  # fmt: skip
    globals()[_name] = _over(getattr(_engine, _name))

__getattr__ = missing_from(__name__)
