"""Families of networks: how dotted names reach parameters, signals, elements, layers and projections."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brnn
from brnn.errors import BrnnError, InputError, SpecError
from brnn.models import rcf
from brnn.signals import Expression, Linear, Sigmoid, Signal
from brnn.spec.schedules import Pulse, Pulses
from brnn.sweeps.building.find import builder_of
from brnn.sweeps.designs import Grid, Random

NETWORK = rcf.build(n=4)


def build(
    n: int | tuple[int, ...] | None = None,
    cells: int = 10,
    A: float = 1,
    either: int | float = 1,
    signal: Signal = Sigmoid(gain=1.0, half=0.5, exponent=2.0),
    other: Signal | None = None,
    pattern: Any = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    initial: Any = None,
    boundary: Literal["wrap", "reflect"] = "wrap",
    fast: bool = False,
    schedule: Pulse = Pulse(0.0, 1.0),
) -> brnn.Network:
    """Have one parameter of each kind; what is given is remembered."""
    given_now.update(locals())
    return NETWORK


given_now: dict[str, Any] = {}


def built(**settings: Any) -> dict[str, Any]:
    """Return what `build` gets, parameters named here by __ instead of a dot."""
    given_now.clear()
    builder_of(build).build({name.replace("__", "."): value for name, value in settings.items()})
    return dict(given_now)


def refusal(act: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(BrnnError) as caught:
        act(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


# ------------------------------------------------------------------------------------------------------ parameters


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("A", np.float64(0.5), 0.5),
        ("A", np.int64(2), 2),
        ("A", 2, 2),
        ("A", math.inf, math.inf),
        ("A", "0.5", 0.5),
        ("cells", np.float64(7.0), 7),
        ("cells", np.int64(7), 7),
        ("cells", 7.5, 7.5),
        ("cells", "1e3", 1000),
        ("n", "none", None),
        ("n", None, None),
        ("n", "4,5", (4, 5)),
        ("n", (4, 5), (4, 5)),
        ("n", np.array([4.0, 5.0]), (4, 5)),
        ("n", np.array([4, 5]), (4, 5)),
        ("either", np.int64(3), 3),
        ("either", 3.0, 3.0),
        ("signal", "linear", Linear()),
        ("signal", "sigmoid(half=0.2)", Sigmoid(half=0.2)),
        ("signal", "2*w**2/(0.1 + w**2)", Expression("2*w**2/(0.1 + w**2)")),
        ("signal", Linear(2.0), Linear(2.0)),
        ("other", "none", None),
        ("boundary", "reflect", "reflect"),
        ("fast", "yes", True),
        ("fast", np.bool_(True), True),
        ("initial", (0.1, 0.2), (0.1, 0.2)),
    ],
)
def test_values_of_a_parameter(name: str, value: Any, expected: Any) -> None:
    found = built(**{name: value})[name]
    assert found == expected
    assert type(found) is type(expected)


def test_arrays_of_a_parameter() -> None:
    array = np.array([0.1, 0.2])
    assert built(initial=array)["initial"] is array
    text = built(initial="0.1,0.2")["initial"]
    np.testing.assert_array_equal(text, array)
    assert not text.flags.writeable  # the next member with the same text gets it, too


@given(
    half=st.floats(0.01, 10) | st.none(),
    gain=st.floats(0.01, 10).map(np.float64) | st.none(),
    whole=st.sampled_from([None, "sigmoid", Sigmoid(gain=3.0), "sigmoid(exponent=4)"]),
)
def test_fields_of_a_signal_are_those_of_replace(half: Any, gain: Any, whole: Any) -> None:
    changes = {name: value for name, value in (("half", half), ("gain", gain)) if value is not None}
    settings = {f"signal.{name}": value for name, value in changes.items()}
    if whole is not None:
        settings["signal"] = whole
    # A name keeps what the default has where nothing else is said.
    own = Sigmoid(1.0, 0.5, 2.0)
    base = {None: own, "sigmoid": own, "sigmoid(exponent=4)": Sigmoid(1.0, 0.5, 4.0)}
    expected = (whole if isinstance(whole, Sigmoid) else base[whole]).replace(**changes)
    given_now.clear()
    builder_of(build).build(settings)
    assert given_now["signal"] == expected
    assert {type(value) for value in given_now["signal"].arguments} == {float}


def test_parameters_of_an_expression() -> None:
    from_values = builder_of(build).for_names(["signal.c", "signal", "signal.d"])
    for c, d in ((2.0, 0.1), (3.0, 0.5)):
        from_values([c, "c*w**2/(d + w**2)", d])
        assert given_now["signal"] == Expression("c*w**2/(d + w**2)", c=c, d=d)
        from_values([c, Expression("c*w/(d + w)", c=1, d=1), d])
        assert given_now["signal"] == Expression("c*w/(d + w)", c=c, d=d)
    assert "has no parameter 'd'" in refusal(from_values, [1.0, Expression("c*w", c=1), 2.0])


def test_fields_of_another_specification() -> None:
    assert built(schedule__off=3)["schedule"] == Pulse(0.0, 3.0)
    # Both change at once: off = 5 alone would be before on = 7.
    assert built(schedule__off=9.0, schedule__on=7.0)["schedule"] == Pulse(7.0, 9.0)


def test_elements_of_an_array() -> None:
    default = np.arange(1.0, 7.0).reshape(2, 3)
    expected = default.copy()
    expected[1, 0], expected[0, 2] = 9.0, 8.0
    np.testing.assert_array_equal(built(pattern__3=9.0, pattern__0__2=np.float64(8.0))["pattern"], expected)
    np.testing.assert_array_equal(build.__defaults__[6], default)  # type: ignore[index]
    given_array = np.zeros(3)
    given_array.setflags(write=False)
    np.testing.assert_array_equal(built(pattern=given_array, pattern__1=1)["pattern"], [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(built(pattern="0,0", pattern__1="0.5")["pattern"], [0.0, 0.5])
    assert built(pattern=(0.0, 0.0), pattern__1=np.float64(1))["pattern"] == (0.0, 1.0)


def test_all_elements_of_an_array_need_no_default() -> None:
    np.testing.assert_array_equal(built(initial__1=2, initial__0=1.5, initial__2=3)["initial"], [1.5, 2.0, 3.0])
    assert built(n__0=4.0, n__1=np.int64(5))["n"] == (4, 5)
    assert built(n=(3, 3), n__1=np.float64(5))["n"] == (3, 5)


def test_a_plan_takes_values_in_the_order_of_its_names() -> None:
    builder = builder_of(build)
    from_values = builder.for_names(("signal.half", "A", "cells"))
    assert from_values([0.25, 2.0, 3.0]) is NETWORK
    assert (given_now["signal"].half, given_now["A"], given_now["cells"]) == (0.25, 2.0, 3)
    assert builder.for_names(["signal.half", "A", "cells"]) is from_values
    assert builder.build({}) is NETWORK
    assert given_now["A"] == 1


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["signl"], "signl: build has no parameter 'signl' (it has n, cells, A, either, signal, other, pattern, "),
        (["signl.half"], "did you mean 'signal'?"),
        (
            ["signal.hlaf"],
            "signal.hlaf: Sigmoid has no field 'hlaf' (it has gain, half, exponent); did you mean 'half'?",
        ),
        (["signal.half.x"], "has no field 'x'"),
        (["other.half"], "other is not set; give the signal, too"),
        (["A.half"], "A.half: A is no signal or other specification, it has no field 'half'"),
        (["boundary.0"], "boundary.0: boundary is 'wrap', which has no elements"),
        (["pattern.6"], "pattern.6: there is no such element, the shape of pattern is (2, 3)"),
        (["pattern.2.0"], "pattern.2.0: there is no such element"),
        (["pattern.0.0.0"], "pattern.0.0.0: there is no such element"),
        (["pattern.3", "pattern.1.0"], "this element is given twice"),
        (["pattern.x"], "has no field 'x'"),
        (["pattern.0", "pattern.x"], "has no field 'x'"),
        (["initial.1"], "initial.1: initial is not set; give 'initial' or each of its elements"),
        (["initial.0", "initial.2"], "without a gap"),
        (["A.1"], "A.1: A is one number, which has no elements"),
        (["A.0"], "A.0: A is one number, which has no elements"),
        (["A", "A"], "the parameter 'A' is given twice"),
    ],
)
def test_names_that_are_refused(names: list[str], words: str) -> None:
    builder = builder_of(build)
    for act in (builder.check, builder.for_names):
        assert words in refusal(act, names)
    with pytest.raises(InputError):
        builder.check(names)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"A": "abc"}, "A=abc: A must be a number"),
        ({"cells": "2.5"}, "cells=2.5: cells must be a whole number"),
        ({"boundary": "rap"}, "boundary=rap: boundary must be one of wrap, reflect; did you mean 'wrap'?"),
        ({"signal": "sigmiod"}, "signal=sigmiod: unknown signal 'sigmiod'; did you mean 'sigmoid'?"),
        ({"signal": "linear", "signal.half": 1.0}, "Linear has no field 'half'"),
        ({"signal": "__import__('os')"}, "signal=__import__('os'): "),
        ({"signal.half": -1.0}, "Sigmoid: half = -1: must be"),
        ({"signal.half": "x"}, "signal.half=x: signal.half must be a number"),
        ({"other": None, "other.half": 1.0}, "other.half: other is none, which has no parts"),
        ({"pattern": np.zeros(2), "pattern.2": 1.0}, "pattern.2: there is no such element"),
        ({"pattern": "abc", "pattern.2": 1.0}, "pattern=abc: pattern must be"),
        ({"initial.0": "abc"}, "initial: its elements must be numbers"),
        ({"initial.0": np.zeros(2)}, "initial: its elements must be numbers"),
        (
            {"schedule": "pulse"},
            "schedule=pulse: cannot be given as a text; one of its numbers can: schedule.FIELD=VALUE",
        ),
    ],
)
def test_values_that_are_refused(settings: dict[str, Any], words: str) -> None:
    builder = builder_of(build)
    for _ in range(2):  # a refusal is not remembered as a value
        assert words in refusal(builder.build, settings)


def test_what_a_build_raises_comes_through() -> None:
    with pytest.raises(SpecError, match="rcf"):
        builder_of("rcf").build({"A": -1.0})

    def broken(A: float = 1.0) -> brnn.Network:
        raise ZeroDivisionError(A)

    with pytest.raises(ZeroDivisionError):
        builder_of(broken).build({"A": 2})
    assert refusal(builder_of(lambda A: A).build, {"A": 3}) == "<lambda>: returned int, must return a brnn.Network"


def test_parameters_without_a_default_and_options() -> None:
    def needs(A: float, *rest: Any, B: float, **options: Any) -> brnn.Network:
        given_now.update(A=A, B=B, rest=rest, **options)
        return NETWORK

    builder = builder_of(needs)
    assert refusal(builder.check, ["A"]) == "needs: the parameter 'B' has no default; the design must give it"
    builder.build({"A": 1, "B": np.float64(2), "C": np.int64(3), "D.0": 1.0, "signal": "linear"})
    assert (given_now["B"], given_now["C"], given_now["signal"]) == (2.0, 3, "linear")
    np.testing.assert_array_equal(given_now["D"], [1.0])
    assert "has a parameter without a name" in refusal(builder_of, lambda A, /: NETWORK)
    builder = builder_of(functools.partial(build, initial=np.zeros(3)))
    builder.build({"initial.1": 1.0})
    np.testing.assert_array_equal(given_now["initial"], [0.0, 1.0, 0.0])


def test_dotted_names_that_a_build_hands_on() -> None:
    """`**options` of a user's own build are the dotted names themselves, which `Network.with_` understands."""

    def changed(A: float = 1.0, **names: Any) -> brnn.Network:
        return rcf.build(n=4, A=A).with_(names)

    row = {"A": 0.25, "rcf.B": 2.0, "rcf.initial.3": 0.5, "rcf_rcf_exc.signal.half": 0.125}
    expected = rcf.build(n=4, A=0.25).with_({name: value for name, value in row.items() if name != "A"})
    assert brnn.build(changed, **row) == changed(**row) == expected
    assert expected.layer("rcf").B == 2.0
    assert "Layer has no field 'Q'" in refusal(lambda: brnn.build(changed, **{"rcf.Q": 1.0}))
    data = brnn.sweep(changed, Grid({"rcf.B": [2.0, 4.0]}), duration=1.0, measures=["final"], progress=False)
    for B, final in zip((2.0, 4.0), data["rcf.x"].values, strict=True):
        np.testing.assert_allclose(final, brnn.simulate(rcf.build(n=4, B=B), 1.0).final("rcf"), rtol=1e-4)


