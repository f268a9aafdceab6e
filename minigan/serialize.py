"""Save nested states as .npz files without pickle.  A write is complete, or it leaves the old file as it was.

save, load          write and read a nested dict of arrays, numbers and strings as one .npz, exactly
describe            a file's kind and the facts saved about it, without reading its arrays
replacing           open a file for writing; it replaces the old file in one step, when all of it is on the disk
DamagedCheckpoint   the bytes are not those that were written (all other failures are a plain CheckpointError)
Elsewhere: the state that a training run saves (train/), the place where it is kept (runs/folder.py).

The format.  An .npz is a zip of .npy members.  Every array is a member whose name is its dotted path, so any NumPy user can
read it: `np.load(file)["generator.0.weight"]`.  Everything else is JSON in one member, `__minigan__`, a uint8 array: the
version, the kind, the facts about the file, and the tree, in which
    null, true, 1, 0.5, "text", [...]   stand for themselves, and an object has one key, its type:
    {"dict": {...}}  {"tuple": [...]}  {"array": member}  {"scalar": member}  {"int": hexadecimal}  {"float": 8 bytes}
The same state gives the same bytes, because the file has no dates and is not compressed.
"""

import contextlib
import errno
import io
import json
import math
import os
import secrets
import stat
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from minigan import locks, paths, safetensors
from minigan.errors import CheckpointError
from minigan.schema import NAME, Anything, Record, Whole, printable, shown

VERSION = 1
HEADER = "__minigan__"
FILE = Record({"format": NAME, "version": Whole(1), "kind": NAME, "about": Anything(), "tree": Anything()})
_LONGEST_NAME = 1000  # a zip name has at most 65535 bytes; a longer path is cut, and the tree has the member's name


class DamagedCheckpoint(CheckpointError):
    """A file that is cut short or changed, so that its contents cannot be read."""


# ---- saving ----------------------------------------------------------------------------------------------------------


def save(path, state, kind="state", **about):
    """Write a nested dict to `path`, completely or not at all.

    state   string keys; leaves are NumPy arrays and scalars (any dtype but object), int, float, bool, str, None, and
            lists, tuples and dicts of these.  A Tensor and a CuPy array are saved as the NumPy array of their values.
    kind    what the file is for; `load` can require it
    about   facts to keep beside the state (step=500, system="wgan-gp"): the same leaves but no arrays; see `describe`

    A full disk, a folder that cannot be written or a leaf of another type raises CheckpointError and leaves an earlier
    file at `path` as it was.

    A path that ends in .safetensors is written in that format, which PyTorch's tools read: a flat dict of arrays only;
    `about` becomes texts in its metadata.
    """
    if isinstance(path, dict):
        raise CheckpointError(f"save: the path comes first, and then the state: mg.save({state!r}, state)")
    path = paths.path(path, "path", CheckpointError)
    if path.suffix == ".safetensors":
        return _save_safetensors(path, state, about)
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: save takes a dict, not {type(state).__name__}; wrap it: {{'x': ...}}")
    members, no_members = {}, {}
    tree = _encode(state, "", members, path)
    facts = _encode(about, "", no_members, path)
    if no_members:
        raise CheckpointError(f"{path}: {next(iter(no_members))} is an array; arrays belong in the state, not about it")
    header = {"format": "minigan", "version": VERSION, "kind": kind, "about": facts, "tree": tree}
    text = json.dumps(header, allow_nan=False).encode("ascii")
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        # The header goes first: a person who looks into the file with a pager sees at once what it is.
        for name, array in {HEADER: np.frombuffer(text, np.uint8), **members}.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _encode(value, where, members, path):
    """The JSON form of a value; this adds its arrays to `members`.  `where` is the dotted path of the value."""
    # Exact types: a subclass (an enum, a masked array, a named tuple) would come back as something else.
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        # Beyond 64 bits other JSON readers round, and Python itself refuses to print more than 4300 digits.
        return value if abs(value) < 2**63 else {"int": hex(value)}
    if type(value) is float:
        return value if math.isfinite(value) else {"float": struct.pack(">d", value).hex()}  # a NaN has bits of its own
    if type(value) is list:
        return [_encode(item, f"{where}.{i}" if where else str(i), members, path) for i, item in enumerate(value)]
    if type(value) is tuple:
        return {"tuple": _encode(list(value), where, members, path)}
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise CheckpointError(f"{path}: {where or 'the state'} has the key {key!r}; keys must be strings")
        return {"dict": {k: _encode(v, f"{where}.{k}" if where else k, members, path) for k, v in value.items()}}
    tag = "scalar" if isinstance(value, np.generic) else "array"
    return {tag: _add_member(_as_array(value, where, path), where, members)}


