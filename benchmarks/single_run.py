"""One run of a recurrent competitive field: brnn beside a plain NumPy right-hand side under the same solver.

    dx_i/dt = -A x_i + (B - x_i) f(x_i) - x_i sum_{k != i} f(x_k),    f(w) = 2 w^2/(0.25 + w^2),  A = 1, B = 3

with t in [0, 20]. Ten cells begin with a pattern; the others, however many, share a total activity of 0.1 and
are quenched. They begin at ten levels, and cells that begin equal stay equal, so that twenty equations
describe a network of any size exactly: these, solved at a far smaller tolerance, are what all answers are
compared with.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

import brnn
from benchmarks.measure import Timing, interleaved, machine, repeated
from brnn.base.text import text_table
from brnn.compiler import compile_network
from brnn.integrate.steppers.maximum_norm import MaxRK45

__all__ = ["draw", "run", "summary"]

A, B = 1.0, 3.0
GAIN, HALF = 2.0, 0.5  # f(w) = GAIN w^2/(HALF^2 + w^2)
DURATION = 20.0
RTOL, ATOL = 1e-6, 1e-9
SOLVER = "RK45"
SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
PATTERN = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
QUIET_LEVELS = np.linspace(0.5, 1.5, 10)
QUIET_TOTAL = 0.1

# How far an answer may lie from the reference. SciPy's error norm is a root mean square over all cells, so
# that a few active cells among many quiet ones are followed less closely than rtol says.
AGREEMENT = 2e-3

NUMPY, NUMPY_MAX, RHS, SIMULATE, AUTO, COMPILED, DIFFRAX = (
    f"NumPy, solve_ivp {SOLVER}",
    f"NumPy, solve_ivp {SOLVER} with brnn's error norm",
    f"brnn's right-hand side, solve_ivp {SOLVER}",
    f"brnn.simulate, {SOLVER}",
    "brnn.simulate, auto",
    "brnn.simulate, compiled",
    "diffrax Tsit5, jit",
)
SMALL = 1_000  # cells up to which the compiled integrator is meant


@dataclass(frozen=True)
class Answer:
    """What a contender computed: activities (times, cells), and how many evaluations that took."""

    activities: np.ndarray
    evaluations: int


def initial_state(n: int) -> np.ndarray:
    """Return ten cells with the pattern, then the quiet cells, level by level."""
    each = (n - PATTERN.size) // QUIET_LEVELS.size
    if each == 0:
        return PATTERN.copy()
    level = QUIET_LEVELS * QUIET_TOTAL / (each * QUIET_LEVELS.sum())
    return np.concatenate([PATTERN, np.repeat(level, each)])


def saved_times(n: int) -> np.ndarray:
    """Return the times to save: 200, or 20 where 200 states would fill gigabytes."""
    return np.linspace(0.0, DURATION, 200 if n <= 100_000 else 20)


def plain(t: float, x: np.ndarray) -> np.ndarray:
    """Return dx/dt in plain NumPy, as one would write it."""
    signal = GAIN * x**2 / (HALF**2 + x**2)
    return -A * x + (B - x) * signal - x * (signal.sum() - signal)


def grouped(t: float, x: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return dx/dt where each element of x stands for `counts` cells that are equal."""
    signal = GAIN * x**2 / (HALF**2 + x**2)
    return -A * x + (B - x) * signal - x * (counts @ signal - signal)


def reference(n: int, times: np.ndarray) -> np.ndarray:
    """Return the ten active cells and the levels of the quiet ones at `times`, at a tolerance of 1e-12."""
    each = (n - PATTERN.size) // QUIET_LEVELS.size
    levels = initial_state(n)[PATTERN.size :: each] if each else np.empty(0)
    counts = np.concatenate([np.ones(PATTERN.size), np.full(levels.size, float(each))])
    solution = solve_ivp(
        lambda t, x: grouped(t, x, counts),
        (0.0, DURATION),
        np.concatenate([PATTERN, levels]),
        method="DOP853",
        t_eval=times,
        rtol=1e-12,
        atol=1e-15,
    )
    return np.asarray(solution.y.T)


