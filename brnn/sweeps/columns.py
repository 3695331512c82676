"""Columns: the values of one parameter for many members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Column", "pick"]

Column = np.ndarray | list[Any]  # float64 or int64 of one number per member, or a list of other values


def pick(column: Any, places: np.ndarray | Sequence[int]) -> Column:
    """Return the values of a column at these places."""
    return column[places] if isinstance(column, np.ndarray) else [column[k] for k in np.asarray(places).tolist()]
