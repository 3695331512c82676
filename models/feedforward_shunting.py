"""Feedforward on-center off-surround shunting network: the solution of the noise-saturation dilemma.

    dx_i/dt = -A x_i + (B - x_i) I_i - (D + x_i) s sum_{k != i} I_k                  (13), with D = 0 and s = 1

Each input I_i = theta_i I excites its own cell and inhibits all others. s is the strength of the off-surround.

Source: Grossberg (1973), Stud. Appl. Math. 52, 213-257; Grossberg (2013), Recurrent neural networks, Scholarpedia
8(2):1888, equations (13)-(19). The review's (19) prints the shift as J2 - J1; from (18) it is a logarithm.

What is known:

- x_i = theta_i B I/(A + I)  (14), approached as 1 - exp(-(A + I) t)  (16): the reflectances theta_i are kept at every
  intensity I, and the total is normalized, sum x_i = B I/(A + I)  (17).
- Without off-surround x_i = B I_i/(A + I_i): every cell saturates at B, and the pattern is lost.
- Weber law and shift property: the response to K = ln I_i is B e^K/(A + e^K + J)  (18); a stronger off-surround input
  shifts it by ln[(A + J2)/(A + J1)] without compression.
- Hyperpolarization D > 0: x_i = (B + D) I/(A + I) [theta_i - D/(B + D)]. Cells whose theta_i is below the adaptation
  level D/(B + D) are inhibited; a uniform pattern over n cells is suppressed exactly if D/(B + D) = 1/n.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Run, figure, layer_panel, predicted_levels, time_panel
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, activities, default_pattern, field_shape, signal_of
from brnn.models.parts.runs import final, run, stays_within
from brnn.signals import Linear, Signal, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.schedules import Constant, Pulses, Schedule, Sequence
from brnn.spec.stimulus import Stimulus
from brnn.theory import feedforward as theory

__all__ = ["build"]

_TOTALS = (1.0, 10.0, 100.0, 1000.0)


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    A: float = 1.0,
    B: float = 1.0,
    D: float = 0.0,
    signal: Signal = Linear(),
    pattern: ArrayLike | None = None,
    total: ArrayLike | None = _TOTALS,
    surround: float = 1.0,
    on: float = 10.0,
    initial: ArrayLike = 0.0,
) -> Network:
    """Return a feedforward on-center off-surround network.

    By default it is shown one pattern at four total intensities over three orders of magnitude, one after the other.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of `pattern`, else 10.
    A : float, >= 0
        Passive decay rate (1/time).
    B : float, > 0
        Upper bound of activity (1).
    D : float, >= 0
        Minus the lower bound of activity (1); above 0 inhibition hyperpolarizes.
    signal : Signal
        What a receptor sends for a stimulus of strength w (1/time): I_i = signal(pattern_i).
    pattern : float or array, >= 0
        Strengths of the stimulus, one for each cell (1).
    total : float, array or None
        Total input I (1/time), to which the inputs are scaled; several values are shown one after the other, None
        leaves the inputs as they are.
    surround : float, >= 0
        s, strength of the off-surround (1); 0 leaves it away.
    on : float, > 0
        How long each total is shown (time).
    initial : float or array
        Activities at time 0 (1).

    Returns
    -------
    Network
        One layer, "F1".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    where = "feedforward_shunting"
    cells = field_shape(where, n, 10, (("pattern", pattern), ("initial", initial)))
    given = default_pattern(cells) if pattern is None else activities(pattern, f"{where}: pattern", cells, minimum=0.0)
    inputs = np.broadcast_to(signal_of(signal, f"{where}: signal")(given), cells)
    duration = number(on, f"{where}: on", above=0.0)
    schedule: Schedule = Constant()
    if total is not None:
        listed = [number(total, f"{where}: total", minimum=0.0)] if np.isscalar(total) else total
        totals = array(listed, f"{where}: total", minimum=0.0, ndim=1)
        if not inputs.sum() > 0:
            raise SpecError(
                f"{where}: pattern: every input is 0, so that it cannot be scaled to a total (use total=None)"
            )
        inputs = inputs / inputs.sum()
        if totals.size == 1:
            inputs = totals[0] * inputs
        else:
            schedule = Sequence(totals.reshape((-1,) + (1,) * len(cells)) * np.ones(cells), duration)
            duration *= totals.size
    others = number(surround, f"{where}: surround", minimum=0.0) * (inputs.sum() - inputs)
    return Network(
        where,
        layers=(Layer.shunting("F1", cells, A=A, B=B, D=D, initial=activities(initial, f"{where}: initial", cells)),),
        stimuli=(
            Stimulus("F1", "excitatory", inputs, schedule),
            Stimulus("F1", "inhibitory", np.maximum(others, 0.0), schedule),
        ),
        duration=duration,
        reference="Grossberg (1973), Stud. Appl. Math. 52, 213-257; review, equations (13)-(19)",
    )


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "Grossberg (1973); review, "
_THETA = PATTERN_A / PATTERN_A.sum()
_RISING = np.array([1.0, 2.0, 3.0, 4.0])


