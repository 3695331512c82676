"""Membrane equation: a shunting network in the units of physiology.

    C dV_i/dt = (V_plus - V_i) g+_i + (V_minus - V_i) g-_i + (V_p - V_i) g_p                                  (20)

V is the membrane potential, V_plus, V_minus and V_p are the saturation (reversal) potentials of the excitatory, the
inhibitory and the passive channel, g+, g- and g_p their conductances. The inputs are conductances: each cell is excited
by its own, g+_i, and inhibited by those of all others, g-_i = s sum_{k != i} g+_k: on-center off-surround.

Source: Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equation (20), which prints
g- in the last term: the passive channel has its own conductance g_p.

What is known: V_minus <= V <= V_plus. With x = (V - V_p)/unit it is the shunting equation (8), with A = g_p/C,
B = (V_plus - V_p)/unit, D = (V_p - V_minus)/unit and the inputs g+/C and g-/C. For constant conductances V settles at
the mean of the three potentials weighted by conductance, with the rate (g+ + g- + g_p)/C. Inhibition is silent if
V_minus = V_p: it shunts, without moving a cell at rest.

Units: nF, nS and mV, so that time is in seconds. The defaults are typical of a cortical neuron (time constant C/g_p =
20 ms, excitation reverses at 0 mV, inhibition at -75 mV).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number
from brnn.claims import Comparison, claim
from brnn.figures import (
    Curve,
    FigureDescription,
    Level,
    Panel,
    Run,
    figure,
    layer_panel,
    predicted_levels,
)
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, activities, default_pattern, field_shape, presented, signal_of
from brnn.models.parts.runs import final, run, stays_within
from brnn.signals import Linear, Power, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.network import Network
from brnn.spec.stimulus import Stimulus
from brnn.theory import feedforward
from brnn.theory import membrane as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    C: float = 0.2,
    V_plus: float = 0.0,
    V_minus: float = -75.0,
    V_p: float = -70.0,
    g_p: float = 10.0,
    signal: Signal = Linear(gain=20.0),
    pattern: ArrayLike | None = None,
    surround: float = 0.25,
    on: float = 0.25,
    initial: ArrayLike | None = None,
) -> Network:
    """Return a feedforward on-center off-surround network of membranes.

    By default ten cells see a pattern for a quarter of a second: the strongest are depolarized most. In a run that is
    longer than `on` they return to rest with the time constant C/g_p.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of `pattern` or `initial`, else 10.
    C : float, > 0
        Membrane capacitance (nF).
    V_plus : float
        Excitatory saturation potential (mV).
    V_minus : float
        Inhibitory saturation potential (mV); V_minus <= V_p <= V_plus.
    V_p : float
        Passive saturation potential (mV), at which a cell rests.
    g_p : float, >= 0
        Passive conductance (nS).
    signal : Signal
        Excitatory conductance (nS) that an input of strength w opens: g+_i = signal(pattern_i).
    pattern : float or array, >= 0
        Strengths of the input, one for each cell (1).
    surround : float, >= 0
        s, strength of the off-surround (1).
    on : float, > 0
        How long the input is on, from time 0 (s); may be infinite.
    initial : float or array
        Potentials at time 0 (mV); V_p by default.

    Returns
    -------
    Network
        One layer, "F1", whose activities are potentials in mV; time is in seconds.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    cells = field_shape("membrane", n, 10, (("pattern", pattern), ("initial", initial)))
    given = default_pattern(cells) if pattern is None else activities(pattern, "membrane: pattern", cells, minimum=0.0)
    excitation = np.broadcast_to(signal_of(signal, "membrane: signal")(given), cells)
    inhibition = number(surround, "membrane: surround", minimum=0.0) * np.maximum(excitation.sum() - excitation, 0.0)
    start = None if initial is None else activities(initial, "membrane: initial", cells)
    rest = number(V_p, "membrane: V_p")
    schedule = presented(on, "membrane: on")
    return Network(
        "membrane",
        layers=(MembraneLayer("F1", cells, C=C, V_plus=V_plus, V_minus=V_minus, V_p=rest, g_p=g_p, initial=start),),
        stimuli=(
            Stimulus("F1", "excitatory", excitation, schedule),
            Stimulus("F1", "inhibitory", inhibition, schedule),
        ),
        duration=on if math.isfinite(on) else 0.25,
        time_units="s",
        reference="Grossberg (2013), Scholarpedia 8(2):1888, equation (20)",
    )


# Claims --------------------------------------------------------------------------------------------------------

_MEMBRANE = theory.Membrane(V_plus=0.0, V_minus=-75.0, V_passive=-70.0, g_passive=10.0, capacitance=0.2, scale=70.0)


