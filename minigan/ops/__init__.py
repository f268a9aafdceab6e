"""The ops: every function that can be differentiated, one file per family, forward and rules side by side.

elementwise   a table of derivatives: read this one first      reduce   sums, means, maxima, softmax
shape         the same numbers arranged otherwise              index    picking and scattering
linalg        matmul, einsum, linear                           conv     convolution, its transpose, its weight gradient
norm          batch, layer, group, instance normalisation
"""

from minigan.ops.conv import conv1d, conv2d, conv_transpose2d
from minigan.ops.elementwise import (
    abs, add, arccos, arcsin, arctan, clip, cos, cosh, divide, elu, erf, exp, expm1, floor, gelu, leaky_relu, log, log1p,
    logaddexp, maximum, minimum, multiply, negative, power, reciprocal, relu, round, round_straight_through, sigmoid,
    sign, silu, sin, sinh, softplus, sqrt, square, subtract, tan, tanh, where)
from minigan.ops.index import (
    diagonal, embedding, getitem, one_hot, scatter_add, scatter_into, take, take_along_axis, trace)
from minigan.ops.linalg import dot, einsum, linear, matmul, outer, tensordot
from minigan.ops.norm import batch_norm, group_norm, instance_norm, layer_norm
from minigan.ops.reduce import (
    argmax, argmin, cumsum, log_softmax, logsumexp, max, mean, min, norm, prod, softmax, std, sum, var)
from minigan.ops.shape import (
    astype, broadcast_to, concatenate, expand_dims, flip, moveaxis, pad, ravel, repeat, reshape, roll, split, squeeze,
    stack, sum_to, swapaxes, tile, transpose, tril, triu)

__all__ = [name for name in dir() if not name.startswith("_")]
