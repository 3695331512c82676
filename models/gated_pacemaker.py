"""Gated pacemaker: two cells that inhibit each other and excite themselves through habituative gates take turns.

    dx_i/dt = -A x_i + (B - x_i) [I + light_i + f(x_i) z_i] - (x_i + C) [g f(x_k) + fatigue]       i = 1, 2; k the other
    dz_i/dt = s [D (1 - z_i) - H f(x_i) z_i]

A recurrent on-center off-surround shunting network whose excitatory feedback goes through gates of the kind (10): the
cell that is on uses up its transmitter, and the other, whose gate has recovered, takes over. I is tonic arousal. Here
D and H are the rates of accumulation and depletion, and s scales both: the gates are the clock.

Source: Carpenter and Grossberg (1983), A neural theory of circadian rhythms: the gated pacemaker, Biol. Cybern. 48,
35-59. The equations are recalled, not looked up; the role of each part (recurrent shunting on-center off-surround
network, gated excitatory feedback, tonic arousal, light, fatigue) is that of the caption on p. 567 of Grossberg (2021),
Conscious Mind, Resonant Brain. The parameters of the paper are not known here: the defaults are our own, and what the
claims compare with was computed from these equations by other solvers, or follows from theory.

What is known: the cells oscillate in antiphase. The period is set by the gates: s times the period goes to a constant
as s goes to 0, which `brnn.theory.pacemaker` computes without simulating. Without depletion (H = 0) nothing oscillates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.analysis import Oscillation, measure_oscillation, phase_lag
from brnn.base.checks import number
from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Mark, Run, figure, time_panel, trace
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import activities, signal_of
from brnn.models.parts.reference import scipy_solution
from brnn.models.parts.runs import run
from brnn.signals import Sigmoid, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory.pacemaker import singular_period

__all__ = ["build"]

_CELLS = (2,)


@takes_dotted_names
def build(
    A: float = 1.0,
    B: float = 1.0,
    C: float = 0.5,
    I: float = 0.3,
    D: float = 0.02,
    H: float = 0.06,
    s: float = 1.0,
    signal: Signal = Sigmoid(gain=3.0, half=math.sqrt(0.1), exponent=2.0),
    g: float = 0.3,
    light: float = 0.0,
    fatigue: float = 0.0,
    initial: ArrayLike = (0.5, 0.1),
    z: ArrayLike = (0.9, 0.9),
) -> Network:
    """Return a gated pacemaker.

    Parameters
    ----------
    A : float, > 0
        Passive decay rate (1/time).
    B : float, > 0
        Upper bound of activity (1).
    C : float, >= 0
        -C is the lower bound of activity (1).
    I : float, >= 0
        Arousal, the tonic input of both cells (1/time).
    D : float, > 0
        Rate at which gates accumulate (1/time).
    H : float, >= 0
        Rate at which gates are depleted by a unit of signal (1).
    s : float, > 0
        Factor of D and H (1): slower gates, longer period.
    signal : Signal
        f, by which a cell excites itself through its gate (1/time).
    g : float, >= 0
        Strength with which a cell inhibits the other by the same signal (1).
    light : float, >= 0
        Input of the first cell alone (1/time): a diurnal pacemaker is on by day.
    fatigue : float, >= 0
        Inhibitory input of both cells (1/time).
    initial : two floats, in [-C, B]
        Activities at time 0 (1).
    z : two floats, in [0, 1]
        Gates at time 0 (1).

    Returns
    -------
    Network
        Layer "pacemaker" and gates "gates.y" (z of the equations).

    Raises
    ------
    SpecError
        If a value has the wrong type, shape or sign, or is not finite.
    """
    at = "gated_pacemaker"
    floor, ceiling = number(C, f"{at}: C", minimum=0.0), number(B, f"{at}: B", above=0.0)
    start = activities(initial, f"{at}: initial", _CELLS, minimum=-floor)
    number(float(np.max(start)), f"{at}: initial", maximum=ceiling)
    scale = number(s, f"{at}: s", above=0.0)
    gate = HabituativeGate(
        H=scale * number(D, f"{at}: D", above=0.0),
        K=1.0,
        L=scale * number(H, f"{at}: H", minimum=0.0),
        initial=activities(z, f"{at}: z", _CELLS, minimum=0.0),
    )
    f = signal_of(signal, f"{at}: signal")
    tonic = number(I, f"{at}: I", minimum=0.0)
    pattern = np.array([tonic + number(light, f"{at}: light", minimum=0.0), tonic])
    tired = number(fatigue, f"{at}: fatigue", minimum=0.0)
    return Network(
        at,
        layers=(Layer.shunting("pacemaker", _CELLS, A=number(A, f"{at}: A", above=0.0), B=B, D=floor, initial=start),),
        projections=(
            Projection("pacemaker", "pacemaker", "excitatory", f, OneToOne(), gate=gate, name="gates"),
            Projection("pacemaker", "pacemaker", "inhibitory", f, AllButSelf(number(g, f"{at}: g", minimum=0.0))),
        ),
        stimuli=(
            Stimulus("pacemaker", "excitatory", pattern),
            *([Stimulus("pacemaker", "inhibitory", tired)] if tired > 0.0 else []),
        ),
        duration=500.0 / scale,
        reference="Carpenter and Grossberg (1983), Biol. Cybern. 48, 35-59",
    )


# Claims --------------------------------------------------------------------------------------------------------

_COMPUTED = "own parameters; equations recalled from Carpenter and Grossberg (1983), "
_RATES = (1.0, 0.5, 0.25, 0.1)


def _measured(s: float, cycles: int = 4) -> Oscillation:
    """Return the limit cycle of x_1 for gates of the rate s."""
    period = 75.0 / s + 25.0 / s ** (1.0 / 3.0)  # about
    times = np.linspace(12.0 * period, (13.0 + cycles) * period, 4000 * (cycles + 1))
    x = np.asarray(run(build(s=s), times[-1], times=times)["pacemaker.x"])
    return measure_oscillation(times, x[:, 0])


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, z = u[:2], u[2:]
        w = np.maximum(x, 0.0)
        f = p.signal.gain * w**p.signal.exponent / (p.signal.half**p.signal.exponent + w**p.signal.exponent)
        excited = p.I + np.array([p.light, 0.0]) + f * z
        dx = -p.A * x + (p.B - x) * excited - (x + p.C) * (p.g * f[::-1] + p.fatigue)
        return np.concatenate([dx, p.s * (p.D * (1.0 - z) - p.H * f * z)])

    u = integrated(velocity, np.concatenate([p.initial, p.z]), times)
    return {"pacemaker.x": u[:, :2], "gates.y": u[:, 2:]}


@claim("Its equations, written out by hand", source="Carpenter and Grossberg (1983), as recalled; SciPy")
def equations() -> list[Comparison]:
    """Every parameter off its default, with light and fatigue."""
    parameters = {
        "A": 0.8,
        "B": 1.2,
        "C": 0.4,
        "I": 0.35,
        "D": 0.05,
        "H": 0.09,
        "s": 1.5,
        "signal": Numbers(Sigmoid, gain=2.5, half=0.4, exponent=1.7),
        "g": 0.5,
        "light": 0.15,
        "fatigue": 0.1,
        "initial": np.array([0.45, 0.2]),
        "z": np.array([0.7, 0.85]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 8.0, 9))


@claim("The limit cycle: period and range of x_1", source=_COMPUTED + "computed by LSODA outside of brnn")
def limit_cycle() -> list[Comparison]:
    """The tabled period 99.1978 and range of the default parameters; every cycle is like the others."""
    found = _measured(1.0)
    return [
        Comparison(99.1978, found.period, 6e-5, "period"),
        Comparison([-0.02252831, 0.59226165], [found.low, found.high], 1e-6, "range of x_1"),
        Comparison(0.0, found.irregularity, 1e-7, "relative difference of cycles"),
    ]


@claim("The two cells oscillate in antiphase", source="symmetry; Carpenter and Grossberg (1983)")
def antiphase() -> list[Comparison]:
    """x_2 is x_1 half a period later, and so are the gates."""
    period = _measured(1.0).period
    times = np.linspace(1000.0, 1000.0 + 2.0 * period, 8001)
    result = run(build(), times[-1], times=times)
    rows = [Comparison(0.5, phase_lag(times, *np.asarray(result["pacemaker.x"]).T), 1e-7, "phase lag of x_2")]
    for name in ("pacemaker.x", "gates.y"):
        values = np.asarray(result[name])
        rows.append(Comparison(values[:6001, 0], values[2000:, 1], 1e-6, f"{name}: second cell half a period later"))
    return rows


@claim("Slower gates make the period longer, in proportion in the end", source=_COMPUTED + "computed outside of brnn")
def gates_are_the_clock() -> list[Comparison]:
    """The tabled periods for gates of half, a quarter and a tenth of the rate; s times the period levels off."""
    periods = [_measured(s, cycles=2).period for s in _RATES]
    scaled = np.array(_RATES) * periods
    return [
        Comparison([99.1978, 178.8763, 333.2222, 784.8382], periods, 1.5e-4, "periods at s = 1, 0.5, 0.25, 0.1"),
        Comparison.monotone("falling", scaled, label="s times the period"),
        Comparison.monotone("rising", np.diff(scaled) / np.diff(_RATES), label="steeper towards s = 0, as s^(2/3)"),
    ]


@claim(
    "As s goes to 0, s times the period goes to that of the relaxation oscillation", source="derived: theory.pacemaker"
)
def singular_limit() -> list[Comparison]:
    """The limit from the slow flow between folds, beside periods at small s continued to 0 along s^(2/3)."""
    limit, _ = singular_period(1.0, 1.0, 0.5, 0.3, 0.02, 0.06, Sigmoid(3.0, math.sqrt(0.1), 2.0), 0.3)
    rates = np.array([0.01, 0.003, 0.001])
    scaled = np.array([s * _measured(s, cycles=1).period for s in rates])
    powers = rates ** (2.0 / 3.0)
    continued = np.polyfit(powers[1:], scaled[1:], 1)[1]
    return [
        Comparison(limit, continued, 0.02, "s times the period, continued to s = 0"),
        Comparison.at_least(limit, scaled, label="s times the period at s = 0.01, 0.003, 0.001: above it"),
        Comparison(
            [powers[0] / powers[1], powers[1] / powers[2]],
            (scaled - limit)[:-1] / (scaled - limit)[1:],
            0.05,
            "excess falls as s^(2/3)",
            relative=True,
        ),
    ]


@claim("The equations, with light and fatigue, are those of the docstring", source="equations integrated independently")
def course_is_that_of_the_equations() -> list[Comparison]:
    """Activities and gates of a pacemaker in constant light, with fatigue and other parameters."""
    light, fatigue, s = 0.05, 0.1, 0.7

    def velocity(t: float, u: np.ndarray) -> list[float]:
        x1, x2, z1, z2 = u
        f1, f2 = (3.0 * max(x, 0.0) ** 2 / (0.1 + max(x, 0.0) ** 2) for x in (x1, x2))
        return [
            -1.2 * x1 + (1.1 - x1) * (0.35 + light + f1 * z1) - (x1 + 0.4) * (0.3 * f2 + fatigue),
            -1.2 * x2 + (1.1 - x2) * (0.35 + f2 * z2) - (x2 + 0.4) * (0.3 * f1 + fatigue),
            s * (0.02 * (1.0 - z1) - 0.06 * f1 * z1),
            s * (0.02 * (1.0 - z2) - 0.06 * f2 * z2),
        ]

    times = np.linspace(0.0, 300.0, 601)
    predicted = scipy_solution(velocity, times, [0.5, 0.1, 0.9, 0.9])
    result = run(build(A=1.2, B=1.1, C=0.4, I=0.35, s=s, light=light, fatigue=fatigue), 300.0, times=times, rtol=1e-10)
    return [
        Comparison(predicted[:, :2], result["pacemaker.x"], 1e-5, "x_1, x_2 over time"),
        Comparison(predicted[:, 2:], result["gates.y"], 1e-6, "z_1, z_2 over time"),
    ]


@claim("Without depletion of the gates nothing oscillates", source="competitive systems in the plane converge")
def no_depletion_no_oscillation() -> list[Comparison]:
    """H = 0: the gates stay at 1, the network is a flip-flop, and the cell that began larger stays on."""
    from scipy.optimize import root

    def at_rest(x: np.ndarray) -> np.ndarray:
        f = 3.0 * np.maximum(x, 0.0) ** 2 / (0.1 + np.maximum(x, 0.0) ** 2)
        return np.asarray(-x + (1.0 - x) * (0.3 + f) - (x + 0.5) * 0.3 * f[::-1])

    rows = []
    for initial in ((0.5, 0.1), (0.1, 0.5)):
        result = run(build(H=0.0, initial=initial), until="steady")
        x = np.asarray(result.final("pacemaker"))
        predicted = root(at_rest, np.where(np.array(initial) > 0.3, 0.75, -0.05), tol=1e-13).x
        rows += [
            Comparison(predicted, x, 1e-7, f"from {initial}: equilibrium by another solver"),
            Comparison.order(np.argsort(initial), np.argsort(x), f"from {initial}: order of the cells"),
            Comparison([1.0, 1.0], result.final("gates.y"), 1e-7, f"from {initial}: gates"),
        ]
    return rows


# Figure -------------------------------------------------------------------------------------------------------


@figure("pacemaker.x", "gates.y")
def turns(run: Run) -> FigureDescription:
    """Show both cells and both gates over time."""
    times, x = run.times("pacemaker"), run.values("pacemaker")
    cells: list[Mark] = [trace(run, "pacemaker", k, label=f"cell {k + 1}", color=k) for k in range(2)]
    gates: list[Mark] = [trace(run, "gates.y", k, label=f"gate {k + 1}", color=k) for k in range(2)]
    below, late = run.below, times > 0.4 * (run.start + run.end)
    oscillates = np.count_nonzero(late) > 20 and float(np.ptp(x[late, 0])) > 1e-2
    if oscillates:
        below = f"period {measure_oscillation(times[late], x[late, 0]).period:.4g}   ·   {below}"
    title = "Two cells take turns, as their gates tire and recover"
    rows = (
        (time_panel(run, "Cells: each holds the other down", cells, width=1.8),),
        (time_panel(run, "Gates: used up, and refilled", gates, y="gate y", width=1.8),),
    )
    return FigureDescription(title if oscillates else "Two cells come to rest", below, rows, (0.9, 0.9))
