"""Checks of what a user wrote. Each raises one line: the place, the value, what is allowed."""

from __future__ import annotations

import keyword
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.text import closest, counted, short_repr
from brnn.base.tracer import Varying
from brnn.errors import SpecError

__all__ = [
    "array",
    "choice",
    "fitting",
    "identifier",
    "is_identifier",
    "number",
    "one_of",
    "shape",
    "spread",
    "text",
    "whole",
]

_COUNTED = 2**63  # cells: whole numbers have no bound, what counts elements has this one
_NAME_AT_MOST = 100  # letters: two of them, joined, with endings, are still the name of a file (255 bytes)


def number(
    value: Any,
    where: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    infinite: bool = False,
) -> float:
    """Return `value` as a float, or raise SpecError.

    Parameters
    ----------
    value : object
        What the user gave. Booleans, strings and arrays are refused.
    where : str
        The place of the value, e.g. ``"Layer 'F1': A"``.
    minimum, above, maximum : float, optional
        Bounds: ``value >= minimum``, ``value > above``, ``value <= maximum``.
    infinite : bool
        Whether plus infinity is allowed.
    """
    if type(value) is float:
        result = value
    elif isinstance(value, Varying) and not infinite:
        return value.within(minimum, above, maximum)  # type: ignore[return-value]
    else:
        result = _float(value, where, minimum, above, maximum)
    if math.isnan(result) or (math.isinf(result) and not (infinite and result > 0)):
        raise SpecError(f"{where} = {result}: must be finite{_range(minimum, above, maximum)}")
    if (
        (minimum is not None and result < minimum)
        or (above is not None and result <= above)
        or (maximum is not None and result > maximum)
    ):
        raise SpecError(f"{where} = {result:g}: must be a number{_range(minimum, above, maximum)}")
    return result


