"""Liquid time-constant network (LTC): the shunting network (8) under another name.

    dx_i/dt = -x_i/tau_i + sum_j |W_ij| f(x_j) (E_ij - x_i) + I_i (A - x_i) - J_i (D + x_i)

The conductance that reaches a cell, F_i = sum_j |W_ij| f(x_j) + I_i + J_i, both drives it and shortens its time
constant, tau_i/(1 + tau_i F_i). The reversal potential E_ij is A where W_ij is positive and -D where it is negative, so
that with A_i = 1/tau_i this is (8), B = A.

Source: Hasani, Lechner, Amini, Rus and Grosu (2021), Liquid time-constant networks, AAAI 35, 7657-7666: dx/dt =
-[1/tau + f(x, I)] x + f(x, I) A, with f of single connections, as their published code has it (logistic functions
of the sending cell). The equation (8) is older: Grossberg (2013), Scholarpedia 8(2):1888.

What is known: tau/(1 + tau W) <= tau_sys <= tau for conductances of at most W (their theorem 1), and the states stay
between the smallest and the largest reversal potential, 0 included (their theorem 2): -D <= x <= A, the bounds of (8).
Their code is the membrane equation (20) with steps x <- (C x/dt + ...)/(C/dt + g_p + ...), implicit in x alone, of
order 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, spread
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Mark, Run, figure, layer_panel, time_panel
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import activities, field_shape, one_or_all, signal_of
from brnn.models.parts.runs import run, slope, stays_within
from brnn.signals import Logistic, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | None = None,
    tau: ArrayLike = 1.0,
    A: float = 1.0,
    D: float = 1.0,
    W: ArrayLike | None = None,
    signal: Signal = Logistic(gain=1.0, slope=5.0, midpoint=0.5),
    pattern: ArrayLike = 0.2,
    inhibition: ArrayLike = 0.0,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a liquid time-constant network.

    By default eight cells with random connections, half of them inhibitory.

    Parameters
    ----------
    n : int, >= 1
        Number of cells (1); by default that of W, `pattern`, `inhibition`, `initial` or `tau`, else 8.
    tau : float or array, > 0
        Time constants without input (time).
    A : float, > 0
        Reversal potential of excitation (1).
    D : float, >= 0
        Minus the reversal potential of inhibition (1).
    W : matrix [target, source], or None
        Conductances (1/time), negative where they inhibit; None draws them from -2 to 2 (seed 2021).
    signal : Signal
        f, never negative (1).
    pattern : float or array, >= 0
        Excitatory conductances I_i of the input (1/time).
    inhibition : float or array, >= 0
        Inhibitory conductances J_i of the input (1/time).
    initial : float or array
        Activities at time 0 (1).

    Returns
    -------
    Network
        One layer, "F1".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, or is not finite, or the network is too large.
    """
    weights = None if W is None else array(W, "ltc: W", ndim=2)
    given = (("pattern", pattern), ("inhibition", inhibition), ("initial", initial), ("tau", tau))
    cells = field_shape("ltc", n, 8 if weights is None else len(weights), given if weights is None else ())
    if len(cells) != 1:
        raise SpecError(f"ltc: n = {cells}: must be one number; W says who is where")
    size = cells[0]
    if weights is None:
        weights = np.random.default_rng(2021).uniform(-2.0, 2.0, (size, size))
    if weights.shape != (size, size):
        raise SpecError(f"ltc: W: has shape {weights.shape}, must have shape {(size, size)} (target, source)")
    times = np.asarray(spread(one_or_all(tau), "ltc: tau", cells, above=0.0))
    f = signal_of(signal, "ltc: signal")
    I = activities(pattern, "ltc: pattern", cells, minimum=0.0)
    J = activities(inhibition, "ltc: inhibition", cells, minimum=0.0)
    highest, lowest = number(A, "ltc: A", above=0.0), number(D, "ltc: D", minimum=0.0)
    x = activities(initial, "ltc: initial", cells)
    return Network(
        "ltc",
        layers=(Layer.shunting("F1", cells, A=one_or_all(1.0 / times), B=highest, D=lowest, initial=x),),
        projections=(
            Projection("F1", "F1", "excitatory", f, Dense(np.maximum(weights, 0.0))),
            Projection("F1", "F1", "inhibitory", f, Dense(np.maximum(-weights, 0.0))),
        ),
        stimuli=(Stimulus("F1", "excitatory", I), Stimulus("F1", "inhibitory", J)),
        duration=10.0 * float(np.max(times)),
        reference="Hasani, Lechner, Amini, Rus and Grosu (2021), AAAI 35, 7657-7666",
    )


