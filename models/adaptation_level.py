"""Adaptation level systems: every cell compares its own b(x_i) with one level c(x) that all of them make together.

    dx_i/dt = a(x_i) [b(x_i) - J_i - c(x)],   c(x) = sum_k d(x_k)                                             (28)

The recurrent competitive field (21) is one: a = x, d = f and, as its input term must read for B != 1,

    b_i(x) = (1/x) [B f(x) + B I_i] - A - I_i - J_i,   c(x) = sum_k f(x_k)                                (29)-(31)

By default the network is that field with f = w^2/(F + w^2) and no input. (In (28) a_i may depend on all activities;
here it is a function of the cell's own. For a market as an adaptation level system see `competitive_market`.)

Source: Grossberg (1978), Competition, decision, and consensus, J. Math. Anal. Appl. 66, 470-493; Grossberg (1978),
Decisions, patterns, and oscillations in nonlinear competitive systems, J. Theor. Biol. 73, 101-130; review, (28)-(31).

What is known: every trajectory converges, whatever a >= 0, b and d' >= 0 are and however many equilibria there are.
Once some cell grows, max_i b_i > c, there is always one that does. The cell that is largest for the moment can change
only finitely often, and from then on max_i b_i moves in one direction: it is a Liapunov function at late times. As
c_ij = 1 is symmetric, (33) is another one, at all times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Mark, Run, figure, layer_panel, time_panel
from brnn.models import rcf
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.liapunov import falls_along_runs
from brnn.models.parts.patterns import PATTERN_A, activities, default_pattern, field_shape, signal_of
from brnn.models.parts.runs import run, slope
from brnn.signals import Expression, Function, Linear, Power, Saturating, Sigmoid, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll
from brnn.theory.competition import jumps

__all__ = ["build"]

_FIELD = {"A": 1.0, "B": 3.0, "F": 0.25}


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    a: Signal = Function("w"),
    b: Signal = Function("B*w/(F + w**2) - A", _FIELD),
    d: Signal = Sigmoid(gain=1.0, half=0.5, exponent=2.0),
    J: ArrayLike = 0.0,
    initial: ArrayLike | None = None,
) -> Network:
    """Return an adaptation level system.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of J or `initial`, else 10.
    a : Signal
        Amplification, >= 0 (1).
    b : Signal
        What each cell has to offer (1/time).
    d : Signal
        What each cell adds to the adaptation level; it must not fall (1/time).
    J : float or array
        Inhibitory input J_i, a part of b_i that differs from cell to cell (1/time).
    initial : float or array
        Activities at time 0 (1); a ten-cell pattern by default.

    Returns
    -------
    Network
        One layer, "F1".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type or shape, or is not finite.
    """
    at = "adaptation_level"
    cells = field_shape(at, n, 10, (("J", J), ("initial", initial)))
    start = default_pattern(cells) if initial is None else activities(initial, f"{at}: initial", cells)
    inhibition = activities(J, f"{at}: J", cells)
    return Network(
        "adaptation_level",
        [CohenGrossbergLayer("F1", cells, signal_of(a, f"{at}: a"), signal_of(b, f"{at}: b"), start)],
        [Projection("F1", "F1", "inhibitory", signal_of(d, f"{at}: d"), AllToAll())],
        [Stimulus("F1", "inhibitory", inhibition)] if np.any(inhibition) else [],
        duration=40.0,
        reference="Grossberg (1978), J. Math. Anal. Appl. 66, 470-493",
    )


# Claims --------------------------------------------------------------------------------------------------------

_SOURCE = "Grossberg (1978); review, "
_TWO_HILLS = Expression("0.25*w**2/(0.2**2 + w**2) + 3*w**8/(1.6**8 + w**8)")
# What a network is given, and the same written out.
_SIGNALS: dict[str, tuple[Signal, Callable[[np.ndarray], np.ndarray]]] = {
    "w^2": (Power(1.0, 2.0), lambda w: w * w),
    "w/(F + w)": (Saturating(1.0, 0.25), lambda w: w / (0.25 + w)),
    "sigmoid": (Sigmoid(1.0, 0.5, 2.0), lambda w: w**2 / (0.25 + w**2)),
    "hill of two tops": (_TWO_HILLS, lambda w: 0.25 * w**2 / (0.04 + w**2) + 3.0 * w**8 / (1.6**8 + w**8)),
}


def _growth(
    x: np.ndarray, f: Callable[[np.ndarray], np.ndarray], I: Any, J: Any = 0.0, A: float = 1.0, B: float = 3.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return b_i and c of an RCF by (30) and (31), of activities > 0, shapes (times, cells) and (times,)."""
    return (B * f(x) + B * I) / x - A - I - J, f(x).sum(axis=1)


