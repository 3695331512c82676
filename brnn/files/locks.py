"""Whether another program has a file open, and what is left of programs that were killed."""

from __future__ import annotations

import contextlib
import os
import time as clock
from pathlib import Path
from types import ModuleType

from brnn.base.paths import leftovers

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None

__all__ = ["in_use", "lock_for_writing", "remove_leftovers"]

_ATTEMPTS = 20
_PAUSE = 0.05  # seconds


def lock_for_writing(descriptor: int) -> None:
    """Lock a file against other writers; readers may open it, as HDF5 does with a shared lock.

    It is tried for a second: somebody may just look at the file. And a process that any thread starts has, until its
    own program runs, all files that are open here, and their locks even if they are closed here meanwhile.

    Raises
    ------
    BlockingIOError
        If another program has the file open. A file system without locks raises nothing.
    """
    if fcntl is None:
        return
    for attempt in range(_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if attempt == _ATTEMPTS - 1:
                raise
        except OSError:
            return
        clock.sleep(_PAUSE)


def in_use(path: str | Path) -> bool:
    """Tell whether a program, this one included, has the file open with a lock, as HDF5 and brnn do."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def remove_leftovers(path: Path) -> None:
    """Remove what processes left that were killed while they made the file `path` anew."""
    for leftover in leftovers(path):
        if not in_use(leftover):
            with contextlib.suppress(OSError):
                leftover.unlink()
