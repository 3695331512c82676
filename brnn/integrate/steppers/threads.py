"""Threads that share the rows or the unknowns of one pass."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["Threads"]


class Threads:
    """Shares a pass among the processors, each of whose parts is computed in the same way, whatever their number is."""

    def __init__(self) -> None:
        # In a thread of somebody else's (of a sweep) the processors are at work already.
        alone = threading.current_thread() is threading.main_thread()
        free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._count = free if alone else 1
        self._executor = ThreadPoolExecutor(self._count - 1) if self._count > 1 else None

    def __call__(self, function: Callable[..., None], count: int, *arguments: Any) -> None:
        """Call ``function(*arguments, first, last)`` for all of so many rows or unknowns."""
        edges = [count * k // self._count for k in range(self._count + 1)]
        if self._executor is None:
            function(*arguments, 0, count)
            return
        others = [self._executor.submit(function, *arguments, *edges[k : k + 2]) for k in range(1, self._count)]
        function(*arguments, *edges[:2])
        for other in others:
            other.result()
