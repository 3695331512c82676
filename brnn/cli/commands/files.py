"""``brnn plot``, ``info``, ``rerun`` and ``export``: what can be done with a result file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import brnn
from brnn.base.paths import check_target
from brnn.base.words import value_in_words
from brnn.cli.commands.options import AsJson, File, Force, OwnClasses, Settings, number_option
from brnn.cli.outputs import print_written, size_in_words
from brnn.cli.text import columns
from brnn.errors import InputError

if TYPE_CHECKING:
    from brnn.figures.own import ModelFigure
    from brnn.result.result import Result

__all__ = ["EXPORT_EXAMPLES", "INFO_EXAMPLES", "PLOT_EXAMPLES", "RERUN_EXAMPLES", "export", "info", "plot", "rerun"]

PLOT_EXAMPLES = (
    "brnn plot run.h5 -o run.png",
    "brnn plot run.h5 --kind pattern -o pattern.pdf --force",
    "brnn plot sweep.h5 -o map.png",
    "brnn plot run.h5 --animate run.gif",
)
INFO_EXAMPLES = ("brnn info run.h5", "brnn info sweep.h5 --json")
RERUN_EXAMPLES = ("brnn rerun run.h5", "brnn rerun sweep.h5", "brnn rerun sweep.h5 --model my_model.py")
EXPORT_EXAMPLES = (
    "brnn export run.h5 --csv tables",
    "brnn export sweep.h5 --parquet sweep.parquet",
    "brnn export rcf --set n=4 --ode rcf.ode --sbml rcf.xml",
    "brnn export rcf --pyrates rcf.yaml",
    "brnn export rcf --latex rcf.tex --json",
)

_OF_MODELS = "--ode, --sbml, --pyrates"
_SUFFIXES = {
    "--ode": (".ode",),
    "--sbml": (".xml", ".sbml"),
    "--pyrates": (".yaml", ".yml"),
    "--latex": (".tex",),
}


def plot(
    file: File,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="The figure: .png, .pdf, .svg, ...")
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="Of a run: auto, time, image, pattern or total. Of a sweep: auto, bars, line, map, multiples, "
            "pairs or coordinates.",
        ),
    ] = "auto",
    measure: Annotated[
        str | None, typer.Option("--measure", metavar="NAME", help="Which measure of a sweep is drawn.")
    ] = None,
    animation: Annotated[
        Path | None,
        typer.Option("--animate", metavar="FILE", help="A layer of a run in motion: .gif, or .mp4 by ffmpeg."),
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", metavar="NAME", help="Which layer is animated; by default the largest.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE", help="The .py file with what is the user's own: classes, the figure."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Draw a result: a run over time, or a measure of a sweep over its parameters.

    A run of a published model gets the figure of that model, any other the one that is usual for its kind of network.
    """
    from brnn.cli.model import load_own
    from brnn.figures.own import figure_of
    from brnn.plot import SUFFIXES

    if out is None and animation is None:
        raise InputError("-o FILE or --animate FILE is needed: where the figure shall go (brnn plot --help says more)")
    if layer is not None and animation is None:
        raise InputError(f"--layer {layer}: says what --animate shows, which is not given")
    for option, value in (("--kind", None if kind == "auto" else kind), ("--measure", measure)):
        if value is not None and out is None:
            raise InputError(f"{option} {value}: says what -o FILE shows, which is not given")
    if out is not None:
        check_target(out, force, option="-o", suffixes=SUFFIXES, kept=[file])
    own = None if model is None else figure_of(load_own(model))
    if animation is not None:
        _animate(file, animation, layer, force)
    if out is not None:
        _draw(file, out, kind, measure, own, force)
    print_written([path for path in (animation, out) if path is not None], as_json)


def _animate(file: Path, animation: Path, layer: str | None, force: bool) -> None:
    from brnn.plot import ANIMATED, animate
    from brnn.result.result import Result

    check_target(animation, force, option="--animate", suffixes=ANIMATED, kept=[file])
    with brnn.open(file) as result:
        if not isinstance(result, Result):
            raise InputError(f"--animate {animation}: {file} is no run; only runs move")
        animate(result, animation, layer=layer, force=force)


