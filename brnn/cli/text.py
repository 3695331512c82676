"""Text for the terminal: tables, and signals in words."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from brnn.base.text import text_table

__all__ = ["columns", "signal_in_words"]


def signal_in_words(signal: Any, *, short: bool = False) -> str:
    """Return a signal (or any value), with a word on what it is below 0 if its formula says something else."""
    from brnn.base.words import value_in_words
    from brnn.signals.expression import Expression

    words = value_in_words(signal)
    if isinstance(signal, Expression) and signal.cut:
        words += ", 0 for w < 0" if short else f", which is 0 for w < 0 (function({signal.text}) is not cut there)"
    return words


def columns(
    rows: Sequence[Sequence[str]], header: Sequence[str] = (), indent: str = "", width: int | None = None
) -> str:
    """Return rows of texts in aligned columns; the last column is wrapped to the width of the terminal."""
    total = width or max(60, min(shutil.get_terminal_size((100, 24)).columns, 120))
    return text_table(rows, header, indent=indent, width=total)
