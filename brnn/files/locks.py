"""Whether another program has a file open, and what is left of programs that were killed."""

from __future__ import annotations

import contextlib
import os
import time as clock
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from brnn.base.paths import leftovers

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None

__all__ = ["in_use", "lock_for_writing", "remove_leftovers", "when_unlocked"]

T = TypeVar("T")

_ATTEMPTS = 20
_PAUSE = 0.05  # seconds


def when_unlocked(action: Callable[[], T], locked: Callable[[OSError], bool]) -> T:
    """Return what an action on a file gives; try again for a second while a lock forbids it.

    Somebody may just look at the file. And a process that any thread starts has, until its own program runs, all files
    that are open here, and their locks even if they are closed here meanwhile.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return action()
        except OSError as error:
            if not locked(error):
                raise
        clock.sleep(_PAUSE)
    return action()


def lock_for_writing(descriptor: int) -> None:
    """Lock a file against other writers; readers may open it, as HDF5 does with a shared lock.

    Raises
    ------
    BlockingIOError
        If another program has the file open. A file system without locks raises nothing.
    """
    if fcntl is None:
        return
    for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH):
        try:
            when_unlocked(
                partial(fcntl.flock, descriptor, kind | fcntl.LOCK_NB),
                lambda error: isinstance(error, BlockingIOError),
            )
        except BlockingIOError:
            raise
        except OSError:
            return


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
