"""Which nets a system plays with, where it can choose: perceptrons or convolutions."""

from minigan.systems.parts import convolutions, perceptrons
from minigan.train.settings import Setting

FAMILIES = {"mlp": perceptrons.nets, "conv": convolutions.nets}
NETS = Setting("nets", "mlp", "mlp: perceptrons; conv: convolutions, as in dcgan", choices=FAMILIES)


def nets(settings, data) -> dict:
    """G and D of the family settings.nets for these data, by name."""
    return FAMILIES[settings.nets](settings, data)
