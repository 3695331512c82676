"""``brnn verify``: every published claim, predicted beside measured."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn import models
from brnn.base.paths import check_target, new_text_file
from brnn.base.text import counted, text_table
from brnn.cli.commands.options import Force

if TYPE_CHECKING:
    from brnn.claims import Claim, Comparison
    from brnn.cli.model import Model

    Checked = tuple[Claim, tuple[Comparison, ...]]

__all__ = ["EXAMPLES", "verify"]

_HEADER = ("", "predicted", "measured", "difference", "tolerance", "verdict")
_LABEL_WIDTH = 46

EXAMPLES = (
    "brnn verify",
    "brnn verify rcf ./my_model.py",
    "brnn verify --json claims.json",
    "brnn verify rcf --json -",
)


def verify(
    chosen: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Names of models, or .py files; by default every model that ships."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="MODEL", help="Another one, as MODEL; may be repeated."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Also write the comparisons as JSON; -: to standard output, and no table."
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Check every published claim of the models.

    Each is a row: predicted, measured, verdict. The exit code is 1 if one fails.
    """
    from brnn.cli.model import find_model

    alone = json == Path("-")
    if json is not None and not alone:
        check_target(json, force, option="--json", suffixes=(".json",))
    wanted = [find_model(name) for name in [*(chosen or ()), *(model or ())] or models.names()]
    done: list[dict[str, Any]] = []
    failed = rows = 0
    for found in wanted:
        checked = _checked(found)
        rows += sum(len(outcome) for _, outcome in checked)
        failed += sum(not all(row.passed for row in outcome) for _, outcome in checked)
        done += [_claim_as_json(found, claim, outcome) for claim, outcome in checked]
        if not alone:
            print(f"{found.name}: {counted(len(checked), 'claim')}\n{_in_columns(checked)}", flush=True)
    if json is not None:
        text = dumps({"claims": done}, indent=1, allow_nan=False)
        if alone:
            print(text)
        else:
            with new_text_file(json, force) as file:
                file.write(f"{text}\n")
    verdict = f"{failed} FAILED" if failed else "all hold" if done else "nothing was checked"
    counts = counted(len(done), "claim"), counted(len(wanted), "model"), counted(rows, "comparison")
    if not alone:
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
    lines: list[Sequence[str] | str] = []
    for claim, outcome in checked:
        lines.append(f"{claim.title} [{claim.source}]")
        for row in outcome:
            label, *others = row.cells()
            # What it says about itself beyond the title of its claim, in short lines.
            lines.append((textwrap.fill("" if label == claim.title else label, _LABEL_WIDTH), *others))
            if row.reason:
                lines.append(f"      {row.reason}")
    return text_table(lines, _HEADER, indent="  ") + "\n" if checked else ""


def _claim_as_json(found: Model, claim: Any, outcome: tuple[Comparison, ...]) -> dict[str, Any]:
    return {
        "model": found.name,
        "claim": claim.title,
        "name": claim.name,
        "source": claim.source,
        "passed": all(row.passed for row in outcome),
        "comparisons": [row.to_dict() for row in outcome],
    }
