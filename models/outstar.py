"""Outstar: a sampling cell learns a spatial pattern of border activities, and reads it out at any intensity.

    dx_k/dt = -A x_k + I_k(t)                                      source cells (conditioned stimulus)
    dx_j/dt = -A x_j + D sum_k f(x_k) z_kj + theta_j I(t)           border cells (unconditioned stimulus)       (7)
    dz_kj/dt = M f(x_k) [h(x_j) - z_kj]                                                                        (11)

A source cell k with its weights z_kj is an outstar. Only while it signals, f(x_k) > 0, its weights move toward the
pattern that the border cells show: it samples. While it is silent they neither learn nor forget.

Source: Grossberg (1968), Some nonlinear networks capable of learning a spatial pattern of arbitrary complexity,
Proc. Natl. Acad. Sci. USA 59, 368-372; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, (11).

What is known (h(w) = w, x = sum x_j, z = sum z_j, X_j = x_j/x, Z_j = z_j/z):

- constant f and h: z(t) = h + (z(0) - h) exp(-M f t).
- stimulus sampling: f = 0 changes no weight, not in its last bit.
- outstar theorem: X_j and Z_j go to theta_j; the source cell alone then reads X_j = theta_j out, at any intensity.
- while both are on the weights go to theta_j I/(A - D f), if D f < A; otherwise the memory grows without bound.
- passive decay in place of (11), dz/dt = -decay z + M f h, forgets exp(-decay t) while the source is silent.
- doubly gated, M f(x_k) g(x_j) [h(x_j) - z_kj]: weights to silent border cells are kept as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import (
    Curve,
    FigureDescription,
    Level,
    Mark,
    Panel,
    Run,
    figure,
    layer_panel,
    pattern_marks,
    time_panel,
)
from brnn.figures.view import shares
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import PATTERN_A, activities, default_pattern, field_shape, signal_of
from brnn.models.parts.presentations import refuse_weights
from brnn.models.parts.runs import run
from brnn.signals import Linear, Signal, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.learning import DoublyGated, Learning, Outstar, PassiveDecay
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Constant, Pulse, Pulses, Ramp, Samples, Schedule, Sine
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll

__all__ = ["build"]

_LAWS: dict[str, Callable[..., Learning]] = {
    "outstar": Outstar,
    "doubly_gated": DoublyGated,
    "passive_decay": PassiveDecay,
}
_RECALL, _SILENCE = 5.0, 5.0  # how long each recall lasts, and the silence before it


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    A: float = 1.0,
    M: float = 1.0,
    D: float = 0.5,
    signal: Signal = ThresholdLinear(gain=1.0, threshold=0.05),
    pattern: ArrayLike | None = None,
    intensity: float = 1.0,
    cue: ArrayLike = 1.0,
    on: float = 20.0,
    recall: ArrayLike = (0.5, 1.0, 2.0, 4.0),
    window: float | None = None,
    law: Literal["outstar", "doubly_gated", "passive_decay"] = "outstar",
    weights: ArrayLike | None = None,
) -> Network:
    """Return an outstar that is taught a pattern, and then recalls it at several intensities.

    Cue and pattern are on together from time 0 to `on`; after a silence the cue comes back alone, with each of the
    factors `recall`, for 5 units of time and with silences of 5 between them.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of border cells along each axis (1); by default that of `pattern`, else 10.
    A : float, > 0
        Passive decay rate of all cells (1/time).
    M : float, >= 0
        Learning rate (1/time).
    D : float, >= 0
        Strength of the connections (1/time); 0 lets the outstar learn without recalling.
    signal : Signal
        f, what a source cell with activity x sends, and by which it samples (1).
    pattern : float or array, >= 0
        What is taught (1); it is scaled to the reflectances theta_j, whose sum is 1.
    intensity : float, >= 0
        I, the total input of the border cells during training (1/time).
    cue : float or array, >= 0
        Input of the source cell, or of each of several (1/time).
    on : float, > 0
        How long the training lasts (time).
    recall : array, >= 0
        Factors of the cue in each recall (1).
    window : float, > 0
        When learning ends (time), which may be infinite; by default when the recalls begin.
    law : str
        Learning law: outstar, doubly_gated, or passive_decay.
    weights : float or array
        z at time 0: one number, or [border cell, source cell] (1); by default they are uneven.

    Returns
    -------
    Network
        Layers "source" and "border", and the projection "outstar" with the weights "outstar.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    cells = field_shape("outstar", n, 10, (("pattern", pattern),))
    size = math.prod(cells)
    shown = np.broadcast_to(
        activities(default_pattern(cells) if pattern is None else pattern, "outstar: pattern", cells, minimum=0.0),
        cells,
    )
    if shown.sum() <= 0:
        raise SpecError("outstar: pattern: is 0 everywhere; it has no reflectances")
    theta = shown / shown.sum()
    cues = np.atleast_1d(array(cue, "outstar: cue", minimum=0.0))
    if cues.ndim != 1:
        raise SpecError(f"outstar: cue: has shape {cues.shape}, must be one number, or one for each source cell")
    factors = np.atleast_1d(array(recall, "outstar: recall", minimum=0.0))
    if factors.ndim != 1:
        raise SpecError(f"outstar: recall: has shape {factors.shape}, must be a list of factors")
    refuse_weights("outstar", size * cues.size)
    trained = number(on, "outstar: on", above=0.0)
    onsets = trained + _SILENCE + (_RECALL + _SILENCE) * np.arange(factors.size)
    until = number(onsets[0] if window is None else window, "outstar: window", above=0.0, infinite=True)
    rate = number(M, "outstar: M", minimum=0.0)
    rule = _LAWS[choice(law, "outstar: law", tuple(_LAWS))]
    # Uneven at the beginning, so that what is learned is seen.
    uneven = 0.1 + 0.1 * np.cos(np.arange(size * cues.size))
    start = uneven if weights is None else array(weights, "outstar: weights")
    signal = signal_of(signal, "outstar: signal")
    tests = [
        Stimulus("source", "excitatory", factor * cues, Pulse(onset, onset + _RECALL))
        for factor, onset in zip(factors, onsets, strict=True)
    ]
    return Network(
        "outstar",
        layers=(
            Layer.additive("source", cues.size, A=number(A, "outstar: A", above=0.0)),
            Layer.additive("border", cells, A=A),
        ),
        projections=(
            Projection(
                "source",
                "border",
                "excitatory",
                signal,
                AllToAll(weight=number(D, "outstar: D", minimum=0.0)),
                learning=rule(rate=rate, initial=start, schedule=Pulse(0.0, until) if math.isfinite(until) else None),
                name="outstar",
            ),
        ),
        stimuli=(
            Stimulus("source", "excitatory", cues, Pulse(0.0, trained)),
            Stimulus(
                "border",
                "excitatory",
                number(intensity, "outstar: intensity", minimum=0.0) * theta,
                Pulse(0.0, trained),
            ),
            *tests,
        ),
        duration=float(onsets[-1] + _RECALL + _SILENCE),
        reference="Grossberg (1968), Proc. Natl. Acad. Sci. USA 59, 368-372",
    )


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "Grossberg (2013), review, "
_THETA = PATTERN_A / PATTERN_A.sum()
_SOLVERS = ("RK45", "RK23", "DOP853", "LSODA", "Radau", "BDF", "ROS34PW2")


