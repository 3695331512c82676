"""Ctrl-C and SIGTERM as exceptions, so that a run can close its file before the process ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stopped", "stops_raise"]

_SOON = 0.01  # seconds
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # SIGHUP: the terminal was closed


class Stopped(BaseException):
    """The process was asked to stop; like KeyboardInterrupt it is no Exception, so that nothing swallows it.

    Parameters
    ----------
    number : int
        Number of the signal.

    Attributes
    ----------
    code : int
        The exit code of the process, 128 + number.
    note : str
        What to add to the message: what was kept.
    """

    note = ""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number

    def __str__(self) -> str:
        what = "interrupted" if self.code == 128 + signal.SIGINT else f"stopped by {self.args[0]}"
        return what + self.note


def _raise(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # asked a second time, the process ends at once
    raise Stopped(number)


def _raise_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Deliver a signal once more that came while Python could not raise it (in a destructor or weakref callback)."""
    error = unraisable.exc_value
    if not isinstance(error, Stopped):
        sys.__unraisablehook__(unraisable)
        return
    number = error.code - 128
    signal.signal(number, _raise)
    threading.Timer(_SOON, os.kill, (os.getpid(), number)).start()


@contextmanager
def stops_raise() -> Iterator[None]:
    """Make the signals raise `Stopped` while the block runs; a signal that the process ignores stays ignored."""
    before = {}
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) == signal.SIG_IGN:
            continue
        try:
            before[number] = signal.signal(number, _raise)
        except ValueError:  # not in the main thread, where no signal arrives anyway
            break
    hook, sys.unraisablehook = sys.unraisablehook, _raise_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
