"""`digits`: 28x28 pictures of 0..9, white on black like MNIST, drawn from the fonts that matplotlib ships; no download.

load    the data set, from the cache or newly drawn      draw    the pictures of one split, seed and size
FACES   the fonts of the training split, and four other fonts for the test split
Elsewhere: the loaders (base.py), real handwriting (mnist.py).  matplotlib is imported only when digits are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from . import cache
from .base import ImageDataset, whole

# matplotlib has 38 fonts, and these 22 have usable digits.  cmex10 and cmsy10 have symbols in place of digits; STIXSiz* and
# STIXNonUni* have no digits or the same ones as others; *Display and LastResort are not made for text.
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
        "STIXGeneral",
        "STIXGeneralItalic",
        "STIXGeneralBolIta",
        "cmr10",
        "cmb10",
        "cmti10",
        "cmtt10",
        "cmmi10",
    ),
    "test": ("DejaVuSerif-Italic", "DejaVuSansMono-Bold", "STIXGeneralBol", "cmss10"),
}
SIZES = {"train": 20_000, "test": 2_000}
SIDE = 28  # pixels
HEIGHT = 19.0  # pixels: height of an upright digit before jitter; with its stroke it is about 20, as in MNIST
MARGIN = 1.5  # pixels at each border that stay black
ROTATION, SHEAR, SCALE, SHIFT = 12.0, 0.2, (0.85, 1.15), 2.0  # degrees; x per y; factors; pixels
STROKE = (1.5, 2.8)  # pixels: the range of target stroke widths.  The mean pixel is then 35 of 255; MNIST's is 33
THICKEN, THIN = 1.5, 0.2  # pixels: the largest change of a font's stroke width; thinning by 0.6 would break serifs
BLUR = 30  # largest weight of a neighbour in the blur, in 256ths; the kernel (1, 2, 1) / 4 would have 64
RECIPE = 1  # increase it when a change here or in draw() changes the pictures, so that old caches are not used


def load(split: str = "train", seed: int = 0, size: int | None = None) -> ImageDataset:
    """Load `size` digits: images (size, 1, 28, 28) uint8 with labels 0, 1, ..., 9, 0, ...  The default size is 20,000 for
    "train" and 2,000 for "test".

    The same split, seed, size and matplotlib version give the same bits.  A smaller size gives the first rows of a larger one.
    The two splits share no font and no random numbers.   info: `source`; `cache`, the file or why there is none; `faces`, the
    names of the fonts; and for each picture: `face` (index into faces), `rotation` (degrees, to the left), `shear` (to the
    right), `scale`, and `stroke` (change of the font's stroke width, in pixels).
    Raises ConfigError for an impossible seed or size, and DataError when matplotlib's fonts are missing.

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
        "source": "drawn from matplotlib's fonts",
        "cache": state,
        "faces": FACES[split],
        "face": attributes[:, 0].astype(np.int64),
    }
    info |= {name: attributes[:, 1 + k] for k, name in enumerate(("rotation", "shear", "scale", "stroke"))}
    return ImageDataset("digits", images, labels, split, info, classes=10)


def draw(split: str, seed: int, size: int) -> dict[str, np.ndarray]:
    """Draw `size` digits: images (size, 1, 28, 28) uint8, labels (size,) int64, attributes (size, 5) float32.

    matplotlib's Agg renderer fills outlines by the non-zero rule with 256 grey levels, so the holes of 0, 4, 6, 8 and 9 stay
    open; Path.contains_points would fill them.  To make a stroke thinner, its outline is drawn in black over the white."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.path import Path as Outline
    from matplotlib.transforms import Affine2D
    from tqdm import tqdm

    faces = FACES[split]
    labels = np.arange(size) % 10  # balanced classes for every size
    u = np.random.default_rng([seed, list(FACES).index(split)]).random((size, 8))  # picture i uses only row i
    face = (u[:, 0] * len(faces)).astype(int)
    between = lambda k, low, high: low + (high - low) * u[:, k]
    rotation, shear = between(1, -ROTATION, ROTATION), between(2, -SHEAR, SHEAR)
    scale, wanted = between(3, *SCALE), between(4, *STROKE)
    shift = SHIFT * (2 * u[:, 5:7] - 1)

    glyphs = [[_glyph(name, digit) for digit in range(10)] for name in faces]
    own = np.array([[stroke for _, stroke in row] for row in glyphs])[face, labels]  # (size,)
    stroke = np.clip(wanted - own, -THIN, THICKEN)
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    grow = HEIGHT * scale  # matrix = rotate @ shear * grow
    matrix = np.stack([grow * cos, grow * (shear * cos - sin), grow * sin, grow * (shear * sin + cos)], axis=1)

    images = np.empty((size, SIDE, SIDE), np.uint8)
    renderer = RendererAgg(SIDE, SIDE, 72)  # at 72 dots per inch, a point is a pixel
    canvas = np.asarray(renderer.buffer_rgba())[:, :, 0]  # a view of the red channel; all channels are equal
    pen = renderer.new_gc()
    pen.set_snap(False)  # snapping would round to whole pixels
    paper = Outline([(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE), (0, 0)], closed=True)
    black, white, still = (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0), Affine2D()
    for i in tqdm(range(size), desc=f"drawing digits ({split})", unit="", delay=1, leave=False, disable=None):
        outline, _ = glyphs[face[i]][labels[i]]
        a, b, c, d = matrix[i]
        points = outline.vertices @ np.array([[a, c], [b, d]])
        low, high = points.min(axis=0), points.max(axis=0)
        # The digit's box (low, high) is centred and then shifted, but never across the margin, because a cut digit would have
        # another shape.  A few digits are too large for the picture; these are made smaller.
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
    """Return a digit of a font: its outline, of height 1 and centred on the origin, and its mean stroke width in pixels at
    height HEIGHT.

    A stroke of length L and width w has the area L w and a perimeter of about 2 L, so w = 2 area / perimeter.
    Raises DataError when the font file is missing."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline
    from matplotlib.textpath import TextPath

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf")
    if not file.is_file():
        raise DataError(
            f"digits: matplotlib's font {file} is missing, some Linux packages leave it out; "
            "pip install matplotlib, or use --data mnist"
        )
    path = TextPath((0, 0), str(digit), size=100, prop=FontProperties(fname=str(file)))
    box = path.get_extents()
    area = perimeter = 0.0
    for x, y in (np.asarray(polygon).T for polygon in path.to_polygons()):  # holes turn the other way: they subtract
        area += (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2
        perimeter += np.hypot(np.diff(x), np.diff(y)).sum()
    centre = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
    vertices = (path.vertices - centre) / box.height
    vertices[path.codes == Outline.CLOSEPOLY] = 0  # they are no outline points and may be outside the box
    return Outline(vertices, path.codes), 2 * abs(area) / perimeter * HEIGHT / box.height


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
    """The cache file of these digits.  Its name contains matplotlib's version, because another one may draw differently."""
    from importlib.metadata import version

    return cache.folder() / "digits" / f"{split}-s{seed}-n{size}-r{RECIPE}-mpl{version('matplotlib')}.npz"


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
