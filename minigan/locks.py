"""Who may write: one process at a time into a folder, and nobody's half-written file stays behind.

only        hold a lock file while a block runs; another process that wants it is told who has it
claim       mark an open temporary file as being written by this process
sweep       delete the temporary files that nobody is writing any more

The operating system keeps these locks, and gives them up when a process ends, however it ends.  So a lock is never stale, and
no process number has to be trusted.   Where a file system cannot lock (some network folders), everybody may write, as without
this file.
"""

import contextlib
import errno
import json
import os
import platform
import sys
import time
from pathlib import Path

from minigan.errors import CheckpointError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

AT = 2**30  # Windows locks a byte, which nobody can read then; so this one is behind the text that others read
OLD = 60  # seconds; Windows deletes no open file, but there a file is closed for a moment before it is renamed
CANNOT = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # what a file system says that has no locks


@contextlib.contextmanager
def only(path, what: str, wait: float = 0.0):
    """Hold the lock file `path` while the block runs, and delete it afterwards.

    what: what another process does that has it, for the message, such as "runs/a: another process is training here".   wait:
    seconds to wait for it.   Raises CheckpointError, which names the process, or says why there can be no lock file."""
    path, end = Path(path), time.monotonic() + wait
    while True:
        try:
            file = open(path, "a+b")  # noqa: SIM115  # it must stay open
        except OSError as error:
            why = error.strerror or error
            raise CheckpointError(f"{path.parent}: cannot be written: {why}; choose another folder") from error
        try:
            if _lock(file) and _still_there(file, path):
                break
        except BaseException:
            file.close()
            raise
        holder = _holder(path)
        file.close()
        if time.monotonic() >= end:
            raise CheckpointError(f"{what}: {holder}; wait until it has ended, or stop it")
        time.sleep(0.02)
    try:
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            _sign(file)
        yield
    finally:
        if fcntl:
            with contextlib.suppress(OSError):
                os.remove(path)  # before it is unlocked: another process must not lock a file that is then deleted
        file.close()
        if not fcntl:
            with contextlib.suppress(OSError):  # Windows deletes no open file, and none that another process has opened
                os.remove(path)


def _lock(file) -> bool:
    """Lock an open file for this process.   False if another has it."""
    try:
        if fcntl:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(AT)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        return error.errno in CANNOT
    return True


def _still_there(file, path) -> bool:
    """Is the open file the one that the path names?   Its holder may have deleted it before this process could lock it."""
    try:
        return not fcntl or os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _sign(file):
    file.truncate(0)
    words = [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv and sys.argv[0] else ["python"]
    if words[0] == "__main__.py":
        words[0] = Path(sys.argv[0]).parent.name
    about = {"process": os.getpid(), "machine": platform.node(), "command": " ".join(words)[:100], "since": time.time()}
    file.write(json.dumps(about).encode("ascii"))
    file.flush()


def _holder(path) -> str:
    """The process that has a lock file, in words."""
    try:
        with open(path, "rb") as file:
            about = json.loads(file.read(10_000))
        number, command, since = int(about["process"]), str(about["command"]), time.localtime(float(about["since"]))
        if number == os.getpid() and about["machine"] == platform.node():
            return "this process itself"
        where = "" if about["machine"] == platform.node() else f" on {about['machine']}"
        return f"process {number}{where} ({command!r}, since {time.strftime('%Y-%m-%d %H:%M', since)})"
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return "a process that has not said its number yet"


# ---- temporary files -------------------------------------------------------------------------------------------------


def claim(file, path) -> bool:
    """Mark an open temporary file as being written, so that `sweep` leaves it alone until it is closed.   False if somebody has
    deleted it already, between its creation and this call; then make another one."""
    if not fcntl:
        return True  # Windows deletes no open file
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    except OSError:
        return True
    return _still_there(file, path)


def sweep(folder, start: str = ".") -> None:
    """Delete the files `<start>*.tmp` of a folder that nobody is writing: the processes that made them were killed."""
    try:
        names = [name for name in os.listdir(folder) if name.startswith(start) and name.endswith(".tmp")]
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            if not fcntl:
                if time.time() - os.path.getmtime(path) > OLD:
                    os.remove(path)
                continue
            with open(path, "rb") as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if a process is writing it
                os.remove(path)
