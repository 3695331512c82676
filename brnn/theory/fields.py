"""Distance-dependent shunting networks: what a field of cells does with a pattern of inputs.

    dx_i/dt = -A x_i + (B - x_i) sum_k I_k C_ki - (D + x_i) sum_k I_k E_ki

C_ki and E_ki, the strengths of center and surround, depend only on the displacement i - k, so that
the two sums are convolutions of the input pattern with two kernels, in one or two dimensions. For a
constant input each cell relaxes on its own, with rate A + (C * I)_i + (E * I)_i.

Conventions: a kernel is an array with an odd number of elements along each axis; its middle element
is displacement 0 and the one after it displacement +1, ``(C * I)_i = sum_k C[i - k] I_k``. Beyond
the edge the field continues as `boundary` says, in the words of brnn's topologies or of SciPy:
``"zero"`` or ``"constant"`` (nothing there), ``"periodic"`` or ``"wrap"`` (a ring), ``"nearest"``
(the last value), ``"reflect"`` (mirrored, the last value twice). The convolution is that of
scipy.ndimage, direct summation without FFT.

Source: review, text on distance-dependent versions after (19). The closed forms follow from the
equation above, which is linear in x_i.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.theory.feedforward import shunt, shunt_trajectory

__all__ = ["convolve", "equilibrium", "gaussian", "saturated", "trajectory", "uniform"]

_MODES = {  # the words for a boundary, and scipy.ndimage's name of it
    "zero": "constant",
    "constant": "constant",
    "periodic": "wrap",
    "wrap": "wrap",
    "nearest": "nearest",
    "reflect": "reflect",
}


def gaussian(sigma: float, radius: int, amplitude: float = 1.0, ndim: int = 1, *, unit_sum: bool = False) -> np.ndarray:
    """Return the kernel ``amplitude exp(-r^2 / (2 sigma^2))`` sampled at whole distances.

    Parameters
    ----------
    sigma : float
        Width, in cells, > 0.
    radius : int
        The kernel has 2 radius + 1 elements along each axis.
    amplitude : float
        Value at distance 0, or with `unit_sum` the sum of all elements.
    ndim : int
        Number of dimensions.
    unit_sum : bool
        Scale the kernel so that its elements sum to `amplitude`.
    """
    axis = np.arange(-radius, radius + 1, dtype=np.float64)
    squares = sum(x**2 for x in np.meshgrid(*[axis] * ndim, indexing="ij"))
    kernel = np.exp(-squares / (2.0 * sigma**2))
    return amplitude * kernel / (kernel.sum() if unit_sum else 1.0)


def convolve(pattern: Any, kernel: Any, boundary: str = "zero") -> np.ndarray:
    """Return ``sum_k kernel[i - k] pattern_k``, of the shape of `pattern`.

    Raises
    ------
    InputError
        If the kernel has other dimensions than the pattern or an even number of elements along an
        axis, or if the boundary is not known.
    """
    from scipy.ndimage import convolve as direct

    pattern, kernel = np.asarray(pattern, dtype=np.float64), np.asarray(kernel, dtype=np.float64)
    if kernel.ndim != pattern.ndim:
        raise InputError(f"the kernel has {kernel.ndim} dimensions, the pattern {pattern.ndim}")
    if any(size % 2 == 0 for size in kernel.shape):
        raise InputError(f"the kernel has shape {kernel.shape}: every size must be odd")
    if boundary not in _MODES:
        raise InputError(f"boundary = {boundary!r}: must be one of {', '.join(_MODES)}")
    return direct(pattern, kernel, mode=_MODES[boundary], cval=0.0)


def equilibrium(
    pattern: Any, center: Any, surround: Any, A: float, B: float, D: float, boundary: str = "zero"
) -> np.ndarray:
    """Return ``x_i = [B (C*I)_i - D (E*I)_i] / [A + (C*I)_i + (E*I)_i]``.

    Parameters
    ----------
    pattern : array, one or more dimensions
        Inputs I_k >= 0.
    center, surround : array
        Kernels C and E >= 0, of as many dimensions.
    A, B, D : float
        Decay rate and the bounds of activity.
    boundary : str
        What lies beyond the edge of the field.
    """
    excitation, inhibition = convolve(pattern, center, boundary), convolve(pattern, surround, boundary)
    return np.asarray(shunt(excitation, inhibition, A, B, D))


def trajectory(
    pattern: Any,
    center: Any,
    surround: Any,
    A: float,
    B: float,
    D: float,
    t: Any,
    x0: Any = 0.0,
    boundary: str = "zero",
) -> np.ndarray:
    """Return the response to a pattern that is constant from time 0 on, shape of `t` + that of `pattern`."""
    excitation, inhibition = convolve(pattern, center, boundary), convolve(pattern, surround, boundary)
    return shunt_trajectory(excitation, inhibition, A, B, t, x0, D)


def saturated(pattern: Any, center: Any, surround: Any, B: float, D: float, boundary: str = "zero") -> np.ndarray:
    """Return the limit of `equilibrium` for large total input, ``[B (C*I) - D (E*I)] / [(C*I) + (E*I)]``.

    It depends on the ratios of the inputs only: brightness constancy. Cells whose two fields hold
    no input at all stay at 0.
    """
    excitation, inhibition = convolve(pattern, center, boundary), convolve(pattern, surround, boundary)
    both = excitation + inhibition
    return np.divide(B * excitation - D * inhibition, both, out=np.zeros_like(both), where=both > 0)


def uniform(intensity: Any, center: Any, surround: Any, A: float, B: float, D: float) -> Any:
    """Return the activity inside a uniform field, ``x = (B c - D e) I / [A + (c + e) I]``.

    c and e are the sums of the kernels. If ``B c = D e`` a uniform field is suppressed exactly, at
    every intensity, and only edges remain. It holds farther from the edge than the kernels reach,
    and everywhere if the boundary is not ``"zero"``.
    """
    intensity = np.asarray(intensity, dtype=np.float64)
    return shunt(intensity * np.sum(center), intensity * np.sum(surround), A, B, D)
