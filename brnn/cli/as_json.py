"""Answers for scripts (``--json``): one object on standard output, in JSON that every program reads."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.text import shortened

__all__ = ["print_json", "written"]


def print_json(data: Mapping[str, Any]) -> None:
    """Print an object as JSON: arrays as lists, numbers that are not finite as null, specifications as their data."""
    print(json.dumps(_plain(data), indent=1, allow_nan=False, ensure_ascii=False))


def written(path: str | Path) -> dict[str, Any]:
    """Return a file and its size."""
    return {"file": str(path), "bytes": Path(path).stat().st_size}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Spec):
        return value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
        return {name: _plain(getattr(value, name)) for name in shown}
    return str(value) if isinstance(value, Path) else shortened(repr(value), 200)