def _clamped(learning: Learning, sources: ArrayLike, borders: ArrayLike) -> Network:
    """Return cells that keep their activities for ever (no decay, no input, D = 0); only the weights move."""
    return Network(
        "clamped",
        (
            Layer.additive("source", np.size(sources), A=0.0, initial=np.asarray(sources)),
            Layer.additive("border", np.size(borders), A=0.0, initial=np.asarray(borders)),
        ),
        (
            Projection(
                "source", "border", "excitatory", Linear(), AllToAll(weight=0.0), learning=learning, name="outstar"
            ),
        ),
        duration=10.0,
    )


def _toward(z0: Any, goal: Any, exposure: Any) -> np.ndarray:
    """Return goal + (z0 - goal) exp(-exposure), where `exposure` is the integral of the rate."""
    return np.asarray(goal + (z0 - goal) * np.exp(-np.asarray(exposure)))


@claim("Constant signals: z(t) = h + (z(0) - h) exp(-M f t)", source=_REVIEW + "(11), solved for constant f and h")
def weights_approach_exponentially() -> list[Comparison]:
    """The closed form is followed by every weight of three outstars, from random beginnings, by every solver."""
    rng = np.random.default_rng(11)
    f, h, z0, times = (
        np.array([0.3, 1.0, 2.5]),
        rng.uniform(size=5),
        rng.uniform(size=(5, 3)),
        np.linspace(0.0, 5.0, 11),
    )
    network = _clamped(Outstar(rate=0.8, initial=z0), f, h)
    predicted = _toward(z0, h[:, None], 0.8 * f * times[:, None, None])
    rows = [
        Comparison(
            predicted, run(network, 5.0, times=times, solver=solver)["outstar.z"], 1e-8, f"closed form, {solver}"
        )
        for solver in ("RK45", "DOP853", "LSODA", "Radau")
    ]
    one = run(_clamped(Outstar(rate=2.0), [1.0], [0.4]), 1.0, times=[1.0])
    return [*rows, Comparison(0.34586589, one["outstar.z"].item(), 1e-8, "z(0) = 0, h = 0.4, M f = 2, t = 1: tabled")]


