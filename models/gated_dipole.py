"""Gated dipole: opponent processing by two channels, ON and OFF, with habituative gates.

    dx_i/dt = A (-x_i + I + dI + J_i)           i = 1 (ON), 2 (OFF): arousal I, phasic input J_1 = J, J_2 = 0
    dy_i/dt = H (K - y_i) - L f(x_i) y_i        habituative gates (10)
    dx_3/dt = A (-x_3 + f(x_1) y_1)             dx_4/dt = A (-x_4 + f(x_2) y_2)        gated signals
    dx_5/dt = A (-x_5 + x_3 - x_4)              dx_6/dt = A (-x_6 + x_4 - x_3)         opponent competition

The responses of the ON and the OFF channel are [x_5]+ and [x_6]+. Cells are fast and gates slow (A is much larger than
H + L f): a channel that was used is weaker than its rival until its gate has recovered. There may be many dipoles, each
with its own J and I; then ON is a picture and the OFF rebound its negative afterimage.

Source: Grossberg (1972), A neural theory of punishment and avoidance. II: Quantitative theory, Math. Biosci. 15,
253-285; equation (10) of Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888. H, K and L are also
called a, b and g. The default ratio H/L = 5 and the inputs 1 and 10 are those of a public implementation.

What is known, with S_1 = f(I + J), S_2 = f(I) and instantaneous cells (`brnn.theory.habituation` has the closed forms):

- gates go to H K/(H + L S_i), and the ON response to H^2 K (S_1 - S_2)/((H + L S_1) (H + L S_2)).
- at the onset of J the response overshoots, because gates are still those of arousal alone: habituation.
- at its offset the OFF channel rebounds by H K L S_2 (S_1 - S_2)/((H + L S_1) (H + L S_2)): antagonistic rebound.
- with f(w) = w, a burst dI of arousal while J is on makes the OFF channel rebound if and only if dI > H/L, whatever I
  and J are: rebound to an unexpected event. (That this is in the 1972 paper is recalled, not looked up.)
- late and long: with cells of finite A the rebound comes when the cells have followed the offset, and lasts as long as
  the gate of the ON channel needs to recover, about 1/(H + L S_2). Where cells are not faster than gates (A <= H) there
  is none.
- with a sigmoid or threshold f the ON response is an inverted U of arousal; with f(w) = w it falls as arousal rises.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Level, Mark, Note, Run, figure, time_panel, trace
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, activities, field_shape, signal_of
from brnn.models.parts.reference import scipy_solution
from brnn.models.parts.runs import final, run
from brnn.signals import Linear, Sigmoid, Signal, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Constant, Pulse, Schedule
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import OneToOne
from brnn.theory import habituation as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    I: ArrayLike = 1.0,
    pattern: ArrayLike = 10.0,
    start: float = 20.0,
    on: float = 60.0,
    burst: ArrayLike = 0.0,
    burst_start: float = 50.0,
    burst_on: float = 10.0,
    H: float = 0.05,
    K: float = 1.0,
    L: float = 0.01,
    A: float = 10.0,
    signal: Signal = Linear(),
) -> Network:
    """Return a field of gated dipoles that rests under arousal I until J begins.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of dipoles along each axis (1); by default that of `pattern`, I or `burst`, else 1.
    I : float or array, >= 0
        Arousal, the tonic input of both channels (1).
    pattern : float or array, >= 0
        J, the phasic input of the ON channel (1).
    start : float, >= 0
        When J begins (time).
    on : float, > 0
        How long J is on (time); may be infinite.
    burst : float or array, >= 0
        dI, what arousal rises by during the burst (1).
    burst_start : float, >= 0
        When the burst begins (time).
    burst_on : float, > 0
        How long it lasts (time); may be infinite.
    H : float, > 0
        Rate at which gates accumulate (1/time), a of the literature.
    K : float, > 0
        Level of a rested gate (1), b.
    L : float, >= 0
        Rate at which gates are depleted by a unit of signal (1/time), g.
    A : float, > 0
        Rate of all cells (1/time), large compared with H + L f.
    signal : Signal
        f, what an input cell sends through its gate (1).

    Returns
    -------
    Network
        Layers "on_input", "off_input", "on_gated", "off_gated", "on", "off"; gates "on_gates.y" and "off_gates.y".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "gated_dipole"
    cells = field_shape(at, n, 1, (("pattern", pattern), ("I", I), ("burst", burst)))
    tonic = activities(I, f"{at}: I", cells, minimum=0.0)
    phasic = activities(pattern, f"{at}: pattern", cells, minimum=0.0)
    extra = activities(burst, f"{at}: burst", cells, minimum=0.0)
    A, H = number(A, f"{at}: A", above=0.0), number(H, f"{at}: H", above=0.0)
    K, L = number(K, f"{at}: K", above=0.0), number(L, f"{at}: L", minimum=0.0)
    f = signal_of(signal, f"{at}: signal")
    shown = _interval(start, on, f"{at}: start", f"{at}: on")
    arousing = _interval(burst_start, burst_on, f"{at}: burst_start", f"{at}: burst_on")
    # At rest under arousal alone both channels are equal, and nothing is left of them after the competition.
    rest = theory.gate_level(f(tonic), H, K, L)
    through = f(tonic) * rest
    layers, projections, stimuli = [], [], []
    for side in ("on", "off"):
        layers.append(Layer.additive(f"{side}_input", cells, A=A, initial=tonic))
        gate = HabituativeGate(H, K, L, initial=rest)
        projections.append(
            Projection(f"{side}_input", f"{side}_gated", "excitatory", f, OneToOne(A), gate=gate, name=f"{side}_gates")
        )
        stimuli.append(Stimulus(f"{side}_input", "excitatory", A * tonic))
        if np.any(extra):
            stimuli.append(Stimulus(f"{side}_input", "excitatory", A * extra, arousing))
    stimuli.append(Stimulus("on_input", "excitatory", A * phasic, shown))
    layers += [Layer.additive(f"{side}_gated", cells, A=A, initial=through) for side in ("on", "off")]
    layers += [Layer.additive(side, cells, A=A) for side in ("off", "on")]
    for side, other in (("on", "off"), ("off", "on")):
        projections.append(Projection(f"{side}_gated", side, "excitatory", Linear(), OneToOne(A)))
        projections.append(Projection(f"{other}_gated", side, "inhibitory", Linear(), OneToOne(A)))
    after = 1.5 * on if math.isfinite(on) else 100.0
    return Network(
        at,
        layers=layers,
        projections=projections,
        stimuli=stimuli,
        duration=start + after + (on if math.isfinite(on) else 0.0),
        reference="Grossberg (1972), Math. Biosci. 15, 253-285",
    )


