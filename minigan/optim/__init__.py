"""Optimizers, under torch.optim's names: rules.py has the update rules, optimizer.py what they share."""

from minigan.backend import keep_memory
from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import SGD, Adam, RMSprop

keep_memory()  # whoever optimizes, loops

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop"]
