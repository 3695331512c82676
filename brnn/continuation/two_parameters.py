"""`bifurcation_curve`: folds, branch points or Hopf points of equilibria along two parameters.

One equation more than for an equilibrium holds the state at the point: the real part of the eigenvalue that crosses
the imaginary axis there,

    F(u, p, q) = 0,    Re lambda(u, p, q) = 0,

where lambda is the eigenvalue nearest to that of the point before. At a cusp the curve of folds goes on; at a
Bogdanov-Takens point, where a pair of eigenvalues meets at 0, lambda is no smooth function and the curve ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import whole
from brnn.base.named import says_what_is_meant
from brnn.continuation.curve import ContinuationError, CurvePoint, follow, point_at, with_unknown_held
from brnn.continuation.diagram import one_parameter, trace
from brnn.continuation.equilibria import EquilibriumCurve, SpecialPoint
from brnn.continuation.family import Family
from brnn.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["bifurcation_curve"]

KINDS = ("fold", "branch point", "Hopf point")
_DIFFERENCE = 1e-4  # of a size or a range: step of the derivatives of an eigenvalue, itself known to 1e-9
_MEETING = 1e-3  # of the fastest rate; a pair of eigenvalues nearer to 0 is about to meet


class _PointCurve:
    """The two-parameter problem; y is (v, q, p)."""

    def __init__(self, inner: EquilibriumCurve, frequency: float) -> None:
        self.inner, self.frequency = inner, frequency
        self.family = inner.family
        (low, high), (below, above) = self.family.ranges.values()
        self._ranges = (above - below, high - low)

    def values(self, y: np.ndarray) -> tuple[float, float]:
        """Return (p, q)."""
        return float(y[-1]), float(y[-2])

    def state(self, y: np.ndarray) -> np.ndarray:
        """Return the whole state vector."""
        return self.inner.groups.expand(y[:-2])

    def eigenvalue(self, y: np.ndarray) -> complex:
        """Return the eigenvalue nearest to that which crossed at the last point."""
        values = self.family.eigenvalues(self.state(y), self.values(y))
        return complex(values[np.argmin(np.abs(values - 1j * self.frequency))])

    def residual(self, y: np.ndarray) -> np.ndarray:
        """Return F for the first member of each group, and the real part."""
        rates = self.inner.groups.reduce(self.family.rates(self.state(y), self.values(y)))
        return np.append(rates, self.eigenvalue(y).real)

    def jacobian(self, y: np.ndarray) -> np.ndarray:
        """Return the derivatives of `residual`."""
        groups, u, values = self.inner.groups, self.state(y), self.values(y)
        n = groups.count
        J = np.empty((n + 1, n + 2))
        J[:n, :n] = groups.columns(self.family.jacobian(u, values))
        J[:n, n] = groups.reduce(self.family.by_parameter(u, values, 1))
        J[:n, n + 1] = groups.reduce(self.family.by_parameter(u, values, 0))
        size = max(self.inner.size, float(np.max(np.abs(u))))
        here = self.eigenvalue(y).real
        for k, step in enumerate([_DIFFERENCE * size] * n + [_DIFFERENCE * r for r in self._ranges]):
            shift = np.zeros(y.size)
            shift[k] = step
            try:
                J[n, k] = (self.eigenvalue(y + shift).real - self.eigenvalue(y - shift).real) / (2.0 * step)
            except InputError:  # no network there
                J[n, k] = (self.eigenvalue(y + shift).real - here) / step
        return J

    def weights(self, y: np.ndarray) -> np.ndarray:
        """Return the weights of the norm."""
        state = self.inner.weights(np.append(y[:-2], 0.0))[:-1]
        return np.concatenate([state, [r**-2.0 for r in self._ranges]])


@says_what_is_meant
def bifurcation_curve(
    build: Any,
    along: Mapping[str, tuple[float, float]],
    *,
    kind: str = "fold",
    which: int = 0,
    settings: Mapping[str, Any] | None = None,
    initial: Any = None,
    groups: bool = True,
    branches: int = 20,
    points: int = 1000,
    longest: float = 0.03,
) -> xr.Dataset:
    """Follow a fold, a branch point or a Hopf point along two parameters.

    Parameters
    ----------
    build : callable, str, module or Network
        As in `bifurcation_diagram`.
    along : mapping
        Two parameters and where each goes from and to. Along the first, at the first value of the second, equilibria
        are followed until the point is met; then both vary, in both directions of the curve.
    kind : {"fold", "branch point", "Hopf point"}
        What is looked for.
    which : int
        Which of the points of this kind, counted from 0 in the order in which they are met.
    settings, initial, groups, branches, points, longest
        As in `bifurcation_diagram`.

    Returns
    -------
    xarray.Dataset
        Along `point`: both parameters, the state under the names that results have, `frequency` (of Hopf points), and
        `special` ("cusp", "Bogdanov-Takens point", "start").

    Raises
    ------
    InputError
        If there are not two parameters, no such kind, or no such point is met.

    Examples
    --------
    >>> curve = brnn.bifurcation_curve("rcf", {"B": (4.0, 1.0), "A": (1.0, 3.0)},
    ...     settings={"n": 1, "signal": "w**2"}, initial=2.0)  # B**2 = 4 A
    """
    branches = whole(branches, "branches", minimum=0)
    if not isinstance(along, Mapping) or len(along) != 2:
        raise InputError("along: must name two parameters and the ends of each, {'A': (0.5, 2.0), 'B': (1.0, 3.0)}")
    if kind not in KINDS:
        raise InputError(f"kind: is {kind!r}, must be one of {', '.join(KINDS)}")
    ends = {}
    for name, pair in along.items():
        ends[name] = one_parameter({name: pair})[1]
    (begin, end), (q, _) = ends.values()
    family = Family(build, settings or {}, {name: (min(pair), max(pair)) for name, pair in ends.items()})
    found, _, _ = trace(family, begin, end, initial, groups, branches, points, longest, (q,))
    size = max(float(np.max(np.abs(branch.curve.state(point.y)))) for branch in found for point in branch.points) or 1.0
    met = [(branch.curve, point) for branch in found for point in branch.special if point.kind == kind]
    if not -len(met) <= which < len(met):
        raise InputError(f"bifurcation_curve: point {which} of kind {kind} is not met: there are {len(met)}")
    return _dataset(family, kind, *_both_ways(*met[which], q, size, longest, points))


def _both_ways(
    inner: EquilibriumCurve, point: SpecialPoint, q: float, size: float, longest: float, most: int
) -> tuple[list[np.ndarray], list[float], list[str], EquilibriumCurve]:
    """Return the points of the curve in their order, the frequencies, and what is special."""
    inner = EquilibriumCurve(inner.family, inner.groups, size, inner.other)
    curve = _PointCurve(inner, point.frequency)
    y = np.concatenate([point.y[:-1], [q, point.parameter]])
    second = np.zeros(y.size)
    second[-2] = 1.0
    try:
        y = with_unknown_held(curve, y, q, -2)
        forward = point_at(curve, y, second)
    except ContinuationError:
        raise InputError("bifurcation_curve: the point is not isolated: its eigenvalue is no smooth function") from None
    halves = []
    for start in (point_at(curve, y, -forward.tangent), forward):
        halves.append(_half(_PointCurve(inner, point.frequency), start, longest, most))
    back, ahead = halves
    ys = [entry[0] for entry in back[::-1]] + [y] + [entry[0] for entry in ahead]
    frequencies = [entry[1] for entry in back[::-1]] + [point.frequency] + [entry[1] for entry in ahead]
    marks = [entry[2] for entry in back[::-1]] + ["start"] + [entry[2] for entry in ahead]
    return ys, frequencies, marks, inner


def _half(curve: _PointCurve, start: CurvePoint, longest: float, most: int) -> list[tuple[np.ndarray, float, str]]:
    """Return the points from one on in one direction: unknowns, frequency, what is special."""
    (low, high), (below, above) = curve.family.ranges.values()
    result: list[tuple[np.ndarray, float, str]] = []
    for before, after in follow(curve, start, low, high, longest=longest):
        if not below <= after.y[-2] <= above:
            break
        frequency = abs(curve.eigenvalue(after.y).imag)
        turns = all(before.tangent[k] * after.tangent[k] < 0.0 for k in (-1, -2))
        mark = "cusp" if turns and not curve.frequency else ""
        if curve.frequency:
            fastest = float(np.max(np.abs(curve.family.eigenvalues(curve.state(after.y), curve.values(after.y)))))
            curve.frequency = frequency
            if frequency < _MEETING * fastest:
                result.append((after.y, frequency, "Bogdanov-Takens point"))
                break
        result.append((after.y, frequency, mark))
        if len(result) == most:
            break
    return result


def _dataset(
    family: Family, kind: str, ys: list[np.ndarray], frequencies: list[float], marks: list[str], inner: EquilibriumCurve
) -> xr.Dataset:
    import xarray as xr

    p, q = family.names
    states = np.array([inner.groups.expand(y[:-2]) for y in ys])
    data: dict[str, Any] = {
        p: ("point", np.array([y[-1] for y in ys])),
        q: ("point", np.array([y[-2] for y in ys])),
        "frequency": ("point", np.array(frequencies)),
        "special": ("point", np.array(marks, dtype=object)),
    }
    for variable in family.system.variables:
        block = states[:, variable.start : variable.stop].reshape(-1, *variable.shape)
        data[variable.name] = (("point", *variable.dims), block)
    return xr.Dataset(data, attrs={"along": f"{p} {q}", "kind": kind, "network": family.system.network.name})