def _responses(inputs: np.ndarray, **parameters: Any) -> np.ndarray:
    """Return the settled response to each row of `inputs`, shown one after the other in one run."""
    network = build(pattern=inputs[0], total=None, **parameters)
    rates = parameters.get("A", 1.0) + inputs.sum(axis=1)
    duration = 30.0 / rates.min()
    others = parameters.get("surround", 1.0) * (inputs.sum(axis=1, keepdims=True) - inputs)
    stimuli = (
        Stimulus("F1", "excitatory", 1.0, Sequence(inputs, duration)),
        Stimulus("F1", "inhibitory", 1.0, Sequence(others, duration)),
    )
    times = duration * np.arange(1, len(inputs) + 1)
    result = run(network.replace(stimuli=stimuli), duration=times[-1], times=times)
    return np.asarray(result["F1.x"])


@claim("Reflectances are kept at every intensity: x_i = theta_i B I/(A + I)", source=_REVIEW + "(14)")
def reflectances_are_kept() -> list[Comparison]:
    """Six orders of magnitude of total intensity, in one run; and the tabled numbers for I = (1, 2, 3, 4)."""
    totals = np.geomspace(1e-2, 1e4, 7)
    measured = _responses(totals[:, None] * _THETA, A=0.7, B=1.3)
    shares = measured / measured.sum(axis=1, keepdims=True)
    return [
        Comparison(theory.equilibrium(totals[:, None] * _THETA, 0.7, 1.3), measured, 1e-8, "x_i at 7 intensities"),
        Comparison(np.broadcast_to(_THETA, shares.shape), shares, 1e-8, "x_i / sum x at 7 intensities: theta_i"),
        Comparison(
            _RISING / 11.0, final(build(pattern=_RISING, total=None)), 1e-8, "A = B = 1, I = (1, 2, 3, 4): I/11"
        ),
        Comparison([2 / 11, 8 / 11], final(build(pattern=[2.0, 8.0], total=None)), 1e-8, "I = (2, 8): I/11"),
        Comparison([10 / 51, 40 / 51], final(build(pattern=[10.0, 40.0], total=None)), 1e-8, "I = (10, 40): I/51"),
    ]


@claim("The approach is x_i(t) = theta_i B I/(A + I) (1 - exp(-(A + I) t))", source=_REVIEW + "(16)")
def approach_is_exponential() -> list[Comparison]:
    """Stronger inputs are answered faster; from any initial activities the rate is A + I."""
    rows = []
    for total in (0.1, 10.0, 1000.0):
        result = run(build(pattern=PATTERN_A, total=total), duration=10.0 / (1.0 + total))
        predicted = theory.trajectory(total * _THETA, 1.0, 1.0, np.asarray(result.times))
        rows.append(Comparison(predicted, result["F1.x"], 1e-8, f"from 0, I = {total:g}: x_i(t)"))
    start = PATTERN_A[::-1].copy()
    result = run(build(A=0.5, B=2.0, D=0.3, pattern=PATTERN_A, total=3.0, initial=start), duration=3.0)
    predicted = theory.trajectory(3.0 * _THETA, 0.5, 2.0, np.asarray(result.times), start, 0.3)
    rows.append(Comparison(predicted, result["F1.x"], 1e-8, "from other activities, D = 0.3: x_i(t)"))
    early = run(build(pattern=_RISING, total=None), duration=0.1, times=[0.1]).final("F1")
    tabled = [0.06064808, 0.12129617, 0.18194425, 0.24259233]
    return [*rows, Comparison(tabled, early, 2e-8, "I = (1, 2, 3, 4): x_i(0.1), tabled")]


@claim("Total activity is normalized: sum x_i = B I/(A + I), whatever the number of cells", source=_REVIEW + "(17)")
def total_is_normalized() -> list[Comparison]:
    """Fields of 2 to 100 cells with the same total input have the same total activity, which never exceeds B."""
    rows = []
    for total in (1.0, 1e3):
        sums = [float(final(build(n=n, total=total)).sum()) for n in (2, 10, 100)]
        predicted = np.full(3, theory.total_activity(total, 1.0, 1.0))
        rows.append(Comparison(predicted, sums, 1e-8, f"I = {total:g}: sum x_i for n = 2, 10, 100"))
        rows.append(Comparison.at_most(1.0, sums, label=f"I = {total:g}: sum x_i is at most B"))
    return rows


