"""The ops: every function that can be differentiated.  Each family has a file, with the forward functions beside their rules.

elementwise   a table of derivatives: read this one first      reduce   sums, means, maxima, softmax
shape         the same numbers in another arrangement          index    picking and scattering
linalg        matmul, einsum, linear                           conv     convolution, its transpose, its weight gradient
decompositions    linear equations, svd, eigh, det       sorting  elements in order, median, quantiles
norm          batch, layer, group, instance normalisation      pool     the largest or the mean of every window
image         resizing, pixels to channels, windows to columns loss     how far an output is from its target
attention     every query takes a mean of the values           recurrent  the steps of recurrent layers
"""

# Names in the order of a family, so the formatter leaves it alone.
# fmt: off
from minigan.arguments import public as _public
from minigan.ops.attention import scaled_dot_product_attention
from minigan.ops.conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from minigan.ops.decompositions import cdist, cholesky, det, eigh, inv, slogdet, solve, svd
from minigan.ops.elementwise import (
    abs, add, arccos, arcsin, arctan, arctan2, ceil, clip, cos, cosh, divide, elu, erf, exp, expm1, floor, floor_divide, fmod,
    gelu, hypot, leaky_relu, lerp, log, log1p, log2, log10, logaddexp, maximum, minimum, multiply, negative, power,
    reciprocal, relu, remainder, round, round_straight_through, sigmoid, sign, silu, sin, sinh, softplus, sqrt, square,
    subtract, tan, tanh, trunc, where)
from minigan.ops.image import fold, interpolate, pixel_shuffle, pixel_unshuffle, unfold
from minigan.ops.index import (
    diag, diagonal, embedding, getitem, one_hot, scatter_add, scatter_into, take, take_along_axis, trace)
from minigan.ops.linalg import dot, einsum, inner, kron, linear, matmul, outer, tensordot
from minigan.ops.loss import (
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, cosine_similarity, cross_entropy,
    gaussian_nll_loss, hinge_embedding_loss, huber_loss, kl_div, l1_loss, mse_loss, nll_loss, pairwise_distance,
    poisson_nll_loss, smooth_l1_loss, triplet_margin_loss)
from minigan.ops.norm import batch_norm, group_norm, instance_norm, layer_norm, rms_norm
from minigan.ops.pool import (
    adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d, max_unpool2d)
from minigan.ops.reduce import (
    argmax, argmin, cumprod, cumsum, log_softmax, logsumexp, max, mean, min, norm, prod, softmax, std, sum, var)
from minigan.ops.shape import (
    astype, broadcast_to, concatenate, expand_dims, flip, hstack, meshgrid, moveaxis, pad, ravel, repeat, reshape, roll, split,
    squeeze, stack, sum_to, swapaxes, tile, transpose, tril, triu, vstack)
from minigan.ops.sorting import argsort, median, quantile, searchsorted, sort, topk

__all__ = [
    "abs", "adaptive_avg_pool2d", "adaptive_max_pool2d", "add", "arccos", "arcsin", "arctan", "arctan2", "argmax", "argmin",
    "argsort", "astype", "avg_pool1d", "avg_pool2d", "batch_norm", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "broadcast_to", "cdist", "ceil", "cholesky", "clip", "concatenate", "conv1d", "conv2d", "conv_transpose1d",
    "conv_transpose2d", "cos", "cosh", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "cumprod", "cumsum",
    "det", "diag", "diagonal", "divide", "dot", "eigh", "einsum", "elu", "embedding", "erf", "exp", "expand_dims", "expm1",
    "flip", "floor", "floor_divide", "fmod", "fold", "gaussian_nll_loss", "gelu", "getitem", "group_norm",
    "hinge_embedding_loss", "hstack", "huber_loss", "hypot", "inner", "instance_norm", "interpolate", "inv", "kl_div", "kron",
    "l1_loss", "layer_norm", "leaky_relu", "lerp", "linear", "log", "log10", "log1p", "log2", "log_softmax", "logaddexp",
    "logsumexp", "matmul", "max", "max_pool1d", "max_pool2d", "max_unpool2d", "maximum", "mean", "median", "meshgrid", "min",
    "minimum", "moveaxis", "mse_loss", "multiply", "negative", "nll_loss", "norm", "one_hot", "outer", "pad",
    "pairwise_distance", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "power", "prod", "quantile", "ravel",
    "reciprocal", "relu", "remainder", "repeat", "reshape", "rms_norm", "roll", "round", "round_straight_through",
    "scaled_dot_product_attention", "scatter_add", "scatter_into", "searchsorted", "sigmoid", "sign", "silu", "sin", "sinh",
    "slogdet", "smooth_l1_loss", "softmax", "softplus", "solve", "sort", "split", "sqrt", "square", "squeeze", "stack", "std",
    "subtract", "sum", "sum_to", "svd", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "topk",
    "trace", "transpose", "tril", "triplet_margin_loss", "triu", "trunc", "unfold", "var", "vstack", "where"]

# These ops move numbers and compute none, so they accept float16.
_MOVES = ("astype broadcast_to concatenate diagonal embedding expand_dims flip fold getitem moveaxis pad pixel_shuffle "
          "pixel_unshuffle ravel repeat reshape roll scatter_into split squeeze stack swapaxes take take_along_axis tile "
          "transpose tril triu unfold where one_hot argmax argmin sort argsort searchsorted diag vstack hstack "
          "meshgrid").split()

# Users call these versions of the ops, which also take lists and numbers, and say what is wrong with an argument
# (arguments.py).  The files of this folder call the ops without that.
for _name in __all__:
    globals()[_name] = _public(globals()[_name], _name in _MOVES)
