"""``brnn models`` and ``brnn show``: which networks there are, and what one of them is."""

from __future__ import annotations

import inspect
import sys
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn import models as package
from brnn.base.docstrings import described_parameters, docstring_of, reference_of
from brnn.cli.commands.options import ModelName, OwnClasses, Settings
from brnn.cli.text import columns, signal_in_words
from brnn.errors import InputError

if TYPE_CHECKING:
    from brnn.cli.model import Model
    from brnn.spec.network import Network

__all__ = ["MODELS_EXAMPLES", "SHOW_EXAMPLES", "models", "show"]

MODELS_EXAMPLES = ("brnn models", "brnn models | grep -i shunting", "brnn models --json")
SHOW_EXAMPLES = (
    "brnn show rcf",
    "brnn show rcf --set n=100 --set signal=saturating --code",
    "brnn show gated_dipole --equations",
    "brnn show rcf --json > rcf.json && brnn run rcf.json -o run.h5",
    "brnn show my_network.py",
)

_UNBROKEN = 10_000  # characters of a line that other programs read


def models(
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the models; in a pipe, one line for each."""
    rows = []
    for name in package.names():
        # Read, not imported: a list of names should not wait for NumPy.
        docstring = docstring_of(Path(package.__path__[0]) / f"{name}.py")
        rows.append((name, reference_of(docstring), docstring.partition("\n")[0].rstrip(".")))
    if json:
        print(dumps([dict(zip(("name", "reference", "title"), row, strict=True)) for row in rows], indent=1))
        return
    width = None if sys.stdout.isatty() else _UNBROKEN
    print(columns(rows, ("model", "reference", "what it is"), width=width))


def show(
    model: ModelName,
    settings: Settings = None,
    own: OwnClasses = None,
    equations: Annotated[
        bool, typer.Option("--equations", help="Print the equations of the network as it is built.")
    ] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print these equations as LaTeX (amsmath).")] = False,
    code: Annotated[bool, typer.Option("--code", help="Print the generated right-hand side only.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the network as JSON only; `brnn run` takes it.")] = False,
) -> None:
    """Show a model: equations, parameters, claims.

    With --set the network has these values; --equations, --latex, --code and --json print what the program makes of it:
    the equations of every layer, gate and weight with all numbers in them, taken from the laws that are compiled.
    """
    from brnn.cli.model import find_model

    given = {"--equations": equations, "--latex": latex, "--code": code, "--json": json}
    asked = [option for option, wanted in given.items() if wanted]
    if len(asked) > 1:
        raise InputError(f"{' and '.join(asked)}: only one of them says what is printed")
    found = find_model(model, own)
    network = found.build(settings or ())
    if json:
        print(network.to_json(indent=1))
    elif equations or latex:
        from brnn.equations import equations_of

        found_equations = equations_of(network)
        print(found_equations.latex() if latex else found_equations.text())
    elif code:
        from brnn.compiler import compile_network

        print(compile_network(network).source, end="")
    else:
        _describe(found, network, settings or [])


def _describe(found: Model, network: Network, settings: list[str]) -> None:
    from brnn.base.plain import plain_spec
    from brnn.cli.network import network_in_words

    if found.module is not None:
        docstring = inspect.getdoc(found.module) or "(no description)"
        title, _, body = docstring.partition("\n")
        print(f"{found.name}: {title}\n" + (f"{body.rstrip()}\n" if body.strip() else ""))
        print(f"Parameters (--set NAME=VALUE)\n{_parameters(found.module.build, settings, found.name)}\n")
    print(f"Network {network.name}\n{network_in_words(plain_spec(network))}")
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
        text = "(needed)" if value is inspect.Parameter.empty else signal_in_words(value, short=True)
        if name in given:
            text += " (set)"
        rows.append(
            (name, text, entry.allowed if entry else "", entry.unit if entry else "", entry.meaning if entry else "")
        )
    return columns(rows, ("name", "value" if settings else "default", "allowed", "unit", "meaning"), indent="  ")
