"""What the file of a sweep says of the sweep itself."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import whole
from brnn.base.data import Spec
from brnn.errors import FileError, InputError
from brnn.files.attributes import attribute_json, attribute_value, root_attributes
from brnn.files.sweep.schema import FILE_VARIABLES, TEXT_LONGEST, parameter_variable, text_array
from brnn.files.sweep.texts import TextColumn
from brnn.result.metadata import FORMAT, Value, provenance

if TYPE_CHECKING:
    import h5py

__all__ = ["PROVENANCE", "SweepHeader", "header_of", "read_attributes"]

PROVENANCE = ("brnn_format", "kind", "brnn_version", "versions", "created", "command")
_STRUCTURE = (
    "members",
    "design",
    "build",
    "network",
    "equations",
    "measures",
    "parameters",
    "axes",
    "coordinates",
    "variables",
)
_KINDS: dict[str, tuple[type, ...]] = {
    "measures": (list,),
    "parameters": (list,),
    "axes": (dict, type(None)),
    "variables": (list,),
}


@dataclass(frozen=True, eq=False)
class SweepHeader:
    """What is known of a sweep before it runs.

    Parameters
    ----------
    members : int
        Number of members.
    parameters : mapping
        For each dotted name a column with one value per member: float64, int64, or texts and other things (signals,
        arrays), which are kept as texts.
    design : str
        The design as JSON.
    axes : mapping, optional
        Of a grid: for each name, in the order of the design, its values or their number; the last varies fastest.
    reference : str
        How the build is found again, as JSON; attribute `build` of the file.
    network : str
        The network as JSON.
    equations : str
        Hash of the equations that are run.
    measures : sequence of str
        Names of the measures.
    seeds : array of uint64, shape (members,), optional
        The seed of each member.
    times : array of float, optional
        The times along the dimension `time` of trajectories.
    attributes : mapping
        Further root attributes, texts and numbers: seed, rtol, atol, duration, solver, time_units ... They must be the
        same for a sweep to be resumed, but for `command`, `created` and the versions, which are added.
    selected : array of int, optional
        The members which this file is to hold, all by default.

    Raises
    ------
    InputError
        If the parts do not fit together.
    """

    members: int
    parameters: Mapping[str, Any]
    design: str
    axes: Mapping[str, Any] | None = None
    reference: str = ""
    network: str = ""
    equations: str = ""
    measures: Sequence[str] = ()
    seeds: np.ndarray | None = None
    times: np.ndarray | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)
    selected: np.ndarray | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        count = whole(self.members, "sweep: members", minimum=1)
        put(self, "members", count)
        put(self, "measures", tuple(self.measures))
        put(self, "parameters", {name: _checked_column(name, given, count) for name, given in self.parameters.items()})
        attributes = {"brnn_format": FORMAT, "kind": "sweep", **provenance(), **self.attributes}
        put(self, "attributes", {name: _checked_attribute(name, value) for name, value in attributes.items()})
        put(self, "times", None if self.times is None else np.array(self.times, "<f8", ndmin=1))
        if self.axes is not None:
            sizes = {name: size if isinstance(size, int) else len(size) for name, size in self.axes.items()}
            if math.prod(sizes.values()) != count or set(sizes) - set(self.parameters):
                raise InputError(f"sweep: the axes {sizes} do not make up the {count} members")
            put(self, "axes", sizes)
        if self.seeds is not None:
            seeds = np.asarray(self.seeds, "<u8")
            if seeds.shape != (count,):
                raise InputError(f"sweep: seeds have the shape {seeds.shape}, must be ({count},)")
            put(self, "seeds", seeds)
        if self.selected is not None:
            chosen = np.asarray(self.selected)
            if chosen.size and (chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= count):
                raise InputError(f"sweep: the selected members must be numbers from 0 to {count - 1}")
            put(self, "selected", np.unique(chosen.astype(np.int64)))
        for name in self.measures:
            if name in self.coordinates() or name in FILE_VARIABLES:
                owner = "a parameter" if name in self.parameters else "something else in the file"
                raise InputError(f"measure '{name}': has the name of {owner}; give it another one")

    def root_attributes(self, variables: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
        """Return the root attributes of the file whose variables are described by `variables`."""
        return {
            **self.attributes,
            "brnn_format": FORMAT,
            "members": self.members,
            "design": self.design,
            "build": self.reference,
            "network": self.network,
            "equations": self.equations,
            "measures": json.dumps(self.measures),
            "parameters": json.dumps(list(self.parameters)),
            "axes": json.dumps(self.axes),
            "coordinates": " ".join(self.coordinates()),
            "variables": json.dumps(variables),
        }

    def coordinates(self) -> list[str]:
        """Return the names of the variables that say what a member is, not what it gave."""
        return [*map(parameter_variable, self.parameters), *([] if self.seeds is None else ["seed"])]

    def wanted(self) -> np.ndarray:
        """Return for each member whether this file is to hold it."""
        if self.selected is None:
            return np.ones(self.members, bool)
        wanted = np.zeros(self.members, bool)
        wanted[self.selected] = True
        return wanted


def _checked_column(name: str, given: Any, count: int) -> np.ndarray | TextColumn:
    if not isinstance(name, str) or not name or "/" in name or not name.isprintable():
        raise InputError(f"sweep: {name!r} cannot be the name of a parameter")
    if len(given) != count:
        raise InputError(f"sweep: parameter '{name}' has {len(given)} values for {count} members")
    if isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind in "fiub":
        return given.astype("<f8" if given.dtype.kind == "f" else "<i8")
    if isinstance(given, TextColumn):
        return given
    if isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind == "S":
        return TextColumn.of(given)
    # Most members share the object; in a list all of them stay, so that no other one gets its place.
    given = list(given)
    alike = len(set(map(id, given))) == 1
    distinct = {id(value): value for value in (given[:1] if alike else given)}
    texts = [value if isinstance(value, str) else _as_text(value) for value in distinct.values()]
    longest = max(map(len, texts), default=0)
    if longest > TEXT_LONGEST:
        raise InputError(f"sweep: a value of '{name}' is {longest} characters long; a file keeps {TEXT_LONGEST}")
    places = {key: place for place, key in enumerate(distinct)}
    every = np.zeros(count, np.int64) if alike else np.array([places[id(value)] for value in given])
    return TextColumn.of(text_array(texts), every)


def _as_text(value: Any) -> str:
    if isinstance(value, Spec):
        return repr(value)
    return json.dumps(
        value, default=lambda part: part.tolist() if isinstance(part, (np.ndarray, np.generic)) else str(part)
    )


def _checked_attribute(name: str, value: Any) -> Value:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool):
        return int(plain)
    if isinstance(plain, int) and not -(2**63) <= plain < 2**63:
        return str(plain)
    if not isinstance(plain, (str, int, float)):
        raise InputError(f"sweep: attribute '{name}' of type {type(plain).__name__} cannot be recorded")
    if name in _STRUCTURE:
        raise InputError(f"sweep: the attribute '{name}' is written by the file itself")
    return plain


def read_attributes(file: h5py.File, label: str) -> tuple[dict[str, Value], dict[str, Any]]:
    """Return the root attributes of an open file, and what those hold that are JSON.

    Raises FileError where one is missing or not what it should be, and what h5py raises where the file is damaged.
    """
    attributes = root_attributes(file, _STRUCTURE)
    for name in (*_STRUCTURE, *PROVENANCE):
        if name not in attributes and name != "coordinates":  # which xarray reads, and writes elsewhere
            raise FileError(f"{label} is damaged: its attribute {name} is missing")
    values = {name: attribute_value(value) for name, value in attributes.items()}
    return values, {name: attribute_json(values[name], name, kinds, label) for name, kinds in _KINDS.items()}


def header_of(
    values: Mapping[str, Value], parsed: Mapping[str, Any], columns: Mapping[str, Any], label: str
) -> SweepHeader:
    """Return the header of a file.

    Parameters
    ----------
    values, parsed : mapping
        From `read_attributes`.
    columns : mapping
        The variables of the parameters, and `seed`, `selected`, `time` if there are any.
    label : str
        Name of the file, for errors.

    Raises
    ------
    FileError
        If the parts do not fit together.
    """
    try:
        return SweepHeader(
            members=whole(values["members"], "members", minimum=1),
            parameters={name: columns[parameter_variable(name)] for name in parsed["parameters"]},
            design=str(values["design"]),
            axes=parsed["axes"],
            reference=str(values["build"]),
            network=str(values["network"]),
            equations=str(values["equations"]),
            measures=parsed["measures"],
            seeds=columns.get("seed"),
            times=columns.get("time"),
            attributes={k: v for k, v in values.items() if k not in _STRUCTURE},
            selected=np.flatnonzero(columns["selected"]) if "selected" in columns else None,
        )
    except InputError as error:
        raise FileError(f"{label} is damaged: {error}") from None
