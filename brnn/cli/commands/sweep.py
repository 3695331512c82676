"""``brnn sweep`` and ``brnn merge``: many networks of one model, and the parts of an array job."""

from __future__ import annotations

import contextlib
import math
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brnn.base.paths import check_target
from brnn.base.text import closest, count_in, shortened
from brnn.cli.commands.options import AsJson, Force, ModelName, OwnClasses, Settings, number_option, whole_option
from brnn.cli.outputs import RESULTS, size_in_words
from brnn.cli.stops import Stopped
from brnn.cli.text import columns
from brnn.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from brnn.sweeps.designs import Design

__all__ = ["MERGE_EXAMPLES", "SWEEP_EXAMPLES", "merge", "sweep"]

SWEEP_EXAMPLES = (
    "brnn sweep rcf --grid A=0.5:1.5:11 --grid signal.half=log:0.1:1:20 --measure regime -o sweep.h5",
    "brnn sweep rcf --random A=0.5:1.5 --random 'signal.half=0.1:1' -n 1000 -o sweep.h5",
    "brnn sweep rcf --table parameters.csv --measure final,total --jobs 2 -o sweep.h5",
    "brnn sweep rcf --grid A=0.5:1.5:101 --shard 3/10 -o part3.h5",
    "brnn sweep noisy.json --repeats 100 -o repeats.h5",
    "brnn sweep rcf --grid A=0.5:1.5:11 -o sweep.h5 --resume",
)
MERGE_EXAMPLES = ("brnn merge part1.h5 part2.h5 part3.h5 -o sweep.h5",)
_PATIENCE = 10.0  # seconds to wait for a scheduler


def sweep(
    model: ModelName,
    settings: Settings = None,
    own: OwnClasses = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            metavar="NAME=LOW:HIGH:N",
            help="An axis of a grid: LOW:HIGH:N, log:LOW:HIGH:N, whole:LOW:HIGH, or values A,B,C. May be repeated.",
        ),
    ] = None,
    random: Annotated[
        list[str] | None,
        typer.Option(
            "--random",
            metavar="NAME=LOW:HIGH",
            help="A parameter that is drawn -n times: LOW:HIGH, log:LOW:HIGH or whole:LOW:HIGH. May be repeated.",
        ),
    ] = None,
    count: Annotated[str | None, typer.Option("-n", metavar="N", help="How many members --random draws.")] = None,
    draw: Annotated[
        str | None,
        typer.Option(
            "--draw",
            metavar="HOW",
            help="How --random draws: random, sobol, latin or saltelli.",
            show_default="random",
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="FILE", help="Members as the rows of a CSV file with a header.")
    ] = None,
    repeats: Annotated[
        str | None,
        typer.Option("--repeats", metavar="N", help="Run every member N times, each with noise of its own."),
    ] = None,
    measure: Annotated[
        str,
        typer.Option(
            "--measure",
            metavar="NAMES",
            help="What is kept of each member, separated by commas: final, total, relative, winner, survivors, "
            "stored_contrast, regime, time.",
        ),
    ] = "final",
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="T", help="How long; by default the model's own duration.")
    ] = None,
    until_steady: Annotated[
        bool, typer.Option("--until-steady", help="Stop each member when it has come to rest.")
    ] = False,
    times: Annotated[
        str | None, typer.Option("--times", metavar="T,T,...", help="Times at which states are kept as well.")
    ] = None,
    rtol: Annotated[str, typer.Option("--rtol", metavar="X", help="Relative tolerance.")] = "1e-6",
    atol: Annotated[str, typer.Option("--atol", metavar="X", help="Absolute tolerance.")] = "1e-9",
    seed: Annotated[str, typer.Option("--seed", metavar="N", help="Seed of what is drawn, and of the members.")] = "0",
    jobs: Annotated[
        str | None, typer.Option("--jobs", metavar="N", help="Run in N processes; by default in threads of this one.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Run on the Dask cluster of this scheduler."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="Run only the I-th of N parts (see brnn merge).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the file: run what is missing or failed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Run even an enormous design.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="The result (.h5), written as members finish.")
    ] = None,
    force: Force = False,
    json: AsJson = False,
) -> None:
    """Run a model for every member of a design.

    Members of one structure run side by side in compiled code on all processors. The file opens as an xarray Dataset
    with one row per member; a stopped sweep leaves what it has, and --resume runs the rest.
    """
    from brnn.cli.model import find_model
    from brnn.sweeps.designs import Grid
    from brnn.sweeps.run import sweep as run_sweep

    if out is None:
        raise InputError("-o FILE is needed: a sweep is written to a file, for example -o sweep.h5")
    check_target(out, force or resume, option="-o", suffixes=RESULTS)
    found = find_model(model, own)
    number = whole_option(seed, "--seed")
    design = _design(grid or [], random or [], count, draw, table, repeats, number, yes)
    build, given = found.varied(settings or ())
    if given:
        design = Grid({name: [value] for name, value in given.items()}) * design
    if jobs is not None and scheduler is not None:
        raise InputError("--jobs and --scheduler: only one of them says where the members run")
    with _executor(jobs, scheduler) as executor:
        try:
            result = run_sweep(
                build,
                design,
                duration=None if duration is None else number_option(duration, "--duration"),
                measures=[name.strip() for name in measure.split(",") if name.strip()],
                out=out,
                executor=executor,
                resume=resume,
                progress=sys.stderr.isatty(),
                times=None if times is None else [number_option(t.strip(), "--times") for t in times.split(",")],
                rtol=number_option(rtol, "--rtol"),
                atol=number_option(atol, "--atol"),
                until="steady" if until_steady else "duration",
                seed=number,
                shard=None if shard is None else _shard(shard),
                force=force,
                enormous=yes,
                command=shlex.join(sys.argv),
            )
        except Stopped as stopped:
            stopped.note = "".join(f"; {note}" for note in getattr(stopped, "__notes__", ()))
            raise
    with result:
        failed = result.attrs.get("failed", 0)
        if not json:
            print(_summary(result, out))
    if json:
        _print_json(out)
    if failed:
        raise typer.Exit(1)


