"""Layers that compute nothing: Identity, Flatten and Unflatten."""

import math

from minigan import ops
from minigan.arguments import sizes
from minigan.errors import ShapeError
from minigan.nn.module import Module
from minigan.ops.shape import axis_of
from minigan.tensor import Tensor


class Identity(Module):
    """y = x.   It ignores its arguments, so that it can replace any layer."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, x) -> Tensor:
        """x."""
        return x


class Flatten(Module):
    """Makes one axis of the axes start_dim .. end_dim: (N, C, H, W) -> (N, C H W).

    >>> nn.Flatten()(mg.ones((64, 8, 7, 7))).shape
    (64, 392)
    """

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x) -> Tensor:
        """x with one axis in the place of those axes."""
        first, last = axis_of("Flatten", self.start_dim, x.ndim), axis_of("Flatten", self.end_dim, x.ndim)
        if last < first:
            raise ShapeError(f"Flatten: start_dim={self.start_dim} lies behind end_dim={self.end_dim} in {x.shape}")
        size = math.prod(x.shape[first : last + 1])
        return ops.reshape(x, (*x.shape[:first], size, *x.shape[last + 1 :]))

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Makes several axes of the axis dim, of sizes unflattened_size; one size may be -1, and is then computed.

    >>> nn.Unflatten(1, (8, 7, 7))(mg.ones((64, 392))).shape
    (64, 8, 7, 7)
    """

    def __init__(self, dim, unflattened_size):
        super().__init__()
        self.dim, self.unflattened_size = dim, sizes("Unflatten", "unflattened_size", unflattened_size)

    def forward(self, x) -> Tensor:
        """x with several axes in the place of that axis."""
        axis = axis_of("Unflatten", self.dim, x.ndim)
        sizes, n = self.unflattened_size, x.shape[axis]
        known = math.prod(size for size in sizes if size != -1)
        if sizes.count(-1) > 1 or (n % known if -1 in sizes and known else n != known):
            raise ShapeError(f"Unflatten: axis {self.dim} of {x.shape} has size {n}, which does not fill {sizes}")
        sizes = tuple(n // known if size == -1 and known else size for size in sizes)
        return ops.reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
