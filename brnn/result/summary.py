"""A result in words: one line on how the run ended, and a few on what it holds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from brnn.result.metadata import INCOMPLETE

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["described", "summary"]


def summary(result: Result) -> str:
    """Return in one line how the run ended and how far it got."""
    unit = "" if result.time_units == "1" else f" {result.time_units}"
    planned = "" if math.isnan(result.duration) else f" of {result.start_time + result.duration:g}"
    reached = "before the first state" if math.isnan(result.reached) else f"at t = {result.reached:g}"
    if result.status == INCOMPLETE:
        return f"incomplete, last saved {reached}{planned}{unit} (the run was cut off, or is still going on)"
    if result.status in ("failed", "interrupted"):
        return f"{result.status}, last saved {reached}{planned}{unit}"
    return f"{result.status}, {reached}{unit}"


def described(result: Result) -> str:
    """Return what a result holds: its variables, how the solver fared, events, and the file."""
    lines = [f"<brnn.Result of '{result.attributes.get('title', '')}': {summary(result)}>"]
    entries = result.recorded
    width = max((len(entry.column.name) for entry in entries), default=0)
    for entry in entries:
        sizes = zip(("time", *entry.column.dims), entry.data.shape, strict=True)
        shown = ", ".join(f"{dim}: {size}" for dim, size in sizes)
        lines.append(f"    {entry.column.name:{width}}  ({shown})  {entry.column.long_name}")
    solver = result.solver
    if solver.method:
        counts = f"{solver.steps} steps, {solver.evaluations} evaluations, {solver.seconds:.3g} s"
        lines.append(f"    solver {solver.method}: {counts}")
    if result.event_table is not None:
        lines.append(f"    events {result.events_in_words()}")
    if result.path is not None:
        lines.append(f"    file {result.path}")
    return "\n".join(lines)
