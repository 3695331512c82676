"""The file of a sweep while members come: made with room for what is known, then filled in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.base.paths import replacing
from brnn.ensemble.status import FAILED, MISSING
from brnn.errors import FileError
from brnn.files.hdf5 import reason
from brnn.files.locks import remove_leftovers
from brnn.files.placed import PlacedFile, PlacedRows, check_room, fill_value, warn_of_deletion
from brnn.files.sweep.compare import difference
from brnn.files.sweep.create import create
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.layout import SweepLayout, SweepVariable
from brnn.files.sweep.reader import open_sweep_contents
from brnn.files.sweep.rows import ERROR_LONGEST, MemberRows
from brnn.files.sweep.schema import text_array
from brnn.files.sweep.texts import CodedTexts, codes_of, lines

__all__ = ["SweepFile"]

_STATUS = SweepVariable(("member",), np.dtype("u1"), (("long_name", "how the member ended"),))


class SweepFile:
    """Takes the rows of members, each before the status that makes it count.

    Parameters
    ----------
    path : Path
        The file. It appears with the first members.
    label : str
        How error messages call it.
    header : SweepHeader
        What is known of the sweep.
    force : bool
        Replace an existing file, when the first members are there.

    Attributes
    ----------
    layout : SweepLayout
        What there is room for.
    stored : ndarray of uint8, shape (members,)
        The status of each member in the file.
    """

    def __init__(self, path: Path, label: str, header: SweepHeader, force: bool) -> None:
        self.layout = SweepLayout({"status": _STATUS})
        self.stored = np.full(header.members, MISSING, np.uint8)
        self._path = path
        self._name = label
        self._header = header
        self._force = force
        self._file: PlacedFile | None = None
        self._made = False  # whether the file was begun here
        self._next: tuple[PlacedFile, SweepLayout] | None = None  # what is about to take their place
        self._wanted = header.wanted()
        self._slots: dict[int, int] = {}  # where the errors of members stand

    @property
    def begun(self) -> bool:
        """Whether there are members under the name of the file."""
        return self._file is not None

    def close(self) -> None:
        """Close the file, which is always in order."""
        if self._file is not None:
            self._file.close()

    def withdraw(self) -> None:
        """Remove a file that was made here and has no members: what ended the sweep leaves nothing of it."""
        if self._made and self._file is not None and not self.stored.any() and self._file.same_as(self._path):
            self._path.unlink(missing_ok=True)

    def resume(self) -> float:
        """Go on with the file that is there, if it is that of the same sweep; return the seconds that it took."""
        file = self._locked()
        try:
            contents = open_sweep_contents(self._path, self._name)
            contents.close()
            detail = difference(contents.header, self._header)
            if detail:
                raise FileError(f"{self._name} cannot be resumed: {detail}")
            stored = {
                name: rows.codes if isinstance(rows, CodedTexts) else rows for name, rows in contents.rows.items()
            }
            places = {name: rows.place for name, rows in stored.items() if isinstance(rows, PlacedRows)}
            if len(places) < len(stored):
                raise FileError(
                    f"{self._name} cannot be resumed: another program has rearranged it; run the sweep anew"
                )
            file.places = places
            self._header = contents.header  # which says who made the file, and when
            self.stored = contents.status
            if "failed" in places:
                slots = file.read("failed", 0, places["failed"].shape[0]).tolist()
                self._slots = {member: slot for slot, member in enumerate(slots) if member >= 0}
        except BaseException:
            file.close()
            raise
        self._adopt(file, contents.layout)
        remove_leftovers(self._path)
        return float(contents.attributes["wall_time"])

    def write(
        self,
        batches: Sequence[MemberRows],
        declared: Mapping[str, SweepVariable],
        least: Mapping[str, int],
        seconds: float,
    ) -> None:
        """Write members. After an interruption it may be done again.

        Parameters
        ----------
        batches : sequence of MemberRows
            What they gave.
        declared : mapping
            What each of their rows is.
        least : mapping
            Lengths that axes have at least.
        seconds : float
            What the sweep took until now.
        """
        deleted = self.check()
        wanted = self._layout_for(batches, declared, least)
        if self._file is None or wanted != self.layout or deleted:
            self._rebuild(wanted, batches, seconds)
        else:
            self._store(self._file, wanted, batches, seconds)

    def check(self) -> bool:
        """Tell whether our file was deleted; raise FileError if another file has our name, or ours was cut."""
        if self._next is not None:  # the last rebuilding was interrupted
            file, layout = self._next
            if file.same_as(self._path):
                self._adopt(file, layout)
            else:
                file.close()
            self._next = None
        return self._file is not None and not self._file.still_at(self._path, self._name)

    def _adopt(self, file: PlacedFile, layout: SweepLayout) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self.layout, self._force = file, layout, True

    def _layout_for(
        self, batches: Sequence[MemberRows], declared: Mapping[str, SweepVariable], least: Mapping[str, int]
    ) -> SweepLayout:
        """Return the layout of a file that has room for everything."""
        layout = self.layout
        for batch in batches:
            for name, values in batch.rows.items():
                layout = layout.including(name, values, declared[name])
        layout = layout.with_sizes(least)
        errors = {member: text for batch in batches for member, text in batch.errors.items()}
        if not errors:
            return layout
        longest = max(min(ERROR_LONGEST, len(text.encode("utf-8", "backslashreplace"))) for text in errors.values())
        return layout.with_failed(len({*self._slots, *errors}), longest)

    def _rebuild(self, layout: SweepLayout, batches: Sequence[MemberRows], seconds: float) -> None:
        """Make a new file with this layout, and with all that is known; then let it take the place of the old one."""
        if self.check():
            warn_of_deletion(self._name)
            self._force = False  # one that appeared in its place is not ours
        check_room(self._path, self._name, layout.size(self._header.members))
        with replacing(self._path, self._force) as name:
            file = PlacedFile(name, create(name, self._header, layout))
            self._next = file, layout
            self._copy(file, layout, batches)
            self._store(file, layout, batches, seconds)
        self._made = self._made or self._file is None
        self._adopt(file, layout)
        self._next = None

    def _copy(self, file: PlacedFile, layout: SweepLayout, batches: Sequence[MemberRows]) -> None:
        """Fill a new file with what the old one has, and with nothing where that has nothing."""
        members = self._header.members
        for name, field in layout.fields.items():
            if self._file is not None and name in self._file.places:
                self._copy_variable(self._file, file, name, layout)
            elif field.dims[0] == "failed" or members > sum(len(b.members) for b in batches if name in b.rows):
                _fill(file, name)
        file.put_block("status", 0, self.stored)

    def _copy_variable(self, old: PlacedFile, new: PlacedFile, name: str, layout: SweepLayout) -> None:
        place, target = old.places[name], new.places[name]
        if target.shape[0] > place.shape[0]:
            _fill(new, name)  # there are more that failed
        known, wanted = self.layout.fields[name], layout.fields[name]
        step = rows_at_once(max(place.row, target.row))
        for start in range(0, place.shape[0], step):
            values = old.read(name, start, min(start + step, place.shape[0]))
            if known.texts is not None and wanted.texts is None:  # there are too many texts for codes now
                values = np.array([*(text.encode() for text in known.texts), b""], target.dtype)[values]
            values = values.astype(target.dtype)
            if name == "error_text":
                values = lines(values.tolist(), target.dtype.itemsize)
            elif name != "failed":
                values[self.stored[start : start + len(values)] == MISSING] = fill_value(target.dtype)
            new.put_block(name, start, values)

    def _store(self, file: PlacedFile, layout: SweepLayout, batches: Sequence[MemberRows], seconds: float) -> None:
        """Write rows, then the status that makes them count."""
        for batch in batches:
            for name, values in batch.rows.items():
                texts = layout.fields[name].texts
                file.put(name, batch.members, values if texts is None else codes_of(values, texts))
            if batch.errors:
                self._store_errors(file, batch.errors)
        for batch in batches:
            file.put("status", batch.members, batch.status)
            self.stored[batch.members] = batch.status
        file.put_scalar("missing", int(np.count_nonzero(self._wanted & (self.stored == MISSING))))
        file.put_scalar("wall_time", seconds)
        # Of members that failed once and are complete now.
        for member in [member for member in self._slots if self.stored[member] != FAILED]:
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
        texts = text_array([errors[member] for member in members], ERROR_LONGEST)
        file.put("error_text", slots, lines(texts.tolist(), file.places["error_text"].dtype.itemsize))
        file.put("failed", slots, members)

    def _locked(self) -> PlacedFile:
        """Open the file that is there, if nobody else has."""
        try:
            return PlacedFile(self._path, {})
        except BlockingIOError:
            detail = "it is open in another program, perhaps its sweep goes on"
        except OSError as error:
            detail = reason(error)
        raise FileError(f"{self._name} cannot be resumed: {detail}")


def _fill(file: PlacedFile, name: str) -> None:
    """Write nothing everywhere: empty lines, or the fill value."""
    place = file.places[name]
    if name == "error_text":
        file.put_block(name, 0, lines([b""] * place.shape[0], place.dtype.itemsize))
    else:
        file.fill(name)
