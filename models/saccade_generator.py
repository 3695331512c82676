"""The saccade generator of the brain stem: bursts that move the eye by a desired amount, and then end by themselves.

    tau dL_o/dt = -1.3 L_o + I_o - 2 B_o                                             long-lead burst cells
    tau dE_o/dt = -3.5 E_o + (2 - E_o)(5 L_o + 1) - (E_o + 1)(10 L_o' + 20 g(P))     excitatory burst cells
    tau dB_o/dt = -2.4 B_o + 3 E_o                                                   inhibitory burst cells
    tau dP/dt   = -0.2 P + (1 - P)(1.2 + J) - 3.5 (P + 0.4) sum_o g(L_o)             omnipause cells
    tau dT_o/dt = 0.1 (E_o - E_o')                                                   tonic cells, T(0) = 0.5
    tau dA/dt   = -A + F                                                             superior colliculus

o is left, right, down or up, o' the opposite direction; g(w) = w^4/(0.1^4 + w^4). All but T and A are held at 0 where
they would fall below (`ClampedLayer`). The eye stands at 260 (T_right - 0.5) degrees to the right and 260 (T_up - 0.5)
upwards. The input I is given directly; or the colliculus is stimulated, F, and sends I_o = W_o min([A]+, 1). J is a
pulse of current into the omnipause cells. First the cells come to rest without input.

Source: Gancarz and Grossberg (1998), A neural model of the saccade generator in the reticular formation, Neural Netw.
11, 1159-1174, as replicated by Senden, Schuecker, Hahne, Diesmann and Goebel (2018), ReScience 4(1), whose values
these are. They integrate in steps of 0.05 ms, and set what is below 0 to 0 after each.

What is known:

- at rest P = 1.2/1.4 = 6/7, and all burst cells are silent. Input to one long-lead cell makes it rise alone, until
  sum g(L) > 6/7 silences the omnipause cells; the burst that this sets free ends through B.
- input that stays makes a staircase of equal saccades; very strong input a smooth movement at the speed 0.52 E deg/ms,
  with E from a quadratic equation.
- stronger input makes larger and longer bursts; oblique saccades are nearly straight: the smaller component
  is stretched in time.
- an excitatory burst cell is tuned to directions in the shape of a cardioid.
- a saccade that is interrupted by stimulation of the omnipause cells ends where it would have ended.
- colliculus: amplitude saturates before speed as F grows. The article's curves of its activity fall twice as fast as
  the equation says; with `release` = 25 no second saccade follows, as it shows.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Panel, Run, figure, theory_curve, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.runs import run, slope
from brnn.models.parts.saccade_burst import DEGREES, DIRECTIONS, burst_generator, eye_position
from brnn.signals import ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense

__all__ = ["DIRECTIONS", "Saccade", "build", "eye_position", "saccades"]

_FAST = 30.0  # degrees per second: where a saccade begins and ends


@takes_dotted_names
def build(
    pattern: ArrayLike = (1.0, 0.0, 0.0, 0.0),
    shown: float = 265.0,
    F: float = 0.0,
    release: float = 50.0,
    J: float = 0.0,
    J_start: float = 45.0,
    J_length: float = 5.0,
    rest: float = 100.0,
    after: float = 100.0,
    tau: float = 50.0,
) -> Network:
    """Return the saccade generator; by default it gets the first input of the article, a staircase to the left.

    Parameters
    ----------
    pattern : array of 4 numbers, >= 0
        The inputs I of left, right, down and up; with F > 0 the weights W from the colliculus to them (1).
    shown : float, > 0
        How long the input lasts (ms).
    F : float, >= 0
        Stimulation of the colliculus; with 0 the input is given directly (1).
    release : float, > 0
        Time constant of the colliculus after its stimulation (ms).
    J : float, >= 0
        Stimulation of the omnipause cells (1).
    J_start : float, >= 0
        When it begins, from the beginning of the input on (ms).
    J_length : float, > 0
        How long it lasts (ms).
    rest : float, >= 0
        Time before the input (ms).
    after : float, >= 0
        Time after the input (ms).
    tau : float, > 0
        Time constant of all cells (ms).

    Returns
    -------
    Network
        Layers "long_lead", "excitatory_burst", "inhibitory_burst" and "tonic" of four cells, "omnipause" and
        "colliculus" of one.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "saccade_generator"
    inputs = array(pattern, f"{at}: pattern", minimum=0.0)
    if inputs.shape != (4,):
        raise SpecError(f"{at}: pattern: has shape {inputs.shape}, must be four numbers: left, right, down, up")
    onset = number(rest, f"{at}: rest", minimum=0.0)
    offset = onset + number(shown, f"{at}: shown", above=0.0)
    electrode, pause = number(F, f"{at}: F", minimum=0.0), number(J, f"{at}: J", minimum=0.0)
    begins = onset + number(J_start, f"{at}: J_start", minimum=0.0)
    ends = begins + number(J_length, f"{at}: J_length", above=0.0)
    constant = number(tau, f"{at}: tau", above=0.0)
    k, faster = 1.0 / constant, constant / number(release, f"{at}: release", above=0.0) - 1.0
    during = Pulse(onset, offset)
    burst = burst_generator(constant)
    stimuli = [
        *burst.stimuli,
        Stimulus("long_lead", "excitatory", 0.0 if electrode else inputs, during, name="input"),
        Stimulus("colliculus", "excitatory", electrode, during, name="electrode"),
    ]
    later = number(after, f"{at}: after", minimum=0.0)
    if later:
        stimuli.append(Stimulus("colliculus", "modulatory", faster, Pulse(offset, np.inf), name="release"))
    if pause:
        stimuli.append(Stimulus("omnipause", "excitatory", pause, Pulse(begins, ends), name="pause"))
    return Network(
        at,
        [
            GatedLayer("colliculus", (1,), A=k, B=k, C=0.0, E=k, F=0.0, rest=1.0, gain=1.0),
            *burst.layers,
        ],
        [
            Projection(
                "colliculus",
                "long_lead",
                "excitatory",
                ThresholdLinear(gain=1.0, threshold=0.0, ceiling=1.0),
                Dense((inputs if electrode else 0.0 * inputs)[:, None]),
            ),
            *burst.projections,
        ],
        stimuli,
        duration=offset + later,
        time_units="ms",
        reference="Gancarz and Grossberg (1998), Neural Netw. 11, 1159-1174; Senden et al. (2018), ReScience 4(1)",
    )


