"""A picture of samples, of whatever kind they are.  The one place that knows how a kind is drawn.

draw        samples of a kind (data/kinds.py) -> .png           labelled_grid       pictures in rows by class, with heads
shown       how many of them a picture of a run shows           most                how many one picture can hold
Elsewhere: the parts (images.py, points.py, tokens.py, letters.py).
"""

import numpy as np

from minigan.data.kinds import Kind, Mask, Pair, Pictures, Points, Tokens
from minigan.errors import ConfigError, ShapeError
from minigan.viz import letters
from minigan.viz.images import BORDER, image_grid, save_png
from minigan.viz.points import scatter_png
from minigan.viz.tokens import text_grid, token_grid

OUTLINE = (1.0, -0.25, -1.0)  # of a mask, in [-1, 1]: orange, seen on black, on grey and on white
HEAD = 14  # size of the letters of a class's number
GAP = 2  # grey pixels around each picture


def draw(path, kind: Kind, samples, labels=None, real=None, title=None, heads=(), masks=None, words=None) -> None:
    """Write a .png of samples (N, *kind.shape): pictures as a grid, points as a scatter plot, tokens as text or numbers.

    labels  (N,) ints, the class of each: pictures come in rows by class, points have a colour for each class
    real    points (M, 2) to be drawn beneath.  With samples None what is drawn is real, of any kind; labels are its then
    title   of a scatter plot
    heads   where a system shows several pictures side by side, (N, C, H, len(heads) W), what each is: written above
            each column.  A Pair is shown side by side under "A" and "B", whoever draws it
    masks   (N, 1, H, W), 1 inside: their outlines are drawn into the pictures
    words   what the tokens stand for, where that is known; else the numbers are shown
    ShapeError or DTypeError for samples that are not of this kind, ConfigError for a kind of which there is no picture,
    CheckpointError when the file cannot be written.
    """
    if isinstance(kind, Points):
        return scatter_png(path, samples, real, title, labels=labels)
    samples = real if samples is None else samples
    if isinstance(kind, Tokens):
        save_png(path, token_grid(samples, vocabulary=kind.vocabulary) if words is None else text_grid(samples, words))
    elif isinstance(kind, Pictures | Pair | Mask):
        if isinstance(kind, Pair) and not heads:
            samples, heads = np.concatenate(_one_colour(*kind.split(samples)), axis=3), ("A", "B")
        if isinstance(kind, Mask):
            samples = 2 * np.asarray(samples) - 1
        save_png(path, labelled_grid(samples, labels, heads, masks))
    else:
        raise ConfigError(f"there is no picture of samples that are {kind}; pictures, masks, points and tokens can be drawn")


def shown(kind: Kind) -> int:
    """How many samples a picture of a run shows: a cloud of points has a shape, and 64 pictures can be looked at."""
    return 2000 if isinstance(kind, Points) else 64


def most(kind: Kind) -> int | None:
    """How many samples one picture holds; None: any number.   10,000 digits are a picture 6000 pixels wide."""
    return None if isinstance(kind, Points) else 10_000


