"""Arrays whose memory is used again when nobody holds them any more: the results of runs that follow each other.

The C library gives the memory of a large array back to the system as soon as it is free, and the system clears each
page of a new one: for a run of milliseconds that takes as long as its steps.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import os
from collections import deque
from typing import Any

import numpy as np

__all__ = ["empty"]

_SMALLEST, _LARGEST = 100_000, 32_000_000  # bytes of arrays that are worth it, and that may wait for their next use
_HUGE = 256_000_000  # bytes of one that may wait if the system can take its memory back meanwhile
_ALIGNED = 64  # bytes: a line of the cache
_DOUBLE = np.dtype(np.float64)
_SPARE = 1.125  # times what is asked for, at most

_idle: deque[np.ndarray] = deque(maxlen=2)  # a run whose result replaces that of the one before needs one
_idle_huge: deque[np.ndarray] = deque(maxlen=1)


def _advice() -> Any:
    """Return the function of the C library that tells the system what memory is used for; None without one."""
    if not hasattr(mmap, "MADV_FREE") or os.name != "posix":
        return None
    function = getattr(ctypes.CDLL(None), "madvise", None)
    if function is not None:
        function.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    return function


_madvise = _advice()


def _wait(
    memory: np.ndarray,
    few: Any = _idle.append,
    one: Any = _idle_huge.append,
    largest: int = _LARGEST,
    madvise: Any = _madvise,
    page: int = mmap.PAGESIZE,
    free: int = getattr(mmap, "MADV_FREE", 0),
) -> None:
    """Keep memory for its next use; the system may take what is large before that, as nobody reads it any more.

    Names of the module may be gone, as the interpreter may be about to end.
    """
    if memory.nbytes <= largest:
        few(memory)
    elif madvise is not None:
        start = int(memory.__array_interface__["data"][0])
        first = start + -start % page
        if madvise(first, (start + memory.nbytes) // page * page - first, free) == 0:
            one(memory)


class _Lent:
    """What an array and all its views refer to: gives the memory back when the last of them is gone."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, memory: np.ndarray, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._memory = memory
        place = int(memory.__array_interface__["data"][0])
        self.__array_interface__ = {
            "data": (place + -place % _ALIGNED, False), "shape": shape, "typestr": dtype.str, "version": 3,
        }  # fmt: skip

    def __del__(self, wait: Any = _wait) -> None:
        wait(self._memory)


def empty(shape: tuple[int, ...], dtype: Any = _DOUBLE) -> np.ndarray:
    """Return an array of this shape that nothing else shares, whatever it holds, as `numpy.empty` does."""
    kind = np.dtype(dtype)
    size = kind.itemsize * math.prod(shape)
    if not _SMALLEST <= size <= (_HUGE if _madvise is not None else _LARGEST) - _ALIGNED:
        return np.empty(shape, kind)
    needed, memory = size + _ALIGNED, None
    idle = _idle if needed <= _LARGEST else _idle_huge
    for _ in range(len(idle)):
        try:
            found = idle.pop()
        except IndexError:  # another thread was faster
            break
        if needed <= found.nbytes <= _SPARE * needed:
            memory = found
            break
        idle.appendleft(found)
    if memory is None:
        memory = np.empty(needed, np.uint8)
    return np.asarray(_Lent(memory, tuple(shape), kind))
