"""Whether the file of a run that was cut off can be gone on with, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from brnn.errors import BrnnError, FileError, InputError
from brnn.files.opening import being_written
from brnn.files.run.reader import open_result
from brnn.integrate.driver import RunTask
from brnn.result.checkpoint import Checkpoint
from brnn.result.events import EventTable
from brnn.result.metadata import NETWORK_ARRAYS, Metadata, network_to_attributes
from brnn.result.result import Result
from brnn.result.start import Past, Start, joined

__all__ = ["checked", "gone_on", "unfinished"]


def unfinished(path: Path) -> Result | None:
    """Return what the file holds; None if there is none.

    Raises
    ------
    FileError
        If it is being written, or cannot be read.
    """
    if not path.exists():
        return None
    if being_written(path):
        raise FileError(f"{path} cannot be resumed: it is open in another program, perhaps its run goes on")
    return open_result(path)


def checked(old: Result, new: Metadata, given: Mapping[str, Any]) -> Checkpoint | None:
    """Return where a run stood that was cut off; None if it had not come to its first checkpoint.

    What is refused is closed.

    Raises
    ------
    InputError
        If it is another run, or the file does not say where it stood.
    """
    try:
        return _checked(old, new, given)
    except BrnnError:
        old.close()
        raise


def _checked(old: Result, new: Metadata, given: Mapping[str, Any]) -> Checkpoint | None:
    where = f"{old.path} cannot be resumed"
    if old.attributes.get("network") != new.attributes["network"] or not _same_arrays(old.network, new):
        raise InputError(f"{where}: its network is another one")
    if old.attributes.get("seed") != new.attributes["seed"]:
        raise InputError(f"{where}: its seed is {old.attributes.get('seed')}, here it is {new.attributes['seed']}")
    if old.attributes.get("start_hash") != new.attributes.get("start_hash"):
        raise InputError(f"{where}: it went on from another state than this run (start=, --start)")
    for name, value in given.items():
        if name == "start":
            continue
        before = old.options.get(name, "max" if name == "norm" else None)  # of files of an older brnn
        if isinstance(value, np.ndarray) or isinstance(before, np.ndarray):
            if value is None or before is None or not np.array_equal(before, value):
                raise InputError(f"{where}: its {name} are not those of this run ({name}=)")
        elif before != value:
            raise InputError(f"{where}: its {name} is {before}, here it is {value}")
    if old.status in ("complete", "steady"):
        return None
    kept = old.checkpoint()
    if kept is None and not old.keeps_checkpoints:
        raise InputError(f"{where}: it does not hold where its run stood (an older brnn wrote it); run it anew (force)")
    return kept if kept is not None and "counts" in kept.facts else None


def gone_on(task: RunTask, kept: Checkpoint, events: EventTable | None) -> RunTask:
    """Return the rest of a run.

    Parameters
    ----------
    task : Task
        The whole run.
    kept : Checkpoint
        Where it stood.
    events : EventTable or None
        What had happened in it.
    """
    before, arrays = task.start, kept.arrays
    past = None
    if "past_edges" in arrays:
        past = Past(np.array(arrays["past_edges"]), np.array(arrays["past_values"]))
    start = Start(kept.time, np.array(arrays["state"]), events, past=past)
    if before is not None:
        start = replace(start, events=joined(before.events, events), drawn=before.drawn)
    if "noise" in kept.facts:
        start = replace(start, random={"noise": str(kept.facts["noise"])})
    return replace(task, begin=kept.time, start=start, kept=kept)


def _same_arrays(network: Any, new: Metadata) -> bool:
    """Tell whether the arrays to which the JSON of two networks refers are the same."""
    old = network_to_attributes(network)[1]
    arrays = new.arrays[NETWORK_ARRAYS]
    return old.keys() == arrays.keys() and all(np.array_equal(old[name], arrays[name]) for name in old)
