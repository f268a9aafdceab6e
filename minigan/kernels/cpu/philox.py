"""Random numbers from a counter on the CPU: Philox4x32-10, the same words as kernels/cuda/random.cu makes.

words                        32-bit words                     uniform, normal, integers    numbers made from them

Everything depends only on (seed, draw): there is no hidden state.  The words, uniform numbers and integers have the same bits
as on a GPU; normal numbers differ in the last places, because the two compute log and cos differently.
Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import numpy as np

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def words(seed: int, draw: int, count: int) -> np.ndarray:
    """The first `count` 32-bit words of a draw.   seed, draw: below 2^64."""
    block = np.arange(-(-count // 4), dtype=np.uint64)
    a, b = block & LOW, block >> HALF
    c, d = (np.full_like(block, part) for part in (draw & 0xFFFFFFFF, draw >> 32))
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b = (second >> HALF) ^ b ^ np.uint64(key[0]), second & LOW
        c, d = (first >> HALF) ^ d ^ np.uint64(key[1]), first & LOW
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack([a, b, c, d], 1).astype(np.uint32).reshape(-1)[:count]


def _unit(seed, draw, count, dtype):
    """Numbers in [0, 1): 24 bits of a word for float32, 53 of two words for float64."""
    if dtype == np.float32:
        return (words(seed, draw, count) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    pairs = words(seed, draw, 2 * count).reshape(-1, 2)
    return ((pairs[:, 0] >> np.uint32(5)) * 67108864.0 + (pairs[:, 1] >> np.uint32(6))) * 2.0**-53


def uniform(seed: int, draw: int, count: int, dtype, low=0.0, high=1.0) -> np.ndarray:
    """low + (high - low) u for u uniform in [0, 1).   dtype: float32 or float64."""
    dtype = np.dtype(dtype)
    low, high = dtype.type(low), dtype.type(high)
    return low + (high - low) * _unit(seed, draw, count, dtype)


def normal(seed: int, draw: int, count: int, dtype) -> np.ndarray:
    """Mean 0, variance 1, by Box and Muller 1958: sqrt(-2 log u) cos(2 pi v) and sqrt(-2 log u) sin(2 pi v)."""
    dtype = np.dtype(dtype)
    pairs = _unit(seed, draw, count + count % 2, dtype).reshape(-1, 2)
    radius = np.sqrt(dtype.type(-2) * np.log(1 - pairs[:, 0]))
    angle = dtype.type(6.283185307179586) * pairs[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count]


def integers(seed: int, draw: int, count: int, low: int, span: int) -> np.ndarray:
    """int64 numbers low .. low + span - 1: the upper part of span times 64 random bits.   span: at most 2^32."""
    pairs = words(seed, draw, 2 * count).astype(np.uint64).reshape(-1, 2)
    wide = np.uint64(span)
    return ((pairs[:, 0] * wide + (pairs[:, 1] * wide >> HALF)) >> HALF).astype(np.int64) + low
