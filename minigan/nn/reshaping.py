"""Layers that compute nothing: Identity, and the shapes Flatten and Unflatten."""

import math

from minigan import ops
from minigan.arguments import sizes
from minigan.errors import ShapeError
from minigan.nn.module import Module
from minigan.ops.shape import axis_of
from minigan.tensor import Tensor


class Identity(Module):
    """y = x.   Takes any arguments and ignores them, so that it can stand in for any layer."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, x) -> Tensor:
        """x."""
        return x


class Flatten(Module):
    """The axes start_dim .. end_dim made one: (N, C, H, W) -> (N, C H W)."""

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x) -> Tensor:
        """x with those axes made one."""
        first, last = axis_of("Flatten", self.start_dim, x.ndim), axis_of("Flatten", self.end_dim, x.ndim)
        if last < first:
            raise ShapeError(f"Flatten: start_dim={self.start_dim} lies behind end_dim={self.end_dim} in {x.shape}")
        size = math.prod(x.shape[first : last + 1])
        return ops.reshape(x, (*x.shape[:first], size, *x.shape[last + 1 :]))

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis dim made several, of sizes unflattened_size; one may be -1: whatever is left."""

    def __init__(self, dim, unflattened_size):
        super().__init__()
        self.dim, self.unflattened_size = dim, sizes("Unflatten", "unflattened_size", unflattened_size)

    def forward(self, x) -> Tensor:
        """x with that axis made several."""
        axis = axis_of("Unflatten", self.dim, x.ndim)
        sizes, n = self.unflattened_size, x.shape[axis]
        known = math.prod(size for size in sizes if size != -1)
        if sizes.count(-1) > 1 or (n % known if -1 in sizes and known else n != known):
            raise ShapeError(f"Unflatten: axis {self.dim} of {x.shape} has size {n}, which does not fill {sizes}")
        sizes = tuple(n // known if size == -1 and known else size for size in sizes)
        return ops.reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