@dataclass(frozen=True)
class Saccade:
    """One saccade.

    Attributes
    ----------
    onset, offset : float
        When the eye becomes faster and slower than 30 degrees per second, from the beginning of the input on (ms).
    amplitude : float
        Degrees from where it began to where it ended.
    peak : float
        Highest speed (degrees per second).
    """

    onset: float
    offset: float
    amplitude: float
    peak: float


def saccades(result: Any) -> list[Saccade]:
    """Return the saccades of a run of which the burst and tonic cells were saved closely, every 0.5 ms or so.

    In a network where something else drives the burst cells, such as `brnn.models.listelos`, times are those of the
    run. The speed is that of the equation for T. Two saccades of which the first has not ended when the second
    begins, are parted at the slowest point between them if that is below half of the slower peak.
    """
    network = result.network
    onset = next((s.schedule.on for s in network.stimuli if s.name == "electrode"), 0.0)
    tonic = result["tonic.x"]
    times, E = tonic.time.values - onset, np.asarray(result["excitatory_burst.x"])
    factor = DEGREES * 0.1 * float(np.max(network.layer("tonic").B)) * 1e3  # a second has a thousand ms
    v = factor * np.hypot(E[:, 1] - E[:, 0], E[:, 3] - E[:, 2])
    eye = eye_position(tonic)
    found = []
    fast = np.concatenate([[False], v > _FAST, [False]])
    for begin, end in np.flatnonzero(np.diff(fast)).reshape(-1, 2):
        if begin == 0:
            continue
        for first, last in _parted(v, int(begin), int(end)):
            t = [_crossing(times, v, first) if first == begin else times[first]]
            t.append(_crossing(times, v, last) if last == end and last < len(v) else times[min(last, len(v) - 1)])
            ends = np.stack([np.interp(t, times, eye[:, k]) for k in (0, 1)])
            found.append(Saccade(*map(float, (*t, np.hypot(*np.diff(ends)[:, 0]), v[first:last].max()))))
    return found


