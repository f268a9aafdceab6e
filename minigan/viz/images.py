"""A batch of images as one picture, and a list of pictures as an animated GIF.

image_grid      (N, C, H, W) float in [-1, 1] -> one uint8 picture
save_png        a uint8 picture -> .png
save_gif        pictures or .png files -> .gif
Elsewhere: where a run keeps its pictures (runs/folder.py).
"""

import contextlib
import io
import math
import os
import struct
from functools import lru_cache

import numpy as np

from minigan import paths
from minigan.errors import CheckpointError, DTypeError, ShapeError
from minigan.serialize import replacing
from minigan.viz import letters

BORDER = 96  # dark grey, which differs from images with a black background and from those with a white one
CAPTION = 14  # font size of a frame's caption, in pixels
NOT_A_NUMBER = (255, 0, 255)  # magenta, which no trained network draws by accident


def image_grid(images, columns=None, padding=2, scale=1):
    """Arrange N images in rows on a grey background.

    images      (N, C, H, W) float, C = 1 (grey) or 3 (RGB): -1 is black and +1 is white; other values are clipped
    columns     images in a row; the default is ceil(sqrt(N)), which makes the grid nearly square
    padding     width of the grey border around every image, in pixels
    scale       each pixel becomes scale x scale pixels, so that small images are easy to see
    returns     uint8 (H', W', C).  NaN and infinity become magenta; a grey batch that has any of them becomes RGB
    Raises ShapeError for other shapes and DTypeError for integers.

    >>> image_grid(np.zeros((4, 1, 28, 28))).shape
    (62, 62, 1)
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.size == 0:
        hint = "; if it is (N, H, W, C), pass images.transpose(0, 3, 1, 2)" if images.shape[-1:] in ((1,), (3,)) else ""
        raise ShapeError(f"image_grid: images has shape {images.shape}, needs (N, 1 or 3, H, W), none of them 0{hint}")
    if not np.issubdtype(images.dtype, np.floating):
        raise DTypeError(f"image_grid: images is {images.dtype}, needs floats in [-1, 1]; from 0..255: x / 127.5 - 1")
    if (columns is not None and columns < 1) or padding < 0 or scale < 1:
        raise ShapeError(f"image_grid: columns={columns}, padding={padding}, scale={scale}; needs >= 1, >= 0, >= 1")

    finite = np.isfinite(images)
    pixels = np.rint((np.where(finite, images, 0).clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    if not finite.all():
        bad = ~finite.all(axis=1, keepdims=True)  # a pixel is bad if one of its channels is
        magenta = np.array(NOT_A_NUMBER, np.uint8).reshape(1, 3, 1, 1)
        pixels = np.where(bad, magenta, pixels)  # (N, 3, H, W), also for grey images
    pixels = pixels.repeat(scale, axis=2).repeat(scale, axis=3)

    N, C, H, W = pixels.shape
    columns = min(N, columns or math.isqrt(N - 1) + 1)
    rows = -(-N // columns)
    cells = np.full((rows * columns, H + padding, W + padding, C), BORDER, np.uint8)  # with an upper and a left border
    cells[:N, padding:, padding:] = pixels.transpose(0, 2, 3, 1)
    grid = cells.reshape(rows, columns, H + padding, W + padding, C).swapaxes(1, 2)
    grid = grid.reshape(rows * (H + padding), columns * (W + padding), C)
    return np.pad(grid, ((0, padding), (0, padding), (0, 0)), constant_values=BORDER)


def save_png(path, grid):
    """Write a uint8 picture (H, W), (H, W, 1) or (H, W, 3) as a PNG file.

    Raises ShapeError or DTypeError for another array, and CheckpointError when the file cannot be written."""
    picture, data = _picture(grid), io.BytesIO()
    picture.save(data, "PNG")
    with replacing(path) as file:
        file.write(data.getbuffer())


def save_gif(path, frames, captions=None, seconds_per_frame=0.25, hold=2.0):
    """Write pictures as an animated GIF that repeats for ever.

    frames              at least one picture, as for save_png, or path of an image file.  Smaller frames are enlarged to the
                        size of the largest by repeating pixels, because a network may grow during training
    captions            a text for each frame, such as "step 500", which is written below it
    seconds_per_frame   GIF counts in hundredths of a second; the minimum is 0.02, because most browsers slow down faster ones
    hold                seconds for which the last frame stays
    Each frame has 256 colours of its own, so frames do not depend on each other.  Those that come from files are kept in
    memory: when a run writes its GIF again, it pays only for the new ones.
    Raises ShapeError when there are no frames, and CheckpointError for a file that cannot be read or written.
    """
    frames = list(frames)
    if not frames:
        raise ShapeError("save_gif: no frames; train until the first sample is drawn")
    sizes = [_size(frame) for frame in frames]
    size = max(width for width, _ in sizes), max(height for _, height in sizes)
    blocks = [_block(frame, size, caption) for frame, caption in zip(frames, captions or [""] * len(frames), strict=True)]
    hundredths = [max(2, round(seconds_per_frame * 100))] * len(blocks)
    hundredths[-1] = max(hundredths[-1], round(hold * 100))
    # The parts of a GIF: its size; "repeat for ever"; for each frame its duration and its block; the end.
    width, height = (int.from_bytes(blocks[0][i : i + 2], "little") for i in (5, 7))
    parts = [b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0), b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"]
    for block, duration in zip(blocks, hundredths):
        parts += [struct.pack("<3sBHBB", b"!\xf9\x04", 4, min(duration, 0xFFFF), 0, 0), block]
    with replacing(path) as file:
        file.writelines([*parts, b";"])


def _block(frame, size, caption):
    if isinstance(frame, str | os.PathLike):
        about = os.stat(frame)
        return _block_of_file(os.fspath(frame), (about.st_mtime_ns, about.st_ino), size, caption)
    return _encoded(_picture(frame), size, caption)


@lru_cache(maxsize=256)
def _block_of_file(path, written, size, caption):
    """The block of a picture in a file.   written: when, and as which file; so a new picture of an old name is read."""
    return _encoded(_picture(path), size, caption)


def _encoded(picture, size, caption):
    """A frame of a GIF without its duration: its place, its colours and its compressed pixels."""
    from PIL import Image

    picture = picture.resize(size, Image.Resampling.NEAREST)
    if caption:
        picture = _captioned(picture, caption)
    if picture.mode != "L":
        picture = picture.quantize(256, dither=Image.Dither.NONE)
    data = io.BytesIO()
    picture.save(data, "GIF", interlace=0)
    whole = data.getvalue()  # 13 bytes of header, the colours, perhaps extensions, the place and the pixels, and a ";"
    colours = 3 * 2 ** ((whole[10] & 7) + 1)
    start = 13 + colours
    while whole[start] == ord("!"):  # an extension: two bytes and blocks, each after its length, until one of length 0
        start += 2
        while whole[start]:
            start += 1 + whole[start]
        start += 1
    return whole[start : start + 9] + bytes([0x80 | whole[10] & 7]) + whole[13 : 13 + colours] + whole[start + 10 : -1]


def _captioned(picture, caption):
    """The picture with a line of text below it."""
    from PIL import Image

    grey = picture.mode == "L"
    strip = np.full((letters.height(CAPTION) + 4, max(picture.width, 1), 1 if grey else 3), BORDER, np.uint8)
    letters.write(strip, caption, strip.shape[0] / 2, 6, size=CAPTION, centred=False)
    pixels = np.asarray(picture).reshape(picture.height, picture.width, -1)
    return Image.fromarray(np.concatenate([pixels, strip])[:, :, 0] if grey else np.concatenate([pixels, strip]))


def _size(frame):
    """(width, height) of a picture, which for a file is read from its first bytes."""
    if isinstance(frame, str | os.PathLike):
        from PIL import Image

        with _readable(frame), Image.open(frame) as opened:
            return opened.size
    return _picture(frame).size


@contextlib.contextmanager
def _readable(path):
    """Raises CheckpointError for a picture that Pillow cannot read inside."""
    try:
        yield
    except OSError as error:  # Pillow raises it for a file that is missing, unreadable or not an image
        raise CheckpointError(f"{path}: not a readable picture ({error}); delete it or draw it again") from error


def _picture(frame):
    """A Pillow image, mode L or RGB, from an array or a file."""
    from PIL import Image

    if isinstance(frame, str | bytes | os.PathLike):
        frame = paths.path(frame, "a frame", CheckpointError)
        with _readable(frame), Image.open(frame) as opened:
            return opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    frame = np.asarray(frame)
    if frame.dtype != np.uint8:
        raise DTypeError(f"a picture must be uint8, got {frame.dtype}; image_grid makes one from floats")
    if frame.ndim == 3 and frame.shape[2] == 1:
        frame = frame[:, :, 0]
    if frame.size == 0 or not (frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3)):
        raise ShapeError(f"a picture has shape {frame.shape}, needs (H, W), (H, W, 1) or (H, W, 3)")
    return Image.fromarray(np.ascontiguousarray(frame))
