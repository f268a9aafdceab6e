"""torch.nn.parameter."""

from minigan.torch.missing import missing_from
from minigan.torch.tensor import Parameter

__all__ = ["Parameter"]
__getattr__ = missing_from(__name__)
