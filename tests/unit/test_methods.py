"""The registry of the methods of integration: what it lists, and that a stranger's method is one class."""

from __future__ import annotations

import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import brnn
from brnn.integrate import bounds
from brnn.integrate.methods import StepperMethod, base, choose, every_method, in_words
from brnn.integrate.steppers.base import Piece, Stepper


@pytest.fixture
def rk4(monkeypatch: pytest.MonkeyPatch):
    """A method that this file defines: it is there for as long as a test runs."""
    monkeypatch.setattr(base, "_registry", dict(base._registry))

    class RK4(StepperMethod):
        """The classical method of Runge and Kutta."""

        name = "RK4"
        description = "fixed steps, order 4"
        takes_step = True
        takes_delays = True

        def stepper(self, piece: Piece) -> Stepper:
            return _Classical(piece)

    return RK4


class _Classical(Stepper):
    """Each piece is divided into equal steps, none longer than asked for."""

    def _step(self) -> bool:
        t, y = self.t, self.y
        left = math.ceil((self.stop - t) / min(self.piece.step or 0.01, self.piece.longest) * (1 - 1e-12))
        end = self.stop if left <= 1 else t + (self.stop - t) / left
        h = end - t
        k2 = self.fun(t + h / 2, y + h / 2 * self.f)
        k3 = self.fun(t + h / 2, y + h / 2 * k2)
        k4 = self.fun(end, y + h * k3)
        self.t, self.y = end, y + h / 6 * (self.f + 2 * k2 + 2 * k3 + k4)
        return True


def decay(**parts) -> brnn.Network:
    return brnn.Network("decay", [brnn.Layer.additive("a", 2, A=1.0, initial=[1.0, 2.0])], **parts)


def test_a_strangers_method_runs(rk4: type[StepperMethod]) -> None:
    """exp(-t), with an error that falls with the fourth power of the step, at saved times within steps as well."""
    errors = []
    for step in (0.2, 0.1):
        result = brnn.simulate(decay(), 2.0, times=[2.0], solver="rk4", step=step)
        assert (result.solver.method, result.solver.details["reason"]) == ("RK4", "asked for")
        assert result.solver.steps == round(2.0 / step)
        assert result.solver.evaluations == 4 * result.solver.steps + 1
        errors.append(abs(result["a.x"].values[0, 0] - math.exp(-2.0)))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(4.0, abs=0.2)
    times = np.linspace(0.0, 2.0, 77)
    within = brnn.simulate(decay(), 2.0, times=times, solver="RK4", step=0.02)["a.x"].values
    np.testing.assert_allclose(within, np.exp(-times)[:, None] * [1.0, 2.0], rtol=0, atol=1e-8)


def test_a_strangers_method_has_break_points_delays_events_and_rest(rk4: type[StepperMethod]) -> None:
    options = {"solver": "RK4", "step": 0.01}
    pulse = [brnn.Stimulus("a", "excitatory", 1.0, brnn.Pulse(0.505, 1.0))]
    got = brnn.simulate(decay(stimuli=pulse), 1.0, times=[1.0], **options).final("a").values
    np.testing.assert_allclose(got, np.exp(-1.0) * np.array([1.0, 2.0]) + 1 - math.exp(-0.495), rtol=1e-9)
    # dx/dt = -x(t) - x(t - 1), x = x_0 before: on [0, 1] it is x_0 (2 exp(-t) - 1).
    back = [brnn.Projection("a", "a", "inhibitory", brnn.Linear(), brnn.OneToOne(), delay=1.0)]
    got = brnn.simulate(decay(projections=back), 1.0, times=[1.0], **options).final("a").values
    np.testing.assert_allclose(got, (2 * math.exp(-1.0) - 1) * np.array([1.0, 2.0]), rtol=1e-8)
    stop = [brnn.Event("half", brnn.Crossing("a.x", 0.5, "falling"), [brnn.StopRun()])]
    ended = brnn.simulate(decay(events=stop), 5.0, **options)
    assert float(ended.times[-1]) == pytest.approx(math.log(2.0), abs=1e-9)
    assert brnn.simulate(decay(), until="steady", **options).status == "steady"


