"""SciPy's explicit Runge-Kutta methods for many unknowns: the same steps with a fraction of the memory traffic.

For large networks the right-hand side is the smaller part of a step; SciPy's stage sums, each a pass over all earlier
stages with temporaries, are the larger one. Here every stage sum, and the error of a step, is one pass in blocks that
stay in the cache, and the compiled right-hand side writes where the next pass reads. Nothing is allocated but the new
state of an accepted step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from scipy.integrate import DOP853, RK23, RK45

from brnn.integrate.steppers.step_lengths import growth, shrinkage  # as in SciPy

__all__ = ["KINDS"]

_BLOCK = 2048  # unknowns; a block of every stage fits into the second-level cache


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _stage(y: np.ndarray, K: np.ndarray, a: np.ndarray, count: int, h: float, out: np.ndarray) -> None:
    """Write y + h sum_{j < count} a_j K_j into `out`."""
    n = y.size
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        for i in range(start, stop):
            out[i] = a[0] * K[0, i]
        for j in range(1, count):
            c = a[j]
            if c != 0.0:
                for i in range(start, stop):
                    out[i] += c * K[j, i]
        for i in range(start, stop):
            out[i] = y[i] + h * out[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _largest_error(
    y: np.ndarray, new: np.ndarray, K: np.ndarray, e: np.ndarray, h: float, rtol: float, atol: float, sums: np.ndarray
) -> float:
    """Return max_i |h sum_j e_j K_ji| / (atol + rtol max(|y_i|, |new_i|)); NaN counts as infinite."""
    n = y.size
    largest = 0.0
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        for i in range(stop - start):
            sums[i] = e[0] * K[0, start + i]
        for j in range(1, e.size):
            c = e[j]
            if c != 0.0:
                for i in range(stop - start):
                    sums[i] += c * K[j, start + i]
        for i in range(stop - start):
            k = start + i
            error = abs(h * sums[i]) / (atol + rtol * max(abs(y[k]), abs(new[k])))
            if not error <= largest:
                largest = error if error == error else np.inf
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def _largest_error_853(
    y: np.ndarray, new: np.ndarray, K: np.ndarray, e5: np.ndarray, e3: np.ndarray, h: float, rtol: float, atol: float
) -> float:
    """Return the largest of DOP853's combined error estimates, each cell by itself."""
    largest = 0.0
    for i in range(y.size):
        five = 0.0
        three = 0.0
        for j in range(e5.size):
            five += e5[j] * K[j, i]
            three += e3[j] * K[j, i]
        scale = atol + rtol * max(abs(y[i]), abs(new[i]))
        five = abs(five) / scale
        three = abs(three) / scale
        together = np.sqrt(five * five + 0.01 * three * three)
        error = abs(h) * five * five / together if together > 0.0 else 0.0
        if together != together:
            error = np.inf
        if error > largest:
            largest = error
    return largest


class _Fused:
    """The step of SciPy's RungeKutta with fused passes. `fun` must be a RightHandSide (it has `into`)."""

    def __init__(self, fun: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(fun, *arguments, **options)  # type: ignore[call-arg]  # of the other base
        self._into = fun.into
        self._work = np.empty(self.n)  # type: ignore[attr-defined]
        self._sums = np.empty(_BLOCK)

    def _error(self: Any, new: np.ndarray, h: float) -> float:
        return float(_largest_error(self.y, new, self.K, self.E, h, self.rtol, float(self.atol), self._sums))

    def _step_impl(self: Any) -> tuple[bool, str | None]:
        t, y, K = self.t, self.y, self.K
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = min(max(self.h_abs, shortest), self.max_step)
        K[0] = self.f
        new = np.empty_like(y)
        rejected = False
        while True:
            if size < shortest:
                return False, self.TOO_SMALL_STEP
            end = min(t + size, self.t_bound)
            h = size = end - t
            for s in range(1, self.n_stages):
                _stage(y, K, self.A[s], s, h, self._work)
                self._into(t + self.C[s] * h, self._work, K[s])
            _stage(y, K, self.B, self.n_stages, h, new)
            self._into(end, new, K[self.n_stages])
            self.nfev += self.n_stages
            error = self._error(new, h)
            if error < 1.0:
                break
            size *= shrinkage(error, self.error_exponent)
            rejected = True
        self.h_previous = h
        self.y_old = y
        self.t, self.y = end, new
        self.h_abs = h * growth(error, self.error_exponent, rejected)
        self.f[:] = K[self.n_stages]
        return True, None


class FusedRK23(_Fused, RK23):
    """RK23 with fused passes."""


class FusedRK45(_Fused, RK45):
    """RK45 with fused passes."""


class FusedDOP853(_Fused, DOP853):
    """DOP853 with fused passes."""

    def _error(self: Any, new: np.ndarray, h: float) -> float:
        return float(_largest_error_853(self.y, new, self.K, self.E5, self.E3, h, self.rtol, float(self.atol)))


KINDS = {"RK23": FusedRK23, "RK45": FusedRK45, "DOP853": FusedDOP853}
