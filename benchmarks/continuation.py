"""A bifurcation diagram of n cells beside AUTO, as XPPAUT runs it (package xpplab), in one process.

    dx_i/dt = -A x_i + (B - x_i) [I_i + f(x_i)] - x_i sum_{k != i} f(x_k),    f(w) = w^2/(F^2 + w^2)

along A, from silence through the folds at which one cell begins and ceases to be stored, and on. No two inputs are
equal, so that no branch point is met and each program has every unknown for itself. Both take steps of at most a
hundredth of the range; the folds must agree to 1e-6. (With steps three times as long AUTO, as xpplab runs it, misses
folds of such fields or takes them for branch points.)
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import brnn
from benchmarks.measure import Timing, machine, verdict
from brnn.base.text import text_table
from brnn.equations.ode import to_ode
from brnn.equations.scalar import scalar_equations

__all__ = ["draw", "field", "run", "summary"]

B, HALF, INPUT = 3.0, 0.5, 0.01
HIGH, LOW = 4.0, 1.0  # A goes from the one to the other
LONGEST = 0.01  # step, of the range of A
MARK = 1.2345678  # a value of A that no other number has
AGREEMENT = 1e-6
TARGETS = {10: 1.0 / 3.0, 100: 1.0}  # AUTO's time over ours, at least


def field(n: int, A: float) -> brnn.Network:
    """Return the network."""
    f = brnn.Sigmoid(half=HALF)
    links = [
        brnn.Projection("F", "F", "excitatory", f),
        brnn.Projection("F", "F", "inhibitory", f, brnn.AllButSelf()),
    ]
    inputs = INPUT * np.append(1.0, np.geomspace(0.5, 0.25, n - 1))
    return brnn.Network(
        "field", [brnn.Layer.shunting("F", n, A=A, B=B)], links, [brnn.Stimulus("F", "excitatory", inputs)]
    )


def ours(n: int) -> list[float]:
    """Return where brnn finds folds."""
    diagram = brnn.bifurcation_diagram(
        lambda A=HIGH: field(n, A), {"A": (HIGH, LOW)}, initial=0.01, cycles=False, longest=LONGEST
    )
    return sorted(diagram.A.values[diagram.special.values == "fold"].tolist())


def theirs(n: int, folder: Path) -> list[float]:
    """Return where AUTO finds folds; it begins no other branches."""
    import xpplab

    path = folder / f"field_{n}.ode"
    if not path.exists():
        lines = to_ode(scalar_equations(field(n, MARK))).splitlines()
        changed = [line.replace(repr(MARK), "pp") for line in lines if not line.startswith("#")]
        path.write_text("\n".join([f"par pp={HIGH}", *changed]) + "\n")
    span = HIGH - LOW
    steps = {"ds": -0.1 * LONGEST * span, "dsmax": LONGEST * span, "dsmin": 1e-8, "nmax": 2000}
    tolerances = {"epsl": 1e-9, "epsu": 1e-9, "epss": 1e-8}
    auto = xpplab.load(path).auto
    found = auto.equilibria("pp", **steps, **tolerances, parmin=LOW, parmax=HIGH, mxbf=0).special()
    return sorted(point.value for point in found if point.type == "LP")


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Parameters
    ----------
    quick : bool
        Ten cells alone, each program twice.

    Returns
    -------
    dict
        Machine; for each number of cells the folds and the processor time of each program.

    Raises
    ------
    SystemExit
        If the folds differ.
    """
    sizes = {}
    with tempfile.TemporaryDirectory(prefix="brnn-continuation-") as name:
        for n in (10,) if quick else TARGETS:
            contenders = {"brnn": lambda n=n: ours(n), "AUTO": lambda n=n: theirs(n, Path(name))}
            folds = {label: call() for label, call in contenders.items()}  # compiles, too
            if (
                len(folds["brnn"]) != 2
                or len(folds["AUTO"]) != 2
                or not np.allclose(folds["brnn"], folds["AUTO"], rtol=AGREEMENT, atol=0.0)
            ):
                raise SystemExit(f"continuation: the folds of {n} cells differ; nothing is reported: {folds}")
            seconds: dict[str, list[float]] = {label: [] for label in contenders}
            for _ in range(1 if quick else 5):
                for label, call in contenders.items():
                    before = time.process_time()
                    call()
                    seconds[label].append(time.process_time() - before)
            sizes[str(n)] = {
                "folds": folds["brnn"],
                "seconds": {label: Timing(tuple(values)).to_dict() for label, values in seconds.items()},
            }
    return {"benchmark": "continuation", "settings": {"quick": quick}, "machine": machine(), "cells": sizes}


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    rows = []
    for n, found in report["cells"].items():
        own, other = (found["seconds"][label]["median"] for label in ("brnn", "AUTO"))
        wanted = TARGETS[int(n)]
        rows.append(
            [n, str(len(found["folds"])), f"{own:.3f} s", f"{other:.3f} s", f"{other / own:.2f}", f"{wanted:.2f}"]
            + [verdict(other / own, wanted)]
        )
    names = ["cells", "folds", "brnn", "AUTO (XPPAUT)", "ratio", "at least", ""]
    return "Equilibria of a field along A, processor time, medians\n" + text_table(rows, names, right=True)


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the medians as bars."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    sizes = list(report["cells"])
    for k, label in enumerate(("brnn", "AUTO")):
        medians = [report["cells"][n]["seconds"][label]["median"] for n in sizes]
        axes.barh(np.arange(len(sizes)) + 0.35 * k, medians, 0.3, label=label)
    axes.set(xlabel="seconds of processor time", ylabel="cells", title="a bifurcation diagram", xscale="log")
    axes.set_yticks(np.arange(len(sizes)) + 0.175, sizes)
    axes.legend()
    figure.savefig(path, dpi=150)
