"""``brnn theory``: what mathematics predicts for a network, without simulating it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from brnn.cli.commands.options import AsJson, ModelName, Settings
from brnn.cli.text import columns

if TYPE_CHECKING:
    from brnn.theory.predictions.base import Prediction, Unmet

__all__ = ["EXAMPLES", "theory"]

EXAMPLES = (
    "brnn theory rcf",
    "brnn theory rcf --set 'signal=w**2' --set initial=0.2,0.9,0.4",
    "brnn theory feedforward_shunting --set D=0.1",
    "brnn theory rcf --json",
)


def theory(
    model: ModelName,
    settings: Settings = None,
    source: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="Input pattern, as for `brnn run`.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Say what mathematics predicts for a model.

    Regime, equilibria and their stability, thresholds, and the final pattern where theory determines it.

    Every theorem looks at the structure of the network. Those that say nothing of it are listed with the first of
    their conditions that it does not meet.
    """
    from brnn.cli.model import find_model
    from brnn.theory import predict

    found = find_model(model)
    pattern = None
    if source is not None:
        from brnn.files.patterns import read_pattern

        pattern = read_pattern(source)
    predictions = predict(found.build(settings or (), pattern, source or ""))
    if json:
        from brnn.cli.as_json import print_json

        print_json({"network": predictions.network, "predictions": list(predictions), "unmet": predictions.unmet})
        return
    rows = [row for outcome in predictions.outcomes for row in _rows(outcome)]
    if rows:
        print(columns(rows) + "\n")
    print("What says nothing of this network, and what it would need:")
    print("\n".join(f"  {unmet.theorem}: {unmet.hypothesis}" for unmet in predictions.unmet))


def _rows(outcome: Prediction | Unmet) -> list[tuple[str, str]]:
    """Return the lines of a prediction, and of what an initial state would make predictable."""
    from brnn.theory.predictions.base import Unmet
    from brnn.theory.predictions.competitive_field import NO_INPUTS

    if not isinstance(outcome, Unmet):
        first, *others = outcome.words.splitlines()
        return [(outcome.quantity, first), *(("", line) for line in others)]
    if outcome.hypothesis == NO_INPUTS:
        return [("stored", "the theorems need a field without inputs: --set initial=0.2,0.9,0.4 gives it a state")]
    return []
