"""A sweep: many networks that differ in their parameters, run wherever there is room for them, into one file."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from tqdm import tqdm

from brnn.base.checks import number, whole
from brnn.base.named import says_what_is_meant
from brnn.base.paths import check_target
from brnn.compiler.layout import state_size
from brnn.ensemble.arrays import unfit
from brnn.errors import FileError, InputError
from brnn.files.sweep.writer import SweepWriter
from brnn.integrate.times import saved_times
from brnn.sweeps.building.find import builder_of
from brnn.sweeps.checks import (
    check_solver,
    longest_duration,
    refuse_enormous,
    refuse_very_many,
    sample_network,
    shard_members,
    warn_alike,
    warn_faint,
    warn_of_members,
)
from brnn.sweeps.designs import Design
from brnn.sweeps.dispatch import Dispatcher
from brnn.sweeps.executors import WorkerProcesses, Workers, processors, workers_for
from brnn.sweeps.header import sweep_header
from brnn.sweeps.late_writer import LateWriter
from brnn.sweeps.measures import Measure, chosen_measures
from brnn.sweeps.options import MemberOptions

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["sweep"]


@says_what_is_meant
def sweep(
    build: Any,
    design: Design,
    *,
    duration: float | None = None,
    measures: Any = ("final",),
    out: str | Path | None = None,
    executor: Any = None,
    resume: bool = False,
    progress: bool = True,
    times: Any = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    until: Literal["duration", "steady"] = "duration",
    solver: str = "auto",
    seed: int = 0,
    shard: tuple[int, int] | None = None,
    force: bool = False,
    enormous: bool = False,
    command: str | None = None,
) -> xr.Dataset:
    """Run every member of a design and return what was measured.

    Networks of the same structure run side by side in compiled code, each with its own adaptive step, error control
    and break points, or, with white noise, its own seed (SRIW1, with the step that `simulate` takes); networks with
    delays, events or discrete time run one by one in worker processes.

    Parameters
    ----------
    build : callable, str or Network
        A function ``build(...) -> Network``, the name of a model, or a network whose numbers are changed.
    design : Design
        Which parameters the members have, and which values: ``brnn.Grid(A=[0.5, 1.0], **{"signal.half": [0.1, 0.2]})``,
        ``brnn.Random``, ``brnn.Sobol``, ``brnn.LatinHypercube``, ``brnn.Table``, ``brnn.Repeats`` (of networks with
        noise) and products of these.
    duration : float, optional
        How long each member runs; its network's own duration by default.
    measures : names and functions
        What is kept of each member: "final", "total", "relative", "winner", "survivors", "stored_contrast", "regime",
        "time", or functions of its result (with ``result["F1.x"]``, ``.final("F1")``, ``.total("F1")``). "final" keeps
        the states under the names that they have in a run, ``"F1.x"``; what is measured of a layer is called alike,
        ``"F1.winner"``, and ``data["winner"]`` is enough if there is one layer. A function has one row, with its name.
    out : str or Path, optional
        The HDF5 file, written while the sweep goes on. Without it everything is kept in memory.
    executor : None, int, Executor or Client
        Where members run: on the threads of this process, in so many processes, in a concurrent.futures.Executor, or
        on the cluster of a dask.distributed Client. The numbers are the same, to the last bit.
    resume : bool
        Go on with the file `out`: run the members that are missing or failed. It must belong to the same sweep. A
        sweep that is stopped, by Ctrl-C or a kill, leaves a file with every member that was finished.
    progress : bool
        Show a progress bar on a terminal.
    times : array, optional
        Times at which every member's states are kept as well.
    rtol, atol : float
        Tolerances of each unknown.
    until : str
        "steady" stops each member when it has come to rest.
    solver : str
        "auto", or a solver of `simulate`, with which the members then run one by one.
    seed : int
        Root of the members' seeds (networks with white noise or chance events).
    shard : (int, int), optional
        ``(i, n)``: run only the i-th of n parts, i = 1 ... n; `brnn merge` joins their files.
    force : bool
        Replace an existing file.
    enormous : bool
        Run designs of very many members or bytes, which are refused otherwise.
    command : str, optional
        The command line, for the file.

    Returns
    -------
    xarray.Dataset
        Parameters, measures and status of each member along the dimension "member". ``brnn.unstack`` gives a grid its
        axes.

    Raises
    ------
    InputError, SpecError
        If a value is not valid or a parameter does not exist.
    FileError
        If the file cannot be written, or does not belong to this sweep.
    """
    begun = time.monotonic()
    if not isinstance(design, Design):
        raise InputError(f"design = {type(design).__name__}: must be a design, e.g. brnn.Grid(A=[0.5, 1.0])")
    builder = builder_of(build)
    builder.check(design.taken)
    chosen = chosen_measures(measures, design.names)
    if until not in ("duration", "steady"):
        raise InputError(f"until = {until!r}: must be 'duration' or 'steady'")
    if resume and out is None:
        raise InputError("resume: needs the file to go on with: out=...")
    selected = shard_members(design.size, shard)
    root = whole(seed, "seed", minimum=0)
    options = MemberOptions(
        None if duration is None else number(duration, "duration", above=0.0),
        (),
        number(rtol, "rtol", minimum=1e-13, maximum=1.0),
        number(atol, "atol", above=0.0),
        until,
        solver,
        any(measure.compares for measure in chosen),
    )
    if not enormous:
        refuse_very_many(design, len(chosen))
    sample = sample_network(builder, design)
    check_solver(solver, sample, until)
    warn_alike(design, sample)
    saved = (
        () if times is None else tuple(saved_times(times, longest_duration(builder, design, options, sample)).tolist())
    )
    options = replace(options, times=saved)
    if not enormous:
        refuse_enormous(design, chosen, options, sample)
    with ExitStack() as stack:
        path = Path(out) if out is not None else Path(stack.enter_context(_folder())) / "sweep.h5"
        check_target(path, force or resume)
        columns = design.columns()

        def made() -> SweepWriter:
            header = sweep_header(builder, design, columns, chosen, options, root, sample, selected, shard, command)
            seconds = time.monotonic() - begun
            writer = stack.enter_context(SweepWriter(path, header, force=force, resume=resume, seconds=seconds))
            _refuse_other_names(chosen, writer, path)
            return writer

        output = LateWriter(made)
        stack.enter_context(_saying_what_is_kept(out, output))
        every = np.arange(design.size) if selected is None else selected
        todo = output.opened().pending() if resume else every
        alone = sample is not None and (solver != "auto" or unfit(sample) is not None)
        workers = stack.enter_context(_workers(executor, alone, todo.size))
        taken = {name: column for name, column in columns.items() if name in design.taken}
        unknowns = 0 if sample is None else state_size(sample)
        work = stack.enter_context(Dispatcher(builder, taken, options, chosen, output, workers, root, alone, unknowns))
        done = every.size - todo.size
        if out is not None and not path.exists():
            output.opened().begin()
        work.run(todo, stack.enter_context(_bar(done, todo.size, progress)))
        result = output.opened().finish()
        warn_faint(work.faint, done + todo.size, options.atol)
        warn_of_members(work.warned, done + todo.size)
        return result if out is not None else result.load()


def _refuse_other_names(measures: Sequence[Measure], writer: SweepWriter, path: Path) -> None:
    """Refuse to go on with a file in which the layer is not before its measure: there would be two half rows."""
    for measure in measures:
        if measure.scope in ("layer", "cells") and measure.name in writer.variables:
            raise FileError(f"{path} cannot be resumed: an older brnn named its measures otherwise; run the sweep anew")


def _workers(executor: Any, alone: bool, members: int) -> Workers:
    """Return the workers; networks that run one by one get processes of their own."""
    if executor is None and alone and members:
        return WorkerProcesses(min(processors(), members))
    return workers_for(executor)


@contextmanager
def _saying_what_is_kept(out: str | Path | None, output: LateWriter) -> Iterator[None]:
    """Add to what stops the sweep (Ctrl-C) a note of what its file has."""
    try:
        yield
    except Exception:
        raise
    except BaseException as stopped:
        writer = output.writer
        if out is not None and writer is not None and writer.kept is not None:
            kept = f"{writer.kept:,} of {writer.size:,} members are kept in {out}"
            stopped.add_note(f"{kept}; resume=True (--resume) runs the rest")
        raise


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="brnn-")


@contextmanager
def _bar(done: int, todo: int, progress: bool) -> Iterator[Callable[[int], Any]]:
    """Yield what is told how many members are finished: on a terminal a progress bar with rate and time left."""
    if not (progress and sys.stderr is not None and sys.stderr.isatty()):
        yield lambda count: None
        return

    with tqdm(total=done + todo, initial=done, unit="member", file=sys.stderr, dynamic_ncols=True) as bar:
        yield bar.update
