"""Draw samples of any kind.  Only this file decides how each kind is drawn.

draw            samples of a kind (data/kinds.py) -> .png
labelled_grid   pictures in rows by class, with headings
shown           how many samples a run's pictures show
most            how many samples one picture can hold
Elsewhere: how each part is drawn (images.py, points.py, tokens.py, letters.py).
"""

import numpy as np

from minigan.data.kinds import Kind, Mask, Pair, Pictures, Points, Tokens
from minigan.errors import ConfigError, ShapeError
from minigan.viz import letters
from minigan.viz.images import BORDER, image_grid, save_png
from minigan.viz.points import scatter_png
from minigan.viz.tokens import text_grid, token_grid

OUTLINE = (1.0, -0.25, -1.0)  # colour of a mask's outline, in [-1, 1]: orange is visible on black, grey and white
HEAD = 14  # font size of a class's number, in pixels
LARGE = 48  # pixels: taller pictures are not enlarged, since a page of them would take megabytes
GAP = 2  # width of the grey border around each picture, in pixels


def draw(path, kind: Kind, samples, labels=None, real=None, title=None, heads=(), masks=None, words=None, field=None) -> None:
    """Write a .png of samples: pictures as a grid, points as a scatter plot, tokens as text or numbers.

    path    of the .png file
    kind    the kind of the samples (data/kinds.py)
    samples (N, *kind.shape), or None to draw `real` alone
    labels  (N,) ints, the classes: pictures are sorted into rows by class, points have a colour for each class
    real    real points (M, size) to draw under the samples.  If samples is None, real samples of any kind; labels are theirs
    title   of a scatter plot
    heads   headings, for a system whose samples are several pictures side by side, (N, C, H, len(heads) W); they are
            written above the columns.  A Pair always has the headings "A" and "B"
    masks   (N, 1, H, W), 1 inside and 0 outside; their outlines are drawn into the pictures
    words   the word of each token; without them the tokens' numbers are shown
    field   what D says of points of the plane; see scatter_png
    Pictures that are neither grey nor RGB are drawn as their channels, side by side in grey.  Of points with more coordinates
    the first two are drawn; points with one coordinate are spread out in their order.
    Raises ShapeError or DTypeError for samples that are not of this kind, ConfigError for a kind that cannot be drawn, and
    CheckpointError when the file cannot be written.

        draw("grid.png", Pictures(1, 28, 28), np.zeros((64, 1, 28, 28)))
    """
    if isinstance(kind, Points):
        return _scatter(path, kind, samples, real, title, labels, field)
    samples = real if samples is None else samples
    if isinstance(kind, Tokens):
        save_png(path, token_grid(samples, vocabulary=kind.vocabulary) if words is None else text_grid(samples, words))
    elif isinstance(kind, Pictures | Pair | Mask):
        if isinstance(kind, Pair) and not heads:
            if _drawable(kind.a.channels) and _drawable(kind.b.channels):
                samples, heads = np.concatenate(_one_colour(*kind.split(samples)), axis=3), ("A", "B")
            else:  # one grey picture for each channel
                samples, heads = _side_by_side(samples, kind.shape[0]), ("A",) * kind.a.channels + ("B",) * kind.b.channels
        elif not _drawable(channels := np.asarray(samples).shape[1] if heads else kind.shape[0]):  # heads' parts have no kind
            samples, heads = _side_by_side(samples, channels), tuple(heads) * channels
            masks = None if masks is None else np.tile(masks, channels)
        if isinstance(kind, Mask):
            samples = 2 * np.asarray(samples) - 1
        save_png(path, labelled_grid(samples, labels, heads, masks))
    else:
        raise ConfigError(f"draw: cannot draw samples that are {kind}; it can draw pictures, masks, points and tokens")


def shown(kind: Kind) -> int:
    """How many samples a run's pictures show: 2000 points, because only many points show a shape, but 64 of all others."""
    return 2000 if isinstance(kind, Points) else 64


def most(kind: Kind) -> int | None:
    """The largest number of samples in one picture, or None for no limit.   10,000 digits are 6000 pixels wide."""
    return None if isinstance(kind, Points) else 10_000


