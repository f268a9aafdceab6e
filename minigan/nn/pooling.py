"""Pooling: each window of an image becomes one pixel, the largest of the window or the mean."""

from typing import Any

from minigan.errors import ConfigError
from minigan.nn import functional as F
from minigan.nn.module import Module
from minigan.tensor import Size, Tensor


class MaxPool2d(Module):
    """The largest pixel of each window.   x (N, C, H, W);  stride: kernel_size by default.   torch.nn.MaxPool2d."""

    def __init__(self, kernel_size, stride=None, padding: Size = 0, dilation: Size = 1, return_indices=False, ceil_mode=False):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode, self.return_indices = padding, dilation, ceil_mode, return_indices

    def forward(self, x) -> Any:
        """The maxima; with return_indices, (the maxima, their places)."""
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window.   x (N, C, H, W);  stride: kernel_size by default.   torch.nn.AvgPool2d.

    count_include_pad: the zeros of the padding are counted in the mean.
    """

    def __init__(self, kernel_size, stride=None, padding: Size = 0, ceil_mode=False, count_include_pad=True):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x) -> Tensor:
        """The means."""
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _Adaptive(Module):
    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(_Adaptive):
    """Means over windows that give an output of size output_size.   AdaptiveAvgPool2d(1): the mean of each channel."""

    def forward(self, x) -> Tensor:
        """The means."""
        return F.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveMaxPool2d(_Adaptive):
    """Maxima over windows that give an output of size output_size."""

    def forward(self, x) -> Tensor:
        """The maxima."""
        return F.adaptive_max_pool2d(x, self.output_size)


class MaxUnpool2d(Module):
    """Puts maxima back at the places that MaxPool2d(..., return_indices=True) found, among zeros.   torch.nn.MaxUnpool2d."""

    def __init__(self, kernel_size, stride=None, padding: Size = 0):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding

    def forward(self, x, indices, output_size=None) -> Tensor:
        """The larger image."""
        return F.max_unpool2d(x, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool1d(Module):
    """The largest element of each window.   x (N, C, L) or (C, L);  stride: kernel_size by default.   torch.nn.MaxPool1d."""

    def __init__(self, kernel_size, stride=None, padding: Size = 0, dilation: Size = 1, return_indices=False, ceil_mode=False):
        super().__init__()
        if return_indices:
            raise ConfigError("MaxPool1d: return_indices is not supported; use MaxPool2d on x[:, :, None]")
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, x) -> Tensor:
        """The maxima."""
        return F.max_pool1d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(Module):
    """The mean of each window.   x (N, C, L) or (C, L);  stride: kernel_size by default.   torch.nn.AvgPool1d."""

    def __init__(self, kernel_size, stride=None, padding: Size = 0, ceil_mode=False, count_include_pad=True):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x) -> Tensor:
        """The means."""
        return F.avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
