"""Where a signal jumps: found from its values, unless its class says so."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

import numpy as np

__all__ = ["found_jumps", "may_jump_by_its_text"]

_JUMPING = {"sign", "floor", "ceil", "trunc", "round", "rint", "heaviside", "floor_divide", "where"}
_LEAST = 1e-9  # of the largest value near it: what changes less between neighbouring floats is rounding
_BESIDE = 4  # points of the grid on either side that are near


def may_jump_by_its_text(text: str) -> bool:
    """Tell whether the text of a function compares, or rounds: without that it has no jump."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Compare, ast.FloorDiv, ast.Mod, ast.If, ast.IfExp)):
            return True
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _JUMPING:
            return True
    return False


def found_jumps(f: Callable[[np.ndarray], np.ndarray], text: str, numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Return the activities at which `f` jumps, each the first that has the value above the jump.

    They are looked for between neighbours of a grid from -1e9 to 1e9, in which 0 and every number of the text and its
    parameters have places of their own. Two jumps that lie nearer than its points, a sixtieth of their size, and end
    where they began are seen only if they stand at such numbers.

    Parameters
    ----------
    f : callable
        The signal, of arrays.
    text : str
        Its formula.
    numbers : tuple of float
        Its parameters.
    """
    said = [float(found) for found in re.findall(r"(?<![\w.])\d+\.?\d*(?:[eE][+-]?\d+)?", text)]
    known = np.array([0.0, *said, *numbers])
    known = np.concatenate([known, -known])
    sizes = np.geomspace(1e-6, 1e9, 901)
    grid = np.unique(np.concatenate([-sizes, sizes, known, np.nextafter(known, -np.inf), np.nextafter(known, np.inf)]))
    grid = grid[np.isfinite(grid)]
    with np.errstate(all="ignore"):
        values = f(grid)
        size = np.abs(values)
        for _ in range(_BESIDE):
            size[1:-1] = np.maximum(np.maximum(size[:-2], size[2:]), size[1:-1])
        least = _LEAST * np.maximum(size[:-1], size[1:])
        change = np.abs(np.diff(values))
        left = np.isfinite(change) & (change > least)
        low, high, below, above, least = (part[left] for part in (grid[:-1], grid[1:], values[:-1], values[1:], least))
        found: list[float] = []
        while low.size:
            middle = low + 0.5 * (high - low)
            ended = ~((middle > low) & (middle < high))
            found += high[ended].tolist()
            value = f(middle)
            first = np.abs(value - below) >= np.abs(above - value)  # where more of the change is
            low, below = np.where(first, low, middle), np.where(first, below, value)
            high, above = np.where(first, middle, high), np.where(first, value, above)
            change = np.abs(above - below)
            left = ~ended & np.isfinite(change) & (change > least)
            low, high, below, above, least = (array[left] for array in (low, high, below, above, least))
    return tuple(sorted(set(found)))
