"""The equations that are printed are those that are compiled: read as text and evaluated, they give the same du/dt."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse
from networks import SMALL
from reference import in_python
from typer.testing import CliRunner

import brnn
from brnn import models
from brnn.cli.app import app
from brnn.compiler import System, compile_network
from brnn.equations import equations_of
from brnn.spec.variable import Variable
from tests.equations import Calculator
from tests.parts import delayed, every_part

LINE = re.compile(r"  (?:d ?)?(\S+?)(?:/dt|\(t \+ \S+\))? = (.*)    \(.*\)")


def parts(text: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return the right-hand sides of the states, the formulas of letters, and the other definitions, as texts."""
    above, _, below = text.partition("\nwhere\n")
    states = {}
    for line in above.partition("\nevents\n")[0].strip().splitlines()[2:]:
        names, set_by_events, _ = line.strip().partition(": set by events alone")
        rates = dict.fromkeys(re.split(r", (?!k\])", names), "0") if set_by_events else LINE.fullmatch(line).groups()
        states |= rates if set_by_events else [rates]
    states = {name.partition("[")[0]: rate for name, rate in states.items()}
    letters, others = {}, {}
    for line in below.splitlines():
        left, right = line[2:].split(" = ", 1)
        if left.endswith("(w)"):
            formula, cut, _ = right.partition(" for w ≥ 0, 0 for w < 0")
            letters[left[:-3]] = f"where(w < 0, 0, {formula})" if cut else formula
        else:
            others.setdefault(left.partition("[")[0], right)
    return states, letters, others


def connections(network: brnn.Network, variable: Variable) -> Any:
    """Return the matrix whose stored elements have the numbers of a variable, if they are such."""
    for link in network.projections:
        if link.name == variable.group and link.topology.storage == "sparse" and "connection" in variable.dims:
            return link.topology.csr
    return None


def states_of(system: System, u: np.ndarray) -> dict[str, Any]:
    """Return each state as the text has it: of one axis for each index."""
    result = {}
    for variable in system.variables:
        values = u[variable.start : variable.stop]
        csr = connections(system.network, variable)
        if csr is not None:
            values = sparse.csr_array((values, csr.indices, csr.indptr), csr.shape).toarray()
        elif variable.role != "stm":
            values = values.reshape(variable.shape)
        name = "x" if variable.role == "stm" and len(system.network.layers) == 1 else variable.name
        result[name] = np.squeeze(values)
    return result


def constants_of(network: brnn.Network, t: float) -> dict[str, Any]:
    """Return inputs, strengths, arrays of parameters and windows of learning at time t."""
    result: dict[str, Any] = {}
    for layer in network.layers:
        prefix = "" if len(network.layers) == 1 else f"{layer.name}."
        for kind, letter in (("excitatory", "I"), ("inhibitory", "J"), ("modulatory", "M")):
            inputs = [s for s in network.stimuli if s.target == layer.name and s.kind == kind and s.on]
            values = [s.at(t, layer.shape).ravel() for s in inputs if not s.schedule.white]
            result[f"{prefix}{letter}"] = np.squeeze(sum(values, np.zeros(layer.cells)))
        for name in layer.parameters:
            result[f"{prefix}{name}"] = np.squeeze(np.ravel(getattr(layer, name)))
    for link in network.projections:
        shapes = network.layer(link.source).shape, network.layer(link.target).shape
        result[f"{link.name}.W"] = np.squeeze(link.topology.strengths(*shapes))
        if link.learning is not None and link.learning.schedule is not None:
            result[f"{link.name}.window"] = brnn.Stimulus("F", "excitatory", 1.0, link.learning.schedule).at(t, ())
    return result


