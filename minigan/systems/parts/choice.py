"""The setting `nets`: a system that has it can use perceptrons or convolutions."""

from minigan.systems.parts import convolutions, perceptrons
from minigan.train.settings import Setting

FAMILIES = {"mlp": perceptrons.nets, "conv": convolutions.nets}
NETS = Setting("nets", "mlp", "mlp: perceptrons; conv: convolutions, as in dcgan", choices=FAMILIES)


def nets(settings, data) -> dict:
    """G and D by name, for these data, of the family that settings.nets names."""
    return FAMILIES[settings.nets](settings, data)
