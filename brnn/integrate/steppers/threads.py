"""Threads that share one pass, and what those in compiled code have to know."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import threading
import time as clock
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy

__all__ = [
    "SHARING", "Threads", "ask_later", "asked", "give_way", "helped", "passes_shared", "place", "processors",
]  # fmt: skip

SHARING = Path(__file__).with_name("sharing.py")
_LATER = 0.2  # seconds: many runs of milliseconds, each of which would wait as long as the one before
_again = [0.0]  # when helpers may be asked


class Threads:
    """Shares a pass among the processors, each of whose parts is computed in the same way, whatever their number is."""

    def __init__(self) -> None:
        self._count = processors()

    def __call__(self, function: Callable[..., None], count: int, *arguments: Any) -> None:
        """Call ``function(*arguments, first, last)`` for all of so many rows or unknowns."""
        edges = [count * k // self._count for k in range(self._count + 1)]
        if self._count == 1:
            function(*arguments, 0, count)
            return
        parts = [(*arguments, *edges[k : k + 2]) for k in range(1, self._count)]
        others = _begin(self._count - 1, function, parts)
        function(*arguments, *edges[:2])
        for other in others:
            other.result()


@contextlib.contextmanager
def helped(
    whole: np.ndarray, closed: int, function: Callable[..., None], arguments: Sequence[tuple[Any, ...]]
) -> Iterator[None]:
    """Let helpers call a function meanwhile, one for each of the `arguments`, until ``whole[closed]`` is not 0."""
    whole[closed] = 0
    pending: list[Future[None]] = []
    try:  # an interruption may come while they are asked
        for each in arguments:
            pending.append(helpers(len(arguments)).submit(function, *each))
        yield
    finally:
        whole[closed] = 1
        for other in pending:
            if not other.cancel():  # one that never got a processor is not waited for
                other.result()


@contextlib.contextmanager
def passes_shared(whole: np.ndarray, rooms: Sequence[int]) -> Iterator[None]:
    """Let helpers share passes meanwhile (`brnn.integrate.steppers.sharing`), one in each of the rooms at addresses.

    If they had to be waited for too often, none are asked for a while.
    """
    code = load_copy(SHARING)
    with helped(whole, code.CLOSED, code.help_out, [(whole, room, give_way()) for room in rooms]):
        yield
    if whole[code.ALONE]:
        whole[code.ALONE] = 0
        ask_later()


def _begin(count: int, function: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> list[Future[None]]:
    return [helpers(count).submit(function, *each) for each in arguments]


def processors() -> int:
    """Return how many threads may work on a run: one in a thread of somebody else's, as of a sweep."""
    if threading.current_thread() is not threading.main_thread():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ask_later() -> None:
    """Ask no helpers for a while, as they had to be waited for: other programs have the processors."""
    _again[0] = clock.monotonic() + _LATER


def asked(helpers: int) -> int:
    """Return how many of these helpers are asked now: none for a while after `ask_later`."""
    return helpers if clock.monotonic() >= _again[0] else 0


@functools.cache
def helpers(count: int) -> ThreadPoolExecutor:
    """Return threads that wait for work: where all processors are busy, starting one takes longer than a run."""
    return ThreadPoolExecutor(count)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=helpers.cache_clear)  # a child has none of them


@functools.cache
def give_way() -> int:
    """Return the address of the C function that lets other threads run; 0 where there is none."""
    function = getattr(ctypes.CDLL(None), "sched_yield", None) if os.name == "posix" else None
    return 0 if function is None else int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def place(array: np.ndarray) -> int:
    """Return the address of an array's first element."""
    return int(array.__array_interface__["data"][0])
