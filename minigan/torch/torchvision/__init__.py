"""torchvision, as far as scripts for small images use it: transforms, datasets, utils.make_grid and save_image, and models
without trained weights."""

from minigan.torch.missing import missing_from
from minigan.torch.torchvision import datasets, models, transforms, utils

__version__ = "0.0+minigan"
__getattr__ = missing_from(__name__)
