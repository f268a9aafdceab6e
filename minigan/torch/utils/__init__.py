"""torch.utils: data; and model_zoo and tensorboard, as far as scripts call them."""

from minigan.torch.missing import missing_from
from minigan.torch.utils import data, model_zoo, tensorboard

__getattr__ = missing_from(__name__)
