"""A network that learns a million instars and a million outstars: brnn beside the same network by hand, with NumPy.

    dx_i/dt = -A x_i + (B - x_i) [I_i + (D/n) sum_j f(y_j) w_ji]                         layer F1, n cells
    dy_j/dt = -A y_j + (B - y_j) [(F/n) sum_i x_i z_ij + f(y_j)] - y_j (G/n) sum_{k != j} f(y_k)      layer F2, n cells
    dz_ij/dt = M f(y_j) [x_i - z_ij]        instars, F1 to F2
    dw_ji/dt = M f(y_j) [x_i - w_ji]        outstars, F2 to F1

with t in [0, 10] and n = 1000: 2,002,000 unknowns. The cells of each layer begin, and are driven, in ten groups; cells
that begin equal stay equal, so that 220 equations describe the network exactly: these, solved at a far smaller
tolerance, are what all answers are compared with. Every contender runs in a process of its own, so that its largest
memory is its own; what the imports alone take is measured as well.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.measure import Timing, machine
from brnn.base.text import text_table

__all__ = ["draw", "measure", "run", "summary"]

A, B, D, F, G, M = 1.0, 1.0, 0.5, 4.0, 6.0, 0.5
GAIN, HALF = 1.0, 0.3  # f(y) = GAIN y^2/(HALF^2 + y^2)
GROUPS = 10
DURATION = 10.0
RTOL, ATOL = 1e-6, 1e-9
SOLVER = "RK45"
AGREEMENT = 1e-4  # how far an answer may lie from the reference
SIZES = (100, 300, 1000)

NUMPY, NUMPY_MAX, NUMPY_CARE, SIMULATE = (
    "NumPy, solve_ivp",
    "NumPy, solve_ivp with brnn's error norm",
    "NumPy without temporaries, solve_ivp with brnn's error norm",
    "brnn.simulate",
)
CONTENDERS = (NUMPY, NUMPY_MAX, NUMPY_CARE, SIMULATE)


def f(y: np.ndarray) -> np.ndarray:
    """Return the signal."""
    return GAIN * y**2 / (HALF**2 + y**2)


@dataclass(frozen=True)
class Start:
    """Inputs and states at time 0 of the groups: I (groups,), y (groups,), z and w [F2 group, F1 group]."""

    I: np.ndarray
    y: np.ndarray
    z: np.ndarray
    w: np.ndarray

    @classmethod
    def drawn(cls) -> Start:
        """Return the same random numbers every time."""
        rng = np.random.default_rng(1000)
        return cls(
            rng.uniform(0.2, 2.0, GROUPS),
            rng.uniform(0.0, 0.5, GROUPS),
            rng.uniform(size=(GROUPS, GROUPS)),
            rng.uniform(size=(GROUPS, GROUPS)),
        )

    def spread(self, n: int) -> Start:
        """Return the same for n cells in each layer."""
        each = n // GROUPS

        def over(matrix: np.ndarray) -> np.ndarray:
            return matrix.repeat(each, axis=0).repeat(each, axis=1)

        return Start(self.I.repeat(each), self.y.repeat(each), over(self.z), over(self.w))

    def state(self) -> np.ndarray:
        """Return the state vector [x, y, z, w], with x = 0."""
        return np.concatenate([np.zeros(self.I.size), self.y, self.z.ravel(), self.w.ravel()])


def plain(t: float, u: np.ndarray, n: int, I: np.ndarray) -> np.ndarray:
    """Return du/dt in plain NumPy, as one would write it; z and w are [F2 cell, F1 cell]."""
    x, y = u[:n], u[n : 2 * n]
    z, w = u[2 * n :].reshape(2, n, n)
    signal = f(y)
    dx = -A * x + (B - x) * (I + D / n * (signal @ w))
    dy = -A * y + (B - y) * (F / n * (z @ x) + signal) - y * G / n * (signal.sum() - signal)
    dz = M * signal[:, None] * (x[None, :] - z)
    dw = M * signal[:, None] * (x[None, :] - w)
    return np.concatenate([dx, dy, dz.ravel(), dw.ravel()])


def careful(t: float, u: np.ndarray, n: int, I: np.ndarray) -> np.ndarray:
    """Return du/dt in NumPy with one array for it and no other of the size of the weights."""
    du = np.empty_like(u)
    x, y = u[:n], u[n : 2 * n]
    z, w = u[2 * n :].reshape(2, n, n)
    signal = f(y)
    du[:n] = -A * x + (B - x) * (I + D / n * (signal @ w))
    du[n : 2 * n] = -A * y + (B - y) * (F / n * (z @ x) + signal) - y * G / n * (signal.sum() - signal)
    weights = du[2 * n :].reshape(2, n, n)
    np.subtract(x, u[2 * n :].reshape(2, n, n), out=weights)
    weights *= (M * signal)[:, None]
    return du


def grouped(t: float, u: np.ndarray, n: int, start: Start) -> np.ndarray:
    """Return du/dt of the groups, each of n/GROUPS equal cells."""
    each = n / GROUPS
    x, y = u[:GROUPS], u[GROUPS : 2 * GROUPS]
    z, w = u[2 * GROUPS :].reshape(2, GROUPS, GROUPS)
    signal = f(y)
    dx = -A * x + (B - x) * (start.I + D / n * each * (signal @ w))
    dy = -A * y + (B - y) * (F / n * each * (z @ x) + signal) - y * G / n * (each * signal.sum() - signal)
    dz = M * signal[:, None] * (x[None, :] - z)
    dw = M * signal[:, None] * (x[None, :] - w)
    return np.concatenate([dx, dy, dz.ravel(), dw.ravel()])


def reference(n: int) -> np.ndarray:
    """Return the state of the groups at the end, at a tolerance of 1e-11."""
    start = Start.drawn()
    solution = solve_ivp(
        grouped, (0.0, DURATION), start.state(), method="DOP853", rtol=1e-11, atol=1e-13, args=(n, start)
    )
    return np.asarray(solution.y[:, -1])


def network(n: int) -> Any:
    """Return the network as brnn has it."""
    import brnn

    start = Start.drawn().spread(n)
    signal = brnn.Sigmoid(GAIN, HALF, 2)
    learning: dict[str, Any] = {"rate": M, "sampled": brnn.Linear()}
    return brnn.Network(
        "learning",
        layers=[brnn.Layer.shunting("F1", n, A, B), brnn.Layer.shunting("F2", n, A, B, initial=start.y)],
        projections=[
            brnn.Projection(
                "F1",
                "F2",
                "excitatory",
                brnn.Linear(),
                brnn.AllToAll(F / n),
                learning=brnn.Instar(sampling=signal, initial=start.z, **learning),
                name="up",
            ),
            brnn.Projection(
                "F2",
                "F1",
                "excitatory",
                signal,
                brnn.AllToAll(D / n),
                learning=brnn.Outstar(initial=start.w.T, **learning),
                name="down",
            ),
            brnn.Projection("F2", "F2", "excitatory", signal, brnn.OneToOne()),
            brnn.Projection("F2", "F2", "inhibitory", signal, brnn.AllButSelf(G / n)),
        ],
        stimuli=[brnn.Stimulus("F1", pattern=start.I)],
    )


def solve(contender: str, n: int) -> tuple[np.ndarray, int]:
    """Return the final state [x, y, z, w] and the number of evaluations."""
    if contender == SIMULATE:
        import brnn

        result = brnn.simulate(network(n), DURATION, times=[DURATION], solver=SOLVER, rtol=RTOL, atol=ATOL)
        z, w = result["up.z"].to_numpy()[-1], result["down.z"].to_numpy()[-1].T
        return np.concatenate([result.final("F1"), result.final("F2"), z.ravel(), w.ravel()]), result.solver.evaluations
    method: Any = SOLVER
    if contender != NUMPY:
        from brnn.integrate.steppers.maximum_norm import MaxRK45

        method = MaxRK45
    start = Start.drawn().spread(n)
    solution = solve_ivp(
        careful if contender == NUMPY_CARE else plain,
        (0.0, DURATION),
        start.state(),
        method=method,
        t_eval=[DURATION],
        rtol=RTOL,
        atol=ATOL,
        args=(n, start.I),
    )
    return np.asarray(solution.y[:, -1]), int(solution.nfev)


def largest_error(state: np.ndarray, exact: np.ndarray, n: int) -> float:
    """Return the largest difference from the reference, over all unknowns."""
    x, y = exact[:GROUPS], exact[GROUPS : 2 * GROUPS]
    z, w = exact[2 * GROUPS :].reshape(2, GROUPS, GROUPS)
    groups = Start(x, y, z, w).spread(n)
    cells = np.concatenate([groups.I, groups.y])
    error = np.abs(state[: 2 * n] - cells).max()
    for measured, expected in zip(state[2 * n :].reshape(2, n, n), (groups.z, groups.w), strict=True):
        error = max(error, np.abs(measured - expected).max())
    return float(error)


def measure(contender: str, n: int) -> None:
    """Run one contender in this process and print what it took, as JSON."""
    if contender == SIMULATE:
        import brnn

        # Compiled and imported before the clock starts: a structure is compiled once, whatever its size.
        brnn.simulate(network(SIZES[0]), 0.1, times=[0.1], solver=SOLVER)["up.z"].to_numpy()
    before = peak()
    started, busy = time.perf_counter(), time.process_time()
    state, evaluations = solve(contender, n)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    after = peak()
    error = largest_error(state, reference(n), n)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor_seconds": busy,
                "before": before,
                "peak": after,
                "evaluations": evaluations,
                "error": error,
            }
        )
    )


def peak() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    try:
        # Linux hands ru_maxrss down from the process that started this one.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else 1024 * used


def in_process(contender: str, n: int) -> dict[str, Any]:
    """Run one contender in a new process; return what it printed."""
    program = f"from benchmarks.learning import measure; measure({contender!r}, {n})"
    folder = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=os.environ, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"learning, {contender}, n = {n}: failed; nothing is reported:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if not result["error"] <= AGREEMENT:
        raise SystemExit(f"learning, {contender}, n = {n}: off by {result['error']:.1e}; nothing is reported")
    return result


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark.

    Parameters
    ----------
    quick : bool
        Only small networks, once each.

    Returns
    -------
    dict
        Settings, machine, and one row for each size: for each contender its time, memory, evaluations and error.

    Raises
    ------
    SystemExit
        If a process fails or an answer does not agree with the reference.
    """
    rows = []
    for n in SIZES[:1] if quick else SIZES:
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
        for _ in range(1 if quick else 3):
            for name in CONTENDERS:  # in turn, so that a slow moment of the machine meets all of them
                found[name].append(in_process(name, n))
        runs = {
            name: {
                **Timing(tuple(one["seconds"] for one in each)).to_dict(),
                "processor_seconds": sorted(one["processor_seconds"] for one in each)[len(each) // 2],
                "peak": max(one["peak"] for one in each),
                "before": max(one["before"] for one in each),
                "evaluations": each[0]["evaluations"],
                "error": each[0]["error"],
            }
            for name, each in found.items()
        }
        rows.append({"n": n, "unknowns": 2 * n + 2 * n * n, "runs": runs})
    return {
        "benchmark": "learning",
        "settings": {"duration": DURATION, "rtol": RTOL, "atol": ATOL, "solver": SOLVER, "quick": quick},
        "machine": machine(),
        "rows": rows,
    }


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table."""
    lines = []
    for row in report["rows"]:
        base = row["runs"][NUMPY]
        for name, found in row["runs"].items():
            lines.append(
                [
                    f"{row['unknowns']:>9,}  {name}",
                    f"{found['median']:.3g} s",
                    f"{base['median'] / found['median']:.2f}",
                    f"{found['processor_seconds']:.3g} s",
                    f"{found['peak'] / 1e6:.0f} MB",
                    f"{(found['peak'] - found['before']) / (8 * row['unknowns']):.1f}",
                    str(found["evaluations"]),
                    f"{found['error']:.1e}",
                ]
            )
    settings = report["settings"]
    header = ["    unknowns  run", "time", "speed", "processor time", "peak", "copies", "evaluations", "error"]
    return "\n".join(
        [
            f"Instars and outstars between two layers, t in [0, {settings['duration']:g}], {settings['solver']}, "
            f"rtol {settings['rtol']:g}, atol {settings['atol']:g}; each run in a process of its own; medians; "
            "speed: NumPy's time / this; copies: memory beyond the imports, in copies of the state",
            text_table(lines, header, right=True),
        ]
    )


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw time and largest memory against the number of unknowns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = [row["unknowns"] for row in report["rows"]]
    for name in CONTENDERS:
        left.loglog(sizes, [row["runs"][name]["median"] for row in report["rows"]], "o-", label=name)
        right.loglog(sizes, [row["runs"][name]["peak"] / 1e6 for row in report["rows"]], "o-", label=name)
    left.set(title="one run", xlabel="unknowns", ylabel="seconds")
    right.set(title="largest memory of the process", xlabel="unknowns", ylabel="MB")
    left.legend(fontsize="small")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)
