"""Do error estimates hold what they promise? The measured error over the requested one, of each method.

Random networks, whose numbers come from a seed, of two structures: a recurrent competitive field whose inputs go off at
t = 1, and five layers with every law, both gates and five learning laws. Each is integrated by every method at several
tolerances; what counts is, over all unknowns and saved times (some a few thousandths after a jump of the input),

    max |error| / (atol + rtol max |x|)

with the largest size of each unknown during its run. The reference is SciPy's DOP853 at rtol 1e-12, restarted at each
jump. LSODA and BDF are SciPy's; the norm of BDF is the root mean square over all unknowns.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

import brnn
from benchmarks.measure import machine
from brnn.base.text import text_table

__all__ = ["draw", "run", "summary"]

METHODS = ("RK45", "Tsit5", "compiled", "auto", "ETD4", "ROS34PW2", "ROS34PW2-totals", "LSODA", "BDF")
LOOSE = {"ROS34PW2": 1e-6, "ROS34PW2-totals": 1e-6}  # order 3: at 1e-9 a run takes seconds
ALONE = {"ROS34PW2-totals": "field"}  # the structure that a method is for
TOLERANCES = (1e-3, 1e-6, 1e-9)
ATOL = 1e-3  # of rtol: activities lie around 1
BOUND = 10.0  # an answer farther away than so many tolerances counts as a miss
DURATION, OFF = 4.0, 1.0
TIMES = np.array([0.003, 0.03, 0.3, 0.97, 1.003, 1.3, 2.0, 4.0])
SEED = 11


def field(rng: np.random.Generator) -> brnn.Network:
    """Return a recurrent competitive field of five cells with random numbers and an input until t = 1."""
    f = brnn.Sigmoid(rng.uniform(0.5, 5.0), rng.uniform(0.1, 1.0), rng.uniform(1.0, 4.0))
    layer = brnn.Layer.shunting(
        "rcf", 5, A=rng.uniform(0.1, 2.0), B=rng.uniform(0.5, 4.0), D=rng.uniform(0.0, 1.0), initial=0.1 * rng.random(5)
    )
    links = [
        brnn.Projection("rcf", "rcf", "excitatory", f),
        brnn.Projection("rcf", "rcf", "inhibitory", f, brnn.AllButSelf(rng.uniform(0.2, 2.0))),
    ]
    lights = 10.0 ** rng.uniform(-1.0, 2.0) * rng.random(5)
    return brnn.Network("field", [layer], links, [brnn.Stimulus("rcf", "excitatory", lights, brnn.Pulse(0.0, OFF))])


def laws(rng: np.random.Generator) -> brnn.Network:
    """Return five layers with every law, both gates and five learning laws, with random numbers."""
    f, n = brnn.Sigmoid(1.0, rng.uniform(0.2, 1.0)), 4

    def weights() -> np.ndarray:
        return rng.uniform(0.0, 1.0, (n, n))

    def gate(per: str) -> brnn.HabituativeGate:
        return brnn.HabituativeGate(rng.uniform(0.1, 1.0), 1.0, rng.uniform(0.5, 5.0), per=per)

    def link(source: str, target: str, kind: Any, **more: Any) -> brnn.Projection:
        return brnn.Projection(source, target, kind, f, brnn.Dense(weights()), name=f"{source}{target}", **more)

    rates = rng.uniform(0.1, 2.0, 5)
    bright = 10.0 ** rng.uniform(-1.0, 2.0, 2)
    return brnn.Network(
        "laws",
        [
            brnn.Layer.shunting("a", n, A=rng.uniform(0.2, 2.0), B=2.0, D=0.3, initial=rng.random(n)),
            brnn.MembraneLayer("b", (n,), C=0.5, V_plus=1.0, V_minus=-0.5, V_p=0.0, g_p=rng.uniform(0.2, 2.0)),
            brnn.WilsonCowanLayer(
                "c", (n,), a=1.3, theta=0.5, tau=rng.uniform(0.3, 3.0), initial=rng.uniform(0, 0.4, n)
            ),
            brnn.CohenGrossbergLayer(
                "d", (n,), a=brnn.Function("1 + w**2"), b=brnn.Function("0.5 - 2*w - w**3"), initial=rng.random(n)
            ),
            brnn.GatedLayer("e", (n,), A=rng.uniform(0.2, 2.0), B=1.0, C=1.0, E=0.0, F=1.0, rest=0.1, gain=1.0),
        ],
        [
            link("a", "b", "excitatory", learning=brnn.Outstar(rates[0], initial=weights()), gate=gate("connection")),
            link("b", "c", "excitatory", learning=brnn.Instar(rates[1], initial=weights()), gate=gate("source")),
            link("c", "d", "inhibitory", learning=brnn.PassiveDecay(rates[2], initial=weights())),
            link("d", "e", "inhibitory", learning=brnn.SelfNormalizing(rates[3], initial=weights())),
            link("e", "a", "inhibitory", learning=brnn.DoublyGated(rates[4], initial=weights())),
            brnn.Projection("a", "e", "modulatory", f, brnn.AllToAll(0.5)),
        ],
        [
            brnn.Stimulus("a", "excitatory", bright[0] * rng.random(n), brnn.Pulse(0.0, OFF)),
            brnn.Stimulus("e", "excitatory", rng.random(n), brnn.Sine(0.5, 0.5, 1.0)),
            brnn.Stimulus("b", "inhibitory", bright[1] * rng.random(n)),
        ],
    )


STRUCTURES: dict[str, Callable[[np.random.Generator], brnn.Network]] = {"field": field, "laws": laws}


def reference(network: brnn.Network) -> np.ndarray:
    """Return the states at TIMES [time, unknown] by SciPy.

    Each time ends an integration of its own, of at least 64 steps: between its steps DOP853 was off by 4e-9, and where
    it crossed such a piece in one step by 7e-8. Where signals have corners eight steps were too few: one network of a
    hundred was off by eight tolerances of 1e-9, and all methods at it seemed to be.
    """
    system = brnn.compile_network(network)
    state, start, rows = system.initial_state(), 0.0, []
    for stop in sorted({*TIMES.tolist(), OFF}):
        slope = system.rhs(0.5 * (start + stop))
        longest = (stop - start) / 64
        state = solve_ivp(slope, (start, stop), state, "DOP853", rtol=1e-12, atol=1e-14, max_step=longest).y[:, -1]
        start = stop
        rows += [state] if stop in TIMES else []
    return np.array(rows)


def measured(network: brnn.Network, exact: np.ndarray, method: str, rtol: float) -> tuple[float, int]:
    """Return the largest error over what was asked for, and the number of evaluations."""
    atol = ATOL * rtol
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of weak or large activities, which random numbers may bring
        result = brnn.simulate(network, DURATION, times=TIMES, solver=method, rtol=rtol, atol=atol)
    system = brnn.compile_network(network)
    found = np.concatenate([result[v.name].values.reshape(TIMES.size, -1) for v in system.variables], axis=1)
    asked = atol + rtol * np.abs(exact).max(axis=0)
    return float((np.abs(found - exact) / asked).max()), int(result.solver.details.get("evaluations", 0))


def run(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark: 100 networks of each structure (quick: 2)."""
    count = 2 if quick else 100
    rows = []
    for name, build in STRUCTURES.items():
        networks = [build(rng) for rng in np.random.default_rng(SEED).spawn(count)]
        answers = [reference(network) for network in networks]
        methods = [method for method in METHODS if ALONE.get(method, name) == name]
        for method in methods[:4] if quick else methods:
            for rtol in (tolerance for tolerance in TOLERANCES if tolerance >= LOOSE.get(method, 0.0)):
                ratios = [measured(n, exact, method, rtol)[0] for n, exact in zip(networks, answers, strict=True)]
                rows.append({"structure": name, "method": method, "rtol": rtol, "ratios": ratios})
    settings = {"networks": count, "seed": SEED, "bound": BOUND, "quick": quick}
    return {"benchmark": "errors", "settings": settings, "machine": machine(), "rows": rows}


