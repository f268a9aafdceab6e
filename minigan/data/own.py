"""`folder`: your own pictures, a folder of PNG, JPEG, WebP or BMP files; or your own arrays, in .npy or .npz files.

folder   load the data set in Python        load, verify    what the command calls
Elsewhere: how a file becomes pixels (pictures.py), arrays (array_data.py).

Files in the folder and in its sub-folders are read; the case of their endings does not matter, and hidden files (.name) are
ignored.  Links are followed, even when they leave the folder, but never in a circle.  If two or more sub-folders hold pictures,
the sub-folders are the classes, or two of them are the domains of a translation.  If DIR/train exists, it and DIR/test (or val,
valid) are the two splits.  Otherwise a hash of each file's name puts about one file in ten into the test split, so a file stays
in its split when others come or go.

The pictures are decoded once and kept in the cache, in one file for each folder and each choice of options.  The cache is valid
while the names, sizes and times of the files stay the same.  A run remembers a checksum of the contents instead, so the files
may be moved."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .. import paths
from ..errors import ConfigError, DataError, suggestion
from ..schema import Many, Record, Text, Whole, printable
from . import array_data, cache
from .base import ImageDataset
from .kinds import Pair, Pictures
from .pictures import ENDINGS, LARGEST_FILE, Look, header, pixels, read_options

RECIPE = 1  # increase it when the same files give different pixels, so that old caches are not read
MOST = array_data.MOST  # bytes of all pictures together


def folder(
    data_dir,
    split: str = "train",
    *,
    size: int | None = None,
    colour: str | None = None,
    fit: str = "crop",
    background: str = "white",
    domains: str | None = None,
) -> Any:
    """Load the pictures in a folder: images (N, C, H, W) uint8, and labels (N,) int64 if its sub-folders are classes.

    size: every picture is scaled to a square of this side; the default is the size of the files, if all have the same.
    colour: "grey" or "rgb"; the default is grey if all files are.   fit: "crop" the middle out of a picture, or "pad" it.
    background: the colour that fills transparent and padded places.   domains: the names of two sub-folders, "horses,zebras":
    then a row is a Pair, a picture of the first and an unrelated one of the second (see data/kinds.py).
    data_dir may also be a .npz or .npy file, or a folder of .npy files (see array_data.from_file); arrays have no options.
    info: `source`; `names` of the classes; `skipped`, (file, reason) for each file that cannot be decoded (a warning names
    them too); `content`, the number of files and bytes with a SHA-256 of names and contents; `cache`, the cache file or the
    reason why there is none.

        run = mg.runs.train("gan", data=mg.data.folder("photos", size=32))

    Raises DataError when there is no folder, no picture in it or none that can be decoded; ConfigError for an impossible
    option, for pictures of several sizes without `size`, and for more than 4 GiB of pixels."""
    wanted = {"size": size, "colour": colour, "fit": fit, "background": background, "domains": domains}
    usual = asdict(Look()) | {"domains": None}
    return load(split, data_dir, {name: value for name, value in wanted.items() if value != usual[name]})


def load(split: str, data_dir, options: Mapping[str, Any] | None = None) -> Any:
    """Do what `folder` does, with the options in a dict; their values may be text."""
    given = read_options(options or {})
    root = _root(data_dir)
    entries = _entries(root) if root.is_dir() else []
    if not entries:
        if root.is_dir() or root.suffix.lower() in (".npy", ".npz"):
            dataset = array_data.from_file(root, split)
            if dataset is not None:
                if given:
                    raise ConfigError(
                        f"folder: {root} holds arrays, which are taken as they are; leave out {' and '.join(given)}"
                    )
                dataset.info |= {"recipe": {"data_dir": str(root.absolute()), "options": {}}}
                return dataset
        raise DataError(
            f"folder: {root} holds no pictures ({', '.join(ENDINGS)}) and no arrays (.npz, .npy); give --data-dir "
            "a folder that does"
        )
    found, where = _decoded(root, entries, Look(**{name: value for name, value in given.items() if name != "domains"}))
    about = json.loads(str(found["about"]))
    if about["skipped"]:
        some = "; ".join(f"{name} {reason}" for name, reason in about["skipped"][:3])
        more = ", ..." if len(about["skipped"]) > 3 else ""
        warnings.warn(f"folder: {len(about['skipped'])} of {len(entries)} pictures are skipped: {some}{more}", stacklevel=2)
    out = found["test"]
    rows = out if split == "test" else ~out
    if not rows.any():
        raise DataError(f"folder: {root} has {len(rows)} picture(s), which leaves none for the {split} split; add more")
    names = about["names"]
    info = {
        "source": str(root),
        "names": tuple(names),
        "skipped": [tuple(pair) for pair in about["skipped"]],
        "content": about["content"],
        "cache": where,
        "recipe": {"data_dir": str(root.absolute()), "options": given},
    }
    if "domains" in given:
        return _pairs(root, found, names, given["domains"], split, info)
    labels = found["labels"][rows] if names else None
    return ImageDataset("folder", found["images"][rows], labels, split, info, classes=len(names) or None)


def _pairs(root: Path, found, names, domains: str, split: str, info) -> ImageDataset:
    """Unaligned pairs: row i holds a picture of the first domain and one of the second, both in a random order.

    There are as many rows as the larger domain has pictures; those of the smaller one are repeated."""
    wanted = [name.strip() for name in str(domains).split(",")]
    if len(wanted) != 2 or wanted[0] == wanted[1]:
        raise ConfigError(f"folder: domains must be the names of two sub-folders, such as horses,zebras; got {domains!r}")
    for name in wanted:
        if name not in names:
            raise ConfigError(
                f"folder: {root} has no class {name!r}{suggestion(name, names) if names else '; its pictures need sub-folders'}"
            )
    parts, rng = [], np.random.default_rng(0)
    for name in wanted:
        for part, out in (("train", ~found["test"]), ("test", found["test"])):
            rows = np.flatnonzero(out & (found["labels"] == names.index(name)))
            if not len(rows):
                raise DataError(f"folder: {root / name} has no picture for the {part} split; add more")
            if part == split:
                parts.append(rng.permutation(rows))
    n = max(map(len, parts))
    images = np.concatenate([found["images"][np.resize(rows, n)] for rows in parts], axis=1)
    one = Pictures(*found["images"].shape[1:])
    return ImageDataset("folder", images, None, split, info | {"names": tuple(wanted)}, kind=Pair(one, one))


def verify(data_dir, options: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """Return (what, status) for each split, and for each file that cannot be used.   A good status starts with "ok"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # `load` warns of the files that are listed here
        report, broken = [], []
        for split in ("train", "test"):
            dataset = load(split, data_dir, options)
            report.append((f"{dataset.info['source']} ({split})", f"ok: {len(dataset)} samples, {dataset.kinds['x']}"))
            broken = [(name, f"skipped: it {reason}") for name, reason in dataset.info.get("skipped", ())]
    return report + broken


