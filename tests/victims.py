"""Functions that go on until they are killed, for the tests of kills: each runs in a process of its own."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import recording
import sweeping

import brnn
from brnn.files.run.writer import FileRecorder
from brnn.files.sweep import writer as sweep_writer


def record(there: Connection, path: str, seed: int, rows: int, known: bool) -> None:
    """Write one file after the other, each brought to the disk at every write.

    Kills fall into writes, into the beginning and the end of files, and into making room for more rows where their
    number is not known. Says when the first file is there.
    """
    random = np.random.default_rng(seed)
    first = True
    while True:
        size = int(random.integers(10, rows))
        recorder = FileRecorder(
            path, recording.VARIABLES, recording.description(0.5 * size), force=True,
            flush_every=0.0, ltm_every=2.0, n_times=size if known else None,
        )  # fmt: skip
        done = 0
        while done < size:
            count = min(int(random.integers(1, 60)), size - done)
            recorder.write(recording.times(done, count), recording.states(done, count))
            done += count
            time.sleep(0.002)  # the disk is not to be filled
            if first:
                there.send("there")
                first = False
        recorder.finish("complete", {"method": "none", "steps": size}).close()


def write_sweeps(there: Connection, path: str, seed: int, eager: bool) -> None:
    """Write one sweep after the other, in random order and pieces: members become larger, some fail.

    Every piece goes to the file at once (eager), or they are gathered as usual. Says when the first file is there.
    """
    if eager:
        sweep_writer._LONGEST = sweep_writer._WRITE_TIMES = 0.0
    random = np.random.default_rng(seed)
    first = True
    while True:
        with sweep_writer.SweepWriter(path, sweeping.header(sweeping.SIDE), force=True) as writer:
            for members in sweeping.pieces(random, np.arange(sweeping.MEMBERS)):
                sweeping.give(writer, members, fail=True)
                if not eager:
                    time.sleep(0.01)
                if first and writer._file.begun:
                    there.send("there")
                    first = False


def drive(_: Any, path: str) -> None:
    """Run a leaky integrator driven by a sine, saved ten times in each period: with LSODA long enough to be killed."""
    drive = brnn.Stimulus("F1", pattern=[1.0, 2.0, 3.0], schedule=brnn.Sine(frequency=1.0))
    network = brnn.Network("driven", [brnn.Layer.additive("F1", 3, A=0.5)], stimuli=[drive])
    brnn.simulate(network, duration=50_000.0, times=np.linspace(0.0, 50_000.0, 500_001), record=path, solver="LSODA")


def spike(_: Any, path: str) -> None:
    """Run two leaky integrators that spike for ever, a few thousand times a second."""
    drive = brnn.Stimulus("x", pattern=[2.0, 3.0])
    spikes = brnn.Event("spike", brnn.Crossing("x", 1.5), brnn.SetState("x"))
    network = brnn.Network("spiking", [brnn.Layer.additive("x", 2, A=1.0)], stimuli=[drive], events=[spikes])
    brnn.simulate(network, 1e6, times=[0.0, 10.0, 1e6], record=path, rtol=1e-8, solver="DOP853")
