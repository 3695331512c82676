"""`brnn.open`: a file of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brnn.base.named import says_what_is_meant
from brnn.files.diagram import open_diagram
from brnn.files.opening import kind_of
from brnn.files.run.reader import open_result
from brnn.files.sweep.reader import open_sweep

__all__ = ["open"]


@says_what_is_meant
def open(path: str | Path) -> Any:
    """Open a file that brnn wrote; its numbers are read when they are used.

    Parameters
    ----------
    path : str or Path
        The file of a run (`brnn.simulate`, `Result.save`) or of a sweep (`brnn.sweep`), which may be incomplete, or of
        a bifurcation diagram (`brnn continue -o`).

    Returns
    -------
    Result or xarray.Dataset
        `open_result` says what there is of a run, `brnn.files.sweep.reader.open_sweep` what there is of a sweep.

    Raises
    ------
    FileError
        If there is no such file, or it is not one of brnn's, or it is damaged.
    """
    kind = kind_of(path) if isinstance(path, (str, Path)) else ""
    if kind == "sweep":
        return open_sweep(path)
    if kind == "diagram":
        return open_diagram(path)
    return open_result(path)
