"""Columns: the values of one parameter for many members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Column", "pick"]

Column = np.ndarray | list[Any]  # float64 or int64 of one number per member, or a list of other values


def pick(column: Any, places: np.ndarray | Sequence[int]) -> Column:
    """Return the values of a column at these places."""
    if isinstance(column, np.ndarray):
        return column[places]
    chosen = np.asarray(places)
    if chosen.size and chosen[-1] - chosen[0] == chosen.size - 1 and (np.diff(chosen) == 1).all():  # all in a row
        return list(column[int(chosen[0]) : int(chosen[-1]) + 1])
    return [column[k] for k in chosen.tolist()]
