"""How arrays lie in memory: orders of axes, pieces that fit the cache, and memory that is used again.

pixels_first, images_first    an image batch in the order of the convolutions, or in that of a dense layer
mapped                        all elementwise steps for one piece, while it is in the cache, then the next piece
row_pieces                    the same for the rows of a matrix
keep_memory                   let the next array use the memory of a freed one
"""

import contextlib
import ctypes
import math

import numpy as np

from minigan.backend import xp
from minigan.kernels.threads import get_num_threads, share

# Numbers per piece.  PIECE is 128 KiB of float32 for each array, so that a few arrays fit a core's own cache.  SHARED_PIECE is
# larger, for several threads, because for every piece a thread must wait for Python's interpreter lock.
PIECE, SHARED_PIECE = 2**15, 2**20
MANY_IMAGES = 16  # see images_last


def images_last(x) -> bool:
    """Do images come last, (H, W, C, N), in the memory order that suits the batch x (N, C, H, W)?  Else it is (H, W, N, C).

    If there are many images, a pixel (C, N) is a matrix for a product from the left, and the pixels of all phases and taps lie
    one under the other.  If there are few, all pixels together are the rows of one matrix (H W N, C).
    """
    return len(x) >= MANY_IMAGES


def pixels(x, last):
    """x (N, C, H, W) as an array (H, W, C, N) if `last`, else (H, W, N, C), in C order: a view if its memory has that order."""
    order = (2, 3, 1, 0) if last else (2, 3, 0, 1)
    view = x.transpose(order)
    if view.flags.c_contiguous:
        return view
    if x.flags.c_contiguous and not last:
        # It makes two copies, because the inner loops of a single one would step from image to image, which is twice as slow.
        n, c = x.shape[:2]
        x = np.ascontiguousarray(x.reshape(n, c, -1).transpose(0, 2, 1)).reshape(n, *x.shape[2:], c).transpose(0, 3, 1, 2)
        view = x.transpose(order)
    return np.ascontiguousarray(view)


def in_order(pixels, last):
    """The inverse of `pixels`: (H, W, C, N) or (H, W, N, C) as a view (N, C, H, W)."""
    return pixels.transpose((3, 2, 0, 1) if last else (2, 3, 0, 1))


def pixels_first(x):
    """x (N, C, H, W) with memory in the order of the convolutions, which depends on N: x itself if it has that order."""
    last = images_last(x)
    view = pixels(x, last)
    return x if view.base is x or view.base is x.base is not None else in_order(view, last)


def has_pixels_first(x) -> bool:
    """Has the image batch x one of the memory orders of the convolutions?"""
    return any(x.transpose(order).flags.c_contiguous for order in ((2, 3, 1, 0), (2, 3, 0, 1)))


def images_first(x):
    """x (N, C, H, W) with memory in that order: x itself if it has that order.

    If pixels come first, it makes two copies, which is three times as fast as one.  It also takes arrays on a GPU, because
    ops/shape.py calls it before a reshape.
    """
    m, (n, c, *_) = xp(x), x.shape
    if x.flags.c_contiguous:
        return x
    if x.transpose(2, 3, 1, 0).flags.c_contiguous:
        return m.ascontiguousarray(_flat(x)).reshape(x.shape)
    rows = m.ascontiguousarray(x.transpose(0, 2, 3, 1)).reshape(n, -1, c)
    return m.ascontiguousarray(rows.transpose(0, 2, 1)).reshape(x.shape)


def flat(x):
    """x (N, C, H, W) as (N, C H W).  If images come last in memory, they also come last in the memory of the result, because
    products take both orders, and to copy runs of N numbers is five times as fast as to turn them."""
    return _flat(x) if x.transpose(2, 3, 1, 0).flags.c_contiguous else images_first(x).reshape(len(x), math.prod(x.shape[1:]))


def _flat(x):
    m = xp(x)
    return m.ascontiguousarray(x.transpose(1, 2, 3, 0)).reshape(math.prod(x.shape[1:]), len(x)).T


def like(a, x):
    """The array a (of x's shape) with the memory order of x, because ops on arrays of two orders are ten times slower."""
    if a.strides == x.strides:
        return a
    for last in (True, False) if a.ndim == 4 else ():
        if x.transpose(2, 3, *((1, 0) if last else (0, 1))).flags.c_contiguous:
            return in_order(pixels(a, last), last)
    copy = np.empty_like(x)
    copy[...] = a
    return copy


def mapped(function, x, *others):
    """An array of x's shape, dtype and memory order, filled by function(out, x, *others), which must work elementwise.

    others: arrays of x's shape.
    """
    out = np.empty_like(x)
    if x.size <= PIECE:
        function(out, x, *others)
        return out
    arrays = [out, like(x, out), *(like(a, out) for a in others)]
    flat = [a.ravel(order="K") for a in arrays]  # these are views, because an array of empty_like, or of its order, has no gaps
    _pieces(lambda a, b: function(*(part[a:b] for part in flat)), x.size, 1)
    return out


def row_pieces(function, rows):
    """[function(slice), ...] for consecutive slices of the rows of a matrix, which fit the cache, in order."""
    return _pieces(lambda a, b: function(slice(a, b)), rows.shape[0], max(1, rows.shape[1]))


def _pieces(function, n, width):
    """[function(start, stop), ...] for the pieces of range(n), in order; threads share them.  width: the numbers per step."""
    numbers = PIECE if get_num_threads() == 1 else SHARED_PIECE
    step = max(1, numbers // width)
    work = lambda first, last: [function(a, min(a + step, last)) for a in range(first, last, step)]
    return [result for results in share(work, n, 2 * step) for result in results]


def keep_memory() -> None:
    """Ask the C library to keep freed memory for the next array, and not to give it back to the system each time.

    Training frees and takes the same megabytes at every op; without this, each time costs page faults.  For a DCGAN step it
    reduces the share of time in the system from a tenth to a hundredth, and the whole time by 0 to 18 % (with glibc; with
    another C library nothing happens).
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD: up to 1 GiB from the heap, not from the system
        mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD: do not give the end of the heap back
