"""`digits`: 28x28 pictures of 0..9, white on black like MNIST, drawn from the outlines of 22 fonts; no download.

load    the data set, from the cache or newly drawn      draw    the pictures of one split, seed and size
FACES   the fonts of the training split, and four other fonts for the test split
Elsewhere: the outlines and their licences (outlines/), the loaders (base.py), real handwriting (mnist.py).

The same split, seed and size give the same bits on every machine, with every version of Python and NumPy.  For this, a picture
is computed only by operations whose result the IEEE standard fixes (+ - * / and the square root), one element at a time: no
matrix product, no sum, no sine."""

from __future__ import annotations

import json
import math
from functools import cache as remember
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from . import cache
from .base import ImageDataset, whole

OUTLINES = Path(__file__).with_name("outlines")
# The four test fonts have different styles: slanted serif, bold monospaced, bold Times, Computer Modern sans.
FACES = {
    "train": (
        "DejaVuSans",
        "DejaVuSans-Bold",
        "DejaVuSans-Oblique",
        "DejaVuSans-BoldOblique",
        "DejaVuSansMono",
        "DejaVuSansMono-Oblique",
        "DejaVuSansMono-BoldOblique",
        "DejaVuSerif",
        "DejaVuSerif-Bold",
        "DejaVuSerif-BoldItalic",
        "General",
        "General-Italic",
        "General-BoldItalic",
        "cmr10",
        "cmb10",
        "cmti10",
        "cmtt10",
        "cmmi10",
    ),
    "test": ("DejaVuSerif-Italic", "DejaVuSansMono-Bold", "General-Bold", "cmss10"),
}
SIZES = {"train": 20_000, "test": 2_000}
SIDE = 28  # pixels
HEIGHT = 19.0  # pixels: height of an upright digit before jitter; with its stroke it is about 20, as in MNIST
MARGIN = 1.5  # pixels at each border that stay black
ROTATION, SHEAR, SCALE, SHIFT = 12.0, 0.2, (0.85, 1.15), 2.0  # degrees; x per y; factors; pixels
STROKE = (1.5, 2.8)  # pixels: the range of target stroke widths.  The mean pixel is then 35 of 255; MNIST's is 33
THICKEN, THIN = 1.5, 0.2  # pixels: the largest change of a font's stroke width; thinning by 0.6 would break serifs
BLUR = 30  # largest weight of a neighbour in the blur, in 256ths; the kernel (1, 2, 1) / 4 would have 64
DENSITY = 4  # points of a distance field per pixel
REACH = 2.5  # pixels around a digit that its distance field covers: half of THICKEN, half a pixel of grey, and some more
RECIPE = 2  # increase it when a change here or in draw() changes the pictures, so that old caches are not used


def load(split: str = "train", seed: int = 0, size: int | None = None) -> ImageDataset:
    """Load `size` digits: images (size, 1, 28, 28) uint8 with labels 0, 1, ..., 9, 0, ...  The default size is 20,000 for
    "train" and 2,000 for "test".

    The same split, seed and size give the same bits everywhere.  A smaller size gives the first rows of a larger one.
    The two splits share no font and no random numbers.   info: `source`; `cache`, the file or why there is none; `content`,
    which a run remembers; `faces`, the names of the fonts; and for each picture: `face` (index into faces), `rotation`
    (degrees, to the left), `shear` (to the right), `scale`, and `stroke` (change of the font's stroke width, in pixels).
    Raises ConfigError for an impossible seed or size, and DataError when minigan's own outlines are missing.

    >>> load("test", size=20).labels[:12].tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]"""
    size = SIZES[split] if size is None else size
    whole("size", size, "digits")
    whole("seed", seed, "digits", least=0)
    try:
        path = cache_file(split, seed, size)
        arrays = read(path)
        state = str(path)
    except OSError as error:
        path, arrays, state = None, None, f"not used: {error}"
    if arrays is None:
        arrays = draw(split, seed, size)
        if path is not None:
            try:
                save(path, arrays)
            except OSError as error:
                state = f"not written: {error}"
    images, labels, attributes = arrays["images"], arrays["labels"], arrays["attributes"]
    info = {
        "source": "drawn from the outlines of fonts",
        "cache": state,
        "content": {"samples": size, "recipe": RECIPE},
        "faces": FACES[split],
        "face": attributes[:, 0].astype(np.int64),
    }
    info |= {name: attributes[:, 1 + k] for k, name in enumerate(("rotation", "shear", "scale", "stroke"))}
    return ImageDataset("digits", images, labels, split, info, classes=10)


