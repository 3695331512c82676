"""A sweep whose members have a solution in closed form, for the tests that interrupt it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

import brnn

PATTERN = np.array([1.0, 2.0, 3.0])
DURATION = 20.25
# Leaky integrators driven by a sine: x' = -A x + p (1 + sin(2 pi t)), with a restart in each period.
NETWORK = brnn.Network(
    "driven",
    [brnn.Layer.additive("F1", 3, A=1.0)],
    stimuli=[brnn.Stimulus("F1", pattern=PATTERN, schedule=brnn.Sine(frequency=1.0))],
    duration=DURATION,
)


def design(members: int) -> brnn.Grid:
    """Return a design of so many values of A."""
    return brnn.Grid({"F1.A": np.linspace(0.5, 2.0, members)})


def exact(A: np.ndarray, t: float = DURATION) -> np.ndarray:
    """Return the solution at time t, shape (members, 3)."""
    A, w = np.asarray(A)[:, None], 2.0 * np.pi
    fading = np.exp(-A * t)
    level = (1.0 - fading) / A + (A * np.sin(w * t) - w * np.cos(w * t) + w * fading) / (A**2 + w**2)
    return np.asarray(PATTERN * level)


def check_exact(data: xr.Dataset) -> None:
    """Compare the last states of all members that are complete with the solution; the others must have nothing."""
    complete = data["status"].values == 1
    found, expected = data["F1.x"].values, exact(data["F1.A"].values)
    np.testing.assert_allclose(found[complete], expected[complete], rtol=1e-5)
    assert np.isnan(found[~complete]).all()


def check_same(a: xr.Dataset, b: xr.Dataset) -> None:
    """Compare all variables of two sweeps to the last bit."""
    names = set(a.variables)
    assert names == set(b.variables)
    for name in names:
        x, y = a[name].values, b[name].values
        assert x.dtype == y.dtype, name
        assert (x.tolist() == y.tolist()) if x.dtype == object else (x.tobytes() == y.tobytes()), name


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if _parent(int(folder.name)) == pid:
            found.append(int(folder.name))
    return found


def running(pids: list[int]) -> bool:
    """Return whether one of the processes still runs; what has ended is there until its parent asks (Linux)."""
    return any(_parent(pid) is not None for pid in pids)


def _parent(pid: int) -> int | None:
    """Return which process has started one that still runs; None if it has ended."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if state in "ZX" else int(parent)
