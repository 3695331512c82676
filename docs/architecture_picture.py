"""Draw docs/architecture.svg, the path of data through the folders of brnn: `make docs`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

PICTURE = Path(__file__).with_name("architecture.svg")

WIDTH, HEIGHT = 1120, 560
_WIDE, _HIGH = 190, 84
_COLUMNS = (20, 246, 472, 698, 910)
_ROWS = (64, 184, 304, 444)
_STYLE = (
    "text { font: 13px system-ui, sans-serif; fill: #222222 } .title { font-weight: 600 } "
    ".said { font-size: 12px; fill: #444444 } .head { font-size: 12px; fill: #666666; font-style: italic } "
    "rect { fill: #ffffff; stroke: #555555 } .ground { stroke: none } .theory rect { fill: #f0f4fa } "
    ".arrow { fill: none; stroke: #555555; stroke-width: 1.4; marker-end: url(#tip) }"
)


@dataclass(frozen=True)
class Box:
    """A folder or module of the picture.

    Attributes
    ----------
    name : str
        Its path in the repository.
    column, row : int
        Where it stands.
    said : tuple of str
        What it holds, in lines.
    theory : bool
        Whether it knows nothing of simulating.
    """

    name: str
    column: int
    row: int
    said: tuple[str, ...]
    theory: bool = False
    also: str = ""  # a second folder that stands beside it

    @property
    def left(self) -> int:
        """Coordinate of the left side."""
        return _COLUMNS[self.column]

    @property
    def top(self) -> int:
        """Coordinate of the upper side."""
        return _ROWS[self.row]


BOXES = (
    Box("brnn/spec", 0, 0, ("a network as frozen data:", "layers, projections, stimuli")),
    Box("brnn/signals", 0, 1, ("activity to signal,", "closed forms of any kind")),
    Box("brnn/base", 0, 2, ("data with JSON, checks;", "knows nothing of networks")),
    Box("brnn/compiler", 1, 0, ("a flat state vector,", "du/dt as generated code")),
    Box("brnn/ensemble", 1, 1, ("many networks at once,", "32 lanes of one loop")),
    Box("brnn/sweeps", 1, 2, ("designs, members,", "tasks, measures")),
    Box("brnn/integrate", 2, 0, ("one run: methods, break", "points, events, delays, rest")),
    Box("brnn/reproduce", 2, 2, ("runs a file again,", "and compares")),
    Box("brnn/continuation", 3, 2, ("equilibria, cycles, basins",), also="brnn/dynamics"),
    Box("brnn/result", 3, 0, ("what a run leaves,", "in memory (xarray)")),
    Box("brnn/files", 3, 1, ("HDF5 of runs and sweeps,", "valid at every moment")),
    Box("brnn/plot", 4, 0, ("drawn, and what is drawn",), also="brnn/figures"),
    Box("brnn/analysis", 4, 1, ("periods, phases, arrivals",)),
    Box("brnn/cli", 4, 2, ("terminal and browser",), also="brnn/explore"),
    Box("models", 0, 3, ("published networks,", "each with its claims"), theory=True),
    Box("brnn/theory", 1, 3, ("what mathematics", "predicts"), theory=True),
    Box("brnn/comparison.py", 2, 3, ("predicted beside measured",), theory=True, also="brnn/claims.py"),
    Box("brnn/sensitivities", 3, 3, ("derivatives, and fits",), also="brnn/fitting"),
    Box("brnn/equations", 4, 3, ("laws as text; sequences",), theory=True, also="brnn/sequences"),
)
_HEADS = ("what you write", "into code, or many", "through time", "what is left", "what you see")


def _box(box: Box) -> list[str]:
    kind = ' class="theory"' if box.theory else ""
    x, y = box.left, box.top
    lines = [
        f"<g{kind}>",
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="6"/>',
        f'<text class="title" x="{x + 12}" y="{y + 26}">{escape(box.name)}</text>',
    ]
    if box.also:
        lines.append(f'<text class="title" x="{x + 12}" y="{y + 45}">{escape(box.also)}</text>')
    first = 66 if box.also else 48
    lines += [
        f'<text class="said" x="{x + 12}" y="{y + first + 18 * k}">{escape(text)}</text>'
        for k, text in enumerate(box.said)
    ]
    return [*lines, "</g>"]


def _arrow(points: str) -> str:
    return f'<path class="arrow" d="{points}"/>'


def _across(row: int, start: int, stop: int, shift: int = 0) -> str:
    """Return an arrow from one column to a later one in the same row."""
    y = _ROWS[row] + _HIGH // 2 + shift
    return _arrow(f"M{_COLUMNS[start] + _WIDE} {y} H{_COLUMNS[stop] - 3}")


def _down(column: int, row: int, shift: int = 0) -> str:
    x = _COLUMNS[column] + _WIDE // 2 + shift
    return _arrow(f"M{x} {_ROWS[row] + _HIGH} V{_ROWS[row + 1] - 3}")


def _up(column: int, row: int, shift: int = 0, to: int | None = None) -> str:
    """Return an arrow from one row to the one above, or to the row `to`."""
    x = _COLUMNS[column] + _WIDE // 2 + shift
    return _arrow(f"M{x} {_ROWS[row]} V{_ROWS[row - 1 if to is None else to] + _HIGH + 3}")


def draw() -> str:
    """Return the picture as the text of an SVG file."""
    half = _HIGH // 2
    integrate, files, ensemble, sweeps, reproduce, continuation = (
        next(box for box in BOXES if box.name.endswith(name))
        for name in ("integrate", "files", "ensemble", "sweeps", "reproduce", "continuation")
    )
    gap = integrate.left - 18  # the passage before the third column
    low = _ROWS[2] + _HIGH + 18  # the passage below the third row
    arrows = [
        _up(0, 2),  # data that knows nothing of networks
        _up(0, 1),
        _across(0, 0, 1),  # a network
        _across(0, 1, 2),  # a right-hand side
        _across(0, 2, 3),  # samples
        _across(0, 3, 4),  # results
        _down(1, 0),  # a lane function
        _up(1, 2),  # members
        _down(3, 0, -40),  # saved
        _up(3, 1, 40),  # opened
        # one member of the ensemble is a run as well
        _arrow(f"M{ensemble.left + _WIDE} {ensemble.top + half} H{gap} V{integrate.top + 64} H{integrate.left - 3}"),
        # a run streams into its file
        _arrow(f"M{integrate.left + 140} {integrate.top + _HIGH} V{files.top + 26} H{files.left - 3}"),
        # a sweep runs others one by one, and writes what members leave
        _arrow(f"M{sweeps.left + _WIDE} {sweeps.top + 26} H{gap} V{integrate.top + 64} H{integrate.left - 3}"),
        _arrow(
            f"M{sweeps.left + 95} {sweeps.top + _HIGH} V{low} H{files.left - 9} V{files.top + 46} H{files.left - 3}",
        ),
        # what rests is followed
        _arrow(
            f"M{integrate.left + 165} {integrate.top + _HIGH} V{continuation.top - 10} H{continuation.left + 60} "
            f"V{continuation.top - 3}"
        ),
        # a file is run again: as a run, or as a sweep
        _arrow(f"M{files.left} {files.top + 64} H{reproduce.left + 160} V{reproduce.top - 3}"),
        _up(2, 2, 10, 0),
        _arrow(f"M{reproduce.left} {reproduce.top + 58} H{sweeps.left + _WIDE + 3}"),
        _across(1, 3, 4),
        _across(3, 0, 1),
        _across(3, 1, 2),
        # theory reads the network itself
        _arrow(f"M{_COLUMNS[0]} {_ROWS[0] + half} H8 V{_ROWS[3] - 16} H{_COLUMNS[1] + 60} V{_ROWS[3] - 3}"),
        # what was measured
        _arrow(
            f"M{_COLUMNS[3] + _WIDE} {_ROWS[0] + 64} H{_COLUMNS[3] + _WIDE + 11} V{low + 10} "
            f"H{_COLUMNS[2] + 95} V{_ROWS[3] - 3}"
        ),
    ]
    heads = [
        f'<text class="head" x="{x}" y="{_ROWS[0] - 18}">{escape(text)}</text>'
        for x, text in zip(_COLUMNS, _HEADS, strict=True)
    ]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        "<title>The path of data through brnn</title>",
        "<!-- made by docs/architecture_picture.py -->",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 Z" fill="#555555"/></marker></defs>',
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        *heads,
        *arrows,
        *(line for box in BOXES for line in _box(box)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
