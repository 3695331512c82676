"""Ten thousand recurrent competitive fields with different parameters: brnn beside its peers.

    dx_i/dt = -A x_i + (B - x_i) f(x_i) - x_i sum_{k != i} f(x_k),    f(w) = C w^2/(D^2 + w^2)

with ten cells, t in [0, 20], and A, B, C, D and the start drawn anew for each. Every contender writes the final states
to an HDF5 file. Slow contenders run a part of the members, and their time is multiplied; the table says so. All answers
are compared with SciPy's DOP853 at a far smaller tolerance before a time is reported.

Contenders: loops of solve_ivp with a NumPy and with a Numba right-hand side; diffrax (Tsit5, vmap, jit), numbalsoda
(dop853, parallel loop) and Brian2 (rk4, one group of all cells) where they are installed; brnn's ensemble with numbers
that are laid out already, as the peers have them, and a whole `brnn.sweep`, which builds the networks from a design.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numba import njit
from scipy.integrate import solve_ivp

import brnn
from benchmarks.measure import interleaved, machine, repeated, verdict
from brnn.base.text import text_table
from brnn.ensemble.arrays import pack
from brnn.ensemble.run import Ensemble, run_ensemble

__all__ = ["draw", "run", "summary"]

CELLS, DURATION, RTOL, ATOL = 10, 20.0, 1e-6, 1e-9
MEMBERS, QUICK = 10_000, 256
CHECKED = 64  # members whose answers are compared
AGREEMENT = 1e-4
TARGET = 1.3  # times as fast as numbalsoda is a whole sweep, file included
LOOPED = 100  # members that a Python loop runs
GROWTH = (100, 1_000, 10_000, 100_000, 1_000_000)
NUMPY, NUMBA, DIFFRAX, NUMBALSODA, BRIAN = (
    "loop of solve_ivp RK45, NumPy",
    "loop of solve_ivp RK45, Numba",
    "diffrax Tsit5, vmap, jit",
    "numbalsoda dop853, parallel",
    "Brian2 rk4, one group",
)
ENSEMBLE, SWEEP, ONE = "brnn's ensemble", "brnn.sweep, from the design", "brnn's ensemble, one thread"


@dataclass(frozen=True)
class Work:
    """The members: parameters (members,), starts (members, cells)."""

    A: np.ndarray
    B: np.ndarray
    C: np.ndarray
    D: np.ndarray
    x0: np.ndarray

    @classmethod
    def drawn(cls, members: int) -> Work:
        """Return the same random members every time."""
        rng = np.random.default_rng(20)
        low, high = np.array([0.5, 2.0, 1.0, 0.3]), np.array([1.5, 4.0, 3.0, 0.7])
        numbers = rng.uniform(low, high, (members, 4)).T
        A, B, C, D = numbers
        return cls(A, B, C, D, rng.uniform(0.0, 1.0, (members, CELLS)))

    @property
    def members(self) -> int:
        """How many members there are."""
        return len(self.A)

    def part(self, count: int) -> Work:
        """Return the first members."""
        return Work(self.A[:count], self.B[:count], self.C[:count], self.D[:count], self.x0[:count])


def plain(t: float, x: np.ndarray, A: float, B: float, C: float, D: float) -> np.ndarray:
    """Return dx/dt in plain NumPy."""
    f = C * x**2 / (D**2 + x**2)
    return np.asarray(-A * x + (B - x) * f - x * (f.sum() - f))


@njit
def compiled(t: float, x: np.ndarray, A: float, B: float, C: float, D: float) -> np.ndarray:
    """Return dx/dt, compiled."""
    dx = np.empty_like(x)
    f = np.empty_like(x)
    total = 0.0
    for i in range(x.size):
        f[i] = C * x[i] * x[i] / (D * D + x[i] * x[i])
        total += f[i]
    for i in range(x.size):
        dx[i] = -A * x[i] + (B - x[i]) * f[i] - x[i] * (total - f[i])
    return dx


def looped(function: Callable[..., np.ndarray], work: Work, method: str = "RK45", tight: bool = False) -> np.ndarray:
    """Return final states from a loop of solve_ivp."""
    tolerances = {"rtol": 1e-11, "atol": 1e-14} if tight else {"rtol": RTOL, "atol": ATOL}
    final = np.empty((work.members, CELLS))
    for k in range(work.members):
        arguments = (work.A[k], work.B[k], work.C[k], work.D[k])
        solution = solve_ivp(function, (0.0, DURATION), work.x0[k], method=method, args=arguments, **tolerances)
        final[k] = solution.y[:, -1]
    return final


def network(work: Work, k: int) -> brnn.Network:
    """Return one member as brnn has it."""
    signal = brnn.Sigmoid(float(work.C[k]), float(work.D[k]), 2)
    return brnn.models.rcf.build(A=float(work.A[k]), B=float(work.B[k]), signal=signal, initial=work.x0[k])


def laid_out(work: Work) -> Ensemble:
    """Return the members laid out for the ensemble."""
    return Ensemble.of([pack(network(work, k), DURATION) for k in range(work.members)])


def swept(work: Work, path: Path) -> np.ndarray:
    """Return the final states of a whole sweep, whose starts are all alike (a design of numbers)."""
    columns = {"A": work.A, "B": work.B, "signal.gain": work.C, "signal.half": work.D}
    design = brnn.Grid(initial=[work.x0[0]]) * brnn.Table(columns)
    result = brnn.sweep("rcf", design, duration=DURATION, out=path, force=True, rtol=RTOL, atol=ATOL)
    with result:
        return np.asarray(result["rcf.x"].values)


def diffrax_final(work: Work) -> Callable[[], np.ndarray]:
    """Return a function that gives the final states by diffrax."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def field(t: Any, x: Any, p: Any) -> Any:
        f = p[2] * x**2 / (p[3] ** 2 + x**2)
        return -p[0] * x + (p[1] - x) * f - x * (f.sum() - f)

    def one(x0: Any, p: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, DURATION, None, x0, args=p,
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL), max_steps=100_000,
            saveat=diffrax.SaveAt(t1=True),
        )  # fmt: skip
        return solution.ys[0]

    call = jax.jit(jax.vmap(one))
    x0 = jnp.array(work.x0)
    parameters = jnp.array(np.stack([work.A, work.B, work.C, work.D], axis=1))
    return lambda: np.asarray(call(x0, parameters))