# Claims --------------------------------------------------------------------------------------------------------

_HASANI = "Hasani et al. (2021)"


def _random(seed: int, n: int = 6) -> dict[str, Any]:
    """Return arguments of a network with connections of both signs, none of a cell to itself."""
    rng = np.random.default_rng(seed)
    return {
        "tau": rng.uniform(0.5, 2.0, n),
        "A": rng.uniform(0.5, 2.0),
        "D": rng.uniform(0.0, 1.5),
        "W": rng.normal(size=(n, n)) * 3.0 * (1.0 - np.eye(n)),
        "pattern": rng.random(n),
        "inhibition": rng.random(n),
    }


def _f(x: np.ndarray) -> np.ndarray:
    """Return the default signal, written out."""
    return np.asarray(1.0 / (1.0 + np.exp(-5.0 * (x - 0.5))))


@claim("States stay between the reversal potentials, -D <= x <= A", source=f"{_HASANI}, theorem 2; the bounds of (8)")
def states_are_bounded() -> list[Comparison]:
    """Random networks and starts; and that their min(0, E_min) and max(0, E_max) are these two."""
    rows = []
    for seed in (1, 2):
        p = _random(seed)
        start = np.random.default_rng(seed).uniform(-p["D"], p["A"], 6)
        rows += stays_within(build(**p, initial=start), -p["D"], p["A"], f"network {seed}", duration=20.0)
        reversal = np.where(p["W"] > 0.0, p["A"], -p["D"])
        rows.append(Comparison.exact((-p["D"], p["A"]), (min(0.0, reversal.min()), max(0.0, reversal.max()))))
    return rows


@claim("The time constant is tau/(1 + tau F), between tau/(1 + tau W) and tau", source=f"{_HASANI}, theorem 1")
def time_constants_are_liquid() -> list[Comparison]:
    """At 20 random states: -1/(d velocity/dx_i) from velocities at two values of x_i; F is at most sum_j |W_ij|."""
    p = _random(3)
    tau, most = p["tau"], np.abs(p["W"]).sum(axis=1) + p["pattern"] + p["inhibition"]
    network = build(**p)
    states = np.random.default_rng(3).uniform(-p["D"], p["A"], (20, 6))
    found = np.empty_like(states)
    for i in range(6):
        other = states.copy()
        other[:, i] += 1.0  # the velocity is linear in it: no cell sends to itself
        found[:, i] = -1.0 / (slope(network, other) - slope(network, states))[:, i]
    F = _f(states) @ np.abs(p["W"]).T + p["pattern"] + p["inhibition"]
    return [
        Comparison(tau / (1.0 + tau * F), found, 1e-10, "time constants"),
        Comparison.within(tau / (1.0 + tau * most), found, tau, label="between their bounds"),
    ]


@claim("Constant input alone: x = F E/(1/tau + F), at the rate 1/tau + F", source=f"{_HASANI}; (8), (16)")
def constant_input_is_solved() -> Comparison:
    """Six cells without connections: the whole course."""
    p = {**_random(4), "W": np.zeros((6, 6))}
    times = np.linspace(0.0, 4.0, 17)
    rate = 1.0 / p["tau"] + p["pattern"] + p["inhibition"]
    rest = (p["pattern"] * p["A"] - p["inhibition"] * p["D"]) / rate
    predicted = rest + (0.3 - rest) * np.exp(-rate * times[:, None])
    return Comparison(predicted, run(build(**p, initial=0.3), 4.0, times=times)["F1.x"], 1e-8)