def _interval(start: Any, on: Any, first: str, second: str) -> Schedule:
    """Return the schedule of what begins at `start` and lasts for `on`, which may be infinite."""
    begin = number(start, first, minimum=0.0)
    length = number(on, second, above=0.0, infinite=True)
    return Constant() if begin == 0.0 and math.isinf(length) else Pulse(begin, begin + length)


# Claims --------------------------------------------------------------------------------------------------------

_1972 = "Grossberg (1972); review, equation (10); "
_H, _K, _L = 5.0, 1.0, 1.0  # gates of the tabled numbers, I = 1 and J = 10
_FAST = 1e5  # rate of cells that are instantaneous beside these gates
_JUMP = {"w": 1e-6, "sigmoid": 3e-3, "threshold": 1e-3}  # what cells of this rate leave unknown of a jump
_SIGNALS: dict[str, Signal] = {
    "w": Linear(),
    "sigmoid": Sigmoid(gain=20.0, half=5.0, exponent=4.0),
    "threshold": ThresholdLinear(gain=1.0, threshold=4.0, ceiling=30.0),
}


def _formula(name: str) -> Any:
    """Return one of the three signals as plain arithmetic, independent of the simulator's."""
    return {
        "w": lambda w: np.asarray(w, dtype=float),
        "sigmoid": lambda w: 20.0 * np.asarray(w) ** 4 / (625.0 + np.asarray(w) ** 4),
        "threshold": lambda w: np.clip(np.asarray(w) - 4.0, 0.0, 30.0),
    }[name]


