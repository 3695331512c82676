"""Serial learning: a fully recurrent network learns the order of a list, and finds its middle the hardest.

    dx_i/dt = -A x_i + D sum_j f(x_j(t - tau)) z_ji + I_i(t)                     items, f(w) = [w - threshold]+      (7)
    dz_ji/dt = -u z_ji + M f(x_j(t - tau)) x_i                                   associations of all pairs, j != i  (39)

Items are shown one after the other, in several trials. While an item's activity lasts, it samples those that come later
(associations ahead) and those that were there before it (associations back). At the end the items are cued one by one;
how strong the right answer is among all answers, Z_j = z_j,j+1/sum_i z_ji, gives the serial position curve.

Source: Grossberg (1969), On learning, information, lateral inhibition, and transmitters, Math. Biosci. 4, 255-310;
Grossberg and Pepe (1971), Spiking threshold and overarousal effects in serial learning, J. Stat. Phys. 3, 95-125. Of
both only the abstracts were at hand: the equations are recalled (there the signal from j to i carries Z_ji in place of
z_ji), and all numbers are choices made here.

What is known:

- without feedback (D = 0) all weights are integrals of products of exponentials; feedback changes them by O(D).
- bow: after one trial, Z_j falls from the first position to that at which the association back over j items is no
  longer stronger than the one ahead over the n - j items left, and rises after it. A list's first items have little
  before them to be confused with, the last items nothing after them.
- the higher the threshold, the more primacy prevails over recency (Grossberg and Pepe 1970, 1971).
- longer lists have deeper bows, and their last items suffer more than their first ones, as in data (Robinson and Brown
  1926, as reported by Jahnke 1963, J. Verb. Learn. Verb. Behav. 2, 284-287).
- if the next trial follows at the pace of the list, it has neither a beginning nor an end, and the curve becomes flat.
  Every pause makes every position easier, the first and last ones most. In data, too, lists were retained better after
  distributed practice (Hovland 1940, as reported in Underwood's Studies of distributed practice XI, which also reports
  the opposite, for shorter pauses).

No published curve was at hand in numbers: with data only the direction of these effects is compared.
"""

from __future__ import annotations

import functools
import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np

from brnn.base.checks import number, one_of, whole
from brnn.base.odes import solved
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, figure, heat_panel, matrix_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated_with_lag
from brnn.models.parts.presentations import refuse_weights
from brnn.models.parts.runs import run
from brnn.signals import ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.protocol import Phase, Protocol
from brnn.spec.layers import Layer
from brnn.spec.learning import PassiveDecay
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulses
from brnn.spec.schedules.phases import InPhase
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf
from brnn.theory import serial
from brnn.theory import serial as theory

__all__ = ["build", "cues", "onsets"]

_FADED = 12.0  # in units of 1/A: how long after the last item learning goes on
_APART = 20.0  # in units of 1/A: between two cues


