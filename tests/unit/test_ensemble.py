"""The compiled ensemble: the same equations, numbers that depend on nothing but the member, and where members end."""

from __future__ import annotations

import ctypes
import itertools

import numpy as np
import pytest
from reference import in_python
from scipy.integrate import RK45

import brnn
from brnn.base.tracer import Varying
from brnn.compiler import compile_network
from brnn.compiler.lanes import LANES
from brnn.ensemble.arrays import Member, pack, unfit
from brnn.ensemble.load import lane_function
from brnn.ensemble.run import Ensemble, Finished, run_ensemble

RNG = np.random.default_rng(4)
TOLERANCES = {"rtol": 1e-6, "atol": 1e-9}


def fields(count: int, duration: float = 20.0, n: int = 6) -> list[brnn.Network]:
    """RCFs with different parameters, starts and pulses; one in five is stiff."""
    rng = np.random.default_rng(count)
    return [
        brnn.models.rcf.build(
            A=float(rng.uniform(0.5, 1.5)) * (2000.0 if k % 5 == 0 else 1.0),
            B=3.0,
            signal=brnn.Sigmoid(float(rng.uniform(1, 3)) * (4000.0 if k % 5 == 0 else 1.0), 0.4, 2),
            pattern=rng.uniform(0, 1, n),
            on=float(rng.uniform(0.2, 0.8 * duration)),
            initial=rng.uniform(0, 1, n),
        )
        for k in range(count)
    ]


def finished(members: list[Member], **options: object) -> Finished:
    """Run members of one layout."""
    return run_ensemble(Ensemble.of(members), **{**TOLERANCES, **options})  # type: ignore[arg-type]


def lane_slopes(member: Member, segment: int, t: float, states: np.ndarray) -> np.ndarray:
    """Return du/dt of the states (lanes, size) of one member, from its lane function alone."""
    layout = member.layout
    rows = member.numbers.size + layout.array_rows.size + layout.segment_rows.size
    q = np.empty((rows, LANES))
    q[: member.numbers.size] = member.numbers[:, None]
    q[layout.array_rows] = np.concatenate([np.zeros(0), *member.arrays])[:, None]
    q[layout.segment_rows] = member.segments[segment][:, None]
    u = np.ascontiguousarray(states.T)
    du = np.full_like(u, np.nan)
    times, work, scratch = np.full(LANES, t), np.zeros((layout.work, LANES)), np.zeros((layout.text.scratch, LANES))
    arrays = (times, u, du, layout.n, q, work, scratch, layout.whole)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(arrays))(lane_function(layout.text.source).address)
    function(*(array.ctypes.data for array in arrays))
    return du.T


@pytest.mark.parametrize("name", brnn.models.names())
def test_every_lane_has_the_slope_of_the_network_alone(name: str) -> None:
    """Call the lane function itself, each lane in another state, and compare with System.rhs."""
    network = brnn.models.load(name).build()
    why = unfit(network)
    if why is not None:
        with pytest.raises(brnn.InputError, match="compiled"):
            brnn.simulate(network, solver="compiled")
        return
    system = compile_network(network)
    member = pack(network, 20.0)
    start = system.initial_state()
    states = start + np.random.default_rng(0).uniform(0.1, 1.0, (LANES, start.size))
    edges = [0.0, *member.stops.tolist()]
    for segment in range(min(5, member.stops.size)):
        t = 0.4 * edges[segment] + 0.6 * edges[segment + 1]
        rhs = in_python(system, t)
        expected = np.array([rhs(t, u) for u in states])
        found = lane_slopes(member, segment, t, states)
        for variable in system.variables:
            block = slice(variable.start, variable.stop)
            size = np.abs(expected[:, block]).max()
            np.testing.assert_allclose(found[:, block], expected[:, block], rtol=1e-12, atol=1e-12 * size)


def test_the_coefficients_are_those_of_scipy() -> None:
    """The state inside of a step, as SciPy's RK45 interpolates it, for one step of a known size."""
    network = brnn.models.rcf.build(initial=[0.3, 0.5, 0.2])
    h = 0.1
    times = np.linspace(0.0, h, 8)
    solver = RK45(
        compile_network(network).rhs(0.0), 0.0, np.array([0.3, 0.5, 0.2]), h, first_step=h, rtol=1.0, atol=1.0
    )
    solver.step()
    assert solver.t == h
    result = finished([pack(network, h)], times=times, rtol=1.0, atol=1.0)
    assert result.counts[0].tolist() == [1, 8, 0]  # one step of six stages, and two slopes to choose it by
    np.testing.assert_allclose(result.trajectory[0], solver.dense_output()(times).T, rtol=1e-13)


