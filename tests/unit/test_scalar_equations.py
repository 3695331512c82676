"""The equations one unknown at a time, against the compiled right-hand side; .ode files run by XPPAUT's own code."""

from __future__ import annotations

import ast
import itertools
import math
import operator
from pathlib import Path

import numpy as np
import pytest
from networks import SMALL

import brnn
from brnn import models
from brnn.compiler import compile_network
from brnn.equations.ode import to_ode
from brnn.equations.pyrates import to_pyrates
from brnn.equations.sbml import to_sbml
from brnn.equations.scalar import ScalarEquations, scalar_equations

_BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
_COMPARED = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_CALLED = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "tanh": math.tanh, "sin": math.sin, "cos": math.cos,
    "abs": abs, "min": min, "max": max, "delay": lambda x, _: x, "sign": np.sign,
}  # fmt: skip


def value(node: ast.expr, names: dict[str, float]) -> float:
    """A calculator of this test's own."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return math.pi if node.id == "π" else names[node.id]
    if isinstance(node, ast.UnaryOp):
        return -value(node.operand, names)
    if isinstance(node, ast.BinOp):
        return float(_BINARY[type(node.op)](value(node.left, names), value(node.right, names)))
    if isinstance(node, ast.IfExp):
        return value(node.body if value(node.test, names) else node.orelse, names)
    if isinstance(node, ast.Compare):
        values = [value(part, names) for part in (node.left, *node.comparators)]
        return float(all(_COMPARED[type(op)](a, b) for op, a, b in zip(node.ops, values, values[1:], strict=False)))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return float(_CALLED[node.func.id](*(value(argument, names) for argument in node.args)))


def rates(equations: ScalarEquations, time: float, state: np.ndarray) -> np.ndarray:
    names = {u.name: x for u, x in zip(equations.unknowns, state.tolist(), strict=True)} | {"t": time}
    for symbol, formula in equations.auxiliaries:
        names[symbol] = value(formula, names)
    return np.array([value(u.rate, names) for u in equations.unknowns])


_REFUSED = ("white noise", "along a trajectory", "cells that fire", "formulas cannot express")


def written(name: str) -> tuple[brnn.Network, ScalarEquations] | str:
    network = models.load(name).build(**SMALL.get(name, {}))
    try:
        return network, scalar_equations(network)
    except brnn.InputError as error:
        return str(error)


@pytest.mark.parametrize("name", models.names())
def test_every_model(name: str) -> None:
    """At random states and at times in each segment of the inputs, every rate is that of the compiled code."""
    found = written(name)
    if isinstance(found, str):
        assert any(part in found for part in _REFUSED), found
        return
    network, equations = found
    system = compile_network(network)
    assert len(equations.unknowns) == system.size
    expected = [f"{v.name}[{k}]" for v in system.variables for k in range(v.size)]
    assert [f"{u.variable}[{u.index}]" for u in equations.unknowns] == expected
    assert np.array_equal([u.start for u in equations.unknowns], system.initial_state())
    random = np.random.default_rng(7)
    edges = [0.0, *equations.breaks, (equations.duration or 20.0)]
    middles = [0.5 * (a + b) for a, b in itertools.pairwise(edges)]
    for time in middles if len(middles) <= 4 else [*middles[:3], middles[-1]]:
        for low in (0.0, -0.5):
            state = random.uniform(low, 1.0, system.size)
            ours = system.f(time, state)
            np.testing.assert_allclose(
                rates(equations, time, state), ours, rtol=1e-11, atol=1e-12 * np.max(np.abs(ours))
            )


def test_what_is_no_formula_is_said() -> None:
    noisy = models.load("rcf").build(n=2)
    noise = brnn.Stimulus("rcf", "excitatory", 0.1, brnn.WhiteNoise())
    with pytest.raises(brnn.InputError, match="white noise"):
        scalar_equations(noisy.replace(stimuli=(*noisy.stimuli, noise)))
    drawn = brnn.Event("draw", brnn.AtTimes(1.0), brnn.SampleWinner("rcf"))
    with pytest.raises(brnn.InputError, match="SampleWinner, which formulas cannot express"):
        scalar_equations(noisy.replace(events=(drawn,)))
    late = brnn.Event("once", brnn.Crossing("rcf", 0.5), brnn.SetState("rcf", 0.0), once=True)
    with pytest.raises(brnn.InputError, match="once=True"):
        scalar_equations(noisy.replace(events=(late,)))


def test_an_all_but_self_sum_costs_a_term_for_each_cell() -> None:
    lengths = [len(to_ode(scalar_equations(models.load("rcf").build(n=n, pattern=0.1)))) for n in (20, 40, 80)]
    assert lengths[2] - lengths[1] < 2.3 * (lengths[1] - lengths[0])


XPPLAB = {
    "rcf": {"n": 4}, "gated_dipole": {}, "wilson_cowan": {}, "outstar": {}, "slow_inhibition": {}, "store": {},
    "cohen_grossberg": {}, "vite": {}, "bam": {}, "may_leonard": {},
    "mcculloch_pitts": {},
}  # fmt: skip


@pytest.mark.parametrize("name", XPPLAB)
def test_xppaut_runs_the_file_to_the_same_end(name: str, tmp_path: Path) -> None:
    xpplab = pytest.importorskip("xpplab")
    network = models.load(name).build(**XPPLAB[name])
    path = tmp_path / f"{name}.ode"
    duration = min(network.duration or 20.0, 50.0)
    path.write_text(to_ode(scalar_equations(network, duration=duration)))
    run = xpplab.load(path).run()
    equations = scalar_equations(network, duration=duration)
    tolerances = {} if network.step else {"rtol": 1e-9, "atol": 1e-12}
    result = brnn.simulate(network, duration, **tolerances)
    for u in equations.unknowns:
        ours = float(result.final(u.variable).values.ravel()[u.index])
        assert run[u.name.upper()][-1] == pytest.approx(ours, rel=1e-5, abs=1e-7), u


ROADRUNNER = ("rcf", "wilson_cowan", "gated_dipole", "slow_inhibition", "outstar", "store", "may_leonard", "bam")


@pytest.mark.parametrize("name", ROADRUNNER)
def test_libroadrunner_runs_the_sbml_to_the_same_end(name: str) -> None:
    roadrunner = pytest.importorskip("roadrunner")
    network = models.load(name).build(**XPPLAB.get(name, {}))
    duration = min(network.duration or 20.0, 50.0)
    equations = scalar_equations(network, duration=duration)
    engine = roadrunner.RoadRunner(to_sbml(equations))
    engine.integrator.absolute_tolerance, engine.integrator.relative_tolerance = 1e-12, 1e-10
    engine.simulate(0.0, duration, 2)
    result = brnn.simulate(network, duration, rtol=1e-9, atol=1e-12)
    for u in equations.unknowns:
        ours = float(result.final(u.variable).values.ravel()[u.index])
        assert engine[u.name] == pytest.approx(ours, rel=1e-5, abs=1e-7), u


def firing() -> brnn.Network:
    """Cells that are reset when they reach 1 and help the others, and kicks at given times."""
    layer = brnn.Layer.additive("x", 3, 0.5, initial=np.array([0.1, 0.2, 1.4]))
    events = [
        brnn.Event(
            "fires", brnn.Crossing("x", 1.0), [brnn.SetState("x", 0.1), brnn.SetState("x", 0.05, "others", 0.9)]
        ),
        brnn.Event("falls", brnn.Crossing("x", 0.9, "falling", per="total"), brnn.SetState("x", 0.2, "all", 0.5)),
        brnn.Event("kick", brnn.AtTimes([0.0, 2.5]), brnn.SetState("x", 0.3, [0, 2])),
        brnn.Event("seen", brnn.Crossing("x", 0.7)),
    ]
    inputs = brnn.Stimulus("x", "excitatory", np.array([0.9, 0.7, 0.2]))
    return brnn.Network("firing", [layer], [], [inputs], events=events)


def test_events_in_both_programs(tmp_path: Path) -> None:
    roadrunner, xpplab = pytest.importorskip("roadrunner"), pytest.importorskip("xpplab")
    network = firing()
    result = brnn.simulate(network, 8.0, rtol=1e-10, atol=1e-12)
    assert result.events is not None
    assert {"fires", "falls", "kick"} <= set(result.events.name.values.tolist())
    ours = result.final("x").values
    equations = scalar_equations(network, duration=8.0)
    engine = roadrunner.RoadRunner(to_sbml(equations))
    engine.integrator.absolute_tolerance, engine.integrator.relative_tolerance = 1e-12, 1e-10
    engine.simulate(0.0, 8.0, 2)
    np.testing.assert_allclose([engine[f"x{k}"] for k in (1, 2, 3)], ours, rtol=1e-7)
    # XPPAUT does not see an event that another one causes at the same time.
    alone = network.replace(events=tuple(event for event in network.events if event.name != "falls"))
    path = tmp_path / "f.ode"
    path.write_text(to_ode(scalar_equations(alone, duration=8.0)))
    run = xpplab.load(path).run()
    ours = brnn.simulate(alone, 8.0, rtol=1e-10, atol=1e-12).final("x").values
    np.testing.assert_allclose([run[f"X{k}"][-1] for k in (1, 2, 3)], ours, rtol=1e-5)  # events lie on chords of steps


def test_sbml_has_no_discrete_time() -> None:
    with pytest.raises(brnn.InputError, match="time is discrete"):
        to_sbml(scalar_equations(models.load("mcculloch_pitts").build()))


def test_pyrates_has_no_comparisons_events_and_discrete_time() -> None:
    """A sigmoid cut at 0 is a product with a step, which is 1 at 0; its part that is not chosen stays finite."""
    text = to_pyrates(scalar_equations(models.rcf.build(n=2, signal="sigmoid")))
    assert "rcf: CircuitTemplate" in text.splitlines()[2]
    assert "(0.5+0.5*sign(sign(x1-0.0)+0.5))" in text
    assert "maxi(x1, 0.0)**2.0" in text
    assert "  base: CircuitTemplate\n  nodes:\n    p: rcf_node\n" in text
    with pytest.raises(brnn.InputError, match="time is discrete"):
        to_pyrates(scalar_equations(models.load("mcculloch_pitts").build()))
    with pytest.raises(brnn.InputError, match="has events that set its states, and PyRates has none"):
        to_pyrates(scalar_equations(firing()))