def _draw(file: Path, out: Path, kind: str, measure: str | None, own: ModelFigure | None, force: bool) -> None:
    from brnn.plot import diagram_figure, run_figure, save, sweep_figure
    from brnn.result.result import Result

    with brnn.open(file) as result:
        if not isinstance(result, Result) and "point" in result.dims:
            figure = diagram_figure(result, variable=measure)
        elif not isinstance(result, Result):
            figure = sweep_figure(result, kind, measure=measure)
        elif measure is not None:
            raise InputError(f"--measure {measure}: {file} is a run; only sweeps have measures")
        else:
            figure = run_figure(result, kind, own=own)
        save(figure, out, force=force)


def info(file: File, as_json: AsJson = False) -> None:
    """Say what a result file holds."""
    from brnn.cli.as_json import print_json, written
    from brnn.cli.commands.continuation import points_as_data, points_in_words
    from brnn.cli.network import network_in_words
    from brnn.files.attributes import open_with_xarray
    from brnn.files.sweep.describe import describe_sweep, sweep_as_data
    from brnn.result.result import Result

    with brnn.open(file) as result:
        diagram = not isinstance(result, Result) and "point" in result.dims
        if as_json:
            data = points_as_data(result) if diagram else None
            data = data or (_run_as_data(result) if isinstance(result, Result) else sweep_as_data(file))
            print_json(written(file) | data)
            return
        if diagram:
            print(f"{file} ({size_in_words(file)}): {result.sizes['point']} points along {result.attrs['along']}")
            print(points_in_words(result), f'without brnn: xarray.open_dataset("{file}")', sep="\n")
            return
        if not isinstance(result, Result):
            print(f"{file} ({size_in_words(file)})", *describe_sweep(file), sep="\n")
            print(f'without brnn: xarray.open_dataset("{file}")')
            return
        print(columns([("file", f"{file} ({size_in_words(file)})"), *_outcome(result)]))
        plain = result.plain_network
        print(f"\nNetwork {plain.get('name')}\n{network_in_words(plain)}\n\nVariables")
        print(columns(_variables(result), ("name", "size", "units", "meaning"), indent="  "))
        print(f"\nWithout brnn\n  {open_with_xarray(str(file), next(iter(result)).partition('.')[0])}")


def _outcome(result: Result) -> list[tuple[str, str]]:
    solver, attributes = result.solver, result.attributes
    versions = ", ".join(f"{name} {version}" for name, version in _json_object(attributes.get("versions")).items())
    rows = [("status", result.summary())]
    if solver.method:
        cost = f"{solver.steps} steps, {solver.evaluations} evaluations, {solver.seconds:.3g} s"
        rows.append(("solver", f"{solver.method}, {cost}: {solver.message}"))
    if result.event_table is not None:
        rows.append(("events", result.events_in_words()))
    options = {key: value for key, value in result.options.items() if key != "solver" and value is not None}
    rows.append(("options", ", ".join(f"{key} = {value_in_words(value)}" for key, value in options.items())))
    rows.append(("seed", str(attributes.get("seed", "none"))))
    rows.append(
        ("created", f"{attributes.get('created', '?')} by brnn {attributes.get('brnn_version', '?')}, {versions}")
    )
    rows.append(("command", str(attributes.get("command", "?"))))
    return rows


def _run_as_data(result: Result) -> dict[str, Any]:
    attributes = result.attributes
    known = ("created", "brnn_version", "command")
    return {
        "kind": "run",
        "status": result.status,
        "reached": result.reached,
        "duration": result.duration,
        "time_units": result.time_units,
        "solver": dict(result.solver.details),
        "options": result.options,
        **{name: attributes.get(name) for name in known},
        "seed": result.seed,
        "versions": _json_object(attributes.get("versions")),
        "events": None if result.event_table is None else len(result.event_table.columns["time"]),
        "variables": [
            {
                "name": name,
                "dims": list(result[name].dims),
                "shape": list(result[name].shape),
                "units": str(result[name].attrs.get("units", "1")),
                "long_name": str(result[name].attrs.get("long_name", "")),
            }
            for name in result
        ],
        "network": _json_object(attributes.get("network")),
    }


