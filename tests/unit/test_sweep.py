"""Sweeps: what their members are, how they run and what is kept of them, beside single runs."""

from __future__ import annotations

import concurrent.futures
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import brnn
from brnn.models.rcf import build as rcf
from brnn.sweeps.states import MemberResult

A = [0.5, 0.8, 1.1, 1.4]


def sweep(build: Any, design: Any, **options: Any) -> xr.Dataset:
    """Run a sweep; members that run one by one do so in a thread, which needs no process to start."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        if options.get("solver", "auto") != "auto" or build in (delayed, binary, spiking):
            options = {"executor": thread, **options}
        result: xr.Dataset = brnn.sweep(build, design, progress=False, **{"duration": 5.0, **options})
    return result


def one(build: Any, values: Any, **options: Any) -> brnn.Result:
    """Return a run of one member by itself, at tolerances that leave the sweep's as the only error."""
    return brnn.simulate(build(**values), rtol=1e-11, atol=1e-13, **{"duration": 5.0, **options})


def test_saved_times() -> None:
    times = [0.0, 0.5, 1.0, 3.25, 5.0]
    data = sweep("rcf", brnn.Grid(A=A), times=times, measures="final")
    assert data["rcf.x.t"].dims == ("member", "time", "rcf")
    np.testing.assert_array_equal(data["time"], times)
    for member, value in enumerate(A):
        single = one(rcf, {"A": value}, times=times)
        np.testing.assert_allclose(data["rcf.x.t"][member], single["rcf.x"], rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(data["rcf.x.t"][:, -1], data["rcf.x"])


def test_saved_times_before_the_end() -> None:
    """The last state is that at the end, whether or not this is a saved time; so is it for members that run alone."""
    for solver in ("auto", "RK45"):
        data = sweep("rcf", brnn.Grid(A=[0.5, 1.0]), times=[1.0, 2.0], measures="final", solver=solver)
        for member, value in enumerate([0.5, 1.0]):
            single = one(rcf, {"A": value}, times=[1.0, 2.0, 5.0])["rcf.x"].values
            np.testing.assert_allclose(data["rcf.x.t"][member], single[:2], rtol=1e-4, atol=1e-7)
            np.testing.assert_allclose(data["rcf.x"][member], single[2], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("solver", ["auto", "RK45"])
def test_until_steady(solver: str) -> None:
    data = sweep(
        "rcf",
        brnn.Grid(A=[0.6, 1.0]),
        duration=None,
        until="steady",
        measures=["final", "end"],
        times=[1.0, 1e4],
        solver=solver,
    )
    assert (data["status"] == 2).all()
    assert ((data["end"] > 1.0) & (data["end"] < 1e4)).all()
    assert np.isnan(data["rcf.x.t"][:, 1]).all()
    for member, value in enumerate([0.6, 1.0]):
        rest = brnn.simulate(rcf(A=value), until="steady").final("rcf")
        np.testing.assert_allclose(data["rcf.x"][member], rest, rtol=1e-3, atol=1e-5)


def test_members_have_their_own_durations() -> None:
    def build(span: float) -> brnn.Network:
        return rcf().replace(duration=span)

    data = sweep(build, brnn.Grid(span=[1.0, 2.0, 4.0]), duration=None, times=[0.5, 1.5, 3.0], measures="end")
    np.testing.assert_array_equal(data["end"], [1.0, 2.0, 4.0])
    known = np.isfinite(data["rcf.x.t"].values).all(axis=2)
    np.testing.assert_array_equal(known, [[True, False, False], [True, True, False], [True, True, True]])


def test_builds_that_fail() -> None:
    def build(A: float) -> brnn.Network:
        if A > 1:
            raise RuntimeError("no\nnetwork")
        return rcf(A=A)

    data = sweep(build, brnn.Grid(A=[*A, -1.0]), measures="total")
    np.testing.assert_array_equal(data["status"], [1, 1, 3, 3, 3])
    assert data["error"].values.tolist()[2:4] == ["build: RuntimeError: no network"] * 2
    assert "must be a number >= 0" in str(data["error"].values[4])
    np.testing.assert_array_equal(np.isnan(data["total"]), [False, False, True, True, True])
    assert data.attrs["failed"] == 3
    with pytest.raises(brnn.InputError, match="build: RuntimeError: no network"):
        sweep(build, brnn.Grid(A=[1.5, 2.0]))
    with pytest.raises(brnn.SpecError, match=">= 0"):
        sweep("rcf", brnn.Grid(A=[-1.0, -2.0]))


def explodes(start: float) -> brnn.Network:
    """x' = -x + x^2, which from x > 1 is infinite after ln(x/(x - 1))."""
    layer = brnn.Layer.additive("F1", 1, A=1.0, initial=start)
    link = brnn.Projection("F1", "F1", "excitatory", brnn.Power(1.0, 2.0), brnn.OneToOne())
    return brnn.Network("explodes", [layer], [link])


@pytest.mark.parametrize("solver", ["auto", "RK45"])
def test_members_whose_solution_ends(solver: str) -> None:
    data = sweep(explodes, brnn.Grid(start=[0.5, 2.0, 0.9, 4.0]), measures=["total", "final", "winner"], solver=solver)
    np.testing.assert_array_equal(data["status"], [1, 3, 1, 3])
    exact = [1 / (1 + (1 / x - 1) * math.exp(5.0)) for x in (0.5, 0.9)]
    np.testing.assert_allclose(data["total"][[0, 2]], exact, rtol=1e-4)
    assert np.isnan(data["total"][[1, 3]]).all()
    assert np.isnan(data["F1.x"][[1, 3]]).all()
    np.testing.assert_array_equal(data["winner"][[1, 3]], [-1, -1])
    for member, start in ((1, 2.0), (3, 4.0)):
        text = str(data["error"].values[member])
        assert "F1.x[0]" in text
        assert f"{math.log(start / (start - 1)):.3f}"[:4] in text
        assert "\n" not in text


def test_seeds() -> None:
    design = brnn.Grid(A=np.linspace(0.5, 1, 50))
    a, b, c = (sweep("rcf", design, seed=seed, measures="total", duration=0.1)["seed"].values for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert len({*a.tolist(), *c.tolist()}) == 100
    assert max(a) < 2**53
    assert [int(seed) for seed in a] == [int(float(seed)) for seed in a]


def noisy(strength: float) -> brnn.Network:
    layer = brnn.Layer.additive("F1", 2, A=1.0)
    return brnn.Network("noisy", [layer], stimuli=[brnn.Stimulus("F1", "excitatory", strength, brnn.WhiteNoise())])


def delayed(delay: float) -> brnn.Network:
    layer = brnn.Layer.shunting("F1", 2, A=1.0, B=2.0, initial=[0.5, 1.0])
    return brnn.Network(
        "delayed", [layer], [brnn.Projection("F1", "F1", "inhibitory", brnn.Linear(), brnn.AllToAll(), delay=delay)]
    )


def binary(threshold: float) -> brnn.Network:
    layer = brnn.BinaryLayer("F1", 3, threshold=threshold, initial=[1.0, 0.0, 1.0])
    return brnn.Network(
        "binary", [layer], [brnn.Projection("F1", "F1", "excitatory", brnn.Linear(), brnn.AllButSelf())]
    )


def spiking(rate: float) -> brnn.Network:
    """x' = rate, set back to 0 at x = 1."""
    layer = brnn.Layer.additive("F1", 1, A=0.0)
    reset = brnn.Event("spike", brnn.Crossing("F1", 1.0), brnn.SetState("F1", 0.0))
    return brnn.Network("spiking", [layer], stimuli=[brnn.Stimulus("F1", pattern=rate)], events=[reset])


def test_white_noise() -> None:
    data = sweep(noisy, brnn.Grid(strength=[0.5, 1.0, 0.0]), measures="final", duration=1.0, seed=3)
    assert (data["status"] == 1).all()
    for member in range(3):
        row = data.isel(member=member)
        network, seed = noisy(float(row["strength"])), int(row["seed"])
        single = brnn.simulate(network, 1.0, seed=seed, times=[1.0], solver="compiled")
        np.testing.assert_array_equal(row["F1.x"], single.final("F1"))
        single = brnn.simulate(network, 1.0, seed=seed, times=[1.0])  # the same steps, in NumPy
        np.testing.assert_allclose(row["F1.x"], single.final("F1"), rtol=1e-10, atol=1e-14)
    again = sweep(noisy, brnn.Grid(strength=[0.5, 1.0, 0.0]), measures="final", duration=1.0, seed=3)
    np.testing.assert_array_equal(data["F1.x"], again["F1.x"])


@pytest.mark.parametrize(
    ("build", "column"),
    [(delayed, {"delay": [0.1, 0.5, 1.0]}), (binary, {"threshold": [0.5, 1.5]}), (spiking, {"rate": [0.35, 0.7]})],
)
def test_networks_that_run_one_by_one(build: Any, column: dict[str, list[float]]) -> None:
    data = sweep(build, brnn.Grid(column), measures=["final", "total"], times=[2.0, 5.0])
    (name,) = column
    for member, value in enumerate(column[name]):
        single = brnn.simulate(build(value), 5.0, times=[2.0, 5.0])["F1.x"].values
        np.testing.assert_array_equal(data["F1.x.t"][member], single)
        np.testing.assert_array_equal(data["F1.x"][member], single[-1])
    if build is spiking:
        np.testing.assert_allclose(data["F1.x"][:, 0], [0.35 * 5 - 1, 0.7 * 5 - 3], atol=1e-6)


def test_what_members_are_warned_of_is_said_once() -> None:
    """Not by each of them, and not by worker processes in a form of their own."""
    layer = brnn.Layer.additive("x", 1, A=1.0)
    late = brnn.Stimulus("x", "excitatory", [1.0], brnn.Pulse(5.0, 6.0))
    design = brnn.Table({"x.A": [1.0, 2.0]})
    with pytest.warns(UserWarning, match="2 of 2 members") as raised:
        brnn.sweep(brnn.Network("late", [layer], [], [late]), design, duration=2.0, solver="RK45")
    assert [str(warning.message).rpartition(": ")[0] for warning in raised] == [
        "2 of 2 members: Stimulus of 'x' is never on in this run, which goes from 0 to 2",
        "2 of 2 members: late has no input in this run and no activity at time 0, so that it stays at 0",
    ]


def test_members_of_both_kinds() -> None:
    """Without a delay a member runs in the ensemble, with one by itself."""
    data = sweep(delayed, brnn.Table({"delay": [0.0, 0.5, 0.0, 1.0]}), measures="final")
    assert (data["status"] == 1).all()
    np.testing.assert_array_equal(data["F1.x"][0], data["F1.x"][2])
    for member, delay in ((0, 0.0), (1, 0.5), (3, 1.0)):
        np.testing.assert_allclose(data["F1.x"][member], one(delayed, {"delay": delay}).final("F1"), rtol=1e-4)


def test_shards_are_the_whole(tmp_path: Path) -> None:
    design = brnn.Random(50, 3, A=(0.5, 1.5))
    whole = sweep("rcf", design, measures="final")
    parts = [tmp_path / f"{k}.h5" for k in (1, 2, 3)]
    for k, path in enumerate(parts, start=1):
        sweep("rcf", design, measures="final", shard=(k, 3), out=path).close()
    with brnn.merge_shards(parts, tmp_path / "whole.h5") as merged:
        for name in whole.variables:
            np.testing.assert_array_equal(merged[name], whole[name], err_msg=str(name))


def test_resume_runs_what_failed_and_what_is_missing(tmp_path: Path) -> None:
    ready = [False]
    calls = []

    def fragile(result: MemberResult) -> float:
        calls.append(1)
        if not ready[0] and result.total("rcf") < 2.0:
            raise ValueError("not yet")
        return result.total("rcf")

    path = tmp_path / "sweep.h5"
    options: dict[str, Any] = {"measures": [fragile, "total"], "out": path}
    with sweep("rcf", brnn.Grid(A=A), **options) as data:
        failed = int((data["status"] == 3).sum())
    assert 0 < failed < 4
    ready[0] = True
    calls.clear()
    with sweep("rcf", brnn.Grid(A=A), resume=True, **options) as data:
        assert len(calls) == failed
        assert (data["status"] == 1).all()
        assert data["error"].values.tolist() == [""] * 4
        np.testing.assert_array_equal(data["fragile"], data["total"])
    calls.clear()
    sweep("rcf", brnn.Grid(A=A), resume=True, **options).close()
    assert not calls
    with pytest.raises(brnn.FileError, match="cannot be resumed.*rtol"):
        sweep("rcf", brnn.Grid(A=A), resume=True, rtol=1e-7, **options)
    with pytest.raises(brnn.FileError, match="cannot be resumed.*design"):
        sweep("rcf", brnn.Grid(A=A[:3]), resume=True, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"until": "rest"}, "until = 'rest'"),
        ({"duration": 0.0}, "duration"),
        ({"rtol": 2.0}, "rtol"),
        ({"atol": 0.0}, "atol"),
        ({"times": [3.0, 1.0]}, "must rise"),
        ({"times": [1.0, 9.0]}, "outside of the run"),
        ({"seed": -1}, "seed"),
        ({"shard": (0, 3)}, "shard = 0/3"),
        ({"shard": (4, 3)}, "shard = 4/3"),
        ({"shard": (1, 9)}, "the design has only 4 members"),
        ({"shard": "1/2"}, "shard"),
        ({"executor": 0}, "executor = 0"),
        ({"executor": True}, "executor = True"),
        ({"executor": "two"}, "executor = 'two'"),
        ({"resume": True}, "resume"),
        ({"solver": "RK54"}, "RK54"),
    ],
)
def test_bad_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises((brnn.InputError, brnn.SpecError)) as error:
        sweep("rcf", brnn.Grid(A=A), **options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_bad_executor_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    with pytest.raises(brnn.InputError, match="executor = 0"):
        sweep("rcf", brnn.Grid(A=A), executor=0, out=path)
    assert not list(tmp_path.iterdir())


def test_bad_designs() -> None:
    with pytest.raises(brnn.InputError, match="must be a design"):
        brnn.sweep("rcf", {"A": [1.0]})
    with pytest.raises(brnn.InputError, match="did you mean 'signal'"):
        brnn.sweep("rcf", brnn.Grid(signl=["linear"]))
    # So large that making it would take all memory: it is refused before.
    for design in (brnn.LatinHypercube(10**10, 0, A=(0, 1)), brnn.Random(10**12, 0, A=(0, 1))):
        with pytest.raises(
            brnn.InputError, match=r"design: has 1\d?0?,000,000,000.* members, whose results take .*(GB|TB)"
        ):
            brnn.sweep("rcf", design)
    with pytest.raises(brnn.InputError, match="1,000,000 members.*--yes"):
        brnn.sweep("rcf", brnn.Random(10**6, 0, A=(0, 1)), times=np.linspace(0, 10, 101))


class Counting(concurrent.futures.Executor):
    """Counts how many tasks are out."""

    def __init__(self, workers: int) -> None:
        self._max_workers = workers
        self._pool = concurrent.futures.ThreadPoolExecutor(workers)
        self.out = self.most = self.all = 0

    def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> concurrent.futures.Future[Any]:
        self.out += 1
        self.all += 1
        self.most = max(self.most, self.out)
        future = self._pool.submit(function, *arguments, **keywords)
        result = future.result
        future.result = lambda timeout=None: (setattr(self, "out", self.out - 1), result(timeout))[1]  # type: ignore[method-assign]
        return future


@pytest.mark.parametrize("workers", [1, 3])
def test_few_tasks_are_out_at_once(workers: int) -> None:
    executor = Counting(workers)
    data = sweep("rcf", brnn.Random(8000, 1, A=(0.5, 1.5)), measures="total", executor=executor, duration=1.0)
    assert (data["status"] == 1).all()
    assert executor.all > 2 * workers
    assert executor.out == 0
    assert executor.most == 2 * workers
