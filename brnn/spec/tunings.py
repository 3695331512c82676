"""Tunings: how strongly a place drives each cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array
from brnn.base.data import Spec
from brnn.errors import SpecError

__all__ = ["PlaceTuning", "StripeTuning", "Tuning"]

Argument = float | np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Tuning(Spec):
    """How strongly each cell of a layer is driven at a place (x, y). To write a new one, subclass it in a new file.

    1. Its fields are numbers for all cells, or arrays of the layer's shape; ``__post_init__`` validates them.
    2. ``kernel(x, y, *arguments)`` is a static function of scalars that returns the factor of one cell, >= 0; its text
       goes into the generated code.
    3. ``arguments`` are its arguments after the place, each one number or an array.
    4. ``length`` is the shortest distance in which the factor of a cell rises and falls.
    """

    kernel: ClassVar[Callable[..., Any]]

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Return the arguments of `kernel` after x and y."""
        raise NotImplementedError

    @property
    def length(self) -> float:
        """Return the shortest distance in which a factor rises and falls."""
        raise NotImplementedError

    def at(self, x: Any, y: Any) -> np.ndarray:
        """Return the factor of every cell at one place."""
        return np.asarray(type(self).kernel(float(x), float(y), *self.arguments))

    def check(self, layer: tuple[int, ...], where: str) -> None:
        """Raise SpecError if an array does not have the layer's shape."""
        for name, value in vars(self).items():
            if np.shape(value) not in ((), layer):
                raise SpecError(
                    f"{where}: {type(self).__name__}: {name}: has shape {np.shape(value)}, must be one number or have "
                    f"the layer's shape {layer}"
                )

    def _numbers(self, above: tuple[str, ...] = ()) -> None:
        """Validate all fields, those named in `above` as numbers above 0."""
        for name, value in list(vars(self).items()):
            where = f"{type(self).__name__}: {name}"
            given = array(value, where)
            if name in above and (given <= 0.0).any():
                raise SpecError(f"{where}: has the element {given.min():g}; must be > 0")
            self._set(**{name: float(given) if given.ndim == 0 else given})


@dataclass(frozen=True, eq=False, repr=False)
class StripeTuning(Tuning):
    """Stripe cells: parallel stripes across the arena, each with a Gaussian profile.

    exp(-d^2/(2 width^2)), d being the distance to the nearest stripe, across which the path is measured:
    p = x cos(direction) + y sin(direction), stripes at p = offset + k spacing.

    Parameters
    ----------
    direction : float or array
        In which p grows, in radians.
    offset : float or array
        Where a stripe lies.
    spacing : float or array, > 0
        From stripe to stripe.
    width : float or array, > 0
        Standard deviation of a stripe.
    """

    direction: float | np.ndarray
    offset: float | np.ndarray
    spacing: float | np.ndarray
    width: float | np.ndarray

    def __post_init__(self) -> None:
        self._numbers(above=("spacing", "width"))

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Cosine and sine of the direction, offset, spacing, and the factor of d^2."""
        return np.cos(self.direction), np.sin(self.direction), self.offset, self.spacing, 0.5 / np.square(self.width)

    @property
    def length(self) -> float:
        """The smallest spacing."""
        return float(np.min(self.spacing))

    @staticmethod
    def kernel(x: Any, y: Any, c: Any, s: Any, offset: Any, spacing: Any, falls: Any) -> Any:
        """Return the factor of a stripe cell."""
        p = (x * c + y * s - offset) / spacing
        d = (p - np.floor(p + 0.5)) * spacing
        return np.exp(-falls * d * d)


@dataclass(frozen=True, eq=False, repr=False)
class PlaceTuning(Tuning):
    """Place fields: exp(-r^2/(2 width^2)), r being the distance from the middle of the cell's field.

    Parameters
    ----------
    x, y : float or array
        The middle of each field.
    width : float or array, > 0
        Its standard deviation.
    """

    x: float | np.ndarray
    y: float | np.ndarray
    width: float | np.ndarray

    def __post_init__(self) -> None:
        self._numbers(above=("width",))

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The middle, and the factor of r^2."""
        return self.x, self.y, 0.5 / np.square(self.width)

    @property
    def length(self) -> float:
        """Six standard deviations."""
        return 6.0 * float(np.min(self.width))

    @staticmethod
    def kernel(x: Any, y: Any, middle_x: Any, middle_y: Any, falls: Any) -> Any:
        """Return the factor of a place cell."""
        return np.exp(-falls * ((x - middle_x) ** 2 + (y - middle_y) ** 2))
