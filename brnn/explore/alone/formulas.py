"""Formulas of a number along one slider, and of several: powers, lines, polynomials, lists of values, and ratios."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

__all__ = [
    "NODES",
    "POINTS",
    "WITHIN",
    "Along",
    "Slider",
    "listed_values",
    "polynomial_formula",
    "ratio_text",
    "simple_formula",
]

NODES = 33  # of Chebyshev's points along a slider
WITHIN = 1e-10  # of the largest value along the slider
_EXACT = 4e-15
_RATIONAL = 1e-12  # what the fit of a ratio leaves
POINTS = 24  # at random, at which formulas of several sliders are verified
_POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0)
_ROUND = 1e-11  # part of the largest coefficient of a ratio that is none


@dataclass(frozen=True)
class Slider:
    """A parameter that the page can change.

    Attributes
    ----------
    name : str
        As `--set` calls it; elements of a list have the list's name and their index, ``pattern.3``.
    value, low, high : float
        Where it begins, and from where to where it goes.
    step : float
        How far it goes at once.
    group : str
        The list that it is an element of; its own name for others.
    stepwise : bool
        Whether it stands only at multiples of `step` from `low`.
    """

    name: str
    value: float
    low: float
    high: float
    step: float = 0.01
    group: str = ""
    stepwise: bool = False

    @property
    def owner(self) -> str:
        """The parameter that it belongs to."""
        return self.group or self.name


@dataclass(frozen=True)
class Along:
    """A number along one slider: a formula of it, and its text."""

    value: Callable[[Any], Any]
    text: str
    kind: str = "exact"


def simple_formula(x: np.ndarray, y: np.ndarray) -> Along | None:
    """Return y as a multiple of a power of x, or as a + b x; None if it is neither."""
    size = float(np.max(np.abs(y)))
    if size == 0.0 or not np.isfinite(size):
        return None
    for power in _POWERS:
        if power == 1.0 or (x > 0.0).all():
            last = int(np.argmax(np.abs(x)))
            factor = float(y[last] / x[last] ** power)
            for c in (float(f"{factor:.12g}"), factor):
                if np.max(np.abs(c * x**power - y)) <= _EXACT * size:
                    return Along(functools.partial(_power, c, power), _power_text(c, power))
    k = int(np.argmax(np.abs(x - x[0])))
    slope = float(f"{(y[k] - y[0]) / (x[k] - x[0]):.12g}")
    start = float(f"{y[0] - slope * x[0]:.12g}")
    if np.max(np.abs(start + slope * x - y)) <= 2 * _EXACT * max(size, abs(start)):
        return Along(functools.partial(_line, start, slope), f"{start!r} + {slope!r} * $")
    for text, function, possible in (("log", np.log, (x > 0.0).all()), ("exp", lambda v: np.exp(-v), True)):
        if possible and (found := _linear_in(function(x), y, size)) is not None:
            a, b = found
            inside = "Math.log($)" if text == "log" else "Math.exp(-$)"
            return Along(functools.partial(_of, function, a, b), f"{a!r} + {b!r} * {inside}")
    # (a + b x)/(c + x): what is at rest is often of this form.
    (a, b, c), *_ = np.linalg.lstsq(np.column_stack([np.ones(x.size), x, -y]), x * y, rcond=None)
    with np.errstate(all="ignore"):
        if np.max(np.abs((a + b * x) / (c + x) - y)) <= _RATIONAL * size:
            a, b, c = float(a), float(b), float(c)
            return Along(lambda s: (a + b * s) / (c + s), f"({a!r} + {b!r} * $) / ({c!r} + $)")
    return None


def _linear_in(g: np.ndarray, y: np.ndarray, size: float) -> tuple[float, float] | None:
    """Return a and b if y = a + b g."""
    k = int(np.argmax(np.abs(g - g[0])))
    if g[k] == g[0]:
        return None
    b = float((y[k] - y[0]) / (g[k] - g[0]))
    a = float(y[0] - b * g[0])
    return (a, b) if np.max(np.abs(a + b * g - y)) <= 4 * _EXACT * max(size, abs(a)) else None


def _of(function: Callable[[Any], Any], a: float, b: float, s: float) -> float:
    return float(a + b * function(s))


def polynomial_formula(x: np.ndarray, y: np.ndarray, middle: float, half: float) -> Along | None:
    """Return the polynomial through Chebyshev's points, which come first, if it holds at the others too."""
    size = float(np.max(np.abs(y)))
    if not np.isfinite(size):
        return None
    unit = (x - middle) / half
    coefficients = chebyshev.chebfit(unit[:NODES], y[:NODES], NODES - 1)
    if np.max(np.abs(chebyshev.chebval(unit, coefficients) - y)) > WITHIN * size:
        return None
    while abs(coefficients[-1]) < 1e-14 * size and coefficients.size > 1:
        coefficients = coefficients[:-1]
    listed = ", ".join(map(repr, coefficients.tolist()))
    return Along(
        functools.partial(_chebyshev, coefficients, middle, half),
        f"chebyshev([{listed}], ($ - {middle!r}) / {half!r})",
        "polynomial",
    )


