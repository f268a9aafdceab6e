"""Linear, a matrix and a bias; Embedding, a row of a table; and the functions with which a layer's weights start."""

import math

import numpy as np

from minigan.errors import ShapeError
from minigan.nn import functional as F
from minigan.nn import init
from minigan.nn.module import Module, Parameter
from minigan.ops import linear
from minigan.tensor import Tensor


def empty(*shape):
    """A float32 parameter of this shape; reset_parameters must still draw its numbers."""
    return Parameter(np.empty(shape, np.float32))


def reset_affine(layer):
    """Draw weight and bias uniform in +-1/sqrt(fan_in), as torch's Linear and convolutions do."""
    init.kaiming_uniform_(layer.weight, a=math.sqrt(5))
    if layer.bias is not None:
        fan_in = init.fans(layer.weight)[0]
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(layer.bias, -bound, bound)


class Linear(Module):
    """y = x W^T + b.   x (..., in_features) -> (..., out_features);  weight (out_features, in_features), bias or None.

    Both start uniform in +-1/sqrt(in_features).   torch.nn.Linear.

    >>> nn.Linear(100, 32)(mg.ones((64, 100))).shape
    (64, 32)
    """

    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = empty(out_features, in_features)
        self.bias = empty(out_features) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """Draw new weights."""
        reset_affine(self)

    def forward(self, x) -> Tensor:
        """x W^T + b."""
        return linear(x, self.weight, self.bias)

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A row of the table for each index.   x: integers 0 .. num_embeddings-1, any shape -> (*x.shape, embedding_dim).

    weight (num_embeddings, embedding_dim) starts normal (0, 1).  padding_idx: this row starts at 0 and gets no
    gradient.   torch.nn.Embedding.

    >>> nn.Embedding(10, 4)([1, 2, 2]).shape
    (3, 4)
    """

    def __init__(self, num_embeddings, embedding_dim, padding_idx=None):
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ShapeError(f"Embedding: padding_idx {padding_idx} is not one of the {num_embeddings} rows")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = empty(num_embeddings, embedding_dim)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw a new table."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0
            self.weight.touch()

    def forward(self, x) -> Tensor:
        """weight[x]."""
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self):
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
