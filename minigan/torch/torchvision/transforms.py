"""torchvision.transforms on Pillow's pictures; the ones after ToTensor work on tensors (C, H, W), or (N, C, H, W).

Compose   Lambda   RandomApply                    one after the other        ToTensor   ToPILImage   Normalize
Resize   CenterCrop   RandomCrop   Pad   ...      size and place             Grayscale   ColorJitter   RandomHorizontalFlip ...

The random ones draw from torch.rand and torch.randint, as torchvision's do, in its order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np

from minigan.errors import ConfigError
from minigan.torch import core as torch
from minigan.torch.missing import missing_from
from minigan.torch.nn import functional as F
from minigan.torch.tensor import Tensor


class InterpolationMode(Enum):
    """How Resize finds the pixels between the pixels; the values are Pillow's names."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


class Compose:
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Callable]):
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self):
        return "Compose(\n" + "".join(f"    {transform}\n" for transform in self.transforms) + ")"


class _Transform:
    """Base of the others: it prints the options, and can be called."""

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in vars(self).items())})"


class Lambda(_Transform):
    """Any function of one argument."""

    def __init__(self, lambd: Callable):
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)


class ToTensor(_Transform):
    """A picture, or an array (H, W, C), as a float32 tensor (C, H, W); bytes 0 .. 255 become 0 .. 1."""

    def __call__(self, pic: Any) -> Tensor:
        if isinstance(pic, np.ndarray):
            array = pic[:, :, None] if pic.ndim == 2 else pic
        else:
            mode = {"1": np.uint8, "I": np.int32, "I;16": np.uint16, "F": np.float32}.get(pic.mode, np.uint8)
            array = np.array(pic, mode)
            array = 255 * array if pic.mode == "1" else array
            array = array[:, :, None] if array.ndim == 2 else array
        array = np.ascontiguousarray(array.transpose(2, 0, 1))
        return torch.from_numpy(array.astype(np.float32) / np.float32(255) if array.dtype == np.uint8 else array)


class PILToTensor(_Transform):
    """A picture as a uint8 tensor (C, H, W), 0 .. 255."""

    def __call__(self, pic: Any) -> Tensor:
        array = np.array(pic, np.uint8)
        return torch.from_numpy(np.ascontiguousarray((array[:, :, None] if array.ndim == 2 else array).transpose(2, 0, 1)))


class ToPILImage(_Transform):
    """A tensor (C, H, W), or an array (H, W, C), as a picture; floats count from 0 to 1."""

    def __init__(self, mode: str | None = None):
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        from PIL import Image

        array = pic
        if isinstance(pic, Tensor):
            array = pic.detach().cpu().numpy()
            array = (array[None] if array.ndim == 2 else array).transpose(1, 2, 0)
            array = (array * 255).astype(np.uint8) if array.dtype.kind == "f" else array
        array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
        picture = Image.fromarray(np.ascontiguousarray(array))
        return picture if self.mode in (None, picture.mode) else picture.convert(self.mode)


