"""torch.optim: minigan's optimizers behind PyTorch's param_groups, closure and state.

optimizer.py   what PyTorch's optimizers have and how minigan's do the work       lr_scheduler.py   learning rates in time
"""

from minigan.torch.missing import missing_from
from minigan.torch.optim import lr_scheduler
from minigan.torch.optim.optimizer import LBFGS, SGD, Adadelta, Adagrad, Adam, AdamW, Optimizer, RMSprop

__getattr__ = missing_from(__name__)