def _after(network: Network, jump: float, layer: str = "on") -> np.ndarray:
    """Return x of a layer just after a jump of the input, gates being still those from before it.

    Cells need a few 1/A to follow; the activity between 30/A and 90/A after the jump is continued back to it. Three
    stages of cells delay what is slow by 1/A each. (With an f that is not linear the delay of the first is not exactly
    1/A, which leaves an error of the order (H + L f)/A.)
    """
    rate = float(network.layer("on").A)  # type: ignore[attr-defined]
    since = np.linspace(30.0, 90.0, 31) / rate
    result = run(network, duration=jump + since[-1], times=jump + since, rtol=1e-11)
    x = np.asarray(result[f"{layer}.x"])
    fit = np.polynomial.Polynomial.fit
    return np.array([fit(since * rate, x[:, cell], 3)(3.0) for cell in range(x.shape[1])])


@claim("Gates go to H K/(H + L S), and the ON response to its closed form", source=_1972 + "Math. Biosci. 15, 253")
def equilibrium() -> list[Comparison]:
    """Nine dipoles, each with its own arousal and J, and three signals."""
    I, J = (grid.ravel() for grid in np.meshgrid([0.5, 1.0, 6.0], [1.0, 4.0, 10.0]))
    rows = []
    for name, signal in _SIGNALS.items():
        f = _formula(name)
        for H, K, L in ((_H, _K, _L), (0.3, 2.0, 0.05)):
            network = build(I=I, pattern=J, on=math.inf, start=0.0, H=H, K=K, L=L, signal=signal)
            result = run(network, until="steady")
            at = f"f: {name}, H = {H:g}:"
            rows += [
                Comparison(theory.gate_level(f(I + J), H, K, L), result.final("on_gates.y"), 1e-7, f"{at} ON gates"),
                Comparison(theory.gate_level(f(I), H, K, L), result.final("off_gates.y"), 1e-7, f"{at} OFF gates"),
                Comparison(theory.dipole_response(I, J, f, H, K, L), result.final("on"), 1e-6, f"{at} ON response"),
            ]
    return rows


def _velocity(
    t: float, u: np.ndarray, dI: float, J: float, f: Any, A: float, H: float, K: float, L: float
) -> list[float]:
    """Return du/dt of one dipole, written out; arousal is 1 + dI."""
    x1, x2, y1, y2, x3, x4, x5, x6 = u
    return [
        A * (-x1 + 1.0 + dI + J),
        A * (-x2 + 1.0 + dI),
        H * (K - y1) - L * f(x1) * y1,
        H * (K - y2) - L * f(x2) * y2,
        A * (-x3 + f(x1) * y1),
        A * (-x4 + f(x2) * y2),
        A * (-x5 + x3 - x4),
        A * (-x6 + x4 - x3),
    ]


@claim("The whole course: overshoot, habituation, rebound, burst", source="equations integrated independently")
def course_is_that_of_the_equations() -> list[Comparison]:
    """Every state at 601 times, with cells that are only about ten times as fast as gates."""
    A, H, K, L = 2.0, 0.05, 1.0, 0.01
    rows = []
    for name in ("w", "sigmoid"):
        f = _formula(name)
        y = H * K / (H + L * f(1.0))
        u = np.array([1.0, 1.0, y, y, f(1.0) * y, f(1.0) * y, 0.0, 0.0])
        pieces = [u[None]]
        for begin, end, dI, J in ((0, 20, 0, 0), (20, 50, 0, 10), (50, 60, 7, 10), (60, 80, 0, 10), (80, 120, 0, 0)):
            times = np.linspace(begin, end, 5 * (end - begin) + 1)
            pieces.append(scipy_solution(_velocity, times, pieces[-1][-1], args=(dI, J, f, A, H, K, L))[1:])
        predicted = np.concatenate(pieces)
        result = run(build(A=A, burst=7.0, signal=_SIGNALS[name]), 120.0, times=np.linspace(0.0, 120.0, 601))
        names = ("on_input", "off_input", "on_gates.y", "off_gates.y", "on_gated", "off_gated", "on", "off")
        for k, variable in enumerate(names):
            measured = np.asarray(result[variable if "." in variable else f"{variable}.x"])[:, 0]
            rows.append(Comparison(predicted[:, k], measured, 2e-7, f"f: {name}, {variable} over time"))
    return rows


