"""The game: game.py is the one training loop, objectives.py what the players pay; runs/ is the life of one run."""

from minigan.train.game import Game, Normal, Player, Step, Term, adversarial, play
from minigan.train.objectives import OBJECTIVES, Objective

__all__ = ["OBJECTIVES", "Game", "Normal", "Objective", "Player", "Step", "Term", "adversarial", "play"]