def _json_object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(str(text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _variables(result: Result) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name in result:
        values = result[name]
        size = " x ".join(f"{values.sizes[dim]} {dim}" for dim in values.dims)
        rows.append((name, size, str(values.attrs.get("units", "1")), str(values.attrs.get("long_name", ""))))
    return rows


def rerun(
    file: File,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="The .py file with what is the user's own: classes in the network, or the build() of a sweep.",
        ),
    ] = None,
    tolerance: Annotated[
        str | None,
        typer.Option(
            "--tolerance", metavar="X", help="The largest difference that passes; by default from rtol and atol."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a stored network, or all those of a sweep, again and compare.

    The largest difference is printed; the exit code is 1 if it is above the tolerance.
    """
    from brnn.cli.model import build_given

    allowed = None if tolerance is None else number_option(tolerance, "--tolerance")
    outcome = brnn.rerun(file, allowed, None if model is None else build_given(file, model))
    if as_json:
        from brnn.cli.as_json import print_json

        print_json({"file": str(file), **dataclasses.asdict(outcome)})
    else:
        print(outcome)
    if not outcome.passed:
        raise typer.Exit(1)


def export(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|MODEL",
            help="A result, or with --ode, --sbml, --pyrates or --latex a model.",
            show_default=False,
        ),
    ],
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="DIR", help="The folder for the tables; made if needed."),
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="FILE", help="One table of a sweep, for pandas and others.")
    ] = None,
    ode: Annotated[
        Path | None, typer.Option("--ode", metavar="FILE", help="The equations of a model for XPPAUT (.ode).")
    ] = None,
    sbml: Annotated[
        Path | None,
        typer.Option(
            "--sbml", metavar="FILE", help="The same as SBML, Level 3 (.xml): libroadrunner, COPASI and others."
        ),
    ] = None,
    pyrates: Annotated[
        Path | None, typer.Option("--pyrates", metavar="FILE", help="The same as templates of PyRates (.yaml).")
    ] = None,
    latex: Annotated[
        Path | None,
        typer.Option("--latex", metavar="FILE", help="The equations of a model for a paper (.tex): align of amsmath."),
    ] = None,
    settings: Settings = None,
    own: OwnClasses = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="T", help="Up to which time the inputs of a model are written.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a result as tables, or the equations of a model for other programs.

    Of a run each variable gets a CSV file, with a row for each saved time and a column for each cell; events.csv has
    the events. Of a sweep members.csv has a row for each member with its parameters and measures, and what has cells
    gets a file of its own. The first line of each file names its columns; units.csv says what they are, in which units.
    """
    from brnn.files.export import to_csv, to_parquet

    equations = {"--ode": ode, "--sbml": sbml, "--pyrates": pyrates, "--latex": latex}
    if any(path is not None for path in equations.values()):
        if csv is not None or parquet is not None:
            raise InputError(f"{_OF_MODELS} and --latex write a model, --csv and --parquet a result: not both")
        print_written(_export_equations(file, equations, settings, own, duration, force), as_json)
        return
    if csv is None and parquet is None:
        raise InputError(
            f"--csv DIR or --parquet FILE is needed: where the tables go (of a model {_OF_MODELS} or --latex)"
        )
    if settings or duration is not None or own is not None:
        option = f"--set {settings[0]}" if settings else "--duration" if own is None else f"--model {own}"
        raise InputError(f"{option}: is for a model, with {_OF_MODELS} or --latex")
    paths = [] if parquet is None else [to_parquet(file, parquet, force=force)]
    if csv is not None:
        paths += to_csv(file, csv, force=force)
    print_written(paths, as_json)


def _export_equations(
    model: str,
    paths: dict[str, Path | None],
    settings: list[str] | None,
    own: str | None,
    duration: str | None,
    force: bool,
) -> list[Path]:
    from brnn.base.checks import number
    from brnn.base.paths import new_text_file
    from brnn.cli.model import find_model
    from brnn.equations.network import equations_of
    from brnn.equations.ode import to_ode
    from brnn.equations.pyrates import to_pyrates
    from brnn.equations.sbml import to_sbml
    from brnn.equations.scalar import scalar_equations

    wanted = {option: path for option, path in paths.items() if path is not None}
    for option, path in wanted.items():
        check_target(path, force, option=option, suffixes=_SUFFIXES[option])
    until = None if duration is None else number(number_option(duration, "--duration"), "--duration", above=0.0)
    network = find_model(model, own).build(settings or ())
    writers = {"--ode": to_ode, "--sbml": to_sbml, "--pyrates": to_pyrates}
    texts: list[tuple[Path, str]] = []
    if wanted.keys() & writers.keys():
        equations = scalar_equations(network, duration=until)
        texts += [(path, writers[option](equations)) for option, path in wanted.items() if option in writers]
    if "--latex" in wanted:
        texts.append((wanted["--latex"], equations_of(network).latex() + "\n"))
    for path, text in texts:
        with new_text_file(path, force) as file:
            file.write(text)
    return [path for path, _ in texts]
