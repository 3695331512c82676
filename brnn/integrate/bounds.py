"""Intervals that activities provably cannot leave, and saved states projected onto them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brnn.compiler import System, Variable

__all__ = ["Bounds", "bounds_around", "kept_within", "proven_bounds"]

_AT_ONCE = 16_384  # numbers that are compared with their bounds at once

Bounds = tuple[np.ndarray, np.ndarray]  # the lowest and the highest value of each unknown


def proven_bounds(system: System) -> Bounds | None:
    """Return the proven bounds of every unknown; None if there are none."""
    bounded = [variable for variable in system.variables if variable.lowest is not None]
    if not bounded:
        return None
    lowest, highest = np.full(system.size, -np.inf), np.full(system.size, np.inf)
    for variable in bounded:
        assert variable.lowest is not None
        assert variable.highest is not None
        lowest[variable.start : variable.stop] = np.ravel(variable.lowest)
        highest[variable.start : variable.stop] = np.ravel(variable.highest)
    return lowest, highest


def bounds_around(system: System, state: np.ndarray) -> Bounds | None:
    """Return these bounds; None if there are none or the run starts, at `state`, outside of them."""
    bounds = proven_bounds(system)
    if bounds is None or not ((state >= bounds[0]) & (state <= bounds[1])).all():
        return None
    return _short(bounds[0]), _short(bounds[1])


def kept_within(states: np.ndarray, bounds: Bounds, variables: Sequence[Variable]) -> tuple[np.ndarray, float]:
    """Return rows of states projected onto the bounds, a copy if one is outside, and how far the farthest was."""
    if bounds[0].size > _AT_ONCE:
        return _by_variables(states, variables)
    return _by_rows(states, bounds)


def _by_rows(states: np.ndarray, bounds: Bounds) -> tuple[np.ndarray, float]:
    """Do so a few rows at a time, while they are in the cache; most are inside, and need no copy."""
    lowest, highest = bounds
    given, farthest = states, 0.0
    rows = max(1, _AT_ONCE // lowest.size)
    for k in range(0, len(states), rows):
        block = states[k : k + rows]
        if (block < lowest).any() or (block > highest).any():
            inside = np.clip(block, lowest, highest)
            farthest = max(farthest, float(np.abs(inside - block).max()))
            states = states.copy() if states is given else states
            states[k : k + rows] = inside
    return states, farthest


def _by_variables(states: np.ndarray, variables: Sequence[Variable]) -> tuple[np.ndarray, float]:
    """Do so with states of many unknowns: variable by variable, most of which have one number as their bound."""
    given, farthest = states, 0.0
    for variable in variables:
        if variable.lowest is None or variable.highest is None:
            continue
        part = slice(variable.start, variable.stop)
        found, lowest, highest = states[:, part], np.ravel(variable.lowest), np.ravel(variable.highest)
        if lowest.size == highest.size == 1:
            inside = bool(found.min() >= lowest[0] and found.max() <= highest[0])
        else:
            inside = bool((found >= lowest).all() and (found <= highest).all())
        if not inside:
            clipped = np.clip(found, lowest, highest)
            farthest = max(farthest, float(np.abs(clipped - found).max()))
            states = states.copy() if states is given else states
            states[:, part] = clipped
    return states, farthest


def _short(values: np.ndarray) -> np.ndarray:
    """Return many equal values as an array that holds one of them."""
    same = values.size > _AT_ONCE and bool((values == values[0]).all())
    return np.broadcast_to(np.array(values[0]), values.shape) if same else values
