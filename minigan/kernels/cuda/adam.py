"""Adam on a GPU: one kernel over the flat vector (adam.cu).

update     one step, as optim/rules.py's Adam does with array expressions
Clock      the number of the step and the learning rate on the GPU, for a step that is captured and replayed
"""

import numpy as np

from minigan.backend import device_of, to_device, xp
from minigan.kernels.cuda.launcher import launch


class Clock:
    """t and lr on the GPU.  Capture tick() once, and then any number of updates.  Between replays set() changes lr.

    like: an array on the GPU.  t: the number of steps already made.
    """

    def __init__(self, like, t, lr, betas, eps):
        self.array = to_device(np.array([t, lr, 0, 0], np.float64), device_of(like))
        self.betas, self.eps, self.lr = betas, eps, lr

    def tick(self) -> None:
        """Begin the next step: t <- t + 1.  One launch."""
        launch("adam", "tick", 1, self.array, *self.betas, self.eps, threads=1)

    def set(self, lr) -> None:
        """Change lr if it is new.  This fills one element and waits for nothing."""
        if lr != self.lr:
            self.array[1:2], self.lr = float(lr), lr


def update(w, g, state, t, options, clock=None) -> None:
    """One step of Adam in place: w and the vectors of state (exp_avg, exp_avg_sq and, for AMSGrad, max_exp_avg_sq).

    t: the number of the step, from 1; options: lr, betas, eps, weight_decay.  A clock replaces t and lr.
    """
    (b1, b2), g = options["betas"], xp(g).ascontiguousarray(g)
    correction = (1 - b2**t) ** 0.5
    rate, margin = options["lr"] * correction / (1 - b1**t), options["eps"] * correction
    launch(
        "adam",
        "adam",
        w.size,
        w,
        g,
        state["exp_avg"],
        state["exp_avg_sq"],
        state.get("max_exp_avg_sq"),
        None if clock is None else clock.array,
        rate,
        margin,
        b1,
        b2,
        options["weight_decay"],
        w.size,
    )