def numbalsoda_final(work: Work) -> Callable[[], np.ndarray]:
    """Return a function that gives the final states by numbalsoda."""
    from numba import carray, cfunc, prange  # type: ignore[attr-defined]
    from numbalsoda import dop853, lsoda_sig

    @cfunc(lsoda_sig)
    def rhs(t: float, u_: Any, du_: Any, p_: Any) -> None:
        u, du, p = carray(u_, (CELLS,)), carray(du_, (CELLS,)), carray(p_, (4,))
        total = 0.0
        for i in range(CELLS):
            du[i] = p[2] * u[i] * u[i] / (p[3] * p[3] + u[i] * u[i])
            total += du[i]
        for i in range(CELLS):
            f = du[i]
            du[i] = -p[0] * u[i] + (p[1] - u[i]) * f - u[i] * (total - f)

    address = rhs.address

    @njit(parallel=True)
    def every(x0: np.ndarray, parameters: np.ndarray, times: np.ndarray) -> np.ndarray:
        final = np.empty_like(x0)
        for k in prange(len(x0)):
            u, _ = dop853(address, x0[k], times, data=parameters[k], rtol=RTOL, atol=ATOL)
            final[k] = u[-1]
        return final

    parameters = np.ascontiguousarray(np.stack([work.A, work.B, work.C, work.D], axis=1))
    times = np.array([0.0, DURATION])
    return lambda: np.asarray(every(work.x0, parameters, times))


def brian_final(work: Work) -> Callable[[], np.ndarray]:
    """Return a function that gives the final states by Brian2: every cell of every member in one group."""
    import brian2

    members = work.members
    equations = """
    dx/dt = (-A*x + (B - x)*f - x*(total - f))/second : 1
    f = C*x**2/(D**2 + x**2) : 1
    total : 1
    A : 1 (constant)
    B : 1 (constant)
    C : 1 (constant)
    D : 1 (constant)
    """

    def final() -> np.ndarray:
        brian2.start_scope()
        brian2.defaultclock.dt = 0.02 * brian2.second
        group = brian2.NeuronGroup(members * CELLS, equations, method="rk4")
        group.x = work.x0.ravel()
        for name in ("A", "B", "C", "D"):
            setattr(group, name, np.repeat(getattr(work, name), CELLS))

        # Brian2 has no all-but-self sum within a group without all its synapses: the total is kept for a step.
        @brian2.network_operation(when="before_groups")
        def add() -> None:
            group.total = np.repeat(np.asarray(group.f).reshape(members, CELLS).sum(axis=1), CELLS)

        brian2.Network(group, add).run(DURATION * brian2.second)
        return np.array(group.x).reshape(members, CELLS)

    return final