class Normalize(_Transform):
    """(x - mean) / std, per channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False):
        self.mean, self.std, self.inplace = mean, std, inplace
        self._mean, self._std = (np.asarray(v, np.float32).reshape(-1, 1, 1) for v in (mean, std))
        if not self._std.all():
            raise ValueError(f"Normalize: std is {list(np.ravel(std))}; it must not be 0")

    def __call__(self, tensor: Tensor) -> Tensor:
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise TypeError("Normalize: takes a tensor of floats; put ToTensor() before it")
        mean, std = (torch.as_tensor(v, dtype=tensor.dtype, device=tensor.device) for v in (self._mean, self._std))
        y = (tensor - mean) / std
        return tensor.copy_(y) if self.inplace else y

    def __repr__(self):
        return f"Normalize(mean={self.mean}, std={self.std})"


class Resize(_Transform):
    """The picture with another size: (height, width), or an int for its shorter side.

    A tensor can only grow or stay, or use "nearest": minigan has no filter against the patterns that shrinking makes there.
    """

    def __init__(
        self, size: Any, interpolation: Any = InterpolationMode.BILINEAR, max_size: int | None = None, antialias: Any = True
    ):
        self.size, self.interpolation, self.max_size, self.antialias = size, interpolation, max_size, antialias

    def __call__(self, img: Any) -> Any:
        width, height = _size(img)
        if isinstance(self.size, int) or len(self.size) == 1:
            short = int(self.size if isinstance(self.size, int) else self.size[0])
            scale = short / min(width, height)
            new = (short, int(scale * width)) if height <= width else (int(scale * height), short)
            if self.max_size is not None and max(new) > self.max_size:
                new = (int(self.max_size * new[0] / max(new)), int(self.max_size * new[1] / max(new)))
        else:
            new = (int(self.size[0]), int(self.size[1]))
        mode = _mode(self.interpolation)
        if not isinstance(img, Tensor):
            return img if (height, width) == new else img.resize(new[::-1], _pillow(mode))
        if mode != "nearest" and self.antialias and (new[0] < height or new[1] < width):
            raise ConfigError("Resize: a tensor can't shrink here without patterns; resize the picture before ToTensor()")
        batch = img if img.ndim == 4 else img[None]
        y = F.interpolate(batch, new, mode=mode, align_corners=None if mode == "nearest" else False)
        return y if img.ndim == 4 else y[0]


Scale = Resize  # its old name


class _Crop(_Transform):
    def __init__(self, size: Any):
        self.size = (int(size),) * 2 if isinstance(size, (int, float)) else tuple(size) * (3 - len(size))


class CenterCrop(_Crop):
    """The middle of the picture, with this size; where the picture is smaller, black is added."""

    def __call__(self, img: Any) -> Any:
        (width, height), (h, w) = _size(img), self.size
        if w > width or h > height:
            left, top = max((w - width) // 2, 0), max((h - height) // 2, 0)
            img = Pad((left, top, max((w - width + 1) // 2, 0), max((h - height + 1) // 2, 0)))(img)
            width, height = _size(img)
        return crop(img, round((height - h) / 2.0), round((width - w) / 2.0), h, w)


class RandomCrop(_Crop):
    """A part of this size from a random place; padding: a border that is added before."""

    def __init__(
        self, size: Any, padding: Any = None, pad_if_needed: bool = False, fill: Any = 0, padding_mode: str = "constant"
    ):
        super().__init__(size)
        self.padding, self.pad_if_needed, self.fill, self.padding_mode = padding, pad_if_needed, fill, padding_mode

    def __call__(self, img: Any) -> Any:
        if self.padding is not None:
            img = Pad(self.padding, self.fill, self.padding_mode)(img)
        (width, height), (h, w) = _size(img), self.size
        if self.pad_if_needed:
            img = Pad((max(w - width, 0), max(h - height, 0)), self.fill, self.padding_mode)(img)
            width, height = _size(img)
        if height < h or width < w:
            raise ValueError(f"RandomCrop: the picture is {height} x {width}, smaller than {h} x {w}; give pad_if_needed=True")
        if (height, width) == (h, w):
            return img
        top = torch.randint(0, height - h + 1, size=(1,)).item()
        left = torch.randint(0, width - w + 1, size=(1,)).item()
        return crop(img, top, left, h, w)


class RandomResizedCrop(_Transform):
    """A part with a random size (a share `scale` of the area) and form (`ratio` of width to height), resized to `size`."""

    def __init__(
        self, size: Any, scale: Any = (0.08, 1.0), ratio: Any = (3 / 4, 4 / 3), interpolation: Any = InterpolationMode.BILINEAR
    ):
        self.size, self.scale, self.ratio, self.interpolation = _Crop(size).size, scale, ratio, interpolation

    def __call__(self, img: Any) -> Any:
        width, height = _size(img)
        h, w = height, width
        for _ in range(10):
            area = height * width * torch.empty(1).uniform_(*self.scale).item()
            form = math.exp(torch.empty(1).uniform_(*map(math.log, self.ratio)).item())
            w, h = round(math.sqrt(area * form)), round(math.sqrt(area / form))
            if 0 < w <= width and 0 < h <= height:
                top = torch.randint(0, height - h + 1, size=(1,)).item()
                left = torch.randint(0, width - w + 1, size=(1,)).item()
                break
        else:  # the largest part in the middle that has an allowed form
            h = min(height, round(width / self.ratio[0]))
            w = min(width, round(h * min(max(width / height, self.ratio[0]), self.ratio[1])))
            top, left = (height - h) // 2, (width - w) // 2
        return Resize(self.size, self.interpolation)(crop(img, top, left, h, w))


class Pad(_Transform):
    """A border: an int, (left and right, top and bottom) or (left, top, right, bottom), in pixels."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant"):
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def __call__(self, img: Any) -> Any:
        padding = (self.padding,) * 4 if isinstance(self.padding, int) else tuple(self.padding)
        left, top, right, bottom = padding * (4 // len(padding))
        modes = {"constant": "constant", "edge": "replicate", "reflect": "reflect"}
        if self.padding_mode not in modes:
            raise ConfigError(f"Pad: padding_mode is {', '.join(modes)}, not {self.padding_mode!r}")
        if isinstance(img, Tensor):
            return F.pad(img, (left, right, top, bottom), modes[self.padding_mode], self.fill)
        from PIL import Image, ImageOps

        if self.padding_mode == "constant":
            return ImageOps.expand(img, (left, top, right, bottom), self.fill)
        array = np.asarray(img)
        widths = [(top, bottom), (left, right)] + [(0, 0)] * (array.ndim - 2)
        mode: Any = self.padding_mode
        return Image.fromarray(np.pad(array, widths, mode))


class _Sometimes(_Transform):
    change: Callable

    def __init__(self, p: float = 0.5):
        self.p = p

    def __call__(self, img: Any) -> Any:
        return self.change(img) if torch.rand(1) < self.p else img


class RandomHorizontalFlip(_Sometimes):
    """Left and right exchanged, with probability p."""

    @staticmethod
    def change(img: Any) -> Any:
        """The mirror image."""
        return torch.flip(img, [-1]) if isinstance(img, Tensor) else img.transpose(0)  # Pillow's FLIP_LEFT_RIGHT


class RandomVerticalFlip(_Sometimes):
    """Top and bottom exchanged, with probability p."""

    @staticmethod
    def change(img: Any) -> Any:
        """The mirror image."""
        return torch.flip(img, [-2]) if isinstance(img, Tensor) else img.transpose(1)  # Pillow's FLIP_TOP_BOTTOM


class RandomApply(_Sometimes):
    """All of these transforms, with probability p; else none."""

    def __init__(self, transforms: Sequence[Callable], p: float = 0.5):
        super().__init__(p)
        self.transforms = transforms

    def change(self, img: Any) -> Any:
        """The picture after all of them."""
        return Compose(self.transforms)(img)


class RandomRotation(_Transform):
    """Turned around its middle by a random angle: up to `degrees`, or between two of them."""

    def __init__(self, degrees: Any, interpolation: Any = InterpolationMode.NEAREST, expand: bool = False, fill: Any = 0):
        self.degrees = (-degrees, degrees) if isinstance(degrees, (int, float)) else tuple(degrees)
        self.interpolation, self.expand, self.fill = interpolation, expand, fill

    def __call__(self, img: Any) -> Any:
        angle = float(torch.empty(1).uniform_(*map(float, self.degrees)).item())
        return img.rotate(angle, _pillow(_mode(self.interpolation)), self.expand, fillcolor=self.fill)


class Grayscale(_Transform):
    """Without colours, in 1 or 3 equal channels."""

    def __init__(self, num_output_channels: int = 1):
        self.num_output_channels = num_output_channels

    def __call__(self, img: Any) -> Any:
        if isinstance(img, Tensor):
            red, green, blue = img[..., 0:1, :, :], img[..., 1:2, :, :], img[..., 2:3, :, :]
            grey = 0.2989 * red + 0.587 * green + 0.114 * blue
            return torch.cat([grey] * self.num_output_channels, -3)
        grey = img.convert("L")
        return grey if self.num_output_channels == 1 else grey.convert("RGB")


class ColorJitter(_Transform):
    """Brightness, contrast and saturation times a random factor from [1 - value, 1 + value], in a random order."""

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0):
        if hue:
            raise ConfigError("ColorJitter: hue is not in minigan; leave it out")
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation

    def __call__(self, img: Any) -> Any:
        from PIL import ImageEnhance

        kinds = [
            (ImageEnhance.Brightness, self.brightness),
            (ImageEnhance.Contrast, self.contrast),
            (ImageEnhance.Color, self.saturation),
        ]
        for k in torch.randperm(3).tolist():
            enhance, value = kinds[k]
            if value:
                low, high = (max(0.0, 1 - value), 1 + value) if isinstance(value, (int, float)) else value
                img = enhance(img).enhance(torch.empty(1).uniform_(low, high).item())
        return img


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of a picture or a tensor with this upper left corner and this size."""
    if isinstance(img, Tensor):
        return img[..., top : top + height, left : left + width]
    return img.crop((left, top, left + width, top + height))


def _size(img) -> tuple[int, int]:
    """(width, height), in Pillow's order."""
    return (img.shape[-1], img.shape[-2]) if isinstance(img, Tensor) else img.size


def _mode(interpolation):
    """The name of an interpolation, which may be given as Pillow's number."""
    numbers_of = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
    return (
        interpolation.value
        if isinstance(interpolation, InterpolationMode)
        else numbers_of.get(interpolation, str(interpolation))
    )


def _pillow(mode):
    from PIL import Image

    return getattr(Image.Resampling, mode.upper())


__getattr__ = missing_from(__name__)
