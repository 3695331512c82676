"""Loops over cells as functions of their own, for the steps in bands of rows (`brnn.compiler.bands`).

Loops that follow each other are one: what a cell's law leaves is in registers when its signals are computed. Their
arrays, which share no memory, are arguments of functions that are compiled knowing it; loops that differ in the names
of arrays and numbers alone, as those of one layer at several scales, are the same function.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from brnn.compiler.statements import Assign, Local, Loop, Printer

__all__ = ["CellLoops"]

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*\b(?!\()")  # of an array or a number, not of a function


class CellLoops:
    """The functions of a module that go through cells."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    @property
    def texts(self) -> list[str]:
        """Their texts."""
        head = "@compiled_once(pipeline_class=NoAlias, **options)\ndef"
        return [f"\n{head} {name}({text}\n" for text, name in self._names.items()]

    def call(self, loops: Sequence[Loop], arrays: Collection[str], count: str) -> str:
        """Return the call that does what loops over as many cells do one after the other.

        Parameters
        ----------
        loops : sequence of Loop
            They read and write elements of the cell of the loop alone.
        arrays : collection of str
            Their arrays; the rows that are meant have the same names with ``_b`` behind.
        count : str
            The number of cells.
        """
        body = [statement for loop in loops for statement in loop.body]
        own = {s.target.name for s in body if isinstance(s, Assign) and isinstance(s.target, Local)}
        lines = "\n".join(Printer().lines(body, 2))
        given = [name for name in dict.fromkeys(_NAME.findall(lines)) if name not in own and name not in ("i", "np")]
        short = {name: f"{'a' if name in arrays else 'p'}{k}" for k, name in enumerate(given)}
        text = _NAME.sub(lambda found: short.get(found.group(), found.group()), lines)
        text = f"count, {', '.join(short.values())}):\n    for i in range(count):\n{text}"
        name = self._names.setdefault(text, f"cells_{len(self._names)}")
        return f"{name}({count}, {', '.join(f'{n}_b' if n in arrays else n for n in given)})"
