"""Attention layers: MultiheadAttention, and TransformerEncoderLayer, which puts a small net and norms around it."""

import numpy as np

from minigan import ops
from minigan.arguments import whole
from minigan.backend import beside, is_array, xp
from minigan.errors import ConfigError, ShapeError, choose
from minigan.nn import functional as F
from minigan.nn import init
from minigan.nn.dropout import Dropout
from minigan.nn.linear import Linear, empty
from minigan.nn.module import Module, Parameter
from minigan.nn.normalisation import LayerNorm
from minigan.ops.attention import attention_weights
from minigan.ops.noise import dropout
from minigan.tensor import Tensor, plain


class MultiheadAttention(Module):
    """num_heads attentions beside each other, each on its own projection of E / num_heads numbers.   Vaswani et al. 2017,
    3.2.2.

    head i = softmax(Q K^T / sqrt(E / num_heads)) V with Q, K, V projected by W_q, W_k, W_v;  y = the heads side by side,
    times W_o. query (L, N, E), key (S, N, kdim), value (S, N, vdim), or (N, L, E) ... if batch_first, or without N
    -> (y like query, the weights (N, L, S), averaged over the heads).  Parameters as in torch: in_proj_weight (3 E, E), or
    q_proj_weight, k_proj_weight, v_proj_weight if kdim or vdim is not E; in_proj_bias (3 E,); out_proj.
    torch.nn.MultiheadAttention.
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, kdim=None, vdim=None, batch_first=False):
        super().__init__()
        embed_dim, num_heads = (
            whole("MultiheadAttention", n, v, 1) for n, v in (("embed_dim", embed_dim), ("num_heads", num_heads))
        )
        if embed_dim % num_heads:
            raise ShapeError(f"MultiheadAttention: num_heads={num_heads} does not divide embed_dim={embed_dim}")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = (
            embed_dim if v is None else whole("MultiheadAttention", n, v, 1) for n, v in (("kdim", kdim), ("vdim", vdim))
        )
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = empty(3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight = empty(embed_dim, embed_dim)
            self.k_proj_weight, self.v_proj_weight = empty(embed_dim, self.kdim), empty(embed_dim, self.vdim)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, np.float32)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw new weights: Glorot's, and 0 for biases, as in torch."""
        for name, parameter in self.named_parameters():
            if name.endswith("_proj_weight"):
                init.xavier_uniform_(parameter)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)

    def _projections(self):
        if self.kdim == self.vdim == self.embed_dim:
            weights = ops.split(self.in_proj_weight, 3)
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        return list(zip(weights, [None] * 3 if self.in_proj_bias is None else ops.split(self.in_proj_bias, 3)))

    def _heads(self, x, weight, bias):
        """x (N, L, ...) projected, as (N, heads, L, E / heads)."""
        y = F.linear(x, weight, bias)
        return ops.swapaxes(ops.reshape(y, (*y.shape[:2], self.num_heads, -1)), 1, 2)

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ) -> tuple[Tensor, Tensor | None]:
        """(y, weights); weights is None unless need_weights, and (N, heads, L, S) unless average_attn_weights.

        key_padding_mask (N, S), attn_mask (L, S) or (N heads, L, S): booleans, true where a key must *not* be seen (the other
        way round than in scaled_dot_product_attention, as in torch), or numbers that are added.  is_causal alone makes no mask.
        """
        alone = query.ndim == 2
        if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim or query.shape[-1] != self.embed_dim:
            raise ShapeError(
                f"MultiheadAttention: query, key, value are (L, N, E) with E = {self.embed_dim} for the query, or without N; "
                f"got {query.shape}, {key.shape}, {value.shape}"
            )
        turn = (lambda x: ops.expand_dims(x, 0)) if alone else (lambda x: x if self.batch_first else ops.swapaxes(x, 0, 1))
        q, k, v = (self._heads(turn(x), *wb) for x, wb in zip((query, key, value), self._projections()))
        if is_causal and attn_mask is None:
            raise ConfigError("MultiheadAttention: is_causal only says what attn_mask is; pass attn_mask, too")
        weights = attention_weights(q, k, self._mask(key_padding_mask, attn_mask, q, k))
        dropped = dropout(weights, self.dropout, self.training) if self.dropout else weights
        y = ops.swapaxes(ops.matmul(dropped, v), 1, 2)
        y = self.out_proj(ops.reshape(y, (*y.shape[:2], self.embed_dim)))
        y = ops.squeeze(y, 0) if alone else y if self.batch_first else ops.swapaxes(y, 0, 1)
        if not need_weights:
            return y, None
        shown = ops.mean(dropped, 1) if average_attn_weights else dropped
        return y, ops.squeeze(shown, 0) if alone else shown

    def _mask(self, padding, mask, q, k):
        """Both masks as one that broadcasts to (N, heads, L, S), or None."""
        found = None
        n, s = k.shape[0], k.shape[2]
        for given, shape in (
            (padding, (n, 1, 1, s)),
            (mask, (-1, self.num_heads if mask is not None and mask.ndim == 3 else 1, q.shape[2], s)),
        ):
            if given is None:
                continue
            array = plain(given)
            array = beside(array if is_array(array) else np.asarray(array), plain(q)).reshape(shape)
            if array.dtype == bool:
                array = xp(array).where(array, -np.inf, 0.0)
            found = array.astype(q.dtype) if found is None else found + array.astype(q.dtype)
        return found

    def extra_repr(self):
        return f"{self.embed_dim}, num_heads={self.num_heads}"


ACTIVATIONS = {"relu": ops.relu, "gelu": ops.gelu}


class TransformerEncoderLayer(Module):
    """x <- norm1(x + attention(x)), x <- norm2(x + linear2(activation(linear1(x)))); norm_first puts each norm before its part.

    src (L, N, d_model), or (N, L, d_model) if batch_first.  dropout: in both parts, in training.
    torch.nn.TransformerEncoderLayer; Vaswani et al. 2017, section 3.1.
    """

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation="relu",
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
    ):
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm1, self.norm2 = (LayerNorm(d_model, layer_norm_eps, bias=bias) for _ in range(2))
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = activation if callable(activation) else choose("activation", activation, ACTIVATIONS)
        self.norm_first = norm_first

    def _attention(self, x, mask, padding, is_causal):
        return self.dropout1(self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)[0])

    def _feedforward(self, x):
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False) -> Tensor:
        """src, changed by both parts; the masks are those of MultiheadAttention."""
        x, masks = src, (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._attention(self.norm1(x), *masks)
            return x + self._feedforward(self.norm2(x))
        x = self.norm1(x + self._attention(x, *masks))
        return self.norm2(x + self._feedforward(x))
