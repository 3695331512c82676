"""Values in words, for people: arrays and specifications in short."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["pattern_in_words", "value_in_words"]

_SHOWN = 12  # cells that are written one by one


def value_in_words(value: Any) -> str:
    """Return a parameter's value as text: as it would be written in Python, arrays in short."""
    import numpy as np

    from brnn.base.data import Spec

    if value is None:
        return "none"
    if isinstance(value, np.ndarray) or (isinstance(value, tuple) and value and isinstance(value[0], tuple)):
        return pattern_in_words(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Spec):
        return re.sub(r"(\d)\.0(?=[,)])", r"\1", repr(value))
    return str(value)


def pattern_in_words(values: Any) -> str:
    """Return the first elements of an array, or all of a short one."""
    import numpy as np

    flat = np.asarray(values).ravel()
    shown = " ".join(f"{value + 0.0:.5g}" for value in flat[:_SHOWN])  # + 0.0: no "-0"
    return shown if flat.size <= _SHOWN else f"{shown} ... ({' x '.join(map(str, np.shape(values)))})"
