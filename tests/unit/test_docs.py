"""What is written about the code is true of the code: the table of equations, and the sections of docstrings."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import brnn

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "equations.md"
ROWS = re.findall(r"^\| (\(.*?) \| .*? \| `(\w+)` \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_equation_has_a_row() -> None:
    numbers: set[int] = set()
    for equations, _, _ in ROWS:
        for first, last in re.findall(r"\((\d+)\)(?:-\((\d+)\))?", equations):
            numbers.update(range(int(first), int(last or first) + 1))
    assert numbers == set(range(1, 43))


def test_every_row_names_a_claim_of_its_model() -> None:
    for _, model, title in ROWS:
        assert title in {claim.title for claim in brnn.models.load(model).CLAIMS}, (model, title)


def test_every_model_stands_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in brnn.models.names() if f"`{name}`" not in text] == []


def docstrings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield ast.get_docstring(node) or ""


def broken_lines(docstring: str) -> list[str]:
    """Lines with a rule that does not stand alone below a title of its length: what a reflow of the text leaves."""
    lines = ["", *docstring.splitlines()]
    ruled = [(title, line) for title, line in itertools.pairwise(lines) if "----" in line]
    return [line for title, line in ruled if line.strip("-") or len(line) != len(title)]


def test_no_reflow_has_broken_a_section_of_a_docstring() -> None:
    # Ruff's rules for docstrings (D) do not see a title that has become part of a paragraph.
    assert broken_lines("Notes\n-----\nText.") == []
    assert broken_lines("Notes ----- text.") == ["Notes ----- text."]
    found = {
        (file.relative_to(ROOT).as_posix(), line)
        for folder in ("brnn", "models", "simulations", "benchmarks")
        for file in (ROOT / folder).rglob("*.py")
        for docstring in docstrings(ast.parse(file.read_text("utf-8")))
        for line in broken_lines(docstring)
    }
    assert found == set()
