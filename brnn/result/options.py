"""What of a run is kept, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brnn.base.checks import choice, number
from brnn.errors import InputError

__all__ = ["Record"]


@dataclass(frozen=True)
class Record:
    """What `simulate` records.

    Parameters
    ----------
    path : str or Path, optional
        HDF5 file to which the results are streamed while the run goes on; in memory without it.
    variables : sequence of str, optional
        Names of the states that are kept (``"F1.x"``); all by default.
    ltm_every : float, optional
        Time between saved LTM weights; at every saved time by default. The last weights are always kept.
    dtype : {"float64", "float32"}
        Precision of what is kept; the integration itself always uses float64.
    force : bool
        Replace an existing file.
    """

    path: str | Path | None = None
    variables: tuple[str, ...] | None = None
    ltm_every: float | None = None
    dtype: Literal["float64", "float32"] = "float64"
    force: bool = False

    def __post_init__(self) -> None:
        if self.variables is not None:
            object.__setattr__(self, "variables", tuple(self.variables))
        if self.ltm_every is not None:
            number(self.ltm_every, "Record: ltm_every", above=0.0)
        choice(self.dtype, "Record: dtype", ("float64", "float32"))

    @classmethod
    def from_argument(cls, record: Any) -> Record:
        """Return the Record that `simulate`'s argument stands for: a path, names of states, or one already."""
        if record is None or isinstance(record, Record):
            return record or cls()
        if isinstance(record, (str, Path)):
            return cls(path=record)
        if isinstance(record, Sequence) and all(isinstance(name, str) for name in record):
            return cls(variables=tuple(record))
        raise InputError(f"record = {record!r}: must be a path, a list of names such as ['F1.x'], or a brnn.Record")
