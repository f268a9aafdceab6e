"""Turn picture files into pixels: upright, of one size, grey or in colour.   Pillow decodes them; it is imported when needed.

Look      how all pictures of a data set must look            OPTIONS   the options of a Look, with a line about each
header    size and colour of a file, without its pixels       pixels    the pixels of a file, changed to fit a Look
Elsewhere: which files of a folder are read, and how they are cached (own.py)."""

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
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")  # the formats that Pillow may try; the ending of the file does not matter
OPTIONS = {
    "size": "side of the square that pictures are scaled to, in pixels (default: their own size, if all have the same)",
    "colour": "grey or rgb (default: grey if all of them are)",
    "fit": "crop: cut out the middle; pad: keep everything and fill the rest with the background (default: crop)",
    "domains": "two sub-folders whose pictures are translated into each other by cyclegan: domains=horses,zebras",
    "background": "colour of transparent and padded places: black, white, #ff8000, ... (default: white)",
}
LARGEST_SIDE = 1024  # pixels of `size`
LARGEST_FILE = 2**28  # bytes
MOST_PIXELS = 89_478_485  # of one picture: Pillow's own limit, 256 MB in colour.  A file that claims more is not decoded
ORIENTATION = 0x0112  # an EXIF tag; its values 5 to 8 exchange width and height


@dataclass(frozen=True)
class Look:
    """How all pictures of a data set must look.   size, colour: None means that the files decide.   Raises ConfigError for an
    impossible value."""

    size: int | None = None
    colour: str | None = None
    fit: str = "crop"
    background: str = "white"

    def __post_init__(self):
        from PIL import ImageColor

        if self.size is not None and (
            not isinstance(self.size, int) or isinstance(self.size, bool) or not 1 <= self.size <= LARGEST_SIDE
        ):
            raise ConfigError(f"folder: size must be a whole number of pixels from 1 to {LARGEST_SIDE}, got {self.size!r}")
        choose("colour", self.colour or "rgb", {"grey": 1, "rgb": 3})
        choose("fit", self.fit, {"crop": 0, "pad": 0})
        try:
            ImageColor.getrgb(self.background)
        except (ValueError, AttributeError, TypeError):
            raise ConfigError(
                f"folder: background must be a colour such as white, black or #ff8000, got {self.background!r}"
            ) from None


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give options their types: {"size": "32"} becomes {"size": 32}.   Raises ConfigError for an unknown or impossible one."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name not in OPTIONS:
            raise ConfigError(f"folder has no option {name!r}{suggestion(str(name), OPTIONS)}")
        if value is not None:
            found[name] = int(value) if name == "size" and str(value).isdecimal() else value
    Look(**{name: value for name, value in found.items() if name != "domains"})
    return found


def header(path) -> tuple[tuple[int, int], bool]:
    """Return (height, width) of a file's picture, upright, and whether it has colours.   Raises DataError for other files."""
    with _opened(path) as image:
        # If the EXIF data of a PNG come after its pixels, Pillow would decode everything to find them; they are ignored here.
        known = image.format != "PNG" or "exif" in image.info
        turned = known and image.getexif().get(ORIENTATION, 1) >= 5
        return (image.size if turned else image.size[::-1]), _coloured(image)


def pixels(content: bytes, shape: tuple[int, int, int], look: Look) -> np.ndarray:
    """Decode the bytes of a file to uint8 of this shape, which is (1 for grey or 3, height, width).

    The picture is turned upright as its EXIF data say, laid on the background where it is transparent, scaled (bicubic, which
    averages over all pixels that a new one covers), and cut or padded around its middle.   A picture that already has this size
    keeps its exact pixels.   Only the first picture of an animation is used.   Raises DataError for a damaged file."""
    from PIL import Image, ImageColor, ImageOps

    channels, height, width = shape
    mode = "L" if channels == 1 else "RGB"
    with _opened(io.BytesIO(content)) as image:
        # Pillow can decode a large JPEG at a fraction of its size, which is faster.  Keep at least twice the size needed.
        scale = 2 * max(height, width) / min(image.size)
        if scale < 1 / 2:
            image.draft(None, [math.ceil(scale * side) for side in image.size])
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):  # 16 bits: Pillow would set all values above 255 to 255
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
    """Does the file store colours?   A palette that holds only greys does not."""
    if image.mode in ("P", "PA"):
        palette = np.reshape(image.getpalette("RGB"), (-1, 3))
        return bool((palette != palette[:, :1]).any())
    return image.mode not in ("1", "L", "LA", "La", "I", "F") and not image.mode.startswith("I;")


@contextlib.contextmanager
def _opened(file) -> Iterator[Any]:
    """Open a file with Pillow.   Any error inside the block becomes a DataError with a short reason."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF data, for example: these change no pixel
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
    except Exception as error:  # for a damaged file the decoders may raise almost any error
        raise DataError(f"is damaged ({_first_line(error)})") from error


def _first_line(error) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
