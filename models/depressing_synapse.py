"""Depressing synapse: the habituative gate (10) as short-term synaptic depression of Tsodyks and Markram.

    tau_pre dr_i/dt = -r_i + rate_i(t)                          presynaptic firing rate (1/s)
    dx_i/dt = (1 - x_i)/tau_rec - U r_i x_i                     resources that are available
    dv_i/dt = -v_i/tau + E U r_i x_i                            postsynaptic response

x is the gate y of (10), dy/dt = H (K - y) - L f(r) y, with H = 1/tau_rec, K = 1 and L f(r) = U r: the state
"synapse.y". Time is in seconds, rates in 1/s. How spikes are presented:

- `presentation="rate"`: r is the firing rate, a smooth number, and the equations are those of the mean field.
- `presentation="spikes"`: each spike is a pulse of finite `width` and area 1 (r has the height 1/width, smoothed by
  tau_pre, which keeps the area), and U becomes -ln(1 - U), so that the spike multiplies x by exp(ln(1 - U)) = 1 - U, as
  a spike of the discrete model does, and adds E U x to v. What recovers within a pulse makes the difference, of the
  order (width + tau_pre)/tau_rec.

Source: Tsodyks and Markram (1997), The neural code between neocortical pyramidal neurons depends on neurotransmitter
release probability, PNAS 94, 719-723; the gate: Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888,
equation (10). The defaults tau_rec = 0.8 s and U = 0.5 are those of the NEST simulator's tsodyks2_synapse.

What is known (`brnn.theory.habituation` has the closed forms):

- at a constant signal f the gate goes to H K/(H + L f) at the rate H + L f; here x = 1/(1 + U r tau_rec).
- f y rises monotonically with f, to H K/L: the signal saturates, above the limiting frequency 1/(U tau_rec) it hardly
  tells r any more (1/tau_rec is the most that U r x can be).
- a step up of f overshoots, a step down undershoots: changes get through, levels do not.
- a regular train of spikes with intervals T finds x = (1 - e)/(1 - (1 - U) e), e = exp(-T/tau_rec).
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import choice, number
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Level, Mark, Panel, Run, figure, time_panel, trace
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import activities, field_shape, signal_of
from brnn.models.parts.reference import scipy_solution
from brnn.models.parts.runs import run
from brnn.signals import Linear, Sigmoid, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulse, Pulses
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import OneToOne
from brnn.theory import habituation as theory

__all__ = ["build"]

_RATES = (5.0, 10.0, 20.0, 40.0, 80.0)
_MOST_SPIKES = 200_000


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    rate: ArrayLike = _RATES,
    rate_after: ArrayLike = 0.0,
    on: float = 2.0,
    presentation: Literal["rate", "spikes"] = "rate",
    width: float = 1e-3,
    tau_rec: float = 0.8,
    U: float = 0.5,
    E: float = 1.0,
    tau: float = 0.05,
    tau_pre: float = 1e-3,
    signal: Signal = Linear(),
    initial: ArrayLike = 0.0,
) -> Network:
    """Return depressing synapses, one for each firing rate, which begin with all their resources.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of synapses along each axis (1); by default that of `rate`, `rate_after` or `initial`.
    rate : float or array, >= 0
        Presynaptic firing rates from time 0 to `on` (1/s).
    rate_after : float or array, >= 0
        The same from `on` to the end of the run (1/s); with spikes it must be 0.
    on : float, > 0
        When the rates change (s).
    presentation : {"rate", "spikes"}
        Whether rates are smooth numbers, or regular trains of spikes, of which each cell's first is at time 0.
    width : float, > 0
        Duration of the pulse that stands for a spike (s), shorter than the intervals between spikes.
    tau_rec : float, > 0
        Time constant of recovery (s), 1/H.
    U : float, > 0
        Fraction of the resources that a spike uses (1), at most 1, with spikes less than 1.
    E : float, > 0
        Postsynaptic response to a spike that uses all resources (1).
    tau : float, > 0
        Time constant of the postsynaptic response (s).
    tau_pre : float, > 0
        Time constant with which r follows the rate (s), short compared with the others.
    signal : Signal
        f, what a presynaptic cell of rate r releases per second (1/s); Linear() is the model of Tsodyks and Markram.
    initial : float or array, >= 0
        Rates at time 0 (1/s).

    Returns
    -------
    Network
        Layers "presynaptic" and "postsynaptic", and the gate "synapse.y".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    at = "depressing_synapse"
    cells = field_shape(at, n, len(_RATES), (("rate", rate), ("rate_after", rate_after), ("initial", initial)))
    first = activities(rate, f"{at}: rate", cells, minimum=0.0)
    later = activities(rate_after, f"{at}: rate_after", cells, minimum=0.0)
    stop = number(on, f"{at}: on", above=0.0)
    spiking = choice(presentation, f"{at}: presentation", ("rate", "spikes")) == "spikes"
    short = number(width, f"{at}: width", above=0.0)
    fraction = number(U, f"{at}: U", above=0.0, maximum=1.0)
    if spiking and fraction == 1.0:
        raise SpecError(f"{at}: U = 1: must be less than 1 with spikes, none of finite width uses all resources")
    L = -math.log1p(-fraction) if spiking else fraction
    recovery, decay, quick = (
        1.0 / number(value, f"{at}: {name}", above=0.0)
        for name, value in (("tau_rec", tau_rec), ("tau", tau), ("tau_pre", tau_pre))
    )
    start = activities(initial, f"{at}: initial", cells, minimum=0.0)
    if spiking:
        stimuli = _trains(first, later, stop, short, quick, cells)
    else:
        stimuli = [Stimulus("presynaptic", "excitatory", quick * first, Pulse(0.0, stop))]
        if np.any(later):
            stimuli.append(Stimulus("presynaptic", "excitatory", quick * later, Pulse(stop, math.inf)))
    return Network(
        at,
        layers=(
            Layer.additive("presynaptic", cells, A=quick, initial=start),
            Layer.additive("postsynaptic", cells, A=decay),
        ),
        projections=(
            Projection(
                "presynaptic",
                "postsynaptic",
                "excitatory",
                signal_of(signal, f"{at}: signal"),
                OneToOne(L * number(E, f"{at}: E", above=0.0)),
                gate=HabituativeGate(H=recovery, K=1.0, L=L),
                name="synapse",
            ),
        ),
        stimuli=stimuli,
        duration=stop + 2.5 * tau_rec,
        time_units="s",
        reference="Tsodyks and Markram (1997), PNAS 94, 719-723",
    )


