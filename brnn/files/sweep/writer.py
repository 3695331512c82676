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

from brnn.base.paths import check_target, replacing
from brnn.ensemble.status import FAILED, MISSING
from brnn.errors import FileError, InputError
from brnn.files.hdf5 import WRITE_ERRORS, reason
from brnn.files.locks import remove_leftovers
from brnn.files.opening import being_written
from brnn.files.placed import PlacedFile, PlacedRows, check_room, fill_value
from brnn.files.sweep.compare import difference
from brnn.files.sweep.create import create
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.layout import Field, Layout
from brnn.files.sweep.reader import open_sweep, open_sweep_contents
from brnn.files.sweep.rows import ERROR_LONGEST, Batch, joined
from brnn.files.sweep.schema import FILE_VARIABLES, text_array

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SweepWriter"]

_SHARE = 50  # writing takes one part in 50 of the time,
_LONGEST = 2.0  # unless members would wait longer than this many seconds,
_PATIENCE = 10.0  # or this many times as long as writing took last time,
_MAKING = 0.01  # seconds that it takes to make a file
_GATHERED = 64 * 1024 * 1024  # or there are more bytes of them
_BLOCK = 16 * 1024 * 1024  # bytes that are copied at once
_ATTEMPTS = 5
_PAUSE = 0.05  # seconds
_STATUS = Field(("member",), np.dtype("u1"), (("long_name", "how the member ended"),))