def _as_array(value: Any, where, path):
    """The NumPy array behind a leaf: itself, a Tensor's data, or a copy from the GPU."""
    if isinstance(value, np.generic):
        value = np.asarray(value)
    elif not isinstance(value, np.ndarray):
        for candidate in (value, getattr(value, "data", None)):  # a CuPy array, or a Tensor around either kind
            on_gpu = hasattr(candidate, "get") and hasattr(candidate, "dtype")
            if on_gpu or isinstance(candidate, np.ndarray):
                value = candidate.get() if on_gpu else candidate  # type: ignore[union-attr]  # see hasattr
                break
    if type(value) not in (np.ndarray, np.memmap):
        raise CheckpointError(
            f"{path}: {where} is a {type(value).__name__}, which cannot be saved; save arrays, numbers, strings, None, "
            "and lists, tuples and dicts of these"
        )
    if value.dtype.hasobject:
        raise CheckpointError(f"{path}: {where} is an array of Python objects; give it a numeric or string dtype")
    if np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(value.dtype)) != value.dtype:
        raise CheckpointError(f"{path}: {where} has dtype {value.dtype}, which .npy cannot hold; convert it to float32")
    return value


def _add_member(array, where, members):
    # What a zip cannot keep in a name becomes "_".  {"a": {"b": x}, "a.b": y} has two leaves of one path: the second
    # is stored as "a.b~2".  The tree holds the true keys, so neither is ever lost.
    plain = where[:_LONGEST_NAME].replace("\0", "_").replace("\\", "_")
    plain = plain.encode("utf-8", "replace").decode("utf-8")
    name, count = plain, 1
    while name in members or name == HEADER:
        count += 1
        name = f"{plain}~{count}"
    members[name] = array
    return name


# ---- loading ---------------------------------------------------------------------------------------------------------


def load(path, kind=None):
    """Read a file that `save` wrote: the same nested dict, with new, writable NumPy arrays.

    kind=None reads every kind, and also an .npz of another program, as a flat dict of its arrays by name.  With a kind, it
    reads no other file.  It never unpickles anything.  CheckpointError says what is wrong with the file and what to do;
    DamagedCheckpoint means that its bytes have changed.  A .safetensors file gives its arrays by name.
    """
    path = paths.path(path, "path", CheckpointError)
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    with _reading(path) as archive:
        header = _header(archive, path)
        if header is None:
            if kind is not None:
                raise CheckpointError(
                    f"{path}: an .npz that minigan did not write, so not a {kind!r}; mg.load(path) reads its arrays"
                )
            return {name.removesuffix(".npy"): _member(archive, name, path) for name in archive.namelist()}
        if kind is not None and header["kind"] != kind:
            raise CheckpointError(f"{path}: holds a {shown(header['kind'])}, not a {kind!r}; choose another file")
        return _decode(header["tree"], lambda name: _member(archive, f"{name}.npy", path))


def _save_safetensors(path, state, about):
    try:
        if not isinstance(state, dict):
            raise ValueError(f"it is a {type(state).__name__}, no dict")
        for name in state:
            if type(name) is not str:
                raise ValueError(f"the key {name!r} is no text")
        arrays = {name: _as_array(value, name, path) for name, value in state.items()}
        parts = list(safetensors.encode(arrays, {"format": "pt", **{name: str(value) for name, value in about.items()}}))
    except ValueError as error:  # a CheckpointError is one too
        raise CheckpointError(f"{path}: safetensors cannot hold this state: {error}") from None
    with replacing(path) as file:
        for part in parts:
            file.write(part)


