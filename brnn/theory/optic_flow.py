"""Optic flow and heading: movies with a known heading, and the filters and templates that `vistars` reads them with.

Who moves straight ahead sees everything stream away from one point, the focus of expansion: that is the heading. A
point of the scene at (X, Y, Z) is seen at focus + (X, Y)/Z, and Z falls by the same length from frame to frame.

Directions are numbered k = 0 ... 7, with steps (rows, columns) of one pixel; rows count downward, so that direction 2
is down.

    surround   F = (10.225/(2 pi)) exp(-r^2), 7 x 7
    MT         L_0 = (2/(2 pi 6)) exp(-((row/2)^2 + (column/3)^2)/4) where it exceeds 0.005, 25 x 25; L_2 its transpose;
               L_7 is L_0 with (row, column) -> (column + row, -column), and L_1 the left-right mirror of that
    templates  w_hk(P) = [1 - |angle(P - h)/45 deg - k|]+ around the circle; all 8 are 1 at P = h

Source: Browning, Grossberg and Mingolla (2009), A neural model of how the brain computes heading from optic flow in
realistic scenes, Cognitive Psychology 59, 320-356, as its public code has it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.errors import InputError

__all__ = [
    "STEPS",
    "approached_picture",
    "flow_filters",
    "heading_places",
    "heading_templates",
    "moving_dots",
    "surround_kernel",
]

STEPS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))  # rows, columns


def surround_kernel() -> np.ndarray:
    """Return the kernel of the inhibitory surround of contrast, 7 x 7; its sum is 5.11."""
    d = np.arange(-3.0, 4.0)
    return np.asarray(10.225 / (2.0 * math.pi) * np.exp(-(d[:, None] ** 2) - d**2))


def flow_filters() -> np.ndarray:
    """Return the elongated filters of the eight directions, shape (8, 25, 25)."""
    row, column = np.mgrid[-12.0:13.0, -12.0:13.0]

    def elongated(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        values = np.exp(-0.25 * ((row / 2.0) ** 2 + (column / 3.0) ** 2)) / (6.0 * math.pi)
        return np.where(values > 0.005, values, 0.0)

    straight, slanted = elongated(row, column), elongated(column + row, -column)
    return np.array([straight, slanted[:, ::-1], straight.T, slanted] * 2)


def heading_places(rows: int, columns: int) -> np.ndarray:
    """Return the headings (row, column) of the templates on a grid of so many cells, rows first.

    They stand in the rows nearest to 1/4, 5/16 and 3/8 of the height, in every fifth column from the third on.
    """
    heights = sorted({round(rows * part) for part in (1 / 4, 5 / 16, 3 / 8)})
    return np.array([(row, column) for row in heights for column in range(2, columns - 1, 5)])


def heading_templates(rows: int, columns: int) -> np.ndarray:
    """Return the templates of radial expansion, shape (headings, 8, rows, columns)."""
    i, j = np.mgrid[:rows, :columns]
    found = []
    for row, column in heading_places(rows, columns):
        angle = np.arctan2(i - row, j - column) * (4.0 / math.pi)
        apart = np.abs((angle - np.arange(8.0)[:, None, None] + 4.0) % 8.0 - 4.0)
        template = np.maximum(1.0 - apart, 0.0)
        template[:, row, column] = 1.0
        found.append(template)
    return np.array(found)


def moving_dots(
    focus: tuple[float, float],
    frames: int,
    shape: tuple[int, int] = (96, 128),
    *,
    dots: int = 250,
    approach: float = 0.35,
    nearest: float = 4.0,
    farthest: float = 20.0,
    seed: int = 0,
) -> np.ndarray:
    """Return frames of white dots of 2 x 2 pixels that stream away from a focus, shape (frames, rows, columns), uint8.

    Parameters
    ----------
    focus : (float, float)
        Row and column of the focus of expansion (pixels).
    frames : int
        How many frames.
    shape : (int, int)
        Rows and columns.
    dots : int
        How many dots there are; one that leaves the picture or comes too close appears anew.
    approach : float
        By how much the distance of every dot falls from frame to frame.
    nearest, farthest : float
        Distances at which dots appear, at random.
    seed : int
        Of the random numbers.
    """
    at = "moving_dots"
    count, total = whole(frames, f"{at}: frames", minimum=1), whole(dots, f"{at}: dots", minimum=1)
    step, near = number(approach, f"{at}: approach"), number(nearest, f"{at}: nearest", above=1.0)
    far = number(farthest, f"{at}: farthest", above=near)
    rows, columns = shape
    rng = np.random.default_rng(whole(seed, f"{at}: seed", minimum=0))
    seen = np.empty((total, 2))  # where each dot is seen, from the focus
    distance = np.empty(total)
    new = np.ones(total, dtype=bool)
    movie = np.zeros((count, rows, columns), dtype=np.uint8)
    for frame in movie:
        distance[new] = rng.uniform(near, far, new.sum())
        seen[new] = rng.uniform((0.0, 0.0), shape, (int(new.sum()), 2)) - focus
        corner = np.round(seen + focus).astype(int)
        for down in (0, 1):
            for right in (0, 1):
                i, j = corner[:, 0] + down, corner[:, 1] + right
                inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
                frame[i[inside], j[inside]] = 255
        seen *= (distance / (distance - step))[:, None]
        distance -= step
        place = seen + focus
        new = (distance < 1.0) | (place < -2.0).any(axis=1) | (place > np.array(shape) + 2.0).any(axis=1)
    return movie


def approached_picture(
    picture: Any,
    focus: tuple[float, float],
    frames: int,
    shape: tuple[int, int] = (96, 128),
    *,
    zoom: float = 1.03,
) -> np.ndarray:
    """Return frames of a picture to which a camera comes nearer, shape (frames, rows, columns), uint8.

    The picture stands square to the way, and fills every frame; about a point off the middle it is panned and zoomed.

    Parameters
    ----------
    picture : array, shape (rows, columns)
        Luminances from 0 to 1, or of type uint8.
    focus : (float, float)
        Row and column of the frame to which the camera moves.
    frames : int
        How many frames.
    shape : (int, int)
        Rows and columns of a frame.
    zoom : float, > 1
        By which factor all grows from frame to frame.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    at = "approached_picture"
    given = np.asarray(picture)
    bright = array(given / 255.0 if given.dtype == np.uint8 else given, f"{at}: picture", minimum=0.0, ndim=2)
    if bright.max() > 1.0:
        raise InputError(
            f"{at}: picture: has the luminance {bright.max():g}; all must be from 0 to 1 (or of type uint8)"
        )
    count, growth = whole(frames, f"{at}: frames", minimum=1), number(zoom, f"{at}: zoom", above=1.0)
    rows, columns = shape
    # The first frame holds as much of the picture as fits; its pixels are this many of the picture's own.
    size = min(bright.shape[0] / rows, bright.shape[1] / columns)
    corner = [0.5 * (own - size * wanted) for own, wanted in zip(bright.shape, shape, strict=True)]
    i, j = np.mgrid[:rows, :columns].astype(float)
    movie = np.empty((count, rows, columns), dtype=np.uint8)
    for k in range(count):
        scale = growth**-k
        blurred = gaussian_filter(bright, 0.4 * max(size * scale - 1.0, 0.0)) if size * scale > 1.0 else bright
        places = [
            corner[axis] + size * (focus[axis] + (where - focus[axis]) * scale) for axis, where in enumerate((i, j))
        ]
        frame = map_coordinates(blurred, places, order=1, mode="mirror")
        movie[k] = np.round(255.0 * np.clip(frame, 0.0, 1.0))
    return movie