def draw(split: str, seed: int, size: int) -> dict[str, np.ndarray]:
    """Draw `size` digits: images (size, 1, 28, 28) uint8, labels (size,) int64, attributes (size, 5) float32.

    Each pixel looks up its distance from the outline, in the font's upright digit.  An edge that crosses a pixel covers a part
    of it, so the grey level is 1/2 at the outline and falls from 1 to 0 over one pixel.  A stroke becomes thicker when that
    edge is moved outwards, and thinner when it is moved inwards."""
    from tqdm import tqdm

    faces = FACES[split]
    labels = np.arange(size) % 10  # balanced classes for every size
    u = np.random.default_rng([seed, list(FACES).index(split)]).random((size, 8))  # picture i uses only row i
    face = (u[:, 0] * len(faces)).astype(int)
    between = lambda k, low, high: low + (high - low) * u[:, k]
    rotation, shear = between(1, -ROTATION, ROTATION), between(2, -SHEAR, SHEAR)
    scale, wanted = between(3, *SCALE), between(4, *STROKE)
    shift = SHIFT * (2 * u[:, 5:7] - 1)

    cos, sin = _cos_sin(rotation)
    turn = np.stack([cos, shear * cos - sin, sin, shear * sin + cos], axis=1)  # (size, 4): rotate @ shear, by rows
    glyph = 10 * face + labels
    stroke = np.empty(size)
    images = np.empty((size, SIDE, SIDE), np.uint8)
    for key in tqdm(
        np.unique(glyph), desc=f"drawing digits ({split})", unit="", delay=1, leave=False, disable=None
    ):  # all pictures of a font's digit at once
        name, digit = faces[key // 10], int(key % 10)
        for rows in _pieces(np.flatnonzero(glyph == key)):
            points, own = _glyph(name, digit)
            stroke[rows] = np.clip(wanted[rows] - own, -THIN, THICKEN)
            a, b, c, d = (scale[rows] * turn[rows].T)[:, :, None]  # (rows, 1) each
            at = np.stack([a * points[:, 0] + b * points[:, 1], c * points[:, 0] + d * points[:, 1]])  # (2, rows, points)
            low, high = at.min(axis=2).T, at.max(axis=2).T  # (rows, 2)
            # The digit's box (low, high) is centred and then shifted, but never across the margin, because a cut digit would
            # have another shape.  A few digits are too large for the picture; these are made smaller.
            room = (SIDE / 2 - MARGIN - np.maximum(stroke[rows], 0) / 2)[:, None]
            half = (high - low) / 2
            fit = np.minimum(1, room / half.max(axis=1, keepdims=True))
            scale[rows] *= fit[:, 0]
            place = SIDE / 2 - fit * (low + high) / 2 + np.clip(shift[rows], fit * half - room, room - fit * half)
            images[rows] = _paint(name, digit, turn[rows], scale[rows], place, stroke[rows])
    blur = (u[:, 7] * (BLUR + 1)).astype(np.int32)
    attributes = np.stack([face, rotation, shear, scale, stroke], axis=1).astype(np.float32)
    return {"images": _blur(images, blur)[:, None], "labels": labels, "attributes": attributes}


def _cos_sin(degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine of small angles: the Taylor series, to 1e-10 at 12 degrees.  NumPy's own differ in the last bit between
    versions and processors."""
    x = degrees * (math.pi / 180)
    s = x * x
    return 1 - s / 2 * (1 - s / 12 * (1 - s / 30 * (1 - s / 56))), x * (1 - s / 6 * (1 - s / 20 * (1 - s / 42)))


def _pieces(rows: np.ndarray, most: int = 1024) -> list[np.ndarray]:
    """Rows in pieces that need little memory."""
    return [rows[start : start + most] for start in range(0, len(rows), most)]


def _paint(face, digit, turn, scale, place, stroke) -> np.ndarray:
    """Pictures (N, 28, 28) uint8 of one digit of a font, without blur.   turn (N, 4): the matrix from the upright digit to the
    picture, with determinant 1; scale (N,); place (N, 2): where its centre is, in pixels from the lower left corner; stroke
    (N,): how much thicker, in pixels."""
    field, corner = _field(face, digit)
    a, b, c, d = turn.astype(np.float32).T[:, :, None, None]
    scale, stroke = (values.astype(np.float32)[:, None, None] for values in (scale, stroke))
    middles = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    x = (middles[None, None, :] - place[:, 0].astype(np.float32)[:, None, None]) / scale
    y = (middles[None, ::-1, None] - place[:, 1].astype(np.float32)[:, None, None]) / scale  # row 0 is the upper one
    # The inverse of the matrix gives each pixel's place in the upright digit, and then in the field.
    column = np.clip((d * x - b * y - corner[0]) * DENSITY, 0, field.shape[1] - 1.001)
    row = np.clip((a * y - c * x - corner[1]) * DENSITY, 0, field.shape[0] - 1.001)
    j, i = column.astype(np.int32), row.astype(np.int32)
    right, up = column - j, row - i
    flat, first = field.ravel(), i * field.shape[1] + j
    below, above = (flat[at] * (1 - right) + flat[at + 1] * right for at in (first, first + field.shape[1]))
    distance = (below * (1 - up) + above * up) * scale
    return (255 * np.clip(0.5 + stroke / 2 - distance, 0, 1) + 0.5).astype(np.uint8)


@remember
def _family(file: Path) -> dict[str, list]:
    """The polygons of a family's faces, as benchmarks/digit_outlines.py wrote them."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"digits: minigan's own file {file} cannot be read ({error}); install minigan again") from None


def _polygons(face: str, digit: int) -> list[np.ndarray]:
    """The closed polygons of a digit, each (points, 2) in whole font units."""
    for file in ("dejavu", "general", "computer-modern"):
        if face in (family := _family(OUTLINES / f"{file}.json")):
            return [np.array(points, np.int64).reshape(-1, 2) for points in family[face][digit]]
    raise DataError(f"digits: no file in {OUTLINES} has the face {face}; install minigan again")


@remember
def _glyph(face: str, digit: int) -> tuple[np.ndarray, float]:
    """A digit of a font: the points of its outline (points, 2), of height HEIGHT and centred on the origin, and its mean stroke
    width; all in pixels.

    A stroke of length L and width w has the area L w and a perimeter of about 2 L, so w = 2 area / perimeter."""
    polygons = _polygons(face, digit)
    area, sides = 0, []
    for x, y in (points.T for points in polygons):  # holes turn the other way: they subtract
        area += int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())  # twice the area; whole numbers, so exact
        sides += np.sqrt((np.roll(x, -1) - x) ** 2 + (np.roll(y, -1) - y) ** 2).tolist()
    points = np.concatenate(polygons)
    low, high = points.min(axis=0), points.max(axis=0)
    pixel = HEIGHT / (high[1] - low[1])
    return (points - (low + high) / 2) * pixel, float(abs(area) / math.fsum(sides) * pixel)


@remember
def _field(face: str, digit: int) -> tuple[np.ndarray, tuple[float, float]]:
    """The signed distance from a digit's outline, in pixels, negative inside: (rows upwards, columns) float32, DENSITY points
    per pixel; and the place (x, y) of its first point.

    A point is inside if the outline winds round it (the non-zero rule), so the holes of 0, 4, 6, 8 and 9 are outside."""
    points, _ = _glyph(face, digit)
    corner = points.min(axis=0) - REACH
    columns, rows = (int(n) for n in (points.max(axis=0) + REACH - corner) * DENSITY + 2)
    x = (corner[0] + np.arange(columns) / DENSITY).astype(np.float32)[None, :]
    y = (corner[1] + np.arange(rows) / DENSITY).astype(np.float32)[:, None]
    nearest = np.full((rows, columns), np.inf, np.float32)
    winding = np.zeros((rows, columns), np.int8)
    start = 0
    for polygon in _polygons(face, digit):
        corners = points[start : start + len(polygon)].astype(np.float32)
        start += len(polygon)
        for (px, py), (qx, qy) in zip(corners, np.roll(corners, -1, axis=0)):
            ux, uy, dx, dy = qx - px, qy - py, x - px, y - py
            along = np.clip((dx * ux + dy * uy) / (ux * ux + uy * uy), 0, 1)
            ex, ey = dx - along * ux, dy - along * uy
            np.minimum(nearest, ex * ex + ey * ey, out=nearest)
            between = ((py <= y) != (qy <= y))[:, 0]  # the rows that the side crosses
            left = (ux * dy[between] - uy * dx > 0) == (uy > 0)  # of the side: it crosses the ray from the point to the right
            winding[between] += left * np.int8(1 if uy > 0 else -1)
    return np.where(winding != 0, -1, 1).astype(np.float32) * np.sqrt(nearest), (float(corner[0]), float(corner[1]))


def _blur(images: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Convolve with (w, 256 - 2w, w) / 256, first along the columns, then along the rows.

    images (N, H, W) uint8, weight w (N,) int32.  The arithmetic uses integers, so every machine gets the same bits."""
    out = np.empty_like(images)
    for start in range(0, len(images), 1024):  # in pieces: int32 takes four times the memory
        x, w = images[start : start + 1024].astype(np.int32), weight[start : start + 1024, None, None]
        for axis in (1, 2):
            p = np.pad(x, [(0, 0)] + [(1, 1) if axis == k else (0, 0) for k in (1, 2)])
            before, after = (p[:, :-2], p[:, 2:]) if axis == 1 else (p[:, :, :-2], p[:, :, 2:])
            x = (w * (before + after) + (256 - 2 * w) * x + 128) >> 8
        out[start : start + 1024] = x
    return out


def cache_file(split: str, seed: int, size: int) -> Path:
    """The cache file of these digits.  Its name contains the number of the recipe, so that a change of the recipe is seen."""
    return cache.folder() / "digits" / f"{split}-s{seed}-n{size}-r{RECIPE}.npz"


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays and their SHA-256 to an .npz file.   Raises OSError when this is impossible."""
    cache.save(path, arrays)


def read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a cache file, or None when it is missing or damaged; the digits are then drawn again."""
    arrays = cache.read(path)
    return arrays if arrays and list(arrays) == ["images", "labels", "attributes"] else None


def verify() -> list[tuple[str, str]]:
    """Return (file, status) for every digits file in the cache, or one line if there are none."""
    try:
        found = sorted((cache.folder() / "digits").glob("*.npz"))
    except OSError:
        found = []
    if not found:
        return [("digits", "ok: nothing is cached; the digits are drawn at first use")]
    return [(str(path), "ok" if read(path) is not None else "damaged: `load` draws it again") for path in found]
