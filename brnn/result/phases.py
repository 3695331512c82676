"""The phases of a run as they were: those of the network's protocol, of which events may have ended some early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.result.events import EventTable

if TYPE_CHECKING:
    import xarray as xr

    from brnn.spec.events.protocol import PhaseSpan
    from brnn.spec.network import Network

__all__ = ["phase_dataset", "phase_slice", "spans_of"]


def spans_of(network: Network, events: EventTable | None, until: float) -> tuple[PhaseSpan, ...]:
    """Return the phases that began up to the time `until`, by the time of the run."""
    if network.protocol is None:
        return ()
    ends: list[float] = []
    if events is not None:
        last = None
        for time, which in zip(events.columns["time"].tolist(), events.columns["which"].tolist(), strict=True):
            if which >= len(network.events):  # a spike
                continue
            count = network.events[which].phases_ended
            if count and (time, which) != last:  # cells that cross together cause one event
                ends += [time] * count
            last = (time, which)
    return network.protocol.spans_with(ends, until)


def phase_dataset(spans: Sequence[PhaseSpan], time_units: str) -> xr.Dataset:
    """Return the phases as an xarray.Dataset along the dimension `phase`."""
    import xarray as xr

    names = np.array([span.name for span in spans], dtype=str)
    trials = np.array([span.trial for span in spans], dtype=np.int64)
    data: dict[str, Any] = {
        "name": ("phase", names, {"long_name": "name of the phase"}),
        "trial": ("phase", trials, {"long_name": "how many phases of this name there were before"}),
    }
    for key, meaning in (("start", "beginning"), ("stop", "end")):
        values = np.array([getattr(span, key) for span in spans], dtype=np.float64)
        data[key] = ("phase", values, {"units": time_units, "long_name": f"{meaning} of the phase"})
    return xr.Dataset(data, {"phase": np.arange(len(spans))})


def phase_slice(spans: Sequence[PhaseSpan], name: str, trial: int) -> slice:
    """Return the time of one phase as a slice; raise InputError if there is none."""
    found = [span for span in spans if span.name == name]
    if not found:
        names = list(dict.fromkeys(span.name for span in spans))
        there = f"there is {', '.join(names)}" if names else "the run has none"
        raise InputError(f"during('{name}'): no phase of this name ({there}){closest(str(name), names)}")
    if not -len(found) <= trial < len(found):
        raise InputError(f"during('{name}', trial={trial}): there are only {len(found)} phases of this name")
    return slice(found[trial].start, found[trial].stop)
