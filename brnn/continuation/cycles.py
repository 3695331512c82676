"""Branches of cycles: orthogonal collocation, period, Floquet multipliers.

A cycle u(t) = U(t/T) solves dU/ds = T F(U, p), U(0) = U(1). On each of N intervals U is a polynomial of degree m that
satisfies the equation at the m Gauss points (de Boor and Swartz 1973; Doedel et al. 1991); the phase is held by
int U . dU_old/ds ds = 0, the step by pseudo-arclength. The Floquet multipliers are the eigenvalues of the product of
the maps from one end of an interval to the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.continuation.curve import ContinuationError, CurvePoint, correct, follow, point_at
from brnn.continuation.equilibria import SpecialPoint
from brnn.continuation.family import Family

__all__ = ["CycleBranch", "follow_cycles"]

DEGREE = 4
INTERVALS = 30
_BIRTH = 1e-3  # of the size of the equilibrium: amplitude of the first cycle
_ADAPT = 4  # steps after which the intervals are laid anew
_LONG_PERIOD = 10.0  # first periods; where a longer one grows and the parameter stands, it goes to infinity
_STANDS = 1e-4  # of the parameter's range, for a period that doubles
_NEUTRAL = 1e-4  # by which a multiplier must be larger than 1 to count
_VANISHED = 1e-4  # of the size of the state: a smaller cycle has gone back into an equilibrium


def _lagrange(nodes: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Lagrange polynomials of some nodes, and their derivatives, at some points."""
    values, slopes = np.empty((at.size, nodes.size)), np.empty((at.size, nodes.size))
    for j in range(nodes.size):
        others = np.delete(nodes, j)
        polynomial = np.poly1d(others, r=True) / np.prod(nodes[j] - others)
        values[:, j], slopes[:, j] = polynomial(at), polynomial.deriv()(at)
    return values, slopes


_NODES = np.arange(DEGREE + 1) / DEGREE
_points, _weights = np.polynomial.legendre.leggauss(DEGREE)
_GAUSS, _GAUSS_WEIGHTS = 0.5 * (_points + 1.0), 0.5 * _weights
_L, _D = _lagrange(_NODES, _GAUSS)


