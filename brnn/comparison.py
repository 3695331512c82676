"""A predicted value beside a measured one, and tables of such pairs."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, Self

import numpy as np

from brnn.base.text import short_repr, shortened, text_table
from brnn.errors import InputError

__all__ = ["Comparison", "Comparisons", "table"]

_NAN = float("nan")
_HEADER = ("claim", "predicted", "measured", "difference", "tolerance", "verdict")
_LABEL_WIDTH = 46
_LISTED = 64  # arrays up to this many elements stand in full in `to_dict`


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """A predicted value beside a measured one, with the verdict.

    Parameters
    ----------
    predicted, measured : number or array of numbers
        Two values of equal shape. Anything that NumPy converts will do, an xarray DataArray included.
    tolerance : float
        The largest difference that passes, >= 0.
    label : str
        What is compared, in a few words; a claim gives its title to comparisons without one.
    relative : bool
        If true the difference is divided by the largest absolute predicted value.

    Attributes
    ----------
    difference : float
        ``max |predicted - measured|`` for numbers. Each of the other constructors says in its own docstring
        what it counts. NaN if the two sides cannot be compared.
    passed : bool
        ``difference <= tolerance``, with both sides finite and of one shape.
    reason : str
        Why it failed; empty if it passed.

    Raises
    ------
    InputError
        If the tolerance is negative or not a finite number. Everything that is wrong with the two sides themselves
        (NaN, infinity, unequal shapes, text in place of numbers) is a failed verdict, not an exception.
    """

    predicted: Any
    measured: Any
    tolerance: float
    label: str = ""
    relative: bool = False
    kind: str = dataclasses.field(default="near", kw_only=True)
    difference: float = dataclasses.field(init=False, default=_NAN)
    passed: bool = dataclasses.field(init=False, default=False)
    reason: str = dataclasses.field(init=False, default="")

    def __post_init__(self) -> None:
        if self.kind not in _RULES:
            raise InputError(f"Comparison: kind = {self.kind!r}: must be one of {', '.join(_RULES)}")
        try:
            tolerance = float(self.tolerance)
        except (TypeError, ValueError):
            tolerance = _NAN
        if not (math.isfinite(tolerance) and tolerance >= 0):
            raise InputError(f"Comparison: tolerance = {self.tolerance!r}: must be a finite number >= 0")
        # Arrays are taken over now: what they come from may be a file that is closed before the row is printed.
        self._set(tolerance=tolerance, predicted=_taken(self.predicted), measured=_taken(self.measured))
        try:
            difference, reason = _RULES[self.kind](self)
        except _Unusable as problem:
            difference, reason = _NAN, str(problem)
        # NaN compares as false, so an unusable pair can never pass.
        self._set(difference=difference, passed=bool(difference <= tolerance), reason="")
        if not self.passed:
            self._set(reason=reason)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    # Constructors of the other kinds ------------------------------------------------------------------------

    @classmethod
    def exact(cls, predicted: Any, measured: Any, label: str = "") -> Self:
        """Compare bit for bit; `difference` is the number of elements whose bits differ (so -0.0 is not 0.0)."""
        return cls(predicted, measured, 0.0, label, kind="exact")

    @classmethod
    def count(cls, predicted: Any, measured: Any, label: str = "") -> Self:
        """Compare whole numbers, which have to be equal; `difference` is the largest ``|predicted - measured|``."""
        return cls(predicted, measured, 0.0, label, kind="count")

    @classmethod
    def order(cls, expected: Iterable[Any], measured: Iterable[Any], label: str = "") -> Self:
        """Compare two orderings given as sequences of indices or of labels.

        `difference` is the number of positions at which they disagree; it has to be 0.
        """
        return cls(_sequence(expected), _sequence(measured), 0.0, label, kind="order")

    @classmethod
    def within(cls, lower: Any, measured: Any, upper: Any, tolerance: float = 0.0, label: str = "") -> Self:
        """Check ``lower <= measured <= upper`` at every element.

        The bounds are numbers or arrays that broadcast to the shape of `measured`; one of them may be infinite.
        `difference` is the largest excess over a bound (0 if there is none); `margin` says how near they are.
        """
        return cls((lower, upper), measured, tolerance, label, kind="within")

    @classmethod
    def at_most(cls, bound: Any, measured: Any, tolerance: float = 0.0, label: str = "") -> Self:
        """Check ``measured <= bound`` at every element; see `within`."""
        return cls.within(-math.inf, measured, bound, tolerance, label)

    @classmethod
    def at_least(cls, bound: Any, measured: Any, tolerance: float = 0.0, label: str = "") -> Self:
        """Check ``measured >= bound`` at every element; see `within`."""
        return cls.within(bound, measured, math.inf, tolerance, label)

    @classmethod
    def monotone(cls, direction: str, measured: Any, tolerance: float = 0.0, label: str = "") -> Self:
        """Check that values never fall (`direction` ``"rising"``) or never rise (``"falling"``) along the first axis.

        `difference` is the largest single step in the wrong direction (0 if there is none).
        """
        if direction not in ("rising", "falling"):
            raise InputError(f"Comparison.monotone: direction = {direction!r}: must be 'rising' or 'falling'")
        return cls(direction, measured, tolerance, label, kind="monotone")

    @classmethod
    def failed(cls, reason: str, label: str = "") -> Self:
        """Return a failed verdict for what could not even be measured (an exception, a run that stopped)."""
        return cls(reason, None, 0.0, label, kind="failed")

    # What it says -------------------------------------------------------------------------------------------

    @property
    def margin(self) -> float:
        """Smallest distance of a bounded value to its bounds, negative outside; NaN for the other kinds."""
        if self.kind != "within":
            return _NAN
        try:
            return _margin(self)
        except _Unusable:
            return _NAN

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Return the texts of one row of `table`: label, predicted, measured, difference, tolerance, verdict."""
        predicted, measured = _value_in_words(self.predicted), _value_in_words(self.measured)
        difference = "-" if math.isnan(self.difference) else f"{self.difference:.2g}"
        tolerance = f"{self.tolerance:.2g}"
        if self.kind == "within":
            predicted = _interval(*self.predicted)
            difference = "-" if math.isnan(self.margin) else f"margin {self.margin:.2g}"
            if np.size(self.measured) > 1 and not math.isnan(self.margin):
                values = np.asarray(self.measured)
                measured = f"{_eight_digits(values.min())} ... {_eight_digits(values.max())}"
        elif self.kind == "failed":
            predicted, measured, tolerance = "-", "-", "-"
        elif self.kind in ("exact", "order") and not math.isnan(self.difference):
            difference = f"{self.difference:.0f} differ"
        if self.relative and difference != "-":
            difference += " rel"
        return self.label, predicted, measured, difference, tolerance, "ok" if self.passed else "FAILED"

    def __repr__(self) -> str:
        return f"Comparison({self})"

    def __str__(self) -> str:
        label, predicted, measured, difference, tolerance, verdict = self.cells()
        text = f"{label}: " if label else ""
        text += f"predicted {predicted}, measured {measured}, difference {difference}, tolerance {tolerance}, {verdict}"
        return f"{text} ({self.reason})" if self.reason else text

    def _repr_html_(self) -> str:
        """Show it in a notebook as a table of one row."""
        return Comparisons([self])._repr_html_()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; long arrays are summarised, numbers that JSON lacks become text."""
        return {
            "label": self.label,
            "kind": self.kind,
            "predicted": _value_as_json(self.predicted),
            "measured": _value_as_json(self.measured),
            "tolerance": self.tolerance,
            "relative": self.relative,
            "difference": _value_as_json(self.difference),
            "passed": self.passed,
            "reason": self.reason,
        }


class Comparisons(list[Comparison]):
    """A list of comparisons, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        """Show them as a table: predicted beside measured, difference, tolerance, verdict."""
        head = "".join(f"<th>{name}</th>" for name in _HEADER)
        rows = []
        for one in self:
            rows.append("".join(f"<td>{escape(cell)}</td>" for cell in one.cells()))
            if one.reason:
                rows.append(f'<td colspan="{len(_HEADER)}">{escape(one.reason)}</td>')
        return f"<div><table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table></div>"