def contenders(work: Work, folder: Path) -> dict[str, tuple[int, Callable[[], np.ndarray]]]:
    """Return for each contender how many members it runs, and a call that writes and returns their final states."""

    def kept(final: Callable[[], np.ndarray]) -> Callable[[], np.ndarray]:
        def call() -> np.ndarray:
            states = final()
            with h5py.File(folder / "peer.h5", "w") as file:
                file["x"] = states
            return states

        return call

    few = work.part(min(LOOPED, work.members))
    laid = laid_out(work)

    def ensemble(threads: int | None) -> Callable[[], np.ndarray]:
        return kept(lambda: run_ensemble(laid, rtol=RTOL, atol=ATOL, threads=threads).final)

    result: dict[str, tuple[int, Callable[[], np.ndarray]]] = {
        NUMPY: (few.members, kept(lambda: looped(plain, few))),
        NUMBA: (few.members, kept(lambda: looped(compiled, few))),
    }
    for name, package, make in (
        (DIFFRAX, "diffrax", diffrax_final),
        (NUMBALSODA, "numbalsoda", numbalsoda_final),
        (BRIAN, "brian2", brian_final),
    ):
        if importlib.util.find_spec(package) is None:
            continue
        try:
            result[name] = (work.members, kept(make(work)))
        except (ImportError, AttributeError) as error:  # installed for another NumPy
            print(f"{package} cannot be used here: {error}", file=sys.stderr)
    result[ONE] = (work.members, ensemble(1))
    result[ENSEMBLE] = (work.members, ensemble(None))
    result[SWEEP] = (work.members, lambda: swept(work, folder / "sweep.h5"))
    return result


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Returns
    -------
    dict
        Settings, machine, one row for each contender (seconds for all members, error), the cost per member over their
        number, and the speed over the number of threads.

    Raises
    ------
    SystemExit
        If an answer does not agree with the reference; then no time is reported.
    """
    work = Work.drawn(QUICK if quick else MEMBERS)
    checked = work.part(CHECKED // 4 if quick else CHECKED)
    exact = looped(plain, checked, "DOP853", tight=True)
    alike = Work(checked.A, checked.B, checked.C, checked.D, np.broadcast_to(work.x0[0], checked.x0.shape))
    exact_alike = looped(plain, alike, "DOP853", tight=True)
    with tempfile.TemporaryDirectory() as name:
        calls = contenders(work, Path(name))
        errors = {}
        for label, (_, call) in calls.items():
            print(f"{label} ...", file=sys.stderr, flush=True)
            each = np.abs(call()[: checked.members] - (exact_alike if label == SWEEP else exact)).max(axis=1)
            # Brian2's total is a step old, an error of first order, which carries some members over a threshold.
            error, limit = (float(np.median(each)), 2e-2) if label == BRIAN else (float(each.max()), AGREEMENT)
            if not error <= limit:
                raise SystemExit(f"{label}: off by {error:.1e}; nothing was timed")
            errors[label] = error
        timings = interleaved(
            {label: call for label, (_, call) in calls.items()},
            budget=1.0 if quick else 60.0,
            least=1 if quick else 3,
            warm=True,
        )
        rows = [
            {"name": label, "members": count, "error": errors[label], "factor": work.members / count}
            | {
                key: value * (work.members / count if key != "repetitions" else 1)
                for key, value in timing.to_dict().items()
            }
            for (label, (count, _)), timing in zip(calls.items(), timings.values(), strict=True)
        ]
        return {
            "benchmark": "sweep",
            "settings": {"members": work.members, "cells": CELLS, "duration": DURATION, "rtol": RTOL, "atol": ATOL}
            | {"quick": quick},
            "machine": machine(),
            "rows": rows,
            "growth": growth(Path(name), quick),
            "single": single(work, quick),
        }


def growth(folder: Path, quick: bool) -> list[dict[str, float]]:
    """Return the seconds of a whole sweep, and per member, over the number of members."""
    rows = []
    for members in GROWTH[:1] if quick else GROWTH:
        print(f"{members:,} members ...", file=sys.stderr, flush=True)
        design = brnn.Random(members, 3, {"A": (0.5, 1.5), "signal.half": (0.3, 0.7)})

        def call(design: Any = design) -> None:
            brnn.sweep(
                "rcf", design, duration=DURATION, measures=["total"], out=folder / "growth.h5", force=True
            ).close()

        timing = interleaved({"sweep": call}, budget=1.0, least=1 if members > 100_000 else 3, most=5)["sweep"]
        rows.append({"members": members, "seconds": timing.median, "per_member": timing.median / members})
    return rows


def single(work: Work, quick: bool) -> dict[str, float]:
    """Return the seconds of one member with 200 saved times: by `simulate`, and by solve_ivp with Numba's code.

    Each is called again and again, as in a loop, until some 20 ms have passed: a single call of a few microseconds
    after one of another contender would measure how long it takes to have its code and data in the cache again.
    """
    times = np.linspace(0.0, DURATION, 200)
    arguments = (work.A[0], work.B[0], work.C[0], work.D[0])

    def scipy() -> None:
        solve_ivp(compiled, (0.0, DURATION), work.x0[0], args=arguments, t_eval=times, rtol=RTOL, atol=ATOL)

    spec = network(work, 0)

    def whole() -> None:
        brnn.simulate(spec, DURATION, times=times, solver="compiled", rtol=RTOL, atol=ATOL)

    calls = {"scipy": (5, scipy), "simulate": (20, whole)}
    timing = interleaved(
        {name: repeated(*call) for name, call in calls.items()},
        budget=0.5 if quick else 5.0,
        least=1 if quick else 20,
        most=100,
    )
    return {name: found.median / calls[name][0] for name, found in timing.items()}


def summary(report: dict[str, Any]) -> str:
    """Return the report as tables."""
    settings, rows = report["settings"], report["rows"]
    best = {row["name"]: row["median"] for row in rows}
    lines = [
        [
            row["name"] + (f" ({row['members']} members, times {row['factor']:g})" if row["factor"] > 1 else ""),
            f"{row['median']:.3g} s",
            f"{row['median'] / best[ENSEMBLE]:.3g}",
            f"{row['median'] / best[SWEEP]:.3g}",
            f"{row['error']:.0e}",
        ]
        for row in rows
    ]
    grown = [
        [f"{row['members']:,}", f"{row['seconds']:.3g} s", f"{1e6 * row['per_member']:.3g} us"]
        for row in report["growth"]
    ]
    one = report["single"]
    target = []
    if NUMBALSODA in best:
        reached = best[NUMBALSODA] / best[SWEEP]
        words = f"{reached:.2f} times as fast as {NUMBALSODA}, target {TARGET:g}: {verdict(reached, TARGET)}"
        target = [f"A whole sweep, file included: {words}"]
    return "\n".join(
        [
            f"{settings['members']:,} fields of {settings['cells']} cells to t = {settings['duration']:g}, rtol "
            f"{settings['rtol']:g}, atol {settings['atol']:g}, final states in HDF5, {os.cpu_count()} cores; medians",
            text_table(lines, ["contender", "time", "/ ensemble", "/ sweep", "error"], right=True),
            *target,
            "",
            "A whole sweep over the number of members (measure: total)",
            text_table(grown, ["members", "time", "per member"], right=True),
            "",
            f"One field, 200 saved times: solve_ivp with a Numba right-hand side {1e3 * one['scipy']:.3g} ms; "
            f'simulate(solver="compiled") with its set-up {1e3 * one["simulate"]:.3g} ms',
        ]
    )


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the time of every contender, and the cost per member over the number of members."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = [row["name"] for row in report["rows"]]
    left.barh(names, [row["median"] for row in report["rows"]])
    left.set(xscale="log", xlabel="seconds", title=f"{report['settings']['members']:,} fields")
    left.invert_yaxis()
    right.loglog(*zip(*((row["members"], row["per_member"]) for row in report["growth"]), strict=True), "o-")
    right.set(xlabel="members", ylabel="seconds per member", title="brnn.sweep")
    right.grid(alpha=0.3)
    figure.savefig(path, dpi=150)