@claim("The RCF is (28) with (29)-(31)", source=_SOURCE + "(28)-(31)")
def field_is_an_adaptation_level_system() -> list[Comparison]:
    """x_i [b_i - c] with B I_i in (30), beside the simulator's own derivative of (21) and of this model."""
    rng = np.random.default_rng(30)
    states = rng.uniform(0.01, 3.0, size=(20, 6))
    rows = []
    signals: dict[str, tuple[Signal, Callable[[np.ndarray], np.ndarray]]]
    signals = {"w": (Linear(2.0), lambda w: 2.0 * w), **_SIGNALS}
    for name, (signal, f) in signals.items():
        I, J = rng.uniform(size=6), rng.uniform(size=6)
        network = rcf.build(A=0.7, B=2.5, signal=signal, pattern=I, J=J, on=math.inf)
        b, c = _growth(states, f, I, J, A=0.7, B=2.5)
        rows.append(Comparison(states * (b - c[:, None]), slope(network, states), 1e-12, f"f = {name}, with I and J"))
    b, c = _growth(states, _SIGNALS["sigmoid"][1], 0.0)
    rows.append(Comparison(states * (b - c[:, None]), slope(build(6), states), 1e-12, "this model's default: dx_i/dt"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        offer = p.b.B * x / (p.b.F + x**2) - p.b.A - p.J
        level = (p.d.gain * x**p.d.exponent / (p.d.half**p.d.exponent + x**p.d.exponent)).sum()
        return np.asarray((p.a.s * x + p.a.q * x**2) * (offer - level))

    return {"F1.x": integrated(velocity, p.initial, times)}


@claim("Its equations, written out by hand", source="(28), integrated by SciPy")
def equations() -> list[Comparison]:
    """Four cells with other functions than the default's, and an inhibitory input."""
    parameters = {
        "a": Numbers(lambda s, q: Function("s*w + q*w**2", s=s, q=q), s=1.3, q=0.2),
        "b": Numbers(lambda A, B, F: Function("B*w/(F + w**2) - A", A=A, B=B, F=F), A=0.8, B=2.6, F=0.4),
        "d": Numbers(Sigmoid, gain=1.4, half=0.7, exponent=1.8),
        "J": np.array([0.1, 0.25, 0.0, 0.15]),
        "initial": np.array([0.3, 0.9, 0.5, 0.7]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 3.0, 7))


@claim("Every trajectory converges", source=_SOURCE + "text after (28)")
def every_trajectory_converges() -> list[Comparison]:
    """Any signals, inputs and states: the largest speed after 400 units of time, and equilibria by b_i = c."""
    rng = np.random.default_rng(1978)
    rows = []
    for name, (signal, f) in _SIGNALS.items():
        speeds, gaps = [], []
        for _ in range(4):
            pattern, J = rng.uniform(0.0, 0.2, size=(2, 6))
            network = rcf.build(A=1.0, B=3.0, signal=signal, pattern=pattern, J=J, on=math.inf)
            initial = rng.uniform(0.0, 3.0, 6)
            x = np.asarray(run(network, 400.0, initial=initial, times=[399.0, 400.0])["rcf.x"])
            speeds.append(np.abs(slope(network, x)).max(axis=1))
            b, c = _growth(x[-1:], f, pattern, J)
            gaps.append(x[-1] * (b[0] - c[0]))
        rows.append(Comparison.at_most(0.0, np.array(speeds), 1e-7, f"{name}: largest abs(dx_i/dt) at t = 399 and 400"))
        rows.append(Comparison(np.zeros((4, 6)), np.array(gaps), 1e-7, f"{name}: x_i (b_i - c) at t = 400"))
    for seed in range(3):
        network = build(6, d=Function("tanh(w)"), b=Function("2*sin(3*w) - 0.3*w"), a=Function("1 + w**2"))
        initial = np.random.default_rng(seed).normal(size=6)
        x = np.asarray(run(network, 400.0, initial=initial, times=[400.0])["F1.x"])
        rows.append(
            Comparison(np.zeros((1, 6)), slope(network, x), 1e-7, f"b = 2 sin 3x - 0.3 x, start {seed}: dx_i/dt")
        )
    return rows


@claim("Once a cell grows, one always does; jumps end; then max_i b_i is a Liapunov function", source=_SOURCE + "(28)")
def late_times_have_a_direction() -> list[Comparison]:
    """Along runs that begin with too much activity, so that at first every cell falls."""
    rng = np.random.default_rng(29)
    rows = []
    for name, (signal, f) in _SIGNALS.items():
        grows, late, counts = [], [], []
        for _ in range(4):
            pattern = rng.uniform(0.02, 0.2, 6)
            network = rcf.build(A=1.0, B=3.0, signal=signal, pattern=pattern, on=math.inf)
            times = np.concatenate([np.linspace(0.0, 20.0, 2001), np.linspace(20.0, 400.0, 1001)[1:]])
            result = run(network, 400.0, initial=rng.uniform(1.5, 3.0, 6), times=times)
            b, c = _growth(np.asarray(result["rcf.x"]), f, pattern)
            best = b.max(axis=1) - c
            first = int(np.argmax(best > 0.0))  # the first time at which a cell grows
            grows.append(best[first:].min())
            found = jumps(times, b, margin=1e-9)
            counts.append(sum(jump.time > 200.0 for jump in found.jumps))
            moved = np.diff(b.max(axis=1)[times >= max(found.jumps[-1].time, times[first])])
            late.append((moved * np.sign(moved.sum())).min())
        rows.append(Comparison.at_least(0.0, np.array(grows), 1e-8, f"{name}: max_i b_i - c, once it is positive"))
        rows.append(Comparison.count(np.zeros(4), counts, f"{name}: jumps of max_i b_i from t = 200 to 400"))
        rows.append(Comparison.at_least(0.0, np.array(late), 1e-8, f"{name}: steps of max_i b_i after the last jump"))
    return rows


@claim("(33) with c_ij = 1 is a Liapunov function at all times", source=_SOURCE + "(33), (34)")
def value_falls() -> list[Comparison]:
    """For the default system and one whose b rises and falls many times."""
    rng = np.random.default_rng(33)
    rows = falls_along_runs(build(J=0.1 * PATTERN_A), rng.uniform(0.05, 2.5, size=(2, 10)), "default with J", 30.0)
    wavy = build(6, d=Function("tanh(w)"), b=Function("2*sin(3*w) - 0.3*w"), a=Function("1 + w**2"))
    return rows + falls_along_runs(wavy, rng.normal(size=(2, 6)), "b = 2 sin 3x - 0.3 x", 10.0)


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def level(run: Run) -> FigureDescription | None:
    """Show the activities, and beside them the level against which the functions b_i compete."""
    view = run.view("F1")
    if len(view.shape) > 1 or view.cells > 24 or run.network.stimuli:
        return None
    x, times = run.values("F1"), run.times("F1")
    favored = run.part("F1").b(x)
    c = run.network.projections[0].signal(x).sum(axis=1)
    order = np.argsort(np.argsort(x[0], kind="stable"), kind="stable")
    marks: list[Mark] = [
        Curve(times, favored[:, k], shade=float(order[k]) / max(view.cells - 1, 1)) for k in range(view.cells)
    ]
    marks.append(Curve(times, c, "adaptation level c(x)", color=6))
    panels = (
        layer_panel(run, "F1", "Activities"),
        time_panel(run, "Cell i grows while b(x) is above c", marks, y="b(x) of each cell", width=0.8),
    )
    title = "All cells compete against one adaptation level"
    return FigureDescription(title, run.below, (panels,), (1.25,))
