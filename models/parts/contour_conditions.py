"""Pictures and adaptors of contour adaptation, by the names of its conditions: which shapes fade, and which stay.

The names are those of the public code of Francis and Kim (2012). Sizes and places are ours, in pictures of few pixels.
What follows from each is a direction: the shape fades into what is around it, or stays.
"""

from __future__ import annotations

import numpy as np

__all__ = ["CONDITIONS", "condition", "outcomes", "outline"]

CONDITIONS = (
    "blob", "size_match", "bipartite", "pyramids", "annuli", "incomplete",
    "flickering_ground", "solid_square", "reversed_quarters", "prediction", "white",
)  # fmt: skip
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
        "incomplete": two squares, one side of the left one's outline is adapted. "flickering_ground" (Robinson and de
        Sa 2013): the ground flickers around two holes, of which the left square has the size and the right one is
        smaller. "solid_square" (2012, first experiment): squares flicker, of the size of the left square and smaller
        than the right one. "reversed_quarters" (2012, second experiment): quarters of a square, black and white, whose
        colors are reversed within the left square's outline, so that it is adapted, and not on the right.
        "prediction": nested corners end at the outline of two squares, on the right it is drawn, too. "white": a patch
        on a dark bar of a grating (White's illusion); its borders with the bar are adapted on the left, those with the
        light bars beside it on the right.
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
    elif name == "flickering_ground":
        left[_square(14)] = right[_square(6)] = -1.0
        flickers = [(_square(28) & ~_square(14)).astype(float)] * 2
    elif name == "solid_square":
        left[_square(12)] = right[_square(24)] = -1.0
        flickers = [_square(12).astype(float)] * 2
    elif name == "reversed_quarters":
        left[_square(18)] = right[_square(18)] = -1.0
        side = np.sign(np.arange(_SIDE) - (_SIDE - 1) / 2.0)
        quarters = np.outer(side, side) * (_square(28) & ~_square(8))
        flickers = [np.where(_square(18), -quarters, quarters), quarters]
    elif name == "prediction":
        left[_square(16)] = right[_square(16)] = -1.0
        d = np.arange(_SIDE)
        corners = np.zeros((_SIDE, _SIDE), dtype=bool)
        for row in (8, 24):
            for column in (8, 24):
                far = np.maximum(np.abs(d[:, None] - row + 0.5), np.abs(d - column + 0.5))
                corners |= (far == 2.5) | (far == 5.5)
        corners &= ~_square(16)
        flickers = [corners.astype(float), (corners | outline(_square(16))).astype(float)]
    elif name == "white":
        bars = np.where(np.arange(_SIDE) // 8 % 2 == 0, 1.0, -1.0)
        for picture in (left, right):
            picture[4:28, 4:28] = bars[None, 4:28]
            picture[11:21, 8:16] = 0.0
        flickers[0][[[10], [11], [20], [21]], np.arange(11, 13)] = 1.0
        flickers[1][np.arange(14, 18)[:, None], [7, 8, 15, 16]] = 1.0
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
    ground, middle, off = float(seen[0, 0]), 16, 10  # off: between the edge of a shape and what is inside of it

    def away(value: float, other: float) -> bool:
        return abs(float(value) - float(other)) > 1.5

    if name == "white":
        return [
            ("the patch mixes with its dark bar where the borders between them were adapted", left[middle, 12] < -1.5),
            ("with the light bars beside it where those were", right[middle, 12] > 1.5),
        ]
    if name == "prediction":
        return [
            ("the square with the drawn outline fades", not away(right[middle, 12], ground)),
            ("so does the one at whose outline lines end", not away(left[middle, 12], ground)),
        ]
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
    inside = middle if name == "flickering_ground" else off
    return [
        ("the left shape fades", not away(left[middle, off], ground)),
        ("the right one stays", away(right[middle, inside], ground)),
    ]
