"""Which panels show a network: layers of one cell together, long layers as images over time, fields as images."""

from __future__ import annotations

import math
from typing import Any

from brnn.spec.network import Network

__all__ = ["panels_of"]

_LINES = 24  # cells up to which each has a line
_WEIGHTS = 12  # connections up to which each has a line
_NOUNS = {"x": "activity", "y": "gate", "z": "weight"}

Panel = dict[str, Any]


def panels_of(network: Network) -> list[Panel]:
    """Return the panels of a network as plain data.

    Returns
    -------
    list of dict
        ``kind`` is "lines" (series of single elements over time), "image" (elements of a long variable over time),
        "field" (a variable of two axes at one time), "matrix" (weights at one time) or "phase" (one element against
        another); ``title`` and ``label`` say what it shows.
    """
    shapes = network.state_shapes
    panels: list[Panel] = []
    if sum(math.prod(shape) for shape in shapes.values()) == 2:
        panels.append(_phase(shapes))
    single = [name for name, shape in shapes.items() if name.endswith(".x") and math.prod(shape) == 1]
    if single:
        series = [{"variable": name, "element": 0, "label": name.removesuffix(".x")} for name in single]
        panels.append({"kind": "lines", "title": " and ".join(_few(single)), "label": "activity", "series": series})
    for name, shape in shapes.items():
        if name not in single:
            panels.append(_panel(name, shape))
    return panels


def _few(names: list[str]) -> list[str]:
    short = [name.removesuffix(".x") for name in names]
    return short if len(short) <= 3 else [", ".join(short[:2]), f"{len(short) - 2} more"]


def _panel(name: str, shape: tuple[int, ...]) -> Panel:
    owner, _, quantity = name.rpartition(".")
    noun, cells = _NOUNS[quantity], math.prod(shape)
    plural = {"activity": "activities"}.get(noun, f"{noun}s")
    title = f"{owner}: {plural if cells > 1 else noun}"
    if cells <= (_WEIGHTS if quantity == "z" else _LINES):
        series = [{"variable": name, "element": k, "label": _element(quantity, shape, k)} for k in range(cells)]
        return {"kind": "lines", "title": title, "label": noun, "series": series}
    if len(shape) == 1:
        return {"kind": "image", "title": title, "label": noun, "variable": name}
    if quantity == "z" or len(shape) > 2:
        return {"kind": "matrix", "title": title, "label": noun, "variable": name}
    return {"kind": "field", "title": title, "label": noun, "variable": name}


def _element(quantity: str, shape: tuple[int, ...], k: int) -> str:
    if quantity == "z" and len(shape) == 2:
        return f"{k % shape[1]} to {k // shape[1]}"
    if len(shape) == 2:
        return f"cell {k // shape[1]}, {k % shape[1]}"
    return f"cell {k}" if quantity == "x" else str(k)


def _phase(shapes: dict[str, tuple[int, ...]]) -> Panel:
    """Return the phase plane of a network of two unknowns."""
    elements = [(name, k) for name, shape in shapes.items() for k in range(math.prod(shape))]
    axes = [
        {"variable": name, "element": k, "label": name if math.prod(shapes[name]) == 1 else f"{name}[{k}]"}
        for name, k in elements
    ]
    return {"kind": "phase", "title": "phase plane", "label": axes[1]["label"], "x": axes[0], "y": axes[1]}