@claim("Outstar theorem: the pattern is learned perfectly and recalled at any intensity", source="Grossberg (1968)")
def pattern_is_learned_and_recalled() -> list[Comparison]:
    """X_j = theta_j during each recall, whatever its intensity, the beginning of the weights, and the pattern."""
    rng, rows = np.random.default_rng(1968), []
    factors = np.array([0.2, 1.0, 10.0, 100.0])
    onsets = 95.0 + 10.0 * np.arange(4)
    times = [90.0, *np.stack([onsets, onsets + _RECALL], axis=1).ravel()]
    for k, theta in enumerate([_THETA, *rng.dirichlet(np.full(10, 0.5), size=2)]):
        start = rng.uniform(0.0, 2.0, size=(theta.size, 1))
        result = run(build(pattern=theta, weights=start, on=90.0, recall=factors), times=times)
        z, total = np.asarray(result["outstar.z"])[:, :, 0], np.asarray(result.total("border"))
        source = np.asarray(result["source.x"])[1::2, 0]
        label = f"pattern {k + 1}: "
        rows += [
            Comparison(theta / (1.0 - 0.5 * 0.95), z[0], 1e-7, label + "weights in training, theta_j I/(A - D f)"),
            Comparison(
                np.broadcast_to(theta, (4, theta.size)),
                result.relative("border")[2::2],
                1e-8,
                label + "X_j in each recall",
            ),
            Comparison(
                _recalled(factors, source, total[1::2], z[-1].sum()),
                total[2::2],
                1e-7,
                label + "total in each recall",
                True,
            ),
        ]
    return rows


def _recalled(factors: np.ndarray, source: np.ndarray, border: np.ndarray, z: float) -> np.ndarray:
    """Return the total border activity after 5 units of each recall (A = 1, D = 0.5, f(w) = [w - 0.05]+, cue 1).

    The recall begins with the activities `source` and `border`. The source cell, F + (source - F) exp(-t), passes the
    threshold at t0; from then on dx/dt = -x + D f z is integrated in closed form.
    """
    T, above = _RECALL, factors - 0.05
    t0 = np.log(np.maximum((factors - source) / above, 1.0))
    sent = above * (1.0 - np.exp(t0 - T)) + (source - factors) * (T - t0) * np.exp(-T)
    return np.asarray(border * np.exp(-T) + 0.5 * z * sent)


