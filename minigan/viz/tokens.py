"""Draw sequences of tokens: as rows of coloured cells with numbers, or as text if the tokens are words.

token_grid      (N, T) integers -> one uint8 picture: equal tokens have equal colours, and each cell shows the number
text_grid       (N, T) integers and their words -> one uint8 picture: a line of text for each sequence
Elsewhere: how a picture is written to a file (images.py, save_png), the letters (letters.py).
"""

import colorsys
import math

import numpy as np

from minigan.errors import DTypeError, ShapeError
from minigan.viz import letters
from minigan.viz.images import BORDER

CELL, GAP = 16, 10  # pixels: the height of a token's cell, and the space between two columns of sequences
LINE = 96  # letters in a line of text
GOLDEN = (math.sqrt(5) - 1) / 2  # hues k * GOLDEN of a full circle stay far apart, for any number of them


def token_grid(tokens, rows=None, vocabulary=None):
    """Draw each sequence as a row of T cells.  Each column of the picture holds `rows` sequences.

    tokens      (N, T) integers >= 0
    rows        the default is 32, or more if the picture would otherwise become very wide
    vocabulary  the number of different tokens; it sets the width of a cell, so all frames of a run have the same size
    returns     uint8 (H, W, 3).  A token's colour depends only on its number, so pictures can be compared
    Raises ShapeError for other shapes and DTypeError for numbers that are not integers >= 0.

    >>> token_grid([[0, 1, 2], [2, 1, 0]], vocabulary=10).shape[0]
    32
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
    """Draw each sequence as text.  Each column of the picture holds `rows` texts.

    tokens      (N, T) integers from 0 to len(words) - 1
    words       the word of each token.  Words are separated by spaces, unless every word is a single letter
    rows        as in token_grid
    returns     uint8 (H, W, 1), black on white.  Its size depends only on the shape of `tokens` and on the words: a line
                holds up to 96 letters, and each text has enough room for the longest words
    Raises ShapeError for other shapes or a token without a word, and DTypeError for numbers that are not integers >= 0.

    >>> text_grid([[0, 1]], words=("to", "be")).dtype
    dtype('uint8')
    """
    tokens = _tokens(tokens, rows, "text_grid")
    if tokens.max() >= len(words):
        raise ShapeError(
            f"text_grid: token {tokens.max()} has no word, there are words only for 0 to {len(words) - 1}; give a "
            "word for every token"
        )
    longest, space = max(map(len, words)), " " * (max(map(len, words)) > 1)
    room = longest + len(space)
    in_line = max(1, (max(LINE, longest) + len(space)) // room)  # words that fit into a line even if all are the longest
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
    """(...) integers -> (..., 3) uint8: the hue turns by the golden section for each token, with three levels of brightness."""
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
    """The width of a cell, in pixels: the largest number and a small margin on both sides."""
    return letters.width(str(vocabulary - 1)) + 6


def _face(token, colour, wide):
    """The cell of a token (CELL, wide, 3): its colour, with its number in black or white, whichever has more contrast."""
    cell = np.full((CELL, wide, 3), colour, np.uint8)
    light = colour @ (0.299, 0.587, 0.114) > 128  # ITU-R BT.601, how bright a colour looks
    letters.write(cell, str(token), (CELL - 1) / 2, wide / 2, ink=0 if light else 255)
    return cell


def _lines(words, space, across):
    """Break words into lines of at most `across` letters."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > across:
            lines.append("")
        lines[-1] += word + space
    return lines


def _columns(rows_of_pixels, rows):
    """(N, h, w, C), one picture for each sequence -> (H, W, C), with `rows` of them in each column."""
    N, h, w, C = rows_of_pixels.shape
    columns = -(-N // (rows or max(32, math.isqrt(N * w // h))))
    rows = min(N, rows or -(-N // columns))
    cells = np.full((columns * rows, h, w + GAP, C), BORDER, np.uint8)
    cells[:N, :, :w] = rows_of_pixels
    return cells.reshape(columns, rows * h, w + GAP, C).transpose(1, 0, 2, 3).reshape(rows * h, -1, C)[:, :-GAP]
