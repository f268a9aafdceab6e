"""Layers that change the size of images: Upsample, PixelShuffle, and borders of zeros or of the image's own pixels."""

from minigan.arguments import sizes
from minigan.errors import ShapeError
from minigan.nn import functional as F
from minigan.nn.module import Module
from minigan.tensor import Tensor


class Upsample(Module):
    """x (N, C, H, W) enlarged to `size`, or scale_factor times.   mode: "nearest" or "bilinear".

    >>> nn.Upsample(scale_factor=2)(mg.ones((1, 3, 7, 7))).shape
    (1, 3, 14, 14)
    """

    def __init__(self, size=None, scale_factor=None, mode="nearest", align_corners=None):
        super().__init__()
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners

    def forward(self, x) -> Tensor:
        """The larger image."""
        return F.interpolate(x, self.size, self.scale_factor, self.mode, bool(self.align_corners))

    def extra_repr(self):
        how = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{how}, mode={self.mode!r}"


class PixelShuffle(Module):
    """(N, C r^2, H, W) -> (N, C, H r, W r): r^2 channels become one channel of r times the size.   Shi et al. 2016."""

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, x) -> Tensor:
        """The larger image with fewer channels."""
        return F.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self):
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(N, C, H r, W r) -> (N, C r^2, H, W): the inverse of PixelShuffle."""

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, x) -> Tensor:
        """The smaller image with more channels."""
        return F.pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self):
        return f"downscale_factor={self.downscale_factor}"


class _Pad2d(Module):
    mode = "constant"

    def __init__(self, padding):
        super().__init__()
        widths = sizes(type(self).__name__, "padding", padding)
        self.padding = widths * 4 if len(widths) == 1 else widths
        if len(self.padding) != 4:
            raise ShapeError(f"{type(self).__name__}: padding is an int or (left, right, top, bottom), got {padding!r}")

    def forward(self, x) -> Tensor:
        """x with a border."""
        return F.pad(x, self.padding, self.mode)

    def extra_repr(self):
        return f"{self.padding}"


class ZeroPad2d(_Pad2d):
    """Zeros around an image (..., H, W).   padding: an int, or (left, right, top, bottom)."""


class ConstantPad2d(_Pad2d):
    """A number around an image (..., H, W).   padding: see ZeroPad2d."""

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, x) -> Tensor:
        """x with a border."""
        return F.pad(x, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"{self.padding}, value={self.value}"


class CircularPad2d(_Pad2d):
    """An image (..., H, W) that goes on at the other end.   padding: see ZeroPad2d."""

    mode = "circular"


class ReflectionPad2d(_Pad2d):
    """Mirrors an image (..., H, W) at its border, without repeating the border.   padding: see ZeroPad2d."""

    mode = "reflect"


class ReplicationPad2d(_Pad2d):
    """Repeats the border of an image (..., H, W).   padding: see ZeroPad2d."""

    mode = "replicate"
