"""torch.nn.utils.rnn: sequences of different lengths.   pad_sequence puts them into one tensor; packing is refused.

minigan's recurrent layers compute every step for the whole batch, so a packed batch would save nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigan.errors import ConfigError
from minigan.torch import core as torch
from minigan.torch.missing import missing_from


def pad_sequence(sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0) -> Any:
    """(L, N, ...) or, batch_first, (N, L, ...): the sequences (l, ...), with padding_value after the ends."""
    longest = max(len(sequence) for sequence in sequences)
    rows = []
    for sequence in sequences:
        missing = longest - len(sequence)
        rest = torch.full((missing, *sequence.shape[1:]), padding_value, dtype=sequence.dtype, device=sequence.device)
        rows.append(torch.cat([sequence, rest]) if missing else sequence)
    return torch.stack(rows, 0 if batch_first else 1)


def pack_padded_sequence(*args: Any, **options: Any) -> Any:
    """Refused."""
    raise ConfigError(
        "pack_padded_sequence: minigan has no packed sequences; give the padded batch to the layer, and leave the steps "
        "after each end out of the loss"
    )


def pad_packed_sequence(*args: Any, **options: Any) -> Any:
    """Refused."""
    raise ConfigError("pad_packed_sequence: minigan has no packed sequences; the layer's output is padded already")


__getattr__ = missing_from(__name__)
