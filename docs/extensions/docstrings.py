"""Docstrings of models, which are plain text with indented formulas, as Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

_CODE = re.compile(r"(`[^`]*`)")
_SPECIAL = re.compile(r"([\\*_<>\[\]|])")
_ITEM = re.compile(r"^(- |\(?[a-z0-9]{1,2}[).] )")


def title_and_text(docstring: str) -> tuple[str, str]:
    """Return the first line without its full stop, and the rest as Markdown."""
    first, _, rest = docstring.strip().partition("\n")
    return first.rstrip("."), markdown(rest)


def markdown(text: str) -> str:
    """Return plain text as Markdown: what is indented stays as it is laid out, the rest flows."""
    return "\n\n".join(_blocks(textwrap.dedent(text.strip("\n"))))


def escaped(text: str) -> str:
    """Return `text` with what Markdown would take as a mark, outside of code between backticks, made plain."""
    parts = _CODE.split(text)
    return "".join(part if number % 2 else _SPECIAL.sub(r"\\\1", part) for number, part in enumerate(parts))


def _blocks(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.splitlines()
        if not lines:
            continue
        if all(line.startswith("    ") for line in lines):
            yield "```text\n" + textwrap.dedent(paragraph) + "\n```"
        elif _ITEM.match(lines[0]):
            yield "\n".join(_items(lines))
        else:
            yield "\n".join(escaped(line.strip()) for line in lines)


def _items(lines: list[str]) -> Iterator[str]:
    for line in lines:
        stripped = line.strip()
        if mark := _ITEM.match(line):
            yield "- " + escaped(line[mark.end() :] if mark.group(1) == "- " else stripped)
        else:
            yield "  " + escaped(stripped)
