"""What the models share: the shape of a field, its default pattern, and the checks of what a user gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from brnn.base.checks import array, number, one_of, shape, spread
from brnn.base.memory import refuse_above
from brnn.errors import SpecError
from brnn.signals import Signal
from brnn.spec.schedules import Constant, Pulse, Schedule

__all__ = [
    "PATTERN_A",
    "PATTERN_B",
    "activities",
    "default_pattern",
    "field_shape",
    "one_or_all",
    "presented",
    "signal_of",
    "spectrum",
]

# Ten-cell patterns of a public course exercise on the four signal functions (A = 1, B = 3, F = 0.25).
PATTERN_A = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
PATTERN_B = np.array([0.7, 0.6, 0.8, 0.9, 0.5, 0.3, 0.5, 0.7, 0.8, 0.4])
for _pattern in (PATTERN_A, PATTERN_B):
    _pattern.setflags(write=False)

_BYTES_PER_CELL = 8 * 20  # a run holds about twenty numbers for each cell: states, slopes, work arrays


def field_shape(
    model: str, n: Any, default: int | tuple[int, ...], given: Iterable[tuple[str, Any]]
) -> tuple[int, ...]:
    """Return the shape of a field of cells: `n`, or that of the first array that is given, or the default.

    Parameters
    ----------
    model : str
        Name of the model, for messages.
    n : int, tuple of int, or None
        What the user asked for.
    default : int or tuple of int
        Shape if nothing is given.
    given : iterable of (str, value)
        Arguments whose shape is that of the field, if they are arrays, with their names.

    Raises
    ------
    SpecError
        If a size is not a whole number >= 1.
    InputError
        If the field would not fit into memory.
    """
    sizes: Any = n
    if n is None:
        arrays = (
            array(value, f"{model}: {name}") for name, value in given if value is not None and not np.isscalar(value)
        )
        sizes = next((found.shape for found in arrays if found.ndim), default)
    result = shape(sizes, f"{model}: n")
    cells = math.prod(result)
    refuse_above(_BYTES_PER_CELL * cells, f"{model}: n = {' x '.join(map(str, result))}: a field of {cells:.6g} cells")
    return result


def spectrum(model: str, n: Any, default: int, rates: Any, usual: Callable[[int], np.ndarray]) -> np.ndarray:
    """Return the rates of a row of cells, each of its own: `rates`, or those that are usual for so many cells.

    Parameters
    ----------
    model : str
        Name of the model, for messages.
    n, default
        As for `field_shape`.
    rates : float, array or None
        What the user asked for.
    usual : callable
        What gives the rates of n cells if there are none.

    Raises
    ------
    SpecError
        If there is more than one dimension, or a rate is not a number > 0.
    """
    cells = field_shape(model, n, default, (("rates", rates),))
    if len(cells) > 1:
        raise SpecError(f"{model}: n = {cells}: must have one dimension")
    given = usual(cells[0]) if rates is None else activities(rates, f"{model}: rates", cells)
    r = np.array(np.broadcast_to(given, cells))
    if r.min() <= 0.0:
        raise SpecError(f"{model}: rates: has the element {r.min():g}; every element must be > 0")
    return r


def activities(value: Any, where: str, cells: tuple[int, ...], *, minimum: float | None = None) -> float | np.ndarray:
    """Return one number for all cells or one for each; raise SpecError if `value` is neither."""
    return spread(np.asarray(value) if hasattr(value, "__array__") else value, where, cells, minimum=minimum)


def one_or_all(value: Any) -> Any:
    """Return an array of no dimensions as a number, which holds for all cells; anything else as it is."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def default_pattern(cells: tuple[int, ...]) -> np.ndarray:
    """Return the pattern that is shown if the user gives none: two smooth bumps, the second lower and wider.

    Ten cells in a row get the ten-cell pattern A. Every other shape samples, at the middle of each cell of [0, 1]^d,

        0.1 + 0.8 exp(-|p - 0.25|^2 / (2 0.09^2)) + 0.6 exp(-|p - 0.7|^2 / (2 0.12^2)).
    """
    if cells == PATTERN_A.shape:
        return PATTERN_A
    first, second = np.zeros(cells), np.zeros(cells)
    for axis, size in enumerate(cells):
        place = ((np.arange(size) + 0.5) / size).reshape((-1,) + (1,) * (len(cells) - axis - 1))
        first += (place - 0.25) ** 2
        second += (place - 0.7) ** 2
    return 0.1 + 0.8 * np.exp(-first / (2.0 * 0.09**2)) + 0.6 * np.exp(-second / (2.0 * 0.12**2))


def signal_of(value: Any, where: str) -> Signal:
    """Return `value` if it is a signal; raise SpecError otherwise."""
    if isinstance(value, type):
        raise SpecError(f"{where} = {value.__name__}: must be a value, e.g. {value.__name__}(), not a class")
    signal: Signal = one_of(value, where, Signal, "a signal of brnn.signals, e.g. Sigmoid()")
    return signal


def presented(on: Any, where: str) -> Schedule:
    """Return the schedule of an input that is on from time 0 to `on`, which may be infinite."""
    stop = number(on, where, above=0.0, infinite=True)
    return Pulse(0.0, stop) if math.isfinite(stop) else Constant()