@claim("Stimulus sampling: while f = 0 a weight changes in no bit", source=_REVIEW + "text after (12)")
def silence_changes_no_bit() -> list[Comparison]:
    """Three outstars on one border, whose activities vary all the time: one never signals, one early, one late."""
    z0 = np.random.default_rng(12).uniform(size=(10, 3))
    cells = build(weights=z0, cue=[1.0, 1.0, 1.0], window=math.inf)
    cues: tuple[tuple[list[float], Schedule], ...] = (
        ([0.04, 0.0, 0.0], Constant()),  # below the threshold of f
        ([0.0, 1.0, 0.0], Pulse(0.0, 3.0)),
        ([0.0, 0.0, 1.0], Pulse(10.0, 13.0)),
    )
    inputs = [Stimulus("source", "excitatory", np.array(cue), schedule) for cue, schedule in cues]
    network = cells.replace(stimuli=[*inputs, Stimulus("border", "excitatory", _THETA, Sine(0.2))], duration=20.0)
    rows = []
    for solver in _SOLVERS:
        result = run(network, solver=solver, times=np.linspace(0.0, 20.0, 81), rtol=1e-6, atol=1e-9)
        z, before = np.asarray(result["outstar.z"]), np.asarray(result.times) <= 10.0
        early, late = z[~before][:, :, 1], z[before][:, :, 2]
        rows += [
            Comparison.exact(np.broadcast_to(z0[:, 0], z.shape[:2]), z[:, :, 0], f"{solver}: never signals"),
            Comparison.exact(np.broadcast_to(z0[:, 2], late.shape), late, f"{solver}: before it signals"),
            Comparison.exact(np.broadcast_to(early[0], early.shape), early, f"{solver}: after it signalled"),
            Comparison.at_least(
                0.1, np.abs(z[-1, :, 1:] - z0[:, 1:]).max(axis=0), label=f"{solver}: change of the others"
            ),
        ]
    return rows


@claim("Passive decay forgets in silence, an outstar does not", source=_REVIEW + "(11) and (39)")
def passive_decay_forgets() -> list[Comparison]:
    """After training, z(t) = z(on) exp(-(t - on)) for passive decay once f = 0, and constant for the outstar."""
    times = np.linspace(15.0, 25.0, 11)  # f = 0 from t = 10 + log 20 on
    rows = []
    for law in ("passive_decay", "outstar"):
        result = run(build(law=law, recall=[1.0], on=10.0).replace(stimuli=build().stimuli[:2]), 25.0, times=times)
        z = np.asarray(result["outstar.z"])[:, :, 0]
        kept = np.exp(-(times - times[0])) if law == "passive_decay" else np.ones(times.size)
        rows.append(Comparison(kept[:, None] * z[0], z, 1e-9, f"{law}: weights in silence"))
    return rows


@claim(
    "Doubly gated: weights to silent border cells are kept, an outstar's go to 0", source="(11) times a signal g(x_j)"
)
def doubly_gated_keeps_weights_to_silent_cells() -> list[Comparison]:
    """For constant signals z(t) = h + (z(0) - h) exp(-M f g t): with g = 0 no bit changes."""
    z0, h = np.random.default_rng(3).uniform(size=(4, 2)), np.array([0.0, 0.5, 1.0, 2.0])
    f, times = np.array([0.5, 1.5]), np.linspace(0.0, 4.0, 9)
    rows = []
    for law, g in ((DoublyGated, h), (Outstar, np.ones(4))):
        z = np.asarray(run(_clamped(law(rate=0.6, initial=z0), f, h), 4.0, times=times)["outstar.z"])
        predicted = _toward(z0, h[:, None], 0.6 * times[:, None, None] * f * g[:, None])
        rows.append(Comparison(predicted, z, 1e-8, f"{law.__name__}: closed form"))
        if law is DoublyGated:
            rows.append(
                Comparison.exact(np.broadcast_to(z0[0], (9, 2)), z[:, 0], "DoublyGated: weights to a silent cell")
            )
    return rows


