"""``--set KEY=VALUE``: every kind of value, and what is said when one is wrong."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

import brnn
from brnn.cli.settings import parameters_of, parse_settings
from brnn.errors import InputError
from brnn.signals import Expression, Linear, Sigmoid, Signal, Step
from brnn.spec.schedules import Pulse


def build(
    n: int | tuple[int, ...] | None = None,
    cells: int = 10,
    A: float = 1,
    signal: Signal = Sigmoid(gain=1.0, half=0.5, exponent=2.0),
    other: Signal | None = None,
    pattern: Any = None,
    boundary: Literal["wrap", "reflect"] = "wrap",
    label: str = "x",
    fast: bool = False,
    schedule: Pulse = Pulse(0.0, 1.0),
) -> None:
    """Have one parameter of each kind."""


def parse(*texts: str) -> dict[str, Any]:
    return parse_settings(texts, build, "model")


def refusal(*texts: str) -> str:
    with pytest.raises(InputError) as caught:
        parse(*texts)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("n=7", "n", 7),
        ("n=1e3", "n", 1000),
        ("n=4,5", "n", (4, 5)),
        ("n=(4, 5)", "n", (4, 5)),
        ("n=None", "n", None),
        ("cells = 12 ", "cells", 12),
        ("n=123456789012345678901", "n", 123456789012345678901),
        ("A=0.5", "A", 0.5),
        ("A=-2", "A", -2.0),
        ("A=inf", "A", float("inf")),
        ("boundary=reflect", "boundary", "reflect"),
        ("label=a=b", "label", "a=b"),
        ("label=", "label", ""),
        ("label=1", "label", "1"),
        ("fast=yes", "fast", True),
        ("fast=False", "fast", False),
        ("pattern=0.5", "pattern", 0.5),
        ("signal=linear", "signal", Linear()),
        ("signal=sigmoid(half=0.2)", "signal", Sigmoid(half=0.2)),
        ("signal=2*w**2/(0.1 + w**2)", "signal", Expression("2*w**2/(0.1 + w**2)")),
        ("other=none", "other", None),
        ("other=step", "other", Step()),
    ],
)
def test_values(text: str, key: str, value: Any) -> None:
    found = parse(text)[key]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,2,3", [1.0, 2.0, 3.0]),
        ("[1, -.5, 1e-3]", [1.0, -0.5, 0.001]),
        ("[[1,2],[3,4]]", [[1.0, 2.0], [3.0, 4.0]]),
        ("5,", [5.0]),
    ],
)
def test_lists_become_arrays(text: str, value: list[Any]) -> None:
    found = parse(f"pattern={text}")["pattern"]
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, value)


def test_parts_of_the_default_signal() -> None:
    assert parse("signal.half=0.2") == {"signal": Sigmoid(gain=1.0, half=0.2, exponent=2.0)}
    both = {"signal": Sigmoid(gain=3.0, half=0.2, exponent=2.0)}
    assert parse("signal.half=0.2", "signal.gain=3") == both


def test_parts_of_a_named_signal_in_any_order() -> None:
    expected = {"signal": Linear(gain=2.0)}
    assert parse("signal=linear", "signal.gain=2") == expected
    assert parse("signal.gain=2", "signal=linear") == expected


def test_parameters_of_an_expression() -> None:
    given = parse("signal=c*w**2/(d + w**2)", "signal.c=2", "signal.d=0.1")
    assert given == {"signal": Expression("c*w**2/(d + w**2)", c=2.0, d=0.1)}
    assert parse("signal=c*w, c=1", "signal.c=4") == {"signal": Expression("c*w", c=4.0)}


def test_formulas_typed_in_are_what_the_model_has_without_them() -> None:
    """cohen_grossberg chooses a, b and d by its kind, so that none is its default: no formula is cut at 0."""
    network = brnn.models.cohen_grossberg.build
    typed = parse_settings(["a=1 + w**2", "b=-2*w", "d=tanh(w)"], network, "model")
    assert network(**typed) == network()
    assert typed["b"]([-1.5]) == 3.0
    field = parse_settings(["inhibitory_signal=w**3"], brnn.models.additive.build, "model")
    assert field["inhibitory_signal"]([-2.0]) == -8.0


def test_parts_of_another_specification() -> None:
    assert parse("schedule.off=3") == {"schedule": Pulse(0.0, 3.0)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=abc", "--set A=abc: A must be a number"),
        ("A=", "--set A=: A must be a number"),
        ("A=nan", "--set A=nan: A must be a number"),
        ("A=1_0", "--set A=1_0: A must be a number"),
        ("A=1,2", "--set A=1,2: A must be a number"),
        ("A=0x10", "--set A=0x10: A must be a number"),
        ("cells=2.5", "--set cells=2.5: cells must be a whole number"),
        ("cells=inf", "--set cells=inf: cells must be a whole number"),
        ("n=2.5", "--set n=2.5: n must be a whole number, or several such as 20,30, or none"),
        ("fast=maybe", "--set fast=maybe: fast must be true or false"),
        ("boundary=rap", "--set boundary=rap: boundary must be one of wrap, reflect; did you mean 'wrap'?"),
        ("pattern=abc", "--set pattern=abc: pattern must be a number or a list of numbers such as 1,2,3, or none"),
        ("pattern=[[1,2],[3]]", "--set pattern=[[1,2],[3]]: the rows of pattern must have equal lengths"),
        ("signal=sigmiod", "--set signal=sigmiod: unknown signal 'sigmiod'; did you mean 'sigmoid'?"),
        ("signal.half=x", "--set signal.half=x: half must be a number"),
        ("other.half=1", "--set other.half=1: other is not set; name the signal too, as in --set other=sigmoid"),
        ("A.half=1", "--set A.half=1: A is not a signal, it has no part 'half'"),
        ("A", "--set A: must be KEY=VALUE, for example --set A=0.5"),
        ("=1", "--set =1: must be KEY=VALUE, for example --set A=0.5"),
        ("", "--set : must be KEY=VALUE, for example --set A=0.5"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert refusal(text) == message


def test_an_unknown_key_lists_all_and_suggests_one() -> None:
    message = refusal("patern=1")
    assert "model has no parameter 'patern'" in message
    assert "n, cells, A, signal, other, pattern, boundary, label, fast, schedule" in message
    assert "did you mean 'pattern'?" in message


def test_an_unknown_part_lists_all_and_suggests_one() -> None:
    message = refusal("signal.hlaf=0.2")
    assert message.startswith("--set signal.hlaf=0.2: Sigmoid has no field 'hlaf'")
    assert "did you mean 'half'?" in message
    assert "the signal is Sigmoid unless" in message


def test_a_part_out_of_range_names_the_setting() -> None:
    assert refusal("signal.half=-1").startswith("--set signal.half=-1: Sigmoid: half = -1: must be")


def test_set_twice() -> None:
    assert refusal("A=1", "A=2") == "--set A=2: A is set twice"
    assert refusal("signal.half=1", "signal.half=2") == "--set signal.half=2: signal.half is set twice"


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "[1, __import__('os')]",
        "[i for i in (1, 2)]",
        "(lambda: 1)()",
        "1,*(2,3)",
        "-[1, 2]",
        "[" * 5000,
        "[" * 90 + "1" + "]" * 90,
        "1," + "9" * 400,
        "'a','b'",
        "1,2\x00",
        "[]",
        "[True, 2]",
        "1j,2",
    ],
)
def test_lists_hold_numbers_and_nothing_else(text: str) -> None:
    message = refusal(f"pattern={text}")
    assert message.startswith("--set pattern=")
    assert len(message) < 300


@pytest.mark.parametrize("text", ["__import__('os')", "w.__class__", "open('x')", "w[0]", "exec", "w; w"])
def test_signals_are_parsed_and_never_run(text: str) -> None:
    assert refusal(f"signal={text}").startswith(f"--set signal={text}: ")


def test_a_value_that_is_too_long() -> None:
    assert "has 2000000 characters" in refusal("pattern=" + "1," * 1_000_000)


def test_kinds_without_annotations() -> None:
    def plain(a=1, b=2.0, c=None, d="x", *rest, e, f=(1, 2), **more):  # type: ignore[no-untyped-def]
        return a, b, c, d, rest, e, f, more

    kinds = {name: set(parameter.kinds) for name, parameter in parameters_of(plain).items()}
    assert kinds == {
        "a": {"whole"},
        "b": {"number"},
        "c": {"none"},
        "d": {"text"},
        "e": {"number", "list", "text"},
        "f": {"list"},
    }


def test_a_build_without_parameters() -> None:
    with pytest.raises(InputError, match=r"m has no parameter 'A' \(it has none\)"):
        parse_settings(["A=1"], lambda: None, "m")


def test_dotted_names_for_options_of_a_build() -> None:
    def build(n: int = 3, **names: Any) -> brnn.Network:
        return brnn.build("rcf", n=n).with_(names)

    values = parse_settings(["n=4", "rcf.B=2", "rcf_rcf_exc.signal.half=0.5"], build, "own")
    assert values == {"n": 4, "rcf.B": 2, "rcf_rcf_exc.signal.half": 0.5}
    assert build(**values).layer("rcf").B == 2.0
