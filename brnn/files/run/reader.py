"""Opening result files: whole ones, those of a run that was killed, and those that are no result files."""

from __future__ import annotations

import contextlib
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import is_identifier
from brnn.base.text import short_repr
from brnn.errors import FileError
from brnn.files.attributes import attribute_json, attribute_value, checked_format, root_attributes, text_of
from brnn.files.hdf5 import READ_ERRORS, StoredArrays, reason
from brnn.files.opening import open_hdf5
from brnn.files.run.checkpoint import stored_checkpoint
from brnn.files.run.events import GROUP, event_names, stored_events
from brnn.files.stored import StoredRows, refuse_claims
from brnn.result.columns import Column
from brnn.result.metadata import CHECKPOINT, INCOMPLETE, NETWORK_ARRAYS, OPTION_ARRAYS, STATUSES, TEXTS, Metadata
from brnn.result.recorded import Recorded
from brnn.result.result import Result

if TYPE_CHECKING:
    import h5py

__all__ = ["open_result"]


def open_result(path: str | Path) -> Result:
    """Open a result file; the samples are read when they are used.

    Parameters
    ----------
    path : str or Path
        A file that `brnn.simulate` or `Result.save` wrote. It may be that of a run that was killed or is still going
        on: then `status` is "incomplete", and what is there are all samples up to the time `reached`.

    Returns
    -------
    Result
        Use it in a ``with`` statement, or close it.

    Raises
    ------
    FileError
        If there is no such file, or it is not a result file, or it is damaged.
    """
    if not isinstance(path, (str, Path)):
        raise FileError(f"{path!r} is not the name of a file")
    with contextlib.ExitStack() as stack:
        file = open_hdf5(path, stack)
        try:
            metadata, recorded, status, solver = _read(file, path)
            events = stored_events(file[GROUP], str(path)) if metadata.events else None
            keeps = CHECKPOINT in file
            kept = functools.cache(functools.partial(stored_checkpoint, file, str(path)))
            reopen = functools.partial(open_result, Path(path).absolute())
            close = stack.pop_all().close
            return Result(recorded, metadata, status, solver, Path(path), close, events, kept, keeps, reopen)
        except FileError:
            raise
        except READ_ERRORS as error:
            raise FileError(f"{path} is damaged: {reason(error)}") from None


def _read(file: h5py.File, path: str | Path) -> tuple[Metadata, list[Recorded], str, dict[str, Any]]:
    attributes = root_attributes(file, TEXTS)
    if "brnn_format" not in attributes:
        raise FileError(f"{path} is not a result file: it is HDF5, but has no attribute brnn_format")
    number = checked_format(attributes, str(path))
    if text_of(attributes.get("kind", "run")) == "sweep":
        raise FileError(f"{path} is the file of a sweep, not of a run")
    if text_of(attributes.get("kind", "run")) != "run":
        if text_of(attributes.get("kind", "")) == "diagram":
            raise FileError(f"{path} is a bifurcation diagram, not a run")
        raise FileError(f"{path} is damaged: there is no result file of format {number} and this kind")
    for name in ("network", "options", "time_units", "variables", "status", "solver"):
        if name not in attributes:
            raise FileError(f"{path} is damaged: its attribute {name} is missing")
    status = text_of(attributes.pop("status"))
    if status not in (INCOMPLETE, *STATUSES):
        raise FileError(f"{path} is damaged: its status is {status!r}")
    solver = attribute_json(attributes.pop("solver"), "solver", dict, str(path))
    attributes["duration"] = float(attribute_value(attributes.get("duration", np.nan)))
    seed = attribute_value(attributes.get("seed", "none"))
    if seed != "none" and not re.fullmatch(r"-?\d+", str(seed)):
        raise FileError(f"{path} is damaged: its seed is {seed!r}")
    described = attribute_json(attributes.pop("variables"), "variables", list, str(path))
    if not described:
        raise FileError(f"{path} is damaged: it has no variables")
    attribute_json(attributes["network"], "network", dict, str(path))
    metadata = Metadata(
        {name: attribute_value(value) for name, value in attributes.items()},
        {name: StoredArrays(file.get(name)) for name in (NETWORK_ARRAYS, OPTION_ARRAYS)},
        event_names(file),
    )
    recorded = _variables(file, path, described, status == INCOMPLETE)
    return metadata, recorded, status, solver


