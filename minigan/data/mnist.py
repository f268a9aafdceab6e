"""`mnist` and data sets like it: IDX files from the user's folder, the cache or a public mirror.  Several of them use the same
file names, so files that are known to belong to another one are refused.

load      one split as an ImageDataset        read_idx  read one IDX file, raw or gzip, and check its structure
fetch     download into the cache             verify    say for each file whether it is complete
Elsewhere: what a data set is (base.py), digits that need no files (digits.py), where the cache is (cache.py)."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Mapping, Sequence
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np

from .. import paths
from ..errors import DataError
from . import cache
from .base import ImageDataset, whole

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
MIRRORS = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "fashion-mnist": (
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    "kmnist": ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    # No mirror: no SHA-256 of these files is published.
    "emnist-letters": (),
    "emnist-digits": (),
    "emnist-balanced": (),
    "qmnist": (),
}
EMNIST = "https://www.nist.gov/itl/products-and-services/emnist-dataset"
PUBLISHERS = {
    "emnist-letters": EMNIST,
    "emnist-digits": EMNIST,
    "emnist-balanced": EMNIST,
    "qmnist": "https://github.com/facebookresearch/qmnist",
}
TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST", "qmnist": "QMNIST"}  # ROOT/<this>/raw
# The names of the classes that are not digits.  emnist-letters does not separate the two cases of a letter; emnist-balanced
# does, except for 15 small letters that look like their capitals.
NAMES = {
    "emnist-letters": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "emnist-balanced": tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),
}
# For MNIST, the SHA-256 of the unpacked content, because the gzip files differ between mirrors.  For Fashion-MNIST and KMNIST,
# which have one publisher each, the SHA-256 of the .gz files, on which many sources agree: PACKED.  Of a user's own file both
# digests are compared with these.
PACKED = ("fashion-mnist", "kmnist")
SHA256 = {
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    "kmnist": {
        "train-images-idx3-ubyte": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "train-labels-idx1-ubyte": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "t10k-images-idx3-ubyte": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "t10k-labels-idx1-ubyte": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    },
}
# The codes of the types that an IDX file may hold, apart from 8, unsigned bytes; and the magic numbers that are read: labels,
# images, and tables of whole numbers.
TYPES = {9: "signed bytes", 11: "16-bit whole numbers", 12: "32-bit whole numbers", 13: "32-bit floats", 14: "64-bit floats"}
READ = (b"\0\0\x08\1", b"\0\0\x08\3", b"\0\0\x0c\2")
UNCHECKED = ", not checked: no published SHA-256 is known here"
LARGEST = 2**32  # bytes that a file may unpack to; the largest of these files has 188 MB
MOST_RATIO, UNSUSPECTED = 100, 2**26  # how many times smaller a file of more than 64 MB may be packed; MNIST is 5 times smaller
TIMEOUT = 20  # seconds without a byte after which a mirror is skipped


def load(
    name: str,
    split: str = "train",
    data_dir=None,
    size: int | None = None,
    *,
    mirrors: Sequence[str] | None = None,
    sha256: Mapping[str, str] | None = None,
) -> ImageDataset:
    """Load one split: images (N, 1, H, W) uint8 and labels (N,) int64.   size: keep only the first `size` of them.

    If data_dir is given, only data_dir/<name>, data_dir/<torchvision's name>/raw and data_dir are searched.  Otherwise the
    first two of these in $MINIGAN_DATA, the cache and the mirrors are tried in this order, and a download is saved in the
    cache.
    In the user's folders only the structure of the files is checked, because users may bring their own IDX data.  Files from
    the cache and the mirrors must also have the right SHA-256.
    In EMNIST's files rows and columns are exchanged, so its pictures are transposed; the labels of its letters start at 0.
    classes: those of the data set, or the largest label + 1 if that is more.   info: `source`; `names` of the classes, if they
    are not digits; and `cache`, if a download could not be saved.
    mirrors, sha256: other addresses (each ends with /) and digests {file name: SHA-256}, for a local mirror or a test.
    Raises DataError when a folder or file is missing, a file is damaged, images and labels do not belong together, or the
    network fails; ConfigError when size is not from 1 to N."""
    info: dict[str, Any] = {}
    folder, arrays = _own_folder(name, split, data_dir), []
    files = _files(name, split)
    for file in files:
        if folder is None:
            array, info["source"], note = _published(name, file, mirrors, sha256)
            info |= {"cache": note} if note else {}
        else:
            array, info["source"] = read_idx(_find(folder, file), _dimensions(file)), str(folder)
        arrays.append(array)
    images, labels = arrays[0], arrays[1] if arrays[1].ndim == 1 else arrays[1][:, 0]  # of QMNIST the first of 8 columns
    if len(images) != len(labels):
        raise DataError(
            f"{name}: {len(images)} images but {len(labels)} labels in {info['source']}; "
            f"put {' and '.join(files)} of the same data set there"
        )
    if images.size == 0:
        raise DataError(
            f"{name}: {files[0]} in {info['source']} holds no picture, its shape is {images.shape}; get the file again"
        )
    if folder is not None:
        _not_another(name, folder, files[1])
    if size is not None:
        whole("size", size, f"{name} ({split})", most=len(images))
    images, labels, names = images[:size, None], labels.astype(np.int64), NAMES.get(name, tuple("0123456789"))
    if name.startswith("emnist"):
        images = np.ascontiguousarray(images.swapaxes(2, 3))
    if name == "emnist-letters":
        if labels.min() < 1:
            raise DataError(f"{name}: a label in {info['source']} is 0, but its letters count from 1; get {files[1]} again")
        labels -= 1
    info |= {"names": names} if name in NAMES else {}
    return ImageDataset(name, images, labels[:size], split, info, classes=max(len(names), int(labels.max()) + 1))


def fetch(name: str, *, mirrors: Sequence[str] | None = None, sha256: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Download the files of both splits that are not in the cache yet, and return (file, status) for each.   Raises DataError
    when a file cannot be downloaded or saved."""
    report = []
    for file in _all_files(name):
        _, source, note = _published(name, file, mirrors, sha256)
        if note:
            raise DataError(
                f"{name}: {file} was downloaded but could not be saved ({note}); "
                "set $MINIGAN_CACHE to a folder that can be written"
            )
        unknown = "" if file in (SHA256.get(name, {}) if sha256 is None else sha256) else UNCHECKED
        report.append((file, f"ok: {source}{unknown}"))
    return report


