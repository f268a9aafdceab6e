"""The safetensors format, which PyTorch's tools read and write: arrays by name, and nothing that could run.

encode      arrays by name -> the bytes of a file           decode      the bytes of a file -> arrays by name
The format is 8 bytes with the length of a JSON header; the header, {name: {"dtype", "shape", "data_offsets": [begin, end]}},
whose entry "__metadata__" has texts by name; and the values, little-endian, one array after the other.
Elsewhere: files (serialize.py).
"""

import json
import math
from collections.abc import Iterator, Mapping

import numpy as np

DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "I64": "<i8",
    "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}
LONGEST = 100_000_000  # bytes of a header, as in the format's own library
METADATA = "__metadata__"


def encode(arrays: Mapping[str, np.ndarray], about: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """The parts of a file with these arrays; joined, they are its bytes.   about: texts for its "__metadata__".

    The same arrays give the same bytes, whatever their order.   ValueError for a dtype that the format does not have, and for
    an array called "__metadata__"."""
    header, position, ordered = {}, 0, []
    # The largest dtype first, so that every array begins at a multiple of its dtype's size.
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])):
        little = array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype
        if little not in NAMES or name == METADATA:
            raise ValueError(
                f"{name} has the dtype {array.dtype}, which it does not have" if name != METADATA else f"{name} is taken"
            )
        header[name] = {"dtype": NAMES[little], "shape": list(array.shape), "data_offsets": [position, position + array.nbytes]}
        position += array.nbytes
        ordered.append(np.asarray(array, little, order="C"))
    text = json.dumps({**({METADATA: dict(about)} if about else {}), **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for array in ordered:
        yield array.tobytes()


def decode(content: bytes) -> dict[str, np.ndarray]:
    """The arrays in the bytes of a file, in the order of their names.   bfloat16 becomes float32.

    ValueError for bytes that are no such file: each array must have the place that its shape takes, and together they must fill
    the file."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(LONGEST, len(content) - 8):
        raise ValueError(f"its header should have {length:,} bytes, and the file has {len(content):,}")
    header, values = json.loads(content[8 : 8 + length].decode("utf-8")), memoryview(content)[8 + length :]
    if not isinstance(header, dict):
        raise ValueError("its header is no table of arrays")
    places, arrays = [], {}
    for name, entry in header.items():
        if name == METADATA:
            continue
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        shown = f"{name!a:.60}"  # what a file says is shown short, and without control characters
        sizes = [begin, end, *shape]
        if not all(type(size) is int and 0 <= size < 2**63 for size in sizes):
            raise ValueError(f"{shown} has an impossible shape or place")
        code = "<u2" if dtype == "BF16" else DTYPES.get(dtype)
        if code is None:
            raise ValueError(f"{shown} has the dtype {dtype!a:.20}, which NumPy does not have")
        if not begin <= end <= len(values) or math.prod(shape) * np.dtype(code).itemsize != end - begin:
            raise ValueError(f"{shown} has a shape that does not take the bytes from {begin} to {end}")
        places.append((begin, end))
        array = np.frombuffer(values[begin:end], code).reshape(shape)
        # bfloat16 is the upper half of a float32.
        arrays[name] = (array.astype("<u4") << 16).view("<f4") if dtype == "BF16" else array.copy()
    ends = [0, *(end for _, end in sorted(places))]
    if [begin for begin, _ in sorted(places)] != ends[:-1] or ends[-1] != len(values):
        raise ValueError("its arrays overlap, or do not fill the file")
    return dict(sorted(arrays.items()))
