"""Arrays whose memory is used again when nobody holds them any more: the results of runs that follow each other.

The C library gives the memory of a large array back to the system as soon as it is free, and the system clears each
page of a new one: for a run of milliseconds that takes as long as its steps.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

__all__ = ["empty"]

_SMALLEST, _LARGEST = 100_000, 32_000_000  # bytes of arrays that are worth it, and that may wait for their next use
_ALIGNED = 64  # bytes: a line of the cache
_SPARE = 1.125  # times what is asked for, at most

_idle: deque[np.ndarray] = deque(maxlen=2)  # a run whose result replaces that of the one before needs one


class _Lent:
    """What an array and all its views refer to: gives the memory back when the last of them is gone."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, memory: np.ndarray, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._memory = memory
        place = int(memory.__array_interface__["data"][0])
        self.__array_interface__ = {
            "data": (place + -place % _ALIGNED, False), "shape": shape, "typestr": dtype.str, "version": 3,
        }  # fmt: skip

    def __del__(self, give_back: Any = _idle.append, largest: int = _LARGEST) -> None:
        if self._memory.nbytes <= largest:
            give_back(self._memory)


def empty(shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Return an array of this shape that nothing else shares, whatever it holds, as `numpy.empty` does."""
    kind = np.dtype(dtype)
    size = kind.itemsize
    for length in shape:
        size *= length
    if not _SMALLEST <= size <= _LARGEST - _ALIGNED:
        return np.empty(shape, kind)
    needed, memory = size + _ALIGNED, None
    for _ in range(len(_idle)):
        try:
            found = _idle.pop()
        except IndexError:  # another thread was faster
            break
        if needed <= found.nbytes <= _SPARE * needed:
            memory = found
            break
        _idle.appendleft(found)
    if memory is None:
        memory = np.empty(needed, np.uint8)
    return np.asarray(_Lent(memory, tuple(shape), kind))