def _root(data_dir) -> Path:
    if data_dir is None:
        raise ConfigError("folder: needs the folder that holds your pictures; give it with --data-dir DIR")
    root = paths.path(data_dir, "data_dir", DataError)
    if not root.exists():
        raise DataError(f"folder: {root} does not exist; give --data-dir the folder that holds your pictures")
    return root


# ---- which files -----------------------------------------------------------------------------------------------------


class Entry:
    """A file: its path, its name inside the folder of its split, that split ("" if no folder tells), its size and its times."""

    def __init__(self, path: str, name: str, split: str):
        self.path, self.name, self.split = path, unicodedata.normalize("NFC", name), split
        self.top = self.name.partition("/")[0] if "/" in self.name else ""
        try:
            seen = os.stat(path)
            self.size, self.regular = seen.st_size, stat.S_ISREG(seen.st_mode)
            self.stamp = f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}"
        except OSError as error:  # a broken link
            self.size, self.regular, self.stamp = 0, False, str(error.strerror)

    @property
    def rank(self) -> int:
        """A number that depends only on the name."""
        return int.from_bytes(hashlib.sha256(os.fsencode(self.name)).digest()[:8], "big")


def _entries(root: Path) -> list[Entry]:
    """The picture files of a folder, in the order of their names."""
    parts = {"": root}
    if (root / "train").is_dir():
        tests = [name for name in ("test", "val", "valid") if (root / name).is_dir()]
        parts = {split: root / name for split, name in (("train", "train"), *(("test", name) for name in tests[:1]))}
        if not tests:
            parts = {"": root / "train"}
    found = [
        Entry(path, os.path.relpath(path, part).replace(os.sep, "/"), split)
        for split, part in parts.items()
        for path in _walk(str(part), {os.path.realpath(part)})
    ]
    return sorted(found, key=lambda entry: (entry.split, entry.name))


