"""Pseudo-arclength continuation of a curve G(y) = 0 of N equations in N + 1 unknowns, the last a parameter.

From a point y with unit tangent t a step of length s predicts y + s t; Newton's method then solves

    G(y') = 0,    t . W (y' - y) = s                                                     (Keller 1977)

in a norm that weighs each unknown by its own size, so that neither the unit of activities nor that of the parameter
matters. The matrix [dG/dy; t W] stays regular at folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from brnn.errors import BrnnError

__all__ = [
    "ContinuationError",
    "CurvePoint",
    "Followed",
    "correct",
    "follow",
    "point_at",
    "step_to",
    "with_unknown_held",
]

_NEWTON = 12  # iterations at most; more means that the step was too long
_CONTRACTION = 0.1  # of the last correction; one that is longer asks for new derivatives
_EASY = 6  # iterations up to which the next step may be longer
_GROWTH, _SHRINK = 1.5, 0.5
_TURN = 0.92  # cosine of the largest angle between two tangents, 23 degrees: a sharper turn is another branch
_TOLERANCE = 1e-10  # of the last correction, in the weighted norm
_SHORTEST = 1e-7
_FARTHEST = 10.0  # sizes or ranges; a longer correction leads elsewhere


class ContinuationError(Exception):
    """Newton's method found no point of the curve."""


class Followed(Protocol):
    """What is followed."""

    def residual(self, y: np.ndarray) -> np.ndarray:
        """Return G(y), shape (N,)."""
        ...

    def jacobian(self, y: np.ndarray) -> Any:
        """Return dG/dy, shape (N, N + 1), an array or a sparse matrix."""
        ...

    def weights(self, y: np.ndarray) -> np.ndarray:
        """Return the weight of the square of each unknown in the norm, shape (N + 1,)."""
        ...


Solver = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class CurvePoint:
    """A point of a curve.

    Attributes
    ----------
    y : ndarray
        The unknowns.
    tangent : ndarray
        The unit tangent there.
    solve : callable
        Solves [dG/dy; W t] x = b, with the derivatives at this point.
    """

    y: np.ndarray
    tangent: np.ndarray
    solve: Solver

    @property
    def parameter(self) -> float:
        """The last unknown."""
        return float(self.y[-1])


def bordered(J: Any, row: np.ndarray) -> Solver:
    """Return what solves [J; row] x = b; raise ContinuationError if the matrix is singular."""
    if isinstance(J, np.ndarray):
        from scipy.linalg.lapack import dgetrf, dgetrs

        factors, pivots, zero = dgetrf(np.vstack([J, row]))
        if zero or not np.isfinite(factors).all():
            raise ContinuationError("singular")
        return lambda b: np.asarray(dgetrs(factors, pivots, b)[0])
    from scipy.sparse import csr_matrix, vstack
    from scipy.sparse.linalg import splu

    try:
        return splu(vstack([J, csr_matrix(row)], format="csc")).solve
    except RuntimeError as error:
        raise ContinuationError("singular") from error


def correct(
    curve: Followed, start: np.ndarray, row: np.ndarray, value: float, solve: Solver | None = None
) -> tuple[np.ndarray, int]:
    """Return where Newton's method from `start` solves G(y) = 0 and row . y = value, and in how many iterations.

    Derivatives are computed again only where the last ones brought y too little nearer: one Jacobian costs as much as
    many residuals, and along a branch it changes little.

    Parameters
    ----------
    curve : Curve
        The equations.
    start : ndarray
        Where to begin.
    row : ndarray
        Direction in which y is held.
    value : float
        Where it is held.
    solve : callable, optional
        Solves with the derivatives of a point nearby and this row.

    Raises
    ------
    ContinuationError
        If it does not converge.
    """
    y, W, last = start, curve.weights(start), np.inf
    for count in range(1, _NEWTON + 1):
        try:
            right = np.append(curve.residual(y), row @ y - value)
            if solve is None:
                solve = bordered(curve.jacobian(y), row)
        except BrnnError as error:  # the parameter has left what the network allows
            raise ContinuationError(str(error)) from error
        change = solve(right)
        length = float(np.sqrt(W @ change**2))
        if not length < _FARTHEST:  # not a number, too
            break
        y = y - change
        if length <= _TOLERANCE * (1.0 + float(np.sqrt(W @ y**2))):
            return y, count
        if length > _CONTRACTION * last:
            solve = None
        last = length
    raise ContinuationError("Newton's method does not converge")


