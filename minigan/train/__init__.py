"""The game: game.py has the one training loop, objectives.py has what the players minimise; runs/ carries a run through."""

from minigan import moved
from minigan.train.adversarial import AdversarialStep, adversarial_terms
from minigan.train.game import Game, Normal, Player, Step, Term, play
from minigan.train.objectives import OBJECTIVES, Objective

__all__ = [
    "OBJECTIVES",
    "AdversarialStep",
    "Game",
    "Normal",
    "Objective",
    "Player",
    "Step",
    "Term",
    "adversarial_terms",
    "play",
]

moved.guard(__name__)


def __dir__():
    return __all__
