"""``brnn theory``: what mathematics predicts for a network, without simulating it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brnn.base.paths import check_target
from brnn.base.words import pattern_in_words
from brnn.cli.commands.options import AsJson, Force, ModelName, OwnClasses, Settings
from brnn.cli.text import columns
from brnn.errors import InputError

if TYPE_CHECKING:
    from brnn.dynamics.jump_graph import JumpGraph
    from brnn.spec.network import Network
    from brnn.theory.predictions.base import Prediction, Predictions, Unmet

__all__ = ["EXAMPLES", "theory"]

EXAMPLES = (
    "brnn theory rcf",
    "brnn theory rcf --set 'signal=w**2' --set initial=0.2,0.9,0.4",
    "brnn theory feedforward_shunting --set D=0.1",
    "brnn theory may_leonard --set logarithmic=false --plot theory.png",
    "brnn theory rcf --json",
)

_SEARCHED = 12  # unknowns of a network whose equilibria are searched
_COMPETING = 24  # cells of a competitive system whose jumps are looked at
_INTERVALS = 4  # of time, for which a quantity is listed
_LISTED = 20  # kinds of equilibria, at most
_NOTHING = 1e-12  # of the largest value of a state: printed as 0


def theory(
    model: ModelName,
    settings: Settings = None,
    own: OwnClasses = None,
    source: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="Input pattern, as for `brnn run`.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw hill function, phase plane, V and jumps (.png, .pdf, ...)."),
    ] = None,
    force: Force = False,
    json: AsJson = False,
) -> None:
    """Say what mathematics predicts for a model.

    Regime, equilibria and their stability, thresholds, and the final pattern where theory determines it.

    Every theorem looks at the structure of the network. Those that say nothing of it are listed with the first of
    their conditions that it does not meet.
    """
    from brnn.cli.model import find_model
    from brnn.theory import predict

    if plot is not None:
        from brnn.plot import SUFFIXES

        check_target(plot, force, option="--plot", suffixes=SUFFIXES)
    found = find_model(model, own)
    pattern = None
    if source is not None:
        pattern = found.input_of(source, settings=settings or ())
    network = found.build(settings or (), pattern, source or "")
    predictions = predict(network)
    if plot is not None:
        from brnn.plot import save, theory_figure

        save(theory_figure(network), plot, force=force)
    if json:
        from brnn.cli.as_json import print_json

        said = {"network": predictions.network, "predictions": list(predictions), "unmet": predictions.unmet}
        graph = _jumps(network)
        print_json(said | ({} if graph is None else {"jumps": graph, "verdict": graph.verdict}))
        return
    rows = list(_few(predictions))
    if (graph := _jumps(network)) is not None:
        first, *others = graph.words.splitlines()
        rows += [("jumps of the winner", first), *(("", line) for line in others)]
    if rows:
        print(columns(rows) + "\n")
    if searched := _searched(network, predictions):
        print(columns(searched) + "\n")
    print("What says nothing of this network, and what it would need:")
    print("\n".join(f"  {unmet.theorem}: {unmet.hypothesis}" for unmet in predictions.unmet))


def _jumps(network: Network) -> JumpGraph | None:
    """Return which cell of a competitive system takes over from which; None if the network is none, or a large one."""
    from brnn.dynamics.jump_graph import jump_graph

    if sum(network.states.values()) > _COMPETING:
        return None
    try:
        return jump_graph(network)
    except InputError:
        return None


def _searched(network: Network, predictions: Predictions) -> list[tuple[str, str]]:
    """Return the equilibria that a search finds of a small network of whose rests and equilibria no theorem speaks."""
    import numpy as np

    from brnn.dynamics.equilibria import equilibria

    said = [p.quantity for p in predictions if not p.quantity.startswith(("bounds of", "least lead"))]
    if any(quantity.endswith((".x", "rest", "stored", "abundances", "equilibria")) for quantity in said):
        return []
    if sum(network.states.values()) > _SEARCHED:
        return []
    try:
        found = equilibria(network, starts=30)
    except InputError as error:
        return [("equilibria", f"none searched: {str(error).removeprefix('equilibria: ')}")]
    alike: dict[tuple[str, ...], list[str]] = {}  # the same values, at other cells
    for equilibrium, kind in zip(found, found.kinds, strict=True):
        state = np.where(
            np.abs(equilibrium.state) < _NOTHING * np.max(np.abs(equilibrium.state)), 0.0, equilibrium.state
        )
        named = f"{kind}, growth rate {equilibrium.growth_rate:.5g}"
        alike.setdefault((named, *sorted(f"{x:.5g}" for x in state)), []).append(pattern_in_words(state))
    rows = [
        (
            "equilibrium",
            f"{key[0]}: {states[0]}" + (f" (and {len(states) - 1} more: other cells)" if states[1:] else ""),
        )
        for key, states in alike.items()
    ]
    if len(rows) > _LISTED:
        rows = [*rows[:_LISTED], ("", f"... and {len(rows) - _LISTED} more kinds: brnn.equilibria lists them")]
    return [*(rows or [("equilibria", "none found")]), ("", found.how)]


def _few(predictions: Predictions) -> Iterator[tuple[str, str]]:
    """Yield the lines of all predictions; of what is said of many intervals of time, those of the first ones."""
    from brnn.theory.predictions.base import Prediction

    count: Counter[str] = Counter()
    total = Counter(p.quantity for p in predictions if p.during is not None)
    for outcome in predictions.outcomes:
        if isinstance(outcome, Prediction) and outcome.during is not None and total[outcome.quantity] > _INTERVALS + 1:
            count[outcome.quantity] += 1
            if count[outcome.quantity] == _INTERVALS + 1:
                left = total[outcome.quantity] - _INTERVALS
                yield outcome.quantity, f"... and of {left} more intervals of time: --json has them all"
            if count[outcome.quantity] > _INTERVALS:
                continue
        yield from _rows(outcome)


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
