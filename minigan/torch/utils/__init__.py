"""torch.utils: data."""

from minigan.torch.utils import data