class CycleCurve:
    """The collocation equations of one mesh; y is (U at all mesh points, T, p)."""

    def __init__(self, family: Family, mesh: np.ndarray, reference: np.ndarray, size: float, period: float) -> None:
        self.family, self.mesh, self.size = family, mesh, size
        self.n = family.size
        self.count = (len(mesh) - 1) * DEGREE + 1
        self.steps = np.diff(mesh)
        slope = np.einsum("gj,ijk->igk", _D, self._local(reference))  # times h, which the weights of the sum divide out
        self._phase = np.zeros((self.count, self.n))
        for i in range(len(self.steps)):
            part = np.einsum("g,gj,gk->jk", _GAUSS_WEIGHTS, _L, slope[i])
            self._phase[i * DEGREE : i * DEGREE + DEGREE + 1] += part
        self._phase /= max(float(np.max(np.abs(self._phase))), np.finfo(float).tiny)
        self._reference = reference
        low, high = family.ranges[family.names[0]]
        spread = np.full(self.count * self.n, 1.0 / (self.count * self.n * size**2))
        self._weights = np.concatenate([spread, [period**-2.0, (high - low) ** -2.0]])

    def _local(self, U: np.ndarray) -> np.ndarray:
        """Return the values of each interval, shape (intervals, DEGREE + 1, n)."""
        index = np.arange(len(self.steps))[:, None] * DEGREE + np.arange(DEGREE + 1)[None, :]
        return np.asarray(U.reshape(self.count, self.n)[index])

    def parts(self, y: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Return the orbit, shape (mesh points, n), the period and the parameter."""
        return y[:-2].reshape(self.count, self.n), float(y[-2]), float(y[-1])

    def residual(self, y: np.ndarray) -> np.ndarray:
        """Return what is left of the equations, of periodicity and of the phase."""
        U, T, p = self.parts(y)
        local = self._local(U)
        states = np.einsum("gj,ijk->igk", _L, local)
        slopes = np.einsum("gj,ijk->igk", _D, local)
        rates = self.family.all_rates(states.reshape(-1, self.n), (p,)).reshape(states.shape)
        inside = slopes - T * self.steps[:, None, None] * rates
        phase = float(np.sum(self._phase * (U - self._reference))) / self.size
        return np.concatenate([inside.ravel(), (U[-1] - U[0]), [phase]])

    def blocks(self, y: np.ndarray) -> np.ndarray:
        """Return the derivatives of each interval's equations by its own values, (N, m n, (m + 1) n)."""
        U, T, p = self.parts(y)
        local = self._local(U)
        n, m = self.n, DEGREE
        states = np.einsum("gj,ijk->igk", _L, local)
        J = self.family.all_jacobians(states.reshape(-1, n), (p,)).reshape(*states.shape, n)
        slopes = np.einsum("gj,ab->gajb", _D, np.eye(n))
        result = slopes - T * np.einsum("i,gj,igab->igajb", self.steps, _L, J)
        return np.asarray(result.reshape(len(self.steps), m * n, (m + 1) * n))

    def jacobian(self, y: np.ndarray) -> Any:
        """Return the derivatives of `residual`, sparse."""
        from scipy.sparse import coo_matrix

        U, T, p = self.parts(y)
        n, m, N = self.n, DEGREE, len(self.steps)
        blocks = self.blocks(y)
        rows = np.arange(N * m * n).reshape(N, m * n)
        columns = (np.arange(N) * m * n)[:, None] + np.arange((m + 1) * n)[None, :]
        r = np.broadcast_to(rows[:, :, None], blocks.shape).ravel()
        c = np.broadcast_to(columns[:, None, :], blocks.shape).ravel()
        states = np.einsum("gj,ijk->igk", _L, self._local(U)).reshape(-1, n)
        h = np.repeat(self.steps, m)[:, None]
        by_period = -(h * self.family.all_rates(states, (p,))).ravel()
        by_p = -(T * h * self.family.by_parameter(states, (p,))).ravel()
        inner = np.arange(N * m * n)
        last = N * m * n
        own = np.arange(n)
        total = self.count * n
        entries = [
            (r, c, blocks.ravel()),
            (inner, np.full(last, total), by_period),
            (inner, np.full(last, total + 1), by_p),
            (last + own, own, -np.ones(n)),
            (last + own, total - n + own, np.ones(n)),
            (np.full(total, last + n), np.arange(total), self._phase.ravel() / self.size),
        ]
        row, column, value = (np.concatenate([e[k] for e in entries]) for k in range(3))
        return coo_matrix((value, (row, column)), shape=(last + n + 1, total + 2)).tocsc()

    def weights(self, y: np.ndarray) -> np.ndarray:
        """Return the weights of the norm."""
        return self._weights

    def multipliers(self, y: np.ndarray) -> np.ndarray:
        """Return the Floquet multipliers, the largest first; one of them is 1."""
        n = self.n
        M = np.eye(n)
        for block in self.blocks(y):
            ends = np.linalg.solve(block[:, n:], -block[:, :n])[-n:]
            M = ends @ M
        values = np.linalg.eigvals(M)
        return np.asarray(values[np.argsort(-np.abs(values))])

    def relaid(self, point: CurvePoint) -> tuple[CycleCurve, CurvePoint]:
        """Return the equations on intervals among which the error is spread evenly, and the point there."""
        U, T, p = self.parts(point.y)
        top = self._local(U)
        highest = np.diff(top, n=DEGREE, axis=1)[:, 0] / self.steps[:, None] ** DEGREE
        jump = np.linalg.norm(np.diff(np.vstack([highest[-1:], highest, highest[:1]]), axis=0), axis=1)
        wide = np.concatenate([[self.steps[-1]], self.steps, [self.steps[0]]])
        rise = jump / (0.5 * (wide[1:] + wide[:-1]))
        density = (0.5 * (rise[1:] + rise[:-1])) ** (1.0 / (DEGREE + 1))
        density = np.maximum(density, 0.1 * float(np.max(density))) if np.max(density) > 0 else np.ones(len(self.steps))
        mass = np.concatenate([[0.0], np.cumsum(density * self.steps)])
        mesh = np.interp(np.linspace(0.0, mass[-1], len(self.mesh)), mass, self.mesh)
        mesh[0], mesh[-1] = 0.0, 1.0
        values = self.at(U, _all_points(mesh))
        direction = self.at(point.tangent[:-2].reshape(U.shape), _all_points(mesh))
        new = CycleCurve(self.family, mesh, values, self.size, T)
        y = np.concatenate([values.ravel(), [T, p]])
        t = np.concatenate([direction.ravel(), point.tangent[-2:]])
        y, _ = correct(new, y, row := new.weights(y) * t, float(row @ y))
        return new, point_at(new, y, t)

    def at(self, U: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return the piecewise polynomial at phases s, shape (len(s), n)."""
        k = np.clip(np.searchsorted(self.mesh, s, side="right") - 1, 0, len(self.steps) - 1)
        x = (s - self.mesh[k]) / self.steps[k]
        values, _ = _lagrange(_NODES, x)
        return np.einsum("sj,sjk->sk", values, self._local(U)[k])


def _all_points(mesh: np.ndarray) -> np.ndarray:
    """Return the mesh points with those inside of the intervals."""
    inner = mesh[:-1, None] + np.diff(mesh)[:, None] * _NODES[None, :-1]
    return np.append(inner.ravel(), mesh[-1])


@dataclass(frozen=True)
class CycleBranch:
    """A branch of cycles: for each point its orbit, period, parameter and multipliers.

    Attributes
    ----------
    points : tuple
        (orbit, period, parameter, multipliers, what is special).
    size : float
        Size of the states.
    range : float
        Length of the interval of the parameter.
    """

    points: tuple[tuple[np.ndarray, float, float, np.ndarray, str], ...]
    size: float
    range: float

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield what a diagram says of each point."""
        for orbit, period, p, multipliers, special in self.points:
            others = np.delete(multipliers, int(np.argmin(np.abs(multipliers - 1.0))))
            largest = float(np.max(np.abs(others), initial=0.0))
            yield {
                name: p, "state": orbit.mean(axis=0), "low": orbit.min(axis=0), "high": orbit.max(axis=0),
                "unstable": int(np.sum(np.abs(others) > 1.0 + _NEUTRAL)), "period": period, "special": special,
                "growth": float(np.log(max(largest, np.finfo(float).tiny)) / period), "crossing": 0,
                "frequency": np.nan,
            }  # fmt: skip

    def ends_at(self, u: np.ndarray, p: float) -> bool:
        """Tell whether the branch ends where an equilibrium is."""
        orbit, _, last, _, special = self.points[-1]
        if special != "Hopf point":
            return False
        near = float(np.max(np.abs(orbit - u))) <= 0.1 * self.size
        return near and abs(last - p) <= 0.02 * self.range


def follow_cycles(family: Family, u: np.ndarray, hopf: SpecialPoint, longest: float, most: int) -> CycleBranch:
    """Return the cycles that begin at a Hopf point.

    Parameters
    ----------
    family : Family
        The networks.
    u : ndarray
        The equilibrium.
    hopf : SpecialPoint
        Frequency and eigenvector there.
    longest : float
        The longest step.
    most : int
        How many steps at most.
    """
    low, high = family.ranges[family.names[0]]
    size = float(np.max(np.abs(u))) or 1.0
    vector = hopf.vector / np.max(np.abs(hopf.vector))
    T = 2.0 * np.pi / hopf.frequency
    mesh = np.linspace(0.0, 1.0, INTERVALS + 1)
    phase = np.exp(2j * np.pi * _all_points(mesh))
    wave = np.real(phase[:, None] * vector[None, :]) * size
    orbit = u + _BIRTH * wave
    curve = CycleCurve(family, mesh, orbit, size, T)
    y = np.concatenate([orbit.ravel(), [T, hopf.parameter]])
    t = np.concatenate([wave.ravel(), [0.0, 0.0]])
    t /= np.sqrt(curve.weights(y) @ t**2)
    row = curve.weights(y) * t
    y, _ = correct(curve, y, row, float(row @ y))
    point = point_at(curve, y, t)
    points = [(np.tile(u, (2, 1)), T, hopf.parameter, np.ones(family.size), "Hopf point")]
    done = 0
    while done < most:
        ended = True
        for before, after in follow(curve, point, low, high, longest=longest):
            points.append(_entry(curve, before, after, points[-1], low, high))
            done += 1
            point = after
            orbit, period, p = curve.parts(after.y)
            amplitude = float(np.max(np.ptp(orbit, axis=0)))
            if points[-1][4] == "end" or done >= most:
                return CycleBranch(tuple(points), size, high - low)
            if amplitude < _VANISHED * size or (amplitude < 5.0 * _BIRTH * size and done > 10):
                points[-1] = (*points[-1][:4], "Hopf point")
                return CycleBranch(tuple(points), size, high - low)
            _, earlier, then, _, _ = points[max(0, len(points) - 6)]
            if period > _LONG_PERIOD * T and abs(p - then) < _STANDS * (high - low) * np.log(period / earlier):
                points[-1] = (*points[-1][:4], "period grows without bound")
                return CycleBranch(tuple(points), size, high - low)
            if done % _ADAPT == 0:
                ended = False
                break
        if ended:
            points[-1] = (*points[-1][:4], points[-1][4] or "cut")
            break
        try:
            curve, point = curve.relaid(point)
        except ContinuationError:
            points[-1] = (*points[-1][:4], "cut")
            break
    return CycleBranch(tuple(points), size, high - low)


def _entry(
    curve: CycleCurve, before: CurvePoint, after: CurvePoint, last: tuple[Any, ...], low: float, high: float
) -> tuple[np.ndarray, float, float, np.ndarray, str]:
    """Return what is kept of a cycle, and what happened on the way to it."""
    orbit, period, p = curve.parts(after.y)
    multipliers = curve.multipliers(after.y)
    special = ""
    if p in (low, high):
        special = "end"
    elif before.tangent[-1] * after.tangent[-1] < 0.0:
        special = "fold"
    else:
        old, new = (_outside(values) for values in (last[3], multipliers))
        if old != new and last[4] != "Hopf point":
            crossing = min(multipliers, key=lambda value: abs(abs(value) - 1.0) if abs(value - 1.0) > 1e-3 else np.inf)
            real = abs(crossing.imag) < 1e-6 * abs(crossing)
            special = "branch point" if real and crossing.real > 0 else "period doubling" if real else "torus"
    return orbit.copy(), period, p, multipliers, special


def _outside(values: np.ndarray) -> int:
    others = np.delete(values, int(np.argmin(np.abs(values - 1.0))))
    return int(np.sum(np.abs(others) > 1.0 + _NEUTRAL))