@claim("Their code is the membrane equation (20), stepped implicitly in x with order 1", source=f"{_HASANI}; (20)")
def published_code_is_the_membrane_equation() -> list[Comparison]:
    """A layer of (20), C = 1, g_p = 1/tau, V_p = 0: the same course; and how far their step is off as it is halved."""
    p = _random(5)
    times = np.linspace(0.0, 3.0, 7)
    plus, minus, tau = np.maximum(p["W"], 0.0), np.maximum(-p["W"], 0.0), p["tau"]
    f = Logistic(gain=1.0, slope=5.0, midpoint=0.5)
    membrane = Network(
        "membrane",
        [MembraneLayer("V", (6,), C=1.0, V_plus=p["A"], V_minus=-p["D"], V_p=0.0, g_p=1.0 / tau)],
        [Projection("V", "V", "excitatory", f, Dense(plus)), Projection("V", "V", "inhibitory", f, Dense(minus))],
        [Stimulus("V", "excitatory", p["pattern"]), Stimulus("V", "inhibitory", p["inhibition"])],
    )
    x = np.asarray(run(build(**p), 3.0, times=times)["F1.x"])
    errors = []
    for steps in (1000, 2000, 4000):
        v, dt = np.zeros(6), 3.0 / steps
        for _ in range(steps):
            exc, inh = plus @ _f(v) + p["pattern"], minus @ _f(v) + p["inhibition"]
            v = (v + dt * (exc * p["A"] - inh * p["D"])) / (1.0 + dt * (1.0 / tau + exc + inh))
        errors.append(float(np.abs(v - x[-1]).max()))
    ratios = [errors[0] / errors[1], errors[1] / errors[2]]
    return [
        Comparison(run(membrane, 3.0, times=times)["V.x"], x, 1e-8, "(20) and `ltc`"),
        Comparison([2.0, 2.0], ratios, 0.1, "error of their step over that of half of it"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    plus, minus = np.maximum(p.W, 0.0), np.maximum(-p.W, 0.0)

    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        f = p.signal.gain / (1.0 + np.exp(-p.signal.slope * (x - p.signal.midpoint)))
        drive = (p.A - x) * (plus @ f + p.pattern) - (p.D + x) * (minus @ f + p.inhibition)
        return np.asarray(-x / p.tau + drive)

    return {"F1.x": integrated(velocity, p.initial, times)}


@claim("Its equations, written out by hand", source=f"{_HASANI}; integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells, every parameter off its default."""
    parameters = {
        "tau": np.array([0.7, 1.3, 2.1]),
        "A": 1.4,
        "D": 0.6,
        "W": np.array([[0.5, -1.5, 0.8], [1.0, -0.5, -0.7], [-0.9, 1.2, 0.4]]),
        "signal": Numbers(Logistic, gain=1.3, slope=3.0, midpoint=0.3),
        "pattern": np.array([0.6, 0.3, 0.9]),
        "inhibition": np.array([0.2, 0.5, 0.1]),
        "initial": np.array([0.4, -0.2, 0.1]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 3.0, 7))


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def liquid(run: Run) -> FigureDescription | None:
    """Show the cells within their bounds, and the time constants that follow what arrives."""
    view, layer = run.view("F1"), run.part("F1")
    if view.cells > 12 or len(view.shape) > 1:
        return None
    times, x = run.times("F1"), run.values("F1")
    arrives = np.full(x.shape, 0.0)
    for kind in ("exc", "inh"):
        link = run.part(f"F1_F1_{kind}")
        arrives += link.signal(x) @ np.asarray(link.topology.matrix).T
    for kind in ("excitatory", "inhibitory"):
        arrives += run.inputs_to("F1", kind, time=0.5 * (run.start + run.end)).ravel()
    constants = 1.0 / (np.broadcast_to(np.ravel(layer.A), view.cells) + arrives)
    shades = np.linspace(0.0, 1.0, view.cells) if view.cells > 6 else [None] * view.cells
    marks: list[Mark] = [Curve(times, constants[:, k], color=k, shade=shades[k]) for k in range(view.cells)]
    marks.append(Level(float(np.max(1.0 / np.asarray(layer.A))), "tau, its bound"))
    panels = (
        layer_panel(run, "F1", "Activities", labels=[f"cell {k}" for k in range(view.cells)]),
        time_panel(run, "Time constants: what arrives shortens them", marks, y="tau/(1 + tau F)", width=0.9),
    )
    return FigureDescription("Cells that are driven harder are faster", run.below, (panels,), (1.3,))