def summary(report: dict[str, Any]) -> str:
    """Return the report as a table: quantiles, and how many networks lie beyond the bound."""
    lines = []
    for row in report["rows"]:
        low, middle, high, most = np.quantile(row["ratios"], [0.1, 0.5, 0.9, 1.0])
        beyond = sum(ratio > report["settings"]["bound"] for ratio in row["ratios"])
        numbers = [f"{q:.2g}" for q in (low, middle, high, most)]
        lines.append([row["structure"], row["method"], f"{row['rtol']:.0e}", *numbers, str(beyond)])
    settings = report["settings"]
    title = (
        f"Largest error over the one asked for, {settings['networks']} random networks each (seed {settings['seed']})"
    )
    head = ["structure", "method", "rtol", "10 %", "median", "90 %", "largest", f"beyond {settings['bound']:g}"]
    return f"{title}\n" + text_table(lines, head, right=True)


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw the ratios of every method, tolerance beside tolerance."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    structures = list(dict.fromkeys(row["structure"] for row in report["rows"]))
    for axes, structure in zip(np.atleast_1d(figure.subplots(len(structures))), structures, strict=True):
        rows = [row for row in report["rows"] if row["structure"] == structure]
        axes.boxplot([np.log10(row["ratios"]) for row in rows], whis=(0, 100))
        axes.set_xticks(range(1, len(rows) + 1), [f"{r['method']}\n{r['rtol']:.0e}" for r in rows], rotation=90)
        axes.axhline(np.log10(report["settings"]["bound"]), linestyle="--", color="0.3")
        axes.set(title=structure, ylabel="log10 of error / tolerance")
    figure.savefig(path, dpi=120)
