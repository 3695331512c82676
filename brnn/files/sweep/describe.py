"""What can be said of the file of a sweep in a few lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from brnn.ensemble.status import FAILED, MISSING, STATUS_NAMES
from brnn.files.sweep.reader import open_sweep
from brnn.files.sweep.schema import parameter_variable

__all__ = ["describe_sweep", "sweep_as_data"]

_RUNS = 8  # of missing members that are listed


def describe_sweep(path: str | Path) -> list[str]:
    """Return what the file of a sweep holds, in lines of text."""
    with open_sweep(path) as dataset:
        attributes = dataset.attrs
        counts = ", ".join(f"{attributes[name]:,} {name}" for name in STATUS_NAMES if attributes[name])
        total = sum(attributes[name] for name in STATUS_NAMES)
        part = "" if total == attributes["members"] else f" of {attributes['members']:,}"
        state = "incomplete" if attributes["missing"] else "complete"
        lines = [f"sweep{_title(attributes)}: {state}, {total:,}{part} members ({counts})"]
        missing = np.flatnonzero(dataset["status"].values == MISSING)
        if len(missing) and total == attributes["members"]:
            lines.append(f"missing: {_listed(missing)}")
        axes = json.loads(attributes["axes"])
        if axes:
            lines.append("grid: " + " x ".join(f"{name} ({size})" for name, size in axes.items()))
        for name in json.loads(attributes["parameters"]):
            lines.append(f"parameter {name}: {_range(dataset[parameter_variable(name)].values)}")
        for name, variable in dataset.data_vars.items():
            if name not in ("status", "error"):
                cells = ", ".join(f"{dim} {size}" for dim, size in variable.sizes.items() if dim != "member")
                text = str(variable.attrs.get("long_name", name))
                lines.append(f"{name}{f' ({cells})' if cells else ''}" + (f": {text}" if text != name else ""))
        known = ("solver", "rtol", "atol", "duration", "seed", "shard")
        lines.append(", ".join(f"{name} {attributes[name]}" for name in known if name in attributes))
        if "stiff_steps" in attributes:
            lines.append(f"where steps are stiff: {attributes['stiff_steps']}")
        lines.append(f"wall time {attributes['wall_time']:.3g} s")
        lines.append(f"created {attributes['created']} by brnn {attributes['brnn_version']}: {attributes['command']}")
        texts, numbers = np.unique(dataset["error"].values[dataset["status"].values == FAILED], return_counts=True)
        for k in np.argsort(-numbers, kind="stable")[:5]:
            lines.append(f"failed ({numbers[k]:,}): {texts[k] or 'no reason given'}")
    return [line for line in lines if line]


def sweep_as_data(path: str | Path) -> dict[str, Any]:
    """Return what the file of a sweep holds as plain data, for scripts."""
    with open_sweep(path) as dataset:
        attributes = dataset.attrs
        status = dataset["status"].values
        failed = dataset["member"].values[status == FAILED]
        known = ("solver", "stiff_steps", "rtol", "atol", "duration", "until", "root_seed", "shard")
        return {
            "kind": "sweep",
            "title": attributes.get("title") or attributes.get("model"),
            "status": "incomplete" if attributes["missing"] else "complete",
            "members": int(attributes["members"]),
            "counts": {name: int(attributes[name]) for name in STATUS_NAMES},
            "missing": np.flatnonzero(status == MISSING),
            "failed": dict(zip(failed.tolist(), dataset["error"].values[status == FAILED].tolist(), strict=True)),
            "axes": json.loads(attributes["axes"]),
            "parameters": {
                name: _spread(dataset[parameter_variable(name)].values) for name in json.loads(attributes["parameters"])
            },
            "variables": [
                {
                    "name": name,
                    "dims": list(variable.dims),
                    "shape": list(variable.shape),
                    "long_name": variable.attrs.get("long_name", ""),
                    **(_spread(variable.values) if variable.ndim == 1 and name not in ("status", "error") else {}),
                }
                for name, variable in dataset.data_vars.items()
            ],
            **{name: attributes[name] for name in known if name in attributes},
            **{name: attributes.get(name) for name in ("created", "brnn_version", "command", "wall_time")},
        }


def _spread(values: np.ndarray) -> dict[str, Any]:
    """Return the smallest and largest number, or how often each text occurs."""
    if values.dtype.kind in "OUS":
        texts, counts = np.unique([str(value) for value in values], return_counts=True)
        return {"counts": dict(zip(texts.tolist(), counts.tolist(), strict=True))}
    known = values[np.isfinite(values)]
    return {"smallest": known.min(), "largest": known.max()} if known.size else {}


def _title(attributes: dict[str, Any]) -> str:
    title = attributes.get("title") or attributes.get("model")
    return f" of {title}" if title else ""


def _listed(numbers: np.ndarray) -> str:
    """Return rising numbers as text: 0-4, 7, 9-11; the first of them if they are many."""
    cuts = np.flatnonzero(np.diff(numbers) > 1) + 1
    runs = [(int(run[0]), int(run[-1])) for run in np.split(numbers, cuts[:_RUNS])[:_RUNS]]
    text = ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)
    return text if len(cuts) < _RUNS else f"{text}, ..."


def _range(values: np.ndarray) -> str:
    if values.dtype == object:
        kinds = sorted(set(values.tolist()))
        return ", ".join(kinds[:3]) + (f", ... ({len(kinds)} values)" if len(kinds) > 3 else "")
    if values.min() == values.max():
        return f"{values[0]:g}"
    return f"{values.min():g} to {values.max():g}"
