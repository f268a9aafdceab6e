"""Sequences of tokens as rows of coloured cells: the same token, the same colour.

token_grid      (N, T) integers -> one uint8 picture
Elsewhere: writing it to a file (images.py, save_png).
"""

import colorsys
import math

import numpy as np

from minigan.errors import DTypeError, ShapeError
from minigan.viz.images import BORDER

CELL, GAP = 8, 10  # pixels: a token's square, and what lies between two columns of sequences
GOLDEN = (math.sqrt(5) - 1) / 2  # hues this part of the circle apart are far from each other, however many there are


def token_grid(tokens, rows=32):
    """Each sequence is a row of T cells, `rows` of them on top of each other, then the next column of sequences.

    tokens      (N, T) integers >= 0
    ->          uint8 (H, W, 3).  A token's colour depends on its number alone, so that pictures can be compared.
    ShapeError for other shapes, DTypeError for other numbers.
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 2 or tokens.size == 0 or rows < 1:
        raise ShapeError(f"token_grid: tokens has shape {tokens.shape}, needs (N, T), none of them 0, and rows={rows} >= 1")
    if tokens.dtype.kind not in "iu" or tokens.min() < 0:
        raise DTypeError(f"token_grid: tokens is {tokens.dtype} from {tokens.min()}, needs integers >= 0")
    N, T = tokens.shape
    columns = -(-N // rows)
    rows = min(rows, N)
    cells = np.full((columns * rows, CELL, T * CELL, 3), BORDER, np.uint8)
    cells[:N] = colours(tokens).repeat(CELL, axis=1)[:, None]
    cells[:, -1:] = BORDER  # a line under every sequence
    grid = cells.reshape(columns, rows * CELL, T * CELL, 3)
    grid = np.pad(grid, ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=BORDER)
    return grid.transpose(1, 0, 2, 3).reshape(rows * CELL, -1, 3)[:, :-GAP]


def colours(tokens):
    """(...) integers -> (..., 3) uint8: hues turn by the golden section, in three degrees of brightness."""
    table = [colorsys.hsv_to_rgb(k * GOLDEN % 1, (0.45, 0.9)[k % 2], (1.0, 0.8, 0.55)[k % 3]) for k in range(tokens.max() + 1)]
    return np.rint(255 * np.array(table)).astype(np.uint8)[tokens]
