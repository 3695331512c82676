"""The shards of a sweep that ran as several jobs, joined into one file."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.base.named import says_what_is_meant
from brnn.ensemble.status import COMPLETE, FAILED, MISSING, STEADY
from brnn.errors import BrnnError, FileError, InputError
from brnn.files.hdf5 import READ_ERRORS, reason
from brnn.files.sweep.compare import difference
from brnn.files.sweep.reader import open_sweep_contents
from brnn.files.sweep.writer import SweepWriter

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["merge_shards"]


@says_what_is_meant
def merge_shards(paths: Sequence[str | Path], out: str | Path, *, force: bool = False) -> xr.Dataset:
    """Join the files of shards, each of which holds some members of one sweep, into one file.

    A member that is in several shards must have the same numbers in all of them; one that failed in some of them is
    taken from one where it did not. What is missing can be run with ``resume=True`` afterwards.

    Parameters
    ----------
    paths : sequence of str or Path
        The shards.
    out : str or Path
        The file to write.
    force : bool
        Replace an existing file.

    Returns
    -------
    xarray.Dataset
        The joined sweep, as `brnn.open` gives it; ``brnn info`` lists the members that no shard has.

    Raises
    ------
    FileError
        If a shard cannot be read, is one of another sweep, or contradicts another one, or `out` cannot be written.
    InputError
        If there are no shards.
    """
    if not paths:
        raise InputError("merge: there are no shards; name their files")
    for path in paths:
        if os.path.exists(path) and os.path.exists(out) and os.path.samefile(path, out):
            raise FileError(f"{out} is one of the shards; give the joined file another name")
    with contextlib.ExitStack() as stack:
        shards = [_Shard(path, stack) for path in paths]
        first = shards[0]
        for shard in shards[1:]:
            places = f"in {Path(first.label).name}", f"in {Path(shard.label).name}"
            detail = difference(first.header, shard.header, places, shards=True)
            if detail:
                raise FileError(f"{shard.label} does not belong to {first.label}: {detail}")
        try:
            return _merge(shards, out, force)
        except READ_ERRORS as error:
            if isinstance(error, BrnnError):
                raise
            raise FileError(f"a shard is damaged: {reason(error)}") from None


class _Shard:
    """An open shard."""

    def __init__(self, path: str | Path, stack: contextlib.ExitStack) -> None:
        self.label = str(path)
        contents = open_sweep_contents(path, self.label)
        stack.callback(contents.close)
        self.header, self.layout, self.status = contents.header, contents.layout, contents.status
        self.errors = contents.errors()
        self.seconds = float(contents.attributes["wall_time"])
        fields = self.layout.fields.items()
        self.fields = {name: field for name, field in fields if field.dims[0] == "member" and name != "status"}
        self._rows = contents.rows

    def rows(self, members: np.ndarray) -> dict[str, np.ndarray]:
        """Return what it has for members, which rise."""
        start, stop = int(members[0]), int(members[-1]) + 1
        return {name: self._rows[name][start:stop][members - start] for name in self.fields}


def _merge(shards: Sequence[_Shard], out: str | Path, force: bool) -> xr.Dataset:
    first = shards[0].header
    attributes = {name: value for name, value in first.attributes.items() if name != "shard"}
    header = dataclasses.replace(first, attributes=attributes, selected=None)
    seconds = sum(shard.seconds for shard in shards)
    owner = np.full(header.members, -1)
    with SweepWriter(out, header, force=force, seconds=seconds) as writer:
        for name in dict.fromkeys(name for shard in shards for name in shard.fields):
            _declare(writer, name, [shard for shard in shards if name in shard.fields])
        for number, shard in enumerate(shards):
            row = sum(shard.layout.row_bytes(name) for name in shard.fields)
            step = rows_at_once(row)
            for start in range(0, header.members, step):
                _take(writer, shards, number, owner, start, min(start + step, header.members))
        return writer.finish()


def _declare(writer: SweepWriter, name: str, shards: Sequence[_Shard]) -> None:
    fields = [shard.fields[name] for shard in shards]
    dtype = None if any(field.is_text for field in fields) else np.result_type(*(field.dtype for field in fields))
    shape = np.max([shard.layout.cells(name) for shard in shards], axis=0).tolist()
    writer.declare(name, fields[0].dims[1:], dict(fields[0].attributes), dtype, shape)


def _take(writer: SweepWriter, shards: Sequence[_Shard], number: int, owner: np.ndarray, start: int, stop: int) -> None:
    """Write what a shard adds for the members from `start` to before `stop`, and check what others had already."""
    shard, known = shards[number], writer.status[start:stop]
    status = shard.status[start:stop]
    ended = (status == COMPLETE) | (status == STEADY)
    new = (status != MISSING) & ((known == MISSING) | ((known == FAILED) & ended))
    members = start + np.flatnonzero(new)
    again = start + np.flatnonzero(ended & (known != MISSING) & (known != FAILED))
    for other in np.unique(owner[again]).tolist():
        _compare(shards[other], shard, again[owner[again] == other])
    if members.size:
        failed = members[shard.status[members] == FAILED]
        errors = {int(member): str(shard.errors[member]) for member in failed}
        writer.write(members, shard.rows(members), shard.status[members], errors)
        owner[members] = number


def _compare(one: _Shard, other: _Shard, members: np.ndarray) -> None:
    """Raise FileError if two shards have different numbers for the same members."""
    left, right = one.rows(members), other.rows(members)
    left["status"], right["status"] = one.status[members], other.status[members]
    for name in dict.fromkeys((*left, *right)):
        a, b = left.get(name), right.get(name)
        wrong = np.ones(len(members), bool) if a is None or b is None else _different(a, b)
        if wrong.any():
            member = members[int(np.argmax(wrong))]
            raise FileError(f"member {member} has different numbers in {one.label} and {other.label} ('{name}')")


def _different(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Tell for each row whether it differs; cells that only one of the two has must be empty."""
    cells = tuple(slice(min(sizes)) for sizes in zip(a.shape[1:], b.shape[1:], strict=True))
    same = a[:, *cells] == b[:, *cells]
    if a.dtype.kind == b.dtype.kind == "f":
        same |= np.isnan(a[:, *cells]) & np.isnan(b[:, *cells])
    axes = tuple(range(1, a.ndim))
    counts = [np.sum(values == values if values.dtype.kind == "f" else values != b"", axis=axes) for values in (a, b)]
    return np.asarray(~same.all(axis=axes) | ((counts[0] != counts[1]) if a.shape != b.shape else False))
