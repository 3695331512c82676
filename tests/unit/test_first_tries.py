"""What people try first either works, or the message says what to write instead."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse
from typer.testing import CliRunner

import brnn
from brnn.cli.app import app
from brnn.errors import FileError, InputError, SpecError
from brnn.spec.layers.base import LayerLaw

P = brnn.Projection


@pytest.mark.parametrize(
    ("attempt", "meant"),
    [
        (lambda: P("a", "b", "exc"), "'excitatory'"),
        (lambda: P("a", "b", "inh"), "'inhibitory'"),
        (lambda: P("a", "b", signal="sigmoid"), "brnn.Sigmoid()"),
        (lambda: P("a", "b", signal="threshold-linear"), "brnn.ThresholdLinear()"),
        (lambda: P("a", "b", signal=brnn.Sigmoid), "brnn.Sigmoid()"),
        (lambda: P("a", "b", signal="w**2/(1 + w**2)"), "brnn.Expression('w**2/(1 + w**2)')"),
        (lambda: P("a", "b", signal=np.tanh), "brnn.Function('tanh(w)')"),
        (lambda: P("a", "b", signal=lambda w: w), "brnn.Function('...') with its formula in w"),
        (lambda: P("a", "b", signal=2.0), "brnn.Linear(gain=2)"),
        (lambda: P("a", "b", topology=np.eye(5)), "brnn.Dense(W), W being this array"),
        (lambda: P("a", "b", topology=[[1.0, 2.0]]), "brnn.Dense(W), W being this array"),
        (lambda: P("a", "b", topology=sparse.eye(5)), "brnn.Sparse(W), W being this matrix"),
        (lambda: P("a", "b", topology="one_to_one"), "brnn.OneToOne()"),
        (lambda: P("a", "b", topology=brnn.Dense), "brnn.Dense(matrix=...)"),
        (lambda: P("a", "b", learning="outstar"), "brnn.Outstar()"),
        (lambda: P("a", "b", gate=brnn.HabituativeGate), "brnn.HabituativeGate(H=..., K=..., L=...)"),
        (lambda: brnn.Stimulus("a", "excitatory", 1.0, (0, 1)), "brnn.Pulse(on=0, off=1)"),
        (lambda: brnn.Stimulus("a", "excitatory", 1.0, "pulse"), "brnn.Pulse(on=..., off=...)"),
        (lambda: brnn.Outstar(sampled="linear"), "brnn.Linear()"),
        (lambda: brnn.CohenGrossbergLayer("F", 2, np.exp, brnn.Linear()), "brnn.Function('exp(w)')"),
    ],
)
def test_the_message_says_what_was_probably_meant(attempt: Callable[[], Any], meant: str) -> None:
    with pytest.raises(SpecError, match=re.escape(f"; did you mean {meant}?")) as caught:
        attempt()
    assert "\n" not in str(caught.value)


def test_what_is_meant_works() -> None:
    assert P("a", "b", signal=brnn.Function("tanh(w)")).signal([-1.0, 1.0]) == pytest.approx(np.tanh([-1.0, 1.0]))
    assert P("a", "b", topology=brnn.Dense(np.eye(5))).topology.strengths((5,), (5,)).tolist() == np.eye(5).tolist()


@pytest.mark.parametrize("make", [brnn.Layer.shunting, brnn.Layer.additive])
def test_whole_numbers_of_any_type_are_sizes(make: Callable[..., brnn.Layer]) -> None:
    more = {"B": 1.0} if make == brnn.Layer.shunting else {}
    for size in (5, 5.0, np.int64(5), np.float64(5.0), (5,), [np.int32(5)], np.array([5]), np.array(5.0)):
        assert make("F", size, A=1.0, **more).shape == (5,)
    assert make("F", np.array([2, 3]), A=1.0, **more).shape == (2, 3)
    for size in (2.5, None, 0, "5", (), np.array([2.5]), np.array([[2, 3]])):
        with pytest.raises(SpecError, match="shape"):
            make("F", size, A=1.0, **more)


def test_a_number_of_times_is_no_list_of_times() -> None:
    with pytest.raises(InputError, match=r"times = 50: must be a list .*np\.linspace\(0, 5, 50\)"):
        brnn.simulate(brnn.models.additive.build(), 5.0, times=50)


def cell(*stimuli: brnn.Stimulus, **more: Any) -> brnn.Network:
    return brnn.Network("cell", [brnn.Layer.additive("F", 2, A=1.0, **more)], [P("F", "F")], list(stimuli))


def test_a_file_is_replaced_as_the_message_says(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    brnn.simulate(cell(initial=1.0), 1.0, record=path).close()
    with pytest.raises(FileError, match="use force=True"):
        brnn.simulate(cell(initial=1.0), 2.0, record=path)
    with brnn.simulate(cell(initial=1.0), 2.0, record=path, force=True) as result:
        assert result.reached == 2.0


def test_a_run_begins_where_another_ended() -> None:
    first = brnn.simulate(cell(initial=[1.0, 2.0]), 1.0)
    second = brnn.simulate(cell(), 1.0, initial=first)
    assert second["F.x"].values[0].tolist() == first.final("F").values.tolist()
    # dx/dt = -x + x: nothing changes; the weights of a learning network are taken over, too.
    link = P("F", "F", learning=brnn.PassiveDecay(rate=0.0, decay=0.5, initial=1.0))
    learning = brnn.Network("n", [brnn.Layer.additive("F", 2, A=1.0)], [link], [brnn.Stimulus("F")])
    half = brnn.simulate(learning, 1.0)
    rest = brnn.simulate(learning, 1.0, initial=half)
    assert rest.final("F_F_exc.z").values == pytest.approx(np.full(2, np.exp(-1.0)), abs=1e-6)


def said(network: brnn.Network, duration: float = 2.0, **options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        brnn.simulate(network, duration, **options)
    return [str(warning.message) for warning in caught]


def test_inputs_that_are_never_on_are_said() -> None:
    late = brnn.Stimulus("F", "excitatory", 1.0, brnn.Pulse(on=50.0, off=60.0))
    (line,) = said(cell(late, initial=0.5))
    assert line == (
        "Stimulus of 'F' is never on in this run, which goes from 0 to 2: its schedule is Pulse(on=50.0, off=60.0)"
    )
    assert said(cell(late, initial=0.5), 51.0) == []
    over = brnn.Stimulus("F", "excitatory", 1.0, brnn.Pulses([[-3.0, -2.0], [-1.0, 0.0]]))
    assert len(said(cell(over, initial=0.5))) == 1
    noise, held = brnn.Noise(seed=1, interval=0.1), brnn.Samples([0.0, 1.5, 3.0], [0.0, 0.0, 1.0])
    on: list[Any] = [brnn.Constant(), brnn.Pulse(-1.0, 0.1), brnn.Ramp(1.0, 6.0), brnn.Sine(1.0), noise, held]
    for schedule in (*on, brnn.Ramp(5.0, 6.0, first=0.5), brnn.Sine(1.0, mean=0.0)):
        assert said(cell(brnn.Stimulus("F", "excitatory", 1.0, schedule))) == []
    for schedule in (brnn.Ramp(5.0, 6.0), brnn.Samples([0.0, 3.0, 4.0], [0.0, 0.0, 1.0])):
        assert "is never on in this run" in said(cell(brnn.Stimulus("F", "excitatory", 1.0, schedule), initial=0.5))[0]


def test_events_that_never_happen_are_said_unless_they_end_something() -> None:
    def with_event(at: Any, *actions: brnn.Action) -> brnn.Network:
        shown = brnn.Stimulus("F", "excitatory", 1.0, name="shown")
        return cell(shown).replace(events=[brnn.Event("then", brnn.AtTimes(at), actions)])

    lesion = brnn.SetState("F.x", 0.5, where="all")
    (line,) = said(with_event([3.0, 4.0], lesion))
    assert line == "Event 'then' never happens in this run, which goes from 0 to 2: t = 3, 4"
    assert said(with_event([1.0, 4.0], lesion)) == said(with_event([3.0], lesion), 3.0) == []
    assert said(with_event(3.0, brnn.SetState("F.x", 0.0, where="all"), brnn.SwitchStimulus("shown", on=False))) == []
    assert (
        len(said(with_event(3.0, brnn.SetState("F.x", 0.0, where="all"), brnn.SwitchStimulus("shown", on=True)))) == 1
    )
    assert len(said(with_event(3.0, brnn.SetState("F.x", where="all", scale=0.5)))) == 1


def test_the_cues_of_a_trial_begin_before_it_is_over() -> None:
    own: dict[str, Any] = {"cues": [41, 14], "onsets": [0, 900], "offsets": [500, 1000]}
    with pytest.raises(brnn.SpecError, match=r"cue 1 \(site 14\): onset 900 is when the trial is over, at 700 ms"):
        brnn.models.listelos.build(**own, duration=700.0)
    brnn.models.listelos.build(**own, duration=950.0)
    brnn.models.listelos.build("gap", duration=300.0)  # only the first saccade: a run of it says what never happens


def test_networks_that_nothing_drives_are_said() -> None:
    (line,) = said(cell())
    assert "cell has no input in this run and no activity at time 0" in line
    assert len(said(cell(brnn.Stimulus("F", "excitatory", 0.0)))) == 1
    assert said(cell(), initial=[0.0, 1.0]) == []
    # What moves by itself is driven: f(0) = 1/2, potentials with another rest, noise, discrete cells that fire at 0.
    spontaneous = brnn.Network("n", [brnn.Layer.additive("F", 2, A=1.0)], [P("F", "F", signal=brnn.Logistic())])
    assert said(spontaneous) == []
    assert said(brnn.Network("n", [brnn.BinaryLayer("F", 2, threshold=0.0, levels="unipolar")])) == []
    noise = brnn.Stimulus("F", "excitatory", 1.0, brnn.WhiteNoise())
    assert said(cell(noise), seed=1) == []


W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])  # [target, source]
ONE, TWO = brnn.Layer.additive("a", 2, A=0.0, initial=[1.0, 2.0]), brnn.Layer.additive("b", 3, A=0.0)
FIELD = brnn.Layer.additive("F", (2, 3), A=1.0)
CELLS = np.arange(6.0).reshape(2, 3)


def learned(weights: Any, topology: brnn.Topology | None = None) -> brnn.Network:
    link = P("a", "b", topology=topology or brnn.AllToAll(), learning=brnn.Outstar(rate=0.0, initial=weights))
    return brnn.Network("n", [ONE, TWO], [link])


def gated(gates: Any, per: str = "connection") -> brnn.Network:
    gate = brnn.HabituativeGate(1, 10, 0, per, gates)
    return brnn.Network("n", [ONE, TWO], [P("a", "b", topology=brnn.Dense(np.ones((3, 2))), gate=gate)])


def own_field(gate: Any = None, learning: Any = None) -> brnn.Network:
    return brnn.Network("n", [FIELD], [P("F", "F", gate=gate, learning=learning)])


def with_event(when: Any, then: Any) -> brnn.Network:
    return brnn.Network("n", [FIELD], events=[brnn.Event("e", when, then)])


@pytest.mark.parametrize("topology", [brnn.AllToAll(), brnn.Dense(np.ones((3, 2)))])
def test_weights_are_taken_in_their_own_order_or_refused(topology: brnn.Topology) -> None:
    # b = t W a with a = (1, 2): dx/dt = sum of 1 and 2 times the weights.
    for weights in (W, W.ravel(), W.tolist()):
        final = brnn.simulate(learned(weights, topology), 1.0).final("b").values
        assert final == pytest.approx(W @ [1.0, 2.0], abs=1e-6)
    with pytest.raises(SpecError, match=r"initial: has shape \(2, 3\), must have 6 elements .*it looks transposed"):
        learned(W.T, topology)


@pytest.mark.parametrize(
    "make",
    [
        lambda turn: gated(turn(W)),
        lambda turn: learned(turn(W), brnn.Sparse(sparse.csr_array(np.ones((3, 2))))),
        lambda turn: own_field(learning=brnn.Outstar(initial=turn(CELLS))),
        lambda turn: own_field(gate=brnn.HabituativeGate(1, 10, 0, "source", turn(CELLS))),
        lambda turn: own_field(gate=brnn.HabituativeGate(1, 10, 0, "connection", turn(CELLS))),
        lambda turn: with_event(brnn.Crossing("F", turn(CELLS)), []),
        lambda turn: with_event(brnn.AtTimes(1.0), brnn.SetState("F", turn(CELLS), "all")),
        lambda turn: brnn.Network("n", [brnn.Layer.additive("F", (2, 3), A=1.0, initial=turn(CELLS))]),
    ],
)
def test_transposed_arrays_of_the_right_size_are_refused(make: Callable[[Any], brnn.Network]) -> None:
    make(lambda array: array)
    with pytest.raises(SpecError, match=r"has shape \((2, 3|3, 2)\), must have"):
        make(np.transpose)


def test_flat_arrays_and_axes_of_one_element_are_taken() -> None:
    row = brnn.Layer.additive("a", 1, A=1.0)
    for weights in (np.ones(3), np.ones((3, 1)), np.ones((1, 3))):
        link = P("a", "b", topology=brnn.AllToAll(), learning=brnn.Outstar(initial=weights))
        assert brnn.Network("n", [row, TWO], [link]).state_shapes["a_b_exc.z"] == (3, 1)
    assert gated(W.ravel()).states["a_b_exc.y"] == 6
    assert with_event(brnn.Crossing("F", CELLS.ravel()), []).state_shapes == {"F.x": (2, 3)}


def test_what_can_be_completed_is_listed() -> None:
    assert {"rcf", "gated_dipole", "names"} <= set(dir(brnn.models))
    result = brnn.simulate(cell(initial=1.0), 1.0)
    assert result._ipython_key_completions_() == ["F.x"]
    assert "read_pattern" in dir(brnn)


def test_a_system_gives_its_slope_and_its_jacobian() -> None:
    # dx_i/dt = -x_i + (2 - x_i) x_i^2 - x_i sum of the others' squares, differentiated by hand.
    square = brnn.Power(exponent=2)
    links = [P("F", "F", "excitatory", square), P("F", "F", "inhibitory", square, brnn.AllButSelf())]
    system = brnn.compile_network(brnn.Network("n", [brnn.Layer.shunting("F", 3, A=1.0, B=2.0)], links))
    for x in (np.array([0.3, 0.5, 0.7]), np.array([0.3, 0.0, 1e-9])):
        total = (x**2).sum()
        assert system.f(0.0, x) == pytest.approx(-x + 2.0 * x**2 - x * total, abs=1e-15)
        expected = -2.0 * np.outer(x, x) + np.diag(-1.0 - total + 4.0 * x)
        assert system.jacobian(0.0, x) == pytest.approx(expected, abs=1e-8)
    with pytest.raises(InputError, match=r"x: has 2 elements, the state vector has 3: F.x \(3\)"):
        system.f(0.0, [1.0, 2.0])
    with pytest.raises(InputError, match="x: must be the state vector, an array of 3 numbers"):
        system.f(0.0, {"F": [1.0, 2.0, 3.0]})


def test_an_equilibrium_has_labels() -> None:
    found = brnn.steady_state(cell(brnn.Stimulus("F")).replace(projections=()))
    assert found.labelled["F.x"].dims == ("F",)
    assert found.labelled["F.x"].values == pytest.approx([1.0, 1.0])


def test_models_are_listed_a_line_each_in_a_pipe() -> None:
    run = CliRunner().invoke
    lines = run(app, ["models"]).output.splitlines()
    assert [line.split()[0] for line in lines] == ["model", *brnn.models.names()]
    listed = json.loads(run(app, ["models", "--json"]).output)
    assert [entry["name"] for entry in listed] == brnn.models.names()


def test_a_network_is_read_from_standard_input() -> None:
    run = CliRunner().invoke
    saved = run(app, ["show", "rcf", "--set", "n=4", "--json"]).output
    assert "rcf: Layer, 4 cells" in run(app, ["show", "-"], input=saved).output
    refused = run(app, ["show", "-"], input="nothing").exception
    assert str(refused).startswith("standard input: not a Network in JSON")


def test_classes_of_ones_own_that_lack_something() -> None:
    """One line says what is missing, where the class is used; before it was an AttributeError of the compiler."""

    @dataclass(frozen=True, eq=False, repr=False)
    class _Lawless(LayerLaw):
        initial: float = 0.0

    @dataclass(frozen=True, eq=False, repr=False)
    class _Timeless(brnn.spec.Schedule):
        pass

    @dataclass(frozen=True, eq=False, repr=False)
    class _Unjoined(brnn.spec.Topology):
        pass

    @dataclass(frozen=True, eq=False, repr=False)
    class _Forgetful(brnn.spec.Learning):
        pass

    @dataclass(frozen=True, eq=False, repr=False)
    class _Silent(brnn.Signal):
        gain: float = 1.0

    cell = brnn.Layer.additive("F", 2, A=1.0)
    tries: list[tuple[Callable[[], Any], str]] = [
        (lambda: brnn.Network("n", [_Lawless("F", (2,))]), "_Lawless does not define law; such a class needs law"),
        (lambda: brnn.Stimulus("F", schedule=_Timeless()), "_Timeless does not define segment"),
        (lambda: brnn.Projection("F", "F", topology=_Unjoined()), "_Unjoined does not define arguments"),
        (lambda: brnn.Projection("F", "F", learning=_Forgetful()), "_Forgetful does not define law"),
        (
            lambda: brnn.simulate(brnn.Network("n", [cell], [brnn.Projection("F", "F", signal=_Silent())]), 1.0),
            "_Silent: has no static method _kernel",
        ),
    ]
    for act, words in tries:
        with pytest.raises(brnn.SpecError, match=words) as told:
            act()
        assert "\n" not in str(told.value)
    with pytest.raises(brnn.SpecError, match="unknown kind 'Mine'.* is defined in the user's module"):
        brnn.Network.from_json(brnn.Network("n", [cell]).to_json().replace('"Layer"', '"Mine"'))
