"""The functions of torch.* that take Tensors; most are methods, too (`tables.METHODS`).

Names whose meaning differs from NumPy's and minigan's have PyTorch's here: transpose exchanges two axes, split takes a size,
repeat tiles, std and var divide by n - 1, max and min along an axis give (values, indices), norm's first argument is its order.
"""

# ruff: noqa: F403  # this file is a list of names

from minigan.torch import elementwise, indexing, reductions, shapes
from minigan.torch.elementwise import *
from minigan.torch.indexing import *
from minigan.torch.reductions import *
from minigan.torch.shapes import *

__all__ = [name for part in (elementwise, reductions, shapes, indexing) for name in part.__all__]
