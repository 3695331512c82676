"""Runs in one course, without a driver: the same steps, states and words as with one, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn.integrate import run
from brnn.integrate.course import in_one_course


@pytest.fixture
def courses(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each run was one course."""
    made: list[bool] = []

    def noted(*arguments: Any) -> brnn.Result | None:
        result = in_one_course(*arguments)
        made.append(result is not None)
        return result

    monkeypatch.setattr(run, "in_one_course", noted)
    return made


def both(network: brnn.Network, *arguments: Any, **options: Any) -> tuple[brnn.Result, brnn.Result]:
    """Return a run, and the same one made by a driver, since somebody is told how far it is."""
    return (
        brnn.simulate(network, *arguments, **options),
        brnn.simulate(network, *arguments, **options, progress=lambda time: None),
    )


def assert_equal(one: brnn.Result, other: brnn.Result) -> None:
    for name in other:
        assert np.array_equal(one[name].to_numpy(), other[name].to_numpy())
        assert np.array_equal(one[name].time, other[name].time)
    told = [dict(result.solver.details) for result in (one, other)]
    for details in told:
        del details["seconds"]
    assert told[0] == told[1]
    assert one.status == other.status


def pulsed() -> brnn.Network:
    """Return two cells with an input that comes and goes."""
    stimulus = brnn.Stimulus("a", "excitatory", [0.5, 2.0], brnn.Pulse(1.0, 3.0))
    return brnn.Network("pulsed", [brnn.Layer.shunting("a", 2, 1.0, 1.0)], [], [stimulus])


def test_pieces_bounds_and_saved_times_are_those_of_a_driver(courses: list[bool]) -> None:
    """Closed form of the second piece: x = I/(A + I) (1 - exp(-(A + I)(t - 1)))."""
    times = [0.5, 1.0, 2.0, 3.0, 4.5]
    one, other = both(pulsed(), 5.0, times=times)
    assert courses == [True]
    assert_equal(one, other)
    I = np.array([0.5, 2.0])
    np.testing.assert_allclose(one["a.x"].to_numpy()[2], I / (1.0 + I) * (1.0 - np.exp(-1.0 - I)), rtol=1e-6)


@pytest.mark.parametrize("options", [{"solver": "RK45"}, {"norm": "rms", "solver": "RK45"}, {"initial": [3.0, 0.1]}])
def test_options_and_a_first_state_out_of_bounds_are_as_with_a_driver(
    options: dict[str, Any], courses: list[bool]
) -> None:
    assert_equal(*both(pulsed(), 5.0, **options))
    assert courses == [True]


def test_signals_jump_as_with_a_driver(courses: list[bool]) -> None:
    """A ring of Step cells; and a cell that slides along its jump, 1 - 0.8 exp(-t) = 1/2, until a pulse comes."""
    inhibited = brnn.Projection("c", "c", "excitatory", brnn.Step(1.0, 0.5), brnn.Dense([[-1.0]]))
    given = (brnn.Stimulus("c", "excitatory", 1.0), brnn.Stimulus("c", "excitatory", 2.0, brnn.Pulse(0.48, 0.7)))
    layer = brnn.Layer.additive("c", 1, A=1.0, initial=0.2)
    slides = brnn.Network("slides", [layer], [inhibited], given)
    for network, duration in ((brnn.models.rosenblatt.build(), 20.0), (slides, 1.0)):
        one, other = both(network, duration, times=np.linspace(0.0, duration, 501))
        assert_equal(one, other)
        assert "steps end where signals jump" in one.solver.details["reason"]
    assert courses == [True, True]
    assert "c.x[0] slides along its jump from t = 0.470004" in one.solver.details["reason"]
    left = 2.0 - 1.5 * np.exp(-0.22)
    np.testing.assert_allclose(one["c.x"].to_numpy()[[240, 350], 0], [0.5, left], atol=1e-5)


def test_what_may_change_its_method_is_left_to_a_driver(courses: list[bool]) -> None:
    """One cell of rate 1e5 takes about 30,000 steps of RK45 for a time of 1, which an implicit method does not."""
    fast = brnn.Network("fast", [brnn.Layer.shunting("a", 1, 1e5, 1.0, initial=1.0)])
    one, other = both(fast, 1.0)
    assert courses == [False]
    assert_equal(one, other)
    assert "stiff" in one.solver.details["reason"]


def test_a_long_run_is_left_to_a_driver(courses: list[bool]) -> None:
    """It can be interrupted on its way; with RK45 asked for, the 30,000 steps of before are not left out."""
    fast = brnn.Network("fast", [brnn.Layer.shunting("a", 1, 1e5, 1.0, initial=1.0)])
    assert brnn.simulate(fast, 1.0, solver="RK45").solver.steps > 20_000
    brnn.simulate(fast, 0.1, solver="RK45")
    assert courses == [False, True]


def test_files_events_and_rest_are_left_to_a_driver(courses: list[bool], tmp_path: Any) -> None:
    brnn.simulate(pulsed(), 5.0, record=tmp_path / "run.h5").close()
    brnn.simulate(pulsed(), until="steady")
    assert courses == [False, False]


def test_only_some_states_in_single_precision(courses: list[bool]) -> None:
    network = brnn.models.gated_dipole.build()
    record = brnn.Record(variables=("on.x", "on_gates.y"), dtype="float32")
    assert_equal(*both(network, record=record))
    assert courses == [True]


def test_faint_activities_are_told_of() -> None:
    """The line of the warning is the user's."""
    faint = brnn.Network("faint", [brnn.Layer.shunting("a", 2, 1.0, 1.0, initial=1e-10)])
    with pytest.warns(UserWarning, match=r"no activity of faint is above 1e-10.*atol") as told:
        brnn.simulate(faint, 5.0)
    assert told[0].filename == __file__
