"""What is written about the code is true of the code: the table of equations, the pages, the docstrings."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def resolved(name: str) -> object:
    """Return what a dotted name leads to; AttributeError or ModuleNotFoundError if that is nothing."""
    return pkgutil.resolve_name(name)


PAGES = ["CONTRIBUTING.md", "README.md", "docs/architecture.md"]
FOLDERS = sorted(file.parent.name for file in (ROOT / "brnn").glob("*/__init__.py"))


def test_every_folder_has_its_paragraph() -> None:
    described = set(re.findall(r"\*\*`brnn/(\w+)/`\*\*", page("docs/architecture.md")))
    assert described == set(FOLDERS)


def test_the_order_on_the_page_is_that_of_the_contract() -> None:
    (contract,) = [
        contract
        for contract in tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
        if contract["id"] == "layers"
    ]
    layers = [set(re.findall(r"\w+", line)) - {"__main__", "_version"} for line in contract["layers"]]
    (shown,) = re.findall(r"^    cli >.*?\n\n", page("docs/architecture.md"), flags=re.MULTILINE | re.DOTALL)
    assert [set(re.findall(r"\w+", part)) for part in shown.split(">")] == [layer for layer in layers if layer]


def missing_paths(text: str) -> list[str]:
    """Return the paths of a page that lead nowhere; in a paragraph on a folder they may begin there."""
    missing = []
    for paragraph in re.split(r"\n\n", text):
        places = [ROOT, *(ROOT / path for path in re.findall(r"\*\*`([\w./]+/)`\*\*", paragraph))]
        for path in re.findall(r"`(\.?[\w-]+(?:/[\w./-]*|\.py))`", paragraph):
            if not any((place / path).exists() for place in places):
                missing.append(path)
    return missing


@pytest.mark.parametrize("name", PAGES)
def test_every_path_of_a_page_exists(name: str) -> None:
    assert missing_paths(page(name)) == []
    assert missing_paths("**`brnn/base/`** has `data.py`, and not `dat.py`.\n\n`brnn/nowhere/`") == [
        "dat.py",
        "brnn/nowhere/",
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_name_of_a_page_exists(name: str) -> None:
    for dotted in re.findall(r"`(brnn(?:\.\w+)+)(?:\([^`]*)?`", page(name)):
        assert resolved(dotted) is not None


def test_every_word_of_the_glossary_leads_to_code() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `([\w.]+)` \|$", page("docs/architecture.md"), flags=re.MULTILINE)
    assert len(rows) > 20
    assert len({word for word, _, _ in rows}) == len(rows)
    for _, _, place in rows:
        assert resolved(place) is not None


def test_the_picture_shows_every_folder_and_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("architecture_picture", ROOT / "docs" / "architecture_picture.py")
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = drawing
    spec.loader.exec_module(drawing)
    assert drawing.PICTURE.read_text(encoding="utf-8") == drawing.draw()
    shown = {name for box in drawing.BOXES for name in (box.name, box.also) if name}
    assert {f"brnn/{folder}" for folder in FOLDERS} <= shown
    assert [name for name in shown if not (ROOT / name).exists()] == []


def anchors(text: str) -> set[str]:
    """Return the anchors that headings make."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "name",
    [
        *("CHANGELOG.md", *PAGES[:2]),
        *(f"docs/{p.name}" for p in PAGE.parent.glob("*.md")),
        *(f"docs/howto/{p.name}" for p in (PAGE.parent / "howto").glob("*.md")),
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page(name)):
        if link.startswith("generated/"):  # a page that the site makes: Sphinx checks those
            continue
        if not link.startswith(("https://", "http://")):
            path, _, anchor = link.partition("#")
            target = (ROOT / name).parent / path if path else ROOT / name
            assert target.exists(), link
            assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link
