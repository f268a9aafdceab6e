"""Training: game.py is the one loop, objectives.py what the players pay, session.py a run of it, run.py its folder."""

from minigan.train.game import Game, Normal, Player, Step, Term, adversarial, play
from minigan.train.objectives import OBJECTIVES, Objective

__all__ = ["OBJECTIVES", "Game", "Normal", "Objective", "Player", "Step", "Term", "adversarial", "play"]


def __dir__():
    return __all__