def _trains(
    rate: float | np.ndarray, later: float | np.ndarray, stop: float, width: float, quick: float, cells: tuple[int, ...]
) -> list[Stimulus]:
    """Return one stimulus for each distinct rate: a regular train of pulses of area 1 up to the time `stop`."""
    at = "depressing_synapse"
    if np.any(later):
        raise SpecError(f"{at}: rate_after: must be 0 with presentation = 'spikes'")
    rates = np.broadcast_to(rate, cells)
    if rates.max() * width >= 1.0:
        raise SpecError(f"{at}: width = {width:g}: must be shorter than the shortest interval, {1.0 / rates.max():g}")
    stimuli = []
    for value in np.unique(rates[rates > 0.0]):
        count = math.ceil(stop * value * (1.0 - 1e-12))
        if count > _MOST_SPIKES:
            raise SpecError(f"{at}: rate = {value:g}: makes {count} spikes, at most {_MOST_SPIKES} are allowed")
        train = Pulses.periodic(1.0 / value, width, count)
        stimuli.append(Stimulus("presynaptic", "excitatory", (quick / width) * (rates == value), train))
    return stimuli


# Claims --------------------------------------------------------------------------------------------------------

_10 = "review, equation (10)"
_TM = "Tsodyks and Markram (1997); "
_TAU, _U = 0.8, 0.5  # the defaults of NEST
_RATE_GRID = np.array([0.5, 2.0, 5.0, 10.0, 20.0, 50.0, 200.0, 2000.0])


@claim("At a constant signal the gate goes to H K/(H + L f) at the rate H + L f", source=_10)
def constant_signal() -> list[Comparison]:
    """Eight rates that are there from the start, for three synapses and for a sigmoid signal: x(t) and x at rest."""
    rows = []
    f = Sigmoid(gain=30.0, half=20.0, exponent=2.0)
    released = 30.0 * _RATE_GRID**2 / (400.0 + _RATE_GRID**2)
    for tau_rec, U, signal, sent in (
        (0.8, 0.5, Linear(), _RATE_GRID),
        (0.3, 0.2, Linear(), _RATE_GRID),
        (1.5, 1.0, Linear(), _RATE_GRID),
        (0.8, 0.5, f, released),
    ):
        at = f"tau_rec = {tau_rec:g}, U = {U:g}, f: {type(signal).__name__.lower()}:"
        network = build(rate=_RATE_GRID, initial=_RATE_GRID, on=20.0, tau_rec=tau_rec, U=U, signal=signal)
        times = np.concatenate([[0.0], np.geomspace(1e-4, 15.0, 100)])
        x = np.asarray(run(network, 15.0, times=times)["synapse.y"])
        predicted = theory.gate_trajectory(times, sent, 1.0 / tau_rec, 1.0, U, 1.0)
        rows += [
            Comparison(predicted, x, 1e-8, f"{at} x(t)"),
            Comparison(1.0 / (1.0 + U * sent * tau_rec), x[-1], 1e-4, f"{at} 1/(1 + U f tau_rec) at t = 15"),
        ]
    return rows


