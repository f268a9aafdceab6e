"""Attention: every query takes a mean of the values, weighted by how well it fits their keys.   Vaswani et al. 2017, equation
1.
"""

import math

import numpy as np

from minigan.backend import beside, is_array, kept_beside, xp
from minigan.errors import ConfigError, ShapeError
from minigan.ops.elementwise import kept, nowhere, where
from minigan.ops.linalg import matmul
from minigan.ops.noise import dropout
from minigan.ops.reduce import softmax
from minigan.ops.shape import swapaxes
from minigan.tensor import Tensor, plain


def attention_weights(query, key, attn_mask=None, is_causal=False, scale=None) -> Tensor:
    """softmax(scale query key^T + mask): (..., L, S).   The arguments are those of scaled_dot_product_attention."""
    op = "scaled_dot_product_attention"
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(f"{op}: query (..., L, E) and key (..., S, E) need the same E, got {query.shape} and {key.shape}")
    if is_causal and attn_mask is not None:
        raise ConfigError(f"{op}: is_causal is a mask of its own; give it or attn_mask, not both")
    # The factor is on the query, because the query is smaller than the scores.
    scores = matmul(query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale), swapaxes(key, -1, -2))
    if is_causal:
        attn_mask = kept_beside(np.tri(*scores.shape[-2:], dtype=bool), plain(scores))
    if attn_mask is None:
        return softmax(scores, -1)
    mask = plain(attn_mask)
    mask = beside(mask if is_array(mask) else np.asarray(mask), plain(scores))
    if mask.dtype != bool:
        return softmax(scores + attn_mask, -1)
    some = mask.any(axis=-1, keepdims=True)
    if nowhere(~some):
        return softmax(where(mask, scores, -math.inf), -1)
    # A query that may see nothing gets 0, not NaN.
    return kept(softmax(where(mask | ~some, scores, -math.inf), -1), xp(mask).broadcast_to(mask, scores.shape))


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None) -> Tensor:
    """softmax(scale query key^T + mask) value.   torch.nn.functional.scaled_dot_product_attention.

    query (..., L, E), key (..., S, E), value (..., S, V)  ->  (..., L, V); leading axes broadcast.  scale: 1 / sqrt(E) by
    default. attn_mask: booleans that broadcast to (..., L, S), true where the query may look; or numbers, which are added.
    is_causal: query i sees the keys 0 .. i.  dropout_p: this share of the weights is set to 0, always (pass 0 in evaluation).

    >>> q, v = mg.zeros((1, 4)), mg.tensor([[1.0], [3.0]])
    >>> mg.scaled_dot_product_attention(q, mg.ones((2, 4)), v).tolist()  # it looks at both alike
    [[2.0]]
    """
    if min(key.ndim, value.ndim) < 2 or value.shape[-2] != key.shape[-2]:
        raise ShapeError(
            f"scaled_dot_product_attention: needs one value for each key, got key {key.shape}, value {value.shape}"
        )
    weights = attention_weights(query, key, attn_mask, is_causal, scale)
    return matmul(dropout(weights, dropout_p, True) if dropout_p else weights, value)