def _float(value: Any, where: str, *limits: float | None) -> float:
    """Return a number as a float, or raise SpecError, which also tells the limits."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Real, np.number)):
        raise SpecError(f"{where} = {short_repr(value)}: must be a number{_range(*limits)}")
    try:
        return float(value)
    except OverflowError:  # an int or fraction beyond the largest float
        raise SpecError(f"{where} = {short_repr(value)}: is too large for a number") from None


def _range(minimum: float | None, above: float | None, maximum: float | None) -> str:
    parts = []
    if minimum is not None:
        parts.append(f">= {minimum:g}")
    if above is not None:
        parts.append(f"> {above:g}")
    if maximum is not None:
        parts.append(f"<= {maximum:g}")
    return (" " + " and ".join(parts)) if parts else ""


def whole(value: Any, where: str, *, minimum: int | None = None) -> int:
    """Return `value` as an int, or raise SpecError; 3.0 counts as 3."""
    result = number(value, where, minimum=minimum)
    if result != math.floor(result):
        raise SpecError(f"{where} = {result:g}: must be a whole number")
    return int(result)


def array(
    value: Any,
    where: str,
    *,
    minimum: float | None = None,
    ndim: int | None = None,
    shape: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Return `value` as a read-only float64 array of finite numbers, or raise SpecError."""
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "fiub" or (given.dtype.kind == "b" and given.ndim == 0):
            raise ValueError
        result = np.array(given, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise SpecError(f"{where} = {short_repr(value)}: must be an array of numbers") from None
    if result.size == 0:
        raise SpecError(f"{where}: the array is empty")
    if ndim is not None and result.ndim != ndim:
        raise SpecError(f"{where}: has {result.ndim} dimensions, must have {ndim}")
    if shape is not None and result.shape != shape:
        raise SpecError(f"{where}: has shape {result.shape}, must have shape {shape}")
    if not np.isfinite(result).all():
        index, place = _first(~np.isfinite(result))
        raise SpecError(f"{where}{place[0]} is {result[index]}; {place[1]} must be finite")
    if minimum is not None and (result < minimum).any():
        index, place = _first(result < minimum)
        raise SpecError(f"{where}{place[0]} is {result[index]:g}; {place[1]} must be >= {minimum:g}")
    result.setflags(write=False)
    return result


def _first(wrong: np.ndarray) -> tuple[tuple[int, ...], tuple[str, str]]:
    """Return the index of the first true element, and words for it and for all (other ones for a single number)."""
    index = tuple(int(k) for k in np.argwhere(wrong)[0])
    if not index:
        return index, ("", "it")
    return index, (f": element {index[0] if len(index) == 1 else index}", "every element")


def spread(
    value: Any,
    where: str,
    cells: tuple[int, ...],
    *,
    minimum: float | None = None,
    above: float | None = None,
) -> float | np.ndarray:
    """Return one number for all cells, or a read-only array of one number per cell."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0):
        result = array(value, where, shape=cells, minimum=minimum)
        if above is not None and (result <= above).any():
            raise SpecError(f"{where}: has an element {result.min():g}; every element must be > {above:g}")
        return result
    return number(value, where, minimum=minimum, above=above)


def fitting(value: Any, cells: tuple[int, ...], where: str, what: str = "") -> None:
    """Raise SpecError unless an array has a number for each cell or connection, in the order of these.

    It may be one number, flat (in C order), or have the shape itself, axes of one element aside; an array of another
    shape and of the right size would be read in the wrong order.

    Parameters
    ----------
    value : object
        An array, or anything without a shape, which fits.
    cells : tuple of int
        The shape of the cells or connections.
    where : str
        The place of the value.
    what : str
        What the axes are, e.g. ``" [target, source]"``.
    """
    size = getattr(value, "shape", ())
    count = math.prod(cells)
    if size in ((), (count,)) or [n for n in size if n != 1] == [n for n in cells if n != 1]:
        return
    hint = f"; it looks transposed{':' + what if what else ''}" if size == cells[::-1] else ""
    form = f", flat or of shape {cells}" if len(cells) > 1 else ""
    raise SpecError(f"{where}: has shape {size}, must have {counted(count, 'element')}{what}{form}{hint}")


def shape(value: Any, where: str) -> tuple[int, ...]:
    """Return the shape of a layer: a whole number, or a sequence or row of them, each >= 1."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    sizes: Sequence[Any] = value if isinstance(value, (tuple, list)) else (value,)
    if not sizes:
        raise SpecError(f"{where} = (): must have at least one dimension")
    result = tuple(whole(size, where, minimum=1) for size in sizes)
    if math.prod(result) >= _COUNTED:
        raise SpecError(f"{where} = {short_repr(value)}: are more cells than can be counted")
    return result


def identifier(value: Any, where: str) -> str:
    """Return `value` if it can serve as the name of a group, a variable, a file key and a part of a file's name."""
    if not is_identifier(value):
        raise SpecError(
            f"{where} = {short_repr(value)}: "
            "must be a name of ASCII letters, digits and _ that does not begin with a digit"
        )
    if len(value) > _NAME_AT_MOST:
        raise SpecError(
            f"{where} = {short_repr(value)}: has {len(value)} letters; a name has {_NAME_AT_MOST} at most, so that "
            "files can be called after it"
        )
    return str(value)


def is_identifier(value: Any) -> bool:
    """Tell whether `value` obeys the rule for names: ASCII letters, digits and _, no keyword of Python."""
    return isinstance(value, str) and value.isidentifier() and value.isascii() and not keyword.iskeyword(value)


def text(value: Any, where: str) -> str:
    """Return `value` if it is a text that every file can hold."""
    if not isinstance(value, str):
        raise SpecError(f"{where} = {short_repr(value)}: must be a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SpecError(f"{where} = {value!a}: is not a text: it has half a character (a surrogate)") from None
    return value


def choice(value: Any, where: str, allowed: Sequence[str]) -> str:
    """Return `value` if it is one of the `allowed` strings."""
    if value not in allowed or not isinstance(value, str):
        hint = closest(value, allowed) if isinstance(value, str) else ""
        raise SpecError(f"{where} = {short_repr(value)}: must be one of {', '.join(allowed)}{hint}")
    return value


def one_of(value: Any, where: str, kind: type | tuple[type, ...], what: str) -> Any:
    """Return `value` if it is an instance of `kind`; `what` says in words what is allowed."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        meant = next((text for cls in kinds if issubclass(cls, Spec) and (text := cls.meant(value))), "")
        values = ", not classes" if isinstance(value, type) else ""
        size = getattr(value, "shape", None)
        shown = f"an array of shape {size}" if isinstance(size, tuple) and size else short_repr(value)
        raise SpecError(f"{where} = {shown}: must be {what}{values}{f'; did you mean {meant}?' if meant else ''}")
    if isinstance(value, Spec) and value.lacking():
        needs = " and ".join(value.needs)
        raise SpecError(
            f"{where}: {type(value).__name__} does not define {value.lacking()}; such a class needs {needs}"
        )
    return value
