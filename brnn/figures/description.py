"""What a figure shows, as frozen data: panels, what stands in each, and what it is called.

Nothing is drawn here. `brnn.plot.draw_figure` draws a `FigureDescription` with Matplotlib, and `to_dict` writes it as
plain data for anything else that draws, a browser for instance. All numbers are in it: whoever draws needs no result.

Colors are numbers: `color` counts the colors of a palette that differ in hue and in the pattern of their lines, and
`shade` is a place between 0 and 1 on a scale from light to dark, for what is ordered. What a mark stands for is its
`role`, which settles how it looks:

- "simulated": what the network did;
- "predicted": what theory says, without the simulator: thin broken lines, hollow circles;
- "given": what went in;
- "guide": a line that only helps the eye.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = [
    "Band",
    "Bars",
    "Curve",
    "FigureDescription",
    "Level",
    "Lines",
    "Mark",
    "Note",
    "Panel",
    "Picture",
    "Raster",
    "Role",
    "Span",
]

Numbers = Any  # an array, or what makes one: it is one from the beginning
Role = Literal["simulated", "predicted", "given", "guide"]


@dataclass(frozen=True, eq=False)
class Mark:
    """Base of what stands in a panel; arrays are taken over and can no longer be changed."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "Numbers":
                array = np.array(value, dtype=np.float64)
                array.setflags(write=False)
                object.__setattr__(self, field.name, array)


@dataclass(frozen=True, eq=False)
class Curve(Mark):
    """Points (x, y), joined by a line, or each with a `marker` (".", "o", "s", "^", "x" or "*") if one is named.

    A gap in the line is a NaN.
    """

    x: Numbers
    y: Numbers
    label: str = ""
    role: Role = "simulated"
    color: int = 0
    shade: float | None = None
    marker: str = ""
    steps: bool = False  # a value holds until the next


@dataclass(frozen=True, eq=False)
class Lines(Mark):
    """Lines over the same x, `y` of shape (len(x), lines), shaded by `values`, which a bar called `label` tells."""

    x: Numbers
    y: Numbers
    values: Numbers
    label: str = ""


@dataclass(frozen=True, eq=False)
class Band(Mark):
    """The area between two curves over the same x."""

    x: Numbers
    low: Numbers
    high: Numbers
    label: str = ""
    color: int = 0
    role: Role = "simulated"


@dataclass(frozen=True, eq=False)
class Level(Mark):
    """A straight line across the panel at this `value` of the axis "y" or "x"."""

    value: float
    label: str = ""
    axis: Literal["x", "y"] = "y"
    role: Role = "predicted"


@dataclass(frozen=True, eq=False)
class Span(Mark):
    """An interval of x during which something is on."""

    start: float
    stop: float
    label: str = ""
    color: int | None = None


@dataclass(frozen=True, eq=False)
class Bars(Mark):
    """A bar for each of `heights`; `place` = (k, of) says which of how many bars stand side by side."""

    heights: Numbers
    label: str = ""
    role: Role = "simulated"
    color: int = 0
    place: tuple[int, int] = (0, 1)


@dataclass(frozen=True, eq=False)
class Picture(Mark):
    """Numbers `values` (rows, columns) as colors, row 0 at the top.

    `x` and `y` are the edges of columns and rows (one more than there are), or empty for cells that are squares.
    `colors` is "gray", "heat" or, for both signs, "signed"; equal numbers below and above are `limits`. The bar beside
    it is called `label`; without one there is none.
    """

    values: Numbers
    label: str = ""
    colors: Literal["gray", "heat", "signed"] = "heat"
    limits: tuple[float, float] | None = None
    x: Numbers = dataclasses.field(default_factory=lambda: np.empty(0))
    y: Numbers = dataclasses.field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class Raster(Mark):
    """A tick at each time in x, in the row that `rows` tells."""

    x: Numbers
    rows: Numbers
    label: str = ""
    color: int = 0


@dataclass(frozen=True, eq=False)
class Note(Mark):
    """A few words at a place (x, y) of the data; `side` says where they stand beside it."""

    x: float
    y: float
    text: str
    side: Literal["right", "left", "above", "below"] = "right"
    color: int | None = None


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes.

    Attributes
    ----------
    title, x, y : str
        What it shows, and what its axes are.
    marks : tuple of Mark
        What stands in it, later ones over earlier ones.
    width : float
        How wide it is beside the others of its row.
    x_limits, y_limits : (float, float), optional
        Ends of the axes; by what is drawn without them.
    x_scale, y_scale : str
        "linear", "log", or for x "settling": times whose spacing doubles, as those of runs until a network rests.
    legend : str
        "inside" where it covers least, "top" in room left for it over all that is drawn, "beside" or "none".
    square : bool
        Whether x and y have one scale.
    x_ticks, y_ticks : tuple of (float, str), optional
        Which places are named, and how.
    """

    title: str
    marks: Sequence[Mark]
    x: str = "time"
    y: str = "activity"
    width: float = 1.0
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    x_scale: str = "linear"
    y_scale: str = "linear"
    legend: Literal["inside", "top", "beside", "none"] = "inside"
    legend_title: str = ""
    square: bool = False
    x_ticks: tuple[tuple[float, str], ...] | None = None
    y_ticks: tuple[tuple[float, str], ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "marks", tuple(self.marks))

    def replace(self, **changes: Any) -> Panel:
        """Return a copy with some attributes changed."""
        return dataclasses.replace(self, **changes)

    def with_marks(self, *marks: Mark) -> Panel:
        """Return a copy with more in it."""
        return self.replace(marks=(*self.marks, *marks))


@dataclass(frozen=True, eq=False)
class FigureDescription:
    """What a whole figure shows.

    Attributes
    ----------
    title : str
        What one sees.
    below : str
        A line under it: numbers, source.
    rows : tuple of tuples of Panel
        The panels, row by row.
    heights : tuple of float
        How high each row is, 1 being the usual height.
    """

    title: str
    below: str
    rows: Sequence[Sequence[Panel]]
    heights: Sequence[float] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        object.__setattr__(self, "heights", tuple(self.heights) or (1.0,) * len(self.rows))

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in reading order."""
        return tuple(panel for row in self.rows for panel in row)

    def to_dict(self, arrays: dict[str, np.ndarray] | None = None) -> dict[str, Any]:
        """Return plain data for JSON.

        Parameters
        ----------
        arrays : dict, optional
            If given, all arrays are put into it, and the data have their names, ``{"array": "0"}``; otherwise they
            stand in the data as lists, in which what is not finite is None.
        """
        data: dict[str, Any] = _as_data(self, arrays)
        return data


def _as_data(value: Any, arrays: dict[str, np.ndarray] | None) -> Any:
    if isinstance(value, np.ndarray):
        if arrays is None:
            return _finite(value.tolist())
        name = str(len(arrays))
        arrays[name] = value
        return {"array": name}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _as_data(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, (tuple, list)):
        return [_as_data(item, arrays) for item in value]
    return _finite(value.item() if isinstance(value, np.generic) else value)


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
