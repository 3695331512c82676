"""The values of one parameter, as a user gives them: numbers, texts, signals, arrays, sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.errors import SpecError
from brnn.spec.dotted.texts import short_value

__all__ = ["Values", "refuse_repeated", "values_of"]

Values = np.ndarray | tuple[Any, ...]  # float64 or int64 of shape (k,), or k values of other kinds

_WHOLE = 2**63  # whole numbers below fit into int64


def values_of(given: Any, where: str) -> Values:
    """Return the values of a parameter: an array if all are numbers, else a tuple.

    Parameters
    ----------
    given : sequence or array
        The values. Of an array with several axes each row is a value.
    where : str
        The place, for messages.

    Raises
    ------
    SpecError
        If it is not a sequence, is empty, or holds something that is no value of a parameter.
    """
    result = _as_array(given, where)
    if result is None:
        rows = np.asarray(given) if hasattr(given, "__array__") else given
        items = [_value(item, where) for item in rows]
        if not items:
            raise SpecError(f"{where}: has no values; at least one is needed")
        result = _numbers(items, where)
        if result is None:
            return tuple(items)
    if result.size == 0:
        raise SpecError(f"{where}: has no values; at least one is needed")
    if np.isnan(result).any():
        raise SpecError(f"{where}: value {int(np.isnan(result).argmax())} is nan, must be a number")
    result.setflags(write=False)
    return result


def _as_array(given: Any, where: str) -> np.ndarray | None:
    """Return what is an array of numbers already, copied; None for other sequences; refuse what is no sequence."""
    no_sequence = isinstance(given, (str, bytes, Spec, Mapping, Set)) or not isinstance(given, (Iterable, np.ndarray))
    if not no_sequence and hasattr(given, "__array__"):
        given = np.asarray(given)  # of xarray, pandas
        if given.ndim == 1 and given.dtype.kind in "fi":
            return given.astype(np.float64 if given.dtype.kind == "f" else np.int64)
        no_sequence = given.ndim == 0
    if no_sequence:
        raise SpecError(f"{where} = {short_value(given)}: must be a list of values, such as [0.5, 1.0]")
    return None


def _numbers(items: list[Any], where: str) -> np.ndarray | None:
    """Return values as an array if all of them are numbers: of int64 if all are whole and fit."""
    if all(type(item) is int and -_WHOLE <= item < _WHOLE for item in items):
        return np.array(items, dtype=np.int64)
    if not all(type(item) in (int, float) for item in items):
        return None
    try:
        return np.array([float(item) for item in items])
    except OverflowError:
        raise SpecError(f"{where}: holds a number that is too large") from None


def _value(item: Any, where: str) -> Any:
    """Return one value in its plain form: Python scalars, tuples, arrays that cannot be written, Specs."""
    if item is None or isinstance(item, (str, Spec)):
        return str(item) if isinstance(item, str) else item
    if isinstance(item, (bool, np.bool_)):
        return bool(item)
    if isinstance(item, (int, np.integer)):
        return int(item)
    if isinstance(item, (float, np.floating)):
        if item != item:
            raise SpecError(f"{where}: holds nan, must hold numbers")
        return float(item)
    if isinstance(item, (list, tuple)):
        return tuple(_value(part, where) for part in item)
    if hasattr(item, "__array__"):
        array = np.array(item)
        if array.ndim == 0 and array.dtype != object:
            return _value(array.item(), where)
        if array.dtype.kind in "fiub" and array.size:
            if np.isnan(array).any():
                raise SpecError(f"{where}: holds an array with nan, must hold numbers")
            array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
            array.setflags(write=False)
            return array
    raise SpecError(f"{where}: holds {short_value(item)}, must hold numbers, texts, signals or arrays of numbers")


def refuse_repeated(values: Values, where: str) -> None:
    """Raise SpecError if a value occurs twice."""
    if isinstance(values, np.ndarray):
        ordered = np.sort(values)
        again = ordered[1:][ordered[1:] == ordered[:-1]]
        if again.size:
            raise SpecError(f"{where}: holds {again[0]} more than once")
        return
    seen = set()
    for value in values:
        key = _key(value)
        if key in seen:
            raise SpecError(f"{where}: holds {short_value(value)} more than once")
        seen.add(key)


def _key(value: Any) -> Any:
    """Return something that is equal, and hashable, for equal values."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if isinstance(value, tuple):
        return tuple(_key(part) for part in value)
    return type(value) is bool, value  # True == 1
