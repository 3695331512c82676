"""A number that differs from network to network, so that many networks can be specified at once.

A sweep over numbers alone builds one network with a Varying in the place of each swept number. Arithmetic gives
further Varying numbers; a question (is it positive?) must have the same answer for all networks. Whatever else is asked
of it - a float, a truth value, an array - raises Diverges, and the networks are then built one by one: nothing is
ever silently taken for the number of another network.

Operations are those of Python on each of the numbers, to the last bit: float64 arithmetic for floats, and for whole
numbers exact arithmetic, which is given up where float64 would no longer be exact.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

__all__ = ["Diverges", "Varying", "alike"]

_SPARSE = ("data", "indices", "indptr")
_EXACT = 2.0**53  # whole numbers below this are exact in float64


class Diverges(BaseException):
    """Networks that were specified together must be specified one by one.

    It is no Exception, so that an ``except Exception`` in a build function does not swallow it.
    """


class Varying:
    """The values of one number in many networks.

    To ``isinstance`` it is the float, or for whole numbers the int, that it is in each network, so that code that asks
    for the type of a number takes the same way as with the number itself.

    Parameters
    ----------
    values : ndarray of float64 or int64, shape (networks,)
        The number in each of them. Raises Diverges if whole numbers are too large to be exact in float64.
    """

    __slots__ = ("values", "whole")
    __array_ufunc__ = None  # NumPy's operators give way to those below

    values: np.ndarray
    whole: bool

    def __init__(self, values: np.ndarray) -> None:
        self.whole = values.dtype.kind in "iu"
        self.values = values.astype(np.float64) if self.whole else values
        self._exact()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int if self.whole else float

    @property
    def digest(self) -> str:
        """A text that is the same only for the same values."""
        return hashlib.sha256(self.values.tobytes()).hexdigest()

    def within(self, minimum: float | None, above: float | None, maximum: float | None) -> Varying:
        """Return it as a float if every value is finite and within the bounds; else raise Diverges."""
        v = self.values
        fits = bool(np.isfinite(v).all())
        fits = fits and (minimum is None or bool((v >= minimum).all())) and (above is None or bool((v > above).all()))
        if not (fits and (maximum is None or bool((v <= maximum).all()))):
            raise Diverges
        return Varying(v)

    def _exact(self) -> None:
        if self.whole and (np.abs(self.values) >= _EXACT).any():
            raise Diverges

    def _agreed(self, compare: Callable[[Any, Any], Any], other: Any) -> bool:
        answers = compare(self.values, _operand(other)[0])
        if answers.all():
            return True
        if answers.any():
            raise Diverges
        return False

    def __lt__(self, other: Any) -> bool:
        return self._agreed(operator.lt, other)

    def __le__(self, other: Any) -> bool:
        return self._agreed(operator.le, other)

    def __gt__(self, other: Any) -> bool:
        return self._agreed(operator.gt, other)

    def __ge__(self, other: Any) -> bool:
        return self._agreed(operator.ge, other)

    def __eq__(self, other: Any) -> bool:
        return self._agreed(operator.eq, other)

    def __ne__(self, other: Any) -> bool:
        return self._agreed(operator.ne, other)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise Diverges

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __hash__ = _refuse
    __array__ = __iter__ = __len__ = __getitem__ = __contains__ = _refuse
    __format__ = __str__ = __repr__ = __bytes__ = __round__ = __floor__ = __ceil__ = __trunc__ = _refuse
    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = _refuse
    # Python's own power is not that of NumPy to the last bit; what is left over has no use in equations.
    __pow__ = __rpow__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = __floordiv__ = __rfloordiv__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _refuse
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __matmul__ = __rmatmul__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        """Raise Diverges for what else a float or an int has: ``A.is_integer()``, ``A.real``."""
        if name.startswith("__"):  # protocols, which no number has either
            raise AttributeError(name)
        raise Diverges

    def __neg__(self) -> Varying:
        return self._new(-self.values, self.whole)

    def __pos__(self) -> Varying:
        return self

    def __abs__(self) -> Varying:
        return self._new(np.abs(self.values), self.whole)

    def __add__(self, other: Any) -> Varying:
        return self._combined(operator.add, other)

    def __radd__(self, other: Any) -> Varying:
        return self._combined(operator.add, other, swapped=True)

    def __sub__(self, other: Any) -> Varying:
        return self._combined(operator.sub, other)

    def __rsub__(self, other: Any) -> Varying:
        return self._combined(operator.sub, other, swapped=True)

    def __mul__(self, other: Any) -> Varying:
        return self._combined(operator.mul, other)

    def __rmul__(self, other: Any) -> Varying:
        return self._combined(operator.mul, other, swapped=True)

    def __truediv__(self, other: Any) -> Varying:
        return self._combined(divided, other)

    def __rtruediv__(self, other: Any) -> Varying:
        return self._combined(divided, other, swapped=True)

    def _combined(self, operation: Callable[[Any, Any], Any], other: Any, swapped: bool = False) -> Varying:
        values, whole = _operand(other)
        with np.errstate(over="ignore", invalid="ignore"):  # Python is silent, too; the network refuses the result
            result = operation(values, self.values) if swapped else operation(self.values, values)
        return self._new(result, self.whole and whole and operation is not divided)

    @staticmethod
    def _new(values: np.ndarray, whole: bool) -> Varying:
        result = Varying(values)
        result.whole = whole
        result._exact()
        if whole:
            result.values = values + 0.0  # whole numbers know no negative zero
        return result


def _operand(other: Any) -> tuple[Any, bool]:
    """Return what an operation works with, and whether it is whole; of anything but numbers nothing is known."""
    if type(other) is Varying:
        return other.values, other.whole
    if isinstance(other, (int, float, np.floating, np.integer)) and not isinstance(other, bool):
        if isinstance(other, (int, np.integer)) and abs(int(other)) >= _EXACT:
            raise Diverges
        if isinstance(other, np.floating) and other.dtype != np.float64:  # of another precision
            raise Diverges
        return float(other), isinstance(other, (int, np.integer))
    raise Diverges


def divided(above: Any, below: Any) -> Any:
    if np.any(below == 0.0):  # where Python raises an error, each network has its own
        raise Diverges
    return above / below


def alike(shared: Any, own: Any, place: int) -> bool:
    """Tell whether a specification with Varying numbers is, for the network at `place`, the same as its own one."""
    if type(shared) is Varying:
        value = float(shared.values[place])
        return type(own) in (float, int) and own == value and math.copysign(1.0, own) == math.copysign(1.0, value)
    if shared is own:
        return True
    if type(shared) is not type(own):
        return False
    if dataclasses.is_dataclass(shared):
        return all(alike(getattr(shared, f.name), getattr(own, f.name), place) for f in dataclasses.fields(shared))
    if isinstance(shared, np.ndarray):
        return shared.dtype == own.dtype and shared.shape == own.shape and shared.tobytes() == own.tobytes()
    if hasattr(shared, "tocsr"):  # a sparse matrix
        a, b = shared.tocsr(), own.tocsr()
        return a.shape == b.shape and all(alike(getattr(a, k), getattr(b, k), place) for k in _SPARSE)
    if isinstance(shared, (tuple, list)):
        return len(shared) == len(own) and all(alike(a, b, place) for a, b in zip(shared, own, strict=True))
    if isinstance(shared, Mapping):
        return list(shared) == list(own) and all(alike(shared[key], own[key], place) for key in shared)
    return bool(shared == own)
