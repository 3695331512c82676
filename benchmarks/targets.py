"""What single runs are to reach: each line says whether they do, or by how much they fall short.

- Small and middle states: the field of `benchmarks.single_run` with 200 saved times, by `simulate` and by a prepared
  network whose rate of decay is another one in each run, beside diffrax's compiled call, at the same tolerances: with
  both norms, as large ones.
- Large states: the field of `benchmarks.single_run` beside diffrax, at the same tolerances: with brnn's norm, which
  holds the error of every cell, and with diffrax's, the root mean square over all cells.
- Their memory: copies of the state at the peak, beside what is saved.
- Fields with two kernels: that of `benchmarks.field` beside diffrax, with both norms.
- Learning: the network of `benchmarks.learning` beside diffrax.
- Stiff: a field of 128 x 128 with inputs of 0.3 to 300, by what "auto" chooses beside RK45; 4,000 cells with slow gates
  whose total inhibition is fast, by what "auto" chooses beside ETD4 at a hundred times the tolerance, which has the
  larger error.

Beside some stands what bounds them: the same work without all that makes brnn serve other networks (`benchmarks.bare`).
Contenders take turns. Errors are largest differences from
references at far smaller tolerances. Without diffrax, which `pip install diffrax` brings, its lines are left out.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.integrate import solve_ivp

import brnn
from benchmarks import field, learning, single_run
from benchmarks.bare import bare_run
from benchmarks.measure import interleaved, machine, repeated, verdict
from brnn.base.text import text_table

__all__ = ["draw", "run", "summary"]

Run = Callable[[], Any]
Norm = Literal["max", "rms"]
NORMS: dict[Norm, str] = {"max": "", "rms": ", equal norm"}
STIFF_SIDE, STIFF_DURATION = 128, 5.0
TOTALS_DURATION = 50.0
COPIES = 10
PREPARED = {10: 15.0, 1_000: 3.0}
BARE = "a bare loop"
SAID = {
    BARE: "the same method and saved states in Numba for these equations alone, one thread (benchmarks/bare.py)",
}
CALLS = 20  # in a row, of those that take microseconds: they are made for that


@dataclass(frozen=True)
class Line:
    """One target: `ours` is to be so many times faster than `other`; both return what `error` compares.

    `least` is what bounds it, a part of the work or the work with nothing around it; `bound` names that.
    """

    work: str
    beside: str
    target: float
    ours: Run
    other: Run
    error: Callable[[Any], float]
    calls: int = 1
    least: Run | None = None
    bound: str = ""


def lines(*, quick: bool) -> Iterator[Line]:
    """Yield the targets, one after the other: the memory of each is free again before the next."""
    if importlib.util.find_spec("diffrax") is not None:
        for n in (10,) if quick else (10, 100, 1_000):
            yield from small(n)
        for n in (10_000,) if quick else (10_000, 100_000, 1_000_000):
            yield from large(n)
        for side in (64,) if quick else field.SIDES:
            yield from fields(side)
        for n in (100,) if quick else (400, 1000):
            yield weights(n)
    yield stiff(32 if quick else STIFF_SIDE)
    yield totals(2_100 if quick else 4_000)


def small(n: int) -> Iterator[Line]:
    """Yield the targets of a recurrent competitive field of n cells: of `simulate`, and of a prepared run."""
    times, spec = single_run.saved_times(n), single_run.network(n)
    exact, other = single_run.reference(n, times), single_run.by_diffrax(n)
    prepared = {norm: brnn.prepare(spec, norm=norm) for norm in NORMS}
    rates = itertools.cycle(single_run.A * (1.0 + 1e-12 * np.arange(100)))  # no run is that of the one before

    def simulate(norm: Norm) -> brnn.Result:
        return brnn.simulate(spec, single_run.DURATION, times=times, norm=norm)

    def run_again(norm: Norm) -> single_run.Answer:
        states = prepared[norm].trajectory({"rcf.A": next(rates)}, single_run.DURATION, times=times)
        return single_run.Answer(states, 0)

    def error(answer: single_run.Answer | brnn.Result) -> float:
        found = answer["rcf.x"].to_numpy() if isinstance(answer, brnn.Result) else answer.activities
        return single_run.largest_error(found, exact)

    ways: list[tuple[str, float, Callable[[Norm], Any], int]] = [("simulate", 2.0, simulate, 1)]
    if n in PREPARED:
        ways.append(("prepared", PREPARED[n], run_again, CALLS))
    for name, target, way, calls in ways:
        for norm, said in NORMS.items():
            least = bare(n, mean=norm == "rms")
            ours = functools.partial(way, norm)
            yield Line(f"{n:,} cells, {name}{said}", "diffrax", target, ours, other, error, calls, least, BARE)


def bare(n: int, *, mean: bool) -> Run:
    """Return the run as a bare loop: with brnn's norm, or that of diffrax."""
    start, times = single_run.initial_state(n), single_run.saved_times(n)
    numbers = single_run.A, single_run.B, single_run.GAIN, single_run.HALF**2, single_run.RTOL, single_run.ATOL
    return lambda: bare_run(start, times, *numbers, mean)