def _parted(v: np.ndarray, begin: int, end: int) -> list[tuple[int, int]]:
    inside = v[begin:end]
    low = begin + 1 + np.flatnonzero((inside[1:-1] < inside[:-2]) & (inside[1:-1] <= inside[2:]))
    cuts = [begin]
    for k in low:
        if v[k] < 0.5 * min(v[cuts[-1] : k].max(), v[k:end].max()):
            cuts.append(int(k))
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _crossing(times: np.ndarray, v: np.ndarray, k: int) -> float:
    """Return when the speed crosses the threshold between the samples k - 1 and k."""
    part = (_FAST - v[k - 1]) / (v[k] - v[k - 1])
    return float(times[k - 1] + part * (times[k] - times[k - 1]))


# Claims --------------------------------------------------------------------------------------------------------

_GG = "Gancarz and Grossberg (1998)"
_S = f"{_GG}, replicated by Senden et al. (2018)"
_REST = 100.0  # of the runs below. Numbers that were computed there have the error of Euler steps of 0.05 ms.
_ACCURACY = {"rtol": 1e-7, "atol": 1e-9}
# Directions in degrees and the inputs that make saccades there; those below the horizontal are mirror images.
_TUNING = {
    0: (0.0, 0.70, 0.0, 0.0), 45: (0.0, 0.45, 0.0, 0.45), 72: (0.0, 0.20, 0.0, 0.63), 90: (0.0, 0.0, 0.0, 0.70),
    108: (0.20, 0.0, 0.0, 0.63), 135: (0.45, 0.0, 0.0, 0.45), 162: (0.63, 0.0, 0.0, 0.20), 180: (0.70, 0.0, 0.0, 0.0),
}  # fmt: skip


def _made(every: float = 0.25, **parameters: Any) -> Any:
    """Return a run from the beginning of the input on, saved closely."""
    network = build(**parameters)
    duration = float(network.duration or 0.0)
    times = np.append(0.0, np.arange(_REST, duration + 1e-9, every))
    return run(network, times=times, **_ACCURACY)


def _cells(result: Any) -> tuple[np.ndarray, ...]:
    """Return L, E, B, P and the eye's position from the beginning of the input on."""
    names = ("long_lead", "excitatory_burst", "inhibitory_burst", "omnipause")
    return (*(np.asarray(result[f"{name}.x"])[1:] for name in names), eye_position(result["tonic.x"])[1:])


@claim("At rest P is 6/7, and a long-lead cell rises alone until the omnipause cells are silent", source="derived")
def rest_and_prelude() -> list[Comparison]:
    """P on its way to rest; L as a leaky cell; where P turns to 0; all beside closed forms."""
    silent = np.linspace(0.0, 1000.0, 21)
    # Where P reaches 0 its slope jumps: at t = 1074 few steps have errors below 1e-14, and RK45 hits one.
    result = run(build(rest=1000.0), times=[*silent, 1005.0, 1010.0, 1015.0, 1200.0], atol=1e-14, solver="RK45")
    P, L = np.asarray(result["omnipause.x"])[:, 0], np.asarray(result["long_lead.x"])
    t = np.array([5.0, 10.0, 15.0])
    edge = 0.1 * 6.0**0.25  # g(L) = 6/7: -0.2 P + (1 - P) 1.2 - 3.5 (P + 0.4) g is 0 at P = 0
    states = np.zeros((2, 18))
    states[:, 1] = edge - 1e-6, edge + 1e-6
    states[:, 13] = 1e-12
    rates = slope(result.network, states, 500.0)[:, 13]
    return [
        Comparison(6.0 / 7.0 * (1.0 - np.exp(-1.4 * silent / 50.0)), P[:21], 1e-7, "P before the input"),
        Comparison(1.0 / 1.3 * (1.0 - np.exp(-1.3 * t / 50.0)), L[21:24, 0], 1e-7, "L, 5, 10 and 15 ms after it came"),
        Comparison.exact([1, 1], [int(rates[0] > 0.0), int(rates[1] < 0.0)], "P is silenced from g(L) = 6/7 on"),
        Comparison(np.zeros((21, 4)), L[:21], 1e-12, "L before the input"),
    ]


