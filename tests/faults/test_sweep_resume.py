"""SIGKILL of a whole sweep at random times, its workers included: what its file has is right, and --resume ends it.

The number of kills is 5, or what the environment variable BRNN_SWEEP_KILLS says.
"""

from __future__ import annotations

import collections
import os
import signal
import subprocess
import sys
from pathlib import Path

import driven
import numpy as np
import pytest
import xarray as xr
from killing import moments, wait_for

import brnn
from brnn.sweeps.dispatch import Dispatcher

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")

KILLS = int(os.environ.get("BRNN_SWEEP_KILLS", "5"))
MEMBERS = 12_000
GRID = f"F1.A=0.5:2.0:{MEMBERS}"


def started(folder: Path, jobs: int | None) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "brnn", "sweep", "driven.json", "--grid", GRID, "--measure", "final,total,regime"]
    words += ["-o", "sweep.h5", "--resume", *(() if jobs is None else ("--jobs", str(jobs)))]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def everyone(pid: int) -> list[int]:
    """Return all processes that come from one."""
    found = driven.children(pid)
    return found + [other for child in found for other in everyone(child)]


def resumed(path: Path) -> tuple[xr.Dataset, np.ndarray]:
    """Go on with a file here; return it, and which members were run."""
    ran: list[np.ndarray] = []
    original = Dispatcher.run

    def run(self: Dispatcher, todo: np.ndarray, finished: object) -> None:
        ran.append(todo)
        original(self, todo, finished)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dispatcher, "run", run)
        data = brnn.sweep(
            driven.NETWORK,
            brnn.Grid({"F1.A": np.linspace(0.5, 2.0, MEMBERS)}),
            measures=["final", "total", "regime"],
            out=path,
            resume=True,
            progress=False,
        )
    return data, ran[0]


@pytest.mark.slow
@pytest.mark.timeout(300 + 60 * KILLS)
def test_kills(tmp_path: Path) -> None:
    (tmp_path / "driven.json").write_text(driven.NETWORK.to_json())
    whole, ran = resumed(tmp_path / "whole.h5")
    lasting = float(whole.attrs["wall_time"])
    assert ran.size == MEMBERS
    driven.check_exact(whole)
    path = tmp_path / "sweep.h5"
    found: collections.Counter[str] = collections.Counter()
    source = moments("sweeps of the command line")
    kill = 0
    while kill < KILLS:
        process = started(tmp_path, (None, 2)[kill % 2])
        if kill % 4:  # most kills come when there is a file
            wait_for(lambda: path.exists() or process.poll() is not None, every=0.01)  # noqa: B023 - it is called here
        try:
            process.wait(source.uniform(0.0, lasting))
        except subprocess.TimeoutExpired:
            kill += 1
        else:  # the machine was faster than before: this was no kill
            assert process.returncode == 0, process.communicate()[1]
            lasting *= 0.8
            found["complete before the kill"] += 1
        workers = everyone(process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        wait_for(lambda: not driven.running(workers))  # noqa: B023 - it is called here
        if not path.exists():
            found["no file yet"] += 1
            continue
        with brnn.open(path) as data:
            if data["status"].any():  # else there is only the header
                driven.check_exact(data)
            left = np.flatnonzero(data["status"].values == 0)
        if left.size and kill % 3 < 2:  # the next process goes on with it, and may be killed again
            found["incomplete, gone on with by the next process"] += 1
            continue
        found["incomplete" if left.size else "complete"] += 1
        data, ran = resumed(path)
        with data:
            np.testing.assert_array_equal(ran, left)
            driven.check_same(data, whole)
        assert not list(tmp_path.glob("*.tmp"))
        path.unlink()
    if path.exists():
        data, _ = resumed(path)
        with data:
            driven.check_same(data, whole)
    print(f"{KILLS} kills: {dict(found)}")