def merge(
    shards: Annotated[
        list[Path],
        typer.Argument(metavar="SHARD...", help="Files that `brnn sweep --shard` wrote.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="The whole sweep (.h5).", show_default=False)
    ],
    force: Force = False,
    json: AsJson = False,
) -> None:
    """Join the shards of an array job into one file."""
    from brnn.files.sweep.merge import merge_shards

    check_target(out, force, option="-o", suffixes=RESULTS, kept=shards)
    with merge_shards(shards, out, force=force) as result:
        if not json:
            print(_summary(result, out))
    if json:
        _print_json(out)


def _design(
    grid: list[str],
    random: list[str],
    count: str | None,
    draw: str | None,
    table: Path | None,
    repeats: str | None,
    seed: int,
    enormous: bool,
) -> Design:
    from brnn.sweeps.checks import MANY_MEMBERS
    from brnn.sweeps.designs import (
        Grid,
        LatinHypercube,
        Random,
        Repeats,
        Saltelli,
        Sobol,
        Table,
        parse_axes,
        parse_ranges,
    )

    parts: list[Design] = []
    if grid:
        with _told_with("--grid"):
            axes = parse_axes(grid, math.inf if enormous else MANY_MEMBERS)
        parts.append(Grid(axes))
    if random:
        kinds = {"random": Random, "sobol": Sobol, "latin": LatinHypercube, "saltelli": Saltelli}
        draw = "random" if draw is None else draw
        if draw not in kinds:
            raise InputError(f"--draw {draw}: must be one of {', '.join(kinds)}{closest(draw, kinds)}")
        if count is None:
            raise InputError("--random: -n N is needed, the number of members that are drawn")
        with _told_with("--random"):
            ranges = parse_ranges(random)
        parts.append(kinds[draw](whole_option(count, "-n"), seed, ranges))
    elif count is not None:
        raise InputError(f"-n {count}: is the number of members that --random draws, which is not given")
    elif draw is not None:
        raise InputError(f"--draw {draw}: is how --random draws, which is not given")
    if table is not None:
        parts.append(Table(table))
    if repeats is not None:
        parts.append(Repeats(whole_option(repeats, "--repeats")))
    if not parts:
        raise InputError(
            "the design is empty: give --grid NAME=LOW:HIGH:N, --random NAME=LOW:HIGH -n N, --table FILE or --repeats N"
        )
    design = parts[0]
    for part in parts[1:]:
        design = design * part
    return design


@contextlib.contextmanager
def _told_with(option: str) -> Iterator[None]:
    """Name the option in messages that begin with its value."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{option} {error}") from None


def _shard(text: str) -> tuple[int, int]:
    one, of = (count_in(part) for part in text.strip().partition("/")[::2])
    if one is None or of is None:
        raise InputError(f"--shard {shortened(text)}: must be I/N, for example 3/10")
    return one, of


@contextlib.contextmanager
def _executor(jobs: str | None, scheduler: str | None) -> Iterator[Any]:
    """Yield the executor that the options ask for."""
    if scheduler is None:
        count = None if jobs is None else whole_option(jobs, "--jobs")
        if count is not None and count < 1:
            raise InputError(f"--jobs {count}: the number of processes must be >= 1")
        yield count
        return
    try:
        from distributed import Client
    except ImportError:
        raise InputError('--scheduler: needs Dask: pip install "brnn[cluster]"') from None
    try:
        _reach(scheduler)
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except Exception as error:  # what Dask raises depends on the kind of address: OSError, ValueError, TypeError, ...
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"--scheduler {scheduler}: cannot be reached: {why}") from None
    try:
        yield client
    finally:
        client.close()


def _reach(scheduler: str) -> None:
    """Connect to `scheduler` once and leave it.

    A Client that could not connect is closed when Python frees it, which takes two more time limits, a traceback on
    stderr, and, if the next Client is just starting, that one's time limit too (distributed 2026.8.0).
    """
    import asyncio

    import dask
    from distributed import Security
    from distributed.comm.core import connect

    if dask.config.get("distributed.client.security-loader", None) is not None:
        return  # only a Client asks the user's own loader for its keys

    async def once() -> None:
        comm = await connect(scheduler, timeout=_PATIENCE, **Security().get_connection_args("client"))
        await comm.close()

    asyncio.run(once())


def _print_json(out: Path) -> None:
    from brnn.cli.as_json import print_json, written
    from brnn.files.sweep.describe import sweep_as_data

    print_json(written(out) | sweep_as_data(out))


def _summary(result: xr.Dataset, out: Path) -> str:

    counts = {name: int(result.attrs.get(name, 0)) for name in ("complete", "steady", "failed", "missing")}
    shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    rows = [("members", f"{result.sizes['member']}: {shown}")]
    for name in map(str, result.data_vars):
        if name.rpartition(".")[2] in ("total", "survivors", "regime") and result[name].ndim == 1:
            rows.append((name, _spread(result[name].values)))
    errors = [str(text) for text in result["error"].values if text] if "error" in result else []
    if errors:
        rows.append(("failed", errors[0] + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else "")))
    rows.append(("wrote", f"{out} ({size_in_words(out)})"))
    return columns(rows)


def _spread(values: Any) -> str:
    import numpy as np

    if values.dtype.kind in "OU":
        names, counts = np.unique([str(value) for value in values if value], return_counts=True)
        return ", ".join(
            f"{name} {count}" for name, count in sorted(zip(names, counts, strict=True), key=lambda x: -x[1])
        )
    known = values[np.isfinite(values)]
    return f"from {known.min():.5g} to {known.max():.5g}" if known.size else "none"