@takes_dotted_names
def build(
    n: int = 12,
    trials: int = 4,
    on: float = 0.5,
    interval: float = 1.0,
    pause: float = 6.0,
    A: float = 0.5,
    I: float = 2.0,
    D: float = 0.1,
    M: float = 0.1,
    u: float = 0.0,
    threshold: float = 0.2,
    tau: float = 0.8,
    cued: bool = True,
) -> Network:
    """Return a network that learns a list in several trials, and is then cued with each of its items.

    Parameters
    ----------
    n : int, >= 2
        Number of items (1).
    trials : int, >= 1
        How often the list is shown (1).
    on : float, > 0
        How long each item is shown (time).
    interval : float, > 0
        From the onset of one item to that of the next (time); at least `on`.
    pause : float, >= 0
        Additional interval between two trials (time); with 0 the first item follows the last as any other.
    A : float, > 0
        Decay rate of the items' activities (1/time).
    I : float, > 0
        Input of the item that is shown (1/time).
    D : float, >= 0
        Strength of the connections (1/time); D times the sum of an item's weights must stay below A.
    M : float, >= 0
        Learning rate (1/time).
    u : float, >= 0
        Rate of forgetting (1/time).
    threshold : float, >= 0
        Activity from which an item sends signals (1).
    tau : float, >= 0
        Lag of the signals (time).
    cued : bool
        Whether the items are cued after learning.

    Returns
    -------
    Network
        Layer "items", and the projection "associations" with the weights "associations.z", [to, from]; the phases are
        "learn" and "test".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "serial_learning"
    count = whole(n, f"{model}: n", minimum=2)
    refuse_weights(model, count * count)
    shown, rate = number(on, f"{model}: on", above=0.0), number(A, f"{model}: A", above=0.0)
    if number(interval, f"{model}: interval", above=0.0) < shown:
        raise SpecError(f"{model}: interval = {interval:g}: items would overlap; it must be at least on = {on:g}")
    lag = number(tau, f"{model}: tau", minimum=0.0)
    times = onsets(
        count, whole(trials, f"{model}: trials", minimum=1), interval, number(pause, f"{model}: pause", minimum=0.0)
    )
    learned = times[-1, -1] + shown + lag + _FADED / rate
    strength = number(I, f"{model}: I", above=0.0)
    one_of(cued, f"{model}: cued", bool, "true or false")
    tests = cues(count, learned, shown, rate) if cued else np.empty((count, 0))
    phases = [Phase("learn", learned)]
    if cued:
        phases.append(Phase("test", float(tests[-1, 0]) + _APART / rate - learned))
    stimuli = [
        Stimulus("items", "excitatory", strength * np.eye(count)[k], Pulses(np.stack([one, one + shown], axis=1)))
        for k, one in enumerate(np.hstack([times, tests]))
    ]
    return Network(
        model,
        layers=(Layer.additive("items", count, A=rate),),
        projections=(
            Projection(
                "items",
                "items",
                "excitatory",
                ThresholdLinear(1.0, number(threshold, f"{model}: threshold", minimum=0.0)),
                AllButSelf(number(D, f"{model}: D", minimum=0.0)),
                learning=PassiveDecay(
                    number(M, f"{model}: M", minimum=0.0),
                    decay=number(u, f"{model}: u", minimum=0.0),
                    sampled=ThresholdLinear(),
                    schedule=InPhase("learn"),
                ),
                delay=lag,
                name="associations",
            ),
        ),
        stimuli=stimuli,
        protocol=Protocol(phases),
        reference="Grossberg (1969), Math. Biosci. 4, 255-310",
    )


def onsets(n: int, trials: int, interval: float = 1.0, pause: float = 6.0) -> np.ndarray:
    """Return when each item begins in each trial, shape (n, trials); the arguments are those of `build`."""
    return interval * np.arange(n, dtype=np.float64)[:, None] + (n * interval + pause) * np.arange(trials)


def cues(n: int, learned: float, on: float = 0.5, A: float = 0.5) -> np.ndarray:
    """Return when each item is cued, shape (n, 1), if learning ends at the time `learned`."""
    return learned + (_APART / A + on) * (1.0 + np.arange(n)[:, None])


# Claims --------------------------------------------------------------------------------------------------------

_LIST = {"on": 0.5, "I": 2.0, "A": 0.5}  # as in the defaults of build
_ABSTRACT = "Grossberg and Pepe (1970), Behav. Sci. 15, 359-362, abstract; "


def _weights(**arguments: Any) -> np.ndarray:
    """Return the weights after learning, [to, from], with 0 from an item to itself; no feedback unless it is given."""
    network = build(**{"D": 0.0, "cued": False, **arguments})
    z = np.asarray(run(network, times=[0.0, network.duration], rtol=1e-8, atol=1e-11)["associations.z"])[-1]
    return z * (1.0 - np.eye(len(z)))


def _integrals(
    n: int = 12, trials: int = 4, pause: float = 6.0, threshold: float = 0.2, tau: float = 0.8, u: float = 0.0
) -> np.ndarray:
    """Return the same without feedback and without the simulator."""
    times = onsets(n, trials, pause=pause)
    learned = times[-1, -1] + 0.5 + tau + _FADED / 0.5
    return serial.associations(times, end=learned, threshold=threshold, tau=tau, M=0.1, u=u, **_LIST)


@claim("Without feedback every association is an integral in closed form", source="(7), (39) solved")
def associations_are_integrals() -> list[Comparison]:
    """With and without threshold, lag, forgetting, and further trials."""
    cases: dict[str, dict[str, Any]] = {
        "one trial, no threshold, no lag": {"trials": 1, "threshold": 0.0, "tau": 0.0},
        "one trial": {"trials": 1},
        "three trials, long lag": {"trials": 3, "tau": 1.7, "pause": 2.0},
        "three trials, forgetting": {"trials": 3, "u": 0.05, "threshold": 0.4},
    }
    return [
        Comparison(_integrals(n=6, **case), _weights(n=6, **case), 1e-6, f"{name}: all weights")
        for name, case in cases.items()
    ]


@claim("Every list is bowed: Z_j falls while g(-j) > g(n - j), then rises", source="Grossberg (1969); sums of g")
def every_list_is_bowed() -> list[Comparison]:
    """Lists of 14 items, shown once, with four thresholds: the hardest position, and the way down to it and up."""
    rows = []
    for threshold in (0.0, 0.1, 0.2, 0.4):
        Z = serial.correct(_weights(n=14, trials=1, threshold=threshold))
        ahead, back = serial.lags(14, 1.0, threshold=threshold, tau=0.8, **_LIST)
        k = serial.hardest(ahead, back) - 1
        label = f"threshold {threshold:g}: "
        rows += [
            Comparison.count(k + 1, int(Z.argmin()) + 1, label + "hardest position, from g"),
            Comparison.monotone("falling", Z[: k + 1], label=label + "Z_j up to it"),
            Comparison.monotone("rising", Z[k:], label=label + "Z_j from it on"),
        ]
    return rows


@claim("A lower threshold turns primacy into recency", source=_ABSTRACT + "closed form")
def threshold_turns_primacy_into_recency() -> list[Comparison]:
    """Z of the first position less that of the last: the threshold at which it is 0, and both sides of it."""
    from scipy.optimize import brentq

    def primacy(threshold: float) -> float:
        Z = serial.correct(_integrals(trials=1, threshold=threshold))
        return float(Z[0] - Z[-1])

    turn = float(brentq(primacy, 0.0, 0.3, xtol=1e-10))
    thresholds = np.array([0.0, 0.5 * turn, turn, 2.0 * turn, 0.3])
    measured = [serial.correct(_weights(trials=1, threshold=float(one)))[[0, -1]] for one in thresholds]
    difference = np.array([first - last for first, last in measured])
    return [
        Comparison([primacy(float(one)) for one in thresholds], difference, 1e-6, "Z_1 - Z_(n-1), closed form"),
        Comparison.monotone("rising", difference, label="with the threshold"),
        Comparison.at_most(-0.03, difference[0], label="no threshold: recency"),
        Comparison(0.0, difference[2], 1e-6, f"threshold {turn:.6f}: neither"),
        Comparison.at_least(0.03, difference[4], label="threshold 0.3: primacy"),
    ]


@claim("Longer lists have deeper bows, and their ends suffer most", source="Robinson and Brown (1926) in Jahnke (1963)")
def long_lists_have_deep_bows() -> list[Comparison]:
    """Lists of 5 to 15 items. Directions as in data: first to hardest, and what a longer list does to each position."""
    lengths, rows = (5, 8, 11, 15), []
    curves = [serial.correct(_weights(n=n, trials=1)) for n in lengths]
    for n, Z in zip(lengths, curves, strict=True):
        rows.append(Comparison(serial.correct(_integrals(n=n, trials=1)), Z, 1e-6, f"n = {n}: all Z_j, closed form"))
    first, last = np.array([Z[0] for Z in curves]), np.array([Z[-1] for Z in curves])
    hardest = np.array([Z.min() for Z in curves])
    # The first item's answers are those ahead, of which a threshold leaves only a few.
    return [
        *rows,
        Comparison.monotone("rising", first - hardest, label="depth of the bow, with the length"),
        Comparison.monotone("rising", first - last, label="first less last, with the length"),
        Comparison.at_most(first[0] - 0.05, last, label="last position, below the first"),
    ]


@claim("Without a pause a list has no beginning and no end; every pause helps", source="Grossberg (1969), abstract")
def pauses_help() -> list[Comparison]:
    """Six trials with pauses from 0 to 12 items. Pauses help, as in Hovland (1940)."""
    pauses, rows = (0.0, 1.0, 3.0, 12.0), []
    curves = np.array([serial.correct(_weights(n=8, trials=6, pause=pause)) for pause in pauses])
    for pause, Z in zip(pauses, curves, strict=True):
        predicted = serial.correct(_integrals(n=8, trials=6, pause=pause))
        rows.append(Comparison(predicted, Z, 1e-6, f"pause {pause:g}: all Z_j, closed form"))
    # On a ring all positions are alike; only the first trial's beginning and the last one's end are left, 1 in 6.
    spread = np.ptp(curves, axis=1)
    return [
        *rows,
        Comparison.at_most(spread[3] / 6.0, spread[0], label="no pause: depth of the bow, below 1/6 of the longest's"),
        Comparison.monotone("rising", spread, label="depth, with the pause"),
        Comparison.monotone("rising", curves, 1e-9, label="Z_j of every position, with the pause"),
    ]


@claim("Feedback changes the curve by O(D), and it stays bowed", source="independent integration; perturbation")
def feedback_keeps_the_bow() -> list[Comparison]:
    """The full network against SciPy's integration of the equations as written, and halved feedback against half."""
    n, D, trials = 8, 0.12, 2
    exact = _integrals(n=n, trials=trials)
    found = {k: _weights(n=n, trials=trials, D=k * D) for k in (0.25, 0.5, 1.0)}
    away = [np.abs(found[k] - exact).max() for k in (0.25, 0.5, 1.0)]
    Z = serial.correct(found[1.0])
    k = int(Z.argmin())
    return [
        Comparison(_integrated(n, trials, D), _weights(n=n, trials=trials, D=D, tau=0.0), 1e-7, "no lag: all weights"),
        Comparison(2.0, away[1] / away[0], 0.1, "D/2 against D/4: ratio of the changes"),
        Comparison.within(2.0, away[2] / away[1], 2.3, label="D against D/2: ratio of the changes"),
        Comparison.within(1, k, n - 3, label="hardest position, neither the first nor the last"),
        Comparison.at_least(0.02, [Z[0] - Z[k], Z[-1] - Z[k]], label="how much easier both ends are"),
    ]