def verify(name: str, data_dir=None, *, sha256: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Check the four files where `load` would find them, without a download, and return (file, status) for each.

    A status that starts with "ok" means that the file can be used, and says whether it is the published one; any other status
    says what is wrong.   Raises DataError when data_dir itself cannot be used."""
    sha256 = SHA256.get(name, {}) if sha256 is None else sha256
    candidates, report = _own_folders(name, data_dir), []
    own = next((folder for folder in candidates if any(_find(folder, file) for file in _all_files(name))), None)
    if own is None and data_dir is not None:
        own = candidates[-1]
    for file in _all_files(name):
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
            if file not in sha256:
                status += UNCHECKED
            elif _matches(sha256[file], raw, content):
                status += ", the published file"
            elif own:
                status += ", not the published file, so it is your own data"
            else:
                status = "damaged: its SHA-256 is not the published one; `load` downloads it again"
        except (DataError, OSError) as error:
            status = f"damaged: {error}"
        report.append((str(path or file), status))
    return report


def read_idx(path, dimensions: int | None = None) -> np.ndarray:
    """Read an IDX file, raw or gzip (recognised by its first bytes): images (N, H, W) or labels (N,), uint8; or a table
    whose first column has the labels, (N, K) int32.

    An IDX file holds two zero bytes, the code of its type (8 for unsigned bytes), the number of dimensions, the sizes as
    big-endian 32-bit integers, and the data.   dimensions: 3 for images, 1 or 2 for labels, None to accept all.
    Raises DataError when the file cannot be read, is too short or too long, or is no IDX file."""
    path = paths.path(path, "path", DataError)
    try:
        return _parse(_unzip(path.read_bytes(), path), path, dimensions)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give a file that can be read") from error


def _unzip(raw: bytes, where) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            start = file.read(16)  # the whole header of images
            promised = _promised(start) if start[:2] == b"\0\0" else 64
            if promised > min(LARGEST, max(UNSUSPECTED, MOST_RATIO * len(raw))):
                raise DataError(
                    f"{where}: its header promises {promised:,} bytes, more than a data set has in {len(raw):,} bytes of gzip; "
                    "get the file again"
                )
            # Not a byte more is unpacked than tells that there are too many: 18 MB of gzip can hold 18 GB of zeros.
            return start + file.read(max(promised + 1 - len(start), 1))
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{where}: the gzip data are cut short or damaged ({error}); get the file again") from error


def _parse(content: bytes, where, dimensions: int | None) -> np.ndarray:
    if page := _web_page(content, where):
        raise page
    if len(content) >= 4 and content[:2] == b"\0\0" and content[2] in TYPES and content[:4] not in READ:
        raise DataError(
            f"{where}: starts with {content[:4].hex()}, the magic number of {TYPES[content[2]]}; images are "
            "unsigned bytes (00000803): write the pixels as whole numbers from 0 to 255, or get the file again"
        )
    if content[:4] not in READ:
        raise DataError(
            f"{where}: starts with {content[:4].hex() or 'nothing'}, but the magic number of IDX images is "
            "00000803 and of labels 00000801; get the file again"
        )
    if dimensions is not None and (content[3] == 3) != (dimensions == 3):
        inside, outside = ("labels", "images") if dimensions == 3 else ("images", "labels")
        raise DataError(
            f"{where}: holds {inside} (magic number {content[:4].hex()}) under the name of {outside}; "
            "give the two files their correct names"
        )
    start = 4 + 4 * content[3]
    sizes = [int.from_bytes(content[k : k + 4], "big") for k in range(4, start, 4)]
    total = _promised(content)
    if len(content) != total:
        raise DataError(
            f"{where}: is {'cut short' if len(content) < total else 'too long'}: its header says "
            f"{' x '.join(map(str, sizes))}, which is {total} bytes in all, but it has {len(content)}; "
            "get the file again"
        )
    array = np.frombuffer(content, np.uint8 if content[2] == 8 else ">i4", offset=start).reshape(sizes)
    return array if content[2] == 8 else array.astype(np.int32)


def _promised(header: bytes) -> int:
    """How many bytes a file has in all by the first bytes of it."""
    if len(header) < 4:
        return 0
    start = 4 + 4 * header[3]
    sizes = [int.from_bytes(header[k : k + 4], "big") for k in range(4, start, 4)]
    width = {11: 2, 12: 4, 13: 4, 14: 8}.get(header[2], 1)
    return start + width * int(np.prod(sizes, dtype=object))  # a damaged header may say 2**96


def _matches(digest: str, raw: bytes, content: bytes) -> bool:
    """Is this the digest of the raw file or of its unpacked content?"""
    return digest in (hashlib.sha256(raw).hexdigest(), hashlib.sha256(content).hexdigest())


def _files(name: str, split: str) -> tuple[str, ...]:
    """The names of the two files of a split, images and labels."""
    if name == "qmnist":
        return f"qmnist-{split}-images-idx3-ubyte", f"qmnist-{split}-labels-idx2-int"
    if name.startswith("emnist"):
        return f"{name}-{split}-images-idx3-ubyte", f"{name}-{split}-labels-idx1-ubyte"
    return FILES[split]


def _all_files(name: str) -> list[str]:
    return [file for split in FILES for file in _files(name, split)]


def _dimensions(file: str) -> int:
    return int(file.partition("idx")[2][0])


def _find(folder: Path, file: str) -> Path | None:
    """The path of this file in the folder, or None.  It may have one of four names: "-" or "." before idx, with or without
    .gz."""
    names = [spelling + ending for spelling in (file, file.replace("-idx", ".idx")) for ending in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _own_folders(name: str, data_dir) -> list[Path]:
    """The folders in which to look for the user's own files, in order.   Raises DataError when data_dir is not a folder.

    data_dir/<name> comes before data_dir, which may hold another data set with the same file names."""
    inside = [Path(name), Path(TORCHVISION.get(name, "EMNIST"), "raw")]
    if data_dir is None:
        given = os.environ.get("MINIGAN_DATA")
        return [paths.path(given, "$MINIGAN_DATA", DataError) / folder for folder in inside] if given else []
    root = paths.path(data_dir, "data_dir", DataError)
    if not root.is_dir():
        wrong = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"{name}: the data folder {root} {wrong}; give --data-dir the folder that holds the IDX files")
    return [*(root / folder for folder in inside), root]


def _own_folder(name: str, split: str, data_dir) -> Path | None:
    """The user's folder with both files of the split, or None when data_dir is not given and $MINIGAN_DATA has neither file.
    Raises DataError when only one file is there, or when data_dir has none: the user named this folder, so no other data may
    replace it."""
    candidates = _own_folders(name, data_dir)
    for folder in candidates:
        missing = [file for file in _files(name, split) if _find(folder, file) is None]
        if not missing:
            return folder
        if len(missing) == 1:
            raise DataError(f"{name}: {folder} has only one of the two {split} files, {missing[0]} is missing; put it there")
    if data_dir is not None:
        other = "leave --data-dir out to download them" if MIRRORS[name] else f"get them from {PUBLISHERS[name]}"
        raise DataError(
            f"{name}: neither {candidates[-1]} nor its subfolder {name} has {' and '.join(_files(name, split))} "
            f"(.gz or not); put them there, or {other}"
        )
    return None


def _not_another(name: str, folder: Path, file: str) -> None:
    """Raise DataError when these labels are known to belong to another data set with the same file names."""
    raw = _find(folder, file).read_bytes()  # type: ignore[union-attr]  # the caller has found it already
    for other, digests in SHA256.items():
        if other != name and file in digests and _matches(digests[file], raw, _unzip(raw, folder)):
            raise DataError(
                f"{name}: the files in {folder} belong to {other}; give the folder of {name}, or use --data {other}"
            )


def _published(name: str, file: str, mirrors, sha256) -> tuple[np.ndarray, str, str | None]:
    """Return a published file from the cache, or from a mirror if the cached one is missing or damaged: its array, its source,
    and None or the reason why it is not in the cache.   Raises DataError, which lists all places tried, when none has it."""
    mirrors = MIRRORS[name] if mirrors is None else mirrors
    digest = (SHA256.get(name, {}) if sha256 is None else sha256).get(file)
    packed = sha256 is None and name in PACKED
    path, tried = None, []
    try:
        path = cache.folder() / name / f"{file}.gz"
        return _check(path.read_bytes(), path, file, digest, packed), str(path), None
    except FileNotFoundError:
        tried.append(f"the cache {path}")
    except (OSError, DataError) as error:  # it is unreadable or damaged, so download it again
        tried.append(f"the cache ({error})")
    for mirror in mirrors:
        address = f"{mirror}{file}.gz"
        try:
            raw = _download(address)
            array = _check(raw, address, file, digest, packed)
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
    if not mirrors and name in PUBLISHERS:
        raise DataError(
            f"{name}: cannot find {file}.  minigan tried $MINIGAN_DATA {own}, {', '.join(tried)}.\nGet it from "
            f"{PUBLISHERS[name]} and use --data-dir DIR; minigan knows no SHA-256 to check it by"
        )
    raise DataError(
        f"{name}: cannot find or download {file}.  minigan tried $MINIGAN_DATA {own}, {', '.join(tried)}."
        "\nUse --data-dir DIR, set $MINIGAN_DATA, or use --data digits, which needs no download"
    )


def _check(raw: bytes, where, file: str, digest: str | None, packed: bool) -> np.ndarray:
    """The array in a published file.   Raises DataError when its structure or, where it is known, its SHA-256 is wrong.

    packed: the digest is of the .gz file.   Nothing is unpacked then before the digest is right; if it is of the content,
    nothing is parsed before that, and `_unzip` unpacks no more than such a file can have."""
    wrong = DataError(f"{where}: its SHA-256 is not that of the published {file}")
    if packed and hashlib.sha256(raw).hexdigest() != digest:
        raise _web_page(raw, where) or wrong
    content = _unzip(raw, where)
    if digest is not None and not _matches(digest, raw, content):
        raise _web_page(raw, where) or wrong
    return _parse(content, where, _dimensions(file))


def _web_page(content: bytes, where) -> DataError | None:
    if content[:64].lstrip()[:1] == b"<":
        return DataError(f"{where}: is a web page, not IDX data, so the download went wrong; get the file again")
    return None


def _download(address: str) -> bytes:
    """Download all bytes from an address, with a progress bar if stderr is a terminal.   Raises OSError, with the address in
    its text, when this fails."""
    import http.client
    import urllib.error
    import urllib.request

    from tqdm import tqdm

    chunks = []
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
            if address.startswith("https:") and not response.geturl().startswith("https:"):
                raise OSError("it leads to an address that is not https")
            total = int(response.headers.get("Content-Length") or 0) or None
            title = address.rpartition("/")[2]
            with tqdm(total=total, desc=title, unit="B", unit_scale=True, leave=False, disable=None) as bar:
                while chunk := response.read(1 << 16):
                    chunks.append(chunk)
                    bar.update(len(chunk))
    except urllib.error.HTTPError as error:
        with error:  # an HTTPError is also a response, and its socket must be closed
            raise OSError(f"{address}: {error}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OSError(f"{address}: {getattr(error, 'reason', None) or error}") from error
    return b"".join(chunks)
