"""`brnn.prepare`: the same numbers as `simulate`, for other numbers of the network, and the same errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brnn
from brnn.compiler.variants import Variants

TIMES = np.linspace(0.0, 6.0, 31)


def pulsed() -> brnn.Network:
    """Two layers, a gate, weights, and an input that jumps and one that swings."""
    return brnn.Network(
        "pulsed",
        layers=[brnn.Layer.shunting("F1", 3, A=1.0, B=2.0, D=0.1), brnn.Layer.additive("F2", 3, A=0.5)],
        projections=[
            brnn.Projection("F1", "F1", "inhibitory", brnn.Sigmoid(half=0.3), brnn.AllButSelf(0.4), name="off"),
            brnn.Projection(
                "F1", "F2", "excitatory", brnn.Linear(), brnn.OneToOne(), name="up",
                gate=brnn.HabituativeGate(0.1, 1.0, 2.0),
            ),
            brnn.Projection(
                "F2", "F1", "excitatory", brnn.Linear(0.1), brnn.AllToAll(), name="down",
                learning=brnn.Outstar(rate=0.2, initial=0.5),
            ),
        ],
        stimuli=[
            brnn.Stimulus("F1", "excitatory", [0.2, 0.5, 0.9], brnn.Pulse(on=1.0, off=2.5), name="input"),
            brnn.Stimulus("F2", "excitatory", 0.1, brnn.Sine(frequency=0.3, mean=1.0, amplitude=0.5)),
        ],
    )  # fmt: skip


def states(result: brnn.Result) -> np.ndarray:
    rows = [entry.data[:].reshape(len(entry.times), -1) for entry in result.recorded]
    return np.concatenate(rows, axis=1)


NETWORK = pulsed()


@pytest.fixture(scope="module")
def prepared() -> brnn.Prepared:
    return brnn.prepare(NETWORK, solver="RK45")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"F1.A": 0.3},
        {"F1.B": 0.7, "off.topology.weight": 0.9, "off.signal.half": 0.8, "up.gate.H": 0.4, "down.learning.rate": 1.5},
        {"F1.E": 0.0},
        {"up.gate.K": 2.0},  # the gate begins there
        {"F1.initial.1": 0.4},
        {"F1.A": [0.3, 0.4, 0.5]},
        {"input.schedule.on": 0.5},
        {"off.signal": "faster"},
        {"off.topology.weight": 0},
    ],
    ids=str,
)
def test_it_gives_the_bits_of_simulate(prepared: brnn.Prepared, changes: dict[str, Any]) -> None:
    changes = {name: brnn.Power() if value == "faster" else value for name, value in changes.items()}
    own = brnn.simulate(NETWORK.with_(changes), 6.0, times=TIMES, solver="RK45")
    for _ in range(2):
        np.testing.assert_array_equal(prepared.trajectory(changes, 6.0, times=TIMES), states(own))
    np.testing.assert_array_equal(prepared.final(changes, 6.0), states(own)[-1])
    result = prepared.run(changes, 6.0, times=TIMES)
    np.testing.assert_array_equal(states(result), states(own))
    assert result.network == own.network
    assert (result.solver.steps, result.solver.evaluations) == (own.solver.steps, own.solver.evaluations)
    assert result.solver.details["largest_projection"] == own.solver.details["largest_projection"]


def test_numbers_alone_are_not_built_anew(prepared: brnn.Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("F1.A", "F1.B", "off.topology.weight", "off.signal.half", "up.gate.H", "down.learning.rate")
    values = (1.0, 2.0, 0.4, 0.3, 0.1, 0.2)
    prepared.final(dict(zip(names, values, strict=True)), 6.0)
    monkeypatch.setattr(brnn.Network, "with_", None)
    for k in range(5):
        prepared.final({name: value * (1.0 + k) for name, value in zip(names, values, strict=True)}, 6.0)


def test_decay_with_other_rates_beginnings_and_ends() -> None:
    """x(t) = x(0) exp(-A t)."""
    network = brnn.Network("decay", [brnn.Layer.additive("x", 2, A=1.0, initial=1.0)])
    prepared = brnn.prepare(network, rtol=1e-10, atol=1e-14)
    for A in (0.5, 1.0, 3.0):
        for duration in (1.0, 2.0):
            found = prepared.run({"x.A": A}, duration, initial=[1.0, 2.0], times=[0.0, 0.25, duration])
            at = np.array([[0.0], [0.25], [duration]])
            np.testing.assert_allclose(found["x.x"], np.exp(-A * at) * [1.0, 2.0], rtol=1e-8)


def test_states_begin_and_stay_within_their_bounds_as_in_simulate() -> None:
    network = brnn.models.rcf.build(n=3, B=1.0)
    prepared = brnn.prepare(network, solver="RK45", rtol=1e-2)
    for B, first in ((1.0, 1.0), (0.5, 0.5), (0.5, 0.8)):  # the last begins outside
        changed = network.with_({"rcf.B": B})
        own = brnn.simulate(changed, 6.0, initial=[first, 0.0, 0.1], solver="RK45", rtol=1e-2, times=TIMES)
        found = prepared.trajectory({"rcf.B": B}, 6.0, initial=[first, 0.0, 0.1], times=TIMES)
        np.testing.assert_array_equal(found, own["rcf.x"])


def test_a_stiff_run_is_one_of_simulate() -> None:
    network = brnn.Network("fast", [brnn.Layer.additive("x", 1, A=1.0, initial=1.0)])
    result = brnn.prepare(network).run({"x.A": 1e5}, 20.0)
    assert result.solver.details["reason"].startswith("auto")
    assert abs(float(result.final("x")[0])) < 1e-8


def test_what_is_not_quick_runs_all_the_same() -> None:
    noisy = brnn.Network(
        "noisy",
        [brnn.Layer.additive("x", 1, A=1.0, initial=1.0)],
        stimuli=[brnn.Stimulus("x", "excitatory", 0.1, brnn.WhiteNoise())],
    )
    assert brnn.prepare(noisy).run({"x.A": 2.0}, 1.0).solver.details["method"] == "SRIW1"


def test_a_result_can_be_saved_and_run_again(prepared: brnn.Prepared, tmp_path: Path) -> None:
    prepared.run({"F1.A": 0.3}, 6.0, times=TIMES).save(tmp_path / "run.h5")
    assert brnn.rerun(tmp_path / "run.h5").largest_difference == 0.0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"F1.A": -1.0}, "Layer 'F1': A = -1: must be a number >= 0"),
        ({"F1.A": float("nan")}, "must be finite"),
        ({"F3.A": 1.0}, "has no 'F3'"),
        ({"F1.a": 1.0}, "has no field 'a'"),
        ({"F1.B": True}, "must be a number"),
    ],
)
def test_changes_are_checked(prepared: brnn.Prepared, changes: dict[str, Any], line: str) -> None:
    prepared.final({name: 1.0 for name in changes if name in ("F1.A", "F1.B")}, 6.0)
    with pytest.raises(brnn.BrnnError, match=line):
        prepared.run(changes, 6.0)
    with pytest.raises(brnn.BrnnError, match=line):
        NETWORK.with_(changes)


def test_arguments_are_checked(prepared: brnn.Prepared) -> None:
    for arguments, line in (
        ({"duration": -1.0}, "duration = -1"),
        ({"times": [3.0, 1.0]}, "must rise"),
        ({"times": [0.0, 7.0], "duration": 6.0}, "outside of the run"),
        ({"initial": {"F9": 1.0}}, "is not a state"),
        ({"changes": 3}, "changes = int"),
    ):
        with pytest.raises(brnn.BrnnError, match=line):
            prepared.run(**arguments)  # type: ignore[arg-type]
    with pytest.raises(brnn.InputError, match="solver = 'RK46'"):
        brnn.prepare(NETWORK, solver="RK46")
    with pytest.raises(brnn.InputError, match="must be a brnn.Network"):
        brnn.prepare("rcf")  # type: ignore[arg-type]


def test_a_first_state_is_read_anew_each_time() -> None:
    """What changes in place, has gaps or another type, begins each run as it is then: dx/dt = -x."""
    prepared = brnn.prepare(brnn.Network("decay", [brnn.Layer.additive("x", 2, A=1.0)]), rtol=1e-10, atol=1e-14)
    plain, gaps, single = np.ones(2), np.ones((2, 2))[:, 0], np.ones(2, np.float32)
    for value in (1.0, 2.0, 3.0):
        for initial in (plain, gaps, single):
            initial[:] = value, 2.0 * value
            found = prepared.trajectory({}, 1.0, initial=initial, times=[0.0, 1.0])
            np.testing.assert_allclose(found, np.array([[1.0], [np.exp(-1.0)]]) * [value, 2.0 * value], rtol=1e-8)


def test_states_saved_in_pairs_are_those_saved_alone(prepared: brnn.Prepared) -> None:
    times = np.linspace(0.0, 6.0, 401)
    together = prepared.trajectory({}, 6.0, times=times)
    alone = [prepared.trajectory({}, 6.0, times=times[k : k + 1])[0] for k in range(0, times.size, 7)]
    np.testing.assert_array_equal(together[::7], alone)
    given = times.copy()
    result = prepared.run({}, 6.0, times=given)
    given[:] = 0.0
    result.times[:] = 0.0
    np.testing.assert_array_equal(prepared.trajectory({}, 6.0, times=times), together)
    np.testing.assert_array_equal(result.times, times)


@pytest.mark.parametrize(
    ("make", "values", "bounds"),
    [
        (lambda v: brnn.Layer("c", 1, A=v, B=2.0, C=4.0), 3.0, (0.0, 0.5)),  # B/C, which A does not change
        (lambda v: brnn.Layer("c", 1, A=1.0, B=v, C=4.0), 6.0, (0.0, 1.5)),
        (lambda v: brnn.Layer.additive("c", 1, A=v), 3.0, None),
    ],
)
def test_networks_that_differ_in_numbers_know_their_bounds(
    make: Callable[[Any], brnn.Layer], values: float, bounds: tuple[float, float] | None
) -> None:
    variants = Variants(lambda v: brnn.Network("cell", [make(v[0])], [], [brnn.Stimulus("c")]), [1.0])
    variant = variants.at([values])
    assert variant is not None
    found = variant.bounds
    assert (found is None) == (bounds is None)
    if bounds is not None and found is not None:
        np.testing.assert_array_equal(np.ravel(found), bounds)
