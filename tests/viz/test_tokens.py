"""A picture of tokens: one cell for each, in its place, and one colour for each number."""

import numpy as np
import pytest

from minigan.errors import DTypeError, ShapeError
from minigan.viz import letters, text_grid, token_grid
from minigan.viz.images import BORDER
from minigan.viz.letters import glyphs, width
from minigan.viz.tokens import CELL, GAP, colours

WIDE = width("29") + 6  # of a cell, for 30 tokens


def test_every_cell_has_the_colour_of_its_token_and_shows_its_number():
    tokens = np.random.default_rng(0).integers(30, size=(5, 4))
    tokens[0, :2] = 29, 3
    grid = token_grid(tokens, rows=3)  # two columns: sequences 0 to 2, and 3 to 4
    assert grid.shape == (3 * CELL, 2 * 4 * WIDE + GAP, 3) and grid.dtype == np.uint8
    for i, t in np.ndindex(5, 4):
        top, left = i % 3 * CELL, i // 3 * (4 * WIDE + GAP) + t * WIDE
        cell, colour = grid[top : top + CELL - 1, left : left + WIDE], colours(tokens)[i, t]
        rim = np.concatenate([cell[:2].reshape(-1, 3), cell[:, :2].reshape(-1, 3), cell[:, -2:].reshape(-1, 3)])
        assert (rim == colour).all()
        inked = (cell != colour).any(axis=2)  # the number as `letters` writes it, in its middle, and nothing beside it
        assert ink_of(str(tokens[i, t])) == pytest.approx(inked.sum(), abs=3)
        bright = np.array([0.299, 0.587, 0.114])
        assert np.abs(cell[inked] @ bright - colour @ bright).max() > 100  # black on light, white on dark
    assert (grid[2 * CELL :, 4 * WIDE + GAP :] == BORDER).all()  # there is no sixth sequence


def ink_of(word):
    return (glyphs(word) > 0.01).sum()


def test_numbers_are_told_apart():
    """No two of them are the same picture, also where their colours are alike."""
    ink = np.stack([np.pad(g := glyphs(str(k)), [(0, 0), (0, width("29") - g.shape[1])]) for k in range(30)])
    apart = np.abs(ink[:, None] - ink[None]).sum(axis=(2, 3))
    assert apart[~np.eye(30, dtype=bool)].min() > 5  # pixels from full ink to none


def test_the_frames_of_a_run_have_one_size_whatever_tokens_it_draws():
    small, large = np.zeros((64, 10), int), np.full((64, 10), 29)
    assert (
        token_grid(small, vocabulary=30).shape == token_grid(large, vocabulary=30).shape == (32 * CELL, 2 * 10 * WIDE + GAP, 3)
    )
    words = ["a", "longest", *["word"] * 28]
    assert text_grid(small, words).shape == text_grid(large, words).shape == text_grid(small + 1, words).shape


def test_many_sequences_are_no_ribbon():
    height, wide, _ = token_grid(np.zeros((5000, 10), int)).shape
    assert 0.5 < height / wide < 2


def test_words_are_written_one_after_the_other():
    words = ["the", "cat", "sleeps"]
    grid = text_grid(np.array([[0, 1, 2], [2, 1, 0]]), words)
    line = np.full((grid.shape[0] // 2, grid.shape[1], 1), 255, np.uint8)
    letters.write(line, "the cat sleeps", 1 + letters.height() / 2, 2, ink=0, centred=False)
    inside = slice(0, letters.height())
    assert np.array_equal(grid[inside], line[inside]) and (line[inside] < 100).sum() > 100
    letters_only = text_grid(np.array([[0, 1, 1, 0]]), ["a", "b"])
    assert letters_only.shape[1] == width("abba") + 4  # no space between letters


def test_a_long_text_goes_on_in_the_next_line():
    words = ["a" * 20, "b"]
    grid = text_grid(np.zeros((1, 10), int), words)  # four words of 20 letters in a line of at most 96
    assert grid.shape[0] == 3 * letters.height() + 4 and grid.shape[1] == 4 + width("m" * 84)
    for line, count in zip(range(3), (4, 4, 2)):
        row = grid[1 + line * letters.height() :][: letters.height(), :, 0]
        last = np.flatnonzero((row < 128).any(axis=0)).max()
        assert last == pytest.approx(2 + width("a" * 21 * count) - width("a"), abs=2)


def test_a_token_without_a_word_is_refused():
    with pytest.raises(ShapeError, match="text_grid: token 2 has no word, there are words only for 0 to 1"):
        text_grid(np.array([[2]]), ["a", "b"])


def test_thirty_tokens_have_thirty_colours_that_do_not_depend_on_the_others():
    table = colours(np.arange(30)).astype(int)
    apart = np.abs(table[:, None] - table[None]).sum(axis=2)
    assert apart[~np.eye(30, dtype=bool)].min() > 25
    assert np.array_equal(colours(np.array([7])), table[7:8])


@pytest.mark.parametrize(
    "tokens, error",
    [
        (np.zeros((2, 3)), DTypeError),
        (np.array([[-1]]), DTypeError),
        (np.zeros(3, int), ShapeError),
        (np.zeros((0, 3), int), ShapeError),
    ],
)
def test_what_are_no_tokens_is_refused(tokens, error):
    with pytest.raises(error, match="token_grid: tokens"):
        token_grid(tokens)
    with pytest.raises(error, match="text_grid: tokens"):
        text_grid(tokens, ["a", "b"])