@claim("The ON response overshoots at the onset of J and habituates", source=_1972 + "Math. Biosci. 15, 253")
def onset_overshoots() -> list[Comparison]:
    """Ten dipoles: the response before any gate has moved, the largest response, and the one after habituation."""
    J = 10.0 * PATTERN_A
    rows = []
    for name, signal in _SIGNALS.items():
        f = _formula(name)
        network = build(pattern=J, I=3.0, start=0.1, on=math.inf, H=_H, K=_K, L=_L, A=_FAST, signal=signal)
        onset = theory.dipole_onset(3.0, J, f, _H, _K, _L)
        rows.append(Comparison(onset, _after(network, 0.1), _JUMP[name], f"f: {name}, response just after onset"))
        times = np.concatenate([0.1 + np.geomspace(1e-5, 1.0, 200), np.linspace(1.2, 8.0, 50)])
        x = np.asarray(run(network, 8.0, times=times)["on.x"])
        settled = theory.dipole_response(3.0, J, f, _H, _K, _L)
        active = onset > 0
        rows += [
            Comparison(onset, x.max(axis=0), 3e-3, f"f: {name}, largest response", relative=True),
            Comparison(settled, x[-1], 1e-6, f"f: {name}, response after habituation"),
            Comparison(
                onset[active] / settled[active],
                x.max(axis=0)[active] / x[-1][active],
                3e-3,
                f"f: {name}, overshoot, largest/last",
                relative=True,
            ),
        ]
    return rows


@claim(
    "At the offset of J the OFF channel rebounds by H K L I J/((H + L I)(H + L (I + J)))",
    source=_1972 + "Math. Biosci. 15, 253",
)
def offset_rebounds() -> list[Comparison]:
    """Ten dipoles, three signals; the rebound is the order of J, and the peak approaches it as cells become faster."""
    J = 10.0 * PATTERN_A
    rows = []
    for name, signal in _SIGNALS.items():
        network = build(pattern=J, I=6.0, start=0.0, on=8.0, H=_H, K=_K, L=_L, A=_FAST, signal=signal)
        predicted = theory.dipole_rebound(6.0, J, _formula(name), _H, _K, _L)
        rows.append(Comparison(predicted, _after(network, 8.0, "off"), _JUMP[name], f"f: {name}, I = 6: OFF rebound"))
    network = build(start=0.0, on=8.0, H=_H, K=_K, L=_L, A=_FAST)
    rebound = float(_after(network, 8.0, "off")[0])
    rows.append(Comparison(_H * _K * _L * 10.0 / (6.0 * 16.0), rebound, 1e-6, "I = 1, J = 10: OFF rebound"))
    peaks = []
    for rate in (1e2, 1e3, 1e4, 1e5):
        times = 8.0 + np.geomspace(1e-2, 1e3, 400) / rate
        result = run(build(start=0.0, on=8.0, H=_H, K=_K, L=_L, A=rate), times[-1], times=times)
        peaks.append(float(np.asarray(result["off.x"]).max()))
    gaps = 50.0 / 96.0 - np.array(peaks)
    rows += [
        Comparison.monotone("falling", gaps, label="distance of the peak from it, A = 1e2, 1e3, 1e4, 1e5"),
        Comparison(0.0, gaps[-1] / (50.0 / 96.0), 1e-3, "the same at A = 1e5, relative"),
    ]
    return rows


@claim(
    "An arousal burst dI during J makes the OFF channel rebound if and only if dI > H/L, whatever I and J are",
    source="Grossberg (1972, 1980), recalled; derived from (10)",
)
def burst_rebounds_above_threshold() -> list[Comparison]:
    """The tabled sizes, and the threshold of 12 dipoles with their own I and J, bisected for three ratios H/L."""
    common: dict[str, Any] = {"start": 0.0, "on": math.inf, "burst_start": 9.0, "burst_on": math.inf, "A": _FAST}
    dI = np.array([4.0, 5.0, 6.0, 10.0])
    sizes = _after(build(burst=dI, H=_H, K=_K, L=_L, **common), 9.0, "off")
    rows = [Comparison([-0.52083333, 0.0, 0.52083333, 2.60416667], sizes, 2e-6, "I = 1, J = 10; dI = 4, 5, 6, 10")]
    I, J = (grid.ravel() for grid in np.meshgrid([0.2, 1.0, 5.0], [0.5, 2.0, 10.0, 40.0]))
    for H, L in ((5.0, 1.0), (4.0, 2.0), (6.0, 0.5)):
        low, high = np.zeros(I.size), np.full(I.size, 3.0 * H / L)
        for _ in range(16):
            middle = 0.5 * (low + high)
            rebounds = _after(build(I=I, pattern=J, burst=middle, H=H, K=_K, L=L, **common), 9.0, "off") > 0.0
            low, high = np.where(rebounds, low, middle), np.where(rebounds, middle, high)
        found = 0.5 * (low + high)
        rows.append(Comparison(np.full(I.size, H / L), found, 5e-4, f"H/L = {H / L:g}: threshold of 12 dipoles"))
    return rows