def table(rows: Iterable[Comparison]) -> str:
    """Return comparisons as text in aligned columns: predicted beside measured, difference, tolerance, verdict.

    A long label is wrapped; the reason of a failure stands in a line of its own below its row.
    """
    lines: list[Sequence[str] | str] = []
    for row in rows:
        label, *others = row.cells()
        lines.append((textwrap.fill(label, _LABEL_WIDTH), *others))
        if row.reason:
            lines.append(f"    {row.reason}")
    return text_table(lines, _HEADER, rule=True)


# The rules: each returns (difference, reason if it is too large) ----------------------------------------------


class _Unusable(Exception):
    """The two sides cannot be compared; the text says why."""


def _taken(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_taken(item) for item in value)
    return np.array(value) if hasattr(value, "__array__") else value


def _numeric(value: Any) -> np.ndarray | None:
    """Return the value as an array of real numbers, or None if it is not one."""
    try:
        result = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return result if result.dtype.kind in "fiub" else None


def _as_numbers(value: Any, side: str) -> np.ndarray:
    result = _numeric(value)
    if result is None:
        raise _Unusable(f"{side} is not a number or an array of numbers")
    return result


def _as_finite_numbers(value: Any, side: str) -> np.ndarray:
    result = _as_numbers(value, side)
    if result.size == 0:
        raise _Unusable(f"{side} is empty")
    bad = ~np.isfinite(result)
    if bad.any():
        place = np.unravel_index(int(np.argmax(bad)), result.shape)
        raise _Unusable(f"{side} is {result[place]}{_at_index(place)}: not finite")
    return result


