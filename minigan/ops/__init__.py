"""The ops: every function that can be differentiated.  Each family has a file, with the forward functions beside their rules.

elementwise   a table of derivatives: read this one first      reduce   sums, means, maxima, softmax
shape         the same numbers in another arrangement          index    picking and scattering
linalg        matmul, einsum, linear                           conv     convolution, its transpose, its weight gradient
norm          batch, layer, group, instance normalisation      pool     the largest or the mean of every window
image         resizing, pixels to channels, windows to columns loss     how far an output is from its target
"""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
from minigan.arguments import public as _public
from minigan.ops.conv import conv1d, conv2d, conv_transpose2d
from minigan.ops.elementwise import (
    abs, add, arccos, arcsin, arctan, clip, cos, cosh, divide, elu, erf, exp, expm1, floor, floor_divide, gelu, leaky_relu,
    log, log1p, logaddexp, maximum, minimum, multiply, negative, power, reciprocal, relu, remainder, round,
    round_straight_through, sigmoid, sign, silu, sin, sinh, softplus, sqrt, square, subtract, tan, tanh, where)
from minigan.ops.image import fold, interpolate, pixel_shuffle, pixel_unshuffle, unfold
from minigan.ops.index import (
    diagonal, embedding, getitem, one_hot, scatter_add, scatter_into, take, take_along_axis, trace)
from minigan.ops.linalg import dot, einsum, linear, matmul, outer, tensordot
from minigan.ops.loss import (
    binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, gaussian_nll_loss, huber_loss, kl_div, l1_loss,
    mse_loss, nll_loss, smooth_l1_loss)
from minigan.ops.norm import batch_norm, group_norm, instance_norm, layer_norm
from minigan.ops.pool import (
    adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d)
from minigan.ops.reduce import (
    argmax, argmin, cumsum, log_softmax, logsumexp, max, mean, min, norm, prod, softmax, std, sum, var)
from minigan.ops.shape import (
    astype, broadcast_to, concatenate, expand_dims, flip, moveaxis, pad, ravel, repeat, reshape, roll, split, squeeze,
    stack, sum_to, swapaxes, tile, transpose, tril, triu)

__all__ = [
    "abs", "adaptive_avg_pool2d", "adaptive_max_pool2d", "add", "arccos", "arcsin", "arctan", "argmax", "argmin", "astype",
    "avg_pool1d", "avg_pool2d", "batch_norm", "binary_cross_entropy", "binary_cross_entropy_with_logits", "broadcast_to",
    "clip", "concatenate", "conv1d", "conv2d", "conv_transpose2d", "cos", "cosh", "cross_entropy", "cumsum", "diagonal",
    "divide", "dot", "einsum", "elu", "embedding", "erf", "exp", "expand_dims", "expm1", "flip", "floor", "floor_divide",
    "fold", "gaussian_nll_loss", "gelu", "getitem", "group_norm", "huber_loss", "instance_norm", "interpolate", "kl_div",
    "l1_loss", "layer_norm", "leaky_relu", "linear", "log", "log1p", "log_softmax", "logaddexp", "logsumexp", "matmul", "max",
    "max_pool1d", "max_pool2d", "maximum", "mean", "min", "minimum", "moveaxis", "mse_loss", "multiply", "negative",
    "nll_loss", "norm", "one_hot", "outer", "pad", "pixel_shuffle", "pixel_unshuffle", "power", "prod", "ravel", "reciprocal",
    "relu", "remainder", "repeat", "reshape", "roll", "round", "round_straight_through", "scatter_add", "scatter_into",
    "sigmoid", "sign", "silu", "sin", "sinh", "smooth_l1_loss", "softmax", "softplus", "split", "sqrt", "square", "squeeze",
    "stack", "std", "subtract", "sum", "sum_to", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile",
    "trace", "transpose", "tril", "triu", "unfold", "var", "where"]

# These ops move numbers and compute none, so they accept float16.
_MOVES = ("astype broadcast_to concatenate diagonal embedding expand_dims flip fold getitem moveaxis pad pixel_shuffle "
          "pixel_unshuffle ravel repeat reshape roll scatter_into split squeeze stack swapaxes take take_along_axis tile "
          "transpose tril triu unfold where one_hot argmax argmin").split()

# Users call these versions of the ops, which also take lists and numbers, and say what is wrong with an argument
# (arguments.py).  The files of this folder call the ops without that.
for _name in __all__:
    globals()[_name] = _public(globals()[_name], _name in _MOVES)
