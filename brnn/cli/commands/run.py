"""``brnn run``: integrate a network, record it, draw it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn.base.memory import refuse_above
from brnn.base.paths import check_target, identity
from brnn.base.text import count_in
from brnn.base.words import pattern_in_words
from brnn.cli.commands.options import AsJson, Force, ModelName, Settings, number_option, whole_option
from brnn.cli.outputs import RESULTS, size_in_words
from brnn.cli.stops import Stopped
from brnn.cli.text import columns
from brnn.errors import InputError, IntegrationError

if TYPE_CHECKING:
    from brnn.reproduce import SweepMember
    from brnn.result.options import Record
    from brnn.result.result import Result
    from brnn.spec.network import Network

__all__ = ["EXAMPLES", "run"]

EXAMPLES = (
    "brnn run rcf -o run.h5 --plot run.png",
    "brnn run rcf --set n=100 --set signal=sigmoid --set signal.half=0.2 -o run.h5",
    "brnn run rcf --set 'signal=2*w**2/(0.1 + w**2)' --until-steady -o run.h5",
    "brnn run distance_dependent --input photo.jpg -o run.h5 --plot run.png",
    "brnn run rcf --input data.h5:/patterns/first --duration 50 --times 0,1,10,50 -o run.h5",
    "brnn run sweep.h5 --member 56 -o run.h5 --plot run.png",
    "brnn run rcf --set A=0.5 --json",
    "brnn run rcf --start run.h5 --at 10 --set A=0.5 -o branch.h5",
    "brnn run rcf --duration 1e6 -o run.h5 --resume",
)

_SHOWN = 5  # times of each event that are printed
_LISTED = 1000  # the same, as JSON


def run(
    model: ModelName,
    settings: Settings = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Input pattern: PNG, JPEG, CSV, NPY, or HDF5 (FILE.h5:/dataset). Where a model takes a trajectory: "
            "CSV, MAT or HDF5 with t, x, y; --set trajectory.bridge=T takes gaps of up to T for straight lines, and so "
            "for what else brnn.read_trajectory takes.",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="PATH", help="Dataset of an HDF5 --input.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="T", help="How long; by default the model's own duration.")
    ] = None,
    until_steady: Annotated[
        bool, typer.Option("--until-steady", help="Stop when the network has come to rest (after --duration at most).")
    ] = False,
    times: Annotated[
        str | None,
        typer.Option(
            "--times", metavar="N|T,T,...", help="Saved times: how many, evenly spaced, or which (201 of them)."
        ),
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option("--solver", metavar="NAME", help="Method of integration: {methods}.", show_default="auto"),
    ] = None,
    rtol: Annotated[
        str | None, typer.Option("--rtol", metavar="X", help="Relative tolerance.", show_default="1e-6")
    ] = None,
    atol: Annotated[
        str | None, typer.Option("--atol", metavar="X", help="Absolute tolerance.", show_default="1e-9")
    ] = None,
    norm: Annotated[
        str | None,
        typer.Option(
            "--norm",
            metavar="max|rms",
            help="Hold the error of each unknown (max), or the root mean square over all (rms).",
            show_default="max",
        ),
    ] = None,
    step: Annotated[
        str | None, typer.Option("--step", metavar="X", help="Step of the solvers for white noise.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="N", help="Seed of white noise; by default one is drawn.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="FILE",
            help="Go on from another run: its state, phase of the protocol and random numbers.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="T", help="Which saved time of --start's run; by default the last."),
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", metavar="NAMES", help="States to keep, e.g. F1.x,F2.x; all by default.")
    ] = None,
    record_ltm: Annotated[
        str | None,
        typer.Option(
            "--record-ltm", metavar="every=T", help="Save weights (LTM) less often than the rest; the last are kept."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the result here (.h5).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the result (.png, .pdf, .svg, ...).")
    ] = None,
    member: Annotated[
        str | None,
        typer.Option("--member", metavar="N", help="Run one member of a sweep, as it ran there: MODEL is its file."),
    ] = None,
    made_by: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="The .py file with what is yours: the build() of --member's sweep, the classes of a saved MODEL, a "
            "signal that --set names.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the file of -o, if its run was killed or stopped.")
    ] = False,
    force: Force = False,
    json: AsJson = False,
) -> None:
    """Run a model and record it.

    What was measured is printed. -o streams the result to an HDF5 file while the run goes on, so that what was recorded
    stays if it is stopped; --resume goes on with it.
    """
    from brnn.cli.model import find_model
    from brnn.integrate.sunk import keep_their_sign
    from brnn.result.options import Record

    one = None if member is None else _member(model, member, made_by, settings, source)
    found = find_model(model, made_by) if one is None else None
    given = (Path(model) if found is None else found.path, _file_of(source), None if start is None else Path(start))
    reads = [path for path in given if path is not None]
    if resume and out is None:
        raise InputError("--resume: needs the file to go on with: -o FILE")
    _check_outputs(out, plot, force, reads, resume)
    options: dict[str, Any] = {"solver": "auto", "rtol": 1e-6, "atol": 1e-9, "until": "duration", "duration": None}
    options |= {} if one is None else one.options
    options |= {"progress": sys.stderr.isatty()} | ({} if solver is None else {"solver": solver})
    options |= {"until": "steady"} if until_steady else {}
    options |= {} if norm is None else {"norm": norm}
    options |= {} if seed is None else {"seed": whole_option(seed, "--seed")}
    options |= {} if start is None else {"start": start}
    options |= {"resume": True} if resume else {}
    numbers = {"rtol": rtol, "atol": atol, "step": step, "duration": duration, "at": at}
    options |= {name: number_option(text, f"--{name}") for name, text in numbers.items() if text is not None}
    names = None if record is None else _names(record)
    every = None if record_ltm is None else _every(record_ltm)
    if dataset is not None and source is None:
        raise InputError(f"--dataset {dataset}: names a dataset of --input FILE, which is not given")
    pattern = None
    if source is not None:
        if found is None:
            raise InputError(f"--input {source}: --member has the inputs that it had in the sweep")
        pattern = found.input_of(source, dataset, settings or ())
    if found is None:
        assert one is not None
        network, taken = one.network, [f"{name} = {value}" for name, value in one.parameters.items()]
    else:
        network, taken = found.build(settings or (), pattern, source or ""), found.signals_taken(settings or ())
    if solver is None and one is None:
        options["solver"] = _solver_of(network, options, out if resume else None)
    if times is not None or options.get("times") is None:
        keep = out is not None or plot is not None or bool(keep_their_sign(network))  # what sinks is seen on the way
        options["times"] = _times(times, network, options, keep=keep)
    kept = Record(path=out, variables=names, ltm_every=every, force=force)
    with _simulated(network, options, kept) as result:
        written = [out] if out is not None else []
        if plot is not None:
            from brnn import plot as drawing

            drawing.save(drawing.run_figure(result, own=None if found is None else found.figure), plot, force=force)
            written.append(plot)
        if json:
            _print_json(result, written, taken)
        else:
            print(_summary(result, written, taken))


def _solver_of(network: Network, options: dict[str, Any], resumed: Path | None) -> str:
    """Return the solver if none is asked for: most runs of a command are over before Numba would be loaded."""
    from brnn.integrate.methods.interpreted import Interpreted
    from brnn.integrate.resume import unfinished

    begun = None if resumed is None else unfinished(resumed)
    if begun is not None:
        with begun:
            return str(begun.options.get("solver", "auto"))
    brief = Interpreted()
    other = options.get("norm", "max") not in brief.norms
    return "auto" if other or brief.refuses(network, options["until"], options.get("step")) else brief.name


def _member(
    model: str, member: str, made_by: str | None, settings: list[str] | None, source: str | None
) -> SweepMember:
    """Return the member of the sweep in the file `model`."""
    from brnn import reproduce
    from brnn.cli.model import build_given

    for option, value in (("--set", settings and settings[0]), ("--input", source)):
        if value:
            raise InputError(f"{option} {value}: --member {member} has the parameters that it had in the sweep")
    build = None if made_by is None else build_given(model, made_by)
    return reproduce.member(Path(model), whole_option(member, "--member"), build)


def _file_of(source: str | None) -> Path | None:
    """Return the file of ``--input``, without the dataset that may follow it."""
    if source is None or Path(source).exists():
        return None if source is None else Path(source)
    return Path(source.rpartition(":")[0] or source)


def _check_outputs(out: Path | None, plot: Path | None, force: bool, reads: list[Path], resume: bool) -> None:

    if out is not None:
        check_target(out, force or resume, option="-o", suffixes=RESULTS, kept=reads)
    if plot is not None:
        from brnn.plot import SUFFIXES

        check_target(plot, force, option="--plot", suffixes=SUFFIXES, kept=reads)
        if out is not None and out.resolve() == plot.resolve():
            raise InputError(f"--plot {plot}: is the file that -o writes")


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise InputError("--record: must name at least one state, for example --record F1.x")
    return names


def _every(text: str) -> float:
    """Return the time between saved weights of ``--record-ltm every=T``."""
    key, _, value = text.partition("=")
    if key.strip() != "every" or not value:
        raise InputError(f"--record-ltm {text}: must be every=T, for example --record-ltm every=10")
    every = number_option(value, "--record-ltm every")
    if not every > 0:
        raise InputError(f"--record-ltm {text}: T must be > 0")
    return every


def _times(text: str | None, network: Network, options: dict[str, Any], keep: bool) -> Any:
    """Return the times to save: those asked for, or, if nothing is kept, only the last."""
    import numpy as np

    from brnn.spec.durations import STEADY_DURATIONS

    length = options["duration"] if options["duration"] is not None else network.duration
    steady = options["until"] == "steady" and options["duration"] is None
    if length is None or not np.isfinite(length) or length <= 0:
        length = None  # simulate says what is wrong with it
    begin = _begin(options)
    if begin and length is not None:
        length = length if options["duration"] is not None or length <= begin else length - begin
    if text is None:
        # In discrete time the duration is rounded to whole steps.
        if keep or length is None or network.step is not None:
            return None
        return [begin + length * (STEADY_DURATIONS if steady else 1.0)]
    count = count_in(text.strip())
    if count is not None:
        if count < 1:
            raise InputError(f"--times {text}: at least one time must be saved")
        if length is None or steady:
            raise InputError(f"--times {text}: a number of times needs --duration")

        refuse_above(32 * count, f"--times {text}")
        return np.linspace(begin, begin + length, count) if count > 1 else np.array([begin + length])
    return np.array([number_option(part.strip(), "--times") for part in text.split(",")])


def _begin(options: dict[str, Any]) -> float:
    """Return when the run begins."""
    if "start" not in options or "at" in options:
        return float(options.get("at", 0.0))
    from brnn.files.run.reader import open_result

    with open_result(options["start"]) as result:
        return result.reached


def _simulated(network: Network, options: dict[str, Any], record: Record) -> Result:
    """Run, and say in the message of what stops the run where the part until then is."""
    from brnn.files.opening import kind_of
    from brnn.integrate import simulate

    out = None if record.path is None else Path(record.path)
    before = None if out is None else identity(out)
    try:
        return simulate(network, record=record, **options)
    except (IntegrationError, Stopped) as error:
        begun = out is not None and identity(out) != before and kind_of(out) == "run"
        kept = f"; what was recorded until then is in {out}" if begun else ""
        if isinstance(error, Stopped):
            error.note = kept
            raise
        raise IntegrationError(f"{error}{kept}", error.time, error.variable, error.state) from None


def _summary(result: Result, written: list[Path], taken: list[str]) -> str:
    import numpy as np

    network, solver = result.network, result.solver
    cells = sum(layer.cells for layer in network.layers)
    rows = [
        ("model", ", ".join([network.name, f"{cells} cells", *([network.reference] if network.reference else [])])),
        *(("took", line) for line in taken),
        ("solver", f"{solver.method} ({solver.details['reason']})"),
        ("run", f"{solver.message}: {solver.steps} steps, {solver.evaluations} evaluations, {solver.seconds:.3g} s"),
    ]
    recorded = {entry.column.name: entry for entry in result.recorded}
    for layer in network.layers:
        entry = recorded.get(f"{layer.name}.x")
        if entry is None:
            continue
        final = entry.last(layer.name)
        place = np.unravel_index(int(np.argmax(final)), final.shape)
        cell = ", ".join(str(int(k)) for k in place)
        rows.append((f"{layer.name}.x", pattern_in_words(final)))
        rows.append(
            (
                "",
                f"total {final.sum() + 0.0:.6g}, from {final.min() + 0.0:.5g} to {final.max() + 0.0:.5g} (cell {cell})",
            )
        )
    rows += _events_in_words(result)
    if written:
        rows.append(("wrote", ", ".join(f"{path} ({size_in_words(path)})" for path in written)))
    else:
        rows.append(("", "nothing was written: -o run.h5 keeps the result, --plot run.png draws it"))
    return columns(rows)


def _events_in_words(result: Result) -> list[tuple[str, str]]:
    """Return a line for each event that happened: how often, and when first."""
    table = result.event_table
    if table is None:
        return []
    unit = "" if result.time_units == "1" else f" {result.time_units}"
    counts = table.counts()
    rows: list[tuple[str, str]] = []
    for name, times in table.first_times(_SHOWN).items():
        more = ", ..." if counts[name] > times.size else ""
        first = ", ".join(f"{time:.6g}" for time in times.tolist())
        rows.append(("" if rows else "events", f"{name} {counts[name]}, at t = {first}{more}{unit}"))
    return rows


def _print_json(result: Result, files: list[Path], taken: list[str]) -> None:
    import numpy as np

    from brnn.cli.as_json import print_json, written

    table = result.event_table
    finals: dict[str, Any] = {}
    for entry in result.recorded:
        name = entry.column.name
        if name.endswith(".x"):
            values = entry.last(name)
            place = np.unravel_index(int(np.argmax(values)), values.shape)
            finals[name] = {
                "total": values.sum(),
                "smallest": values.min(),
                "largest": values.max(),
                "largest_cell": list(place),
                "values": values,
            }
    print_json(
        {
            "network": result.network.name,
            "reference": result.network.reference,
            "took": taken,
            "status": result.status,
            "reached": result.reached,
            "duration": result.duration,
            "time_units": result.time_units,
            "seed": result.seed,
            "solver": _solver(result),
            "events": 0 if table is None else len(table),
            "first_events": {} if table is None else table.first_times(_LISTED),
            "final": finals,
            "wrote": [written(path) for path in files],
        }
    )


def _solver(result: Result) -> dict[str, Any]:
    solver = result.solver
    return {
        "method": solver.method,
        "reason": solver.details.get("reason"),
        "steps": solver.steps,
        "evaluations": solver.evaluations,
        "seconds": solver.seconds,
        "message": solver.message,
    }
