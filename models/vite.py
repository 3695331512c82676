"""VITE, vector integration to endpoint: a circuit that plans and paces a reaching movement.

    dV_i/dt = alpha (-V_i + T_i - P_i)                                     difference vector
    dP_i/dt = G(t) ([V_i]+ - [V_j]+)                                       present position

T_i is the contraction that muscle i is to have, P_i the one that is commanded now, and j the antagonist of i. G is the
GO signal, nonspecific and under the control of the will: it multiplies every difference, so that P moves towards T at a
speed that is set by G, and not at all while G = 0. Contractions of a pair are complementary, T_j = 1 - T_i; the layers
"difference" and "position" have a row of agonists and one of antagonists. Time is in seconds.

Source: Bullock and Grossberg (1988), Neural dynamics of planned arm movements: emergent invariants and speed-accuracy
properties during trajectory formation, Psychol. Rev. 95, 49-90; Grossberg (2013), Recurrent neural networks,
Scholarpedia 8(2):1888. That P integrates the difference at the rate G, and that synergy, synchrony and speed follow,
stands in the caption of figure 12.2 of Grossberg (2021), Conscious Mind, Resonant Brain. The equations are recalled
from the article, which was not at hand, and no parameter is taken from it.

What is known, exact for a pair at constant G from V = 0:

- no overshoot iff alpha >= 4 G; else it is exp(-pi d/sqrt(1 - d^2)) of the distance, d = (1/2) sqrt(alpha/G).
- synchrony: all muscles need the same time, whatever their distances, and P goes straight to T.
- the speed is highest at ln(fast/slow)/(fast - slow), the rates being (alpha -+ sqrt(alpha^2 - 4 alpha G))/2.
- a GO signal that grows from 0 makes a bell-shaped speed; for G = g t the solution is one of Airy's functions.
- priming: while G = 0 the difference is computed and nothing moves.
- Fitts' law: the time to come as near as W/2 to a target at the distance D is linear in log2(2 D/W).

`brnn.theory.vite` has the closed forms.
"""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Mark, Run, figure, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.patterns import activities, field_shape
from brnn.models.parts.runs import run, slope
from brnn.signals import Linear, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Ramp, Schedule
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import OneToOne
from brnn.theory import vite as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | None = None,
    target: ArrayLike | None = None,
    start: ArrayLike = 0.5,
    alpha: float = 30.0,
    go: float = 5.0,
    rise: float = 0.0,
    priming: float = 0.0,
    antagonists: bool = True,
    duration: float = 1.5,
) -> Network:
    """Return a VITE circuit for a synergy of muscles.

    By default three muscles, two of which contract and one of which relaxes, move at a constant GO signal.

    Parameters
    ----------
    n : int, >= 1
        Number of agonist muscles (1); by default that of `target` or `start`, else 3.
    target : float or array, >= 0
        T, what the agonists are to contract to, at most 1 (1); evenly spread from 0.9 to 0.2 by default.
    start : float or array, >= 0
        P at time 0, at most 1 (1); V begins at 0.
    alpha : float, > 0
        Rate at which the difference follows (1/s).
    go : float, >= 0
        G, the height of the GO signal (1/s).
    rise : float, >= 0
        How long the GO signal takes to grow linearly from 0 to `go` (s); 0 is a step.
    priming : float, >= 0
        How long after the target the GO signal begins (s).
    antagonists : bool
        Whether each muscle has an antagonist; without one it can contract but not relax.
    duration : float, > 0
        Natural duration of the movement (s), beyond `priming`.

    Returns
    -------
    Network
        Layers "difference" and "position" with a row of agonists and, if there are any, one of antagonists.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "vite"
    if not isinstance(antagonists, bool):
        raise SpecError(f"{at}: antagonists = {antagonists!r}: must be true or false")
    cells = field_shape(at, n, 3, (("target", target), ("start", start)))
    if len(cells) > 1:
        raise SpecError(f"{at}: n = {cells}: must have one dimension")
    goal = _pairs(np.linspace(0.9, 0.2, cells[0]) if target is None else target, f"{at}: target", cells, antagonists)
    begin = _pairs(start, f"{at}: start", cells, antagonists)
    follow = number(alpha, f"{at}: alpha", above=0.0)
    height = number(go, f"{at}: go", minimum=0.0)
    grows, wait = number(rise, f"{at}: rise", minimum=0.0), number(priming, f"{at}: priming", minimum=0.0)
    schedule: Schedule = Ramp(wait, wait + grows) if grows > 0.0 else Pulse(wait, math.inf)
    positive = ThresholdLinear(gain=1.0, threshold=0.0)
    m = cells[0]
    opponent = [
        Projection("difference", "position", "inhibitory", positive, Dense(np.kron(np.eye(2)[::-1], np.eye(m))))
    ]
    return Network(
        at,
        layers=(
            Layer.additive("difference", goal.shape, A=follow),
            GatedLayer("position", goal.shape, A=0.0, B=1.0, C=0.0, E=1.0, F=0.0, initial=begin),
        ),
        projections=(
            Projection("position", "difference", "inhibitory", Linear(), OneToOne(follow)),
            Projection("difference", "position", "excitatory", positive, OneToOne()),
            *(opponent if antagonists else ()),
        ),
        stimuli=(
            Stimulus("difference", "excitatory", follow * goal),
            Stimulus("position", "modulatory", height, schedule),
        ),
        duration=wait + number(duration, f"{at}: duration", above=0.0),
        time_units="s",
        reference="Bullock and Grossberg (1988), Psychol. Rev. 95, 49-90",
    )


def _pairs(value: ArrayLike, where: str, cells: tuple[int, ...], pairs: bool) -> np.ndarray:
    """Return a row of agonists, and a second one of antagonists if there are any."""
    agonists = np.array(np.broadcast_to(activities(value, where, cells, minimum=0.0), cells))
    if agonists.max() > 1.0:
        raise SpecError(f"{where}: has the element {agonists.max():g}; a contraction must be <= 1")
    return np.stack([agonists, 1.0 - agonists]) if pairs else agonists[None, :]


# Claims --------------------------------------------------------------------------------------------------------

_BG = "Bullock and Grossberg (1988); "
_DERIVED = _BG + "derived from the equations above"
_TARGETS = np.array([0.9, 0.55, 0.52, 0.3, 0.05])
_START = 0.5


def _movement(times: np.ndarray, **parameters: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the relative positions and speeds of the agonists, shape (times, muscles); speeds are G V of the pair."""
    values = {"target": _TARGETS, "start": _START, "duration": float(times[-1]), **parameters}
    network = build(**values)
    result = run(network, times=times, duration=float(times[-1]))
    P, V = (np.asarray(result[f"{name}.x"]) for name in ("position", "difference"))
    G = np.array([float(network.stimuli[1].at(t, (1,))[0]) for t in times])
    positive = np.maximum(V, 0.0)
    opposed = positive[:, 1] if values.get("antagonists", True) else 0.0
    distance = np.asarray(values["target"]) - values["start"]
    return (P[:, 0] - values["start"]) / distance, G[:, None] * (positive[:, 0] - opposed) / distance