@claim(
    "The ON response is an inverted U of arousal if f is a sigmoid or has a threshold",
    source=_1972 + "Math. Biosci. 15, 253",
)
def inverted_u() -> list[Comparison]:
    """61 dipoles, each with its own arousal and the same J: the curve, its top, and that it rises and then falls."""
    from scipy.optimize import minimize_scalar

    I, J = np.linspace(0.0, 15.0, 61), 3.0
    rows = []
    for name in ("sigmoid", "threshold"):
        f = _formula(name)
        response = _settled(I, J, _SIGNALS[name])
        top = minimize_scalar(
            lambda I, f=f: -float(theory.dipole_response(I, J, f, _H, _K, _L)), bounds=(0.0, 15.0), method="bounded"
        ).x
        peak = int(response.argmax())
        rows += [
            Comparison(theory.dipole_response(I, J, f, _H, _K, _L), response, 1e-6, f"f: {name}, response of I"),
            Comparison(top, I[peak], 0.13, f"f: {name}, arousal of the largest response (steps of 0.25)"),
            Comparison.monotone("rising", response[: peak + 1], 1e-7, f"f: {name}, below it"),
            Comparison.monotone("falling", response[peak:], 1e-7, f"f: {name}, above it"),
        ]
    return rows


@claim(
    "With f(w) = w the ON response falls as arousal rises", source="closed form; Grossberg (2021), caption of p. 503"
)
def linear_signals_give_no_inverted_u() -> list[Comparison]:
    """61 dipoles, each with its own arousal and the same J."""
    I, J = np.linspace(0.0, 15.0, 61), 3.0
    response = _settled(I, J, Linear())
    predicted = _H**2 * _K * J / ((_H + _L * I) * (_H + _L * (I + J)))
    return [
        Comparison(predicted, response, 1e-6, "response as a function of I"),
        Comparison.monotone("falling", response, label="response as I rises"),
    ]


def _settled(I: np.ndarray, J: float, signal: Signal) -> np.ndarray:
    """Return the ON responses at rest."""
    return final(build(I=I, pattern=J, start=0.0, on=math.inf, H=_H, K=_K, L=_L, signal=signal))


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.I)

    def f(x: np.ndarray) -> np.ndarray:
        return np.asarray(
            p.signal.gain * x**p.signal.exponent / (p.signal.half**p.signal.exponent + x**p.signal.exponent)
        )

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x1, x2, y1, y2, x3, x4, x5, x6 = u.reshape(8, n)
        I = p.I + (p.burst_start < when < p.burst_start + p.burst_on) * p.burst
        J = (p.start < when < p.start + p.on) * p.pattern
        return np.concatenate(
            [
                p.A * (-x1 + I + J),
                p.A * (-x2 + I),
                p.H * (p.K - y1) - p.L * f(x1) * y1,
                p.H * (p.K - y2) - p.L * f(x2) * y2,
                p.A * (-x3 + f(x1) * y1),
                p.A * (-x4 + f(x2) * y2),
                p.A * (-x5 + x3 - x4),
                p.A * (-x6 + x4 - x3),
            ]
        )

    gate = p.H * p.K / (p.H + p.L * f(p.I))  # rest under arousal alone
    start = np.concatenate([p.I, p.I, gate, gate, f(p.I) * gate, f(p.I) * gate, 0.0 * p.I, 0.0 * p.I])
    breaks = [p.start, p.start + p.on, p.burst_start, p.burst_start + p.burst_on]
    u = integrated(velocity, start, times, breaks).reshape(len(times), 8, n)
    names = ("on_input.x", "off_input.x", "on_gates.y", "off_gates.y", "on_gated.x", "off_gated.x", "on.x", "off.x")
    return {name: u[:, k] for k, name in enumerate(names)}


