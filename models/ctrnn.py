"""Continuous-time recurrent neural network (CTRNN): the additive network as artificial life and control use it.

    tau_i dy_i/dt = -y_i + sum_j W_ij f(y_j + theta_j) + I_i

The model holds x_i = y_i + theta_i, so that all cells have one signal function:

    dx_i/dt = (-x_i + sum_j W_ij f(x_j) + I_i + theta_i)/tau_i

which is the additive network (6), (7) with A_i = 1/tau_i, strengths W_ij/tau_i and inputs (I_i + theta_i)/tau_i.

Source: Beer (1995), On the dynamics of small continuous-time recurrent neural networks, Adaptive Behavior 3, 469-509.
That such networks approximate any course of a dynamical system over a finite time is in Funahashi and Nakamura (1993),
Neural Networks 6, 801-806.

What is known: with logistic signals and theta_i = -sum_j W_ij/2 (center crossing) y = -theta is an equilibrium, at
which every signal is steepest: 1/4. Two cells with W = (4.5, 1; -1, 4.5) then go around a limit cycle. With symmetric
W and rising signals every trajectory comes to rest (Cohen and Grossberg 1983; Hopfield 1984).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, spread
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Run, figure, phase_panel, time_panel, trace
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import activities, field_shape, one_or_all, signal_of
from brnn.models.parts.runs import final, run, slope
from brnn.signals import Logistic, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["build"]

_BEER_W = np.array([[4.5, 1.0], [-1.0, 4.5]])
_BEER_THETA = np.array([-2.75, -1.75])


@takes_dotted_names
def build(
    n: int | None = None,
    tau: ArrayLike = 1.0,
    W: ArrayLike | None = None,
    theta: ArrayLike | None = None,
    signal: Signal = Logistic(),
    pattern: ArrayLike = 0.0,
    initial: ArrayLike | None = None,
) -> Network:
    """Return a CTRNN; by default Beer's oscillator of two cells.

    Parameters
    ----------
    n : int, >= 1
        Number of cells (1); by default that of W, `theta`, `pattern`, `initial` or `tau`, else 2.
    tau : float or array, > 0
        Time constants (time).
    W : matrix [target, source], or None
        Strengths of either sign (1); None is the oscillator's for two cells, and 0 for any other number.
    theta : float or array, or None
        Biases (1); None means center crossing, -sum_j W_ij/2.
    signal : Signal
        f (1).
    pattern : float or array
        Inputs I_i (1).
    initial : float or array, or None
        y at time 0 (1); None is 0.5 for the first cell and 0 for the others.

    Returns
    -------
    Network
        One layer, "F1", with the activities x = y + theta.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape or sign, or is not finite, or the network is too large.
    """
    weights = None if W is None else array(W, "ctrnn: W", ndim=2)
    rows = 2 if weights is None else len(weights)
    given = (("theta", theta), ("pattern", pattern), ("initial", initial), ("tau", tau))
    cells = field_shape("ctrnn", n, rows, given if W is None else ())
    if len(cells) != 1:
        raise SpecError(f"ctrnn: n = {cells}: must be one number; W says who is where")
    size = cells[0]
    if weights is None:
        weights = _BEER_W if size == 2 else np.zeros((size, size))
    if weights.shape != (size, size):
        raise SpecError(f"ctrnn: W: has shape {weights.shape}, must have shape {(size, size)} (target, source)")
    times = np.asarray(spread(one_or_all(tau), "ctrnn: tau", cells, above=0.0))
    bias = -0.5 * weights.sum(axis=1) if theta is None else np.asarray(activities(theta, "ctrnn: theta", cells))
    y = 0.5 * (np.arange(size) == 0) if initial is None else np.asarray(activities(initial, "ctrnn: initial", cells))
    I = np.asarray(activities(pattern, "ctrnn: pattern", cells))
    return Network(
        "ctrnn",
        layers=(Layer.additive("F1", cells, A=one_or_all(1.0 / times), initial=np.broadcast_to(y + bias, cells)),),
        projections=(
            Projection(
                "F1",
                "F1",
                "excitatory",
                signal_of(signal, "ctrnn: signal"),
                Dense(weights / (times[:, None] if times.ndim else times)),
            ),
        ),
        stimuli=(Stimulus("F1", "excitatory", np.broadcast_to((I + bias) / times, cells)),),
        duration=60.0 * float(np.max(times)),
        reference="Beer (1995), Adaptive Behavior 3, 469-509",
    )


# Claims --------------------------------------------------------------------------------------------------------

_BEER = "Beer (1995)"


def _logistic(w: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-w)))


def _random(seed: int, n: int = 5) -> dict[str, Any]:
    """Return all arguments of a network with weights of both signs."""
    rng = np.random.default_rng(seed)
    return {
        "tau": rng.uniform(0.5, 2.0, n),
        "W": rng.normal(size=(n, n)) * 3.0,
        "theta": rng.normal(size=n),
        "pattern": rng.normal(size=n),
        "initial": rng.normal(size=n),
    }


@claim("A CTRNN is the additive network (6), (7) with theta in its state and its input", source="(6), (7); derived")
def is_the_additive_network() -> list[Comparison]:
    """Random networks: `additive` with A = 1/tau, B = W/tau and (I + theta)/tau; less theta it obeys Beer's."""
    from brnn.models import additive

    rows = []
    times = np.linspace(0.0, 6.0, 13)
    for seed in (1993, 1995):
        p = _random(seed)
        tau, theta, W = p["tau"], p["theta"], p["W"]
        same = additive.build(
            A=1.0 / tau, B=W / tau[:, None], C=np.zeros((5, 5)), signal=Logistic(), on=np.inf,
            pattern=(p["pattern"] + theta) / tau, initial=p["initial"] + theta,
        )  # fmt: skip
        x = np.asarray(run(same, 6.0, times=times)["F1.x"])

        def velocity(t: float, y: np.ndarray, when: float, p: dict[str, Any] = p) -> np.ndarray:
            return np.asarray((-y + p["W"] @ _logistic(y + p["theta"]) + p["pattern"]) / p["tau"])

        y = integrated(velocity, p["initial"], times)
        rows += [
            Comparison(x, run(build(**p), 6.0, times=times)["F1.x"], 1e-9, f"network {seed}: x of `additive`, `ctrnn`"),
            Comparison(y, x - theta, 1e-7, f"network {seed}: y of Beer's equation, x - theta of `additive`"),
        ]
    return rows


