"""Branches of equilibria: stability, folds, branch points, Hopf points, and where other branches leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from brnn.continuation.curve import ContinuationError, CurvePoint, correct, follow, point_at, step_to
from brnn.continuation.family import Family
from brnn.continuation.groups import Groups, equal_groups, refined
from brnn.ensemble.rest import NEUTRAL

__all__ = ["Branch", "EquilibriumCurve", "SpecialPoint", "follow_equilibria", "leaving"]

_KERNEL = 1e-5  # of the largest eigenvalue; a smaller one, at a located point, belongs to the kernel
_DEPARTURE = (0.02, 0.005, 0.001)  # of the size of the state: how far off a branch point a branch is looked for


class EquilibriumCurve:
    """F(u, p) = 0 for states in which the members of each group are equal; y is (v, p)."""

    def __init__(self, family: Family, groups: Groups, size: float, other: tuple[float, ...] = ()) -> None:
        self.family, self.groups, self.size, self.other = family, groups, size, other
        low, high = family.ranges[family.names[0]]
        self._spread = groups.sizes / family.size
        self._range = high - low

    def state(self, y: np.ndarray) -> np.ndarray:
        """Return the whole state vector u."""
        return self.groups.expand(y[:-1])

    def residual(self, y: np.ndarray) -> np.ndarray:
        """Return F for the first member of each group."""
        return self.groups.reduce(self.family.rates(self.state(y), (float(y[-1]), *self.other)))

    def jacobian(self, y: np.ndarray) -> np.ndarray:
        """Return the derivatives of `residual`, shape (groups, groups + 1)."""
        u, values = self.state(y), (float(y[-1]), *self.other)
        J = self.groups.columns(self.family.jacobian(u, values))
        return np.column_stack([J, self.groups.reduce(self.family.by_parameter(u, values))])

    def weights(self, y: np.ndarray) -> np.ndarray:
        """Return the weights of the norm: the root mean square of the state in its size, and p in its range."""
        size = max(self.size, float(np.max(np.abs(y[:-1]))))
        return np.append(self._spread / size**2, self._range**-2.0)

    def full_jacobian(self, y: np.ndarray) -> np.ndarray:
        """Return dF/du of all unknowns."""
        return self.family.jacobian(self.state(y), (float(y[-1]), *self.other))

    def eigenvalues(self, y: np.ndarray) -> np.ndarray:
        """Return all eigenvalues of dF/du (of networks with delays the rightmost), the largest real part first."""
        return self.family.eigenvalues(self.state(y), (float(y[-1]), *self.other))


@dataclass(frozen=True)
class SpecialPoint:
    """Where the stability of a branch of equilibria changes.

    Attributes
    ----------
    kind : str
        "fold", "branch point" or "Hopf point".
    index : int
        Where it stands among the points of its branch.
    y : ndarray
        The point.
    crossing : int
        How many eigenvalues cross the imaginary axis there: of a Hopf point 2.
    frequency : float
        Of a Hopf point, its imaginary part; otherwise 0.
    vector : ndarray of complex
        An eigenvector of the eigenvalue that crosses; 0 if the network has delays.
    fastest : float
        The largest eigenvalue's absolute value nearby: what an eigenvalue of 0 is compared with.
    """

    kind: str
    index: int
    y: np.ndarray
    crossing: int
    frequency: float
    vector: np.ndarray = field(repr=False)
    fastest: float = field(repr=False)

    @property
    def parameter(self) -> float:
        """Value of the parameter."""
        return float(self.y[-1])


@dataclass(frozen=True)
class Branch:
    """A branch of equilibria: its points in their order, and which are special.

    Attributes
    ----------
    curve : EquilibriumCurve
        The equations.
    points : tuple of CurvePoint
        The points.
    eigenvalues : tuple of ndarray
        All eigenvalues at each.
    special : tuple of SpecialPoint
        Those where stability changes.
    complete : bool
        False if there were more points than allowed.
    """

    curve: EquilibriumCurve
    points: tuple[CurvePoint, ...]
    eigenvalues: tuple[np.ndarray, ...]
    special: tuple[SpecialPoint, ...]
    complete: bool


def unstable(values: np.ndarray) -> int:
    """Return how many eigenvalues have a positive real part, as far as differences can tell."""
    return int(np.sum(values.real > NEUTRAL * np.max(np.abs(values), initial=0.0)))


def follow_equilibria(curve: EquilibriumCurve, start: CurvePoint, longest: float, most: int) -> Branch:
    """Return the branch of equilibria from a point on, in the direction of its tangent.

    Parameters
    ----------
    curve : EquilibriumCurve
        The equations.
    start : CurvePoint
        A point of the branch.
    longest : float
        The longest step.
    most : int
        How many steps at most.
    """
    low, high = curve.family.ranges[curve.family.names[0]]
    points, eigenvalues, special = [start], [curve.eigenvalues(start.y)], []
    complete = False
    for steps, (before, after) in enumerate(follow(curve, start, low, high, longest=longest)):
        values = curve.eigenvalues(after.y)
        fastest = float(max(np.max(np.abs(eigenvalues[-1])), np.max(np.abs(values))))
        for place, count in _crossings(curve, before, after, eigenvalues[-1], values):
            found = _special(curve, before, after, place, count, len(points), fastest)
            points.append(place)
            eigenvalues.append(curve.eigenvalues(place.y))
            special.append(found)
        points.append(after)
        eigenvalues.append(values)
        if steps + 1 == most:
            break
    else:
        complete = True
    return Branch(curve, tuple(points), tuple(eigenvalues), tuple(special), complete)


def _crossings(
    curve: EquilibriumCurve, before: CurvePoint, after: CurvePoint, old: np.ndarray, new: np.ndarray
) -> Iterator[tuple[CurvePoint, int]]:
    """Yield the points of a step at which real parts change their sign, and how many do so at each."""
    from scipy.optimize import brentq

    first, last = sorted((unstable(old), unstable(new)))
    end = _length_to(curve, before, after)
    places: list[tuple[float, np.ndarray, int]] = []

    def at(s: float) -> np.ndarray:
        return before.y if s <= 0.0 else after.y if s >= end else step_to(curve, before, s)[0]

    k = first
    while k < last:
        ends = (float(old[k].real), float(new[k].real))
        if ends[0] * ends[1] >= 0.0:
            k += 1  # neutral at one end: a crossing that cannot be told from a continuum
            continue
        try:
            s = brentq(lambda s, k=k: float(curve.eigenvalues(at(s))[k].real), 0.0, end, xtol=1e-13 * end, rtol=1e-12)
        except ContinuationError:
            s = end if abs(ends[1]) < abs(ends[0]) else 0.0
        y = at(s)
        parts = curve.eigenvalues(y).real[k:last]
        count = max(1, int(np.sum(np.abs(parts) <= 0.1 * _KERNEL * float(np.max(np.abs(old))))))
        places.append((s, y, count))
        k += count
    places.sort(key=lambda place: place[0])
    for _, y, count in places:
        yield point_at(curve, y, before.tangent), count


def _length_to(curve: EquilibriumCurve, before: CurvePoint, after: CurvePoint) -> float:
    """Return the length of the step that leads from one point to another."""
    return float((curve.weights(before.y) * before.tangent) @ (after.y - before.y))


def _special(
    curve: EquilibriumCurve,
    before: CurvePoint,
    after: CurvePoint,
    point: CurvePoint,
    count: int,
    index: int,
    fastest: float,
) -> SpecialPoint:
    """Return what a point is at which real parts change their sign."""
    J = curve.full_jacobian(point.y)
    if curve.family.delayed:  # whose cycles are not followed: no vector is needed
        values, vectors = curve.eigenvalues(point.y), None
    else:
        values, vectors = np.linalg.eig(J)
    nearest = int(np.argmin(np.abs(values.real)))
    frequency = abs(float(values[nearest].imag))
    if frequency > _KERNEL * fastest:
        kind = "Hopf point"
    else:
        frequency = 0.0
        inside = np.min(np.abs(np.linalg.eigvals(curve.groups.columns(J)))) <= _KERNEL * fastest
        turns = before.tangent[-1] * after.tangent[-1] < 0.0
        kind = "fold" if inside and turns else "branch point"
    vector = np.zeros(J.shape[0]) if vectors is None else vectors[:, nearest]
    return SpecialPoint(kind, index, point.y, count, frequency, vector, fastest)


def leaving(branch: Branch, point: SpecialPoint) -> Iterator[tuple[EquilibriumCurve, CurvePoint]]:
    """Yield the branches that leave a branch at a branch point: their equations, and a first point with direction.

    At a point where m cells of one group lose their equality together there is one for each k < m: k of them go one
    way and m - k the other. A kernel of several dimensions that comes from no such group is not resolved.
    """
    curve = branch.curve
    u, p = curve.state(point.y), point.parameter
    for groups, direction in _directions(curve, point, u, p):
        inner = EquilibriumCurve(curve.family, groups, curve.size, curve.other)
        at = np.append(groups.reduce(u), p)
        W = inner.weights(at)
        phi = np.append(direction, 0.0)
        phi /= np.sqrt(W @ phi**2)
        for sign in (1.0, -1.0):
            for far in _DEPARTURE:
                row = W * phi * sign
                try:
                    y, _ = correct(inner, at + sign * far * phi, row, float(row @ at) + far)
                    yield inner, point_at(inner, y, y - at)
                    break
                except ContinuationError:
                    continue


def _directions(
    curve: EquilibriumCurve, point: SpecialPoint, u: np.ndarray, p: float
) -> Iterator[tuple[Groups, np.ndarray]]:
    """Yield finer groups, and the direction in which their values leave."""
    groups = curve.groups
    J = curve.full_jacobian(point.y)
    values, vectors = np.linalg.eig(J)
    small = np.abs(values) <= _KERNEL * point.fastest
    kernel = np.linalg.qr(vectors[:, small].real)[0] if small.any() else np.zeros((u.size, 0))
    dimension = kernel.shape[1]
    if dimension == 0:
        return
    if dimension == 1:
        vector = kernel[:, 0]
        finer = equal_groups(
            curve.family, (p, *curve.other), u + 0.1 * curve.size * vector / np.max(np.abs(vector)), seed=1
        )
        labels = refined(groups.labels, finer.labels.astype(float), 1.0)
        split = Groups(labels)
        yield split, split.reduce(vector)
        return
    for group in np.flatnonzero(groups.sizes == dimension + 1):
        members = groups.labels == group
        outside = float(np.max(np.abs(kernel[~members]), initial=0.0))
        if outside > 1e-4 or float(np.max(np.abs(kernel[members].sum(axis=0)))) > 1e-4:
            continue
        m = int(groups.sizes[group])
        for k in range(1, m // 2 + 1):
            split = groups.split(int(group), k)
            vector = np.zeros(u.size)
            first = np.flatnonzero(members)
            vector[first[:k]], vector[first[k:]] = 1.0 / k, -1.0 / (m - k)
            yield split, split.reduce(vector)
