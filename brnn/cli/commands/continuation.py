"""``brnn continue``: equilibria and cycles along a parameter, folds and Hopf points along two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn.base.paths import check_target
from brnn.base.text import shortened
from brnn.cli.commands.options import AsJson, Force, ModelName, OwnClasses, Settings, number_option, whole_option
from brnn.cli.outputs import RESULTS, size_in_words
from brnn.cli.text import columns
from brnn.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["EXAMPLES", "follow", "points_as_data", "points_in_words"]

EXAMPLES = (
    "brnn continue rcf --set n=3 --set 'signal=w**2' --initial 2 --along B=4:1 -o diagram.h5 --plot diagram.png",
    "brnn continue wilson_cowan --along pattern=0:3 --plot diagram.png",
    "brnn continue slow_inhibition --along e=1.2:0.3 --along G=8:4 --kind 'Hopf point' --plot hopf.png",
)


def follow(
    model: ModelName,
    along: Annotated[
        list[str],
        typer.Option(
            "--along",
            metavar="NAME=LO:HI",
            help="The parameter, from where and to where. Given twice: a point (--kind) is followed along both.",
            show_default=False,
        ),
    ],
    settings: Settings = None,
    own: OwnClasses = None,
    initial: Annotated[
        str | None,
        typer.Option(
            "--initial", metavar="X,X,...", help="State of the first layer from which the first rest is found."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="With two parameters: fold, 'branch point' or 'Hopf point'.",
            show_default="fold",
        ),
    ] = None,
    which: Annotated[
        str | None,
        typer.Option("--which", metavar="N", help="Which of these points, counted from 0.", show_default="0"),
    ] = None,
    branches: Annotated[str, typer.Option("--branches", metavar="N", help="How many branches at most.")] = "20",
    no_cycles: Annotated[bool, typer.Option("--no-cycles", help="Follow no cycles from Hopf points.")] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="The diagram (.h5).")] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw it (.png, .pdf, .svg, ...).")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Follow the equilibria and cycles of a model along a parameter.

    Printed are the folds, branch points and Hopf points, with the state there and what becomes stable or unstable.
    """
    from brnn.cli.as_json import print_json, written
    from brnn.cli.model import find_model
    from brnn.continuation import bifurcation_curve, bifurcation_diagram

    if out is not None:
        check_target(out, force, option="-o", suffixes=RESULTS)
    if plot is not None:
        from brnn.plot import SUFFIXES

        check_target(plot, force, option="--plot", suffixes=SUFFIXES)
    ends = dict(_ends(text) for text in along)
    if len(ends) != len(along) or len(ends) > 2:
        raise InputError("--along: names one parameter, or two different ones")
    for option, text in (("--kind", kind), ("--which", which)):
        if text is not None and len(ends) == 1:
            raise InputError(f"{option} {shortened(text)}: is for a point along two parameters; --along is given once")
    if no_cycles and len(ends) == 2:
        raise InputError("--no-cycles: is for a diagram along one parameter; --along is given twice")
    build, given = find_model(model, own).varied(settings or ())
    options: dict[str, Any] = {
        "settings": given,
        "initial": None if initial is None else _state(initial),
        "branches": whole_option(branches, "--branches"),
    }
    if len(ends) == 1:
        diagram = bifurcation_diagram(build, ends, cycles=not no_cycles, **options)
    else:
        number = whole_option(which or "0", "--which")
        diagram = bifurcation_curve(build, ends, kind=kind or "fold", which=number, **options)
    files = _write(diagram, out, plot, force)
    if as_json:
        print_json(points_as_data(diagram) | {"files": [written(path) for path in files]})
        return
    print(points_in_words(diagram))
    for path in files:
        print(f"wrote {path} ({size_in_words(path)})")


def _write(diagram: xr.Dataset, out: Path | None, plot: Path | None, force: bool) -> list[Path]:
    if out is not None:
        from brnn.files.diagram import save_diagram

        save_diagram(diagram, out, force=force)
    if plot is not None:
        from brnn.plot import diagram_figure, save

        save(diagram_figure(diagram), plot, force=force)
    return [path for path in (out, plot) if path is not None]


def _ends(text: str) -> tuple[str, tuple[float, float]]:
    name, given, value = text.partition("=")
    parts = value.split(":")
    if not given or not name.strip() or len(parts) != 2:
        raise InputError(f"--along {text}: must be NAME=LO:HI, for instance A=0.5:2")
    return name.strip(), (_end(text, parts[0]), _end(text, parts[1]))


def _end(text: str, part: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise InputError(f"--along {text}: {part!r} is no number") from None


def _state(text: str) -> Any:
    values = [number_option(part, "--initial") for part in text.split(",")]
    return values[0] if len(values) == 1 else values


def points_as_data(diagram: xr.Dataset) -> dict[str, Any]:
    """Return the special points of a diagram as plain data."""
    special = diagram.isel(point=[k for k, text in enumerate(diagram.special.values) if text])
    points = [{str(name): special[name].values[k] for name in special.data_vars} for k in range(special.sizes["point"])]
    along = str(diagram.attrs["along"]).split()
    left = {name: diagram.attrs[name] for name in ("not_followed",) if name in diagram.attrs}
    return {"kind": "diagram", "along": along, "points": diagram.sizes["point"], "special": points, **left}


def points_in_words(diagram: xr.Dataset) -> str:
    """Return the special points of a diagram as a table, and what is not followed from them."""
    along = str(diagram.attrs["along"]).split()
    table = columns(list(_rows(diagram, along)), ("", *along, "state", "stable"))
    left = diagram.attrs.get("not_followed")
    return table if left is None else f"{table}\nnot followed: {left}"


def _rows(diagram: xr.Dataset, along: list[str]) -> list[tuple[str, ...]]:
    """Return a line for each point that is special."""
    rows = []
    names = [str(n) for n in diagram.data_vars if str(n).endswith((".x", ".y", ".z"))]
    last = None
    for k, special in enumerate(diagram.special.values):
        if not special:
            continue
        point = diagram.isel(point=k)
        where = [f"{float(point[name]):.9g}" for name in along]
        if "branch" in diagram and (branch := int(point.branch)) != last:
            last = branch
            rows.append((f"branch {branch}, {_PLURAL[point.kind.item()]}", *[""] * (len(along) + 2)))
        state = "; ".join(f"{name} {_values(point[name].values)}" for name in names)
        if "period" in point and float(point.period) > 0:
            state = f"period {float(point.period):.6g}; {state}"
        stable = "" if "stable" not in point or special not in ("start", "end", "cut") else _yes(bool(point.stable))
        rows.append((f"  {special}", *where, state, stable))
    return rows


_PLURAL = {"equilibrium": "equilibria", "cycle": "cycles"}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _values(values: Any) -> str:
    flat = values.ravel()
    text = " ".join(f"{value:.4g}" for value in flat[:4])
    return text if flat.size <= 4 else f"{text} ... ({flat.size})"