def _walk(folder: str, above: set[str]) -> Iterator[str]:
    try:
        inside = sorted(os.scandir(folder), key=lambda item: item.name)
    except OSError as error:
        raise DataError(f"folder: {folder} cannot be read ({error.strerror}); give a folder that can") from error
    for item in inside:
        if item.name.startswith("."):
            continue
        if item.is_dir():
            real = os.path.realpath(item.path)
            if real not in above:  # otherwise it is a link to a folder that contains it
                yield from _walk(item.path, above | {real})
        elif item.name.lower().endswith(ENDINGS):
            yield item.path


def _classes(root: Path, entries: list[Entry]) -> list[str]:
    """The names of the classes, which are the sub-folders if two or more hold pictures.   Numbers are sorted as numbers."""
    tops = {entry.top for entry in entries}
    names = sorted(tops - {""}, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))
    if len(names) < 2:
        return []
    if "" in tops:
        loose = next(entry.name for entry in entries if not entry.top)
        raise DataError(
            f"folder: {root} has pictures beside its sub-folders, such as {printable(loose)}; sub-folders are classes "
            f"({printable(', '.join(names[:3]))}{', ...' if len(names) > 3 else ''}): move it into one"
        )
    return names


def _tests(entries: list[Entry]) -> np.ndarray:
    """Which entries belong to the test split, bool (n,)."""
    if any(entry.split for entry in entries):
        return np.array([entry.split == "test" for entry in entries])
    ranks = np.array([entry.rank for entry in entries], dtype=np.uint64)
    out = ranks % np.uint64(10) == 0
    if len(ranks) > 1 and out.all():
        out[ranks.argmax()] = False
    return out if out.any() and len(ranks) > 1 else (ranks == ranks.min()) & (len(ranks) > 1)


# ---- decoded once ----------------------------------------------------------------------------------------------------


def _decoded(root: Path, entries: list[Entry], look: Look) -> tuple[dict[str, np.ndarray], str]:
    """Return all pictures that can be decoded, {images, labels, test, about}, and the cache file or why there is none."""
    import PIL

    stamp = hashlib.sha256("\n".join(f"{entry.split}/{entry.name!a} {entry.stamp}" for entry in entries).encode()).hexdigest()
    key = f"{os.path.realpath(root)!a} {sorted(asdict(look).items())} {RECIPE} {PIL.__version__}"
    try:
        path = cache.folder() / "folder" / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.npz"
        kept = cache.read(path)
        if kept is not None and _fits(kept, stamp):
            return kept, str(path)
    except OSError as error:
        path, state = None, f"not used: {error}"
    made = _decode(root, entries, look, stamp)
    if path is not None:
        try:
            cache.save(path, made)
            state = str(path)
        except OSError as error:
            state = f"not written: {error}"
    return made, state


ABOUT = Record(
    {
        "names": Many(Text()),
        "skipped": Many(Many(Text(), 2, 2)),
        "stamp": Text(),
        "content": Record({"files": Whole(), "bytes": Whole(), "sha256": Text()}),
    }
)


