"""log.jsonl: what happened in a run, one JSON object a line: {"step": 500, "D": 0.61, "G": 1.02, "metrics": {...}}.

append      add a record as one line        records     the records of a file, with their lines, all checked
until       the lines up to a step          truncate    delete the records after a step
sync        force the lines to the disk     plain       any value, converted to something that JSON can hold
Elsewhere: what is logged and when (loop.py).
"""

import json
import math
import os
import warnings
from collections.abc import Iterator

import numpy as np

from minigan import serialize
from minigan.errors import CheckpointError
from minigan.schema import PLAIN, Anything, Either, Many, Maybe, Misfit, Named, Number, Record, Whole
from minigan.train.settings import LARGEST

LONGEST = 1 << 16  # bytes of the end of the file in which an incomplete line is looked for


def _whole(line):
    try:
        return bool(line) and json.loads(line) is not None
    except (ValueError, RecursionError):
        return False


def append(path, record: dict) -> None:
    """Append a record to the file as one line.  The operating system has the line when this returns.

    NumPy scalars and arrays become numbers and lists.  NaN and infinity become null, because JSON cannot write them.
    Raises CheckpointError when the line cannot be written."""
    line = json.dumps(plain(record), allow_nan=False).encode("ascii") + b"\n"
    try:
        with open(path, "a+b") as file:
            if end := file.seek(0, os.SEEK_END):
                start = file.seek(-min(end, LONGEST), os.SEEK_END)
                torn = file.read().rpartition(b"\n")[2]  # after a kill or on a full disk; it must not spoil this line
                if _whole(torn) or len(torn) == end - start < end:
                    line = b"\n" + line
                elif torn:
                    file.truncate(end - len(torn))
            file.write(line)
    except OSError as error:
        raise serialize.write_error(path, error) from error


VALUE = Maybe(Either((PLAIN, Many(Anything()), Named(Anything())), "a finite number or another value"))
RECORD = Record(may={"step": Whole(0, LARGEST), "metrics": Record(may={"diversity": Number()}, others=VALUE)}, others=VALUE)


def records(path) -> Iterator[tuple[dict, bytes]]:
    """Yield each record with its line.   A last line without an end, left when the process was killed, is skipped; of other
    lines that are no record a warning tells the number.   A file that is missing has none.
    Raises CheckpointError when the file cannot be read."""
    bad = []
    for number, record, line in _lines(path):
        if isinstance(record, dict):
            yield record, line
        else:
            bad.append((number, record))
    if bad:
        more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
        warnings.warn(f"{path}: line {bad[0][0]} is damaged and left out ({bad[0][1]}){more}", stacklevel=2)


def _lines(path) -> Iterator[tuple[int, dict | str, bytes]]:
    """Yield (number of the line, its record or what is wrong with it, the line)."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
    lines = content.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            RECORD.check(record, "record")
        except Misfit as error:
            record = str(error)
        except (ValueError, RecursionError):
            if number == len(lines) and not content.endswith(b"\n"):
                return
            record = "it is no JSON"
        yield number, record, line + b"\n"


def set_damaged_aside(path) -> None:
    """Copy damaged lines to log.damaged.jsonl, before the log is written again without them."""
    bad = [line for _, record, line in _lines(path) if not isinstance(record, dict)]
    if bad:
        aside = path.with_name("log.damaged.jsonl")
        kept = aside.read_bytes() if aside.exists() else b""
        with serialize.replacing(aside) as file:
            file.write(kept + b"".join(line for line in bad if line not in kept))


def until(path, step) -> list[bytes]:
    """The lines up to `step`, and those without a step: they belong to the whole run.   Damaged ones are kept aside."""
    set_damaged_aside(path)
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
