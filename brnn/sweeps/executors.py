"""Where the chunks of a sweep run: here, in processes, in an executor of the user's, or on a Dask cluster.

All of them take tasks and give back futures; the sweep never has more than `slots` of them out at once.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import numpy as np

from brnn.base.text import one_line
from brnn.errors import BrnnError, InputError
from brnn.sweeps.building.members import BuiltMembers
from brnn.sweeps.tasks import FinishedMembers, WorkerTask, run_built, run_task

__all__ = [
    "DaskCluster",
    "LocalThreads",
    "UserExecutor",
    "WorkerLost",
    "WorkerProcesses",
    "Workers",
    "processors",
    "workers_for",
]

_RETRIES = 3  # of Dask, where a task raises what may be bad luck, such as a lost connection
_COUNTED_EVERY = 2.0  # seconds: the workers of a cluster are counted again
_EMPTY_FOR = 30.0  # seconds without a worker, after which one line says what the sweep waits for
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class WorkerLost(BrnnError):
    """A worker died while it had the task; `final` if that has been tried often enough."""

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Workers:
    """What runs tasks. As a context manager it gives back what it took; at once if the sweep was stopped.

    Attributes
    ----------
    takes_built : bool
        Whether it runs members that the caller has built (`BuiltMembers`), or tasks (`WorkerTask`).
    """

    takes_built = False

    @property
    def workers(self) -> int:
        """How many tasks can run at the same time."""
        raise NotImplementedError

    @property
    def slots(self) -> int:
        """How many tasks may be out: one in hand and one waiting for each worker."""
        return 2 * self.workers

    def submit(self, task: Any) -> Any:
        """Return a future of the task's parts."""
        raise NotImplementedError

    def wait(self, pending: Iterable[Any], seconds: float = 1.0) -> list[Any]:
        """Return the futures that are done; wait for one at least, or so long."""
        return list(futures.wait(pending, timeout=seconds, return_when=futures.FIRST_COMPLETED).done)

    def parts(self, future: Any) -> list[FinishedMembers]:
        """Return what a finished future gave; raise WorkerLost if its worker died."""
        result: list[FinishedMembers] = future.result()
        return result

    def give_up(self, future: Any) -> bool:
        """Give up a task if it has not begun; return whether that is so."""
        return bool(future.cancel())

    def close(self, stopped: bool) -> None:
        """Give back what was taken; if the sweep was stopped, without waiting for tasks that are out."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(stopped=kind is not None)


class LocalThreads(Workers):
    """Threads of this process: members are built by the caller, and integrated by threads meanwhile."""

    takes_built = True

    def __init__(self) -> None:
        self._count = processors()
        self._pool = futures.ThreadPoolExecutor(self._count)

    @property
    def workers(self) -> int:
        """One for each processor."""
        return self._count

    def submit(self, task: BuiltMembers) -> Any:
        """Integrate what was built."""
        return self._pool.submit(run_built, task)

    def close(self, stopped: bool) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=not stopped, cancel_futures=True)


class UserExecutor(Workers):
    """An executor of the user's, who also ends it."""

    def __init__(self, executor: futures.Executor) -> None:
        self._executor = executor
        self._workers = int(getattr(executor, "_max_workers", 0) or processors())
        self._out: set[Any] = set()

    @property
    def workers(self) -> int:
        """As many as the executor says, or as there are processors."""
        return self._workers

    def submit(self, task: WorkerTask) -> Any:
        """Hand a task over."""
        try:
            future = self._executor.submit(run_task, task)
        except futures.BrokenExecutor:
            raise self._broken() from None
        except RuntimeError as error:  # a closed executor
            raise InputError(f"executor: takes no more work: {one_line(error)}") from None
        self._out.add(future)
        return future

    def parts(self, future: Any) -> list[FinishedMembers]:
        """Return what a finished future gave."""
        self._out.discard(future)
        try:
            return super().parts(future)
        except futures.BrokenExecutor:
            raise self._broken() from None
        except futures.CancelledError:
            raise InputError("executor: was shut down while the sweep needed it") from None

    def close(self, stopped: bool) -> None:
        """Leave the executor to its owner, without what has not begun."""
        for future in self._out:
            future.cancel()

    @staticmethod
    def _broken() -> InputError:
        return InputError("executor: one of its workers died, so that it takes no more work")


