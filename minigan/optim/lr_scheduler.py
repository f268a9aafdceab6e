"""Learning rates that change in time, under torch.optim.lr_scheduler's names, arguments, defaults and results.

StepLR   MultiStepLR   ExponentialLR   CosineAnnealingLR   LinearLR   LambdaLR     a formula in t, the number of step() calls
ReduceLROnPlateau                                            reduces lr when a measured value stops improving

A schedule computes the next group["lr"] of every group from the present one, so two schedules on one optimizer combine, or
follow each other.  They start from group["initial_lr"], the rate before the first of them, as in torch.  A schedule has no
argument last_epoch, which torch has: to resume, use load_state_dict.
"""

import math

import numpy as np

from minigan.errors import CheckpointError, ConfigError, suggestion


class _Schedule:
    """The base of all schedules: the optimizer, the count of steps, and a state of plain numbers and strings."""

    def __init__(self, optimizer):
        if not hasattr(optimizer, "param_groups"):
            raise ConfigError(f"{type(self).__name__}: the first argument is an optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        self.last_epoch = 0

    def get_last_lr(self) -> list:
        """The learning rate of every group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict:
        """All attributes except the optimizer, and the learning rates."""
        return {**{k: v for k, v in vars(self).items() if k != "optimizer"}, "lr": self.get_last_lr()}

    def load_state_dict(self, state: dict) -> None:
        """Go back to a saved state and its learning rates.  CheckpointError if it is of another schedule or other groups.

        In torch only the optimizer's state has the learning rates.  Here both have them, so you may load the two in any order.
        """
        names = set(state) if isinstance(state, dict) else set()
        if names != set(self.state_dict()) or len(state["lr"]) != len(self.optimizer.param_groups):
            raise CheckpointError(
                f"{type(self).__name__}: the saved state ({', '.join(map(str, names))}) is of another "
                f"schedule, or of an optimizer that has not {len(self.optimizer.param_groups)} group(s)"
            )
        vars(self).update({k: v for k, v in state.items() if k != "lr"})
        for group, lr in zip(self.optimizer.param_groups, state["lr"]):
            group["lr"] = lr


class LRScheduler(_Schedule):
    """Base of the schedules that are formulas.  A subclass writes `change`.

    last_epoch: t, the number of step() calls.  base_lrs: the learning rates before any schedule changed them, one per group.
    """

    def __init__(self, optimizer):
        super().__init__(optimizer)
        self.base_lrs = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]
        self._apply()

    def change(self, lr: float, base: float, t: int) -> float:
        """lr(t), computed from lr = lr(t - 1), or at t = 0 from the optimizer's own lr.   base: the initial rate."""
        raise TypeError(f"{type(self).__name__} has no change(); a schedule must define one")

    def _apply(self):
        for group, base in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = self.change(group["lr"], base, self.last_epoch)

    def step(self) -> None:
        """Go to the next t.  Call it after the optimizer's step: once per epoch, or once per iteration if t counts those."""
        self.last_epoch += 1
        self._apply()


class StepLR(LRScheduler):
    """lr(t) = lr(0) gamma^floor(t / step_size): lr changes every step_size steps.

    >>> sgd = mg.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.StepLR(sgd, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates.append(sgd.param_groups[0]["lr"])
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer, step_size: int, gamma: float = 0.1):
        self.step_size, self.gamma = _positive("StepLR", "step_size", step_size), gamma
        super().__init__(optimizer)

    def change(self, lr, base, t):
        """See the class."""
        return lr * self.gamma if t and t % self.step_size == 0 else lr


class ExponentialLR(LRScheduler):
    """lr(t) = lr(0) gamma^t."""

    def __init__(self, optimizer, gamma: float):
        self.gamma = gamma
        super().__init__(optimizer)

    def change(self, lr, base, t):
        """See the class."""
        return lr * self.gamma if t else lr


class MultiStepLR(LRScheduler):
    """lr(t) = lr(0) gamma^k, where k of the milestones are <= t: lr changes at each milestone."""

    def __init__(self, optimizer, milestones, gamma: float = 0.1):
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def change(self, lr, base, t):
        """See the class."""
        return lr * self.gamma ** self.milestones.count(t)


class LambdaLR(LRScheduler):
    """lr(t) = lr(0) lr_lambda(t).   lr_lambda: a function of t, or one for each group.   Its state does not have the
    functions.
    """

    def __init__(self, optimizer, lr_lambda):
        groups = len(optimizer.param_groups) if hasattr(optimizer, "param_groups") else 1
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups or not all(map(callable, self.lr_lambdas)):
            raise ConfigError(f"LambdaLR: lr_lambda must be a function of t, or {groups} of them, one for each group")
        super().__init__(optimizer)

    def _apply(self):
        for group, base, function in zip(self.optimizer.param_groups, self.base_lrs, self.lr_lambdas):
            group["lr"] = base * function(self.last_epoch)

    def state_dict(self) -> dict:
        """See _Schedule; the functions are not in it."""
        return {name: value for name, value in super().state_dict().items() if name != "lr_lambdas"}


class LinearLR(LRScheduler):
    """lr(t) = lr(0) (start_factor + (end_factor - start_factor) min(t / total_iters, 1)): a warm-up, or a linear decay.

    0 < start_factor <= 1, 0 <= end_factor <= 1.

    >>> sgd = mg.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.LinearLR(sgd, start_factor=1.0, end_factor=0.0, total_iters=4)
    >>> schedule.step()
    >>> sgd.param_groups[0]["lr"]
    0.75
    """

    def __init__(self, optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5):
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ConfigError(
                f"LinearLR: needs 0 < start_factor <= 1 and 0 <= end_factor <= 1, got {start_factor} and {end_factor}"
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = _positive("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def change(self, lr, base, t):
        """See the class."""
        if t > self.total_iters:
            return lr
        factor = lambda t: self.start_factor + (self.end_factor - self.start_factor) * t / self.total_iters
        return lr * (factor(t) / factor(t - 1) if t else self.start_factor)


class CosineAnnealingLR(LRScheduler):
    """lr(t) = eta_min + (lr(0) - eta_min) (1 + cos(pi t / T_max)) / 2: it falls to eta_min at T_max, and then rises again.

    Loshchilov and Hutter 2017, equation 5, without the restarts.
    """

    def __init__(self, optimizer, T_max: int, eta_min: float = 0.0):
        self.T_max, self.eta_min = _positive("CosineAnnealingLR", "T_max", T_max), eta_min
        super().__init__(optimizer)

    def change(self, lr, base, t):
        """See the class."""
        if t == 0:
            return lr
        if (t - 1) % (2 * self.T_max) == self.T_max:  # at the lowest point lr - eta_min is 0, and no factor can change that
            return lr + (base - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        factor = lambda t: 1 + math.cos(math.pi * t / self.T_max)
        return factor(t) / factor(t - 1) * (lr - self.eta_min) + self.eta_min


class ReduceLROnPlateau(_Schedule):
    """lr <- max(factor lr, min_lr) when the metric has not improved for more than `patience` steps in a row.

    mode: "min" if smaller is better, "max" if larger is better.  threshold, threshold_mode: an improvement must exceed this
    share of the best value so far ("rel"), or this amount ("abs").  cooldown: bad steps do not count for so many steps after a
    reduction.  min_lr: a number, or one per group.  eps: smaller reductions than this are not made.  A NaN is never better.
    """

    def __init__(
        self,
        optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ):
        super().__init__(optimizer)
        for option, value, known in (("mode", mode, ("min", "max")), ("threshold_mode", threshold_mode, ("rel", "abs"))):
            if value not in known:
                raise ConfigError(f"ReduceLROnPlateau: unknown {option} {value!r}{suggestion(str(value), known)}")
        if not factor < 1:
            raise ConfigError(f"ReduceLROnPlateau: factor must be below 1 to reduce anything, got {factor}")
        groups = len(optimizer.param_groups)
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * groups
        if len(self.min_lrs) != groups:
            raise ConfigError(f"ReduceLROnPlateau: {len(self.min_lrs)} min_lr for {groups} group(s); give one each")
        self.mode, self.factor, self.patience, self.threshold = mode, factor, patience, threshold
        self.threshold_mode, self.cooldown, self.eps = threshold_mode, cooldown, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def _better(self, value):
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * value < sign * self.best * (1 - sign * self.threshold)
        return sign * value < sign * self.best - self.threshold

    def step(self, metric) -> None:
        """Compare the metric (a number or a scalar Tensor) with the best; reduce the learning rates if it was bad too long."""
        value = float(metric)
        self.last_epoch += 1
        if self._better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            for group, least in zip(self.optimizer.param_groups, self.min_lrs):
                lr = max(group["lr"] * self.factor, least)
                if group["lr"] - lr > self.eps:
                    group["lr"] = lr


def _positive(owner, option, value):
    if not (isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value > 0):
        raise ConfigError(f"{owner}: {option} must be a whole number above 0, got {value!r}")
    return int(value)
