"""Kills of runs and sweeps at random moments: nothing that was there is lost, and what is resumed ends the same."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from cases import Case, Running, call, faults_of

import brnn

RUN = "run rcf --set n=20 --duration 400 --times 40001 -o OUT/run.h5"
SWEEP = "sweep rcf --grid A=0.5:1.5:30 --grid B=1:2:40 --duration 30 --measure total,final -o OUT/sweep.h5"


def kills(rng: random.Random, count: int, tell: Callable[[str, list[str]], None]) -> None:
    """Kill runs and sweeps; what they had is there, and what is resumed is the same as what was never killed."""
    folder = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
    whole = {}
    for words, name in ((RUN, "run.h5"), (SWEEP, "sweep.h5")):
        begun = time.monotonic()
        ended = call(words.split(), folder / name)
        assert ended.code == 0, ended.err
        whole[name] = (time.monotonic() - begun, folder / name / "out" / name)
    for number in range(count):
        words, name = ((RUN, "run.h5"), (SWEEP, "sweep.h5"))[number % 2]
        place = Path(tempfile.mkdtemp(prefix="brnn-faults-"))
        process = Running(Case(words.split()), place)
        time.sleep(rng.uniform(0.0, 1.1 * whole[name][0]))
        path = place / "out" / name
        seen = _rows(path)
        with_end = os.waitpid(process.pid, os.WNOHANG)[0] != 0
        if not with_end:
            os.kill(process.pid, signal.SIGKILL)
            os.waitpid(process.pid, 0)
        found = _checked(name, path, seen, whole[name][1])
        finished = name == "run.h5" and with_end  # only what was cut off can be resumed
        if not finished:
            again = call([*words.split(), "--resume"], place)
            found += [f"resume: {fault}" for fault in faults_of(again)]
            found += [] if again.code == 0 else [f"not resumed: {again.err[-200:]}"]
        found += _checked(name, path, 1200 if name == "sweep.h5" else 40_001, whole[name][1])
        left = sorted(entry.name for entry in path.parent.iterdir() if entry.name != name)
        tell(f"killed {name[:-3]}", found + [f"left {entry}" for entry in left])
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _rows(path: Path) -> int:
    """Return how many rows or members a file has now."""
    if not path.exists():
        return 0
    with h5py.File(path, "r") as file:
        if "status" in file:
            return int(np.count_nonzero(file["status"][()]))
        return int(np.count_nonzero(np.isfinite(file["rcf/time"][()])))


def _checked(name: str, path: Path, seen: int, whole: Path) -> list[str]:
    """Return what is lost or wrong of at least `seen` rows."""
    if not path.exists():
        return ["lost: no file"] if seen else []
    try:
        with brnn.open(path) as data, brnn.open(whole) as right:
            if name == "run.h5":
                rows = np.arange(len(data.times))
                same = np.array_equal(data["rcf.x"], right["rcf.x"][rows])
            else:
                rows = np.flatnonzero(data["status"].values)
                same = not rows.size or all(
                    np.array_equal(data[key].values[rows], right[key].values[rows]) for key in ("total", "rcf.x")
                )
    except Exception as error:
        return [f"unreadable: {error}"]
    return ([] if same else ["wrong numbers"]) + ([] if rows.size >= seen else [f"lost: {rows.size} of {seen} rows"])