def large(n: int) -> Iterator[Line]:
    """Yield the targets of a recurrent competitive field of n cells: with brnn's norm, and with diffrax's."""
    times, spec = single_run.saved_times(n), single_run.network(n)
    exact, other = single_run.reference(n, times), single_run.by_diffrax(n)

    def simulate(norm: Literal["max", "rms"]) -> single_run.Answer:
        result = brnn.simulate(
            spec, single_run.DURATION, times=times, rtol=single_run.RTOL, atol=single_run.ATOL, norm=norm
        )
        return single_run.Answer(result["rcf.x"].to_numpy(), int(result.solver.evaluations))

    def error(answer: single_run.Answer) -> float:
        return single_run.largest_error(answer.activities, exact)

    least = bare(n, mean=False), bare(n, mean=True)
    yield Line(f"{n:,} cells", "diffrax", 2.0, lambda: simulate("max"), other, error, 1, least[0], BARE)
    yield Line(f"{n:,} cells, equal norm", "diffrax", 4.0, lambda: simulate("rms"), other, error, 1, least[1], BARE)


def fields(side: int) -> Iterator[Line]:
    """Yield the targets of a field with two kernels: with brnn's norm, and with diffrax's."""
    from scipy.integrate import solve_ivp

    exact = solve_ivp(
        field.by_hand(side), (0.0, field.DURATION), np.zeros(side**2), "DOP853", rtol=1e-10, atol=1e-12
    ).y[:, -1]
    other, spec = field.by_diffrax(side), field.network(side)

    def simulate(norm: Literal["max", "rms"]) -> np.ndarray:
        result = brnn.simulate(
            spec, field.DURATION, times=[field.DURATION], rtol=field.RTOL, atol=field.ATOL, norm=norm
        )
        return result.final("field").to_numpy().ravel()

    def error(state: np.ndarray) -> float:
        return float(np.abs(state - exact).max())

    work = f"field {side} x {side}"
    yield Line(work, "diffrax", 1.5, lambda: simulate("max"), other, error)
    yield Line(f"{work}, equal norm", "diffrax", 1.5, lambda: simulate("rms"), other, error)


def weights(n: int) -> Line:
    """Return the target of learning between n and n cells."""
    exact = learning.reference(n)
    return Line(
        f"learning {n} x {n}",
        "diffrax",
        5.0,
        lambda: learning.solve(learning.SIMULATE, n)[0],
        learning_by_diffrax(n),
        lambda state: learning.largest_error(state, exact, n),
    )


def learning_by_diffrax(n: int) -> Run:
    """Return a function that computes the final state by diffrax."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    A, B, D, F, G, M = (getattr(learning, name) for name in "ABDFGM")
    start = learning.Start.drawn().spread(n)
    I = jnp.array(start.I)

    def slope(t: Any, u: Any, args: Any) -> Any:
        x, y, z, w = u
        signal = learning.f(y)
        return (
            -A * x + (B - x) * (I + D / n * (signal @ w)),
            -A * y + (B - y) * (F / n * (z @ x) + signal) - y * G / n * (signal.sum() - signal),
            M * signal[:, None] * (x[None, :] - z),
            M * signal[:, None] * (x[None, :] - w),
        )

    @jax.jit
    def final(u: Any) -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(slope), diffrax.Tsit5(), 0.0, learning.DURATION, None, u,
            stepsize_controller=diffrax.PIDController(rtol=learning.RTOL, atol=learning.ATOL),
            saveat=diffrax.SaveAt(t1=True),
        ).ys  # fmt: skip

    begin = (jnp.zeros(n), jnp.array(start.y), jnp.array(start.z), jnp.array(start.w))
    return lambda: np.concatenate([np.ravel(part) for part in final(begin)])


def stiff(side: int) -> Line:
    """Return the target of a field with bright and dim inputs."""
    pattern = 10.0 ** np.random.default_rng(3).uniform(np.log10(0.3), np.log10(300.0), (side, side))
    plain = field.network(side)
    spec = brnn.Network("bright", plain.layers, plain.projections, [brnn.Stimulus("field", "excitatory", pattern)])

    def simulate(solver: str, rtol: float = field.RTOL) -> np.ndarray:
        result = brnn.simulate(
            spec, STIFF_DURATION, times=[0.1, 1.0, STIFF_DURATION], solver=solver, rtol=rtol, atol=1e-3 * rtol
        )
        return np.asarray(result["field.x"])

    exact = simulate("RK45", 1e-10)

    def error(states: np.ndarray) -> float:
        return float(np.abs(states - exact).max())

    return Line(f"stiff field {side} x {side}", "RK45", 8.0, lambda: simulate("auto"), lambda: simulate("RK45"), error)


def totals(n: int) -> Line:
    """Return the target of cells with slow gates that all inhibit each other; SciPy's Radau, of ten of them, judges."""
    inputs, count = np.linspace(2.0, 20.0, 10), n // 10
    signal, gate = brnn.Sigmoid(1.0, 0.5), brnn.HabituativeGate(0.02, 1.0, 0.02, per="source")
    links = [
        brnn.Projection("F", "F", "excitatory", signal, brnn.OneToOne(), gate=gate),
        brnn.Projection("F", "F", "inhibitory", signal, brnn.AllButSelf(1.0), gate=gate),
    ]
    lights = brnn.Stimulus("F", "excitatory", np.repeat(inputs, count))
    spec = brnn.Network("gates", [brnn.Layer.shunting("F", 10 * count, A=1.0, B=3.0, D=0.0)], links, [lights])

    def slope(t: float, u: np.ndarray) -> np.ndarray:
        x, y = u.reshape(2, 10)
        f = x**2 / (0.25 + x**2)
        s = f * y
        return np.concatenate(
            [-x + (3.0 - x) * (inputs + s) - x * (count * s.sum() - s), 0.02 * (1.0 - y) - 0.02 * f * y]
        )

    times = [0.02 * TOTALS_DURATION, TOTALS_DURATION]
    begin = np.repeat([0.0, 1.0], 10)
    done = solve_ivp(slope, (0.0, TOTALS_DURATION), begin, "Radau", t_eval=times, rtol=1e-10, atol=1e-12)
    exact = done.y[:10].T

    def simulate(solver: str, rtol: float) -> np.ndarray:
        result = brnn.simulate(spec, TOTALS_DURATION, times=times, solver=solver, rtol=rtol, atol=1e-3 * rtol)
        return np.asarray(result["F.x"])[:, ::count]

    return Line(
        f"slow gates, {n:,} cells",
        "ETD4 at 1e-4",
        10.0,
        lambda: simulate("auto", 1e-6),
        lambda: simulate("ETD4", 1e-4),
        lambda states: float(np.abs(states - exact).max()),
    )