def labelled_grid(images, labels=None, heads=(), masks=None):
    """image_grid with everything that can be said about the images written beside them.   uint8 (H', W', 1 or 3).

    images (N, C, H, W), labels, heads, masks: as in `draw`.   Each pixel is drawn 2 x 2, and larger where the words would
    not fit else.  Without labels, heads and masks it is image_grid(images, scale=2).   ShapeError for counts that differ.
    """
    images = np.asarray(images)
    if labels is not None and np.shape(labels) != images.shape[:1]:
        raise ShapeError(f"labelled_grid: labels has shape {np.shape(labels)}, needs one for each of the {len(images)} images")
    scale = 2
    if heads:
        if images.shape[-1] % len(heads):
            raise ShapeError(f"labelled_grid: images {images.shape[-1]} pixels wide are no {len(heads)} pictures side by side")
        part = images.shape[-1] // len(heads)
        scale = max(scale, -(-max(letters.width(head) + 4 for head in heads) // part))
    if labels is not None:
        scale = max(scale, -(-letters.height(HEAD) // images.shape[2]))
    if masks is not None:
        images, scale = _outlined(images, masks, scale), 1
    if labels is None:
        return _headed(image_grid(images, padding=GAP, scale=scale), heads, images.shape[3] * scale)
    return _by_class(images, np.asarray(labels), heads, scale)


def _by_class(images, labels, heads, scale):
    """Blocks of pictures, one for each class, its number at their left; the blocks side by side where they are narrow."""
    classes, counts = np.unique(labels, return_counts=True)
    wide, beside = _layout(len(classes), counts.max())
    rows = -(-counts.max() // wide)
    blank = np.full(images.shape[1:], BORDER / 127.5 - 1, images.dtype)  # as grey as the ground
    margin = max(letters.width(str(k), HEAD) for k in classes) + 8
    columns = []
    for first in range(beside):
        own = classes[first::beside]  # the classes of a row follow each other
        blocks = [np.concatenate([images[labels == k], np.tile(blank, (wide * rows - (labels == k).sum(), 1, 1, 1))])
                  for k in own]
        blocks += [np.tile(blank, (wide * rows, 1, 1, 1))] * (-(-len(classes) // beside) - len(own))
        grid = image_grid(np.concatenate(blocks), columns=wide, padding=GAP, scale=scale)
        grid = _headed(grid, heads, images.shape[3] * scale)
        grid = np.pad(grid, ((0, 0), (margin, 0), (0, 0)), constant_values=BORDER)
        cell = images.shape[2] * scale + GAP
        top = grid.shape[0] - GAP - cell * rows * len(blocks)
        for i, k in enumerate(own):
            letters.write(grid, str(k), top + GAP + i * rows * cell + (cell - GAP) / 2, margin / 2 + GAP / 2, size=HEAD)
        columns.append(grid)
    channels = max(grid.shape[2] for grid in columns)  # a column in which something is no number is in colours
    return np.concatenate([np.broadcast_to(grid, (*grid.shape[:2], channels)) for grid in columns], axis=1)


def _layout(classes, largest):
    """(pictures in a row of a block, blocks side by side) of the most square picture; whole classes in a row if it can be."""
    def longest(layout):
        wide, beside = layout
        return max(-(-classes // beside) * -(-largest // wide), beside * wide), -wide

    return min(((wide, beside) for wide in range(1, largest + 1) for beside in range(1, classes + 1)), key=longest)


def _headed(grid, heads, cell):
    """The grid with the heads above each of its columns; `cell` pixels wide are the pictures of a column, without the gap."""
    if not heads:
        return grid
    strip = letters.height() + 2
    grid = np.pad(grid, ((strip, 0), (0, 0), (0, 0)), constant_values=BORDER)
    part = cell / len(heads)
    for left in range(GAP, grid.shape[1] - GAP, cell + GAP):
        for i, head in enumerate(heads):
            letters.write(grid, head, strip / 2 + 1, left + (i + 0.5) * part)
    return grid


def _outlined(images, masks, scale):
    """The images enlarged and in colours, with a line one pixel wide around what each mask has inside."""
    masks = np.asarray(masks)
    if masks.shape != (len(images), 1, *images.shape[2:]):
        raise ShapeError(f"labelled_grid: masks has shape {masks.shape}, needs {(len(images), 1, *images.shape[2:])}")
    images, inside = (x.repeat(scale, axis=2).repeat(scale, axis=3) for x in (images, masks > 0.5))
    padded = np.pad(inside, ((0, 0), (0, 0), (1, 1), (1, 1)))
    core = padded[:, :, :-2, 1:-1] & padded[:, :, 2:, 1:-1] & padded[:, :, 1:-1, :-2] & padded[:, :, 1:-1, 2:]
    return np.where(inside & ~core, np.array(OUTLINE, images.dtype).reshape(1, 3, 1, 1), images)


def _one_colour(a, b):
    """Two batches of pictures with as many channels each: a grey one becomes RGB beside one that is."""
    channels = max(a.shape[1], b.shape[1])
    return [x if x.shape[1] == channels else x.repeat(channels, axis=1) for x in (a, b)]
