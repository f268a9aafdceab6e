"""A batch of images as one picture, and a list of pictures as an animated GIF.

image_grid      (N, C, H, W) float in [-1, 1] -> one uint8 picture
save_png        a uint8 picture -> .png
save_gif        pictures or .png files -> .gif
Elsewhere: where a run keeps its pictures (runs/folder.py).
"""

import io
import math
import os

import numpy as np

from minigan import paths
from minigan.errors import CheckpointError, DTypeError, ShapeError
from minigan.serialize import replacing

BORDER = 96  # dark grey, which differs from images with a black background and from those with a white one
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


def save_gif(path, frames, seconds_per_frame=0.25, hold=2.0):
    """Write pictures as an animated GIF that repeats for ever.

    frames              at least one picture, as for save_png, or path of an image file.  Smaller frames are enlarged to the
                        size of the largest by repeating pixels, because a network may grow during training
    seconds_per_frame   GIF counts in hundredths of a second; the minimum is 0.02, because most browsers slow down faster ones
    hold                seconds for which the last frame stays
    Choosing 256 colours takes about a second for 5 million coloured pixels, so call this when a run ends, not after every
    picture.  Raises ShapeError when there are no frames, and CheckpointError for a file that cannot be read or written.
    """
    from PIL import Image

    pictures = [_picture(frame) for frame in frames]
    if not pictures:
        raise ShapeError("save_gif: no frames; train until the first sample is drawn")
    size = max(picture.width for picture in pictures), max(picture.height for picture in pictures)
    pictures = [picture.resize(size, Image.Resampling.NEAREST) for picture in pictures]
    if any(picture.mode != "L" for picture in pictures):
        # All frames share one palette of 256 colours, so still parts do not flicker.  They are quantized as one tall picture,
        # because Pillow's mapping to a given palette is inexact and would make a white page grey.
        width, height = size
        strip = Image.fromarray(np.concatenate([np.asarray(picture.convert("RGB")) for picture in pictures]))
        strip = strip.quantize(256, dither=Image.Dither.NONE)
        pictures = [strip.crop((0, top, width, top + height)) for top in range(0, strip.height, height)]
    durations = [max(20, round(seconds_per_frame * 100) * 10)] * len(pictures)
    durations[-1] = max(durations[-1], round(hold * 100) * 10)

    data = io.BytesIO()
    pictures[0].save(data, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    with replacing(path) as file:
        file.write(data.getbuffer())


def _picture(frame):
    """A Pillow image, mode L or RGB, from an array or a file."""
    from PIL import Image

    if isinstance(frame, str | bytes | os.PathLike):
        frame = paths.path(frame, "a frame", CheckpointError)
        try:
            with Image.open(frame) as opened:
                return opened.convert("L" if opened.mode in ("1", "L") else "RGB")
        except OSError as error:  # Pillow raises it for a file that is missing, unreadable or not an image
            raise CheckpointError(f"{frame}: not a readable picture ({error}); delete it or draw it again") from error
    frame = np.asarray(frame)
    if frame.dtype != np.uint8:
        raise DTypeError(f"a picture must be uint8, got {frame.dtype}; image_grid makes one from floats")
    if frame.ndim == 3 and frame.shape[2] == 1:
        frame = frame[:, :, 0]
    if frame.size == 0 or not (frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3)):
        raise ShapeError(f"a picture has shape {frame.shape}, needs (H, W), (H, W, 1) or (H, W, 3)")
    return Image.fromarray(np.ascontiguousarray(frame))