@pytest.mark.parametrize("own", [False, True])
def test_a_part_of_an_ensemble_has_the_numbers_of_its_members(own: bool) -> None:
    """Members with other pulses, numbers of segments and, if `own`, weights."""
    members = []
    for k in range(9):
        weights = np.eye(3) * (1.0 + (k if own else 0))
        network = brnn.Network(
            "driven",
            [brnn.Layer.additive("F", 3, A=1.0 + k, initial=0.1 * k)],
            [brnn.Projection("F", "F", "inhibitory", brnn.Linear(), brnn.Dense(weights))],
            [brnn.Stimulus("F", "excitatory", 1.0 + k, brnn.Pulse(1.0, 2.0))],
        )
        members.append(pack(network, 0.5 + k % 3))
    work = Ensemble.of(members)
    assert len(work.arrays) == (9 if own else 1)
    assert set(np.diff(work.first)) == {1, 2, 3}
    whole = run_ensemble(work, threads=1, **TOLERANCES)
    for edges in ((0, 4, 9), (0, 1, 2, 9)):
        parts = [work.part(start, stop) for start, stop in itertools.pairwise(edges)]
        parts = [part.part(0, part.members) for part in parts]
        for name in ("final", "reached", "counts"):
            found = np.concatenate([getattr(run_ensemble(part, threads=1, **TOLERANCES), name) for part in parts])
            assert found.tobytes() == getattr(whole, name).tobytes(), name


@pytest.mark.parametrize("steady", [False, True])
def test_a_member_does_not_depend_on_others_nor_on_threads(steady: bool) -> None:
    members = [pack(network, 20.0) for network in fields(70)]
    times = np.linspace(0.0, 20.0, 5)
    options = {"times": times, "until_steady": steady}
    alone = [finished([member], threads=1, **options) for member in members[:12]]
    order = np.random.default_rng(1).permutation(len(members))
    for threads in (1, 2, 5):
        together = finished([members[k] for k in order], threads=threads, **options)
        for place, k in enumerate(order):
            if k < len(alone):
                for field in ("final", "reached", "status", "counts", "trajectory"):
                    expected, found = getattr(alone[k], field)[0], getattr(together, field)[place]
                    assert np.array_equal(expected, found, equal_nan=field == "trajectory"), (field, k)


def test_stiff_members_change_the_method_and_keep_the_accuracy() -> None:
    networks = fields(10)
    result = finished([pack(network, 20.0) for network in networks])
    for k, network in enumerate(networks):
        stiff = k % 5 == 0
        assert (result.counts[k, 2] > 0) == stiff
        exact = brnn.simulate(network, 20.0, times=[20.0], solver="Radau", rtol=1e-10, atol=1e-13).final("rcf")
        np.testing.assert_allclose(result.final[k], exact, rtol=1e-5, atol=1e-8)
        # An explicit method would need h < 3.3/rate with a rate of about A.
        assert result.counts[k, 0] < (6000 if stiff else 1000)


def test_the_choice_of_the_method_has_no_unit_of_time() -> None:
    """One unit of the slow cell is 1e5 of the fast one; an explicit method would make 1e5/3.3 steps in any unit."""
    members = [
        pack(brnn.Network("n", [brnn.Layer.additive("F1", 2, A=[1e5 * c, c], initial=1.0)]), 1.0 / c)
        for c in (1e-6, 1.0, 1e6)
    ]
    result = finished(members)
    np.testing.assert_allclose(result.final[:, 1], np.exp(-1.0), rtol=1e-5)
    assert (result.counts[:, 2] > 0).all()
    assert (result.counts[:, 0] < 5000).all()
    assert (np.ptp(result.counts, axis=0) <= 0.1 * result.counts[1]).all()


def test_stiff_members_rest_in_every_unit_of_time() -> None:
    scales = np.array([1e-9, 1.0, 1e9])
    members = [
        pack(brnn.Network("n", [brnn.Layer.additive("F1", 2, A=[1e5 * c, c], initial=1.0)]), 100.0 / c) for c in scales
    ]
    result = finished(members, until_steady=True)
    assert (result.counts[:, 2] > 0).all()
    # exp(-t) has fallen to the tolerance, 1e-9, at t = 20.7; what is still far from 0 is not at rest.
    assert (result.reached * scales > 10.0).all()
    assert (result.reached * scales < 40.0).all()
    assert (abs(result.final) < 1e-5).all()


def test_rodas4_is_of_order_4() -> None:
    """The equations u' = -l (u - cos t) - sin t, u = cos t: the error of the stiff method falls with the tolerance."""
    rates = (200.0, 1000.0)
    for rate in rates:
        layer = brnn.Layer.additive("F1", 1, A=rate, initial=1.0)
        inputs = [
            brnn.Stimulus("F1", pattern=rate, schedule=brnn.Sine(1 / (2 * np.pi), 1.0, 0.0, np.pi / 2)),
            brnn.Stimulus("F1", "inhibitory", 1.0, brnn.Sine(1 / (2 * np.pi), 1.0, 0.0, 0.0)),
        ]
        network = brnn.Network("driven", [layer], stimuli=inputs)
        errors = []
        for rtol in (1e-5, 1e-9):
            result = finished([pack(network, 30.0)], rtol=rtol, atol=rtol)
            errors.append(abs(float(result.final[0, 0]) - np.cos(30.0)))
            assert errors[-1] < 20 * rtol
        assert errors[1] < 1e-2 * max(errors[0], 1e-7)


