"""Whether two sweeps are the same one, so that a file can be resumed, and shards can be joined."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from brnn.base.codec import same_packed
from brnn.base.text import shortened
from brnn.files.sweep.header import PROVENANCE, SweepHeader
from brnn.files.sweep.texts import TextColumn

__all__ = ["difference"]


def difference(
    stored: SweepHeader, given: SweepHeader, places: tuple[str, str] = ("in the file", "now"), shards: bool = False
) -> str | None:
    """Return in words what differs between two sweeps that are to be the same; None if nothing does.

    Parameters
    ----------
    stored, given : SweepHeader
        The one that is recorded, and the other one.
    places : (str, str)
        Where their values are, in words.
    shards : bool
        The two are shards of one sweep: they may hold different members.
    """
    for what, name in (("design", "design"), ("build", "reference"), ("network", "network")):
        old, new = getattr(stored, name), getattr(given, name)
        detail = "" if old == new else _first_difference(_parsed(old), _parsed(new), what, places)
        if detail:
            return f"its {what} differs ({detail})"
    if stored.equations != given.equations:
        detail = f"{stored.equations[:12]} {places[0]}, {given.equations[:12]} {places[1]}"
        return f"its equations are of another version ({detail})"
    plain = ("members", "axes", "measures")
    options = {name: getattr(stored, name) for name in plain} | dict(stored.attributes)
    asked = {name: getattr(given, name) for name in plain} | dict(given.attributes)
    for name in dict.fromkeys((*options, *asked)):
        if not (shards and name == "shard") and name not in (*PROVENANCE, "stiff_steps"):  # older files do not say that
            detail = _first_difference(options.get(name), asked.get(name), name, places)
            if detail:
                return f"its options differ ({detail})"
    for name in dict.fromkeys((*stored.parameters, *given.parameters)):
        if not _same_values(stored.parameters.get(name), given.parameters.get(name)):
            return f"its design differs (the values of {name})"
    if not _same_values(stored.seeds, given.seeds):
        return "its seeds differ"
    if not _same_values(stored.times, given.times):
        return "its options differ (the saved times)"
    if not shards and not _same_values(stored.selected, given.selected):
        return "it is to hold other members"
    return None


def _same_values(one: np.ndarray | TextColumn | None, other: np.ndarray | TextColumn | None) -> bool:
    if one is None or other is None:
        return one is other
    a, b = (column.bytes() if isinstance(column, TextColumn) else column for column in (one, other))
    return a.dtype.kind == b.dtype.kind and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _first_difference(old: Any, new: Any, where: str, places: tuple[str, str]) -> str:
    """Return the first place where two values differ, with both; "" if there is none."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        if same_packed(new, old):  # another brnn may have compressed it in another way
            return ""
        for key in dict.fromkeys((*old, *new)):
            detail = _first_difference(old.get(key), new.get(key), f"{where}.{key}", places)
            if detail:
                return detail
        return ""
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        if len(old) != len(new):
            return f"{where}: {len(old)} elements {places[0]}, {len(new)} {places[1]}"
        pairs = enumerate(zip(old, new, strict=True))
        return next(filter(None, (_first_difference(a, b, f"{where}[{k}]", places) for k, (a, b) in pairs)), "")
    if old == new or (isinstance(old, float) and isinstance(new, float) and math.isnan(old) and math.isnan(new)):
        return ""
    return f"{where}: {_shortened_value(old)} {places[0]}, {_shortened_value(new)} {places[1]}"


def _shortened_value(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return shortened(text)