@claim("Without off-surround every cell saturates at B", source=_REVIEW + "text before (13)")
def saturates_without_surround() -> list[Comparison]:
    """The noise-saturation dilemma: x_i = B I_i/(A + I_i), so that the pattern is lost at high intensity."""
    totals = np.geomspace(1e-2, 1e5, 8)
    inputs = totals[:, None] * _THETA
    measured = _responses(inputs, surround=0.0)
    contrast = 1.0 - measured.min(axis=1) / measured.max(axis=1)
    kept = _responses(inputs)
    kept_contrast = 1.0 - kept.min(axis=1) / kept.max(axis=1)
    return [
        Comparison(theory.unopposed(inputs, 1.0, 1.0), measured, 1e-8, "no off-surround: x_i at 8 intensities"),
        Comparison.at_least(0.999, measured[-1], label="no off-surround, I = 1e5: every cell is within 0.001 of B"),
        Comparison.monotone("falling", contrast, label="no off-surround: contrast 1 - min/max as I grows"),
        Comparison(np.full(8, 1.0 - 1.0 / 9.0), kept_contrast, 1e-7, "off-surround: contrast 1 - min/max at every I"),
    ]


@claim(
    "Shift property: a stronger off-surround shifts the response by ln[(A + J2)/(A + J1)]", source="review, (18), (19)"
)
def response_is_shifted() -> list[Comparison]:
    """The curve of x against K = ln I_i is moved as a whole and keeps its shape."""
    K = np.linspace(-5.0, 7.0, 25)
    rows = []
    for A, J1, J2 in ((1.0, 1.0, 10.0), (0.5, 0.0, 100.0)):
        S = theory.shift(A, J1, J2)
        first, shifted = (
            _responses(np.stack([np.exp(k), np.full(K.size, J)], axis=1), A=A)[:, 0] for k, J in ((K, J1), (K + S, J2))
        )
        label = f"A = {A:g}, J from {J1:g} to {J2:g}"
        rows.append(Comparison(theory.weber(K, J1, A, 1.0), first, 1e-8, f"{label}: x(K, J1) by (18)"))
        rows.append(Comparison(first, shifted, 2e-8, f"{label}: x(K + S, J2) beside x(K, J1)"))
        rows.append(
            Comparison(S, _half_point(A, J2) - _half_point(A, J1), 1e-6, f"{label}: shift of the point x = B/2")
        )
    return [*rows, Comparison(1.70474809, theory.shift(1.0, 1.0, 10.0), 1e-8, "ln 5.5, tabled")]


def _half_point(A: float, J: float) -> float:
    """Return, measured by bisection, the K at which a cell beside the off-surround input J has x = B/2."""
    from scipy.optimize import brentq

    def excess(K: float) -> float:
        return float(_responses(np.array([[np.exp(K), J]]), A=A)[0, 0]) - 0.5

    return float(brentq(excess, -5.0, 10.0, xtol=1e-9))


@claim("Adaptation level: x_i = (B + D) I/(A + I) [theta_i - D/(B + D)]", source="review, hyperpolarization")
def adaptation_level() -> list[Comparison]:
    """Cells below the adaptation level D/(B + D) are inhibited, cells at it stay at 0, at every intensity."""
    totals = np.geomspace(1e-1, 1e3, 5)
    rows = []
    for B, D in ((1.0, 0.1), (2.0, 0.5), (1.0, 1.0)):
        level = theory.adaptation_level(B, D)
        theta = np.array([0.0, 0.5 * level, level, 1.0 - 1.5 * level])
        predicted = (B + D) * totals[:, None] / (1.0 + totals[:, None]) * (theta - level)
        measured = _responses(totals[:, None] * theta, B=B, D=D)
        rows.append(Comparison(predicted, measured, 1e-8, f"B = {B:g}, D = {D:g}: x_i at 5 intensities"))
        rows.append(Comparison(np.zeros(5), measured[:, 2], 1e-9, f"B = {B:g}, D = {D:g}: cell at the level"))
        rows.append(Comparison.at_most(-1e-4, measured[:, :2], label=f"B = {B:g}, D = {D:g}: cells below the level"))
    return rows


