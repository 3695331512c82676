"""Numbers that remember their way: another value gives what the code itself would, or nothing."""

from __future__ import annotations

import math

import pytest

from brnn.base.tape import Tape
from brnn.base.tracer import Diverges


def branching(a: float, b: float) -> float:
    scale = min(1.0 / a, 1e300)
    if a > 2.0 * b:
        return -scale * (b - 3.0) + abs(a - b)
    return scale + b / a


def test_the_same_way_gives_the_same_bits_and_another_way_nothing() -> None:
    tape = Tape([3.0, 1.0])
    result = branching(*tape.inputs)
    for a, b in ((3.0, 1.0), (0.7, 0.1), (1e300, -4.0), (2.1, 1.0)):
        numbers = tape.replay([a, b])
        assert numbers is not None
        assert numbers[result.place] == branching(a, b)  # type: ignore[attr-defined]
    assert tape.replay([2.0, 1.0]) is None
    assert tape.replay([0.0, -1.0]) is None  # the code would raise


def test_bounds_are_asked_again() -> None:
    tape = Tape([1.0])
    tape.inputs[0].within(0.0, None, 2.0)
    assert tape.replay([2.0]) == [2.0, *(tape.replay([2.0]) or [])[1:]]
    for wrong in (-1e-300, 2.1, math.inf, math.nan):
        assert tape.replay([wrong]) is None
    with pytest.raises(Diverges):
        tape.inputs[0].within(None, 1.0, None)


def test_what_is_no_arithmetic_is_not_followed() -> None:
    (number,) = Tape([2.0]).inputs
    for ask in (float, bool, math.sqrt, lambda x: x**2, lambda x: x.is_integer(), hash):
        with pytest.raises(Diverges):
            ask(number)
