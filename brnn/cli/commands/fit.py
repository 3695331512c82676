"""``brnn fit``: parameters of a model from recordings."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from brnn.base.paths import check_target
from brnn.cli.commands.options import AsJson, Force, ModelName, OwnClasses, Settings, number_option
from brnn.cli.outputs import size_in_words
from brnn.errors import InputError

__all__ = ["EXAMPLES", "fit"]

_Value = TypeVar("_Value")

EXAMPLES = (
    "brnn fit rcf --set n=3 --set initial=0.2,0.5,0.9 --data run.h5 --free A=1.2,B",
    "brnn fit wilson_cowan --data cells.csv --free c1,theta_e --bounds c1=5:30 -o fit.json --plot fit.png",
)


def fit(
    model: ModelName,
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            metavar="FILE",
            help="A result file, or a CSV table with 'time' and columns such as 'rcf.x[3]'. May be repeated.",
            show_default=False,
        ),
    ],
    free: Annotated[
        list[str],
        typer.Option(
            "--free",
            metavar="NAME[=START],...",
            help="The parameters that are fitted, and where the search begins.",
            show_default=False,
        ),
    ],
    settings: Settings = None,
    own: OwnClasses = None,
    bounds: Annotated[
        list[str] | None,
        typer.Option("--bounds", metavar="NAME=LO:HI", help="Between which values it may be. May be repeated."),
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option("--noise", metavar="S", help="Standard deviation of the recorded values, if it is known."),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="The fit (.json or .h5).")] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw data and fit (.png, .pdf, .svg, ...).")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Fit parameters of a model to recordings, by least squares with exact derivatives.

    Printed are their values, standard errors and 95 % intervals, and what the data do not determine.
    """
    from brnn.cli.as_json import print_json, written
    from brnn.cli.model import find_model
    from brnn.fitting.fit import fit as fitted

    if out is not None:
        check_target(out, force, option="-o", suffixes=(".json", ".h5"))
    if plot is not None:
        from brnn.plot import SUFFIXES

        check_target(plot, force, option="--plot", suffixes=SUFFIXES)
    build, given = find_model(model, own).varied(settings or ())
    names = _once("--free", (_start(part) for text in free for part in text.split(",") if part.strip()))
    ends = _once("--bounds", map(_ends, bounds or ()))
    sigma = None if noise is None else number_option(noise, "--noise")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what they say is printed with the values
        found = fitted(build, [*data], names, settings=given, bounds=ends, noise=sigma)
    if out is not None:
        found.save(out, force=force)
    if plot is not None:
        from brnn.plot import fit_figure, save

        save(fit_figure(found), plot, force=force)
    files = [path for path in (out, plot) if path is not None]
    if as_json:
        print_json(found.to_plain() | {"files": [written(path) for path in files]})
        return
    print(found.in_words())
    for path in files:
        print(f"wrote {path} ({size_in_words(path)})")


def _once(option: str, given: Iterable[tuple[str, _Value]]) -> dict[str, _Value]:
    found: dict[str, _Value] = {}
    for name, value in given:
        if name in found:
            raise InputError(f"{option}: {name} is given twice")
        found[name] = value
    return found


def _start(text: str) -> tuple[str, float | None]:
    name, given, value = text.partition("=")
    if not name.strip() or (given and not value.strip()):
        raise InputError(f"--free {text}: must be NAME or NAME=START, for instance A=1.2")
    return name.strip(), number_option(value, f"--free {name.strip()}") if given else None


def _ends(text: str) -> tuple[str, tuple[float | None, float | None]]:
    name, given, value = text.partition("=")
    parts = value.split(":")
    if not given or not name.strip() or len(parts) != 2:
        raise InputError(f"--bounds {text}: must be NAME=LO:HI, for instance A=0:2; without a number there is no bound")
    low, high = (number_option(part, f"--bounds {name.strip()}") if part.strip() else None for part in parts)
    return name.strip(), (low, high)
