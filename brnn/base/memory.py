"""How much memory there is, so that what cannot fit is refused before it is tried; and large arrays in pieces."""

from __future__ import annotations

import os

from brnn.base.text import bytes_in_words
from brnn.errors import InputError

__all__ = ["available_memory", "refuse_above", "rows_at_once"]

_BLOCK_BYTES = 16_000_000  # of a large array that are in memory at once
_ALWAYS = 10e6  # bytes that are there, or else nothing runs: asking for less need not look


def available_memory() -> int:
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
