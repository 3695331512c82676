"""Stiff members of a sweep, with matrices of all their unknowns and in O(cells), by the number of cells.

    dx_i/dt = -x_i + (3 - x_i)(I_i(t) + f(x_i)) - v x_i sum_{k != i} f(x_k) y_k,    f(w) = C w^2/(1/4 + w^2)

with v = 1e7 and inputs that swing, so that nearly all steps are stiff; y_k = 1, or slow habituative gates.
Both ways run in turn, in one thread; processor time is compared, and the final states, before any time is reported.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import brnn
from benchmarks.measure import machine
from brnn.base.text import text_table
from brnn.ensemble import cells
from brnn.ensemble.arrays import pack
from brnn.ensemble.run import Ensemble, Finished, run_ensemble

__all__ = ["draw", "run", "summary"]

WORK = {10: (64, 20.0), 30: (64, 20.0), 100: (8, 20.0), 300: (1, 4.0)}  # by the number of cells: members, duration
ROUNDS = 5
RTOL, ATOL, AGREEMENT = 1e-6, 1e-9, 1e-5
WAYS = {"matrix of all unknowns": 10**9, "in O(cells)": 1}  # and the unknowns from which the second is taken


def member(n: int, gates: bool, seed: int) -> brnn.Network:
    """Return a field of n cells."""
    rng = np.random.default_rng(seed)
    f = brnn.Sigmoid(rng.uniform(0.5, 2.0), 0.5)
    gate = brnn.HabituativeGate(0.02, 1.0, 0.02, per="source") if gates else None
    return brnn.Network(
        "stiff",
        [brnn.Layer.shunting("F", n, A=1.0, B=3.0)],
        [
            brnn.Projection("F", "F", "excitatory", f, brnn.OneToOne()),
            brnn.Projection("F", "F", "inhibitory", f, brnn.AllButSelf(1e7), gate=gate),
        ],
        [brnn.Stimulus("F", "excitatory", rng.uniform(0.0, 20.0, n), brnn.Sine(0.3, 0.5, 1.0))],
    )


@contextmanager
def only(fewest: int) -> Iterator[None]:
    """Take the way of so many unknowns."""
    before, cells.FEWEST = cells.FEWEST, fewest
    try:
        yield
    finally:
        cells.FEWEST = before


def compared(n: int, gates: bool, quick: bool) -> dict[str, Any]:
    """Return the processor time of each way."""
    members, duration = WORK[n]
    work = Ensemble.of([pack(member(n, gates, k), duration) for k in range(members)])
    first = Ensemble.of([pack(member(n, gates, 0), duration)])
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    found: dict[str, Finished] = {}
    for k in range(2 if quick else ROUNDS + 1):
        for way, fewest in WAYS.items():
            with only(fewest):
                begun = time.process_time()
                found[way] = run_ensemble(first if k == 0 else work, rtol=RTOL, atol=ATOL, threads=1)
                seconds[way].append(time.process_time() - begun)
    dense, low = found.values()
    error = float(np.max(np.abs(dense.final - low.final) / (AGREEMENT * np.abs(dense.final) + 10.0 * ATOL)))
    if not error <= 1.0:
        raise SystemExit(f"{n} cells: the ways differ by {error:.1e} tolerances; nothing was timed")
    steps = {way: int(result.counts[:, 2].sum()) for way, result in found.items()}  # the stiff ones
    costs = {way: 1e3 * median(values[1:]) for way, values in seconds.items()}
    return {"cells": n, "gates": gates, "members": members, "steps": steps, "milliseconds": costs}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Raises
    ------
    SystemExit
        If the ways do not agree.
    """
    sizes = list(WORK)[: 1 if quick else None]
    rows = [compared(n, gates, quick) for n in sizes for gates in (False, True)]
    return {"benchmark": "stiff_sweep", "machine": machine(), "rows": rows}


def _ratio(row: dict[str, Any]) -> float:
    dense, low = (row["milliseconds"][way] for way in WAYS)
    return float(dense / low)


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    lines = [
        [
            f"{row['members']} x {row['cells']} cells{', gates' if row['gates'] else ''}",
            *(f"{row['milliseconds'][way]:.3g} ms" for way in WAYS),
            f"{_ratio(row):.3g}",
        ]
        for row in report["rows"]
    ]
    return "Processor time of stiff members\n" + text_table(lines, ["members", *WAYS, "ratio"], right=True)


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the ratios over the number of cells."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    for gates in (False, True):
        rows = [row for row in report["rows"] if row["gates"] is gates]
        axes.loglog(
            [r["cells"] for r in rows], [_ratio(r) for r in rows], "o-", label="with gates" if gates else "without"
        )
    axes.set(xlabel="cells", ylabel="times faster in O(cells)", title="Stiff members")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)
