"""The equations of `brnn.models.contour_adaptation`, written out by hand, with sums over pixels for its filters."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from brnn.models.parts.by_hand import integrated

__all__ = ["course"]


def course(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    """Return all states at these times, for `equations_by_hand`; p has the parameters of `build`."""
    shape = p.pattern.shape
    test = p.contrast / 127.0 * p.pattern
    pictures = {"black": -p.adaptor, "white": p.adaptor, "test": test, "ground": np.zeros(shape)}
    z = {name: _responses(light) for name, light in pictures.items()}

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        name = "ground"
        if when < p.adapt:
            name = ("black", "white")[int(when // p.flicker) % 2]
        elif when < p.adapt + p.shown:
            name = "test"
        l, ch, cv, yh, yv, gh, gv, oh, ov = u.reshape(9, *shape)
        wh, wv = (p.tonic + np.minimum(c, p.clip) for c in (ch, cv))
        return np.concatenate([
            p.rate * (-l + pictures[name]),
            p.rate * (-ch + z[name][0]),
            p.rate * (-cv + z[name][1]),
            p.H * (p.K - yh) - p.L * wh * yh,
            p.H * (p.K - yv) - p.L * wv * yv,
            p.rate * (-gh + wh * yh),
            p.rate * (-gv + wv * yv),
            p.rate * (-oh + gh - p.a * gv),
            p.rate * (-ov + gv - p.a * gh),
        ]).ravel()  # fmt: skip

    y0 = p.H * p.K / (p.H + p.L * p.tonic)
    levels = [0.0, 0.0, 0.0, y0, y0, *[p.tonic * y0] * 2, *[(1.0 - p.a) * p.tonic * y0] * 2]
    start = np.repeat(levels, p.pattern.size)
    breaks = [*np.arange(p.flicker, p.adapt, p.flicker), p.adapt, p.adapt + p.shown]
    u = integrated(velocity, start, times, breaks).reshape(len(times), 9, *shape)
    names = ["luminance.x", "complex_h.x", "complex_v.x", "gates_h.y", "gates_v.y", "gated_h.x", "gated_v.x",
             "dipole_h.x", "dipole_v.x"]  # fmt: skip
    return {name: u[:, k] for k, name in enumerate(names)}


def _responses(light: np.ndarray) -> list[np.ndarray]:
    """Return z_h and z_v, each a sum over all pixels."""
    rows, columns = light.shape
    light = np.pad(light, 11)  # the ground beyond the picture, as far as filters reach
    center, surround, simple = _filters(*light.shape)
    c, e = center @ light.ravel(), surround @ light.ravel()
    on, off = (90.0 * c - 60.0 * e) / (50.0 + c + e), (90.0 * e - 60.0 * c) / (50.0 + c + e)
    s = [np.abs(F @ (on - off)).reshape(light.shape)[11 : 11 + rows, 11 : 11 + columns] for F in simple]
    return [s[0] + s[2], s[1] + s[3]]


@functools.cache
def _filters(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return the matrices of center, surround and simple cells, with the Gaussians written out."""
    places = np.indices((rows, columns)).reshape(2, -1).T.astype(float)
    apart = places[:, None] - places[None, :]

    def bump(amplitude: float, exponent: float, half: int, row: float = 0.0, column: float = 0.0) -> np.ndarray:
        within = (np.abs(apart) <= half).all(axis=-1)
        square = (apart[..., 0] - row) ** 2 + (apart[..., 1] - column) ** 2
        return np.asarray(amplitude * np.exp(-exponent * square) * within)

    center, surround = bump(10.0, 0.5 * 1.3862 / 0.25, 3), bump(0.5, 0.5 * 1.3862 / 4.0, 15)
    i, j = np.meshgrid(np.arange(-11.0, 12.0), np.arange(-11.0, 12.0), indexing="ij")
    simple = []
    for row, column in ((-1.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -1.5)):
        one = np.exp(-((i + 0.5) ** 2 + (j + 0.5) ** 2) / 1.75**2)
        length = math.sqrt(((one - np.exp(-((i - row) ** 2 + (j - column) ** 2) / 1.75**2)) ** 2).sum())
        simple.append(bump(1.0, 1.0 / 1.75**2, 11, -0.5, -0.5) - bump(1.0, 1.0 / 1.75**2, 11, row, column))
        simple[-1] /= length
    return center, surround, simple