@claim("Center crossing: y = -theta is at rest, and near it M = (-1 + W/4)/tau rules", source=_BEER)
def center_crossing() -> list[Comparison]:
    """The oscillator and a random network: the velocity at x = 0, and the growth of a disturbance of 1e-6."""
    from brnn.theory.additive import trajectory

    rows = []
    for label, W, tau in (
        ("two cells", _BEER_W, np.array([1.0, 1.0])),
        ("five cells", _random(7)["W"], np.full(5, 0.8)),
    ):
        start = 1e-6 * np.random.default_rng(3).normal(size=len(W))
        network = build(W=W, tau=tau, initial=start + 0.5 * W.sum(axis=1))
        times = np.linspace(0.0, 2.0, 9)
        middle = np.zeros((1, len(W)))
        M = trajectory(1.0 / tau, W / (4.0 * tau[:, None]), middle[0], times, start)
        grown = run(network, 2.0, times=times, atol=1e-16)["F1.x"]
        rows += [
            Comparison(middle, slope(network, middle), 1e-14, f"{label}: velocity at x = 0"),
            Comparison(M, grown, 1e-5, f"{label}: a disturbance", relative=True),
        ]
    return rows


@claim("Beer's two cells go around one limit cycle, from inside and from outside", source=_BEER)
def two_cells_oscillate() -> list[Comparison]:
    """Its period and extent, by SciPy's integration of the equation in y and by a run from each side."""
    from brnn.analysis import measure_oscillation

    times = np.linspace(150.0, 300.0, 6001)

    def velocity(t: float, y: np.ndarray, when: float) -> np.ndarray:
        return np.asarray(-y + _BEER_W @ _logistic(y + _BEER_THETA))

    y = integrated(velocity, [0.5, 0.0], np.concatenate([[0.0], times]))[1:]
    expected = measure_oscillation(times, y[:, 0])
    rows = []
    for label, start in (("inside", [2.76, 1.75]), ("outside", [10.0, -10.0])):
        found = measure_oscillation(times, run(build(initial=start), 300.0, times=times)["F1.x"].values[:, 0] + 2.75)
        rows += [
            Comparison(expected.period, found.period, 1e-4, f"from {label}: period"),
            Comparison(0.5 * np.ptp(y[:, 0]), found.amplitude, 1e-3, f"from {label}: amplitude of y"),
        ]
    return [*rows, Comparison.at_least(1.0, np.ptp(y, axis=0), label="highest minus lowest y of both cells")]


