"""``brnn models`` and ``brnn show``: which networks there are, and what one of them is."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn import models as package
from brnn.base.words import value_in_words
from brnn.cli.commands.options import ModelName, Settings
from brnn.cli.text import columns, described_parameters, docstring_of, reference_of

if TYPE_CHECKING:
    from brnn.cli.model import Model
    from brnn.spec.events.protocol import Protocol
    from brnn.spec.network import Network

__all__ = ["MODELS_EXAMPLES", "SHOW_EXAMPLES", "models", "network_in_words", "show"]

MODELS_EXAMPLES = ("brnn models",)
SHOW_EXAMPLES = (
    "brnn show rcf",
    "brnn show rcf --set n=100 --set signal=saturating --code",
    "brnn show rcf --json > rcf.json && brnn run rcf.json -o run.h5",
    "brnn show my_network.py",
)


def models() -> None:
    """List the models."""
    rows = []
    for name in package.names():
        # Read, not imported: a list of names should not wait for NumPy.
        docstring = docstring_of(Path(package.__path__[0]) / f"{name}.py")
        rows.append((name, reference_of(docstring), docstring.partition("\n")[0].rstrip(".")))
    print(columns(rows, ("model", "reference", "what it is")))


def show(
    model: ModelName,
    settings: Settings = None,
    code: Annotated[bool, typer.Option("--code", help="Print the generated right-hand side only.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the network as JSON only; `brnn run` takes it.")] = False,
) -> None:
    """Show a model: equations, parameters, claims.

    With --set the network has these values; --code and --json print what the program makes of it.
    """
    from brnn.cli.model import find_model

    found = find_model(model)
    network = found.build(settings or ())
    if json:
        print(network.to_json(indent=1))
    elif code:
        from brnn.compiler import compile_network

        print(compile_network(network).source, end="")
    else:
        _describe(found, network, settings or [])


def _describe(found: Model, network: Network, settings: list[str]) -> None:
    if found.module is not None:
        docstring = inspect.getdoc(found.module) or "(no description)"
        title, _, body = docstring.partition("\n")
        print(f"{found.name}: {title}\n" + (f"{body.rstrip()}\n" if body.strip() else ""))
        print(f"Parameters (--set NAME=VALUE)\n{_parameters(found.module.build, settings, found.name)}\n")
    print(f"Network {network.name}\n{network_in_words(network)}")
    if found.claims:
        rows = [(claim.title, claim.source) for claim in found.claims]
        print(f"\nClaims (brnn verify --model {found.path or found.name})")
        for title, source in rows:
            print(columns([("-", f"{title} [{source}]")], indent="  "))
    file = found.path or (found.module.__file__ if found.module is not None else None)
    print(f"\nSource file: {file}")


def _parameters(build: Any, settings: list[str], model: str) -> str:
    from brnn.cli.settings import parameters_of, parse_settings

    described = described_parameters(build.__doc__)
    given = parse_settings(settings, build, model)
    rows = []
    for name, parameter in parameters_of(build).items():
        entry = described.get(name)
        value = given.get(name, parameter.default)
        text = "(needed)" if value is inspect.Parameter.empty else value_in_words(value)
        if name in given:
            text += " (set)"
        rows.append(
            (name, text, entry.allowed if entry else "", entry.unit if entry else "", entry.meaning if entry else "")
        )
    return columns(rows, ("name", "value" if settings else "default", "allowed", "unit", "meaning"), indent="  ")


def network_in_words(network: Network) -> str:
    """Return the layers, projections, stimuli and events of a network, a line for each, and its protocol as a table."""
    from brnn.spec.events.protocol import PhaseStimulus

    rows = []
    for layer in network.layers:
        size = " x ".join(map(str, layer.shape))
        numbers = ", ".join(f"{name} = {value_in_words(getattr(layer, name))}" for name in layer.parameters)
        rows.append(("layer", f"{layer.name}: {type(layer).__name__}, {size} cells, {numbers}"))
    for link in network.projections:
        rows.append(
            ("projection", f"{link.name}: {link.source} -> {link.target}, {link.kind}, {type(link.topology).__name__}, "
             f"f(w) = {value_in_words(link.signal)}")
        )  # fmt: skip
    for stimulus in network.stimuli:
        if isinstance(stimulus, PhaseStimulus):
            continue
        rows.append(("stimulus", f"to {stimulus.target}: {stimulus.kind}, {value_in_words(stimulus.schedule)}, "
                     f"pattern {value_in_words(stimulus.pattern)}"
                     f"{'' if stimulus.on else ', off until an event starts it'}"))  # fmt: skip
    for event in network.events:
        then = ", then ".join(value_in_words(action) for action in event.actions) or "only recorded"
        rows.append(("event", f"{event.name}: {value_in_words(event.when)}: {then}"))
    units = "" if network.time_units == "1" else f" {network.time_units}"
    if network.duration is not None:
        rows.append(("duration", f"{network.duration:g}{units}"))
    if network.reference:
        rows.append(("reference", network.reference))
    text = columns(rows, indent="  ")
    if network.protocol is None:
        return text
    table = columns(_phases(network.protocol), ("phase", f"duration{units}", "inputs"), indent="  ")
    return f"{text}\n\nProtocol of {network.protocol.count} phases\n{table}"


def _phases(protocol: Protocol, depth: int = 0) -> list[tuple[str, str, str]]:
    """Return a row for each phase, below a row that says how often they are repeated."""
    from brnn.spec.events.protocol import Phase

    indent = "  " * depth
    rows = []
    if protocol.repeats > 1:
        rows.append((f"{indent}{protocol.repeats} times", f"{protocol.duration:g}", ""))
        indent += "  "
    for part in protocol.phases:
        if isinstance(part, Phase):
            inputs = []
            for key, pattern in part.inputs.items():
                shape = f" ({' x '.join(map(str, pattern.shape))})" if pattern.ndim > 1 and pattern.size <= 12 else ""
                inputs.append(f"{key.replace('.', ' ')} {value_in_words(pattern)}{shape}")
            rows.append((f"{indent}{part.name}", f"{part.duration:g}", "; ".join(inputs) or "nothing"))
        else:
            rows += _phases(part, depth + (protocol.repeats > 1))
    return rows
