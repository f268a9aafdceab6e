"""`mnist` and `fashion-mnist`: IDX files of the user, of the cache or of a public mirror, and never one for the other.

load      one split as an ImageDataset        read_idx  one IDX file, raw or gzip, with its structure checked
fetch     download into the cache             verify    say of each file whether it is whole
Elsewhere: what a data set is (base.py), digits without any file (digits.py), where the cache lies (cache.py)."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Mapping, Sequence
from operator import methodcaller
from pathlib import Path

import numpy as np

from ..errors import ConfigError, DataError
from . import cache
from .base import ImageDataset

FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
MIRRORS = {"mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/",
                     "https://storage.googleapis.com/cvdf-datasets/mnist/"),
           "fashion-mnist": ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)}
# For MNIST the SHA-256 of the content: the gzip wrappers differ between mirrors.  Fashion-MNIST has one publisher, and
# many sources agree on the SHA-256 of its .gz files.  A file is the published one when either digest agrees.
SHA256 = {
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
    "fashion-mnist": {
        "train-images-idx3-ubyte": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}}
TIMEOUT = 20           # seconds without a byte before a mirror is given up


def load(name: str, split: str = "train", data_dir=None, size: int | None = None, *,
         mirrors: Sequence[str] | None = None, sha256: Mapping[str, str] | None = None) -> ImageDataset:
    """One split: images (N, 1, H, W) uint8 and labels (N,) int64; of the 60,000 or 10,000 only the first `size`.

    Looked for in `data_dir`/<name> and `data_dir`, and nowhere else, when data_dir is given; otherwise in
    $MINIGAN_DATA/<name>, in the cache, on the mirrors, in this order; a download goes into the cache.
    Files in the user's own folders are checked for structure, since people bring their own IDX data; files in the cache
    and from the mirrors by SHA-256 as well.
    classes: 10, or more where labels go higher.  info: `source`, and `cache` if a download could not be kept there.
    mirrors, sha256: other addresses (each ends with /) and digests (by file name), for a house mirror or a test.
    DataError: a folder or file is missing, a file is damaged, images and labels do not belong together, no network.
    ConfigError: size is not 1..N."""
    folder, info, arrays = _own_folder(name, split, data_dir), {}, []
    for file in FILES[split]:
        if folder is None:
            array, info["source"], note = _published(name, file, mirrors, sha256)
            info |= {"cache": note} if note else {}
        else:
            array, info["source"] = read_idx(_find(folder, file), _dimensions(file)), str(folder)
        arrays.append(array)
    images, labels = arrays
    if len(images) != len(labels):
        raise DataError(f"{name}: {len(images)} images but {len(labels)} labels in {info['source']}; "
                        f"put {' and '.join(FILES[split])} of the same data set there")
    if images.size == 0:
        raise DataError(f"{name}: {FILES[split][0]} in {info['source']} holds no picture, its shape is {images.shape}; "
                        "get the file again")
    if folder is not None:
        _not_another(name, folder, FILES[split][1])
    if size is not None and (not isinstance(size, int | np.integer) or isinstance(size, bool)
                             or not 1 <= size <= len(images)):
        raise ConfigError(f"{name}: size must be a whole number from 1 to {len(images)} ({split}), got {size!r}")
    return ImageDataset(name, images[:size, None], labels[:size], split, info, classes=max(10, int(labels.max()) + 1))


def fetch(name: str, *, mirrors: Sequence[str] | None = None,
          sha256: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Download what the cache lacks of both splits; (file, status) each.  DataError if one cannot be had or kept."""
    report = []
    for file in _all_files():
        _, source, note = _published(name, file, mirrors, sha256)
        if note:
            raise DataError(f"{name}: {file} was downloaded but could not be kept ({note}); "
                            "set $MINIGAN_CACHE to a folder that can be written")
        report.append((file, f"ok: {source}"))
    return report