def with_unknown_held(curve: Followed, guess: np.ndarray, value: float, which: int = -1) -> np.ndarray:
    """Return the point of a curve near a guess at which one unknown, by default the parameter, has a value."""
    row = np.zeros(guess.size)
    row[which] = 1.0
    return correct(curve, guess, row, value)[0]


def point_at(curve: Followed, y: np.ndarray, like: np.ndarray) -> CurvePoint:
    """Return a point of a curve with its unit tangent, on the side of the direction `like`."""
    W, J = curve.weights(y), curve.jacobian(y)
    unit = np.append(np.zeros(y.size - 1), 1.0)
    t = bordered(J, W * like)(unit)
    t /= np.sqrt(W @ t**2)
    return CurvePoint(y, t, bordered(J, W * t))


def step_to(curve: Followed, point: CurvePoint, length: float) -> tuple[np.ndarray, int]:
    """Return where the curve is at an arclength of about `length` from a point, and how many iterations it took."""
    row = curve.weights(point.y) * point.tangent
    return correct(curve, point.y + length * point.tangent, row, float(row @ point.y) + length, point.solve)


def follow(
    curve: Followed,
    start: CurvePoint,
    low: float,
    high: float,
    *,
    longest: float,
) -> Iterator[tuple[CurvePoint, CurvePoint]]:
    """Yield each step along a curve: the point where it begins, and that where it ends.

    The curve ends where its parameter leaves the interval from `low` to `high` (the last point lies on the bound),
    where it has come back to its start, or where no shorter step is found.

    Parameters
    ----------
    curve : Curve
        What is followed.
    start : CurvePoint
        Where it begins, and in which direction.
    low, high : float
        The interval of the parameter.
    longest : float
        The longest step, in the weighted norm.
    """
    point, length = start, 0.2 * longest
    travelled = 0.0
    while True:
        try:
            y, count = step_to(curve, point, length)
            new = point_at(curve, y, point.tangent)
            W = curve.weights(new.y)
            turned = float(new.tangent @ (W * point.tangent) / np.sqrt(W @ point.tangent**2))
        except ContinuationError:
            new, count, turned = point, _NEWTON, -1.0
        if turned < _TURN:
            length *= _SHRINK
            if length < _SHORTEST:
                return
            continue
        if not low <= new.parameter <= high:
            bound = low if new.parameter < low else high
            if point.parameter == bound:
                return
            end = _at_parameter(curve, point, new, bound)
            if end is not None:
                yield point, end
            return
        yield point, new
        travelled += length
        home = new.y - start.y
        if (
            travelled > 3.0 * length
            and float(np.sqrt(W @ home**2)) < 0.6 * length
            and new.tangent @ (W * start.tangent) > 0.8
        ):
            return
        point = new
        if count <= _EASY:
            length = min(longest, length * _GROWTH)


def _at_parameter(curve: Followed, point: CurvePoint, beyond: CurvePoint, bound: float) -> CurvePoint | None:
    """Return the point between two others whose parameter is `bound`."""
    part = (bound - point.parameter) / (beyond.parameter - point.parameter)
    try:
        y = with_unknown_held(curve, point.y + part * (beyond.y - point.y), bound)
        y[-1] = bound
        return point_at(curve, y, point.tangent)
    except ContinuationError:
        return None
