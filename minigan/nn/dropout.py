"""Dropout of elements and of whole channels."""

from minigan.errors import ConfigError
from minigan.nn.module import Module
from minigan.ops.noise import dropout, dropout2d
from minigan.tensor import Tensor


class Dropout(Module):
    """In training each element is 0 with probability p, else x / (1 - p); in evaluation y = x.

    Every call draws a new mask from the stream "noise".   Srivastava et al. 2014.

    >>> drop = nn.Dropout(0.5)
    >>> drop.eval()(mg.ones(3)).tolist(), sorted(set(drop.train()(mg.ones(100)).tolist()))
    ([1.0, 1.0, 1.0], [0.0, 2.0])
    """

    function = staticmethod(dropout)

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ConfigError(f"{type(self).__name__}: p is the probability to drop, between 0 and 1, got {p}")
        self.p = p

    def forward(self, x) -> Tensor:
        """x, in which some elements are 0."""
        return self.function(x, self.p, self.training)

    def extra_repr(self):
        return f"p={self.p}"


class Dropout2d(Dropout):
    """Dropout of whole channels of x (N, C, H, W).   Tompson et al. 2015."""

    function = staticmethod(dropout2d)
