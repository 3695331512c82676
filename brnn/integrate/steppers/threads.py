"""Threads that share one pass, and what those in compiled code have to know."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import threading
import time as clock
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy

__all__ = [
    "SHARING", "Threads", "Worth", "ask_later", "asked", "give_way", "helped", "passes_shared", "place", "processors",
    "worth_of",
]  # fmt: skip

SHARING = Path(__file__).with_name("sharing.py")
# Seconds in which no helpers are asked after they were late, which is twice as long each time: one that was late once
# may serve the next run, but where other programs have the processors each run would wait as long as the one before.
_LATER, _LATEST = 0.01, 0.64
_REMEMBERED = 3  # calls of a kind of work, of those with helpers and of those without
_SOONEST, _SELDOM = 2, 32  # calls after which the other way is tried: first, and at last
_SOON = 1e-4  # seconds in which a helper that has a processor sees that there will be no more passes
_again = [0.0, _LATER]  # when helpers may be asked, and for how long not if they are late then
_late: list[Future[None]] = []  # helpers that may not have ended yet


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


class helped:
    """Let helpers call a function meanwhile, one for each of the `arguments`, until ``whole[closed]`` is not 0.

    Unless it `waits`, one that has not seen this yet, as it has no processor, may see it later: then it must use
    nothing but `whole` any more. Until then none are asked, as two of them would work in one room.
    """

    # No generator: an interruption between its `yield` and the body would leave helpers that nobody tells.
    def __init__(
        self,
        whole: np.ndarray,
        closed: int,
        function: Callable[..., None],
        arguments: Sequence[tuple[Any, ...]],
        waits: bool = True,
    ) -> None:
        self._whole, self._closed, self._function, self._arguments = whole, closed, function, arguments
        self._patience = None if waits else _SOON
        self._pending: list[Future[None]] = []

    def __enter__(self) -> None:
        try:  # an interruption may come while they are asked
            self._whole[self._closed] = 0 if self._arguments else 1
            for each in self._arguments:
                self._pending.append(helpers(len(self._arguments)).submit(self._function, *each))
        except BaseException:
            self._end()
            raise

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self._whole[self._closed] = 1
        _late.extend(self._pending)  # before an interruption may come while they are waited for
        for other in self._pending:
            if not other.cancel():  # one that never got a processor is not waited for
                with contextlib.suppress(TimeoutError):
                    other.result(self._patience)
        _forget_ended()


class passes_shared:
    """Let helpers share passes meanwhile (`brnn.integrate.steppers.sharing`), one in each of the rooms at addresses.

    If they had to be waited for too often, none are asked for a while.
    """

    def __init__(self, whole: np.ndarray, rooms: Sequence[int]) -> None:
        code = load_copy(SHARING)
        self._whole, self._rooms, self._alone = whole, rooms, code.ALONE
        arguments = [(whole, room, give_way()) for room in rooms]
        self._helped = helped(whole, code.CLOSED, code.help_out, arguments, waits=False)

    def __enter__(self) -> None:
        self._helped.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._helped.__exit__(*error)
        if error[0] is not None:
            return
        if self._whole[self._alone]:
            self._whole[self._alone] = 0
            ask_later()
        elif self._rooms:
            _again[1] = _LATER


def _begin(count: int, function: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> list[Future[None]]:
    return [helpers(count).submit(function, *each) for each in arguments]


def processors() -> int:
    """Return how many threads may work on a run: one in a thread of somebody else's, as of a sweep."""
    if threading.current_thread() is not threading.main_thread():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ask_later() -> None:
    """Ask no helpers for a while, as they had to be waited for: other programs have the processors."""
    _again[:] = clock.monotonic() + _again[1], min(2.0 * _again[1], _LATEST)


def asked(helpers: int) -> int:
    """Return how many of these helpers are asked now: none for a while after `ask_later`, and while one is late."""
    if not helpers:
        return 0  # as in all threads but the first one, which `_late` belongs to
    _forget_ended()
    return helpers if not _late and clock.monotonic() >= _again[0] else 0


def _forget_ended() -> None:
    _late[:] = [other for other in _late if not other.done()]


class Worth:
    """Whether helpers are worth asking for one kind of work: tried, as processors may be far from each other or busy.

    What they compute has the same bits, so that each way may be tried at any time.
    """

    def __init__(self) -> None:
        self._seconds: dict[bool, deque[float]] = {way: deque(maxlen=_REMEMBERED) for way in (True, False)}
        self._since, self._pause = 0, _SOONEST

    @property
    def _quicker(self) -> bool | None:
        """Which way took less time, in the middle of the last calls; None if that is not known yet."""
        with_them, alone = (sorted(self._seconds[way]) for way in (True, False))
        if min(len(with_them), len(alone)) < _REMEMBERED:  # one call alone may have waited for something else
            return None
        return with_them[_REMEMBERED // 2] <= alone[_REMEMBERED // 2]

    @property
    def asked(self) -> bool:
        """Whether the next call is to ask them: the quicker way, and now and then the other one."""
        quicker = self._quicker
        if quicker is None:
            return len(self._seconds[True]) <= len(self._seconds[False])
        return quicker if self._since < (_SELDOM if quicker else self._pause) else not quicker

    def note(self, asked: bool, seconds: float) -> None:
        """Note how long an equal part of the work took."""
        quicker = self._quicker
        if quicker is None or asked == quicker:
            self._seconds[asked].append(seconds)
            self._since = self._since + 1 if self._quicker == quicker else 0
            return
        # The other way was tried: what was seen of it before was at another time. They are tried again soon, and later
        # the more often that was in vain, as other programs come and go.
        self._seconds[asked].extend([seconds] * _REMEMBERED)
        self._since = 0
        self._pause = _SOONEST if self._quicker else min(2 * self._pause, _SELDOM)


@functools.lru_cache(64)
def worth_of(*kind: Any) -> Worth:
    """Return what is known of a kind of work."""
    return Worth()


@functools.cache
def helpers(count: int) -> ThreadPoolExecutor:
    """Return threads that wait for work: where all processors are busy, starting one takes longer than a run."""
    return ThreadPoolExecutor(count)


def _forget_all() -> None:
    helpers.cache_clear()
    _late.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)  # a child has none of them


@functools.cache
def give_way() -> int:
    """Return the address of the C function that lets other threads run; 0 where there is none."""
    function = getattr(ctypes.CDLL(None), "sched_yield", None) if os.name == "posix" else None
    return 0 if function is None else int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def place(array: np.ndarray) -> int:
    """Return the address of an array's first element."""
    return int(array.__array_interface__["data"][0])
