"""A field of 256 x 256 cells with Gaussian excitation and inhibition: brnn beside NumPy, SciPy and diffrax.

    dx/dt = -A x + (B - x) [I + G_c * f(x)] - (D + x) [G_s * f(x)],    f(w) = w^2/(0.25 + w^2)

with t in [0, 2], periodic boundary, and a noisy input; G_c and G_s are Gaussian kernels, * convolution. Every peer
convolves by FFT. All answers are compared with SciPy's DOP853 at a smaller tolerance before a time is reported.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
from scipy.integrate import solve_ivp

import brnn
from benchmarks.measure import interleaved, machine
from brnn.base.text import text_table
from brnn.compiler import compile_network

__all__ = ["draw", "run", "summary"]

A, B, D, HALF = 1.0, 1.0, 0.2, 0.5
CENTER, SURROUND, STRENGTH = 2.0, 5.0, 1.5
DURATION, RTOL, ATOL = 2.0, 1e-6, 1e-9
SIDES = (64, 128, 256)
AGREEMENT = 2e-4
NUMPY, RHS, SIMULATE, DIFFRAX = (
    "NumPy and scipy.fft, solve_ivp RK45",
    "brnn's right-hand side, solve_ivp RK45",
    "brnn.simulate, RK45",
    "diffrax Tsit5, jit",
)


def gaussian(side: int, width: float, weight: float) -> np.ndarray:
    """Return a periodic Gaussian kernel with this sum, its center at [0, 0]."""
    distance = np.minimum(np.arange(side), side - np.arange(side))
    line = np.exp(-(distance**2) / (2.0 * width**2))
    return np.asarray(weight * np.outer(line, line) / line.sum() ** 2)


def network(side: int) -> brnn.Network:
    """Return the field as brnn has it."""
    signal = brnn.Sigmoid(1.0, HALF, 2)
    return brnn.Network(
        "field",
        layers=[brnn.Layer.shunting("field", (side, side), A, B, D=D)],
        projections=[
            brnn.Projection("field", "field", "excitatory", signal, kernel(1.0, CENTER)),
            brnn.Projection("field", "field", "inhibitory", signal, kernel(STRENGTH, SURROUND)),
        ],
        stimuli=[brnn.Stimulus("field", "excitatory", pattern(side))],
    )


def kernel(weight: float, width: float) -> brnn.GaussianKernel:
    """Return a kernel that is cut off where it does not matter any more."""
    return brnn.GaussianKernel(weight, width, "periodic", truncate=6.0)


def pattern(side: int) -> np.ndarray:
    """Return the input: noise, the same every time."""
    return np.random.default_rng(7).uniform(0.0, 1.0, (side, side))


def by_hand(side: int) -> Callable[[float, np.ndarray], np.ndarray]:
    """Return du/dt in NumPy with one FFT forth and two back."""
    center = scipy.fft.rfft2(gaussian(side, CENTER, 1.0))
    surround = scipy.fft.rfft2(gaussian(side, SURROUND, STRENGTH))
    I = pattern(side)

    def rhs(t: float, u: np.ndarray) -> np.ndarray:
        x = u.reshape(side, side)
        w = np.maximum(x, 0.0) ** 2
        spectrum = scipy.fft.rfft2(w / (HALF**2 + w))
        exc = I + scipy.fft.irfft2(spectrum * center, s=x.shape)
        inh = scipy.fft.irfft2(spectrum * surround, s=x.shape)
        return np.asarray((-A * x + (B - x) * exc - (D + x) * inh).ravel())

    return rhs


def by_diffrax(side: int) -> Callable[[], np.ndarray]:
    """Return the final state by diffrax."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    center = jnp.fft.rfft2(jnp.array(gaussian(side, CENTER, 1.0)))
    surround = jnp.fft.rfft2(jnp.array(gaussian(side, SURROUND, STRENGTH)))
    I = jnp.array(pattern(side))

    def field(t: Any, x: Any, args: Any) -> Any:
        w = jnp.maximum(x, 0.0) ** 2
        spectrum = jnp.fft.rfft2(w / (HALF**2 + w))
        exc = I + jnp.fft.irfft2(spectrum * center, s=x.shape)
        inh = jnp.fft.irfft2(spectrum * surround, s=x.shape)
        return -A * x + (B - x) * exc - (D + x) * inh

    @jax.jit
    def final() -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, DURATION, None, jnp.zeros((side, side)),
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL), saveat=diffrax.SaveAt(t1=True),
        ).ys[0]  # fmt: skip

    return lambda: np.asarray(final()).ravel()


def contenders(side: int) -> dict[str, Callable[[], np.ndarray]]:
    """Return the ways to the final state."""
    spec = network(side)
    hand, compiled = by_hand(side), compile_network(spec).rhs(0.0)

    def scipy_final(function: Callable[[float, np.ndarray], np.ndarray]) -> np.ndarray:
        solution = solve_ivp(function, (0.0, DURATION), np.zeros(side * side), rtol=RTOL, atol=ATOL)
        return np.asarray(solution.y[:, -1])

    def simulated() -> np.ndarray:
        result = brnn.simulate(spec, DURATION, times=[DURATION], solver="RK45", rtol=RTOL, atol=ATOL)
        return result.final("field").to_numpy().ravel()

    result = {NUMPY: lambda: scipy_final(hand), RHS: lambda: scipy_final(compiled), SIMULATE: simulated}
    if importlib.util.find_spec("diffrax") is not None:
        result[DIFFRAX] = by_diffrax(side)
    return result


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark; see `benchmarks.single_run.run`."""
    rows = []
    for side in SIDES[:1] if quick else SIDES:
        print(f"{side} x {side} ...", file=sys.stderr, flush=True)
        exact = solve_ivp(by_hand(side), (0.0, DURATION), np.zeros(side**2), "DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
        calls = contenders(side)
        errors = {}
        for name, call in calls.items():
            errors[name] = float(np.abs(call() - exact).max())
            if not errors[name] <= AGREEMENT:
                raise SystemExit(f"{side} x {side}, {name}: off by {errors[name]:.1e}; nothing was timed")
        timings = interleaved(calls, budget=0.5 if quick else 8.0, warm=True)
        rows.append(
            {"side": side, "runs": {name: {"error": errors[name], **t.to_dict()} for name, t in timings.items()}}
        )
    return {
        "benchmark": "field",
        "settings": {"duration": DURATION, "rtol": RTOL, "atol": ATOL, "quick": quick},
        "machine": machine(),
        "rows": rows,
    }


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    lines = []
    for row in report["rows"]:
        base = row["runs"][NUMPY]["median"]
        for name, found in row["runs"].items():
            size = f"{row['side']} x {row['side']}"
            lines.append(
                [
                    f"{size:>9}  {name}",
                    f"{1e3 * found['median']:.3g} ms",
                    f"{base / found['median']:.2f}",
                    f"{found['error']:.0e}",
                ]
            )
    settings = report["settings"]
    title = f"Field with two Gaussian kernels, t in [0, {settings['duration']:g}], rtol {settings['rtol']:g}; medians"
    return "\n".join([title, text_table(lines, ["    cells  run", "time", "speed", "error"], right=True)])


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw time against the number of cells."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name in report["rows"][0]["runs"]:
        cells = [row["side"] ** 2 for row in report["rows"]]
        axes.loglog(cells, [row["runs"][name]["median"] for row in report["rows"]], "o-", label=name)
    axes.set(xlabel="cells", ylabel="seconds", title="field with two Gaussian kernels")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)
