"""Repeated runs with white noise: a five-cell field to t = 10, ten times, each with a seed of its own.

Beside `brnn.sweep` with `brnn.Repeats`, which makes the steps in compiled code, stands what makes the same steps with
the same random numbers one by one: SRIW1 of `simulate`, in a loop and in the worker processes of a sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import brnn
from benchmarks.measure import answers, interleaved, machine
from brnn.base.text import text_table

__all__ = ["draw", "run", "summary"]

CELLS, DURATION, REPEATS, SEED = 5, 10.0, 10, 7
AGREEMENT = 1e-9  # the same steps: only roundings differ
COMPILED = "brnn.sweep with Repeats (compiled, members side by side)"


def field() -> brnn.Network:
    """Return a recurrent competitive field of five cells whose input is noisy."""
    f = brnn.Sigmoid(half=0.5)
    layer = brnn.Layer.shunting("rcf", CELLS, A=1.0, B=3.0, initial=np.linspace(0.2, 0.6, CELLS))
    links = [
        brnn.Projection("rcf", "rcf", "excitatory", f),
        brnn.Projection("rcf", "rcf", "inhibitory", f, brnn.AllButSelf()),
    ]
    noise = brnn.Stimulus("rcf", "excitatory", 0.05, brnn.WhiteNoise())
    return brnn.Network("rcf", [layer], links, [noise], duration=DURATION)


def repeats(network: brnn.Network, solver: str = "auto") -> np.ndarray:
    """Return the last states of a sweep."""
    data = brnn.sweep(network, brnn.Repeats(REPEATS), seed=SEED, solver=solver, progress=False)
    return np.asarray(data["rcf.x"].values)


def loop(network: brnn.Network, seeds: np.ndarray) -> np.ndarray:
    """Return the last states of runs one after the other."""
    runs = (brnn.simulate(network, times=[DURATION], seed=int(seed), solver="SRIW1") for seed in seeds)
    return np.array([result.final("rcf").values for result in runs])


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Raises
    ------
    SystemExit
        If an answer does not agree with that of the loop; then no time is reported.
    """
    network = field()
    seeds = brnn.sweep(network, brnn.Repeats(REPEATS), seed=SEED, progress=False)["seed"].values
    calls: dict[str, Callable[[], np.ndarray]] = {
        "loop of brnn.simulate (SRIW1)": lambda: loop(network, seeds),
        "brnn.sweep, one by one in worker processes (SRIW1)": lambda: repeats(network, "SRIW1"),
        COMPILED: lambda: repeats(network),
    }
    found, timings = answers(calls)
    exact = next(iter(found.values()))
    errors = {name: float(np.abs(values - exact).max()) for name, values in found.items()}
    for name, error in errors.items():
        if not error <= AGREEMENT:
            raise SystemExit(f"{name}: off by {error:.1e}; nothing was timed")
    if not quick:
        timings = interleaved(calls, budget=60.0, warm=True)
    return {
        "benchmark": "noise",
        "settings": {"cells": CELLS, "duration": DURATION, "repeats": REPEATS, "quick": quick},
        "machine": machine(),
        "rows": [{"name": name, "error": errors[name]} | timing.to_dict() for name, timing in timings.items()],
    }


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    settings, rows = report["settings"], report["rows"]
    best = next(row["median"] for row in rows if row["name"] == COMPILED)
    lines = [
        [row["name"], f"{1e3 * row['median']:.3g} ms", f"{row['median'] / best:.3g}", f"{row['error']:.0e}"]
        for row in rows
    ]
    title = (
        f"{settings['repeats']} repeats of a noisy field of {settings['cells']} cells to t = {settings['duration']:g}"
    )
    return f"{title}; medians\n" + text_table(lines, ["contender", "time", "/ compiled", "difference"], right=True)


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the time of every contender."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    axes.barh([row["name"] for row in report["rows"]], [row["median"] for row in report["rows"]])
    axes.set(xscale="log", xlabel="seconds")
    axes.invert_yaxis()
    figure.savefig(path, dpi=150)
