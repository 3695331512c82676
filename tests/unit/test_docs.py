"""The table of equations names models and claims that exist, and every equation from (1) to (42)."""

from __future__ import annotations

import re
from pathlib import Path

import brnn

PAGE = Path(__file__).parents[2] / "docs" / "equations.md"
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
