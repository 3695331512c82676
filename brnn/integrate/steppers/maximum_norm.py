"""SciPy's explicit methods with the error of a step controlled for each unknown, not for their root mean square."""

from __future__ import annotations

import numpy as np
from scipy.integrate import DOP853, RK23, RK45

__all__ = ["KINDS", "MaxDOP853", "MaxRK23", "MaxRK45"]


class _MaximumNorm:
    """Replaces the root mean square by the maximum."""

    def _estimate_error_norm(self, K: np.ndarray, h: float, scale: np.ndarray) -> float:
        return float((np.abs(self._estimate_error(K, h)) / scale).max())  # type: ignore[attr-defined]


class MaxRK45(_MaximumNorm, RK45):
    """RK45 whose error is controlled for each unknown."""


class MaxRK23(_MaximumNorm, RK23):
    """RK23 whose error is controlled for each unknown."""


class MaxDOP853(_MaximumNorm, DOP853):
    """DOP853 whose error is controlled for each unknown."""


KINDS = {"RK45": MaxRK45, "RK23": MaxRK23, "DOP853": MaxDOP853}
