"""ART 2 in the limit of fast cells: the algorithm that its differential equations reduce to.

    w = I + a u,  x = w/(e + |w|),  v = f(x) + b f(q),  u = v/(e + |v|),  p = u + d z_J,  q = p/(e + |p|)     F1 (4)-(9)
    T_j = sum_i p_i z_ij                                                        choice: the largest (12), (13)
    r = (u + c p)/(e + |u| + c |p|);  reset if rho > e + |r|                                         (20), (21)
    dz_J/dt = d (p - z_J), for the weights z_iJ of the filter and z_Ji of the template               (16), (17)

|.| is the length of a vector, f(x) = x from the threshold on and 0 below (11). F1 is iterated; it settles within
dozens of passes. A category that was reset stays out until the input ends.

Source: Carpenter and Grossberg (1987), ART 2: self-organization of stable category recognition codes for analog input
patterns, Appl. Opt. 26, 4919-4930. Its input vectors are drawings: `PATTERNS` was read off them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.errors import InputError

__all__ = ["PATTERNS", "Learned2", "art2", "match_length"]


def _published(trough: float = 0.54, amplitude: float = 2.0) -> np.ndarray:
    """Return A, B, C and D of Fig. 8: peaks of 1 with troughs between them."""
    A = np.zeros(25)
    A[2:17:2], A[1:18:2] = 1.0, trough
    places = np.arange(25)
    rows = [A, A * ((places >= 11) & (places <= 17)), A * ((places >= 1) & (places <= 11)), A * (places <= 5)]
    return amplitude * np.array(rows)


PATTERNS = _published()
PATTERNS.setflags(write=False)


@dataclass(frozen=True)
class Learned2:
    """What ART 2 has learned of a list.

    Attributes
    ----------
    labels : ndarray of int, shape (presentations,)
        The category in the end of each presentation, -1 if all were reset.
    tried : list of list of int
        The categories in the order in which they were chosen.
    templates, filters : ndarray, shape (presentations, categories, cells)
        z_Ji and z_iJ after each presentation.
    """

    labels: np.ndarray
    tried: list[list[int]]
    templates: np.ndarray
    filters: np.ndarray


def match_length(cosine: Any, z: Any, c: float, d: float) -> Any:
    """Return the length of r, (25), for a template of length z, u of length 1 and the cosine between them."""
    long = c * d * np.asarray(z)
    numerator = np.sqrt((1.0 + c) ** 2 + 2.0 * (1.0 + c) * long * cosine + long**2)
    return numerator / (1.0 + np.sqrt(c**2 + 2.0 * c * long * cosine + long**2))


class _Fields:
    """F1: its activities, and one pass through them."""

    def __init__(self, a: float, b: float, c: float, d: float, theta: float, e: float) -> None:
        self.a, self.b, self.c, self.d, self.theta, self.e = a, b, c, d, theta, e

    def begin(self, I: np.ndarray) -> None:
        self.I, self.u, self.q, self.p = I, np.zeros(I.size), np.zeros(I.size), np.zeros(I.size)

    def f(self, x: np.ndarray) -> np.ndarray:
        return np.where(x >= self.theta, x, 0.0)

    def unit(self, x: np.ndarray) -> np.ndarray:
        length = self.e + np.sqrt(x @ x)
        return x / length if length > 0.0 else x

    def run(self, z: np.ndarray | float) -> None:
        x = self.unit(self.I + self.a * self.u)
        self.u = self.unit(self.f(x) + self.b * self.f(self.q))
        self.p = self.u + self.d * z
        self.q = self.unit(self.p)

    def mismatch(self, rho: float, p: np.ndarray) -> bool:
        both = self.u + self.c * p
        total = self.e + np.sqrt(self.u @ self.u) + self.c * np.sqrt(p @ p)
        return bool(rho > self.e + np.sqrt(both @ both) / total) if total > 0.0 else False


def art2(
    patterns: Any,
    rho: float,
    *,
    order: Any = None,
    categories: int = 5,
    a: float = 10.0,
    b: float = 10.0,
    c: float = 0.1,
    d: float = 0.9,
    theta: float = 0.2,
    e: float = 0.0,
    fresh: float = 1.0,
    each: float = 300.0,
    step: float = 0.5,
    passes: int = 100,
) -> Learned2:
    """Present patterns to ART 2 one after the other.

    Parameters
    ----------
    patterns : array, shape (patterns, cells), >= 0
        The inputs.
    rho : float
        Vigilance.
    order : sequence of int, optional
        Which pattern is shown in each presentation; by default each once.
    categories : int
        How many there are.
    a, b, c, d, theta, e : float
        As in the equations above.
    fresh : float
        z_ij before learning.
    each : float
        How long a presentation lasts.
    step : float
        Of learning.
    passes : int
        Passes through F1 before a category is chosen; three are made in each step of learning.

    Raises
    ------
    InputError, SpecError
        If a value has the wrong type, shape or sign, or the weights would not decide (b or c d/(1 - d) too large).
    """
    rows = array(patterns, "art2: patterns", ndim=2, minimum=0.0)
    empty = np.flatnonzero(~rows.any(axis=1))
    if empty.size:
        raise InputError(f"art2: patterns: pattern {empty[0]} is 0 everywhere; it has no direction")
    shown = np.arange(len(rows)) if order is None else array(order, "art2: order", ndim=1)
    wrong = shown[(shown != np.floor(shown)) | (shown < 0) | (shown >= len(rows))]
    if wrong.size:
        raise InputError(f"art2: order: has {wrong[0]:g}, must be indices of the {len(rows)} patterns, from 0 on")
    which = shown.astype(np.int64)
    number(rho, "art2: rho", minimum=0.0, maximum=1.0)
    whole(passes, "art2: passes", minimum=1)
    for name, value in (("a", a), ("b", b), ("e", e), ("fresh", fresh)):
        number(value, f"art2: {name}", minimum=0.0)
    count = whole(categories, "art2: categories", minimum=1)
    d = number(d, "art2: d", above=0.0)
    if not d < 1.0:
        raise InputError(f"art2: d = {d:g}: must be below 1")
    number(c, "art2: c", minimum=0.0)
    if c * d / (1.0 - d) > 1.0 + 1e-12:
        raise InputError(f"art2: c d/(1 - d) = {c * d / (1.0 - d):g}: must be at most 1 (27)")
    number(theta, "art2: theta", minimum=0.0)
    number(step, "art2: step", above=0.0)
    steps = round(number(each, "art2: each", above=0.0) / step)
    fields = _Fields(a, b, c, d, theta, e)
    down, up = np.zeros((count, rows.shape[1])), np.full((count, rows.shape[1]), float(fresh))
    labels, tried, templates, filters = [], [], [], []
    for k in which:
        fields.begin(rows[k])
        free, chosen = list(range(count)), []
        J = -1
        for _ in range(passes):
            fields.run(0.0)
        left = steps
        while free:
            J = max(free, key=lambda j: (up[j] @ fields.p, -j))
            chosen.append(J)
            left = _resonate(fields, rho, down, up, J, step, left)
            if left == 0:
                break
            free.remove(J)
            J = -1
            for _ in range(passes):
                fields.run(0.0)
        labels.append(J)
        tried.append(chosen)
        templates.append(down.copy())
        filters.append(up.copy())
    return Learned2(np.array(labels), tried, np.array(templates), np.array(filters))


def _resonate(fields: _Fields, rho: float, down: np.ndarray, up: np.ndarray, J: int, step: float, left: int) -> int:
    """Learn until the presentation ends or the category is reset; return how many steps are left then."""
    d = fields.d
    if fields.mismatch(rho, fields.u + d * down[J]):
        return left
    while left:
        for _ in range(3):
            fields.run(down[J])
            if fields.mismatch(rho, fields.p):
                return left
        rate = step * d
        down[J] += rate * (1.0 - d) * (fields.u / (1.0 - d) - down[J])
        up[J] += rate * (fields.p - up[J])
        left -= 1
    return 0