@claim(
    "Input that is strong enough and stays moves the eye smoothly, at a speed that is a closed form", source="derived"
)
def smooth_movement() -> list[Comparison]:
    """Experiment 8 until it is steady, and three inputs: E from (2 - E)(5 (I - 2.5 E)/1.3 + 1) = 3.5 E."""
    rows = []
    for I in (3.0, 4.0, 5.0):
        a, b, c = 12.5 / 1.3, -(5.0 * I / 1.3 + 1.0 + 25.0 / 1.3 + 3.5), 2.0 * (5.0 * I / 1.3 + 1.0)
        E = (-b - np.sqrt(b * b - 4.0 * a * c)) / (2.0 * a)
        result = run(build((I, 0.0, 0.0, 0.0), 1000.0, after=0.0), times=[0.0, 1090.0, 1100.0])
        rows.append(Comparison(E, result.final("excitatory_burst")[0], 1e-5, f"I = {I:g}: E"))
        eye = eye_position(result["tonic.x"])[:, 0]
        rows.append(Comparison(-520.0 * E, (eye[2] - eye[1]) / 0.01, 0.01, f"I = {I:g}: degrees per second"))
    return rows


@claim("1: a staircase to the left, profiles of all cells", source=f"{_S}, experiment 1; peaks computed there")
def profiles() -> list[Comparison]:
    """I_l = 1 for 265 ms: L rises before E, P falls to 0, and the other E bursts a little at the end."""
    result = _made()
    L, E, B, P, eye = _cells(result)
    conserved = np.asarray(result["tonic.x"])
    return [
        Comparison(0.453, L[:, 0].max(), 2e-3, "largest L"),
        Comparison(0.886, E[:, 0].max(), 2e-3, "largest E"),
        Comparison(0.843, B[:, 0].max(), 2e-3, "largest B"),
        Comparison(0.082, E[:, 1].max(), 2e-3, "largest E of the other side"),
        Comparison(0.0, P.min(), 1e-6, "smallest P"),
        Comparison(-45.35, eye[-1, 0], 0.1, "where the eye is in the end, degrees"),
        Comparison.order([0, 1], np.argsort([np.argmax(x[:, 0] > 0.05) for x in (L, E)]), "L rises before E"),
        Comparison(np.ones(len(eye) + 1), conserved[:, 0] + conserved[:, 1], 1e-7, "T_left + T_right"),
    ]


@claim("2: stronger input makes larger and longer bursts", source=f"{_S}, experiment 2; numbers computed there")
def strength() -> list[Comparison]:
    """I_l = 1, 1.75 and 2.5 for 85 ms."""
    found = []
    for I in (1.0, 1.75, 2.5):
        L, E, _, _, eye = _cells(_made(0.1, pattern=(I, 0.0, 0.0, 0.0), shown=85.0))
        found.append([L[:, 0].max(), E[:, 0].max(), 0.1 * np.count_nonzero(E[:, 0] > 0.05), -eye[-1, 0]])
    peaks_L, peaks_E, lengths, ends = np.array(found).T
    return [
        Comparison([0.453, 0.762, 1.078], peaks_L, 2e-3, "largest L"),
        Comparison([0.886, 1.111, 1.267], peaks_E, 2e-3, "largest E"),
        Comparison([45.6, 65.4, 73.5], lengths, 0.3, "E > 0.05, ms"),
        Comparison([16.4, 29.6, 39.2], ends, 0.1, "degrees to the left"),
    ]


@claim("3: oblique saccades are nearly straight", source=f"{_S}, experiment 3; ends computed there")
def oblique() -> list[Comparison]:
    """Five inputs for 75 ms: where they end, and how far the path is from a straight line."""
    inputs = [(0.67, 0.08), (0.70, 0.22), (0.74, 0.40), (0.75, 0.60), (0.70, 0.90)]
    ends, bends = [], []
    for right, up in inputs:
        eye = _cells(_made(pattern=(0.0, right, 0.0, up), shown=75.0))[-1]
        ends.append(eye[-1])
        line = eye[-1] / np.hypot(*eye[-1])
        bends.append(np.abs(eye @ [-line[1], line[0]]).max() / np.hypot(*eye[-1]))
    expected = [(11.20, 1.08), (11.26, 3.47), (11.37, 6.47), (11.34, 9.66), (11.37, 13.59)]
    lengths = np.hypot(*np.transpose(ends))
    return [
        Comparison(expected, ends, 0.05, "degrees to the right and up"),
        Comparison.at_most(0.08, bends, label="distance from a straight line, part of the length"),
        Comparison.within(10.0, lengths[:4], 15.0, label="lengths of the first four, degrees"),
    ]


