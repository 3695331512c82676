"""Wilson and Cowan's excitatory and inhibitory populations.

    tau dE/dt = -E + (k_e - r E) S_e(c1 E - c2 I + P)
    tau dI/dt = -I + (k_i - r I) S_i(c3 E - c4 I + Q)
    S(w) = 1/(1 + exp(-a (w - theta))) - 1/(1 + exp(a theta))

E and I are the fractions of cells that are active, S is a sigmoid with S(0) = 0, and k - r E is the fraction that can
still be excited. In dx_i/dt = F(x), the sigmoid is taken of the sum of all inputs, excitatory minus inhibitory, where a
shunting network (8) multiplies each kind by its own factor.

Source: Wilson and Cowan (1972), Excitatory and inhibitory interactions in localized populations of model neurons,
Biophys. J. 12, 1-24; parameters of its limit cycle as in a public collection of parametrizations. In the paper k is
S(infinity), which is nearly 1; 1 is widely used, and is the default here (k=None gives the paper's).

What is known: the populations can rest, switch between several steady states (hysteresis), or go around a limit cycle.
Under inputs of growing intensity a pattern saturates: all populations with a positive net input tend to the same level
(about k/(1 + r)), while a shunting on-center off-surround network keeps the ratios of its inputs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.analysis import Oscillation, measure_oscillation
from brnn.base.checks import number
from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Run, figure, phase_panel, time_panel, trace
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, activities, field_shape
from brnn.models.parts.reference import scipy_solution
from brnn.models.parts.runs import final, run
from brnn.signals import Linear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.wilson_cowan import WilsonCowanLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import OneToOne

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    c1: float = 16.0,
    c2: float = 12.0,
    c3: float = 15.0,
    c4: float = 3.0,
    a_e: float = 1.3,
    theta_e: float = 4.0,
    a_i: float = 2.0,
    theta_i: float = 3.7,
    r: float = 1.0,
    k: float | None = 1.0,
    tau: float = 1.0,
    pattern: ArrayLike = 1.25,
    Q: ArrayLike = 0.0,
    initial: ArrayLike = 0.0,
    inhibitory: ArrayLike = 0.0,
) -> Network:
    """Return pairs of an excitatory and an inhibitory population, each pair by itself; by default one that oscillates.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of pairs along each axis (1); by default that of `pattern`, Q, `initial` or `inhibitory`, else 1.
    c1 : float, >= 0
        Strength of E to E (1).
    c2 : float, >= 0
        Strength of I to E, which inhibits (1).
    c3 : float, >= 0
        Strength of E to I (1).
    c4 : float, >= 0
        Strength of I to I, which inhibits (1).
    a_e : float, > 0
        Slope of S_e (1).
    theta_e : float
        Midpoint of S_e (1).
    a_i : float, > 0
        Slope of S_i (1).
    theta_i : float
        Midpoint of S_i (1).
    r : float, >= 0
        Refractory coefficient of both (1).
    k : float > 0, or None
        Largest active fraction of both (1); None is S_e(infinity) and S_i(infinity), as in the paper.
    tau : float, > 0
        Time constant of both (time).
    pattern : float or array
        P, input of the excitatory populations (1).
    Q : float or array
        Input of the inhibitory populations (1).
    initial : float or array
        E at time 0 (1).
    inhibitory : float or array
        I at time 0 (1).

    Returns
    -------
    Network
        Layers "I" and "E".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "wilson_cowan"
    given = (("pattern", pattern), ("Q", Q), ("initial", initial), ("inhibitory", inhibitory))
    cells = field_shape(at, n, 1, given)
    P, other, e0, i0 = (activities(value, f"{at}: {name}", cells) for name, value in given)
    layers = []
    for name, key, a, theta, start in (("I", "i", a_i, theta_i, i0), ("E", "e", a_e, theta_e, e0)):
        slope, middle = number(a, f"{at}: a_{key}", above=0.0), number(theta, f"{at}: theta_{key}")
        most = _largest(slope, middle) if k is None else number(k, f"{at}: k", above=0.0)
        layers.append(WilsonCowanLayer(name, cells, a=slope, theta=middle, tau=tau, k=most, r=r, initial=start))
    c1, c2, c3, c4 = (number(c, f"{at}: c{index}", minimum=0.0) for index, c in enumerate((c1, c2, c3, c4), start=1))
    return Network(
        at,
        layers=layers,
        projections=(
            Projection("E", "E", "excitatory", Linear(), OneToOne(c1)),
            Projection("I", "E", "inhibitory", Linear(), OneToOne(c2)),
            Projection("E", "I", "excitatory", Linear(), OneToOne(c3)),
            Projection("I", "I", "inhibitory", Linear(), OneToOne(c4)),
        ),
        stimuli=(Stimulus("E", "excitatory", P), Stimulus("I", "excitatory", other)),
        duration=50.0 * float(np.max(tau)),
        reference="Wilson and Cowan (1972), Biophys. J. 12, 1-24",
    )


