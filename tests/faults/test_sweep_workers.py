"""Sweeps whose members run in other processes: the same numbers, also when a worker is killed."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import driven
import numpy as np
import pytest
import xarray as xr
from killing import wait_for

import brnn
from brnn.files.sweep.writer import SweepWriter
from brnn.sweeps import executors
from brnn.sweeps.executors import WorkerProcesses, _as_worker

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")

MEMBERS = 6000
THREADS = (
    "import numpy, numba, threadpoolctl; print(numba.config.NUMBA_NUM_THREADS, "
    'max(pool["num_threads"] for pool in threadpoolctl.threadpool_info()))'
)


@pytest.fixture(scope="module")
def local() -> xr.Dataset:
    data = run()
    driven.check_exact(data)
    return data


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(processes=True, **settings) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def run(**options: Any) -> xr.Dataset:
    options = {"measures": ["final", "total", "regime"], "progress": False, **options}
    result: xr.Dataset = brnn.sweep(driven.NETWORK, driven.design(MEMBERS), **options)
    return result


@pytest.fixture
def when_some_are_done(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], list[int]]:
    """Return a function that lets something be done in the middle of a sweep, however fast the machine is.

    That is when the third of at least eight chunks is written: before the first is back, no worker has two. The list
    holds how many members were written until then, and is empty until that happens.
    """

    def patch(action: Callable[[], None]) -> list[int]:
        sizes: list[int] = []
        happened: list[int] = []
        original = SweepWriter.write

        def write(self: SweepWriter, members: np.ndarray, *rest: Any) -> None:
            original(self, members, *rest)
            sizes.append(members.size)
            if len(sizes) == 3:
                happened.append(sum(sizes))
                action()

        monkeypatch.setattr(SweepWriter, "write", write)
        return happened

    return patch


# The same numbers everywhere -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2])
def test_processes(local: xr.Dataset, count: int) -> None:
    driven.check_same(run(executor=count), local)


def test_executors_of_the_user(local: xr.Dataset) -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        driven.check_same(run(executor=pool), local)
        assert pool.submit(int, 1).result() == 1  # it is left to its owner
    import multiprocessing

    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        driven.check_same(run(executor=processes), local)
        assert processes.submit(int, 1).result() == 1


def test_dask(local: xr.Dataset, client: Any) -> None:
    most = [0]
    submit = client.submit

    def counting(*arguments: Any, **keywords: Any) -> Any:
        future = submit(*arguments, **keywords)
        states = list(client.futures.values())  # at once: Dask's own thread changes them
        most[0] = max(most[0], sum(state.status == "pending" for state in states))
        return future

    client.submit = counting
    try:
        driven.check_same(run(executor=client), local)
    finally:
        del client.submit
    assert 0 < most[0] <= 4  # two tasks for each of two threads
    assert client.submit(int, 1).result() == 1


def test_a_build_that_workers_cannot_import(client: Any) -> None:
    """A function of a test, or of a script, is not found by workers: they are sent the networks themselves."""

    def inner(A: float) -> brnn.Network:
        return brnn.models.load("rcf").build(A=A)

    design = brnn.Grid(A=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75])
    expected = brnn.sweep("rcf", design, duration=2.0)
    for build in (inner, at_top_level):
        for executor in (2, client):
            found = brnn.sweep(build, design, duration=2.0, executor=executor)
            assert found["rcf.x"].values.tobytes() == expected["rcf.x"].values.tobytes()


def at_top_level(A: float) -> brnn.Network:
    return brnn.models.load("rcf").build(A=A)


def test_workers_have_one_thread_each() -> None:
    before = dict(os.environ)
    with WorkerProcesses(1) as workers, _as_worker():
        text = workers._pool.submit(subprocess.getoutput, f"{sys.executable} -c '{THREADS}'").result()
    assert text == "1 1"
    assert os.environ == before


@pytest.mark.parametrize("executor", ["None", "2"])
def test_a_script_without_a_guard(tmp_path: Path, executor: str) -> None:
    """Workers do not run the script again. It can have its own build and its own measures."""
    (tmp_path / "script.py").write_text(f"""
