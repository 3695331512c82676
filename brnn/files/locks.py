"""Whether another program has a file open, and what is left of programs that were killed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import ModuleType

from brnn.base.paths import leftovers

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None

__all__ = ["fcntl", "in_use", "remove_leftovers"]


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