class WorkerProcesses(Workers):
    """Worker processes of this sweep; those of a pool in which one dies are replaced.

    Each of them computes in one thread, takes no notice of Ctrl-C, which is for this process to answer, and ends when
    this process ends, however that comes about.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._start()

    @property
    def workers(self) -> int:
        """Number of processes."""
        return self._count

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        # Only this process has the other end: when it is closed, by us or by our death, the workers go.
        leash, self._hand = context.Pipe(duplex=False)
        self._pool = futures.ProcessPoolExecutor(self._count, context, _begin, (leash,))

    def submit(self, task: WorkerTask) -> Any:
        """Hand a task over."""
        with _as_worker():
            try:
                return self._pool.submit(run_task, task)
            except BrokenProcessPool:
                self.close(stopped=True)
                self._start()
                return self._pool.submit(run_task, task)

    def parts(self, future: Any) -> list[FinishedMembers]:
        """Return what a finished future gave."""
        try:
            return super().parts(future)
        except (BrokenProcessPool, futures.CancelledError):
            raise WorkerLost("its worker process died") from None

    def give_up(self, future: Any) -> bool:
        """Tell whether a task has not begun.

        It is left to `close`: where a worker dies while the pool has a future that was cancelled, as when all processes
        of a sweep are sent SIGTERM, the pool's thread fails with a traceback (Python 3.11.7).
        """
        return not (future.running() or future.done())

    def close(self, stopped: bool) -> None:
        """End the processes."""
        if stopped:
            self._hand.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._hand.close()


class DaskCluster(Workers):
    """A Dask cluster, by the user's own Client. Workers may come and go while the sweep runs."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._workers = 0
        self._looked = -_COUNTED_EVERY
        self._there = time.monotonic()  # when a worker was seen
        self._said = False
        self._out: set[Any] = set()

    @property
    def workers(self) -> int:
        """How many threads the cluster has now; 1 while it has none, so that a task waits for the first."""
        self._count()
        return max(1, self._workers)

    def _count(self) -> None:
        now = time.monotonic()
        if now - self._looked >= _COUNTED_EVERY:
            with self._connection():
                self._workers = sum(self._client.nthreads().values())
            self._looked = now
        if self._workers:
            self._there = now
        elif now - self._there >= _EMPTY_FOR and not self._said:
            self._said = True
            warnings.warn(
                f"executor: the cluster has had no worker for {_EMPTY_FOR:g} s; the sweep waits until it has one",
                stacklevel=2,
            )

    def submit(self, task: WorkerTask) -> Any:
        """Hand a task to the scheduler, which gives it to another worker if one dies."""
        with self._connection():
            future = self._client.submit(run_task, task, pure=False, retries=_RETRIES)
        self._out.add(future)
        return future

    def wait(self, pending: Iterable[Any], seconds: float = 1.0) -> list[Any]:
        """Return the futures that are done."""
        from distributed import wait

        pending = list(pending)
        # CancelledError: one of them was given up; which one is seen below.
        ignored = contextlib.suppress(TimeoutError, futures.CancelledError, _cancelled())
        with self._client.as_current(), ignored:
            wait(pending, timeout=seconds, return_when="FIRST_COMPLETED")
        done = [future for future in pending if future.done()]
        if not done:
            self._count()
        return done

    def parts(self, future: Any) -> list[FinishedMembers]:
        """Return what a finished future gave, and let the scheduler forget it."""
        from distributed import KilledWorker

        self._out.discard(future)
        try:
            with self._connection():
                return super().parts(future)
        except KilledWorker:
            raise WorkerLost("each of the cluster's workers that had it died", final=True) from None
        except (_cancelled(), futures.CancelledError):
            raise WorkerLost("the cluster gave it up") from None
        except ImportError as error:
            raise InputError(
                f"executor: a worker of the cluster cannot import what it needs: {one_line(error)}"
            ) from None
        finally:
            future.release()

    def give_up(self, future: Any) -> bool:
        """Return False: what has begun is not known here, and `close` gives up the rest."""
        return False

    def close(self, stopped: bool) -> None:
        """Leave the cluster to its owner, without what is still out."""
        if self._out:
            with contextlib.suppress(Exception):  # it may be what has gone wrong
                self._client.cancel(list(self._out))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[None]:
        """Say in one line that the scheduler has gone, whatever Dask says."""
        try:
            yield
        except OSError as error:  # CommClosedError is one
            raise self._gone(error) from None
        except Exception as error:
            if self._client.status in ("running", "connecting"):
                raise
            raise self._gone(error) from None

    @staticmethod
    def _gone(error: Exception) -> InputError:
        return InputError(f"executor: the scheduler of the cluster cannot be reached any more: {type(error).__name__}")


def _cancelled() -> type[BaseException]:
    from distributed import CancelledError

    return CancelledError


def processors() -> int:
    """Return how many processors this process may use: a batch system gives it only some of the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_for(executor: Any) -> Workers:
    """Return the workers that a user's `executor` stands for.

    Raises
    ------
    InputError
        If it is none of None, a whole number, a concurrent.futures.Executor and a dask.distributed Client.
    """
    if executor is None:
        return LocalThreads()
    if isinstance(executor, (int, np.integer)) and not isinstance(executor, bool):
        if executor < 1:
            raise InputError(f"executor = {executor}: the number of processes must be >= 1")
        return WorkerProcesses(int(executor))
    if isinstance(executor, futures.Executor):
        return UserExecutor(executor)
    if type(executor).__module__.partition(".")[0] == "distributed" and hasattr(executor, "scheduler_info"):
        return DaskCluster(executor)
    raise InputError(
        f"executor = {executor!r}: must be None, a number of processes, a concurrent.futures.Executor, "
        "or a dask.distributed Client"
    )


def _begin(leash: Connection) -> None:
    """Begin a worker process: it ends when the other end of the leash is closed."""

    def follow() -> None:
        with contextlib.suppress(EOFError, OSError):
            leash.recv_bytes()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextlib.contextmanager
def _as_worker() -> Iterator[None]:
    """Make processes that are started meanwhile good workers.

    They do not run the user's script, of which tasks need nothing: otherwise a script without
    ``if __name__ == "__main__":`` would begin its sweep again in every worker. They compute in one thread, and Ctrl-C
    passes them by.
    """
    main = sys.modules["__main__"]
    kept = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if hasattr(signal, "pthread_sigmask") else None
    try:
        for name in kept:
            setattr(main, name, None) if name == "__spec__" else delattr(main, name)
        os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)
        for name, text in before.items():
            if text is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = text
        if masked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