import brnn
print("the script runs")
def build(A, delay=0.0):
    layer = brnn.Layer.additive("F1", 1, A=A, initial=1.0)
    return brnn.Network("decay", [layer],
        [brnn.Projection("F1", "F1", "excitatory", brnn.Linear(0.1), brnn.OneToOne(), delay=delay)])
def last(result):
    return result.total("F1")
design = brnn.Grid(A=[0.5, 1.0, 1.5], delay=[0.0, 0.5])
data = brnn.sweep(build, design, duration=1.0, executor={executor}, measures=[last, "total"], out="sweep.h5")
print(int((data["status"] == 1).sum()), bool((data["last"] == data["total"]).all()))
""")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the script runs\n6 True\n", "")


# Workers that die ------------------------------------------------------------------------------------------------


def test_a_process_is_killed(
    local: xr.Dataset, tmp_path: Path, when_some_are_done: Callable[[Callable[[], None]], list[int]]
) -> None:
    path, before = tmp_path / "sweep.h5", set(driven.children(os.getpid()))

    def workers() -> list[int]:
        return [pid for pid in driven.children(os.getpid()) if pid not in before and is_worker(pid)]

    killed: list[int] = []

    def kill() -> None:
        killed.append(workers()[0])
        os.kill(killed[0], signal.SIGKILL)

    written = when_some_are_done(kill)
    with run(executor=2, out=path) as data:
        assert killed
        assert 0 < written[0] < MEMBERS
        assert (data["status"] == 1).all()
        driven.check_same(data, local)
    assert not workers()


def test_workers_that_die_while_a_sweep_is_stopped(
    when_some_are_done: Callable[[Callable[[], None]], list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when SIGTERM goes to all its processes: no thread fails, and what was finished is there."""
    failed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    wait = WorkerProcesses.wait

    def die(self: WorkerProcesses, *arguments: Any) -> list[Any]:
        for worker in list((self._pool._processes or {}).values()):
            worker.kill()
            worker.join()
        return wait(self, *arguments)

    def stop() -> None:
        monkeypatch.setattr(WorkerProcesses, "wait", die)
        raise KeyboardInterrupt

    written = when_some_are_done(stop)
    with pytest.raises(KeyboardInterrupt):
        run(executor=2, out=tmp_path / "sweep.h5")
    assert not failed
    with brnn.open(tmp_path / "sweep.h5") as data:
        assert written[0] <= data.attrs["complete"] < MEMBERS
        driven.check_exact(data)