@claim("The signal through the gate rises monotonically with f to H K/L", source=_10)
def output_saturates() -> list[Comparison]:
    """Rates from 1/s to 10^6/s: postsynaptic response, its limit, and half of it at the limiting frequency."""
    rates = np.geomspace(1.0, 1e6, 25)
    rates[8] = 1.0 / (_U * _TAU)  # 2.5/s
    rates = np.sort(rates)
    result = run(build(rate=rates, initial=rates, on=50.0, tau=0.05, E=20.0), 40.0, times=[40.0])
    v = np.asarray(result.final("postsynaptic"))  # tau E = 1
    fy = rates * np.asarray(result.final("synapse.y"))
    half = int(np.flatnonzero(rates == 1.0 / (_U * _TAU))[0])
    return [
        Comparison(_U * rates / (1.0 + _U * rates * _TAU), v, 1e-6, "response, U r/(1 + U r tau_rec)"),
        Comparison.monotone("rising", fy, label="f y as f rises"),
        Comparison.at_most(1.0 / (_TAU * _U), fy, label="f y stays below H K/L"),
        Comparison(1.0 / (_TAU * _U), fy[-1], 1e-5, "f y at 10^6/s: H K/L"),
        Comparison(1.0 / _TAU, v[-1], 1e-5, "response at 10^6/s: 1/tau_rec"),
        Comparison(0.5 / _TAU, v[half], 1e-6, "response at the limiting frequency 1/(U tau_rec): half of it"),
    ]


@claim("A step up of the signal overshoots, a step down undershoots", source=_10)
def steps_overshoot() -> list[Comparison]:
    """Five steps of both signs: f y just after the step is f2 H K/(H + L f1), and goes to f2 H K/(H + L f2)."""
    before = np.array([5.0, 10.0, 20.0, 40.0, 80.0, 60.0])
    after = np.array([20.0, 40.0, 80.0, 10.0, 5.0, 59.0])
    H, L, tau_pre = 1.0 / _TAU, _U, 1e-6
    network = build(rate=before, initial=before, rate_after=after, on=15.0, tau_pre=tau_pre)
    since = np.concatenate([np.linspace(30.0, 90.0, 31) * tau_pre, np.geomspace(1e-3, 15.0, 60)])
    result = run(network, 30.0, times=[15.0, *(15.0 + since)], rtol=1e-11)
    fy = np.asarray(result["presynaptic.x"]) * np.asarray(result["synapse.y"])
    # The gate moves while r changes, which delays its course by tau_pre.
    fit = np.polynomial.Polynomial.fit
    jump = np.array([fit(since[:31] / tau_pre, fy[1:32, k], 3)(1.0) for k in range(before.size)])
    old, new = (rate * theory.gate_level(rate, H, 1.0, L) for rate in (before, after))
    first = after * theory.gate_level(before, H, 1.0, L)
    excess = (fy[1:] - fy[-1]) * np.sign(after - before)  # on the side of the step
    rows = [
        Comparison(old, fy[0], 1e-6, "f y before the step"),
        Comparison(first, jump, 1e-6, "f y just after it"),
        Comparison(new, fy[-1], 1e-6, "f y at last"),
        Comparison.at_least(0.0, excess, 1e-8, "beyond the last value, on the side of the step"),
        Comparison(np.abs(first - new), excess.max(axis=0), 0.01, "largest excess, 30 tau_pre after the step"),
    ]
    course = new + (first - new) * np.exp(-np.multiply.outer(since[31:] - tau_pre, H + L * after))
    return [*rows, Comparison(course, fy[32:], 1e-6, "f y after the step, over time")]


