"""Rosenbrock steps of networks whose cells meet in totals alone: their matrices, their accuracy, who takes them."""

from __future__ import annotations

import itertools
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import in_python
from scipy.integrate import solve_ivp

import brnn
from brnn.compiler import compile_network
from brnn.compiler.cell_jacobian import CellJacobian
from brnn.ensemble import cells as ways
from brnn.ensemble.arrays import EnsembleLayout, Member, pack
from brnn.ensemble.run import Ensemble, Finished, run_ensemble
from brnn.files.sweep.describe import describe_sweep
from brnn.integrate.methods.rosenbrock import ROS34PW2Totals
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.low_rank import LowRank

SOLVER = "ROS34PW2-totals"


def slow_gates(
    n: int, inputs: object, v: float = 1.0, rate: float = 0.02, seed: int = 0, off: float = 25.0
) -> brnn.Network:
    """Return a field whose cells excite themselves, and inhibit all others through a gate for each cell."""
    rng = np.random.default_rng(seed)
    f = brnn.Sigmoid(rng.uniform(0.5, 2.0), 0.5)
    gate = brnn.HabituativeGate(rate, 1.0, rate, per="source")
    return brnn.Network(
        "gates",
        [brnn.Layer.shunting("F", n, A=1.0, B=3.0, D=0.0)],
        [
            brnn.Projection("F", "F", "excitatory", f, brnn.OneToOne()),
            brnn.Projection("F", "F", "inhibitory", f, brnn.AllButSelf(v), gate=gate),
        ],
        [brnn.Stimulus("F", "excitatory", inputs, brnn.Pulse(0.0, off))],
    )


def several_layers(n: int = 5) -> brnn.Network:
    """Return three layers: two of the same size, whose cells meet, and one of another; the ranks of all are four."""
    rng = np.random.default_rng(1)
    f, gate = brnn.Sigmoid(1.5, 0.5), brnn.HabituativeGate(0.3, 1.0, 2.0, per="source")
    return brnn.Network(
        "layers",
        [
            brnn.Layer.shunting("a", n, A=1.0, B=2.0, D=0.3, initial=rng.uniform(0, 1, n)),
            brnn.CohenGrossbergLayer("b", n, a=brnn.Function("1 + w**2"), b=brnn.Function("0.5 - 2*w - w**3")),
            brnn.GatedLayer("c", n - 2, A=0.5, B=1.0, C=1.0, E=0.0, F=1.0, rest=0.1, gain=1.0),
        ],
        [
            brnn.Projection("a", "a", "excitatory", f, brnn.OneToOne(0.5), gate=gate),
            brnn.Projection("a", "a", "inhibitory", f, brnn.AllButSelf(0.7)),
            brnn.Projection("a", "b", "inhibitory", brnn.Function("tanh(w)"), brnn.OneToOne(0.4)),
            brnn.Projection("b", "a", "inhibitory", brnn.Linear(0.3), brnn.AllToAll(0.2)),
            brnn.Projection("a", "c", "excitatory", f, brnn.AllToAll(0.6), gate=gate),
            brnn.Projection("c", "c", "modulatory", brnn.Linear(0.3), brnn.AllButSelf(0.8)),
        ],
        [brnn.Stimulus("a", "excitatory", rng.random(n), brnn.Sine(0.3, 0.5, 1.0))],
    )


def at_random(network: brnn.Network) -> tuple[CellJacobian, np.ndarray]:
    """Return the parts of the Jacobian at a random state, and the state."""
    system = compile_network(network)
    u = np.random.default_rng(2).uniform(0.1, 0.9, system.size)
    parts = CellJacobian(system)
    parts.update(parts.of(system.rhs(0.4)), 0.4, u)
    return parts, u