@claim("4: input that stays makes a staircase of oblique saccades", source=f"{_S}, experiment 4; computed there")
def staircase() -> list[Comparison]:
    """I_r = 0.2 and I_u = 0.33 for 250 ms: three saccades, the last of which the end of the input cuts."""
    result = _made(0.1, pattern=(0.0, 0.2, 0.0, 0.33), shown=250.0)
    found = saccades(result)
    eye = _cells(result)[-1]
    ratio = eye[-1, 0] / eye[-1, 1]
    away = np.abs(eye[:, 0] - ratio * eye[:, 1])
    return [
        Comparison.count(3, len(found), "saccades"),
        Comparison([37.2, 140.0, 241.5], [s.onset for s in found], 0.4, "onsets, ms"),
        Comparison([62.6, 164.9, 261.6], [s.offset for s in found], 0.4, "offsets, ms"),
        Comparison([5.64, 5.22, 3.84], [s.amplitude for s in found], 0.05, "amplitudes, degrees"),
        Comparison.at_most(0.35, away, label="degrees from a straight line"),
    ]


@claim("5: an excitatory burst cell is tuned to directions like a cardioid", source=f"{_S}, experiment 5")
def cardioid() -> list[Comparison]:
    """Saccades in eight directions: E_left falls from 180 to 0 degrees; in mirrored directions it is the same."""
    means = [_cells(_made(1.0, pattern=I, shown=50.0))[1][:, 0].mean() for I in _TUNING.values()]
    below = _cells(_made(1.0, pattern=(0.45, 0.0, 0.45, 0.0), shown=50.0))[1][:, 0].mean()
    angles = np.radians(list(_TUNING))
    shape = np.corrcoef(1.0 - np.cos(angles), means)[0, 1]
    return [
        Comparison.monotone("rising", means, label="mean E_left from 0 to 180 degrees"),
        Comparison(means[list(_TUNING).index(135)], below, 1e-6, "225 degrees as 135"),
        Comparison.at_least(0.95, shape, label="correlation with the cardioid 1 - cos"),
    ]


@claim("6: stimulated collicularly, amplitude saturates before speed", source=f"{_S}, experiment 6; {_GG}, Fig. 9")
def stimulation_frequency() -> list[Comparison]:
    """F = 1, 1.2 ... 2.4 for 125 ms, W = 2: amplitude and duration are largest at 1.2; from 1.4 on amplitude stays."""
    strengths = np.round(np.arange(1.0, 2.41, 0.2), 1)
    first = [saccades(_made(pattern=(0.0, 2.0, 0.0, 0.0), shown=125.0, F=float(F)))[0] for F in strengths]
    amplitudes, peaks = np.array([s.amplitude for s in first]), np.array([s.peak for s in first])
    lasted = np.array([s.offset - s.onset for s in first])
    return [
        Comparison.exact(1.2, strengths[amplitudes.argmax()], "F of the largest amplitude"),
        Comparison.exact(1.2, strengths[lasted.argmax()], "F of the longest saccade"),
        Comparison.at_most(0.02, np.ptp(amplitudes[2:]) / amplitudes[-1], label="change of amplitude, F = 1.4 to 2.4"),
        Comparison.monotone("rising", peaks, label="highest speed"),
        Comparison.at_least(0.07, np.ptp(peaks[2:]) / peaks[-1], label="change of speed, F = 1.4 to 2.4"),
    ]


@claim("7: speed is traded for duration at one amplitude", source=f"{_S}, experiment 7; {_GG}, Fig. 10")
def trading() -> list[Comparison]:
    """F = 3 for 82 ms and F = 1.3 for 117 ms, W = 2; with the equation's decay a second saccade follows."""
    made: dict[tuple[float, float], list[Saccade]] = {}
    for release in (50.0, 25.0):
        for F, shown in ((3.0, 82.0), (1.3, 117.0)):
            made[F, release] = saccades(_made(pattern=(0.0, 2.0, 0.0, 0.0), shown=shown, F=F, release=release))
    fast, slow = made[3.0, 25.0][0], made[1.3, 25.0][0]
    return [
        Comparison.count([2, 2], [len(made[F, 50.0]) for F in (3.0, 1.3)], "saccades, release = 50"),
        Comparison.count([1, 1], [len(made[F, 25.0]) for F in (3.0, 1.3)], "saccades, release = 25"),
        Comparison(fast.amplitude, slow.amplitude, 0.02, "amplitude of the slow one as of the fast one", relative=True),
        Comparison.monotone("falling", [fast.peak, slow.peak], label="highest speed"),
        Comparison.monotone("rising", [fast.offset - fast.onset, slow.offset - slow.onset], label="duration"),
    ]


