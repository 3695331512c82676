"""The results of a sweep, written into one file as they arrive, in any order, and finished later if they must be.

The file is made when the first results are there, under another name, and then gets its own; from then on rows are
written in place (see `brnn.files.placed`), and after the rows of a member its status, so that no status ever
promises what is not there. A kill loses what is not written yet. Writing has a small part of the time for itself: while
it does not take more, every call of `write` brings its members to the file at once; where members come faster than
that, they are gathered for two seconds at most. Only where members turn out larger than the file has room for is the
file written anew, beside the old one, which it then replaces.
"""

from __future__ import annotations

import contextlib
import time as clock
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from brnn.base.paths import check_target, identity
from brnn.ensemble.status import FAILED, MISSING
from brnn.errors import FileError, InputError
from brnn.files.hdf5 import WRITE_ERRORS, reason
from brnn.files.locks import remove_leftovers
from brnn.files.opening import being_written
from brnn.files.sweep.filled import SweepFile
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.layout import SweepVariable
from brnn.files.sweep.reader import SweepContents, open_sweep, open_sweep_contents
from brnn.files.sweep.rows import MemberRows, joined
from brnn.files.sweep.schema import FILE_VARIABLES

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SweepWriter"]

_SHARE = 50  # writing takes one part in 50 of the time,
_LONGEST = 2.0  # unless members would wait longer than this many seconds,
_WRITE_TIMES = 10.0  # or this many times as long as writing took last time,
_MAKING = 0.01  # seconds that it takes to make a file
_GATHERED = 64 * 1024 * 1024  # or there are more bytes of them