def _power(factor: float, power: float, s: float) -> float:
    return float(factor * s**power)


def _line(start: float, slope: float, s: float) -> float:
    return start + slope * s


def _chebyshev(coefficients: np.ndarray, middle: float, half: float, s: float) -> float:
    return float(chebyshev.chebval((s - middle) / half, coefficients))


def listed_values(y: np.ndarray, slider: Slider) -> Along:
    """Return a number that is listed for each place of a slider."""
    values = y.tolist()
    return Along(
        lambda s: values[round((s - slider.low) / slider.step)],
        f"[{', '.join(map(repr, values))}][Math.round(($ - {slider.low!r}) / {slider.step!r})]",
        "listed",
    )


def ratio_text(names: list[str], x: np.ndarray, y: np.ndarray) -> str | None:
    """Return y as a ratio of polynomials of degree 1 in each of a few variables; None if it is none."""
    scale = np.max(np.abs(x), axis=0)
    unit = x / scale
    subsets = [[k for k in range(len(names)) if code >> k & 1] for code in range(2 ** len(names))]
    monomials = np.column_stack([np.prod(unit[:, subset], axis=1) for subset in subsets])
    size = float(np.max(np.abs(y))) or 1.0
    both = np.hstack([monomials, -monomials * (y / size)[:, None]])
    above, below = np.arange(both.shape[1]) < len(subsets), np.arange(both.shape[1]) >= len(subsets)
    used = np.ones(both.shape[1], bool)
    fitted = np.arange(len(y)) < len(y) - POINTS
    for _ in range(both.shape[1]):
        # Coefficients that are not needed are taken away until one ratio is left.
        _, singular, rows = np.linalg.svd(both[np.ix_(fitted, used)], full_matrices=True)
        nothing = int(np.count_nonzero(singular < 1e-12 * singular[0])) + rows.shape[0] - singular.size
        if nothing == 0:
            return None
        coefficients = np.zeros(both.shape[1])
        coefficients[used] = rows[-1]
        small = used & (np.abs(coefficients) < _ROUND * np.max(np.abs(coefficients)))
        if small.any():
            used &= ~small
        elif nothing > 1:
            used[np.flatnonzero(used)[-1]] = False
        else:
            break
    P, Q = monomials @ coefficients[above], monomials @ coefficients[below]
    with np.errstate(all="ignore"):
        if not (np.abs(size * P / Q - y) <= WITHIN * np.maximum(np.abs(y), 1e-3 * size)).all():
            return None

    def text(chosen: np.ndarray, factor: float) -> str:
        terms = []
        for subset, coefficient in zip(subsets, chosen, strict=True):
            if coefficient:
                c = float(factor * coefficient / np.prod(scale[subset]))
                terms.append(" * ".join([repr(c), *(f"${{{names[k]}}}" for k in subset)]))
        return " + ".join(terms)

    largest = float(np.max(np.abs(coefficients[below])))
    return f"({text(coefficients[above], size / largest)}) / ({text(coefficients[below], 1.0 / largest)})"


def _power_text(factor: float, power: float) -> str:
    if power == -1.0:
        return f"{factor!r} / $"
    x = {1.0: "$", 2.0: "$ * $", 0.5: "Math.sqrt($)"}.get(power, f"Math.pow($, {power!r})")
    return x if factor == 1.0 else f"{factor!r} * {x}"
