"""A model's figure as a template: what its marks show of a run, so that a page can draw it for other runs.

The functions that describe figures are Python, and the page has none. But what they draw is mostly what was simulated:
states over time, totals, shares, states at one time. So the figure is described for several runs, with different
values of the parameters, and each array in it is looked for among what can be made of a run's states. What is the same
for all runs stays as it is; what is found is drawn for every run; what is neither (most of what theory says) is drawn
for the values of the beginning alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.explore.alone.numbers import NetworkNumbers
from brnn.figures.description import Curve, FigureDescription, Mark, Panel

__all__ = ["Drawn", "template_of"]

Reference = Any

_COMBINED = 12  # columns of which a curve may be a linear combination
_SAME = 1e-11
_HOWS: dict[str, Any] = {
    "same": lambda x: x,
    "positive": lambda x: np.maximum(x, 0.0),
    "negative": lambda x: np.minimum(x, 0.0),
    "minus": lambda x: -x,
    "exponential": np.exp,
}


@dataclass(frozen=True)
class Drawn:
    """A run, its numbers, and its figure.

    Attributes
    ----------
    result : Result
        The run.
    numbers : Numbers
        Of its network.
    figure : FigureDescription
        Its figure.
    """

    result: Any
    numbers: NetworkNumbers
    figure: FigureDescription


def template_of(runs: Sequence[Drawn]) -> dict[str, Any]:
    """Return the template of the figure of the first run, which the other runs confirm.

    Returns
    -------
    dict
        As of `FigureDescription.to_dict`, with references in the place of what differs between runs: ``{"ref": ...}``,
        as the page's ``evaluate.js`` reads them. Marks of the beginning alone have ``"beginning": True``.
    """
    return _Template(runs).whole()


class _Known:
    """What can be made of the states of a run, by the bytes of the arrays."""

    def __init__(self, run: Drawn) -> None:
        self.numbers = run.numbers
        self.states = {name: np.asarray(run.result[name].values, dtype=np.float64) for name in run.result}
        self.times = {name: np.asarray(run.result[name]["time"].values, dtype=np.float64) for name in run.result}
        self.exact: dict[bytes, Reference] = {}
        self.close: list[tuple[np.ndarray, Reference]] = []
        self.end = max(float(times[-1]) for times in self.times.values())
        for name, values in self.states.items():
            times = self.times[name]
            flat = values.reshape(times.size, -1)
            self.exact.setdefault(times.tobytes(), {"ref": "times", "of": name})
            middles = np.concatenate([times[:1], 0.5 * (times[1:] + times[:-1]), times[-1:]])
            self.exact.setdefault(middles.tobytes(), {"ref": "edges", "of": name})
            self.exact.setdefault(flat.tobytes(), {"ref": "matrix", "of": name, "turned": False})
            self.exact.setdefault(flat.T.tobytes(), {"ref": "matrix", "of": name, "turned": True})
            for how, function in _HOWS.items():
                with np.errstate(all="ignore"):
                    made = function(flat)
                for cell in range(flat.shape[1]):
                    reference = {"ref": "column", "of": name, "cell": cell, "how": how}
                    self.exact.setdefault(np.ascontiguousarray(made[:, cell]).tobytes(), reference)
                if flat.shape[1] > 1:
                    self.close.append((made.sum(axis=1), {"ref": "total", "of": name, "how": how}))
            for part in (0.0, 1.0, *(np.arange(1, times.size - 1) / (times.size - 1))):
                frame = flat[round(part * (times.size - 1))]
                shape = list(values.shape[1:])
                reference = {"ref": "frame", "of": name, "part": float(part), "shape": shape, "shares": False}
                self.exact.setdefault(frame.tobytes(), reference)
                if part in (0.0, 1.0) and frame.sum() != 0.0:
                    self.close.append((frame / frame.sum(), {**reference, "shares": True}))
        slots = run.numbers.slots
        for at, count in [*slots.first.values(), *(place for piece in slots.moving for place in piece.values())]:
            part_of = run.numbers.vector[at : at + count]
            if 1 < count and part_of.any():
                reference = {"ref": "slot", "at": at, "count": count, "shape": [count], "shares": False}
                self.exact.setdefault(part_of.tobytes(), reference)
                if np.isfinite(part_of).all() and part_of.sum() != 0.0:
                    self.close.append((part_of / part_of.sum(), {**reference, "shares": True}))

    def find(self, array: np.ndarray) -> Reference | None:
        """Return what an array is; None if that is not known."""
        flat = np.ascontiguousarray(array, dtype=np.float64)
        found = self.exact.get(flat.tobytes())
        if found is not None:
            return found
        for other, reference in self.close:
            if other.size == flat.size and np.allclose(other, flat.ravel(), rtol=_SAME, atol=1e-300):
                return reference
        return self.combination(flat) if flat.ndim == 1 and flat.size > 2 * _COMBINED else None

    def combination(self, y: np.ndarray) -> Reference | None:
        """Return a curve over time as a linear combination of cells of one variable, or of their shares."""
        if not np.isfinite(y).all():
            return None
        for name, values in self.states.items():
            flat = values.reshape(len(values), -1)
            if flat.shape[0] != y.size or flat.shape[1] > _COMBINED:
                continue
            for how in ("same", "exponential"):
                with np.errstate(all="ignore"):
                    made = _HOWS[how](flat)
                    total = made.sum(axis=1, keepdims=True)
                    kinds = [("column", made)] + ([("share", made / total)] if flat.shape[1] > 1 else [])
                for kind, columns in kinds:
                    if not np.isfinite(columns).all():
                        continue
                    table = np.column_stack([np.ones(y.size), columns]) if kind == "column" else columns
                    factors, *_ = np.linalg.lstsq(table, y, rcond=None)
                    factors[np.abs(factors) < 1e-9 * np.max(np.abs(factors), initial=1e-300)] = 0.0
                    if np.max(np.abs(table @ factors - y)) > 1e-10 * max(np.ptp(y), 1e-300):
                        continue
                    start = float(factors[0]) if kind == "column" else 0.0
                    each = factors[1:] if kind == "column" else factors
                    parts = [
                        [float(factor), {"ref": kind, "of": name, "cell": cell, "how": how}]
                        for cell, factor in enumerate(each)
                        if factor
                    ]
                    if parts:
                        return {"ref": "combination", "start": start, "parts": parts}
        return None

    def number(self, value: float) -> Iterator[Reference]:
        """Yield what a number may be."""
        if value == self.end:
            yield {"ref": "end"}
        for at in np.flatnonzero(self.numbers.vector == value)[:50]:
            yield {"ref": "number", "at": int(at)}


class _Template:
    def __init__(self, runs: Sequence[Drawn]) -> None:
        self.runs = runs
        self.known = [_Known(run) for run in runs]

    def whole(self) -> dict[str, Any]:
        figures = [run.figure for run in self.runs]
        first = figures[0]
        rows = []
        for i, row in enumerate(first.rows):
            panels = []
            for k, panel in enumerate(row):
                others = [self.panel_like(panel, figure, i, k) for figure in figures[1:]]
                panels.append(self.panel(panel, others))
            rows.append(panels)
        return {
            "title": self.text(first.title, [figure.title for figure in figures[1:]]),
            "below": self.text(first.below, [figure.below for figure in figures[1:]]),
            "heights": list(first.heights),
            "rows": rows,
        }

    def panel_like(self, panel: Panel, figure: FigureDescription, row: int, place: int) -> Panel | None:
        """Return the same panel of another figure: by its title, else by its place."""
        for other in figure.panels:
            if other.title == panel.title:
                return other
        if row < len(figure.rows) and place < len(figure.rows[row]) and len(figure.rows[row]) > place:
            return figure.rows[row][place]
        return None

    def panel(self, panel: Panel, others: list[Panel | None]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for field in dataclasses.fields(panel):
            if field.name == "marks":
                continue
            value = getattr(panel, field.name)
            rest = [getattr(other, field.name) for other in others if other is not None]
            if isinstance(value, str):
                made[field.name] = self.text(value, rest)
            elif field.name in ("x_limits", "y_limits") and value is not None:
                ends = [self.number(value[k], [r[k] if r is not None else None for r in rest]) for k in (0, 1)]
                made[field.name] = None if any(end is None for end in ends) else ends
            else:
                made[field.name] = value
        # Of two variables: the way, and where each of them is at rest.
        axes = next((self.plane(mark) for mark in panel.marks if self.plane(mark) is not None), None)
        marks = []
        used: list[set[int]] = [set() for _ in others]
        for place, mark in enumerate(panel.marks):
            like = []
            for other, taken in zip(others, used, strict=True):
                found = None if other is None else self.mark_like(mark, place, other, taken)
                like.append(None if other is None or found is None else other.marks[found])
                if found is not None:
                    taken.add(found)
            marks.append(self.mark(mark, like, axes))
        if axes is not None:
            for name, axis in (("x_limits", 0), ("y_limits", 1)):
                if getattr(panel, name) is not None and made[name] is None:
                    made[name] = {"ref": "room", "of": axes["ways"][axis]}
            for one in marks:
                if "which" in one:
                    which = one.pop("which")
                    plane = {"ref": "nullcline", "places": axes["places"], "which": which,
                             "limits": [{"ref": "room", "of": way} for way in axes["ways"]]}  # fmt: skip
                    one |= {"x": {**plane, "axis": "x"}, "y": {**plane, "axis": "y"}}
        made["marks"] = marks
        return made

    def plane(self, mark: Mark) -> dict[str, Any] | None:
        """Return the two unknowns of a curve that is the way of a run in their plane."""
        if not (isinstance(mark, Curve) and mark.label == "the run"):
            return None
        ways = [self.known[0].find(mark.x), self.known[0].find(mark.y)]
        if any(way is None or way["ref"] != "column" or way["how"] != "same" for way in ways):
            return None
        starts = {f"{v.group}.{v.quantity}": v.start for v in self.runs[0].numbers.variables}
        places = [starts[way["of"]] + way["cell"] for way in ways if way is not None]
        return {"ways": ways, "places": places}

    def mark_like(self, mark: Mark, place: int, panel: Panel, taken: set[int]) -> int | None:
        """Return which mark of another panel is the same one."""

        def fits(other: Mark) -> bool:
            roles = getattr(other, "role", None) == getattr(mark, "role", None)
            return type(other) is type(mark) and roles

        order = [place, *range(len(panel.marks))] if place < len(panel.marks) else range(len(panel.marks))
        label = getattr(mark, "label", "")
        for strict in (True, False):
            for k in order:
                other = panel.marks[k]
                if k not in taken and fits(other) and (not strict or getattr(other, "label", "") == label):
                    return k
        return None

    def mark(self, mark: Mark, like: list[Mark | None], axes: dict[str, Any] | None) -> dict[str, Any]:
        made: dict[str, Any] = {"type": type(mark).__name__, "beginning": False}
        if isinstance(mark, Curve) and mark.label.endswith(" at rest") and axes is not None and mark.marker == "":
            plain = self.mark(dataclasses.replace(mark, label="", x=[0.0, 1.0], y=[0.0, 1.0]), [], None)
            return {**plain, "label": mark.label, "which": (mark.color - 1) % 2, "beginning": False}
        for field in dataclasses.fields(mark):
            value = getattr(mark, field.name)
            rest = [None if other is None else getattr(other, field.name) for other in like]
            if field.type == "Numbers":
                reference = self.array(value, rest)
                made["beginning"] |= reference is None
                made[field.name] = _listed(value) if reference is None else reference
            elif isinstance(value, float):
                found = self.number(value, rest)
                made["beginning"] |= found is None
                made[field.name] = value if found is None else found
            elif isinstance(value, str):
                made[field.name] = self.text(value, [other for other in rest if other is not None])
            elif field.name == "limits" and value is not None:
                ends = [self.number(value[k], [None if r is None else r[k] for r in rest]) for k in (0, 1)]
                made[field.name] = None if any(end is None for end in ends) else ends
            else:
                made[field.name] = value
        return made

    def array(self, value: np.ndarray, rest: list[Any]) -> Reference | None:
        """Return what an array refers to; None if it is known for the beginning alone."""
        found = self.known[0].find(value)
        others = [(known, other) for known, other in zip(self.known[1:], rest, strict=False) if other is not None]
        if found is not None and (found["ref"] != "combination" or _confirmed(found, others)):
            return found
        if others and all(np.array_equal(value, other, equal_nan=True) for _, other in others):
            return _listed(value)
        if value.size == 1 and others:
            return self.single(value, others)
        return None if others else _listed(value)

    def single(self, value: np.ndarray, others: list[tuple[_Known, Any]]) -> Reference | None:
        """Return what an array of one number is: the first or last of a curve, or a number of the network."""
        x = float(value.ravel()[0])
        for number in self.known[0].number(x):
            if all(
                number in list(known.number(float(np.ravel(other)[0]))) for known, other in others if np.size(other)
            ):
                return [number]
        for last in (False, True):
            for data, reference in self.known[0].exact.items():
                if reference["ref"] not in ("column", "times") or np.frombuffer(data)[-1 if last else 0] != x:
                    continue
                if all(_end(known, reference, last) == float(np.ravel(other)[0]) for known, other in others):
                    return {"ref": "one", "of": reference, "last": last}
        for name, values in self.known[0].states.items():
            if values[0].size <= _COMBINED and (found := self.corner(name, x, others)) is not None:
                return found
        return None

    def corner(self, name: str, x: float, others: list[tuple[_Known, Any]]) -> Reference | None:
        """Return the first or last of a combination that another mark shows: looked for among those found before."""
        for reference in self.combinations:
            for last in (False, True):
                known = [self.known[0], *(one for one, _ in others)]
                ends = [_evaluated(one, reference)[-1 if last else 0] for one in known]
                expected = [x, *(float(np.ravel(other)[0]) for _, other in others)]
                if np.allclose(ends, expected, rtol=1e-9, atol=1e-12):
                    return {"ref": "one", "of": reference, "last": last}
        return None

    @property
    def combinations(self) -> list[Reference]:
        """The combinations that the curves of the figure are."""
        found = []
        for panel in self.runs[0].figure.panels:
            for mark in panel.marks:
                if isinstance(mark, Curve):
                    for array in (mark.x, mark.y):
                        reference = self.known[0].find(array)
                        if reference is not None and reference["ref"] == "combination":
                            found.append(reference)
        return found

    def number(self, value: float, rest: list[Any]) -> Reference | None:
        """Return what a number refers to; None if it is known for the beginning alone."""
        others = [(known, other) for known, other in zip(self.known[1:], rest, strict=False) if other is not None]
        if all(value == other for _, other in others):
            return value
        for reference in self.known[0].number(value):
            if all(reference in list(known.number(other)) for known, other in others):
                return reference
        return None

    def text(self, value: str, rest: Sequence[str]) -> Any:
        """Return a text; one that tells of the run is that of the beginning alone."""
        return value if all(value == other for other in rest) else {"ref": "text", "text": value}


def _confirmed(reference: Reference, others: list[tuple[_Known, Any]]) -> bool:
    return all(
        np.allclose(_evaluated(known, reference), other, rtol=1e-8, atol=1e-10)
        for known, other in others
        if np.size(other) == _evaluated(known, reference).size
    )


def _evaluated(known: _Known, reference: Reference) -> np.ndarray:
    """Return the values of a combination in another run."""
    total: Any = reference["start"]
    for factor, part in reference["parts"]:
        values = known.states[part["of"]]
        made = _HOWS[part["how"]](values.reshape(len(values), -1))
        column = made[:, part["cell"]]
        with np.errstate(all="ignore"):
            total = total + factor * (column / made.sum(axis=1) if part["ref"] == "share" else column)
    return np.asarray(total)


def _end(known: _Known, reference: Reference, last: bool) -> float:
    place = -1 if last else 0
    if reference["ref"] == "times":
        return float(known.times[reference["of"]][place])
    values = known.states[reference["of"]][place].ravel()[reference["cell"]]
    return float(_HOWS[reference["how"]](values))


def _listed(value: np.ndarray) -> Reference:
    flat = [None if not np.isfinite(number) else number for number in np.ravel(value).tolist()]
    return {"ref": "array", "values": flat, "shape": list(value.shape)}