def _conductances(pattern: np.ndarray, gain: float = 20.0, surround: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Return g+ and g- of the default network."""
    return gain * pattern, surround * gain * np.array([pattern.sum() - own for own in pattern])


@claim("For constant conductances the potential relaxes with the rate (g+ + g- + g_p)/C", source="review, (20)")
def potential_relaxes() -> list[Comparison]:
    """The response from rest, the settled potentials, and the return to rest with the time constant C/g_p."""
    g_plus, g_minus = _conductances(PATTERN_A)
    result = run(build(on=0.1), duration=0.2, times=np.linspace(0.0, 0.2, 401))
    times, V = np.asarray(result.times), np.asarray(result["F1.x"])
    on = times <= 0.1
    predicted = theory.trajectory(_MEMBRANE, g_plus, g_minus, times[on], -70.0)
    back = theory.trajectory(_MEMBRANE, 0.0 * g_plus, 0.0 * g_minus, times[~on] - 0.1, predicted[-1])
    settled = final(build(on=math.inf))
    return [
        Comparison(predicted, V[on], 1e-6, "input on: V_i(t) (mV)"),
        Comparison(back, V[~on], 1e-6, "input off: V_i(t) (mV)"),
        Comparison(
            theory.equilibrium(_MEMBRANE, g_plus, g_minus), settled, 1e-6, "settled: mean weighted by conductance"
        ),
    ]


@claim(
    "The membrane equation is the shunting equation (8) after an affine change of variable", source="review, (8), (20)"
)
def membrane_is_shunting() -> list[Comparison]:
    """x = (V - V_p)/70 mV obeys (8) with A = g_p/C, B, D, and inputs g/C; and back from given A, B, D."""
    g_plus, g_minus = _conductances(PATTERN_A)
    result = run(build(on=math.inf), duration=0.1)
    x = feedforward.shunt_trajectory(
        g_plus / 0.2, g_minus / 0.2, A=10.0 / 0.2, B=70.0 / 70.0, D=5.0 / 70.0, t=np.asarray(result.times)
    )
    rows = [Comparison(x, _MEMBRANE.activity(np.asarray(result["F1.x"])), 1e-8, "(V - V_p)/70 mV beside x_i(t) of (8)")]
    A, B, D, C = 2.0, 1.5, 0.5, 0.4
    result = run(
        build(
            C=C,
            V_plus=B,
            V_minus=-D,
            V_p=0.0,
            g_p=A * C,
            signal=Linear(C),
            surround=1.0,
            pattern=PATTERN_A,
            on=math.inf,
        ),
        duration=3.0,
    )
    x = feedforward.trajectory(PATTERN_A, A, B, np.asarray(result.times), 0.0, D)
    return [*rows, Comparison(x, result["F1.x"], 1e-8, "V for V_p = 0 and unit 1 mV beside x_i(t) of (13)")]


@claim("V_minus <= V <= V_plus for every conductance", source="review, (20)")
def potential_is_bounded() -> list[Comparison]:
    """Conductances up to a million times the passive one, from random potentials within the bounds."""
    rng = np.random.default_rng(20)
    rows: list[Comparison] = []
    for gain in (1.0, 1e3, 1e6):
        initial = rng.uniform(-75.0, 0.0, size=10)
        network = build(signal=Linear(gain), pattern=rng.random(10), initial=initial, surround=1.0)
        rows += stays_within(network, -75.0, 0.0, f"conductances of {gain:g} nS, V (mV)")
    extremes = final(build(signal=Linear(1e8), pattern=[0.0, 1.0], surround=1.0, on=math.inf))
    return [*rows, Comparison([-75.0, 0.0], extremes, 1e-4, "inhibition or excitation alone, 1e8 nS: the bounds (mV)")]


@claim(
    "Inhibition with V_minus = V_p is silent: it divides a response, and alone moves nothing",
    source="review, (9), (20)",
)
def inhibition_can_be_silent() -> list[Comparison]:
    """A cell at rest stays at rest under inhibition; an excited one is V_plus g+/(g+ + g- + g_p) above rest."""
    pattern = np.array([0.0, 1.0])
    rows = []
    for surround in (0.0, 1.0, 10.0):
        V = final(build(V_minus=-70.0, pattern=np.append(pattern, 0.5), surround=surround, on=math.inf))
        g_plus, g_minus = _conductances(np.append(pattern, 0.5), surround=surround)
        predicted = -70.0 + 70.0 * g_plus / (g_plus + g_minus + 10.0)
        rows.append(Comparison(predicted, V, 1e-6, f"surround {surround:g}: V (mV)"))
        rows.append(Comparison(-70.0, V[0], 1e-9, f"surround {surround:g}: V of a cell without excitation (mV)"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    g = p.signal.gain * p.pattern**p.signal.exponent

    def velocity(t: float, V: np.ndarray, when: float) -> np.ndarray:
        excitation = (when < p.on) * g
        inhibition = p.surround * (excitation.sum() - excitation)
        current = (p.V_plus - V) * excitation + (p.V_minus - V) * inhibition + (p.V_p - V) * p.g_p
        return np.asarray(current / p.C)

    return {"F1.x": integrated(velocity, p.initial, times, [p.on])}


@claim("Its equations, written out by hand", source="(20), integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells, every parameter off its default, and an input that ends."""
    parameters = {
        "C": 0.3,
        "V_plus": 10.0,
        "V_minus": -80.0,
        "V_p": -65.0,
        "g_p": 7.0,
        "signal": Numbers(Power, gain=15.0, exponent=1.4),
        "pattern": np.array([0.2, 0.9, 0.5]),
        "surround": 0.4,
        "on": 0.03,
        "initial": np.array([-60.0, -70.0, -50.0]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 0.06, 7), tolerance=1e-5)


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def potentials(run: Run) -> FigureDescription | None:
    """Show potentials over time, and where theory says that they settle."""
    view = run.view("F1")
    if len(view.shape) > 1 or view.cells > 30:
        return None
    layer, levels = run.part("F1"), predicted_levels(run, "F1")
    ends = (Level(float(np.max(layer.V_p)), "passive equilibrium", role="guide"),)
    given = run.inputs_to("F1").ravel()
    points = [Curve(given, run.last("F1").ravel(), "the run, in the end", marker="o")]
    points += [Curve(given, mark.y, "theory", "predicted", 6, marker="o") for mark in levels[-1:]]
    panels = (
        layer_panel(run, "F1", "Potentials", overlays=(*levels, *ends)),
        Panel("Conductance and potential", tuple(points), "excitatory conductance", "potential (mV)", width=0.8),
    )
    return FigureDescription("Membranes compute the shunting equation", run.below, (panels,), (1.25,))
