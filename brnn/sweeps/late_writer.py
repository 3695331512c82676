"""The writer of a sweep, for which there is a file from the moment on at which there is something to write."""

from __future__ import annotations

from collections.abc import Callable

from brnn.files.sweep.writer import SweepWriter

__all__ = ["LateWriter"]


class LateWriter:
    """The writer of a sweep, if it is there.

    Parameters
    ----------
    make : callable
        Returns the writer, when it is first needed.

    Attributes
    ----------
    writer : SweepWriter or None
        The writer; None as long as it was not needed.
    """

    def __init__(self, make: Callable[[], SweepWriter]) -> None:
        self._make = make
        self.writer: SweepWriter | None = None

    def opened(self) -> SweepWriter:
        """Return the writer, which is made now if it is not there."""
        if self.writer is None:
            self.writer = self._make()
        return self.writer
