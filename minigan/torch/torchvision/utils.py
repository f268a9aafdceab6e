"""torchvision.utils: many pictures as one, and a picture as a file.

make_grid   pictures side by side, in one tensor       save_image   the same, written as a PNG or a JPEG
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.torch import core as torch
from minigan.torch.tensor import Tensor


def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
    **old: Any,
) -> Tensor:
    """One picture (3, H, W) in which the given ones stand nrow in a row, `padding` pixels apart.

    tensor: (N, C, H, W), (C, H, W), (H, W), or a list of pictures of the same size; grey ones become RGB.
    normalize: bring the values into [0, 1], from value_range, or from their least and greatest (of each picture: scale_each).
    A single picture gets no border.   range: value_range's old name.

    >>> import minigan.torch as torch
    >>> torch.torchvision.utils.make_grid(torch.zeros(6, 1, 28, 28), nrow=3).shape
    torch.Size([3, 62, 92])
    """
    value_range = old.pop("range", value_range)
    if old:
        raise TypeError(f"make_grid: unknown argument {next(iter(old))!r}")
    images = torch.stack(list(tensor)) if isinstance(tensor, (list, tuple)) else tensor
    like, x = images, images.detach().cpu().numpy()
    if x.ndim not in (2, 3, 4):
        raise ValueError(f"make_grid: pictures are (N, C, H, W), (C, H, W) or (H, W), got {x.shape}")
    x = x[None, None] if x.ndim == 2 else x[None] if x.ndim == 3 else x
    x = np.repeat(x, 3, 1) if x.shape[1] == 1 else x
    if normalize:
        x = np.stack([_unit(image, value_range) for image in x]) if scale_each else _unit(x, value_range)
    if len(x) == 1:
        return torch.as_tensor(np.ascontiguousarray(x[0]), device=like.device)
    columns = min(nrow, len(x))
    rows = math.ceil(len(x) / columns)
    height, width = x.shape[2] + padding, x.shape[3] + padding
    grid = np.full((x.shape[1], height * rows + padding, width * columns + padding), pad_value, x.dtype)
    for k, image in enumerate(x):
        top, left = k // columns * height + padding, k % columns * width + padding
        grid[:, top : top + height - padding, left : left + width - padding] = image
    return torch.as_tensor(grid, device=like.device)


def _unit(x, value_range):
    """x cut to [low, high] and moved to [0, 1]; low and high are its own least and greatest by default."""
    low, high = (float(x.min()), float(x.max())) if value_range is None else value_range
    return (np.clip(x, low, high) - np.float32(low)) / np.float32(max(high - low, 1e-5))


def save_image(tensor: Any, fp: Any, format: str | None = None, **options: Any) -> None:
    """Write make_grid(tensor, **options) to a file; its values count from 0, black, to 1, white.

    fp: a path, whose ending says which format, or a file that is open for writing in bytes, with `format`.
    """
    from PIL import Image

    grid = make_grid(tensor, **options).numpy()
    pixels = np.clip(grid * 255 + 0.5, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(pixels).save(fp, format=format)
