"""The group /run_checkpoint of a file: what a run needs to go on beside the states that it saved.

In the file of a run that ended it is one array of bytes, and only there if it is needed: white noise, delays. While the
run goes on there are two, `a` and `b`, that are written in turn, so that a kill spoils one at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brnn.errors import FileError
from brnn.files.hdf5 import READ_ERRORS
from brnn.files.stored import refuse_claims
from brnn.result.checkpoint import Checkpoint
from brnn.result.metadata import CHECKPOINT

if TYPE_CHECKING:
    import h5py

__all__ = ["stored_checkpoint"]


def stored_checkpoint(file: h5py.File, label: str) -> Checkpoint | None:
    """Return the latest one that is whole; None if there is none."""
    import h5py

    if not file:
        raise FileError(f"{label} cannot be read: the file was closed; open it again with brnn.open")
    group = file.get(CHECKPOINT)
    found: list[Checkpoint] = []
    if not isinstance(group, h5py.Group):
        return None
    for name in group:
        dataset = group[name]
        if isinstance(dataset, h5py.Dataset) and dataset.dtype == np.uint8 and dataset.ndim == 1:
            refuse_claims(dataset, f"{label}: /{CHECKPOINT}/{name}")
            try:
                found.append(Checkpoint.from_bytes(dataset[()].tobytes()))
            except (ValueError, *READ_ERRORS):
                continue
    return max(found, key=lambda each: int(each.facts.get("number", 0)), default=None)