def verify(name: str, data_dir=None, *, sha256: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """(file, status) of the four files, where `load` would take them from; nothing is downloaded.

    A status that starts with "ok" says that the file can be used, and whether it is the published one; any other says
    what is wrong with it.  DataError when data_dir itself cannot be used."""
    sha256 = SHA256[name] if sha256 is None else sha256
    candidates, report = _own_folders(name, data_dir), []
    own = next((folder for folder in candidates if any(_find(folder, file) for file in _all_files())), None)
    if own is None and data_dir is not None:
        own = candidates[-1]
    for file in _all_files():
        path = None
        try:
            folder = own or cache.folder() / name
            path = _find(folder, file)
            if path is None:
                report.append((str(folder / file), "missing"))
                continue
            raw = path.read_bytes()
            content = _unzip(raw, path)
            status = "ok: " + " x ".join(map(str, _parse(content, path, _dimensions(file)).shape))
            if _matches(sha256[file], raw, content):
                status += ", the published file"
            elif own:
                status += ", not the published file: your own data"
            else:
                status = "damaged: its SHA-256 is not the published one; `load` downloads it again"
        except (DataError, OSError) as error:
            status = f"damaged: {error}"
        report.append((str(path or file), status))
    return report


def read_idx(path, dimensions: int | None = None) -> np.ndarray:
    """The uint8 array in an IDX file, raw or gzip (told by its first bytes): images (N, H, W) or labels (N,).

    IDX: two zero bytes, 8 for unsigned bytes, the number of dimensions; the sizes, big-endian 32-bit; the data.
    dimensions: 3 for images, 1 for labels, None for either.
    DataError when the file cannot be read, is cut short, has bytes left over, or is something else."""
    try:
        return _parse(_unzip(Path(path).read_bytes(), path), path, dimensions)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); name a file that can") from error


def _unzip(raw: bytes, where) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{where}: the gzip data are cut short or damaged ({error}); get the file again") from error


