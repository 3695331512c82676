"""SIGKILL while events are recorded: the file opens, and every event that it claims is right.

The number of kills is 4, or what the environment variable BRNN_KILLS says.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import victims
import xarray as xr
from killing import begin, kill, moments, wait_for

import brnn

KILLS = int(os.environ.get("BRNN_KILLS", "4"))


def count_in(path: Path) -> int:
    """Return how many events the file has; none while there is no file."""
    if not path.exists():
        return 0
    with brnn.open(path) as result:
        return int(result.events.sizes["event"])


@pytest.mark.parametrize("number", range(KILLS))
def test_events_of_a_killed_run(tmp_path: Path, number: int) -> None:
    path = tmp_path / "run.h5"
    process, _ = begin(victims.spike, str(path))
    wait_for(lambda: count_in(path) >= 20, process)
    time.sleep(moments(f"events {number}").uniform(0.0, 2.0))
    kill(process)
    with brnn.open(path) as result:
        assert result.status == "incomplete"
        events = result.events
        total = events.sizes["event"]
    assert total >= 20
    for cell, drive in enumerate((2.0, 3.0)):
        found = events["time"].to_numpy()[events["cell"].to_numpy() == cell]
        period = np.log(drive / (drive - 1.5))
        np.testing.assert_allclose(found, period * np.arange(1, found.size + 1), rtol=1e-6)
    last = [events["time"].to_numpy()[events["cell"].to_numpy() == cell][-1] for cell in (0, 1)]
    assert abs(last[0] - last[1]) < 2.0  # none is missing in between
    with h5py.File(path, "r") as file:
        assert (file["events/event"][:] >= 0).sum() >= total
        np.testing.assert_array_equal(file["events/time"][:total], events["time"])
    with xr.open_dataset(path, group="events", engine="h5netcdf") as plain:
        known = plain.isel(event=plain["event"] >= 0)
        np.testing.assert_array_equal(known["time"][:total], events["time"])
    with brnn.recover(path) as recovered:
        assert recovered.events.identical(events)
