"""Additive network: inputs and signals are added, whatever the activity of the cell that they reach.

    dx_i/dt = -A_i x_i + sum_j f(x_j) B_ji - sum_j g(x_j) C_ji + I_i                                      (6), (7)

with constant weights, z = 1. B and C are matrices [target, source], or numbers: a number B is the strength with
which each cell excites itself, a number C the strength with which it inhibits every other cell.

Source: Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equations (6) and (7).

What is known: with linear signals the network is one matrix M = W - diag(A), W = gain (B - C): x(t) follows the matrix
exponential, settles at -M^-1 I if every eigenvalue of M has a negative real part, and grows without bound otherwise.
Activity has no bounds and is not normalized: it grows in proportion to the input. A shunting network (8) tends to an
additive one for small inputs: x_shunting/x_additive = A/(A + E + I) for a cell with excitation E and inhibition I.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import FigureDescription, Panel, Run, figure, layer_panel, pattern_marks, predicted_levels
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import (
    PATTERN_A,
    PATTERN_B,
    activities,
    default_pattern,
    field_shape,
    presented,
    signal_of,
)
from brnn.models.parts.runs import final, run
from brnn.signals import Linear, Logistic, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies import Topology
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory import additive as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    A: ArrayLike = 1.0,
    B: ArrayLike = 0.5,
    C: ArrayLike = 0.1,
    signal: Signal = Linear(),
    inhibitory_signal: Signal | None = None,
    pattern: ArrayLike | None = None,
    on: float = 20.0,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return an additive network.

    By default ten cells with weak self-excitation and mutual inhibition see a pattern: its contrast is enhanced, and
    weak cells become negative. In a run that is longer than `on` the activity decays when the input is gone.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of `pattern` or `initial`, or of a matrix, else 10.
    A : float or array, >= 0
        Passive decay rate (1/time).
    B : float or matrix [target, source]
        Excitatory strengths (1/time); a number, >= 0, is self-excitation.
    C : float or matrix [target, source]
        Inhibitory strengths (1/time); a number, >= 0, inhibits all others.
    signal : Signal
        f, what a cell sends to those that it excites (1); Linear keeps the sign of x.
    inhibitory_signal : Signal or None
        g, what it sends to those that it inhibits (1); None means f.
    pattern : float or array
        Input I_i, of any sign (1/time).
    on : float, > 0
        How long the input is on, from time 0 (time); may be infinite.
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
    sizes = [np.shape(value)[0] for value in (B, C) if np.ndim(value) > 0]
    cells = field_shape("additive", n, sizes[0] if sizes else 10, (("pattern", pattern), ("initial", initial)))
    f = signal_of(signal, "additive: signal")
    g = f if inhibitory_signal is None else signal_of(inhibitory_signal, "additive: inhibitory_signal")
    I = default_pattern(cells) if pattern is None else activities(pattern, "additive: pattern", cells)
    return Network(
        "additive",
        layers=(Layer.additive("F1", cells, A=A, initial=activities(initial, "additive: initial", cells)),),
        projections=(
            Projection("F1", "F1", "excitatory", f, _strengths(B, "additive: B", OneToOne, cells)),
            Projection("F1", "F1", "inhibitory", g, _strengths(C, "additive: C", AllButSelf, cells)),
        ),
        stimuli=(Stimulus("F1", "excitatory", I, presented(on, "additive: on")),),
        duration=on if math.isfinite(on) else 20.0,
        reference="Grossberg (2013), Scholarpedia 8(2):1888, equations (6), (7)",
    )


def _strengths(value: Any, where: str, uniform: type[OneToOne] | type[AllButSelf], cells: tuple[int, ...]) -> Topology:
    """Return the topology that a number or a matrix means."""
    if np.ndim(value) == 0:
        return uniform(weight=number(value, where, minimum=0.0))
    size = math.prod(cells)
    matrix = array(value, where)
    if matrix.shape != (size, size):
        raise SpecError(
            f"{where}: has shape {matrix.shape}, must be one number or have shape {(size, size)} (target, source)"
        )
    return Dense(matrix)


# Claims --------------------------------------------------------------------------------------------------------


def _random_network(seed: int, size: float) -> tuple[dict[str, Any], np.ndarray]:
    """Return arguments of `build` for six cells, and their net matrix W; `size` scales the weights."""
    rng = np.random.default_rng(seed)
    B, C = size * rng.random((6, 6)), size * rng.random((6, 6))
    arguments = {
        "A": rng.uniform(0.5, 1.5, size=6),
        "B": B,
        "C": C,
        "pattern": rng.normal(size=6),
        "initial": rng.normal(size=6),
        "on": math.inf,
    }
    return arguments, B - C


@claim("Linear signals: the response is that of the matrix exponential", source="review, (6), (7)")
def response_is_the_matrix_exponential() -> list[Comparison]:
    """Random weights of both signs, decay rates and inputs, settling, oscillating or growing."""
    rows = []
    for seed, size in ((6, 0.3), (7, 1.0), (8, 2.0)):
        arguments, W = _random_network(seed, size)
        result = run(build(**arguments), duration=3.0)
        predicted = theory.trajectory(
            arguments["A"], W, arguments["pattern"], np.asarray(result.times), arguments["initial"]
        )
        rate = theory.growth_rate(arguments["A"], W)
        label = f"weights up to {size:g} (growth rate {rate:.2f}): x_i(t)"
        rows.append(Comparison(predicted, result["F1.x"], 1e-8, label, relative=True))
    arguments = {"A": 0.8, "B": 0.4, "C": 0.07, "signal": Linear(1.3)}
    result = run(build(pattern=PATTERN_B, initial=PATTERN_A, on=math.inf, **arguments), duration=5.0)
    W = 1.3 * (0.4 * np.eye(10) - 0.07 * (1.0 - np.eye(10)))
    predicted = theory.trajectory(0.8, W, PATTERN_B, np.asarray(result.times), PATTERN_A)
    return [*rows, Comparison(predicted, result["F1.x"], 1e-8, "numbers B, C and a gain of 1.3: x_i(t)", relative=True)]


@claim("Linear signals: the network settles at -M^-1 I", source="review, (6), (7)")
def equilibrium_is_the_linear_solution() -> list[Comparison]:
    """Wherever it starts; contrast is enhanced by mutual inhibition, and weak cells become negative."""
    arguments, W = _random_network(6, 0.3)
    predicted = theory.equilibrium(arguments["A"], W, arguments["pattern"])
    rows = [Comparison(predicted, final(build(**arguments)), 1e-8, "random weights: equilibrium")]
    stored = final(build(pattern=PATTERN_A, on=math.inf))
    # M has the eigenvalue -A + B - 9 C for the mean over cells and -A + B + C for what differs from it.
    mean = PATTERN_A.mean()
    predicted = mean / 1.4 + (PATTERN_A - mean) / 0.4
    return [*rows, Comparison(predicted, stored, 1e-8, "ten cells, B = 0.5, C = 0.1: mean/1.4 + rest/0.4")]


@claim("Activity is not normalized: it is proportional to the input", source="review, text after (7)")
def activity_is_not_normalized() -> Comparison:
    """The same pattern at four intensities over three orders of magnitude."""
    totals = [final(build(pattern=scale * PATTERN_A, on=math.inf)).sum() for scale in (1.0, 10.0, 100.0, 1000.0)]
    return Comparison(PATTERN_A.sum() / 1.4 * np.array([1.0, 10.0, 100.0, 1000.0]), totals, 1e-8, relative=True)


@claim("Bounded signals: x_i settles where A x = W f(x) + I", source="review, (6), (7)")
def bounded_signals_settle() -> list[Comparison]:
    """Symmetric weights and logistic signals: the rest point, found by another solver."""
    from scipy.optimize import root

    signal = Logistic(gain=1.0, slope=2.0, midpoint=0.5)
    inhibition = Logistic(gain=0.8, slope=1.0, midpoint=0.0)
    rng = np.random.default_rng(7)
    B, C = (matrix + matrix.T for matrix in rng.random((2, 6, 6)))
    I = rng.normal(size=6)

    def excess(x: np.ndarray) -> np.ndarray:
        f, g = 1.0 / (1.0 + np.exp(-2.0 * (x - 0.5))), 0.8 / (1.0 + np.exp(-x))
        return np.asarray(-x + B @ f - C @ g + I)

    settled = final(build(B=B, C=C, signal=signal, inhibitory_signal=inhibition, pattern=I, on=math.inf))
    return [
        Comparison(root(excess, settled, tol=1e-13).x, settled, 1e-8, "rest point by another solver"),
        Comparison(np.zeros(6), excess(settled), 1e-8, "A x - W f(x) - I at rest"),
    ]


@claim("A shunting network tends to an additive one for small inputs", source="review, (8)")
def shunting_tends_to_additive() -> list[Comparison]:
    """Both at rest under the same inputs B E and D I: the ratio of activities is A/(A + E + I), which tends to 1."""
    from brnn.models import feedforward_shunting

    A, B, D = 1.0, 2.0, 0.5
    rows, deviations = [], []
    for total in (1.0, 1e-1, 1e-2, 1e-3):
        E = total * PATTERN_A / PATTERN_A.sum()
        others = E.sum() - E
        shunting = final(feedforward_shunting.build(A=A, B=B, D=D, pattern=E, total=None), atol=1e-15)
        adding = final(build(A=A, B=0.0, C=0.0, pattern=B * E - D * others, on=math.inf), atol=1e-15)
        ratio = shunting / adding
        deviations.append(float(np.abs(ratio - 1.0).max()))
        rows.append(
            Comparison(np.full(10, A / (A + total)), ratio, 1e-8, f"inputs of total {total:g}: ratio of activities")
        )
    return [*rows, Comparison.monotone("falling", deviations, label="difference from 1 as the inputs fall")]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        f, g = (s.gain / (1.0 + np.exp(-s.slope * (x - s.midpoint))) for s in (p.signal, p.inhibitory_signal))
        return np.asarray(-p.A * x + p.B @ f - p.C @ g + (when < p.on) * p.pattern)

    return {"F1.x": integrated(velocity, p.initial, times, [p.on])}


@claim("Its equations, written out by hand", source="(6), (7); integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells with matrices, two signals, and an input that ends; then numbers for the strengths."""
    parameters = {
        "A": np.array([0.7, 1.2, 0.9]),
        "B": np.array([[0.5, 0.1, 0.4], [0.2, 0.6, 0.3], [0.7, 0.2, 0.1]]),
        "C": np.array([[0.1, 0.3, 0.2], [0.5, 0.2, 0.4], [0.3, 0.1, 0.6]]),
        "signal": Numbers(Logistic, gain=1.3, slope=1.7, midpoint=0.3),
        "inhibitory_signal": Numbers(Logistic, gain=0.8, slope=2.2, midpoint=0.1),
        "pattern": np.array([0.6, -0.3, 0.8]),
        "on": 1.5,
        "initial": np.array([0.2, 0.5, -0.4]),
    }
    rows = equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 3.0, 7))

    def uniform(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
        p.B, p.C = p.B * np.eye(3), p.C * (1.0 - np.eye(3))
        return _by_hand(p, times)

    numbers = {**parameters, "B": 0.7, "C": 0.3}
    return [*rows, *equations_by_hand(build, numbers, uniform, np.linspace(0.0, 3.0, 7))]


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def equilibrium_figure(run: Run) -> FigureDescription | None:
    """Show activities, where theory says that they settle, and the pattern beside its input."""
    if len(run.view("F1").shape) > 1 or run.view("F1").cells > 100:
        return None
    found = predicted_levels(run, "F1")
    predicted = found[-1].y if found else None
    marks = pattern_marks(run.last("F1"), run.inputs_to("F1"), predicted, ("input", "activity in the end", "theory"))
    panels = (
        layer_panel(run, "F1", "Activities", overlays=found),
        Panel("Input and response", tuple(marks), "cell", "input, activity", width=0.8),
    )
    return FigureDescription("Additive cells add and subtract, and can fall below 0", run.below, (panels,), (1.25,))
