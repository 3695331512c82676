"""Contours and surfaces: oriented responses to a picture, the boundaries of adapted contours, and filling-in at rest.

    lgn       v = 150 (C*L - E*L)/(50 + C*L + E*L)              center C, surround E; the rest of shunting cells (8)
    simple    s_k = |F_k * v|                                   k = 0 ... 3
    complex   z_h = s_0 + s_2,  z_v = s_1 + s_3                 contours that lie horizontally, vertically
    gates     y = H K/(H + L w) + (y(0) - H K/(H + L w)) exp(-(H + L w) t)                                  (10)
    dipole    O_h = [y_h w_h - a y_v w_v]+,  w = tonic + z,  boundary where O > threshold
    surface   L, averaged over each region that boundaries enclose

L is the luminance of each pixel relative to the ground, -1 (black) to 1 (white); beyond the edge of the picture the
ground goes on. An element of z, y and O stands at the corner after its pixel, half a pixel down and to the right.

The mean of a region is the limit of boundary-gated diffusion, S_i' = sum_n P_ni (S_n - S_i) over the neighbours of a
pixel, with P = 0 across a boundary and any P > 0 elsewhere: it keeps the sum of each region and levels it.

Source: Francis and Kim (2012), Simulations of induced visual scene fading with boundary offset and filling-in, Vision
Res. 62, 181-191; Francis (2015), Contour adaptation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from brnn.errors import InputError

__all__ = ["adapted_gates", "complex_responses", "contour_threshold", "filled_in", "lateral_geniculate"]


def _gaussian(amplitude: float, width: float, G: float, row: float = 0.0, column: float = 0.0) -> np.ndarray:
    """Return amplitude exp(-G r^2/(2 width^2)) on a grid of whole distances, about a center."""
    half = math.floor(9.0 * width * math.sqrt(1.0 / G))
    d = np.arange(-half, half + 1.0)
    return np.asarray(amplitude * np.exp(-0.5 * G * ((d[:, None] - row) ** 2 + (d[None, :] - column) ** 2) / width**2))


def _same(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the convolution, of the shape of the picture, whichever is larger."""
    from scipy.signal import convolve

    up, left = (size // 2 for size in kernel.shape)
    return np.asarray(convolve(picture, kernel)[up : up + picture.shape[0], left : left + picture.shape[1]])


def lateral_geniculate(luminance: Any) -> np.ndarray:
    """Return v, ON minus OFF, of a picture of luminances between -1 and 1."""
    L = np.asarray(luminance, dtype=np.float64)
    if L.ndim != 2:
        raise InputError(f"luminance: has shape {L.shape}, must be (rows, columns)")
    center, surround = _same(L, _gaussian(10.0, 0.5, 1.3862)), _same(L, _gaussian(0.5, 2.0, 1.3862))
    return 150.0 * (center - surround) / (50.0 + center + surround)


def complex_responses(luminance: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return z_h and z_v, which are not cut off at their ceiling yet."""
    middle = _gaussian(1.0, 1.75, 2.0, -0.5, -0.5)
    beyond = len(middle) // 2  # how far filters reach: ON and OFF cells of the ground see the picture, too
    L = np.asarray(luminance, dtype=np.float64)
    v = lateral_geniculate(np.pad(L, beyond) if L.ndim == 2 else L)
    simple = []
    for k in range(4):
        angle = 0.5 * math.pi * (k + 1)
        filters = middle - _gaussian(1.0, 1.75, 2.0, -(0.5 + math.sin(angle)), -(0.5 + math.cos(angle)))
        simple.append(np.abs(_same(v, filters / np.sqrt((filters**2).sum()))))
    inside = (slice(beyond, -beyond),) * 2
    return (simple[0] + simple[2])[inside], (simple[1] + simple[3])[inside]


def adapted_gates(
    responses: Sequence[Any], durations: Sequence[float], H: float, K: float, L: float, tonic: float, clip: float
) -> np.ndarray:
    """Return the gates y after responses z that last for some time each, one after the other; they begin rested.

    Parameters
    ----------
    responses : sequence of array
        z of one orientation, of each picture.
    durations : sequence of float
        How long each is shown.
    H, K, L, tonic, clip : float
        As in the equations above.
    """
    y = np.asarray(H * K / (H + L * tonic))
    for z, duration in zip(responses, durations, strict=True):
        rate = H + L * (tonic + np.minimum(z, clip))
        level = H * K / rate
        y = level + (y - level) * np.exp(-rate * duration)
    return y


def contour_threshold(gate: Any, rest: float, threshold: float, tonic: float, inhibition: float) -> Any:
    """Return the complex response z above which a contour makes a boundary.

    O = y (tonic + z) - inhibition rest tonic > threshold, the other orientation being at rest.

    Parameters
    ----------
    gate : float or array
        y of the contour.
    rest : float
        y of the other orientation.
    threshold, tonic, inhibition : float
        As in the equations above.
    """
    return (threshold + inhibition * rest * tonic) / np.asarray(gate) - tonic


def filled_in(luminance: Any, horizontal: Any, vertical: Any) -> np.ndarray:
    """Return the surface: each region enclosed by boundaries has the mean of its luminances.

    Pixels (i, j) and (i - 1, j) are joined unless there is a horizontal boundary at (i - 1, j - 1) or (i - 1, j),
    pixels (i, j) and (i, j - 1) unless there is a vertical one at (i - 1, j - 1) or (i, j - 1).

    Parameters
    ----------
    luminance : array, shape (rows, columns)
        L.
    horizontal, vertical : array, shape (rows, columns)
        Strengths of the boundaries; there is one where it is above 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    L = np.asarray(luminance, dtype=np.float64)
    walls = [np.asarray(b) > 0.0 for b in (horizontal, vertical)]
    for wall, name in zip(walls, ("horizontal", "vertical"), strict=True):
        if wall.shape != L.shape:
            raise InputError(f"{name}: has shape {wall.shape}, must have that of the luminances, {L.shape}")
    across, down = walls[0][:-1].copy(), walls[1][:, :-1].copy()
    across[:, 1:] |= walls[0][:-1, :-1]
    down[1:] |= walls[1][:-1, :-1]
    pixel = np.arange(L.size).reshape(L.shape)
    first = np.concatenate([pixel[1:][~across], pixel[:, 1:][~down]])
    second = np.concatenate([pixel[:-1][~across], pixel[:, :-1][~down]])
    joined = coo_array((np.ones(first.size), (first, second)), shape=(L.size, L.size))
    region = connected_components(joined, directed=False)[1]
    return np.asarray((np.bincount(region, L.ravel()) / np.bincount(region))[region].reshape(L.shape))
