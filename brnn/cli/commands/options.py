"""The arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from brnn import models
from brnn.base.text import shortened
from brnn.errors import InputError

__all__ = [
    "AsJson",
    "File",
    "Force",
    "ModelName",
    "OwnClasses",
    "Settings",
    "complete_model",
    "number_option",
    "whole_option",
]

_N = TypeVar("_N", int, float)


def complete_model(incomplete: str) -> list[str]:
    """Return the models that begin with what was typed, for shell completion."""
    return [name for name in models.names() if name.startswith(incomplete)]


ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A name that `brnn models` lists, a .py file with build(), or a saved network .json (-: standard input).",
        autocompletion=complete_model,
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Give a parameter of the model a value: a number, 1,2,3, true, a word, or a signal (a name such as "
        "sigmoid, which keeps the model's own numbers, or an expression in w, which is 0 for w < 0 if the model's own "
        "signal is; function(TEXT) never is). KEY.FIELD sets one number of a signal, KEY.3 one of an array. Of a "
        "saved network NAME.FIELD, NAME a layer, projection or stimulus. May be repeated.",
        show_default=False,
    ),
]
OwnClasses = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help="The .py file with classes of your own: those of a saved MODEL, or a signal that --set names.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead, for scripts.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A result that `brnn run -o` wrote.", show_default=False)]


def number_option(text: str, option: str) -> float:
    """Return the number that an option gives; Typer's own message would not say which value is wrong."""
    return _read(float, text, option, "a number")


def whole_option(text: str, option: str) -> int:
    """Return the whole number that an option gives."""
    return _read(int, text, option, "a whole number")


def _read(kind: Callable[[str], _N], text: str, option: str, what: str) -> _N:
    try:
        if "_" not in text:  # which Python would pass over, as --set does not
            return kind(text)
    except ValueError:
        pass
    raise InputError(f"{option} {shortened(text) or repr(text)}: must be {what}")