def printed_slope(network: brnn.Network, t: float, u: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return du/dt as the printed equations give it; `before` is the state at every earlier time."""
    states, letters, others = parts(equations_of(network).text())
    system = compile_network(network)
    late, du = states_of(system, before), np.empty_like(u)

    def at_another_time(name: str, time: float) -> Any:
        return (
            late[name] if time < t else states_of(system, du)[name]
        )  # of the step after this, if that is known by now

    calculate = Calculator(states_of(system, u) | constants_of(network, t), at_another_time, letters, t)
    for name, text in others.items():
        if name.rpartition(".")[2] in ("exc", "inh", "mod"):
            calculate.arrays[name] = np.squeeze(calculate(text))
    assert len(states) == len(system.variables)
    for variable in system.variables:
        name = variable.name if variable.name in states else variable.name.rpartition(".")[2]
        value = np.asarray(calculate(states[name]), dtype=float)
        csr = connections(network, variable)
        if csr is not None:
            rows = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
            value = np.broadcast_to(value[:, :, 0], csr.shape)[rows, csr.indices]
        du[variable.start : variable.stop] = np.broadcast_to(np.ravel(value), variable.size)
    return du


def assert_the_same(network: brnn.Network, slope: Callable[..., np.ndarray] | None = None) -> None:
    system = compile_network(network)
    rng = np.random.default_rng(3)
    for t in (0.3, 0.45 * (network.duration or 1.0) + 0.0123):
        u, before = rng.uniform(0.05, 0.9, (2, system.size))
        expected = in_python(system, t, lambda _, before=before: before)(t, u) if slope is None else slope(t, u)
        found = printed_slope(network, t, u, before)
        assert np.abs(found - expected).max() <= 1e-9 * (1.0 + np.abs(expected).max())


@pytest.mark.parametrize("name", models.names())
def test_the_equations_of_every_model_are_those_that_are_compiled(name: str) -> None:
    assert_the_same(models.load(name).build(**SMALL.get(name, {})))


def test_compiled_and_printed_agree_where_numba_runs() -> None:
    network = models.rcf.build()
    assert_the_same(network, lambda t, u: compile_network(network).rhs(t)(t, u))


@pytest.mark.parametrize("build", [every_part, delayed], ids=lambda build: build.__name__)
def test_so_are_those_of_parts_that_no_model_has(build: Callable[[], brnn.Network]) -> None:
    assert_the_same(build())


def test_a_wrong_number_in_the_text_is_found() -> None:
    network = models.gated_dipole.build()
    u = np.full(compile_network(network).size, 0.5)
    right = printed_slope(network, 0.5, u, u)
    text = equations_of(network).text()
    assert text.count("0.05·(1 - ") == 2
    wrong = printed_slope(models.gated_dipole.build(H=0.06), 0.5, u, u)
    assert np.flatnonzero(wrong != right).tolist() == [6, 7]  # the two gates


def test_the_recurrent_competitive_field_reads_as_in_the_literature() -> None:
    said = CliRunner().invoke(app, ["show", "rcf", "--set", "A=0.5", "--equations"]).output
    assert "dx[i]/dt = -0.5·x[i] + (3 - x[i])·(I[i] + f(x[i])) - x[i]·Σ_{k≠i} f(x[k])" in said
    assert "f(w) = w²/(0.5² + w²) for w ≥ 0, 0 for w < 0" in said
    assert "·[0 ≤ t < 1]" in said
    latex = CliRunner().invoke(app, ["show", "rcf", "--latex"]).output
    assert r"\frac{d x_{i}}{dt} &= -x_{i} + \left(3 - x_{i}\right)\,\left(I_{i} + f(x_{i})\right)" in latex
    assert r"- x_{i}\,\sum_{k \ne i} f(x_{k})" in latex


def test_what_where_asks_stands_without_brackets() -> None:
    signal = brnn.Function("where(w < 0.5, where(w < 0.25, 0.1, 0), w)")
    network = brnn.Network("n", [brnn.Layer.additive("F", 9, A=1.0)], [brnn.Projection("F", "F", signal=signal)])
    assert_the_same(network)
    assert "where(w < 0.5, where(w < 0.25, 0.1, 0), w)" in equations_of(network).text()


def test_noise_and_delays_are_said() -> None:
    noisy = brnn.Network(
        "n", [brnn.Layer.additive("F", 2, A=1.0)], [], [brnn.Stimulus("F", "excitatory", 0.5, brnn.WhiteNoise())]
    )
    assert "I[i] = 0.5·ξ[i](t) (white noise, independent in each cell; Itô)" in equations_of(noisy).text()
    assert "Σ_k F_F_exc.W[i,k]·x[k](t - 0.5)" in equations_of(delayed()).text()
    assert "x[i](t + 1) = sign(" in equations_of(models.mcculloch_pitts.build()).text()


def test_what_events_do_is_said_in_the_place_of_rates_that_are_0() -> None:
    text = equations_of(models.distributed_artmap.build()).text()
    assert "/dt = 0" not in text
    assert "vigilance.x, tried.x[i], category.x[i]" in text
    assert "  onset, when a phase train begins: tried.x = 0\n" in text
    assert "  reset, when tried.x[i] rises to 0.5: the best node that was not tried, or a new one, codes it" in text
    assert "set by events alone" in equations_of(models.distributed_artmap.build()).latex()
    gaze = "if p crosses, the gaze (gaze.x) goes from e to e + p - 40, and with it the maps of parietal_to_memory"
    assert f"when the largest colliculus.x rises to 0.3: {gaze}" in equations_of(models.listelos.build()).text()
    silent = brnn.Layer.additive("register", 2, A=0.0)
    kept = equations_of(brnn.Network("n", [silent, brnn.Layer.additive("F", 1, A=1.0)])).text()
    assert "d register.x[i]/dt = 0 " in kept  # nothing sets it


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (brnn.Event("e", brnn.AtTimes([1.0, 0.5]), brnn.SetState("F", 2.0, "all", scale=0.5)),
         "when t = 0.5, 1: F.x = 0.5·F.x + 2"),
        (brnn.Event("e", brnn.AtTimes(np.arange(20.0)), [brnn.SetState("F", 0.0, "all"), brnn.SetState("G", 0.0, [1])]),
         "when t is one of 20 times from 0 to 19: F.x, G.x[1] = 0"),
        (brnn.Event("e", brnn.Crossing("F", 0.5, "falling"), brnn.SetState("F", 1.0, "others", scale=1.0), once=True),
         "when F.x[i] falls to 0.5, once: F.x of the others = F.x + 1"),
        (brnn.Event("e", brnn.Crossing("F", 0.5, per="total"), [brnn.SwitchStimulus("s", False), brnn.StopRun()]),
         "when the sum of F.x rises to 0.5: stimulus s goes off; the run ends"),
        (brnn.Event("e", brnn.Crossing("F", 1.0), brnn.SampleWinner("F", others=None), refractory=0.2,
                    schedule=brnn.Pulse(0.0, 1.0)),
         "when F.x[i] rises to 1, not again for 0.2, while Pulse(on=0, off=1): "
         "a cell, drawn by p_i ~ f(F.x[i]) with f(w) = Linear(gain=1): F.x = 1"),
        (brnn.Event("e", brnn.PhaseBegins("p"), [brnn.SetParameter("F.A", 1 - 0.8), brnn.StartStimulus("s")]),
         "when a phase p begins: F.A = 0.2 from now on; stimulus s begins"),
        (brnn.Event("e", brnn.PhaseBegins("p"), brnn.NextPhase()), "when a phase p begins: the phase ends"),
        (brnn.Event("e", brnn.PhaseBegins("p")), "when a phase p begins: it is recorded"),
    ],
)  # fmt: skip
def test_events_in_words(event: brnn.Event, words: str) -> None:
    assert event.words == words


def test_sums_that_are_too_long_for_sbml() -> None:
    """Elements of a sum are nested in SBML; a network of 780,000 numbers ended in a RecursionError."""
    from brnn.equations.sbml import to_sbml
    from brnn.equations.scalar import scalar_equations

    strengths = brnn.Dense(np.ones((1, 300)))
    layers = [brnn.Layer.additive("many", 300, A=1.0), brnn.Layer.additive("one", 1, A=1.0)]
    network = brnn.Network(
        "long", layers, [brnn.Projection("many", "one", "excitatory", topology=strengths)], duration=1.0
    )
    with pytest.raises(brnn.InputError, match="at most 200 can be nested in SBML"):
        to_sbml(scalar_equations(network))