def _load_safetensors(path):
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return safetensors.decode(content)
    except (*_NONSENSE, RecursionError) as error:
        raise DamagedCheckpoint(f"{path}: not a readable safetensors file: {printable(str(error))}; use a copy") from error


def describe(path):
    """{"kind": str, "version": int, "about": dict}, from the header alone; None, None and {} if the file has no header.
    It raises the errors of `load`."""
    path = paths.path(path, "path", CheckpointError)
    with _reading(path) as archive:
        header = _header(archive, path)
        if header is None:
            return {"kind": None, "version": None, "about": {}}
        return {"kind": header["kind"], "version": header["version"], "about": _decode(header["about"], None)}


@contextlib.contextmanager
def _reading(path):
    """Open an .npz; every failure becomes a CheckpointError that says what the file is instead."""
    try:
        with open(path, "rb") as file:
            start = file.read(8)
            if not start.startswith(b"PK") and not zipfile.is_zipfile(file):
                raise _not_an_npz(path, start)
            with zipfile.ZipFile(file) as archive:
                strangers = [name for name in archive.namelist() if not name.endswith(".npy")]
                if strangers:
                    torch = any(name.endswith("/data.pkl") for name in strangers)
                    remedy = "in PyTorch: np.savez(path, **{k: v.numpy() for k, v in state_dict.items()})"
                    raise CheckpointError(
                        f"{path}: a {'PyTorch file' if torch else 'zip'}, not an .npz (it holds {shown(strangers[0])}); "
                        + (remedy if torch else "give a file written by mg.save or np.savez")
                    )
                yield archive
    except CheckpointError:
        raise
    except FileNotFoundError:
        other = f"{path}.npz"
        remedy = f"did you mean {other}?" if os.path.exists(other) else "check the path"
        raise CheckpointError(f"{path}: no such file; {remedy}") from None
    except IsADirectoryError:
        raise CheckpointError(f"{path}: a folder, not a file; give an .npz inside it") from None
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # about the contents: an offset that leads nowhere
            raise _damaged(path, error) from error
        raise CheckpointError(f"{path}: cannot be read: {os.strerror(error.errno)}") from error
    except _NONSENSE as error:
        raise _damaged(path, error) from error


# What zipfile, zlib, json and NumPy raise when they read bytes that nobody wrote.  MemoryError is not among them: the
# checksum was right by then, so the array is as large as it says.
_NONSENSE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    OverflowError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
)


def _damaged(path, error):
    return DamagedCheckpoint(
        f"{path}: damaged or cut short ({printable(str(error))}); restore it from a copy, or use an earlier one"
    )


def _not_an_npz(path, start):
    if not start.strip(b"\0"):  # nothing, or the zeros that a power cut leaves
        return DamagedCheckpoint(f"{path}: empty, no data in it; restore it from a copy, or use an earlier one")
    if start.startswith(b"\x93NUMPY"):
        return CheckpointError(f"{path}: one .npy array, not an .npz; read it with np.load")
    return CheckpointError(f"{path}: not an .npz file; give a file written by mg.save or np.savez")


def _header(archive, path):
    """The header as a dict, or None if the file has none."""
    if f"{HEADER}.npy" not in archive.namelist():
        return None
    header = json.loads(_member(archive, f"{HEADER}.npy", path).tobytes())
    FILE.check(header, "header")
    if header["version"] > VERSION:
        raise CheckpointError(
            f"{path}: written by a newer minigan (format {header['version']}, this one reads {VERSION}); upgrade it"
        )
    return header


def _member(archive, name, path):
    check_ratio(archive.getinfo(name))
    # Read the whole member first: zipfile compares its checksum at the end, and we use no byte before that.
    content = archive.read(name)
    try:
        return read_array(io.BytesIO(content), len(content))
    except ObjectsError:
        raise CheckpointError(
            f"{path}: {printable(name.removesuffix('.npy'))} holds pickled objects, which can run any code when loaded; save "
            "it again as plain arrays"
        ) from None


