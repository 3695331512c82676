"""Exact derivatives of functions of scalars: dual numbers, which carry the derivatives along with the values.

The text of a law is arithmetic and functions of NumPy on scalars, so that it runs on dual numbers as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["partial_derivatives"]


def partial_derivatives(
    function: Callable[..., Any], arguments: Sequence[Any], others: Sequence[Any] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``function(*arguments, *others)``, element by element, and its derivatives by each of the arguments.

    Parameters
    ----------
    function : callable
        A function of scalars: arithmetic, comparisons, and exp, log, sqrt, tanh, abs, sign, maximum, minimum.
    arguments : sequence of ndarray
        Arrays of one shape.
    others : sequence
        Further arguments, by which no derivative is taken.

    Returns
    -------
    values, derivatives : ndarray
        Shapes (...) and (arguments, ...). At a corner the derivative is that from one side.
    """
    shape = np.broadcast_shapes(*(np.shape(a) for a in arguments))
    duals = []
    for k, argument in enumerate(arguments):
        parts = np.zeros((len(arguments), *shape))
        parts[k] = 1.0
        duals.append(_Dual(np.broadcast_to(np.asarray(argument, dtype=np.float64), shape), parts))
    with np.errstate(over="ignore"):
        found = _dual(function(*duals, *others), duals[0])
    return np.array(found.value), found.parts


class _Dual(np.lib.mixins.NDArrayOperatorsMixin):
    """A value and its derivatives."""

    def __init__(self, value: np.ndarray, parts: np.ndarray) -> None:
        self.value, self.parts = value, parts

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        values = [part.value if isinstance(part, _Dual) else part for part in inputs]
        if ufunc in _COMPARISONS:
            return ufunc(*values)
        if ufunc not in _SLOPES:
            return NotImplemented
        result = ufunc(*values)
        if ufunc is np.multiply and any(isinstance(part, float) and part == 0.0 for part in inputs):
            return result  # of an activation that is not meant: it depends on nothing
        slopes = _SLOPES[ufunc](result, *values)
        parts: Any = 0.0
        for part, slope in zip(inputs, slopes, strict=True):
            if not isinstance(part, _Dual):
                continue
            if np.isfinite(slope).all() and np.isfinite(part.parts).all():
                parts = parts + slope * part.parts
            else:
                # What does not depend stays so, whatever the other factor is: exp(-w) of a shut gate may be infinite.
                none = (np.asarray(slope) == 0.0) | (part.parts == 0.0)
                parts = parts + np.where(none, 0.0, np.where(none, 1.0, slope) * np.where(none, 0.0, part.parts))
        return _Dual(result, parts)


def _dual(value: Any, like: _Dual) -> _Dual:
    return value if isinstance(value, _Dual) else _Dual(np.broadcast_to(value, like.value.shape), 0.0 * like.parts)


_COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)
# The derivatives by each argument, from the result and the arguments.
_SLOPES: dict[np.ufunc, Callable[..., tuple[Any, ...]]] = {
    np.add: lambda y, a, b: (1.0, 1.0),
    np.subtract: lambda y, a, b: (1.0, -1.0),
    np.multiply: lambda y, a, b: (b, a),
    np.divide: lambda y, a, b: (1.0 / b, -y / b),
    np.negative: lambda y, a: (-1.0,),
    np.positive: lambda y, a: (1.0,),
    np.exp: lambda y, a: (y,),
    np.log: lambda y, a: (1.0 / a,),
    np.sqrt: lambda y, a: (0.5 / y,),
    np.tanh: lambda y, a: (1.0 - y * y,),
    np.absolute: lambda y, a: (np.sign(a),),
    np.sign: lambda y, a: (0.0,),
    np.maximum: lambda y, a, b: (1.0 * (np.asarray(a) > b), 1.0 * (np.asarray(a) <= b)),
    np.minimum: lambda y, a, b: (1.0 * (np.asarray(a) < b), 1.0 * (np.asarray(a) >= b)),
}