def _fits(kept: dict[str, np.ndarray], stamp: str) -> bool:
    """Does a cache hold what `_decode` makes, of files with this stamp?"""
    try:
        about = json.loads(str(kept["about"]))
        ABOUT.check(about, "about")
        n = len(kept["test"])
        kinds = [(kept[name].dtype, kept[name].shape[:1]) for name in ("images", "labels", "test")]
        fit = kinds == [(np.uint8, (n,)), (np.int64, (n,)), (np.bool_, (n,))] and kept["images"].ndim == 4
        return fit and about["stamp"] == stamp
    except (KeyError, TypeError, ValueError, RecursionError):
        return False


def _decode(root: Path, entries: list[Entry], look: Look, stamp: str) -> dict[str, np.ndarray]:
    names = _classes(root, entries)
    shape, skipped = _shape(root, entries, look)
    total = len(entries) * int(np.prod(shape))
    if total > MOST:
        raise ConfigError(
            f"folder: {len(entries):,} pictures {'x'.join(map(str, shape))} are {total / 2**30:.1f} GiB, and "
            f"{MOST / 2**30:.0f} GiB may be in memory; use a smaller --set size={look.size or max(shape) // 2}"
        )
    images, good = np.empty((len(entries), *shape), np.uint8), []
    digest = hashlib.sha256()
    for entry in _slowly(entries, "reading pictures"):
        try:
            content = b""
            if not entry.regular:
                raise DataError("is not a file")
            if entry.size > LARGEST_FILE:
                raise DataError(f"has {entry.size:,} bytes, more than a picture should have")
            content = Path(entry.path).read_bytes()
            if entry.path in skipped:
                raise skipped[entry.path]
            images[len(good)] = pixels(content, shape, look)
            good.append(entry)
        except OSError as error:
            skipped[entry.path] = DataError(f"cannot be read ({error.strerror})")
        except DataError as error:
            skipped[entry.path] = error
        digest.update(f"{entry.split}/{entry.name!a} {len(content)} {hashlib.sha256(content).hexdigest()}\n".encode())
    shown = lambda entry: f"{entry.split}/{entry.name}".lstrip("/")
    bad = [[printable(shown(entry)), str(skipped[entry.path])] for entry in entries if entry.path in skipped]
    if not good:
        raise DataError(f"folder: none of the {len(entries)} pictures in {root} can be used: {bad[0][0]} {bad[0][1]}")
    about = {
        "names": names,
        "skipped": bad,
        "stamp": stamp,
        "content": {"files": len(entries), "bytes": sum(entry.size for entry in entries), "sha256": digest.hexdigest()},
    }
    labels = [names.index(entry.top) for entry in good] if names else [0] * len(good)
    return {
        "images": images[: len(good)],
        "labels": np.array(labels, np.int64),
        "test": _tests(good),
        "about": np.array(json.dumps(about)),
    }


def _shape(root: Path, entries: list[Entry], look: Look) -> tuple[tuple[int, int, int], dict[str, DataError]]:
    """Return the shape of each picture, from the options or else from the files, and {path: error} of unusable files."""
    sizes: dict[tuple[int, int], str] = {}
    skipped: dict[str, DataError] = {}
    coloured = look.colour == "rgb"
    if look.size is None or look.colour is None:
        for entry in _slowly(entries, "looking at pictures"):
            if entry.regular:
                try:
                    size, colour = header(entry.path)
                    sizes.setdefault(size, entry.name)
                    coloured |= colour and look.colour is None
                except DataError as error:
                    skipped[entry.path] = error
    height, width = 1, 1  # if no file can be read; the error comes after all have been tried
    if look.size is not None:
        height = width = look.size
    elif len(sizes) == 1:
        ((height, width),) = sizes
    elif sizes:
        (a, one), (b, other), *_ = sorted(sizes.items())
        raise ConfigError(
            f"folder: the pictures in {root} have {len(sizes)} different sizes, such as {a[1]}x{a[0]} ({printable(one)}) "
            f"and {b[1]}x{b[0]} ({printable(other)});\nchoose one size for all of them: --set size=32"
        )
    return (3 if coloured else 1, height, width), skipped


def _slowly(entries, what):
    """Yield the entries, with a progress bar on a terminal when they take longer than a second."""
    from tqdm import tqdm

    return tqdm(entries, desc=what, unit="", delay=1, leave=False, disable=None)
