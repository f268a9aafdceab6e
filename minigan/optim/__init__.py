"""Optimizers, under torch.optim's names: rules.py has the update rules, optimizer.py what they share."""

from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import SGD, Adam, RMSprop

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop"]
