"""Short runs without compiled code: `solver="interpreted"`, which `brnn run` takes for small networks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import RK45

import brnn
from brnn import models
from brnn.compiler import compile_network
from brnn.errors import InputError
from brnn.integrate.steppers.interpreted import slope_of
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE


def test_the_pair_is_that_of_scipy() -> None:
    ours = DORMAND_PRINCE
    np.testing.assert_array_equal(ours.nodes, [*RK45.C, 1.0])
    np.testing.assert_array_equal(ours.rows[:6, :5], RK45.A)
    np.testing.assert_array_equal(ours.rows[6, :6], RK45.B)
    np.testing.assert_array_equal(ours.error, RK45.E)
    np.testing.assert_array_equal(ours.inside, RK45.P)


def test_a_shunting_layer_follows_its_closed_form_over_break_points() -> None:
    """dx/dt = -x + (B - x) I while the input is on, dx/dt = -x after it, from onset to onset at the saved times."""
    I, B, on, off = np.array([0.5, 3.0]), 2.0, 1.0, 4.0
    network = brnn.Network(
        "cells",
        [brnn.Layer("F", 2, A=1.0, B=B)],
        stimuli=[brnn.Stimulus("F", "excitatory", I, brnn.Pulse(on, off))],
    )
    times = np.array([0.5, 1.0, 1.5, 3.0, 4.0, 6.0])
    result = brnn.simulate(network, 6.0, times=times, solver="interpreted", rtol=1e-9, atol=1e-12)
    within = np.clip(times, on, off)[:, None] - on
    exact = B * I / (1.0 + I) * -np.expm1(-(1.0 + I) * within) * np.exp(-np.maximum(times - off, 0.0))[:, None]
    np.testing.assert_allclose(result["F.x"], exact, atol=1e-8)
    assert result.solver.method == "interpreted"


@pytest.mark.parametrize("name", ["rcf", "gated_dipole", "wilson_cowan", "store"])
def test_slopes_are_those_of_compiled_code(name: str) -> None:
    """The same statements twice, whole arrays and cell by cell: roundings apart they agree at any state."""
    system = compile_network(models.load(name).build())
    slope = slope_of(system)
    assert slope is not None
    state = system.initial_state() + np.random.default_rng(1).random(system.size)
    for time in (0.5, 3.3):
        rhs, found = system.rhs(time), np.empty(system.size)
        slope(time, state, found, *rhs.arguments)
        np.testing.assert_allclose(found, rhs(time, state), rtol=1e-12, atol=1e-14)


def test_a_long_run_goes_on_in_compiled_code() -> None:
    """A sine of 200 periods takes more than 500 steps; dx/dt = -x + 1 + sin(w t) from 0 has a closed form."""
    w, end = 2.0 * np.pi, 200.0
    network = brnn.Network(
        "swing",
        [brnn.Layer("F", 1, A=1.0, B=1.0, C=0.0)],
        stimuli=[brnn.Stimulus("F", "excitatory", 1.0, brnn.Sine(frequency=1.0, amplitude=1.0, mean=1.0))],
    )
    times = np.linspace(0.0, end, 37)
    result = brnn.simulate(network, end, times=times, solver="interpreted")
    swing = (np.sin(w * times) - w * np.cos(w * times) + w * np.exp(-times)) / (1.0 + w * w)
    exact = swing - np.expm1(-times)
    np.testing.assert_allclose(result["F.x"][:, 0], exact, atol=1e-5)
    assert result.solver.method == "Tsit5"
    assert "Tsit5, in compiled code" in result.solver.details["reason"]
    assert result.solver.steps > 500


@pytest.mark.parametrize(
    ("name", "until", "why"),
    [
        ("art1", "duration", "neither events nor runs until rest"),
        ("rcf", "steady", "neither events nor runs until rest"),
        ("vite", "duration", "needs compiled code"),
    ],
)
def test_what_it_cannot_run_is_refused(name: str, until: str, why: str) -> None:
    network = models.load(name).build()
    with pytest.raises(InputError, match=why):
        brnn.simulate(network, 1.0, solver="interpreted", until=until)  # type: ignore[arg-type]


def test_the_command_loads_nothing_slow(tmp_path: Path) -> None:
    text = "import sys; from brnn.cli import main; main(['run', 'rcf', '-o', 'run.h5']); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(said.stdout.splitlines()[-1].split())
    assert "h5py" in loaded
    assert loaded.isdisjoint({"numba", "llvmlite", "scipy", "xarray", "pandas", "matplotlib", "sympy"})
    with brnn.open(tmp_path / "run.h5") as result:
        compiled = brnn.simulate(result.network, solver="Tsit5")
        np.testing.assert_allclose(result["rcf.x"], compiled["rcf.x"], atol=1e-9)
    assert brnn.rerun(tmp_path / "run.h5").largest_difference == 0.0