def is_worker(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_a_dask_worker_is_killed(local: xr.Dataset, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pids, submit, submitted = list(client.run(os.getpid).values()), client.submit, []

    def submit_and_kill(*arguments: Any, **keywords: Any) -> Any:
        submitted.append(submit(*arguments, **keywords))
        if len(submitted) == 6:  # some are done, and each worker has one and another one waiting
            os.kill(pids[0], signal.SIGKILL)
        return submitted[-1]

    monkeypatch.setattr(client, "submit", submit_and_kill)
    data = run(executor=client)
    assert len(submitted) > 6
    assert (data["status"] == 1).all()
    driven.check_same(data, local)
    wait_for(lambda: pids[0] not in client.run(os.getpid, on_error="return").values())  # the scheduler knows it soon


# A build that ends a worker when it is the turn of one member.
DEADLY = """
import multiprocessing, os
from brnn.models.rcf import build as rcf
def build(A=1.0):
    if A == 0.625 and multiprocessing.parent_process() is not None:
        os._exit(1)
    return rcf(A=A)
"""
A = [0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8125, 0.875, 0.9375]


def test_a_member_that_kills_its_worker(tmp_path: Path) -> None:
    """It is found among the others, which run."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    text = (
        "import brnn, deadly\n"
        f"data = brnn.sweep(deadly.build, brnn.Grid(A={A}), executor=1, duration=1.0)\n"
        "print(*data['status'].values, *set(data['error'].values))"
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split(maxsplit=8)[:8] == ["1", "1", "3", "1", "1", "1", "1", "1"]
    assert "its worker process died" in done.stdout


def test_a_member_that_kills_every_worker_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    (tmp_path / "deadly.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)
    import deadly  # type: ignore[import-not-found]

    # Two workers and few deaths: Dask's nanny does not always bring back a worker that dies soon after its start, and
    # the sweep would wait for ever for the first worker of an empty cluster.
    settings = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(processes=True, **settings) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        data = brnn.sweep(deadly.build, brnn.Grid(A=A[1:3]), executor=client, duration=1.0)
    np.testing.assert_array_equal(data["status"], [1, 3])
    assert data["error"].values[1] == "each of the cluster's workers that had it died"


def test_a_cluster_without_workers_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "_COUNTED_EVERY", 0.0)
    monkeypatch.setattr(executors, "_EMPTY_FOR", 0.05)
    threads = {"tcp://127.0.0.1:1": 2}
    cluster = executors.DaskCluster(SimpleNamespace(nthreads=lambda: threads, status="running"))
    assert cluster.workers == 2
    threads.clear()
    time.sleep(0.1)
    with pytest.warns(UserWarning, match=r"the cluster has had no worker for 0.05 s; the sweep waits") as caught:
        assert cluster.workers == cluster.workers == 1  # a task waits for the first
    assert len(caught) == 1


def test_an_executor_of_the_user_whose_worker_dies(
    tmp_path: Path, when_some_are_done: Callable[[Callable[[], None]], list[int]]
) -> None:
    import multiprocessing

    path = tmp_path / "sweep.h5"
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        written = when_some_are_done(lambda: os.kill(next(iter(pool._processes)), signal.SIGKILL))
        with pytest.raises(brnn.InputError, match="one of its workers died"):
            run(executor=pool, out=path)
    with brnn.open(path) as data:
        assert written[0] <= data.attrs["complete"] < MEMBERS
        driven.check_exact(data)
    with pytest.raises(brnn.InputError, match="one of its workers died, so that it takes no more work"):
        run(executor=pool)  # what is handed over to a broken executor is refused at once


def test_a_scheduler_that_goes_away(
    tmp_path: Path, when_some_are_done: Callable[[Callable[[], None]], list[int]]
) -> None:
    distributed = pytest.importorskip("distributed")
    path = tmp_path / "sweep.h5"
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    words += ["--no-dashboard", "--scheduler-file", str(tmp_path / "scheduler.json")]
    scheduler = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    worker = None
    try:
        address = tmp_path / "scheduler.json"
        wait_for(lambda: address.exists() and address.read_text().rstrip().endswith("}"), scheduler)
        client = distributed.Client(scheduler_file=str(address), set_as_default=False, timeout=120)
        client._timeout = 5  # seconds: for so long it looks for a scheduler that has gone, where Dask's default is 30
        words = [sys.executable, "-m", "distributed.cli.dask_worker", client.scheduler.address, "--nthreads", "1"]
        worker = subprocess.Popen(
            [*words, "--host", "127.0.0.1", "--no-dashboard", "--no-nanny"],
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        written = when_some_are_done(scheduler.kill)
        with pytest.raises(brnn.InputError, match="cannot be reached any more"):
            run(executor=client, out=path)
        with brnn.open(path) as data:
            assert written[0] <= data.attrs["complete"] < MEMBERS
            driven.check_exact(data)
        client.close(timeout=1)
    finally:
        for process in (worker, scheduler):
            if process is not None:
                process.kill()
                process.wait()