def _variables(file: h5py.File, path: str | Path, described: list[Any], incomplete: bool) -> list[Recorded]:
    import h5py

    found: list[tuple[Column, h5py.Dataset]] = []
    times: dict[tuple[str, str], np.ndarray] = {}  # of a group along an axis
    counts: dict[str, int] = {}
    for description in described:
        name, axis, dims = str(description["name"]), str(description["axis"]), description["dims"]
        group, _, quantity = name.partition(".")
        # They become names of groups, of files and of axes.
        for part in (group, quantity, *dims):
            if not is_identifier(part):
                raise FileError(f"{path} is damaged: {short_repr(part)} in {short_repr(name)} is not a name")
        if any(name == column.name for column, _ in found):
            raise FileError(f"{path} is damaged: there are two variables {name}")
        dataset = file.get(f"{group}/{quantity}")
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind != "f" or dataset.ndim != len(dims) + 1:
            raise FileError(f"{path} is damaged: the dataset /{group}/{quantity} is missing or not what it should be")
        scale = file.get(f"{group}/{axis}")
        if axis not in ("time", "ltm_time") or not isinstance(scale, h5py.Dataset):
            raise FileError(f"{path} is damaged: the times of /{group}/{quantity} are missing")
        if (group, axis) not in times:
            own = _times(scale, f"{path}: /{group}/{axis}")
            known = next((values for (_, other), values in times.items() if other == axis), own)
            times[group, axis] = known if np.array_equal(known, own) else own  # one array in memory for all groups
        if incomplete:  # groups get their times one after the other
            count = min(counts.get(axis, dataset.shape[0]), len(times[group, axis]), dataset.shape[0])
            counts[axis] = _readable(dataset, count)
        elif len(times[group, axis]) != scale.shape[0]:
            raise FileError(f"{path} is damaged: the times of /{group}/{quantity} do not rise")
        elif dataset.shape[0] != scale.shape[0]:
            raise FileError(
                f"{path} is damaged: /{group}/{quantity} has {dataset.shape[0]} samples for {scale.shape[0]} times"
            )
        else:
            counts[axis] = min(counts.get(axis, dataset.shape[0]), dataset.shape[0])
        found.append((_column(description, dataset.shape[1:]), dataset))
    if incomplete and len(counts) == 2:
        # The weights of later states may have been saved when the states were not yet.
        states, weights = (next(v for (_, a), v in times.items() if a == axis) for axis in ("time", "ltm_time"))
        last = states[: counts["time"]].max(initial=-np.inf)
        counts["ltm_time"] = min(counts["ltm_time"], int(np.searchsorted(weights, last, side="right")))
    return [
        Recorded(
            column,
            times[column.group, column.axis][: counts[column.axis]],
            StoredRows(dataset, counts[column.axis], f"{path}: {column.name}"),
        )
        for column, dataset in found
    ]


def _column(description: dict[str, Any], shape: tuple[int, ...]) -> Column:
    texts: dict[str, Any] = {
        name: text_of(description[name]) for name in ("name", "axis", "role", "long_name", "units")
    }
    group, _, quantity = texts["name"].partition(".")
    dims = tuple(str(dim) for dim in description["dims"])
    return Column(group=group, quantity=quantity, start=0, stop=0, shape=shape, dims=dims, **texts)


def _times(dataset: h5py.Dataset, label: str) -> np.ndarray:
    """Return the times that were written: the dataset may be longer in the file of a killed run."""
    refuse_claims(dataset, label)
    times = np.asarray(dataset[()], dtype=np.float64)
    wrong = ~np.isfinite(times)
    wrong[1:] |= ~(np.diff(times) > 0)
    return times[: int(np.argmax(wrong))] if wrong.any() else times


def _readable(dataset: h5py.Dataset, count: int) -> int:
    """Return the number of rows up to which the last chunks can be read (their checksums hold)."""
    rows = dataset.chunks[0] if dataset.chunks else 1
    while count:
        try:
            dataset[count - 1]
        except OSError:
            count = (count - 1) // rows * rows
        else:
            break
    return count
