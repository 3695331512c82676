"""``brnn verify``: every published claim, predicted beside measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn.cli.commands.options import Force

if TYPE_CHECKING:
    from brnn.claims import Comparison
    from brnn.cli.model import Model

__all__ = ["EXAMPLES", "verify"]

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
    from brnn.claims import table
    from brnn.cli.model import find_model
    from brnn.cli.outputs import check_output

    if json is not None:
        check_output(json, "--json", force=force, suffixes=(".json",))
    chosen = [find_model(name) for name in model or models.names()]
    done: list[dict[str, Any]] = []
    failed = rows = 0
    for found in chosen:
        checked = _checked(found)
        comparisons = [row for _, outcome in checked for row in outcome]
        rows += len(comparisons)
        failed += sum(not all(row.passed for row in outcome) for _, outcome in checked)
        done += [_plain(found, claim, outcome) for claim, outcome in checked]
        print(f"{found.name}\n{table(comparisons) if comparisons else '(states no claims)'}\n", flush=True)
    if json is not None:
        _write(json, done)
    verdict = "all hold" if not failed else f"{failed} FAILED"
    print(f"{len(done)} claims of {len(chosen)} models, {rows} comparisons: {verdict}")
    if failed:
        raise typer.Exit(1)


def _checked(found: Model) -> list[tuple[Any, tuple[Comparison, ...]]]:
    """Return each claim of a model with its comparisons; a bar on a terminal shows how far it is."""
    claims: Any = found.claims
    if sys.stderr.isatty():
        from tqdm import tqdm

        claims = tqdm(claims, desc=found.name, unit="claim", leave=False)
    return [(claim, claim.check()) for claim in claims]


def _plain(found: Model, claim: Any, outcome: tuple[Comparison, ...]) -> dict[str, Any]:
    return {
        "model": found.name,
        "claim": claim.title,
        "name": claim.name,
        "source": claim.source,
        "passed": all(row.passed for row in outcome),
        "comparisons": [row.to_dict() for row in outcome],
    }


def _write(path: Path, done: list[dict[str, Any]]) -> None:
    import json

    from brnn.cli.outputs import written_whole

    with written_whole(path) as file:
        json.dump({"claims": done}, file, indent=1, allow_nan=False)
        file.write("\n")