def test_members_of_a_design() -> None:
    design = Grid(n=[4, 5], signal=["linear", Sigmoid()]) * Random(2, 1, A=(0.5, 1.5))
    from_values = builder_of("rcf").for_names(design.names)
    columns = design.columns()
    for k, values in enumerate(zip(*columns.values(), strict=True)):
        signal = Linear() if k // 2 % 2 == 0 else Sigmoid()
        assert from_values(values) == rcf.build(n=(4, 5)[k // 4], signal=signal, A=columns["A"][k])
        assert builder_of(rcf).build(design.member(k)) == from_values(values)


# -------------------------------------------------------------------------------------------------------- networks


def test_parts_of_a_network() -> None:
    network = rcf.build(n=4, A=2.0, pattern=[1, 2, 3, 4])
    found = builder_of(network).build(
        {
            "rcf.A": np.float64(0.5),
            "rcf.B.2": 4,
            "rcf.initial.3": 0.25,
            "rcf_rcf_exc.signal": "saturating",
            "rcf_rcf_exc.signal.half": 0.75,
            "rcf_rcf_inh.topology.weight": 0.5,
            "stimuli.0.pattern.1": 9.0,
            "stimuli.0.schedule.off": 3,
            "duration": np.float64(12.0),
        }
    )
    layer, (exc, inh), (stimulus,) = network.layers[0], network.projections, network.stimuli
    expected = network.replace(
        layers=[layer.replace(A=0.5, B=np.array([3.0, 3.0, 4.0, 3.0]), initial=np.array([0.0, 0.0, 0.0, 0.25]))],
        projections=[
            exc.replace(signal=brnn.Saturating(half=0.75)),
            inh.replace(topology=brnn.AllButSelf(weight=0.5)),
        ],
        stimuli=[stimulus.replace(pattern=[1.0, 9.0, 3.0, 4.0], schedule=Pulse(0.0, 3.0))],
        duration=12.0,
    )
    assert found == expected
    assert builder_of(network).build({}) == network


def test_a_stimulus_of_one_number_has_an_element_for_each_cell() -> None:
    layer = brnn.Layer.shunting("F", (2, 2), A=1.0, B=1.0)
    network = brnn.Network("net", [layer], stimuli=[brnn.Stimulus("F", pattern=0.5, schedule=Pulses([(0, 1), (2, 3)]))])
    builder = builder_of(network)
    found = builder.build({"stimuli.0.pattern.1.0": 2.0, "stimuli.0.schedule.intervals.1.1": 4}).stimuli[0]
    np.testing.assert_array_equal(found.pattern, [[0.5, 0.5], [2.0, 0.5]])
    assert found.schedule == Pulses([(0, 1), (2, 4)])


def test_a_stimulus_with_a_name() -> None:
    layer = brnn.Layer.shunting("F", 2, A=1.0, B=1.0)
    network = brnn.Network("net", [layer], stimuli=[brnn.Stimulus("F", name="light"), brnn.Stimulus("F", "inhibitory")])
    builder = builder_of(network)
    assert builder.build({"light.pattern": 3.0}) == builder.build({"stimuli.0.pattern": 3.0})
    message = refusal(builder.check, ["light.pattern", "stimuli.0.kind"])
    assert message == "stimuli.0.kind: light and stimuli.0 are the same; use one name"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rfc.A", "rfc.A: the network rcf has no 'rfc' (it has rcf, rcf_rcf_inh, rcf_rcf_exc, "),
        ("rfc.A", "did you mean 'rcf'?"),
        ("rcf", "rcf: cannot be set as a whole; name a part of it"),
        ("stimuli", "stimuli: cannot be set as a whole"),
        ("stimuli.0", "stimuli.0: cannot be set as a whole"),
        ("stimuli.1.pattern", "stimuli.1.pattern: the stimuli are counted from 0 to 0"),
        ("stimuli.x.pattern", "the stimuli are counted from 0 to 0"),
        ("rcf.a", "rcf.a: Layer has no field 'a' (it has name, shape, A, B, C, E, F, initial)"),
        ("rcf.initial.4", "rcf.initial.4: there is no such element, the shape of rcf.initial is (4,)"),
        ("rcf_rcf_exc.signal.hlaf", "rcf_rcf_exc.signal.hlaf: Sigmoid has no field 'hlaf'"),
        ("rcf_rcf_exc.delay.0", "rcf_rcf_exc.delay.0: rcf_rcf_exc.delay is one number"),
        ("duration.x", "has no field 'x'"),
        ("layers.0.A", "has no 'layers'"),
    ],
)
def test_parts_that_are_refused(name: str, words: str) -> None:
    assert words in refusal(builder_of(NETWORK).check, [name])


def test_networks_that_are_not_valid_are_refused_by_the_network() -> None:
    builder = builder_of(NETWORK)
    assert refusal(builder.build, {"rcf.A": -1.0}).startswith("Layer 'rcf': A = -1")
    assert "no such layer" in refusal(builder.build, {"rcf_rcf_exc.source": "nowhere"})