class SweepWriter:
    """Writes the file of a sweep.

    Parameters
    ----------
    path : str or Path
        The file. It appears with the first members, if not before (`begin`).
    header : SweepHeader
        What is known of the sweep.
    force : bool
        Replace an existing file, when the first members are there.
    resume : bool
        Go on with an existing file; if there is none, begin one.
    seconds : float
        What the sweep took before; with `resume` the file knows it.

    Raises
    ------
    FileError
        If the file exists (and neither `force` nor `resume`), cannot be written, is being written by another program,
        or, with `resume`, is damaged or belongs to another sweep: then the message says what differs.
    """

    def __init__(
        self,
        path: str | Path,
        header: SweepHeader,
        *,
        force: bool = False,
        resume: bool = False,
        seconds: float = 0.0,
    ) -> None:
        self._name = str(path)
        self._header = header
        self._force = force
        self._declared: dict[str, SweepVariable] = {}
        self._least: dict[str, int] = {}  # lengths of axes that were declared
        self._batches: list[MemberRows] = []
        self._gathered = 0
        self._failure: FileError | None = None
        self._contents: SweepContents | None = None  # of the file, for those who read it in the end
        self._before = seconds
        self._begun = self._written = clock.monotonic()
        self._spent = self._last = _MAKING
        self._path = check_target(path, force or resume)
        self._file = SweepFile(self._path, self._name, header, force)
        if resume and self._path.exists():
            self._before = self._file.resume()
        elif self._path.exists() and being_written(self._path):
            raise FileError(f"{path} cannot be replaced: something else is writing it")
        else:
            remove_leftovers(self._path)
        self._growing = self._file.layout  # with room for all that was given
        self._status = self._file.stored.copy()  # gathered members included
        self._wanted = header.wanted()

    @property
    def status(self) -> np.ndarray:
        """The status of each member, those included that are not in the file yet."""
        return self._status.copy()

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of what the file has along members."""
        return tuple(self._file.layout.fields)

    @property
    def size(self) -> int:
        """How many members the file is to hold."""
        return int(np.count_nonzero(self._wanted))

    @property
    def kept(self) -> int | None:
        """How many members have been run and are in the file; None while there is no file of ours."""
        return int(np.count_nonzero(self._wanted & (self._file.stored != MISSING))) if self._file.begun else None

    def begin(self) -> None:
        """Make the file, without members; one that it replaces stays until the first members are there."""
        if not self._file.begun and not self._path.exists():
            self._commit()

    def settle(self) -> None:
        """Bring the first members to the file, and open it to be read: little is left to do when the last ones come."""
        if self._batches:
            self._commit()
        with contextlib.suppress(FileError):  # what is wrong is said in the end
            self._contents = open_sweep_contents(self._path, self._name)

    def pending(self) -> np.ndarray:
        """Return the members that are still to run: those that are missing, and those that failed."""
        return np.flatnonzero(self._wanted & ((self._status == MISSING) | (self._status == FAILED)))

    def declare(
        self,
        name: str,
        dims: Sequence[str] = (),
        attrs: Mapping[str, str] | None = None,
        dtype: Any = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        """Say what a row is, before it is written for the first time; without it, a row is described by its name.

        Parameters
        ----------
        name : str
            Of the variable: a measure, ``"<layer>.x"`` for final states, ``"steps"``.
        dims : sequence of str
            Axes of what it has for one member (`brnn.files.sweep.schema.cell_dims`); "time" for the saved times.
            An axis has one length in the whole file.
        attrs : mapping
            `long_name`, `units` and more.
        dtype : dtype, optional
            Type that is kept; by default that of the values.
        shape : sequence of int, optional
            The largest lengths of the axes, where they are known.

        Raises
        ------
        InputError
            If the file has something else of this name.
        """
        if not name or "/" in name or name in FILE_VARIABLES or name in self._header.coordinates():
            raise InputError(f"sweep: a row cannot have the name {name!r}, which the file needs for something else")
        if set(dims) & set(FILE_VARIABLES) or len(set(dims)) < len(dims):
            raise InputError(f"sweep: the axes of '{name}' cannot be called {tuple(dims)}")
        known = {"long_name": name, "units": "1", **(attrs or {})}
        kept = np.dtype(object) if dtype is None else np.dtype(dtype).newbyteorder("<")
        self._declared[name] = SweepVariable(("member", *dims), kept, tuple(known.items()))
        for dim, size in zip(dims, () if shape is None else shape, strict=shape is not None):
            self._least[dim] = max(int(size), self._least.get(dim, 0))

    def write(
        self,
        members: np.ndarray,
        rows: Mapping[str, Any],
        status: Any,
        errors: Mapping[int, str] | None = None,
    ) -> None:
        """Record members.

        Parameters
        ----------
        members : array of int, shape (k,)
            Their numbers, in any order.
        rows : mapping of name -> array, shape (k, ...)
            What each of them gave. May be used for something else afterwards.
        status : array of int, shape (k,), or int
            How each ended: 1 complete, 2 steady, 3 failed.
        errors : mapping of member -> str, optional
            Why members failed.

        Raises
        ------
        FileError
            If the disk is full or fails. What was recorded before stays readable.
        InputError
            If something does not have the shape or the type that it should have.
        """
        if self._failure is not None:
            raise self._failure
        batch = self._batch(members, rows, status, errors or {})
        if len(batch.members) == 0:
            return
        self._batches.append(batch)
        self._status[batch.members] = batch.status
        self._gathered += sum(values.nbytes for values in batch.rows.values())
        self.keep()

    def keep(self) -> None:
        """Bring gathered members to the file if that is due. To be called now and then while no members come."""
        if self._failure is not None:
            return
        now = clock.monotonic()
        if not self._batches:
            if self._file.begun and now - self._written >= _LONGEST:
                self._commit()  # which sees whether the file is still there
            return
        if (
            self._spent <= (now - self._begun) / _SHARE
            or now - self._written >= max(_LONGEST, _WRITE_TIMES * self._last)
            or self._gathered > _GATHERED
        ):
            self._commit()

    def finish(self) -> xr.Dataset:
        """Bring everything to the file, close it, and return what it holds, as `brnn.open` does."""
        if self._failure is not None:
            raise self._failure
        self._commit()
        contents, self._contents = self._contents, None
        if contents is not None and contents.source.identity != identity(self._path):  # it was written anew
            contents.close()
            contents = None
        self.close()
        return open_sweep(self._path, None if contents is None else contents.again(self._name))

    def close(self) -> None:
        """Bring to the file what is not there yet, and close it. A file without members is not made."""
        try:
            if self._batches and self._failure is None:
                self._commit()
        finally:
            self._file.close()
            if self._contents is not None:
                self._contents.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What ended the sweep is told, not that the file cannot be written either.
        with contextlib.suppress(FileError) if error is not None else contextlib.nullcontext():
            self.close()

    def _batch(self, members: Any, rows: Mapping[str, Any], status: Any, errors: Mapping[int, str]) -> MemberRows:
        for name, values in rows.items():
            if name not in self._declared:
                self.declare(name, [f"{name}_{axis}" for axis in range(np.ndim(values) - 1)])
        types = {name: self._declared[name].dtype for name in rows}
        batch = MemberRows.of(members, rows, status, errors, types, self._header.members)
        layout = self._growing
        for name, values in batch.rows.items():
            layout = layout.including(name, values, self._declared[name])
        self._growing = layout
        return batch

    def _commit(self) -> None:
        """Write what is gathered. If it is interrupted, all of it is written again the next time."""
        begun = clock.monotonic()
        kept = np.count_nonzero(self._file.stored)
        try:
            self._file.write(joined(self._batches), self._declared, self._least, self._before + begun - self._begun)
        except FileError as error:
            self._failure = error
            self._file.withdraw()
            raise
        except WRITE_ERRORS as error:
            self._file.withdraw()
            also = f"; what was saved of {kept:,} members is kept" if kept else ""
            self._failure = FileError(f"{self._name} cannot be written: {reason(error)}{also}")
            raise self._failure from None
        self._batches = []
        self._gathered = 0
        self._written = clock.monotonic()
        self._last = self._written - begun
        self._spent += self._last
