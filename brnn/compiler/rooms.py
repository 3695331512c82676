"""Arrays that compiled loops write, each with a gap around it: results do not depend on where memory was free."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["apart", "lines_apart", "room_apart"]

_GAP = 64  # elements; more than a vector register, several times unrolled, takes at once
_LINE = 64  # bytes of a line of the cache
_SMALL = 512  # elements; larger arrays lie far enough apart by themselves


def apart(array: np.ndarray) -> np.ndarray:
    """Return a copy of a small array that no other array lies near to (a large one is returned as it is).

    Compiled loops ask whether the arrays that they read and write are nearer than one vectorised pass, and if so take
    another path, which adds in another order. With a gap around everything that is written they never do, so that
    results do not depend on where memory happened to be free.
    """
    if array.size > _SMALL:
        return array
    result = room_apart(array.size, array.dtype).reshape(array.shape)
    result[...] = array
    return result


def room_apart(size: int, dtype: Any = np.float64) -> np.ndarray:
    """Return a new array of so many numbers, not set to anything, that no other array lies near to."""
    if size > _SMALL:
        return np.empty(size, dtype)
    return np.empty(size + 2 * _GAP, dtype)[_GAP : _GAP + size]


def lines_apart(size: int) -> np.ndarray:
    """Return such an array that begins with a line of the cache: no vector of the first row of it lies in two lines.

    That takes longer than an array, and is for what lives as long as a run: steps of 1,000 cells take 0.95 times the
    time (they were 16 bytes beside a line, as large arrays of the C library are).
    """
    room = np.empty(size + 2 * _GAP + _LINE // 8)
    first = _GAP + -int(room.__array_interface__["data"][0]) % _LINE // room.itemsize
    return room[first : first + size]
