"""Paths that people give, and commands that people paste.

path        a path argument as a Path: "~" expanded; an empty or impossible one is refused
command     a minigan command as text that a shell reads back as the same words
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from minigan.errors import ConfigError


def path(given, what: str, error: type[Exception] = ConfigError) -> Path:
    """Return a path that a user gave (str, bytes or os.PathLike) as a Path, with "~" expanded.

    what: the argument's name, for the message.   Raises `error` for an empty path, for a value that is no path, for an unknown
    user after "~", for a NUL character and for a name that is too long.

        path("~/runs", "out") == Path.home() / "runs"
    """
    try:
        text = os.fsdecode(given)
    except TypeError:
        raise error(f"{what} takes a path, got {given!r}; give a string or a Path") from None
    if not text:
        raise error(f"{what} is empty; give a path, or leave it out")
    if "\0" in text:
        raise error(f"{what}: {text!r} has a NUL character, which no path can have; remove it")
    found = os.path.expanduser(text)
    if text[0] == found[0] == "~":  # no such user, or nobody knows this user's home folder
        raise error(f"{what}: {text}: the home folder behind the ~ is not known; write the whole path, or ./{text}")
    if any(len(os.fsencode(part)) > 255 for part in Path(found).parts) or len(os.fsencode(found)) > 4095:
        raise error(f"{what}: {text[:40]}... ({len(text)} letters) is too long for a name; choose a shorter one")
    return Path(found)


def command(*words, encoding: str | None = None) -> str:
    """`minigan` and these words, quoted so that a shell reads the same words.

    encoding: of the place where it will be read; by default that of standard output.
    A Path that begins with "-" or "~" gets "./" before it, because it would be taken for an option or a home folder.  What
    cannot be shown there (Chinese on an 8-bit console, bytes that are no text, a line break) is written as octal
    numbers, which every POSIX shell can read.

    >>> command("resume", Path("my runs/a"), "--steps", 20)
    "minigan resume 'my runs/a' --steps 20"
    """
    texts = [f"./{word}" if isinstance(word, Path) and str(word)[0] in "-~" else str(word) for word in words]
    if os.name == "nt":
        return subprocess.list2cmdline(["minigan", *texts])
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    return " ".join(["minigan", *(_quoted(text, encoding) for text in texts)])


def _quoted(word, encoding):
    if all(_can_be_shown(letter, encoding) for letter in word) or word.endswith("\n"):  # $(...) drops a line break at the end
        return shlex.quote(word)
    code = "".join(chr(b) if 32 <= b < 127 and b not in b"'\\%" else f"\\{b:03o}" for b in os.fsencode(word))
    return f"\"$(printf '{code}')\""


def _can_be_shown(letter, encoding):
    if not letter.isprintable():
        return False
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