def test_a_strangers_method_is_listed_and_refuses_in_one_line(rk4: type[StepperMethod]) -> None:
    assert "RK4" in [method.name for method in every_method()]
    assert in_words().startswith("auto, RK45")
    assert ", RK4; with white noise" in in_words()
    with pytest.raises(brnn.InputError) as caught:
        brnn.simulate(decay(), 1.0, step=0.1)
    assert str(caught.value).startswith("solver = 'auto': must be one of Euler, ")
    assert ", RK4 (step: " in str(caught.value)
    noisy = decay(stimuli=[brnn.Stimulus("a", "excitatory", 1.0, brnn.WhiteNoise())])
    with pytest.raises(brnn.InputError) as caught:
        brnn.simulate(noisy, 1.0, solver="RK4")
    assert "(white noise needs a method made for it)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_is_one_methods(rk4: type[StepperMethod]) -> None:
    with pytest.raises(brnn.InputError, match=r"Other: name = 'rk4': .*RK4 has this name already"):

        class Other(StepperMethod):
            name = "rk4"

    rk4.__init_subclass__.__func__(rk4)  # its file loaded once more
    assert type(choose("RK4", decay(), "duration", None)) is rk4


def test_methods_are_frozen_and_say_what_they_are() -> None:
    for method in every_method():
        assert method.description
        assert "\n" not in method.description
        with pytest.raises(AttributeError):
            method.name = "other"  # type: ignore[misc]
    names = [method.name for method in every_method()]
    assert len({name.lower() for name in names}) == len(names)


def test_the_docstring_lists_every_method() -> None:
    for method in every_method():
        assert f'        - "{method.name}": ' in str(brnn.simulate.__doc__)


def test_the_registry_loads_neither_scipy_nor_numba() -> None:
    code = "import sys, brnn.integrate.methods; print([m for m in ('scipy', 'numba', 'h5py') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["RK45", "LSODA", "ROS34PW2", "compiled", "map", "SRIW1"])
def test_each_method_refuses_a_network_that_it_is_not_for(name: str) -> None:
    """One layer in discrete and one in continuous time: what is for the one refuses the other, in words."""
    discrete = brnn.Network("discrete", [brnn.BinaryLayer("a", 2)])
    method = next(method for method in every_method() if method.name == name)
    refusals = [method.refuses(network, "duration", None) for network in (discrete, decay())]
    assert sum(refusal is None for refusal in refusals) == (0 if name == "SRIW1" else 1)
    assert (refusals[0] is None) == (name == "map")


@pytest.mark.parametrize("lowest", [0.0, [0.0, 0.5]])
@pytest.mark.parametrize("highest", [1.0, [1.0, 0.8]])
def test_saved_states_are_kept_between_bounds_of_all_cells_or_of_each(lowest: object, highest: object) -> None:
    variable = SimpleNamespace(start=1, stop=3, lowest=np.array(lowest), highest=np.array(highest))
    for state in ([9.0, 0.2, 0.3], [9.0, 0.2, 0.9], [9.0, -0.1, 1.2], [9.0, 0.5, 0.6]):
        inside = np.clip(state[1:], lowest, highest)
        found, farthest = bounds._by_variables(np.array([state]), [variable])  # type: ignore[list-item]
        assert farthest == np.abs(inside - state[1:]).max()
        np.testing.assert_array_equal(found, [[9.0, *inside]])


@pytest.mark.parametrize("at_once", [1, 10**6])
def test_what_is_saved_of_a_coarse_run_stays_within_bounds(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """0 is the end of the interval; the last digits of what decays leave it."""
    monkeypatch.setattr(bounds, "_AT_ONCE", at_once)
    layer = brnn.Layer.shunting("a", 3, A=1.0, B=1.0, initial=0.5)
    options = {"times": np.linspace(40.0, 60.0, 41), "rtol": 1e-2, "atol": 1e-4, "solver": "RK23"}
    result = brnn.simulate(brnn.Network("decay", [layer]), 60.0, **options)
    assert result["a.x"].values.min() >= 0.0
    assert result.solver.details["largest_projection"] > 0.0