def largest_error(activities: np.ndarray, exact: np.ndarray) -> float:
    """Return the largest difference from the reference, over all cells and times."""
    active, levels = np.split(exact, [PATTERN.size], axis=1)
    error = np.abs(activities[:, : PATTERN.size] - active).max()
    if levels.shape[1]:
        quiet = activities[:, PATTERN.size :].reshape(len(activities), levels.shape[1], -1)
        for k in range(len(activities)):  # time by time: no second array of the size of the result
            error = max(error, np.abs(quiet[k] - levels[k, :, None]).max())
    return float(error)


def network(n: int) -> brnn.Network:
    """Return the field as brnn has it."""
    signal = brnn.Sigmoid(GAIN, HALF, 2)
    return brnn.Network(
        "rcf",
        layers=[brnn.Layer.shunting("rcf", n, A, B, initial=initial_state(n))],
        projections=[
            brnn.Projection("rcf", "rcf", "excitatory", signal, brnn.OneToOne()),
            brnn.Projection("rcf", "rcf", "inhibitory", signal, brnn.AllButSelf()),
        ],
    )


def contenders(n: int) -> dict[str, Callable[[], Answer]]:
    """Return the ways to compute the same run."""
    start, times, spec = initial_state(n), saved_times(n), network(n)

    def scipy(function: Callable[[float, np.ndarray], np.ndarray], method: Any = SOLVER) -> Answer:
        solution = solve_ivp(function, (0.0, DURATION), start, method=method, t_eval=times, rtol=RTOL, atol=ATOL)
        return Answer(solution.y.T, int(solution.nfev))

    def simulate(solver: str) -> Answer:
        result = brnn.simulate(spec, DURATION, times=times, solver=solver, rtol=RTOL, atol=ATOL)
        return Answer(result["rcf.x"].to_numpy(), int(result.solver.evaluations))

    result = {
        NUMPY: lambda: scipy(plain),
        NUMPY_MAX: lambda: scipy(plain, MaxRK45),
        RHS: lambda: scipy(compile_network(spec).rhs(0.0)),
        SIMULATE: lambda: simulate(SOLVER),
        AUTO: lambda: simulate("auto"),
    }
    if n <= SMALL:
        result[COMPILED] = lambda: simulate("compiled")
    if importlib.util.find_spec("diffrax") is not None:
        result[DIFFRAX] = by_diffrax(n)
    return result


