"""The method of Euler beside its closed form: x after n steps of a decaying cell is (1 - A h)^n."""

from __future__ import annotations

import numpy as np
import pytest

import brnn

CELL = brnn.Network("cell", [brnn.Layer.additive("F", 1, A=1.0, initial=1.0)])


def test_it_makes_equal_steps_and_saves_what_lies_between_on_straight_lines() -> None:
    result = brnn.simulate(CELL, 1.05, solver="Euler", step=0.1, times=[0.0, 0.1, 0.25, 1.0, 1.05])
    steps = 0.9 ** np.arange(11)
    expected = [1.0, 0.9, 0.5 * (steps[2] + steps[3]), steps[10], steps[10] * 0.95]
    np.testing.assert_allclose(result["F.x"].values[:, 0], expected, rtol=1e-12)
    assert result.solver.details["steps"] == 11


def test_a_step_ends_where_an_input_jumps() -> None:
    network = CELL.replace(stimuli=[brnn.Stimulus("F", "excitatory", 1.0, brnn.Pulse(0.25, 1.0))])
    found = float(brnn.simulate(network, 0.45, solver="Euler", step=0.1).final("F")[0])
    before = 0.9 * 0.9 * 0.95
    assert found == pytest.approx(1.0 + 0.9 * 0.9 * (before - 1.0), rel=1e-12)


def test_it_goes_on_from_a_run() -> None:
    whole = brnn.simulate(CELL, 1.0, solver="Euler", step=0.1)
    half = brnn.simulate(CELL, 0.5, solver="Euler", step=0.1)
    rest = brnn.simulate(CELL, 0.5, solver="Euler", step=0.1, start=half)
    np.testing.assert_allclose(rest.final("F"), whole.final("F"), rtol=1e-12)