@claim("8: strong input that stays makes a burst, then a sustained movement", source=f"{_S}, experiment 8")
def burst_and_sustained() -> list[Comparison]:
    """I_l = 3 for 300 ms: one movement that does not stop, E at most 1.345 at first, then 0.964."""
    result = _made(pattern=(3.0, 0.0, 0.0, 0.0), shown=300.0)
    E = _cells(result)[1][:, 0]
    return [
        Comparison.count(1, len(saccades(result)), "movements"),
        Comparison(1.345, E.max(), 3e-3, "E of the burst"),
        Comparison(np.full(2, 0.964), E[[1000, 1200]], 2e-3, "E 250 and 300 ms after the beginning"),
        Comparison.at_least(0.9, E[200:1200], label="E from 50 to 300 ms"),
    ]


@claim("9: an interrupted saccade ends where it would have ended", source=f"{_S}, experiment 9")
def interrupted() -> list[Comparison]:
    """I_l = 0.7 for 100 ms, J = 1.8 from 45 to 50 ms: two parts, within 0.2 degrees of the plain one together."""
    plain, cut = (_made(pattern=(0.7, 0.0, 0.0, 0.0), shown=100.0, after=150.0, J=J) for J in (0.0, 1.8))
    P = _cells(cut)[3][:, 0]
    ends = [float(_cells(one)[-1][-1, 0]) for one in (plain, cut)]
    return [
        Comparison.count([1, 2], [len(saccades(one)) for one in (plain, cut)], "movements"),
        Comparison(ends[0], ends[1], 0.2, "where it ends, degrees"),
        Comparison.at_least(0.1, P[180:220].max(), label="largest P during and after the pulse"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    onset, offset = p.rest, p.rest + p.shown
    pause = p.rest + p.J_start, p.rest + p.J_start + p.J_length
    swap = [1, 0, 3, 2]

    def g(x: Any) -> Any:
        return x**4 / (0.1**4 + x**4)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        A, L, E, B, P = u[0], u[1:5], u[5:9], u[9:13], u[13]
        on = onset < when < offset
        I = np.asarray(p.pattern) * (min(max(A, 0.0), 1.0) if p.F else on)
        J = p.J * (pause[0] < when < pause[1])
        rates = np.concatenate([
            -1.3 * L + I - 2.0 * B,
            -3.5 * E + (2.0 - E) * (5.0 * L + 1.0) - (E + 1.0) * (10.0 * L[swap] + 20.0 * g(P)),
            -2.4 * B + 3.0 * E,
            [-0.2 * P + (1.0 - P) * (1.2 + J) - 3.5 * (P + 0.4) * g(L).sum()],
        ])  # fmt: skip
        rates = np.where((u[1:14] <= 0.0) & (rates < 0.0), 0.0, rates)
        dA = (p.F * on - A) * (p.tau / p.release if when > offset else 1.0)
        return np.concatenate([[dA], rates, 0.1 * (E - E[swap])]) / p.tau

    # LSODA makes no way where du/dt jumps.
    u = integrated(velocity, [0.0] * 14 + [0.5] * 4, times, [onset, offset, *pause], rough="RK45")
    names = ("colliculus", "long_lead", "excitatory_burst", "inhibitory_burst", "omnipause", "tonic")
    found = {f"{name}.x": u[:, k] for name, k in zip(names, np.split(np.arange(18), [1, 5, 9, 13, 14]), strict=True)}
    return {**found, "duration": p.rest + p.shown + p.after}


@claim("Its equations, written out by hand", source=f"{_S}, the equations above, integrated by SciPy")
def equations() -> list[Comparison]:
    """Input to three cells that is interrupted, given directly and by the colliculus; no parameter is the default."""
    parameters = {
        "pattern": np.array([0.1, 1.1, 0.0, 0.7]),
        "shown": 60.0,
        "F": 1.6,
        "release": 30.0,
        "J": 4.0,
        "J_start": 40.0,
        "J_length": 6.0,
        "rest": 20.0,
        "after": 60.0,
        "tau": 45.0,
    }
    times = np.array([0.0, 10.0, 30.0, 55.0, 64.0, 75.0, 90.0, 120.0])
    direct = {name: value for name, value in parameters.items() if name not in ("F", "release")}
    options: dict[str, Any] = {"tolerance": 1e-6}
    return [
        *equations_by_hand(build, parameters, _by_hand, times, apart=(), **options),
        *equations_by_hand(
            functools.partial(build, F=0.0, release=50.0),
            direct,
            lambda p, times: _by_hand(SimpleNamespace(F=0.0, release=50.0, **vars(p)), times),
            times,
            apart=("F", "release"),
            **options,
        ),
    ]


# Figure -------------------------------------------------------------------------------------------------------


def _prelude(run: Run, k: int) -> list[Curve]:
    """Return P on its way to rest, and cell k of L from the input on until the omnipause cells are silent."""
    stimuli = {stimulus.name: stimulus for stimulus in run.network.stimuli}
    rate, given = float(np.max(run.part("omnipause").A)) / 0.2, stimuli.get("input")
    if given is None or not np.any(given.pattern) or run.start or not isinstance(given.schedule, Pulse):
        return []
    on = given.schedule.on
    before, start = np.linspace(0.0, on, 50), float(run.values("omnipause")[0, 0])
    rest = 6.0 / 7.0 + (start - 6.0 / 7.0) * np.exp(-1.4 * rate * before)
    after = np.linspace(0.0, min(given.schedule.off - on, 5.0 / rate), 1001)
    leaky = np.asarray(given.pattern) / 1.3 * (1.0 - np.exp(-1.3 * rate * after))[:, None]
    silent = np.flatnonzero((leaky**4 / (0.1**4 + leaky**4)).sum(axis=1) >= 6.0 / 7.0)
    if not silent.size:
        return [theory_curve(before, rest, "closed form")]
    alone = slice(0, int(silent[0]) + 1)
    return [theory_curve(before, rest, "closed form"), theory_curve(on + after[alone], leaky[alone, k], "")]


@figure("long_lead.x", "excitatory_burst.x", "omnipause.x", "tonic.x")
def staircase_of_saccades(run: Run) -> FigureDescription | None:
    """Show the burst cells and the omnipause cells, where the eye is, its speed, and its path."""
    times = run.times("tonic")
    if len(times) < 3:
        return None
    L, E, P = run.values("long_lead"), run.values("excitatory_burst"), run.values("omnipause")
    eye = eye_position(run.values("tonic"))
    k = int(E.max(axis=0).argmax())
    cells = [
        Curve(times, L[:, k], f"long-lead, {DIRECTIONS[k]}", color=2),
        Curve(times, E[:, k], f"excitatory burst, {DIRECTIONS[k]}", color=0),
        Curve(times, E[:, k ^ 1], f"excitatory burst, {DIRECTIONS[k ^ 1]}", color=4),
        Curve(times, P[:, 0], "omnipause", color=1),
        *_prelude(run, k),
    ]
    position = [Curve(times, eye[:, 0], "to the right", color=0), Curve(times, eye[:, 1], "up", color=1)]
    factor = DEGREES * 100.0 * float(np.max(run.part("tonic").B))
    speed = factor * np.hypot(E[:, 1] - E[:, 0], E[:, 3] - E[:, 2])
    fast = [Curve(times, speed, "speed", color=0), Level(_FAST, "a saccade is faster", axis="y", role="guide")]
    far = float(np.abs(eye).max()) * 1.1 + 1.0
    path = Panel(
        "Path of the eye", [Curve(eye[:, 0], eye[:, 1], "every saved time", marker=".")], "degrees to the right",
        "degrees up", legend="top", x_limits=(-far, far), y_limits=(-far, far),
    )  # fmt: skip
    return FigureDescription(
        "Bursts move the eye and end by themselves",
        run.below,
        (
            (time_panel(run, "Cells", cells), time_panel(run, "Where the eye is", position, y="degrees")),
            (time_panel(run, "Speed of the eye", fast, y="degrees per second"), path),
        ),
    )