@claim("Its equations, written out by hand", source=_1972 + "integrated by SciPy")
def equations() -> list[Comparison]:
    """Two dipoles with a phasic input and a burst of arousal, every parameter off its default."""
    parameters = {
        "I": np.array([0.8, 1.3]),
        "pattern": np.array([2.0, 1.1]),
        "start": 1.0,
        "on": 3.0,
        "burst": np.array([0.7, 1.6]),
        "burst_start": 2.5,
        "burst_on": 2.0,
        "H": 0.4,
        "K": 1.3,
        "L": 0.3,
        "A": 6.0,
        "signal": Numbers(Sigmoid, gain=3.0, half=1.4, exponent=1.7),
    }
    times = np.array([0.0, 0.9, 1.2, 2.0, 2.7, 3.5, 4.2, 4.7, 6.0])
    return equations_by_hand(build, parameters, _by_hand, times)


# Figure -------------------------------------------------------------------------------------------------------


@figure("on.x", "off.x", "on_gates.y", "off_gates.y")
def rebound(run: Run) -> FigureDescription | None:
    """Show overshoot, habituation and rebound of one dipole beside their closed forms."""
    if run.view("on").cells > 1:
        return None
    gate, f, A = run.part("on_gates").gate, run.part("on_gates").signal, float(run.part("on").A)
    phasic = run.network.stimuli[-1]
    shown = run.spans(phasic, "J on")
    I, J = float(run.inputs_to("on_input", time=0.0).flat[0]) / A, float(np.max(phasic.pattern)) / A
    times, x = run.times("on"), run.cell("on")
    response: list[Mark] = [
        Level(0.0, axis="y", role="guide"),
        Curve(times, np.maximum(x, 0.0), "ON response"),
        Curve(times, np.minimum(x, 0.0), "OFF response, downward", color=1),
    ]
    gates: list[Mark] = [
        trace(run, f"{side}_gates.y", label=f"{side.upper()} gate", color=k) for k, side in enumerate(("on", "off"))
    ]
    if shown and shown[0].stop < run.end and len(run.network.stimuli) == 3:
        start, stop = shown[0].start, shown[0].stop
        numbers = (f, gate.H, gate.K, gate.L)
        known: tuple[tuple[float, Any, str, int, Any], ...] = (
            (start, theory.dipole_onset(I, J, *numbers), "overshoot", 0, "right"),
            (stop, theory.dipole_response(I, J, *numbers), "habituated", 0, "right"),
            (stop, -theory.dipole_rebound(I, J, *numbers), "antagonistic rebound", 1, "below"),
        )
        for time, level, words, color, side in known:
            response.append(Curve([time], [level], "closed form", "predicted", color, marker="o"))
            response.append(Note(time, float(level), words, side, color))
        for k, S in enumerate((f(I + J), f(I))):
            level = theory.gate_level(S, gate.H, gate.K, gate.L)
            gates.append(Curve([stop], [level], "H K/(H + L S)", "predicted", k, marker="o"))
    top = float(np.abs(x).max())
    limits = (min(-0.36 * top, 1.6 * float(x.min())), 1.5 * top)
    numbers_told = f"arousal I = {I:g}, phasic input J = {J:g}, gates H = {gate.H:g}, L = {gate.L:g}"
    below = f"circles: closed forms for fast cells   ·   {numbers_told}   ·   {run.below}"
    title = "A channel that was used rebounds when its input ends"
    if len(run.network.stimuli) > 3:
        burst = run.network.stimuli[1]
        size = float(np.max(burst.pattern)) / A
        shown = (*shown, *run.spans(burst, f"burst dI = {size:g}", 2))
        title = "A burst of arousal during J"
        if isinstance(f, Linear) and gate.L > 0:
            rebounds = size > gate.H / gate.L
            title = f"{title}: {'a' if rebounds else 'no'} rebound, as dI is {'' if rebounds else 'not '}above H/L"
    panels = (
        time_panel(run, "Overshoot, habituation, rebound", response, y="response", spans=shown, y_limits=limits),
        time_panel(run, "Gates: slow, and the cause of all three", gates, y="gate y", spans=shown, width=0.8),
    )
    return FigureDescription(title, below, (panels,), (1.3,))
