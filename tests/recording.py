"""Made-up states for the tests of recording: every number is a function of its row and column."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import brnn
from brnn.files.run.writer import FileRecorder
from brnn.result.metadata import Metadata, metadata
from brnn.spec.variable import Role, Variable


def variables(*parts: tuple[str, tuple[int, ...], tuple[str, ...], Role]) -> tuple[Variable, ...]:
    result: list[Variable] = []
    start = 0
    for name, shape, dims, role in parts:
        group, quantity = name.split(".")
        stop = start + math.prod(shape)
        meaning = f"quantity {quantity} of {group}"
        result.append(Variable(name, group, quantity, start, stop, shape, dims, role, meaning))
        start = stop
    return tuple(result)


# A small layer (many rows in a chunk, compressed), a large one (few rows, not compressed), an image, gates, weights.
VARIABLES = variables(
    ("F1.x", (10,), ("F1",), "stm"),
    ("F2.x", (5000,), ("F2",), "stm"),
    ("F3.x", (4, 6), ("F3_row", "F3_column"), "stm"),
    ("P.y", (10,), ("source",), "mtm"),
    ("P.z", (24, 10), ("target", "source"), "ltm"),
)
SIZE = VARIABLES[-1].stop


def states(first: int, count: int, size: int = SIZE) -> np.ndarray:
    """Rows number `first`, ... of the made-up state vector."""
    row = np.arange(first, first + count, dtype=np.float64)[:, None]
    return row + np.sin(0.37 * row + 0.11 * np.arange(size))


_states = lru_cache(maxsize=2)(states)  # they are compared for one variable after the other


def expected(variable: Variable, first: int, count: int) -> np.ndarray:
    """The same, cut out for one variable."""
    return _states(first, count)[:, variable.start : variable.stop].reshape(count, *variable.shape)


def times(first: int, count: int) -> np.ndarray:
    return 0.5 * np.arange(first, first + count)


def network(**changes: Any) -> brnn.Network:
    return brnn.Network("made_up", [brnn.Layer.shunting("F1", 10, A=1.0, B=2.0)], **changes)


def description(duration: float = 100.0, **options: Any) -> Metadata:
    system = SimpleNamespace(network=network(reference="nobody (1900)"), time_units="s")
    return metadata(system, seed=7, options={"duration": duration, **options}, command="made up")


# What fits into a small file, for tests that damage it everywhere.
SMALL = variables(
    ("F1.x", (10,), ("F1",), "stm"),
    ("F3.x", (4, 6), ("F3_row", "F3_column"), "stm"),
    ("P.z", (24, 10), ("target", "source"), "ltm"),
)
SMALL_SIZE = SMALL[-1].stop
SMALL_ROWS = 40


def write_small(path: Path, finish: bool = True) -> FileRecorder:
    """Write the file of a run, and end it or not."""
    recorder = FileRecorder(
        path, SMALL, description(SMALL_ROWS / 2, initial=np.arange(100.0)), flush_every=0.0, n_times=SMALL_ROWS
    )
    for first in range(0, SMALL_ROWS, 10):
        recorder.write(times(first, 10), states(first, 10, SMALL_SIZE))
    if finish:
        recorder.finish("complete", {"method": "none"}).close()
    return recorder


def one_line(error: BaseException, *words: str) -> None:
    """Check that a message is one line that holds the words."""
    text = str(error)
    assert "\n" not in text
    assert len(text) < 400
    for word in words:
        assert word in text
