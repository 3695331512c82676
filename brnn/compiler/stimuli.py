"""Inputs in the program of a network: the terms that stimuli add to what cells receive, and their time courses."""

from __future__ import annotations

import numpy as np

from brnn.compiler.program import Course, Program
from brnn.compiler.statements import Array, CodeExpression, Comment, ConstantNumber, Index, Time
from brnn.spec.network import Network
from brnn.spec.schedules.along import AlongTrajectory, place_on

__all__ = ["add_stimuli"]

_I = Index("i")
_SHORT = {"excitatory": "I", "inhibitory": "J", "modulatory": "mod"}  # names of input


def add_stimuli(program: Program, network: Network) -> dict[tuple[str, str], list[CodeExpression]]:
    """Add the time courses; return, for each (layer, kind), the terms of its input."""
    terms: dict[tuple[str, str], list[CodeExpression]] = {}
    for index, stimulus in enumerate(network.stimuli):
        if stimulus.schedule.white:
            continue
        key = (stimulus.target, stimulus.kind)
        if key not in terms:
            base = program.array(f"{_SHORT[stimulus.kind]}_{stimulus.target}", None)
            terms[key] = [base[_I]]
            program.inputs[key] = base.name
        if isinstance(stimulus.schedule, AlongTrajectory):
            if not program.explicit:
                terms[key].append(_along(program, index, stimulus.schedule, stimulus.target))
        elif stimulus.schedule.varying:
            course, first = program.course(f"g{index}", stimulus.schedule)
            count = len(program.numbers) - first
            pattern = program.array(f"pattern{index}_{stimulus.target}", None)
            terms[key].append(course * pattern[_I])
            program.courses.append(Course(index, first, pattern.name, count))
    return terms


def _along(program: Program, index: int, schedule: AlongTrajectory, target: str) -> CodeExpression:
    """Add the place of an animal at time t; return what a cell of the target receives there.

    In explicit form, which has loops over cells alone, the input is that of one time (`System.values`).
    """
    owner = f"{index}_{target}"
    first = len(program.numbers)
    trial = [program.number(f"{name}_{owner}", 0.0) for name in ("origin", "cos", "sin")]
    walls = program.named(("low_x", "high_x", "low_y", "high_y"), schedule.walls, owner)
    path = schedule.trajectory
    samples = program.named(("times", "xs", "ys"), (path.t, path.x, path.y), owner)
    place = program.work(f"place{owner}", 2)
    find = program.kernel("place_on", place_on)
    program.add(
        Comment(f"place{owner}: where the animal is"),
        program.call(find, Time("t"), *trial, *walls, *samples, place),
    )
    tuning = schedule.tuning
    kernel = program.kernel(f"tuning_{type(tuning).__name__.lower()}", type(tuning).kernel)
    values = [np.ravel(value) if isinstance(value, np.ndarray) else value for value in tuning.arguments]
    arguments = [
        argument[_I] if isinstance(argument, Array) else argument
        for argument in program.named(kernel.arguments[2:], values, f"tuning{owner}")
    ]
    pattern = program.array(f"pattern{owner}", None)
    program.courses.append(Course(index, first, pattern.name, len(trial)))
    return pattern[_I] * program.call(kernel, place[ConstantNumber("0")], place[ConstantNumber("1")], *arguments)
