"""A population of grid cells beside the same equations written down plainly in C.

Ninety stripe cells that fire at random, a hundred cells that learn of them, steps of 2 ms: one trial. The program in C
(`grid_cells.c`) is compiled twice: with ``cc -O3``, and with ``-march=native -ffast-math`` besides, which allow what
brnn's own code is allowed; where there is no compiler nothing is measured. All report processor time, and have to
agree: in their spikes and in the sum to which weights have gone, as far as other random numbers allow.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import brnn
from benchmarks.measure import machine, verdict
from brnn.base.text import text_table

__all__ = ["draw", "run", "summary"]

_FLAGS = {"C": ("-O3",), "C, fast math": ("-O3", "-march=native", "-ffast-math")}


def run(quick: bool = False) -> dict[str, Any]:
    """Return times of both, in turn, and what they found."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    report: dict[str, Any] = {"benchmark": "grid_cells", "settings": {"quick": quick}, "machine": machine()}
    if compiler is None:
        return {**report, "rows": []}
    path = brnn.Trajectory.random_walk(20.0 if quick else 600.0, 1)
    network = brnn.models.grid_cells.build(path)
    weights = next(link.learning.initial for link in network.projections if link.learning is not None)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        source, home = Path(__file__).with_suffix(".c"), Path(folder)
        programs = {name: str(home / f"program{k}") for k, name in enumerate(_FLAGS)}
        for name, flags in _FLAGS.items():
            subprocess.run([compiler, *flags, "-o", programs[name], str(source), "-lm"], check=True)
        np.concatenate([path.x, path.y]).tofile(home / "path")
        np.asarray(weights).tofile(home / "weights")
        given = [str(home / "path"), str(path.t.size), "0.02", str(home / "weights")]
        for seed in range(3 if quick else 8):
            began = time.process_time()
            result = brnn.simulate(network, times=[0.0, path.duration], seed=seed)
            row: dict[str, Any] = {"brnn": time.process_time() - began}
            total = float(np.asarray(result.final("learned0.z")).sum(axis=1).mean())
            counted = len(result.events.time)
            row |= {"spikes": counted, "sum": total}
            for name in _FLAGS:
                call = [programs[name], *given, str(7919 * seed + 1)]
                seconds, spikes, weight = subprocess.run(
                    call, capture_output=True, text=True, check=True
                ).stdout.split()
                row[name] = float(seconds)
                if abs(total - float(weight)) > 0.05 or abs(counted / int(spikes) - 1.0) > 0.05:
                    raise AssertionError(f"they differ: {counted} spikes and {spikes}, sums {total} and {weight}")
            if seed:  # the first one may have compiled
                rows.append(row)
    return {**report, "rows": rows}


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    if not report["rows"]:
        return "grid_cells: there is no C compiler; nothing was measured"
    names = ("brnn", *_FLAGS)
    best = {name: min(row[name] for row in report["rows"]) for name in names}
    table = [
        [name, f"{best[name]:.3f}", f"{best[name] / best['brnn']:.2f}", verdict(best[name] / best["brnn"], 1.0)]
        for name in names
    ]
    last = report["rows"][-1]
    words = f"a trial of {last['spikes']} spikes; sum of weights {last['sum']:.3f}"
    return f"{words}\n{text_table(table, ['', 'best (s)', 'of brnn', ''], right=True)}"


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the times as bars."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2), layout="constrained")
    axes = figure.subplots()
    names = ("brnn", *_FLAGS)
    for k, name in enumerate(names):
        axes.barh([k], [min((row[name] for row in report["rows"]), default=0.0)])
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="processor time of a trial (s)")
    figure.savefig(path, dpi=150)