def labelled_grid(images, labels=None, heads=(), masks=None):
    """An image_grid with class numbers, headings and masks.   Returns uint8 (H', W', 1 or 3).

    images (N, C, H, W), labels, heads, masks: as in `draw`.   Each pixel becomes 2 x 2 pixels (or stays one, in pictures taller
    than 48), or more if the words would not fit otherwise.  Without labels, heads and masks the result is an image_grid.
    Raises ShapeError when the numbers of images, labels, heads and masks do not fit together.

    >>> labelled_grid(np.zeros((4, 1, 28, 28)), labels=[0, 0, 1, 1]).dtype
    dtype('uint8')
    """
    images = np.asarray(images)
    if labels is not None and np.shape(labels) != images.shape[:1]:
        raise ShapeError(f"labelled_grid: labels has shape {np.shape(labels)}, needs one for each of the {len(images)} images")
    scale = 1 if images.ndim == 4 and images.shape[2] > LARGE else 2
    if heads:
        if images.shape[-1] % len(heads):
            raise ShapeError(
                f"labelled_grid: images {images.shape[-1]} pixels wide cannot be {len(heads)} pictures side by "
                "side; give one head for each picture"
            )
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
    """One block of pictures for each class, with the class's number to the left.  Narrow blocks stand side by side."""
    classes, counts = np.unique(labels, return_counts=True)
    wide, beside = _layout(len(classes), counts.max())
    rows = -(-counts.max() // wide)
    blank = np.full(images.shape[1:], BORDER / 127.5 - 1, images.dtype)  # the grey of the background
    margin = max(letters.width(str(k), HEAD) for k in classes) + 8
    columns = []
    for first in range(beside):
        own = classes[first::beside]  # so that consecutive classes are in the same row
        blocks = [
            np.concatenate([images[labels == k], np.tile(blank, (wide * rows - (labels == k).sum(), 1, 1, 1))]) for k in own
        ]
        blocks += [np.tile(blank, (wide * rows, 1, 1, 1))] * (-(-len(classes) // beside) - len(own))
        grid = image_grid(np.concatenate(blocks), columns=wide, padding=GAP, scale=scale)
        grid = _headed(grid, heads, images.shape[3] * scale)
        grid = np.pad(grid, ((0, 0), (margin, 0), (0, 0)), constant_values=BORDER)
        cell = images.shape[2] * scale + GAP
        top = grid.shape[0] - GAP - cell * rows * len(blocks)
        for i, k in enumerate(own):
            letters.write(grid, str(k), top + GAP + i * rows * cell + (cell - GAP) / 2, margin / 2 + GAP / 2, size=HEAD)
        columns.append(grid)
    channels = max(grid.shape[2] for grid in columns)  # a grey column becomes RGB if it contains NaN
    return np.concatenate([np.broadcast_to(grid, (*grid.shape[:2], channels)) for grid in columns], axis=1)


def _layout(classes, largest):
    """(pictures in a row of a block, blocks side by side) for the most square picture; on a tie, the longest rows win."""

    def longest(layout):
        wide, beside = layout
        return max(-(-classes // beside) * -(-largest // wide), beside * wide), -wide

    return min(((wide, beside) for wide in range(1, largest + 1) for beside in range(1, classes + 1)), key=longest)


def _headed(grid, heads, cell):
    """Add the headings above each column of the grid.   cell: the width of a column without the gap, in pixels."""
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
    """The images, enlarged and as RGB, with a line one pixel wide along the inner edge of each mask."""
    masks = np.asarray(masks)
    if masks.shape != (len(images), 1, *images.shape[2:]):
        raise ShapeError(f"labelled_grid: masks has shape {masks.shape}, needs {(len(images), 1, *images.shape[2:])}")
    images, inside = (x.repeat(scale, axis=2).repeat(scale, axis=3) for x in (images, masks > 0.5))
    padded = np.pad(inside, ((0, 0), (0, 0), (1, 1), (1, 1)))
    core = padded[:, :, :-2, 1:-1] & padded[:, :, 2:, 1:-1] & padded[:, :, 1:-1, :-2] & padded[:, :, 1:-1, 2:]
    return np.where(inside & ~core, np.array(OUTLINE, images.dtype).reshape(1, 3, 1, 1), images)


def _drawable(channels):
    """Is a picture with so many channels grey or RGB?"""
    return channels in (1, 3)


def _side_by_side(images, channels):
    """The channels of each picture as one grey picture: (N, C, H, W) -> (N, 1, H, C W)."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] != channels:
        raise ShapeError(f"draw: samples of {channels} channels must be (N, {channels}, H, W), got {images.shape}")
    return np.concatenate(np.split(images, channels, axis=1), axis=3)


def _scatter(path, kind, samples, real, title, labels, field):
    """A scatter plot of points that have any number of coordinates."""
    both, names = [None if x is None else np.asarray(x) for x in (samples, real)], ("$x_1$", "$x_2$")
    for x in both:
        if x is not None and x.shape[1:] != kind.shape:
            raise ShapeError(f"draw: samples have the shape {x.shape}, but {kind} need (N, {kind.size})")
    if kind.size == 1:
        known = both[0] if both[1] is None else both[1]
        known, names = known[np.isfinite(known)], ("$x_1$", None)
        low, high = (known.min(), known.max()) if len(known) else (0, 0)
        both = [x if x is None else np.column_stack([x, np.linspace(low, high, len(x))]) for x in both]
    field = field if kind.size == 2 else None
    fake, real = (x if x is None else x[:, :2] for x in both)
    scatter_png(path, fake, real, title, labels=labels, names=names, field=field)


def _one_colour(a, b):
    """Two batches of pictures with the same number of channels: if one is RGB and the other grey, both become RGB."""
    channels = max(a.shape[1], b.shape[1])
    return [x if x.shape[1] == channels else x.repeat(channels, axis=1) for x in (a, b)]
