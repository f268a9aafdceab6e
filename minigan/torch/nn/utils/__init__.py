"""torch.nn.utils: spectral and weight norm, clipping of gradients, all parameters as one vector.

rnn.py   sequences of different lengths in one tensor
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import minigan as mg
from minigan.torch.missing import missing_from
from minigan.torch.nn.utils import rnn
from minigan.torch.nn.utils.norms import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from minigan.torch.tensor import Tensor, lift

_engine = mg.nn.utils


def _engines(parameters):
    return [p.engine for p in ([parameters] if isinstance(parameters, Tensor) else parameters)]


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Tensor:
    """Shrink all .grad together so that their norm is at most max_norm; returns the norm they had."""
    total = _engine.clip_grad_norm_(_engines(parameters), max_norm, norm_type, error_if_nonfinite)
    return lift(total if isinstance(total, mg.Tensor) else mg.tensor(total))


clip_grad_norm = clip_grad_norm_


def clip_grad_value_(parameters: Any, clip_value: float, foreach: Any = None) -> None:
    """Cut every element of every .grad to [-clip_value, clip_value]."""
    _engine.clip_grad_value_(_engines(parameters), clip_value)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, one after the other, as one vector."""
    return lift(_engine.parameters_to_vector(_engines(parameters)))


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the parts of a vector into the parameters."""
    _engine.vector_to_parameters(vec.engine, _engines(parameters))


__getattr__ = missing_from(__name__)
