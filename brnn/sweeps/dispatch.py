"""The loop of a sweep: members go out to workers in chunks, and what comes back is measured and written.

Chunks are bounded by number and by time, so that a sweep that is stopped loses seconds, however slow its members are:
the first ones are small, and each is as large as those before it say that it may be; the last ones are small again, so
that all workers end together. Members that there was no time to build go out again. What is integrated by threads of
this process is built here, many chunks at once, as that takes hardly longer than one; the file is opened, and what came
back is written, while the next chunks are integrated.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np

from brnn.base.data import UnknownKind
from brnn.compiler.lanes import LANES
from brnn.ensemble.status import FAILED
from brnn.files.sweep.schema import cell_dims
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.members import BuiltMembers, build_members
from brnn.sweeps.columns import pick
from brnn.sweeps.executors import WorkerLost, WorkerProcesses, Workers, processors
from brnn.sweeps.late_writer import LateWriter
from brnn.sweeps.measured import OwnMeasures, measured
from brnn.sweeps.measures import Measure
from brnn.sweeps.options import MemberOptions
from brnn.sweeps.seeds import member_seeds
from brnn.sweeps.tasks import FinishedMembers, WorkerMismatch, WorkerTask, failed_members, run_task

__all__ = ["Dispatcher"]

_SIDE_BY_SIDE = 2048  # members in one task of the compiled ensemble,
_SMALL = 8192  # and of small ones, as what a chunk costs beside its members is as much as hundreds of these,
_NUMBERS = 2**21  # whose states all together are so many numbers at most
_AT_ONCE = 2**24  # numbers that all threads give at once, of large members
_ONE_BY_ONE = 4  # members in one task of networks that run one by one
_BY_VALUE = 256  # members in one task that carries their networks
_AT_LEAST = 256  # members in one task, where so many are left
_AHEAD = 16384  # members that are built at once
_SECONDS = 1.0  # that a chunk may take, about
_GROWTH = 64  # times as large is a chunk at most as the one before
_SOON = 0.02  # seconds in which the first members may be back, before the file is opened without them
_LOOK = 1.0  # seconds after which the file is looked after
_HELD = 2.0  # seconds that members wait for those before them, to be written
_GRACE = 3.0  # seconds that a sweep that is stopped waits for the chunks that are being run
_TASKS_EACH = 4  # tasks for each worker, at least
_SUSPICIOUS = 2  # how often a chunk is lost with its worker before it runs alone
_LOSSES = 64  # chunks that are lost, before no other one is divided

Pending = dict[Any, tuple[np.ndarray, int, Workers, int]]  # futures: members, how often lost, whose, and in which order


class Dispatcher:
    """Hands out chunks of members, takes what comes back, and writes it."""

    def __init__(
        self,
        builder: NetworkBuilder,
        columns: Mapping[str, Any],
        options: MemberOptions,
        measures: tuple[Measure, ...],
        output: LateWriter,
        workers: Workers,
        seed: int,
        alone: bool,
        unknowns: int,
    ) -> None:
        self.builder, self.columns, self.options, self.measures = builder, columns, options, measures
        self.output, self.workers, self.seed = output, workers, seed
        self.most = _ONE_BY_ONE if alone else _SIDE_BY_SIDE
        self.least = 1 if alone else LANES
        self.size = self.least  # of the next chunk
        self.slots = workers.workers if workers.takes_built else workers.slots  # until the first chunk is back
        self.ahead = min(_AHEAD, _NUMBERS // max(1, unknowns))  # members that are built at once
        self.ready: tuple[np.ndarray, BuiltMembers] | None = None  # members that are built, and all of that batch
        self.number = 0  # of chunks that went out
        self.back: list[tuple[int, float, list[FinishedMembers]]] = []  # which of them is back, since when, with what
        self.by_value = builder.reference is None  # networks are sent themselves, not how to build them
        self.settled = False  # whether anything was written
        self.own = OwnMeasures()
        self.declared: set[str] = set()
        self.waiting: dict[Workers, list[tuple[np.ndarray, int]]] = {}  # chunks for them, and how often they were lost
        self.processes: WorkerProcesses | None = None  # for members that turn out to run one by one
        self.todo = np.zeros(0, np.int64)
        self.lost = 0
        self.faint = 0  # members without an activity that is much larger than the absolute tolerance
        self.warned: Counter[str] = Counter()  # what was warned of, and of how many members

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if self.processes is not None:
            self.processes.close(stopped=error[0] is not None)

    def run(self, todo: np.ndarray, finished: Callable[[int], None]) -> None:
        """Run the members `todo`, and say how many are finished whenever some are.

        If it is stopped, what is finished by then, or very soon, is written.
        """
        self.todo = todo
        pending: Pending = {}
        try:
            while True:
                self._hand_out(self.workers, pending, finished)
                if self.processes is not None:
                    self._hand_out(self.processes, pending, finished)
                self._write_all(pending, finished)
                if not pending:
                    return
                done = self.workers.wait(list(pending), _SOON if self.output.writer is None else _LOOK)
                for future in done:
                    self._take(future, *pending[future])
                    del pending[future]
                if self.output.writer is not None:
                    self.output.writer.keep()
                elif not done:
                    self.output.opened().begin()
        except BaseException as error:
            self._collect(pending, finished, wait=not isinstance(error, Exception))
            raise

    def _take(self, future: Any, members: np.ndarray, tries: int, workers: Workers, number: int) -> None:
        """Take what a finished future gave; what it did not give goes out again."""
        try:
            parts = workers.parts(future)
        except WorkerMismatch:
            self.by_value = True
            self.waiting[workers] += [(members[k : k + _BY_VALUE], tries) for k in range(0, members.size, _BY_VALUE)]
            return
        except UnknownKind:  # a class of the user's own, which is here and cannot be imported there
            parts = run_task(self._task(members))
        except WorkerLost as error:
            again = self._again(members, tries, error)
            if again:
                self.waiting[workers] += again
                return
            parts = [failed_members(members, [str(error)] * members.size)]
        self.back.append((number, time.monotonic(), list(parts)))
        given = np.concatenate([part.members for part in parts])
        self._put_back(members, given)
        self._learn(given.size, sum(part.seconds for part in parts), max(part.numbers for part in parts))

    def _write_all(self, pending: Pending, finished: Callable[[int], None]) -> None:
        """Write what is back. After an interruption, what it met is written again.

        Chunks that threads integrate are written in the order in which they went out, so that a file is the same every
        time, but for those that wait too long for another one, or are too many.
        """
        first = min((number for *_, workers, number in pending.values() if workers.takes_built), default=self.number)
        held = sum(part.members.size * part.numbers for *_, parts in self.back for part in parts)
        late = time.monotonic() - (_HELD if held <= _NUMBERS else 0.0)
        self.back.sort(key=lambda back: back[0])
        for back in [back for back in self.back if back[0] < first or back[1] <= late]:
            self._write_back(back, finished)

    def _write_back(self, back: Any, finished: Callable[[int], None]) -> None:
        """Write what one chunk gave, part by part."""
        parts = back[2]
        while parts:
            self._write(parts[0])
            finished(parts.pop(0).members.size)
        self.back.remove(back)
        if not self.settled:
            self.settled = True
            self.output.opened().settle()

    def _write_left(self, finished: Callable[[int], None]) -> None:
        """Write what is back of a sweep that has ended, each chunk whatever becomes of the others."""
        for back in sorted(self.back, key=lambda back: back[0]):
            with contextlib.suppress(Exception):  # what ended the sweep is told
                self._write_back(back, finished)

    def _collect(
        self,
        pending: Pending,
        finished: Callable[[int], None],
        wait: bool,
    ) -> None:
        """Write what is finished, or (if we may wait) very soon will be, and give up the rest."""
        end = time.monotonic() + (_GRACE if wait else 0.0)
        self._write_left(finished)
        for future in list(pending):
            if pending[future][2].give_up(future):
                del pending[future]
        while pending:
            for future in self.workers.wait(list(pending), max(0.0, end - time.monotonic())):
                with contextlib.suppress(Exception):
                    self._take(future, *pending[future])
                self._write_left(finished)
                del pending[future]
            if time.monotonic() >= end:
                return

    def _put_back(self, members: np.ndarray, taken: np.ndarray) -> None:
        """Let those of the members go out again that were not taken."""
        if taken.size < members.size:
            self.todo = np.concatenate([np.setdiff1d(members, taken), self.todo])

    def _learn(self, members: int, seconds: float, numbers: int) -> None:
        """Choose how many members go together, by how long so many took, and how many numbers each gave."""
        self.slots = self.workers.slots
        if 2 * members < self.size and seconds < _SECONDS:
            return  # few members say little of many
        wanted = members * _SECONDS / max(seconds, 1e-9)
        most = self.most
        if most == _SIDE_BY_SIDE and self.workers.takes_built and numbers:
            most = max(most, min(_SMALL, _NUMBERS // numbers))
        if self.workers.takes_built and numbers:  # what all threads give at once is held in memory
            most = min(most, max(_AT_LEAST, _AT_ONCE // (numbers * self.workers.workers)))
        self.size = int(min(max(wanted, self.least), _GROWTH * self.size, most))

    def _again(self, members: np.ndarray, tries: int, error: WorkerLost) -> list[tuple[np.ndarray, int]]:
        """Return what is tried again of a chunk that was lost, and how often it was: first all of it.

        What is lost again runs alone, as it may be another chunk that kills workers. If it is lost even so, it is
        divided: a member that kills its worker is so found among the others.
        """
        self.lost += 1
        if tries < _SUSPICIOUS:
            return [(members, _SUSPICIOUS if error.final else tries + 1)]
        if members.size == 1 or self.lost > _LOSSES:
            return []
        return [(half, _SUSPICIOUS) for half in np.array_split(members, 2)]

    def _hand_out(self, workers: Workers, pending: Pending, finished: Callable[[int], None]) -> None:
        """Give workers as many chunks as they may have, those first that were lost."""
        waiting = self.waiting.setdefault(workers, [])
        out = [tries for _, tries, of, _ in pending.values() if of is workers]
        slots = self.slots if workers is self.workers else workers.slots
        while len(out) < slots and (waiting or (workers is self.workers and (self.todo.size or self.ready))):
            if out and max(out[0], waiting[-1][1] if waiting else 0) >= _SUSPICIOUS:
                return
            if workers.takes_built:
                if self.ready is None:  # to build takes long
                    self._write_all(pending, finished)
                tries, (future, taken) = 0, self._submit_built()
            else:
                members, tries = waiting.pop() if waiting else (self._chunk(), 0)
                task = self._task(members)
                self._put_back(members, task.members)
                future, taken = workers.submit(task), task.members
            if future is not None:
                pending[future] = taken, tries, workers, self.number
                self.number += 1
                out.append(tries)

    def _chunk(self) -> np.ndarray:
        """Return members that go together: few enough that every worker gets several chunks."""
        share = -(-self.todo.size // (_TASKS_EACH * self.workers.workers))
        size = min(self.size, max(share, _AT_LEAST))
        if self.by_value:
            size = min(size, _BY_VALUE)
        chunk, self.todo = self.todo[:size], self.todo[size:]
        return chunk

    def _submit_built(self) -> tuple[Any, np.ndarray]:
        """Hand out members that are built; return a future, or None if none run here, and which they are."""
        members, built = self.ready or self._build()
        share = -(-(built.ready + self.todo.size) // (self.workers.workers + 1))
        built, rest = built.split(min(self.size, max(share, _AT_LEAST)))
        self.ready = None if rest is None else (members, rest)
        future = self.workers.submit(built) if built.groups or built.broken else None
        return future, members[built.places]

    def _build(self) -> tuple[np.ndarray, BuiltMembers]:
        """Build members, and put aside those that run one by one; return them, and what was built of them."""
        members, self.todo = self.todo[: self.ahead], self.todo[self.ahead :]
        columns = {name: pick(column, members) for name, column in self.columns.items()}
        seeds = member_seeds(self.seed, members)
        built = build_members(self.builder, columns, members, seeds, self.options, self.size)
        self._put_back(members, members[built.places])
        if built.singles:
            aside = members[[place for place, _ in built.singles]]
            if self.processes is None:
                self.processes = WorkerProcesses(min(processors(), aside.size))
            chunks = [(aside[k : k + _ONE_BY_ONE], 0) for k in range(0, aside.size, _ONE_BY_ONE)]
            self.waiting.setdefault(self.processes, []).extend(chunks)
            built = replace(built, singles=())
        return members, built

    def _task(self, members: np.ndarray) -> WorkerTask:
        columns = {name: pick(column, members) for name, column in self.columns.items()}
        seeds = member_seeds(self.seed, members)
        return WorkerTask.of(self.builder, columns, members, seeds, self.options, self.by_value)

    def _write(self, part: FinishedMembers) -> None:
        """Measure finished members and write them."""
        self.faint += part.faint
        self.warned.update(list(dict.fromkeys(part.warned)))
        errors = dict(part.errors)
        rows: dict[str, np.ndarray] = {"steps": part.steps, "evaluations": part.evaluations}
        self._declare("steps", (), "steps of the solver", np.int64)
        self._declare("evaluations", (), "evaluations of the right-hand side", np.int64)
        status = np.full(part.members.size, FAILED)
        states = part.states
        if states is not None:
            status = states.status.copy()
            values, wrong = measured(self.measures, states, self.own)
            errors |= wrong
            for name, row in values.items():
                rows[name] = row.values
                self._declare(name, row.dims, row.long_name)
            if states.times.size:
                for variable in states.variables:
                    course = states.block(variable, states.trajectory)
                    name = f"{variable.name}.t"
                    rows[name] = course.reshape(len(course), states.times.size, *variable.shape)
                    self._declare(name, ("time", *cell_dims(variable)), f"{variable.long_name} at the saved times")
        status[list(errors)] = FAILED
        texts = {int(part.members[k]): text for k, text in errors.items()}
        self.output.opened().write(part.members, rows, status, texts)

    def _declare(self, name: str, dims: tuple[str, ...], long_name: str, dtype: Any = None) -> None:
        if name not in self.declared:
            self.declared.add(name)
            self.output.opened().declare(name, dims, {"long_name": long_name}, dtype)