def dense(parts: CellJacobian) -> np.ndarray:
    """Return D + U^T W as one matrix."""
    J = parts.spread.T @ parts.summed
    for starts, cells, own in zip(parts.groups, parts.cells, parts.own, strict=True):
        for i in range(cells):
            J[np.ix_(starts + i, starts + i)] += own[:, :, i]
    return np.asarray(J)


@pytest.mark.parametrize(("network", "shape"), [(slow_gates(4, 1.0), [(2, 4)]), (several_layers(), [(4, 5), (1, 3)])])
def test_the_parts_make_the_jacobian(network: brnn.Network, shape: list[tuple[int, int]]) -> None:
    """Central differences of du/dt judge."""
    parts, u = at_random(network)
    J = dense(parts)
    rhs, h = compile_network(network).rhs(0.4), 1e-6
    differences = [(rhs(0.4, u + h * e) - rhs(0.4, u - h * e)) / (2.0 * h) for e in np.eye(u.size)]
    np.testing.assert_allclose(J.T, differences, atol=1e-8)
    assert [(len(starts), cells) for starts, cells in zip(parts.groups, parts.cells, strict=True)] == shape


@pytest.mark.parametrize("m", [1e-3, 0.3, 50.0])
@pytest.mark.parametrize("network", [slow_gates(4, 1.0), several_layers()])
def test_it_solves_and_multiplies_as_numpy_does(network: brnn.Network, m: float) -> None:
    parts, u = at_random(network)
    system, J, b = compile_network(network), dense(parts), np.random.default_rng(3).normal(size=u.size)
    matrix = LowRank(Piece(system.rhs(0.4), 0.0, u, 1.0, 1e-6, 1e-9, system))
    matrix.update(0.4, u)
    matrix.factor(m)
    found, product = np.empty(b.size), np.zeros(b.size)
    matrix.solve(b, found)
    np.testing.assert_allclose(found, np.linalg.solve(np.eye(b.size) - m * J, b), rtol=1e-10, atol=1e-12)
    matrix.add_product(m, b, product)
    np.testing.assert_allclose(product, m * J @ b, rtol=1e-10, atol=1e-12)


def test_order_three() -> None:
    network = several_layers()
    system = compile_network(network)
    u, rhs, errors = system.initial_state(), system.rhs(0.5), []
    exact = solve_ivp(rhs, (0.0, 1.0), u, "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    for steps in (10, 20, 40):
        solver = ROS34PW2Totals().stepper(Piece(rhs, 0.0, u, 1.0, rtol=1e9, atol=1e9, system=system))
        for _ in range(steps):  # every step is accepted
            solver.h_abs = 1.0 / steps
            solver.step()
        assert solver.t == pytest.approx(1.0)
        errors.append(np.abs(solver.y - exact).max())
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders.mean() == pytest.approx(3.0, abs=0.3)


@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_the_error_stays_within_ten_tolerances_and_within_the_bounds(rtol: float) -> None:
    """Of random networks in the transients after inputs begin and end; Radau judges."""
    times, worst = np.array([0.01, 0.1, 1.0, 10.0, 25.0, 25.01, 26.0, 60.0]), []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        network = slow_gates(6, 10.0 ** rng.uniform(-1, 2, 6), 10.0 ** rng.uniform(0, 3), rng.uniform(0.01, 0.3), seed)
        result = brnn.simulate(network, 60.0, times=times, solver=SOLVER, rtol=rtol, atol=1e-3 * rtol)
        system, state, at = compile_network(network), None, []
        for start, stop in ((0.0, 25.0), (25.0, 60.0)):
            some = times[(times > start) & (times <= stop)]
            state = system.initial_state() if state is None else state
            done = solve_ivp(
                system.rhs(0.5 * (start + stop)), (start, stop), state, "Radau", some, rtol=1e-8, atol=1e-11
            )
            state = done.y[:, -1]
            at.append(done.y.T)
        expected = np.concatenate(at)
        found = np.concatenate([result[v.name].values for v in system.variables], axis=1)
        worst.append(np.max(np.abs(found - expected) / (1e-3 * rtol + rtol * np.abs(expected).max(axis=0))))
        assert found.min() >= 0.0
        assert found[:, :6].max() <= 3.0
        assert result.solver.details["largest_projection"] <= 10.0 * rtol
    assert max(worst) <= 10.0


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"topology": brnn.GaussianKernel(1.0, 1.0)}, "GaussianKernel"),
        ({"learning": brnn.Outstar(0.1)}, "learns"),
        ({"gate": brnn.HabituativeGate(0.1, 1.0, 1.0, per="connection")}, "gate for each connection"),
        ({"delay": 0.1}, "delay"),
    ],
)
def test_it_names_the_part_that_does_not_fit(change: dict[str, object], part: str) -> None:
    arguments: dict[str, object] = {"topology": brnn.AllButSelf(1.0), **change}
    link = brnn.Projection("F", "F", "inhibitory", brnn.Sigmoid(1.0, 0.5), **arguments)  # type: ignore[arg-type]
    network = brnn.Network("other", [brnn.Layer.shunting("F", 4, A=1.0, B=1.0)], [link])
    with pytest.raises(brnn.InputError, match=part):
        brnn.simulate(network, 1.0, solver=SOLVER)