@claim("A regular train of spikes: x just before each spike, and its fixed point", source=_TM + "spike form")
def spike_trains() -> list[Comparison]:
    """Pulses of 10 microseconds through a cell of 1 microsecond; NEST's defaults, 20/s: 0.11425171."""
    rows = []
    for rate, tau_rec, U in ((20.0, 0.8, 0.5), (5.0, 0.8, 0.5), (50.0, 0.3, 0.2), (10.0, 0.13, 0.67)):
        count = 60
        network = build(
            rate=[rate], on=count / rate, presentation="spikes", width=1e-5, tau_pre=1e-6, tau_rec=tau_rec, U=U
        )
        result = run(network, (count - 0.5) / rate, times=np.arange(count) / rate)
        x = np.asarray(result["synapse.y"])[:, 0]
        at = f"{rate:g}/s, tau_rec = {tau_rec:g}, U = {U:g}:"
        rows += [
            Comparison(theory.before_spikes(1.0 / rate, tau_rec, U, count), x, 1e-4, f"{at} before each spike"),
            Comparison(theory.train_level(1.0 / rate, tau_rec, U), x[-1], 1e-4, f"{at} (1 - e)/(1 - (1 - U) e)"),
        ]
        if rate == 20.0:
            rows.append(Comparison(0.11425171, x[-1], 1e-4, f"{at} tabled"))
    return rows


@claim("Spikes of finite width: the deviation from the discrete model vanishes with it", source="derived from (10)")
def width_of_spikes() -> list[Comparison]:
    """Fixed point at 20/s: by independent integration for each width, and its distance from the closed form."""
    rate, widths, count = 20.0, (1e-2, 1e-3, 1e-4), 40
    H, L = 1.0 / _TAU, -math.log(1.0 - _U)
    found, predicted = [], []
    for width in widths:
        quick = 10.0 / width
        network = build(rate=[rate], on=count / rate, presentation="spikes", width=width, tau_pre=1.0 / quick)
        result = run(network, (count - 0.5) / rate, times=np.arange(count) / rate)
        found.append(float(np.asarray(result["synapse.y"])[-1, 0]))

        def velocity(t: float, u: np.ndarray, height: float, quick: float = quick) -> list[float]:
            r, x = u
            return [quick * (height - r), H * (1.0 - x) - L * r * x]

        u = np.array([0.0, 1.0])
        for _ in range(count - 1):
            for span, height in ((width, 1.0 / width), (1.0 / rate - width, 0.0)):
                u = scipy_solution(velocity, np.array([0.0, span]), u, args=(height,), method="LSODA")[-1]
        predicted.append(u[1])
    gaps = np.abs(np.array(found) - theory.train_level(1.0 / rate, _TAU, _U))
    return [
        Comparison(predicted, found, 1e-7, f"x before a spike, widths {widths} s"),
        Comparison.monotone("falling", gaps, label="distance from the discrete model"),
        Comparison([10.0, 10.0], gaps[:-1] / gaps[1:], 0.5, "a tenth of the width, a tenth of the distance"),
    ]