def _pair(row: Comparison) -> tuple[np.ndarray, np.ndarray]:
    predicted, measured = _as_finite_numbers(row.predicted, "predicted"), _as_finite_numbers(row.measured, "measured")
    if predicted.shape != measured.shape:
        raise _Unusable(f"predicted has shape {predicted.shape}, measured has shape {measured.shape}")
    return predicted, measured


def _near(row: Comparison) -> tuple[float, str]:
    predicted, measured = (side.astype(np.float64) for side in _pair(row))
    distance = np.abs(predicted - measured)
    scale = float(np.abs(predicted).max()) if row.relative else 1.0
    if scale == 0.0:
        raise _Unusable("a relative difference needs a predicted value that is not 0")
    place = np.unravel_index(int(np.argmax(distance)), distance.shape)
    reason = f"predicted {_eight_digits(predicted[place])}, measured {_eight_digits(measured[place])}{_at_index(place)}"
    return float(distance[place]) / scale, reason


def _exact(row: Comparison) -> tuple[float, str]:
    predicted, measured = _pair(row)
    if predicted.dtype != measured.dtype:
        raise _Unusable(f"predicted is {predicted.dtype}, measured is {measured.dtype}")
    size = predicted.dtype.itemsize
    raw = [np.frombuffer(np.ascontiguousarray(side).tobytes(), np.uint8) for side in (predicted, measured)]
    unequal = (raw[0] != raw[1]).reshape(-1, size).any(axis=1)
    place = np.unravel_index(int(np.argmax(unequal)), predicted.shape)
    reason = f"predicted {predicted[place]!r}, measured {measured[place]!r}{_at_index(place)}"
    return float(unequal.sum()), reason


def _count(row: Comparison) -> tuple[float, str]:
    predicted, measured = (side.astype(np.float64) for side in _pair(row))
    for name, side in (("predicted", predicted), ("measured", measured)):
        if (side != np.floor(side)).any():
            raise _Unusable(f"{name} is not a whole number")
    return float(np.abs(predicted - measured).max()), "the counts differ"


def _order(row: Comparison) -> tuple[float, str]:
    expected, measured = row.predicted, row.measured
    if not expected:
        raise _Unusable("predicted is empty")
    if len(expected) != len(measured):
        raise _Unusable(f"predicted orders {len(expected)} things, measured {len(measured)}")
    wrong = [k for k, (a, b) in enumerate(zip(expected, measured, strict=True)) if a != b]
    return float(len(wrong)), f"the orders differ from position {wrong[0]} on" if wrong else ""


