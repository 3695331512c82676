"""Folds, branch points and Hopf points beside those that AUTO finds, as XPPAUT runs it (package xpplab)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.equations.ode import to_ode
from brnn.equations.scalar import scalar_equations

CASES: dict[str, tuple[str, dict[str, Any], str, tuple[float, float], Any, float]] = {
    # model, settings, parameter, from and to, initial state, a value of the parameter that no other number has
    "one cell, w^2": ("rcf", {"n": 1, "signal": "w**2", "pattern": 0.0}, "B", (4.0, 1.0), 2.0, 3.2345678),
    "two cells": ("rcf", {"n": 2, "signal": "sigmoid", "pattern": 0.0}, "signal.half", (0.1, 2.0), 0.9, 1.2345678),
    "slow inhibition": ("slow_inhibition", {}, "e", (1.2, 0.3), None, 1.2345678),
    "slow inhibition, twice": ("slow_inhibition", {"e": 0.5}, "G", (12.0, 4.0), None, 6.1234567),
    "Wilson and Cowan": ("wilson_cowan", {"pattern": 1.25}, "c1", (4.0, 25.0), None, 12.345678),
    "one cell, sigmoid": ("rcf", {"n": 1, "signal": "sigmoid", "pattern": 0.0}, "B", (3.0, 0.8), 1.4, 2.2345678),
    "one cell, decay": ("rcf", {"n": 1, "B": 3.0, "signal": "w**2", "pattern": 0.0}, "A", (0.5, 3.0), 2.8, 1.2345678),
    "two equal cells": ("rcf", {"n": 2, "signal": "w**2", "pattern": 0.0}, "B", (6.0, 2.0), 2.6, 4.2345678),
    "slow inhibition, input": ("slow_inhibition", {"e": 0.5}, "pattern", (0.02, 0.6), None, 0.1234567),
    "Wilson and Cowan, c4": ("wilson_cowan", {"pattern": 1.25}, "c4", (12.0, 0.5), None, 4.2345678),
}
KINDS = {"fold": "LP", "branch point": "BP", "Hopf point": "HB"}


@pytest.mark.parametrize("case", CASES)
def test_auto_finds_the_same_points(case: str, tmp_path: Path) -> None:
    xpplab = pytest.importorskip("xpplab")
    model, settings, name, (begin, end), initial, value = CASES[case]
    diagram = brnn.bifurcation_diagram(
        model, {name: (begin, end)}, settings=settings, initial=initial, cycles=False, branches=20
    )
    equations = scalar_equations(brnn.build(model, {**settings, name: value}))
    text = to_ode(equations)
    assert repr(value) in text
    first = diagram.isel(point=0)
    lines = [f"par pp={begin!r}"]
    lines += [line.replace(repr(value), "pp") for line in text.splitlines() if not line.startswith(("#", "init"))]
    starts = {u.name: float(first[u.variable].values.ravel()[u.index]) for u in equations.unknowns}
    lines[-1:-1] = [f"init {symbol}={start!r}" for symbol, start in starts.items()]
    (tmp_path / "m.ode").write_text("\n".join(lines) + "\n")
    low, high = min(begin, end), max(begin, end)
    options = {"dsmax": 0.02 * (high - low), "dsmin": 1e-8, "nmax": 2000, "parmin": low, "parmax": high}
    options |= {"epsl": 1e-9, "epsu": 1e-9, "epss": 1e-8, "ds": np.sign(end - begin) * 0.002 * (high - low)}
    theirs = xpplab.load(tmp_path / "m.ode").auto.equilibria("pp", **options).special()
    assert theirs
    ours = diagram.isel(point=np.flatnonzero((diagram.branch.values == 0) & np.isin(diagram.special, list(KINDS))))
    assert ours.sizes["point"]
    for kind, parameter in zip(ours.special.values, ours[name].values, strict=True):
        # AUTO begins a branch point's other branches by itself: their points are among its list as well.
        values = [point.value for point in theirs if point.type == KINDS[str(kind)]]
        assert any(value == pytest.approx(parameter, rel=1e-6) for value in values), (kind, parameter, values)
    found = ours[name].values
    for point in theirs:
        if point.type in ("LP", "HB") and point.branch == 1:
            assert np.min(np.abs(found - point.value)) < 1e-6 * max(1.0, abs(point.value)), point.type
