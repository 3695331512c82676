"""Adaptive resonance as an algorithm: ART 1 with fast learning, and fuzzy ART.

A pattern I is presented. Each category j has a template V_j. The categories are tried in the order of their choice
T_j, the largest first, the first of equal ones first; one that matches too little, |I & V_j|/|I| < rho (the
vigilance), is reset and stays out for this presentation. The first that passes learns, and no other:

    ART 1       T_j = L |I & V_j|/(L - 1 + |V_j|)       V_j becomes I & V_j
    fuzzy ART   T_j = |I ^ w_j|/(alpha + |w_j|)         w_j becomes beta (I ^ w_j) + (1 - beta) w_j

&: and, cell by cell; ^: the smaller one, cell by cell; |.|: sum over the cells. A category that has not learned yet has
a template of ones, so that it passes always; its choice, L |I|/(L - 1 + M) or |I|/(alpha + M) with M cells, is
multiplied by `fresh` <= 1. With fresh = 0 it is tried after all others. Its first pattern is learned with beta = 1.

Source: Carpenter and Grossberg (1987), A massively parallel architecture for a self-organizing neural pattern
recognition machine, Comput. Vision Graph. Image Process. 37, 54-115; Carpenter, Grossberg and Rosen (1991), Fuzzy ART,
Neural Netw. 4, 759-771.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.errors import InputError

__all__ = [
    "LearnedCategories",
    "art1",
    "art1_choices",
    "binary_patterns",
    "bottom_up",
    "complement",
    "fuzzy_art",
    "smallest_gap",
]

_DECIMALS = 12  # of choices and matches; differences beyond them come from rounding
_ROUNDING = 10.0**-_DECIMALS


@dataclasses.dataclass(frozen=True, eq=False)
class LearnedCategories:
    """What an algorithm has learned.

    Attributes
    ----------
    labels : ndarray of int, shape (lists, patterns)
        Category of each presentation; -1 if all categories were reset, so that nothing was learned.
    resets : ndarray of int, shape (lists, patterns)
        How many categories were reset before.
    templates : ndarray, shape (categories, cells)
        V or w at the end, of the categories that have learned.
    changed : ndarray of bool, shape (lists,)
        Whether any template changed during each list presentation.
    closest : float
        The closest call: the smallest difference between two choices of which the larger was tried first, or between a
        match and the vigilance. What is equal up to rounding does not count.
    """

    labels: np.ndarray
    resets: np.ndarray
    templates: np.ndarray
    changed: np.ndarray
    closest: float = np.inf

    @property
    def categories(self) -> int:
        """Number of categories that have learned."""
        return len(self.templates)

    def memories(self, count: int) -> np.ndarray:
        """Return the templates of as many categories as a network has; of those that have not learned they are ones."""
        result = np.ones((count, self.templates.shape[1]))
        result[: self.categories] = self.templates
        return result

    @property
    def stable_after(self) -> int | None:
        """List presentations with learning before the first without; None if there was none."""
        still = np.flatnonzero(~self.changed)
        return int(still[0]) if still.size else None


def art1(
    patterns: Any,
    vigilance: float,
    *,
    L: float = 2.0,
    categories: int | None = None,
    lists: int = 1,
    fresh: float = 1.0,
    stop: bool = False,
    known: Any = None,
    learn: bool = True,
) -> LearnedCategories:
    """Present a list of binary patterns to ART 1 in the limit of fast learning.

    Parameters
    ----------
    patterns : array of 0 and 1, shape (patterns, cells)
        The list; no pattern may be empty.
    vigilance : float, in [0, 1]
        rho.
    L : float, > 1
        How much a template of more cells is preferred: the nearer to 1, the less.
    categories : int, optional
        How many there are; by default always one more.
    lists : int, >= 1
        How often the list is presented.
    fresh : float, in [0, 1]
        Factor of the choice of categories that have not learned yet.
    stop : bool
        Whether to stop after the first list presentation that changes nothing.
    known : array of 0 and 1, shape (categories, cells), optional
        Templates that were learned before.
    learn : bool
        Whether anything is learned.

    Returns
    -------
    LearnedCategories
        Its templates are 0 and 1.

    Raises
    ------
    SpecError, InputError
        If a value is not valid.
    """
    shown = binary_patterns(patterns, "art1: patterns")
    L = number(L, "art1: L", above=1.0)
    fresh = number(fresh, "art1: fresh", minimum=0.0, maximum=1.0)
    cells = shown.shape[1]
    return _learn(
        shown,
        number(vigilance, "art1: vigilance", minimum=0.0, maximum=1.0),
        choices=lambda pattern, templates: art1_choices(pattern, templates, L),
        unused=lambda pattern: float(fresh * L * pattern.sum() / (L - 1.0 + cells)),
        learned=np.minimum,
        categories=None if categories is None else whole(categories, "art1: categories", minimum=1),
        lists=whole(lists, "art1: lists", minimum=1),
        stop=stop,
        known=None if known is None or not len(known) else binary_patterns(known, "art1: known"),
        learn=learn,
    )


def fuzzy_art(
    patterns: Any,
    vigilance: float,
    *,
    alpha: float = 1e-3,
    beta: float = 1.0,
    categories: int | None = None,
    lists: int = 1,
    fresh: float = 0.0,
    stop: bool = False,
) -> LearnedCategories:
    """Present a list of analog patterns to fuzzy ART.

    Parameters
    ----------
    patterns : array in [0, 1], shape (patterns, cells)
        The list, as the cells receive it: `complement` makes the complement code.
    vigilance : float, in [0, 1]
        rho.
    alpha : float, > 0
        Choice parameter.
    beta : float, in [0, 1]
        Learning rate of the categories that have learned once.
    categories, lists, fresh, stop
        As for `art1`.

    Returns
    -------
    LearnedCategories
        Its templates are the weights w.

    Raises
    ------
    SpecError, InputError
        If a value is not valid.
    """
    shown = _rows(patterns, "fuzzy_art: patterns")
    if (shown < 0).any() or (shown > 1).any():
        raise InputError("fuzzy_art: patterns: every element must be in [0, 1]")
    alpha = number(alpha, "fuzzy_art: alpha", above=0.0)
    beta = number(beta, "fuzzy_art: beta", minimum=0.0, maximum=1.0)
    fresh = number(fresh, "fuzzy_art: fresh", minimum=0.0, maximum=1.0)
    cells = shown.shape[1]
    return _learn(
        shown,
        number(vigilance, "fuzzy_art: vigilance", minimum=0.0, maximum=1.0),
        choices=lambda pattern, w: np.minimum(pattern, w).sum(axis=1) / (alpha + w.sum(axis=1)),
        unused=lambda pattern: float(fresh * pattern.sum() / (alpha + cells)),
        learned=lambda pattern, w: beta * np.minimum(pattern, w) + (1.0 - beta) * w,
        categories=None if categories is None else whole(categories, "fuzzy_art: categories", minimum=1),
        lists=whole(lists, "fuzzy_art: lists", minimum=1),
        stop=stop,
    )


def complement(patterns: Any) -> np.ndarray:
    """Return the complement code (a, 1 - a) of each row, shape (patterns, 2 cells): every row has the same sum."""
    given = np.asarray(patterns, dtype=np.float64)
    return np.concatenate([given, 1.0 - given], axis=-1)


def bottom_up(templates: Any, L: float = 2.0) -> np.ndarray:
    """Return the weights that the filter of ART 1 learns: ``L/(L - 1 + |V_j|)`` on the cells of V_j, 0 elsewhere."""
    V = np.asarray(templates, dtype=np.float64)
    return np.asarray(L * V / (L - 1.0 + V.sum(axis=-1, keepdims=True)))


def art1_choices(pattern: Any, templates: Any, L: float = 2.0) -> np.ndarray:
    """Return ``T_j = L |I & V_j|/(L - 1 + |V_j|)`` of each template."""
    V = np.asarray(templates, dtype=np.float64)
    return np.asarray(L * np.minimum(pattern, V).sum(axis=1) / (L - 1.0 + V.sum(axis=1)))


def smallest_gap(cells: int, L: float = 2.0, fresh: float = 1.0) -> float:
    """Return the smallest difference between choices of ART 1 that are not equal, whatever patterns are shown.

    The choices are L a/(L - 1 + b) for 1 <= a <= b <= cells, and fresh L a/(L - 1 + cells).
    """
    sizes = np.arange(1, cells + 1)
    a, b = np.meshgrid(sizes, sizes, indexing="ij")
    T = np.append((L * a / (L - 1.0 + b))[a <= b], fresh * L * sizes / (L - 1.0 + cells))
    steps = np.diff(np.unique(T))
    return float(min(steps[steps > 1e-12], default=np.inf))  # what is less comes from rounding


def binary_patterns(value: Any, where: str) -> np.ndarray:
    """Return patterns of 0 and 1 as an array (patterns, cells), or raise an error that says which one is wrong."""
    rows = _rows(value, where)
    wrong = np.argwhere((rows != 0) & (rows != 1))
    if wrong.size:
        k, i = wrong[0]
        raise InputError(
            f"{where}: pattern {k} has the element {rows[k, i]:g}; ART 1 takes 0 and 1 only (fuzzy_art more)"
        )
    if not rows.any(axis=1).all():
        raise InputError(f"{where}: pattern {int(np.argmin(rows.any(axis=1)))} is empty (all its elements are 0)")
    return rows


def _rows(value: Any, where: str) -> np.ndarray:
    rows = array(value, where)
    rows = rows[None, :] if rows.ndim == 1 else rows
    if rows.ndim != 2:
        raise InputError(f"{where}: has shape {rows.shape}, must be (patterns, cells)")
    return rows


def _learn(
    patterns: np.ndarray,
    vigilance: float,
    *,
    choices: Callable[[np.ndarray, np.ndarray], np.ndarray],
    unused: Callable[[np.ndarray], float],
    learned: Callable[[np.ndarray, np.ndarray], np.ndarray],
    categories: int | None,
    lists: int,
    stop: bool,
    known: np.ndarray | None = None,
    learn: bool = True,
) -> LearnedCategories:
    """Present all patterns `lists` times; see the module."""
    count = len(patterns)
    labels, resets = np.full((lists, count), -1), np.zeros((lists, count), dtype=int)
    changed = np.zeros(lists, dtype=bool)
    templates = np.empty((0, patterns.shape[1])) if known is None else known.copy()
    closest = np.inf
    for k in range(lists):
        for p, pattern in enumerate(patterns):
            T = choices(pattern, templates)
            if categories is None or len(templates) < categories:
                T = np.append(T, unused(pattern))
            # The first of equal ones comes first, and what matches exactly as much as it must passes.
            order = np.argsort(-np.round(T, _DECIMALS), kind="stable")
            for place, j in enumerate(order):
                closest = min([closest, *_apart(T[j] - T[order[place + 1 :]])])
                if j < len(templates):
                    match = float(np.minimum(pattern, templates[j]).sum() / pattern.sum())
                    closest = min([closest, *_apart(abs(match - vigilance))])
                    if match < vigilance - _ROUNDING:
                        resets[k, p] += 1
                        continue
                if not learn:
                    pass
                elif j == len(templates):
                    templates = np.append(templates, pattern[None, :], axis=0)
                    changed[k] = True
                else:
                    new = learned(pattern, templates[j])
                    changed[k] |= not np.array_equal(new, templates[j])
                    templates[j] = new
                labels[k, p] = j
                break
        if stop and not changed[k]:
            lists = k + 1
            break
    return LearnedCategories(labels[:lists], resets[:lists], templates, changed[:lists], closest)


def _apart(differences: Any) -> list[float]:
    """Return those that do not come from rounding."""
    return [float(d) for d in np.atleast_1d(differences) if d > _ROUNDING]
