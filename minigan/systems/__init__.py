"""The generative systems.  Each has one short file in the folder of its family; registry.py finds it and knows it by name.

To add one, copy adversarial/gan.py.  The docstring says what differs from the parent, and for each constant whether it is the
paper's or ours.   To write one outside the package: `from minigan.systems import Paper, Setting, system`.
"""

from minigan import moved
from minigan.systems.registry import Paper, system
from minigan.train.settings import Setting

__all__ = ["Paper", "Setting", "system"]

moved.guard(__name__)


def __dir__():
    return __all__
