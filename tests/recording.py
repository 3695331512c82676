"""Made-up states for the tests of recording: every number is a function of its row and column."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

import brnn
from brnn.record.schema import Metadata, metadata


@dataclass(frozen=True)
class FakeVariable:
    """What a recorder needs of a block of the state vector."""

    name: str
    start: int
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    role: str = "stm"
    units: str = "1"

    @property
    def group(self) -> str:
        return self.name.split(".")[0]

    @property
    def quantity(self) -> str:
        return self.name.split(".")[1]

    @property
    def stop(self) -> int:
        return self.start + math.prod(self.shape)

    @property
    def long_name(self) -> str:
        return f"quantity {self.quantity} of {self.group}"


def variables(*parts: tuple[str, tuple[int, ...], tuple[str, ...], str]) -> tuple[FakeVariable, ...]:
    result: list[FakeVariable] = []
    start = 0
    for name, shape, dims, role in parts:
        result.append(FakeVariable(name, start, shape, dims, role))
        start = result[-1].stop
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


def expected(variable: FakeVariable, first: int, count: int) -> np.ndarray:
    """The same, cut out for one variable."""
    return states(first, count)[:, variable.start : variable.stop].reshape(count, *variable.shape)


def times(first: int, count: int) -> np.ndarray:
    return 0.5 * np.arange(first, first + count)


def network(**changes: Any) -> brnn.Network:
    return brnn.Network("made_up", [brnn.Layer.shunting("F1", 10, A=1.0, B=2.0)], **changes)


def description(duration: float = 100.0, **options: Any) -> Metadata:
    system = SimpleNamespace(network=network(reference="nobody (1900)"), time_units="s")
    return metadata(system, seed=7, options={"duration": duration, **options}, command="made up")