def _integrated(n: int, trials: int, D: float) -> np.ndarray:
    """Return the weights of the full network without lag, by SciPy, from one onset or offset to the next."""
    times = onsets(n, trials)
    learned = times[-1, -1] + 0.5 + _FADED / 0.5
    nodes = np.unique(np.concatenate([times.ravel(), times.ravel() + 0.5, [learned]]))
    off = 1.0 - np.eye(n)
    state = np.zeros(n + n * n)

    def slope(_: float, state: np.ndarray, shown: np.ndarray) -> np.ndarray:
        x, z = state[:n], state[n:].reshape(n, n)
        f = np.maximum(x - 0.2, 0.0)
        return np.concatenate([-0.5 * x + D * (off * z) @ f + shown, (0.1 * np.outer(x, f)).ravel()])

    for start, end in itertools.pairwise(nodes):
        shown = 2.0 * ((times <= start) & (start < times + 0.5)).any(axis=1)
        state = solved(slope, (start, end), state, rtol=1e-11, atol=1e-13, args=(shown,)).y[:, -1]
    return np.asarray(state[n:].reshape(n, n) * off)


@claim(
    "A cue recalls what was associated with it: X_i = Z_ji, the next item most", source="(7), while others are silent"
)
def cues_recall_the_next_item() -> list[Comparison]:
    """Each item of a list that was learned with feedback is cued alone; relative activities of all others."""
    n = 7
    network = build(n=n, trials=3)
    when = cues(n, onsets(n, 3)[-1, -1] + 0.5 + 0.8 + _FADED / 0.5)[:, 0] + 2.0
    result = run(network, times=[*when, when[-1] + 10.0], rtol=1e-9, atol=1e-14)
    z = np.asarray(result["associations.z"])[-1]
    others = ~np.eye(n, dtype=bool)
    x = np.asarray(result["items.x"])[:n]
    X = np.array([row[keep] / row[keep].sum() for row, keep in zip(x, others, strict=True)])
    Z = np.array([row[keep] / row[keep].sum() for row, keep in zip(z.T, others, strict=True)])
    answers = [int(np.argmax(np.where(keep, row, 0.0))) for row, keep in zip(x, others, strict=True)]
    return [
        Comparison(Z, X, 1e-5, "X_i of all others, for each cue"),
        Comparison.order(np.arange(1, n), answers[:-1], "strongest answer to each cue but the last"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = p.n
    shown = p.interval * np.arange(n)[:, None] + (n * p.interval + p.pause) * np.arange(p.trials)
    learned = shown[-1, -1] + p.on + p.tau + 12.0 / p.A
    begins = shown
    if p.cued:
        begins = np.hstack([shown, learned + (20.0 / p.A + p.on) * (1.0 + np.arange(n)[:, None])])

    def velocity(t: float, u: np.ndarray, when: float, late: np.ndarray) -> np.ndarray:
        x, z = u[:n], u[n:].reshape(n, n)  # z[to, from]
        f = np.maximum(late[:n] - p.threshold, 0.0)
        I = p.I * ((begins < when) & (when < begins + p.on)).any(axis=1)
        dz = -p.u * z + (when < learned) * p.M * np.outer(np.maximum(x, 0.0), f)
        others = 1.0 - np.eye(n)  # an item has a weight for itself, too, through which nothing is sent
        return np.concatenate([-p.A * x + p.D * (z * others) @ f + I, dz.ravel()])

    breaks = [*begins.ravel(), *(begins + p.on).ravel(), learned]
    u = integrated_with_lag(velocity, np.zeros(n + n * n), times, p.tau, breaks)
    z = u[:, n:].reshape(-1, n, n)
    ends = learned + n * (20.0 / p.A + p.on) + 20.0 / p.A if p.cued else learned
    return {"items.x": u[:, :n], "associations.z": z, "duration": ends}


@claim("Its equations, written out by hand", source="(7), (39) with a lag; integrated by SciPy")
def equations() -> list[Comparison]:
    """Three items in two trials, with feedback, forgetting and a lag, every parameter off its default."""
    parameters: dict[str, Any] = {
        "n": 3,
        "trials": 2,
        "on": 0.4,
        "interval": 0.6,
        "pause": 0.5,
        "A": 4.0,
        "I": 7.0,
        "D": 2.0,
        "M": 0.8,
        "u": 0.1,
        "threshold": 0.15,
        "tau": 0.7,
    }
    times = np.array([0.0, 0.7, 1.5, 2.6, 3.5, 6.0, 8.0])
    return [
        *equations_by_hand(
            functools.partial(build, cued=True),
            parameters,
            lambda p, times: _by_hand(SimpleNamespace(cued=True, **vars(p)), times),
            times,
            apart=("cued",),
            tolerance=1e-6,
        ),
        *equations_by_hand(
            functools.partial(build, **parameters),
            {"cued": False},
            lambda p, times: _by_hand(SimpleNamespace(**parameters, **vars(p)), times),
            np.array([0.0, 4.0, 14.0]),  # the first cue would come at 13.0
            apart=sorted(parameters),
            tolerance=1e-6,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


@figure("items.x", "associations.z")
def bow(run: Run) -> FigureDescription | None:
    """Show the associations that a list leaves behind, and how well each item leads to the next."""
    n = run.view("items").cells
    if n > 60 or n < 3:
        return None
    learned = run.network.protocol
    stop = float(learned.intervals("learn")[-1, 1]) if learned is not None and "learn" in learned.names else run.end
    z = run.at("associations.z", min(stop, run.end))
    measured = theory.correct(z)
    position = np.arange(1, measured.size + 1)
    marks: list[Mark] = [Curve(position, measured, "learned"), Curve(position, measured, color=0, marker="o")]
    alone = _without_feedback(run, min(stop, run.end))
    if alone is not None:
        feedback = float(run.part("associations").topology.weight)
        words = "theory" if feedback == 0.0 else f"theory, without the feedback D = {feedback:g}"
        marks.append(Curve(position, theory.correct(alone), words, "predicted", color=6, marker="o"))
    hardest = int(np.argmin(measured)) + 1
    panels = (
        matrix_panel(z, "Associations after learning", x="from item", y="to item", width=0.9),
        Panel("Strength of the correct one", marks, "position in the list", "relative strength", legend="top"),
    )
    title = f"The middle of a list is hardest: position {hardest}"
    if hardest in (1, measured.size):
        title = "Associations of a list"
    return FigureDescription(title, run.below, ((heat_panel(run, "items", "Items"),), panels), (0.8, 1.2))


def _without_feedback(run: Run, end: float) -> np.ndarray | None:
    """Return the weights in closed form, as they would be at `end` without feedback; None if no list was shown."""
    items, link = run.part("items"), run.part("associations")
    shown = [one.schedule.intervals for one in run.network.stimuli if isinstance(one.schedule, Pulses)]
    trials = min((int(np.count_nonzero(pulses[:, 0] < end)) for pulses in shown), default=0)
    if not trials or len(shown) != items.cells:
        return None
    return theory.associations(
        np.array([pulses[:trials, 0] for pulses in shown]),
        float(shown[0][0, 1] - shown[0][0, 0]),
        float(np.max(run.network.stimuli[0].pattern)),
        float(items.A),
        end,
        threshold=float(link.signal.threshold),
        tau=float(link.delay),
        M=float(link.learning.rate),
        u=float(link.learning.decay),
    )
