"""Which nets a system plays with, where it can choose: perceptrons (gan.py) or convolutions (dcgan.py)."""

from minigan.errors import choose
from minigan.nn import Module
from minigan.systems import dcgan, gan

FAMILIES = {"mlp": gan.nets, "conv": dcgan.nets}


def nets(settings, sample_shape) -> tuple[Module, Module]:
    """G and D of the family settings.nets for samples of this shape."""
    return choose("family of nets", settings.nets, FAMILIES)(settings, sample_shape)
