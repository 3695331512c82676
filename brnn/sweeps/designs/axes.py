"""Axes and ranges of designs as they are written on the command line: ``A=0.5:1.5:11``, ``signal.half=log:0.1:10``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from brnn.base.memory import refuse_above
from brnn.base.text import shortened
from brnn.errors import InputError, SpecError
from brnn.spec.dotted.texts import number_in
from brnn.sweeps.designs.base import check_name
from brnn.sweeps.designs.sampled import Range, check_range
from brnn.sweeps.designs.values import Values, values_of

__all__ = ["parse_axes", "parse_axis", "parse_range", "parse_ranges"]

_AXIS = "must be LOW:HIGH:COUNT, log:LOW:HIGH:COUNT, whole:LOW:HIGH, or values such as 0.1,0.2,0.5"
_RANGE = "must be LOW:HIGH, log:LOW:HIGH or whole:LOW:HIGH"
_EXACT = 2**53  # whole numbers up to here are floats without rounding


def parse_axis(text: str, most: float = math.inf) -> tuple[str, Values]:
    """Return the name and the values of an axis of a Grid.

    Parameters
    ----------
    text : str
        ``NAME=LOW:HIGH:COUNT`` (equal steps, both ends included), ``NAME=log:LOW:HIGH:COUNT`` (equal ratios),
        ``NAME=whole:LOW:HIGH`` (every whole number), or ``NAME=VALUE,VALUE,...``. Values that are not all numbers
        stay texts, which a NetworkBuilder reads as the command line does; commas in brackets do not separate them, nor
        does one before ``parameter=number``, which belongs to an expression.
    most : float
        How many values there may be.

    Returns
    -------
    tuple of str and array or tuple of str
        For example ``("A", array([0.5, 1.0, 1.5]))``.

    Raises
    ------
    InputError
        One line that begins with the text and says what is allowed.
    """
    name, value, at = _split(text, "NAME=0.5:1.5:11 or NAME=0.1,0.2,0.5")
    parts = [part.strip() for part in value.split(":")]
    if len(parts) == 1:
        return name, _listed(value, at)
    scale = parts.pop(0).lower() if number_in(parts[0]) is None else "linear"
    numbers = [number_in(part) for part in parts]
    if None in numbers or scale not in ("linear", "log", "whole") or len(numbers) != (2 if scale == "whole" else 3):
        raise InputError(f"{at}{_AXIS}")
    low, high, *rest = (float(part) for part in parts)
    if not (np.isfinite([low, high]).all() and np.isfinite(high - low)):
        raise InputError(f"{at}both ends must be finite")
    if scale == "whole":
        _check_whole(low, high, at)
        count = high - low + 1
    else:
        (count,) = rest
        _check_steps(low, high, count, scale, at)
    if count > most:
        raise InputError(f"{at}an axis of {count:,.0f} values; if that is meant, say so (--yes)")
    refuse_above(32 * count, f"{at}an axis of {count:.6g} values")
    if scale == "whole":
        return name, np.arange(int(low), int(high) + 1)
    return name, (np.geomspace if scale == "log" else np.linspace)(low, high, int(count))


def parse_range(text: str) -> tuple[str, Range]:
    """Return the name and the range of a parameter of a Random, a Sobol or a LatinHypercube design.

    Parameters
    ----------
    text : str
        ``NAME=LOW:HIGH``, ``NAME=log:LOW:HIGH`` or ``NAME=whole:LOW:HIGH``.

    Returns
    -------
    tuple of str and range
        For example ``("signal.half", (0.1, 1.0))`` or ``("n", (5, 20, "whole"))``.

    Raises
    ------
    InputError
        One line that begins with the text and says what is allowed.
    """
    name, value, at = _split(text, "NAME=0.1:1")
    parts = [part.strip() for part in value.split(":")]
    scale = parts.pop(0).lower() if number_in(parts[0]) is None else "linear"
    if scale not in ("linear", "log", "whole") or len(parts) != 2 or None in map(number_in, parts):
        raise InputError(f"{at}{_RANGE}")
    low, high = map(float, parts)
    if scale == "whole":
        _check_whole(low, high, at)
    try:
        return name, check_range((low, high, scale), name)
    except SpecError as error:
        raise InputError(f"{at}{str(error).partition(': ')[2]}") from None


def parse_axes(texts: Iterable[str], most: float = math.inf) -> dict[str, Values]:
    """Return the axes of a Grid from several texts (`parse_axis`); each parameter may occur once."""
    return _once(texts, lambda text: parse_axis(text, most))


def parse_ranges(texts: Iterable[str]) -> dict[str, Range]:
    """Return the ranges of a sampled design from several texts (`parse_range`); each parameter may occur once."""
    return _once(texts, parse_range)


def _once(texts: Iterable[str], parse: Callable[[str], tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for text in texts:
        name, value = parse(text)
        if name in result:
            raise InputError(f"{shortened(text)}: {name} is given twice")
        result[name] = value
    return result


def _split(text: str, example: str) -> tuple[str, str, str]:
    """Return the name, the value and what messages begin with."""
    name, equals, value = (part.strip() for part in text.partition("="))
    at = f"{shortened(text)}: "
    if not equals or not name or not value:
        raise InputError(f"{at}must be {example}")
    try:
        check_name(name, "name")
    except SpecError:
        raise InputError(f"{at}'{shortened(name)}' is not the name of a parameter, such as A or signal.half") from None
    return name, value, at


def _check_whole(low: float, high: float, at: str) -> None:
    if low != np.floor(low) or high != np.floor(high) or max(abs(low), abs(high)) > _EXACT:
        raise InputError(f"{at}both ends must be whole numbers")
    if not low < high:
        raise InputError(f"{at}the first number must be less than the second")


def _check_steps(low: float, high: float, count: float, scale: str, at: str) -> None:
    """Raise InputError unless so many values can lead from one end to the other, in equal steps or ratios."""
    if count != np.floor(count) or not 1 <= count < np.inf:
        raise InputError(f"{at}the count must be a whole number >= 1")
    if (count == 1) != (low == high):
        raise InputError(f"{at}" + ("the ends are equal" if low == high else "one value cannot reach both ends"))
    if scale == "log" and min(low, high) <= 0:
        raise InputError(f"{at}equal ratios need ends > 0")


def _separated(value: str) -> list[str]:
    """Return what stands between the commas outside of brackets."""
    parts: list[str] = []
    depth = 0
    for piece in re.split(r"(,)", value):
        if piece == "," and depth <= 0:
            parts.append("")
            continue
        depth += sum(map(piece.count, "([{")) - sum(map(piece.count, ")]}"))
        parts[-1:] = ["".join(parts[-1:]) + piece]
    return [part.strip() for part in parts]


def _listed(value: str, at: str) -> Values:
    """Return the values between the commas that separate values."""
    items: list[str] = []
    for part in _separated(value):
        if not part:
            raise InputError(f"{at}has an empty value; {_AXIS}")
        if items and re.fullmatch(r"[A-Za-z_]\w*\s*=[^=]*", part):
            items[-1] += f", {part}"
        else:
            items.append(part)
    numbers = [number_in(item) for item in items]
    if None in numbers:
        if any(item.lower().lstrip("+-") == "nan" for item in items):
            raise InputError(f"{at}nan is not a value")
        return values_of(items, "values")
    return values_of(
        [
            int(item) if re.fullmatch(r"[+-]?\d{1,18}", item) else number
            for item, number in zip(items, numbers, strict=True)
        ],
        "values",
    )
