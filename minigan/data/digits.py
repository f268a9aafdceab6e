"""`digits`: 28x28 pictures of 0..9, white on black like MNIST, drawn from the fonts that matplotlib ships; no download.

load    the data set, from the cache or drawn      draw    the pictures of one split, seed and count
FACES   the fonts that train, and the four held out for the test split
Elsewhere: the loaders (base.py), real handwriting (mnist.py).  matplotlib is imported when something is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from . import cache
from .base import ImageDataset

# Of the 38 fonts in matplotlib these 22 have digits in their digit slots.  cmex10 and cmsy10 have symbols there; the
# STIXSiz* and STIXNonUni* have none, or repeat these; *Display and LastResort are not text faces.
# The test faces differ in style from each other: slanted serif, bold monospaced, bold Times, Computer Modern sans.
FACES = {
    "train": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
              "DejaVuSansMono", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
              "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-BoldItalic",
              "STIXGeneral", "STIXGeneralItalic", "STIXGeneralBolIta",
              "cmr10", "cmb10", "cmti10", "cmtt10", "cmmi10"),
    "test": ("DejaVuSerif-Italic", "DejaVuSansMono-Bold", "STIXGeneralBol", "cmss10"),
}
SIZES = {"train": 20_000, "test": 2_000}
SIDE = 28              # pixels
HEIGHT = 19.0          # pixels, of an upright digit before jitter; with its stroke about the 20 of MNIST
MARGIN = 1.5           # pixels at each border that no ink enters
ROTATION, SHEAR, SCALE, SHIFT = 12.0, 0.2, (0.85, 1.15), 2.0    # degrees; x per y; factors; pixels
STROKE = (1.5, 2.8)    # pixels: the mean stroke width aimed at.  It makes the mean pixel 35 of 255; MNIST's is 33
THICKEN, THIN = 1.5, 0.2   # pixels: at most so much is added to a face's own stroke or taken off; 0.6 off breaks serifs
BLUR = 30              # the neighbours' largest weight in the blur, in 256ths: 1, 2, 1 would be 64
RECIPE = 1             # raise when anything above or in draw() changes the pictures, so that old caches are not read


def load(split: str = "train", seed: int = 0, size: int | None = None) -> ImageDataset:
    """`size` digits, 20,000 or 2,000 (test) unless given: images (size, 1, 28, 28) uint8, labels 0, 1, ..., 9, 0, ...

    The same (split, seed, size) and matplotlib give the same bits; a smaller size gives the first rows of a larger one.
    The two splits share no font face and no random number.  info: `source`, `cache` (the file, or why there is none),
    `faces` (names) and, per picture, `face` (number in faces), `rotation` (degrees, to the left), `shear` (to the
    right), `scale` and `stroke` (pixels added to the face's own stroke width, or taken off).
    ConfigError for a seed or size that cannot be; DataError when matplotlib lacks its fonts."""
    size = SIZES[split] if size is None else size
    _whole("size", size, 1)
    _whole("seed", seed, 0)
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
    info = {"source": "drawn from matplotlib's fonts", "cache": state, "faces": FACES[split],
            "face": attributes[:, 0].astype(np.int64)}
    info |= {name: attributes[:, 1 + k] for k, name in enumerate(("rotation", "shear", "scale", "stroke"))}
    return ImageDataset("digits", images, labels, split, info, classes=10)


def draw(split: str, seed: int, size: int) -> dict[str, np.ndarray]:
    """Draw `size` digits: images (size, 1, 28, 28) uint8, labels (size,) int64, attributes (size, 5) float32.

    Agg fills the outlines by the non-zero rule with 256 grey levels, which leaves the holes of 0, 4, 6, 8 and 9 open.
    (Testing pixels with Path.contains_points fills them.)  Thinning draws the outline in black over the white."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.path import Path as Outline
    from matplotlib.transforms import Affine2D
    from tqdm import tqdm

    faces = FACES[split]
    labels = np.arange(size) % 10                                   # equal classes, whatever the size
    u = np.random.default_rng([seed, list(FACES).index(split)]).random((size, 8))   # row i is picture i's alone
    face = (u[:, 0] * len(faces)).astype(int)
    between = lambda k, low, high: low + (high - low) * u[:, k]
    rotation, shear = between(1, -ROTATION, ROTATION), between(2, -SHEAR, SHEAR)
    scale, wanted = between(3, *SCALE), between(4, *STROKE)
    shift = SHIFT * (2 * u[:, 5:7] - 1)

    glyphs = [[_glyph(name, digit) for digit in range(10)] for name in faces]
    own = np.array([[stroke for _, stroke in row] for row in glyphs])[face, labels]   # (size,)
    stroke = np.clip(wanted - own, -THIN, THICKEN)
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    grow = HEIGHT * scale                                           # matrix = rotate @ shear * grow
    matrix = np.stack([grow * cos, grow * (shear * cos - sin), grow * sin, grow * (shear * sin + cos)], axis=1)

    images = np.empty((size, SIDE, SIDE), np.uint8)
    renderer = RendererAgg(SIDE, SIDE, 72)                          # 72 dots per inch: a point is a pixel
    canvas = np.asarray(renderer.buffer_rgba())[:, :, 0]            # a view; red is as good as any
    pen = renderer.new_gc()
    pen.set_snap(False)                                             # no rounding to whole pixels
    paper = Outline([(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE), (0, 0)], closed=True)
    black, white, still = (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0), Affine2D()
    for i in tqdm(range(size), desc=f"drawing digits ({split})", unit="", delay=1, leave=False, disable=None):
        outline, _ = glyphs[face[i]][labels[i]]
        a, b, c, d = matrix[i]
        points = outline.vertices @ np.array([[a, c], [b, d]])
        low, high = points.min(axis=0), points.max(axis=0)
        # The box (low, high) is moved to the middle and shifted, but not over the border: a cut digit would be another
        # shape.  A few of the largest would not fit at all; they shrink.
        room = SIDE / 2 - MARGIN - max(stroke[i], 0) / 2
        half = (high - low) / 2
        fit = min(1.0, room / half.max())
        scale[i] *= fit
        x, y = SIDE / 2 - fit * (low + high) / 2 + np.clip(shift[i], fit * half - room, room - fit * half)
        pen.set_linewidth(0)
        renderer.draw_path(pen, paper, still, black)
        pen.set_linewidth(abs(stroke[i]))
        pen.set_foreground(white if stroke[i] > 0 else black, isRGBA=True)
        place = Affine2D(np.array([[fit * a, fit * b, x], [fit * c, fit * d, y], [0, 0, 1]]))
        renderer.draw_path(pen, outline, place, white)
        images[i] = canvas
    blur = (u[:, 7] * (BLUR + 1)).astype(np.int32)
    attributes = np.stack([face, rotation, shear, scale, stroke], axis=1).astype(np.float32)
    return {"images": _blur(images, blur)[:, None], "labels": labels, "attributes": attributes}


def _glyph(face: str, digit: int):
    """(outline of height 1 around the origin, its mean stroke width in pixels at HEIGHT) of a digit of a font face.

    A stroke of length L and width w has area Lw and perimeter about 2L, so w = 2 area / perimeter.
    DataError without the font file."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline
    from matplotlib.textpath import TextPath

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf")
    if not file.is_file():
        raise DataError(f"digits: this matplotlib has no font {file}; some Linux packages leave it out: "
                        "pip install matplotlib, or use --data mnist")
    path = TextPath((0, 0), str(digit), size=100, prop=FontProperties(fname=str(file)))
    box = path.get_extents()
    area = perimeter = 0.0
    for x, y in (np.asarray(polygon).T for polygon in path.to_polygons()):      # closed; holes turn the other way and subtract
        area += (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2
        perimeter += np.hypot(np.diff(x), np.diff(y)).sum()
    centre = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
    vertices = (path.vertices - centre) / box.height
    vertices[path.codes == Outline.CLOSEPOLY] = 0                   # not points of the outline, and not inside its box
    return Outline(vertices, path.codes), 2 * abs(area) / perimeter * HEIGHT / box.height


def _blur(images: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Each pixel becomes w, 256 - 2w, w 256ths of itself and its neighbours, down the columns, then along the rows.

    images uint8 (N, H, W), weight w int32 (N,).  In whole numbers: no rounding of floats can change a bit."""
    out = np.empty_like(images)
    for start in range(0, len(images), 1024):                       # int32 is four times as large: go in pieces
        x, w = images[start:start + 1024].astype(np.int32), weight[start:start + 1024, None, None]
        for axis in (1, 2):
            p = np.pad(x, [(0, 0)] + [(1, 1) if axis == k else (0, 0) for k in (1, 2)])
            before, after = (p[:, :-2], p[:, 2:]) if axis == 1 else (p[:, :, :-2], p[:, :, 2:])
            x = (w * (before + after) + (256 - 2 * w) * x + 128) >> 8
        out[start:start + 1024] = x
    return out


def cache_file(split: str, seed: int, size: int) -> Path:
    """Where these digits are kept.  Another matplotlib may draw them differently, so its version is in the name."""
    from importlib.metadata import version

    return cache.folder() / "digits" / f"{split}-s{seed}-n{size}-r{RECIPE}-mpl{version('matplotlib')}.npz"


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays and their SHA-256 as npz.  OSError when that is impossible."""
    cache.save(path, arrays)


def read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a cache file; None when it is missing, damaged or of another make: then digits are drawn anew."""
    arrays = cache.read(path)
    return arrays if arrays and list(arrays) == ["images", "labels", "attributes"] else None


def _whole(what: str, value, low: int) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < low:
        raise ConfigError(f"digits: {what} must be a whole number of at least {low}, got {value!r}")


def verify() -> list[tuple[str, str]]:
    """(file, status) of every digits file in the cache, or one line when there is none."""
    try:
        found = sorted((cache.folder() / "digits").glob("*.npz"))
    except OSError:
        found = []
    if not found:
        return [("digits", "ok: nothing cached, drawn when first used")]
    return [(str(path), "ok" if read(path) is not None else "damaged: `load` draws it anew") for path in found]