def _parse(content: bytes, where, dimensions: int | None) -> np.ndarray:
    if content[:64].lstrip()[:1] == b"<":
        raise DataError(f"{where}: this is a web page, not IDX data; the download went wrong, get the file again")
    if content[:3] != b"\0\0\x08" or content[3:4] not in (b"\1", b"\3"):
        raise DataError(f"{where}: starts with {content[:4].hex() or 'nothing'}, but the magic number of IDX images is "
                        "00000803 and of labels 00000801; get the file again")
    if dimensions is not None and content[3] != dimensions:
        inside, outside = ("labels", "images") if dimensions == 3 else ("images", "labels")
        raise DataError(f"{where}: holds {inside} (magic number {content[:4].hex()}) under the name of {outside}; "
                        "give the two files their right names")
    start = 4 + 4 * content[3]
    sizes = [int.from_bytes(content[k:k + 4], "big") for k in range(4, start, 4)]
    total = start + int(np.prod(sizes, dtype=object))               # a damaged header may say 2**96
    if len(content) != total:
        raise DataError(f"{where}: {'cut short' if len(content) < total else 'too long'}: its header promises "
                        f"{' x '.join(map(str, sizes))}, {total} bytes in all, it has {len(content)}; "
                        "get the file again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes)


def _matches(digest: str, raw: bytes, content: bytes) -> bool:
    """Is this the digest of the file as it is, or of what it unpacks to?"""
    return digest in (hashlib.sha256(raw).hexdigest(), hashlib.sha256(content).hexdigest())


def _all_files() -> list[str]:
    return [file for pair in FILES.values() for file in pair]


def _dimensions(file: str) -> int:
    return 3 if "idx3" in file else 1


def _find(folder: Path, file: str) -> Path | None:
    """The file in this folder under any of its four names: - or . before idx, raw or .gz."""
    names = [spelling + ending for spelling in (file, file.replace("-idx", ".idx")) for ending in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _own_folders(name: str, data_dir) -> list[Path]:
    """Where the user's own files may lie, first choice first.  DataError when data_dir is not a folder.

    data_dir/<name> comes before data_dir itself, which may hold another data set under the same file names."""
    if data_dir is None:
        given = os.environ.get("MINIGAN_DATA")
        return [Path(given).expanduser() / name] if given else []
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        wrong = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"{name}: the data folder {root} {wrong}; give --data-dir the folder that holds the IDX files")
    return [root / name, root]


def _own_folder(name: str, split: str, data_dir) -> Path | None:
    """The user's folder with both files of the split; None when data_dir is not given and $MINIGAN_DATA has neither.
    DataError when only one is there, or data_dir was given and has none: what the user named is not swapped."""
    candidates = _own_folders(name, data_dir)
    for folder in candidates:
        missing = [file for file in FILES[split] if _find(folder, file) is None]
        if not missing:
            return folder
        if len(missing) == 1:
            raise DataError(f"{name}: {folder} has only one of the two {split} files; {missing[0]} is missing: "
                            "put it there")
    if data_dir is not None:
        raise DataError(f"{name}: neither {candidates[1]} nor its subfolder {name} has {' and '.join(FILES[split])} "
                        "(.gz or not); put them there, or leave --data-dir out to download them")
    return None


def _not_another(name: str, folder: Path, file: str) -> None:
    """DataError when these labels are known to be those of another data set: both use the same file names."""
    raw = _find(folder, file).read_bytes()  # type: ignore[union-attr]  # it was found before
    for other, digests in SHA256.items():
        if other != name and _matches(digests[file], raw, _unzip(raw, folder)):
            raise DataError(f"{name}: the files in {folder} are those of {other}; "
                            f"give the folder of {name}, or take --data {other}")


def _published(name: str, file: str, mirrors, sha256) -> tuple[np.ndarray, str, str | None]:
    """(array, source, None or why it is not in the cache) of a published file: from the cache if sound, else a mirror.
    DataError saying all the places tried when there is none."""
    mirrors, digest = MIRRORS[name] if mirrors is None else mirrors, (SHA256[name] if sha256 is None else sha256)[file]
    path, tried = None, []
    try:
        path = cache.folder() / name / f"{file}.gz"
        return _check(path.read_bytes(), path, file, digest), str(path), None
    except FileNotFoundError:
        tried.append(f"the cache {path}")
    except (OSError, DataError) as error:                           # unreadable or damaged: get it anew
        tried.append(f"the cache ({error})")
    for mirror in mirrors:
        address = f"{mirror}{file}.gz"
        try:
            raw = _download(address)
            array = _check(raw, address, file, digest)
        except (OSError, DataError) as error:
            tried.append(str(error))
            continue
        try:
            if path is None:
                raise OSError("no cache folder")
            cache.write(path, methodcaller("write", raw))
        except OSError as error:
            return array, address, f"not written: {error}"
        return array, address, None
    own = os.environ.get("MINIGAN_DATA")
    own = f"({Path(own) / name})" if own else "(not set)"
    raise DataError(f"{name}: no {file}.  Tried $MINIGAN_DATA {own}, {', '.join(tried)}."
                    "\nUse --data-dir DIR or set $MINIGAN_DATA, or take --data digits, which needs no download")


def _check(raw: bytes, where, file: str, digest: str) -> np.ndarray:
    """The array of a published file.  DataError unless structure and SHA-256 are right."""
    content = _unzip(raw, where)
    array = _parse(content, where, _dimensions(file))
    if not _matches(digest, raw, content):
        raise DataError(f"{where}: its SHA-256 is not that of the published {file}")
    return array


def _download(address: str) -> bytes:
    """All bytes at an address; a progress bar if stderr is a terminal.  OSError, with the address, when it fails."""
    import http.client
    import urllib.error
    import urllib.request

    from tqdm import tqdm

    chunks = []
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
            total = int(response.headers.get("Content-Length") or 0) or None
            title = address.rpartition("/")[2]
            with tqdm(total=total, desc=title, unit="B", unit_scale=True, leave=False, disable=None) as bar:
                while chunk := response.read(1 << 16):
                    chunks.append(chunk)
                    bar.update(len(chunk))
    except urllib.error.HTTPError as error:
        with error:                    # it is a response too, with a socket to close
            raise OSError(f"{address}: {error}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OSError(f"{address}: {getattr(error, 'reason', None) or error}") from error
    return b"".join(chunks)
