"""Activities that are not much larger than the absolute tolerance: said in a line, in single runs and in sweeps."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import brnn


def rotating(size: float) -> brnn.Network:
    """A damped rotation, exp(-0.05 t) (cos t, -sin t) times the size."""
    turn = brnn.Projection("F1", "F1", topology=brnn.Dense([[0.0, 1.0], [-1.0, 0.0]]))
    return brnn.Network("turning", [brnn.Layer.additive("F1", 2, A=0.05, initial=[size, 0.0])], [turn])


@pytest.mark.parametrize("solver", ["auto", "RK45", "compiled"])
def test_a_run_near_the_absolute_tolerance_is_said(solver: str) -> None:
    with pytest.warns(UserWarning, match=r"no activity of turning is above \S+, .* try atol = 1e-17") as caught:
        faint = brnn.simulate(rotating(1e-8), 50.0, solver=solver).final("F1").values
    (said,) = re.findall(r"above (\S+),", str(caught[0].message))
    assert abs(float(said) - 1e-8) < 5e-9  # it is that of the run, which is off by some tolerances of 1e-9
    right = 1e-8 * np.exp(-2.5) * np.array([np.cos(50.0), -np.sin(50.0)])
    assert np.abs(faint - right).max() > 1e-10  # which is why
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = brnn.simulate(rotating(1e-8), 50.0, solver=solver, atol=1e-17).final("F1").values
        brnn.simulate(rotating(1e-5), 50.0, solver=solver)
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-12)


def test_a_sweep_says_it_once() -> None:
    with pytest.warns(UserWarning, match="2 of 3 members have no activity above 1e-06, .* atol = 1e-09") as caught:
        brnn.sweep(rotating, brnn.Grid(size=[1e-12, 1e-8, 1.0]), duration=1.0, progress=False)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        brnn.sweep(rotating, brnn.Grid(size=[1e-12, 1e-8, 1.0]), duration=1.0, atol=1e-21, progress=False)


def test_what_comes_to_nothing_from_larger_activities_is_no_fault() -> None:
    """Decay from 1, and a pulse that is over, end near 0 and were larger."""

    def pulsed(on: float) -> brnn.Network:
        pulse = brnn.Stimulus("F1", schedule=brnn.Pulse(on=on, off=on + 1.0))
        return brnn.Network("pulsed", [brnn.Layer.additive("F1", 1, A=1.0)], [], [pulse])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        brnn.sweep(pulsed, brnn.Grid(on=[0.0, 1.0]), duration=30.0, progress=False)
        brnn.simulate(pulsed(0.0), 30.0)
        brnn.simulate(pulsed(0.0), 30.0, times=[30.0])
        brnn.simulate(pulsed(0.0), 30.0, initial=[1.0], times=[30.0])
