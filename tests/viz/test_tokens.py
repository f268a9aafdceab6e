"""A picture of tokens: one cell for each, in its place, and one colour for each number."""

import numpy as np
import pytest

from minigan.errors import DTypeError, ShapeError
from minigan.viz import token_grid
from minigan.viz.images import BORDER
from minigan.viz.tokens import CELL, GAP, colours


def test_every_cell_has_the_colour_of_its_token():
    tokens = np.random.default_rng(0).integers(30, size=(5, 4))
    grid = token_grid(tokens, rows=3)  # two columns: sequences 0 to 2, and 3 to 4
    assert grid.shape == (3 * CELL, 2 * 4 * CELL + GAP, 3) and grid.dtype == np.uint8
    for i, t in np.ndindex(5, 4):
        top, left = i % 3 * CELL, i // 3 * (4 * CELL + GAP) + t * CELL
        assert (grid[top : top + CELL - 1, left : left + CELL] == colours(tokens)[i, t]).all()
    assert (grid[2 * CELL :, 4 * CELL + GAP :] == BORDER).all()  # there is no sixth sequence


def test_thirty_tokens_have_thirty_colours_that_do_not_depend_on_the_others():
    table = colours(np.arange(30)).astype(int)
    apart = np.abs(table[:, None] - table[None]).sum(axis=2)
    assert apart[~np.eye(30, dtype=bool)].min() > 25
    assert np.array_equal(colours(np.array([7])), table[7:8])


@pytest.mark.parametrize("tokens, error", [
    (np.zeros((2, 3)), DTypeError), (np.array([[-1]]), DTypeError), (np.zeros(3, int), ShapeError),
    (np.zeros((0, 3), int), ShapeError)])
def test_what_are_no_tokens_is_refused(tokens, error):
    with pytest.raises(error, match="token_grid: tokens"):
        token_grid(tokens)