def _when(times: np.ndarray, values: np.ndarray, level: float) -> float:
    """Return when rising `values` first come to `level`, by a cubic spline."""
    from scipy.interpolate import CubicSpline
    from scipy.optimize import brentq

    k = int(np.argmax(values >= level))
    spline = CubicSpline(times, values)
    return float(brentq(lambda t: float(spline(t)) - level, times[k - 1], times[k], xtol=1e-15))


def _top(times: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return when a bell has its top, and how high it is there, by a cubic spline."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(times, values)
    tops = spline.derivative().roots(discontinuity=False, extrapolate=False)
    best = tops[np.argmax(spline(tops))]
    return float(best), float(spline(best))


@claim("Constant GO: position and speed are those of a damped oscillator", source=_DERIVED)
def constant_go() -> list[Comparison]:
    """Five muscles, alpha from 8 to 60, overdamped, critical and oscillating; tabled numbers for alpha = 30, G = 5."""
    rows = []
    times = np.linspace(0.0, 1.5, 3001)
    for alpha, G in ((30.0, 5.0), (60.0, 2.0), (20.0, 5.0), (8.0, 10.0)):
        q, speed = _movement(times, alpha=alpha, go=G)
        expected = theory.position(times, alpha, G)
        at = f"alpha = {alpha:g}, G = {G:g}:"
        rows.append(Comparison(np.tile(expected[0][:, None], 5), q, 1e-7, f"{at} positions / distance"))
        rows.append(Comparison(np.tile(expected[1][:, None], 5), speed, 1e-6, f"{at} speeds / distance"))
        if alpha == 30.0:
            tabled = [0.61881342, 0.94261739]
            rows.append(Comparison(tabled, q[[400, 1000], 0], 1e-8, f"{at} at t = 0.2 and 0.5, tabled"))
            rows.append(Comparison(0.52172528, _when(times, q[:, 0], 0.95), 1e-8, f"{at} 95 % are reached, tabled"))
            rows.append(Comparison(0.07603460, _top(times, speed[:, 0])[0], 1e-7, f"{at} highest speed, tabled"))
    return rows


@claim("A movement does not overshoot iff alpha >= 4 G", source=_DERIVED)
def overdamped_or_not() -> list[Comparison]:
    """Damping from 0.2 to twice the critical one: how far beyond the target, with antagonists and without."""
    rows = []
    G = 5.0
    ratios = np.array([0.05, 0.2, 0.5, 0.8, 0.95, 1.0, 1.05, 1.5, 4.0])  # alpha/(4 G)
    times = np.linspace(0.0, 4.0, 4001)
    for pairs, goals in ((True, _TARGETS), (False, np.array([0.9, 0.55]))):
        excess, last = [], []
        for ratio in ratios:
            q, _ = _movement(times, alpha=4.0 * G * ratio, go=G, target=goals, antagonists=pairs)
            excess.append(q.max(axis=0) - 1.0)
            last.append(q[-1, 0] - 1.0)
        at = "pairs" if pairs else "agonists alone"
        predicted = [theory.overshoot(4.0 * G * ratio, G) for ratio in ratios]
        beyond = np.maximum(np.array(excess), 0.0)
        rows.append(Comparison(np.tile(np.array(predicted)[:, None], goals.size), beyond, 2e-6, f"{at}: overshoot"))
        rows.append(Comparison.count(ratios < 1.0, np.array(excess)[:, 0] > 1e-9, f"{at}: whether there is one"))
        if not pairs:  # one muscle alone cannot go back: it stays where it has stopped
            rows.append(Comparison(predicted[:4], last[:4], 2e-6, f"{at}: where they stay, alpha < 4 G"))
    return rows


@claim("Synchrony and straight lines: all muscles take the same time, whatever the distance", source=_BG + "invariants")
def muscles_are_synchronous() -> list[Comparison]:
    """Distances from 0.02 to 0.45 in both directions, three GO signals: when 95 % are done, and the path."""
    rows = []
    times = np.linspace(0.0, 1.5, 3001)
    for label, course in (("step", {}), ("ramp", {"rise": 1.5, "go": 20.0}), ("primed", {"priming": 0.2})):
        q, _ = _movement(times, **course)
        done = [_when(times, q[:, k], 0.95) for k in range(5)]
        rows.append(Comparison(np.full(5, done[0]), done, 1e-7, f"{label}: time to 95 %, five distances"))
        rows.append(Comparison(np.tile(q[:, :1], 5), q, 1e-7, f"{label}: P(t) on the line to T"))
        if label == "step":
            rows.append(Comparison(theory.time_to(0.95, 30.0, 5.0), done[0], 1e-8, f"{label}: time to 95 %"))
    return rows


@claim("A growing GO signal makes a bell-shaped speed, in proportion to the distance", source=_BG + "derived: Airy")
def growing_go_makes_a_bell() -> list[Comparison]:
    """G = g t, the target there long before: the course by Airy's functions, one top, and the limit of fast V."""
    rows = []
    times = np.linspace(0.0, 1.0, 2001)
    for alpha, g in ((30.0, 20.0), (60.0, 40.0), (400.0, 30.0)):
        wait = 60.0 / alpha  # the difference is then complete to 1e-26
        q, speed = _movement(wait + times, alpha=alpha, go=g, rise=1.0, priming=wait)
        expected = theory.ramp_movement(times, alpha, g)
        at = f"alpha = {alpha:g}, g = {g:g}:"
        rows.append(Comparison(np.tile(expected[0][:, None], 5), q, 1e-7, f"{at} positions / distance"))
        rows.append(Comparison(np.tile(expected[1][:, None], 5), speed, 1e-6, f"{at} speeds / distance"))
        seen = speed[np.abs(speed[:, 0]) > 0.01 * speed[:, 0].max(), 0]  # late, G > alpha/4: a trace of overshoot
        tops = int(np.count_nonzero(np.diff(np.sign(np.diff(seen)))))
        rows.append(Comparison.count(1, tops, f"{at} tops of the speed above 1 % of the highest"))
        rows.append(Comparison([0.0, 0.0], speed[[0, -1], 0], 0.01, f"{at} speed at the ends"))
        if alpha == 400.0:
            top = _top(times, speed[:, 0])
            rows.append(Comparison(1.0 / math.sqrt(g), top[0], 0.02, f"{at} top at about 1/sqrt(g)"))
            rows.append(Comparison(math.sqrt(g / math.e), top[1], 0.3, f"{at} its height, about sqrt(g/e)"))
    return rows


@claim("Priming: without a GO signal the difference is computed, and nothing moves", source=_BG + "motor priming")
def priming_moves_nothing() -> list[Comparison]:
    """Half a second before the GO signal: P to the last bit, V exactly; then the movement from a ready difference."""
    alpha, wait = 30.0, 0.5
    times = np.linspace(0.0, 2.0, 401)
    network = build(target=_TARGETS, start=_START, alpha=alpha, priming=wait, duration=1.5)
    result = run(network, times=times)
    before = times <= wait
    P, V = (np.asarray(result[f"{name}.x"]) for name in ("position", "difference"))
    distance = _TARGETS - _START
    ready = 1.0 - np.exp(-alpha * times[before])
    later = theory.position(times[~before] - wait, alpha, 5.0, 1.0 - math.exp(-alpha * wait))[0]
    return [
        Comparison.exact(np.full((int(before.sum()), 5), _START), P[before, 0], "P before the GO signal"),
        Comparison(np.multiply.outer(ready, distance), V[before, 0], 1e-8, "V before it: (T - P)(1 - exp(-alpha t))"),
        Comparison(_START + np.multiply.outer(later, distance), P[~before, 0], 1e-7, "P after it"),
    ]


@claim("The GO signal sets the speed; a change of both rates is a change of the clock", source=_BG + "speed rescaling")
def go_sets_the_speed() -> list[Comparison]:
    """Time to 95 % for six GO signals; and alpha and G three times as high: the same course in a third of the time."""
    signals = np.array([0.5, 1.0, 2.0, 4.0, 6.0, 7.5])
    times = np.linspace(0.0, 8.0, 8001)
    done = [_when(times, _movement(times, go=float(G))[0][:, 0], 0.95) for G in signals]
    predicted = [theory.time_to(0.95, 30.0, float(G)) for G in signals]
    short = np.linspace(0.0, 1.5, 301)
    course = _movement(short, alpha=30.0, go=5.0)[0]
    return [
        Comparison(predicted, done, 1e-7, "time to 95 %, G from 0.5 to 7.5"),
        Comparison.monotone("falling", done, label="time to 95 % as G grows"),
        Comparison(course, _movement(short / 3.0, alpha=90.0, go=15.0)[0], 1e-8, "alpha and G tripled: P(t/3)"),
    ]


@claim(
    "Fitts' law: time to a target is linear in log2(2 D/W), the slope being ln 2/slow rate",
    source=_BG + "Beamish, MacKenzie and Wu (2006), Neural Networks 19, 582-599",
)
def fitts_law() -> list[Comparison]:
    """Index of difficulty from 2 to 10 bits at constant G: times to come as near as W/2, and their slope per bit."""
    bits = np.arange(2.0, 11.0)
    times = np.linspace(0.0, 3.0, 6001)
    rows = []
    for alpha, G in ((30.0, 5.0), (40.0, 3.0)):
        left = 1.0 - _movement(times, alpha=alpha, go=G)[0][:, 0]
        done = np.array([_when(times, -np.log2(left), bit) for bit in bits])  # W/2 of D is 2^-bits
        predicted = [theory.time_to(1.0 - 2.0**-bit, alpha, G) for bit in bits]
        slow = theory.roots(alpha, G)[0].real
        at = f"alpha = {alpha:g}, G = {G:g}:"
        rows.append(Comparison(predicted, done, 1e-6, f"{at} movement times"))
        rows.append(Comparison(np.full(4, math.log(2.0) / slow), np.diff(done)[-4:], 1e-3, f"{at} time per bit"))
    return rows


@claim("The circuit obeys its equations, and antagonists mirror agonists", source=_BG + "as recalled, see above")
def obeys_its_equations() -> list[Comparison]:
    """Random states at a GO signal of 5: V' and P' written out; along a run P_i + P_j = 1 and V_i + V_j = 0."""
    rng = np.random.default_rng(1988)
    network = build(target=_TARGETS, start=_START)
    u = rng.uniform(-1.0, 1.0, size=(20, 20))
    V, P = u[:, :10].reshape(-1, 2, 5), u[:, 10:].reshape(-1, 2, 5)
    T = np.stack([_TARGETS, 1.0 - _TARGETS])
    dV = 30.0 * (T - P - V)
    dP = 5.0 * (np.where(V > 0.0, V, 0.0) - np.where(V[:, ::-1] > 0.0, V[:, ::-1], 0.0))
    predicted = np.concatenate([dV.reshape(20, -1), dP.reshape(20, -1)], axis=1)
    result = run(network, 1.0)
    sums = [np.asarray(result[f"{name}.x"]).sum(axis=1) for name in ("position", "difference")]
    return [
        Comparison(predicted, slope(network, u, 0.5), 1e-12, "V' and P' at 20 states"),
        Comparison(np.ones_like(sums[0]), sums[0], 1e-9, "P_i + P_j"),
        Comparison(np.zeros_like(sums[1]), sums[1], 1e-9, "V_i + V_j"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.target)
    goal, begin = (np.concatenate([v, 1.0 - v]) if p.antagonists else v for v in (p.target, p.start))

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        V, P = np.split(u, 2)
        go = p.go * min(max((t - p.priming) / p.rise, 0.0), 1.0)
        pull = np.maximum(V, 0.0)
        opposed = np.roll(pull, n) if p.antagonists else 0.0 * pull
        return np.concatenate([p.alpha * (goal - P - V), go * (pull - opposed)])

    u = integrated(velocity, np.concatenate([0.0 * goal, begin]), times, [p.priming, p.priming + p.rise])
    return {
        "difference.x": u[:, : len(goal)],
        "position.x": u[:, len(goal) :],
        "duration": p.priming + p.duration,
    }


@claim("Its equations, written out by hand", source=_BG + "as recalled, integrated by SciPy")
def equations() -> list[Comparison]:
    """Two muscles with antagonists and without them, a GO signal that rises after a while."""
    parameters: dict[str, Any] = {
        "target": np.array([0.7, 0.3]),
        "start": np.array([0.4, 0.6]),
        "alpha": 12.0,
        "go": 3.0,
        "rise": 0.4,
        "priming": 0.2,
        "duration": 0.8,
    }
    rows = []
    for pairs in (True, False):
        rows += equations_by_hand(
            functools.partial(build, antagonists=pairs),
            parameters,
            lambda p, times, pairs=pairs: _by_hand(SimpleNamespace(antagonists=pairs, **vars(p)), times),
            np.linspace(0.0, 1.2, 7),
            apart=("n", "antagonists"),
        )
    return rows


# Figure -------------------------------------------------------------------------------------------------------


@figure("position.x", "difference.x")
def movement(run: Run) -> FigureDescription | None:
    """Show positions on their way to the targets and the speed of the movement, beside the closed form."""
    view = run.view("position")
    if len(view.shape) != 2 or view.cells > 8:
        return None
    muscles = view.shape[1]
    times, P = run.times("position"), run.values("position")[:, :muscles]
    alpha = float(np.max(run.part("difference").A))
    goal = run.inputs_to("difference")[0] / alpha
    positions: list[Mark] = [Curve(times, P[:, k], f"muscle {k + 1}", color=k) for k in range(muscles)]
    positions += [Level(float(target), "target") for target in goal]
    distance = np.where(np.abs(goal - P[0]) > 1e-12, goal - P[0], 1.0)
    speeds = np.gradient(P, times, axis=0) / distance
    speed: list[Mark] = [Curve(times, speeds[:, k], f"muscle {k + 1}", color=k) for k in range(muscles)]
    go = run.network.stimuli[1]
    below = run.below
    if isinstance(go.schedule, Pulse) and go.schedule.on == 0.0 and run.view("difference").shape[0] == 2:
        G = float(np.max(go.pattern))
        q, dq = theory.position(times, alpha, G)
        speed.append(Curve(times, dq, "theory", "predicted"))
        positions += [
            Curve(times[::8], P[0, k] + q[::8] * (goal[k] - P[0, k]), "theory", "predicted", k, marker="o")
            for k in range(muscles)
        ]
        below = f"alpha = {alpha:g}, GO signal {G:g}: {'no ' if alpha >= 4 * G else ''}overshoot   ·   {below}"
    panels = (
        time_panel(run, "Position", positions, y="position P", spans=()),
        time_panel(run, "Speed, as part of the distance", speed, y="speed / distance", spans=(), width=0.9),
    )
    return FigureDescription("All muscles arrive together, whatever their distance", below, (panels,), (1.3,))
