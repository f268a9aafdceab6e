"""A picture file becomes pixels: upright, of one size, grey or in colour.   Pillow decodes, and is imported when it has to.

Look      how all pictures of a data set are to look          OPTIONS   the same as options, with a line about each
header    size and colour of a file, without its pixels       pixels    a file's pixels, as a Look wants them
Elsewhere: which files of a folder are read, and what is kept of them (own.py)."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError, choose, suggestion

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")   # what Pillow may take a file for, whatever its ending says
OPTIONS = {"size": "side of the square that pictures are scaled to, in pixels (default: their own, if all have the same)",
           "colour": "grey or rgb (default: grey if all of them are)",
           "fit": "crop: cut out the middle; pad: keep all of it, and fill the rest with the background (default: crop)",
           "background": "colour behind what is transparent or padded: black, white, #ff8000, ... (default: white)"}
LARGEST_SIDE = 1024        # pixels of `size`
LARGEST_FILE = 2**28       # bytes
MOST_PIXELS = 89_478_485   # of one picture, as Pillow has it: 256 MB in colour.  What claims more is called a bomb
ORIENTATION = 0x0112       # the EXIF tag; from 5 to 8 width and height are exchanged


@dataclass(frozen=True)
class Look:
    """How all pictures of a data set look.   size, colour: None where the files say it.   ConfigError for what cannot be."""

    size: int | None = None
    colour: str | None = None
    fit: str = "crop"
    background: str = "white"

    def __post_init__(self):
        from PIL import ImageColor

        if self.size is not None and (not isinstance(self.size, int) or isinstance(self.size, bool)
                                      or not 1 <= self.size <= LARGEST_SIDE):
            raise ConfigError(f"folder: size must be a whole number of pixels from 1 to {LARGEST_SIDE}, got {self.size!r}")
        choose("colour", self.colour or "rgb", {"grey": 1, "rgb": 3})
        choose("fit", self.fit, {"crop": 0, "pad": 0})
        try:
            ImageColor.getrgb(self.background)
        except (ValueError, AttributeError, TypeError):
            raise ConfigError(f"folder: background must be a colour such as white, black or #ff8000, got {self.background!r}"
                              ) from None


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options in their types: {"size": "32"} -> {"size": 32}.   ConfigError for one that there is not, or cannot be."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name not in OPTIONS:
            raise ConfigError(f"folder has no option {name!r}{suggestion(str(name), OPTIONS)}")
        if value is not None:
            found[name] = int(value) if name == "size" and str(value).isdecimal() else value
    Look(**found)
    return found


def header(path) -> tuple[tuple[int, int], bool]:
    """((height, width) of a file's picture, upright; is it in colour?).   DataError for what is no picture."""
    with _opened(path) as image:
        # Of a PNG whose EXIF data stand behind its pixels, asking would decode all of it; then it is taken as it lies.
        known = image.format != "PNG" or "exif" in image.info
        turned = known and image.getexif().get(ORIENTATION, 1) >= 5
        return (image.size if turned else image.size[::-1]), _coloured(image)


def pixels(content: bytes, shape: tuple[int, int, int], look: Look) -> np.ndarray:
    """The picture in a file's bytes as uint8, shape = (1 for grey or 3, height, width).

    Turned upright by its EXIF orientation, laid on the background where it is transparent, scaled (bicubic, over all pixels
    that a new one covers), and cut or padded to the shape around its middle.   A picture that has this size already keeps every
    bit.   Of an animation the first picture.   DataError for what cannot be decoded."""
    from PIL import Image, ImageColor, ImageOps

    channels, height, width = shape
    mode = "L" if channels == 1 else "RGB"
    with _opened(io.BytesIO(content)) as image:
        # A large JPEG is decoded at a fraction of its size.  Twice what is needed is left, however it is turned and cut.
        scale = 2 * max(height, width) / min(image.size)
        if scale < 1 / 2:
            image.draft(None, [math.ceil(scale * side) for side in image.size])
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):  # 16 bits: Pillow would cut off what is above 255
            image = Image.fromarray(np.round(np.asarray(image, np.float64) / 257).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, ImageColor.getrgb(look.background)[:3]), image)
        image = image.convert(mode)
        if look.fit == "crop":
            image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
        else:
            scale = min(width / image.width, height / image.height)
            size = [min(most, max(1, round(scale * side))) for most, side in zip((width, height), image.size)]
            canvas = Image.new(mode, (width, height), ImageColor.getcolor(look.background, mode))
            canvas.paste(image.resize(size, Image.Resampling.BICUBIC), ((width - size[0]) // 2, (height - size[1]) // 2))
            image = canvas
        return np.asarray(image).reshape(height, width, channels).transpose(2, 0, 1)


def _coloured(image) -> bool:
    """Is a picture stored as one with colours?   A palette of greys has none."""
    if image.mode in ("P", "PA"):
        palette = np.reshape(image.getpalette("RGB"), (-1, 3))
        return bool((palette != palette[:, :1]).any())
    return image.mode not in ("1", "L", "LA", "La", "I", "F") and not image.mode.startswith("I;")


@contextlib.contextmanager
def _opened(file) -> Iterator[Any]:
    """A file opened by Pillow; whatever goes wrong with it inside the block is a DataError with a short reason."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF data and the like: they change no pixel
            with Image.open(file, formats=FORMATS) as image:
                if math.prod(image.size) > MOST_PIXELS:
                    raise DataError(f"claims {image.size[0]} x {image.size[1]} pixels, more than a picture may have")
                yield image
    except (DataError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise DataError("claims more pixels than a picture may have") from error
    except Image.UnidentifiedImageError as error:
        raise DataError("is no PNG, JPEG, WebP or BMP") from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or _first_line(error)})") from error
    except Exception as error:  # a damaged file makes the decoders raise nearly anything
        raise DataError(f"is damaged ({_first_line(error)})") from error


def _first_line(error) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
