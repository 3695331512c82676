"""What a result says of the run that it came from: attributes, and the arrays to which their JSON refers."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import math
import platform
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from brnn._version import __version__
from brnn.base.codec import JsonCodec, UnknownType
from brnn.errors import InputError, SpecError
from brnn.result.start import Start
from brnn.spec.network import Network

__all__ = [
    "FORMAT",
    "STATUSES",
    "LateMetadata",
    "Metadata",
    "metadata",
    "network_from_file",
    "network_to_attributes",
    "options_from_file",
    "provenance",
    "solver_text",
]

FORMAT = 2
INCOMPLETE = "incomplete"
STATUSES = ("complete", "steady", "failed", "interrupted")  # of a run that ended
SOLVER_SIZE = 4096  # bytes of what is kept of the solver
NETWORK_ARRAYS = "network_arrays"
OPTION_ARRAYS = "option_arrays"
TEXT_AT_MOST = 60_000  # bytes; an HDF5 attribute ends at 64 KiB
TEXTS = ("network", "options", "command", "variables", "reference")  # attributes that may be long
CHECKPOINT = "run_checkpoint"
# No layer can have these names.
RESERVED = (
    NETWORK_ARRAYS,
    OPTION_ARRAYS,
    CHECKPOINT,
    *(f"{name}_text" for name in TEXTS),
)

Value = str | int | float


@dataclass(frozen=True)
class Metadata:
    """The root attributes of a file, but for `status` and `solver`, and the arrays to which their JSON refers.

    `events` are the names of the network's events; without any there is no group /events.
    """

    attributes: dict[str, Value]
    arrays: dict[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class LateMetadata:
    """What a file says about a run, made when it is asked for, which takes as long as a short run.

    Attributes
    ----------
    make : callable
        Makes it.
    time_units : str
        The unit of time, which every array of a result has.
    """

    make: Callable[[], Metadata]
    time_units: str

    def __call__(self) -> Metadata:
        """Make it."""
        return self.make()


def metadata(
    system: Any,
    *,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
    command: str | None = None,
    start: Start | None = None,
    created: datetime | None = None,
) -> Metadata:
    """Return what a file says about the run that makes it.

    Parameters
    ----------
    system : System
        Its `network` and `time_units` are recorded.
    seed : int, optional
        Root seed of the run.
    options : mapping, optional
        Arguments of the run: numbers, texts, arrays, and lists and dicts of them. ``options["duration"]`` is the
        planned duration.
    command : str, optional
        Command line; that of this process by default.
    start : Start, optional
        The run from which it goes on.
    created : datetime, optional
        When; now by default.

    Raises
    ------
    InputError
        If an option cannot be written as JSON.
    """
    text, network_arrays = network_to_attributes(system.network)
    option_arrays: dict[str, np.ndarray] = {}
    try:
        plain = _OPTIONS.encode(dict(options or {}), option_arrays)
    except UnknownType as error:
        raise InputError(f"options{error.place}: a value of type {error.type_name} cannot be recorded") from None
    duration = (options or {}).get("duration")
    attributes: dict[str, Value] = {
        "brnn_format": FORMAT,
        "kind": "run",
        "title": str(getattr(system.network, "name", "")),
        "reference": str(getattr(system.network, "reference", "")),
        "network": text,
        "seed": "none" if seed is None else int(seed) if abs(int(seed)) < 2**63 else str(seed),
        "options": json.dumps(plain, allow_nan=False),
        **provenance(command, created),
        "duration": math.nan if duration is None else float(duration),
        "time_units": system.time_units,
    }
    if start is not None:
        attributes |= {"start_time": start.time, **{f"start_{name}": text for name, text in start.source.items()}}
    events = tuple(getattr(system.network, "event_names", ()))
    return Metadata(attributes, {NETWORK_ARRAYS: network_arrays, OPTION_ARRAYS: option_arrays}, events)


def provenance(command: str | None = None, created: datetime | None = None) -> dict[str, Value]:
    """Return what a file says of how it was made: versions, time (now), and the command line (this process's)."""
    packages = {name: _package_version(name) for name in ("numpy", "scipy", "numba", "h5py")}
    return {
        "brnn_version": __version__,
        "versions": json.dumps({"python": platform.python_version(), **packages}),
        "created": (created or datetime.now(UTC)).isoformat(timespec="seconds"),
        # Arguments that are no text (file names in another encoding) are shown with escapes.
        "command": (shlex.join(sys.argv) if command is None else command).encode("utf-8", "backslashreplace").decode(),
    }


def network_to_attributes(network: Any) -> tuple[str, dict[str, np.ndarray]]:
    """Return the network as JSON, and the arrays of more than 64 elements to which it refers by name."""
    arrays: dict[str, np.ndarray] = {}
    return json.dumps(network.to_dict(arrays), allow_nan=False), arrays


def network_from_file(text: str, arrays: Mapping[str, Any]) -> Any:
    """Return the Network of `network_to_attributes`; raise SpecError if it is damaged."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"not a Network in JSON: {error}") from None
    return Network.from_dict(data, arrays)


def options_from_file(text: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options given to `metadata`, with lists for tuples; raise InputError if they are damaged."""
    try:
        options = _OPTIONS.decode(json.loads(text), arrays, "options")
    except (RecursionError, ValueError) as error:
        raise InputError(f"the stored options are damaged: {error}") from None
    if not isinstance(options, dict):
        raise InputError("the stored options are damaged: they are not a JSON object")
    return options


@functools.cache
def _package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


class _OptionsCodec(JsonCodec):
    """Options: arrays stand beside the text, objects are maps, and there are the objects "$array" and "$float"."""

    inline = -1

    def encode(self, value: Any, arrays: dict[str, np.ndarray] | None = None) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind == "b":
            value = value.tolist()  # netCDF-4 knows no booleans
        elif hasattr(value, "tocsr"):
            raise UnknownType(value)
        return super().encode(value, arrays)

    def mark(self, kind: str, **content: Any) -> Any:
        if kind == "map":
            return dict(content["items"])
        return {"float": {"$float": content.get("value")}, "array": {"$array": content.get("name")}}[kind]

    def unmark(self, data: Any, where: str) -> tuple[str, Mapping[str, Any]]:
        if "$float" in data:
            return "float", {"value": data["$float"]}
        if "$array" in data:
            return "array", {"name": data["$array"]}
        return "map", {"items": data.items()}

    def sequence(self, items: Iterable[Any]) -> Any:
        return list(items)


_OPTIONS = _OptionsCodec()


def solver_text(solver: Mapping[str, Any]) -> str:
    """Return what is known of the solver as JSON of at most 4096 bytes; longer texts in it are cut."""
    plain = _OPTIONS.encode(dict(solver), {})
    for longest in (4000, 1000, 200, 50):
        short = {key: value[:longest] if isinstance(value, str) else value for key, value in plain.items()}
        text = json.dumps(short, allow_nan=False)
        if len(text) <= SOLVER_SIZE:
            return text
    return json.dumps({key: short[key] for key in ("method", "message") if key in short})