def _largest(a: float, theta: float) -> float:
    """Return S(infinity)."""
    return 1.0 - 1.0 / (1.0 + math.exp(min(a * theta, 700.0)))


# Claims --------------------------------------------------------------------------------------------------------

_1972 = "Wilson and Cowan (1972), "
_CYCLE: dict[str, Any] = {
    "c1": 16.0,
    "c2": 12.0,
    "c3": 15.0,
    "c4": 3.0,
    "a_e": 1.3,
    "theta_e": 4.0,
    "a_i": 2.0,
    "theta_i": 3.7,
}
_SWITCH: dict[str, Any] = {
    "c1": 12.0,
    "c2": 4.0,
    "c3": 13.0,
    "c4": 11.0,
    "a_e": 1.2,
    "theta_e": 2.8,
    "a_i": 1.0,
    "theta_i": 4.0,
}


def _sigmoid(w: Any, a: float, theta: float) -> Any:
    """Return S(w), written out."""
    return 1.0 / (1.0 + np.exp(-a * (w - theta))) - 1.0 / (1.0 + math.exp(a * theta))


def _velocity(t: float, u: np.ndarray, p: dict[str, Any], P: float, k: tuple[float, float]) -> np.ndarray:
    """Return (dI/dt, dE/dt), written out, with r = tau = 1 and Q = 0."""
    I, E = u
    e = _sigmoid(p["c1"] * E - p["c2"] * I + P, p["a_e"], p["theta_e"])
    i = _sigmoid(p["c3"] * E - p["c4"] * I, p["a_i"], p["theta_i"])
    return np.array([-I + (k[0] - I) * i, -E + (k[1] - E) * e])


def _jacobian(u: np.ndarray, p: dict[str, Any], P: float) -> np.ndarray:
    """Return its derivatives by (I, E), for k = 1."""
    I, E = u
    rows = []
    for x, inhibits, excites, w, a, theta in (
        (I, p["c4"], p["c3"], p["c3"] * E - p["c4"] * I, p["a_i"], p["theta_i"]),
        (E, p["c2"], p["c1"], p["c1"] * E - p["c2"] * I + P, p["a_e"], p["theta_e"]),
    ):
        steep = (1.0 - x) * a * np.exp(-a * (w - theta)) / (1.0 + np.exp(-a * (w - theta))) ** 2
        rows.append([-inhibits * steep, excites * steep])
    level = [_sigmoid(p["c3"] * E - p["c4"] * I, p["a_i"], p["theta_i"])]
    level.append(_sigmoid(p["c1"] * E - p["c2"] * I + P, p["a_e"], p["theta_e"]))
    return np.array(rows) - np.diag(1.0 + np.array(level))


def _equilibria(p: dict[str, Any], P: float) -> list[np.ndarray]:
    """Return all equilibria (I, E) for k = 1, from the crossings of the two nullclines, by rising E."""
    from scipy.optimize import brentq

    def inhibition(E: float) -> float:
        """Return the I at which dI/dt = 0; it falls from positive to negative as I goes from -1 to 1."""
        return float(brentq(lambda I: _velocity(0.0, np.array([I, E]), p, P, (1.0, 1.0))[0], -1.0, 1.0, xtol=1e-14))

    def excess(E: float) -> float:
        return float(_velocity(0.0, np.array([inhibition(E), E]), p, P, (1.0, 1.0))[1])

    grid = np.linspace(-0.1003, 0.5, 602)
    values = np.array([excess(E) for E in grid])
    roots = [
        float(brentq(excess, grid[j], grid[j + 1], xtol=1e-14)) for j in np.flatnonzero(values[:-1] * values[1:] < 0)
    ]
    return [np.array([inhibition(E), E]) for E in roots]


def _limit_cycle(k: float | None) -> Oscillation:
    """Return the measured limit cycle."""
    times = np.linspace(150.0, 200.0, 10001)
    return measure_oscillation(times, np.asarray(run(build(k=k), 200.0, times=times)["E.x"])[:, 0])


