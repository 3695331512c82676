"""SIGKILL while a sweep is written: the file opens everywhere, promises nothing that is not there, and is finished.

The number of kills is 6, or what the environment variable BRNN_SWEEP_KILLS says.
"""

from __future__ import annotations

import collections
import json
import os
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import sweeping
import victims
import xarray as xr
from killing import begin, kill, moments
from sweeping import BLOCK, MEMBERS, SIDE, cells, fails, give, pieces

import brnn
from brnn.files.sweep.writer import SweepWriter

KILLS = int(os.environ.get("BRNN_SWEEP_KILLS", "6"))


def check(path: Path) -> str:
    """Compare every member that the file says it has with the formulas, through h5py, xarray and brnn."""
    with h5py.File(path, "r") as file:
        status = file["status"][()]
        ended = np.flatnonzero(status)
        expected = sweeping.rows(ended)
        np.testing.assert_array_equal(status[ended], np.where(fails(ended), 3, sweeping.status(ended)))
        for name in ("rcf.x", "total", "winner", "steps"):
            np.testing.assert_array_equal(file[name][()][ended], expected[name], err_msg=name)
        grown = file["grown.x"][()]
        for block in np.unique(ended // BLOCK):
            some = ended[ended // BLOCK == block]
            np.testing.assert_array_equal(grown[some, : block + 1], cells(some))
            assert np.isnan(grown[some, block + 1 :]).all()
        assert file["missing"][()] >= MEMBERS - len(ended)
    for engine in ("h5netcdf", "netcdf4"):
        with xr.open_dataset(path, engine=engine) as data:
            np.testing.assert_array_equal(data["rcf.x"].values[ended], expected["rcf.x"])
            texts = np.array(json.loads(data["regime"].attrs["texts"]))
            np.testing.assert_array_equal(texts[data["regime"].values[ended]], expected["regime"])
            assert bool(data["missing"] > 0) or len(ended) == MEMBERS
    with brnn.open(path) as data:
        assert data.attrs["missing"] == MEMBERS - len(ended)
        bad = ended[fails(ended)]
        assert data["error"].values[bad].tolist() == [f"no step is small enough for member {m}" for m in bad]
    return "complete" if len(ended) == MEMBERS else "incomplete"


@pytest.mark.slow
@pytest.mark.timeout(120 + 10 * KILLS)
def test_kills(tmp_path: Path) -> None:
    with SweepWriter(tmp_path / "whole.h5", sweeping.header(SIDE)) as writer:
        for members in pieces(np.random.default_rng(0), np.arange(MEMBERS)):
            give(writer, members, fail=False)
        whole = writer.finish().load()
    found: collections.Counter[str] = collections.Counter()
    source = moments("sweeps that are written")
    for seed in range(KILLS):
        path = tmp_path / f"{seed}.h5"
        # In half of the processes every piece goes to the file at once, in the others they are gathered as usual.
        process, messages = begin(victims.write_sweeps, str(path), seed, seed % 2 == 0)
        assert messages.recv() == "there"
        time.sleep(source.uniform(0.0, 0.5))
        kill(process)
        found[check(path)] += 1
        found["left over"] += len(list(tmp_path.glob(f"{seed}.h5.*.tmp")))
        with SweepWriter(path, sweeping.header(SIDE), resume=True) as writer:
            with brnn.open(path) as data:
                status = data["status"].values
            np.testing.assert_array_equal(writer.pending(), np.flatnonzero((status == 0) | (status == 3)))
            for members in pieces(np.random.default_rng(seed), writer.pending()):
                give(writer, members, fail=False)
            with writer.finish() as data:
                assert data.equals(whole)
        assert not list(tmp_path.glob("*.tmp"))
        path.unlink()
    print(f"{KILLS} kills: {dict(found)}")