@claim(
    "The mean field at 20/s with NEST's defaults: x = 1/9, U r x = 10/9", source=_TM + "mean field; defaults of NEST"
)
def mean_field() -> list[Comparison]:
    """Beside the regular train, whose spikes find 0.11425171."""
    result = run(build(rate=[20.0], on=20.0, E=20.0), 15.0, times=[15.0])
    return [
        Comparison(0.11111111, float(result.final("synapse.y")[0]), 1e-8, "x"),
        Comparison(10.0 / 9.0, float(result.final("postsynaptic")[0]), 1e-7, "U r x, through tau E = 1"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = len(p.rate)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        r, x, v = u.reshape(3, n)
        f = p.signal.gain * r**p.signal.exponent / (p.signal.half**p.signal.exponent + r**p.signal.exponent)
        rate = p.rate if when < p.on else p.rate_after
        return np.concatenate(
            [(rate - r) / p.tau_pre, (1.0 - x) / p.tau_rec - p.U * f * x, -v / p.tau + p.E * p.U * f * x]
        )

    u = integrated(velocity, np.concatenate([p.initial, np.ones(n), np.zeros(n)]), times, [p.on])
    return {"presynaptic.x": u[:, :n], "synapse.y": u[:, n : 2 * n], "postsynaptic.x": u[:, 2 * n :]}


_CHANGED = {  # off their defaults in both forms
    "tau_rec": 0.5,
    "U": 0.4,
    "E": 1.7,
    "tau": 0.08,
    "tau_pre": 0.03,
    "signal": Numbers(Sigmoid, gain=25.0, half=9.0, exponent=1.6),
    "initial": np.array([2.0, 5.0]),
}


@claim("Its equations, written out by hand", source=_TM + "integrated by SciPy")
def equations() -> list[Comparison]:
    """Two synapses whose rates change, every parameter of the form in rates off its default."""
    parameters = {
        "rate": np.array([6.0, 15.0]),
        "rate_after": np.array([12.0, 4.0]),
        "on": 0.3,
        **_CHANGED,
    }
    times = np.array([0.0, 0.03, 0.1, 0.25, 0.33, 0.45, 0.6])
    return equations_by_hand(build, parameters, _by_hand, times, apart=("n", "presentation", "width"))


def _spikes_by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n, L = len(p.rate), -np.log(1.0 - p.U)
    onsets = [np.arange(np.ceil(p.on * rate)) / rate for rate in p.rate]

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        r, x, v = u.reshape(3, n)
        f = p.signal.gain * r**p.signal.exponent / (p.signal.half**p.signal.exponent + r**p.signal.exponent)
        on = np.array([((at < when) & (when < at + p.width)).any() for at in onsets])
        return np.concatenate(
            [(on / p.width - r) / p.tau_pre, (1.0 - x) / p.tau_rec - L * f * x, -v / p.tau + p.E * L * f * x]
        )

    breaks = np.concatenate([*onsets, *(at + p.width for at in onsets)])
    u = integrated(velocity, np.concatenate([p.initial, np.ones(n), np.zeros(n)]), times, np.unique(breaks))
    return {"presynaptic.x": u[:, :n], "synapse.y": u[:, n : 2 * n], "postsynaptic.x": u[:, 2 * n :]}


@claim("Its equations with spikes, written out by hand", source=_TM + "integrated by SciPy")
def equations_with_spikes() -> list[Comparison]:
    """Two regular trains of pulses that end, every parameter off its default."""
    parameters = {
        "rate": np.array([8.0, 17.0]),
        "on": 0.35,
        "width": 4e-3,
        **_CHANGED,
    }
    return equations_by_hand(
        functools.partial(build, presentation="spikes"),
        parameters,
        _spikes_by_hand,
        np.array([0.0, 0.03, 0.1, 0.2, 0.33, 0.45]),
        apart=("n", "presentation", "rate_after"),
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("postsynaptic.x", "synapse.y")
def depression(run: Run) -> FigureDescription | None:
    """Show responses and resources at several rates, and the steady response as a function of the rate."""
    n = run.view("synapse.y").cells
    if n > 6 or len(run.view("presynaptic").shape) > 1 or run.part("synapse").gate.per != "source":
        return None
    gate, stop = run.part("synapse").gate, float(run.network.breaks(run.end + 1.0)[0])
    rates = run.inputs_to("presynaptic") / float(np.max(run.part("presynaptic").A))
    names = [f"{rate:g}/s" for rate in rates]
    responses = [trace(run, "postsynaptic", k, label=names[k], color=k) for k in range(n)]
    gates: list[Mark] = [trace(run, "synapse.y", k, label=names[k], color=k) for k in range(n)]
    steady: list[Mark] = []
    if len(run.network.stimuli) == 1 and stop <= run.end:
        sent = run.part("synapse").signal
        held = theory.gate_level(sent(rates), gate.H, gate.K, gate.L)
        gates.append(Curve(np.full(n, stop), held, "theory", "predicted", 6, marker="o"))
        fine = np.linspace(0.0, 1.15 * float(rates.max()), 200)
        strength = float(run.part("synapse").topology.weight) / float(np.max(run.part("postsynaptic").A))
        curve = strength * sent(fine) * theory.gate_level(sent(fine), gate.H, gate.K, gate.L)
        steady = [
            Curve(fine, curve, "theory", "predicted"),
            Level(strength * gate.H * gate.K / gate.L, "its limit", role="guide"),
            Curve(rates, run.at("postsynaptic", stop - 1e-9).ravel(), "the run", marker="o"),
        ]
    panels = [
        time_panel(run, "Responses: a burst, then depression", responses),
        time_panel(run, "Resources that are left", gates, y="gate y"),
    ]
    title = "A depressing synapse hears changes of rate, not rates"
    if not steady:
        return FigureDescription(title, run.below, (panels,), (1.2,))
    last = Panel("Steady response saturates", tuple(steady), "presynaptic rate (1/s)", "response", width=0.8)
    return FigureDescription(title, run.below, ((panels[0], last), (panels[1],)), (1.1, 1.0))