@claim("Limit cycle of the paper's parameters, with P = 1.25", source=_1972 + "parameters; period and range computed")
def limit_cycle() -> list[Comparison]:
    """Tabled ranges of E and periods for k = 1 and for k = S(infinity), in units of tau."""
    rows = []
    for k, name, low, high, period in (
        (1.0, "k = 1", 0.10152301, 0.27148734, 5.0034109),
        (None, "k = S(infinity)", 0.10255928, 0.26965950, 4.9958943),
    ):
        found = _limit_cycle(k)
        rows += [
            Comparison([low, high], [found.low, found.high], 1e-7, f"{name}: range of E"),
            Comparison(period, found.period, 1e-7, f"{name}: period"),
            Comparison(0.0, found.irregularity, 1e-7, f"{name}: relative difference of cycles"),
        ]
    return rows


@claim("The equations are those of the docstring", source=_1972 + "integrated independently")
def course_is_that_of_the_equations() -> list[Comparison]:
    """E and I over time for both sets of parameters, and both k."""
    rows = []
    times = np.linspace(0.0, 40.0, 801)
    for p, P, start in ((_CYCLE, 1.25, (0.0, 0.0)), (_SWITCH, 0.3, (0.1, 0.4))):
        for k in (1.0, None):
            most = (1.0, 1.0) if k else (_largest(p["a_i"], p["theta_i"]), _largest(p["a_e"], p["theta_e"]))
            predicted = scipy_solution(_velocity, times, start, args=(p, P, most))
            result = run(build(**p, pattern=P, k=k, inhibitory=start[0], initial=start[1]), 40.0, times=times)
            measured = np.concatenate([result["I.x"], result["E.x"]], axis=1)
            rows.append(Comparison(predicted, measured, 2e-6, f"c1 = {p['c1']:g}, k = {k or 'S(infinity)'}: I, E"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        E, I = u[:2], u[2:]
        e = _sigmoid(p.c1 * E - p.c2 * I + p.pattern, p.a_e, p.theta_e)
        i = _sigmoid(p.c3 * E - p.c4 * I + p.Q, p.a_i, p.theta_i)
        return np.concatenate([-E + (p.k - p.r * E) * e, -I + (p.k - p.r * I) * i]) / p.tau

    u = integrated(velocity, np.concatenate([p.initial, p.inhibitory]), times)
    return {"E.x": u[:, :2], "I.x": u[:, 2:]}


@claim("Its equations, written out by hand", source=_1972 + "integrated by SciPy")
def equations() -> list[Comparison]:
    """Two pairs, every parameter off its default."""
    parameters = {
        "c1": 14.0,
        "c2": 11.0,
        "c3": 13.0,
        "c4": 4.0,
        "a_e": 1.1,
        "theta_e": 3.2,
        "a_i": 1.7,
        "theta_i": 3.1,
        "r": 0.7,
        "k": 0.9,
        "tau": 1.4,
        "pattern": np.array([1.6, 0.9]),
        "Q": np.array([0.3, 0.7]),
        "initial": np.array([0.15, 0.25]),
        "inhibitory": np.array([0.1, 0.05]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 6.0, 7))


@claim("The cycle goes around an unstable equilibrium; without input the populations rest", source=_1972 + "nullclines")
def equilibria_are_as_predicted() -> list[Comparison]:
    """Equilibria by crossing nullclines, and the eigenvalues of the Jacobian there, beside the simulator's."""
    from brnn.compiler import compile_network
    from brnn.integrate.jacobian import growth_rate

    rows = []
    for P, label, stable in ((1.25, "P = 1.25", False), (0.0, "P = 0", True)):
        found = _equilibria(_CYCLE, P)
        rows.append(Comparison.count(1, len(found), f"{label}: equilibria"))
        fun = compile_network(build(pattern=P)).rhs(0.0)
        predicted = float(np.linalg.eigvals(_jacobian(found[0], _CYCLE, P)).real.max())
        measured = growth_rate(fun, 0.0, found[0])
        rows += [
            Comparison(np.zeros(2), fun(0.0, found[0]), 1e-10, f"{label}: the simulator's velocity at the equilibrium"),
            Comparison(predicted, measured, 1e-6, f"{label}: growth rate of small disturbances"),
            Comparison.order([stable], [measured < 0.0], f"{label}: is it stable"),
        ]
    settled = final(build(pattern=0.0, initial=0.3, inhibitory=0.1))
    return [*rows, Comparison([0.0], settled, 1e-8, "P = 0: E at last")]


@claim("Hysteresis: between two steady states the past decides", source=_1972 + "parameters recalled; nullclines")
def past_decides() -> list[Comparison]:
    """Five inputs P from low and from high activity: lowest and highest equilibrium; the one between is unstable."""
    from brnn.compiler import compile_network
    from brnn.integrate.jacobian import growth_rate

    inputs = np.array([-1.0, -0.5, 0.0, 0.2, 0.5])
    found = [_equilibria(_SWITCH, P) for P in inputs]
    ends = []
    for start in (0.0, 0.5):
        network = build(**_SWITCH, pattern=inputs, initial=start, inhibitory=0.5 * start)
        ends.append(final(network))
    two = [abs(high - low) > 0.01 for low, high in zip(*ends, strict=True)]
    fun = compile_network(build(**_SWITCH, pattern=0.0)).rhs(0.0)
    return [
        Comparison([states[0][1] for states in found], ends[0], 1e-7, "from E = 0: E at last, the lowest"),
        Comparison([states[-1][1] for states in found], ends[1], 1e-7, "from E = 0.5: E at last, the highest"),
        Comparison.order([len(states) > 1 for states in found], two, "P = -1, -0.5, 0, 0.2, 0.5: does the past matter"),
        Comparison(
            [float(np.linalg.eigvals(_jacobian(state, _SWITCH, 0.0)).real.max()) for state in found[2]],
            [growth_rate(fun, 0.0, state) for state in found[2]],
            1e-6,
            "P = 0: growth rates at the three equilibria",
        ),
        Comparison.order(
            [True, False, True], [growth_rate(fun, 0.0, state) < 0.0 for state in found[2]], "P = 0: which are stable"
        ),
    ]


@claim("Patterns saturate where a shunting network (8) keeps them", source="review, section on (8); closed forms")
def saturation() -> list[Comparison]:
    """Ten inputs theta_i I with a subtractive off-surround, I = 10 to 10^4, beside the shunting network."""
    from brnn.models import feedforward_shunting

    theta = PATTERN_A / PATTERN_A.sum()
    weight, a, middle = 0.02, 1.3, 4.0
    rows, ratios = [], []
    for total in (10.0, 100.0, 1000.0, 10000.0):
        # E - I is the sum that the sigmoid is taken of: off-surround is just a smaller input.
        net = total * (theta - weight * (1.0 - theta))
        network = build(c1=0.0, c2=0.0, c3=0.0, c4=0.0, a_e=a, theta_e=middle, pattern=net)
        x = final(network)
        S = _sigmoid(net, a, middle)
        shunting = final(feedforward_shunting.build(pattern=PATTERN_A, total=total))
        ratios.append((x[2] / x[7], x[2] / x[1]))
        rows += [
            Comparison(S / (1.0 + S), x, 1e-8, f"I = {total:g}: k S/(1 + r S)"),
            Comparison(theta, shunting / shunting.sum(), 1e-8, f"I = {total:g}: shunting network keeps theta_i"),
        ]
    return [
        *rows,
        Comparison([1.0, 1.0], ratios[-1], 1e-9, "I = 10^4: ratios of cells with theta_i 0.9 : 0.8 and 0.9 : 0.6"),
        Comparison.at_least(1.05, ratios[0], label="I = 10: the same ratios"),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("E.x", "I.x")
def cycle(run: Run) -> FigureDescription | None:
    """Show both populations in one panel, and their phase plane."""
    if run.view("E").cells > 1:
        return None
    traces = [trace(run, "E", label="E, excitatory"), trace(run, "I", label="I, inhibitory", color=1)]
    times, E = run.times("E"), run.cell("E")
    late = times > 0.5 * (run.start + run.end)
    below, title = run.below, "Excitation and inhibition settle"
    if np.count_nonzero(late) > 10 and float(np.ptp(E[late])) > 1e-3:
        found = measure_oscillation(times[late], E[late])
        title = "Excitation leads, inhibition follows: a limit cycle"
        below = f"period {found.period:.3g}   ·   {below}"
    panels = (
        time_panel(run, "Activities", traces, y="fraction of cells that are active"),
        phase_panel(run, ("E", 0), ("I", 0), ("E", "I"), "Phase plane", width=0.85),
    )
    return FigureDescription(title, below, (panels,), (1.3,))
