"""``brnn verify``: every published claim, predicted beside measured."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn.cli.commands.options import Force

if TYPE_CHECKING:
    from brnn.claims import Claim, Comparison
    from brnn.cli.model import Model

    Checked = tuple[Claim, tuple[Comparison, ...]]

__all__ = ["EXAMPLES", "verify"]

_HEADER = ("predicted", "measured", "difference", "tolerance", "verdict")
_LABEL_WIDTH = 46

EXAMPLES = ("brnn verify", "brnn verify --model rcf", "brnn verify --json claims.json")


def verify(
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="MODEL", help="Only this model (a name or a .py file); may be repeated."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the comparisons as JSON.")
    ] = None,
    force: Force = False,
) -> None:
    """Check every published claim of the models.

    Each is a row: predicted, measured, verdict. The exit code is 1 if one fails.
    """
    from brnn import models
    from brnn.base.paths import check_target
    from brnn.cli.model import find_model

    if json is not None:
        check_target(json, force, option="--json", suffixes=(".json",))
    chosen = [find_model(name) for name in model or models.names()]
    done: list[dict[str, Any]] = []
    failed = rows = 0
    for found in chosen:
        checked = _checked(found)
        rows += sum(len(outcome) for _, outcome in checked)
        failed += sum(not all(row.passed for row in outcome) for _, outcome in checked)
        done += [_plain(found, claim, outcome) for claim, outcome in checked]
        print(f"{found.name}: {_count(len(checked), 'claim')}\n{_in_columns(checked)}", flush=True)
    if json is not None:
        _write(json, force, done)
    verdict = f"{failed} FAILED" if failed else "all hold" if done else "nothing was checked"
    counts = _count(len(done), "claim"), _count(len(chosen), "model"), _count(rows, "comparison")
    print("{} of {}, {}: {}".format(*counts, verdict))
    if failed:
        raise typer.Exit(1)


def _checked(found: Model) -> list[Checked]:
    """Return each claim of a model with its comparisons; a bar on a terminal shows how far it is."""
    claims: Any = found.claims
    if sys.stderr.isatty():
        from tqdm import tqdm

        claims = tqdm(claims, desc=found.name, unit="claim", leave=False)
    return [(claim, claim.check()) for claim in claims]


def _in_columns(checked: list[Checked]) -> str:
    """Return the comparisons of a model as a table in which each claim, with its source, stands above its rows."""
    cells = [[row.cells() for row in outcome] for _, outcome in checked]
    labels = [[_label(row, claim) for row in outcome] for claim, outcome in checked]
    widths = [max([len(name), *(len(cell[k]) for rows in cells for cell in rows)]) for k, name in enumerate(_HEADER, 1)]
    left = max([0, *(len(part) for rows in labels for label in rows for part in label)])

    def line(label: str, parts: Sequence[str]) -> str:
        texts = [f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)]
        return "  ".join([f"  {label:<{left}}", *texts]).rstrip() + "\n"

    text = line("", _HEADER) if checked else ""
    for (claim, outcome), rows, names in zip(checked, cells, labels, strict=True):
        text += f"{claim.title} [{claim.source}]\n"
        for row, cell, (first, *more) in zip(outcome, rows, names, strict=True):
            text += line(first, cell[1:]) + "".join(f"  {part}\n" for part in more)
            text += f"      {row.reason}\n" if row.reason else ""
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _label(row: Comparison, claim: Claim) -> list[str]:
    """Return what a row says about itself beyond the title of its claim, in short lines."""
    return textwrap.wrap("" if row.label == claim.title else row.label, _LABEL_WIDTH) or [""]


def _plain(found: Model, claim: Any, outcome: tuple[Comparison, ...]) -> dict[str, Any]:
    return {
        "model": found.name,
        "claim": claim.title,
        "name": claim.name,
        "source": claim.source,
        "passed": all(row.passed for row in outcome),
        "comparisons": [row.to_dict() for row in outcome],
    }


def _write(path: Path, force: bool, done: list[dict[str, Any]]) -> None:
    import json

    from brnn.base.paths import new_text_file

    with new_text_file(path, force) as file:
        json.dump({"claims": done}, file, indent=1, allow_nan=False)
        file.write("\n")
