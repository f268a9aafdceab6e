"""Augmentation that both players see: D judges only changed pictures, real and generated ones, and G learns through the change.

translation    move a picture by up to 1/8 of its side       cutout     cover a square, half as wide, with grey
colour         change brightness, saturation and contrast    AUGMENTS   these by name, and all of them together
augmented      a step whose D sees changed pictures

If only real pictures were changed, G would learn to draw the changes.  Every change is differentiable in the pictures, to any
order.   Zhao et al. 2020 (DiffAugment, arXiv:2006.10738), section 3.2.
"""

from collections.abc import Callable, Iterable

import numpy as np

from minigan.backend import xp
from minigan.ops import matmul, mean
from minigan.tensor import Tensor, plain

DRAWS = 7  # random numbers for each picture: two for translation, two for cutout, three for colour


def translation(x, u) -> Tensor:
    """Move each picture along both axes by a whole number of pixels, at most 1/8 of the side.  Its edge fills what comes free.

    x (N, C, H, W);  u (N, 2): uniform in [0, 1).   The paper fills with 0, which is grey; an edge looks like the background.
    A move is a product with a matrix that has one 1 per row: y = R x S^T."""
    return matmul(matmul(_moves(x, u[:, 0], 2), x), _moves(x, u[:, 1], 3).swapaxes(2, 3))


def _moves(x, u, axis):
    """(N, 1, n, n): row i has its 1 in column i + shift, or at the edge; n is the size of that axis of x."""
    n, module = x.shape[axis], xp(u)
    most = max(1, round(n / 8))
    places = module.arange(n)
    source = (places + module.floor(u * (2 * most + 1))[:, None] - most).clip(0, n - 1)  # (N, n)
    return Tensor((source[:, None, :, None] == places).astype(x.dtype))


def cutout(x, u) -> Tensor:
    """Cover a square at a random place, half as wide as the picture, with 0 (grey).   x (N, C, H, W);  u (N, 2).

    The square's centre may be anywhere in the picture, so a part of the square may be outside."""
    rows, columns = (_covered(x, u[:, k], 2 + k) for k in (0, 1))
    return x * Tensor((~(rows[:, None, :, None] & columns[:, None, None, :])).astype(x.dtype))


def _covered(x, u, axis):
    """(N, n) bool: the pixels of an axis that are nearer to the centre u n than a quarter of the axis."""
    n, module = x.shape[axis], xp(u)
    return abs(module.arange(n) + 0.5 - u[:, None] * n) < n / 4


def colour(x, u) -> Tensor:
    """Change brightness by up to 0.5, saturation by a factor of up to 2, contrast by a factor of 0.5 to 1.5, in this order.

    x (N, C, H, W) in [-1, 1];  u (N, 3).   Grey pictures have no saturation to change."""
    brightness, saturation, contrast = (Tensor(u[:, k].reshape(-1, 1, 1, 1)) for k in (0, 1, 2))
    x = x + (brightness - 0.5)
    if x.shape[1] > 1:
        grey = mean(x, axis=1, keepdims=True)
        x = (x - grey) * (2 * saturation) + grey
    middle = mean(x, axis=(1, 2, 3), keepdims=True)
    return (x - middle) * (contrast + 0.5) + middle


PIECES: dict[str, tuple[Callable, slice]] = {  # the paper's order, and which random numbers each one takes
    "colour": (colour, slice(4, 7)),
    "translation": (translation, slice(0, 2)),
    "cutout": (cutout, slice(2, 4)),
}
AUGMENTS = {"none": (), "translation": ("translation",), "cutout": ("cutout",), "colour": ("colour",), "all": tuple(PIECES)}


def augment(x, u, names: Iterable[str]) -> Tensor:
    """The pictures x (N, C, H, W), changed by the pieces with these names.   u (N, DRAWS): uniform in [0, 1)."""
    for name in names:
        change, columns = PIECES[name]
        x = change(x, u[:, columns])
    return x


def augmented(step: type, names: Iterable[str]) -> type:
    """A subclass of the AdversarialStep `step`: D sees all pictures changed by the pieces with these names.  Every picture has
    random numbers of its own.  Samples that are no pictures, such as points, stay as they are."""

    class Augmented(step):
        def view(self, samples, name):
            samples = super().view(samples, name)
            if samples.ndim != 4:
                return samples
            draws = lambda generator: generator.random((len(samples), DRAWS), dtype=np.float32)
            return augment(samples, plain(self.draw(f"augment {name}", draws)), names)

    return Augmented
