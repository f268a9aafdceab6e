"""Sequences of tokens: as rows of coloured cells with their numbers, or, where the tokens are words, as text.

token_grid      (N, T) integers -> one uint8 picture: the same token, the same colour, and its number in the cell
text_grid       (N, T) integers and the words they stand for -> one uint8 picture: a line of text for each sequence
Elsewhere: writing it to a file (images.py, save_png), the letters (letters.py).
"""

import colorsys
import math

import numpy as np

from minigan.errors import DTypeError, ShapeError
from minigan.viz import letters
from minigan.viz.images import BORDER

CELL, GAP = 16, 10  # pixels: a token's height, and what lies between two columns of sequences
LINE = 96  # letters in a line of text
GOLDEN = (math.sqrt(5) - 1) / 2  # hues this part of the circle apart are far from each other, however many there are


def token_grid(tokens, rows=None, vocabulary=None):
    """Each sequence is a row of T cells, `rows` of them on top of each other, then the next column of sequences.

    tokens      (N, T) integers >= 0
    rows        by default 32, and more where there are so many sequences that the picture would become a ribbon
    vocabulary  how many tokens there are: it sets the width of a cell, so that the frames of one run have one size
    ->          uint8 (H, W, 3).  A token's colour depends on its number alone, so that pictures can be compared.
    ShapeError for other shapes, DTypeError for other numbers.
    """
    tokens = _tokens(tokens, rows, "token_grid")
    N, T = tokens.shape
    wide = _cell(max(vocabulary or 0, tokens.max() + 1))
    kinds, which = np.unique(tokens, return_inverse=True)
    faces = np.stack([_face(k, colour, wide) for k, colour in zip(kinds, colours(kinds))])
    sequences = faces[which.reshape(N, T)].transpose(0, 2, 1, 3, 4).reshape(N, CELL, T * wide, 3)
    sequences[:, -1:] = BORDER  # a line under every sequence
    return _columns(sequences, rows)


def text_grid(tokens, words, rows=None):
    """Each sequence is a text, `rows` of them on top of each other, then the next column of texts.

    tokens      (N, T) integers from 0 to len(words) - 1
    words       the word of each token.  A space stands between two words, none between letters (all words of one letter)
    rows        as in token_grid
    ->          uint8 (H, W, 1), black on white, of one size for any tokens of that shape: lines hold up to 96 letters,
                and each text has the room that the longest words would take
    ShapeError for other shapes or a token without a word, DTypeError for other numbers.
    """
    tokens = _tokens(tokens, rows, "text_grid")
    if tokens.max() >= len(words):
        raise ShapeError(f"text_grid: there is a token {tokens.max()}, and words for 0 to {len(words) - 1} only")
    longest, space = max(map(len, words)), " " * (max(map(len, words)) > 1)
    room = longest + len(space)
    in_line = max(1, (max(LINE, longest) + len(space)) // room)  # so many of the longest words, and never fewer
    across = min(in_line, tokens.shape[1]) * room
    high, wide = letters.height(), letters.width("m" * across)
    lines = -(-tokens.shape[1] // in_line)
    texts = np.full((len(tokens), 4 + lines * high, 4 + wide, 1), 255, np.uint8)
    texts[:, -1:] = 200
    for text, sequence in zip(texts, tokens):
        for i, line in enumerate(_lines([words[k] for k in sequence], space, across)):
            letters.write(text, line, 1 + (i + 0.5) * high, 2, ink=0, centred=False)
    return _columns(texts, rows)


def colours(tokens):
    """(...) integers -> (..., 3) uint8: hues turn by the golden section, in three degrees of brightness."""
    table = [colorsys.hsv_to_rgb(k * GOLDEN % 1, (0.45, 0.9)[k % 2], (1.0, 0.8, 0.55)[k % 3]) for k in range(tokens.max() + 1)]
    return np.rint(255 * np.array(table)).astype(np.uint8)[tokens]


def _tokens(tokens, rows, name):
    tokens = np.asarray(tokens)
    if tokens.ndim != 2 or tokens.size == 0 or (rows is not None and rows < 1):
        raise ShapeError(f"{name}: tokens has shape {tokens.shape}, needs (N, T), none of them 0, and rows={rows} >= 1")
    if tokens.dtype.kind not in "iu" or tokens.min() < 0:
        raise DTypeError(f"{name}: tokens is {tokens.dtype} from {tokens.min()}, needs integers >= 0")
    return tokens


def _cell(vocabulary):
    """The width of a cell in which the largest number has a little room on both sides."""
    return letters.width(str(vocabulary - 1)) + 6


def _face(token, colour, wide):
    """The cell of a token (CELL, wide, 3): its colour, and its number in black or white, whichever is further from it."""
    cell = np.full((CELL, wide, 3), colour, np.uint8)
    light = colour @ (0.299, 0.587, 0.114) > 128  # ITU-R BT.601, how bright a colour looks
    letters.write(cell, str(token), (CELL - 1) / 2, wide / 2, ink=0 if light else 255)
    return cell


def _lines(words, space, across):
    """Words as lines of at most `across` letters."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > across:
            lines.append("")
        lines[-1] += word + space
    return lines


def _columns(rows_of_pixels, rows):
    """(N, h, w, C), a sequence each -> (H, W, C): `rows` under each other, then the next column of them."""
    N, h, w, C = rows_of_pixels.shape
    columns = -(-N // (rows or max(32, math.isqrt(N * w // h))))
    rows = min(N, rows or -(-N // columns))
    cells = np.full((columns * rows, h, w + GAP, C), BORDER, np.uint8)
    cells[:N, :, :w] = rows_of_pixels
    return cells.reshape(columns, rows * h, w + GAP, C).transpose(1, 0, 2, 3).reshape(rows * h, -1, C)[:, :-GAP]
