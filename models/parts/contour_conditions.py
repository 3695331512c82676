"""Pictures and adaptors of contour adaptation, by the names of its conditions: which shapes fade, and which stay.

The names are those of the public code of Francis and Kim (2012); their geometry is published as pictures alone, so that
sizes and places here are ours. What follows from each is a direction: the shape fades into what is around it, or stays.
"""

from __future__ import annotations

import numpy as np

__all__ = ["CONDITIONS", "condition", "outcomes", "outline"]

CONDITIONS = ("blob", "size_match", "bipartite", "pyramids", "annuli", "incomplete")
_SIDE = 32  # pixels of the picture of one shape


def outline(shape: np.ndarray) -> np.ndarray:
    """Return the outermost pixels of a shape."""
    wide = np.pad(shape, 1)
    return shape & ~(wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:])


def _square(size: int) -> np.ndarray:
    shape = np.zeros((_SIDE, _SIDE), dtype=bool)
    first = (_SIDE - size) // 2
    shape[first : first + size, first : first + size] = True
    return shape


def _disc(radius: float) -> np.ndarray:
    d = np.arange(_SIDE) - (_SIDE - 1) / 2.0
    return np.asarray(np.hypot(d[:, None], d) <= radius)


def condition(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture and the adaptor of a condition: two shapes beside each other, 32 x 64 pixels.

    Parameters
    ----------
    name : str
        "blob": two discs, the left one's outline adapted. "size_match": two squares, the left one adapted at its own
        outline, the right one at a smaller one. "bipartite": two boxes of a dark and a light half, in the left one the
        border between them is adapted. "pyramids": squares on squares, on the left the outer one's outline is adapted,
        on the right the inner one's. "annuli": two rings, adapted at the outer edge and at the inner one.
        "incomplete": two squares, one side of the left one's outline is adapted.
    """
    left, right = (np.zeros((_SIDE, _SIDE)) for _ in range(2))
    flickers = [np.zeros((_SIDE, _SIDE)), np.zeros((_SIDE, _SIDE))]
    if name == "blob":
        left[_disc(9.0)] = right[_disc(9.0)] = -1.0
        flickers[0][outline(_disc(9.0))] = 1.0
    elif name == "size_match":
        left[_square(20)] = right[_square(20)] = -1.0
        flickers[0][outline(_square(20))] = 1.0
        flickers[1][outline(_square(8))] = 1.0
    elif name == "bipartite":
        half = np.arange(_SIDE) < _SIDE // 2
        for picture in (left, right):
            picture[_square(20)] = np.broadcast_to(np.where(half, -1.0, 1.0), (_SIDE, _SIDE))[_square(20)]
        flickers[0][9:23, _SIDE // 2 - 1 : _SIDE // 2 + 1] = 1.0
    elif name == "pyramids":
        for picture in (left, right):
            picture[_square(26)] = -0.5
            picture[_square(10)] = -1.0
        flickers[0][outline(_square(26))] = 1.0
        flickers[1][outline(_square(10))] = 1.0
    elif name == "annuli":
        left[_disc(13.0) & ~_disc(5.0)] = right[_disc(13.0) & ~_disc(5.0)] = -1.0
        flickers[0][outline(_disc(13.0))] = 1.0
        flickers[1][outline(_disc(5.0))] = 1.0
    elif name == "incomplete":
        left[_square(20)] = right[_square(20)] = -1.0
        flickers[0][6, 6:26] = 1.0
    return np.hstack([left, right]), np.hstack(flickers)


def outcomes(name: str, seen: np.ndarray) -> list[tuple[str, bool]]:
    """Return what is to be seen of a condition, each in words and whether it is.

    Parameters
    ----------
    name : str
        The condition.
    seen : array, shape (32, 64)
        The surface, of a picture of 5 grey levels.
    """
    left, right = seen[:, :_SIDE], seen[:, _SIDE:]
    ground, middle, off = float(seen[0, 0]), 16, 9  # off: between the edge of a shape and what is inside of it

    def away(value: float, other: float) -> bool:
        return abs(float(value) - float(other)) > 1.5

    if name == "bipartite":
        halves = [(view[middle, 13], view[middle, 19]) for view in (left, right)]
        return [
            ("halves mix across the adapted border", not away(*halves[0])),
            ("they stay apart without", away(*halves[1])),
        ]
    if name == "pyramids":
        return [
            ("the outer square fades", not away(left[middle, 5], ground)),
            ("the inner one stays", away(left[middle, middle], ground)),
            (
                "the other way round",
                away(right[middle, 5], ground) and not away(right[middle, middle], right[middle, 5]),
            ),
        ]
    if name == "annuli":
        return [
            ("the ring flows out", not away(left[middle, 6], ground)),
            ("the ring flows into its hole", not away(right[middle, 6], right[middle, middle])),
            ("and stays", away(right[middle, 6], ground)),
        ]
    return [
        ("the left shape fades", not away(left[middle, off], ground)),
        ("the right one stays", away(right[middle, off], ground)),
    ]
