"""A made-up sweep for the tests of its file: everything that a member gives is a function of its number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.writer import SweepWriter

CELLS = 6
TIMES = np.array([0.0, 0.5, 2.0])
SIDE = 40  # of a larger sweep, whose members are of several sizes,
MEMBERS = SIDE * (SIDE + 1)
BLOCK = 200  # one for each block of so many members
REGIMES = np.array(["uniform", "winner-take-all", "größtes"])


def header(side: int = 10, **changes: Any) -> SweepHeader:
    """The header of a grid of side x (side + 1) members."""
    axes = {"A": np.linspace(0.5, 1.5, side), "signal.half": np.arange(1.0, side + 2.0)}
    a, half = (values.ravel() for values in np.meshgrid(*axes.values(), indexing="ij"))
    given: dict[str, Any] = {
        "members": side * (side + 1),
        "parameters": {"A": a, "signal.half": half},
        "design": json.dumps({"type": "Grid", **{name: values.tolist() for name, values in axes.items()}}),
        "axes": axes,
        "reference": json.dumps({"model": "rcf"}),
        "network": json.dumps({"type": "Network", "name": "rcf"}),
        "equations": "0123456789abcdef",
        "measures": ("total", "winner", "regime"),
        "seeds": np.arange(side * (side + 1), dtype=np.uint64) + np.uint64(2**63),
        "times": TIMES,
        "attributes": {"rtol": 1e-6, "atol": 1e-9, "duration": 2.0, "title": "rcf"},
    }
    return SweepHeader(**(given | changes))


def states(members: np.ndarray) -> np.ndarray:
    """Final states, shape (k, CELLS)."""
    m = np.asarray(members, np.float64)[:, None]
    return m + np.sin(0.37 * m + 0.11 * np.arange(CELLS))


def rows(members: np.ndarray) -> dict[str, Any]:
    """What members give."""
    members = np.asarray(members)
    x = states(members)
    return {
        "rcf.x": x,
        "rcf.x.t": x[:, None, :] * TIMES[:, None],
        "total": x.sum(axis=1),
        "winner": members % CELLS,
        "regime": REGIMES[members % 3],
        "steps": 3 * members,
    }


def declare(writer: SweepWriter) -> SweepWriter:
    """Say what the rows are."""
    writer.declare("rcf.x", ["rcf"], {"long_name": "STM activity of layer rcf"})
    writer.declare("rcf.x.t", ["time", "rcf"], dtype="float32")
    return writer


def status(members: np.ndarray) -> np.ndarray:
    """How members end: complete, or steady."""
    return 1 + np.asarray(members) % 2


def write(path: Path, groups: Any = None, given: SweepHeader | None = None, **options: Any) -> xr.Dataset:
    """Write members, in these groups, and return what the file holds."""
    given = given or header()
    with SweepWriter(path, given, **options) as writer:
        declare(writer)
        for members in [np.arange(given.members)] if groups is None else groups:
            writer.write(members, rows(members), status(members))
        return writer.finish()


def check(dataset: xr.Dataset, members: np.ndarray) -> None:
    """Compare these members with the formulas."""
    expected = rows(members)
    found = dataset.isel(member=members)
    np.testing.assert_array_equal(found["status"], status(members))
    for name, values in expected.items():
        if name == "rcf.x.t":
            values = values.astype(np.float32)
        np.testing.assert_array_equal(found[name].values, values, err_msg=name)


def pieces(generator: np.random.Generator, members: np.ndarray) -> list[np.ndarray]:
    """Members in random order, in pieces of one number of cells each."""
    result = []
    for block in generator.permutation(MEMBERS // BLOCK + 1):
        some = generator.permutation(members[members // BLOCK == block])
        result += np.array_split(some, generator.integers(1, 12))
    return result


def cells(members: np.ndarray) -> np.ndarray:
    """What the members of one block give: as many cells as the number of the block, and one."""
    return members[:, None] / np.arange(1.0, members[:1].max(initial=0) // BLOCK + 2)


def fails(members: np.ndarray) -> np.ndarray:
    """Which of them fail, the first time."""
    return members % 11 == 5


def give(writer: SweepWriter, members: np.ndarray, fail: bool) -> None:
    """Write members of one block."""
    if members.size == 0:
        return
    declare(writer).declare("grown.x", ["grown"])
    bad = fails(members) & fail
    errors = {int(member): f"no step is small enough for member {member}" for member in members[bad]}
    writer.write(
        members,
        {**rows(members), "grown.x": cells(members)},
        np.where(bad, 3, status(members)),
        errors,
    )
