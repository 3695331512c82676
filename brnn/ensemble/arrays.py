"""Lay the numbers of networks out for the compiled integrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brnn.base.tracer import Diverges, Varying
from brnn.compiler.generate import generate
from brnn.compiler.lanes import LaneText, lane_text
from brnn.compiler.layout import layout, state_size
from brnn.compiler.program import Equations, Program
from brnn.compiler.sides import Side, with_sides
from brnn.compiler.system import System
from brnn.signals.base import PRODUCT_EXPONENTS
from brnn.spec.breaks import segments
from brnn.spec.network import Network
from brnn.spec.variable import Variable

__all__ = ["LARGEST", "PER_PERIOD", "EnsembleLayout", "Member", "pack", "unfit"]

LARGEST = 1000  # unknowns of one member
PER_PERIOD = 8  # steps, at least, of an input that swings: as many as explicit methods make in single runs


def unfit(network: Network) -> str | None:
    """Return why a network cannot be a member of a compiled ensemble, or None if it can."""
    if network.step is not None:
        return "it runs in discrete time"
    if any(projection.delay > 0.0 for projection in network.projections):
        return "it has delays"
    if network.events:
        return "it has events"
    if network.spiking:
        return "its cells fire"
    if any(schedule.per_cell for schedule in network.schedules):
        return "it has inputs along a trajectory"
    size = state_size(network)
    if size > LARGEST:
        return f"it has {size} unknowns, more than {LARGEST}"
    return None


@dataclass(frozen=True)
class EnsembleLayout:
    """What members that run side by side have in common.

    Attributes
    ----------
    text : LaneText
        The lane function.
    noise : LaneText or None
        That of the strength of white noise, if there is any.
    equations : Equations
        What both are made of.
    constants : tuple of (int, float)
        The numbers that stand in their text, by their places.
    n, whole : ndarray of int64
        Edges of blocks and arrays; the arrays of whole numbers.
    work : int
        Rows of work arrays.
    array_rows, segment_rows : ndarray of int64
        Rows of the lane function's numbers that take a member's constant arrays, and what changes at break points.
    varying : bool
        Whether a stimulus changes between break points.
    sides : ndarray of int64, shape (cells, 6)
        For each cell whose signal jumps (`brnn.compiler.sides`): its unknown; among the numbers the rows of the jumps
        below and above it, and of when it jumped last; the row of the first of its jumps, and how many there are.
    variables : tuple of Variable
        The blocks of the state.
    """

    text: LaneText
    noise: LaneText | None
    equations: Equations
    constants: tuple[tuple[int, float], ...]
    n: np.ndarray
    whole: np.ndarray
    work: int
    array_rows: np.ndarray
    segment_rows: np.ndarray
    varying: bool
    sides: np.ndarray
    variables: tuple[Variable, ...]

    @property
    def rows(self) -> int:
        """How many rows of numbers the lane function has."""
        values = len(self.equations.blocks) + 1 + len(self.equations.names("values"))
        return int(self.n[values])

    @property
    def key(self) -> tuple[Any, ...]:
        """What is equal for members that can run side by side."""
        noise = "" if self.noise is None else self.noise.source
        return (self.text.source, noise, self.n.tobytes(), self.whole.tobytes(), self.segment_rows.tobytes())


@dataclass(frozen=True)
class Member:
    """The numbers of one network.

    Attributes
    ----------
    layout : EnsembleLayout
        Where they go.
    initial : ndarray, shape (size,)
        State at time 0.
    numbers : ndarray
        Its numbers.
    arrays : tuple of ndarray
        Its constant arrays.
    stops : ndarray, shape (segments,)
        Where the segments between break points end.
    segments : ndarray, shape (segments, values)
        What changes from one to the next.
    settled : float
        The time after which no stimulus changes any more.
    longest : float
        No step is longer.
    columns : dict of int to ndarray
        If this stands for many members that differ only in numbers: place in `numbers` -> the values.
    """

    layout: EnsembleLayout
    initial: np.ndarray
    numbers: np.ndarray
    arrays: tuple[np.ndarray, ...]
    stops: np.ndarray
    segments: np.ndarray
    settled: float
    longest: float
    columns: Mapping[int, np.ndarray] = field(default_factory=dict)


def pack(network: Network, duration: float, initial: np.ndarray | None = None) -> Member:
    """Return the numbers of a network that `unfit` has nothing against."""
    variables = layout(network, bounded=False)
    program, sides = with_sides(generate(network, variables, explicit=True), lanes=True)
    columns = _columns(program)
    system = System(network, variables, program)
    pieces = segments(network, duration)
    values = [system.values(0.5 * (start + stop)) for start, stop in pieces]
    numbers, arrays = values[0]
    changing = set(program.inputs.values()) | {c.pattern for c in program.courses if c.pattern}
    equations = program.equations
    floats, work, wholes = (equations.names(kind) for kind in ("values", "work", "whole"))
    constants = tuple((k, float(numbers[k])) for k in sorted(program.exponents) if numbers[k] in PRODUCT_EXPONENTS)
    text = lane_text(equations, constants)
    noise = None
    if program.diffusion:
        # Of the same numbers, in the same places.
        strength = replace(
            equations, source=f"{equations.source}\n# strength of white noise", statements=tuple(program.diffusion)
        )
        noise = lane_text(strength, constants)
    edges = [0, *(variable.stop for variable in variables)]
    at = numbers.size
    n: list[int] = list(edges)
    array_rows, segment_rows = [np.zeros(0, np.int64)], [_course_rows(program.courses)]
    rows_of = {}
    for name in floats:
        n.append(at)
        rows_of[name] = at
        (segment_rows if name in changing else array_rows).append(np.arange(at, at + arrays[name].size))
        at += arrays[name].size
    n.append(at)
    n += _edges([arrays[name] for name in work])
    n += _edges([arrays[name] for name in wholes])
    whole = np.concatenate([np.zeros(0, np.int64), *(arrays[name].ravel() for name in wholes)])
    rows = np.concatenate(segment_rows)
    order = [name for name in floats if name in changing]
    table = np.array(
        [np.concatenate([p[segment_rows[0]], *(a[name].ravel() for name in order)]) for p, a in values]
    ).reshape(len(pieces), rows.size)
    return Member(
        EnsembleLayout(
            text,
            noise,
            equations,
            constants,
            np.array(n, dtype=np.int64),
            whole.astype(np.int64),
            sum(arrays[name].size for name in work),
            np.concatenate(array_rows).astype(np.int64),
            rows.astype(np.int64),
            any(schedule.varying for schedule in network.schedules),
            _sides(sides, variables, rows_of),
            variables,
        ),
        system.initial_state() if initial is None else initial,
        numbers,
        tuple(arrays[name].ravel() for name in floats if name not in changing),
        np.array([stop for _, stop in pieces]),
        table,
        network.settled(),
        network.period() / PER_PERIOD,
        columns,
    )


def _sides(sides: Sequence[Side], variables: Sequence[Variable], rows: Mapping[str, int]) -> np.ndarray:
    """Return the table of the cells whose signals jump (`EnsembleLayout.sides`)."""
    first = {variable.name: (variable.start, variable.size) for variable in variables}
    found = [np.zeros((0, 6), np.int64)]
    for side in sides:
        start, size = first[f"{side.layer}.x"]
        own = [rows[side.low], rows[side.high], rows[side.last]]
        table = np.empty((size, 6), np.int64)
        table[:, :4] = np.arange(size)[:, None] + [start, *own]
        table[:, 4:] = rows[side.places], len(side.jumps)
        found.append(table)
    return np.concatenate(found)


def _columns(program: Program) -> dict[int, np.ndarray]:
    """Take Varying numbers out of a program; the first of their values stays in their place.

    Raises Diverges if members differ in an exponent and some would have it as a product, which is other code.
    """
    found = {k: value.values for k, value in enumerate(program.numbers) if isinstance(value, Varying)}
    if not found:
        return found
    for k, values in found.items():
        if k in program.exponents and np.isin(values, PRODUCT_EXPONENTS).any():
            raise Diverges
        program.numbers[k] = float(values[0])
    return found


def _course_rows(courses: Sequence[Any]) -> np.ndarray:
    """Return the places of the numbers that break points change."""
    rows: list[int] = []
    for course in courses:
        rows += range(course.first, course.first + course.parameters)
        rows += [place for place in (course.base, course.varying) if place is not None]
    return np.array(rows, dtype=np.int64)


def _edges(arrays: Sequence[np.ndarray]) -> list[int]:
    """Return where each array begins, and where the last one ends."""
    return [0, *np.cumsum([array.size for array in arrays], dtype=np.int64).tolist()]
