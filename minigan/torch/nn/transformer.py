"""Transformers: Vaswani et al. 2017, written over this package's own layers.

TransformerEncoderLayer   TransformerEncoder      attention to itself, then a small net
TransformerDecoderLayer   TransformerDecoder      between the two, attention to the encoder's output
Transformer                                       both
"""

from __future__ import annotations

import copy
from typing import Any

from minigan.errors import choose
from minigan.torch import core as torch
from minigan.torch.nn import functional as F
from minigan.torch.nn import init
from minigan.torch.nn.containers import ModuleList
from minigan.torch.nn.layers import Dropout, LayerNorm, Linear, MultiheadAttention  # type: ignore[attr-defined]  # made there
from minigan.torch.nn.module import Module

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}  # type: ignore[attr-defined]  # from minigan's list


class _TransformerLayer(Module):
    """The common part of the two layers: attention to itself, the small net, and where the norms stand."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self._attentions(lambda: MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first))
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        for i in range(1, self.parts + 1):
            self.add_module(f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias))
        for i in range(1, self.parts + 1):
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.norm_first = norm_first
        self.activation = activation if callable(activation) else choose("activation", activation, ACTIVATIONS)
        if device is not None or dtype is not None:
            self.to(device, dtype)

    parts = 2

    def _attentions(self, attention):
        self.self_attn = attention()

    def _through(self, x, *parts):
        """x + part(x), one part after the other, each with a norm before (norm_first) or after it, and a dropout."""
        for i, part in enumerate(parts, 1):
            norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
            x = x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))
        return x

    def _small_net(self, x):
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_TransformerLayer):
    """src (L, N, d_model), or (N, L, d_model) if batch_first.   x <- norm1(x + attention(x)), x <- norm2(x + net(x))."""

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """src, changed by both parts.   is_causal is a hint only: the mask is src_mask."""

        def attention(x):
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask)[0]

        return self._through(src, attention, self._small_net)


class TransformerDecoderLayer(_TransformerLayer):
    """tgt and memory (L, N, d_model), or (N, L, d_model) if batch_first: TransformerEncoderLayer, with attention to memory."""

    parts = 3

    def _attentions(self, attention):
        self.self_attn, self.multihead_attn = attention(), attention()

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """tgt, changed by the three parts."""

        def itself(x):
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask)[0]

        def other(x):
            return self.multihead_attn(x, memory, memory, memory_key_padding_mask, False, memory_mask)[0]

        return self._through(tgt, itself, other, self._small_net)


class _Stack(Module):
    """num_layers copies of a layer; they start with the same weights, as in PyTorch."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None, **hints: Any):
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, input: Any, *inputs: Any, **options: Any) -> Any:  # type: ignore[override]
        """The output of the last layer, and of the norm."""
        for layer in self.layers:
            input = layer(input, *inputs, **options)
        return input if self.norm is None else self.norm(input)


class TransformerEncoder(_Stack):
    """Encoder layers on top of each other."""

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: Any = None) -> Any:
        """The output of the last layer, and of the norm."""
        return super().forward(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask)


class TransformerDecoder(_Stack):
    """Decoder layers on top of each other."""


class Transformer(Module):
    """An encoder, and a decoder that looks at its output."""

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ):
        super().__init__()
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        norm = lambda: LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.encoder = custom_encoder or TransformerEncoder(TransformerEncoderLayer(*options), num_encoder_layers, norm())
        self.decoder = custom_decoder or TransformerDecoder(TransformerDecoderLayer(*options), num_decoder_layers, norm())
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
    ) -> Any:
        """The decoder's output for tgt."""
        memory = self.encoder(src, src_mask, src_key_padding_mask)
        return self.decoder(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """(sz, sz): 0 on and below the diagonal, -inf above it, where a later step would be seen."""
        return torch.triu(torch.full((sz, sz), float("-inf"), device=device, dtype=dtype or torch.float32), 1)
