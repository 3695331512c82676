"""Chunks of a sweep are bounded by time as well as by number, so that members are kept soon, however slow they are."""

from __future__ import annotations

import json
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import brnn
from brnn.compiler.lanes import LANES
from brnn.sweeps import dispatch, executors
from brnn.sweeps.building import members as building
from brnn.sweeps.dispatch import Dispatcher
from brnn.sweeps.executors import LocalThreads

A = np.linspace(0.5, 2.0, 300)


def slow(seconds: float, built: list[float]) -> Any:
    """A build that asks what tells members apart, so that they are built one by one."""

    def build(A: float = 1.0) -> brnn.Network:
        built.append(float(A))
        time.sleep(seconds)
        layer = brnn.Layer.additive("F1", 1, A=float(A), initial=1.0)
        return brnn.Network("decay", [layer], duration=1.0)

    return build


def test_members_are_run_before_all_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "BUILD_SECONDS", 0.1)
    monkeypatch.setattr(executors, "processors", lambda: 2)
    built: list[float] = []
    seen: list[int] = []

    def before(result: Any) -> float:
        seen.append(len(built))
        return float(result.final("F1")[0])

    data = brnn.sweep(slow(0.005, built), brnn.Grid(A=A), measures=[before], progress=False)
    np.testing.assert_allclose(data["before"], np.exp(-A), rtol=1e-5)
    assert len(built) < len(A) + 20  # each once, but for some that are tried together
    assert seen[0] < 100  # 20 in the first chunk, 20 in the second, and what is built while the first one runs


def test_no_more_are_built_one_by_one_than_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may have large arrays of its own."""
    real, sizes = dispatch.build_members, []

    def build_members(*arguments: Any) -> Any:
        built = real(*arguments)
        sizes.append(built.places.size)
        return built

    monkeypatch.setattr(dispatch, "build_members", build_members)
    monkeypatch.setattr(building, "BUILD_SECONDS", np.inf)
    brnn.sweep(slow(0.0, []), brnn.Grid(A=A), measures=["total"], progress=False)
    assert sizes[0] == LANES
    assert sum(sizes) == A.size


@pytest.mark.parametrize("executor", [None, 2])
def test_what_there_is_no_time_to_build_goes_out_again(executor: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chunk has time for one member."""
    monkeypatch.setattr(building, "BUILD_SECONDS", 0.0)
    monkeypatch.setattr(building, "_TRYING", 0)
    monkeypatch.setattr("brnn.sweeps.tasks.BUILD_SECONDS", 0.0)
    some = A[:40]
    design = brnn.Grid(A=some)
    with ThreadPoolExecutor(2) as threads:
        chosen: Executor | None = None if executor is None else threads
        data = brnn.sweep(slow(0.0, []), design, measures=["total"], executor=chosen, progress=False)
    assert data.attrs["complete"] == 40
    np.testing.assert_allclose(data["total"], np.exp(-some), rtol=1e-5)


def test_sizes_follow_the_time_that_members_take() -> None:
    work = object.__new__(Dispatcher)
    work.most, work.least, work.size = 2048, 64, 64
    work.workers = LocalThreads()
    work.workers._count = 2
    sizes = []
    for each in (1e-5, 1e-5, 1e-5, 1e-2, 1e-2, 1.0, 1e-5):  # seconds of a member
        work._learn(work.size, work.size * each, 2_000)
        sizes.append(work.size)
    assert sizes == [2048, 2048, 2048, 100, 100, 64, 2048]
    work._learn(3, 0.01, 2_000)  # the last few members of a kind say nothing
    assert work.size == 2048
    work._learn(2048, 0.02, 11)  # of small members more go together
    assert work.size == 8192
    work._learn(8192, 0.08, 512)  # these are not so small
    assert work.size == 2**21 // 512
    work._learn(2048, 0.02, 1_000_000)  # of what two threads hold of large ones all at once stays within memory
    assert work.size == 256
    work.workers._count = 64
    work._learn(256, 0.002, 1_000)
    assert work.size == 2**24 // 64_000


def test_the_file_is_there_before_a_member_is(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    there: list[bool] = []

    def build(A: float = 1.0) -> brnn.Network:
        there.append(path.exists())
        if len(there) > 1:  # the first one is built to see what the networks are like
            raise KeyboardInterrupt
        return brnn.Network("decay", [brnn.Layer.additive("F1", 1, A=float(A), initial=1.0)], duration=1.0)

    with pytest.raises(KeyboardInterrupt) as stopped:
        brnn.sweep(build, brnn.Grid(A=A), out=path, progress=False)
    assert there == [False, True]
    assert stopped.value.__notes__ == [f"0 of 300 members are kept in {path}; resume=True (--resume) runs the rest"]
    with brnn.open(path) as data:
        assert data.attrs["missing"] == 300
        np.testing.assert_array_equal(data["A"], A)


def test_a_file_does_not_depend_on_which_thread_is_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The codes of texts are in the order in which texts come; the first of two chunks is long in coming."""
    real, begun = executors.run_built, []

    def run_built(built: Any) -> Any:
        begun.append(built.members.size)
        if len(begun) == 1:
            time.sleep(0.2)
        return real(built)

    monkeypatch.setattr(executors, "run_built", run_built)
    monkeypatch.setattr(executors, "processors", lambda: 2)
    monkeypatch.setattr(dispatch, "_HELD", np.inf)  # however long the second chunk has to wait
    path = tmp_path / "sweep.h5"
    network = brnn.Network("decay", [brnn.Layer.additive("F1", 1, A=1.0, initial=1.0)], duration=1.0)

    def speed(result: Any) -> str:
        return f"{-np.log(result.final('F1')[0]):.1f}"

    with brnn.sweep(network, brnn.Grid({"F1.A": A}), measures=[speed], out=path, progress=False) as data:
        assert data["speed"].values.tolist() == [f"{a:.1f}" for a in A]
    assert len(begun) > 2
    with h5py.File(path) as file:
        assert json.loads(file["speed"].attrs["texts"]) == [f"{a / 10:.1f}" for a in range(5, 21)]


@pytest.mark.parametrize("wait", [True, False])
def test_finished_chunks_are_kept_when_a_sweep_is_stopped(
    wait: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption comes while the third chunk is built; the second one is finished, or soon will be."""
    path = tmp_path / "sweep.h5"
    real = dispatch.build_members
    calls: list[int] = []

    def build_members(*arguments: Any) -> Any:
        calls.append(len(calls))
        if len(calls) == 3:
            if not wait:
                time.sleep(0.5)
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(dispatch, "_GROWTH", 1)  # all chunks are small
    monkeypatch.setattr(dispatch, "_AHEAD", 64)
    monkeypatch.setattr(dispatch, "_GRACE", 300.0)
    monkeypatch.setattr(building, "BUILD_SECONDS", np.inf)
    monkeypatch.setattr(dispatch, "build_members", build_members)
    build = slow(0.0, [])
    with pytest.raises(KeyboardInterrupt) as stopped:
        brnn.sweep(build, brnn.Grid(A=A), measures=["total"], out=path, progress=False)
    with brnn.open(path) as data:
        done = int(data.attrs["complete"])
        assert done >= 64
        np.testing.assert_allclose(data["total"][:done], np.exp(-A[:done]), rtol=1e-5)
    assert stopped.value.__notes__[0].startswith(f"{done} of 300 members are kept in ")
    with brnn.sweep(build, brnn.Grid(A=A), measures=["total"], out=path, resume=True, progress=False) as data:
        np.testing.assert_allclose(data["total"], np.exp(-A), rtol=1e-5)