@claim("Learning windows and rates: z = h + (z(0) - h) exp(-f int M dt)", source="(11), solved for a rate M(t)")
def windows_and_rates_multiply_exposure() -> list[Comparison]:
    """Windows, a rising, a sinusoidal and a sampled rate, each against the integral of its factor; closed is exact."""
    z0, h, f, M = np.array([[0.9], [0.1]]), np.array([0.2, 0.7]), 1.3, 0.5
    t = np.linspace(0.0, 6.0, 25)
    knots, factors = np.array([0.0, 2.0, 6.0]), np.array([1.0, 0.2, 0.0])
    cases: dict[str, tuple[Schedule, np.ndarray]] = {
        "window from 2 to 3.5": (Pulse(2.0, 3.5), np.clip(t, 2.0, 3.5) - 2.0),
        "window of 0.001": (Pulse(2.0, 2.001), np.clip(t, 2.0, 2.001) - 2.0),
        "two windows": (
            Pulses(np.array([[1.0, 2.0], [4.0, 4.5]])),
            np.clip(t, 1.0, 2.0) - 1.0 + np.clip(t, 4.0, 4.5) - 4.0,
        ),
        "rising rate": (Ramp(0.0, 6.0), t**2 / 12.0),
        "sinusoidal rate": (Sine(0.5), t + (1.0 - np.cos(np.pi * t)) / np.pi),
        "falling rate": (
            Samples(knots, factors),
            np.where(t < 2.0, t - 0.2 * t**2, 1.2 + 0.2 * (t - 2.0) - 0.025 * (t - 2.0) ** 2),
        ),
    }
    rows = []
    for name, (schedule, exposure) in cases.items():
        learning = Outstar(rate=M, initial=z0, schedule=schedule)
        z = np.asarray(run(_clamped(learning, [f], h), 6.0, times=t)["outstar.z"])
        rows.append(Comparison(_toward(z0, h[:, None], M * f * exposure[:, None, None]), z, 1e-8, name))
        if name == "window from 2 to 3.5":
            rows.append(
                Comparison.exact(np.broadcast_to(z0, z[t <= 2.0].shape), z[t <= 2.0], "before the window opens")
            )
            rows.append(Comparison.exact(np.broadcast_to(z[-1], z[t >= 3.5].shape), z[t >= 3.5], "after it has closed"))
    return rows