def test_a_member_at_a_saddle_does_not_rest() -> None:
    """Two equal cells with f = w^2 stand on a saddle; a difference of 1e-8 grows, and one of them wins."""
    signal = brnn.Power(1.0, 2.0)
    networks = [brnn.models.rcf.build(signal=signal, initial=x) for x in ([0.9 + 1e-8, 0.9], [0.9, 0.2])]
    result = finished([pack(network, 1000.0) for network in networks], until_steady=True)
    assert (result.status == 2).all()
    winner = (3 + np.sqrt(5)) / 2
    np.testing.assert_allclose(result.final, [[winner, 0], [winner, 0]], atol=1e-6)
    assert (result.reached < 1000).all()


def test_one_member_fails_and_the_others_do_not() -> None:
    """dx/dt = x^2 with x(0) = 1 ends at t = 1; with x(0) = 0.1 it reaches 1/(10 - t)."""

    def explosive(start: float) -> brnn.Network:
        layer = brnn.Layer.additive("F1", 1, A=0.0, initial=start)
        return brnn.Network("f", [layer], [brnn.Projection("F1", "F1", "excitatory", brnn.Power(1.0, 2.0))])

    result = finished([pack(explosive(x), 5.0) for x in (0.1, 1.0, 0.05)])
    assert result.status.tolist() == [1, 3, 1]
    np.testing.assert_allclose(result.final[[0, 2], 0], [0.2, 1 / 15], rtol=1e-5)
    assert abs(result.reached[1] - 1.0) < 1e-6
    with pytest.raises(brnn.IntegrationError, match="t = 1") as raised:
        brnn.simulate(explosive(1.0), 5.0, solver="compiled")
    assert raised.value.variable == "F1.x[0]"


def test_members_restart_at_each_break_point() -> None:
    """A leaky cell under pulses, piece by piece by exponentials."""
    pulses = [(0.5, 0.6), (2.0, 2.001), (3.0, 4.5)]
    networks = [
        brnn.Network(
            "leaky",
            [brnn.Layer.additive("F1", 1, A=2.0)],
            stimuli=[brnn.Stimulus("F1", pattern=height, schedule=brnn.Pulse(*pulse))],
        )
        for height, pulse in zip((1.0, 1000.0, 3.0), pulses, strict=True)
    ]
    result = finished([pack(network, 5.0) for network in networks], rtol=1e-9, atol=1e-12)
    for k, (height, (on, off)) in enumerate(zip((1.0, 1000.0, 3.0), pulses, strict=True)):
        exact = 0.5 * height * (1 - np.exp(-2 * (off - on))) * np.exp(-2 * (5.0 - off))
        assert result.final[k, 0] == pytest.approx(exact, rel=1e-7)


def test_members_that_differ_in_numbers_can_be_built_at_once() -> None:
    A, half = RNG.uniform(0.5, 1.5, 40), RNG.uniform(0.2, 0.8, 40)
    start = RNG.uniform(0, 1, 5)

    def build(a: object, h: object) -> brnn.Network:
        return brnn.models.rcf.build(A=a, signal=brnn.Sigmoid(1.0, h, 2.0), initial=start)  # type: ignore[arg-type]

    together = run_ensemble(Ensemble.together(pack(build(Varying(A), Varying(half)), 20.0), 40), **TOLERANCES)
    alone = finished([pack(build(float(a), float(h)), 20.0) for a, h in zip(A, half, strict=True)])
    assert np.array_equal(together.final, alone.final)
    assert np.array_equal(together.counts, alone.counts)


def test_compiled_runs_save_what_was_asked_for_in_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for three rows gives the same 300 rows as room for all of them; a file of it runs again to the last bit."""
    network = fields(2)[1]
    times = np.linspace(0.0, 20.0, 300)
    whole = brnn.simulate(network, 20.0, times=times, solver="compiled")
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", 3 * 8 * 6)
    parts = brnn.simulate(network, 20.0, times=times, solver="compiled")
    assert np.array_equal(whole["rcf.x"], parts["rcf.x"])
    exact = brnn.simulate(network, 20.0, times=times, solver="DOP853", rtol=1e-11, atol=1e-13)["rcf.x"]
    np.testing.assert_allclose(whole["rcf.x"], exact, rtol=1e-5, atol=1e-8)
    steady = brnn.simulate(network, until="steady", solver="compiled")
    rest = brnn.simulate(network, until="steady").final("rcf")
    assert steady.status == "steady"
    np.testing.assert_allclose(steady.final("rcf"), rest, atol=1e-5)
