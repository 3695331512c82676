"""How much memory there is, so that what cannot fit is refused before it is tried; and large arrays in pieces."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

from brnn.base.text import bytes_in_words
from brnn.errors import InputError

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows has none
    resource = None

__all__ = ["available_memory", "refuse_above", "rows_at_once"]

_BLOCK_BYTES = 16_000_000  # of a large array that are in memory at once
_UNLIMITED = 2**62
_ALWAYS = 32e6  # bytes that are there, or else nothing runs: asking for less need not look


def available_memory() -> int:
    """Return the bytes of memory that this process may take now: what is free, and what its limits leave."""
    return max(0, min(_free(), _group_leaves(), _process_leaves()))


def _free() -> int:
    """Return the bytes of memory that are free for use now; all physical memory where this is not known."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 2**40


def _group_leaves(root: Path = Path("/sys/fs/cgroup"), groups: Path = Path("/proc/self/cgroup")) -> int:
    """Return what the limits of control groups (containers, batch systems) leave to this process."""
    left = _UNLIMITED
    try:
        lines = [line.split(":", 2) for line in groups.read_text(encoding="utf-8").splitlines()]
        inside = Path(next(path for number, _, path in lines if number == "0").lstrip("/"))
    except (OSError, ValueError, StopIteration):
        return left
    for folder in (root / inside, *(root / parent for parent in inside.parents)):
        try:
            limit = int((folder / "memory.max").read_text(encoding="ascii"))
            used = int((folder / "memory.current").read_text(encoding="ascii"))
            kept = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
            left = min(left, limit - used + int(kept.get("inactive_file", 0)))  # which is given up when needed
        except (OSError, ValueError):  # "max", or no such group here
            continue
    return left


def _process_leaves() -> int:
    """Return what the limit of this process's addresses (``ulimit -v``) leaves."""
    if resource is None:
        return _UNLIMITED
    try:
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return _UNLIMITED
        with open("/proc/self/statm", encoding="ascii") as file:
            return limit - int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return _UNLIMITED


def refuse_above(size: float, what: str, hint: str = "") -> None:
    """Raise InputError if `what` needs more bytes than there are."""
    if size <= _ALWAYS:
        return
    free = available_memory()
    if size > free:
        raise InputError(
            f"{what} needs about {bytes_in_words(size)} of memory; this machine has {bytes_in_words(free)} free{hint}"
        )


def rows_at_once(row: int) -> int:
    """Return how many rows of `row` bytes of a large array to read, compare or copy at once; at least 1."""
    return max(1, _BLOCK_BYTES // max(1, row))