@pytest.mark.parametrize(("n", "T", "before"), [(2100, 100.0, "; from the start ETD4: stiff"), (400, 400.0, "")])
def test_auto_takes_it_where_totals_are_what_is_stiff(n: int, T: float, before: str) -> None:
    """Four equations, of one cell and its gate of each of two groups, are the reference.

    Alone, ETD4 would make 15,000 steps of the larger network; of the smaller one LSODA would make a matrix.
    """
    v, rate, inputs = 1.0, 0.02, np.array([5.0, 20.0])

    def pair(t: float, u: np.ndarray) -> np.ndarray:
        x, y = u[:2], u[2:]
        f = gain * x**2 / (0.25 + x**2)
        s = f * y
        inh = v * (0.5 * n * s.sum() - s)
        return np.concatenate([-x + (3.0 - x) * (inputs + f) - x * inh, rate * (1.0 - y) - rate * f * y])

    network = slow_gates(n, np.repeat(inputs, n // 2), v, rate, off=T)
    gain = np.random.default_rng(0).uniform(0.5, 2.0)
    result = brnn.simulate(network, T, times=[T])
    reason = result.solver.details["reason"]
    assert result.solver.method == SOLVER
    assert before in reason
    assert f"{SOLVER}: stiff{' by what totals over cells do' if before else ''}, " in reason
    assert result.solver.steps < 2_000
    exact = solve_ivp(pair, (0.0, T), [0, 0, 1, 1], "Radau", rtol=1e-10, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(result["F.x"].values[0, [0, -1]], exact[:2], rtol=1e-5, atol=1e-8)


def test_auto_takes_another_one_where_a_law_has_no_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROS34PW2Totals, "fits", lambda *_: False)
    result = brnn.simulate(slow_gates(260, 20.0), 400.0, times=[400.0])
    assert result.solver.method == "LSODA"


# Members of the ensemble: the same matrices, in the steps of Rodas4.


def by_hand(n: int, v: float, rate: float, gain: float, inputs: np.ndarray, t: float, u: np.ndarray) -> np.ndarray:
    """Return du/dt of `slow_gates`, written anew."""
    x, y = u[:n], u[n:]
    f = gain * x**2 / (0.25 + x**2)
    s = f * y
    return np.concatenate(
        [-x + (3.0 - x) * ((inputs if t < 25.0 else 0.0) + f) - x * v * (s.sum() - s), rate * (1.0 - y) - rate * f * y]
    )


def in_both_ways(
    monkeypatch: pytest.MonkeyPatch, members: list[Member], times: np.ndarray
) -> tuple[Finished, Finished]:
    """Return what members come to with steps in O(cells), and with matrices of all unknowns."""
    work, found = Ensemble.of(members), []
    for fewest in (1, 10**9):
        monkeypatch.setattr(ways, "FEWEST", fewest)
        found.append(run_ensemble(work, rtol=1e-6, atol=1e-9, times=times))
    return found[0], found[1]


def test_members_come_to_the_same_in_both_ways_and_to_what_radau_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random fields of twelve cells with gates, whose inhibition is fast."""
    n, times, members, exact = 12, np.array([0.5, 10.0, 25.0, 25.5, 40.0]), [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        inputs, v, rate = 10.0 ** rng.uniform(-1, 2, n), 10.0 ** rng.uniform(3, 5), rng.uniform(0.01, 0.3)
        members.append(pack(slow_gates(n, inputs, v, rate, seed), 40.0))
        gain, at, state = np.random.default_rng(seed).uniform(0.5, 2.0), [], np.repeat([0.0, 1.0], n)
        for start, stop in ((0.0, 25.0), (25.0, 40.0)):
            some, middle = times[(times > start) & (times <= stop)], 0.5 * (start + stop)
            done = solve_ivp(
                lambda t, u, a=(n, v, rate, gain, inputs, middle): by_hand(*a, u),
                (start, stop), state, "Radau", some, rtol=1e-8, atol=1e-11,
            )  # fmt: skip
            state = done.y[:, -1]
            at.append(done.y.T)
        exact.append(np.concatenate(at))
    low, dense = in_both_ways(monkeypatch, members, times)
    assert (low.counts[:, 2] > 20).all()
    assert (low.counts[:, 1] < dense.counts[:, 1]).all()  # of the Jacobian one evaluation, not one for each unknown
    for k, expected in enumerate(exact):
        tolerance = 1e-9 + 1e-6 * np.abs(expected).max(axis=0)
        for found in (low, dense):
            assert np.max(np.abs(found.trajectory[k] - expected) / tolerance) <= 10.0, f"seed {k}"


def test_layers_of_several_sizes_with_fast_rates_make_the_same_steps_in_both_ways(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = several_layers()
    fast = brnn.Network(
        "fast",
        [brnn.Layer.shunting("a", 5, A=1e5, B=2.0, D=0.3, initial=0.5), *network.layers[1:]],
        network.projections,
        network.stimuli,
    )
    low, dense = in_both_ways(monkeypatch, [pack(fast, 8.0)], np.linspace(0.0, 8.0, 9))
    assert low.counts[0, 2] == dense.counts[0, 2] > 20
    np.testing.assert_allclose(low.trajectory, dense.trajectory, rtol=1e-6, atol=1e-9)
    monkeypatch.setattr(ways, "FEWEST", 1)
    result = brnn.simulate(fast, 8.0, times=np.linspace(0.0, 8.0, 9), solver="compiled")
    assert np.array_equal(result["a.x"], low.trajectory[0, :, :5])
    assert "Rodas4 in O(cells), 5 and 3 cells" in result.solver.details["reason"]


QUALIFY = (
    "adaptation_level", "competitive_market", "depressing_synapse", "gated_dipole", "gated_pacemaker",
    "leaky_competing_accumulator", "membrane", "organics", "rcf", "slow_inhibition", "store", "wilson_cowan",
)  # fmt: skip


@pytest.mark.parametrize(
    ("n", "said"), [(5, "Rodas4, a matrix of 5 x 5"), (12, "Rodas4 in O(cells), 12 cells and rank 1")]
)
def test_a_sweep_says_how_its_stiff_members_make_steps(n: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    brnn.sweep("rcf", brnn.Grid(n=[n], A=[0.5, 1.0]), duration=0.1, out=path).close()
    assert f"where steps are stiff: {said}" in describe_sweep(path)


def uncompiled(layout: EnsembleLayout, path: Path) -> dict[str, Any]:
    """Return the functions of one lane as the Python that they are."""
    found = ways._code(layout.equations, layout.constants)
    assert found is not None
    lines = [line for line in found.source.splitlines() if not line.startswith(("import ", "from "))]
    plain = {"np": np, "part": lambda array, first: array[first:], "LANE_SIGNATURE": None, "NoAlias": None}
    names: dict[str, Any] = plain | dict.fromkeys(
        ("cfunc", "compiled_once"), lambda *_, **__: lambda function: function
    )
    path.write_text("\n".join(lines))
    return runpy.run_path(str(path), names)


@pytest.mark.parametrize("name", [*QUALIFY, "slow_gates", "several_layers", "quadratic"])
def test_of_each_law_and_gate_the_parts_make_the_jacobian(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Central differences of du/dt of the network alone judge, whose lanes are compared elsewhere."""
    monkeypatch.setattr(ways, "FEWEST", 1)
    own = {"slow_gates": lambda: slow_gates(4, 1.0), "several_layers": several_layers, "quadratic": quadratic}
    network = own[name]() if name in own else brnn.models.load(name).build()
    member = pack(network, 20.0)
    layout, steps = member.layout, ways.CellSteps(member.layout)
    plan, functions = steps.plan, uncompiled(layout, tmp_path / "one.py")
    assert plan is not None
    q = np.zeros(layout.rows)
    q[: member.numbers.size] = member.numbers
    q[layout.array_rows] = np.concatenate([np.zeros(0), *member.arrays])
    q[layout.segment_rows] = member.segments[0]
    t, size = 0.5 * member.stops[0], plan.unknowns
    u = np.random.default_rng(2).uniform(0.1, 0.9, size)
    edges, begins, sizes, width = steps.places()
    work, du = np.zeros(width), np.zeros(size)

    def slopes(u: np.ndarray) -> np.ndarray:
        out = np.zeros(size)
        functions["slopes"](np.array([t]), u, out, edges, q, work, work, layout.whole)
        return out

    functions["parts"](np.array([t]), u, du, edges, q, work, work, layout.whole)
    np.testing.assert_array_equal(du, slopes(u))
    numbers = np.zeros(plan.size)
    for begin, place, count in zip(begins, plan.places, sizes, strict=True):
        if place >= 0:
            numbers[place : place + count] = work[begin : begin + count]
    U, W = numbers[plan.size - 2 * plan.rank * size :].reshape(2, plan.rank, size)
    J, at = U.T @ W, 0
    for starts, count in zip(plan.groups, plan.cells, strict=True):
        for r, c in itertools.product(starts, starts):
            J[r + np.arange(count), c + np.arange(count)] += numbers[at : at + count]
            at += count
    h = 1e-6
    np.testing.assert_allclose(du, in_python(compile_network(network), t)(t, u), rtol=1e-12, atol=1e-12)
    differences = [(slopes(u + h * e) - slopes(u - h * e)) / (2.0 * h) for e in np.eye(size)]
    np.testing.assert_allclose(J.T, differences, rtol=1e-6, atol=1e-7)


def quadratic() -> brnn.Network:
    """Return a field with a gate of the second kind, a norm, and a layer that it turns up."""
    f = brnn.Sigmoid(1.5, 0.5)
    gate = brnn.QuadraticGate(0.3, 1.0, 2.0, 0.5, per="source")
    return brnn.Network(
        "quadratic",
        [brnn.Layer.additive("a", 4, A=0.7), brnn.ModulatedLayer("b", 4, A=1.0, B=1.0, D=0.2)],
        [
            brnn.Projection("a", "a", "inhibitory", f, brnn.AllButSelf(0.4), gate=gate),
            brnn.Projection("a", "b", "excitatory", f, brnn.AllToAll(0.5)),
            brnn.Projection("b", "b", "modulatory", f, brnn.AllButSelf(0.5)),
        ],
        [brnn.Stimulus("a", "excitatory", np.arange(4.0))],
    )