def by_diffrax(n: int) -> Callable[[], Answer]:
    """Return a function that computes the run by diffrax; of its steps each makes six evaluations."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    term = diffrax.ODETerm(lambda t, x, _: plain(t, x))

    @jax.jit
    def solve(x0: Any, times: Any) -> Any:
        return diffrax.diffeqsolve(
            term, diffrax.Tsit5(), 0.0, DURATION, None, x0, max_steps=100_000,
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL), saveat=diffrax.SaveAt(ts=times),
        )  # fmt: skip

    start, times = jnp.array(initial_state(n)), jnp.array(saved_times(n))

    def call() -> Answer:
        solution = solve(start, times)
        return Answer(np.asarray(solution.ys), 6 * int(solution.stats["num_steps"]) + 1)

    return call


def evaluations(n: int, budget: float) -> dict[str, Timing]:
    """Time one evaluation of the right-hand side, and a copy of the state: the least that memory allows."""
    x = initial_state(n)
    dx = np.empty_like(x)
    compiled = compile_network(network(n)).rhs(0.0)
    if not np.allclose(compiled(0.0, x), plain(0.0, x), rtol=1e-12, atol=1e-15):
        raise SystemExit(f"n = {n}: the right-hand sides differ; nothing was timed")
    calls = max(1, 100_000 // n)
    timings = interleaved(
        {
            "numpy": repeated(calls, lambda: plain(0.0, x)),
            "brnn": repeated(calls, lambda: compiled.into(0.0, x, dx)),
            "copy": repeated(calls, lambda: np.copyto(dx, x)),
        },
        budget=budget,
    )
    return {name: Timing(tuple(s / calls for s in timing.seconds)) for name, timing in timings.items()}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Parameters
    ----------
    quick : bool
        Only small networks, and the fewest repetitions.

    Returns
    -------
    dict
        Settings, machine, and one row for each size: for each contender its time, evaluations and error.

    Raises
    ------
    SystemExit
        If an answer does not agree with the reference; then no time is reported.
    """
    budget = 0.2 if quick else 10.0
    rows = []
    for n in SIZES[:3] if quick else SIZES:
        print(f"n = {n:,} ...", file=sys.stderr, flush=True)
        calls = contenders(n)
        exact = reference(n, saved_times(n))
        found = {}
        for name, call in calls.items():
            answer = call()
            error = largest_error(answer.activities, exact)
            if not error <= AGREEMENT:
                raise SystemExit(f"n = {n}, {name}: off by {error:.1e}; nothing was timed")
            found[name] = {"evaluations": answer.evaluations, "error": error}
            del answer
        timings = interleaved(calls, budget=budget, warm=True)
        rows.append(
            {
                "n": n,
                "saved_times": saved_times(n).size,
                "runs": {name: {**found[name], **timing.to_dict()} for name, timing in timings.items()},
                "evaluation": {name: timing.to_dict() for name, timing in evaluations(n, budget / 4).items()},
            }
        )
    return {
        "benchmark": "single_run",
        "settings": {"duration": DURATION, "rtol": RTOL, "atol": ATOL, "solver": SOLVER, "quick": quick},
        "machine": machine(),
        "rows": rows,
    }


def summary(report: dict[str, Any]) -> str:
    """Return the report as two tables."""
    runs, single = [], []
    for row in report["rows"]:
        base = row["runs"][NUMPY]["median"]
        for name, found in row["runs"].items():
            runs.append(
                [
                    f"{row['n']:>9,}  {name}",
                    f"{1e3 * found['median']:.3g} ms",
                    f"{base / found['median']:.2f}",
                    str(found["evaluations"]),
                    f"{found['error']:.1e}",
                    str(found["repetitions"]),
                ]
            )
        one = row["evaluation"]
        single.append(
            [
                f"{row['n']:>9,}",
                *(f"{1e6 * one[name]['median']:.3g} us" for name in ("numpy", "brnn", "copy")),
                f"{one['numpy']['median'] / one['brnn']['median']:.2f}",
                f"{one['brnn']['median'] / one['copy']['median']:.2f}",
            ]
        )
    settings = report["settings"]
    return "\n".join(
        [
            f"One run of a recurrent competitive field, t in [0, {settings['duration']:g}], "
            f"rtol {settings['rtol']:g}, atol {settings['atol']:g}; medians; speed: NumPy's time / this",
            text_table(runs, ["        n  run", "time", "speed", "evaluations", "error", "repetitions"], right=True),
            "",
            "One evaluation of the right-hand side, and a copy of the state",
            text_table(single, ["        n", "NumPy", "brnn", "copy", "NumPy/brnn", "brnn/copy"], right=True),
        ]
    )


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw time against size: whole runs to the left, one evaluation to the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = [row["n"] for row in report["rows"]]
    for name in report["rows"][0]["runs"]:
        found = [(row["n"], row["runs"][name]["median"]) for row in report["rows"] if name in row["runs"]]
        left.loglog(*zip(*found, strict=True), "o-", label=name)
    for name, label in (("numpy", "NumPy"), ("brnn", "brnn"), ("copy", "copy of the state")):
        right.loglog(sizes, [row["evaluation"][name]["median"] for row in report["rows"]], "o-", label=label)
    left.set(title="one run", xlabel="cells", ylabel="seconds")
    right.set(title="one evaluation of the right-hand side", xlabel="cells", ylabel="seconds")
    for axes in (left, right):
        axes.legend(fontsize="small")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)
