"""What stands in the file of a sweep: names and attributes of its variables, and how it keeps texts.

    /                        attributes: brnn_format, kind ("sweep"), members, design (JSON), build and network (JSON),
                             equations (hash), measures, parameters, axes, variables (JSON), what the sweep adds (seed,
                             tolerances, duration ...), and provenance (brnn_version, versions, created, command)
    /member                  0, 1, ...: the dimension of everything below
    /<parameter>             (member), by its dotted name; ``parameter.<name>`` if the file has a variable of that name
    /seed, /selected         (member), if given: seeds, and which members this file is to hold (a shard)
    /status                  (member): 0 missing, 1 complete, 2 steady, 3 failed
    /<layer>.x, /<layer>.<measure>, /<measure of the user's own>
                             (member, ...): whatever was declared; NaN (-1 for whole numbers) where there is nothing
    /failed, /error_text     members that failed, and why, as lines of one length; only if one did
    /missing, /wall_time     members still to run, and seconds that the sweep took

Texts are codes, characters or lines (see `brnn.files.sweep.texts`). Every axis is a dimension scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.ensemble.status import STATUS_NAMES

if TYPE_CHECKING:
    from brnn.spec.variable import Variable

__all__ = [
    "COMMON_VARIABLES",
    "FILE_VARIABLES",
    "SEED_ATTRIBUTES",
    "SELECTED_ATTRIBUTES",
    "STATUS_ATTRIBUTES",
    "TEXT_LONGEST",
    "cell_dims",
    "parameter_attributes",
    "parameter_variable",
    "text_array",
    "texts_joined",
]

STATUS_ATTRIBUTES: dict[str, Any] = {  # attributes of `status`, in the way of the CF conventions
    "flag_meanings": " ".join(STATUS_NAMES),
    "flag_values": np.arange(len(STATUS_NAMES), dtype="u1"),
}
SEED_ATTRIBUTES = {"long_name": "seed of the member", "units": "1"}
SELECTED_ATTRIBUTES = {"long_name": "whether this file is to hold the member", "units": "1"}
# Variables that a file has for itself: no row can have these names.
FILE_VARIABLES = (
    "member",
    "seed",
    "selected",
    "status",
    "failed",
    "error",
    "error_text",
    "error_text_length",
    "missing",
    "wall_time",
)
COMMON_VARIABLES = (*FILE_VARIABLES, "steps", "evaluations", "time")  # nor can a parameter, without a prefix
TEXT_LONGEST = 2000  # bytes of a text that stands once for each member


def parameter_variable(name: str) -> str:
    """Return the name of the variable that holds a parameter."""
    return f"parameter.{name}" if name in COMMON_VARIABLES else name


def parameter_attributes(name: str) -> dict[str, str]:
    """Return the attributes of this variable."""
    return {"long_name": f"parameter {name}", "units": "1"}


def cell_dims(variable: Variable) -> tuple[str, ...]:
    """Return names for the axes of a state that are unique in the whole network.

    Those of layers are, those of projections ("source", "target") get the projection's name in front. An axis that
    would have the name of something that every file has gets another one.
    """
    dims = (f"{variable.group}_{dim}" if dim in ("source", "target") else str(dim) for dim in variable.dims)
    return tuple(f"{dim}_cell" if dim in COMMON_VARIABLES else dim for dim in dims)


def text_array(values: Sequence[str] | np.ndarray, longest: int = TEXT_LONGEST) -> np.ndarray:
    """Return texts as an array of UTF-8 bytes of one length; what is longer than `longest` bytes is cut."""
    encoded = np.strings.encode(np.asarray(values, dtype=np.str_), "utf-8", "backslashreplace")
    return encoded.astype(f"S{min(max(1, encoded.dtype.itemsize), longest)}")


def texts_joined(values: np.ndarray) -> np.ndarray:
    """Return an array of characters (..., bytes) as texts (bytes) of one length, and any other array as it is."""
    if values.dtype == "S1" and values.ndim:
        return np.ascontiguousarray(values).view(f"S{values.shape[-1]}")[..., 0]
    return values
