"""The generative systems: one short file each in a folder of its family, registered by name; registry.py finds them.

To add one, copy adversarial/gan.py: say in the docstring what differs from its parent, and of every constant whose it is.
For one of your own, outside the package: `from minigan.systems import Paper, Setting, system`.
"""

from minigan import moved
from minigan.systems.registry import Paper, system
from minigan.train.settings import Setting

__all__ = ["Paper", "Setting", "system"]

moved.guard(__name__)


def __dir__():
    return __all__
