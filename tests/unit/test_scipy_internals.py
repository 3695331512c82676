"""What brnn uses of SciPy's solvers beyond their public interface: that it is there, and does what it did.

- `RungeKutta._estimate_error(K, h)`, which gives the error of each unknown, and `_estimate_error_norm(K, h, scale)`,
  by which a step is accepted: `brnn.integrate.steppers.maximum_norm` replaces the second;
- `_step_impl` and what it reads and leaves behind (the names in LEFT): `brnn.integrate.steppers.fused` replaces it;
- `Radau.rtol` and `BDF.rtol`, which each step reads and which may be arrays: `brnn.integrate.methods.implicit` sets
  them after the solver is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate

import brnn
from brnn.ensemble.kernels.control import LARGEST
from brnn.integrate.steppers import fused, maximum_norm

EXPLICIT = ("RK23", "RK45", "DOP853")
LEFT = ("t", "y", "f", "y_old", "h_abs", "h_previous")
# `_into` is what the fused passes call: a RightHandSide of brnn has it.


class OneMoves:
    """One unknown that moves, and any number that rest."""

    def __call__(self, t: float, u: np.ndarray) -> np.ndarray:
        du = np.zeros_like(u)
        self.into(t, u, du)
        return du

    def into(self, t: float, u: np.ndarray, du: np.ndarray) -> None:
        """Write du/dt."""
        du[:] = 0.0
        du[0] = np.cos(t) - np.sin(3.0 * u[0])


def steps(solver: Any) -> np.ndarray:
    """Take all steps; return the times."""
    times = [solver.t]
    while solver.status == "running":
        solver.step()
        times.append(solver.t)
    assert solver.status == "finished"
    return np.array(times)


def solver(kind: Any, size: int) -> Any:
    start = np.zeros(size)
    start[0] = 1.0
    return kind(OneMoves(), 0.0, start, 10.0, rtol=1e-5, atol=1e-8, first_step=0.01)


@pytest.mark.parametrize("name", EXPLICIT)
def test_one_active_unknown_among_many_quiet_ones_takes_the_steps_that_it_takes_alone(name: str) -> None:
    # With one unknown the root mean square, SciPy's norm, is the maximum.
    alone = steps(solver(getattr(integrate, name), 1))
    np.testing.assert_allclose(steps(solver(maximum_norm.KINDS[name], 1000)), alone, rtol=1e-9)
    # That it is not so without the replaced norm shows that the norm was replaced.
    assert len(steps(solver(getattr(integrate, name), 1000))) < len(alone)


@pytest.mark.parametrize("name", EXPLICIT)
def test_the_fused_step_leaves_behind_what_the_replaced_one_does(name: str) -> None:
    one, other = solver(maximum_norm.KINDS[name], 5), solver(fused.KINDS[name], 5)
    for _ in range(8):
        one.step()
        other.step()
        for attribute in LEFT:
            expected, found = getattr(one, attribute), getattr(other, attribute)
            np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-14, err_msg=attribute)
        between = np.linspace(one.t_old, one.t, 5)
        np.testing.assert_allclose(other.dense_output()(between), one.dense_output()(between), rtol=1e-7, atol=1e-14)
    assert other.nfev == one.nfev


@pytest.mark.parametrize("kind", [integrate.Radau, integrate.BDF])
def test_steps_of_implicit_methods_read_tolerances_that_are_set_later(kind: Any) -> None:
    def made(rtol: float, later: float) -> Any:
        made = kind(OneMoves(), 0.0, np.ones(2), 10.0, rtol=rtol, atol=1e-10, first_step=1e-3)
        made.newton_tol = 1e-3  # of the constructor: the same for both
        made.rtol = np.full(2, later)
        return made

    asked = steps(made(1e-4, 1e-4))
    np.testing.assert_array_equal(steps(made(1e-6, 1e-4)), asked)
    assert len(steps(made(1e-6, 1e-6))) > len(asked)


@pytest.mark.parametrize("name", EXPLICIT)
def test_what_does_not_move_is_crossed_in_steps_that_grow_as_they_may(name: str) -> None:
    """The error is 0, and 0 to a negative power is no number."""

    class Still(OneMoves):
        def into(self, t: float, u: np.ndarray, du: np.ndarray) -> None:
            du[:] = 0.0

    made = np.diff(steps(fused.KINDS[name](Still(), 0.0, np.zeros(3), 1e6, 1e9, 1e-5, 1e-8, first_step=0.01)))
    np.testing.assert_allclose(made[1:-1] / made[:-2], LARGEST)


@pytest.mark.parametrize("name", ["Radau", "BDF"])
def test_quiet_blocks_do_not_loosen_the_tolerance_of_another(name: str) -> None:
    """One active cell beside a layer of 400 at 0 takes as many steps as alone: each block has its own mean square."""
    cell = brnn.Layer.additive("cell", 1, A=1.0)
    light = brnn.Stimulus("cell", "excitatory", 3.0)
    alone, beside = (
        brnn.simulate(brnn.Network("blocks", layers, stimuli=[light]), 5.0, solver=name, rtol=1e-8, times=[5.0]).solver
        for layers in ([cell], [cell, brnn.Layer.additive("quiet", 400, A=1.0)])
    )
    assert abs(beside.steps - alone.steps) <= 0.1 * alone.steps
