"""Optimizers, under torch.optim's names: rules.py has the update rules, optimizer.py has what they share.

CoordinateDescent   one block of parameters per step      ConjugateGradient, LBFGS   directions that use the last ones
lr_scheduler        learning rates that change in time    convex.py           coordinate descent where it is exact
dynamics.py         is a game's gradient field the gradient of one function?
"""

from minigan.arguments import OPTIMIZER_KINDS as _OPTIMIZER_KINDS, checked as _checked
from minigan.kernels.cpu.memory import keep_memory
from minigan.optim import convex, dynamics, lr_scheduler
from minigan.optim.conjugate import ConjugateGradient
from minigan.optim.coordinate import CoordinateDescent
from minigan.optim.lbfgs import LBFGS
from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop

for _rule in (SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, LBFGS, CoordinateDescent, ConjugateGradient):
    _rule.__init__ = _checked(_rule.__init__, kinds=_OPTIMIZER_KINDS)  # type: ignore[method-assign]

keep_memory()  # a program with an optimizer repeats its steps, so the next step can reuse freed memory

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "ConjugateGradient",
    "CoordinateDescent",
    "Optimizer",
    "RMSprop",
    "convex",
    "dynamics",
    "lr_scheduler",
]


def __dir__():
    return __all__