@claim("Symmetric W: every trajectory comes to rest", source="Cohen and Grossberg (1983); Hopfield (1984)")
def symmetric_networks_rest() -> list[Comparison]:
    """Random symmetric networks from random starts: where y = W f(y + theta) + I, whatever the time constants."""
    worst = []
    rng = np.random.default_rng(1984)
    for seed in range(5):
        p = _random(seed)
        p["W"] = 0.5 * (p["W"] + p["W"].T)
        for _ in range(2):
            y = final(build(**{**p, "initial": 4.0 * rng.normal(size=5)})) - p["theta"]
            worst.append(-y + p["W"] @ _logistic(y + p["theta"]) + p["pattern"])
    return [Comparison(np.zeros((10, 5)), np.array(worst), 1e-6, "-y + W f(y + theta) + I at the end of ten runs")]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, y: np.ndarray, when: float) -> np.ndarray:
        f = p.signal.gain / (1.0 + np.exp(-p.signal.slope * (y + p.theta - p.signal.midpoint)))
        return np.asarray((-y + p.W @ f + p.pattern) / p.tau)

    return {"F1.x": integrated(velocity, p.initial, times) + p.theta}


@claim("Its equations, written out by hand", source=f"{_BEER}, in y; integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells, every parameter off its default."""
    parameters = {
        "tau": np.array([0.7, 1.3, 2.1]),
        "W": np.array([[2.0, -1.5, 0.5], [1.0, 0.5, -2.0], [-0.7, 1.8, 1.1]]),
        "theta": np.array([0.3, -0.6, 0.2]),
        "signal": Numbers(Logistic, gain=1.3, slope=0.8, midpoint=0.2),
        "pattern": np.array([0.4, -0.2, 0.7]),
        "initial": np.array([0.5, -1.0, 0.3]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 5.0, 7))


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def cycle(run: Run) -> FigureDescription | None:
    """Show both cells over time and in their plane."""
    if run.view("F1").cells != 2 or run.network.breaks(run.end).size:
        return None
    traces = [trace(run, "F1", k, label=f"cell {k}", color=k) for k in range(2)]
    late = run.times("F1") > 0.7 * run.end
    moves = np.count_nonzero(late) > 5 and float(np.ptp(run.cell("F1", 0)[late])) > 1e-2
    panels = (
        time_panel(run, "Cells", traces, y="x = y + theta"),
        phase_panel(run, ("F1", 0), ("F1", 1), ("cell 0", "cell 1"), width=0.85),
    )
    title = "Two cells go around a limit cycle" if moves else "Two cells come to rest"
    return FigureDescription(title, run.below, (panels,), (1.3,))
