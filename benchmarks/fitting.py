"""A fit: a recurrent competitive field of ten cells, 13 parameters (A, B, the gain of its signal, ten initial states).

Beside `brnn.fit` stand two that hand the same residuals to the same optimiser, `scipy.optimize.least_squares`, with the
same start, bounds and tolerances: one with the Jacobian of diffrax's adjoint (`jax.jacrev` of its checkpoints), one
with the differences that SciPy takes itself through `solve_ivp`. Contenders take turns; all must find the same values.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import brnn
from benchmarks.measure import interleaved, machine, verdict
from brnn.base.text import text_table

__all__ = ["draw", "run", "summary"]

CELLS, HALF, EXPONENT = 10, 0.4, 2.0
TRUE = (0.8, 2.5, 1.3)
TIMES = np.linspace(0.0, 10.0, 41)
NOISE, RTOL, ATOL = 0.01, 1e-7, 1e-9
AGREEMENT = 1e-5  # of the values, relative
TARGET = 20.0
OURS = "brnn.fit"


def initial() -> np.ndarray:
    """Return the initial activities."""
    return np.random.default_rng(0).uniform(0.1, 0.9, CELLS)


def recorded() -> np.ndarray:
    """Return the noisy samples, shape (times, cells)."""
    signal = brnn.Sigmoid(gain=TRUE[2], half=HALF, exponent=EXPONENT)
    network = brnn.models.rcf.build(n=CELLS, A=TRUE[0], B=TRUE[1], signal=signal, initial=initial())
    exact = brnn.simulate(network, TIMES[-1], times=TIMES, rtol=1e-10, atol=1e-12)["rcf.x"].values
    return np.asarray(exact + NOISE * np.random.default_rng(1).normal(size=exact.shape))


def start() -> np.ndarray:
    """Return where each search begins."""
    return np.concatenate([[1.0, 3.0, 1.0], 1.2 * initial()])


def by_brnn(data: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a function that fits with brnn, from the model and the data to the values and their errors."""
    first, measured = start(), {"time": TIMES, "rcf.x": data}
    free = {"A": first[0], "B": first[1], "signal.gain": first[2], "initial": first[3:]}
    settings = {"n": CELLS, "signal": brnn.Sigmoid(half=HALF, exponent=EXPONENT)}
    return lambda: brnn.fit("rcf", measured, free, settings=settings, rtol=RTOL, atol=ATOL).values


def searched(residuals: Callable[[np.ndarray], Any], jacobian: Any) -> Callable[[], np.ndarray]:
    """Return a function that fits with given residuals and derivatives."""
    from scipy.optimize import least_squares

    first = start()
    low = 1e-9 * first

    def call() -> np.ndarray:
        found = least_squares(
            residuals, first, jacobian, (low, np.full(first.size, np.inf)), x_scale=np.abs(first), xtol=1e-10,
            ftol=1e-10, gtol=1e-10, max_nfev=200,
        )  # fmt: skip
        return np.asarray(found.x)

    return call


def by_differences(data: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a function that fits with differences through SciPy's solver."""
    from scipy.integrate import solve_ivp

    def rates(_: float, x: np.ndarray, A: float, B: float, gain: float) -> np.ndarray:
        p = (np.maximum(x, 0.0) / HALF) ** EXPONENT
        f = gain * p / (1.0 + p)
        return np.asarray(-A * x + (B - x) * f - x * (f.sum() - f))

    def residuals(theta: np.ndarray) -> np.ndarray:
        run = solve_ivp(
            rates, (0.0, TIMES[-1]), theta[3:], t_eval=TIMES, args=tuple(theta[:3]), rtol=1e-9, atol=1e-11
        )  # at the tolerance of a fit the differences are noise
        return np.asarray((run.y.T - data).ravel())

    return searched(residuals, "2-point")


def by_diffrax(data: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a function that fits with diffrax's adjoint."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    measured, times = jnp.array(data), jnp.array(TIMES)

    def rates(_: Any, x: Any, theta: Any) -> Any:
        p = (jnp.maximum(x, 0.0) / HALF) ** EXPONENT
        f = theta[2] * p / (1.0 + p)
        return -theta[0] * x + (theta[1] - x) * f - x * (f.sum() - f)

    def residuals(theta: Any) -> Any:
        run = diffrax.diffeqsolve(
            diffrax.ODETerm(rates), diffrax.Tsit5(), 0.0, TIMES[-1], None, theta[3:], theta, max_steps=4096,
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL), saveat=diffrax.SaveAt(ts=times),
        )  # fmt: skip
        return (run.ys - measured).ravel()

    compiled, slopes = jax.jit(residuals), jax.jit(jax.jacrev(residuals))
    return searched(lambda theta: np.asarray(compiled(theta)), lambda theta: np.asarray(slopes(theta)))


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Raises
    ------
    SystemExit
        If a contender finds other values; then no time is reported.
    """
    data = recorded()
    calls = {OURS: by_brnn(data), "differences through solve_ivp": by_differences(data)}
    if importlib.util.find_spec("diffrax") is not None:
        calls["diffrax's adjoint"] = by_diffrax(data)
    found = {name: call() for name, call in calls.items()}
    errors = {name: float(np.abs(values / found[OURS] - 1.0).max()) for name, values in found.items()}
    for name, error in errors.items():
        if not error <= AGREEMENT:
            raise SystemExit(f"{name}: other values, by {error:.1e}; nothing was timed")
    timings = interleaved(calls, budget=1.0 if quick else 60.0, least=1 if quick else 3, warm=True)
    return {
        "benchmark": "fitting",
        "settings": {"cells": CELLS, "parameters": start().size, "values": data.size, "quick": quick},
        "machine": machine(),
        "rows": [{"name": name, "error": errors[name]} | timing.to_dict() for name, timing in timings.items()],
    }


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table, and whether the target is reached."""
    settings, rows = report["settings"], report["rows"]
    best = next(row["median"] for row in rows if row["name"] == OURS)
    lines = [
        [row["name"], f"{1e3 * row['median']:.3g} ms", f"{row['median'] / best:.3g}", f"{row['error']:.0e}"]
        for row in rows
    ]
    title = (
        f"fit of {settings['parameters']} parameters of a field of {settings['cells']} cells to {settings['values']} "
        "values; medians"
    )
    table = text_table(lines, ["contender", "time", "/ brnn", "difference"], right=True)
    targets = [
        f"{TARGET:g} times faster than {row['name']}: {row['median'] / best:.3g}, "
        f"{verdict(row['median'] / best, TARGET)}"
        for row in rows
        if row["name"] != OURS
    ]
    return "\n".join([title, table, *targets])


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the time of every contender."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    axes.barh([row["name"] for row in report["rows"]], [row["median"] for row in report["rows"]])
    axes.set(xscale="log", xlabel="seconds")
    axes.invert_yaxis()
    figure.savefig(path, dpi=150)
