"""A sweep: many networks of one family, run wherever there is room for them, into one file."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from brnn.base.checks import number, whole
from brnn.ensemble.arrays import unfit
from brnn.ensemble.status import FAILED
from brnn.errors import InputError
from brnn.files.sweep.schema import cell_dims
from brnn.files.sweep.writer import SweepWriter
from brnn.integrate.times import saved_times
from brnn.sweeps import prepare
from brnn.sweeps.building.builder import Family
from brnn.sweeps.building.members import Options, build_members
from brnn.sweeps.building.tasks import Elsewhere, Part, Task, failed
from brnn.sweeps.designs import Design
from brnn.sweeps.designs.base import pick
from brnn.sweeps.executors import Lost, Processes, Workers, processors, workers_for
from brnn.sweeps.measures import Measure, Own, chosen_measures, computed

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["sweep"]

_CHUNK = 2048  # members in one task of the compiled ensemble
_ALONE = 4  # members in one task of networks that run one by one
_BY_VALUE = 256  # members in one task that carries their networks
_LEAST = 256  # members in one task, where so many are left
_SHARES = 4  # tasks for each worker, at least
_SUSPECT = 2  # how often a chunk is lost with its worker before it runs alone
_LOSSES = 64  # chunks that are lost, before no other one is divided


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
    and break points; networks with delays, white noise, events or discrete time run one by one in worker processes.

    Parameters
    ----------
    build : callable, str or Network
        A function ``build(...) -> Network``, the name of a model, or a network whose numbers are changed.
    design : Design
        Which parameters the members have, and which values: ``brnn.Grid(A=[0.5, 1.0], **{"signal.half": [0.1, 0.2]})``,
        ``brnn.Random``, ``brnn.Sobol``, ``brnn.LatinHypercube``, ``brnn.Table`` and products of these.
    duration : float, optional
        How long each member runs; its network's own duration by default.
    measures : names and functions
        What is kept of each member: "final", "total", "relative", "winner", "survivors", "stored_contrast", "regime",
        "time", or functions of its result (with ``result["F1.x"]``, ``.final("F1")``, ``.total("F1")``).
    out : str or Path, optional
        The HDF5 file, written while the sweep goes on. Without it everything is kept in memory.
    executor : None, int, Executor or Client
        Where members run: on the threads of this process, in so many processes, in a concurrent.futures.Executor, or
        on the cluster of a dask.distributed Client. The numbers are the same, to the last bit.
    resume : bool
        Go on with the file `out`: run the members that are missing or failed. It must belong to the same sweep.
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
    if not isinstance(design, Design):
        raise InputError(f"design = {type(design).__name__}: must be a design, e.g. brnn.Grid(A=[0.5, 1.0])")
    family = Family.of(build)
    family.check(design.names)
    chosen = chosen_measures(measures, design.names)
    if until not in ("duration", "steady"):
        raise InputError(f"until = {until!r}: must be 'duration' or 'steady'")
    if resume and out is None:
        raise InputError("resume: needs the file to go on with: out=...")
    selected = prepare.selected(design.size, shard)
    root = whole(seed, "seed", minimum=0)
    options = Options(
        None if duration is None else number(duration, "duration", above=0.0),
        (),
        number(rtol, "rtol", minimum=1e-13, maximum=1.0),
        number(atol, "atol", above=0.0),
        until,
        solver,
        any(measure.compares for measure in chosen),
    )
    if not enormous:
        prepare.refuse_very_many(design, len(chosen))
    probe = prepare.probe(family, design)
    prepare.check_solver(solver, probe, until)
    saved = () if times is None else tuple(saved_times(times, prepare.longest(family, design, options, probe)).tolist())
    options = replace(options, times=saved)
    if not enormous:
        prepare.refuse_enormous(design, chosen, options, probe)
    with ExitStack() as stack:
        path = Path(out) if out is not None else Path(stack.enter_context(_folder())) / "sweep.h5"
        columns = design.columns()
        header = prepare.header(family, design, columns, chosen, options, root, probe, selected, shard, command)
        writer = stack.enter_context(SweepWriter(path, header, force=force, resume=resume))
        todo = writer.pending()
        alone = probe is not None and (solver != "auto" or unfit(probe) is not None)
        workers = stack.enter_context(_workers(executor, alone, todo.size))
        work = stack.enter_context(_Sweep(family, columns, options, chosen, writer, workers, root, alone))
        done = (design.size if selected is None else selected.size) - todo.size
        work.run(todo, stack.enter_context(_bar(done, todo.size, progress)))
        result = writer.finish()
        return result if out is not None else result.load()


class _Sweep:
    """The loop: hand out chunks, take what comes back, write it."""

    def __init__(
        self,
        family: Family,
        columns: Mapping[str, Any],
        options: Options,
        measures: tuple[Measure, ...],
        writer: SweepWriter,
        workers: Workers,
        seed: int,
        alone: bool,
    ) -> None:
        self.family, self.columns, self.options, self.measures = family, columns, options, measures
        self.writer, self.workers, self.seed = writer, workers, seed
        self.most = _ALONE if alone else _CHUNK
        self.by_value = family.reference is None  # networks are sent themselves, not how to build them
        self.own = Own()
        self.declared: set[str] = set()
        self.waiting: dict[Workers, list[tuple[np.ndarray, int]]] = {}  # chunks for them, and how often they were lost
        self.processes: Processes | None = None  # for members that turn out to run one by one
        self.todo = np.zeros(0, np.int64)
        self.lost = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if self.processes is not None:
            self.processes.close(stopped=error[0] is not None)

    def run(self, todo: np.ndarray, finished: Callable[[int], None]) -> None:
        """Run the members `todo`, and say how many are finished whenever some are."""
        self.todo = todo
        pending: dict[Any, tuple[np.ndarray, int, Workers]] = {}
        while True:
            self._hand_out(self.workers, pending)
            if self.processes is not None:
                self._hand_out(self.processes, pending)
            if not pending:
                return
            for future in self.workers.wait(list(pending)):
                members, tries, workers = pending.pop(future)
                try:
                    parts = workers.parts(future)
                except Elsewhere:
                    self.by_value = True
                    self.waiting[workers] += [
                        (members[k : k + _BY_VALUE], tries) for k in range(0, members.size, _BY_VALUE)
                    ]
                    continue
                except Lost as error:
                    again = self._again(members, tries, error)
                    if again:
                        self.waiting[workers] += again
                        continue
                    parts = [failed(members, [str(error)] * members.size)]
                for part in parts:
                    self._write(part)
                finished(sum(part.members.size for part in parts))
            self.writer.keep()

    def _again(self, members: np.ndarray, tries: int, error: Lost) -> list[tuple[np.ndarray, int]]:
        """Return what is tried again of a chunk that was lost, and how often it was: first all of it.

        What is lost again runs alone, as it may be another chunk that kills workers. If it is lost even so, it is
        divided: a member that kills its worker is so found among the others.
        """
        self.lost += 1
        if tries < _SUSPECT:
            return [(members, _SUSPECT if error.final else tries + 1)]
        if members.size == 1 or self.lost > _LOSSES:
            return []
        return [(half, _SUSPECT) for half in np.array_split(members, 2)]

    def _hand_out(self, workers: Workers, pending: dict[Any, tuple[np.ndarray, int, Workers]]) -> None:
        """Give workers as many chunks as they may have, those first that were lost."""
        waiting = self.waiting.setdefault(workers, [])
        out = [tries for _, tries, of in pending.values() if of is workers]
        while len(out) < workers.slots and (waiting or (workers is self.workers and self.todo.size)):
            if out and max(out[0], waiting[-1][1] if waiting else 0) >= _SUSPECT:
                return
            members, tries = waiting.pop() if waiting else (self._chunk(), 0)
            future = self._submit(workers, members)
            if future is not None:
                pending[future] = members, tries, workers
                out.append(tries)

    def _chunk(self) -> np.ndarray:
        """Return members that go together: few enough that every worker gets several chunks."""
        share = -(-self.todo.size // (_SHARES * self.workers.workers))
        size = self.most if self.workers.takes_built else min(self.most, max(share, _LEAST))
        if self.by_value and not self.workers.takes_built:
            size = min(size, _BY_VALUE)
        chunk, self.todo = self.todo[:size], self.todo[size:]
        return chunk

    def _submit(self, workers: Workers, members: np.ndarray) -> Any:
        """Hand out members; return a future, or None if they are all put aside to run one by one."""
        columns = {name: pick(column, members) for name, column in self.columns.items()}
        seeds = prepare.seeds(self.seed, members)
        if not workers.takes_built:
            return workers.submit(Task.of(self.family, columns, members, seeds, self.options, self.by_value))
        built = build_members(self.family, columns, members, seeds, self.options)
        if built.singles:
            aside = members[[place for place, _ in built.singles]]
            if self.processes is None:
                self.processes = Processes(min(processors(), aside.size))
            chunks = [(aside[k : k + _ALONE], 0) for k in range(0, aside.size, _ALONE)]
            self.waiting.setdefault(self.processes, []).extend(chunks)
            built = replace(built, singles=())
        return workers.submit(built) if built.groups or built.broken else None

    def _write(self, part: Part) -> None:
        """Measure finished members and write them."""
        errors = dict(part.errors)
        rows: dict[str, np.ndarray] = {"steps": part.steps, "evaluations": part.evaluations}
        self._declare("steps", (), "steps of the solver", np.int64)
        self._declare("evaluations", (), "evaluations of the right-hand side", np.int64)
        status = np.full(part.members.size, FAILED)
        group = part.group
        if group is not None:
            status = group.status.copy()
            values, wrong = computed(self.measures, group, self.own)
            errors |= wrong
            for name, row in values.items():
                rows[name] = row.values
                if row.dims is not None:
                    self._declare(name, row.dims, row.long_name)
                else:
                    own = tuple(f"{name}_{axis}" for axis in range(row.values.ndim - 1))
                    self._declare(name, own, row.long_name)
            if group.times.size:
                for variable in group.variables:
                    states = group.block(variable, group.trajectory)
                    name = f"{variable.name}.t"
                    rows[name] = states.reshape(len(states), group.times.size, *variable.shape)
                    self._declare(name, ("time", *cell_dims(variable)), f"{variable.long_name} at the saved times")
        status[list(errors)] = FAILED
        self.writer.write(part.members, rows, status, {int(part.members[k]): text for k, text in errors.items()})

    def _declare(self, name: str, dims: tuple[str, ...], long_name: str, dtype: Any = None) -> None:
        if name not in self.declared:
            self.declared.add(name)
            self.writer.declare(name, dims, {"long_name": long_name}, dtype)


def _workers(executor: Any, alone: bool, members: int) -> Workers:
    """Return the workers; networks that run one by one get processes of their own."""
    if executor is None and alone and members:
        return Processes(min(processors(), members))
    return workers_for(executor)


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="brnn-")


@contextmanager
def _bar(done: int, todo: int, progress: bool) -> Iterator[Callable[[int], Any]]:
    """Yield what is told how many members are finished: on a terminal a progress bar with rate and time left."""
    if not (progress and sys.stderr is not None and sys.stderr.isatty()):
        yield lambda count: None
        return
    from tqdm import tqdm

    with tqdm(total=done + todo, initial=done, unit="member", file=sys.stderr, dynamic_ncols=True) as bar:
        yield bar.update
