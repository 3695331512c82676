"""Every equilibrium of a recurrent competitive field, provably, where the levels are roots that have closed forms.

Each active cell of the field (21) without inputs has ``B h(x_i) - A = sum_k f(x_k)``, the same for all: so active cells
hold one level where h rises or falls all the way, and one of two, a and b, where h has one top.

- f = C w^p, p > 1, and f = C w/(D + w): h is monotone; k active cells are equal, ``(B - k u) h(u) = A``.
- f = G w^2/(F + w^2): h(a) = h(b) means a b = F, and then f(b) = G - f(a). With n_a cells at a and n_b at b,
  ``(A + G n_a) a^2 - B G a + F (A + G n_b) = 0``: a quadratic, for every pair of numbers.

So the list is complete: no search, no grid. A field of n cells has up to 3^n equilibria; cells that are alike may be
exchanged, and each is listed once, with the number of its copies.

Source: Grossberg (1973), Stud. Appl. Math. 52, 213-257, for the levels; the quadratic is derived here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from brnn.base.checks import whole
from brnn.errors import InputError
from brnn.signals import Power, Saturating, Sigmoid
from brnn.theory.rcf import faster_levels
from brnn.theory.survivors import jacobian

__all__ = ["FieldEquilibrium", "every_equilibrium"]

_SAME = 1e-12
_AT_MOST = 200  # cells: the list grows with their square


@dataclasses.dataclass(frozen=True, eq=False)
class FieldEquilibrium:
    """One equilibrium of a field, and its copies.

    Attributes
    ----------
    levels : tuple of float
        The distinct levels of the active cells, the higher one first; empty for the silent field.
    counts : tuple of int
        How many cells hold each.
    copies : int
        How many equilibria are this one with other cells.
    eigenvalues : ndarray
        Of the Jacobian, the largest real part first.
    state : ndarray, shape (n,)
        The copy whose first cells are the most active.
    """

    levels: tuple[float, ...]
    counts: tuple[int, ...]
    copies: int
    eigenvalues: np.ndarray
    state: np.ndarray

    @property
    def stable(self) -> bool:
        """Whether every small disturbance dies out."""
        return float(np.max(self.eigenvalues)) < 0.0


def every_equilibrium(A: float, B: float, signal: Any, n: int) -> tuple[FieldEquilibrium, ...]:
    """Return every equilibrium of the field (21) without inputs, each with the number of its copies.

    Parameters
    ----------
    A, B : float
        Decay rate and upper bound, > 0.
    signal : Power (exponent > 1), Saturating, or Sigmoid (exponent 2)
        f.
    n : int, 1 <= n <= 200
        Number of cells.

    Raises
    ------
    InputError
        If the levels of the signal are not known in this way: `brnn.equilibria` searches, and proves nothing.

    Examples
    --------
    >>> import brnn
    >>> found = brnn.theory.every_equilibrium.every_equilibrium(1.0, 3.0, brnn.Sigmoid(half=0.5), 3)
    >>> sum(e.copies for e in found)
    27
    """
    n = whole(n, "every_equilibrium: n", minimum=1)
    if n > _AT_MOST:
        raise InputError(f"every_equilibrium: n = {n}: must be at most {_AT_MOST}")
    for name, value in (("A", A), ("B", B)):
        if not (math.isfinite(value) and value > 0.0):
            raise InputError(f"every_equilibrium: {name} = {value}: must be a finite number > 0")
    found = [_described((), (), A, B, signal, n)]
    for levels, counts in _levels(A, B, signal, n):
        found.append(_described(levels, counts, A, B, signal, n))
    return tuple(found)


def _levels(A: float, B: float, signal: Any, n: int) -> Iterator[tuple[tuple[float, ...], tuple[int, ...]]]:
    if isinstance(signal, Power) and signal.exponent > 1.0:
        for k in range(1, n + 1):
            pair = faster_levels(A, B, signal.gain / k ** (signal.exponent - 1.0), signal.exponent)
            for total in dict.fromkeys(pair or ()):
                yield (total / k,), (k,)
    elif isinstance(signal, Saturating):
        for k in range(1, n + 1):
            level = (signal.gain * B - A * signal.half) / (signal.gain * k + A)
            if level > 0.0:
                yield (level,), (k,)
    elif isinstance(signal, Sigmoid) and signal.exponent == 2.0:
        F, G = signal.half**2, signal.gain
        for k in range(1, n + 1):
            yield from (((u,), (k,)) for u in _roots(A + G * k, B * G, F * A))
            for low in range(1, k):  # of k active cells so many are on the rising side of h, a < sqrt(F) < b
                high = k - low
                for a in _roots(A + G * low, B * G, F * (A + G * high)):
                    if a < signal.half * (1.0 - _SAME):
                        yield (F / a, a), (high, low)
    else:
        raise InputError(
            f"every_equilibrium: signal = {signal!r}: must be a Power with an exponent above 1, a Saturating, or a "
            "Sigmoid with the exponent 2; of others brnn.equilibria finds what it can"
        )


def _roots(a: float, b: float, c: float) -> tuple[float, ...]:
    """Return the roots of a u^2 - b u + c = 0, all coefficients > 0."""
    square = b * b - 4.0 * a * c
    if square < 0.0:
        return ()
    q = 0.5 * (b + math.sqrt(square))
    return (c / q, q / a) if square > 0.0 else (q / a,)


def _described(
    levels: tuple[float, ...], counts: tuple[int, ...], A: float, B: float, signal: Any, n: int
) -> FieldEquilibrium:
    state = np.zeros(n)
    state[: sum(counts)] = np.repeat(levels, counts) if levels else 0.0
    values = np.linalg.eigvals(jacobian(state, A, B, signal)).real  # it is similar to a symmetric matrix
    copies, left = 1, n
    for count in counts:
        copies *= math.comb(left, count)
        left -= count
    return FieldEquilibrium(levels, counts, copies, np.sort(values)[::-1], state)
