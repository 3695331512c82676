"""Texts for messages and for the terminal: shortened, counted, set in columns, and what was probably meant."""

from __future__ import annotations

import difflib
import itertools
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["bytes_in_words", "closest", "count_in", "counted", "one_line", "short_repr", "shortened", "text_table"]

_LONGEST = 60  # characters that a message shows of what a user wrote
_NARROWEST = 30  # characters that the last column of a table has, in however narrow a terminal


def shortened(text: str, length: int = _LONGEST) -> str:
    """Return a text in one line of `length` characters at most."""
    lines = text.splitlines()
    if lines != [text]:
        text = " ".join(filter(None, (line.strip() for line in lines)))
    return text if len(text) <= length else text[: length - 3] + "..."


def one_line(text: object) -> str:
    """Return a text, or the message of an error, in one line."""
    return " ".join(str(text).split())


def short_repr(value: object, length: int = _LONGEST) -> str:
    """Return a value as Python writes it, in one line of `length` characters at most."""
    try:
        return shortened(repr(value), length)
    except ValueError:  # Python writes no number of more than 4300 digits
        return f"a value of type {type(value).__name__} that cannot be written"


def closest(value: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"``, or nothing if no name is near, and none alone begins with the value."""
    names = list(allowed)
    near = difflib.get_close_matches(value, names, n=1)
    if not near and len(value) > 1:
        begun = [name for name in names if name.lower().startswith(value.lower())]
        near = begun if len(begun) == 1 else []
    return f"; did you mean '{near[0]}'?" if near else ""


def count_in(text: str) -> int | None:
    """Return the whole number >= 0 that a text is, or None.

    `str.isdigit` is no test of it: it holds for superscripts, which `int` does not read, and for more digits than `int`
    reads.
    """
    return int(text) if re.fullmatch("[0-9]{1,300}", text) else None


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number of things: "1 cell", "3 cells", "10,000 members"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def bytes_in_words(size: float) -> str:
    """Return a number of bytes as text: "3.2 GB"."""
    size = min(size, 1e300)  # a whole number may be larger than any float
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def text_table(
    rows: Iterable[Sequence[str] | str],
    header: Sequence[str] = (),
    *,
    indent: str = "",
    rule: bool = False,
    right: bool = False,
    width: int | None = None,
) -> str:
    """Return rows of texts in aligned columns, two blanks apart.

    Parameters
    ----------
    rows : iterable of sequence of str, or of str
        A row has one text for each column, which may have several lines. What is one text instead of a row stands
        across all columns, as it is.
    header : sequence of str
        The first row, each text one line.
    indent : str
        Stands before each line of a row.
    rule : bool
        Whether dashes stand below the header.
    right : bool
        Whether all columns but the first are set to the right.
    width : int, optional
        The last column is wrapped so that no line is longer, as far as it can be.
    """
    table = [*([header] if header else []), *rows]
    cells = [[text.splitlines() or [""] for text in row] for row in table if not isinstance(row, str)]
    if not cells:
        return "\n".join(map(str, table))
    widths = [max(len(line) for row in cells for line in row[k]) for k in range(len(cells[0]))]
    if width is not None:
        room = max(width - len(indent) - sum(widths[:-1]) - 2 * (len(widths) - 1), _NARROWEST)
        for row in cells:
            row[-1] = textwrap.wrap(" ".join(row[-1]), room, break_long_words=False, break_on_hyphens=False) or [""]

    signs = ["<", *(">" if right else "<") * (len(widths) - 1)]

    def lines(row: list[list[str]]) -> Iterator[str]:
        for texts in itertools.zip_longest(*row, fillvalue=""):
            parts = (f"{text:{sign}{wide}}" for text, sign, wide in zip(texts, signs, widths, strict=True))
            yield (indent + "  ".join(parts)).rstrip()

    columns = iter(cells)
    out = [line for row in table for line in ([row] if isinstance(row, str) else lines(next(columns)))]
    if header and rule:
        out.insert(1, indent + "  ".join("-" * wide for wide in widths))
    return "\n".join(out)