class SweepWriter:
    """Writes the file of a sweep.

    Parameters
    ----------
    path : str or Path
        The file. It appears with the first members.
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
        self._declared: dict[str, Field] = {}
        self._least: dict[str, int] = {}  # lengths of axes that were declared
        self._batches: list[Batch] = []
        self._gathered = 0
        self._failure: FileError | None = None
        self._file: PlacedFile | None = None
        self._layout = Layout({"status": _STATUS})  # of the file
        self._growing = self._layout  # with room for all that was given
        self._next: tuple[PlacedFile, Layout] | None = None  # what is about to take their place
        self._status = np.full(header.members, MISSING, np.uint8)  # gathered members included
        self._stored = self._status.copy()  # those in the file
        self._wanted = header.wanted()
        self._slots: dict[int, int] = {}  # where the errors of members stand
        self._before = seconds
        self._begun = self._written = clock.monotonic()
        self._spent = self._last = _MAKING
        self._path = check_target(path, force or resume)
        if resume and self._path.exists():
            self._resume()
        elif self._path.exists() and being_written(self._path):
            raise FileError(f"{path} cannot be replaced: something else is writing it")

    @property
    def status(self) -> np.ndarray:
        """The status of each member, those included that are not in the file yet."""
        return self._status.copy()

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
        self._declared[name] = Field(("member", *dims), kept, tuple(known.items()))
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
        if not self._batches or self._failure is not None:
            return
        now = clock.monotonic()
        if (
            self._spent <= (now - self._begun) / _SHARE
            or now - self._written >= max(_LONGEST, _PATIENCE * self._last)
            or self._gathered > _GATHERED
        ):
            self._commit()

    def finish(self) -> xr.Dataset:
        """Bring everything to the file, close it, and return what it holds, as `brnn.open` does."""
        if self._failure is not None:
            raise self._failure
        if self._batches or self._file is None:
            self._commit()
        self.close()
        return open_sweep(self._path)

    def close(self) -> None:
        """Bring to the file what is not there yet, and close it. A file without members is not made."""
        try:
            if self._batches and self._failure is None:
                self._commit()
        finally:
            if self._file is not None:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What ended the sweep is told, not that the file cannot be written either.
        with contextlib.suppress(FileError) if error is not None else contextlib.nullcontext():
            self.close()

    def _batch(self, members: Any, rows: Mapping[str, Any], status: Any, errors: Mapping[int, str]) -> Batch:
        for name, values in rows.items():
            if name not in self._declared:
                self.declare(name, [f"{name}_{axis}" for axis in range(np.ndim(values) - 1)])
        types = {name: self._declared[name].dtype for name in rows}
        batch = Batch.of(members, rows, status, errors, types, self._header.members)
        layout = self._growing
        for name, values in batch.rows.items():
            layout = layout.including(name, values, self._declared[name])
        self._growing = layout
        return batch

    # ------------------------------------------------------------------------------------------------ the file

    def _commit(self) -> None:
        """Write what is gathered. If it is interrupted, all of it is written again the next time."""
        begun = clock.monotonic()
        kept = np.count_nonzero(self._stored)
        try:
            batches = joined(self._batches)
            self._settle()
            wanted = self._layout_for(batches)
            if self._file is None or wanted != self._layout or not self._path.exists():
                self._rebuild(wanted, batches)
            else:
                self._store(self._file, batches)
        except FileError as error:
            self._failure = error
            raise
        except WRITE_ERRORS as error:
            also = f"; what was saved of {kept:,} members is kept" if kept else ""
            self._failure = FileError(f"{self._name} cannot be written: {reason(error)}{also}")
            raise self._failure from None
        self._batches = []
        self._gathered = 0
        self._written = clock.monotonic()
        self._last = self._written - begun
        self._spent += self._last

    def _settle(self) -> None:
        """See that the file we write is the one that has our name."""
        if self._next is not None:  # the last rebuilding was interrupted
            file, layout = self._next
            if file.same_as(self._path):
                self._adopt(file, layout)
            else:
                file.close()
            self._next = None
        if self._file is not None and self._path.exists() and not self._file.same_as(self._path):
            raise FileError(f"{self._name} cannot be written: something else has replaced it")

    def _adopt(self, file: PlacedFile, layout: Layout) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._layout, self._force = file, layout, True

    def _layout_for(self, batches: list[Batch]) -> Layout:
        """Return the layout of a file that has room for everything."""
        layout = self._layout
        for batch in batches:
            for name, values in batch.rows.items():
                layout = layout.including(name, values, self._declared[name])
        layout = layout.with_sizes(self._least)
        errors = {member: text for batch in batches for member, text in batch.errors.items()}
        if not errors:
            return layout
        longest = max(min(ERROR_LONGEST, len(text.encode("utf-8", "backslashreplace"))) for text in errors.values())
        return layout.with_failed(len({*self._slots, *errors}), longest)

    def _rebuild(self, layout: Layout, batches: list[Batch]) -> None:
        """Make a new file with this layout, and with all that is known; then let it take the place of the old one."""
        check_room(self._path, self._name, layout.size(self._header.members))
        with replacing(self._path, self._force) as name:
            file = PlacedFile(name, create(name, self._header, layout))
            self._next = file, layout
            self._copy(file, layout, batches)
            self._store(file, batches)
        self._adopt(file, layout)
        self._next = None

    def _copy(self, file: PlacedFile, layout: Layout, batches: list[Batch]) -> None:
        """Fill a new file with what the old one has, and with nothing where that has nothing."""
        members = self._header.members
        for name, field in layout.fields.items():
            if self._file is not None and name in self._file.places:
                self._copy_variable(self._file, file, name)
            elif field.dims[0] == "failed" or members > sum(len(b.members) for b in batches if name in b.rows):
                file.fill(name)
        file.put_block("status", 0, self._stored)

    def _copy_variable(self, old: PlacedFile, new: PlacedFile, name: str) -> None:
        place, target = old.places[name], new.places[name]
        if target.shape[0] > place.shape[0]:
            new.fill(name)  # there are more that failed
        step = max(1, _BLOCK // max(1, place.row, target.row))
        for start in range(0, place.shape[0], step):
            values = old.read(name, start, min(start + step, place.shape[0])).astype(target.dtype)
            if name not in ("failed", "error_text"):
                values[self._stored[start : start + len(values)] == MISSING] = fill_value(target.dtype)
            new.put_block(name, start, values)

    def _store(self, file: PlacedFile, batches: list[Batch]) -> None:
        """Write rows, then the status that makes them count."""
        for batch in batches:
            for name, values in batch.rows.items():
                file.put(name, batch.members, values)
            if batch.errors:
                self._store_errors(file, batch.errors)
        for batch in batches:
            file.put("status", batch.members, batch.status)
            self._stored[batch.members] = batch.status
        file.put_scalar("missing", int(np.count_nonzero(self._wanted & (self._stored == MISSING))))
        file.put_scalar("wall_time", self._before + clock.monotonic() - self._begun)
        # Of members that failed once and are complete now.
        for member in [member for member in self._slots if self._stored[member] != FAILED]:
            file.put("failed", np.array([self._slots[member]]), np.array([-1]))
            del self._slots[member]

    def _store_errors(self, file: PlacedFile, errors: Mapping[int, str]) -> None:
        used = set(self._slots.values())
        free = iter(slot for slot in range(file.places["failed"].shape[0]) if slot not in used)
        for member in errors:
            if member not in self._slots:
                self._slots[member] = next(free)
        members = np.array(sorted(errors, key=self._slots.__getitem__))
        slots = np.array([self._slots[member] for member in members])
        file.put("error_text", slots, text_array([errors[member] for member in members], ERROR_LONGEST))
        file.put("failed", slots, members)

    # ------------------------------------------------------------------------------------------------ an older file

    def _resume(self) -> None:
        """Open the file that is there, if it is that of the same sweep."""
        file = self._locked()
        try:
            contents = open_sweep_contents(self._path, self._name)
            contents.close()
            detail = difference(contents.header, self._header)
            if detail:
                raise FileError(f"{self._name} cannot be resumed: {detail}")
            places = {name: rows.place for name, rows in contents.rows.items() if isinstance(rows, PlacedRows)}
            if len(places) < len(contents.rows):
                raise FileError(
                    f"{self._name} cannot be resumed: another program has rearranged it; run the sweep anew"
                )
            file.places = places
            self._header = contents.header  # which says who made the file, and when
            self._stored = contents.status
            self._before = contents.attributes["wall_time"]
            if "failed" in places:
                slots = file.read("failed", 0, places["failed"].shape[0]).tolist()
                self._slots = {member: slot for slot, member in enumerate(slots) if member >= 0}
        except BaseException:
            file.close()
            raise
        self._status = self._stored.copy()
        self._adopt(file, contents.layout)
        self._growing = contents.layout
        remove_leftovers(self._path)

    def _locked(self) -> PlacedFile:
        """Open the file that is there, if nobody else has."""
        for attempt in range(_ATTEMPTS):
            try:
                return PlacedFile(self._path, {})
            except BlockingIOError:  # or somebody just looks at it
                if attempt < _ATTEMPTS - 1:
                    clock.sleep(_PAUSE)
            except OSError as error:
                raise FileError(f"{self._name} cannot be resumed: {reason(error)}") from None
        raise FileError(f"{self._name} cannot be resumed: it is open in another program, perhaps its sweep goes on")
