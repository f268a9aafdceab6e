"""Which nets a system plays with, where it can choose: perceptrons (perceptrons.py) or convolutions (convolutions.py)."""

from minigan.errors import choose
from minigan.systems.parts import convolutions, perceptrons

FAMILIES = {"mlp": perceptrons.nets, "conv": convolutions.nets}


def nets(settings, sample_shape):
    """G and D of the family settings.nets for samples of this shape."""
    return choose("family of nets", settings.nets, FAMILIES)(settings, sample_shape)