def _margin(row: Comparison) -> float:
    measured = _as_finite_numbers(row.measured, "measured").astype(np.float64)
    lower, upper = (_as_numbers(side, "a bound").astype(np.float64) for side in row.predicted)
    if np.isnan(lower).any() or np.isnan(upper).any():
        raise _Unusable("a bound is nan")
    if not (np.isfinite(lower).any() or np.isfinite(upper).any()):
        raise _Unusable("no bound is finite")
    try:
        lower, upper = (np.broadcast_to(side, measured.shape) for side in (lower, upper))
    except ValueError:
        raise _Unusable(f"the bounds do not fit measured, which has shape {measured.shape}") from None
    return float(np.minimum(measured - lower, upper - measured).min())


def _within(row: Comparison) -> tuple[float, str]:
    margin = _margin(row)
    return max(0.0, -margin), f"a bound is exceeded by {-margin:.3g}"


def _monotone(row: Comparison) -> tuple[float, str]:
    measured = _as_finite_numbers(row.measured, "measured").astype(np.float64)
    if measured.ndim == 0 or measured.shape[0] < 2:
        raise _Unusable("measured has fewer than two values")
    steps = np.diff(measured, axis=0) * (-1.0 if row.predicted == "rising" else 1.0)
    place = np.unravel_index(int(np.argmax(steps)), steps.shape)
    return max(0.0, float(steps[place])), f"not {row.predicted}{_at_index(place)}"


def _failed(row: Comparison) -> tuple[float, str]:
    raise _Unusable(str(row.predicted))


_RULES: dict[str, Callable[[Comparison], tuple[float, str]]] = {
    "near": _near,
    "exact": _exact,
    "count": _count,
    "order": _order,
    "within": _within,
    "monotone": _monotone,
    "failed": _failed,
}


# Text -----------------------------------------------------------------------------------------------------------


def _sequence(values: Iterable[Any]) -> tuple[Any, ...]:
    items = np.asarray(values).tolist() if hasattr(values, "__array__") else list(values)
    return tuple(items if isinstance(items, list) else [items])


def _at_index(place: Sequence[Any]) -> str:
    index = [str(int(k)) for k in place]
    return f" at [{', '.join(index)}]" if index else ""


def _eight_digits(value: Any) -> str:
    return f"{float(value):.8g}"


def _interval(lower: Any, upper: Any) -> str:
    if np.ndim(lower) == 0 and np.isneginf(lower):
        return f"<= {_value_in_words(upper)}"
    if np.ndim(upper) == 0 and np.isposinf(upper):
        return f">= {_value_in_words(lower)}"
    return f"{_value_in_words(lower)} ... {_value_in_words(upper)}"


def _value_in_words(value: Any) -> str:
    """Return a short text: a number with 8 digits, the first elements of an array with 4."""
    if value is None or isinstance(value, str):
        return value or "-"
    if isinstance(value, tuple):
        more = " ..." if len(value) > 6 else ""
        return shortened(" ".join(str(item) for item in value[:6]) + more, 30)
    values = _numeric(value)
    if values is None:
        return short_repr(value, 30)
    if values.ndim == 0:
        return str(values) if values.dtype.kind in "iub" else _eight_digits(values)
    first = " ".join(f"{float(item):.4g}" for item in values.ravel()[:3])
    size = " x ".join(str(k) for k in values.shape)
    return f"[{first}]" if values.size <= 3 and values.ndim == 1 else f"[{first} ...] ({size})"


def _value_as_json(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, tuple):
        return [_value_as_json(item) for item in value]
    values = _numeric(value)
    if values is None:
        return short_repr(value, 200)
    if values.size > _LISTED:
        return {
            "shape": list(values.shape),
            "minimum": _value_as_json(float(values.min())),
            "maximum": _value_as_json(float(values.max())),
            "mean": _value_as_json(float(values.mean())),
        }
    if values.ndim:
        return [_value_as_json(item) for item in values.tolist()]
    item = values.item()
    return item if not isinstance(item, float) or math.isfinite(item) else str(item)