@claim(
    "Recall while learning goes on changes the size of the memory, not its pattern",
    source="Grossberg (1968), extinction",
)
def recall_keeps_the_pattern() -> list[Comparison]:
    """A source that is on alone: the two totals obey linear equations, X_j and Z_j stay."""
    from scipy.linalg import expm

    M, A, D, f = 0.7, 1.0, 0.5, 1.2
    times = np.linspace(0.0, 12.0, 13)
    network = Network(
        "recall",
        (Layer.additive("source", 1, A=0.0, initial=f), Layer.additive("border", 10, A=A)),
        (
            Projection(
                "source", "border", "excitatory", Linear(), AllToAll(weight=D),
                learning=Outstar(rate=M, initial=2.0 * _THETA[:, None]), name="outstar",
            ),
        ),
    )  # fmt: skip
    result = run(network, 12.0, times=times)
    z = np.asarray(result["outstar.z"])[:, :, 0]
    flow = np.array([[-A, D * f], [M * f, -M * f]])
    totals = np.array([expm(flow * t) @ [0.0, 2.0] for t in times])
    return [
        Comparison(
            totals, np.stack([result.total("border"), z.sum(axis=1)], axis=1), 1e-8, "totals, matrix exponential"
        ),
        Comparison(np.broadcast_to(_THETA, z.shape), z / z.sum(axis=1, keepdims=True), 1e-9, "Z_j stays theta_j"),
        Comparison(np.broadcast_to(_THETA, (12, 10)), result.relative("border")[1:], 1e-8, "X_j stays theta_j"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n, sources = len(p.pattern), len(p.cue)
    theta = p.pattern / p.pattern.sum()
    recalls = p.on + 5.0 + 10.0 * np.arange(len(p.recall))

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y, z = u[:sources], u[sources : sources + n], u[sources + n :].reshape(n, sources)
        f, f_border = (p.signal.gain * np.maximum(w - p.signal.threshold, 0.0) for w in (x, y))
        heard = float(when < p.on) + (p.recall * ((recalls < when) & (when < recalls + 5.0))).sum()
        dz = (when < p.window) * p.M * f * (y[:, None] - z)
        if p.law == "doubly_gated":
            dz = dz * f_border[:, None]
        dy = -p.A * y + p.D * z @ f + (when < p.on) * p.intensity * theta
        return np.concatenate([-p.A * x + heard * p.cue, dy, dz.ravel()])

    start = np.concatenate([np.zeros(sources + n), np.ravel(p.weights)])
    u = integrated(velocity, start, times, [p.on, p.window, *recalls, *(recalls + 5.0)])
    return {"source.x": u[:, :sources], "border.x": u[:, sources : sources + n], "outstar.z": u[:, sources + n :]}


@claim("Its equations, written out by hand", source="(7), (11); integrated by SciPy")
def equations() -> list[Comparison]:
    """Two source cells and three border cells, doubly gated, every parameter off its default."""
    parameters = {
        "A": 0.8,
        "M": 0.7,
        "D": 0.4,
        "signal": Numbers(ThresholdLinear, gain=1.3, threshold=0.1),
        "pattern": np.array([0.5, 1.0, 0.7]),
        "intensity": 1.6,
        "cue": np.array([0.9, 0.6]),
        "on": 4.0,
        "recall": np.array([0.7, 1.5]),
        "window": 10.5,
        "law": "doubly_gated",
        "weights": np.array([[0.2, 0.1], [0.05, 0.3], [0.15, 0.25]]),
    }
    times = np.array([0.0, 1.0, 3.0, 6.0, 9.0, 11.0, 13.0, 18.5, 21.0])
    return equations_by_hand(build, parameters, _by_hand, times, changed={"law": "outstar"}, tolerance=1e-6)


# Figure -------------------------------------------------------------------------------------------------------


@figure("border.x", "outstar.z")
def learned_pattern(run: Run) -> FigureDescription | None:
    """Show the border while it is trained and recalled, the shares of the weights, and what is played back."""
    if run.view("source").cells > 1 or run.view("border").cells > 24 or len(run.view("border").shape) > 1:
        return None
    theta = shares(run.network.stimuli[1].pattern)
    z, times = run.values("outstar.z"), run.times("outstar.z")
    Z = z / np.maximum(z.sum(axis=1, keepdims=True), 1e-300)
    order = np.argsort(np.argsort(theta, kind="stable"), kind="stable") / max(theta.size - 1, 1)
    marks: list[Mark] = [Curve(times, Z[:, k], shade=float(order[k])) for k in range(theta.size)]
    marks += [Level(float(level), "theory: share of the pattern") for level in np.unique(theta.round(9))]
    recalled = run.network.stimuli[-1].schedule
    tested = isinstance(recalled, Pulse) and recalled.off <= run.end
    held = run.at("border", recalled.off) if isinstance(recalled, Pulse) and tested else run.last("border")
    words = ("pattern that was taught", "played back" if tested else "border in the end", "")
    bars = pattern_marks(shares(held), theta, None, words)
    panels = (
        time_panel(run, "Shares of the weights go to those of the pattern", marks, y="share of the weights", spans=()),
        Panel("Taught and played back", bars, "cell", "share of the total", width=0.9, legend="top"),
    )
    first = layer_panel(run, "border", "Border: training, then recall of several strengths")
    title = "An outstar learns a pattern, and plays it back at any strength"
    return FigureDescription(title, run.below, ((first,), panels))