def peak_in_copies(n: int) -> float:
    """Return the largest memory of a run of n cells beside what is saved, in copies of the state."""
    spec = single_run.network(n)
    brnn.simulate(spec, 0.1, times=[0.1])  # compiled, and all is imported
    tracemalloc.start()
    result = brnn.simulate(spec, single_run.DURATION, times=[single_run.DURATION])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak - result["rcf.x"].nbytes) / (8 * n)


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark; see `benchmarks.single_run.run`."""
    rows = []
    for line in lines(quick=quick):
        errors = {"ours": line.error(line.ours()), "other": line.error(line.other())}
        contenders = {"ours": line.ours, "other": line.other}
        if line.least is not None:
            line.least()  # compiled
            contenders["least"] = line.least
        turns = {name: repeated(line.calls, call) for name, call in contenders.items()}
        timings = interleaved(turns, budget=0.2 if quick else 10.0, least=1 if quick else 3, warm=True)
        rows.append(
            {
                "work": line.work,
                "beside": line.beside,
                "target": line.target,
                **{
                    f"{name}_{key}": value if key == "repetitions" else value / line.calls
                    for name, t in timings.items()
                    for key, value in t.to_dict().items()
                },
                **{f"{name}_error": error for name, error in errors.items()},
                **({} if line.least is None else {"bound": line.bound}),
            }
        )
    n = 100_000 if quick else 1_000_000
    copies = {"work": f"memory of {n:,} cells", "target": COPIES, "copies": peak_in_copies(n)}
    return {"benchmark": "targets", "settings": {"quick": quick}, "machine": machine(), "rows": rows, "memory": copies}


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    table = []
    for row in report["rows"]:
        speed = row["other_median"] / row["ours_median"]
        says = verdict(speed, row["target"])
        if "bound" in row:
            says += f"; {row['bound']}: {row['other_median'] / row['least_median']:.2f}"
        table.append(
            [
                f"{row['work']}, beside {row['beside']}",
                f"{1e3 * row['ours_median']:.3g} ms",
                f"{1e3 * row['other_median']:.3g} ms",
                f"{speed:.2f}",
                f"{row['target']:g}",
                f"{row['ours_error']:.0e}",
                f"{row['other_error']:.0e}",
                says,
            ]
        )
    memory = report["memory"]
    reached = verdict(memory["target"] / memory["copies"], 1.0)
    return "\n".join(
        [
            "Targets of single runs; medians",
            text_table(table, ["work", "brnn", "other", "speed", "target", "error", "its error", ""], right=True),
            f"{memory['work']}: {memory['copies']:.1f} copies of the state beside what is saved, "
            f"at most {memory['target']} wanted: {reached}",
            *(f"{what}: {SAID[what]}" for what in SAID if any(row.get("bound") == what for row in report["rows"])),
        ]
    )


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the speed of each work in units of its target."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    rows = report["rows"][::-1]
    reached = [row["other_median"] / row["ours_median"] / row["target"] for row in rows]
    axes.barh([f"{row['work']}, beside {row['beside']}" for row in rows], reached)
    axes.axvline(1.0, color="black")
    axes.set(xlabel="speed / target", title="single runs")
    figure.savefig(path, dpi=150)