@claim("A uniform pattern is suppressed exactly when D/(B + D) = 1/n", source="review, hyperpolarization")
def uniform_pattern_is_suppressed() -> list[Comparison]:
    """With D = B/(n - 1) uniform inputs give 0 at every intensity, and the total of any pattern is 0."""
    rows = []
    for n in (2, 10, 50):
        D = 1.0 / (n - 1)
        totals = np.array([1.0, 1e3])
        rows.append(Comparison(1.0 / n, theory.adaptation_level(1.0, D), 1e-15, f"n = {n}: adaptation level is 1/n"))
        uniform = _responses(totals[:, None] * np.full(n, 1.0 / n), D=D)
        rows.append(Comparison(np.zeros((2, n)), uniform, 1e-12, f"n = {n}: uniform pattern"))
        pattern = default_pattern((n,))
        other = _responses(totals[:, None] * pattern / pattern.sum(), D=D)
        rows.append(Comparison(np.zeros(2), other.sum(axis=1), 1e-7, f"n = {n}: total activity of another pattern"))
    return rows


@claim("Activities stay between -D and B whatever the input", source="review, (8)")
def activities_are_bounded() -> list[Comparison]:
    """Random inputs of every size, changing at random times, from random activities within the bounds."""
    rows: list[Comparison] = []
    rng = np.random.default_rng(13)
    for k in range(4):
        B, D = 1.0 + k, 0.5 * k
        network = build(pattern=rng.random(10), total=10.0 ** rng.uniform(-2, 4, size=12), on=1.0, B=B, D=D)
        rows += stays_within(network, 0.0 - D, B, f"B = {B:g}, D = {D:g}", initial=rng.uniform(-D, B, size=10))
    return rows


@claim("A pulse 0.001 long in a run 1000 long is never missed", source="exact solution of (13)")
def short_pulse_is_seen() -> list[Comparison]:
    """The integration is restarted at each onset and offset, so that no step of any solver jumps over one."""
    theta, total = _THETA, 50.0
    onsets = np.array([0.5, 123.4567, 700.0, 998.0])
    times = np.sort(np.concatenate([onsets + 1e-3, onsets + 1.0]))
    A, x = 0.01, np.zeros(theta.size)
    predicted, now = [], 0.0
    for onset in onsets:
        x = x * np.exp(-A * (onset - now))
        x = theory.trajectory(total * theta, A, 1.0, 1e-3, x)
        predicted += [x, x * np.exp(-A * (1.0 - 1e-3))]
        now = onset + 1e-3
    network = build(pattern=theta, total=total, A=A, surround=1.0)
    pulses = Pulses(np.stack([onsets, onsets + 1e-3], axis=1))
    network = network.replace(stimuli=tuple(s.replace(schedule=pulses) for s in network.stimuli))
    rows = []
    for solver in ("LSODA", "RK45", "DOP853", "BDF", "Radau"):
        accurate = {} if solver in ("LSODA", "DOP853", "RK45") else {"rtol": 1e-6, "atol": 1e-9}
        measured = run(network, duration=1000.0, times=times, solver=solver, **accurate)["F1.x"]
        rows.append(
            Comparison(np.array(predicted), measured, 1e-6 if accurate else 1e-8, f"{solver}: after each pulse")
        )
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    sent = np.maximum(p.pattern - p.signal.threshold, 0.0)
    theta = sent / sent.sum()

    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        I = theta * p.total[int(when // p.on)]
        return np.asarray(-p.A * x + (p.B - x) * I - (p.D + x) * p.surround * (I.sum() - I))

    return {"F1.x": integrated(velocity, p.initial, times, p.on * np.arange(1, len(p.total)))}


@claim("Its equations, written out by hand", source="(13), integrated by SciPy")
def equations() -> list[Comparison]:
    """Three cells that see two totals one after the other, every parameter off its default."""
    parameters = {
        "A": 0.8,
        "B": 1.4,
        "D": 0.3,
        "signal": Numbers(lambda threshold: ThresholdLinear(1.7, threshold), threshold=0.1),
        "pattern": np.array([0.3, 0.8, 0.5]),
        "total": np.array([1.5, 4.0]),
        "surround": 0.7,
        "on": 1.2,
        "initial": np.array([0.2, -0.1, 0.4]),
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 2.0, 9))


# Figure -------------------------------------------------------------------------------------------------------


@figure("F1.x")
def normalized(run: Run) -> FigureDescription | None:
    """Show activities and their total while the same pattern gets brighter, beside the equilibria of theory."""
    view = run.view("F1")
    if len(view.shape) > 1 or view.cells > 30:
        return None
    levels = predicted_levels(run, "F1")
    total = [Curve(view.times, view.summary[0], "total"), Level(float(np.max(run.part("F1").B)), "B, its bound")]
    total += [Curve(mark.x[:1], [mark.y.sum()], "theory", "predicted", 6, marker="o") for mark in levels]
    panels = (
        layer_panel(run, "F1", "Activities", overlays=levels, width=1.15),
        time_panel(run, "Total activity: bounded, however bright", total, y="total activity", spans=(), width=0.85),
    )
    return FigureDescription("The pattern is kept while its intensity grows", run.below, (panels,), (1.25,))
