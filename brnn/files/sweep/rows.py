"""Members that ended together, checked and in order, before they are in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from brnn.ensemble.status import FAILED, MISSING, STATUS_NAMES
from brnn.errors import InputError
from brnn.files.sweep.layout import storable

__all__ = ["ERROR_LONGEST", "MemberRows", "joined"]

ERROR_LONGEST = 500  # bytes of an error that are kept


@dataclass(frozen=True)
class MemberRows:
    """Members, rising and each once; what they gave, row by row; how they ended; why those failed that did."""

    members: np.ndarray
    rows: dict[str, np.ndarray]
    status: np.ndarray
    errors: dict[int, str]

    @classmethod
    def of(
        cls,
        members: Any,
        rows: Mapping[str, Any],
        status: Any,
        errors: Mapping[int, str],
        types: Mapping[str, np.dtype],
        count: int,
    ) -> Self:
        """Return what `SweepWriter.write` was given, copied; of what is given twice the last.

        Parameters
        ----------
        members, rows, status, errors
            See there.
        types : mapping of name -> dtype
            How the rows are kept; object where that is not known.
        count : int
            Number of members of the sweep.

        Raises
        ------
        InputError
            If something does not fit.
        """
        numbers = np.array(members, np.int64, ndmin=1)
        size = len(numbers)
        if size and not (numbers.min() >= 0 and numbers.max() < count):
            raise InputError(f"sweep: there are members from 0 to {count - 1} only")
        ended = np.array(np.broadcast_to(status, (size,)), np.int64)
        if size and not (ended.min() > MISSING and ended.max() < len(STATUS_NAMES)):
            raise InputError("sweep: the status of a member that was run is 1, 2 or 3")
        kept = {}
        for name, values in rows.items():
            array = storable(name, values, types[name])
            if array.shape[:1] != (size,):
                raise InputError(f"sweep: '{name}' has the shape {array.shape} for {size} members")
            kept[name] = array if array is not values and array.base is None else array.copy()
        failed = set(numbers[ended == FAILED].tolist()) if errors else ()
        texts = {int(member): str(text) for member, text in errors.items() if text and member in failed}
        return cls(numbers, kept, ended.astype(np.uint8), texts)._sorted()

    def _sorted(self) -> Self:
        members = self.members
        if not (np.diff(members) <= 0).any():
            return self
        order = np.argsort(members, kind="stable")
        order = order[np.append(np.diff(members[order]) > 0, True)]
        rows = {name: array[order] for name, array in self.rows.items()}
        return type(self)(members[order], rows, self.status[order], self.errors)


def joined(batches: Sequence[MemberRows]) -> list[MemberRows]:
    """Return the batches as one, if they have the same rows of the same shape."""
    kinds = {tuple((name, array.shape[1:], array.dtype) for name, array in batch.rows.items()) for batch in batches}
    if len(batches) < 2 or len(kinds) > 1:
        return list(batches)
    rows = {name: np.concatenate([batch.rows[name] for batch in batches]) for name in batches[0].rows}
    members = np.concatenate([batch.members for batch in batches])
    status = np.concatenate([batch.status for batch in batches])
    errors = {member: text for batch in batches for member, text in batch.errors.items()}
    return [MemberRows(members, rows, status, errors)._sorted()]
