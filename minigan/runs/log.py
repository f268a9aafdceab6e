"""log.jsonl: what happened in a run, one JSON object a line: {"step": 500, "D": 0.61, "G": 1.02, "metrics": {...}}.

append      add a record as one line        records     the records of a file, with their lines
until       the lines up to a step          truncate    delete the records after a step
sync        force the lines to the disk     plain       any value, converted to something that JSON can hold
Elsewhere: what is logged and when (loop.py).
"""

import json
import math
import os
from collections.abc import Iterator

import numpy as np

from minigan import serialize
from minigan.errors import CheckpointError


def append(path, record: dict) -> None:
    """Append a record to the file as one line.  The operating system has the line when this returns.

    NumPy scalars and arrays become numbers and lists.  NaN and infinity become null, because JSON cannot write them.
    Raises CheckpointError when the line cannot be written."""
    line = json.dumps(plain(record), allow_nan=False).encode("ascii") + b"\n"
    try:
        with open(path, "a+b") as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # an incomplete line, after a kill or on a full disk, must not spoil this one
                    line = b"\n" + line
            file.write(line)
    except OSError as error:
        raise serialize.write_error(path, error) from error


def records(path) -> Iterator[tuple[dict, bytes]]:
    """Yield each record with its line.  An incomplete line, left when the process was killed, is skipped; a file that is
    missing has none.   Raises CheckpointError when the file cannot be read."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record, line + b"\n"


def until(path, step) -> list[bytes]:
    """The lines up to `step`, and those without a step: they belong to the whole run."""
    return [line for record, line in records(path) if not isinstance(record.get("step"), int | float) or record["step"] <= step]


def truncate(path, step) -> None:
    """Delete the records after `step`, and incomplete lines."""
    if path.exists():
        kept = b"".join(until(path, step))
        if kept != path.read_bytes():
            with serialize.replacing(path) as file:
                file.write(kept)


def sync(path) -> None:
    """Return when all lines so far are on the disk: a checkpoint that is there after a power cut needs its log.
    Raises CheckpointError when they cannot be written."""
    try:
        with open(path, "r+b") as file:
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    except OSError as error:
        raise serialize.write_error(path, error) from error


def plain(value):
    """Any value, converted to something that JSON can hold."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.floating):  # tolist leaves a long double as a NumPy scalar
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item") and getattr(value, "size", None) == 1:  # a Tensor or a CuPy array of one number
        return plain(value.item())
    return str(value)
