"""What docstrings say: the parameters of a function, the publication that a model names, the first lines of a file."""

from __future__ import annotations

import ast
import inspect
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Described", "described_parameters", "docstring_of", "reference_of"]

_UNIT = re.compile(r"\s*\((1|(?:1/)?(?:time|m?s|m?V|[npu]?F|[npum]?S|[npum]?A|Hz))\)")


@dataclass(frozen=True)
class Described:
    """One entry of the section Parameters of a NumPy docstring."""

    name: str
    allowed: str
    unit: str
    meaning: str


def described_parameters(docstring: str | None) -> dict[str, Described]:
    """Return the entries of the section Parameters of a NumPy docstring, by name, in order."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    starts = [k for k in range(len(lines) - 1) if lines[k] == "Parameters" and set(lines[k + 1]) == {"-"}]
    result: dict[str, Described] = {}
    if not starts:
        return result
    names: list[str] = []
    for k in range(starts[0] + 2, len(lines)):
        line = lines[k]
        if k + 1 < len(lines) and line and set(lines[k + 1]) == {"-"}:
            break
        if line and not line[0].isspace():
            left, _, right = line.partition(" : ")
            names = [name.strip() for name in left.split(",")]
            for name in names:
                result[name] = Described(name, right.strip(), "", "")
        elif line.strip():
            for name in names:
                old = result[name]
                result[name] = Described(name, old.allowed, "", f"{old.meaning} {line.strip()}".strip())
    return {name: _with_unit(entry) for name, entry in result.items()}


def _with_unit(entry: Described) -> Described:
    found = _UNIT.search(entry.meaning)
    if found is None:
        return entry
    meaning = entry.meaning[: found.start()] + entry.meaning[found.end() :]
    return Described(entry.name, entry.allowed, found.group(1), meaning)


def docstring_of(path: Path) -> str:
    """Return the docstring of a Python file, of which no more is read and nothing is run."""
    with path.open(encoding="utf-8") as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.STRING:
                return inspect.cleandoc(ast.literal_eval(token.string))
            if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING):
                break
    return ""


def reference_of(docstring: str) -> str:
    """Return the first publication that the paragraph "Source:" of a docstring names, as "Author (year)".

    Of more than two authors the first is named.
    """
    source = re.search(r"^Sources?:\s*(.+?)(?:\n\s*\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    text = " ".join(source.group(1).split()) if source else ""
    named = re.match(r"([^();]*) (\(\d{4}[a-z]?\))", text)
    if named is None:
        return text[:40]
    first, *others = named.group(1).split(", ")
    return f"{first} et al. {named.group(2)}" if others else named.group(0)