MOST_RATIO, UNSUSPECTED = 100, 2**26  # how many times smaller an array may be in its archive, if it has more than 64 MB


class ObjectsError(ValueError):
    """An array of Python objects."""


def check_ratio(info: zipfile.ZipInfo) -> None:
    """Raise ValueError for a member of an archive that unpacks to far more than arrays do: 18 MB can hold 18 GB of zeros."""
    if info.file_size > max(UNSUSPECTED, MOST_RATIO * info.compress_size):
        raise ValueError(
            f"{shown(info.filename)} would unpack from {info.compress_size:,} to {info.file_size:,} bytes, and is not unpacked"
        )


def read_array(file, size: int) -> np.ndarray:
    """The array in an open .npy file of `size` bytes.   Nothing is unpickled, and the header is checked before memory is taken:
    ValueError if it promises more bytes than the file has; ObjectsError for an array of objects."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ObjectsError("holds Python objects, which are not read, since unpickling can run code; save arrays of numbers")
    promised = math.prod(shape) * dtype.itemsize
    if promised > size or min(shape, default=0) < 0:
        raise ValueError(f"promises {promised:,} bytes, and its file holds {size:,}")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _decode(value, member):
    if isinstance(value, list):
        return [_decode(item, member) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag == "dict":
        return {key: _decode(item, member) for key, item in content.items()}
    if tag == "tuple":
        return tuple(_decode(content, member))
    if tag == "array":
        return member(content)
    if tag == "scalar":
        return member(content)[()]
    if tag == "int":
        return int(content, 16)
    if tag == "float":
        return struct.unpack(">d", bytes.fromhex(content))[0]
    raise ValueError(f"unknown entry {shown(tag)} in the header")


# ---- writing ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def replacing(path):
    """Open a binary file that becomes `path` when the block ends.  After a crash or on a full disk the old file is unchanged.

    The bytes go to a hidden file in the same folder, which is forced to the disk and then renamed over `path`.  When
    the block raises, that file is removed; when the process is killed, the next one that writes `path` removes it.  An OSError
    becomes a CheckpointError of one line.
    """
    path = paths.path(path, "path", CheckpointError)
    target = os.path.realpath(path)  # through a link: replace the file it points at, not the link
    folder, name = os.path.split(target)
    temporary = ""
    try:
        # Renaming over /dev/null or a pipe would replace the device itself.
        if os.path.lexists(target) and not stat.S_ISREG(os.stat(target).st_mode):
            raise CheckpointError(f"{path}: a folder or a device, not a file; give a file name")
        locks.sweep(folder, f".{name[:50]}.")
        file, temporary = _temporary(folder, name)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if locks.fcntl:  # while it is open it is claimed; Windows renames no open file
                os.replace(temporary, target)
        if not locks.fcntl:
            os.replace(temporary, target)
    except BaseException as error:  # also at Ctrl-C: remove the temporary file
        with contextlib.suppress(OSError):
            os.remove(temporary)
        if isinstance(error, OSError):
            raise write_error(path, error) from error
        raise
    # The rename is on the disk only after the folder is written too.  Some systems cannot open a folder; then we leave it,
    # since the new file is complete.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _temporary(folder, name):
    """A new hidden file in the folder, open for writing and claimed, and its path."""
    while True:
        path = os.path.join(folder, f".{name[:50]}.{secrets.token_hex(4)}.tmp")
        file = open(path, "xb")  # noqa: SIM115  # `replacing` closes it
        if locks.claim(file, path):
            return file, path
        file.close()


def write_error(path, error):
    """The CheckpointError for an OSError that writing `path` raised: what, where, what to do."""
    folder = os.path.dirname(os.path.realpath(path))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        why = "the disk is full; free some space or write to another disk"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        why = "no permission to write there; choose another folder"
    elif error.errno == errno.ENOENT and not os.path.isdir(folder):
        why = "its folder does not exist; create it first"
    else:
        why = f"{error.strerror or error}; choose another file name or folder"
    return CheckpointError(f"{path}: cannot be written: {why}")
