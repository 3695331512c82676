"""SIGKILL at random times, again and again: the run is resumed each time, and its end is that of an undisturbed one.

The number of runs per test is 2, or what the environment variable BRNN_KILLS says.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from killing import moments, wait_for

import brnn

RUNS = int(os.environ.get("BRNN_KILLS", "2"))
TIMES = 400

# A run that takes seconds because it waits a little at each occasion, at which it also writes a checkpoint.
CHILD = """
import sys, time
sys.path[:0] = {folders!r}
from pathlib import Path
from test_run_resume import NETWORKS, run
from brnn.files.run.writer import FileRecorder
from brnn.integrate.methods import compiled
compiled._LOOK_STEPS = 3
keep, begin = FileRecorder.keep, FileRecorder.__init__
def slowly(self, stand=None):
    keep(self, stand)
    if stand is not None:
        time.sleep(0.01)
def often(self, *arguments, **options):
    begin(self, *arguments, **{{**options, "flush_every": 0.0}})
FileRecorder.keep, FileRecorder.__init__ = slowly, often
run({name!r}, record=Path({path!r}), resume=True).close()
"""


def _noisy() -> brnn.Network:
    noise = brnn.Stimulus("x", pattern=0.3, schedule=brnn.WhiteNoise())
    return brnn.Network("noisy", [brnn.Layer.shunting("x", 3, A=1.0, B=2.0, initial=1.0)], stimuli=[noise])


def _driven() -> brnn.Network:
    drive = brnn.Stimulus("x", pattern=[1.0, 2.0, 3.0], schedule=brnn.Sine(frequency=1.0))
    return brnn.Network("driven", [brnn.Layer.additive("x", 3, A=0.5)], stimuli=[drive])


NETWORKS = {"SRIW1": _noisy(), "compiled": _driven(), "DOP853": _driven(), "LSODA": _driven()}


def run(name: str, **options: object) -> brnn.Result:
    more = {"step": 0.05, "seed": 4} if name == "SRIW1" else {}
    times = np.linspace(0.0, 40.0, TIMES + 1)
    return brnn.simulate(NETWORKS[name], 40.0, solver=name, times=times, **more, **options)


def is_anew(path: Path, before: int | None) -> bool:
    """Return whether a file is there, and no longer the one with that number."""
    return path.exists() and path.stat().st_ino != before


@pytest.mark.parametrize("number", range(RUNS))
@pytest.mark.parametrize("name", NETWORKS)
def test_killed_and_resumed(tmp_path: Path, name: str, number: int) -> None:
    path = tmp_path / "run.h5"
    source = moments(f"resumed runs with {name}, {number}")
    here = Path(__file__).parent
    code = CHILD.format(folders=[str(here), str(here.parent)], name=name, path=str(path))
    for _ in range(2):
        begun = path.stat().st_ino if path.exists() else None
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
        wait_for(lambda: process.poll() is not None or is_anew(path, begun), every=0.005)  # noqa: B023 - called here
        time.sleep(source.uniform(0.0, 0.5))
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
        assert process.returncode in (-signal.SIGKILL, 0), said
        with brnn.open(path) as result:
            assert result.status in ("incomplete", "complete")
    whole = run(name)
    with run(name, record=path, resume=True) as result:
        assert result.status == "complete"
        np.testing.assert_array_equal(result.times, whole.times)
        if name == "LSODA":
            np.testing.assert_allclose(result["x.x"].values, whole["x.x"].values, rtol=1e-4, atol=1e-5)
        else:
            np.testing.assert_array_equal(result["x.x"].values, whole["x.x"].values)
    assert os.listdir(tmp_path) == ["run.h5"]
